/* SPDX-License-Identifier: GPL-2.0-or-later
 * dns_policy_test.c - nat.conf's [dns] policy: order (dns_servers_test.c), rotate, burst.
 */
#include "dnsfix.h"

static void
setup_policy(struct fixture *f, enum dns_policy policy, unsigned own, unsigned host)
{
	struct dns_net_conf c = net_conf(own);

	setup(f, host);
	c.policy = policy;
	assert_int_equal(dns_set_net(f->d, NET, &c, f->now), 0);
}

static void
rotate_begins_with_another_server_each_time(void **state UNUSED)
{
	static const unsigned order[] = {11, 12, 1, 2, 11, 12};
	struct fixture f;

	setup_policy(&f, DNS_ROTATE, 2, 2);
	for (uint16_t i = 0; i < ARRAY_LEN(order); i++) {
		query(&f, i, "example.org");
		assert_sent_to(&f, order[i]);
		answer(&f, order[i], DNS_NOERROR);
		assert_reply(&f, i, DNS_NOERROR);
	}
	/* It goes on from where it began, and round. */
	query(&f, 9, "example.org");
	assert_sent_to(&f, 1);
	wait_for(&f, DNS_TIMEOUT_MS);
	assert_sent_to(&f, 2);
	wait_for(&f, DNS_TIMEOUT_MS);
	assert_sent_to(&f, 11);
	answer(&f, 11, DNS_NOERROR);
	assert_reply(&f, 9, DNS_NOERROR);
	teardown(&f);
}

static void
rotate_counts_a_server_that_stands_there_twice_once(void **state UNUSED)
{
	static const unsigned order[] = {1, 12, 2, 1};
	struct dns_net_conf c = net_conf(2);
	struct fixture f;

	setup(&f, 2);
	c.policy = DNS_ROTATE;
	c.server[0] = server(1);
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), 0);
	for (uint16_t i = 0; i < ARRAY_LEN(order); i++) {
		query(&f, i, "example.org");
		assert_sent_to(&f, order[i]);
		answer(&f, order[i], DNS_NOERROR);
		assert_reply(&f, i, DNS_NOERROR);
	}
	teardown(&f);
}

static void
burst_asks_three_at_once(void **state UNUSED)
{
	struct fixture f;

	setup_policy(&f, DNS_BURST, 2, 2);
	query(&f, 5, "example.org");
	assert_sent_to(&f, 11);
	assert_true(tick(&f));
	assert_sent_to(&f, 12);
	assert_true(tick(&f));
	assert_sent_to(&f, 1);
	assert_false(tick(&f));
	/* The first that answers. */
	answer(&f, 12, DNS_NOERROR);
	assert_reply(&f, 5, DNS_NOERROR);
	answer(&f, 11, DNS_NOERROR);
	assert_drop(&f, DNS_DROP_NO_ID);
	assert_int_equal(dns_stats(f.d)->timeouts, 0);

	/* Nobody does: the one that is left, then all again. */
	query(&f, 6, "example.org");
	assert_true(tick(&f) && tick(&f));
	wait_for(&f, DNS_TIMEOUT_MS);
	assert_sent_to(&f, 2);
	assert_int_equal(dns_stats(f.d)->timeouts, 3);
	wait_for(&f, DNS_TIMEOUT_MS);
	assert_sent_to(&f, 11);
	assert_int_equal(dns_stats(f.d)->timeouts, 4);
	assert_true(tick(&f) && tick(&f));
	assert_false(tick(&f));
	answer(&f, 2, DNS_NOERROR);
	assert_reply(&f, 6, DNS_NOERROR);
	teardown(&f);
}

static void
in_a_burst_one_refusal_says_nothing(void **state UNUSED)
{
	struct fixture f;

	setup_policy(&f, DNS_BURST, 0, 3);
	query(&f, 5, "example.org");
	assert_true(tick(&f) && tick(&f));
	answer(&f, 3, DNS_SERVFAIL); /* the last that was asked */
	assert_drop(&f, DNS_DROP_NEXT_SERVER);
	answer(&f, 1, DNS_REFUSED);
	assert_drop(&f, DNS_DROP_NEXT_SERVER);
	answer(&f, 2, DNS_NOERROR);
	assert_reply(&f, 5, DNS_NOERROR);

	/* All refuse. */
	query(&f, 6, "example.org");
	assert_true(tick(&f) && tick(&f));
	answer(&f, 1, DNS_SERVFAIL);
	answer(&f, 2, DNS_SERVFAIL);
	assert_drop(&f, DNS_DROP_NEXT_SERVER);
	answer(&f, 3, DNS_SERVFAIL);
	assert_reply(&f, 6, DNS_SERVFAIL);
	teardown(&f);
}

static void
a_burst_goes_on_without_a_server_that_is_not_there(void **state UNUSED)
{
	struct dns_addr s = server(3);
	struct fixture f;

	setup_policy(&f, DNS_BURST, 0, 3);
	query(&f, 5, "example.org");
	assert_true(tick(&f) && tick(&f));
	dns_unreachable(f.d, f.sock, &s, f.sent, f.sent_len, f.now);
	assert_false(tick(&f));
	answer(&f, 1, DNS_NOERROR);
	assert_reply(&f, 5, DNS_NOERROR);
	/* One server is a burst, too. */
	set_host_servers(&f, 1);
	query(&f, 6, "example.org");
	assert_sent_to(&f, 1);
	wait_for(&f, DNS_TIMEOUT_MS);
	assert_sent_to(&f, 1);
	teardown(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rotate_begins_with_another_server_each_time),
	    cmocka_unit_test(rotate_counts_a_server_that_stands_there_twice_once),
	    cmocka_unit_test(burst_asks_three_at_once),
	    cmocka_unit_test(in_a_burst_one_refusal_says_nothing),
	    cmocka_unit_test(a_burst_goes_on_without_a_server_that_is_not_there),
	};

	return T_RUN(tests);
}
