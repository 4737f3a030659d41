/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsrows_test.c - what the DNS proxy counts for whom, what it knows of its servers, and both as rows.
 */
#include "dnsfix.h"

#include "natd/dnsrows.h"

enum { OTHER = 9 };

/* The counter of that name; fails where there is none, or two. */
static struct msg_dns_stat
stat_of(const struct dns_stats *s, const char *name)
{
	struct msg_dns_stat row = {.net = 77}, found = {.net = 0};
	unsigned n = 0;

	for (unsigned i = 0; dnsrows_stat(&row, s, i); i++) {
		assert_true(row.kind < DNS_STAT_N);
		assert_true(*row.text != '\0');
		assert_int_equal(row.net, 77);
		if (strcmp(row.name, name) == 0) {
			found = row;
			n++;
		}
	}
	if (n != 1)
		fail_msg("\"%s\": %u times", name, n);
	return found;
}

static void
each_counter_is_a_row(void **state UNUSED)
{
	struct dns_stats s = {.n = {0}};
	struct msg_dns_stat row;
	unsigned rows = 0;

	for (unsigned i = 0; i < DNS_COUNT_N; i++)
		s.n[i] = 1000 + i;
	for (unsigned i = 0; i < DNS_DROP_N; i++)
		s.dropped[i] = 2000 + i;
	while (dnsrows_stat(&row, &s, rows))
		rows++;
	assert_int_equal(rows, DNS_COUNT_N + DNS_DROP_N - 1);
	row = stat_of(&s, "queries");
	assert_int_equal(row.kind, DNS_STAT_GUESTS);
	assert_int_equal(row.n, 1000 + DNS_COUNT_QUERIES);
	row = stat_of(&s, "timeouts");
	assert_int_equal(row.kind, DNS_STAT_SERVERS);
	assert_int_equal(row.n, 1000 + DNS_COUNT_TIMEOUTS);
	row = stat_of(&s, "no-id");
	assert_int_equal(row.kind, DNS_STAT_DROPPED);
	assert_int_equal(row.n, 2000 + DNS_DROP_NO_ID);
	assert_string_equal(row.text, dns_drop_text(DNS_DROP_NO_ID));
	assert_int_equal(stat_of(&s, "refresh").n, 2000 + DNS_DROP_REFRESH);
}

static void
it_is_counted_for_the_network_that_asked(void **state UNUSED)
{
	struct fixture f;
	struct dns_net_conf c = net_conf(0);
	const struct dns_stats *of;
	size_t len;

	setup(&f, 1);
	assert_int_equal(dns_set_net(f.d, OTHER, &c, f.now), 0);
	query(&f, 1, "a");
	answer(&f, 1, DNS_NOERROR);
	len = kit_query(f.buf, sizeof(f.buf), 2, "b", TYPE_A);
	assert_int_equal(query_of(&f, OTHER, len, 4711).what, DNS_SEND);

	of = dns_stats_of(f.d, NET);
	assert_int_equal(of->queries, 1);
	assert_int_equal(of->forwarded, 1);
	assert_int_equal(of->sent, 1);
	assert_int_equal(of->answers, 1);
	of = dns_stats_of(f.d, OTHER);
	assert_int_equal(of->queries, 1);
	assert_int_equal(of->forwarded, 1);
	assert_int_equal(of->answers, 0);
	assert_int_equal(dns_stats(f.d)->queries, 2);

	/* A late answer is nobody's. */
	answer(&f, 1, DNS_NOERROR);
	assert_drop(&f, DNS_DROP_NO_ID);
	assert_int_equal(dns_stats_of(f.d, DNS_NET_NONE)->dropped[DNS_DROP_NO_ID], 1);
	assert_int_equal(dns_stats_of(f.d, NET)->dropped[DNS_DROP_NO_ID], 0);

	/* What came from elsewhere than from the server is this network's. */
	query(&f, 3, "c");
	answer(&f, 2, DNS_NOERROR);
	assert_drop(&f, DNS_DROP_SERVER);
	assert_int_equal(dns_stats_of(f.d, NET)->dropped[DNS_DROP_SERVER], 1);
	assert_int_equal(dns_stats_of(f.d, DNS_NET_NONE)->dropped[DNS_DROP_SERVER], 0);

	/* With the network its numbers go; those of all stay. */
	dns_drop_net(f.d, NET);
	assert_null(dns_stats_of(f.d, NET));
	assert_null(dns_stats_of(f.d, 10));
	assert_int_equal(dns_stats(f.d)->gone, 1);
	assert_int_equal(dns_stats(f.d)->queries, 3);
	dns_free(f.d);
}

static void
each_query_counts_once(void **state UNUSED)
{
	struct fixture f;
	const struct dns_stats *of;
	struct dns_net_conf c = net_conf(0);
	uint8_t tcp[512];
	static const char hosts[] = "192.0.2.1 ours.example\n";
	uint32_t scope;
	size_t len;

	setup(&f, 1);
	c.cache = true;
	dnsname_set_hosts(dns_names(f.d), hosts, sizeof(hosts) - 1);
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), 0);
	query(&f, 1, "kept.example");
	query(&f, 1, "kept.example"); /* repeated */
	answer(&f, 1, DNS_NOERROR);
	query(&f, 2, "kept.example"); /* kept */
	query(&f, 3, "ours.example"); /* a name of our own */
	kit_query(f.buf, sizeof(f.buf), 4, "a", TYPE_A);
	f.buf[5] = 2;
	query_len(&f, GUEST, PORT, DNS_HEADER_LEN + 7); /* it says that there are two questions */
	set_host_servers(&f, 0);
	query(&f, 5, "b"); /* nobody to ask */

	of = dns_stats_of(f.d, NET);
	assert_int_equal(of->queries, 6);
	assert_int_equal(of->forwarded, 1);
	assert_int_equal(of->cached, 1);
	assert_int_equal(of->named, 1);
	assert_int_equal(of->formerr, 1);
	assert_int_equal(of->no_server, 1);
	assert_int_equal(of->dropped[DNS_DROP_REPEATED], 1);

	/* Over TCP the caller asks. */
	len = kit_query(tcp, sizeof(tcp), 6, "c", TYPE_A);
	assert_int_equal(dns_answer(f.d, &(struct dns_asker){NET, GUEST, PORT}, tcp, len,
				    sizeof(tcp), f.now, 3, &scope),
			 0);
	assert_int_equal(of->no_server, 2);
	assert_int_equal(of->forwarded, 1);
	teardown(&f);
}

static struct msg_dns_server
server_row(const struct fixture *f, unsigned i)
{
	struct msg_dns_server row = {.net = NET};
	struct dns_server s;

	assert_true(dns_server_at(f->d, NET, i, f->now, &s));
	dnsrows_server(&row, &s);
	assert_int_equal(row.net, NET);
	assert_int_equal(row.addr.len, 16);
	return row;
}

static void
servers_are_told_as_they_do(void **state UNUSED)
{
	struct fixture f;
	struct dns_net_conf c = net_conf(1);
	struct dns_server s;
	struct msg_dns_server row;

	setup(&f, 2);
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), 0);
	assert_false(dns_server_at(f.d, NET, 3, f.now, &s));
	assert_false(dns_server_at(f.d, OTHER, 0, f.now, &s));
	assert_false(dns_server_at(f.d, DNS_NETS, 0, f.now, &s));
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(server_row(&f, i).state, DNS_SERVER_UNTRIED);
	row = server_row(&f, 0);
	assert_false(row.host);
	assert_memory_equal(row.addr.b, server(11).ip, 16);
	row = server_row(&f, 2);
	assert_true(row.host);
	assert_memory_equal(row.addr.b, server(2).ip, 16);

	query(&f, 1, "a");
	answer(&f, 11, DNS_NOERROR);
	assert_int_equal(server_row(&f, 0).state, DNS_SERVER_OK);

	/* It leaves one query alone, then two more. */
	query(&f, 2, "b");
	f.now.ms += DNS_TIMEOUT_MS;
	assert_true(tick(&f));
	row = server_row(&f, 0);
	assert_int_equal(row.state, DNS_SERVER_FAILING);
	assert_int_equal(row.fails, 1);
	assert_int_equal(row.retry_ms, 0);
	answer(&f, 1, DNS_NOERROR);
	for (uint16_t i = 3; i < 5; i++) {
		query(&f, i, "c");
		f.now.ms += DNS_TIMEOUT_MS;
		assert_true(tick(&f));
		answer(&f, 1, DNS_NOERROR);
	}
	row = server_row(&f, 0);
	assert_int_equal(row.state, DNS_SERVER_SILENT);
	assert_int_equal(row.fails, 3);
	assert_int_equal(row.retry_ms, DNS_BAD_MS);
	assert_int_equal(server_row(&f, 1).state, DNS_SERVER_OK);
	f.now.ms += DNS_BAD_MS;
	row = server_row(&f, 0);
	assert_int_equal(row.state, DNS_SERVER_FAILING);
	assert_int_equal(row.retry_ms, 0);
	teardown(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_counter_is_a_row),
	    cmocka_unit_test(it_is_counted_for_the_network_that_asked),
	    cmocka_unit_test(each_query_counts_once),
	    cmocka_unit_test(servers_are_told_as_they_do),
	};

	return T_RUN(tests);
}
