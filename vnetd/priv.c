/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv.c - the privileged process: a loop, a table of verbs, an answer for each request.
 *
 * It reads no bytes but the typed messages of its own children and the kernel's replies. What a message
 * may do is policy.c's judgement; how it is done stands in the handlers (priv_*.c). Requests are executed
 * in the order of their arrival, one at a time.
 */
#include "vnetd/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/loop.h"
#include "lib/sandbox.h"
#include "lib/sd.h"
#include "lib/util.h"
#include "vnetd/child.h"
#include "vnetd/priv_gate_map.h"
#include "vnetd/priv_nft.h"

struct server {
	struct priv priv;
	struct loop *loop;
	struct children *children;
	bool ready;
	bool stopped; /* the children have ended */
	int status;   /* the exit status to be */
};

/* Verb -> handler. Verbs that change nothing but priv itself are in on_event(). */
static handler_fn *const handlers[MSG_N] = {
    [MSG_CONF_OPEN] = priv_conf_open,
    [MSG_CONF_REPLACE] = priv_conf_replace,
    [MSG_CONF_REMOVE] = priv_conf_remove,
    [MSG_HOST_OPEN] = priv_host_open,
    [MSG_HOST_WATCH] = priv_host_watch,
    [MSG_LEASE_DIR] = priv_lease_dir,
    [MSG_BRIDGE_SET] = priv_bridge_set,
    [MSG_BRIDGE_DEL] = priv_bridge_del,
    [MSG_ADDR_ADD] = priv_addr_add,
    [MSG_ADDR_DEL] = priv_addr_del,
    [MSG_ROUTE_ADD] = priv_route_add,
    [MSG_ROUTE_DEL] = priv_route_del,
    [MSG_SYSCTL_SET] = priv_sysctl_set,
    [MSG_IP_FORWARD] = priv_ip_forward,
    [MSG_TAP_ADD] = priv_tap_add,
    [MSG_VETH_ADD] = priv_veth_add,
    [MSG_PORT_DEL] = priv_port_del,
    [MSG_PORT_ENSLAVE] = priv_port_enslave,
    [MSG_PORT_SET] = priv_port_set,
    [MSG_GATE_SET] = priv_gate_set,
    [MSG_GATE_DEL] = priv_gate_del,
    [MSG_GATE_FORGET] = priv_gate_forget,
    [MSG_GATE_FASTEN] = priv_gate_fasten,
    [MSG_GATE_LIST] = priv_gate_list,
    [MSG_GATE_EVENTS] = priv_gate_events,
    [MSG_MARKER_WATCH] = priv_marker_watch,
    [MSG_MARKER_LIST] = priv_marker_list,
    [MSG_SOCK_DHCP] = priv_sock_dhcp,
    [MSG_DHCP_RING] = priv_dhcp_ring,
    [MSG_SOCK_DNS] = priv_sock_dns,
    [MSG_SOCK_RELAY] = priv_sock_relay,
    [MSG_REDIRECT_FILES] = priv_redirect_files,
    [MSG_SOCK_LISTEN] = priv_sock_listen,
    [MSG_LISTEN_KEEP] = priv_listen_keep,
    [MSG_LISTEN_SWEEP] = priv_listen_sweep,
    [MSG_LISTEN_TAKE] = priv_listen_take,
    [MSG_ALIAS_SET] = priv_alias_set,
    [MSG_ALIAS_SWEEP] = priv_alias_sweep,
    [MSG_NAT_BEGIN] = priv_nat_begin,
    [MSG_NAT_NET] = priv_nat_net,
    [MSG_NAT_FORWARD] = priv_nat_forward,
    [MSG_NAT_CAPTURE] = priv_nat_capture,
    [MSG_CONN_LIST] = priv_conn_list,
    [MSG_NAT_CHANGE] = priv_nat_change,
    [MSG_NAT_FORWARD_GONE] = priv_nat_forward_gone,
    [MSG_NAT_COMMIT] = priv_nat_commit,
    [MSG_NAT_FLUSH_FORWARD] = priv_nat_flush_forward,
    [MSG_NAT_FLUSH] = priv_nat_flush,
    [MSG_FLOW_DEV] = priv_flow_dev,
    [MSG_HOLD_SET] = priv_hold_set,
    [MSG_HOLD_END] = priv_hold_end,
    [MSG_HOLD_SWEEP] = priv_hold_sweep,
    [MSG_NFT_WATCH] = priv_nft_watch_open,
    [MSG_FIREWALL_SCAN] = priv_firewall_scan,
    [MSG_FOREIGN_ALLOW] = priv_foreign_allow,
    [MSG_LOG_SET] = priv_log_set,
    [MSG_LOG_SWEEP] = priv_log_sweep,
    [MSG_LOG_TAKE] = priv_log_take,
    [MSG_ALIAS_ANNOUNCE] = priv_alias_announce,
    [MSG_NEIGH_SET] = priv_neigh_set,
    [MSG_NEIGH_DEL] = priv_neigh_del,
    [MSG_CAPTURE_START] = priv_capture_start,
    [MSG_CAPTURE_STOP] = priv_capture_stop,
};

static int set_text(struct call *c, int err, const char *words, const char *fmt, va_list ap)
    PRINTF_LIKE(4, 0);

static int
set_text(struct call *c, int err, const char *words, const char *fmt, va_list ap)
{
	size_t len;

	vsnprintf(c->text, sizeof(c->text), fmt, ap);
	len = strlen(c->text);
	if (words)
		snprintf(c->text + len, sizeof(c->text) - len, ": %s", words);
	return err;
}

int
fail(struct call *c, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_text(c, err, NULL, fmt, ap);
	va_end(ap);
	return err;
}

int
fail_errno(struct call *c, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_text(c, err, strerrordesc_np(-err), fmt, ap);
	va_end(ap);
	return err;
}

int
fail_nl(struct priv *p, struct call *c, int err, const char *fmt, ...)
{
	const char *words = nl_words(p->route);
	va_list ap;

	va_start(ap, fmt);
	set_text(c, err, words[0] ? words : strerrordesc_np(-err), fmt, ap);
	va_end(ap);
	return err;
}

void
give(struct call *c, int fd)
{
	c->out[c->nout++] = fd;
}

static void
answer(struct call *c, int err)
{
	struct msg reply = msg_reply(c->m->id, -err, c->text);

	chan_send(c->from, &reply, c->out, err == 0 ? c->nout : 0);
	for (size_t i = 0; i < c->nout; i++)
		fd_close(&c->out[i]);
}

static void
tell_waiter(struct server *s, const char *text)
{
	ssize_t n UNUSED;

	if (s->priv.start->waiter < 0)
		return;
	n = write(s->priv.start->waiter, text, strlen(text));
	fd_close(&s->priv.start->waiter);
}

static void
on_ready(struct server *s, const char *text)
{
	char state[320];

	snprintf(state, sizeof(state), "%sSTATUS=%s", s->ready ? "" : "READY=1\n", text);
	sd_notify_send(s->priv.start->notify, state);
	if (!s->ready)
		log_info("ready%s%s", text[0] ? ": " : "", text);
	s->ready = true;
	tell_waiter(s, "ok");
}

static void
stop(struct server *s)
{
	priv_capture_stop_all(&s->priv);
	children_stop(s->children);
}

static void
on_refused(struct server *s, const char *text)
{
	if (s->ready) {
		log_error(0, "the configuration is refused: %s", text);
		return;
	}
	log_error(0, "not started: %s", text);
	tell_waiter(s, text);
	s->status = 1;
	stop(s);
}

static void
on_level(struct server *s, const struct msg *m)
{
	if (s->priv.start->level_fixed)
		return;
	s->priv.start->level = m->u.log_level.level;
	log_set_level(m->u.log_level.level);
	for (enum role r = 0; r < ROLE_N; r++)
		if (r != ROLE_ENGINE)
			children_tell(s->children, r, m);
}

/* Messages without an answer. */
static void
on_event(struct server *s, struct call *c)
{
	const struct msg *m = c->m;

	if (m->type == MSG_ENGINE_READY)
		on_ready(s, m->u.engine_ready.text);
	else if (m->type == MSG_ENGINE_REFUSED)
		on_refused(s, m->u.engine_refused.text);
	else if (m->type == MSG_LOG_LEVEL)
		on_level(s, m);
	else if (m->type == MSG_WORKER_WANT)
		children_want(s->children, (enum role)m->u.worker_want.role, m->u.worker_want.on);
	else
		handlers[m->type](&s->priv, c);
}

static void
refuse(struct server *s, struct call *c, enum role role, const char *why)
{
	log_error(0, "%s: %s refused: %s", role_name(role), msg_name(c->m->type), why);
	if (policy_is_request(c->m->type)) {
		snprintf(c->text, sizeof(c->text), "%s refused: %s", msg_name(c->m->type), why);
		answer(c, -EPERM);
	} else if (role == ROLE_NATD) {
		s->priv.nat_refused = why;
	}
}

static void
sync_folder(const struct server *s, struct call *c)
{
	if (c->unsynced >= 0 && fsync(c->unsynced) < 0)
		log_error(errno, "%s: what has just been written may not survive a power cut",
			  s->priv.start->dirs->config);
	fd_close(&c->unsynced);
}

static void
on_msg(enum role role, struct chan *chan, const struct msg *m, int *fds, size_t nfds UNUSED,
       void *arg)
{
	struct server *s = arg;
	struct call c = {.m = m, .in = fds, .from = chan, .unsynced = -1};
	char breach[96];
	const char *why;
	int r;

	switch (policy_check(role, m, &why)) {
	case POLICY_BREACH:
		snprintf(breach, sizeof(breach), "sent %s, which %s", msg_name(m->type), why);
		children_breach(s->children, role, breach);
		return;
	case POLICY_REFUSED:
		refuse(s, &c, role, why);
		return;
	case POLICY_ALLOWED:
		break;
	}
	if (!policy_is_request(m->type)) {
		on_event(s, &c);
		return;
	}
	r = handlers[m->type](&s->priv, &c);
	log_debug("%s: %s: %s", role_name(role), msg_name(m->type),
		  r == 0      ? "done"
		  : c.text[0] ? c.text
			      : strerrorname_np(-r));
	answer(&c, r);
	sync_folder(s, &c);
}

static void
end_if_alone(struct server *s)
{
	if (s->stopped && !priv_capture_any(&s->priv))
		loop_stop(s->loop);
}

static void
on_stopped(void *arg)
{
	struct server *s = arg;

	s->stopped = true;
	end_if_alone(s);
}

static void
on_other(pid_t pid, int status, void *arg)
{
	struct server *s = arg;

	priv_capture_reap(&s->priv, pid, status);
	end_if_alone(s);
}

static void
on_capture_gone(uint32_t capture, const char *how, void *arg)
{
	struct server *s = arg;
	struct msg m = msg_make(MSG_CAPTURE_GONE, 0);

	m.u.capture_gone.capture = capture;
	MSG_SET_STR(m.u.capture_gone.how, how);
	children_tell(s->children, ROLE_ENGINE, &m);
}

static const struct child_handler child_handler = {on_msg, on_other, on_stopped};

static void
on_signal(int signo, void *arg)
{
	struct server *s = arg;
	struct msg reload = msg_make(MSG_RELOAD, 0);

	switch (signo) {
	case SIGCHLD:
		children_reap(s->children);
		break;
	case SIGHUP:
		children_tell(s->children, ROLE_ENGINE, &reload);
		break;
	default:
		log_info("stopping; the networks and their guests stay");
		sd_notify_send(s->priv.start->notify, "STOPPING=1");
		stop(s);
		break;
	}
}

static int
watch_signals(struct server *s)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};

	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		if (loop_add_signal(s->loop, signals[i], on_signal, s) < 0)
			return -ENOMEM;
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

static int
cannot_start(struct server *s, const char *why)
{
	log_error(0, "%s", why);
	tell_waiter(s, why);
	return -1;
}

static int
prepare(struct server *s)
{
	char why[256];

	for (int t = 0; t < MSG_N; t++)
		if (policy_is_request(t) && !handlers[t])
			log_fatal(0, "%s has no handler", msg_name(t));
	if (sandbox_seccomp_priv() < 0)
		return cannot_start(s, "cannot set the system call filter (CONFIG_SECCOMP_FILTER)");
	s->priv.route = nl_open(NETLINK_ROUTE);
	if (!s->priv.route)
		return cannot_start(s, "cannot open a netlink socket");
	s->priv.nft = priv_nft_new(why, sizeof(why));
	if (!s->priv.nft)
		return cannot_start(s, why);
	s->priv.gate =
	    gate_map_new(&s->priv.start->gate, s->priv.start->gate_adopted, why, sizeof(why));
	if (!s->priv.gate)
		return cannot_start(s, why);
	s->priv.hooks = &s->priv.start->hooks;
	if (priv_gate_take_over(&s->priv) < 0)
		return cannot_start(s, "cannot look at the links of ports that have a gate");
	priv_listen_take_over(&s->priv);
	s->loop = loop_new();
	if (!s->loop || watch_signals(s) < 0 ||
	    priv_capture_init(&s->priv, s->loop, on_capture_gone, s) < 0)
		return cannot_start(s, "out of memory");
	s->children = children_new(s->loop, s->priv.start, &child_handler, s);
	return s->children ? 0 : cannot_start(s, "out of memory");
}

int
priv_main(struct start *start)
{
	struct server s = {.priv.start = start};

	if (prepare(&s) < 0)
		return 1;
	loop_run(s.loop);
	children_free(s.children);
	priv_listen_fini(&s.priv);
	priv_hold_fini(&s.priv);
	priv_log_fini(&s.priv);
	priv_capture_fini(&s.priv);
	gate_map_free(s.priv.gate);
	hooks_close(&start->hooks);
	priv_nft_free(s.priv.nft);
	nl_close(s.priv.route);
	loop_free(s.loop);
	return s.status;
}
