/* SPDX-License-Identifier: GPL-2.0-or-later
 * listen.c - see listen.h.
 *
 * At the limit of descriptors nothing is accepted and closed at once: whoever waits in the queue is served as soon
 * as another connection ends. Limits of a service are different; they refuse.
 */
#include "redird/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "lib/fd.h"
#include "redird/relay.h"

#define BATCH         64 /* accepted for one event; then the others have their turn */
#define RETRY_MS      100
#define LOOK_AGAIN_MS 1000 /* the time of day and the load are looked at so often at most */

union addr {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static int
watch(struct redird *r, struct svc *s, bool on)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = tagged(s, TAG_LISTENER)};

	if (s->watched == on)
		return 0;
	if (epoll_ctl(r->epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, s->listener, &ev) < 0)
		return -errno;
	s->watched = on;
	return 0;
}

int
listen_options(struct svc *s, int fd)
{
	int on = 1, keep = s->conf.keepalive;

	/* Accepted sockets inherit these. That urgent bytes stay in line means that none is lost on the way. */
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &keep, sizeof(keep)) < 0)
		return -errno;
	return 0;
}

int
listen_start(struct redird *r, struct svc *s, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = tagged(s, TAG_LISTENER)};
	int err, listening = 0, flags = fcntl(fd, F_GETFL);
	socklen_t len = sizeof(listening);

	if (flags < 0 || getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0)
		return -errno;
	if (!listening)
		return -EINVAL;
	/* Whoever is told of a connection may find it gone. */
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	err = listen_options(s, fd);
	if (err < 0)
		return err;
	if (!r->full && !s->paused && epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		return -errno;
	listen_stop(r, s);
	s->listener = fd;
	s->watched = !r->full && !s->paused;
	r->n_listeners++;
	return 0;
}

void
listen_stop(struct redird *r, struct svc *s)
{
	if (s->listener < 0)
		return;
	watch(r, s, false);
	fd_close(&s->listener);
	r->n_listeners--;
}

/* --- pausing --- */

void
listen_pause(struct redird *r, bool retry)
{
	if (retry)
		r->retry = mono_add(r->now, RETRY_MS);
	if (r->full)
		return;
	r->full = true;
	for (struct svc *s = r->svcs; s; s = s->next)
		if (s->listener >= 0)
			watch(r, s, false);
	if (r->told)
		return;
	r->told = true;
	redird_say(
	    r, REDIRD_FULL, NULL,
	    retry ? "out of descriptors or memory: new connections wait until there is some again"
		  : "all descriptors are in use: new connections wait until one ends");
}

void
listen_resume(struct redird *r)
{
	bool all = true;

	if (!r->full)
		return;
	r->retry = MONO_NEVER;
	for (struct svc *s = r->svcs; s; s = s->next)
		if (s->listener >= 0 && !s->paused && watch(r, s, true) < 0)
			all = false;
	if (!all) {
		r->retry = mono_add(r->now, RETRY_MS);
		return;
	}
	r->full = false;
}

void
listen_hold(struct redird *r, struct svc *s, bool on)
{
	s->paused = on;
	if (s->listener >= 0 && !r->full && watch(r, s, !on) < 0)
		listen_pause(r, true);
}

/* At the limit one comes for one that goes; that there is room again is said when there is some for more. */
void
listen_tell(struct redird *r)
{
	unsigned max = redird_conns_max(r);

	if (!r->told || r->full || r->n_conns + max / 64 + 1 > max)
		return;
	r->told = false;
	redird_say(r, REDIRD_ROOM, NULL, "new connections are accepted again");
}

/* --- one connection --- */

static void
endpoint_from(struct redird_endpoint *e, const union addr *a)
{
	if (a->any.sa_family == AF_INET) {
		e->addr = ip6_mapped(ntohl(a->v4.sin_addr.s_addr));
		e->port = ntohs(a->v4.sin_port);
		e->scope = 0;
	} else {
		memcpy(e->addr.b, &a->v6.sin6_addr, sizeof(e->addr.b));
		e->port = ntohs(a->v6.sin6_port);
		e->scope = a->v6.sin6_scope_id;
	}
}

static void
look_around(struct redird *r)
{
	time_t t;
	struct tm tm;
	struct sysinfo si;

	if (mono_diff(r->now, r->looked) < LOOK_AGAIN_MS)
		return;
	r->looked = r->now;
	time(&t);
	if (localtime_r(&t, &tm))
		r->minute = (unsigned)(tm.tm_hour * 60 + tm.tm_min);
	if (sysinfo(&si) == 0)
		r->load_milli = (unsigned)(si.loads[0] * 1000 >> SI_LOAD_SHIFT);
}

/* A fresh socket takes a banner whole, or its peer is not there any more. */
static bool
splat(int fd, const struct redird_text *t)
{
	return t->len && send(fd, t->s, t->len, MSG_NOSIGNAL) > 0;
}

/* A reset says "refused" most plainly; but it would overtake a banner, and so would the reset that closing with
 * unread bytes causes. */
static void
turn_away(struct svc *s, int fd)
{
	static char waste[4096];
	struct linger now = {1, 0};
	bool read_me = splat(fd, &s->conf.banner);

	if (splat(fd, &s->conf.banner_fail))
		read_me = true;
	if (read_me) {
		shutdown(fd, SHUT_WR);
		for (int i = 0; i < 16 && recv(fd, waste, sizeof(waste), 0) > 0; i++)
			;
	} else {
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	}
	close(fd);
}

/* How things stood before the verdict, to tell what it changed. */
struct before {
	bool off, listed;
};

static void
refuse(struct redird *r, struct svc *s, int fd, enum verdict why, const struct before *b,
       const struct ip6 *from)
{
	struct logline l;

	s->n.refused[why]++;
	if (s->state.off && !b->off) {
		logline_cps_off(&l, s->conf.name, s->conf.access.cps_wait_s);
		redird_say(r, REDIRD_CPS_OFF, s, l.text);
	}
	if (s->conf.access.sensor && s->conf.access.deny_min != ACCESS_DENY_NEVER && !b->listed) {
		logline_sensor(&l, from, s->conf.access.deny_min);
		redird_say(r, REDIRD_SENSOR, s, l.text);
	}
	if (logline_fail(&l, s->conf.name, s->conf.on_failure, why, from))
		redird_say(r, REDIRD_LINE, s, l.text);
	turn_away(s, fd);
}

static void
admit(struct redird *r, struct svc *s, int fd, const union addr *a)
{
	struct redird_endpoint from;
	struct access_now at = {.now = r->now};
	struct before b = {.off = s->state.off};
	struct logline l;
	enum verdict v;

	endpoint_from(&from, a);
	if (s->conf.access.n_times || s->conf.access.max_load_milli) {
		look_around(r);
		at.minute = r->minute;
		at.load_milli = r->load_milli;
	}
	if (s->conf.access.sensor)
		b.listed = sensors_has(&r->sensors, &from.addr, r->now);
	v = access_enter(&s->conf.access, &s->state, &r->sensors, &from.addr, &at);
	if (b.off && !s->state.off) {
		logline_cps_on(&l, s->conf.name);
		redird_say(r, REDIRD_CPS_ON, s, l.text);
	}
	if (v != VERDICT_OK) {
		refuse(r, s, fd, v, &b, &from.addr);
		return;
	}
	s->n.accepted++;
	if (logline_start(&l, s->conf.name, s->conf.on_success, &from.addr))
		redird_say(r, REDIRD_LINE, s, l.text);
	splat(fd, &s->conf.banner);
	splat(fd, &s->conf.banner_success);
	relay_begin(r, s, fd, &from);
}

void
listen_ready(struct redird *r, struct svc *s)
{
	for (int i = 0; i < BATCH && s->listener >= 0 && !r->full && !s->paused; i++) {
		union addr a;
		socklen_t len = sizeof(a);
		int fd;

		if (r->n_conns >= redird_conns_max(r)) {
			listen_pause(r, false);
			return;
		}
		fd = accept4(s->listener, &a.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			admit(r, s, fd, &a);
		} else if (errno == EAGAIN) {
			return;
		} else if (errno == EINVAL) {
			/* Whoever made the socket has shut it down; the service goes, or gets another. */
			watch(r, s, false);
			return;
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			   errno == ENOMEM) {
			listen_pause(r, true);
			return;
		}
		/* Everything else is the fault of that one connection, which is out of the queue. */
	}
}
