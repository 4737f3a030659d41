/* SPDX-License-Identifier: GPL-2.0-or-later
 * engine.c - connects the engine's core (core.h) to the world: the loop, channels, the client socket,
 * kernel events, clocks.
 *
 * The only file of the engine that knows loop, chan and rtnl. It decides nothing but who is let in:
 * how many clients, and what the kernel says about them.
 */
#include "vnetd/engine.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include <bpf/libbpf.h>

#include "bpf/gate_maps.h"
#include "lib/chan.h"
#include "lib/fd.h"
#include "lib/loop.h"
#include "lib/rtnl.h"
#include "lib/sandbox.h"
#include "vnetd/core.h"
#include "vnetd/netns.h"

enum {
	PRIV_FD = 3,
	CLIENTS_MAX = 256,
	/* One user cannot keep the others out. */
	CLIENTS_PER_USER_MAX = 64,
	/* Connections taken in one turn of the loop. */
	ACCEPT_BUDGET = 16,
	GROUPS_MAX = 65536,
	/* Names of guests, told to natd. */
	NAMES_MS = 5,
	/* With so much waiting for priv nothing is heard of clients: whoever asks without end waits, too. */
	PRIV_BYTES = 64 << 10,
	PRIV_FDS = 64,
};

struct peer {
	struct peer *next;
	struct engine *e;
	struct chan *chan;
	uint32_t serial; /* the core's name for it */
	uint32_t uid;
	bool behind; /* it has not read all that it was sent */
};

struct engine {
	struct loop *loop;
	struct loop_timer *timer;
	struct core *core;
	struct rtnl *rtnl;
	struct loop_io *rtnl_io;
	struct ring_buffer *ring; /* of the gate's programs */
	struct loop_io *ring_io;
	int ring_fd; /* of the map */
	int marker;  /* inotify */
	struct loop_io *marker_io;
	struct chan *priv;
	struct chan *worker[ROLE_N];
	int listener;
	struct loop_io *listen_io;
	struct peer *peers;
	unsigned npeers;
	bool priv_busy; /* more waits for priv than may */
	enum log_level level;
	int status; /* of the process */
};

/* --- what the core does to the world --- */

static void
pace(const struct peer *p)
{
	chan_pause(p->chan, p->behind || p->e->priv_busy);
}

static void
pace_all(struct engine *e, bool busy)
{
	if (e->priv_busy == busy)
		return;
	e->priv_busy = busy;
	for (const struct peer *p = e->peers; p; p = p->next)
		pace(p);
}

static void
to_priv(void *arg, const struct msg *m, const int *fds, size_t nfds)
{
	struct engine *e = arg;

	/* A failure ends the channel, and with it this process. */
	chan_send(e->priv, m, fds, nfds);
	if (chan_queued(e->priv) > PRIV_BYTES || chan_queued_fds(e->priv) > PRIV_FDS)
		pace_all(e, true);
}

static void
priv_drained(struct chan *ch UNUSED, void *arg)
{
	pace_all(arg, false);
}

static void
to_worker(void *arg, enum role role, const struct msg *m)
{
	struct engine *e = arg;

	if (!e->worker[role])
		return;
	if (m->type == MSG_GUEST_NAME)
		chan_send_soon(e->worker[role], m, NAMES_MS);
	else
		chan_send(e->worker[role], m, NULL, 0);
}

static void
row_to_worker(void *arg, enum role role, const struct msg *m)
{
	struct engine *e = arg;

	if (e->worker[role])
		chan_send_row(e->worker[role], m);
}

static void
to_client(void *arg UNUSED, void *peer, const struct msg *m, const int *fds, size_t nfds)
{
	struct peer *p = peer;

	/* A client that does not read is not heard either, and when its queue is full all the same, the channel ends. */
	chan_send(p->chan, m, fds, nfds);
	if (chan_queued(p->chan) > 0 && !p->behind) {
		p->behind = true;
		pace(p);
	}
}

static void accept_clients(int fd, void *arg);

static void
serve(void *arg)
{
	struct engine *e = arg;

	e->listen_io = loop_add_read(e->loop, e->listener, accept_clients, e);
	if (!e->listen_io)
		log_fatal(ENOMEM, "cannot watch the client socket");
}

static int
snapshot(void *arg, struct snapshot *out)
{
	struct engine *e = arg;
	int r;

	rtnl_dispatch(e->rtnl);
	r = rtnl_links(e->rtnl, snapshot_add_link, out);
	if (r == 0)
		r = rtnl_addrs(e->rtnl, snapshot_add_addr, out);
	if (r == 0)
		r = rtnl_routes(e->rtnl, snapshot_add_route, out);
	if (r == 0)
		r = rtnl_neighs(e->rtnl, snapshot_add_neigh, out);
	snapshot_seal(out);
	return r;
}

static int
fdb(void *arg, void (*cb)(const struct rtnl_fdb *f, void *arg), void *cb_arg)
{
	struct engine *e = arg;

	return rtnl_fdb(e->rtnl, cb, cb_arg);
}

static int
owner_of_netns(void *arg UNUSED, int fd, uint32_t *uid)
{
	return netns_owner(fd, uid);
}

static int
on_ring(void *arg, void *data, size_t len)
{
	struct engine *e = arg;

	if (len >= sizeof(struct gate_event))
		core_gate_event(e->core, mono_now(), data);
	return 0;
}

static void
on_ring_readable(int fd UNUSED, void *arg)
{
	struct engine *e = arg;

	ring_buffer__consume(e->ring);
}

static void
watch_gate(struct engine *e, int *fd)
{
	fd_close(&e->ring_fd);
	e->ring_fd = fd_take(fd);
	e->ring = ring_buffer__new(e->ring_fd, on_ring, e, NULL);
	if (e->ring)
		e->ring_io =
		    loop_add_read(e->loop, ring_buffer__epoll_fd(e->ring), on_ring_readable, e);
	if (!e->ring_io)
		log_warn(errno, "no events of ports: cannot read the gate's ring buffer");
	else
		ring_buffer__consume(e->ring);
}

/* Every edit of a file beside it is an event as well; listing the markers looks into each network's folder. A link may be
 * one to a folder. */
static bool
is_of_marker(const struct inotify_event *ev)
{
	return ev->len == 0 || ev->mask & IN_ISDIR || !strcmp(ev->name, "promiscAuthorized") ||
	       names_reserved(ev->name);
}

/* Something is there to be watched that was not before, or the other way round. */
static bool
is_new_to_watch(const struct inotify_event *ev)
{
	return ev->mask & (IN_ISDIR | IN_DELETE_SELF | IN_IGNORED | IN_Q_OVERFLOW) ||
	       (ev->mask & (IN_CREATE | IN_MOVED_TO) && is_of_marker(ev));
}

static void
on_marker(int fd, void *arg)
{
	_Alignas(struct inotify_event) char buf[4096 + NAME_MAX + 1];
	struct engine *e = arg;
	bool anew = false, some = false;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		for (const char *p = buf; p < buf + n;) {
			const struct inotify_event *ev = (const void *)p;

			anew |= is_new_to_watch(ev);
			some |= is_of_marker(ev);
			p += sizeof(*ev) + ev->len;
		}
	}
	if (some)
		core_marker_event(e->core, mono_now(), anew);
}

static void
watch_marker(struct engine *e, int *fd)
{
	loop_io_free(e->marker_io);
	fd_close(&e->marker);
	e->marker = fd_take(fd);
	e->marker_io = loop_add_read(e->loop, e->marker, on_marker, e);
	if (!e->marker_io)
		log_warn(ENOMEM, "a change of promiscAuthorized takes effect at reload only");
}

static void
watch(void *arg, enum watch what, int *fd)
{
	switch (what) {
	case WATCH_GATE:
		watch_gate(arg, fd);
		break;
	case WATCH_MARKER:
		watch_marker(arg, fd);
		break;
	}
}

static void
wake_at(void *arg, struct mono when)
{
	struct engine *e = arg;

	loop_timer_set(e->timer, when);
}

static void
set_log_level(void *arg, enum log_level level)
{
	struct engine *e = arg;
	struct msg m = msg_make(MSG_LOG_LEVEL, 0);

	if (level == e->level)
		return;
	e->level = level;
	log_set_level(level);
	m.u.log_level.level = (uint8_t)level;
	to_priv(e, &m, NULL, 0);
	for (unsigned r = 0; r < ROLE_N; r++)
		to_worker(e, (enum role)r, &m);
}

static uint64_t
utc_ms(void *arg UNUSED)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static uint64_t
random64(void *arg UNUSED)
{
	uint64_t v;

	if (getrandom(&v, sizeof(v), 0) != (ssize_t)sizeof(v))
		v = utc_ms(NULL);
	return v;
}

static const struct core_io io = {
    .to_priv = to_priv,
    .to_worker = to_worker,
    .row_to_worker = row_to_worker,
    .to_client = to_client,
    .serve = serve,
    .snapshot = snapshot,
    .fdb = fdb,
    .netns_owner = owner_of_netns,
    .wake_at = wake_at,
    .log_level = set_log_level,
    .watch = watch,
    .utc_ms = utc_ms,
    .random = random64,
};

/* --- clients --- */

static void
peer_free(struct peer *p)
{
	struct peer **at = &p->e->peers;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	p->e->npeers--;
	chan_free(p->chan);
	free(p);
}

static void
client_gone(struct chan *ch UNUSED, const char *why UNUSED, void *arg)
{
	struct peer *p = arg;

	core_client_gone(p->e->core, mono_now(), p->serial);
	peer_free(p);
}

static void
client_msg(struct chan *ch, const struct msg *m, int *fds, size_t nfds, void *arg)
{
	struct peer *p = arg;

	if (!core_client_msg(p->e->core, mono_now(), p->serial, m, fds, nfds))
		client_gone(ch, "", p);
}

static void
client_drained(struct chan *ch UNUSED, void *arg)
{
	struct peer *p = arg;

	p->behind = false;
	pace(p);
}

static const struct chan_handler client_handler = {
    .msg = client_msg, .gone = client_gone, .drained = client_drained};

static unsigned
clients_of(const struct engine *e, uint32_t uid)
{
	unsigned n = 0;

	for (const struct peer *p = e->peers; p; p = p->next)
		n += p->uid == uid;
	return n;
}

/* The groups of the process that connected: the primary one, which `sg vnet` changes, and the others.
 * Number, or -errno; *gids is malloc()ed. */
static ssize_t
peer_groups(int sock, gid_t primary, gid_t **gids)
{
	socklen_t len = 32 * sizeof(**gids);

	for (;;) {
		gid_t *v = malloc(len + sizeof(*v));

		if (!v)
			return -ENOMEM;
		if (getsockopt(sock, SOL_SOCKET, SO_PEERGROUPS, v, &len) == 0) {
			v[len / sizeof(*v)] = primary;
			*gids = v;
			return (ssize_t)(len / sizeof(*v)) + 1;
		}
		free(v);
		/* ERANGE: the length that is needed is in len now. */
		if (errno != ERANGE || len > GROUPS_MAX * sizeof(**gids))
			return -errno;
	}
}

static void
let_in(struct engine *e, int sock, const struct ucred *cred, const gid_t *gids, size_t ngids)
{
	struct peer *p = calloc(1, sizeof(*p));
	char name[32];

	if (!p) {
		fd_close(&sock);
		return;
	}
	snprintf(name, sizeof(name), "client of uid %u", (unsigned)cred->uid);
	p->e = e;
	p->uid = cred->uid;
	p->next = e->peers;
	e->peers = p;
	e->npeers++;
	p->chan = chan_new(e->loop, sock, name, &client_handler, p);
	if (p->chan)
		p->serial = core_client_new(e->core, mono_now(), p, cred->uid, gids, ngids);
	if (p->serial == 0)
		peer_free(p);
	else
		pace(p);
}

static void
accept_one(struct engine *e, int sock)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	gid_t *gids = NULL;
	ssize_t n;

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		goto refuse;
	if (e->npeers >= CLIENTS_MAX ||
	    (cred.uid != 0 && clients_of(e, cred.uid) >= CLIENTS_PER_USER_MAX)) {
		log_warn(0, "too many clients: one of uid %u was turned away", (unsigned)cred.uid);
		goto refuse;
	}
	n = peer_groups(sock, cred.gid, &gids);
	if (n < 0)
		goto refuse;
	let_in(e, fd_take(&sock), &cred, gids, (size_t)n);
refuse:
	free(gids);
	fd_close(&sock);
}

static void
accept_clients(int fd, void *arg)
{
	for (int i = 0; i < ACCEPT_BUDGET; i++) {
		int sock = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (sock < 0) {
			if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
				log_warn(errno, "cannot take a client's connection");
			return;
		}
		accept_one(arg, sock);
	}
}

/* --- workers --- */

static enum role
role_of(const struct engine *e, const struct chan *ch)
{
	unsigned r = 0;

	while (r < ROLE_N && e->worker[r] != ch)
		r++;
	return (enum role)r;
}

static void
worker_gone(struct chan *ch, const char *why, void *arg)
{
	struct engine *e = arg;
	enum role role = role_of(e, ch);

	log_debug("%s %s", role_name(role), why);
	e->worker[role] = NULL;
	chan_free(ch);
	core_worker_lost(e->core, mono_now(), role);
}

static void
worker_msg(struct chan *ch, const struct msg *m, int *fds UNUSED, size_t nfds UNUSED, void *arg)
{
	struct engine *e = arg;
	enum role role = role_of(e, ch);

	if (core_worker_msg(e->core, mono_now(), role, m))
		return;
	/* Without its channel it goes on serving until priv replaces it. */
	log_error(0, "%s sent %s out of place: not listened to any more", role_name(role),
		  msg_name(m->type));
	worker_gone(ch, "broke the protocol", e);
}

static const struct chan_handler worker_handler = {.msg = worker_msg, .gone = worker_gone};

static void
worker_up(struct engine *e, unsigned role, int sock)
{
	if (role >= ROLE_N || role == ROLE_ENGINE) {
		fd_close(&sock);
		return;
	}
	if (e->worker[role])
		worker_gone(e->worker[role], "was replaced", e);
	e->worker[role] = chan_new(e->loop, sock, role_name((enum role)role), &worker_handler, e);
	if (e->worker[role])
		core_worker_up(e->core, mono_now(), (enum role)role);
}

/* --- priv --- */

static void
leave(struct engine *e, int status)
{
	e->status = status;
	loop_stop(e->loop);
}

static void
priv_gone(struct chan *ch UNUSED, const char *why, void *arg)
{
	log_debug("priv %s", why);
	leave(arg, 0);
}

static void
priv_msg(struct chan *ch UNUSED, const struct msg *m, int *fds, size_t nfds, void *arg)
{
	struct engine *e = arg;

	if (m->type == MSG_ENGINE_INIT && e->listener < 0) {
		e->listener = fd_take(&fds[0]);
		core_start(e->core, mono_now(), &m->u.engine_init);
	} else if (m->type == MSG_WORKER_UP && m->id == 0) {
		worker_up(e, m->u.worker_up.role, fd_take(&fds[0]));
	} else if (!core_priv_msg(e->core, mono_now(), m, fds, nfds)) {
		log_error(0, "priv sent %s out of place", msg_name(m->type));
		leave(e, 1);
	}
}

static const struct chan_handler priv_handler = {
    .msg = priv_msg, .gone = priv_gone, .drained = priv_drained};

/* --- the kernel, and time --- */

static void
on_link(const struct rtnl_link *l, bool gone, void *arg)
{
	struct engine *e = arg;

	core_link_event(e->core, mono_now(), l, gone);
}

static void
on_addr(const struct rtnl_addr *a, bool gone UNUSED, void *arg)
{
	struct engine *e = arg;

	core_addr_event(e->core, mono_now(), a);
}

static void
on_route(const struct rtnl_route *r, bool gone UNUSED, void *arg)
{
	struct engine *e = arg;

	core_route_event(e->core, mono_now(), r);
}

static void
on_fdb_gone(const struct rtnl_fdb *f, void *arg)
{
	struct engine *e = arg;

	core_fdb_gone(e->core, mono_now(), f);
}

static void
on_neigh_gone(const struct rtnl_neigh *n, void *arg)
{
	struct engine *e = arg;

	core_neigh_gone(e->core, mono_now(), n);
}

static void
on_filter_gone(int ifindex, void *arg)
{
	struct engine *e = arg;

	core_filter_gone(e->core, mono_now(), ifindex);
}

static void
on_overrun(void *arg)
{
	struct engine *e = arg;

	core_overrun(e->core, mono_now());
}

static const struct rtnl_events events = {
    .link = on_link,
    .addr = on_addr,
    .route = on_route,
    .fdb_gone = on_fdb_gone,
    .neigh_gone = on_neigh_gone,
    .filter_gone = on_filter_gone,
    .overrun = on_overrun,
};

static void
on_rtnl(int fd UNUSED, void *arg)
{
	struct engine *e = arg;

	rtnl_dispatch(e->rtnl);
}

static void
on_timer(void *arg)
{
	struct engine *e = arg;

	core_timer(e->core, mono_now());
}

/* --- start and end --- */

static void
ignore_signals(void)
{
	/* priv has them; this process ends with its channel. */
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

static void
enter_sandbox(const struct dirs *dirs)
{
	char empty[4096];
	int r;

	if (snprintf(empty, sizeof(empty), "%s/empty", dirs->run) >= (int)sizeof(empty))
		log_fatal(ENAMETOOLONG, "the run directory's name is too long");
	r = sandbox_enter(empty);
	if (r < 0)
		log_fatal(-r, "cannot enter the empty root %s", empty);
}

static void
lock_sandbox(void)
{
	int r = sandbox_seccomp(SANDBOX_SOCKET_ACCEPT | SANDBOX_MEMFD | SANDBOX_NSFS |
				SANDBOX_BPF_INFO);

	if (r < 0)
		log_fatal(-r, "cannot load the system call filter");
}

static void
close_all(struct engine *e)
{
	while (e->peers)
		peer_free(e->peers);
	for (unsigned r = 0; r < ROLE_N; r++)
		chan_free(e->worker[r]);
	chan_free(e->priv);
	core_free(e->core);
	loop_io_free(e->listen_io);
	loop_io_free(e->ring_io);
	ring_buffer__free(e->ring);
	loop_io_free(e->marker_io);
	fd_close(&e->ring_fd);
	fd_close(&e->marker);
	loop_io_free(e->rtnl_io);
	loop_timer_free(e->timer);
	rtnl_free(e->rtnl);
	fd_close(&e->listener);
	loop_free(e->loop);
}

int
engine_main(const struct dirs *dirs, enum log_level level)
{
	struct engine e = {.listener = -1, .ring_fd = -1, .marker = -1, .level = level};

	ignore_signals();
	enter_sandbox(dirs);
	e.loop = loop_new();
	e.rtnl = rtnl_new(&events, &e);
	if (!e.loop || !e.rtnl)
		log_fatal(errno, "cannot open what the engine needs");
	e.core = core_new(&io, &e, level);
	e.timer = loop_timer_new(e.loop, on_timer, &e);
	e.rtnl_io = loop_add_read(e.loop, rtnl_event_fd(e.rtnl), on_rtnl, &e);
	e.priv = chan_new(e.loop, PRIV_FD, "priv", &priv_handler, &e);
	if (!e.core || !e.timer || !e.rtnl_io || !e.priv)
		log_fatal(ENOMEM, "cannot start the engine");
	e.core->config_dir = dirs->config;
	lock_sandbox();
	loop_run(e.loop);
	close_all(&e);
	return e.status;
}
