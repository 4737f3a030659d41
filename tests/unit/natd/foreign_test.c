/* SPDX-License-Identifier: GPL-2.0-or-later
 * foreign_test.c - foreign base chains -> where rules of ours are to stand.
 */
#include "../lib/t.h"

#include <string.h>

#include "natd/foreign.h"

static struct msg_natd_net nets[] = {
    {.net = 1, .subnet = {0x0a010000}, .len = 24},
    {.net = 8, .subnet = {0x0a080000}, .len = 24, .nat = true, .dns = {0x0a080002}},
};

static const struct natd_conf allowed = {.foreign_allow = true, .nets = nets, .nnets = 2};

static struct msg_firewall_row
chain(bool forward, const char *jumps)
{
	struct msg_firewall_row r = {
	    .family = "ip", .table = "filter", .forward = forward, .policy_drop = true};

	MSG_SET_STR(r.chain, forward ? "FORWARD" : "INPUT");
	MSG_SET_STR(r.jumps, jumps);
	return r;
}

static void
at(const struct msg_firewall_row *r, int place)
{
	enum foreign_place p;

	if (place < 0) {
		assert_false(foreign_place(&p, r));
	} else {
		assert_true(foreign_place(&p, r));
		assert_int_equal(p, place);
	}
}

static void
each_owner_has_its_place(void **state UNUSED)
{
	struct msg_firewall_row r = chain(true, "DOCKER-USER DOCKER-FORWARD");

	at(&r, FOREIGN_DOCKER_USER);
	r = chain(true, "DOCKER-FORWARD");
	at(&r, FOREIGN_IPTABLES_FORWARD);
	r = chain(true, "ufw-before-forward DOCKER-USER");
	at(&r, FOREIGN_DOCKER_USER);
	r = chain(true, "ufw-before-logging-forward ufw-before-forward");
	at(&r, FOREIGN_IPTABLES_FORWARD);
	r = chain(false, "ufw-before-input");
	at(&r, FOREIGN_IPTABLES_INPUT);
	r = chain(true, "");
	at(&r, FOREIGN_IPTABLES_FORWARD);
	r = chain(false, "");
	at(&r, FOREIGN_IPTABLES_INPUT);
}

static void
elsewhere_nothing_is_changed(void **state UNUSED)
{
	struct msg_firewall_row r = chain(true, "");

	/* It drops something by name: somebody's will. */
	r.policy_drop = false;
	at(&r, -1);
	r.final_drop = true;
	at(&r, FOREIGN_IPTABLES_FORWARD);
	MSG_SET_STR(r.family, "inet");
	at(&r, -1);
	r = chain(true, "");
	MSG_SET_STR(r.table, "firewalld");
	at(&r, -1);
	r = chain(true, "");
	MSG_SET_STR(r.chain, "forward");
	at(&r, -1);
}

static void
networks_by_what_they_need(void **state UNUSED)
{
	const struct msg_firewall_row rows[] = {chain(true, "DOCKER-USER"), chain(false, "")};
	struct foreign_want w[FOREIGN_PLACE_N];
	struct natd_conf c = allowed;

	foreign_want(w, &c, rows, 2);
	assert_int_equal(w[FOREIGN_DOCKER_USER].through[1], 1); /* vmnet8 */
	assert_int_equal(w[FOREIGN_DOCKER_USER].through[0], 0);
	assert_int_equal(w[FOREIGN_DOCKER_USER].inside[0], 2); /* vmnet1 */
	assert_int_equal(w[FOREIGN_IPTABLES_INPUT].through[1], 1);
	assert_int_equal(w[FOREIGN_IPTABLES_INPUT].inside[0], 0);
	for (unsigned p = 0; p < FOREIGN_PLACE_N; p++)
		assert_int_equal(foreign_want_any(&w[p]),
				 p == FOREIGN_DOCKER_USER || p == FOREIGN_IPTABLES_INPUT);
	/* Networks without an address have guests too. */
	c.bridges[0] = 1 << 3;
	foreign_want(w, &c, rows, 2);
	assert_int_equal(w[FOREIGN_DOCKER_USER].inside[0], 2 | 1 << 3);
	assert_int_equal(w[FOREIGN_IPTABLES_INPUT].inside[0], 0);
	/* The chain stopped dropping. */
	foreign_want(w, &c, rows, 0);
	for (unsigned p = 0; p < FOREIGN_PLACE_N; p++)
		assert_false(foreign_want_any(&w[p]));
	/* Without the administrator's word nothing. */
	c.foreign_allow = false;
	foreign_want(w, &c, rows, 2);
	for (unsigned p = 0; p < FOREIGN_PLACE_N; p++)
		assert_false(foreign_want_any(&w[p]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_owner_has_its_place),
	    cmocka_unit_test(elsewhere_nothing_is_changed),
	    cmocka_unit_test(networks_by_what_they_need),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
