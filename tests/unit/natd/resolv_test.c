/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolv_test.c - resolv.conf as hosts have it, and as nobody should have it.
 */
#include "../lib/t.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "natd/resolv.h"

static const struct ip4 own[] = {{0xc0a80802}, {0xc0a80902}}; /* 192.168.8.2, 192.168.9.2 */

static struct resolv
parse_n(const char *text, size_t len)
{
	struct resolv r;
	char *p = t_exact(text, len);

	memset(&r, 0xa5, sizeof(r));
	resolv_parse(&r, p, len, own, ARRAY_LEN(own));
	free(p);
	return r;
}

static struct resolv
parse(const char *text)
{
	return parse_n(text, strlen(text));
}

/* "192.0.2.1 fe80::1%eth0" */
static void
check(const char *text, const char *want)
{
	struct resolv r = parse(text);
	char have[512] = "", one[INET6_ADDRSTRLEN];

	for (unsigned i = 0; i < r.n; i++) {
		const struct resolv_server *s = &r.server[i];
		size_t n = strlen(have);

		if (dns_addr_is_ip4(&s->addr))
			ip4_str(dns_addr_ip4(&s->addr), one);
		else
			assert_non_null(inet_ntop(AF_INET6, s->addr.ip, one, sizeof(one)));
		snprintf(have + n, sizeof(have) - n, "%s%s%s%s", i ? " " : "", one,
			 s->scope[0] ? "%" : "", s->scope);
		assert_int_equal(s->addr.port, 53);
		assert_int_equal(s->addr.scope, 0);
	}
	assert_string_equal(have, want);
}

static void
servers_are_read_in_order(void **state UNUSED)
{
	check("nameserver 192.0.2.1\n", "192.0.2.1");
	check("nameserver 192.0.2.1", "192.0.2.1");
	check("nameserver 192.0.2.2\nnameserver 192.0.2.1\n", "192.0.2.2 192.0.2.1");
	check("nameserver\t 192.0.2.1 \t\n", "192.0.2.1");
	check("nameserver 192.0.2.1\r\nnameserver 192.0.2.2\r\n", "192.0.2.1 192.0.2.2");
	check("nameserver 2001:db8::53\nnameserver 192.0.2.1\n", "2001:db8::53 192.0.2.1");
}

static void
the_file_of_systemd_resolved(void **state UNUSED)
{
	check(
	    "# This is /run/systemd/resolve/stub-resolv.conf managed by man:systemd-resolved(8).\n"
	    "# Do not edit.\n"
	    "#\n"
	    "\n"
	    "nameserver 127.0.0.53\n"
	    "options edns0 trust-ad\n"
	    "search example.org\n",
	    "127.0.0.53");
}

static void
other_lines_and_comments_are_passed_over(void **state UNUSED)
{
	check("; nameserver 192.0.2.9\n"
	      "#nameserver 192.0.2.8\n"
	      "domain example.org\n"
	      "options timeout:1 attempts:5 rotate\n"
	      "sortlist 192.0.2.0/255.255.255.0\n"
	      "nonsense\n"
	      "nameservers 192.0.2.7\n"
	      "NAMESERVER 192.0.2.6\n"
	      "nameserver 192.0.2.1 # the good one\n"
	      "nameserver 192.0.2.2;the other one\n"
	      "nameserver 192.0.2.3#and one more\n",
	      "192.0.2.1 192.0.2.2 192.0.2.3");
}

static void
a_keyword_starts_its_line_as_the_c_library_has_it(void **state UNUSED)
{
	check(" nameserver 192.0.2.9\nnameserver 192.0.2.1\n", "192.0.2.1");
}

static void
scopes_are_kept_for_link_local_addresses_only(void **state UNUSED)
{
	check("nameserver fe80::1%eth0\n", "fe80::1%eth0");
	check("nameserver fe80::1%2\n", "fe80::1%2");
	check("nameserver fe80::1\n", "fe80::1");
	check("nameserver febf::1%wlp0s20f3.4094\n", "febf::1%wlp0s20f3.4094");
	check("nameserver 2001:db8::1%eth0\n", "2001:db8::1");
	check("nameserver fe80::1%eth0\nnameserver fe80::1%eth1\n", "fe80::1%eth0 fe80::1%eth1");
}

static void
what_is_no_address_is_counted(void **state UNUSED)
{
	static const char *const bad[] = {
	    "nameserver x\n",
	    "nameserver \n",
	    "nameserver 192.0.2\n",
	    "nameserver 192.0.2.1.1\n",
	    "nameserver 192.0.2.256\n",
	    "nameserver 192.0.2.1%eth0\n",
	    "nameserver 192.0.2.1:5353\n",
	    "nameserver fe80::1%\n",
	    "nameserver fe80::1%0123456789abcdef\n",
	    "nameserver fe80:::1\n",
	    "nameserver 0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct resolv r = parse(bad[i]);

		assert_int_equal(r.n, 0);
		assert_int_equal(r.lines, 1);
		assert_int_equal(r.bad, 1);
	}
}

static void
our_own_addresses_are_left_out(void **state UNUSED)
{
	struct resolv r = parse("nameserver 192.168.8.2\n");

	assert_int_equal(r.n, 0);
	assert_int_equal(r.own, 1);
	check("nameserver 192.168.9.2\nnameserver 192.0.2.1\n", "192.0.2.1");
	check("nameserver ::ffff:192.168.9.2\nnameserver 192.0.2.1\n", "192.0.2.1");
}

static void
three_servers_are_enough_and_repetitions_do_not_count(void **state UNUSED)
{
	const char *text = "nameserver 192.0.2.1\nnameserver 192.0.2.1\nnameserver 192.168.8.2\n"
			   "nameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n"
			   "nameserver 192.0.2.3\n";
	struct resolv r = parse(text);

	check(text, "192.0.2.1 192.0.2.2 192.0.2.3");
	assert_int_equal(r.lines, 7);
	assert_int_equal(r.excess, 1);
}

static void
without_any_line_this_host_is_asked(void **state UNUSED)
{
	struct resolv r = parse("");

	assert_int_equal(r.lines, 0);
	check("", "127.0.0.1");
	check("search example.org\n", "127.0.0.1");
	check("nameserver", "127.0.0.1");
	check("nameserver\n", "127.0.0.1");
}

static void
the_address_of_all_zeros_is_this_host(void **state UNUSED)
{
	check("nameserver 0.0.0.0\nnameserver ::\n", "127.0.0.1 ::1");
	check("nameserver ::ffff:0.0.0.0\n", "127.0.0.1");
}

static void
bytes_of_all_kinds(void **state UNUSED)
{
	static const char nul[] = "nameserver 192.0.2.9\0.1\n\0nameserver 192.0.2.8\nnameserver "
				  "192.0.2.1";
	struct resolv r = parse_n(nul, sizeof(nul) - 1);
	char big[20000];

	assert_int_equal(r.n, 1);
	assert_int_equal(r.bad, 1);
	memset(big, 'x', sizeof(big));
	memcpy(big, "nameserver ", 11);
	r = parse_n(big, sizeof(big));
	assert_int_equal(r.n, 0);
	assert_int_equal(r.bad, 1);
	memset(big, '\n', sizeof(big));
	r = parse_n(big, sizeof(big));
	assert_int_equal(r.lines, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(servers_are_read_in_order),
	    cmocka_unit_test(the_file_of_systemd_resolved),
	    cmocka_unit_test(other_lines_and_comments_are_passed_over),
	    cmocka_unit_test(a_keyword_starts_its_line_as_the_c_library_has_it),
	    cmocka_unit_test(scopes_are_kept_for_link_local_addresses_only),
	    cmocka_unit_test(what_is_no_address_is_counted),
	    cmocka_unit_test(our_own_addresses_are_left_out),
	    cmocka_unit_test(three_servers_are_enough_and_repetitions_do_not_count),
	    cmocka_unit_test(without_any_line_this_host_is_asked),
	    cmocka_unit_test(the_address_of_all_zeros_is_this_host),
	    cmocka_unit_test(bytes_of_all_kinds),
	};

	return T_RUN(tests);
}
