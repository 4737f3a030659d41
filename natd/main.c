/* SPDX-License-Identifier: GPL-2.0-or-later
 * main.c - vnet-natd: wires channels, NAT and DNS proxy together.
 *
 * Executed by priv with two descriptors: 3 is the channel to priv, whose end is ours; 4 is the
 * channel to the engine, whose end is not: we go on serving, and priv sends a new one when there
 * is an engine again. When we end, NAT goes on: the table is priv's, and no packet but DNS passes
 * through here.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "lib/chan.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/rtnl.h"
#include "lib/sandbox.h"
#include "lib/worker_main.h"
#include "natd/flowdev.h"
#include "natd/flows.h"
#include "natd/hold.h"
#include "lib/sock_diag.h"
#include "natd/lookup.h"
#include "natd/nat.h"
#include "natd/natd.h"
#include "natd/plan.h"
#include "natd/proxy.h"
#include "natd/relay.h"

struct program {
	struct natd d;
	struct natd_conf coming, conf; /* rows since CONF_BEGIN; the latest complete ones */
	bool receiving;
	struct loop_io *rtnl_io;
};

void
natd_stop(struct natd *d, bool failed)
{
	d->failed |= failed;
	loop_stop(d->loop);
}

/* -- configuration -- */

static void
send_ready(struct natd *d, int err, const char *text)
{
	struct msg m = msg_make(MSG_CONF_READY, 0);

	d->ready_due = false;
	m.u.conf_ready.generation = d->generation;
	m.u.conf_ready.err = (uint32_t)err;
	MSG_SET_STR(m.u.conf_ready.text, text);
	if (d->engine)
		chan_send(d->engine, &m, NULL, 0);
}

void
natd_progress(struct natd *d)
{
	const char *text;
	int err;

	if (d->ready_due && nat_is_settled(d->nat, &err, &text) && proxy_is_settled(d->proxy))
		send_ready(d, err, text);
}

static void
take_commit(struct program *p)
{
	struct natd_conf old = p->conf;

	p->conf = p->coming;
	p->coming = (struct natd_conf){0};
	p->receiving = false;
	p->d.generation = p->conf.generation;
	p->d.ready_due = true;
	for (size_t i = 0; i < old.nnets; i++)
		if (!natd_conf_net(&p->conf, old.nets[i].net))
			natd_report_forget(&p->d, old.nets[i].net);
	for (unsigned net = 0; net < NATD_NETS; net++)
		if (msg_nets_have(old.bridges, net) && !msg_nets_have(p->conf.bridges, net))
			natd_report_forget(&p->d, (uint16_t)net);
	/* An engine that has just started knows nothing yet. */
	natd_report_all(&p->d);
	if (!nat_apply(p->d.nat, &p->conf)) {
		log_error(0, "out of memory");
		natd_stop(&p->d, true);
	}
	proxy_apply(p->d.proxy, &p->conf);
	natd_conf_fini(&old);
	natd_progress(&p->d);
}

static void
take_change(struct program *p, const struct msg_natd_change *m)
{
	const struct msg_nat_forward f = {.net = m->net,
					  .proto = m->proto,
					  .port = m->port,
					  .guest = m->guest,
					  .guest_port = m->guest_port};
	bool ok = m->base == p->conf.generation && nat_change(p->d.nat, &f, m->gone, m->shadow);

	p->conf.generation = p->d.generation = m->generation;
	p->d.ready_due = true;
	if (ok)
		natd_progress(&p->d);
	else
		send_ready(&p->d, ESTALE, "");
}

/* False: not a message for us, or not now. */
static bool
take_engine_msg(struct program *p, const struct msg *m)
{
	if (m->id != 0 && m->type == MSG_LOOKUP) {
		lookup_start(&p->d, m);
		return true;
	}
	if (m->id != 0 && m->type == MSG_HOLD_LIST) {
		hold_answer(p->d.hold, m->id);
		return true;
	}
	if (m->id != 0 && m->type == MSG_RELAY_LIST) {
		relay_answer(p->d.relay, m->id);
		return true;
	}
	if (m->id != 0 && m->type == MSG_DNS_STATS) {
		proxy_answer_stats(p->d.proxy, m->id, m->u.dns_stats.net);
		return true;
	}
	if (m->id != 0)
		return false;
	if (m->type == MSG_GUEST_NAME || m->type == MSG_GUEST_NAMES) {
		proxy_take_name(p->d.proxy, m);
		return true;
	}
	if (m->type == MSG_NATD_CHANGE) {
		take_change(p, &m->u.natd_change);
		return true;
	}
	if (m->type == MSG_CONF_BEGIN) {
		natd_conf_fini(&p->coming);
		p->receiving = true;
	}
	if (!p->receiving)
		return false;
	if (m->type == MSG_CONF_COMMIT) {
		if (m->u.conf_commit.generation != p->coming.generation)
			return false;
		take_commit(p);
		return true;
	}
	return natd_conf_add(&p->coming, m);
}

/* -- channels -- */

static void
lose_engine(struct program *p)
{
	lookup_drop_all(&p->d);
	chan_free(p->d.engine);
	p->d.engine = NULL;
	p->d.ready_due = false;
	p->receiving = false;
	natd_conf_fini(&p->coming);
}

static void
on_engine_msg(struct chan *c UNUSED, const struct msg *m, int *fds UNUSED, size_t nfds UNUSED,
	      void *arg)
{
	if (take_engine_msg(arg, m))
		return;
	log_error(0, "the engine sent %s, which natd cannot take now", msg_name(m->type));
	lose_engine(arg);
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
take_engine(struct program *p, int fd)
{
	lose_engine(p);
	p->d.engine = chan_new(p->d.loop, fd, "engine", &engine_handler, p);
	if (!p->d.engine)
		natd_stop(&p->d, true);
}

static void
on_priv_msg(struct chan *c UNUSED, const struct msg *m, int *fds, size_t nfds, void *arg)
{
	struct program *p = arg;

	if (m->id != 0 && natd_take_answer(&p->d, m, fds, nfds))
		return;
	if (m->type == MSG_ENGINE_CHAN) {
		take_engine(p, fd_take(&fds[0]));
	} else if (m->type == MSG_LOG_LEVEL && m->u.log_level.level <= LOG_LEVEL_DEBUG) {
		log_set_level((enum log_level)m->u.log_level.level);
	} else {
		log_error(0, "priv sent %s, which is not for natd", msg_name(m->type));
		natd_stop(&p->d, true);
	}
}

static void
on_priv_gone(struct chan *c UNUSED, const char *why, void *arg)
{
	struct program *p = arg;
	bool broken = strcmp(why, "closed the channel") != 0;

	if (broken)
		log_error(0, "priv %s", why);
	natd_stop(&p->d, broken);
}

static const struct chan_handler priv_handler = {.msg = on_priv_msg, .gone = on_priv_gone};

/* -- the way to the outside -- */

/* Through which interface guests go out decides which foreign rules they meet, and any route may be a VPN's: behind
 * a local resolver, other servers know other names now. */
static void
on_route(const struct rtnl_route *r, bool gone UNUSED, void *arg)
{
	struct program *p = arg;

	if (r->dst.len == 0)
		nat_rescan(p->d.nat);
	else
		nat_host_changed(p->d.nat);
	proxy_forget_answers(p->d.proxy);
}

/* A VPN's way out may be there (egress). */
static void
on_other_route(const struct rtnl_route *r UNUSED, bool gone UNUSED, void *arg)
{
	struct program *p = arg;

	nat_host_changed(p->d.nat);
}

static void
on_overrun(void *arg)
{
	struct program *p = arg;

	nat_rescan(p->d.nat);
	flows_host_changed(p->d.flows);
	proxy_forget_answers(p->d.proxy);
}

/* Ours come and go with every guest; what NAT needs are the others. With a link that goes down or away the kernel drops
 * the routes over it and tells of none of them; those of containers' links do not matter to names. */
static void
on_link(const struct rtnl_link *l, bool gone, void *arg)
{
	struct program *p = arg;

	if (l->master == 0)
		nat_host_changed(p->d.nat);
	if (!flowdev_is_nothing(l))
		flows_host_changed(p->d.flows);
	if ((l->up && !gone) || l->master || l->bridge_port || !strcmp(l->kind, "veth") ||
	    !strncmp(l->name, "vmnet", 5))
		return;
	nat_rescan(p->d.nat);
	proxy_forget_answers(p->d.proxy);
}

static void
on_addr(const struct rtnl_addr *a UNUSED, bool gone UNUSED, void *arg)
{
	struct program *p = arg;

	nat_host_changed(p->d.nat);
	flows_host_changed(p->d.flows);
}

static const struct rtnl_events rtnl_events = {.link = on_link,
					       .addr = on_addr,
					       .route = on_route,
					       .other_route = on_other_route,
					       .overrun = on_overrun};

static void
on_rtnl(int fd UNUSED, void *arg)
{
	struct program *p = arg;

	rtnl_dispatch(p->d.rtnl);
}

/* -- life -- */

static void
on_sigterm(int signo UNUSED, void *arg)
{
	natd_stop(arg, false);
}

/* Everything that the sandbox would refuse. */
static void
open_all(struct program *p)
{
	memset(p, 0, sizeof(*p));
	p->d.loop = loop_new();
	if (!p->d.loop)
		log_fatal(0, "out of memory");
	p->d.own = geteuid();
	p->d.inuse = sock_diag_open();
	p->d.rtnl = rtnl_new(&rtnl_events, p);
	if (!p->d.rtnl)
		log_fatal(errno, "cannot watch the host's routes");
}

static void
start(struct program *p)
{
	struct natd *d = &p->d;

	d->priv = chan_new(d->loop, FD_PRIV, "priv", &priv_handler, p);
	d->engine = chan_new(d->loop, FD_ENGINE, "engine", &engine_handler, p);
	p->rtnl_io = loop_add_read(d->loop, rtnl_event_fd(p->d.rtnl), on_rtnl, p);
	if (!d->priv || !d->engine || !p->rtnl_io ||
	    loop_add_signal(d->loop, SIGTERM, on_sigterm, d) < 0)
		log_fatal(0, "out of memory");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	d->hold = hold_new(d);
	d->relay = relay_new(d);
	d->flows = flows_new(d);
	d->nat = nat_new(d);
	d->proxy = proxy_new(d);
	if (!d->hold || !d->relay || !d->flows || !d->nat || !d->proxy)
		log_fatal(0, "out of memory");
}

static void
end(struct program *p)
{
	lose_engine(p);
	proxy_free(p->d.proxy);
	nat_free(p->d.nat);
	relay_free(p->d.relay);
	flows_free(p->d.flows);
	hold_free(p->d.hold);
	fd_close(&p->d.inuse);
	loop_io_free(p->rtnl_io);
	rtnl_free(p->d.rtnl);
	chan_free(p->d.priv);
	natd_asks_fini(&p->d);
	natd_reports_fini(&p->d);
	natd_conf_fini(&p->conf);
	loop_free(p->d.loop);
}

int
main(int argc, char **argv)
{
	struct program p;
	char root[4096];
	bool failed;

	worker_begin(argc, argv, "vnet-natd", "NAT and DNS proxy", root);
	worker_enter(root);
	open_all(&p);
	worker_filter(SANDBOX_SOCKET_INET_UDP | SANDBOX_SOCKET_INET_TCP | SANDBOX_SOCKET_ACCEPT |
		      SANDBOX_SOCKET_NETLINK);
	start(&p);
	loop_run(p.d.loop);
	failed = p.d.failed;
	end(&p);
	return failed ? 1 : 0;
}
