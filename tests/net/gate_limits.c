/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate_limits.c - part of gate-prog: frames to groups, limits, and what the engine is told.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "bpf/dhcp_ring.h"
#include "dhcpd/inlet.h"
#include "lib/util.h"
#include "tests/net/gate_prog.h"

#define HOUR_NS  3600000000000ull /* one of anything in an hour: no test is that slow */
#define TOLD_MAX 64

static void
control_cases(const struct gate_fds *g)
{
	const uint64_t bpdu = 0x00000000c28001ull;

	fresh_given(g, GATE_CONTROL);
	expect("control-bpdu", send_from(g, bpdu, OWN), DROP_CONTROL);
	expect("control-lldp", send_from(g, bpdu | 0x0eull << 40, OWN), DROP_CONTROL);
	expect("control-gvrp", send_from(g, bpdu | 0x21ull << 40, OWN), DROP_CONTROL);
	expect("control-2f", send_from(g, bpdu | 0x2full << 40, OWN), DROP_CONTROL);
	expect("control-10", send_from(g, bpdu | 0x10ull << 40, OWN), PASSES);
	expect("control-30", send_from(g, bpdu | 0x30ull << 40, OWN), PASSES);
	expect("control-80", send_from(g, bpdu | 0x80ull << 40, OWN), PASSES);
	expect("control-other-group", send_from(g, 0xfb00005e0001ull, OWN), PASSES);
	fresh_given(g, 0);
	expect("control-allowed", send_from(g, bpdu, OWN), PASSES);
}

/* How many of n frames passed. */
static unsigned
passed_of(const struct gate_fds *g, unsigned n, uint64_t dst, int reason)
{
	unsigned passed = 0;

	for (unsigned i = 0; i < n; i++) {
		int r = send_from(g, dst, OWN);

		passed += r == PASSES;
		if (r != PASSES && r != reason)
			return ~0u;
	}
	return passed;
}

static void
rate_cases(const struct gate_fds *g)
{
	struct gate_policy p = sticky();
	unsigned n;

	p.flood_ns = HOUR_NS;
	p.flood_burst_ns = p.flood_ns * 10;
	fresh(g, p);
	n = passed_of(g, 100, ALL, DROP_FLOOD);
	result(n == 11, "rate-broadcast-limit", "%u of 100 broadcasts passed", n);
	result(passed_of(g, 10, HOST, DROP_FLOOD) == 10, "rate-broadcast-limit-spares-unicast",
	       "no");
	expect("rate-broadcast-limit-multicast", send_from(g, 0xfb00005e0001ull, OWN), DROP_FLOOD);
	result(get_drops(g, RUN_SLOT).n[DROP_FLOOD] == 90, "rate-broadcast-limit-counts", "%llu",
	       (unsigned long long)get_drops(g, RUN_SLOT).n[DROP_FLOOD]);

	p = sticky();
	p.out_ns = HOUR_NS; /* 60 bytes: 211 s */
	p.out_burst_ns = p.out_ns;
	fresh(g, p);
	n = passed_of(g, 100, HOST, DROP_RATE_OUT);
	result(n == 18, "rate-out", "%u of 100 frames of 60 bytes passed, 1 KiB is the burst", n);

	p.out_ns = 1;
	p.out_burst_ns = 0;
	p.flood_ns = 1;
	fresh(g, p);
	n = passed_of(g, 1000, ALL, DROP_FLOOD);
	result(n == 1000, "rate-limits-that-are-not-reached", "%u of 1000", n);
}

/* --- messages to DHCP servers ----------------------------------------------------------------- */

#define SERVER_IP 0x0ab508feu /* 10.181.8.254 */
#define NET_ALL   0x0ab508ffu
#define STAMP     DHCP_STAMP(42, 16)

enum dhcp_wrapping { PLAIN, IN_VLAN, WITH_OPTIONS, FIRST_FRAGMENT, SECOND_FRAGMENT, WRAPPINGS };

static void
make_request(struct made *m, uint32_t from, uint32_t to, unsigned port, enum dhcp_wrapping w)
{
	unsigned ihl = w == WITH_OPTIONS ? 6 : 5, len = ihl * 4 + 8 + 240;

	m->n = 0;
	put_mac(m, ALL);
	put_mac(m, OWN);
	if (w == IN_VLAN)
		put32(m, 0x81000005);
	put16(m, 0x0800);
	put16(m, 0x4000 | ihl << 8);
	put16(m, len);
	put16(m, 7);
	put16(m, w == FIRST_FRAGMENT ? 0x2000 : w == SECOND_FRAGMENT ? 0x0100 : 0);
	put32(m, 0x40110000);
	put32(m, from);
	put32(m, to);
	if (w == WITH_OPTIONS)
		put32(m, 0x01010100);
	put16(m, 68);
	put16(m, port);
	put16(m, len - ihl * 4);
	put16(m, 0);
	put32(m, 0x01010600);
	put_zero(m, 236);
}

static struct inlet *
open_ring(const struct gate_fds *g)
{
	struct inlet *in;

	if (inlet_new(&in, dup(g->dhcp)) == 0)
		return in;
	puts("FAIL ring-map: it cannot be mapped");
	exit(1);
}

#define DROPPED (~0u)
#define WRONG   (~1u)

/* Runs the frame. How often the server is told of it, with this stamp and as it is; DROPPED: it does not pass, and nobody is
 * told. */
static unsigned
told_of(const struct gate_fds *g, struct inlet *in, const struct made *m, uint32_t stamp)
{
	struct inlet_msg v[INLET_BATCH];
	bool passed = run_in(g, m) == PASSES, same = true;
	size_t n = inlet_take(in, v);

	for (size_t i = 0; i < n; i++)
		same &= v[i].net == OWN_NET && v[i].stamp == stamp && v[i].len == m->n &&
			!memcmp(v[i].frame, m->b, m->n);
	if (!passed)
		return n ? WRONG : DROPPED;
	return same ? (unsigned)n : WRONG;
}

static unsigned
told_request(const struct gate_fds *g, struct inlet *in, uint32_t from, uint32_t to, unsigned port,
	     enum dhcp_wrapping w)
{
	static struct made m;

	make_request(&m, from, to, port, w);
	return told_of(g, in, &m, STAMP);
}

static struct gate_policy
requests(unsigned flags)
{
	struct gate_policy p = sticky();

	p.flags = GATE_REQUESTS | flags;
	p.ip = htonl(OWN_IP);
	p.dhcp_stamp = STAMP;
	p.dhcp_server = htonl(SERVER_IP);
	p.dhcp_broadcast = htonl(NET_ALL);
	return p;
}

/* What our server takes, whatever else is on. */
static void
told_cases(const struct gate_fds *g, struct inlet *in)
{
	static const unsigned flags[] = {0, GATE_DHCP, GATE_IP, GATE_DHCP | GATE_RA | GATE_IP};
	static const uint32_t ours[] = {INADDR_BROADCAST, SERVER_IP, NET_ALL};
	unsigned wrong = 0;

	for (unsigned i = 0; i < ARRAY_LEN(flags); i++) {
		fresh(g, requests(flags[i]));
		for (unsigned k = 0; k < ARRAY_LEN(ours); k++)
			for (enum dhcp_wrapping w = 0; w < WRAPPINGS; w++)
				wrong += told_request(g, in, OWN_IP, ours[k], 67, w) !=
					 (w != IN_VLAN && w != SECOND_FRAGMENT);
		wrong += told_request(g, in, 0, INADDR_BROADCAST, 67, PLAIN) != 1;
	}
	result(!wrong, "ring-has-messages-to-the-server", "%u wrong", wrong);
	wrong = told_request(g, in, OWN_IP, SERVER_IP - 1, 67, PLAIN) != 0;
	wrong += told_request(g, in, OWN_IP, 0x08080808, 67, PLAIN) != 0;
	wrong += told_request(g, in, OWN_IP, SERVER_IP, 53, PLAIN) != 0;
	result(!wrong, "ring-has-nothing-else", "%u wrong", wrong);
	result(told_request(g, in, OWN_IP + 1, SERVER_IP, 67, PLAIN) == DROPPED,
	       "ring-after-the-guards", "no");
	fresh_given(g, GATE_DHCP);
	result(told_request(g, in, OWN_IP, SERVER_IP, 67, PLAIN) == 0, "ring-without-a-server",
	       "no");
}

/* By the address of the frame, and by its tag when the kernel has taken that out. */
static void
told_address_cases(const struct gate_fds *g, struct inlet *in)
{
	static struct made m;
	unsigned wrong;

	fresh(g, requests(0));
	make_request(&m, 0, INADDR_BROADCAST, 67, PLAIN);
	memcpy(m.b, (uint8_t[]){0x00, 0x50, 0x56, 0xc0, 0x00, OWN_NET}, 6);
	wrong = told_of(g, in, &m, STAMP) != 1;
	m.b[5]++; /* another network's */
	wrong += told_of(g, in, &m, STAMP) != 0;
	memcpy(m.b, (uint8_t[]){0x01, 0x00, 0x5e, 0, 0, 1}, 6);
	wrong += told_of(g, in, &m, STAMP) != 1;
	result(!wrong, "ring-by-the-frame's-address", "%u wrong", wrong);
}

static void
told_length_cases(const struct gate_fds *g, struct inlet *in)
{
	struct gate_policy p = requests(0);
	static struct made m;
	unsigned wrong = 0;

	p.dhcp_stamp = 0;
	fresh(g, p);
	make_request(&m, 0, INADDR_BROADCAST, 67, PLAIN);
	memset(m.b + m.n, 0x5a, sizeof(m.b) - m.n);
	for (m.n = 42; m.n <= DHCP_RING_FRAME_MAX; m.n++)
		wrong += told_of(g, in, &m, 0) != 1;
	result(!wrong, "ring-every-length", "%u wrong", wrong);
	wrong = told_of(g, in, &m, 0) != 0;
	m.n = 3000;
	wrong += told_of(g, in, &m, 0) != 0;
	result(!wrong, "ring-not-what-is-too-long", "%u wrong", wrong);
}

/* Nobody reads: what has no room is lost, the frames themselves pass, and then all is as before. */
static void
full_ring_cases(const struct gate_fds *g, struct inlet *in)
{
	static struct made m;
	struct inlet_msg v[INLET_BATCH];
	unsigned n = 0, passed = 0;
	size_t got;

	fresh(g, requests(0));
	make_request(&m, 0, INADDR_BROADCAST, 67, PLAIN);
	for (unsigned i = 0; i < 5000; i++)
		passed += run_in(g, &m) == PASSES;
	result(passed == 5000, "ring-full-drops-no-frame", "%u of 5000", passed);
	while ((got = inlet_take(in, v)) > 0)
		for (size_t i = 0; i < got; i++)
			n += v[i].len == m.n && !memcmp(v[i].frame, m.b, m.n);
	result(n >= 1000 && n < 5000, "ring-keeps-what-it-has", "%u of 5000", n);
	result(told_of(g, in, &m, STAMP) == 1, "ring-after-it-was-full", "no");
}

static void
ring_cases(const struct gate_fds *g)
{
	struct inlet *in = open_ring(g);

	told_cases(g, in);
	told_address_cases(g, in);
	told_length_cases(g, in);
	full_ring_cases(g, in);
	inlet_free(in);
}

/* How many of n messages pass. */
static unsigned
requests_of(const struct gate_fds *g, unsigned n, unsigned port, enum dhcp_wrapping w)
{
	static struct made m;
	unsigned passed = 0;

	for (unsigned i = 0; i < n; i++) {
		int r;

		make_request(&m, 0, INADDR_BROADCAST, port, w);
		r = run_in(g, &m);
		passed += r == PASSES;
		if (r != PASSES && r != DROP_DHCP_RATE)
			return ~0u;
	}
	return passed;
}

static void
dhcp_rate_cases(const struct gate_fds *g)
{
	struct gate_policy p = requests(0);
	unsigned n;

	p.dhcp_ns = HOUR_NS;
	p.dhcp_burst_ns = p.dhcp_ns * 10;
	for (unsigned guarded = 0; guarded < 2; guarded++) {
		p.flags = GATE_REQUESTS | (guarded ? GATE_DHCP | GATE_RA : 0);
		fresh(g, p);
		n = requests_of(g, 100, 67, PLAIN);
		result(n == 11, guarded ? "rate-dhcp-with-guards" : "rate-dhcp",
		       "%u of 100 messages passed", n);
		result(get_drops(g, RUN_SLOT).n[DROP_DHCP_RATE] == 89,
		       guarded ? "rate-dhcp-with-guards-counts" : "rate-dhcp-counts", "%llu",
		       (unsigned long long)get_drops(g, RUN_SLOT).n[DROP_DHCP_RATE]);
		n = requests_of(g, 10, 67, IN_VLAN);
		result(n == 0, guarded ? "rate-dhcp-tagged-with-guards" : "rate-dhcp-tagged",
		       "%u of 10 in a VLAN passed", n);
	}
	result(requests_of(g, 10, 69, PLAIN) == 10, "rate-dhcp-spares-others", "no");
	result(passed_of(g, 10, ALL, DROP_DHCP_RATE) == 10, "rate-dhcp-spares-broadcasts", "no");
	p.flags = GATE_REQUESTS;
	p.dhcp_ns = p.dhcp_burst_ns = 0;
	fresh(g, p);
	n = requests_of(g, 1000, 67, PLAIN);
	result(n == 1000, "rate-dhcp-unlimited", "%u of 1000", n);
}

/* Only the limit is on: what cannot be read is no message, and nobody's concern. */
static void
request_odd_cases(const struct gate_fds *g)
{
	static struct made m;
	unsigned dropped = 0;

	fresh(g, requests(0));
	for (unsigned len = 15; len < 60; len++) {
		make_request(&m, 0, INADDR_BROADCAST, 67, IN_VLAN);
		m.n = len;
		dropped += run_in(g, &m) != PASSES;
	}
	result(!dropped, "rate-dhcp-alone-drops-nothing-unread", "%u of 45", dropped);
}

/* --- frames that are still to be cut into segments ---------------------------------------------- */

/* How many frames of 1000 bytes pass with 10 KiB ahead, in segments of that size; 0: whole. */
static unsigned
passed_in_segments(const struct gate_fds *g, unsigned segment)
{
	struct __sk_buff ctx = {.gso_size = segment};
	struct gate_policy p = sticky();
	static struct made m;
	unsigned passed = 0;

	p.out_ns = HOUR_NS;
	p.out_burst_ns = 10 * HOUR_NS;
	fresh(g, p);
	make_plain(&m, HOST, OWN);
	put_zero(&m, 1000 - m.n);
	for (int i = 0; i < 50; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = m.b, .data_size_in = (uint32_t)m.n,
			    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = 1);

		if (bpf_prog_test_run_opts(g->in, &o) < 0)
			return 0;
		passed += o.retval != 2;
	}
	return passed;
}

static void
segment_cases(const struct gate_fds *g)
{
	unsigned n = passed_in_segments(g, 0);

	result(n == 11, "rate-whole-frames", "%u of 50 passed, not 11", n);
	/* Nine more headers of 54 bytes. */
	n = passed_in_segments(g, 100);
	result(n == 7, "rate-counts-headers-of-segments", "%u of 50 passed, not 7", n);
	n = passed_in_segments(g, 946); /* all that is behind the headers */
	result(n == 11, "rate-of-one-segment", "%u of 50 passed, not 11", n);
}

/* --- events ----------------------------------------------------------------------------------- */

struct told {
	struct gate_event e[TOLD_MAX];
	unsigned n;
};

static int
on_event(void *arg, void *data, size_t size)
{
	struct told *t = arg;

	if (size == sizeof(t->e[0]) && t->n < TOLD_MAX)
		memcpy(&t->e[t->n], data, size);
	t->n++;
	return 0;
}

static bool
is_event(const struct told *t, unsigned i, unsigned kind, unsigned reason, uint64_t mac,
	 uint64_t drops)
{
	const struct gate_event *e = &t->e[i];

	return i < t->n && e->kind == kind && e->reason == reason && e->mac == mac &&
	       e->drops == drops && e->ifindex == 1 && e->slot == RUN_SLOT;
}

/* What was told since the last call. */
static struct told
told(struct ring_buffer *ring, struct told *t)
{
	struct told had;

	ring_buffer__consume(ring);
	had = *t;
	memset(t, 0, sizeof(*t));
	return had;
}

static void
drop_events(const struct gate_fds *g, struct ring_buffer *ring, struct told *now)
{
	struct gate_state s;
	struct told t;

	fresh_given(g, 0);
	told(ring, now);
	send_from(g, HOST, OTHER);
	t = told(ring, now);
	result(t.n == 1 && is_event(&t, 0, GATE_EVENT_DROPPED, DROP_FORGED, OTHER, 1),
	       "event-of-the-first-drop", "%u events", t.n);
	/* As if the last one had been told just now, by a clock that is ahead. */
	s = get_state(g, RUN_SLOT);
	s.event_ns += HOUR_NS;
	set_state(g, RUN_SLOT, &s);
	for (int i = 0; i < 1000; i++)
		send_from(g, HOST, OTHER);
	t = told(ring, now);
	result(!t.n, "event-not-of-each-drop", "%u events", t.n);
	/* As if it was long ago. */
	s = get_state(g, RUN_SLOT);
	result(get_drops(g, RUN_SLOT).n[DROP_FORGED] == 1001, "event-less-drops-are-counted",
	       "%llu", (unsigned long long)get_drops(g, RUN_SLOT).n[DROP_FORGED]);
	s.event_ns = 1;
	set_state(g, RUN_SLOT, &s);
	send_from(g, HOST, 0);
	t = told(ring, now);
	result(t.n == 1 && is_event(&t, 0, GATE_EVENT_DROPPED, DROP_SOURCE, 0, 1),
	       "event-of-a-later-drop", "%u events", t.n);
}

static void
address_events(const struct gate_fds *g, struct ring_buffer *ring, struct told *now)
{
	struct gate_policy p = sticky();
	struct told t;

	fresh(g, p);
	told(ring, now);
	for (int i = 0; i < 3; i++)
		send_from(g, HOST, OWN);
	t = told(ring, now);
	result(t.n == 1 && is_event(&t, 0, GATE_EVENT_PINNED, 0, OWN, 0), "event-of-the-pin",
	       "%u events", t.n);
	p.mac_policy = MAC_POLICY_LEARN;
	p.learn = 2;
	fresh(g, p);
	for (int i = 0; i < 3; i++) {
		send_from(g, HOST, OWN);
		send_from(g, HOST, OTHER);
	}
	t = told(ring, now);
	result(t.n == 2 && is_event(&t, 0, GATE_EVENT_PINNED, 0, OWN, 0) &&
		   is_event(&t, 1, GATE_EVENT_LEARNED, 0, OTHER, 0),
	       "event-of-each-learned-address", "%u events", t.n);
}

/* More than the ring holds: the programs go on, and so do the counters. */
static void
full_ring(const struct gate_fds *g, struct ring_buffer *ring, struct told *now)
{
	struct gate_state s;
	struct told t;
	unsigned wrong = 0;

	fresh_given(g, 0);
	for (unsigned i = 0; i < GATE_RING_BYTES / sizeof(struct gate_event) + 100; i++) {
		s = get_state(g, RUN_SLOT);
		s.event_ns = 1;
		set_state(g, RUN_SLOT, &s);
		wrong += send_from(g, HOST, OTHER) != DROP_FORGED;
	}
	t = told(ring, now);
	result(!wrong && t.n > TOLD_MAX, "event-ring-full", "%u frames not dropped, %u events",
	       wrong, t.n);
	fresh_given(g, 0);
	send_from(g, HOST, OTHER);
	t = told(ring, now);
	result(t.n == 1, "event-after-a-full-ring", "%u events", t.n);
}

static void
event_cases(const struct gate_fds *g)
{
	struct told now = {.n = 0};
	struct ring_buffer *ring = ring_buffer__new(g->events, on_event, &now, NULL);

	if (!ring) {
		result(false, "event-ring", "it cannot be opened");
		return;
	}
	drop_events(g, ring, &now);
	address_events(g, ring, &now);
	full_ring(g, ring, &now);
	ring_buffer__free(ring);
}

void
limit_cases(const struct gate_fds *g)
{
	control_cases(g);
	rate_cases(g);
	segment_cases(g);
	ring_cases(g);
	dhcp_rate_cases(g);
	request_odd_cases(g);
	event_cases(g);
}
