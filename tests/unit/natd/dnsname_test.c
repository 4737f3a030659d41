/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsname_test.c - names of guests, of the host and of /etc/hosts, and who may see them.
 */
#include "dnskit.h"

#include <stdio.h>

#include "natd/dnsname.h"

enum { NET = 8, TYPE_PTR = 12, TYPE_MX = 15 };

#define IP(a, b, c, d) ((struct ip4){(uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d)})

struct named {
	struct dnsname *t;
	uint8_t msg[4096];
	size_t len;
	struct dns_head h; /* of the answer */
};

static void
setup(struct named *n)
{
	static const struct hash_key key = {{5}};

	memset(n, 0, sizeof(*n));
	n->t = dnsname_new(&key);
	assert_non_null(n->t);
	dnsname_set_net(n->t, NET, (struct prefix4){IP(192, 168, 8, 0), 24}, IP(192, 168, 8, 1));
	dnsname_set_net(n->t, NET + 1, (struct prefix4){IP(192, 168, 9, 0), 24}, (struct ip4){0});
	dnsname_set_guest(n->t, NET, IP(192, 168, 8, 128), "Web1");
}

static bool
ask_within(struct named *n, unsigned net, const char *name, uint16_t type, size_t limit)
{
	struct dns_edns e;
	struct dns_head h;

	n->len = kit_query(n->msg, sizeof(n->msg), 0x4711, name, type);
	assert_true(dns_head_parse(&h, n->msg, n->len));
	assert_true(dns_edns_parse(&e, n->msg, n->len, &h));
	n->len = dnsname_answer(n->t, net, n->msg, limit, &h, &e);
	if (!n->len)
		return false;
	assert_true(n->len <= limit);
	assert_true(dns_head_parse(&n->h, n->msg, n->len));
	assert_true(n->h.response && n->h.id == 0x4711 && n->h.end == h.end);
	return true;
}

static bool
ask(struct named *n, unsigned net, const char *name, uint16_t type)
{
	return ask_within(n, net, name, type, sizeof(n->msg));
}

/* The i-th record's data. */
static const uint8_t *
data(const struct named *n, unsigned i, size_t len)
{
	struct dns_walk w;
	struct dns_rr rr;

	dns_walk_init(&w, n->msg, n->len, &n->h);
	do
		assert_true(dns_walk_next(&w, &rr));
	while (i--);
	assert_int_equal(rr.len, len);
	return n->msg + rr.data;
}

static void
assert_addr(struct named *n, unsigned net, const char *name, struct ip4 ip)
{
	uint32_t be = ip4_be(ip);

	assert_true(ask(n, net, name, TYPE_A));
	assert_int_equal(n->h.rcode, DNS_NOERROR);
	assert_int_equal(n->h.answers, 1);
	assert_memory_equal(data(n, 0, 4), &be, 4);
}

/* Known, but without anything of this type. */
static void
assert_no_data(struct named *n, unsigned net, const char *name, uint16_t type)
{
	assert_true(ask(n, net, name, type));
	assert_int_equal(n->h.rcode, DNS_NOERROR);
	assert_int_equal(n->h.answers, 0);
}

static void
assert_no_name(struct named *n, unsigned net, const char *name, uint16_t type)
{
	assert_true(ask(n, net, name, type));
	assert_int_equal(n->h.rcode, DNS_NXDOMAIN);
}

static void
assert_ptr(struct named *n, unsigned net, const char *name, const char *want)
{
	uint8_t b[256];
	struct wr w = wr_init(b, sizeof(b));

	kit_name(&w, want);
	assert_true(ask(n, net, name, TYPE_PTR));
	assert_int_equal(n->h.answers, 1);
	assert_memory_equal(data(n, 0, wr_len(&w)), b, wr_len(&w));
}

static void
guests_find_each_other_by_name(void **state UNUSED)
{
	struct ip4 ip = IP(192, 168, 8, 128);
	struct named n;

	setup(&n);
	assert_addr(&n, NET, "web1", ip);
	assert_addr(&n, NET, "WEB1.LocalDomain", ip);
	assert_addr(&n, NET, "web1.vmnet8", ip);
	assert_ptr(&n, NET, "128.8.168.192.in-addr.arpa", "web1.localdomain");
	/* There is no IPv6 and nothing else, and nobody is asked about it. */
	assert_no_data(&n, NET, "web1", TYPE_AAAA);
	assert_no_data(&n, NET, "web1.vmnet8", TYPE_MX);
	assert_no_data(&n, NET, "128.8.168.192.in-addr.arpa", TYPE_A);
	/* Not known here; it may be elsewhere. */
	assert_false(ask(&n, NET, "web2", TYPE_A));
	assert_false(ask(&n, NET, "web2.localdomain", TYPE_A));
	assert_false(ask(&n, NET, "web1.example.org", TYPE_A));
	assert_false(ask(&n, NET, "a.web1", TYPE_A));
	assert_false(ask(&n, NET, "1.9.168.192.in-addr.arpa", TYPE_PTR));
	assert_false(ask(&n, NET, "8.168.192.in-addr.arpa", TYPE_PTR));
	assert_false(ask(&n, NET, "999.8.168.192.in-addr.arpa", TYPE_PTR));
	assert_false(ask(&n, NET, "", TYPE_A));
	/* These are ours alone. */
	assert_no_name(&n, NET, "web2.vmnet8", TYPE_A);
	assert_no_name(&n, NET, "web1.vmnet", TYPE_A);
	assert_no_name(&n, NET, "9.8.168.192.in-addr.arpa", TYPE_PTR);
	assert_false(ask(&n, NET, "web1.vmnetwork", TYPE_A));
	dnsname_free(n.t);
}

static void
networks_do_not_see_each_other(void **state UNUSED)
{
	struct named n;

	setup(&n);
	assert_false(ask(&n, NET + 1, "web1", TYPE_A));
	assert_no_name(&n, NET + 1, "web1.vmnet8", TYPE_A);
	assert_no_name(&n, NET + 1, "web1.vmnet9", TYPE_A);
	assert_false(ask(&n, NET + 1, "128.8.168.192.in-addr.arpa", TYPE_PTR));
	dnsname_set_guest(n.t, NET + 1, IP(192, 168, 9, 130), "web1");
	assert_addr(&n, NET + 1, "web1", IP(192, 168, 9, 130));
	assert_addr(&n, NET, "web1", IP(192, 168, 8, 128));
	/* A network without a proxy has no names. */
	dnsname_set_guest(n.t, NET + 2, IP(192, 168, 9, 130), "x");
	assert_false(ask(&n, NET + 2, "x", TYPE_A));
	dnsname_set_net(n.t, NET, (struct prefix4){{0}, 0}, (struct ip4){0});
	assert_false(ask(&n, NET, "web1", TYPE_A));
	dnsname_free(n.t);
}

static void
the_host_has_a_name(void **state UNUSED)
{
	struct named n;

	setup(&n);
	assert_addr(&n, NET, "host.vmnet", IP(192, 168, 8, 1));
	assert_no_data(&n, NET, "host.vmnet", TYPE_AAAA);
	assert_ptr(&n, NET, "1.8.168.192.in-addr.arpa", "host.vmnet");
	/* It has no address there. */
	assert_no_name(&n, NET + 1, "host.vmnet", TYPE_A);
	dnsname_free(n.t);
}

static void
leases_come_and_go(void **state UNUSED)
{
	struct named n;

	setup(&n);
	/* The address is another guest's now. */
	dnsname_set_guest(n.t, NET, IP(192, 168, 8, 128), "db");
	assert_false(ask(&n, NET, "web1", TYPE_A));
	assert_addr(&n, NET, "db", IP(192, 168, 8, 128));
	/* A copied machine has the name, too: the later one is meant. */
	dnsname_set_guest(n.t, NET, IP(192, 168, 8, 140), "db");
	assert_addr(&n, NET, "db", IP(192, 168, 8, 140));
	dnsname_set_guest(n.t, NET, IP(192, 168, 8, 140), "");
	assert_addr(&n, NET, "db", IP(192, 168, 8, 128));
	/* Told anew. */
	dnsname_set_guest(n.t, NET, IP(192, 168, 8, 141), "x");
	dnsname_begin(n.t);
	assert_addr(&n, NET, "x", IP(192, 168, 8, 141));
	dnsname_set_guest(n.t, NET, IP(192, 168, 8, 128), "db");
	dnsname_set_guest(n.t, NET, IP(192, 168, 8, 142), "y");
	dnsname_end(n.t);
	assert_addr(&n, NET, "db", IP(192, 168, 8, 128));
	assert_addr(&n, NET, "y", IP(192, 168, 8, 142));
	assert_false(ask(&n, NET, "x", TYPE_A));
	dnsname_free(n.t);
}

static void
guests_cannot_take_any_name(void **state UNUSED)
{
	static const char *const bad[] = {"wpad", "ISATAP", "localhost", "-a", "a-",
					  "a_b",  "a b",    "",          ".",  "\xc3\xbc",
					  "*",    "a\nb.c", "wpad.x"};
	struct ip4 ip = IP(192, 168, 8, 150);
	char longest[80];
	struct named n;

	setup(&n);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		dnsname_set_guest(n.t, NET, ip, "good");
		dnsname_set_guest(n.t, NET, ip, bad[i]);
		assert_false(ask(&n, NET, "good", TYPE_A));
		if (bad[i][0] != '.')
			assert_false(ask(&n, NET, bad[i], TYPE_A));
	}
	/* Only the first part of a name counts: nobody gets a name in a real domain. */
	dnsname_set_guest(n.t, NET, ip, "www.example.org");
	assert_false(ask(&n, NET, "www.example.org", TYPE_A));
	assert_addr(&n, NET, "www", ip);
	dnsname_set_guest(n.t, NET, ip, "host.vmnet");
	assert_addr(&n, NET, "host.vmnet", IP(192, 168, 8, 1));
	memset(longest, 'a', sizeof(longest));
	longest[DNSNAME_LABEL_MAX] = '\0';
	dnsname_set_guest(n.t, NET, ip, longest);
	assert_addr(&n, NET, longest, ip);
	longest[DNSNAME_LABEL_MAX] = 'a';
	longest[DNSNAME_LABEL_MAX + 1] = '\0';
	dnsname_set_guest(n.t, NET, ip, longest);
	assert_no_name(&n, NET, "150.8.168.192.in-addr.arpa", TYPE_PTR);
	dnsname_free(n.t);
}

static void
the_hosts_file_comes_first(void **state UNUSED)
{
	static const char text[] =
	    "127.0.0.1 localhost\n::1 localhost ip6-localhost\n127.0.1.1 laptop # me\n"
	    "192.0.2.7\tNas.Home  nas\r\n192.0.2.8 nas\n2001:db8::7 nas\n"
	    "# 192.0.2.9 no\nfe80::1 link\n0.0.0.0 ads.example\n192.0.2.10 web1 bad..name .x\n"
	    "garbage here\n192.0.2.11";
	static const uint8_t ip6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 7};
	struct named n;

	setup(&n);
	dnsname_set_hosts(n.t, text, sizeof(text) - 1);
	assert_addr(&n, NET, "nas.home", IP(192, 0, 2, 7));
	assert_true(ask(&n, NET + 1, "NAS", TYPE_A));
	assert_int_equal(n.h.answers, 2);
	assert_memory_equal(data(&n, 0, 4), "\300\0\2\7", 4);
	assert_memory_equal(data(&n, 1, 4), "\300\0\2\10", 4);
	assert_true(ask(&n, NET, "nas", TYPE_AAAA));
	assert_memory_equal(data(&n, 0, 16), ip6, 16);
	assert_no_data(&n, NET, "nas.home", TYPE_AAAA);
	/* The file knows addresses; a server may know more. */
	assert_false(ask(&n, NET, "nas.home", TYPE_MX));
	assert_ptr(&n, NET, "7.2.0.192.in-addr.arpa", "nas.home");
	/* A guest of that name is not heard. */
	assert_addr(&n, NET, "web1", IP(192, 0, 2, 10));
	assert_false(ask(&n, NET, "localhost", TYPE_A));
	assert_false(ask(&n, NET, "laptop", TYPE_A));
	assert_false(ask(&n, NET, "link", TYPE_AAAA));
	assert_false(ask(&n, NET, "ads.example", TYPE_A));
	assert_false(ask(&n, NET, "no", TYPE_A));
	assert_false(ask(&n, NET, "here", TYPE_A));
	/* Too long for UDP: over TCP then. */
	assert_true(ask_within(&n, NET, "nas", TYPE_A, 40));
	assert_true(n.msg[2] & 2);
	dnsname_begin(n.t);
	dnsname_end(n.t);
	assert_addr(&n, NET, "nas.home", IP(192, 0, 2, 7));
	dnsname_set_hosts(n.t, "", 0);
	assert_false(ask(&n, NET, "nas", TYPE_A));
	dnsname_free(n.t);
}

static void
there_is_an_end_to_names(void **state UNUSED)
{
	struct named n;
	char name[16];

	setup(&n);
	for (uint32_t i = 0; i < DNSNAME_MAX + 10; i++) {
		snprintf(name, sizeof(name), "n%u", (unsigned)i);
		dnsname_set_guest(n.t, NET, (struct ip4){0xc0a90000 + i}, name);
	}
	assert_addr(&n, NET, "n16382", (struct ip4){0xc0a90000 + 16382});
	assert_false(ask(&n, NET, "n16383", TYPE_A));
	dnsname_begin(n.t);
	dnsname_end(n.t);
	dnsname_set_guest(n.t, NET, IP(192, 168, 8, 2), "again");
	assert_addr(&n, NET, "again", IP(192, 168, 8, 2));
	dnsname_free(n.t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(guests_find_each_other_by_name),
	    cmocka_unit_test(networks_do_not_see_each_other),
	    cmocka_unit_test(the_host_has_a_name),
	    cmocka_unit_test(leases_come_and_go),
	    cmocka_unit_test(guests_cannot_take_any_name),
	    cmocka_unit_test(the_hosts_file_comes_first),
	    cmocka_unit_test(there_is_an_end_to_names),
	};

	return T_RUN(tests);
}
