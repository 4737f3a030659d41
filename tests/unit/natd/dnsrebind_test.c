/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsrebind_test.c - what a name of the Internet must not lead to, and that the proxy says no to it.
 */
#include "dnsfix.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "natd/dnsrebind.h"

/* A network of ours with public addresses, beside a hole. */
static const struct prefix4 own[] = {{{0}, 0}, {{0xcb007100}, 24}};

static void
addr(uint8_t ip[16], const char *text)
{
	struct dns_addr a;
	struct ip4 ip4;

	if (ip4_parse(&ip4, text)) {
		a = dns_addr_from_ip4(ip4, 0);
		memcpy(ip, a.ip, 16);
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, ip), 1);
	}
}

static void
private_and_public_addresses(void **state UNUSED)
{
	static const char *const private[] = {
	    "0.0.0.0",
	    "0.1.2.3",
	    "10.0.0.0",
	    "10.255.255.255",
	    "100.64.0.1",
	    "100.127.255.255",
	    "127.0.0.1",
	    "127.255.0.1",
	    "169.254.9.9",
	    "172.16.0.1",
	    "172.31.255.255",
	    "192.168.0.1",
	    "203.0.113.7",
	    "::",
	    "::1",
	    "::10.0.0.1",
	    "fe80::1",
	    "febf::1",
	    "fec0::1",
	    "fc00::1",
	    "fdff::1",
	    "::ffff:10.0.0.1",
	    "64:ff9b::10.1.2.3",
	    "64:ff9b::203.0.113.9",
	};
	static const char *const public[] = {
	    "1.1.1.1",        "9.255.255.255",    "11.0.0.0",
	    "100.63.255.255", "100.128.0.0",      "126.0.0.1",
	    "128.0.0.1",      "169.253.0.1",      "172.15.0.1",
	    "172.32.0.0",     "192.167.0.1",      "192.169.0.1",
	    "203.0.114.1",    "2001:db8::1",      "fbff::1",
	    "fe00::1",        "ff02::1",          "::1:0:0",
	    "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "64:ff9b:0:1::10.0.0.1",
	};
	uint8_t ip[16];

	for (size_t i = 0; i < ARRAY_LEN(private); i++) {
		addr(ip, private[i]);
		if (!rebind_is_private(ip, own, ARRAY_LEN(own)))
			fail_msg("%s", private[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(public); i++) {
		addr(ip, public[i]);
		if (rebind_is_private(ip, own, ARRAY_LEN(own)))
			fail_msg("%s", public[i]);
	}
	addr(ip, "203.0.113.7");
	assert_false(rebind_is_private(ip, own, 0));
}

static void
local_names(void **state UNUSED)
{
	static const char list[] = "corp.example lab.test";

	for (unsigned i = 0; i < 2; i++) {
		const char *domains = i ? list : "";

		assert_true(rebind_is_local("printer", domains));
		assert_true(rebind_is_local("localhost", domains));
		assert_true(rebind_is_local("nas.local", domains));
		assert_true(rebind_is_local("a.b.home.arpa", domains));
		assert_true(rebind_is_local("web.internal", domains));
		assert_false(rebind_is_local("evil.example", domains));
		assert_false(rebind_is_local("local.example", domains));
		assert_false(rebind_is_local("evilhome.arpa", domains));
		assert_false(rebind_is_local("arpa.", domains));
		assert_int_equal(rebind_is_local("corp.example", domains), i);
		assert_int_equal(rebind_is_local("www.corp.example", domains), i);
		assert_int_equal(rebind_is_local("lab.test", domains), i);
		assert_false(rebind_is_local("evilcorp.example", domains));
		assert_false(rebind_is_local("corp.example.evil.example", domains));
	}
	assert_false(rebind_is_local("evil.example", "  "));
}

/* An answer with one record. */
static bool
finds(const char *text, uint16_t type, const void *data, size_t len)
{
	uint8_t buf[512], ip[16], want[16], *exact;
	size_t n = kit_query(buf, sizeof(buf), 1, "www.example.org", type);
	struct wr w = wr_init(buf + n, sizeof(buf) - n);
	struct dns_head h;
	bool found;

	buf[2] |= 0x80;
	buf[7] = 1;
	wr_be16(&w, 0xc000 | DNS_HEADER_LEN);
	wr_be16(&w, type);
	wr_be16(&w, 1);
	wr_be32(&w, 60);
	wr_be16(&w, (uint16_t)len);
	wr_bytes(&w, data, len);
	n += wr_len(&w);
	exact = t_exact(buf, n);
	assert_true(dns_head_parse(&h, exact, n));
	found = rebind_find(ip, exact, n, &h, own, ARRAY_LEN(own));
	free(exact);
	if (found) {
		addr(want, text);
		assert_memory_equal(ip, want, 16);
	}
	return found;
}

#define FINDS(text, type, data) finds(text, type, data, sizeof(data) - 1)

static void
records_with_such_addresses(void **state UNUSED)
{
	enum { TYPE_MX = 15 };

	assert_true(FINDS("10.0.0.1", DNS_TYPE_A, "\x0a\0\0\1"));
	assert_false(FINDS("", DNS_TYPE_A, "\x08\x08\x08\x08"));
	assert_false(FINDS("", TYPE_UNKNOWN, "\x0a\0\0\1"));
	assert_false(FINDS("", DNS_TYPE_A, "\x0a\0\0"));
	assert_false(FINDS("", TYPE_MX, "\x0a\0\0"));
	assert_true(FINDS("fe80::1", DNS_TYPE_AAAA, "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1"));
	assert_false(FINDS("", DNS_TYPE_AAAA, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"));
	/* HTTPS: priority 1, target ".", alpn h2, then the hints. */
	assert_true(FINDS("192.168.1.1", DNS_TYPE_HTTPS,
			  "\0\1\0\0\1\0\3\2h2\0\4\0\x08\x08\x08\x08\x08\xc0\xa8\1\1"));
	assert_false(FINDS("", DNS_TYPE_HTTPS, "\0\1\0\0\1\0\3\2h2\0\4\0\4\x08\x08\x08\x08"));
	assert_true(FINDS("fd00::1", DNS_TYPE_SVCB,
			  "\0\1\1a\1b\0\0\6\0\x10\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"));
	/* Cut in each place: never behind its end, and found only whole. */
	for (size_t n = 0; n < 20; n++)
		assert_false(
		    finds("", DNS_TYPE_SVCB, "\0\1\1a\1b\0\0\6\0\x10\xfd\0\0\0\0\0\0\0\0", n));
}

/* -- the proxy -- */

static void
setup_guarded(struct fixture *f, const char *domains)
{
	struct dns_net_conf c = net_conf(0);

	setup(f, 1);
	c.cache = c.rebind_protection = true;
	snprintf(c.private_domains, sizeof(c.private_domains), "%s", domains);
	assert_int_equal(dns_set_net(f->d, NET, &c, f->now), 0);
}

/* The server says that the name has this address. */
static void
answer_with(struct fixture *f, uint32_t ip)
{
	struct dns_edns e;
	struct dns_head h;
	size_t len;

	/* As servers do, without the query's OPT record. */
	assert_true(dns_head_parse(&h, f->sent, f->sent_len));
	dns_edns_parse(&e, f->sent, f->sent_len, &h);
	memcpy(f->buf, f->sent, h.end);
	f->buf[11] = 0;
	len = kit_answer(f->buf, h.end, sizeof(f->buf), DNS_NOERROR);
	for (unsigned i = 0; i < 4; i++)
		f->buf[len - 4 + i] = (uint8_t)(ip >> (24 - 8 * i));
	deliver(f, server(1), len);
}

static void
such_an_answer_is_refused(void **state UNUSED)
{
	static const uint8_t blocked[] = {0, 15, 0, 2, 0, 15};
	struct dns_refusal r;
	struct fixture f;
	uint8_t question[32];
	size_t len, end;

	setup_guarded(&f, "corp.example");
	end = kit_query(f.buf, sizeof(f.buf), 5, "EVIL.example", TYPE_A);
	memcpy(question, f.buf, end);
	len = kit_add_opt(f.buf, end, sizeof(f.buf), true, 0);
	query_len(&f, GUEST, PORT, len);
	answer_with(&f, 0xc0a80001);
	assert_reply(&f, 5, DNS_REFUSED);
	assert_int_equal(f.out.msg[7], 0);
	assert_memory_equal(f.out.msg + DNS_HEADER_LEN, question + DNS_HEADER_LEN,
			    end - DNS_HEADER_LEN);
	/* The record of 16 bytes left no room for more than an OPT record. */
	assert_int_equal(f.out.len, end + DNS_OPT_LEN);
	assert_int_equal(dns_stats(f.d)->rebinds, 1);
	assert_int_equal(dns_stats(f.d)->answers, 1);
	assert_true(dns_take_refusal(f.d, f.now, &r));
	assert_int_equal(r.net, NET);
	assert_true(ip4_eq(r.client, GUEST));
	assert_string_equal(r.name, "evil.example");
	assert_int_equal(r.ip[12], 192);
	assert_int_equal(r.others, 0);
	assert_false(dns_take_refusal(f.d, f.now, &r));

	/* It was kept, but is given to nobody here; this time there is room to say why. */
	len = kit_add_opt(f.buf, kit_query(f.buf, sizeof(f.buf), 6, "evil.example", TYPE_A),
			  sizeof(f.buf), true, 0);
	query_len(&f, GUEST, PORT, len);
	assert_reply(&f, 6, DNS_REFUSED);
	assert_int_equal(dns_stats(f.d)->cached, 1);
	assert_memory_equal(f.out.msg + f.out.len - sizeof(blocked), blocked, sizeof(blocked));

	query(&f, 7, "evil2.example");
	answer_with(&f, 0x7f000001);
	assert_reply(&f, 7, DNS_REFUSED);
	assert_false(dns_take_refusal(f.d, f.now, &r)); /* not so soon */
	f.now.ms += DNS_REFUSAL_MS;
	assert_true(dns_take_refusal(f.d, f.now, &r));
	assert_string_equal(r.name, "evil2.example");
	assert_int_equal(r.others, 1);

	query(&f, 8, "www.corp.example");
	answer_with(&f, 0xc0a80001);
	assert_reply(&f, 8, DNS_NOERROR);
	query(&f, 9, "www.example");
	answer_with(&f, 0x08080808);
	assert_reply(&f, 9, DNS_NOERROR);
	assert_int_equal(dns_stats(f.d)->rebinds, 3);
	teardown(&f);
}

static void
our_networks_are_nobody_elses(void **state UNUSED)
{
	struct fixture f;

	setup_guarded(&f, "");
	query(&f, 5, "a.example");
	answer_with(&f, 0xcb007101);
	assert_reply(&f, 5, DNS_NOERROR);
	dns_set_subnet(f.d, 1, own[1]);
	query(&f, 6, "a.example");
	assert_reply(&f, 6, DNS_REFUSED);
	dns_set_subnet(f.d, 1, (struct prefix4){{0}, 0});
	query(&f, 7, "a.example");
	assert_reply(&f, 7, DNS_NOERROR);
	teardown(&f);
}

/* Networks of the same servers share a cache, not this. */
static void
only_where_it_is_on(void **state UNUSED)
{
	struct dns_net_conf open = net_conf(0);
	struct dns_head h;
	struct fixture f;
	size_t len;

	setup_guarded(&f, "");
	open.cache = true;
	assert_int_equal(dns_set_net(f.d, NET + 1, &open, f.now), 0);
	query(&f, 5, "evil.example");
	answer_with(&f, 0x0a000001);
	assert_reply(&f, 5, DNS_REFUSED);
	len = kit_query(f.buf, sizeof(f.buf), 6, "evil.example", TYPE_A);
	f.out = query_of(&f, NET + 1, len, 1);
	assert_int_equal(f.out.what, DNS_REPLY);
	assert_true(dns_head_parse(&h, f.out.msg, f.out.len));
	assert_int_equal(h.rcode, DNS_NOERROR);
	assert_int_equal(h.answers, 1);
	teardown(&f);
}

static void
over_tcp_too(void **state UNUSED)
{
	struct dns_asker from = {NET, GUEST, PORT};
	struct dns_head h;
	uint8_t query[64];
	struct fixture f;
	uint32_t scope;
	size_t qlen, len;

	setup_guarded(&f, "");
	qlen = kit_query(query, sizeof(query), 5, "evil.example", TYPE_A);
	for (unsigned kept = 0; kept < 2; kept++) {
		memcpy(f.buf, query, qlen);
		len = dns_answer(f.d, &from, f.buf, qlen, sizeof(f.buf), f.now, 3, &scope);
		assert_int_equal(len > 0, kept);
		if (!kept) {
			len = kit_answer(f.buf, qlen, sizeof(f.buf), DNS_NOERROR);
			memcpy(f.buf + len - 4, "\x7f\0\0\1", 4);
			len = dns_learn(f.d, &from, scope, query, qlen, f.buf, len, f.now);
		}
		assert_int_equal(len, qlen);
		assert_true(dns_head_parse(&h, f.buf, len));
		assert_int_equal(h.rcode, DNS_REFUSED);
		assert_int_equal(dns_stats(f.d)->rebinds, kept + 1);
	}
	teardown(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(private_and_public_addresses),
	    cmocka_unit_test(local_names),
	    cmocka_unit_test(records_with_such_addresses),
	    cmocka_unit_test(such_an_answer_is_refused),
	    cmocka_unit_test(our_networks_are_nobody_elses),
	    cmocka_unit_test(only_where_it_is_on),
	    cmocka_unit_test(over_tcp_too),
	};

	return T_RUN(tests);
}
