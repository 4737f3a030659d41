/* SPDX-License-Identifier: GPL-2.0-or-later
 * redird.c - see redird.h: services, the round of events, and who may have how many descriptors.
 */
#include "redird/redird.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/util.h"
#include "redird/listen.h"
#include "redird/relay.h"

#define EVENTS 256
#define ROUNDS                                                                                     \
	16 /* of events for one redird_run(), so that others in the process have their turn */
#define LINGER_US   40 /* looked again for so long before sleeping */
#define FEW         2  /* events, the two sides of one connection */
#define RESERVED    64 /* descriptors for the rest of the process */
#define PIPES_MAX   256
#define PIPES_SPARE 64
/* Together 60 MiB: an unprivileged user may have 64 MiB in pipes (pipe-user-pages-soft), and not more than a MiB in
 * one (pipe-max-size). The larger, the fewer calls and wake-ups for a stream. */
#define PIPE_SIZE   (128 * 1024)
#define LARGE_PIPES 32
#define LARGE_PIPE  (1024 * 1024)

void
redird_say(struct redird *r, enum redird_event what, const struct svc *s, const char *text)
{
	if (r->handler.event)
		r->handler.event(r->handler.arg, what, s ? s->conf.id : 0, text);
}

/* --- descriptors --- */

static unsigned
reserved(const struct redird *r)
{
	return r->limit / 4 < RESERVED ? r->limit / 4 : RESERVED;
}

unsigned
redird_conns_max(const struct redird *r)
{
	unsigned taken = reserved(r) + 2 * r->pipes.max + r->n_listeners + r->n_others;

	return taken < r->limit ? (r->limit - taken) / FDS_PER_CONN : 0;
}

void
redird_room_again(struct redird *r)
{
	/* When the system was short of something, an end of ours says little: the retry decides. */
	if (r->full && r->retry.ms == MONO_NEVER.ms && r->n_conns < redird_conns_max(r))
		listen_resume(r);
}

void
redird_others(struct redird *r, unsigned n)
{
	r->n_others = n;
	redird_room_again(r);
}

/* The soft limit becomes the hard one. */
static unsigned
find_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return 256;
	if (l.rlim_cur < l.rlim_max) {
		struct rlimit more = {l.rlim_max, l.rlim_max};

		if (setrlimit(RLIMIT_NOFILE, &more) == 0)
			l = more;
	}
	return l.rlim_cur < 1u << 24 ? (unsigned)l.rlim_cur : 1u << 24;
}

/* --- life --- */

static int
set_up(struct redird *r)
{
	struct epoll_event timer = {.events = EPOLLIN, .data.u64 = tagged(&r->timer, TAG_OTHER)};
	struct epoll_event again = {.events = EPOLLIN, .data.u64 = tagged(&r->again, TAG_OTHER)};

	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	r->timer = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	r->again = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (r->epoll < 0 || r->timer < 0 || r->again < 0 ||
	    epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->timer, &timer) < 0 ||
	    epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->again, &again) < 0 ||
	    getrandom(r->key, sizeof(r->key), 0) != sizeof(r->key))
		return -errno;
	return 0;
}

int
redird_new(struct redird **out, const struct redird_handler *h)
{
	struct redird *r = calloc(1, sizeof(*r));
	unsigned pipes;
	int err;

	if (!r)
		return -ENOMEM;
	/* splice() into a socket that was closed has no MSG_NOSIGNAL. */
	signal(SIGPIPE, SIG_IGN);
	r->handler = *h;
	r->last = &r->conns;
	r->epoll = r->timer = r->again = r->watch.fd = -1;
	r->now = mono_now();
	r->looked = (struct mono){INT64_MIN / 2};
	r->armed = r->soonest = r->retry = MONO_NEVER;
	r->limit = find_limit();
	pipes = r->limit / 16 < PIPES_MAX ? r->limit / 16 : PIPES_MAX;
	pipes_init(&r->pipes, pipes, PIPES_SPARE, PIPE_SIZE);
	pipes_large(&r->pipes, LARGE_PIPES, LARGE_PIPE);
	wheel_init(&r->wheel, r->now);
	err = set_up(r);
	if (err < 0) {
		redird_free(r);
		return err;
	}
	*out = r;
	return 0;
}

static void
svc_free(struct svc *s)
{
	access_state_fini(&s->state);
	free(s->text);
	free(s);
}

/* After a round: what ended within it. */
static void
bury(struct redird *r)
{
	while (r->dead) {
		struct conn *c = r->dead;

		r->dead = c->more;
		free(c);
	}
	if (!r->sweep)
		return;
	r->sweep = false;
	for (struct svc **p = &r->svcs; *p;) {
		struct svc *s = *p;

		if (s->removed && s->n.live == 0) {
			*p = s->next;
			svc_free(s);
		} else {
			p = &s->next;
		}
	}
}

void
redird_free(struct redird *r)
{
	if (!r)
		return;
	r->handler.event = NULL;
	redird_drain(r);
	while (r->conns)
		relay_end(r, r->conns, REDIRD_END_KILLED);
	while (r->waiting) {
		struct conn *c = r->waiting;

		r->waiting = c->more;
		free(c);
	}
	for (struct svc *s = r->svcs; s; s = s->next)
		s->removed = r->sweep = true;
	bury(r);
	pipes_fini(&r->pipes);
	fd_close(&r->epoll);
	fd_close(&r->timer);
	fd_close(&r->again);
	free(r);
}

/* --- services --- */

static struct svc *
find(const struct redird *r, uint32_t id)
{
	for (struct svc *s = r->svcs; s; s = s->next)
		if (s->conf.id == id && !s->removed)
			return s;
	return NULL;
}

static void *
put(char **at, const void *src, size_t len)
{
	void *there = *at;

	if (len)
		memcpy(there, src, len);
	*at += (len + 7) & ~(size_t)7;
	return there;
}

/* A deep copy; everything that it points to is in *text. */
static int
copy_conf(struct redird_service *to, void **text, const struct redird_service *from)
{
	const struct access_conf *a = &from->access;
	size_t name = strlen(from->name) + 1, yes = a->n_only_from * sizeof(*a->only_from),
	       no = a->n_no_access * sizeof(*a->no_access), times = a->n_times * sizeof(*a->times);
	char *at;

	if (!from->id || from->n_targets > REDIRD_TARGETS_MAX ||
	    from->banner.len > REDIRD_BANNER_MAX || from->banner_success.len > REDIRD_BANNER_MAX ||
	    from->banner_fail.len > REDIRD_BANNER_MAX)
		return -EINVAL;
	*text = at = malloc(name + yes + no + times + from->banner.len + from->banner_success.len +
			    from->banner_fail.len + 7 * 8);
	if (!at)
		return -ENOMEM;
	*to = *from;
	to->name = put(&at, from->name, name);
	to->access.only_from = put(&at, a->only_from, yes);
	to->access.no_access = put(&at, a->no_access, no);
	to->access.times = put(&at, a->times, times);
	to->banner.s = put(&at, from->banner.s, from->banner.len);
	to->banner_success.s = put(&at, from->banner_success.s, from->banner_success.len);
	to->banner_fail.s = put(&at, from->banner_fail.s, from->banner_fail.len);
	return 0;
}

static struct svc *
make_svc(struct redird *r, const struct redird_service *conf, int *err)
{
	struct svc *s = calloc(1, sizeof(*s));

	if (!s) {
		*err = -ENOMEM;
		return NULL;
	}
	s->listener = -1;
	access_state_init(&s->state, r->key);
	*err = copy_conf(&s->conf, &s->text, conf);
	if (*err < 0) {
		free(s);
		return NULL;
	}
	return s;
}

int
redird_add(struct redird *r, const struct redird_service *conf, int listener)
{
	AUTO_FD fd = listener;
	struct svc *s;
	int err;

	if (find(r, conf->id))
		return -EEXIST;
	s = make_svc(r, conf, &err);
	if (!s)
		return err;
	err = listen_start(r, s, fd);
	if (err < 0) {
		svc_free(s);
		return err;
	}
	fd_take(&fd);
	s->next = r->svcs;
	r->svcs = s;
	return 0;
}

int
redird_change(struct redird *r, const struct redird_service *conf, int listener)
{
	AUTO_FD fd = listener;
	struct svc *s = find(r, conf->id);
	struct redird_service fresh, old;
	void *text, *old_text;
	int err;

	if (!s)
		return -ENOENT;
	err = copy_conf(&fresh, &text, conf);
	if (err < 0)
		return err;
	old = s->conf;
	old_text = s->text;
	s->conf = fresh;
	if (fd >= 0)
		err = listen_start(r, s, fd);
	else if (s->listener >= 0)
		err = listen_options(s, s->listener);
	if (err < 0) {
		s->conf = old;
		free(text);
		return err;
	}
	fd_take(&fd);
	s->text = text;
	free(old_text);
	for (struct conn *c = r->conns; c; c = c->next)
		if (c->svc == s)
			redird_timer(r, c, relay_deadline(c));
	return 0;
}

int
redird_pause(struct redird *r, uint32_t id, bool on)
{
	struct svc *s = find(r, id);

	if (!s)
		return -ENOENT;
	listen_hold(r, s, on);
	return 0;
}

int
redird_remove(struct redird *r, uint32_t id)
{
	struct svc *s = find(r, id);

	if (!s)
		return -ENOENT;
	listen_stop(r, s);
	s->removed = r->sweep = true;
	return 0;
}

void
redird_drain(struct redird *r)
{
	for (struct svc *s = r->svcs; s; s = s->next)
		listen_stop(r, s);
}

/* --- looking --- */

int
redird_counters(const struct redird *r, uint32_t id, struct redird_counters *out)
{
	const struct svc *s = find(r, id);

	for (const struct svc *o = r->svcs; o && !s; o = o->next)
		if (o->conf.id == id && o->n.live)
			s = o;
	if (!s)
		return -ENOENT;
	*out = s->n;
	return 0;
}

void
redird_room(const struct redird *r, struct redird_room *out)
{
	*out = (struct redird_room){
	    .limit = r->limit,
	    .reserved = reserved(r) + 2 * r->pipes.max,
	    .conns_max = redird_conns_max(r),
	    .conns = r->n_conns,
	    .full = r->full,
	};
}

void
redird_list(struct redird *r, uint32_t service, void (*cb)(const struct redird_conn *, void *),
	    void *arg)
{
	struct mono now = mono_now();

	for (const struct conn *c = r->conns; c; c = c->next) {
		struct redird_conn row = {
		    .id = c->id,
		    .service = c->svc->conf.id,
		    .client = c->from,
		    .target = c->to,
		    .connecting = c->connecting,
		    .bytes_in = c->dir[CLIENT].bytes,
		    .bytes_out = c->dir[TARGET].bytes,
		    .age_ms = mono_diff(now, c->since),
		    .idle_ms = mono_diff(now, c->last),
		};

		if (!service || row.service == service)
			cb(&row, arg);
	}
}

int
redird_kill(struct redird *r, uint64_t conn)
{
	for (struct conn *c = r->conns; c; c = c->next) {
		if (c->id == conn) {
			r->now = mono_now();
			relay_end(r, c, REDIRD_END_KILLED);
			return 0;
		}
	}
	return -ENOENT;
}

unsigned
redird_kill_all(struct redird *r, uint32_t service)
{
	unsigned n = 0;

	r->now = mono_now();
	for (struct conn *c = r->conns, *next; c; c = next) {
		next = c->next;
		if (c->svc->conf.id == service) {
			relay_end(r, c, REDIRD_END_KILLED);
			n++;
		}
	}
	return n;
}

static const char *const end_words[] = {
    [REDIRD_END_ORDER] = "closed",
    [REDIRD_END_CLIENT] = "reset by client",
    [REDIRD_END_TARGET] = "reset by target",
    [REDIRD_END_NO_TARGET] = "no target",
    [REDIRD_END_IDLE] = "idle",
    [REDIRD_END_KILLED] = "killed",
    [REDIRD_END_FAULT] = "out of resources",
};
static_assert(ARRAY_LEN(end_words) == REDIRD_END_N, "every end has its word");

const char *
redird_end_word(enum redird_end why)
{
	return end_words[why];
}

/* --- time --- */

void
redird_timer(struct redird *r, struct conn *c, struct mono when)
{
	if (when.ms == MONO_NEVER.ms) {
		wheel_drop(&r->wheel, &c->timer);
		return;
	}
	r->soonest = mono_min(r->soonest, wheel_set(&r->wheel, &c->timer, when));
}

static struct conn *
conn_of(struct wheel_entry *e)
{
	return (struct conn *)(void *)((char *)e - offsetof(struct conn, timer));
}

static void
look_at_timers(struct redird *r)
{
	struct wheel_entry *e;

	while ((e = wheel_due(&r->wheel, r->now)) != NULL)
		relay_timer(r, conn_of(e));
	if (r->retry.ms != MONO_NEVER.ms && !mono_before(r->now, r->retry))
		listen_resume(r);
	r->armed = MONO_NEVER;
	r->soonest = wheel_next(&r->wheel);
}

/* The timer is set for the earliest deadline. One that goes leaves it: a wake-up for nothing is cheaper than a call
 * for each connection. */
static void
arm(struct redird *r)
{
	struct mono when = mono_min(r->retry, r->soonest);
	struct itimerspec t = {0};

	if (!mono_before(when, r->armed))
		return;
	r->armed = when;
	t.it_value.tv_sec = when.ms / 1000;
	t.it_value.tv_nsec = when.ms % 1000 * 1000000 + 1;
	timerfd_settime(r->timer, TFD_TIMER_ABSTIME, &t, NULL);
}

/* --- events --- */

int
redird_fd(const struct redird *r)
{
	return r->epoll;
}

int
redird_watch(struct redird *r, int fd, void (*cb)(int fd, void *arg), void *arg)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = tagged(&r->watch, TAG_OTHER)};

	if (r->watch.fd >= 0)
		epoll_ctl(r->epoll, EPOLL_CTL_DEL, r->watch.fd, &ev);
	r->watch.fd = -1;
	if (!cb)
		return 0;
	if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		return -errno;
	r->watch.fd = fd;
	r->watch.cb = cb;
	r->watch.arg = arg;
	return 0;
}

static void
other(struct redird *r, const void *what)
{
	uint64_t n;

	if (what == &r->watch) {
		if (r->watch.fd >= 0)
			r->watch.cb(r->watch.fd, r->watch.arg);
	} else if (what == &r->timer) {
		if (read(r->timer, &n, sizeof(n)) == sizeof(n))
			r->ticked = true;
	} else if (read(r->again, &n, sizeof(n)) == sizeof(n)) {
		r->again_set = false;
	}
}

static void
dispatch(struct redird *r, const struct epoll_event *ev)
{
	void *p = (void *)(uintptr_t)(ev->data.u64 & ~(uint64_t)TAG_MASK);

	switch ((enum tag)(ev->data.u64 & TAG_MASK)) {
	case TAG_CLIENT:
		relay_event(r, p, CLIENT, ev->events);
		break;
	case TAG_TARGET:
		relay_event(r, p, TARGET, ev->events);
		break;
	case TAG_LISTENER:
		if (!r->full)
			listen_ready(r, p);
		break;
	case TAG_OTHER:
		other(r, p);
		break;
	}
}

/* Those that had more to move than their turn allowed. */
static void
go_on(struct redird *r)
{
	struct conn *c = r->waiting;

	r->waiting = NULL;
	while (c) {
		struct conn *more = c->more;

		c->waits = false;
		if (c->dead) {
			c->more = r->dead;
			r->dead = c;
		} else {
			relay_more(r, c);
		}
		c = more;
	}
}

static int64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000) + ts.tv_nsec / 1000;
}

/* What has just been passed on is often answered before this process would be asleep. Being woken costs more than
 * looking again for a moment, and costs the other side too; whoever else wants the processor gets it meanwhile. */
static int
look_again(struct redird *r, struct epoll_event *ev)
{
	int64_t end = now_us() + LINGER_US;
	int n;

	while ((n = epoll_wait(r->epoll, ev, EVENTS, 0)) == 0 && now_us() < end)
		sched_yield();
	return n;
}

/* One look at the epoll set; the number of events. */
static int
round_of_events(struct redird *r, int wait_ms, bool linger)
{
	struct epoll_event ev[EVENTS];
	int n = linger && !r->waiting ? look_again(r, ev)
				      : epoll_wait(r->epoll, ev, EVENTS, r->waiting ? 0 : wait_ms);

	r->now = mono_now();
	r->patient = false;
	r->holds = n > 1;
	for (int i = 0; i < n; i++)
		dispatch(r, &ev[i]);
	relay_flush(r);
	go_on(r);
	/* Not before: a target that is given up must not get an event of this round that was meant for the one before. */
	if (r->ticked) {
		r->ticked = false;
		look_at_timers(r);
	}
	listen_tell(r);
	bury(r);
	arm(r);
	return n;
}

void
redird_run(struct redird *r, int wait_ms)
{
	int n = round_of_events(r, wait_ms, false);

	/* Where much is moved, many speak, or connections come and go, sleeping is better: more comes at once then. */
	for (int i = 1; i < ROUNDS && (r->waiting || (n > 0 && !r->patient)); i++)
		n = round_of_events(r, 0, n <= FEW);
	for (int i = 0; i < ROUNDS && r->n_fresh; i++) {
		sched_yield();
		round_of_events(r, 0, false);
		relay_acknowledge(r, i == ROUNDS - 1);
	}
	if (r->waiting && !r->again_set)
		r->again_set =
		    write(r->again, &(uint64_t){1}, sizeof(uint64_t)) == sizeof(uint64_t);
}
