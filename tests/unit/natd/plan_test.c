/* SPDX-License-Identifier: GPL-2.0-or-later
 * plan_test.c - configuration rows -> NAT rows, problems, and which forwards lose their
 * connections.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/util.h"
#include "natd/plan.h"

#define IP(a, b, c, d) ((struct ip4){(uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d)})

static void
add(struct natd_conf *c, struct msg m)
{
	assert_true(natd_conf_add(c, &m));
}

static void
add_net(struct natd_conf *c, uint16_t net, bool nat)
{
	struct msg m = msg_make(MSG_NATD_NET, 0);

	m.u.natd_net = (struct msg_natd_net){
	    .net = net,
	    .subnet = IP(10, net, 0, 0),
	    .len = 24,
	    .host = IP(10, net, 0, 1),
	    .gateway = nat ? IP(10, net, 0, 2) : IP(0, 0, 0, 0),
	    .adapter = true,
	    .nat = nat,
	    .udp_timeout_s = 30,
	};
	add(c, m);
}

static void
add_forward(struct natd_conf *c, uint16_t net, enum ip_proto proto, uint16_t port, struct ip4 guest,
	    uint16_t guest_port)
{
	struct msg m = msg_make(MSG_NATD_FORWARD, 0);

	m.u.natd_forward = (struct msg_natd_forward){.net = net,
						     .proto = (uint8_t)proto,
						     .port = port,
						     .guest = guest,
						     .guest_port = guest_port};
	add(c, m);
}

/* Two networks, one of them NAT, two forwards. */
static struct natd_conf
sample(void)
{
	struct natd_conf c = {0};
	struct msg m = msg_make(MSG_CONF_BEGIN, 0);

	m.u.conf_begin.generation = 7;
	add(&c, m);
	add_net(&c, 8, true);
	add_net(&c, 1, false);
	add_forward(&c, 8, PROTO_UDP, 5000, IP(10, 8, 0, 131), 5001);
	add_forward(&c, 8, PROTO_TCP, 8080, IP(10, 8, 0, 130), 80);
	return c;
}

static struct nat_plan
made(const struct natd_conf *c)
{
	struct nat_plan p;

	assert_true(plan_make(&p, c, NULL, NULL));
	return p;
}

static void
rows_are_translated_and_sorted(void **state UNUSED)
{
	struct natd_conf c = sample();
	struct nat_plan p;
	struct msg m = msg_make(MSG_NATD_GLOBAL, 0);

	m.u.natd_global.forward_others = m.u.natd_global.flowtable = true;
	add(&c, m);
	p = made(&c);
	assert_int_equal(c.generation, 7);
	assert_true(p.forward_others && p.flowtable);
	assert_int_equal(p.nproblems, 0);
	assert_int_equal(p.nnets, 2);
	assert_int_equal(p.nets[0].net, 1);
	assert_false(p.nets[0].nat);
	assert_int_equal(p.nets[1].net, 8);
	assert_true(p.nets[1].nat && p.nets[1].adapter);
	assert_int_equal(p.nets[1].gateway.h, IP(10, 8, 0, 2).h);
	assert_int_equal(p.nets[1].udp_timeout_s, 30);
	assert_int_equal(p.nforwards, 2);
	assert_int_equal(p.forwards[0].proto, PROTO_TCP);
	assert_int_equal(p.forwards[0].guest.h, IP(10, 8, 0, 130).h);
	assert_int_equal(p.forwards[1].port, 5000);
	assert_int_equal(p.forwards[1].guest_port, 5001);
	plan_fini(&p);
	natd_conf_fini(&c);
}

static void
an_empty_configuration_is_a_plan(void **state UNUSED)
{
	struct natd_conf c = {0};
	struct nat_plan p = made(&c), q = made(&c);

	assert_int_equal(p.nnets + p.nforwards + p.nproblems, 0);
	assert_true(plan_same(&p, &q));
	plan_fini(&p);
	plan_fini(&q);
}

static void
other_messages_are_not_rows(void **state UNUSED)
{
	struct natd_conf c = {0};
	struct msg m = msg_make(MSG_DHCP_NET, 0);

	assert_false(natd_conf_add(&c, &m));
	natd_conf_fini(&c);
}

#define FORWARD(n, p, from, to, to_port)                                                           \
	{                                                                                          \
		.net = n, .proto = p, .port = from, .guest = to, .guest_port = to_port             \
	}

/* Changed one by one, a plan is what it would be made of the changed rows. */
static void
one_forward_more_or_less(void **state UNUSED)
{
	struct msg_nat_forward f = FORWARD(8, PROTO_TCP, 443, IP(10, 8, 0, 140), 4430);
	struct natd_conf c = sample();
	struct nat_plan p = made(&c), q, copy = {0};

	add_forward(&c, 8, PROTO_TCP, 443, IP(10, 8, 0, 140), 4430);
	q = made(&c);
	assert_true(plan_copy(&copy, &p));
	assert_true(plan_same(&copy, &p));
	assert_true(plan_change(&p, &f, false));
	assert_true(plan_same(&p, &q));
	assert_false(plan_change(&p, &f, false));
	assert_true(plan_same(&p, &q));
	for (uint16_t port = 1000; port < 1200; port++) {
		f = (struct msg_nat_forward)FORWARD(8, PROTO_UDP, port, IP(10, 8, 0, 9), port);
		assert_true(plan_change(&copy, &f, false));
	}
	assert_int_equal(copy.nforwards, 202);
	for (size_t i = 1; i < copy.nforwards; i++)
		assert_true(copy.forwards[i - 1].proto < copy.forwards[i].proto ||
			    copy.forwards[i - 1].port < copy.forwards[i].port);
	for (uint16_t port = 1199; port >= 1000; port--) {
		f = (struct msg_nat_forward)FORWARD(8, PROTO_UDP, port, IP(10, 8, 0, 9), port);
		assert_true(plan_change(&copy, &f, true));
	}
	f = (struct msg_nat_forward)FORWARD(8, PROTO_TCP, 443, IP(10, 8, 0, 140), 4430);
	assert_true(plan_change(&p, &f, true));
	assert_true(plan_same(&p, &copy));
	plan_fini(&p);
	plan_fini(&q);
	plan_fini(&copy);
	natd_conf_fini(&c);
}

static void
a_change_that_cannot_be_leaves_the_plan(void **state UNUSED)
{
	static const struct {
		struct msg_nat_forward f;
		bool gone;
	} bad[] = {
	    {FORWARD(8, PROTO_TCP, 9999, {0x0a080082}, 80), true},  /* it is not there */
	    {FORWARD(8, PROTO_TCP, 8080, {0x0a080083}, 80), true},  /* it leads elsewhere */
	    {FORWARD(8, PROTO_TCP, 8080, {0x0a080083}, 80), false}, /* its port is taken */
	    {FORWARD(8, PROTO_N, 9999, {0x0a080082}, 80), false},
	    {FORWARD(8, PROTO_TCP, 0, {0x0a080082}, 80), false},
	    {FORWARD(8, PROTO_TCP, 9999, {0x0a080082}, 0), false},
	    {FORWARD(8, PROTO_TCP, 9999, {0x0a090082}, 80), false},
	    {FORWARD(8, PROTO_TCP, 9999, {0x0a0800ff}, 80), false},
	    {FORWARD(1, PROTO_TCP, 9999, {0x0a010082}, 80), false}, /* no NAT */
	    {FORWARD(9, PROTO_TCP, 9999, {0x0a090082}, 80), false}, /* no such network */
	};
	struct msg_nat_forward good = FORWARD(8, PROTO_TCP, 9999, IP(10, 8, 0, 130), 80);
	struct natd_conf c = sample();
	struct nat_plan p = made(&c), q = made(&c);

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_false(plan_change(&p, &bad[i].f, bad[i].gone));
		assert_true(plan_same(&p, &q));
	}
	plan_fini(&p);
	/* The second forward of a port is a problem; what goes may be the first. */
	add_forward(&c, 8, PROTO_TCP, 8080, IP(10, 8, 0, 131), 80);
	p = made(&c);
	assert_false(plan_change(&p, &good, false));
	good = (struct msg_nat_forward)FORWARD(8, PROTO_TCP, 8080, IP(10, 8, 0, 130), 80);
	assert_false(plan_change(&p, &good, true));
	assert_true(plan_same(&p, &q));
	plan_fini(&p);
	plan_fini(&q);
	natd_conf_fini(&c);
}

/* A service of the host is not hidden by a forward that does not say so. */
static void
services_of_the_host_are_not_hidden(void **state UNUSED)
{
	struct listener service = {.proto = PROTO_TCP,
				   .port = 8080,
				   .addr = {[10] = 0xff, [11] = 0xff, 10, 0, 0, 1},
				   .uid = 33};
	struct listeners host = {.v = &service, .n = 1};
	struct natd_conf c = sample();
	struct nat_plan p, before;

	host.busy[PROTO_TCP][8080 / 8] |= 1 << 8080 % 8;
	host.busy[PROTO_UDP][8080 / 8] |= 1 << 8080 % 8; /* of another, which is gone */
	add_forward(&c, 8, PROTO_UDP, 8080, IP(10, 8, 0, 131), 80);
	assert_true(plan_make(&p, &c, &host, NULL));
	assert_int_equal(p.nforwards, 2);
	assert_int_equal(p.nhidden, 1);
	assert_int_equal(p.nproblems, 1);
	assert_string_equal(p.problems[0].text,
			    "tcp port 8080 is not forwarded: a program of uid 33 has it on "
			    "10.0.0.1. Stop that, choose another port, or shadow it");
	assert_string_equal(p.problems[0].cure, "ss -ltnp 'sport = :8080'");
	plan_fini(&p);
	/* Nor does one that came later take the port away from a forward, wherever that leads now. */
	assert_true(plan_make(&before, &c, NULL, NULL));
	c.forwards[0].guest = IP(10, 8, 0, 132);
	assert_true(plan_make(&p, &c, &host, &before));
	assert_int_equal(p.nforwards, 3);
	assert_int_equal(p.nhidden + p.nproblems, 0);
	plan_fini(&p);
	plan_fini(&before);
	c.forwards[1].shadow = true;
	assert_true(plan_make(&p, &c, &host, NULL));
	assert_int_equal(p.nforwards, 3);
	assert_int_equal(p.nproblems, 0);
	assert_int_equal(p.nhidden, 0);
	plan_fini(&p);
	natd_conf_fini(&c);
}

/* A service that may have the port finds it free when it starts; our own ones do anyway. */
static void
ports_that_are_not_held(void **state UNUSED)
{
	struct msg_nat_forward f = FORWARD(8, PROTO_TCP, 8443, IP(10, 8, 0, 130), 80);
	struct natd_conf c = sample();
	struct nat_plan p;

	c.forwards[1].shadow = true;
	add_forward(&c, 8, PROTO_UDP, 53, IP(10, 8, 0, 131), 53);
	add_forward(&c, 8, PROTO_UDP, 67, IP(10, 8, 0, 131), 67);
	add_forward(&c, 8, PROTO_TCP, 67, IP(10, 8, 0, 131), 67);
	p = made(&c);
	for (size_t i = 0; i < p.nforwards; i++) {
		const struct msg_nat_forward *g = &p.forwards[i];
		bool shadowed = g->proto == c.forwards[1].proto && g->port == c.forwards[1].port;
		bool own = g->proto == PROTO_UDP && (g->port == 53 || g->port == 67);

		assert_int_equal(plan_holds(&p, g), !shadowed && !own);
	}
	/* One that comes in its place has no such word. */
	f = (struct msg_nat_forward)FORWARD(8, c.forwards[1].proto, c.forwards[1].port,
					    c.forwards[1].guest, c.forwards[1].guest_port);
	assert_true(plan_change(&p, &f, true));
	assert_true(plan_change(&p, &f, false));
	assert_true(plan_holds(&p, &f));
	plan_fini(&p);
	natd_conf_fini(&c);
}

/* A range is as many forwards, of which only those go that cannot be. */
static void
ranges_and_addresses(void **state UNUSED)
{
	struct listener service = {
	    .proto = PROTO_TCP, .port = 9001, .addr = {[10] = 0xff, [11] = 0xff, 10, 0, 0, 1}};
	struct listeners host = {.v = &service, .n = 1};
	struct natd_conf c = sample();
	size_t n = c.nforwards;
	struct nat_plan p;

	add_forward(&c, 8, PROTO_TCP, 9000, IP(10, 8, 0, 131), 80);
	c.forwards[n].more = 2;
	add_forward(&c, 8, PROTO_TCP, 443, IP(10, 8, 0, 131), 443);
	c.forwards[n + 1].host = IP(192, 0, 2, 2);
	add_forward(&c, 8, PROTO_TCP, 443, IP(10, 8, 0, 130), 443);
	c.forwards[n + 2].host = IP(192, 0, 2, 1);
	p = made(&c);
	assert_int_equal(p.nproblems, 0);
	assert_int_equal(p.nforwards, n + 5);
	assert_int_equal(p.forwards[0].host.h, IP(192, 0, 2, 1).h);
	assert_int_equal(p.forwards[1].host.h, IP(192, 0, 2, 2).h);
	assert_true(plan_holds(&p, &p.forwards[1]));
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(p.forwards[3 + i].port, 9000 + i);
		assert_int_equal(p.forwards[3 + i].guest_port, 80 + i);
		assert_false(plan_holds(&p, &p.forwards[3 + i]));
	}
	plan_fini(&p);
	/* A service of another address is in nobody's way but the range's. */
	host.busy[PROTO_TCP][9001 / 8] |= 1 << 9001 % 8;
	assert_true(plan_make(&p, &c, &host, NULL));
	assert_int_equal(p.nforwards, n + 4);
	assert_int_equal(p.nhidden, 1);
	plan_fini(&p);
	service.port = 443;
	host.busy[PROTO_TCP][443 / 8] |= 1 << 443 % 8;
	assert_true(plan_make(&p, &c, &host, NULL));
	assert_int_equal(p.nhidden, 0);
	plan_fini(&p);
	/* All addresses, and one of them. */
	add_forward(&c, 8, PROTO_TCP, 443, IP(10, 8, 0, 132), 443);
	p = made(&c);
	assert_int_equal(p.nproblems, 1);
	plan_fini(&p);
	/* Beyond the last port. */
	c.nforwards--;
	c.forwards[n].port = 65534;
	p = made(&c);
	assert_int_equal(p.nproblems, 1);
	assert_int_equal(p.nforwards, n + 2);
	plan_fini(&p);
	natd_conf_fini(&c);
}

/* On ::1: those of all addresses, and a range if it is none of many. */
static void
ports_that_are_relayed(void **state UNUSED)
{
	struct natd_conf c = sample();
	struct msg_nat_forward f = FORWARD(8, PROTO_TCP, 7000, IP(10, 8, 0, 131), 80);
	struct nat_plan p;

	c.nforwards = 0;
	c.hold_ports = 3;
	for (unsigned i = 0; i < 7; i++)
		add_forward(&c, 8, PROTO_TCP, (uint16_t)(9000 + 100 * i), IP(10, 8, 0, 131), 80);
	c.forwards[1].host = IP(192, 0, 2, 2);
	c.forwards[2].host = IP(127, 0, 0, 1);
	c.forwards[3].shadow = true;
	c.forwards[4].more = 2;
	c.forwards[5].more = 3;
	c.forwards[6].port = 53;
	p = made(&c);
	assert_int_equal(p.nforwards, 7 + 2 + 3);
	for (size_t i = 0; i < p.nforwards; i++) {
		unsigned port = p.forwards[i].port;
		bool range = port >= 9400 && port <= 9402;

		assert_int_equal(plan_relays(&p, &p.forwards[i]), port == 9000 || range);
		assert_true(!range || !plan_holds(&p, &p.forwards[i]));
	}
	assert_true(plan_change(&p, &f, false));
	assert_true(plan_relays(&p, &f));
	plan_fini(&p);
	/* Nothing is bound on the host. */
	c.hold_ports = 0;
	p = made(&c);
	for (size_t i = 0; i < p.nforwards; i++)
		assert_false(plan_relays(&p, &p.forwards[i]));
	plan_fini(&p);
	natd_conf_fini(&c);
}

/* What is wrong takes one forward or one network out, and is told. */
static void
bad_forwards_are_told(void **state UNUSED)
{
	static const struct {
		uint16_t net;
		struct ip4 guest;
		const char *text;
	} bad[] = {
	    {8, {0x0a090082}, "forward tcp 99 leads to 10.9.0.130, which is not in 10.8.0.0/24"},
	    {8, {0x0a080000}, "forward tcp 99 leads to 10.8.0.0, which is not in 10.8.0.0/24"},
	    {8, {0x0a0800ff}, "forward tcp 99 leads to 10.8.0.255, which is not in 10.8.0.0/24"},
	    {1, {0x0a010082}, "forward tcp 99 is on a network without NAT"},
	    {9, {0x0a090082}, "forward tcp 99 is on a network without NAT"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct natd_conf c = sample();
		struct nat_plan p;

		add_forward(&c, bad[i].net, PROTO_TCP, 99, bad[i].guest, 9);
		p = made(&c);
		assert_int_equal(p.nforwards, 2);
		assert_int_equal(p.nproblems, 1);
		assert_int_equal(p.problems[0].net, bad[i].net);
		assert_string_equal(p.problems[0].text, bad[i].text);
		plan_fini(&p);
		natd_conf_fini(&c);
	}
}

static void
ports_must_not_be_zero(void **state UNUSED)
{
	struct natd_conf c = sample();
	struct nat_plan p;

	add_forward(&c, 8, PROTO_TCP, 0, IP(10, 8, 0, 130), 80);
	add_forward(&c, 8, PROTO_TCP, 81, IP(10, 8, 0, 130), 0);
	add_forward(&c, 8, PROTO_N, 81, IP(10, 8, 0, 130), 80);
	p = made(&c);
	assert_int_equal(p.nforwards, 2);
	assert_int_equal(p.nproblems, 1);
	assert_int_equal(p.problems[0].more, 2);
	plan_fini(&p);
	natd_conf_fini(&c);
}

static void
the_earlier_of_two_forwards_stays(void **state UNUSED)
{
	struct natd_conf c = sample();
	struct nat_plan p;

	add_net(&c, 2, true);
	add_forward(&c, 2, PROTO_TCP, 8080, IP(10, 2, 0, 140), 80);
	add_forward(&c, 2, PROTO_UDP, 8080, IP(10, 2, 0, 140), 80); /* another protocol */
	p = made(&c);
	assert_int_equal(p.nforwards, 3);
	assert_int_equal(p.forwards[0].guest.h, IP(10, 8, 0, 130).h);
	assert_int_equal(p.nproblems, 1);
	assert_int_equal(p.problems[0].net, 2);
	assert_string_equal(p.problems[0].text,
			    "tcp port 8080 is forwarded twice; it leads to 10.8.0.130 of vmnet8");
	plan_fini(&p);
	natd_conf_fini(&c);
}

static void
bad_networks_are_told(void **state UNUSED)
{
	struct natd_conf c = sample();
	struct nat_plan p;

	add_net(&c, 8, true); /* twice */
	add_net(&c, 3, true);
	c.nets[3].gateway = IP(10, 4, 0, 2);
	add_net(&c, 4, true);
	c.nets[4].len = 31;
	add_net(&c, 5, true);
	c.nets[5].gateway = IP(0, 0, 0, 0);
	add_net(&c, 6, false);
	c.nets[6].subnet = IP(10, 6, 0, 1);
	p = made(&c);
	assert_int_equal(p.nnets, 2);
	assert_int_equal(p.nforwards, 2);
	assert_int_equal(p.nproblems, 5);
	assert_string_equal(p.problems[1].text, "an address of the host is outside 10.3.0.0/24");
	assert_string_equal(p.problems[2].text, "10.4.0.0/31 is not a subnet");
	assert_string_equal(p.problems[3].text, "NAT needs a gateway address");
	plan_fini(&p);
	natd_conf_fini(&c);
}

static void
collect(const struct msg_nat_flush_forward *f, void *arg)
{
	char *text = arg;

	snprintf(text + strlen(text), 256 - strlen(text), "%s %u %s:%u;",
		 ip_proto_name((enum ip_proto)f->proto), f->port, IP4_STR(f->guest), f->guest_port);
}

static void
only_forwards_that_changed_lose_connections(void **state UNUSED)
{
	struct natd_conf c = sample();
	struct nat_plan was = made(&c), now;
	char text[256] = "";

	plan_removed(&was, &was, collect, text);
	assert_string_equal(text, "");
	/* Another guest, a removed one, and a new one. */
	c.forwards[0].guest = IP(10, 8, 0, 200);
	c.nforwards = 1;
	add_forward(&c, 8, PROTO_TCP, 22, IP(10, 8, 0, 130), 22);
	now = made(&c);
	assert_false(plan_same(&was, &now));
	plan_removed(&was, &now, collect, text);
	assert_string_equal(text, "tcp 8080 10.8.0.130:80;udp 5000 10.8.0.131:5001;");
	text[0] = '\0';
	plan_removed(&now, &(struct nat_plan){0}, collect, text);
	assert_string_equal(text, "tcp 22 10.8.0.130:22;udp 5000 10.8.0.200:5001;");
	plan_fini(&was);
	plan_fini(&now);
	natd_conf_fini(&c);
}

static void
note_change(const struct msg_nat_forward *f, bool gone, void *arg)
{
	char *text = arg;

	snprintf(text + strlen(text), 256 - strlen(text), "%c%s %u %s:%u;", gone ? '-' : '+',
		 ip_proto_name((enum ip_proto)f->proto), f->port, IP4_STR(f->guest), f->guest_port);
}

static void
a_change_names_what_differs(void **state UNUSED)
{
	struct natd_conf c = sample();
	struct nat_plan was = made(&c), now;
	char text[256] = "";

	plan_diff(&was, &was, note_change, text);
	assert_string_equal(text, "");
	assert_int_equal(plan_distance(&was, &was), 0);
	/* One leads elsewhere, one is gone, one has come, at either end of the order. */
	c.forwards[0].guest_port = 9;
	c.nforwards = 1;
	add_forward(&c, 8, PROTO_TCP, 22, IP(10, 8, 0, 130), 22);
	add_forward(&c, 8, PROTO_UDP, 65535, IP(10, 8, 0, 130), 1);
	now = made(&c);
	assert_true(plan_same_nets(&was, &now));
	plan_diff(&was, &now, note_change, text);
	assert_string_equal(text, "-tcp 8080 10.8.0.130:80;-udp 5000 10.8.0.131:5001;"
				  "+tcp 22 10.8.0.130:22;+udp 5000 10.8.0.131:9;"
				  "+udp 65535 10.8.0.130:1;");
	assert_int_equal(plan_distance(&was, &now), 5);
	assert_int_equal(plan_distance(&(struct nat_plan){0}, &now), 3);
	plan_fini(&now);
	c.nets[0].udp_timeout_s++;
	now = made(&c);
	assert_false(plan_same_nets(&was, &now));
	plan_fini(&was);
	plan_fini(&now);
	natd_conf_fini(&c);
}

static void
every_field_makes_a_difference(void **state UNUSED)
{
	struct natd_conf c = sample();
	struct nat_plan p = made(&c);

	for (unsigned i = 0; i < 18; i++) {
		struct natd_conf d = sample();
		struct nat_plan q;

		if (i == 0)
			d.forward_others = true;
		else if (i == 1)
			d.nets[0].udp_timeout_s = 31;
		else if (i == 2)
			d.nets[0].adapter = false;
		else if (i == 3)
			d.nets[1].host = IP(10, 1, 0, 9);
		else if (i == 4)
			d.forwards[0].guest_port = 1;
		else if (i == 5)
			d.nets[0].routes.len = d.nets[0].routes.b[0] = NAT_ROUTES_LEN;
		else if (i == 6)
			d.nets[0].snat = IP(198, 51, 100, 1);
		else if (i == 7)
			d.nets[0].snat_lo = 1;
		else if (i == 8)
			d.nets[0].snat_hi = 1;
		else if (i == 9)
			d.nets[0].egress[0] = 'e';
		else if (i == 10)
			d.nets[0].tcp_time_wait_s = 1;
		else if (i == 11)
			d.nets[0].ftp = true;
		else if (i == 12)
			d.nets[0].vmware_only = true;
		else if (i == 13)
			d.nets[0].open_gateway = true;
		else if (i == 14)
			d.nets[0].reset_lost = true;
		else if (i == 15)
			d.nets[0].low_udp.len = 2;
		else if (i == 16)
			d.flowtable = true;
		else
			d.nnets = 1;
		q = made(&d);
		assert_false(plan_same(&p, &q));
		plan_fini(&q);
		natd_conf_fini(&d);
	}
	plan_fini(&p);
	natd_conf_fini(&c);
}

static void
ten_thousand_forwards(void **state UNUSED)
{
	struct natd_conf c = sample();
	struct nat_plan p;

	c.nforwards = 0;
	for (unsigned i = 0; i < 10000; i++)
		add_forward(&c, 8, i % 2 ? PROTO_UDP : PROTO_TCP, (uint16_t)(30000 - i),
			    IP(10, 8, 0, 130), 80);
	p = made(&c);
	assert_int_equal(p.nforwards, 10000);
	for (size_t i = 1; i < p.nforwards; i++)
		assert_true(p.forwards[i - 1].proto < p.forwards[i].proto ||
			    p.forwards[i - 1].port < p.forwards[i].port);
	plan_fini(&p);
	natd_conf_fini(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_are_translated_and_sorted),
	    cmocka_unit_test(an_empty_configuration_is_a_plan),
	    cmocka_unit_test(other_messages_are_not_rows),
	    cmocka_unit_test(one_forward_more_or_less),
	    cmocka_unit_test(a_change_that_cannot_be_leaves_the_plan),
	    cmocka_unit_test(services_of_the_host_are_not_hidden),
	    cmocka_unit_test(ports_that_are_not_held),
	    cmocka_unit_test(ranges_and_addresses),
	    cmocka_unit_test(ports_that_are_relayed),
	    cmocka_unit_test(bad_forwards_are_told),
	    cmocka_unit_test(ports_must_not_be_zero),
	    cmocka_unit_test(the_earlier_of_two_forwards_stays),
	    cmocka_unit_test(bad_networks_are_told),
	    cmocka_unit_test(only_forwards_that_changed_lose_connections),
	    cmocka_unit_test(a_change_names_what_differs),
	    cmocka_unit_test(every_field_makes_a_difference),
	    cmocka_unit_test(ten_thousand_forwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
