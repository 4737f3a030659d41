/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnstab_test.c - the table of pending queries against a model that is an array.
 */
#include "../lib/t.h"

#include "natd/dnstab.h"

#define CLIENT(n) ((struct ip4){0xc0a80800u + (n)})

static uint32_t lcg = 1;

static uint32_t
rnd(void)
{
	lcg = lcg * 1664525u + 1013904223u;
	return lcg >> 8;
}

struct model {
	struct dns_query *q[DNS_QUERIES_MAX]; /* by age, oldest first */
	unsigned n;
};

static void
check(struct dns_tab *t, const struct model *m)
{
	struct mono first = MONO_NEVER;
	struct dns_query *q = dns_tab_oldest(t);
	unsigned of_client[4] = {0};

	assert_int_equal(dns_tab_count(t), m->n);
	for (unsigned i = 0; i < m->n; i++, q = dns_tab_younger(t, q)) {
		assert_ptr_equal(q, m->q[i]);
		assert_ptr_equal(dns_tab_find(t, q->id), q);
		of_client[q->client.h & 3]++;
		first = mono_min(first, q->due);
	}
	assert_null(q);
	if (m->n)
		assert_int_equal(dns_tab_first_due(t)->due.ms, first.ms);
	else
		assert_null(dns_tab_first_due(t));
	for (unsigned c = 0; c < 4; c++) {
		unsigned count = 0;

		for (q = NULL; (q = dns_tab_each_of(t, c, CLIENT(c), q));)
			count++;
		assert_int_equal(count, of_client[c]);
	}
	assert_null(dns_tab_each_of(t, 4, CLIENT(0), NULL));
}

static void
add(struct dns_tab *t, struct model *m)
{
	unsigned c = rnd() & 3;
	uint16_t id = dns_tab_free_id(t, (uint16_t)rnd());

	assert_null(dns_tab_find(t, id));
	m->q[m->n] = dns_tab_add(t, c, CLIENT(c), id);
	assert_non_null(m->q[m->n]);
	assert_int_equal(m->q[m->n]->due.ms, MONO_NEVER.ms);
	memset(dns_tab_msg(t, m->q[m->n]), 0xff, DNS_QUERY_LEN_MAX);
	m->n++;
}

static void
remove_any(struct dns_tab *t, struct model *m)
{
	unsigned i = rnd() % m->n;

	dns_tab_remove(t, m->q[i]);
	memmove(&m->q[i], &m->q[i + 1], (--m->n - i) * sizeof(m->q[0]));
}

static void
it_behaves_like_an_array(void **state UNUSED)
{
	struct dns_tab *t = dns_tab_new(5);
	static struct model m;

	assert_non_null(t);
	m.n = 0;
	check(t, &m);
	for (unsigned i = 0; i < 4000; i++) {
		unsigned what = rnd() % 8;

		/* Grows first, then shrinks. */
		if (m.n == 0 || what < (i < 2000 ? 4 : 2))
			add(t, &m);
		else if (what < 5)
			remove_any(t, &m);
		else
			dns_tab_set_due(t, m.q[rnd() % m.n],
					what == 7 ? MONO_NEVER : (struct mono){rnd() % 100});
		if (i % 16 == 0 || m.n < 8)
			check(t, &m);
	}
	while (m.n)
		remove_any(t, &m);
	check(t, &m);
	dns_tab_free(t);
}

static void
it_is_full_and_empty_again(void **state UNUSED)
{
	struct dns_tab *t = dns_tab_new(6);
	static struct model m;

	assert_non_null(t);
	m.n = 0;
	for (int round = 0; round < 3; round++) {
		while (m.n < DNS_QUERIES_MAX)
			add(t, &m);
		check(t, &m);
		assert_null(dns_tab_add(t, 0, CLIENT(0), dns_tab_free_id(t, 0)));
		for (unsigned i = 0; i < m.n; i++)
			dns_tab_set_due(t, m.q[i], (struct mono){rnd()});
		for (int64_t last = 0; m.n; m.n--) {
			struct dns_query *q = dns_tab_first_due(t);

			assert_true(q->due.ms >= last);
			last = q->due.ms;
			dns_tab_remove(t, q);
		}
		check(t, &m);
	}
	dns_tab_free(t);
}

static void
ids_go_round(void **state UNUSED)
{
	struct dns_tab *t = dns_tab_new(7);

	assert_non_null(t);
	assert_int_equal(dns_tab_free_id(t, 65535), 65535);
	assert_non_null(dns_tab_add(t, 1, CLIENT(1), 65535));
	assert_int_equal(dns_tab_free_id(t, 65535), 0);
	assert_non_null(dns_tab_add(t, 1, CLIENT(1), 0));
	assert_int_equal(dns_tab_free_id(t, 65535), 1);
	assert_int_equal(dns_tab_free_id(t, 4096), 4096); /* the same chain as 0 */
	assert_null(dns_tab_find(t, 4096));
	dns_tab_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_behaves_like_an_array),
	    cmocka_unit_test(it_is_full_and_empty_again),
	    cmocka_unit_test(ids_go_round),
	};

	return T_RUN(tests);
}
