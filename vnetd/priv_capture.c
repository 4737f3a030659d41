/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_capture.c - captures: the packet socket of each, its worker, and the device that gets copies of what passes at
 * ports. Runs in priv.
 *
 * Contract: a socket is bound before it leaves, and nothing passes through it until the worker has set its filter; priv
 * reads none, and keeps none. What a client says goes to the worker alone.
 *
 * A packet socket on a port would see what the guest sends before the gate has judged it. So the gate copies what it has
 * judged to a device that leads nowhere (a bridge without ports), with a tag by which its filter tells ports apart.
 */
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/if_bridge.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/util.h"
#include "vnetd/child.h"
#include "vnetd/priv.h"
#include "vnetd/priv_gate_map.h"
#include "vnetd/spawn.h"

enum {
	CAPTURES_MAX = 64,
	/* A worker's ring, which is memory that is not swapped: of a user's first capture of those that run, and of
	 * each further one. */
	RING_MIB = 64,
	RING_FURTHER_MIB = 8,
	/* A worker that is to end has this long to finish its file; one whose reader does not read is killed then. */
	GRACE_MS = 1000,
};

struct capture {
	struct capture *next;
	uint32_t number; /* the engine's */
	pid_t pid;
	int life; /* closed: the worker ends */
	struct loop_timer *patience;
	unsigned slot; /* of the port; 0: a network */
	int port;      /* its interface */
};

struct captures {
	struct capture *head;
	unsigned n;
	int device; /* that gets the copies; 0: there is none */
	struct loop *loop;
	void (*gone)(uint32_t capture, const char *how, void *arg);
	void *arg;
};

/* ------------------------------------------------------------------ the device for copies */

static int
find_device(struct priv *p, struct nl_link *l)
{
	int r = nl_link_get(p->route, NAMES_CAPTURE, l);

	if (r == 0 &&
	    (strcmp(l->kind, "bridge") != 0 || strcmp(l->alias, NAMES_CAPTURE_ALIAS) != 0))
		return -EEXIST;
	return r;
}

static void
delete_device(struct priv *p)
{
	struct nl_link l;

	if (find_device(p, &l) == 0)
		nl_link_del(p->route, l.ifindex);
	p->captures->device = 0;
}

static int
create_device(struct priv *p)
{
	struct nlattr *info, *data;
	void *ifi;
	struct nlmsghdr *h = nl_begin(p->route, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi,
				      sizeof(struct ifinfomsg));

	mnl_attr_put_strz(h, IFLA_IFNAME, NAMES_CAPTURE);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u8(h, IFLA_BR_MCAST_SNOOPING, 0);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	return nl_ack(p->route);
}

/* Without addresses of any kind it says nothing by itself. */
static int
raise_device(struct priv *p, int ifindex)
{
	struct nlmsghdr *h;
	struct ifinfomsg *ifi;
	void *extra;
	int r = priv_sysctl_apply(p->start->sysctl_dir, SYSCTL_PROFILE_SEGMENT, NAMES_CAPTURE);

	if (r < 0)
		return r;
	h = nl_begin(p->route, RTM_NEWLINK, 0, &extra, sizeof(*ifi));
	ifi = extra;
	ifi->ifi_index = ifindex;
	ifi->ifi_flags = IFF_UP | IFF_NOARP;
	ifi->ifi_change = IFF_UP | IFF_NOARP;
	mnl_attr_put_strz(h, IFLA_IFALIAS, NAMES_CAPTURE_ALIAS);
	return nl_ack(p->route);
}

static int
need_device(struct priv *p, struct call *c)
{
	struct nl_link l;
	int r;

	/* Somebody may have deleted it. */
	r = p->captures->device ? find_device(p, &l) : -ENODEV;
	if (r == 0 && l.ifindex == p->captures->device)
		return 0;
	r = create_device(p);
	if (r == 0)
		r = nl_link_get(p->route, NAMES_CAPTURE, &l);
	if (r == 0) {
		r = raise_device(p, l.ifindex);
		if (r < 0)
			nl_link_del(p->route, l.ifindex);
	}
	if (r < 0)
		return fail_nl(p, c, r,
			       "cannot make the interface %s, which captures at ports need",
			       NAMES_CAPTURE);
	p->captures->device = l.ifindex;
	return 0;
}

/* ------------------------------------------------------------------ sockets */

static int
open_socket(int ifindex, bool promiscuous)
{
	static const struct sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	const struct sock_fprog prog = {ARRAY_LEN(nothing), (struct sock_filter *)nothing};
	const struct sockaddr_ll sll = {
	    .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = ifindex};
	const struct packet_mreq all = {.mr_ifindex = ifindex, .mr_type = PACKET_MR_PROMISC};
	AUTO_FD fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0)
		return -errno;
	/* A bridge hands frames between guests to its own device only then; it ends with the socket. */
	if (promiscuous && setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&sll, sizeof(sll)) < 0)
		return -errno;
	return fd_take(&fd);
}

/* ------------------------------------------------------------------ workers */

/* cap->life: our end of the pipe by which it lives. */
static int
start_worker(struct priv *p, const struct call *c, struct capture *cap, int packet, int ifindex)
{
	char run[4096], path[4096], level[32], link[32], slot[32], ring[32];
	const char *argv[] = {"vnet-capture", run, level, link, slot, ring, NULL};
	int life[2];
	AUTO_FD theirs = -1;
	pid_t pid;

	if (pipe2(life, O_CLOEXEC) < 0)
		return -errno;
	cap->life = life[1];
	theirs = life[0];
	snprintf(path, sizeof(path), "%s/vnet-capture", p->start->dirs->libexec);
	snprintf(run, sizeof(run), "--run-dir=%s", p->start->dirs->run);
	snprintf(level, sizeof(level), "--log-level=%d", p->start->level);
	snprintf(link, sizeof(link), "--link=%d", ifindex);
	snprintf(slot, sizeof(slot), "--slot=%u", cap->slot);
	snprintf(ring, sizeof(ring), "--ring=%d",
		 c->m->u.capture_start.further ? RING_FURTHER_MIB : RING_MIB);
	pid = spawn_child(path, argv, (const int[]){theirs, c->in[0], packet}, 3);
	if (pid < 0)
		return pid;
	cap->pid = pid;
	return 0;
}

/* What the capture is of: the device for its socket, and of a port its slot. */
static int
look(struct priv *p, struct call *c, struct nl_link *bridge, struct nl_link *port, unsigned *slot)
{
	const struct msg_capture_start *m = &c->m->u.capture_start;
	int r = priv_bridge_get(p, c, m->net, bridge);

	*slot = 0;
	if (r < 0 || !m->ifname[0])
		return r;
	r = nl_link_get(p->route, m->ifname, port);
	if (r < 0 || port->master != bridge->ifindex)
		return fail(c, -ENODEV, "%s: not a port of %s", m->ifname, bridge->name);
	*slot = gate_slot_find(&p->gate->slots, (uint32_t)port->ifindex);
	if (*slot == 0 || p->gate->policy[*slot].ifindex == 0)
		return fail(c, -ENODEV, "%s: it has no gate", port->name);
	return need_device(p, c);
}

static bool
is_captured(const struct priv *p, unsigned slot)
{
	for (const struct capture *cap = p->captures->head; cap; cap = cap->next)
		if (cap->slot == slot)
			return true;
	return false;
}

/* The last one at its port takes the copies away, the last one at any port the device. */
static void
forget(struct priv *p, struct capture *cap)
{
	struct capture **at = &p->captures->head;
	struct call c = {.m = NULL};
	struct nl_link port;
	bool ports = false;

	while (*at != cap)
		at = &(*at)->next;
	*at = cap->next;
	p->captures->n--;
	if (cap->slot && !is_captured(p, cap->slot) &&
	    p->gate->policy[cap->slot].ifindex == (uint32_t)cap->port &&
	    nl_link_get_index(p->route, cap->port, &port) == 0 &&
	    priv_gate_capture(p, &c, &port, cap->slot, 0) < 0)
		log_warn(0, "%s", c.text);
	for (const struct capture *other = p->captures->head; other; other = other->next)
		ports |= other->slot != 0;
	if (cap->slot && !ports)
		delete_device(p);
	fd_close(&cap->life);
	loop_timer_free(cap->patience);
	free(cap);
}

static void
kill_worker(void *arg)
{
	const struct capture *cap = arg;

	if (cap->pid)
		kill(cap->pid, SIGKILL);
}

static void
end(struct capture *cap)
{
	if (cap->life < 0)
		return;
	fd_close(&cap->life);
	loop_timer_set(cap->patience, mono_add(mono_now(), GRACE_MS));
}

static int
start(struct priv *p, struct call *c, struct capture *cap)
{
	struct nl_link bridge, port;
	AUTO_FD packet = -1;
	int ifindex, r = look(p, c, &bridge, &port, &cap->slot);

	if (r < 0)
		return r;
	ifindex = cap->slot ? p->captures->device : bridge.ifindex;
	packet = open_socket(ifindex, cap->slot == 0);
	if (packet < 0)
		return fail_errno(c, packet, "%s: cannot open a packet socket", bridge.name);
	if (cap->slot) {
		cap->port = port.ifindex;
		r = priv_gate_capture(p, c, &port, cap->slot, (uint32_t)ifindex);
	}
	if (r < 0)
		return r;
	r = start_worker(p, c, cap, packet, ifindex);
	return r < 0 ? fail_errno(c, r, "cannot start vnet-capture") : 0;
}

int
priv_capture_start(struct priv *p, struct call *c)
{
	struct capture *cap;
	int r;

	if (p->captures->n == CAPTURES_MAX)
		return fail(c, -EUSERS, "%d captures run already, which is the most", CAPTURES_MAX);
	cap = calloc(1, sizeof(*cap));
	if (cap)
		cap->patience = loop_timer_new(p->captures->loop, kill_worker, cap);
	if (!cap || !cap->patience) {
		free(cap);
		return fail(c, -ENOMEM, "out of memory");
	}
	cap->number = c->m->u.capture_start.capture;
	cap->life = -1;
	cap->next = p->captures->head;
	p->captures->head = cap;
	p->captures->n++;
	r = start(p, c, cap);
	if (r < 0)
		forget(p, cap);
	return r;
}

int
priv_capture_stop(struct priv *p, struct call *c)
{
	for (struct capture *cap = p->captures->head; cap; cap = cap->next)
		if (cap->number == c->m->u.capture_stop.capture ||
		    c->m->u.capture_stop.capture == 0)
			end(cap);
	return 0;
}

void
priv_capture_stop_all(struct priv *p)
{
	for (struct capture *cap = p->captures->head; cap; cap = cap->next)
		end(cap);
}

bool
priv_capture_any(const struct priv *p)
{
	return p->captures->head;
}

void
priv_capture_reap(struct priv *p, pid_t pid, int status)
{
	struct capture *cap = p->captures->head;
	uint32_t number;
	char how[96];

	while (cap && cap->pid != pid)
		cap = cap->next;
	if (!cap)
		return;
	number = cap->number;
	forget(p, cap);
	child_describe(how, sizeof(how), status);
	p->captures->gone(number, how, p->captures->arg);
}

int
priv_capture_init(struct priv *p, struct loop *loop,
		  void (*gone)(uint32_t capture, const char *how, void *arg), void *arg)
{
	p->captures = calloc(1, sizeof(*p->captures));
	if (!p->captures)
		return -ENOMEM;
	p->captures->loop = loop;
	p->captures->gone = gone;
	p->captures->arg = arg;
	delete_device(p);
	return 0;
}

void
priv_capture_fini(struct priv *p)
{
	while (p->captures && p->captures->head) {
		kill_worker(p->captures->head);
		forget(p, p->captures->head);
	}
	free(p->captures);
	p->captures = NULL;
}
