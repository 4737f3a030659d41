/* SPDX-License-Identifier: GPL-2.0-or-later
 * nat.c - the NAT plan's way into the kernel, and watching over it.
 *
 * One commit is under way at a time; what is wanted meanwhile waits for its end. After a commit
 * the connections of forwards that are no more are forgotten, all at once. The table's disappearance is repaired at once; somebody
 * who keeps removing it gets slower answers.
 */
#include "natd/nat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/log.h"
#include "lib/sock_diag.h"
#include "lib/util.h"
#include "natd/firewall.h"
#include "natd/flows.h"
#include "natd/foreign.h"
#include "natd/hold.h"
#include "natd/nftevent.h"
#include "natd/relay.h"
#include "natd/waylook.h"

enum {
	EVENT_SIZE = 64 * 1024,
	EVENTS_AT_ONCE = 32,
	/* Rule sets change in bursts: wait for the end of one, and do not look too often. */
	SCAN_DELAY_MS = 200,
	SCAN_EVERY_MS = 1000,
	/* A burst that does not end is not waited for. */
	SCAN_BURST_MS = 500,
	/* Where our rules have to be put back whenever Docker or ufw make theirs anew. */
	SCAN_ALLOWED_EVERY_MS = 500,
	RETRY_MIN_MS = 500,
	RETRY_MAX_MS = 30000,
	/* Repairs at once; the next one is earned every REPAIR_EVERY_MS. */
	REPAIRS_AT_ONCE = 20,
	REPAIR_EVERY_MS = 1000,
	LOOK_MS = 5000,
};

struct nat {
	struct natd *d;
	const struct natd_conf *conf; /* NULL before the first */
	struct nat_plan wanted;       /* of the latest configuration */
	struct nat_plan sent;         /* what the running commit, or the latest one, told priv */
	bool in_force;                /* `sent` is what the kernel has */
	bool behind;                  /* `wanted` has changed since `sent` was made of it */
	bool committing;
	bool changing; /* the running commit changes forwards only */
	bool again;    /* commit once more when this one is done */
	bool spoilt; /* somebody has changed the table while this one was on its way, or after it */
	bool told_timeouts, told_flowtable;
	bool no_ftp; /* the kernel cannot follow FTP */
	int err;     /* of the latest commit, positive */
	char why[512];
	/* forwards whose connections are to be forgotten; [flushed, nflush) are left */
	struct msg_nat_flush_forward *flush;
	size_t nflush, flushed, flush_cap;
	bool flushing;
	/* repairs */
	unsigned repairs;
	struct mono repairs_since;
	struct loop_timer *retry;
	int64_t retry_ms;
	struct loop_timer *look; /* for services that were in the way of a forward */
	/* foreign rule sets */
	int watch_fd;
	struct loop_io *watch;
	struct loop_timer *scan_timer;
	struct mono scanned, scan_asked; /* the latest; the first change since */
	bool scanning, scan_again;
	struct msg_firewall_row *rows, *coming; /* of the latest scan; of the one under way */
	size_t nrows, ncoming, coming_cap;
	bool scanned_once; /* rows are known */
	/* rules of ours in them */
	struct foreign_want allowed[FOREIGN_PLACE_N]; /* as priv was told */
	bool swept;          /* an earlier instance's have been dealt with */
	unsigned allowing;   /* answers that are due */
	bool allowed_now;    /* one of them was "changed" */
	char allow_why[512]; /* the last failure, as the log has it */
};

static void commit(struct nat *n);
static void flush_next(struct nat *n);

static const char *
without_ftp(const struct nat *n, const struct msg_natd_net *net)
{
	return n->no_ftp && net->nat && net->ftp
		   ? "this kernel cannot follow FTP (CONFIG_NF_CONNTRACK_FTP, CONFIG_NF_NAT_FTP): "
		     "activeFTP of nat.conf is without effect, passive FTP works"
		   : NULL;
}

/* -- reports -- */

static void
report_problem(struct nat *n, const struct plan_problem *p, bool ok)
{
	char text[256];

	snprintf(text, sizeof(text), "%s", p->text);
	if (p->more)
		snprintf(text, sizeof(text), "%s (and %zu more)", p->text, p->more);
	natd_report(n->d, p->net, SERVICE_NAT, ok, text, p->cure);
}

void
nat_report(struct nat *n)
{
	for (size_t i = 0; n->conf && i < n->conf->nnets; i++) {
		uint16_t net = n->conf->nets[i].net;
		const struct plan_problem *p = NULL;
		struct plan_problem relay;
		char text[256];

		for (size_t k = 0; k < n->wanted.nproblems; k++)
			if (n->wanted.problems[k].net == net)
				p = &n->wanted.problems[k];
		if (n->err) {
			natd_report(n->d, net, SERVICE_NAT, false, n->why, NULL);
		} else if (p) {
			report_problem(n, p, false);
		} else if (waylook_lacks(n->d->rtnl, &n->conf->nets[i], text, sizeof(text))) {
			natd_report(n->d, net, SERVICE_NAT, false, text, NULL);
		} else if (relay_is_missing(n->d->relay, net, &relay)) {
			report_problem(n, &relay, true);
		} else {
			natd_report(n->d, net, SERVICE_NAT, true, without_ftp(n, &n->conf->nets[i]),
				    NULL);
		}
	}
}

static void
report_line(struct nat *n, unsigned net, enum service service, const struct firewall_line *line)
{
	struct msg_service_state s = {.net = (uint16_t)net,
				      .service = (uint8_t)service,
				      .ok = line->ok,
				      .can_cure = line->can_cure};

	MSG_SET_STR(s.text, line->text);
	MSG_SET_STR(s.cure, line->cure);
	natd_report_state(n->d, &s);
}

static void
report_firewall(struct nat *n)
{
	struct firewall_line line;

	if (!n->scanned_once)
		return;
	for (size_t i = 0; n->conf && i < n->conf->nnets; i++) {
		const struct msg_natd_net *net = &n->conf->nets[i];

		firewall_judge(&line, net, n->rows, n->nrows);
		report_line(n, net->net, SERVICE_FIREWALL, &line);
		firewall_judge_inside(&line, net->net, net, n->rows, n->nrows);
		report_line(n, net->net, SERVICE_INSIDE, &line);
	}
	for (unsigned net = 0; n->conf && net < NATD_NETS; net++) {
		if (!msg_nets_have(n->conf->bridges, net))
			continue;
		firewall_judge_inside(&line, net, NULL, n->rows, n->nrows);
		report_line(n, net, SERVICE_INSIDE, &line);
	}
}

/* -- foreign rule sets -- */

static void
on_scan_row(void *arg, const struct msg *m)
{
	struct nat *n = arg;

	if (m->type != MSG_FIREWALL_ROW)
		return;
	if (n->ncoming == n->coming_cap) {
		size_t cap = n->coming_cap ? 2 * n->coming_cap : 8;
		struct msg_firewall_row *rows = reallocarray(n->coming, cap, sizeof(*rows));

		if (!rows)
			return; /* one complaint less */
		n->coming = rows;
		n->coming_cap = cap;
	}
	n->coming[n->ncoming++] = m->u.firewall_row;
}

/* All rows of a scan are there. */
static void
take_rows(struct nat *n)
{
	free(n->rows);
	n->rows = n->coming;
	n->nrows = n->ncoming;
	n->coming = NULL;
	n->ncoming = n->coming_cap = 0;
	n->scanned_once = true;
}

/* The rule sets are known, and nothing is to be changed in them. */
static void
scan_over(struct nat *n)
{
	n->scanning = false;
	if (n->scan_again)
		nat_rescan(n);
}

/* What changed is looked at again before anybody is told. */
static void
on_allowed(void *arg, const struct msg_reply *r, int *fds UNUSED, size_t nfds UNUSED)
{
	struct nat *n = arg;

	if (!r->err) {
		n->allowed_now |= r->text[0] != '\0';
	} else if (strcmp(n->allow_why, r->text) != 0) {
		snprintf(n->allow_why, sizeof(n->allow_why), "%s", r->text);
		log_warn(0, "%s", r->text);
	}
	/* What stands there is not known: the next scan tells priv about every place. */
	if (r->err)
		n->swept = false;
	if (--n->allowing)
		return;
	if (n->allowed_now)
		n->scan_again = true;
	else
		report_firewall(n);
	n->allowed_now = false;
	scan_over(n);
}

/* Has rules of ours put where the scan found that they are needed, and taken away where not. */
static void
allow(struct nat *n)
{
	struct foreign_want want[FOREIGN_PLACE_N];

	foreign_want(want, n->conf, n->rows, n->nrows);
	for (unsigned p = 0; p < FOREIGN_PLACE_N; p++) {
		struct msg m = msg_make(MSG_FOREIGN_ALLOW, 0);

		if (n->swept && !foreign_want_any(&want[p]) && !foreign_want_any(&n->allowed[p]))
			continue;
		m.u.foreign_allow.place = (uint8_t)p;
		m.u.foreign_allow.through.len = m.u.foreign_allow.inside.len = NAT_ROUTES_LEN;
		memcpy(m.u.foreign_allow.through.b, want[p].through, NAT_ROUTES_LEN);
		memcpy(m.u.foreign_allow.inside.b, want[p].inside, NAT_ROUTES_LEN);
		n->allowed[p] = want[p];
		n->allowing++;
		natd_ask(n->d, &m, on_allowed, NULL, n);
	}
	n->swept = true;
}

static void
on_scan_done(void *arg, const struct msg_reply *r, int *fds UNUSED, size_t nfds UNUSED)
{
	struct nat *n = arg;

	if (r->err) {
		/* What was known before holds, until it is looked at again. */
		log_debug("foreign rule sets: %s", r->text);
		scan_over(n);
		if (!n->scan_again)
			loop_timer_set(n->scan_timer, mono_add(mono_now(), SCAN_EVERY_MS));
		return;
	}
	take_rows(n);
	if (n->conf)
		allow(n);
	if (n->allowing)
		return;
	report_firewall(n);
	scan_over(n);
}

static void
on_scan_timer(void *arg)
{
	struct nat *n = arg;
	struct msg m = msg_make(MSG_FIREWALL_SCAN, 0);

	nat_report(n);
	n->scanning = true;
	n->scan_again = false;
	n->scanned = mono_now();
	n->ncoming = 0;
	m.u.firewall_scan.bridges.len = NAT_ROUTES_LEN;
	if (n->conf)
		memcpy(m.u.firewall_scan.bridges.b, n->conf->bridges, NAT_ROUTES_LEN);
	natd_ask(n->d, &m, on_scan_done, on_scan_row, n);
}

void
nat_rescan(struct nat *n)
{
	struct mono now = mono_now();
	bool allows = n->conf && n->conf->foreign_allow;
	struct mono earliest = mono_add(n->scanned, allows ? SCAN_ALLOWED_EVERY_MS : SCAN_EVERY_MS);
	struct mono due;

	if (!n->scan_again)
		n->scan_asked = now;
	n->scan_again = true;
	due = mono_min(mono_add(now, SCAN_DELAY_MS), mono_add(n->scan_asked, SCAN_BURST_MS));
	if (!n->scanning)
		loop_timer_set(n->scan_timer, mono_before(due, earliest) ? earliest : due);
}

void
nat_host_changed(struct nat *n)
{
	for (size_t i = 0; n->conf && i < n->conf->nnets; i++) {
		if (!waylook_concerns(&n->conf->nets[i]))
			continue;
		nat_rescan(n);
		return;
	}
}

/* -- forgetting connections -- */

static void
add_flush(const struct msg_nat_flush_forward *f, void *arg)
{
	struct nat *n = arg;

	if (n->nflush == n->flush_cap) {
		size_t cap = n->flush_cap ? 2 * n->flush_cap : 16;
		struct msg_nat_flush_forward *p = reallocarray(n->flush, cap, sizeof(*p));

		if (!p)
			return; /* these connections last until they end by themselves */
		n->flush = p;
		n->flush_cap = cap;
	}
	n->flush[n->nflush++] = *f;
}

static void
on_flushed(void *arg, const struct msg_reply *r, int *fds UNUSED, size_t nfds UNUSED)
{
	struct nat *n = arg;

	n->flushing = false;
	if (r->err)
		log_warn(0, "connections of removed forwards go on: %s", r->text);
	flush_next(n);
	natd_progress(n->d);
}

static void
flush_next(struct nat *n)
{
	struct msg m = msg_make(MSG_NAT_FLUSH_FORWARD, 0), end = msg_make(MSG_NAT_FLUSH, 0);
	unsigned rows = 0;

	if (n->flushing)
		return;
	for (; n->flushed < n->nflush && rows < NAT_FLUSHES_MAX; n->flushed++) {
		/* A forward that has come back meanwhile keeps its connections. */
		if (plan_leads(&n->sent, &n->flush[n->flushed]))
			continue;
		m.u.nat_flush_forward = n->flush[n->flushed];
		chan_send_row(n->d->priv, &m);
		rows++;
	}
	if (n->flushed == n->nflush)
		n->flushed = n->nflush = 0;
	if (!rows)
		return;
	n->flushing = true;
	natd_ask(n->d, &end, on_flushed, NULL, n);
}

/* -- commits -- */

static void
commit_failed(struct nat *n, const struct msg_reply *r)
{
	n->err = (int)r->err;
	n->in_force = false;
	snprintf(n->why, sizeof(n->why), "%s", r->text[0] ? r->text : strerror(n->err));
	loop_timer_set(n->retry, mono_add(mono_now(), n->retry_ms));
	n->retry_ms = n->retry_ms < RETRY_MAX_MS / 2 ? 2 * n->retry_ms : RETRY_MAX_MS;
}

static void
commit_succeeded(struct nat *n, const char *words)
{
	n->err = 0;
	n->in_force = !n->spoilt;
	n->retry_ms = RETRY_MIN_MS;
	if (!n->spoilt)
		loop_timer_set(n->retry, MONO_NEVER);
	if (strstr(words, "no-timeouts") && !n->told_timeouts) {
		n->told_timeouts = true;
		log_warn(0, "this kernel has no timeout objects (CONFIG_NF_CONNTRACK_TIMEOUT): "
			    "timeouts of nat.conf are without effect");
	}
	n->no_ftp = strstr(words, "no-ftp");
	if (strstr(words, "no-flowtable") && !n->told_flowtable) {
		n->told_flowtable = true;
		log_info("this kernel has no flowtables (CONFIG_NF_FLOW_TABLE_INET, "
			 "CONFIG_NFT_FLOW_OFFLOAD): "
			 "established connections go on through its rules");
	}
	log_debug("NAT plan%s in force: %zu networks, %zu forwards (%s)",
		  n->changing ? ", changed," : "", n->sent.nnets, n->sent.nforwards, words);
	flush_next(n);
	/* Its flowtable looks at nothing yet. */
	if (strstr(words, "made"))
		flows_begin(n->d->flows, strstr(words, "no-flowtable") ? NULL : &n->sent);
	/* priv looks at the networks of the latest commit. */
	if (!n->changing || strstr(words, "missed"))
		nat_rescan(n);
	/* A table without an owner may have been what they changed: all of it once more. */
	if (strstr(words, "missed") && strstr(words, "plain")) {
		n->in_force = false;
		loop_timer_set(n->retry, mono_add(mono_now(), RETRY_MIN_MS));
	}
}

static void
on_committed(void *arg, const struct msg_reply *r, int *fds UNUSED, size_t nfds UNUSED)
{
	struct nat *n = arg;

	n->committing = false;
	/* The table is not as it was: the whole plan repairs that. */
	if (r->err && n->changing)
		n->again = true;
	else if (r->err)
		commit_failed(n, r);
	else
		commit_succeeded(n, r->text);
	if (n->again || (n->in_force && n->behind)) {
		n->again = false;
		commit(n);
	}
	nat_report(n);
	natd_progress(n->d);
}

static void
send_rows(struct nat *n)
{
	struct msg m = msg_make(MSG_NAT_BEGIN, 0);

	m.u.nat_begin.forward_others = n->sent.forward_others;
	m.u.nat_begin.flowtable = n->sent.flowtable;
	chan_send(n->d->priv, &m, NULL, 0);
	for (size_t i = 0; i < n->sent.nnets; i++) {
		m = msg_make(MSG_NAT_NET, 0);
		m.u.nat_net = n->sent.nets[i];
		chan_send_row(n->d->priv, &m);
	}
	m = msg_make(MSG_NAT_FORWARD, 0);
	for (size_t i = 0; i < n->sent.nforwards; i++) {
		m.u.nat_forward = n->sent.forwards[i];
		chan_send_row(n->d->priv, &m);
	}
	for (size_t i = 0; i < n->sent.ncaptures; i++) {
		m = msg_make(MSG_NAT_CAPTURE, 0);
		m.u.nat_capture = n->sent.captures[i];
		chan_send_row(n->d->priv, &m);
	}
}

static void
send_change(const struct msg_nat_forward *f, bool gone, void *arg)
{
	struct nat *n = arg;
	struct msg m = msg_make(gone ? MSG_NAT_FORWARD_GONE : MSG_NAT_FORWARD, 0);

	if (gone)
		m.u.nat_forward_gone = (struct msg_nat_forward_gone){.net = f->net,
								     .proto = f->proto,
								     .port = f->port,
								     .guest = f->guest,
								     .guest_port = f->guest_port,
								     .host = f->host};
	else
		m.u.nat_forward = *f;
	chan_send_row(n->d->priv, &m);
}

/* The kernel has `sent`, and only forwards differ from what is wanted, few of them. */
static bool
is_change(const struct nat *n)
{
	return n->in_force && plan_same_nets(&n->sent, &n->wanted) &&
	       plan_distance(&n->sent, &n->wanted) <= NAT_CHANGES_MAX;
}

static void
send_changes(struct nat *n)
{
	struct msg m = msg_make(MSG_NAT_CHANGE, 0);

	chan_send(n->d->priv, &m, NULL, 0);
	plan_diff(&n->sent, &n->wanted, send_change, n);
}

/* Tells priv the wanted plan, or how it differs from the one in force. */
static void
commit(struct nat *n)
{
	struct msg m = msg_make(MSG_NAT_COMMIT, 0);

	if (n->committing) {
		n->again = true;
		return;
	}
	/* `sent` holds the forwards that there were, also after commits that failed. */
	plan_removed(&n->sent, &n->wanted, add_flush, n);
	n->changing = is_change(n);
	if (n->changing)
		send_changes(n);
	if (!plan_copy(&n->sent, &n->wanted)) {
		log_error(0, "out of memory");
		natd_stop(n->d, true);
		return;
	}
	n->committing = true;
	n->in_force = n->behind = n->spoilt = false;
	if (!n->changing)
		send_rows(n);
	natd_ask(n->d, &m, on_committed, NULL, n);
}

static void
on_retry(void *arg)
{
	commit(arg);
}

/* Makes the plan and has it put in force. False: no memory. */
static bool
apply(struct nat *n, const struct natd_conf *c)
{
	struct listeners host;
	struct nat_plan p;
	bool ok;

	listeners_init(&host);
	for (unsigned proto = 0; proto < PROTO_N; proto++)
		sock_diag_list(n->d->inuse, (enum ip_proto)proto, n->d->own, &host);
	ok = plan_make(&p, c, &host, &n->wanted);
	listeners_fini(&host);
	if (!ok)
		return false;
	loop_timer_set(n->look, p.nhidden ? mono_add(mono_now(), LOOK_MS) : MONO_NEVER);
	plan_fini(&n->wanted);
	n->wanted = p;
	n->conf = c;
	n->behind = n->committing || !n->in_force || !plan_same(&n->sent, &n->wanted);
	if (n->behind)
		commit(n);
	hold_apply(n->d->hold, &n->wanted, c->hold_ports);
	relay_apply(n->d->relay, &n->wanted, c->hold_ports);
	nat_report(n);
	return true;
}

/* Looks again who has ports, as long as somebody has. */
static void
on_look(void *arg)
{
	struct nat *n = arg;

	if (n->wanted.nhidden && !apply(n, n->conf)) {
		log_error(0, "out of memory");
		natd_stop(n->d, true);
	}
}

bool
nat_apply(struct nat *n, const struct natd_conf *c)
{
	if (!apply(n, c))
		return false;
	report_firewall(n);
	nat_rescan(n);
	return true;
}

/* Both plans are what the kernel has: nothing need be compared to find what differs. */
static bool
commit_one(struct nat *n, const struct msg_nat_forward *f, bool gone)
{
	struct msg change = msg_make(MSG_NAT_CHANGE, 0), end = msg_make(MSG_NAT_COMMIT, 0);

	if (!plan_change(&n->sent, f, gone))
		return false;
	if (gone)
		add_flush(&(struct msg_nat_flush_forward){.net = f->net,
							  .proto = f->proto,
							  .port = f->port,
							  .guest = f->guest,
							  .guest_port = f->guest_port,
							  .host = f->host},
			  n);
	n->committing = n->changing = true;
	n->in_force = false;
	chan_send(n->d->priv, &change, NULL, 0);
	send_change(f, gone, n);
	natd_ask(n->d, &end, on_committed, NULL, n);
	return true;
}

static bool
is_service(struct nat *n, const struct msg_nat_forward *f)
{
	struct listeners host;
	enum ip_proto proto = (enum ip_proto)f->proto;
	bool found;

	if (f->proto >= PROTO_N)
		return false;
	listeners_init(&host);
	sock_diag_list(n->d->inuse, proto, n->d->own, &host);
	found = listeners_find(&host, proto, f->port, f->host);
	listeners_fini(&host);
	return found;
}

bool
nat_change(struct nat *n, const struct msg_nat_forward *f, bool gone, bool shadow)
{
	bool level = n->in_force && !n->committing && !n->behind;

	if (!n->conf || (!gone && !shadow && is_service(n, f)) || !plan_change(&n->wanted, f, gone))
		return false;
	if (shadow && !gone)
		plan_note_shadow(&n->wanted, f);
	if (!level || !commit_one(n, f, gone)) {
		n->behind = true;
		commit(n);
	}
	hold_apply(n->d->hold, &n->wanted, n->conf->hold_ports);
	relay_apply(n->d->relay, &n->wanted, n->conf->hold_ports);
	return true;
}

bool
nat_is_settled(const struct nat *n, int *err, const char **text)
{
	*err = n->err;
	*text = n->err ? n->why : "";
	return !n->committing && !n->flushing;
}

/* -- watching -- */

/* Takes one repair from the stock; false: there is none left. */
static bool
may_repair(struct nat *n)
{
	struct mono now = mono_now();
	int64_t earned = mono_diff(now, n->repairs_since) / REPAIR_EVERY_MS;

	if (earned > 0) {
		n->repairs = earned < n->repairs ? n->repairs - (unsigned)earned : 0;
		n->repairs_since = now;
	}
	if (n->repairs >= REPAIRS_AT_ONCE)
		return false;
	n->repairs++;
	return true;
}

static void
repair(struct nat *n)
{
	if (!n->conf)
		return;
	n->in_force = false;
	n->spoilt = n->committing;
	if (may_repair(n)) {
		log_info("table inet vnetd was changed by somebody else; restoring it");
		commit(n);
	} else {
		loop_timer_set(n->retry, mono_add(mono_now(), REPAIR_EVERY_MS));
	}
}

static void
on_event(int fd, void *arg)
{
	struct nat *n = arg;
	uint8_t buf[EVENT_SIZE];
	unsigned bits = 0;

	for (int i = 0; i < EVENTS_AT_ONCE; i++) {
		ssize_t len = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (len < 0 && errno == ENOBUFS) {
			/* Events were lost; some may have concerned our table. */
			bits |= NFTEVENT_OURS | NFTEVENT_OTHERS;
			continue;
		}
		if (len <= 0)
			break;
		bits |= nftevent_decode(buf, (size_t)len);
	}
	if (bits & NFTEVENT_OURS)
		repair(n);
	if (bits & NFTEVENT_OTHERS)
		nat_rescan(n);
}

static void
on_watch(void *arg, const struct msg_reply *r, int *fds, size_t nfds)
{
	struct nat *n = arg;

	if (r->err || nfds == 0) {
		log_warn(0, "changes of rule sets go unnoticed: %s", r->text);
		return;
	}
	n->watch_fd = fd_take(&fds[0]);
	n->watch = loop_add_read(n->d->loop, n->watch_fd, on_event, n);
	if (!n->watch)
		natd_stop(n->d, true);
}

/* -- life -- */

struct nat *
nat_new(struct natd *d)
{
	struct nat *n = calloc(1, sizeof(*n));
	struct msg m = msg_make(MSG_NFT_WATCH, 0);

	if (!n)
		return NULL;
	n->d = d;
	n->watch_fd = -1;
	n->retry_ms = RETRY_MIN_MS;
	n->retry = loop_timer_new(d->loop, on_retry, n);
	n->scan_timer = loop_timer_new(d->loop, on_scan_timer, n);
	n->look = loop_timer_new(d->loop, on_look, n);
	if (!n->retry || !n->scan_timer || !n->look) {
		nat_free(n);
		return NULL;
	}
	natd_ask(d, &m, on_watch, NULL, n);
	return n;
}

void
nat_free(struct nat *n)
{
	if (!n)
		return;
	loop_io_free(n->watch);
	fd_close(&n->watch_fd);
	loop_timer_free(n->retry);
	loop_timer_free(n->scan_timer);
	loop_timer_free(n->look);
	plan_fini(&n->wanted);
	plan_fini(&n->sent);
	free(n->flush);
	free(n->rows);
	free(n->coming);
	free(n);
}
