/* SPDX-License-Identifier: GPL-2.0-or-later
 * dhcpd_flood_sim.c - days of a network in which one port does what it can to take all addresses, against
 * the DHCP server's core with a fake clock; and a network of a /16 that is used.
 *
 * What must hold at every moment: a neighbour that asks gets an address, and keeps it while it renews; the
 * port never holds more than it may; no two clients hold one address.
 */
#include "../unit/lib/t.h"

#include "../unit/dhcpd/fixture.h"
#include "lib/gate.h"

enum {
	STEPS = 100000,
	NEIGHBOURS = 60, /* each behind its own port */
	EVIL = 1,
	FIRST_PORT = 2,
	MOST = 63, /* half of the range */
	CROWD = 12000,
};

struct flood {
	struct fixture x;
	uint64_t seed;
	struct neighbour {
		struct tclient c;
		struct ip4 ip; /* 0: none */
		int64_t until_ms;
	} n[NEIGHBOURS];
	unsigned leases, renewals;
};

static uint32_t
rnd(struct flood *f, uint32_t n)
{
	f->seed ^= f->seed << 13;
	f->seed ^= f->seed >> 7;
	f->seed ^= f->seed << 17;
	return (uint32_t)(f->seed >> 32) % n;
}

/* New every time, or one of the latest, so that some of what they hold is taken further. */
static struct tclient
invented(struct flood *f, unsigned step)
{
	unsigned i = step - (step > 200 ? rnd(f, 200) : 0);

	return (struct tclient){
	    .mac = {{0x02, 0xee, 0, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}},
	    .xid = i + 1};
}

static void
attack(struct flood *f, unsigned step)
{
	struct tclient c = invented(f, step);
	struct ip4 any = AT(128 + rnd(f, 126));

	dhcp_server_set_stamp(f->x.s, DHCP_STAMP(EVIL, MOST));
	switch (rnd(f, 8)) {
	case 0:
	case 1:
		fx_discover(&f->x, &c);
		break;
	case 2:
		fx_lease(&f->x, &c);
		break;
	case 3:
		fx_reboot(&f->x, &c, any);
		break;
	case 4:
		fx_select(&f->x, &c, any);
		break;
	case 5:
		fx_renew(&f->x, &c, any);
		break;
	case 6:
		fx_release(&f->x, &c, any);
		break;
	default:
		if (fx_lease(&f->x, &c).h)
			fx_decline(&f->x, &c, f->x.reply.m.yiaddr);
		break;
	}
	assert_true(lease_table_held(dhcp_server_leases(f->x.s), EVIL) <= MOST);
}

static void
live(struct flood *f, unsigned i)
{
	struct neighbour *n = &f->n[i];

	dhcp_server_set_stamp(f->x.s, DHCP_STAMP(FIRST_PORT + i, MOST));
	if (n->ip.h && n->until_ms > f->x.clk.now.ms) {
		assert_int_equal(fx_renew(&f->x, &n->c, n->ip), DHCP_ACK);
		f->renewals++;
	} else {
		n->ip = fx_lease(&f->x, &n->c);
		if (!n->ip.h)
			fail_msg("neighbour %u is refused: %s", i, dhcp_drop_text(f->x.out.drop));
		f->leases++;
	}
	n->until_ms = f->x.clk.now.ms + 1800000;
	for (unsigned k = 0; k < NEIGHBOURS; k++)
		assert_true(k == i || !ip4_eq(f->n[k].ip, n->ip) ||
			    f->n[k].until_ms <= f->x.clk.now.ms);
}

static void
neighbours_of_a_flooder_always_get_an_address(void **state UNUSED)
{
	static struct flood f = {.seed = 0x9e3779b97f4a7c15ull};
	struct dhcp_change ch;

	fx_init(&f.x, NULL);
	for (unsigned i = 0; i < NEIGHBOURS; i++)
		f.n[i].c = (struct tclient){.mac = MAC(i), .xid = 77 + i};
	for (unsigned step = 0; step < STEPS; step++) {
		attack(&f, step);
		if (rnd(&f, 10) == 0)
			live(&f, rnd(&f, NEIGHBOURS));
		/* Now and then everybody sleeps until all leases have run out. */
		fx_pass(&f.x, rnd(&f, 5000) == 0 ? 7200000 : rnd(&f, 4000));
		while (dhcp_server_expire(f.x.s, f.x.clk, &ch))
			;
	}
	assert_true(f.leases > 100 && f.renewals > 1000);
	assert_true(dhcp_server_stats(f.x.s)->dropped[DHCP_DROP_QUOTA] > STEPS / 10);
	assert_int_equal(dhcp_server_stats(f.x.s)->dropped[DHCP_DROP_NO_ADDRESS], 0);
	fx_fini(&f.x);
}

/* A relay with thousands of clients behind it, whose port is unlimited, beside a port with the default. */
static void
a_large_network_is_served_whole(void **state UNUSED)
{
	struct netconf *c = netconf_new(9);
	static uint8_t seen[65536];
	struct fixture x;
	unsigned few = 0;

	assert_non_null(c);
	c->subnet = (struct prefix4){{0x0a1e0000}, 16};
	c->server.h = 0x0a1efffe;
	c->host.h = 0x0a1e0001;
	c->default_lease_s = 1800;
	c->max_lease_s = 7200;
	c->unknown_clients = c->authoritative = true;
	assert_int_equal(
	    netconf_add_range(c, (struct ip4){0x0a1e0003}, (struct ip4){0x0a1efffd}, false), 0);
	fx_init(&x, c);
	for (unsigned i = 0; i < CROWD; i++) {
		struct tclient t = {.mac = {{2, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}},
				    .xid = i + 1};
		struct ip4 ip = fx_lease(&x, &t);

		assert_true(ip.h && !seen[ip.h & 0xffff]++);
	}
	dhcp_server_set_stamp(x.s, DHCP_STAMP(EVIL, 256));
	for (unsigned i = 0; i < 1000; i++) {
		struct tclient t = {.mac = {{2, 1, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}},
				    .xid = i + 1};

		few += fx_lease(&x, &t).h != 0;
	}
	assert_int_equal(few, 256);
	fx_fini(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(neighbours_of_a_flooder_always_get_an_address),
	    cmocka_unit_test(a_large_network_is_served_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
