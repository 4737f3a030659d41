/* SPDX-License-Identifier: GPL-2.0-or-later
 * dns_cache_test.c - the proxy with its cache: whose answers are kept, and when they are void.
 */
#include "dnsfix.h"

static void
setup_cached(struct fixture *f, unsigned own_servers)
{
	struct dns_net_conf c = net_conf(own_servers);

	setup(f, 2);
	c.cache = true;
	assert_int_equal(dns_set_net(f->d, NET, &c, f->now), 0);
}

static void
a_kept_answer_is_given_at_once(void **state UNUSED)
{
	struct fixture f;

	setup_cached(&f, 0);
	query(&f, 5, "www.example.org");
	assert_sent_to(&f, 1);
	answer(&f, 1, DNS_NOERROR);
	assert_reply(&f, 5, DNS_NOERROR);
	f.now.ms += 59999;
	query(&f, 6, "WWW.example.org");
	assert_reply(&f, 6, DNS_NOERROR);
	assert_int_equal(f.out.msg[7], 1);
	assert_int_equal(dns_stats(f.d)->cached, 1);
	f.now.ms++;
	query(&f, 7, "www.example.org");
	assert_sent_to(&f, 1);
	teardown(&f);
}

static void
networks_share_answers_of_the_same_servers_only(void **state UNUSED)
{
	struct dns_net_conf same = net_conf(0), own = net_conf(1);
	struct fixture f;
	size_t len;

	setup_cached(&f, 0);
	same.cache = own.cache = true;
	assert_int_equal(dns_set_net(f.d, NET + 1, &same, f.now), 0);
	assert_int_equal(dns_set_net(f.d, NET + 2, &own, f.now), 0);
	query(&f, 5, "example.org");
	answer(&f, 1, DNS_NOERROR);
	len = kit_query(f.buf, sizeof(f.buf), 5, "example.org", TYPE_A);
	f.out = query_of(&f, NET + 1, len, 1);
	assert_int_equal(f.out.what, DNS_REPLY);
	assert_int_equal(f.out.net, NET + 1);
	len = kit_query(f.buf, sizeof(f.buf), 5, "example.org", TYPE_A);
	f.out = query_of(&f, NET + 2, len, 2);
	assert_int_equal(f.out.what, DNS_SEND);
	teardown(&f);
}

static void
answers_go_with_the_servers_that_gave_them(void **state UNUSED)
{
	struct dns_net_conf own = net_conf(1);
	struct fixture f;

	setup_cached(&f, 0);
	query(&f, 5, "example.org");
	answer(&f, 1, DNS_NOERROR);
	set_host_servers(&f, 2); /* the same */
	query(&f, 5, "example.org");
	assert_reply(&f, 5, DNS_NOERROR);
	set_host_servers(&f, 1);
	query(&f, 6, "example.org");
	assert_sent_to(&f, 1);
	answer(&f, 1, DNS_NOERROR);
	own.cache = true;
	assert_int_equal(dns_set_net(f.d, NET, &own, f.now), 0);
	query(&f, 7, "example.org");
	assert_sent_to(&f, 11);
	answer(&f, 11, DNS_NOERROR);
	query(&f, 8, "example.org");
	assert_reply(&f, 8, DNS_NOERROR);
	dns_flush(f.d);
	query(&f, 9, "example.org");
	assert_sent_to(&f, 11);
	/* Asked before, answered after: it is passed on, but not kept. */
	dns_flush(f.d);
	answer(&f, 11, DNS_NOERROR);
	assert_reply(&f, 9, DNS_NOERROR);
	query(&f, 10, "example.org");
	assert_sent_to(&f, 11);
	teardown(&f);
}

static void
lies_and_refusals_are_not_kept(void **state UNUSED)
{
	struct fixture f;

	setup_cached(&f, 0);
	query(&f, 5, "example.org");
	deliver(&f, server(3), make_answer(&f, DNS_NOERROR));
	assert_drop(&f, DNS_DROP_SERVER);
	answer(&f, 1, DNS_SERVFAIL);
	assert_drop(&f, DNS_DROP_NEXT_SERVER);
	assert_true(tick(&f));
	answer(&f, 2, DNS_SERVFAIL);
	assert_reply(&f, 5, DNS_SERVFAIL);
	query(&f, 6, "example.org");
	assert_int_equal(f.out.what, DNS_SEND);
	teardown(&f);
}

/* A name that is asked for all the time never has to be waited for. */
static void
hot_names_are_asked_for_in_advance(void **state UNUSED)
{
	struct fixture f;

	setup_cached(&f, 0);
	query(&f, 1, "hot.example.org");
	answer(&f, 1, DNS_NOERROR);
	for (uint16_t s = 1; s < 600; s++) {
		f.now.ms += 1000;
		query(&f, s, "hot.example.org");
		assert_reply(&f, s, DNS_NOERROR);
		if (!tick(&f))
			continue;
		assert_sent_to(&f, 1);
		answer(&f, 1, DNS_NOERROR);
		assert_drop(&f, DNS_DROP_REFRESH);
		assert_false(tick(&f));
	}
	assert_true(dns_stats(f.d)->refreshed >= 10 && dns_stats(f.d)->refreshed <= 12);
	assert_int_equal(dns_pending(f.d), 0);

	/* Nobody answers: nobody is told, and the answer ends with its time. */
	for (unsigned s = 0; s < 59; s++) {
		f.now.ms += 1000;
		query(&f, 1, "hot.example.org");
		if (f.out.what == DNS_REPLY && tick(&f))
			break;
	}
	assert_int_equal(dns_pending(f.d), 1);
	while (dns_pending(f.d)) {
		f.now = dns_next_deadline(f.d);
		assert_true(tick(&f));
		assert_int_not_equal(f.out.what, DNS_REPLY);
	}
	assert_drop(&f, DNS_DROP_REFRESH);
	assert_int_equal(dns_stats(f.d)->servfail, 0);
	teardown(&f);
}

/* The answer comes from what was kept. */
static void
ask_tcp(struct fixture *f, const char *name, size_t padding)
{
	struct dns_asker from = {NET, GUEST, PORT};
	size_t len = kit_query(f->buf, sizeof(f->buf), 5, name, TYPE_A);
	struct wr w = wr_init(f->buf + len, sizeof(f->buf) - len);
	uint32_t scope;

	if (padding) {
		f->buf[11] = 1;
		wr_u8(&w, 0);
		wr_be16(&w, DNS_TYPE_OPT);
		wr_be16(&w, 1232);
		wr_be32(&w, 0);
		wr_be16(&w, (uint16_t)(padding + 4));
		wr_be16(&w, 12); /* RFC 7830 */
		wr_be16(&w, (uint16_t)padding);
		wr_space(&w, padding);
		len += wr_len(&w);
	}
	assert_true(dns_answer(f->d, &from, f->buf, len, sizeof(f->buf), f->now, ++f->rnd, &scope));
}

static void
over_tcp_hot_names_are_asked_for_in_advance_too(void **state UNUSED)
{
	struct fixture f;

	setup_cached(&f, 0);
	query(&f, 1, "hot.example.org");
	answer(&f, 1, DNS_NOERROR);
	for (unsigned i = 0; i < 3; i++)
		ask_tcp(&f, "hot.example.org", 0);
	f.now.ms += 59000;
	/* Of a query that is too long for UDP there is no asking again, and the next one does it. */
	ask_tcp(&f, "hot.example.org", DNS_QUERY_LEN_MAX);
	assert_false(tick(&f));
	ask_tcp(&f, "hot.example.org", 0);
	assert_int_equal(dns_next_deadline(f.d).ms, f.now.ms);
	assert_true(tick(&f));
	assert_sent_to(&f, 1);
	assert_int_equal(dns_stats(f.d)->refreshed, 1);
	answer(&f, 1, DNS_NOERROR);
	assert_drop(&f, DNS_DROP_REFRESH);
	f.now.ms += 59000;
	ask_tcp(&f, "hot.example.org", 0);
	teardown(&f);
}

static void
many_pending_queries_only_put_off_a_refresh(void **state UNUSED)
{
	struct fixture f;

	setup_cached(&f, 0);
	query(&f, 1, "hot.example.org");
	answer(&f, 1, DNS_NOERROR);
	for (uint16_t i = 0; i < 3; i++)
		query(&f, i, "hot.example.org");
	f.now.ms += 59000;
	for (uint32_t i = 0; i < DNS_QUERIES_MAX / 2; i++)
		query_len(&f, (struct ip4){GUEST.h + 1 + i / DNS_PER_CLIENT_MAX}, PORT,
			  kit_query(f.buf, sizeof(f.buf), (uint16_t)i, "b", TYPE_A));
	assert_int_equal(dns_pending(f.d), DNS_QUERIES_MAX / 2);
	query(&f, 1, "hot.example.org");
	assert_reply(&f, 1, DNS_NOERROR);
	assert_int_equal(dns_pending(f.d), DNS_QUERIES_MAX / 2);
	answer(&f, 1, DNS_NOERROR);
	query(&f, 1, "hot.example.org");
	assert_reply(&f, 1, DNS_NOERROR);
	assert_int_equal(dns_stats(f.d)->refreshed, 1);
	teardown(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_kept_answer_is_given_at_once),
	    cmocka_unit_test(networks_share_answers_of_the_same_servers_only),
	    cmocka_unit_test(answers_go_with_the_servers_that_gave_them),
	    cmocka_unit_test(lies_and_refusals_are_not_kept),
	    cmocka_unit_test(hot_names_are_asked_for_in_advance),
	    cmocka_unit_test(over_tcp_hot_names_are_asked_for_in_advance_too),
	    cmocka_unit_test(many_pending_queries_only_put_off_a_refresh),
	};

	return T_RUN(tests);
}
