/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate_guards.c - part of gate-prog: every message that a guard knows, in every wrapping.
 *
 * Each message says what happens to it plain; each wrapping says whether that changes. So a new
 * message is tried in all wrappings, and a new wrapping with all messages.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "lib/util.h"
#include "tests/net/gate_prog.h"

enum family { IP4 = 1, IP6 = 2, ARP = 4, ANY_IP = IP4 | IP6, ANY = 7 };

struct message {
	const char *name;
	unsigned flags; /* the guard */
	int want;       /* with the guard on; without any it passes */
	enum family family;
	uint8_t proto;
	uint16_t sport, dport;
	uint8_t op;   /* first byte of a UDP payload, type of an ICMPv6 message, operation of ARP */
	uint32_t ip;  /* IPv4 source, ARP sender; IPv6: 0: fe80::1, 1: ::, else 2001:db8::1 */
	uint64_t mac; /* ARP sender's or the link-layer option's address; 0: the frame's source */
	uint32_t target; /* ND: as ip */
};

#define OTHER_IP (OWN_IP + 1)

static const struct message messages[] = {
    /* DHCP */
    {"offer-67-68", GATE_DHCP, DROP_DHCP, IP4, 17, 67, 68, 2, OWN_IP, 0, 0},
    {"offer-from-4011", GATE_DHCP, DROP_DHCP, IP4, 17, 4011, 68, 2, OWN_IP, 0, 0},
    {"bootreply-67-67", GATE_DHCP, DROP_DHCP, IP4, 17, 67, 67, 2, OWN_IP, 0, 0},
    {"discover", GATE_DHCP, PASSES, IP4, 17, 68, 67, 1, 0, 0, 0},
    {"relayed-request", GATE_DHCP, PASSES, IP4, 17, 67, 67, 1, OWN_IP, 0, 0},
    {"dns-query", GATE_DHCP, PASSES, IP4, 17, 40000, 53, 0, OWN_IP, 0, 0},
    {"tcp-to-68", GATE_DHCP, PASSES, IP4, 6, 67, 68, 2, OWN_IP, 0, 0},
    {"dhcpv6-advertise", GATE_DHCP, DROP_DHCP, IP6, 17, 547, 546, 2, 0, 0, 0},
    {"dhcpv6-solicit", GATE_DHCP, PASSES, IP6, 17, 546, 547, 1, 0, 0, 0},
    {"udp6", GATE_DHCP, PASSES, IP6, 17, 40000, 5000, 1, 7, 0, 0},
    /* router advertisements */
    {"ra", GATE_RA, DROP_RA, IP6, 58, 0, 0, 134, 0, 0, 0},
    {"redirect", GATE_RA, DROP_RA, IP6, 58, 0, 0, 137, 0, 0, 0},
    {"rs", GATE_RA, PASSES, IP6, 58, 0, 0, 133, 0, 0, 0},
    {"ns", GATE_RA, PASSES, IP6, 58, 0, 0, 135, 0, 0, 0},
    {"na", GATE_RA, PASSES, IP6, 58, 0, 0, 136, 0, 0, 0},
    {"echo6", GATE_RA, PASSES, IP6, 58, 0, 0, 128, 7, 0, 0},
    {"tcp6", GATE_RA, PASSES, IP6, 6, 134, 137, 134, 7, 0, 0},
    /* addresses */
    {"ip-own", GATE_IP, PASSES, IP4, 6, 1, 2, 0, OWN_IP, 0, 0},
    {"ip-own-udp", GATE_IP, PASSES, IP4, 17, 1, 2, 0, OWN_IP, 0, 0},
    {"ip-other", GATE_IP, DROP_IP, IP4, 6, 1, 2, 0, OTHER_IP, 0, 0},
    {"ip-other-udp", GATE_IP, DROP_IP, IP4, 17, 68, 67, 1, OTHER_IP, 0, 0},
    {"ip-zero-discover", GATE_IP, PASSES, IP4, 17, 68, 67, 1, 0, 0, 0},
    {"ip-zero-udp", GATE_IP, DROP_IP, IP4, 17, 68, 68, 1, 0, 0, 0},
    {"ip-zero-tcp", GATE_IP, DROP_IP, IP4, 6, 68, 67, 1, 0, 0, 0},
    {"ip6-link-local", GATE_IP, PASSES, IP6, 17, 1, 2, 0, 0, 0, 0},
    {"ip6-global", GATE_IP, DROP_IP, IP6, 17, 1, 2, 0, 7, 0, 0},
    {"dad", GATE_IP, PASSES, IP6, 58, 0, 0, 135, 1, 0, 0},
    {"na-own", GATE_IP, PASSES, IP6, 58, 0, 0, 136, 0, 0, 0},
    {"na-other-mac", GATE_IP, DROP_ARP, IP6, 58, 0, 0, 136, 0, OTHER, 0},
    {"ns-other-mac", GATE_IP, DROP_ARP, IP6, 58, 0, 0, 135, 0, OTHER, 0},
    {"na-global", GATE_IP, DROP_ARP, IP6, 58, 0, 0, 136, 0, 0, 7},
    {"arp-request", GATE_IP, PASSES, ARP, 0, 0, 0, 1, OWN_IP, 0, 0},
    {"arp-reply", GATE_IP, PASSES, ARP, 0, 0, 0, 2, OWN_IP, 0, 0},
    {"arp-probe", GATE_IP, PASSES, ARP, 0, 0, 0, 1, 0, 0, 0},
    {"arp-zero-reply", GATE_IP, DROP_ARP, ARP, 0, 0, 0, 2, 0, 0, 0},
    {"arp-other-ip", GATE_IP, DROP_ARP, ARP, 0, 0, 0, 2, OTHER_IP, 0, 0},
    {"arp-other-mac", GATE_IP, DROP_ARP, ARP, 0, 0, 0, 2, OWN_IP, OTHER, 0},
};

enum effect {
	SAME,   /* as plain */
	LATER,  /* a later fragment: only its source counts */
	UNREAD, /* dropped whatever it is */
	EMPTY,  /* says that it ends where its content begins: dropped when that is asked for */
};

struct wrapping {
	const char *name;
	enum effect effect;
	unsigned families;
	uint8_t tags;
	bool snap;
	uint8_t options;   /* IPv4: bytes of options */
	uint16_t frag;     /* flags and offset as they are in an IPv4 header */
	const char *chain; /* IPv6: extension headers, a letter each, see put_chain() */
	uint8_t cut;       /* bytes that are left behind the Ethernet header, 0: all */
	uint16_t more;     /* bytes at the end */
};

static const struct wrapping wrappings[] = {
    {"plain", SAME, ANY, 0, false, 0, 0, "", 0, 0},
    {"tag", SAME, ANY, 1, false, 0, 0, "", 0, 0},
    {"two-tags", SAME, ANY, 2, false, 0, 0, "", 0, 0},
    {"three-tags", UNREAD, ANY, 3, false, 0, 0, "", 0, 0},
    {"snap", SAME, ANY, 0, true, 0, 0, "", 0, 0},
    {"tag-snap", SAME, ANY, 1, true, 0, 0, "", 0, 0},
    {"options", SAME, IP4, 0, false, 40, 0, "", 0, 0},
    {"first-fragment", SAME, IP4, 0, false, 0, 0x2000, "", 0, 0},
    {"later-fragment", LATER, IP4, 0, false, 0, 0x0001, "", 0, 0},
    {"padded", SAME, ANY, 0, false, 0, 0, "", 0, 1000},
    {"ends-early", EMPTY, ANY_IP, 0, false, 0, 0, "", 0, 0},
    {"first-fragment-ends-early", EMPTY, IP4, 0, false, 8, 0x2000, "", 0, 0},
    {"fragment-header-ends-early", EMPTY, IP6, 0, false, 0, 0, "fd", 0, 0},
    {"hop-by-hop", SAME, IP6, 0, false, 0, 0, "h", 0, 0},
    {"five-headers", SAME, IP6, 0, false, 0, 0, "hdrad", 0, 0},
    {"eight-headers", SAME, IP6, 2, false, 0, 0, "dddddddd", 0, 0},
    {"nine-headers", UNREAD, IP6, 0, false, 0, 0, "ddddddddd", 0, 0},
    {"unknown-header", UNREAD, IP6, 0, false, 0, 0, "x", 0, 0},
    {"fragment-header-first", SAME, IP6, 0, false, 0, 0, "f", 0, 0},
    {"fragment-header-later", LATER, IP6, 0, false, 0, 0, "l", 0, 0},
    {"cut-in-chain", UNREAD, IP6, 0, false, 0, 0, "h", 41, 0},
    {"cut-behind-chain", UNREAD, IP6, 0, false, 0, 0, "h", 40, 0},
    {"cut-header", UNREAD, ANY, 2, false, 0, 0, "", 10, 0},
};

/* --- making ----------------------------------------------------------------------------------- */

static void
put_ip6(struct made *m, uint32_t which)
{
	put32(m, which == 0 ? 0xfe800000u : which == 1 ? 0 : 0x20010db8u);
	put_zero(m, 11);
	put8(m, which != 1);
}

/* h hop-by-hop, d destination options, r routing, a AH, f first and l later fragment, x nobody's. */
static unsigned
header_number(char letter)
{
	switch (letter) {
	case 'h':
		return 0;
	case 'd':
		return 60;
	case 'r':
		return 43;
	case 'a':
		return 51;
	case 'f':
	case 'l':
		return 44;
	default:
		return 253;
	}
}

static void
put_chain(struct made *m, const char *chain, unsigned last)
{
	for (; *chain; chain++) {
		put8(m, chain[1] ? header_number(chain[1]) : last);
		put8(m, *chain == 'a'); /* AH counts words and less two */
		put16(m, *chain == 'l' ? 8 : *chain == 'f' ? 1 : 0);
		put_zero(m, *chain == 'a' ? 8 : 4);
	}
}

static void
put_payload(struct made *m, const struct message *s)
{
	uint64_t mac = s->mac ? s->mac : OWN;

	if (s->proto == 58) {
		put8(m, s->op);
		put_zero(m, 7);
		put_ip6(m, s->target);
		put8(m, s->op == 136 ? 2 : 1);
		put8(m, 1);
		put_mac(m, mac);
		return;
	}
	put16(m, s->sport);
	put16(m, s->dport);
	put_zero(m, 4);
	put8(m, s->op);
	put_zero(m, 31);
}

static void
put_arp(struct made *m, const struct message *s)
{
	put16(m, 1);
	put16(m, 0x0800);
	put16(m, 0x0604);
	put16(m, s->op);
	put_mac(m, s->mac ? s->mac : OWN);
	put32(m, s->ip);
	put_zero(m, 6);
	put32(m, OTHER_IP);
}

/* The content, and the length of what begins at `from` into the field at `field`. */
static void
end_packet(struct made *m, size_t field, size_t from, const struct message *s,
	   const struct wrapping *w)
{
	size_t end = m->n;

	put_payload(m, s);
	if (w->effect != EMPTY)
		end = m->n;
	m->b[field] = (uint8_t)((end - from) >> 8);
	m->b[field + 1] = (uint8_t)(end - from);
}

static void
put_l3(struct made *m, const struct message *s, const struct wrapping *w)
{
	const size_t l3 = m->n;

	if (s->family == ARP) {
		put_arp(m, s);
	} else if (s->family == IP4) {
		put8(m, 0x45 + w->options / 4);
		put_zero(m, 5);
		put16(m, w->frag);
		put8(m, 64);
		put8(m, s->proto);
		put16(m, 0);
		put32(m, s->ip);
		put32(m, 0xffffffff);
		put_zero(m, w->options);
		end_packet(m, l3 + 2, l3, s, w);
	} else {
		put32(m, 0x60000000);
		put16(m, 0);
		put8(m, *w->chain ? header_number(*w->chain) : s->proto);
		put8(m, 255);
		put_ip6(m, s->ip);
		put_ip6(m, 7);
		put_chain(m, w->chain, s->proto);
		end_packet(m, l3 + 4, l3 + 40, s, w);
	}
}

static void
make(struct made *m, const struct message *s, const struct wrapping *w)
{
	size_t l3;

	m->n = 0;
	put_mac(m, ALL);
	put_mac(m, OWN);
	for (unsigned i = 0; i < w->tags; i++) {
		put16(m, i + 1 < w->tags ? 0x88a8 : 0x8100);
		put16(m, 5);
	}
	if (w->snap) {
		put16(m, 100);
		put32(m, 0xaaaa0300);
		put16(m, 0);
	}
	put16(m, s->family == ARP ? 0x0806 : s->family == IP4 ? 0x0800 : 0x86dd);
	l3 = m->n;
	put_l3(m, s, w);
	if (w->cut)
		m->n = l3 + w->cut;
	put_zero(m, w->more);
}

/* --- running ---------------------------------------------------------------------------------- */

static int
wanted(const struct message *s, const struct wrapping *w)
{
	switch (w->effect) {
	case SAME:
		return s->want;
	case LATER:
		/* No ports are known, so nobody's address is no client's either. */
		if (s->flags & GATE_IP && s->family == IP4 && s->ip != OWN_IP)
			return DROP_IP;
		return s->want == DROP_IP ? DROP_IP : PASSES;
	case EMPTY:
		/* TCP is not looked at; of UDP in IPv6 only the ports, for the DHCP guard. */
		if (s->proto == 6 || (s->proto == 17 && s->family == IP6 && s->flags != GATE_DHCP))
			return s->want;
		break;
	case UNREAD:
		break;
	}
	if (s->family == ARP && !w->tags)
		return DROP_ARP;
	if (s->family == ARP)
		return w->cut ? DROP_ARP : DROP_IP;
	if (s->want == DROP_IP && !w->cut && w->tags < 3)
		return DROP_IP;
	return s->flags & GATE_RA ? DROP_RA : s->flags & GATE_DHCP ? DROP_DHCP : DROP_IP;
}

bool
guarded_frame(size_t i, struct guarded_frame *f, struct made *m)
{
	for (size_t k = 0; k < ARRAY_LEN(messages) * ARRAY_LEN(wrappings); k++) {
		const struct message *s = &messages[k / ARRAY_LEN(wrappings)];
		const struct wrapping *w = &wrappings[k % ARRAY_LEN(wrappings)];

		if (!(w->families & s->family) || i-- > 0)
			continue;
		make(m, s, w);
		*f = (struct guarded_frame){
		    .message = s->name,
		    .wrapping = w->name,
		    .flags = s->flags,
		    .ip = htonl(OWN_IP),
		    .want = wanted(s, w),
		    /* Three are one too many, two are not. */
		    .want_untagged = w->tags == 3 ? s->want : wanted(s, w),
		};
		return true;
	}
	return false;
}

/* --- single ones ------------------------------------------------------------------------------ */

static const struct message *
message(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(messages); i++)
		if (!strcmp(messages[i].name, name))
			return &messages[i];
	printf("FAIL guard: there is no message %s\n", name);
	exit(1);
}

/* The message with one byte of it changed; `at` counts from the end of the Ethernet header. */
static void
expect_changed(const struct gate_fds *g, const char *name, const char *of, size_t at, uint8_t to,
	       int want)
{
	static struct made m;

	make(&m, message(of), &wrappings[0]);
	m.b[14 + at] = to;
	expect(name, run_in(g, &m), want);
}

/* A neighbour advertisement and options behind its own: so many plain ones, then one of the given kind. */
static void
expect_options(const struct gate_fds *g, const char *name, unsigned plain, uint8_t type,
	       uint8_t len, uint64_t mac, int want)
{
	static struct made m;
	size_t end;

	make(&m, message("na-own"), &wrappings[0]);
	for (unsigned i = 0; i < plain; i++) {
		put16(&m, 0x0e01); /* nonce */
		put_zero(&m, 6);
	}
	put8(&m, type);
	put8(&m, len);
	put_mac(&m, mac);
	end = m.n - 14 - 40;
	m.b[14 + 4] = (uint8_t)(end >> 8);
	m.b[14 + 5] = (uint8_t)end;
	expect(name, run_in(g, &m), want);
}

static void
neighbour_cases(const struct gate_fds *g)
{
	expect_changed(g, "guard-arp-as-it-is", "arp-reply", 0, 0, PASSES);
	expect_changed(g, "guard-arp-other-hardware", "arp-reply", 1, 6, DROP_ARP);
	expect_changed(g, "guard-arp-other-protocol", "arp-reply", 3, 1, DROP_ARP);
	expect_changed(g, "guard-arp-long-hardware-address", "arp-reply", 4, 8, DROP_ARP);
	expect_changed(g, "guard-arp-long-address", "arp-reply", 5, 16, DROP_ARP);
	expect_options(g, "guard-na-two-options", 0, 14, 1, 0, PASSES);
	expect_options(g, "guard-na-other-mac-behind", 1, 2, 1, OTHER, DROP_ARP);
	expect_options(g, "guard-na-other-source-mac-behind", 1, 1, 1, OTHER, DROP_ARP);
	expect_options(g, "guard-na-option-without-length", 1, 2, 0, OWN, DROP_ARP);
	expect_options(g, "guard-na-four-options", 2, 2, 1, OWN, PASSES);
	expect_options(g, "guard-na-five-options", 3, 2, 1, OWN, DROP_ARP);
}

/* What the kernel is still to cut into segments may be too long for its own length field. */
static void
segment_cases(const struct gate_fds *g)
{
	static const struct {
		const char *of;
		size_t at;
	} fields[] = {{"ip-zero-discover", 2}, {"na-own", 4}};

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		struct __sk_buff ctx = {.gso_size = 1000};
		static struct made m;
		char name[96];
		LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = m.b, .ctx_in = &ctx,
			    .ctx_size_in = sizeof(ctx), .repeat = 1);

		make(&m, message(fields[i].of), &wrappings[0]);
		memset(m.b + 14 + fields[i].at, 0, 2);
		snprintf(name, sizeof(name), "guard-%s-of-no-length", fields[i].of);
		result(run_in(g, &m) != PASSES, name, "it passed");
		o.data_size_in = (uint32_t)m.n;
		snprintf(name, sizeof(name), "guard-%s-in-segments", fields[i].of);
		result(!bpf_prog_test_run_opts(g->in, &o) && o.retval != 2, name, "it was dropped");
	}
}

static void
single_cases(const struct gate_fds *g)
{
	struct gate_policy policy = sticky();
	static struct made m;

	policy.flags = GATE_IP;
	policy.ip = htonl(OWN_IP);
	set_policy(g, RUN_SLOT, &policy);
	neighbour_cases(g);
	segment_cases(g);
	/* In LLC that is no SNAP the same bytes are no IP. */
	make(&m, message("ip-other"), &wrappings[4]);
	expect("guard-snap", run_in(g, &m), DROP_IP);
	m.b[16] = 0xf3;
	expect("guard-llc-test-frame", run_in(g, &m), PASSES);
}

void
guard_cases(const struct gate_fds *g)
{
	static struct made m;
	struct gate_policy policy = sticky();
	struct guarded_frame f;
	char name[96];

	single_cases(g);
	for (size_t i = 0; guarded_frame(i, &f, &m); i++) {
		int off, on;

		policy.ip = f.ip;
		policy.flags = GATE_CONTROL;
		set_policy(g, RUN_SLOT, &policy);
		off = run_in(g, &m);
		policy.flags = f.flags;
		set_policy(g, RUN_SLOT, &policy);
		on = run_in(g, &m);
		snprintf(name, sizeof(name), "guard-%s-%s", f.message, f.wrapping);
		result(on == f.want && off == PASSES, name,
		       "with the guard %d, expected %d; without %d", on, f.want, off);
	}
}
