/* SPDX-License-Identifier: GPL-2.0-or-later
 * dns_servers_test.c - whom the DNS proxy asks, in which order, how often, and when the next.
 */
#include "dnsfix.h"

static void
servers_take_turns_until_all_tries_are_used(void **state UNUSED)
{
	struct fixture f;
	uint16_t id;

	setup(&f, 3);
	query(&f, 9, "example.org");
	assert_sent_to(&f, 1);
	id = dns_get_id(f.sent);
	for (unsigned i = 1; i < 3 * DNS_TRIES; i++) {
		wait_for(&f, DNS_TIMEOUT_MS);
		assert_sent_to(&f, 1 + i % 3);
		assert_int_equal(dns_get_id(f.sent), id);
	}
	wait_for(&f, DNS_TIMEOUT_MS);
	assert_reply(&f, 9, DNS_SERVFAIL);
	assert_int_equal(dns_pending(f.d), 0);
	assert_int_equal(dns_stats(f.d)->timeouts, 9);
	assert_int_equal(dns_stats(f.d)->sent, 9);
	assert_int_equal(dns_stats(f.d)->servfail, 1);
	teardown(&f);
}

static void
a_network_has_servers_timeout_and_tries_of_its_own(void **state UNUSED)
{
	struct dns_net_conf c = net_conf(2);
	struct fixture f;

	setup(&f, 1);
	c.timeout_ms = 500;
	c.tries = 1;
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), 0);
	query(&f, 1, "a");
	assert_sent_to(&f, 11);
	wait_for(&f, 500);
	assert_sent_to(&f, 12);
	wait_for(&f, 500);
	assert_sent_to(&f, 1);
	wait_for(&f, 500);
	assert_reply(&f, 1, DNS_SERVFAIL);

	c.host_servers = false;
	c.nservers = 1;
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), 0);
	query(&f, 2, "a");
	assert_sent_to(&f, 11);
	wait_for(&f, 500);
	assert_reply(&f, 2, DNS_SERVFAIL);
	teardown(&f);
}

static void
a_slow_server_is_still_heard(void **state UNUSED)
{
	struct fixture f;

	setup(&f, 2);
	query(&f, 5, "example.org");
	wait_for(&f, DNS_TIMEOUT_MS);
	assert_sent_to(&f, 2);
	answer(&f, 1, DNS_NOERROR);
	assert_reply(&f, 5, DNS_NOERROR);
	assert_int_equal(dns_pending(f.d), 0);
	teardown(&f);
}

static void
refusals_send_the_query_on(void **state UNUSED)
{
	static const uint8_t refusals[] = {DNS_SERVFAIL, DNS_NOTIMP, DNS_REFUSED};
	struct fixture f;

	setup(&f, 3);
	for (uint16_t i = 0; i < ARRAY_LEN(refusals); i++) {
		query(&f, i, "example.org");
		assert_sent_to(&f, 1);
		answer(&f, 1, refusals[i]);
		assert_drop(&f, DNS_DROP_NEXT_SERVER);
		assert_true(tick(&f));
		assert_sent_to(&f, 2);
		answer(&f, 2, refusals[i]);
		assert_drop(&f, DNS_DROP_NEXT_SERVER);
		assert_true(tick(&f));
		assert_sent_to(&f, 3);
		/* An echo of the first is no reason to stop waiting. */
		answer(&f, 1, refusals[i]);
		assert_drop(&f, DNS_DROP_NEXT_SERVER);
		assert_false(tick(&f));
		answer(&f, 3, refusals[i]);
		assert_reply(&f, i, refusals[i]);
	}
	/* These are answers. */
	query(&f, 10, "example.org");
	answer(&f, 1, DNS_NXDOMAIN);
	assert_reply(&f, 10, DNS_NXDOMAIN);
	query(&f, 11, "example.org");
	answer(&f, 1, DNS_FORMERR);
	assert_reply(&f, 11, DNS_FORMERR);
	teardown(&f);
}

static void
a_server_that_stands_there_twice_is_one(void **state UNUSED)
{
	struct dns_net_conf c = net_conf(3);
	struct dns_server s;
	struct fixture f;

	/* Twice among its own, and the host's first as well. */
	setup(&f, 2);
	c.server[0] = c.server[1] = server(1);
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), 0);
	query(&f, 5, "example.org");
	assert_sent_to(&f, 1);
	answer(&f, 1, DNS_SERVFAIL);
	assert_true(tick(&f));
	assert_sent_to(&f, 13);
	answer(&f, 13, DNS_SERVFAIL);
	assert_true(tick(&f));
	assert_sent_to(&f, 2);
	answer(&f, 2, DNS_SERVFAIL);
	assert_reply(&f, 5, DNS_SERVFAIL);
	assert_int_equal(dns_stats(f.d)->timeouts, 0);
	assert_true(dns_server_at(f.d, NET, 2, f.now, &s));
	assert_false(dns_server_at(f.d, NET, 3, f.now, &s));

	/* Nobody else is left. */
	set_host_servers(&f, 1);
	c.nservers = 1;
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), 0);
	query(&f, 6, "example.org");
	answer(&f, 1, DNS_REFUSED);
	assert_reply(&f, 6, DNS_REFUSED);
	query(&f, 7, "example.org");
	for (unsigned i = 1; i < DNS_TRIES; i++) {
		wait_for(&f, DNS_TIMEOUT_MS);
		assert_sent_to(&f, 1);
	}
	wait_for(&f, DNS_TIMEOUT_MS);
	assert_reply(&f, 7, DNS_SERVFAIL);
	teardown(&f);
}

static void
a_server_that_refused_is_not_asked_again(void **state UNUSED)
{
	struct fixture f;

	setup(&f, 2);
	query(&f, 5, "example.org");
	answer(&f, 1, DNS_REFUSED);
	assert_true(tick(&f));
	assert_sent_to(&f, 2);
	for (unsigned i = 1; i < DNS_TRIES; i++) {
		wait_for(&f, DNS_TIMEOUT_MS);
		assert_sent_to(&f, 2);
	}
	wait_for(&f, DNS_TIMEOUT_MS);
	assert_reply(&f, 5, DNS_SERVFAIL);
	teardown(&f);
}

static void
a_refusal_passes_when_the_others_did_not_answer(void **state UNUSED)
{
	struct fixture f;

	setup(&f, 2);
	query(&f, 5, "example.org");
	wait_for(&f, DNS_TIMEOUT_MS);
	assert_sent_to(&f, 2);
	answer(&f, 2, DNS_SERVFAIL);
	assert_reply(&f, 5, DNS_SERVFAIL);
	assert_int_equal(dns_stats(f.d)->answers, 1);
	teardown(&f);
}

static void
an_unreachable_server_costs_no_time(void **state UNUSED)
{
	struct dns_addr s1 = server(1), s2 = server(2);
	struct fixture f;

	setup(&f, 2);
	query(&f, 5, "example.org");
	assert_sent_to(&f, 1);

	/* Errors about something else. */
	dns_unreachable(f.d, f.sock ^ 1, &s1, f.sent, f.sent_len, f.now);
	dns_unreachable(f.d, f.sock, &s2, f.sent, f.sent_len, f.now);
	dns_unreachable(f.d, f.sock, &s1, f.sent, 1, f.now);
	f.sent[f.sent_len - 1] ^= 1;
	dns_unreachable(f.d, f.sock, &s1, f.sent, f.sent_len, f.now);
	f.sent[f.sent_len - 1] ^= 1;
	assert_false(tick(&f));
	assert_int_equal(dns_stats(f.d)->unreachable, 0);

	/* As little as ICMP has to quote (RFC 792). */
	dns_unreachable(f.d, f.sock, &s1, f.sent, 8, f.now);
	assert_true(tick(&f));
	assert_sent_to(&f, 2);
	dns_unreachable(f.d, f.sock, &s2, f.sent, f.sent_len, f.now);
	assert_true(tick(&f));
	assert_reply(&f, 5, DNS_SERVFAIL);
	assert_int_equal(dns_stats(f.d)->unreachable, 2);
	assert_int_equal(dns_pending(f.d), 0);

	/* When all are bad, the order is the given one. */
	query(&f, 6, "example.org");
	assert_sent_to(&f, 1);
	answer(&f, 1, DNS_NOERROR);

	/* One that was already given up is no reason to hurry. */
	dns_set_host_servers(f.d, NULL, 0, f.now);
	set_host_servers(&f, 2);
	query(&f, 7, "example.org");
	assert_sent_to(&f, 1);
	wait_for(&f, DNS_TIMEOUT_MS);
	assert_sent_to(&f, 2);
	dns_unreachable(f.d, f.sock, &s1, f.sent, f.sent_len, f.now);
	wait_for(&f, DNS_TIMEOUT_MS);
	assert_sent_to(&f, 2);
	answer(&f, 2, DNS_NOERROR);
	assert_reply(&f, 7, DNS_NOERROR);
	dns_unreachable(f.d, f.sock, &s2, f.sent, f.sent_len, f.now); /* too late */
	teardown(&f);
}

static void
a_dead_server_is_asked_last_and_tried_again(void **state UNUSED)
{
	struct fixture f;
	struct mono bad_since;

	setup(&f, 2);
	for (uint16_t i = 0; i < DNS_BAD_AFTER; i++) {
		query(&f, i, "example.org");
		assert_sent_to(&f, 1);
		wait_for(&f, DNS_TIMEOUT_MS);
		assert_sent_to(&f, 2);
		answer(&f, 2, DNS_NOERROR);
		assert_reply(&f, i, DNS_NOERROR);
	}
	bad_since = f.now;
	query(&f, 10, "example.org");
	assert_sent_to(&f, 2);
	answer(&f, 2, DNS_SERVFAIL); /* a dead server is not worth asking about this */
	assert_reply(&f, 10, DNS_SERVFAIL);

	/* One query tries it after a while; the others do not wait for that. */
	f.now = mono_add(bad_since, DNS_BAD_MS - 1);
	query(&f, 11, "example.org");
	assert_sent_to(&f, 2);
	answer(&f, 2, DNS_NOERROR);
	f.now.ms++;
	query(&f, 12, "example.org");
	assert_sent_to(&f, 1);
	query(&f, 13, "example.org");
	assert_sent_to(&f, 2);
	answer(&f, 2, DNS_NOERROR);
	assert_reply(&f, 13, DNS_NOERROR);
	wait_for(&f, DNS_TIMEOUT_MS);
	assert_sent_to(&f, 2);
	answer(&f, 2, DNS_NOERROR);
	assert_reply(&f, 12, DNS_NOERROR);

	/* It answers: all is well. */
	f.now.ms += DNS_BAD_MS;
	query(&f, 14, "example.org");
	assert_sent_to(&f, 1);
	answer(&f, 1, DNS_NOERROR);
	query(&f, 15, "example.org");
	assert_sent_to(&f, 1);
	teardown(&f);
}

static void
pending_queries_follow_a_change_of_servers(void **state UNUSED)
{
	struct dns_addr s[2] = {server(4), server(5)};
	struct dns_net_conf c = net_conf(1);
	struct fixture f;
	size_t len;

	setup(&f, 2);
	query(&f, 5, "example.org");
	wait_for(&f, DNS_TIMEOUT_MS);
	assert_sent_to(&f, 2);

	set_host_servers(&f, 2); /* no change */
	assert_false(tick(&f));
	dns_set_host_servers(f.d, s, 2, f.now);
	answer(&f, 2, DNS_NOERROR);
	assert_drop(&f, DNS_DROP_SERVER);
	answer(&f, 5, DNS_NOERROR); /* where the second was */
	assert_drop(&f, DNS_DROP_SERVER);
	/* Tries are counted anew. */
	for (unsigned i = 0; i < 2 * DNS_TRIES - 1; i++) {
		assert_true(tick(&f));
		assert_sent_to(&f, 4 + i % 2);
		assert_false(tick(&f));
		f.now.ms += DNS_TIMEOUT_MS;
	}
	assert_true(tick(&f));
	assert_sent_to(&f, 5);

	/* The network gets one of its own. */
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), 0);
	assert_true(tick(&f));
	assert_sent_to(&f, 11);
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), 0);
	assert_false(tick(&f));
	answer(&f, 11, DNS_NOERROR);
	assert_reply(&f, 5, DNS_NOERROR);

	/* The last server goes. */
	c = net_conf(0);
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), 0);
	query(&f, 6, "example.org");
	assert_sent_to(&f, 5); /* 4 has failed three times */
	dns_set_host_servers(f.d, NULL, 0, f.now);
	assert_true(tick(&f));
	assert_reply(&f, 6, DNS_SERVFAIL);

	/* A network that does not use the host's is not concerned. */
	c = net_conf(1);
	c.host_servers = false;
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), 0);
	len = kit_query(f.buf, sizeof(f.buf), 7, "a", TYPE_A);
	query_len(&f, GUEST, PORT, len);
	assert_sent_to(&f, 11);
	dns_set_host_servers(f.d, s, 2, f.now);
	assert_false(tick(&f));
	teardown(&f);
}

static void
no_query_lives_for_ever(void **state UNUSED)
{
	struct dns_net_conf c = net_conf(0);
	struct fixture f;

	setup(&f, 1);
	c.timeout_ms = 25000;
	c.tries = DNS_TRIES_MAX;
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), 0);
	query(&f, 1, "a");
	wait_for(&f, 25000);
	assert_sent_to(&f, 1);
	wait_for(&f, 25000);
	assert_sent_to(&f, 1);
	wait_for(&f, 25000);
	assert_reply(&f, 1, DNS_SERVFAIL);
	teardown(&f);
}

static void
assert_wait(struct fixture *f, unsigned k, unsigned n, uint32_t wait)
{
	struct dns_addr addr, want = server(n);
	uint32_t ms;

	assert_true(dns_server(f->d, NET, k, f->now, &addr, &ms));
	assert_true(dns_addr_eq(&addr, &want));
	assert_int_equal(ms, wait);
}

static void
over_tcp_the_last_server_has_the_time_of_all_tries(void **state UNUSED)
{
	struct dns_net_conf c = net_conf(1);
	struct dns_addr addr, gone = server(11);
	struct fixture f;
	uint32_t ms;

	setup(&f, 1);
	assert_wait(&f, 0, 1, DNS_TRIES * DNS_TIMEOUT_MS);
	assert_false(dns_server(f.d, NET, 1, f.now, &addr, &ms));
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), 0);
	assert_wait(&f, 0, 11, DNS_TIMEOUT_MS);
	assert_wait(&f, 1, 1, DNS_TRIES * DNS_TIMEOUT_MS);
	assert_false(dns_server(f.d, NET, 2, f.now, &addr, &ms));
	/* One that is known to be bad is the last. */
	query(&f, 5, "example.org");
	dns_unreachable(f.d, f.sock, &gone, f.sent, f.sent_len, f.now);
	assert_wait(&f, 0, 1, DNS_TIMEOUT_MS);
	assert_wait(&f, 1, 11, DNS_TRIES * DNS_TIMEOUT_MS);
	/* There is an end to it. */
	c.timeout_ms = DNS_LIFE_MS;
	c.tries = DNS_TRIES_MAX;
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), 0);
	assert_wait(&f, 1, 11, DNS_LIFE_MS);
	teardown(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(servers_take_turns_until_all_tries_are_used),
	    cmocka_unit_test(a_network_has_servers_timeout_and_tries_of_its_own),
	    cmocka_unit_test(a_slow_server_is_still_heard),
	    cmocka_unit_test(refusals_send_the_query_on),
	    cmocka_unit_test(a_server_that_stands_there_twice_is_one),
	    cmocka_unit_test(a_server_that_refused_is_not_asked_again),
	    cmocka_unit_test(a_refusal_passes_when_the_others_did_not_answer),
	    cmocka_unit_test(an_unreachable_server_costs_no_time),
	    cmocka_unit_test(a_dead_server_is_asked_last_and_tried_again),
	    cmocka_unit_test(pending_queries_follow_a_change_of_servers),
	    cmocka_unit_test(no_query_lives_for_ever),
	    cmocka_unit_test(over_tcp_the_last_server_has_the_time_of_all_tries),
	};

	return T_RUN(tests);
}
