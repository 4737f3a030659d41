/* SPDX-License-Identifier: GPL-2.0-or-later
 * leaserows_test.c - what people see of the leases.
 */
#include "../lib/t.h"

#include "dhcpd/leaserows.h"
#include "fixture.h"

static const struct tclient alice = {
    .mac = MAC(1), .hostname = "alice", .uid = (const uint8_t *)"id", .uid_len = 2};
static const struct tclient bob = {.mac = MAC(2)};
static const struct tclient carol = {.mac = MAC(3)};

static size_t
rows(const struct fixture *x, struct msg_lease_row *v, size_t cap)
{
	struct leaserows at = {0};
	size_t n = 0;

	while (leaserows_next(&at, x->s, x->clk, &v[n])) {
		n++;
		assert_true(n < cap);
	}
	return n;
}

static const struct msg_lease_row *
row_of(const struct msg_lease_row *v, size_t n, struct ip4 ip)
{
	for (size_t i = 0; i < n; i++)
		if (ip4_eq(v[i].addr, ip))
			return &v[i];
	return NULL;
}

static void
each_state_has_its_row(void **state UNUSED)
{
	struct netconf *c = fx_conf();
	struct msg_lease_row v[16];
	const struct msg_lease_row *r;
	struct fixture x;
	size_t n;

	netconf_add_host(c, 0, MAC(7), AT(50), "db");
	netconf_add_host(c, 1, MAC(8), AT(51), "mail");
	netconf_add_host(c, 2, MAC(9), (struct ip4){0}, "known");
	fx_init(&x, c);
	fx_lease(&x, &alice); /* .128 active */
	fx_lease(&x, &bob);   /* .129 released */
	fx_release(&x, &bob, AT(129));
	fx_lease(&x, &carol); /* .130 declined */
	fx_decline(&x, &carol, AT(130));
	fx_discover(&x, &(struct tclient){.mac = MAC(4)}); /* .131 only offered */
	fx_lease(&x, &(struct tclient){.mac = MAC(8)});    /* .51 reserved and active */
	n = rows(&x, v, ARRAY_LEN(v));
	assert_int_equal(n, 5);

	r = row_of(v, n, AT(128));
	assert_int_equal(r->net, 8);
	assert_int_equal(r->state, LEASE_ROW_ACTIVE);
	assert_true(mac_eq(r->mac, alice.mac));
	assert_string_equal(r->name, "alice");
	assert_int_equal(r->client_id.len, 2);
	assert_int_equal(r->starts, 1700000000);
	assert_int_equal(r->ends, 1700001801);
	assert_int_equal(row_of(v, n, AT(129))->state, LEASE_ROW_EXPIRED);
	assert_int_equal(row_of(v, n, AT(130))->state, LEASE_ROW_ABANDONED);
	assert_null(row_of(v, n, AT(131)));
	r = row_of(v, n, AT(51));
	assert_int_equal(r->state, LEASE_ROW_ACTIVE);
	assert_string_equal(r->name, "mail");
	r = row_of(v, n, AT(50));
	assert_int_equal(r->state, LEASE_ROW_RESERVED);
	assert_true(mac_eq(r->mac, MAC(7)));
	assert_string_equal(r->name, "db");
	assert_int_equal(r->ends, 0);

	fx_release(&x, &(struct tclient){.mac = MAC(8)}, AT(51));
	n = rows(&x, v, ARRAY_LEN(v));
	assert_int_equal(n, 5);
	assert_int_equal(row_of(v, n, AT(51))->state, LEASE_ROW_RESERVED);
	fx_fini(&x);
}

/* A long list is sent in portions; the server may change completely in between. */
static void
list_survives_a_new_configuration(void **state UNUSED)
{
	struct netconf *c = fx_conf();
	struct leaserows at = {0};
	struct msg_lease_row row;
	struct fixture x;
	bool forgot;

	fx_init(&x, NULL);
	fx_lease(&x, &alice);
	fx_lease(&x, &bob);
	assert_true(leaserows_next(&at, x.s, x.clk, &row));
	c->range[0].lo = AT(200);
	assert_int_equal(netconf_seal(c), 0);
	assert_int_equal(dhcp_server_set_conf(x.s, c, x.clk, &forgot), 0);
	while (leaserows_next(&at, x.s, x.clk, &row))
		assert_int_equal(row.net, 8);
	fx_fini(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_state_has_its_row),
	    cmocka_unit_test(list_survives_a_new_configuration),
	};

	return T_RUN(tests);
}
