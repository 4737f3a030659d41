/* SPDX-License-Identifier: GPL-2.0-or-later
 * lease_test.c - the lease table against a simple model, and its orders.
 */
#include "../lib/t.h"

#include "dhcpd/lease.h"

static const struct hash_key key = {{1, 2, 3}};

static struct mac
mac_of(unsigned n)
{
	return (struct mac){{2, 0, 0, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
}

static struct lease *
add(struct lease_table *t, uint32_t ip, unsigned mac, enum lease_state state, int64_t due)
{
	struct lease *l = lease_add(t, (struct ip4){ip});

	assert_non_null(l);
	lease_set_client(t, l, mac_of(mac), NULL, 0);
	l->end.ms = due;
	lease_set_state(t, l, state, (struct mono){due});
	return l;
}

static void
full_table_refuses_more(void **state UNUSED)
{
	struct lease_table *t = lease_table_new(3, &key);
	struct lease *l;

	for (uint32_t i = 1; i <= 3; i++)
		add(t, i, i, LEASE_ACTIVE, i);
	assert_null(lease_add(t, (struct ip4){4}));
	assert_int_equal(lease_table_used(t), 3);
	l = lease_find_ip(t, (struct ip4){2});
	lease_remove(t, l);
	assert_null(lease_find_ip(t, (struct ip4){2}));
	assert_null(lease_find_mac(t, mac_of(2)));
	assert_int_equal(lease_table_used(t), 2);
	assert_non_null(lease_add(t, (struct ip4){4}));
	assert_null(lease_add(t, (struct ip4){5}));
	lease_table_free(t);
}

static void
empty_table_is_usable(void **state UNUSED)
{
	struct lease_table *t = lease_table_new(0, &key);

	assert_null(lease_add(t, (struct ip4){1}));
	assert_null(lease_find_ip(t, (struct ip4){1}));
	assert_null(lease_next_due(t));
	assert_null(lease_each(t, NULL));
	assert_null(lease_oldest_reusable(t));
	lease_table_free(t);
	lease_table_free(NULL);
}

static void
active_lease_is_found_before_ended_ones(void **state UNUSED)
{
	struct lease_table *t = lease_table_new(8, &key);
	struct lease *a;

	add(t, 1, 7, LEASE_ENDED, 100);
	add(t, 2, 7, LEASE_ENDED, 300);
	add(t, 3, 7, LEASE_ENDED, 200);
	assert_int_equal(lease_find_mac(t, mac_of(7))->ip.h, 2);
	add(t, 4, 7, LEASE_OFFERED, 50);
	assert_int_equal(lease_find_mac(t, mac_of(7))->ip.h, 4);
	a = add(t, 5, 7, LEASE_ACTIVE, 10);
	assert_ptr_equal(lease_find_mac(t, mac_of(7)), a);
	lease_set_state(t, a, LEASE_ENDED, a->due);
	assert_int_equal(lease_find_mac(t, mac_of(7))->ip.h, 4);
	lease_table_free(t);
}

static void
client_id_finds_ended_leases_only(void **state UNUSED)
{
	struct lease_table *t = lease_table_new(8, &key);
	uint8_t big[LEASE_UID_MAX + 1] = {1};
	struct lease *l = lease_add(t, (struct ip4){1});

	lease_set_client(t, l, mac_of(1), (const uint8_t *)"id", 2);
	lease_set_state(t, l, LEASE_ACTIVE, (struct mono){100});
	assert_null(lease_find_ended_uid(t, (const uint8_t *)"id", 2));
	lease_set_state(t, l, LEASE_ENDED, (struct mono){0});
	assert_ptr_equal(lease_find_ended_uid(t, (const uint8_t *)"id", 2), l);
	assert_null(lease_find_ended_uid(t, (const uint8_t *)"ie", 2));
	assert_null(lease_find_ended_uid(t, (const uint8_t *)"id", 0));
	/* Too long to be remembered. */
	lease_set_client(t, l, mac_of(1), big, sizeof(big));
	assert_int_equal(l->uid_len, 0);
	assert_null(lease_find_ended_uid(t, big, sizeof(big)));
	lease_set_client(t, l, mac_of(1), big, LEASE_UID_MAX);
	assert_ptr_equal(lease_find_ended_uid(t, big, LEASE_UID_MAX), l);
	lease_table_free(t);
}

static void
another_client_has_no_history(void **state UNUSED)
{
	struct lease_table *t = lease_table_new(8, &key);
	struct lease *l = add(t, 1, 1, LEASE_ACTIVE, 5);

	lease_set_hostname(l, "web1");
	l->recorded = true;
	l->start.ms = 1;
	lease_set_client(t, l, mac_of(1), (const uint8_t *)"x", 1);
	assert_string_equal(l->hostname, "web1");
	assert_true(l->recorded);
	lease_set_client(t, l, mac_of(2), NULL, 0);
	assert_string_equal(l->hostname, "");
	assert_false(l->recorded);
	assert_int_equal(l->start.ms, 0);
	assert_null(lease_find_mac(t, mac_of(1)));
	lease_table_free(t);
}

/* The memory of each name is seen by the sanitizers. */
static void
a_name_is_its_leases_own(void **state UNUSED)
{
	struct lease_table *t = lease_table_new(8, &key);
	struct lease *a = add(t, 1, 1, LEASE_ACTIVE, 5), *b = add(t, 2, 2, LEASE_ACTIVE, 5);
	char name[] = "web1";

	assert_string_equal(a->hostname, "");
	lease_set_hostname(a, name);
	lease_set_hostname(b, a->hostname);
	name[3] = '2';
	assert_string_equal(a->hostname, "web1");
	lease_set_hostname(a, a->hostname);
	lease_set_hostname(a, name);
	assert_string_equal(a->hostname, "web2");
	assert_string_equal(b->hostname, "web1");
	lease_remove(t, a);
	assert_string_equal(add(t, 3, 3, LEASE_ACTIVE, 5)->hostname, "");
	lease_table_free(t);
}

static void
longest_free_address_comes_first(void **state UNUSED)
{
	struct lease_table *t = lease_table_new(8, &key);
	struct lease *l[4];

	for (unsigned i = 0; i < 4; i++)
		l[i] = add(t, i + 1, i, LEASE_ACTIVE, 10);
	assert_null(lease_oldest_reusable(t));
	for (unsigned i = 0; i < 4; i++) {
		unsigned k = (i + 2) % 4; /* 2 3 0 1 */

		lease_set_state(t, l[k], LEASE_ENDED, l[k]->due);
		if (k != 3)
			lease_set_reusable(t, l[k], true);
	}
	assert_int_equal(lease_table_count(t, LEASE_ENDED), 4);
	assert_ptr_equal(lease_oldest_reusable(t), l[2]);
	lease_set_state(t, l[2], LEASE_ACTIVE, (struct mono){9});
	assert_ptr_equal(lease_oldest_reusable(t), l[0]);
	lease_set_reusable(t, l[0], false);
	assert_ptr_equal(lease_oldest_reusable(t), l[1]);
	lease_remove(t, l[1]);
	assert_null(lease_oldest_reusable(t));
	/* Only ended leases can be reusable. */
	lease_set_reusable(t, l[2], true);
	assert_null(lease_oldest_reusable(t));
	lease_table_free(t);
}

/* The table against arrays, with a few thousand random operations. */
#define MODEL_N 64

struct model {
	bool used;
	unsigned mac;
	enum lease_state state;
	int64_t due;
};

static uint32_t
rnd(uint64_t *s)
{
	*s = *s * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*s >> 33);
}

static void
compare(struct lease_table *t, const struct model *m)
{
	size_t used = 0, count[LEASE_STATE_N] = {0};
	int64_t min = INT64_MAX;
	const struct lease *due = lease_next_due(t);

	for (unsigned i = 0; i < MODEL_N; i++) {
		const struct lease *l = lease_find_ip(t, (struct ip4){i});
		bool found = false;

		if (!m[i].used) {
			assert_null(l);
			continue;
		}
		assert_non_null(l);
		assert_int_equal(l->state, m[i].state);
		assert_true(mac_eq(l->mac, mac_of(m[i].mac)));
		for (struct lease *e = lease_each_mac(t, l->mac, NULL); e;
		     e = lease_each_mac(t, l->mac, e))
			found |= e == l;
		assert_true(found);
		used++;
		count[m[i].state]++;
		if (m[i].state != LEASE_ENDED && m[i].due < min)
			min = m[i].due;
	}
	assert_int_equal(lease_table_used(t), used);
	for (int s = LEASE_OFFERED; s < LEASE_STATE_N; s++)
		assert_int_equal(lease_table_count(t, (enum lease_state)s), count[s]);
	assert_int_equal(due ? due->due.ms : INT64_MAX, min);
	for (struct lease *l = lease_each(t, NULL); l; l = lease_each(t, l))
		used--;
	assert_int_equal(used, 0);
}

static void
random_operations_match_the_model(void **state UNUSED)
{
	struct model m[MODEL_N] = {{0}};
	struct lease_table *t = lease_table_new(MODEL_N, &key);
	uint64_t seed = 42;

	for (unsigned n = 0; n < 20000; n++) {
		unsigned i = rnd(&seed) % MODEL_N, mac = 1 + rnd(&seed) % 16;
		struct lease *l = lease_find_ip(t, (struct ip4){i});
		enum lease_state s = LEASE_OFFERED + rnd(&seed) % (LEASE_STATE_N - 1);
		int64_t due = rnd(&seed) % 1000;

		if (!l) {
			l = lease_add(t, (struct ip4){i});
			lease_set_client(t, l, mac_of(mac), NULL, 0);
			m[i] = (struct model){true, mac, LEASE_ENDED, 0};
		} else if (rnd(&seed) % 8 == 0) {
			lease_remove(t, l);
			m[i].used = false;
		} else if (rnd(&seed) % 4 == 0) {
			lease_set_client(t, l, mac_of(mac), (const uint8_t *)&mac, sizeof(mac));
			m[i].mac = mac;
		} else if (rnd(&seed) % 4 == 0) {
			lease_set_reusable(t, l, rnd(&seed) % 2);
		} else {
			lease_set_state(t, l, s, (struct mono){due});
			m[i].state = s;
			m[i].due = due;
		}
		if (n % 16 == 0)
			compare(t, m);
	}
	lease_table_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(full_table_refuses_more),
	    cmocka_unit_test(empty_table_is_usable),
	    cmocka_unit_test(active_lease_is_found_before_ended_ones),
	    cmocka_unit_test(client_id_finds_ended_leases_only),
	    cmocka_unit_test(another_client_has_no_history),
	    cmocka_unit_test(a_name_is_its_leases_own),
	    cmocka_unit_test(longest_free_address_comes_first),
	    cmocka_unit_test(random_operations_match_the_model),
	};

	return T_RUN(tests);
}
