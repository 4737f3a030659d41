/* SPDX-License-Identifier: GPL-2.0-or-later
 * firewalld_plan_test.c - who is put into our zone of firewalld, who is taken out, who stays.
 */
#include "../lib/t.h"

#include "vnetd/firewalld_plan.h"

static const struct firewalld_nets none;

static struct firewalld_nets
set(unsigned a, unsigned b)
{
	struct firewalld_nets s = none;

	msg_nets_add(s.b, a);
	msg_nets_add(s.b, b);
	return s;
}

static void
networks_that_need_it(void **state UNUSED)
{
	struct msg_net_row row = {.net = 8, .state = NET_STATE_OK};

	assert_false(firewalld_wants(&row));
	row.nat = true;
	assert_true(firewalld_wants(&row));
	row.state = NET_STATE_FAILED;
	assert_true(firewalld_wants(&row));
	row.nat = false;
	row.dns.h = 0xc0a80802;
	assert_true(firewalld_wants(&row));
}

static void
interfaces_of_others_are_not_ours(void **state UNUSED)
{
	static const char *const names[] = {"vmnet8p1", "vmnet", "vmnet256", "vmnet08",
					    "virbr0",   "",      "vmnet-1",  "vmnet8 "};
	struct firewalld_nets in = none, eight = set(8, 255);

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		firewalld_note(&in, names[i]);
	assert_memory_equal(&in, &none, sizeof(in));
	firewalld_note(&in, "vmnet8");
	firewalld_note(&in, "vmnet255");
	assert_memory_equal(&in, &eight, sizeof(in));
}

static void
step_is(const struct firewalld_nets *in, const struct firewalld_nets *wanted,
	const struct firewalld_nets *left, unsigned net, bool remove)
{
	struct firewalld_step s;

	assert_true(firewalld_next(&s, in, wanted, left));
	assert_int_equal(s.net, net);
	assert_int_equal(s.remove, remove);
}

static void
steps_lead_to_what_is_wanted(void **state UNUSED)
{
	struct firewalld_nets in = set(3, 8), wanted = set(8, 200), left = none;
	struct firewalld_step s;

	step_is(&in, &wanted, &left, 3, true);
	msg_nets_add(left.b, 3);
	step_is(&in, &wanted, &left, 200, false);
	msg_nets_add(left.b, 200);
	assert_false(firewalld_next(&s, &in, &wanted, &left));
	/* All of them are as they should be. */
	assert_false(firewalld_next(&s, &in, &in, &none));
	assert_false(firewalld_next(&s, &none, &none, &none));
	/* The last network there can be. */
	wanted = set(255, 255);
	step_is(&none, &wanted, &none, 255, false);
	step_is(&wanted, &none, &none, 255, true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(networks_that_need_it),
	    cmocka_unit_test(interfaces_of_others_are_not_ours),
	    cmocka_unit_test(steps_lead_to_what_is_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
