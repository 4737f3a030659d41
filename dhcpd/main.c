/* SPDX-License-Identifier: GPL-2.0-or-later
 * main.c - vnet-dhcpd: wires channels, networks and the loop together.
 *
 * Executed by priv with two descriptors: 3 is the channel to priv, whose end is ours; 4 is the
 * channel to the engine, whose end is not: we go on serving, and priv sends a new one when there
 * is an engine again. What guests ask comes by one ring buffer and is dealt out to the networks. Nothing here looks into a
 * guest's bytes or decides about a lease.
 */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "dhcpd/confrows.h"
#include "dhcpd/inlet.h"
#include "dhcpd/served.h"
#include "lib/chan.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/sandbox.h"
#include "lib/worker_main.h"

enum {
	/* Rows of a list are sent while less than this waits for the engine, then after a pause. */
	LIST_QUEUE_BYTES = 1 << 17,
	LIST_PAUSE_MS = 2,
	/* An engine that reads no events gets none, rather than losing its channel. */
	EVENT_QUEUE_BYTES = 1 << 20,
	/* The engine lets a port have its address by these. */
	REPORT_MS = 5,
	/* Messages that are dealt out before the channels get their turn. */
	BATCHES_PER_TURN = 4,
};

/* A list of leases, or of counters, on its way to the engine. */
struct listing {
	struct listing *next;
	uint32_t id;
	unsigned net, last; /* networks still to be listed */
	struct leaserows at;
	bool stats;
	unsigned counter; /* the next one of `net` */
};

struct dhcpd {
	struct loop *loop;
	struct chan *priv, *engine;
	struct served_work *work;
	struct served *net[CONFROWS_NETS];
	struct inlet *inlet;
	struct loop_io *inlet_rd; /* while messages are taken */
	uint32_t inlet_id;        /* of the request for it; 0: answered */
	struct confrows rows;
	struct msg ready; /* CONF_READY that waits for the networks; type MSG_NONE: none */
	bool configured;  /* at least once */
	uint32_t last_id; /* of requests to priv */
	struct listing *lists;
	struct loop_timer *list_timer;
	bool failed;
};

/* --- what the networks need --- */

static uint32_t
ask_priv(void *arg, struct msg *m)
{
	struct dhcpd *d = arg;

	if (++d->last_id == 0)
		d->last_id = 1;
	m->id = d->last_id;
	chan_send(d->priv, m, NULL, 0);
	return m->id;
}

static bool
report(void *arg, const struct msg *m)
{
	struct dhcpd *d = arg;

	if (!d->engine)
		return false;
	if (m->type == MSG_LEASE_CHANGED && chan_queued(d->engine) > EVENT_QUEUE_BYTES)
		return true;
	if (m->type == MSG_LEASE_CHANGED || m->type == MSG_DHCP_COUNT)
		return chan_send_soon(d->engine, m, REPORT_MS) == 0;
	return chan_send(d->engine, m, NULL, 0) == 0;
}

/* No network waits for priv: its leases are known, or it is known why not. */
static bool
all_settled(const struct dhcpd *d)
{
	for (unsigned i = 0; i < CONFROWS_NETS; i++)
		if (d->net[i] && !served_is_settled(d->net[i]))
			return false;
	return true;
}

/* --- what guests ask --- */

/* The messages of one network, of n that came; those of others stay in v. */
static int
of_one_net(struct inlet_msg *v, size_t *n, unsigned net, struct io_frame out[INLET_BATCH])
{
	size_t kept = 0;
	int got = 0;

	for (size_t i = 0; i < *n; i++) {
		if (v[i].net == net)
			out[got++] = (struct io_frame){v[i].frame, v[i].len, v[i].stamp};
		else
			v[kept++] = v[i];
	}
	*n = kept;
	return got;
}

static void
deal_out(struct dhcpd *d, struct inlet_msg *v, size_t n)
{
	struct io_frame frame[INLET_BATCH];

	static_assert(INLET_BATCH <= SERVED_BATCH, "they may all be of one network");
	while (n > 0) {
		unsigned net = v[0].net;
		int got = of_one_net(v, &n, net, frame);

		if (d->net[net])
			served_input(d->net[net], frame, got);
	}
}

static void
on_inlet(int fd UNUSED, void *arg)
{
	struct inlet_msg v[INLET_BATCH];
	struct dhcpd *d = arg;
	size_t n = INLET_BATCH;

	for (int i = 0; i < BATCHES_PER_TURN && n == INLET_BATCH; i++) {
		n = inlet_take(d->inlet, v);
		deal_out(d, v, n);
	}
}

/* Messages wait in the ring until the networks that they are for can answer. */
static void
watch_inlet(struct dhcpd *d)
{
	bool ready = d->inlet && d->configured && all_settled(d);

	if (ready && !d->inlet_rd) {
		d->inlet_rd = loop_add_read(d->loop, inlet_fd(d->inlet), on_inlet, d);
		if (!d->inlet_rd)
			log_fatal(0, "out of memory");
	} else if (!ready && d->inlet_rd) {
		loop_io_free(d->inlet_rd);
		d->inlet_rd = NULL;
	}
}

static void
ask_inlet(struct dhcpd *d)
{
	struct msg m = msg_make(MSG_DHCP_RING, 0);

	d->inlet_id = ask_priv(d, &m);
}

static void
take_inlet(struct dhcpd *d, const struct msg_reply *r, int *fds, size_t nfds)
{
	int err;

	d->inlet_id = 0;
	if (r->err || nfds != 1)
		log_fatal(0, "no guest can be answered: %s",
			  r->text[0] ? r->text : "priv has no ring of messages");
	err = inlet_new(&d->inlet, fd_take(&fds[0]));
	if (err < 0)
		log_fatal(-err, "the ring of messages from guests cannot be mapped");
}

/* --- lists of leases --- */

static bool
next_row(struct listing *l, const struct served *s, struct msg *row)
{
	if (l->stats)
		return served_stat(s, l->counter++, &row->u.dhcp_stat);
	return served_next_row(s, &l->at, &row->u.lease_row);
}

/* Sends what fits; true when the list is complete. */
static bool
list_some(struct dhcpd *d, struct listing *l)
{
	struct msg row = msg_make(l->stats ? MSG_DHCP_STAT : MSG_LEASE_ROW, l->id), reply;

	for (; l->net <= l->last; l->net++, l->counter = 0, l->at = (struct leaserows){0}) {
		const struct served *s = d->net[l->net];

		while (s && next_row(l, s, &row)) {
			chan_send(d->engine, &row, NULL, 0);
			if (chan_queued(d->engine) > LIST_QUEUE_BYTES)
				return false;
		}
	}
	reply = msg_reply(l->id, 0, NULL);
	chan_send(d->engine, &reply, NULL, 0);
	return true;
}

static void
drop_lists(struct dhcpd *d)
{
	while (d->lists) {
		struct listing *l = d->lists;

		d->lists = l->next;
		free(l);
	}
}

static void
on_list_timer(void *arg)
{
	struct dhcpd *d = arg;

	/* A list that is asked for early is complete too. */
	while (d->lists && d->configured && all_settled(d) && list_some(d, d->lists)) {
		struct listing *l = d->lists;

		d->lists = l->next;
		free(l);
	}
	if (d->lists)
		loop_timer_set(d->list_timer, mono_add(mono_now(), LIST_PAUSE_MS));
}

static void
take_list_request(struct dhcpd *d, const struct msg *m, unsigned net)
{
	struct listing *l = calloc(1, sizeof(*l)), **end = &d->lists;
	struct msg reply;

	if (!l) {
		reply = msg_reply(m->id, ENOMEM, "out of memory");
		chan_send(d->engine, &reply, NULL, 0);
		return;
	}
	l->id = m->id;
	l->stats = m->type == MSG_DHCP_STATS;
	l->net = net == MSG_NET_ALL ? 0 : net;
	l->last = net == MSG_NET_ALL ? CONFROWS_NETS - 1 : net;
	if (l->last >= CONFROWS_NETS)
		l->net = l->last + 1; /* an empty list */
	while (*end)
		end = &(*end)->next;
	*end = l;
	on_list_timer(d);
}

/* --- configuration --- */

/* The engine hears that a generation is in force once DHCP answers, or is known not to. */
static void
send_ready_if_settled(struct dhcpd *d)
{
	if (d->ready.type == MSG_NONE || !all_settled(d))
		return;
	report(d, &d->ready);
	d->ready.type = MSG_NONE;
}

static int
apply_net(struct dhcpd *d, unsigned net, struct netconf *conf)
{
	const struct served_env env = {
	    .loop = d->loop, .work = d->work, .ask = ask_priv, .report = report, .arg = d};

	if (conf && d->net[net])
		return served_set_conf(d->net[net], conf);
	served_free(d->net[net]);
	d->net[net] = conf ? served_new(&env, conf) : NULL;
	return conf && !d->net[net] ? -ENOMEM : 0;
}

static void
take_commit(struct dhcpd *d, uint32_t generation)
{
	int r = confrows_commit(&d->rows, generation);

	for (unsigned i = 0; i < CONFROWS_NETS && r == 0; i++) {
		struct netconf *conf = d->rows.net[i];

		d->rows.net[i] = NULL;
		r = apply_net(d, i, conf);
	}
	confrows_fini(&d->rows);
	d->configured = true;
	d->ready = msg_make(MSG_CONF_READY, 0);
	d->ready.u.conf_ready.generation = generation;
	d->ready.u.conf_ready.err = (uint32_t)-r;
	if (r == -ENOMEM)
		MSG_SET_STR(d->ready.u.conf_ready.text, "the DHCP server is out of memory");
	else if (r < 0)
		MSG_SET_STR(d->ready.u.conf_ready.text,
			    "the DHCP server was sent a configuration that makes no sense");
	for (unsigned i = 0; i < CONFROWS_NETS; i++)
		if (d->net[i])
			served_report(d->net[i]);
	send_ready_if_settled(d);
	watch_inlet(d);
}

/* --- channels --- */

static void
lose_engine(struct dhcpd *d)
{
	chan_free(d->engine);
	d->engine = NULL;
	d->ready.type = MSG_NONE;
	confrows_fini(&d->rows);
	drop_lists(d);
}

static void
on_engine_msg(struct chan *c UNUSED, const struct msg *m, int *fds UNUSED, size_t nfds UNUSED,
	      void *arg)
{
	struct dhcpd *d = arg;

	if (confrows_add(&d->rows, m))
		return;
	if (m->type == MSG_CONF_COMMIT) {
		take_commit(d, m->u.conf_commit.generation);
	} else if (m->type == MSG_LEASE_LIST && m->id != 0) {
		take_list_request(d, m, m->u.lease_list.net);
	} else if (m->type == MSG_DHCP_STATS && m->id != 0) {
		take_list_request(d, m, m->u.dhcp_stats.net);
	} else {
		log_error(0, "the engine sent %s, which is not for the DHCP server",
			  msg_name(m->type));
		lose_engine(d);
	}
}

static void
on_engine_gone(struct chan *c UNUSED, const char *why, void *arg)
{
	log_debug("the engine %s", why);
	lose_engine(arg);
}

static const struct chan_handler engine_handler = {
    .msg = on_engine_msg, .gone = on_engine_gone, .rows = true};

static void
stop(struct dhcpd *d, bool failed)
{
	d->failed |= failed;
	loop_stop(d->loop);
}

static void
take_engine(struct dhcpd *d, int *fd)
{
	lose_engine(d);
	d->engine = chan_new(d->loop, fd_take(fd), "engine", &engine_handler, d);
	if (!d->engine)
		stop(d, true);
}

static void
take_priv_reply(struct dhcpd *d, const struct msg *m, int *fds, size_t nfds)
{
	if (m->id != 0 && m->id == d->inlet_id)
		take_inlet(d, &m->u.reply, fds, nfds);
	for (unsigned i = 0; i < CONFROWS_NETS; i++)
		if (d->net[i] && served_take_reply(d->net[i], m->id, &m->u.reply, fds, nfds))
			break;
	send_ready_if_settled(d);
	watch_inlet(d);
}

static void
on_priv_msg(struct chan *c UNUSED, const struct msg *m, int *fds, size_t nfds, void *arg)
{
	struct dhcpd *d = arg;

	if (m->type == MSG_REPLY) {
		take_priv_reply(d, m, fds, nfds);
	} else if (m->type == MSG_ENGINE_CHAN) {
		take_engine(d, &fds[0]);
	} else if (m->type == MSG_LOG_LEVEL && m->u.log_level.level <= LOG_LEVEL_DEBUG) {
		log_set_level((enum log_level)m->u.log_level.level);
	} else {
		log_error(0, "priv sent %s, which is not for the DHCP server", msg_name(m->type));
		stop(d, true);
	}
}

static void
on_priv_gone(struct chan *c UNUSED, const char *why, void *arg)
{
	bool broken = strcmp(why, "closed the channel") != 0;

	if (broken)
		log_error(0, "priv %s", why);
	stop(arg, broken);
}

static const struct chan_handler priv_handler = {.msg = on_priv_msg, .gone = on_priv_gone};

static void
on_sigterm(int signo UNUSED, void *arg)
{
	stop(arg, false);
}

/* --- life --- */

/* Nobody may ask for anything for a long time, and the power may fail before. */
static void
on_clock_set(void *arg)
{
	struct dhcpd *d = arg;

	for (unsigned i = 0; i < CONFROWS_NETS; i++)
		if (d->net[i])
			served_clock_set(d->net[i]);
}

/* Four descriptors for each of 256 networks are more than the usual soft limit. */
static void
raise_fd_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

static void
dhcpd_init(struct dhcpd *d)
{
	memset(d, 0, sizeof(*d));
	confrows_init(&d->rows);
	d->loop = loop_new();
	d->work = served_work_new();
	if (!d->loop || !d->work)
		log_fatal(0, "out of memory");
	d->list_timer = loop_timer_new(d->loop, on_list_timer, d);
	d->priv = chan_new(d->loop, FD_PRIV, "priv", &priv_handler, d);
	d->engine = chan_new(d->loop, FD_ENGINE, "engine", &engine_handler, d);
	if (!d->list_timer || !d->priv || !d->engine ||
	    loop_add_signal(d->loop, SIGTERM, on_sigterm, d) < 0 ||
	    loop_on_clock_set(d->loop, on_clock_set, d) < 0)
		log_fatal(0, "out of memory");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	ask_inlet(d);
}

static void
dhcpd_fini(struct dhcpd *d)
{
	lose_engine(d);
	loop_io_free(d->inlet_rd);
	inlet_free(d->inlet);
	for (unsigned i = 0; i < CONFROWS_NETS; i++)
		served_free(d->net[i]);
	chan_free(d->priv);
	loop_timer_free(d->list_timer);
	served_work_free(d->work);
	loop_free(d->loop);
}

int
main(int argc, char **argv)
{
	struct dhcpd d;
	char root[4096];
	int r;

	worker_begin(argc, argv, "vnet-dhcpd", "The DHCP server", root);
	raise_fd_limit();
	worker_enter(root);
	dhcpd_init(&d);
	worker_filter(SANDBOX_OPENAT_BENEATH);
	loop_run(d.loop);
	r = d.failed;
	dhcpd_fini(&d);
	return r;
}
