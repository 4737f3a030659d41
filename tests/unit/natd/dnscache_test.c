/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnscache_test.c - what is kept, for whom, how long, and what comes out.
 */
#include "dnskit.h"

#include <stdio.h>

#include "natd/dnscache.h"

enum { TYPE_CNAME = 5, TYPE_TXT = 16, TYPE_TSIG = 250, SCOPE = 7, ROOM = 4096 };

struct cached {
	struct dnscache *c;
	struct mono now;
	uint8_t query[ROOM], msg[ROOM];
	size_t query_len, len;
	struct wr w; /* the answer being made */
	struct dns_head h;
	struct dns_edns e;
	struct dnscache_key k;
	bool refresh;
};

static void
setup(struct cached *t)
{
	static const struct hash_key key = {{1, 2, 3}};

	memset(t, 0, sizeof(*t));
	t->now.ms = 50000;
	t->c = dnscache_new(&key);
	assert_non_null(t->c);
}

static bool
set_query(struct cached *t)
{
	assert_true(dns_head_parse(&t->h, t->query, t->query_len));
	return dns_edns_parse(&t->e, t->query, t->query_len, &t->h) &&
	       dnscache_key_init(&t->k, SCOPE, t->query, &t->h, &t->e);
}

static void
query(struct cached *t, uint16_t id, const char *name, uint16_t type)
{
	t->query_len = kit_query(t->query, sizeof(t->query), id, name, type);
	assert_true(set_query(t));
}

static void
query_edns(struct cached *t, uint16_t id, const char *name, bool dnssec_ok)
{
	t->query_len = kit_query(t->query, sizeof(t->query), id, name, TYPE_A);
	t->query_len = kit_add_opt(t->query, t->query_len, sizeof(t->query), dnssec_ok, 0);
	assert_true(set_query(t));
}

/* Begins an answer to the query. */
static void
begin(struct cached *t, uint8_t rcode)
{
	t->w = wr_init(t->msg, sizeof(t->msg));
	wr_bytes(&t->w, t->query, t->h.end);
	memset(t->msg + 6, 0, 6);
	t->msg[2] |= 0x84; /* QR, AA */
	t->msg[3] |= (uint8_t)(0x80 | rcode);
}

static void
count(struct cached *t, enum dns_section section)
{
	t->msg[7 + 2 * section]++;
}

static void
record(struct cached *t, enum dns_section section, uint16_t type, uint32_t ttl, const void *data,
       size_t len)
{
	count(t, section);
	wr_be16(&t->w, 0xc000 | DNS_HEADER_LEN);
	wr_be16(&t->w, type);
	wr_be16(&t->w, 1);
	wr_be32(&t->w, ttl);
	wr_be16(&t->w, (uint16_t)len);
	wr_bytes(&t->w, data, len);
}

static void
soa(struct cached *t, uint32_t ttl, uint32_t minimum)
{
	uint8_t data[22] = {[18] = (uint8_t)(minimum >> 24),
			    [19] = (uint8_t)(minimum >> 16),
			    [20] = (uint8_t)(minimum >> 8),
			    [21] = (uint8_t)minimum};

	record(t, DNS_AUTHORITY, DNS_TYPE_SOA, ttl, data, sizeof(data));
}

static bool
put(struct cached *t)
{
	assert_false(t->w.bad);
	return dnscache_put(t->c, &t->k, t->msg, wr_len(&t->w), t->now);
}

static bool
put_address(struct cached *t, uint32_t ttl)
{
	begin(t, DNS_NOERROR);
	record(t, DNS_ANSWER, TYPE_A, ttl, "\1\2\3\4", 4);
	return put(t);
}

/* Asks; the answer is in t->msg. */
static size_t
get_within(struct cached *t, size_t limit)
{
	memcpy(t->msg, t->query, t->query_len);
	t->len = dnscache_get(t->c, &t->k, t->msg, limit, &t->h, &t->e, t->now, &t->refresh);
	return t->len;
}

static size_t
get(struct cached *t)
{
	return get_within(t, sizeof(t->msg));
}

static struct dns_rr
first_record(const struct cached *t)
{
	struct dns_head h;
	struct dns_walk w;
	struct dns_rr rr;

	assert_true(dns_head_parse(&h, t->msg, t->len));
	dns_walk_init(&w, t->msg, t->len, &h);
	assert_true(dns_walk_next(&w, &rr));
	return rr;
}

static void
an_answer_comes_back_with_the_askers_id_and_spelling(void **state UNUSED)
{
	struct cached t;
	struct dns_head h;

	setup(&t);
	query(&t, 1, "www.Example.org", TYPE_A);
	assert_int_equal(get(&t), 0);
	assert_memory_equal(t.msg, t.query, t.query_len);
	assert_true(put_address(&t, 300));
	t.now.ms += 100999;
	query(&t, 2, "wWW.eXample.ORG", TYPE_A);
	assert_int_equal(get(&t), t.query_len + 16);
	assert_true(dns_head_parse(&h, t.msg, t.len));
	assert_int_equal(h.id, 2);
	assert_true(h.response);
	assert_false(t.msg[2] & 4); /* AA: it is not ours to say */
	assert_memory_equal(t.msg + DNS_HEADER_LEN, t.query + DNS_HEADER_LEN,
			    t.query_len - DNS_HEADER_LEN);
	assert_int_equal(first_record(&t).ttl, 200);
	assert_memory_equal(t.msg + first_record(&t).data, "\1\2\3\4", 4);
	t.now.ms = 50000 + 299999;
	assert_true(get(&t) && first_record(&t).ttl == 1);
	t.now.ms++;
	assert_int_equal(get(&t), 0);
	assert_int_equal(dnscache_count(t.c), 0);
	dnscache_free(t.c);
}

static void
other_questions_flags_and_scopes_are_other_keys(void **state UNUSED)
{
	struct cached t;

	setup(&t);
	query(&t, 1, "a.test", TYPE_A);
	assert_true(put_address(&t, 60));
	query(&t, 1, "b.test", TYPE_A);
	assert_int_equal(get(&t), 0);
	query(&t, 1, "a.test", TYPE_AAAA);
	assert_int_equal(get(&t), 0);
	query(&t, 1, "a.test.x", TYPE_A);
	assert_int_equal(get(&t), 0);
	query_edns(&t, 1, "a.test", true);
	assert_int_equal(get(&t), 0);
	query(&t, 1, "a.test", TYPE_A);
	t.k.scope++;
	assert_int_equal(get(&t), 0);
	for (unsigned bit = 0; bit < 3; bit++) {
		static const struct {
			uint8_t at, flag;
		} f[] = {{2, 0x01}, {3, 0x10}, {3, 0x20}}; /* RD, CD, AD */

		query(&t, 1, "a.test", TYPE_A);
		t.query[f[bit].at] ^= f[bit].flag;
		assert_true(set_query(&t));
		assert_int_equal(get(&t), 0);
	}
	query(&t, 1, "a.test", TYPE_A);
	assert_true(get(&t) > 0);
	dnscache_free(t.c);
}

static void
what_is_no_plain_query_has_no_key(void **state UNUSED)
{
	static const uint16_t types[] = {0, DNS_TYPE_OPT, 128, 249, TYPE_TSIG, 251, 252, 255};
	struct cached t;

	setup(&t);
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		t.query_len = kit_query(t.query, sizeof(t.query), 1, "a.test", types[i]);
		assert_false(set_query(&t));
	}
	query(&t, 1, "a.test", TYPE_A);
	t.query[t.query_len - 1] = 3; /* CHAOS */
	assert_false(set_query(&t));
	query(&t, 1, "a.test", TYPE_A);
	t.query[2] = 0x28; /* UPDATE */
	assert_false(set_query(&t));
	/* A client subnet: the answer is for this asker. */
	query(&t, 1, "a.test", TYPE_A);
	t.query_len = kit_add_opt(t.query, t.query_len, sizeof(t.query), false, 7);
	assert_true(set_query(&t));
	t.query[t.query_len - 10] = 8;
	assert_false(set_query(&t));
	/* EDNS of another version; something behind the message. */
	query_edns(&t, 1, "a.test", false);
	t.query[t.query_len - 5] = 1;
	assert_false(set_query(&t));
	query(&t, 1, "a.test", TYPE_A);
	t.query_len++;
	assert_false(set_query(&t));
	dnscache_free(t.c);
}

static void
negative_answers_last_as_their_zone_says(void **state UNUSED)
{
	struct cached t;

	setup(&t);
	query(&t, 1, "no.test", TYPE_A);
	begin(&t, DNS_NXDOMAIN);
	soa(&t, 3600, 120);
	assert_true(put(&t));
	t.now.ms += 20000;
	assert_true(get(&t) > 0);
	assert_int_equal(t.msg[3] & 15, DNS_NXDOMAIN);
	assert_int_equal(first_record(&t).ttl, 100);
	t.now.ms += 100000;
	assert_int_equal(get(&t), 0);

	/* No such type; the record's own TTL is the lesser one. */
	begin(&t, DNS_NOERROR);
	soa(&t, 30, 120);
	assert_true(put(&t));
	t.now.ms += 30000;
	assert_int_equal(get(&t), 0);

	/* Hours at most. */
	begin(&t, DNS_NXDOMAIN);
	soa(&t, 86400, 86400);
	assert_true(put(&t));
	t.now.ms += (DNSCACHE_NEGATIVE_MAX - 1) * 1000;
	assert_true(get(&t) && first_record(&t).ttl == 1);
	t.now.ms += 1000;
	assert_int_equal(get(&t), 0);

	/* An alias to a name that does not exist. */
	begin(&t, DNS_NXDOMAIN);
	record(&t, DNS_ANSWER, TYPE_CNAME, 40, "\1x\0", 3);
	soa(&t, 3600, 3600);
	assert_true(put(&t));
	t.now.ms += 40000;
	assert_int_equal(get(&t), 0);

	/* Nobody says how long; a referral. */
	begin(&t, DNS_NXDOMAIN);
	assert_false(put(&t));
	begin(&t, DNS_NOERROR);
	record(&t, DNS_AUTHORITY, 2, 3600, "\1x\0", 3);
	assert_false(put(&t));
	dnscache_free(t.c);
}

static void
what_is_no_good_answer_is_not_kept(void **state UNUSED)
{
	struct cached t;

	setup(&t);
	query(&t, 1, "a.test", TYPE_A);
	assert_false(put_address(&t, 0));
	assert_false(put_address(&t, 0x80000000));
	for (uint8_t rcode = 1; rcode < 16; rcode++) {
		if (rcode == DNS_NXDOMAIN)
			continue;
		begin(&t, rcode);
		soa(&t, 60, 60);
		assert_false(put(&t));
	}
	begin(&t, DNS_NOERROR);
	record(&t, DNS_ANSWER, TYPE_A, 60, "\1\2\3\4", 4);
	t.msg[2] |= 2; /* TC */
	assert_false(put(&t));
	begin(&t, DNS_NOERROR);
	record(&t, DNS_ANSWER, TYPE_A, 60, "\1\2\3\4", 4);
	record(&t, DNS_ADDITIONAL, TYPE_TSIG, 60, "", 0);
	assert_false(put(&t));
	/* Less than it says, more than it says. */
	begin(&t, DNS_NOERROR);
	record(&t, DNS_ANSWER, TYPE_A, 60, "\1\2\3\4", 4);
	assert_false(dnscache_put(t.c, &t.k, t.msg, wr_len(&t.w) - 1, t.now));
	t.msg[wr_len(&t.w)] = 0;
	assert_false(dnscache_put(t.c, &t.k, t.msg, wr_len(&t.w) + 1, t.now));
	assert_int_equal(dnscache_count(t.c), 0);
	/* The least TTL of all counts, and a day at most. */
	begin(&t, DNS_NOERROR);
	record(&t, DNS_ANSWER, TYPE_A, 600, "\1\2\3\4", 4);
	record(&t, DNS_ADDITIONAL, TYPE_TXT, 5, "", 0);
	assert_true(put(&t));
	t.now.ms += 5000;
	assert_int_equal(get(&t), 0);
	assert_true(put_address(&t, 7 * 86400));
	assert_true(get(&t) && first_record(&t).ttl == DNSCACHE_TTL_MAX);
	t.now.ms += DNSCACHE_TTL_MAX * INT64_C(1000);
	assert_int_equal(get(&t), 0);
	dnscache_free(t.c);
}

static void
opt_records_are_not_kept_but_made(void **state UNUSED)
{
	struct cached t;
	struct dns_head h;

	setup(&t);
	query_edns(&t, 1, "a.test", true);
	begin(&t, DNS_NOERROR);
	record(&t, DNS_ANSWER, TYPE_A, 60, "\1\2\3\4", 4);
	count(&t, DNS_ADDITIONAL);
	wr_bytes(&t.w, "\0\0\51\20\0\0\0\200\0\0\10\0\12\0\4\1\2\3\4", 19);
	assert_true(put(&t));
	assert_int_equal(get(&t), t.query_len + 16);
	assert_true(dns_head_parse(&h, t.msg, t.len));
	assert_int_equal(h.additional, 1);
	assert_memory_equal(t.msg + t.len - DNS_OPT_LEN, "\0\0\51\4\320\0\0\200\0\0\0",
			    DNS_OPT_LEN);

	/* Asked with EDNS, but without DNSSEC, or without either: they are the same. */
	query_edns(&t, 1, "a.test", false);
	assert_int_equal(get(&t), 0);
	assert_true(put_address(&t, 60));
	query(&t, 1, "a.test", TYPE_A);
	assert_int_equal(get(&t), t.query_len + 16);
	assert_int_equal(t.msg[11], 0);

	/* An error in the twelve bits of EDNS; two of them; one before other records. */
	for (unsigned i = 0; i < 3; i++) {
		query(&t, 1, "c.test", TYPE_A);
		begin(&t, DNS_NOERROR);
		record(&t, DNS_ANSWER, TYPE_A, 60, "\1\2\3\4", 4);
		count(&t, DNS_ADDITIONAL);
		wr_bytes(&t.w, "\0\0\51\20\0", 5);
		wr_u8(&t.w, i == 0);
		wr_bytes(&t.w, "\0\0\0\0\0", 5);
		if (i > 0)
			count(&t, DNS_ADDITIONAL);
		if (i == 1)
			wr_bytes(&t.w, "\0\0\51\20\0\0\0\0\0\0\0", 11);
		if (i == 2)
			record(&t, DNS_ADDITIONAL, TYPE_TXT, 60, "", 0);
		if (i == 2)
			t.msg[11]--;
		assert_false(put(&t));
	}
	dnscache_free(t.c);
}

/* The count of additional records, from which it is taken, would be less than none. */
static void
an_opt_record_stands_among_the_additional_ones_and_has_no_name(void **state UNUSED)
{
	static const struct {
		enum dns_section section;
		const char *name;
		size_t len;
	} bad[] = {{DNS_ANSWER, "\0", 1}, {DNS_AUTHORITY, "\0", 1}, {DNS_ADDITIONAL, "\300\14", 2}};
	struct cached t;

	setup(&t);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		query(&t, 1, "a.test", TYPE_A);
		begin(&t, DNS_NOERROR);
		record(&t, DNS_ANSWER, TYPE_A, 60, "\1\2\3\4", 4);
		count(&t, bad[i].section);
		wr_bytes(&t.w, bad[i].name, bad[i].len);
		wr_bytes(&t.w, "\0\51\20\0\0\0\0\0\0\0", 10);
		assert_false(put(&t));
	}
	dnscache_free(t.c);
}

static void
what_is_too_long_is_cut_to_nothing(void **state UNUSED)
{
	static const uint8_t text[200];
	struct cached t;

	setup(&t);
	query(&t, 9, "long.test", TYPE_TXT);
	begin(&t, DNS_NOERROR);
	for (unsigned i = 0; i < 5; i++)
		record(&t, DNS_ANSWER, TYPE_TXT, 60, text, sizeof(text));
	assert_true(put(&t));
	assert_int_equal(get(&t), t.query_len + 5 * 212);
	assert_int_equal(get_within(&t, t.query_len + 5 * 212), t.query_len + 5 * 212);
	assert_int_equal(get_within(&t, t.query_len + 5 * 212 - 1), t.query_len);
	assert_true(t.msg[2] & 2);
	assert_int_equal(t.msg[7], 0);
	dnscache_free(t.c);
}

static void
what_is_asked_for_often_is_refreshed_once(void **state UNUSED)
{
	struct cached t;

	setup(&t);
	query(&t, 1, "hot.test", TYPE_A);
	assert_true(put_address(&t, 100));
	for (unsigned i = 0; i < 3; i++) {
		assert_true(get(&t) > 0);
		assert_false(t.refresh);
	}
	t.now.ms += 89999;
	assert_true(get(&t) && !t.refresh);
	t.now.ms++;
	assert_true(get(&t) && t.refresh);
	assert_true(get(&t) && !t.refresh);
	assert_true(put_address(&t, 100));
	t.now.ms += 95000;
	/* Anew: nobody has asked for it since. */
	assert_true(get(&t) && !t.refresh);
	assert_true(get(&t) && !t.refresh);
	assert_true(get(&t) && t.refresh);
	/* Not worth it. */
	assert_true(put_address(&t, DNSCACHE_REFRESH_S - 1));
	t.now.ms += 8500;
	for (unsigned i = 0; i < 5; i++)
		assert_true(get(&t) && !t.refresh);
	dnscache_free(t.c);
}

static void
what_was_not_asked_for_longest_makes_room(void **state UNUSED)
{
	static const uint8_t text[255];
	struct cached t;
	char name[32];
	unsigned n;

	setup(&t);
	query(&t, 1, "kept.test", TYPE_A);
	assert_true(put_address(&t, 3600));
	for (unsigned i = 0; i < 3 * DNSCACHE_ANSWERS; i++) {
		snprintf(name, sizeof(name), "n%u.test", i);
		query(&t, 1, name, TYPE_A);
		assert_true(put_address(&t, 3600));
		if (i % 100)
			continue;
		query(&t, 1, "kept.test", TYPE_A);
		assert_true(get(&t) > 0);
	}
	assert_int_equal(dnscache_count(t.c), DNSCACHE_ANSWERS);
	assert_int_equal(dnscache_stats(t.c)->evicted, 2 * DNSCACHE_ANSWERS + 1);
	query(&t, 1, "n3.test", TYPE_A);
	assert_int_equal(get(&t), 0);
	query(&t, 1, name, TYPE_A);
	assert_true(get(&t) > 0);
	/* Long ones take the room of several. */
	for (unsigned i = 0; i < DNSCACHE_ANSWERS; i++) {
		snprintf(name, sizeof(name), "t%u.test", i);
		query(&t, 1, name, TYPE_TXT);
		begin(&t, DNS_NOERROR);
		for (n = 0; n < 1 + i % 9; n++)
			record(&t, DNS_ANSWER, TYPE_TXT, 60, text, sizeof(text));
		assert_true(put(&t));
		assert_int_equal(get(&t), t.query_len + n * 267);
		assert_memory_equal(t.msg + t.len - sizeof(text), text, sizeof(text));
	}
	n = dnscache_count(t.c);
	assert_true(n > DNSCACHE_ANSWERS / 10 && n < DNSCACHE_ANSWERS / 5);
	/* Longer than anything that is kept. */
	begin(&t, DNS_NOERROR);
	for (unsigned i = 0; i < 15; i++)
		record(&t, DNS_ANSWER, TYPE_TXT, 60, text, sizeof(text));
	assert_true(put(&t));
	assert_false(dnscache_put(t.c, &t.k, (uint8_t[DNSCACHE_LEN_MAX + 1]){0},
				  DNSCACHE_LEN_MAX + 1, t.now));
	dnscache_free(t.c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_answer_comes_back_with_the_askers_id_and_spelling),
	    cmocka_unit_test(other_questions_flags_and_scopes_are_other_keys),
	    cmocka_unit_test(what_is_no_plain_query_has_no_key),
	    cmocka_unit_test(negative_answers_last_as_their_zone_says),
	    cmocka_unit_test(what_is_no_good_answer_is_not_kept),
	    cmocka_unit_test(opt_records_are_not_kept_but_made),
	    cmocka_unit_test(an_opt_record_stands_among_the_additional_ones_and_has_no_name),
	    cmocka_unit_test(what_is_too_long_is_cut_to_nothing),
	    cmocka_unit_test(what_is_asked_for_often_is_refreshed_once),
	    cmocka_unit_test(what_was_not_asked_for_longest_makes_room),
	};

	return T_RUN(tests);
}
