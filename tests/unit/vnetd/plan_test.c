/* SPDX-License-Identifier: GPL-2.0-or-later
 * plan_test.c - from wanted and actual state to steps, as lists of words.
 */
#include "../lib/t.h"

#include <linux/rtnetlink.h>
#include <stdio.h>

#include "lib/strbuf.h"
#include "vnetd/alias.h"
#include "vnetd/plan.h"

struct fix {
	struct want want;
	struct want_tap tap;
	struct snapshot now;
	struct plan plan;
	int sysctls[NAMES_NETS];
	const char *busy; /* the port that priv is making */
	struct strbuf out;
};

static struct ip4
ip(const char *s)
{
	struct ip4 a;

	assert_true(ip4_parse(&a, s));
	return a;
}

static struct prefix4
prefix(const char *s)
{
	struct prefix4 p;

	assert_true(prefix4_parse(&p, s));
	return p;
}

static void
take(const struct msg *m, unsigned net, void *arg)
{
	struct fix *f = arg;
	const struct msg_port_set *p = &m->u.port_set;
	char name[PLAN_STEP_MAX];

	strbuf_addf(&f->out, "%s %u %s", msg_name(m->type), net, plan_step_name(name, m));
	if (m->type == MSG_PORT_SET) {
		strbuf_add(&f->out, p->up ? ": up" : ": down");
		if (p->mtu)
			strbuf_addf(&f->out, " mtu %u", p->mtu);
		if (!mac_is_zero(p->mac))
			strbuf_addf(&f->out, " mac %s", MAC_STR(p->mac));
		if (p->off)
			strbuf_add(&f->out, " off");
	}
	strbuf_addc(&f->out, '\n');
}

static bool
is_busy(const char *ifname, void *arg)
{
	struct fix *f = arg;

	return f->busy && !strcmp(f->busy, ifname);
}

static int
setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));
	struct want_net *w;

	if (!f)
		return -1;
	w = &f->want.net[8];
	w->what = WANT_NET;
	w->mtu = 1500;
	w->profile = SYSCTL_PROFILE_HOST;
	w->text = "NAT";
	w->addr[w->naddrs++] = ip("10.8.0.1");
	w->addr[w->naddrs++] = ip("10.8.0.2");
	w->subnet = prefix("10.8.0.0/24");
	w->src = w->addr[0];
	f->plan = (struct plan){.want = &f->want,
				.now = &f->now,
				.sysctls_set = f->sysctls,
				.busy = is_busy,
				.step = take,
				.arg = f};
	snapshot_init(&f->now);
	strbuf_init(&f->out);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fix *f = *state;

	snapshot_fini(&f->now);
	strbuf_fini(&f->out);
	free(f);
	return 0;
}

static struct rtnl_link
link_of(int ifindex, const char *name, const char *kind, const char *alias)
{
	struct rtnl_link l = {.ifindex = ifindex,
			      .mtu = 1500,
			      .up = true,
			      .lower_up = true,
			      .mac = names_port_mac(name),
			      .tun_owner = -1};

	snprintf(l.name, sizeof(l.name), "%s", name);
	snprintf(l.kind, sizeof(l.kind), "%s", kind);
	snprintf(l.alias, sizeof(l.alias), "%s", alias);
	return l;
}

static struct rtnl_link
bridge8(void)
{
	struct rtnl_link l = link_of(80, "vmnet8", "bridge", "vnetd:8 NAT");

	l.mac = names_bridge_mac(8);
	l.group = NAMES_LINK_GROUP;
	return l;
}

static void
add_addr(struct fix *f, int ifindex, const char *addr, uint8_t plen, uint8_t proto)
{
	const struct rtnl_addr a = {ifindex, ip(addr), plen, proto};

	snapshot_add_addr(&a, &f->now);
}

static void
add_route(struct fix *f, int oif, const char *dst, const char *src, uint8_t proto)
{
	const struct rtnl_route r = {.oif = oif,
				     .dst = prefix(dst),
				     .src = ip(src),
				     .table = RT_TABLE_MAIN,
				     .protocol = proto};

	snapshot_add_route(&r, &f->now);
}

/* vmnet8 as it should be. */
static void
add_net8(struct fix *f)
{
	struct rtnl_link l = bridge8();

	snapshot_add_link(&l, &f->now);
	add_addr(f, 80, "10.8.0.1", 32, NAMES_ROUTE_PROTO);
	add_addr(f, 80, "10.8.0.2", 32, NAMES_ROUTE_PROTO);
	add_route(f, 80, "10.8.0.0/24", "10.8.0.1", NAMES_ROUTE_PROTO);
	f->sysctls[8] = 80;
}

static void
expect(struct fix *f, const char *steps)
{
	snapshot_seal(&f->now);
	strbuf_fini(&f->out);
	plan_make(&f->plan);
	assert_string_equal(strbuf_str(&f->out), steps);
}

static void
nothing_there_makes_everything_in_order(void **state)
{
	expect(*state, "BRIDGE_SET 8 the bridge\n"
		       "SYSCTL_SET 8 the settings of vmnet8\n"
		       "ADDR_ADD 8 address 10.8.0.1\n"
		       "ADDR_ADD 8 address 10.8.0.2\n"
		       "ROUTE_ADD 8 route 10.8.0.0/24\n");
}

static void
everything_there_makes_no_step(void **state)
{
	add_net8(*state);
	expect(*state, "");
}

static void
each_missing_piece_is_one_step(void **state)
{
	struct fix *f = *state;
	struct rtnl_link l;

	add_net8(f);
	l = f->now.link[0];
	f->now.link[0].up = false;
	expect(f, "BRIDGE_SET 8 the bridge\n");
	f->now.link[0] = l;
	f->now.link[0].mtu = 1400;
	expect(f, "BRIDGE_SET 8 the bridge\n");
	f->now.link[0] = l;
	f->now.link[0].mac.b[0] = 2;
	expect(f, "BRIDGE_SET 8 the bridge\n");
	f->now.link[0] = l;
	snprintf(f->now.link[0].alias, sizeof(l.alias), "vnetd:8 host-only");
	expect(f, "BRIDGE_SET 8 the bridge\n");
	/* One that a dying priv left without its alias. */
	f->now.link[0].alias[0] = '\0';
	expect(f, "BRIDGE_SET 8 the bridge\n");
	f->now.link[0] = l;
	f->sysctls[8] = 79;
	expect(f, "SYSCTL_SET 8 the settings of vmnet8\n");
	f->sysctls[8] = 80;
	f->now.nroutes = 0;
	expect(f, "ROUTE_ADD 8 route 10.8.0.0/24\n");
	add_route(f, 80, "10.8.0.0/24", "10.8.0.1", NAMES_ROUTE_PROTO);
	f->now.naddrs = 1;
	expect(f, "ADDR_ADD 8 address 10.8.0.2\n");
}

/* Routes go before the addresses that they have as source. */
static void
what_is_ours_and_wrong_goes_first(void **state)
{
	struct fix *f = *state;

	add_net8(f);
	f->now.naddrs = f->now.nroutes = 0;
	add_addr(f, 80, "10.9.0.1", 32, NAMES_ROUTE_PROTO);
	add_route(f, 80, "10.9.0.0/24", "10.9.0.1", NAMES_ROUTE_PROTO);
	expect(f, "ROUTE_DEL 8 route 10.9.0.0/24\n"
		  "ADDR_DEL 8 address 10.9.0.1\n"
		  "ADDR_ADD 8 address 10.8.0.1\n"
		  "ADDR_ADD 8 address 10.8.0.2\n"
		  "ROUTE_ADD 8 route 10.8.0.0/24\n");
}

static void
a_route_with_another_source_is_replaced(void **state)
{
	struct fix *f = *state;

	add_net8(f);
	f->now.route[0].src = ip("10.8.0.2");
	expect(f, "ROUTE_DEL 8 route 10.8.0.0/24\n"
		  "ROUTE_ADD 8 route 10.8.0.0/24\n");
}

static void
what_others_put_onto_our_bridge_stays(void **state)
{
	struct fix *f = *state;

	add_net8(f);
	add_addr(f, 80, "10.99.0.1", 32, 0);
	add_addr(f, 80, "10.99.0.1", 24, NAMES_ROUTE_PROTO);
	add_route(f, 80, "10.99.0.0/24", "10.99.0.1", RTPROT_KERNEL);
	expect(f, "");
}

static void
networks_that_are_not_wanted_go_and_others_links_stay(void **state)
{
	struct fix *f = *state;
	struct rtnl_link l;

	add_net8(f);
	l = link_of(90, "vmnet9", "bridge", "vnetd:9 NAT");
	snapshot_add_link(&l, &f->now);
	l = link_of(91, "vmnet10", "bridge", "");
	snapshot_add_link(&l, &f->now);
	l = link_of(92, "br0", "bridge", "vnetd:x");
	snapshot_add_link(&l, &f->now);
	l = link_of(93, "vmnet11", "dummy", "vnetd:11");
	snapshot_add_link(&l, &f->now);
	l = link_of(94, "mine", "bridge", "vnetd:12 renamed by somebody");
	snapshot_add_link(&l, &f->now);
	expect(f, "BRIDGE_DEL 9 the bridge\n");
	f->want.net[9].what = WANT_AS_IT_IS;
	expect(f, "");
}

static void
a_network_in_trouble_is_not_touched(void **state)
{
	struct fix *f = *state;

	add_net8(f);
	f->now.naddrs = 0;
	f->now.link[0].up = false;
	f->want.net[8].what = WANT_AS_IT_IS;
	expect(f, "");
}

static void
ports_of_ours_go_back_to_their_bridge(void **state)
{
	struct fix *f = *state;
	struct rtnl_link l = link_of(81, "vmnet8p1", "tun", "vnetd:8 kind=helper");

	add_net8(f);
	l.master = 80;
	snapshot_add_link(&l, &f->now);
	expect(f, "");
	f->now.link[1].master = 0;
	expect(f, "PORT_ENSLAVE 8 port vmnet8p1\n");
	f->now.link[1].mtu = 1400;
	expect(f, "PORT_SET 8 port vmnet8p1: up mtu 1500\nPORT_ENSLAVE 8 port vmnet8p1\n");
	/* Somebody's other bridge: his port now. */
	f->now.link[1] = l;
	f->now.link[1].master = 4711;
	expect(f, "");
	/* A network that goes takes no guest's link with it. */
	f->want.net[8].what = WANT_NOTHING;
	expect(f, "BRIDGE_DEL 8 the bridge\n");
}

static void
half_made_ports_go_unless_priv_is_at_them(void **state)
{
	struct fix *f = *state;
	struct rtnl_link l = link_of(81, "vmnet8p1", "veth", "");

	add_net8(f);
	l.group = NAMES_LINK_GROUP;
	snapshot_add_link(&l, &f->now);
	f->now.link[1].master = 80;
	expect(f, "PORT_DEL 8 port vmnet8p1\n");
	f->busy = "vmnet8p1";
	expect(f, "");
	/* Its alias comes before its bridge. */
	snprintf(f->now.link[1].alias, sizeof(l.alias), "vnetd:8 kind=netns");
	f->now.link[1].master = 0;
	expect(f, "");
	f->busy = "vmnet8p2";
	expect(f, "PORT_ENSLAVE 8 port vmnet8p1\n");
}

static void
add_port(struct fix *f)
{
	struct rtnl_link l = link_of(81, "vmnet8p1", "tun", "vnetd:8 kind=attach owner=1000");

	l.master = 80;
	snapshot_add_link(&l, &f->now);
}

/* Never before its gate stands; and one that runs is not cut off to wait for it. */
static void
a_port_comes_up_behind_its_gate(void **state)
{
	struct plan_port ports[] = {{.ifindex = 7, .net = 8}, {.ifindex = 81, .net = 8}};
	struct fix *f = *state;

	add_net8(f);
	add_port(f);
	f->now.link[1].up = f->now.link[1].lower_up = false;
	expect(f, ""); /* the engine does not know it so far */
	f->plan.port = ports;
	f->plan.nports = ARRAY_LEN(ports);
	expect(f, "");
	ports[1].set = true;
	MSG_SET_STR(ports[1].gate.ifname, "vmnet8p1");
	expect(f, "GATE_SET 8 the gate of port vmnet8p1\n");
	ports[1].set = false;
	ports[1].gated = true;
	expect(f, "PORT_SET 8 port vmnet8p1: up\n");
	f->now.link[1].up = true;
	expect(f, "");
	ports[1].gated = false;
	expect(f, "");
	/* A wrong MTU is no reason either. */
	f->now.link[1].up = false;
	f->now.link[1].mtu = 1400;
	expect(f, "PORT_SET 8 port vmnet8p1: down mtu 1500\n");
}

static void
a_cable_that_is_out_stays_out(void **state)
{
	struct plan_port port = {.ifindex = 81, .net = 8, .gated = true, .down = true};
	struct fix *f = *state;

	add_net8(f);
	add_port(f);
	f->plan.port = &port;
	f->plan.nports = 1;
	expect(f, "PORT_SET 8 port vmnet8p1: down\n");
	f->now.link[1].up = f->now.link[1].lower_up = false;
	expect(f, "");
	port.down = false;
	expect(f, "PORT_SET 8 port vmnet8p1: up\n");
}

/* Before it goes back onto a bridge: there it could take a neighbour's address. */
static void
a_port_has_its_own_address_again(void **state)
{
	struct plan_port port = {.ifindex = 81, .net = 8, .gated = true};
	struct fix *f = *state;

	add_net8(f);
	add_port(f);
	f->now.link[1].mac = (struct mac){{0x52, 0x54, 0, 1, 2, 3}};
	f->plan.port = &port;
	f->plan.nports = 1;
	expect(f, "PORT_SET 8 port vmnet8p1: up mac fe:00:08:00:00:01\n");
	f->now.link[1].master = 0;
	expect(f, "PORT_SET 8 port vmnet8p1: up mac fe:00:08:00:00:01\n"
		  "PORT_ENSLAVE 8 port vmnet8p1\n");
}

/* Off its bridge and down in one step, after what the next engine is to know of it. */
static void
a_port_whose_holder_misbehaved_is_put_away(void **state)
{
	struct plan_port port = {.ifindex = 81,
				 .net = 8,
				 .gated = true,
				 .down = true,
				 .blocked = true,
				 .set = true,
				 .gate = {.net = 8, .ifname = "vmnet8p1"}};
	struct fix *f = *state;

	add_net8(f);
	add_port(f);
	f->plan.port = &port;
	f->plan.nports = 1;
	expect(f, "GATE_SET 8 the gate of port vmnet8p1\n"
		  "PORT_SET 8 port vmnet8p1: down mac fe:00:08:00:00:01 off\n");
	port.set = false;
	expect(f, "PORT_SET 8 port vmnet8p1: down mac fe:00:08:00:00:01 off\n");
	/* There it stays, whatever else is wrong. */
	f->now.link[1].master = 0;
	f->now.link[1].up = f->now.link[1].lower_up = false;
	f->now.link[1].mtu = 1400;
	expect(f, "");
	f->now.link[1].master = 80;
	expect(f, "PORT_SET 8 port vmnet8p1: down mac fe:00:08:00:00:01 off\n");
	/* Until it is pardoned. */
	f->now.link[1].master = 0;
	f->now.link[1].mtu = 1500;
	port.blocked = port.down = port.gated = false;
	expect(f, "PORT_ENSLAVE 8 port vmnet8p1\n");
}

static void
gates_are_set_where_the_network_is_wanted(void **state)
{
	struct plan_port ports[] = {
	    {.ifindex = 5, .net = 8, .set = true, .gate = {.net = 8, .ifname = "vnet3"}},
	    {.ifindex = 6, .net = 8, .gate = {.net = 8, .ifname = "vnet4"}},
	    {.ifindex = 7, .net = 9, .set = true, .gate = {.net = 9, .ifname = "vnet5"}},
	};
	struct fix *f = *state;

	add_net8(f);
	f->plan.port = ports;
	f->plan.nports = ARRAY_LEN(ports);
	expect(f, "GATE_SET 8 the gate of port vnet3\n");
	/* A revocation does not wait for the rest of the network. */
	f->want.net[8].what = WANT_AS_IT_IS;
	expect(f, "GATE_SET 8 the gate of port vnet3\n");
	/* Nor does putting away whoever disturbs it. */
	add_port(f);
	ports[1] = (struct plan_port){.ifindex = 81, .net = 8, .down = true, .blocked = true};
	ports[2].ifindex = 82;
	expect(f, "PORT_SET 8 port vmnet8p1: down mac fe:00:08:00:00:01 off\n"
		  "GATE_SET 8 the gate of port vnet3\n");
}

/* A tap that its holder made persistent goes with him, and one of a holder who misbehaved at once: down, it
 * does not tell whether he is there. */
static void
taps_that_were_left_behind_go(void **state)
{
	static const struct {
		bool persist, up, lower_up, blocked, goes;
	} rows[] = {
	    {true, true, false, false, true},   /* nobody is there */
	    {true, true, true, false, false},   /* he is */
	    {true, false, false, false, false}, /* its cable is out: nobody can tell */
	    {true, false, false, true, true},   /* blocked */
	    {true, true, true, true, false},    /* about to be put away */
	    {false, true, false, false, false}, /* it goes by itself */
	    {false, false, false, true, false},
	};
	struct fix *f = *state;

	add_net8(f);
	add_port(f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct plan_port port = {.ifindex = 81,
					 .net = 8,
					 .gated = true,
					 .down = !rows[i].up || rows[i].blocked,
					 .blocked = rows[i].blocked};

		f->now.link[1].tun_persist = rows[i].persist;
		f->now.link[1].up = rows[i].up;
		f->now.link[1].lower_up = rows[i].lower_up;
		f->plan.port = &port;
		f->plan.nports = 1;
		if (rows[i].goes)
			expect(f, "PORT_DEL 8 port vmnet8p1\n");
		else
			expect(f, rows[i].blocked
				      ? "PORT_SET 8 port vmnet8p1: down mac fe:00:08:00:00:01 off\n"
				      : "");
	}
}

static void
want_tap(struct fix *f)
{
	f->tap = (struct want_tap){.name = "fc0", .net = 8, .owner = 1000, .queues = 2};
	f->want.tap = &f->tap;
	f->want.ntaps = 1;
}

static void
static_taps_are_made_changed_and_removed(void **state)
{
	struct fix *f = *state;
	struct rtnl_link l = link_of(81, "fc0", "tun", "vnetd:8 kind=static owner=1000 queues=2");

	add_net8(f);
	want_tap(f);
	expect(f, "TAP_ADD 8 tap fc0\n");
	l.master = 80;
	l.tun_owner = 1000;
	snapshot_add_link(&l, &f->now);
	expect(f, "");
	/* It waits for whoever opens it. */
	f->now.link[1].tun_persist = true;
	f->now.link[1].lower_up = false;
	expect(f, "");
	f->tap.owner = 1001;
	expect(f, "PORT_DEL 8 port fc0\nTAP_ADD 8 tap fc0\n");
	f->tap.owner = 1000;
	f->tap.queues = 1;
	expect(f, "PORT_DEL 8 port fc0\nTAP_ADD 8 tap fc0\n");
	f->tap.queues = 2;
	/* Its owner is what the kernel says, not what the alias claims. */
	f->now.link[1].tun_owner = 1001;
	expect(f, "PORT_DEL 8 port fc0\nTAP_ADD 8 tap fc0\n");
	f->want.ntaps = 0;
	expect(f, "PORT_DEL 8 port fc0\n");
}

static void
a_static_tap_waits_for_its_network_and_its_name(void **state)
{
	struct fix *f = *state;
	struct rtnl_link l = link_of(81, "fc0", "dummy", "");

	add_net8(f);
	want_tap(f);
	snapshot_add_link(&l, &f->now);
	expect(f, "");
	f->now.nlinks = 1;
	f->want.net[8].what = WANT_AS_IT_IS;
	expect(f, "");
}

static void
a_static_tap_moves_to_another_network(void **state)
{
	struct fix *f = *state;
	struct rtnl_link l = link_of(81, "fc0", "tun", "vnetd:9 kind=static owner=1000 queues=2");

	add_net8(f);
	want_tap(f);
	l.tun_owner = 1000;
	snapshot_add_link(&l, &f->now);
	expect(f, "PORT_DEL 9 port fc0\nTAP_ADD 8 tap fc0\n");
}

static void
strays_are_put_back_when_the_network_is_wanted(void **state)
{
	struct fix *f = *state;
	const struct plan_stray strays[] = {{"vnet3", 8}, {"vnet4", 9}};

	add_net8(f);
	f->plan.stray = strays;
	f->plan.nstrays = ARRAY_LEN(strays);
	expect(f, "PORT_ENSLAVE 8 port vnet3\n");
}

/* --- plan_judge() --- */

static enum plan_verdict
judge(struct fix *f, char why[PLAN_WHY_MAX], bool runs)
{
	char cure[PLAN_WHY_MAX];
	enum plan_verdict v;

	snapshot_seal(&f->now);
	v = plan_judge(why, cure, &f->now, 8, &f->want.net[8], runs);
	assert_int_equal(*why == '\0', v == PLAN_FREE);
	assert_int_equal(*cure == '\0', v == PLAN_FREE);
	return v;
}

static void
a_subnet_in_use_blocks_a_new_network(void **state)
{
	struct fix *f = *state;
	struct rtnl_link l = link_of(5, "tun0", "tun", "");
	char why[PLAN_WHY_MAX];

	assert_int_equal(judge(f, why, false), PLAN_FREE);
	snapshot_add_link(&l, &f->now);
	add_route(f, 5, "10.0.0.0/8", "0.0.0.0", RTPROT_STATIC);
	assert_int_equal(judge(f, why, false), PLAN_BLOCKED);
	assert_string_equal(why,
			    "its subnet 10.8.0.0/24 is also used by the route 10.0.0.0/8 dev tun0");
	f->now.route[0].gateway = ip("192.0.2.1");
	f->now.route[0].dst = prefix("10.8.0.128/25");
	assert_int_equal(judge(f, why, false), PLAN_BLOCKED);
	assert_string_equal(why, "its subnet 10.8.0.0/24 is also used by the route 10.8.0.128/25 "
				 "via 192.0.2.1 dev tun0");
	f->now.route[0].dst = prefix("0.0.0.0/1");
	assert_int_equal(judge(f, why, false), PLAN_FREE);
	f->now.route[0].dst = prefix("10.9.0.0/24");
	assert_int_equal(judge(f, why, false), PLAN_FREE);
	add_addr(f, 5, "10.8.0.200", 24, 0);
	assert_int_equal(judge(f, why, false), PLAN_BLOCKED);
	assert_string_equal(why, "its subnet 10.8.0.0/24 contains 10.8.0.200, an address of tun0");
}

static void
who_was_first_goes_on(void **state)
{
	struct fix *f = *state;
	char why[PLAN_WHY_MAX];

	add_net8(f);
	assert_int_equal(judge(f, why, false), PLAN_FREE);
	add_route(f, 5, "10.8.0.0/16", "0.0.0.0", RTPROT_STATIC);
	assert_int_equal(judge(f, why, false), PLAN_CONTESTED);
	f->now.nroutes--; /* its own, which lie behind those of others */
	assert_int_equal(judge(f, why, false), PLAN_BLOCKED);
	assert_int_equal(judge(f, why, true), PLAN_CONTESTED);
}

static void
a_foreign_link_of_our_name_blocks_whatever_runs(void **state)
{
	struct fix *f = *state;
	struct rtnl_link l = link_of(5, "vmnet8", "bridge", "");
	char why[PLAN_WHY_MAX];

	snapshot_add_link(&l, &f->now);
	assert_int_equal(judge(f, why, true), PLAN_BLOCKED);
	/* Ours by name and group, made by a priv that died before the alias. */
	f->now.link[0].group = NAMES_LINK_GROUP;
	assert_int_equal(judge(f, why, true), PLAN_FREE);
	snprintf(f->now.link[0].alias, sizeof(l.alias), "vnetd:9");
	assert_int_equal(judge(f, why, true), PLAN_BLOCKED);
}

static void
a_segment_uses_no_subnet(void **state)
{
	struct fix *f = *state;
	char why[PLAN_WHY_MAX];

	add_route(f, 5, "10.0.0.0/8", "0.0.0.0", RTPROT_STATIC);
	f->want.net[8].subnet = (struct prefix4){{0}, 0};
	assert_int_equal(judge(f, why, false), PLAN_FREE);
}

static void
add_neigh(struct fix *f, const char *addr, struct mac mac, uint8_t proto, bool permanent)
{
	const struct rtnl_neigh n = {80, ip(addr), mac, proto, permanent};

	snapshot_add_neigh(&n, &f->now);
}

static void
neighbours_are_those_of_static_arp(void **state)
{
	static const struct mac a = {{0, 0x0c, 0x29, 0, 0, 1}}, b = {{0, 0x0c, 0x29, 0, 0, 2}};
	struct dhcp_host host[] = {{.mac = a, .ip = ip("10.8.0.9"), .static_arp = true},
				   {.mac = b, .ip = ip("10.8.0.10")}};
	struct fix *f = *state;

	f->want.net[8].host = host;
	f->want.net[8].nhosts = 2;
	expect(f, "BRIDGE_SET 8 the bridge\n"
		  "SYSCTL_SET 8 the settings of vmnet8\n"
		  "ADDR_ADD 8 address 10.8.0.1\n"
		  "ADDR_ADD 8 address 10.8.0.2\n"
		  "ROUTE_ADD 8 route 10.8.0.0/24\n"
		  "NEIGH_SET 8 neighbour 10.8.0.9\n");
	add_net8(f);
	expect(f, "NEIGH_SET 8 neighbour 10.8.0.9\n");
	add_neigh(f, "10.8.0.9", a, NAMES_ROUTE_PROTO, true);
	expect(f, "");
	/* Somebody else's serves as well, unless it leads elsewhere or can be forgotten. */
	f->now.neigh[0].proto = 0;
	expect(f, "");
	f->now.neigh[0].mac = b;
	expect(f, "NEIGH_SET 8 neighbour 10.8.0.9\n");
	f->now.neigh[0] = (struct rtnl_neigh){80, host[0].ip, a, NAMES_ROUTE_PROTO, false};
	expect(f, "NEIGH_SET 8 neighbour 10.8.0.9\n");
	f->now.neigh[0].permanent = true;
	/* Ours that is not wanted goes; others' on our bridge, and ours elsewhere, stay. */
	add_neigh(f, "10.8.0.10", b, NAMES_ROUTE_PROTO, true);
	add_neigh(f, "10.8.0.11", b, 0, true);
	add_neigh(f, "10.8.0.12", b, NAMES_ROUTE_PROTO, true);
	f->now.neigh[3].ifindex = 5;
	expect(f, "NEIGH_DEL 8 neighbour 10.8.0.10\n");
	f->want.net[8].what = WANT_AS_IT_IS;
	expect(f, "");
}

static void
a_learned_neighbour_is_none_of_ours(void **state)
{
	struct fix *f = *state;

	add_neigh(f, "10.8.0.9", (struct mac){{0, 0x0c, 0x29, 0, 0, 1}}, 0, false);
	assert_int_equal(f->now.nneighs, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(nothing_there_makes_everything_in_order),
	    T(everything_there_makes_no_step),
	    T(each_missing_piece_is_one_step),
	    T(what_is_ours_and_wrong_goes_first),
	    T(a_route_with_another_source_is_replaced),
	    T(what_others_put_onto_our_bridge_stays),
	    T(networks_that_are_not_wanted_go_and_others_links_stay),
	    T(a_network_in_trouble_is_not_touched),
	    T(ports_of_ours_go_back_to_their_bridge),
	    T(half_made_ports_go_unless_priv_is_at_them),
	    T(a_port_comes_up_behind_its_gate),
	    T(a_cable_that_is_out_stays_out),
	    T(a_port_has_its_own_address_again),
	    T(a_port_whose_holder_misbehaved_is_put_away),
	    T(gates_are_set_where_the_network_is_wanted),
	    T(taps_that_were_left_behind_go),
	    T(static_taps_are_made_changed_and_removed),
	    T(a_static_tap_waits_for_its_network_and_its_name),
	    T(a_static_tap_moves_to_another_network),
	    T(strays_are_put_back_when_the_network_is_wanted),
	    T(a_subnet_in_use_blocks_a_new_network),
	    T(who_was_first_goes_on),
	    T(a_foreign_link_of_our_name_blocks_whatever_runs),
	    T(a_segment_uses_no_subnet),
	    T(neighbours_are_those_of_static_arp),
	    T(a_learned_neighbour_is_none_of_ours),
	};

	return T_RUN(tests);
}
