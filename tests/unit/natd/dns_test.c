/* SPDX-License-Identifier: GPL-2.0-or-later
 * dns_test.c - the DNS proxy's decisions about guests' queries and servers' answers, one at a time.
 */
#include "dnsfix.h"

static void
messages_pass_untouched_but_for_the_id(void **state UNUSED)
{
	struct fixture f;
	uint8_t orig[2048];
	size_t len;

	setup(&f, 1);
	len = kit_query(f.buf, sizeof(f.buf), 0x1234, "wWw.Example.org", TYPE_UNKNOWN);
	len = kit_add_opt(f.buf, len, sizeof(f.buf), true, 300);
	memcpy(orig, f.buf, len);
	query_len(&f, GUEST, PORT, len);
	assert_sent_to(&f, 1);
	assert_int_equal(f.out.len, len);
	assert_int_not_equal(dns_get_id(f.sent), 0x1234);
	assert_memory_equal(f.sent + 2, orig + 2, len - 2);
	assert_int_equal(dns_pending(f.d), 1);
	assert_int_equal(dns_sock_pending(f.d, f.sock), 1);
	assert_int_equal(dns_next_deadline(f.d).ms, f.now.ms + DNS_TIMEOUT_MS);

	len = make_answer(&f, DNS_NOERROR);
	f.buf[2] |= 2; /* truncated: the guest will know what to do */
	memcpy(orig, f.buf, len);
	deliver(&f, server(1), len);
	assert_reply(&f, 0x1234, DNS_NOERROR);
	assert_int_equal(f.out.len, len);
	assert_memory_equal(f.out.msg + 2, orig + 2, len - 2);
	assert_int_equal(dns_pending(f.d), 0);
	assert_int_equal(dns_next_deadline(f.d).ms, MONO_NEVER.ms);
	assert_int_equal(dns_stats(f.d)->answers, 1);

	/* There is one answer. */
	answer(&f, 1, DNS_NOERROR);
	assert_drop(&f, DNS_DROP_NO_ID);
	teardown(&f);
}

static void
without_a_server_the_answer_is_servfail_at_once(void **state UNUSED)
{
	struct fixture f;

	setup(&f, 0);
	query(&f, 3, "a");
	assert_reply(&f, 3, DNS_SERVFAIL);
	assert_int_equal(dns_stats(f.d)->no_server, 1);
	assert_int_equal(dns_pending(f.d), 0);
	teardown(&f);
}

static void
queries_that_cannot_be_forwarded(void **state UNUSED)
{
	struct fixture f;
	size_t len;

	setup(&f, 1);
	len = kit_query(f.buf, sizeof(f.buf), 4, "a", TYPE_A);
	f.buf[5] = 2;
	query_len(&f, GUEST, PORT, len);
	assert_reply(&f, 4, DNS_FORMERR);

	len = kit_query(f.buf, sizeof(f.buf), 5, "a", TYPE_A);
	query_len(&f, GUEST, PORT, len - 1);
	assert_reply(&f, 5, DNS_FORMERR);

	/* The longest that fits, and one more. */
	len = kit_query(f.buf, sizeof(f.buf), 6, "a", TYPE_A);
	len = kit_add_opt(f.buf, len, sizeof(f.buf), false, DNS_QUERY_LEN_MAX - len - 15);
	assert_int_equal(len, DNS_QUERY_LEN_MAX);
	f.buf[len] = 0;
	query_len(&f, GUEST, PORT, len + 1);
	assert_reply(&f, 6, DNS_FORMERR);
	len = kit_query(f.buf, sizeof(f.buf), 6, "a", TYPE_A);
	len = kit_add_opt(f.buf, len, sizeof(f.buf), false, DNS_QUERY_LEN_MAX - len - 15);
	query_len(&f, GUEST, PORT, len);
	assert_sent_to(&f, 1);
	assert_int_equal(dns_stats(f.d)->formerr, 3);

	query_len(&f, GUEST, PORT, DNS_HEADER_LEN - 1);
	assert_drop(&f, DNS_DROP_SHORT);
	query_len(&f, GUEST, PORT, 0);
	assert_drop(&f, DNS_DROP_SHORT);
	len = kit_query(f.buf, sizeof(f.buf), 4, "a", TYPE_A);
	query_len(&f, GUEST, 0, len);
	assert_drop(&f, DNS_DROP_NO_PORT);
	f.buf[2] |= 0x80;
	query_len(&f, GUEST, PORT, len);
	assert_drop(&f, DNS_DROP_NOT_QUERY);
	f.out = query_of(&f, NET + 1, len, 1);
	assert_drop(&f, DNS_DROP_NO_NET);
	f.out = query_of(&f, DNS_NETS, len, 1);
	assert_drop(&f, DNS_DROP_NO_NET);
	assert_int_equal(dns_pending(f.d), 1);
	teardown(&f);
}

static void
other_opcodes_and_queries_without_question_pass(void **state UNUSED)
{
	struct fixture f;
	size_t len;

	setup(&f, 1);
	len = kit_query(f.buf, sizeof(f.buf), 4, "example.org", 6);
	f.buf[2] = 5 << 3; /* UPDATE */
	query_len(&f, GUEST, PORT, len);
	assert_sent_to(&f, 1);
	answer(&f, 1, DNS_NOERROR);
	assert_reply(&f, 4, DNS_NOERROR);

	/* RFC 7873 5.4: fetching a cookie. */
	kit_query(f.buf, sizeof(f.buf), 5, "", TYPE_A);
	f.buf[5] = 0;
	len = kit_add_opt(f.buf, DNS_HEADER_LEN, sizeof(f.buf), false, 8);
	query_len(&f, GUEST, PORT, len);
	assert_sent_to(&f, 1);
	len = make_answer(&f, DNS_NOERROR);
	deliver(&f, server(1), len);
	assert_reply(&f, 5, DNS_NOERROR);
	teardown(&f);
}

static void
a_repetition_opens_no_second_slot(void **state UNUSED)
{
	struct dns_net_conf c = net_conf(0);
	struct fixture f;
	size_t len;

	setup(&f, 2);
	query(&f, 5, "example.org");
	f.now.ms += 1500;
	query(&f, 5, "example.org");
	assert_drop(&f, DNS_DROP_REPEATED);
	assert_int_equal(dns_pending(f.d), 1);
	wait_for(&f, 500);
	assert_sent_to(&f, 2);

	/* Another question, id, port, guest or network is another query. */
	query(&f, 5, "example.net");
	assert_int_equal(f.out.what, DNS_SEND);
	query(&f, 6, "example.org");
	assert_int_equal(f.out.what, DNS_SEND);
	len = kit_query(f.buf, sizeof(f.buf), 5, "example.org", TYPE_A);
	query_len(&f, GUEST, PORT + 1, len);
	assert_int_equal(f.out.what, DNS_SEND);
	len = kit_query(f.buf, sizeof(f.buf), 5, "example.org", TYPE_A);
	query_len(&f, (struct ip4){GUEST.h + 1}, PORT, len);
	assert_int_equal(f.out.what, DNS_SEND);
	assert_int_equal(dns_set_net(f.d, NET + 1, &c, f.now), 0);
	len = kit_query(f.buf, sizeof(f.buf), 5, "example.org", TYPE_A);
	f.out = query_of(&f, NET + 1, len, 99);
	assert_int_equal(f.out.what, DNS_SEND);
	assert_int_equal(dns_pending(f.d), 6);

	/* Answered, it may be asked again. */
	f.sock = f.out.sock;
	memcpy(f.sent, f.out.msg, f.out.len);
	f.sent_len = f.out.len;
	answer(&f, 1, DNS_NOERROR);
	assert_int_equal(f.out.what, DNS_REPLY);
	assert_int_equal(f.out.net, NET + 1);
	len = kit_query(f.buf, sizeof(f.buf), 5, "example.org", TYPE_A);
	f.out = query_of(&f, NET + 1, len, 100);
	assert_int_equal(f.out.what, DNS_SEND);
	teardown(&f);
}

static void
one_guest_cannot_fill_the_table(void **state UNUSED)
{
	struct fixture f;
	size_t len;

	setup(&f, 1);
	for (unsigned i = 0; i < DNS_PER_CLIENT_MAX; i++) {
		query(&f, (uint16_t)i, "example.org");
		assert_sent_to(&f, 1);
	}
	query(&f, 9999, "example.org");
	assert_reply(&f, 9999, DNS_REFUSED);
	assert_int_equal(dns_stats(f.d)->refused, 1);
	query(&f, 3, "example.org");
	assert_drop(&f, DNS_DROP_REPEATED);
	len = kit_query(f.buf, sizeof(f.buf), 9999, "example.org", TYPE_A);
	query_len(&f, (struct ip4){GUEST.h + 1}, PORT, len);
	assert_sent_to(&f, 1);
	assert_int_equal(dns_pending(f.d), DNS_PER_CLIENT_MAX + 1);
	teardown(&f);
}

static void
a_full_table_drops_the_oldest(void **state UNUSED)
{
	struct fixture f;
	uint8_t first[512];
	size_t len, first_len;
	unsigned first_sock;

	setup(&f, 1);
	query(&f, 1, "first");
	memcpy(first, f.sent, f.sent_len);
	first_len = f.sent_len;
	first_sock = f.sock;
	for (unsigned i = 1; i < DNS_QUERIES_MAX; i++) {
		len = kit_query(f.buf, sizeof(f.buf), 1, "next", TYPE_A);
		query_len(&f, (struct ip4){GUEST.h + i}, PORT, len);
		assert_sent_to(&f, 1);
	}
	assert_int_equal(dns_pending(f.d), DNS_QUERIES_MAX);
	assert_int_equal(dns_stats(f.d)->full, 0);
	query(&f, 2, "last");
	assert_sent_to(&f, 1);
	assert_int_equal(dns_pending(f.d), DNS_QUERIES_MAX);
	assert_int_equal(dns_stats(f.d)->full, 1);
	answer(&f, 1, DNS_NOERROR);
	assert_reply(&f, 2, DNS_NOERROR);

	memcpy(f.sent, first, first_len);
	f.sent_len = first_len;
	f.sock = first_sock;
	answer(&f, 1, DNS_NOERROR);
	assert_int_equal(f.out.what, DNS_DROP);

	/* Everybody else gets the answer that there is none. */
	for (len = 0; dns_pending(f.d);) {
		f.now = dns_next_deadline(f.d);
		while (tick(&f))
			len += f.out.what == DNS_REPLY;
	}
	assert_int_equal(len, DNS_QUERIES_MAX - 1);
	teardown(&f);
}

static void
answers_that_are_not_ours_are_left_alone(void **state UNUSED)
{
	struct dns_addr from;
	struct fixture f;
	size_t len;

	setup(&f, 2);
	query(&f, 5, "example.org");
	assert_sent_to(&f, 1);

	len = make_answer(&f, DNS_NOERROR);
	deliver(&f, server(1), DNS_HEADER_LEN - 1);
	assert_drop(&f, DNS_DROP_SHORT);
	memcpy(f.buf, f.sent, f.sent_len);
	deliver(&f, server(1), f.sent_len);
	assert_drop(&f, DNS_DROP_NOT_ANSWER);
	len = make_answer(&f, DNS_NOERROR);
	f.buf[1] ^= 1;
	deliver(&f, server(1), len);
	assert_drop(&f, DNS_DROP_NO_ID);
	f.sock ^= 1;
	answer(&f, 1, DNS_NOERROR);
	assert_drop(&f, DNS_DROP_SOCKET);
	f.sock ^= 1;
	answer(&f, 2, DNS_NOERROR); /* it was not asked yet */
	assert_drop(&f, DNS_DROP_SERVER);
	from = server(1);
	from.port = 5353;
	deliver(&f, from, make_answer(&f, DNS_NOERROR));
	assert_drop(&f, DNS_DROP_SERVER);
	assert_int_equal(dns_stats(f.d)->dropped[DNS_DROP_SERVER], 2);
	len = make_answer(&f, DNS_NOERROR);
	f.buf[DNS_HEADER_LEN + 2] ^= 1;
	deliver(&f, server(1), len);
	assert_drop(&f, DNS_DROP_QUESTION);
	len = make_answer(&f, DNS_NOERROR);
	f.buf[f.sent_len - 3] ^= 1; /* the type */
	deliver(&f, server(1), len);
	assert_drop(&f, DNS_DROP_QUESTION);
	len = make_answer(&f, DNS_NOERROR);
	deliver(&f, server(1), f.sent_len - 1);
	assert_drop(&f, DNS_DROP_QUESTION);
	assert_int_equal(dns_stats(f.d)->dropped[DNS_DROP_QUESTION], 3);

	/* In spite of them all. */
	len = make_answer(&f, DNS_NOERROR);
	f.buf[DNS_HEADER_LEN + 1] ^= 0x20; /* a server that forgets about case */
	deliver(&f, server(1), len);
	assert_reply(&f, 5, DNS_NOERROR);
	teardown(&f);
}

static void
a_bare_header_may_only_complain(void **state UNUSED)
{
	struct fixture f;

	setup(&f, 1);
	for (uint8_t rcode = 0; rcode < 16; rcode++) {
		bool ok = rcode != DNS_NOERROR && rcode != DNS_NXDOMAIN;

		query(&f, rcode, "example.org");
		make_answer(&f, rcode);
		f.buf[5] = f.buf[7] = 0;
		deliver(&f, server(1), DNS_HEADER_LEN);
		if (ok)
			assert_reply(&f, rcode, rcode);
		else
			assert_drop(&f, DNS_DROP_QUESTION);
	}
	assert_int_equal(dns_pending(f.d), 2);
	teardown(&f);
}

static void
a_network_that_goes_takes_its_queries_along(void **state UNUSED)
{
	struct dns_net_conf c = net_conf(0);
	struct fixture f;
	size_t len;

	setup(&f, 1);
	assert_int_equal(dns_set_net(f.d, NET + 1, &c, f.now), 0);
	for (uint16_t i = 0; i < 50; i++) {
		query(&f, i, "example.org");
		len = kit_query(f.buf, sizeof(f.buf), i, "example.org", TYPE_A);
		f.out = query_of(&f, NET + 1, len, i);
	}
	assert_int_equal(dns_pending(f.d), 100);
	dns_drop_net(f.d, NET);
	dns_drop_net(f.d, NET);
	dns_drop_net(f.d, 5);
	dns_drop_net(f.d, DNS_NETS);
	assert_int_equal(dns_pending(f.d), 50);
	assert_int_equal(dns_stats(f.d)->gone, 50);
	answer(&f, 1, DNS_NOERROR);
	assert_drop(&f, DNS_DROP_NO_ID);
	f.now.ms += DNS_TIMEOUT_MS;
	while (tick(&f)) {
		assert_int_equal(f.out.what, DNS_SEND);
		assert_int_equal(f.out.net, NET + 1);
	}
	teardown(&f);
}

static void
numbers_out_of_range_are_refused(void **state UNUSED)
{
	struct dns_net_conf good = net_conf(1), c;
	struct fixture f;

	setup(&f, 1);
	assert_int_equal(dns_set_net(f.d, DNS_NETS, &good, f.now), -EINVAL);
	c = good;
	c.nservers = DNS_SERVERS_MAX + 1;
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), -EINVAL);
	c = good;
	c.tries = 0;
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), -EINVAL);
	c.tries = DNS_TRIES_MAX + 1;
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), -EINVAL);
	c = good;
	c.timeout_ms = 0;
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), -EINVAL);
	c.timeout_ms = DNS_LIFE_MS + 1;
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), -EINVAL);
	/* As it was. */
	query(&f, 1, "a");
	assert_sent_to(&f, 1);
	assert_string_equal(dns_drop_text(DNS_DROP_N), "?");
	teardown(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(messages_pass_untouched_but_for_the_id),
	    cmocka_unit_test(without_a_server_the_answer_is_servfail_at_once),
	    cmocka_unit_test(queries_that_cannot_be_forwarded),
	    cmocka_unit_test(other_opcodes_and_queries_without_question_pass),
	    cmocka_unit_test(a_repetition_opens_no_second_slot),
	    cmocka_unit_test(one_guest_cannot_fill_the_table),
	    cmocka_unit_test(a_full_table_drops_the_oldest),
	    cmocka_unit_test(answers_that_are_not_ours_are_left_alone),
	    cmocka_unit_test(a_bare_header_may_only_complain),
	    cmocka_unit_test(a_network_that_goes_takes_its_queries_along),
	    cmocka_unit_test(numbers_out_of_range_are_refused),
	};

	return T_RUN(tests);
}
