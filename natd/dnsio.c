/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsio.c - sockets and timers of the DNS proxy. Decides nothing: that is dns.c.
 *
 * Upstream sockets are unconnected, so that one serves every server of its family; ICMP errors are read
 * from their error queues (IP_RECVERR), which turns a server that is not there into an immediate
 * choice of the next one. A socket lives about as long as something is waited for on it: whoever wants
 * to slip in an answer has to guess a fresh port besides the id.
 */
#include "natd/dnsio.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/fd.h"
#include "lib/log.h"
#include "lib/rtnl.h"
#include "lib/util.h"
#include "natd/dnssock.h"
#include "natd/dnstcp.h"
#include "natd/dnstell.h"

enum {
	SOCKS = 16,       /* of each family */
	BATCH = 16,       /* datagrams that are read, or sent, in one call */
	RANDOM = 64,      /* numbers that are got in one call */
	DATAGRAM = 65536, /* the longest there is, so that none is ever cut */
	/* Under load sockets are never idle for long; this keeps them from being replaced all the time. */
	SOCK_AGE_MS = 1000,
};

enum family { FAMILY_IP4, FAMILY_IP6, FAMILIES };

/* A socket towards servers. */
struct upsock {
	struct dnsio *io;
	unsigned number; /* as dns.h counts them, in each family */
	int fd;          /* -1: not open now */
	struct loop_io *watch;
	struct mono opened;
};

/* A socket towards guests. */
struct guestsock {
	struct dnsio *io;
	unsigned net;
	int fd;
	struct loop_io *watch;
};

struct dnsio {
	struct loop *loop;
	struct loop_timer *timer;
	struct dns *dns;
	struct dnstcp *tcp;
	struct guestsock *guest[DNS_NETS];
	struct upsock up[FAMILIES][SOCKS];
	struct mono armed; /* when the timer fires */
	bool told;         /* that a socket could not be opened */
	uint64_t random[RANDOM];
	unsigned nrandom;
	/* What is being read. Pages that no datagram was long enough for stay untouched. */
	uint8_t buf[BATCH][DATAGRAM];
};

/* A batch of datagrams in buf. */
struct batch {
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	union dnssock_addr from[BATCH];
};

/* Answers to guests of one network, to be sent in one call. They lie in buf. */
struct outbox {
	struct dnsio *io;
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	union dnssock_addr to[BATCH];
	unsigned net, n;
};

/* Sending. */

static void
close_upstream(struct upsock *s)
{
	loop_io_free(s->watch);
	s->watch = NULL;
	fd_close(&s->fd);
}

static void on_upstream(int fd, void *arg);

static int
set_options(int fd, enum family family)
{
	const int on = 1;
	int r;

	if (family == FAMILY_IP4)
		return setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)) < 0 ? -errno : 0;
	r = setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
	if (r == 0)
		r = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	return r < 0 ? -errno : 0;
}

static int
open_upstream(struct upsock *s, enum family family)
{
	AUTO_FD fd = -1;
	int r;

	if (s->fd >= 0)
		return 0;
	fd = socket(family == FAMILY_IP4 ? AF_INET : AF_INET6,
		    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = set_options(fd, family);
	if (r < 0)
		return r;
	s->watch = loop_add_read(s->io->loop, fd, on_upstream, s);
	if (!s->watch)
		return -ENOMEM;
	s->fd = fd_take(&fd);
	s->opened = mono_now();
	return 0;
}

static int
send_to(int fd, const uint8_t *msg, size_t len, const union dnssock_addr *to, socklen_t to_len)
{
	/* The first attempt may report what became of an earlier datagram; the second is our own. */
	for (int i = 0; i < 2; i++) {
		if (sendto(fd, msg, len, MSG_DONTWAIT | MSG_NOSIGNAL, &to->sa, to_len) >= 0)
			return 0;
		/* A full queue is as good as a lost packet: it is sent again in time. */
		if (errno == EAGAIN || errno == ENOBUFS)
			return 0;
	}
	return -errno;
}

static void
send_upstream(struct dnsio *io, const struct dns_out *out)
{
	enum family family = dns_addr_is_ip4(&out->server) ? FAMILY_IP4 : FAMILY_IP6;
	struct upsock *s = &io->up[family][out->sock];
	union dnssock_addr to;
	socklen_t to_len = dnssock_addr(&to, &out->server);
	int r = open_upstream(s, family);

	if (r == 0) {
		r = send_to(s->fd, out->msg, out->len, &to, to_len);
	} else if (r != -EAFNOSUPPORT && !io->told) {
		log_warn(-r, "DNS: no socket can be opened towards the servers");
		io->told = true;
	}
	if (r < 0)
		dns_unreachable(io->dns, out->sock, &out->server, out->msg, out->len, mono_now());
}

static void
send_reply(struct dnsio *io, const struct dns_out *out)
{
	const struct guestsock *g = io->guest[out->net];
	struct dns_addr guest = dns_addr_from_ip4(out->client, out->port);
	union dnssock_addr to;
	socklen_t to_len = dnssock_addr(&to, &guest);
	int r = g ? send_to(g->fd, out->msg, out->len, &to, to_len) : 0;

	if (r < 0)
		log_debug("vmnet%u: a DNS answer to %s could not be sent: %s", out->net,
			  IP4_STR(out->client), strerror(-r));
}

static void
perform(struct dnsio *io, const struct dns_out *out)
{
	switch (out->what) {
	case DNS_DROP:
		break;
	case DNS_SEND:
		send_upstream(io, out);
		break;
	case DNS_REPLY:
		send_reply(io, out);
		break;
	}
}

static void
outbox_flush(struct outbox *o)
{
	const struct guestsock *g = o->io->guest[o->net];
	unsigned sent = 0;

	while (g && sent < o->n) {
		int n = sendmmsg(g->fd, o->msg + sent, o->n - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		/* The first could not be sent, or an earlier one could not be delivered. The guest asks again. */
		sent += n > 0 ? (unsigned)n : 1;
	}
	o->n = 0;
}

/* As perform(), but answers go into the box; out->msg stays where it is until it is flushed. */
static void
perform_later(struct outbox *o, const struct dns_out *out)
{
	struct dns_addr guest = dns_addr_from_ip4(out->client, out->port);
	unsigned i;

	if (out->what != DNS_REPLY) {
		perform(o->io, out);
		return;
	}
	if (o->n == BATCH || (o->n && o->net != out->net))
		outbox_flush(o);
	o->net = out->net;
	i = o->n++;
	o->iov[i] = (struct iovec){(void *)(uintptr_t)out->msg, out->len};
	o->msg[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &o->to[i],
						 .msg_namelen = dnssock_addr(&o->to[i], &guest),
						 .msg_iov = &o->iov[i],
						 .msg_iovlen = 1}};
}

/* The timer is told only what is new: that costs a system call. */
static void
arm(void *arg)
{
	struct dnsio *io = arg;
	struct mono due = dns_next_deadline(io->dns);

	if (due.ms == io->armed.ms)
		return;
	io->armed = due;
	loop_timer_set(io->timer, due);
}

/* Unpredictable numbers, several from each system call; none is used twice. */
static uint64_t
take_random(struct dnsio *io)
{
	uint64_t r;

	if (io->nrandom == 0) {
		arc4random_buf(io->random, sizeof(io->random));
		io->nrandom = RANDOM;
	}
	r = io->random[--io->nrandom];
	io->random[io->nrandom] = 0;
	return r;
}

/* What is due, and when to look again. Ends: whoever cannot be reached is not asked again. */
static void
run(struct dnsio *io)
{
	struct mono now = mono_now();
	struct dns_out out;

	while (dns_tick(io->dns, now, &out)) {
		perform(io, &out);
		now = mono_now();
	}
	dnstell_refusal(io->dns, now);
	arm(io);
}

/* Gives up sockets on which nothing is waited for; the next query there opens another. */
static void
retire(struct dnsio *io, struct upsock *s, struct mono now)
{
	if (s->fd >= 0 && dns_sock_pending(io->dns, s->number) == 0 &&
	    mono_diff(now, s->opened) >= SOCK_AGE_MS)
		close_upstream(s);
}

static void
on_timer(void *arg)
{
	struct dnsio *io = arg;
	struct mono now = mono_now();

	io->armed = MONO_NEVER;
	run(io);
	/* Sockets whose servers never answered are nobody else's to close. */
	for (unsigned i = 0; i < SOCKS; i++) {
		retire(io, &io->up[FAMILY_IP4][i], now);
		retire(io, &io->up[FAMILY_IP6][i], now);
	}
}

/* Receiving. */

static int
receive(struct dnsio *io, int fd, struct batch *b)
{
	for (unsigned i = 0; i < BATCH; i++) {
		b->iov[i] = (struct iovec){io->buf[i], DATAGRAM};
		b->msg[i].msg_hdr = (struct msghdr){.msg_name = &b->from[i],
						    .msg_namelen = sizeof(b->from[i]),
						    .msg_iov = &b->iov[i],
						    .msg_iovlen = 1};
	}
	return recvmmsg(fd, b->msg, BATCH, MSG_DONTWAIT, NULL);
}

static void
on_guest(int fd, void *arg)
{
	struct guestsock *g = arg;
	struct dnsio *io = g->io;
	struct mono now = mono_now();
	struct outbox box = {.io = io, .n = 0};
	struct dns_out out;
	struct batch b;
	int n = receive(io, fd, &b);

	for (int i = 0; i < n; i++) {
		const struct sockaddr_in *sin = &b.from[i].in;
		struct dns_asker from = {g->net, ip4_from_be(sin->sin_addr.s_addr),
					 ntohs(sin->sin_port)};

		out = dns_query_in(io->dns, &from, io->buf[i], b.msg[i].msg_len, DATAGRAM, now,
				   take_random(io));
		perform_later(&box, &out);
	}
	outbox_flush(&box);
	run(io);
}

/* Takes one ICMP error from the queue: a server to which a datagram of ours could not be delivered. False:
 * the queue is empty. */
static bool
take_error(struct upsock *s)
{
	union {
		struct cmsghdr align;
		char b[CMSG_SPACE(sizeof(struct sock_extended_err) + sizeof(struct sockaddr_in6))];
	} control;
	uint8_t quoted[DNS_QUERY_LEN_MAX];
	struct iovec iov = {quoted, sizeof(quoted)};
	union dnssock_addr to = {.sa = {.sa_family = AF_UNSPEC}};
	struct msghdr m = {.msg_name = &to,
			   .msg_namelen = sizeof(to),
			   .msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(s->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT);
	struct sock_extended_err err = {.ee_errno = 0};
	struct dns_addr server;

	if (n < 0)
		return false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
		    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
			memcpy(&err, CMSG_DATA(c), sizeof(err));
	}
	/* A smaller path MTU is the kernel's business. */
	if (err.ee_errno == 0 || err.ee_errno == EMSGSIZE)
		return true;
	server = dnssock_from(&to);
	dns_unreachable(s->io->dns, s->number, &server, quoted, (size_t)n, mono_now());
	return true;
}

static void
on_upstream(int fd, void *arg)
{
	struct upsock *s = arg;
	struct dnsio *io = s->io;
	struct mono now = mono_now();
	struct outbox box = {.io = io, .n = 0};
	struct dns_out out;
	struct batch b;
	int n = receive(io, fd, &b);

	for (int i = 0; i < n; i++) {
		struct dns_addr from = dnssock_from(&b.from[i]);

		out = dns_answer_in(io->dns, s->number, &from, io->buf[i], b.msg[i].msg_len, now);
		perform_later(&box, &out);
	}
	outbox_flush(&box);
	for (int i = 0; n < 0 && i < BATCH && take_error(s); i++)
		;
	run(io);
	retire(io, s, now);
}

/* Life and configuration. */

struct dnsio *
dnsio_new(struct loop *loop)
{
	struct dnsio *io = calloc(1, sizeof(*io));
	uint64_t seed;

	if (!io)
		return NULL;
	io->loop = loop;
	io->armed = MONO_NEVER;
	for (unsigned f = 0; f < FAMILIES; f++) {
		for (unsigned i = 0; i < SOCKS; i++)
			io->up[f][i] = (struct upsock){.io = io, .number = i, .fd = -1};
	}
	arc4random_buf(&seed, sizeof(seed));
	io->dns = dns_new(SOCKS, seed);
	io->timer = loop_timer_new(loop, on_timer, io);
	io->tcp = io->dns ? dnstcp_new(loop, io->dns, arm, io) : NULL;
	if (!io->tcp || !io->timer) {
		dnsio_free(io);
		return NULL;
	}
	return io;
}

static void
guest_free(struct guestsock *g)
{
	if (!g)
		return;
	loop_io_free(g->watch);
	fd_close(&g->fd);
	free(g);
}

void
dnsio_free(struct dnsio *io)
{
	if (!io)
		return;
	for (unsigned i = 0; i < DNS_NETS; i++)
		guest_free(io->guest[i]);
	for (unsigned f = 0; f < FAMILIES; f++) {
		for (unsigned i = 0; i < SOCKS; i++)
			close_upstream(&io->up[f][i]);
	}
	dnstcp_free(io->tcp);
	loop_timer_free(io->timer);
	dns_free(io->dns);
	free(io);
}

/* *fd is taken over, also on failure. */
static struct guestsock *
guest_new(struct dnsio *io, unsigned net, int *fd)
{
	AUTO_FD own = fd_take(fd);
	struct guestsock *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->io = io;
	g->net = net;
	g->fd = fd_take(&own);
	g->watch = loop_add_read(io->loop, g->fd, on_guest, g);
	if (!g->watch) {
		guest_free(g);
		return NULL;
	}
	return g;
}

int
dnsio_set_net(struct dnsio *io, unsigned net, int *fd, const struct dns_net_conf *conf)
{
	AUTO_FD own = fd_take(fd);
	struct guestsock *g = NULL;
	int r;

	if (net >= DNS_NETS)
		return -EINVAL;
	if (own < 0 && !io->guest[net])
		return -EBADF;
	if (own >= 0) {
		g = guest_new(io, net, &own);
		if (!g)
			return -ENOMEM;
	}
	r = dns_set_net(io->dns, net, conf, mono_now());
	if (r < 0) {
		guest_free(g);
		return r;
	}
	if (g) {
		guest_free(io->guest[net]);
		io->guest[net] = g;
	}
	arm(io);
	return 0;
}

void
dnsio_drop_net(struct dnsio *io, unsigned net)
{
	if (net >= DNS_NETS)
		return;
	dns_drop_net(io->dns, net);
	dnstcp_drop_net(io->tcp, net);
	guest_free(io->guest[net]);
	io->guest[net] = NULL;
	arm(io);
}

int
dnsio_set_tcp(struct dnsio *io, unsigned net, int *fd)
{
	return dnstcp_set_net(io->tcp, net, fd);
}

/* A link by its name. */
struct wanted_link {
	const char *name;
	uint32_t index;
};

static void
match_link(const struct rtnl_link *l, void *arg)
{
	struct wanted_link *w = arg;

	if (strcmp(l->name, w->name) == 0)
		w->index = (uint32_t)l->ifindex;
}

/* The interface that "fe80::1%eth0" or "fe80::1%2" means; 0: there is none. if_nametoindex() would want
 * an ioctl on a socket that a worker may not open. */
static uint32_t
scope_index(const char *scope)
{
	static const struct rtnl_events none;
	struct wanted_link w = {scope, 0};
	struct rtnl *rtnl;
	char *end;
	unsigned long n = strtoul(scope, &end, 10);

	if (*end == '\0')
		return n <= INT32_MAX ? (uint32_t)n : 0;
	rtnl = rtnl_new(&none, NULL);
	if (!rtnl) {
		log_warn(errno, "DNS: the interface \"%s\" cannot be looked up", scope);
		return 0;
	}
	rtnl_links(rtnl, match_link, &w);
	rtnl_free(rtnl);
	return w.index;
}

unsigned
dnsio_set_host_servers(struct dnsio *io, const struct resolv *r)
{
	struct dns_addr server[DNS_SERVERS_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < r->n && n < DNS_SERVERS_MAX; i++) {
		const struct resolv_server *s = &r->server[i];

		server[n] = s->addr;
		if (s->scope[0]) {
			server[n].scope = scope_index(s->scope);
			if (server[n].scope == 0)
				continue;
		}
		n++;
	}
	dns_set_host_servers(io->dns, server, n, mono_now());
	arm(io);
	return n;
}

void
dnsio_set_subnet(struct dnsio *io, unsigned net, struct prefix4 subnet)
{
	dns_set_subnet(io->dns, net, subnet);
}

struct dnsname *
dnsio_names(struct dnsio *io)
{
	return dns_names(io->dns);
}

void
dnsio_flush(struct dnsio *io)
{
	dns_flush(io->dns);
}

const struct dns *
dnsio_dns(const struct dnsio *io)
{
	return io->dns;
}

const struct dns_stats *
dnsio_stats(const struct dnsio *io)
{
	return dns_stats(io->dns);
}
