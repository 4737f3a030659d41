/* SPDX-License-Identifier: GPL-2.0-or-later
 * names_sim.c - what vnet-natd is told about names: of guests, and how others are resolved.
 */
#include "tests/unit/lib/t.h"

#include <string.h>

#include "tests/sim/engine/play.h"

static const char *
pushed(const struct world *w)
{
	return strbuf_str(&w->pushed[ROLE_NATD]);
}

/* What is left of it from the last "guests begin" on. */
static const char *
last_list(const struct world *w)
{
	const char *at = pushed(w), *last = "";

	while ((at = strstr(at, "guests begin\n")))
		last = at++;
	return last;
}

static void
set_lease(struct world *w, size_t i, const char *addr, const char *name, enum lease_row_state state)
{
	struct msg *row = &w->lease[i];

	*row = msg_make(MSG_LEASE_ROW, 0);
	row->u.lease_row.net = 8;
	row->u.lease_row.state = (uint8_t)state;
	MSG_SET_STR(row->u.lease_row.name, name);
	assert_true(ip4_parse(&row->u.lease_row.addr, addr));
	w->nleases = i + 1;
}

static void
event(struct world *w, const char *addr, const char *name, enum lease_event what)
{
	struct msg m = msg_make(MSG_LEASE_CHANGED, 0);

	m.u.lease_changed.net = 8;
	m.u.lease_changed.event = (uint8_t)what;
	MSG_SET_STR(m.u.lease_changed.name, name);
	assert_true(ip4_parse(&m.u.lease_changed.addr, addr));
	world_report(w, ROLE_DHCPD, &m);
	world_run(w);
}

static void
natd_is_told_the_names_of_leases(void **state UNUSED)
{
	struct world *w = world_new();

	world_add_net(w, 8, PLAY_NET8, NULL);
	set_lease(w, 0, "192.168.8.130", "web1", LEASE_ROW_ACTIVE);
	set_lease(w, 1, "192.168.8.131", "old", LEASE_ROW_EXPIRED);
	set_lease(w, 2, "192.168.8.60", "printer", LEASE_ROW_RESERVED);
	set_lease(w, 3, "192.168.8.132", "", LEASE_ROW_ACTIVE);
	world_start(w);
	assert_string_equal(last_list(w), "guests begin\nguest 8 192.168.8.130 web1\n"
					  "guest 8 192.168.8.60 printer\nguests end\n");
	event(w, "192.168.8.133", "db", LEASE_NEW);
	assert_true(play_has(last_list(w), "guests end\nguest 8 192.168.8.133 db\n"));
	event(w, "192.168.8.133", "db2", LEASE_RENEWED);
	assert_true(play_has(last_list(w), "guest 8 192.168.8.133 db2\n"));
	/* One goes: what is left is told anew. */
	w->nleases = 1;
	event(w, "192.168.8.133", "db2", LEASE_RELEASED);
	assert_string_equal(last_list(w), "guests begin\nguest 8 192.168.8.130 web1\nguests end\n");
	w->nleases = 0;
	event(w, "192.168.8.130", "web1", LEASE_EXPIRED);
	assert_string_equal(last_list(w), "guests begin\nguests end\n");
	world_free(w);
}

static void
natd_is_told_what_nat_conf_says(void **state UNUSED)
{
	struct world *w = world_new();

	world_add_net(w, 8, PLAY_NET8, NULL);
	world_start(w);
	assert_true(play_has(pushed(w), "dns 8 policy 0 timeout 2000 tries 3 host 1\n"));
	world_free(w);
}

static void
natd_is_told_what_answers_to_refuse(void **state UNUSED)
{
	struct world *w = world_new();

	world_add_net(w, 8, PLAY_NET8, NULL);
	world_write(
	    w, CONF_FILE_VNETD, 0,
	    "[vmnet8]\nrebind-protection = yes\nprivate-domains = Corp.example, lab.test\n");
	world_start(w);
	assert_true(play_has(pushed(w), "host 1 guarded but corp.example lab.test\n"));
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(natd_is_told_the_names_of_leases),
	    cmocka_unit_test(natd_is_told_what_nat_conf_says),
	    cmocka_unit_test(natd_is_told_what_answers_to_refuse),
	};

	return T_RUN(tests);
}
