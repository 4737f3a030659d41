/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate_wire.c - part of gate-prog: the programs at real bridge ports, and who gets a copy of what.
 *
 *     vmnet 8: bridge b8, taps a b c d        vmnet 9: bridge b9, tap e
 *
 * The bridges' ports are set as the gate sets them. Each case says which taps have the frame afterwards: a
 * letter for each time, so that "bcc" would be one copy too many.
 */
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "lib/util.h"
#include "tests/net/gate_prog.h"
#include "vnetd/hook.h"

enum { A, B, C, D, E, TAPS };
enum { B8, B9, BRIDGES, PROBE = BRIDGES, LAST };

#define SLOT(tap)           ((uint32_t)(tap) + 1)
#define BRIDGE_SLOT(bridge) ((uint32_t)(bridge) + 11)
#define CABLE_SLOT(bridge)  ((uint32_t)(bridge) + 21)
#define MAC(tap)            (OWN + ((uint64_t)(tap) << 40))
#define NESTED              (OWN + (0x77ull << 40))
#define NOBODY              (OWN + (0x99ull << 40))
#define FENCE_TYPE(i)       (0x88b6u + (unsigned)(i)) /* 0x88b5: the frames of the cases */
#define MTU                 9000
#define WAIT_MS             10000
#define CLAIMS              1000
#define ADDRESSES           4

struct bridge {
	int ifindex, sock; /* of packets: what the host sends */
};

struct wire {
	const struct gate_fds *g;
	struct nl *nl;
	struct hooks hooks;
	int tap[TAPS], ifindex[TAPS];
	struct gate_policy policy[TAPS];
	struct bridge bridge[BRIDGES];
};

static void
must(int r, const char *what)
{
	if (r >= 0)
		return;
	printf("FAIL wire: %s: %s\n", what, strerror(r == -1 ? errno : -r));
	exit(1);
}

/* --- links ------------------------------------------------------------------------------------ */

/* Without what would make or eat frames by itself: IPv6, and the IP filters of a host for bridged frames. */
static void
be_quiet(void)
{
	static const char *const files[] = {
	    "ipv6/conf/all/disable_ipv6:1",      "ipv6/conf/default/disable_ipv6:1",
	    "bridge/bridge-nf-call-iptables:0",  "bridge/bridge-nf-call-ip6tables:0",
	    "bridge/bridge-nf-call-arptables:0",
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const char *colon = strchr(files[i], ':');
		char path[128];
		int fd;

		snprintf(path, sizeof(path), "/proc/sys/net/%.*s", (int)(colon - files[i]),
			 files[i]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			continue; /* this kernel has no such thing */
		must((int)write(fd, colon + 1, 1), path);
		close(fd);
	}
}

static int
link_get(struct wire *w, const char *name)
{
	struct nl_link l;

	must(nl_link_get(w->nl, name, &l), name);
	return l.ifindex;
}

static void
attach(struct wire *w, int ifindex, enum nl_hook hook, int prog)
{
	must(w->hooks.tcx ? hook_fasten(&w->hooks, ifindex, hook, prog)
			  : hook_attach(&w->hooks, w->nl, ifindex, hook, prog),
	     "attach a program");
}

static void
bridge_add(struct wire *w, int which, const char *name)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET};
	struct nlattr *info, *data;
	void *ifi;
	struct nlmsghdr *h =
	    nl_begin(w->nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(struct ifinfomsg));

	((struct ifinfomsg *)ifi)->ifi_flags = IFF_UP;
	((struct ifinfomsg *)ifi)->ifi_change = IFF_UP;
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	mnl_attr_put_u32(h, IFLA_MTU, MTU);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u8(h, IFLA_BR_MCAST_SNOOPING, 0);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	must(nl_ack(w->nl), "add a bridge");
	w->bridge[which].ifindex = link_get(w, name);
	must(w->bridge[which].sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), "socket");
	to.sll_ifindex = w->bridge[which].ifindex;
	must(bind(w->bridge[which].sock, (struct sockaddr *)&to, sizeof(to)), "bind");
	attach(w, to.sll_ifindex, NL_EGRESS, w->g->host);
}

/* The gate onto a link, and the link onto a bridge. */
static void
port_join(struct wire *w, int ifindex, int bridge)
{
	struct nlmsghdr *h;
	void *ifi;

	attach(w, ifindex, NL_INGRESS, w->g->in);
	attach(w, ifindex, NL_EGRESS, w->g->out);
	h = nl_begin(w->nl, RTM_NEWLINK, 0, &ifi, sizeof(struct ifinfomsg));
	((struct ifinfomsg *)ifi)->ifi_index = ifindex;
	((struct ifinfomsg *)ifi)->ifi_flags = IFF_UP;
	((struct ifinfomsg *)ifi)->ifi_change = IFF_UP;
	mnl_attr_put_u32(h, IFLA_MTU, MTU);
	mnl_attr_put_u32(h, IFLA_MASTER, (uint32_t)w->bridge[bridge].ifindex);
	must(nl_ack(w->nl), "put a port onto its bridge");
}

static void
tap_add(struct wire *w, int tap, int bridge)
{
	const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI};

	must(fd, "/dev/net/tun");
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%c", 'a' + tap);
	must(ioctl(fd, TUNSETIFF, &r), "make a tap");
	w->tap[tap] = fd;
	w->ifindex[tap] = link_get(w, r.ifr_name);
	port_join(w, w->ifindex[tap], bridge);
}

/* Two ends of a cable. */
static void
veth_add(struct wire *w, const char *name, const char *peer_name)
{
	struct nlattr *info, *data, *peer;
	void *ifi;
	struct nlmsghdr *h =
	    nl_begin(w->nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(struct ifinfomsg));

	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(h, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, peer_name);
	mnl_attr_nest_end(h, peer);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	must(nl_ack(w->nl), "add a veth pair");
}

/* --- the gate as new -------------------------------------------------------------------------- */

static void
port_attrs(struct wire *w, int tap, struct nl_port attrs, bool entry)
{
	struct mac mac;

	for (int i = 0; i < 6; i++)
		mac.b[i] = (uint8_t)(MAC(tap) >> 8 * i);
	must(nl_port_set(w->nl, w->ifindex[tap], &attrs, true), "a port's attributes");
	must(entry ? nl_fdb_set(w->nl, w->ifindex[tap], mac)
		   : nl_fdb_del(w->nl, w->ifindex[tap], mac),
	     "a port's entry");
}

static void
policy_set(struct wire *w, int tap)
{
	set_policy(w->g, SLOT(tap), &w->policy[tap]);
}

static void
promiscuous(struct wire *w, const struct gate_net *list)
{
	const uint32_t net = OWN_NET;

	must(bpf_map_update_elem(w->g->nets, &net, list, BPF_ANY), "gate_nets");
	for (int tap = A; tap < TAPS; tap++) {
		bool on = false;

		for (uint32_t i = 0; i < list->n; i++)
			on = on || list->slot[i] == SLOT(tap);
		w->policy[tap].flags = GATE_COPIES | (on ? GATE_FORGED : 0);
		policy_set(w, tap);
		port_attrs(w, tap, (struct nl_port){.locked = !on}, true);
	}
}

/* Every port has its own address and nobody gets copies. */
static void
fresh_wire(struct wire *w)
{
	disown_all(w->g, ANYBODY);
	for (int i = 0; i < BRIDGES; i++) {
		struct gate_policy p = {.ifindex = (uint32_t)w->bridge[i].ifindex,
					.mac_policy = MAC_POLICY_ANY,
					.net = (uint8_t)(OWN_NET + i)};

		set_policy(w->g, BRIDGE_SLOT(i), &p);
	}
	for (int tap = A; tap < TAPS; tap++) {
		const struct gate_state s = {.mac = MAC(tap)};
		const uint32_t slot = SLOT(tap);
		uint64_t key;

		w->policy[tap] = (struct gate_policy){
		    .ifindex = (uint32_t)w->ifindex[tap],
		    .mac_policy = MAC_POLICY_GIVEN,
		    .flags = GATE_COPIES,
		    .net = tap == E ? OWN_NET + 1 : OWN_NET,
		};
		set_state(w->g, slot, &s);
		forget_drops(w->g, slot);
		key = GATE_OWNER(w->policy[tap].net, MAC(tap));
		must(bpf_map_update_elem(w->g->owners, &key, &slot, BPF_ANY), "gate_owners");
	}
	promiscuous(w, &(struct gate_net){0});
}

static void
span(struct wire *w, int watched, int watcher)
{
	w->policy[watched].span = SLOT(watcher);
	policy_set(w, watched);
}

/* --- frames ----------------------------------------------------------------------------------- */

enum { HOST8 = -1, HOST9 = -2 }; /* senders that are no tap */

static void
transmit(const struct wire *w, int from, const struct made *m)
{
	int fd = from >= 0 ? w->tap[from] : w->bridge[from == HOST8 ? B8 : B9].sock;

	must((int)write(fd, m->b, m->n), "send a frame");
}

/* Fences: what the host sends to all of a network, to know that everything before it has come. */
static void
transmit_fence(const struct wire *w, int bridge, unsigned type)
{
	static struct made m;

	make_plain(&m, ALL, HOST);
	m.n = 12;
	put16(&m, type);
	put_zero(&m, 46);
	transmit(w, bridge == B8 ? HOST8 : HOST9, &m);
}

/* Waits for the tap's next frame; returns its type. */
static unsigned
receive(const struct wire *w, int tap, struct made *m)
{
	struct pollfd p = {.fd = w->tap[tap], .events = POLLIN};
	ssize_t n;

	if (poll(&p, 1, WAIT_MS) != 1) {
		printf("FAIL wire: a frame to all did not arrive at tap %c\n", 'a' + tap);
		exit(1);
	}
	n = read(w->tap[tap], m->b, sizeof(m->b));
	must(n < 14 ? -1 : 0, "read a tap");
	m->n = (size_t)n;
	return (unsigned)(m->b[12] << 8 | m->b[13]);
}

/* Adds the tap's letter for each frame that is m, and '?' for one that is not; up to its network's fence.
 * The other network's fence may come too, where a port of the one watches one of the other. */
static void
drain(const struct wire *w, int tap, const struct made *m, char *got, size_t cap)
{
	static struct made in;
	unsigned type;

	while ((type = receive(w, tap, &in)) != FENCE_TYPE(tap == E ? B9 : B8)) {
		size_t len = strlen(got);
		bool same = in.n == m->n && !memcmp(in.b, m->b, m->n);

		if ((type < FENCE_TYPE(0) || type > FENCE_TYPE(LAST)) && len + 1 < cap)
			got[len] = same ? (char)('a' + tap) : '?';
	}
}

/* The taps that have the frame, in order. What the host sends to all comes behind it, at every tap. */
static const char *
arrived(const struct wire *w, const struct made *m)
{
	static char got[64];

	memset(got, 0, sizeof(got));
	for (int i = 0; i < BRIDGES; i++)
		transmit_fence(w, i, FENCE_TYPE(i));
	for (int tap = A; tap < TAPS; tap++)
		drain(w, tap, m, got, sizeof(got));
	return got;
}

static const char *
arrivals(const struct wire *w, int from, const struct made *m)
{
	transmit(w, from, m);
	return arrived(w, m);
}

static void
arrives_made(const struct wire *w, const char *name, int from, const struct made *m,
	     const char *want)
{
	const char *got = arrivals(w, from, m);

	result(!strcmp(got, want), name, "taps \"%s\" had the frame instead of \"%s\"", got, want);
}

static void
arrives(const struct wire *w, const char *name, int from, uint64_t dst, uint64_t src,
	const char *want)
{
	static struct made m;

	make_plain(&m, dst, src);
	arrives_made(w, name, from, &m, want);
}

/* --- cases ------------------------------------------------------------------------------------ */

static void
plain_cases(struct wire *w)
{
	fresh_wire(w);
	arrives(w, "wire-unicast", A, MAC(B), MAC(A), "b");
	arrives(w, "wire-broadcast", A, ALL, MAC(A), "bcd");
	arrives(w, "wire-unknown", A, NOBODY, MAC(A), "");
	arrives(w, "wire-forged", A, MAC(B), MAC(C), "");
	arrives(w, "wire-from-the-host", HOST8, MAC(B), HOST, "b");
	w->policy[A].ifindex += 1000;
	policy_set(w, A);
	arrives(w, "wire-slot-of-another-link", A, MAC(B), MAC(A), "");
	arrives(w, "wire-slot-of-another-link-egress", B, MAC(A), MAC(B), "a");
}

/* What a promiscuous port gets, whatever shape the frame has. */
static void
shape_cases(struct wire *w)
{
	static struct made m;

	make_plain(&m, MAC(B), MAC(A));
	m.n = 14;
	arrives_made(w, "mirror-header-alone", A, &m, "bc");
	m.n = 12;
	put16(&m, 0x8100);
	put16(&m, 5);
	put16(&m, 0x88b5);
	put_zero(&m, 46);
	arrives_made(w, "mirror-tag", A, &m, "bc");
	m.n = 12;
	put32(&m, 0x88a80005);
	put32(&m, 0x81000006);
	put16(&m, 0x88b5);
	put_zero(&m, 46);
	arrives_made(w, "mirror-two-tags", A, &m, "bc");
	arrives_made(w, "mirror-two-tags-from-the-host", HOST8, &m, "bc");
	m.n = 12;
	put16(&m, 46);
	put_zero(&m, 46);
	arrives_made(w, "mirror-802.3", A, &m, "bc");
	make_plain(&m, MAC(B), MAC(A));
	put_zero(&m, MTU - 46);
	arrives_made(w, "mirror-jumbo", A, &m, "bc");
}

static void
mirror_cases(struct wire *w)
{
	fresh_wire(w);
	promiscuous(w, &(struct gate_net){.n = 1, .slot = {SLOT(C)}});
	arrives(w, "mirror-unicast", A, MAC(B), MAC(A), "bc");
	arrives(w, "mirror-unicast-back", B, MAC(A), MAC(B), "ac");
	arrives(w, "mirror-not-the-receiver-twice", A, MAC(C), MAC(A), "c");
	arrives(w, "mirror-not-the-sender", C, MAC(A), MAC(C), "a");
	arrives(w, "mirror-sender-forges", C, MAC(A), NOBODY, "a");
	arrives(w, "mirror-sender-to-nobody", C, NOBODY, MAC(C), "");
	arrives(w, "mirror-to-nobody", A, NOBODY, MAC(A), "c");
	arrives(w, "mirror-to-itself", A, MAC(A), MAC(A), "c");
	arrives(w, "mirror-to-the-host", A, HOST, MAC(A), "c");
	arrives(w, "mirror-from-the-host", HOST8, MAC(A), HOST, "ac");
	arrives(w, "mirror-from-the-host-to-it", HOST8, MAC(C), HOST, "c");
	arrives(w, "mirror-broadcast", A, ALL, MAC(A), "bcd");
	arrives(w, "mirror-broadcast-of-it", C, ALL, MAC(C), "abd");
	arrives(w, "mirror-broadcast-of-the-host", HOST8, ALL, HOST, "abcd");
	arrives(w, "mirror-dropped-frame", A, MAC(B), NOBODY, "");
	arrives(w, "mirror-other-network", HOST9, MAC(E), HOST, "e");
	shape_cases(w);
	promiscuous(w, &(struct gate_net){.n = 2, .slot = {SLOT(C), SLOT(D)}});
	arrives(w, "mirror-two", A, MAC(B), MAC(A), "bcd");
	arrives(w, "mirror-two-one-sends", C, MAC(A), MAC(C), "ad");
	arrives(w, "mirror-two-to-each-other", C, MAC(D), MAC(C), "d");
	promiscuous(w, &(struct gate_net){.n = 2, .slot = {0, SLOT(D)}});
	arrives(w, "mirror-hole-in-the-list", A, MAC(B), MAC(A), "bd");
	promiscuous(w, &(struct gate_net){.n = 1, .slot = {SLOT(C), SLOT(D)}});
	arrives(w, "mirror-behind-the-end-of-the-list", A, MAC(B), MAC(A), "bc");
	promiscuous(w, &(struct gate_net){0});
	arrives(w, "mirror-revoked", A, MAC(B), MAC(A), "b");
	arrives(w, "mirror-revoked-forges", D, MAC(B), NOBODY, "");
}

/* c watches a. */
static void
span_cases(struct wire *w)
{
	fresh_wire(w);
	span(w, A, C);
	arrives(w, "span-sends", A, MAC(B), MAC(A), "bc");
	arrives(w, "span-receives", B, MAC(A), MAC(B), "ac");
	arrives(w, "span-receives-from-the-host", HOST8, MAC(A), HOST, "ac");
	arrives(w, "span-others", B, MAC(D), MAC(B), "d");
	arrives(w, "span-to-the-watcher", A, MAC(C), MAC(A), "c");
	arrives(w, "span-from-the-watcher", C, MAC(A), MAC(C), "a");
	arrives(w, "span-broadcast", A, ALL, MAC(A), "bcd");
	arrives(w, "span-broadcast-to-it", B, ALL, MAC(B), "acd");
	arrives(w, "span-broadcast-of-the-watcher", C, ALL, MAC(C), "abd");
	span(w, C, A);
	arrives(w, "span-each-other", A, MAC(B), MAC(A), "bc");
	arrives(w, "span-each-other-back", B, MAC(C), MAC(B), "ac");
	arrives(w, "span-each-other-between", A, MAC(C), MAC(A), "c");

	/* The watcher has nested guests. */
	fresh_wire(w);
	span(w, A, C);
	w->policy[C].mac_policy = MAC_POLICY_LEARN;
	w->policy[C].learn = 2;
	policy_set(w, C);
	port_attrs(w, C, (struct nl_port){.learning = true}, true);
	arrives(w, "span-from-behind-the-watcher", C, MAC(A), NESTED, "a");
	arrives(w, "span-to-behind-the-watcher", A, NESTED, MAC(A), "c");
}

static void
span_and_mirror_cases(struct wire *w)
{
	fresh_wire(w);
	promiscuous(w, &(struct gate_net){.n = 1, .slot = {SLOT(C)}});
	span(w, A, C);
	arrives(w, "span-promiscuous-sends", A, MAC(B), MAC(A), "bc");
	arrives(w, "span-promiscuous-receives", B, MAC(A), MAC(B), "ac");
	arrives(w, "span-promiscuous-others", B, MAC(D), MAC(B), "cd");
	arrives(w, "span-promiscuous-forges", C, MAC(A), NOBODY, "a");
	span(w, B, D);
	arrives(w, "span-beside-a-promiscuous-port", A, MAC(B), MAC(A), "bcd");
	fresh_wire(w);
	promiscuous(w, &(struct gate_net){.n = 1, .slot = {SLOT(A)}});
	span(w, A, C);
	arrives(w, "span-of-promiscuous-no-copy-of-a-copy", B, MAC(D), MAC(B), "ad");
	arrives(w, "span-of-promiscuous-receives", B, MAC(A), MAC(B), "ac");

	/* The watcher is in another network. */
	fresh_wire(w);
	span(w, A, E);
	arrives(w, "span-elsewhere-sends", A, MAC(B), MAC(A), "be");
	arrives(w, "span-elsewhere-receives", B, MAC(A), MAC(B), "ae");
	arrives(w, "span-elsewhere-broadcast", A, ALL, MAC(A), "bcde");
	arrives(w, "span-elsewhere-broadcast-to-it", B, ALL, MAC(B), "acde");
	span(w, E, A);
	arrives(w, "span-elsewhere-each-other", B, MAC(A), MAC(B), "ae");
	arrives(w, "span-elsewhere-each-other-back", HOST9, MAC(E), HOST, "ae");
}

/* The kernel lets a new cable's bridge ports forward in its own time. */
static void
wait_for_cable(const struct wire *w)
{
	struct pollfd at_e = {.fd = w->tap[E], .events = POLLIN};
	static struct made m;

	for (int i = 0; i < WAIT_MS / 10 && poll(&at_e, 1, 10) == 0; i++)
		transmit_fence(w, B8, FENCE_TYPE(PROBE));
	transmit_fence(w, B8, FENCE_TYPE(LAST));
	while (receive(w, E, &m) != FENCE_TYPE(LAST))
		;
}

/* A promiscuous port is a cable to another network: what comes out there is a frame like any other, though
 * the kernel's own record of it has been a copy. So who watches e has it too. */
static void
returning_copy(struct wire *w)
{
	static const char *const names[BRIDGES] = {"v8", "v9"};
	struct pollfd at_e = {.fd = w->tap[E], .events = POLLIN};
	static struct made m;
	const char *got;

	fresh_wire(w);
	veth_add(w, names[B8], names[B9]);
	for (int i = 0; i < BRIDGES; i++) {
		const struct gate_state none = {0};
		struct gate_policy p = {.flags = i == B8 ? GATE_FORGED : 0,
					.mac_policy = MAC_POLICY_ANY,
					.net = (uint8_t)(OWN_NET + i)};

		p.ifindex = (uint32_t)link_get(w, names[i]);
		set_policy(w->g, CABLE_SLOT(i), &p);
		set_state(w->g, CABLE_SLOT(i), &none);
		port_join(w, (int)p.ifindex, i);
		must(nl_port_set(w->nl, (int)p.ifindex, &(struct nl_port){0}, true), "attributes");
	}
	promiscuous(w, &(struct gate_net){.n = 1, .slot = {CABLE_SLOT(B8)}});
	port_attrs(w, E, (struct nl_port){.flood = true}, true);
	wait_for_cable(w);
	span(w, E, C);
	make_plain(&m, MAC(B), MAC(A));
	transmit(w, A, &m);
	/* The cable takes its time, and the fences go another way. */
	result(poll(&at_e, 1, WAIT_MS) == 1, "mirror-into-another-network", "e has nothing");
	got = arrived(w, &m);
	result(!strcmp(got, "bce"), "span-of-what-a-mirror-brought", "taps \"%s\" had it", got);
	must(nl_link_del(w->nl, link_get(w, names[B8])), "delete the veth pair");
}

/* Plain frames that wait at the tap. */
static unsigned
waiting(const struct wire *w, int tap)
{
	struct pollfd p = {.fd = w->tap[tap], .events = POLLIN};
	uint8_t b[sizeof(struct made)];
	unsigned n = 0;

	while (poll(&p, 1, 0) == 1) {
		must((int)read(w->tap[tap], b, sizeof(b)), "read a tap");
		n += b[12] == 0x88 && b[13] == 0xb5;
	}
	return n;
}

/* c may get 1 KiB in an hour, and so much ahead: 18 frames of 60 bytes. Copies count too, for it is what
 * the guest gets; its neighbour loses nothing by it. */
static void
rate_cases(struct wire *w)
{
	static struct made m;
	struct gate_policy *p = &w->policy[C];
	uint64_t dropped;
	unsigned b, c;

	fresh_wire(w);
	promiscuous(w, &(struct gate_net){.n = 1, .slot = {SLOT(C)}});
	p->in_ns = p->in_burst_ns = 3600000000000ull;
	policy_set(w, C);
	make_plain(&m, MAC(C), MAC(A));
	for (int i = 0; i < 10; i++)
		transmit(w, A, &m);
	make_plain(&m, MAC(B), MAC(A));
	for (int i = 0; i < 10; i++)
		transmit(w, A, &m);
	for (int i = 0; i < WAIT_MS && get_drops(w->g, SLOT(C)).n[DROP_RATE_IN] < 2; i++)
		usleep(1000);
	b = waiting(w, B);
	c = waiting(w, C);
	dropped = get_drops(w->g, SLOT(C)).n[DROP_RATE_IN];
	result(c == 18 && dropped == 2, "rate-in", "%u of 20 frames came, %llu were counted", c,
	       (unsigned long long)dropped);
	result(b == 10, "rate-in-of-a-watcher", "%u of 10 frames came to the neighbour", b);
}

/* Every message of gate_guards.c through a tap: the kernel moves the outer tag out of the frame there. */
static void
guards_on_wire(struct wire *w)
{
	static struct made m;
	struct guarded_frame f;
	char name[96];

	fresh_wire(w);
	for (size_t i = 0; guarded_frame(i, &f, &m); i++) {
		w->policy[A].flags = GATE_COPIES | f.flags;
		w->policy[A].ip = f.ip;
		policy_set(w, A);
		snprintf(name, sizeof(name), "tap-%s-%s", f.message, f.wrapping);
		arrives_made(w, name, A, &m, f.want_untagged == PASSES ? "bcd" : "");
	}
}

/* --- two ports against each other ------------------------------------------------------------- */

struct claimer {
	const struct wire *w;
	pthread_barrier_t *start;
	int tap;
	bool several;
};

/* Sends from the one address, or from several, b in another order each time. */
static void *
claim(void *arg)
{
	const struct claimer *c = arg;
	struct made *m = calloc(1, sizeof(*m));

	for (int round = 0; m && round < CLAIMS; round++) {
		pthread_barrier_wait(c->start); /* all is as new */
		for (unsigned i = 0; i < (c->several ? ADDRESSES : 1); i++) {
			uint64_t nth = c->tap == A ? i : i + (unsigned)round;

			make_plain(m, HOST, NESTED + (c->several ? nth % ADDRESSES << 16 : 0));
			transmit(c->w, c->tap, m);
		}
		pthread_barrier_wait(c->start); /* both are done */
	}
	free(m);
	return NULL;
}

/* What a port has pinned is in gate_owners with its slot, and nothing else is. */
static bool
claims_fit(const struct wire *w, bool several, unsigned *pinned)
{
	*pinned = 0;
	for (int tap = A; tap <= B; tap++) {
		const uint64_t mac = get_state(w->g, SLOT(tap)).mac;
		const uint64_t key = GATE_OWNER(OWN_NET, mac);
		uint32_t owner = 0;

		*pinned += mac != 0;
		if (mac &&
		    (bpf_map_lookup_elem(w->g->owners, &key, &owner) < 0 || owner != SLOT(tap)))
			return false;
	}
	return disown_all(w->g, ANYBODY) == *pinned && *pinned >= 1 &&
	       *pinned <= (several ? 2u : 1u);
}

static void
claim_cases(struct wire *w, bool several, const char *name)
{
	struct claimer c[2] = {{w, NULL, A, several}, {w, NULL, B, several}};
	unsigned wrong = 0, pinned, by[3] = {0}, a_won = 0;
	pthread_barrier_t start;
	pthread_t t[2];

	pthread_barrier_init(&start, NULL, 3);
	for (int i = 0; i < 2; i++) {
		c[i].start = &start;
		must(-pthread_create(&t[i], NULL, claim, &c[i]), "pthread_create");
	}
	for (int round = 0; round < CLAIMS; round++) {
		const struct gate_state none = {0};

		for (int tap = A; tap <= B; tap++)
			set_state(w->g, SLOT(tap), &none);
		pthread_barrier_wait(&start);
		pthread_barrier_wait(&start);
		a_won += get_state(w->g, SLOT(A)).mac != 0;
		if (!claims_fit(w, several, &pinned)) {
			wrong++;
			disown_all(w->g, ANYBODY);
		} else {
			by[pinned]++;
		}
	}
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	pthread_barrier_destroy(&start);
	result(!wrong, name, "%u of %d rounds ended with an address of both or of nobody", wrong,
	       CLAIMS);
	printf("# %s: a pinned %u times, b %u times\n", name, a_won, by[1] + 2 * by[2] - a_won);
}

static void
sticky_ports(struct wire *w)
{
	fresh_wire(w);
	disown_all(w->g, ANYBODY);
	for (int tap = A; tap <= B; tap++) {
		w->policy[tap].mac_policy = MAC_POLICY_STICKY;
		policy_set(w, tap);
	}
}

void
wire_cases(const struct gate_fds *g, bool tcx)
{
	static struct wire w;

	w.g = g;
	w.nl = nl_open(NETLINK_ROUTE);
	must(w.nl ? 0 : -1, "netlink");
	hooks_init(&w.hooks);
	/* Old kernels have no tcx; both ways are tried on those that have it. */
	result(w.hooks.tcx || !tcx, "wire-kernel", "this kernel has no tcx: needs Linux 6.6");
	w.hooks.tcx = tcx;
	must(hook_know(&w.hooks, g->in), "gate_in");
	must(hook_know(&w.hooks, g->out), "gate_out");
	must(hook_know(&w.hooks, g->host), "gate_host");
	be_quiet();
	bridge_add(&w, B8, "b8");
	bridge_add(&w, B9, "b9");
	for (int tap = A; tap < TAPS; tap++)
		tap_add(&w, tap, tap == E ? B9 : B8);
	plain_cases(&w);
	mirror_cases(&w);
	span_cases(&w);
	span_and_mirror_cases(&w);
	returning_copy(&w);
	rate_cases(&w);
	guards_on_wire(&w);
	sticky_ports(&w);
	claim_cases(&w, false, "claim-one-address");
	claim_cases(&w, true, "claim-several-addresses");
	for (int tap = A; tap < TAPS; tap++)
		close(w.tap[tap]);
	for (int i = 0; i < BRIDGES; i++)
		close(w.bridge[i].sock);
	hooks_close(&w.hooks);
	nl_close(w.nl);
}
