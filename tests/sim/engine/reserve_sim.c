/* SPDX-License-Identifier: GPL-2.0-or-later
 * reserve_sim.c - reservations while everything runs; guests that the host knows without ARP.
 */
#include "tests/unit/lib/t.h"

#include <errno.h>

#include "tests/sim/engine/play.h"

static const struct mac guest = {{0x00, 0x0c, 0x29, 0, 0, 1}},
			other = {{0x00, 0x0c, 0x29, 0, 0, 2}};

static struct msg
reserve_msg(struct mac mac, const char *ip, const char *name, bool static_arp)
{
	struct msg m = msg_make(MSG_RESERVE, 0);

	m.u.reserve.net = 8;
	m.u.reserve.mac = mac;
	assert_true(ip4_parse(&m.u.reserve.addr, ip));
	MSG_SET_STR(m.u.reserve.name, name);
	m.u.reserve.static_arp = static_arp;
	return m;
}

/* Root reserves: the errno, and the client for its answer. */
static int
reserve(struct world *w, struct mac mac, const char *ip, const char *name, bool static_arp,
	struct world_client **out)
{
	struct msg m = reserve_msg(mac, ip, name, static_arp);

	*out = world_client(w, 0);
	world_ask(w, *out, &m, -1);
	world_run(w);
	return (*out)->err;
}

static int
unreserve(struct world *w, struct mac mac)
{
	struct world_client *cl = world_client(w, 0);
	struct msg m = msg_make(MSG_UNRESERVE, 0);

	m.u.unreserve.net = 8;
	m.u.unreserve.mac = mac;
	world_ask(w, cl, &m, -1);
	world_run(w);
	return cl->err;
}

static void
lease(struct world *w, struct mac mac, const char *ip, const char *name)
{
	struct msg *m = &w->lease[w->nleases++];

	*m = msg_make(MSG_LEASE_ROW, 0);
	m->u.lease_row.net = 8;
	m->u.lease_row.mac = mac;
	m->u.lease_row.state = LEASE_ROW_ACTIVE;
	assert_true(ip4_parse(&m->u.lease_row.addr, ip));
	MSG_SET_STR(m->u.lease_row.name, name);
}

static void
reservations_come_and_go_without_a_step(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl;

	world_mark(w);
	assert_int_equal(reserve(w, guest, "192.168.8.50", "db", false, &cl), 0);
	assert_string_equal(cl->text,
			    "192.168.8.50 on vmnet8 is reserved for 00:0c:29:00:00:01 (db)");
	assert_string_equal(strbuf_str(&cl->rows), "");
	assert_true(play_has(w->file[CONF_FILE_DHCPD][8], "host db {"));
	assert_true(play_has(strbuf_str(&w->pushed[ROLE_DHCPD]), "host 8 db\n"));
	assert_int_equal(reserve(w, other, "192.168.8.51", "", false, &cl), 0);
	assert_true(play_has(w->file[CONF_FILE_NETWORKING][0],
			     "add_dhcp_mac_to_ip 8 00:0c:29:00:00:02 192.168.8.51"));
	assert_int_equal(unreserve(w, guest), 0);
	assert_int_equal(unreserve(w, other), 0);
	assert_false(play_has(w->file[CONF_FILE_DHCPD][8], "host db"));
	assert_false(play_has(w->file[CONF_FILE_NETWORKING][0], "add_dhcp"));
	assert_false(play_has(strbuf_str(&w->pushed[ROLE_DHCPD]), "host 8"));
	assert_int_equal(w->nsteps, 0);
	assert_int_equal(
	    play_told(w, "lease-reserved: vmnet8: 192.168.8.50 00:0c:29:00:00:01 db reserved"), 1);
	assert_int_equal(play_told(w, "lease-unreserved: vmnet8 reserves no address for "
				      "00:0c:29:00:00:02 any more"),
			 1);
	world_free(w);
}

static void
who_has_the_address_now_is_told(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl;

	lease(w, other, "192.168.8.130", "web");
	lease(w, guest, "192.168.8.131", "");
	assert_int_equal(reserve(w, guest, "192.168.8.130", "", false, &cl), 0);
	assert_true(play_has(strbuf_str(&cl->rows),
			     "192.168.8.130 is leased to 00:0c:29:00:00:02 (web): that guest gets "
			     "another address when it renews its lease, and 00:0c:29:00:00:01 gets "
			     "this one after that"));
	assert_int_equal(reserve(w, guest, "192.168.8.50", "", false, &cl), 0);
	assert_true(play_has(cl->text, "it has 192.168.8.131 now and moves when it renews"));
	assert_int_equal(reserve(w, guest, "192.168.8.131", "", false, &cl), 0);
	assert_string_equal(cl->text, "192.168.8.131 on vmnet8 is reserved for 00:0c:29:00:00:01");
	/* Without dhcpd the reservation is made all the same. */
	core_worker_lost(w->core, w->now, ROLE_DHCPD);
	w->worker_up[ROLE_DHCPD] = false;
	reserve(w, guest, "192.168.8.130", "", false, &cl);
	world_wait(w, 6000); /* it may be back in a moment */
	assert_int_equal(cl->err, 0);
	assert_string_equal(cl->text, "192.168.8.130 on vmnet8 is reserved for 00:0c:29:00:00:01");
	world_free(w);
}

static void
what_cannot_be_is_refused_and_changes_nothing(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl;
	struct msg m;
	unsigned writes = w->writes;

	assert_int_equal(reserve(w, guest, "192.168.9.50", "", false, &cl), EINVAL);
	assert_true(play_has(strbuf_str(&cl->rows), "192.168.9.50 is not inside vmnet8"));
	assert_int_equal(reserve(w, guest, "192.168.8.254", "", false, &cl), EINVAL);
	assert_true(play_has(strbuf_str(&cl->rows), "the DHCP server's address"));
	assert_int_equal(unreserve(w, guest), EINVAL);
	m = reserve_msg(guest, "192.168.8.50", "", false);
	m.u.reserve.net = NAMES_NETS;
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, EINVAL);
	/* A member of group vnet may read. */
	cl = world_client(w, 1000);
	m.u.reserve.net = 8;
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, EPERM);
	assert_int_equal(w->writes, writes);
	world_free(w);
}

static void
static_arp_holds_until_the_reservation_goes(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl;

	assert_int_equal(reserve(w, guest, "192.168.8.50", "", true, &cl), 0);
	assert_true(play_has(cl->text, ", which the host reaches without ARP"));
	assert_string_equal(world_neigh(w, "vmnet8", "192.168.8.50"), "00:0c:29:00:00:01 ours");
	assert_true(play_has(w->file[CONF_FILE_VNETD][0], "static-arp = 00:0c:29:00:00:01"));
	play_quiet_restart(w);
	/* Flushed; on a bridge that was down; on a new bridge. */
	world_neigh_del(w, "vmnet8", "192.168.8.50");
	world_run(w);
	assert_string_equal(world_neigh(w, "vmnet8", "192.168.8.50"), "00:0c:29:00:00:01 ours");
	assert_int_equal(play_told(w,
				   "network-repaired: vmnet8: neighbour 192.168.8.50 was changed "
				   "from outside; restored"),
			 1);
	world_link_down(w, "vmnet8");
	world_run(w);
	assert_string_equal(world_neigh(w, "vmnet8", "192.168.8.50"), "00:0c:29:00:00:01 ours");
	world_link_del(w, "vmnet8");
	world_wait(w, 1000);
	assert_string_equal(world_neigh(w, "vmnet8", "192.168.8.50"), "00:0c:29:00:00:01 ours");
	/* It moves with the reservation, goes without the wish, and goes with the reservation. */
	assert_int_equal(reserve(w, guest, "192.168.8.51", "", true, &cl), 0);
	assert_string_equal(world_neigh(w, "vmnet8", "192.168.8.50"), "");
	assert_string_equal(world_neigh(w, "vmnet8", "192.168.8.51"), "00:0c:29:00:00:01 ours");
	assert_int_equal(reserve(w, guest, "192.168.8.51", "", false, &cl), 0);
	assert_string_equal(world_neigh(w, "vmnet8", "192.168.8.51"), "");
	assert_int_equal(reserve(w, guest, "192.168.8.51", "", true, &cl), 0);
	assert_int_equal(unreserve(w, guest), 0);
	assert_string_equal(world_neigh(w, "vmnet8", "192.168.8.51"), "");
	assert_false(play_has(w->file[CONF_FILE_VNETD][0], "static-arp"));
	world_free(w);
}

/* Somebody else's entry serves while it leads to the guest, and it is not ours to remove. */
static void
neighbours_of_others_stay(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl;

	world_neigh_add(w, "vmnet8", "192.168.8.50", guest);
	world_neigh_add(w, "vmnet8", "192.168.8.60", other);
	world_mark(w);
	assert_int_equal(reserve(w, guest, "192.168.8.50", "", true, &cl), 0);
	assert_int_equal(unreserve(w, guest), 0);
	assert_int_equal(w->nsteps, 0);
	assert_string_equal(world_neigh(w, "vmnet8", "192.168.8.50"), "00:0c:29:00:00:01 others'");
	assert_string_equal(world_neigh(w, "vmnet8", "192.168.8.60"), "00:0c:29:00:00:02 others'");
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reservations_come_and_go_without_a_step),
	    cmocka_unit_test(who_has_the_address_now_is_told),
	    cmocka_unit_test(what_cannot_be_is_refused_and_changes_nothing),
	    cmocka_unit_test(static_arp_holds_until_the_reservation_goes),
	    cmocka_unit_test(neighbours_of_others_stay),
	};

	return T_RUN(tests);
}
