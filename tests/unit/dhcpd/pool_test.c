/* SPDX-License-Identifier: GPL-2.0-or-later
 * pool_test.c - the choice of an address when the pool or the table is at its limits. The order of
 * preference itself is tested by conversations, in server_test.c.
 */
#include "../lib/t.h"

#include "dhcpd/pool.h"

#define NET    0x0a0a0000u
#define AT(n)  ((struct ip4){NET + (n)})
#define MAC(n) ((struct mac){{2, 0, 0, 0, (uint8_t)((n) >> 8), (uint8_t)(n)}})

static const struct hash_key key = {{3}};

static struct netconf *
conf(unsigned lo, unsigned hi)
{
	struct netconf *c = netconf_new(9);

	c->subnet = (struct prefix4){AT(0), 16};
	c->server = AT(254);
	c->host = AT(1);
	c->unknown_clients = true;
	assert_int_equal(netconf_add_range(c, AT(lo), AT(hi), false), 0);
	return c;
}

static struct ip4
choose(struct pool_cursor *cur, const struct netconf *c, struct lease_table *t, unsigned n)
{
	return pool_choose(cur, c, t, MAC(n), NULL, 0, (struct ip4){0});
}

/* Takes what is chosen, as a server does. */
static struct ip4
take(struct pool_cursor *cur, const struct netconf *c, struct lease_table *t, unsigned n)
{
	struct ip4 ip = choose(cur, c, t, n);
	struct lease *l;

	if (ip.h == 0)
		return ip;
	l = lease_find_ip(t, ip);
	if (!l)
		l = lease_add(t, ip);
	assert_non_null(l);
	lease_set_client(t, l, MAC(n), NULL, 0);
	lease_set_state(t, l, LEASE_ACTIVE, (struct mono){1000 + n});
	return ip;
}

static void
every_address_of_a_large_pool_is_given_once(void **state UNUSED)
{
	struct netconf *c = conf(2, 65534);
	struct pool_cursor cur = {0};
	struct lease_table *t;
	uint32_t last = 0, n = 0;

	netconf_add_host(c, 0, MAC(60000), AT(5), "a");
	assert_int_equal(netconf_seal(c), 0);
	assert_int_equal(c->pool, 65533 - 2);
	t = lease_table_new(c->pool + 1, &key);
	for (;; n++) {
		struct ip4 ip = take(&cur, c, t, n);

		if (ip.h == 0)
			break;
		assert_true(ip.h > last);
		assert_int_not_equal(ip.h, AT(5).h);
		assert_int_not_equal(ip.h, AT(254).h);
		last = ip.h;
		if (n == 59999)
			n++;
	}
	assert_int_equal(last, AT(65534).h);
	assert_int_equal(take(&cur, c, t, 60000).h, AT(5).h);
	lease_table_free(t);
	netconf_free(c);
}

/* A table smaller than the pool goes round: the oldest ended lease is reused. */
static void
full_table_reuses_ended_leases(void **state UNUSED)
{
	struct netconf *c = conf(10, 60000);
	struct pool_cursor cur = {0};
	struct lease_table *t = lease_table_new(4, &key);
	struct lease *l;

	assert_int_equal(netconf_seal(c), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(take(&cur, c, t, i).h, AT(10 + i).h);
	assert_int_equal(choose(&cur, c, t, 9).h, 0);
	l = lease_find_ip(t, AT(12));
	lease_set_state(t, l, LEASE_ENDED, l->due);
	lease_set_reusable(t, l, true);
	assert_int_equal(take(&cur, c, t, 9).h, AT(12).h);
	lease_table_free(t);
	netconf_free(c);
}

static void
abandoned_address_outside_the_pool_is_not_offered(void **state UNUSED)
{
	struct netconf *c = conf(10, 10);
	struct pool_cursor cur = {0};
	struct lease_table *t = lease_table_new(4, &key);

	assert_int_equal(netconf_seal(c), 0);
	assert_int_equal(take(&cur, c, t, 1).h, AT(10).h);
	lease_set_state(t, lease_add(t, AT(99)), LEASE_ABANDONED, (struct mono){5});
	assert_int_equal(choose(&cur, c, t, 2).h, 0);
	lease_table_free(t);
	netconf_free(c);
}

static void
no_ranges_means_reservations_only(void **state UNUSED)
{
	struct netconf *c = conf(10, 10);
	struct pool_cursor cur = {0};
	struct lease_table *t = lease_table_new(4, &key);

	c->nranges = 0;
	netconf_add_host(c, 0, MAC(1), AT(77), "a");
	assert_int_equal(netconf_seal(c), 0);
	assert_int_equal(c->pool, 0);
	assert_int_equal(choose(&cur, c, t, 2).h, 0);
	assert_int_equal(choose(&cur, c, t, 1).h, AT(77).h);
	lease_table_free(t);
	netconf_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_address_of_a_large_pool_is_given_once),
	    cmocka_unit_test(full_table_reuses_ended_leases),
	    cmocka_unit_test(abandoned_address_outside_the_pool_is_not_offered),
	    cmocka_unit_test(no_ranges_means_reservations_only),
	};

	return T_RUN(tests);
}
