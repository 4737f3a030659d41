/* SPDX-License-Identifier: GPL-2.0-or-later
 * flowdev_test.c - which interfaces the flowtable looks at, and what changes when the host does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/strbuf.h"
#include "lib/util.h"
#include "natd/flowdev.h"

static struct msg_nat_net nets[] = {
    {.net = 1}, {.net = 8, .nat = true}, {.net = 9, .nat = true, .egress = "eth1"}};
static const struct nat_plan plan = {.flowtable = true, .nets = nets, .nnets = 3};

static struct rtnl_link
link_of(int ifindex, const char *name)
{
	struct rtnl_link l = {.ifindex = ifindex, .up = true};

	snprintf(l.name, sizeof(l.name), "%s", name);
	return l;
}

static void
address(struct flowdevs *d, int ifindex)
{
	flowdev_addr(d, &(struct rtnl_addr){.ifindex = ifindex, .addr = {0xc6336401}, .plen = 24});
}

static void
expect(const struct flowdevs *d, const char *want)
{
	struct strbuf b;

	strbuf_init(&b);
	for (size_t i = 0; i < d->n; i++)
		strbuf_addf(&b, "%s ", d->v[i].name);
	assert_string_equal(strbuf_str(&b), want);
	strbuf_fini(&b);
}

static void
uplinks_and_networks_with_nat(void **state UNUSED)
{
	struct rtnl_link l;
	struct flowdevs d = {0};

	for (int i = 1; i <= 12; i++)
		if (i != 3)
			address(&d, i);
	address(&d, 12);
	l = link_of(1, "lo");
	l.loopback = true;
	flowdev_link(&d, &plan, &l);
	l = link_of(2, "eth0");
	l.up = false; /* it may come up with its address */
	flowdev_link(&d, &plan, &l);
	l = link_of(3, "eth1"); /* no address */
	flowdev_link(&d, &plan, &l);
	l = link_of(4, "eth2"); /* a port of br0 */
	l.master = 5;
	flowdev_link(&d, &plan, &l);
	l = link_of(5, "br0");
	flowdev_link(&d, &plan, &l);
	l = link_of(6, "wg0");
	flowdev_link(&d, &plan, &l);
	l = link_of(7, "vmnet1"); /* without NAT */
	flowdev_link(&d, &plan, &l);
	l = link_of(8, "vmnet8");
	flowdev_link(&d, &plan, &l);
	l = link_of(9, "vmnet9"); /* each of its packets is looked at */
	flowdev_link(&d, &plan, &l);
	l = link_of(10, "vmnet8p1");
	flowdev_link(&d, &plan, &l);
	l = link_of(11, "vmnet80"); /* somebody's */
	flowdev_link(&d, &plan, &l);
	expect(&d, "eth0 br0 wg0 vmnet8 ");
}

/* A bridge of ours needs no address on the host's side to take what guests send. */
static void
a_bridge_counts_by_its_plan(void **state UNUSED)
{
	struct rtnl_link l = link_of(8, "vmnet8");
	struct flowdevs d = {0};

	flowdev_link(&d, &plan, &l);
	expect(&d, "vmnet8 ");
}

static void
only_where_somebody_uses_it(void **state UNUSED)
{
	struct nat_plan p = plan;

	assert_true(flowdev_any(&p));
	p.flowtable = false;
	assert_false(flowdev_any(&p));
	p.flowtable = true;
	p.nnets = 1;
	assert_false(flowdev_any(&p));
	p.nets = nets + 2;
	assert_false(flowdev_any(&p));
}

static void
note(const struct flowdev *d, bool gone, void *arg)
{
	strbuf_addf(arg, "%c%s%d ", gone ? '-' : '+', d->name, d->ifindex);
}

static void
only_what_changed_is_told(void **state UNUSED)
{
	struct flowdevs was = {.n = 3, .v = {{2, "eth0"}, {6, "wg0"}, {8, "vmnet8"}}};
	struct flowdevs now = {.n = 3, .v = {{2, "wan"}, {7, "eth1"}, {9, "vmnet8"}}};
	struct strbuf b;

	strbuf_init(&b);
	flowdev_diff(&was, &was, note, &b);
	assert_string_equal(strbuf_str(&b), "");
	flowdev_diff(&was, &now, note, &b);
	assert_string_equal(strbuf_str(&b), "-wg06 -vmnet88 +eth17 +vmnet89 ");
	strbuf_fini(&b);
}

static void
no_more_than_there_is_room_for(void **state UNUSED)
{
	struct flowdevs d = {0};
	char name[RTNL_NAME_MAX];

	for (int i = 1; i <= 2 * FLOWDEV_ADDRS_MAX; i++)
		address(&d, i);
	assert_int_equal(d.naddressed, FLOWDEV_ADDRS_MAX);
	for (int i = 1; i <= 2 * FLOWDEVS_MAX; i++) {
		struct rtnl_link l;

		snprintf(name, sizeof(name), "eth%d", i);
		l = link_of(i, name);
		flowdev_link(&d, &plan, &l);
	}
	assert_int_equal(d.n, FLOWDEVS_MAX);
}

static void
what_is_no_reason_to_look(void **state UNUSED)
{
	struct rtnl_link l = link_of(1, "lo");

	l.loopback = true;
	assert_true(flowdev_is_nothing(&l));
	l = link_of(2, "vmnet8p12");
	assert_true(flowdev_is_nothing(&l));
	l = link_of(3, "vmnet8");
	assert_false(flowdev_is_nothing(&l));
	l = link_of(4, "enp3s0");
	assert_false(flowdev_is_nothing(&l));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(uplinks_and_networks_with_nat),
	    cmocka_unit_test(a_bridge_counts_by_its_plan),
	    cmocka_unit_test(only_where_somebody_uses_it),
	    cmocka_unit_test(only_what_changed_is_told),
	    cmocka_unit_test(no_more_than_there_is_room_for),
	    cmocka_unit_test(what_is_no_reason_to_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
