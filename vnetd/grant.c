/* SPDX-License-Identifier: GPL-2.0-or-later
 * grant.c - requests for promiscuous mode, words about them, marker files.
 */
#include "vnetd/grant.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "vnetd/core.h"
#include "vnetd/gate.h"
#include "vnetd/rights.h"

enum {
	/* A word for a time is looked at so often: the wall clock may be set meanwhile. */
	LOOK_S = 60,
	/* A guest that asks again and again is told of so often. */
	PENDING_QUIET_MS = 60000,
	/* Of one that changes its mind all the time so many changes are told in a minute. */
	CHANGES_MS = 60000,
	CHANGES = 4,
};

void
grants_init(struct grants *g)
{
	memset(g, 0, sizeof(*g));
}

void
grants_fini(struct grants *g)
{
	for (size_t i = 0; i < GRANT_MARKERS; i++)
		free(g->refused[i]);
	grants_init(g);
}

/* --- marker files --- */

static const char *
marker_name(size_t i, char buf[32])
{
	if (i == NAMES_NETS)
		snprintf(buf, 32, "promiscAuthorized");
	else
		snprintf(buf, 32, "vmnet%u/promiscAuthorized", (uint8_t)i);
	return buf;
}

static void
set_marker(struct core *c, size_t i, bool counts, const char *why)
{
	struct grants *g = &c->grants;
	char name[32];

	if (counts != g->counts[i])
		log_info("%s %s", marker_name(i, name),
			 counts ? "exists: promiscuous mode is granted to ports that ask"
				: "is gone: promiscuous mode that it granted is revoked");
	g->counts[i] = counts;
	if (why && (!g->refused[i] || strcmp(g->refused[i], why) != 0)) {
		log_warn(0, "%s does not count: %s", marker_name(i, name), why);
		events_add(c, "marker-refused", i == NAMES_NETS ? MSG_NET_ALL : (unsigned)i, "",
			   "%s does not count: %s", name, why);
	}
	free(g->refused[i]);
	g->refused[i] = why ? strdup(why) : NULL;
}

static void
take_marker(struct core *c, const struct msg *m, int *fds UNUSED, size_t nfds UNUSED,
	    void *arg UNUSED)
{
	const struct msg_marker_row *r = &m->u.marker_row;
	size_t i = r->net == MSG_NET_ALL ? NAMES_NETS : r->net;
	char why[PROMISC_WHY_MAX];
	bool counts = marker_counts(why, r);

	if (i >= GRANT_MARKERS)
		return;
	c->grants.seen[i] = true;
	set_marker(c, i, counts, counts ? NULL : why);
}

static void list_markers(struct core *c);

static void
markers_listed(struct core *c, const struct msg_reply *r, int *fds UNUSED, size_t nfds UNUSED,
	       void *p UNUSED, uint32_t n UNUSED)
{
	struct grants *g = &c->grants;

	g->listing = false;
	/* What cannot be read does not count. */
	if (r->err)
		log_warn(0, "the marker files cannot be read: %s", r->text);
	for (size_t i = 0; i < GRANT_MARKERS; i++)
		if (!g->seen[i])
			set_marker(c, i, false, NULL);
	if (g->again)
		list_markers(c);
	/* At once: a revocation is not to wait for other events. */
	if (c->settle.first_done)
		settle_soon(c);
}

static void
list_markers(struct core *c)
{
	struct msg m = msg_make(MSG_MARKER_LIST, 0);

	c->grants.listing = true;
	c->grants.again = false;
	memset(c->grants.seen, 0, sizeof(c->grants.seen));
	ask_priv_rows(c, &m, take_marker, markers_listed, NULL, 0);
}

static void
watch_open(struct core *c, const struct msg_reply *r, int *fds, size_t nfds, void *p UNUSED,
	   uint32_t n UNUSED)
{
	if (r->err || nfds != 1)
		log_warn(0, "a change of promiscAuthorized takes effect at reload only: %s",
			 r->text);
	else
		c->io->watch(c->io_arg, WATCH_MARKER, &fds[0]);
}

void
grant_watch(struct core *c)
{
	struct msg m = msg_make(MSG_MARKER_WATCH, 0);

	/* Watched before it is read, so that nothing is missed between the two. */
	ask_priv(c, &m, NULL, 0, watch_open, NULL, 0);
	if (c->grants.listing)
		c->grants.again = true;
	else
		list_markers(c);
}

void
grant_start(struct core *c)
{
	grant_watch(c);
}

void
core_marker_event(struct core *c, struct mono now, bool anew)
{
	c->now = now;
	if (anew)
		grant_watch(c);
	else if (c->grants.listing)
		c->grants.again = true;
	else
		list_markers(c);
}

/* --- the answer --- */

static uint64_t
now_s(const struct core *c)
{
	return c->io->utc_ms(c->io_arg) / 1000;
}

/* The network's own marker comes first; "": none counts. */
const char *
grant_marker(const struct core *c, unsigned net)
{
	static char name[32];

	if (c->grants.counts[net])
		return marker_name(net, name);
	return c->grants.counts[NAMES_NETS] ? marker_name(NAMES_NETS, name) : "";
}

struct promisc_answer
grant_judge(const struct core *c, const struct port *p, const char **marker)
{
	const struct conf_net *net = c->net[p->net].conf;
	const struct conf_port port = keeper_conf(c, p);
	const struct promisc_case pc = {
	    .port = &p->promisc,
	    .port_key = port.gate.promiscuous,
	    .net_key = net ? net->gate.promiscuous : -1,
	    .milder = gate_learning(net, &port, port_is_machine(p)) > 0,
	    .marker = grant_marker(c, p->net),
	    .now_s = now_s(c),
	};
	struct promisc_answer a = promisc_judge(&pc);

	*marker = a.by_marker ? pc.marker : "";
	return a;
}

/* Neither the log nor the events are the guest's to fill. NULL: nothing is told, else what is added to it. */
static const char *
heard(const struct core *c, struct port *p)
{
	if (!mono_before(c->now, p->changes_until)) {
		p->changes_until = mono_add(c->now, CHANGES_MS);
		p->changes = 0;
	}
	if (p->changes == CHANGES)
		return NULL;
	return ++p->changes == CHANGES ? "; it changes often: not told again within a minute" : "";
}

static void
tell(struct core *c, const struct port *p, const char *what, const char *words, const char *why,
     const char *more)
{
	if (!more) {
		log_debug("%s: promiscuous mode %s again", port_name(p), words);
		return;
	}
	log_info("%s on vmnet%u: promiscuous mode %s: %s%s", port_name(p), p->net, words, why,
		 more);
	events_add(c, what, p->net, port_name(p), "%s: promiscuous mode %s: %s%s", port_name(p),
		   words, why, more);
}

/* changed_by: who asked or asks no longer; PROMISC_BY_NOBODY: the change is the host's. */
static void
announce(struct core *c, struct port *p, enum promisc_by changed_by)
{
	const char *marker;
	struct promisc_answer a = grant_judge(c, p, &marker);
	const char *more;
	bool quiet = false;

	if (a.state == p->told || (a.state == PROMISC_NO && p->told != PROMISC_GRANTED)) {
		p->told = a.state;
		return;
	}
	if (a.state == PROMISC_PENDING) {
		quiet = p->told != PROMISC_GRANTED && mono_before(c->now, p->pending_quiet);
		p->pending_quiet = mono_add(c->now, PENDING_QUIET_MS);
	}
	more = quiet ? NULL : changed_by == PROMISC_BY_GUEST ? heard(c, p) : "";
	switch (a.state) {
	case PROMISC_NO:
		tell(c, p, "promisc-revoked", "revoked", a.why, more);
		break;
	case PROMISC_PENDING:
		if (p->told == PROMISC_GRANTED)
			tell(c, p, "promisc-revoked", "revoked", a.why, more);
		else
			tell(c, p, "promisc-pending", "asked for and pending", a.why, more);
		break;
	case PROMISC_GRANTED:
		tell(c, p, "promisc-granted", "granted", a.why, more);
		break;
	case PROMISC_REFUSED:
		tell(c, p, p->told == PROMISC_GRANTED ? "promisc-revoked" : "promisc-refused",
		     "refused", a.why, more);
		break;
	}
	p->told = a.state;
}

void
grant_announce(struct core *c)
{
	for (struct port *p = c->ports.head; p; p = p->next)
		if (!p->making)
			announce(c, p, PROMISC_BY_NOBODY);
}

bool
grant_expire(struct core *c)
{
	uint64_t now = now_s(c);
	bool some = false;

	for (struct port *p = c->ports.head; p; p = p->next) {
		if (p->promisc.word != WORD_FOR || now < p->promisc.until_s)
			continue;
		p->promisc.word = WORD_NONE;
		p->promisc.until_s = 0;
		some = true;
	}
	return some;
}

struct mono
grant_deadline(const struct core *c)
{
	struct mono t = MONO_NEVER;
	uint64_t ms = c->io->utc_ms(c->io_arg), now = ms / 1000;

	for (const struct port *p = c->ports.head; p; p = p->next) {
		uint64_t left;

		if (p->promisc.word != WORD_FOR)
			continue;
		left = p->promisc.until_s > now ? p->promisc.until_s - now : 0;
		if (left > LOOK_S)
			left = LOOK_S;
		t = mono_min(t, mono_add(c->now, left ? (int64_t)(left * 1000 - ms % 1000) : 0));
	}
	return t;
}

/* --- requests --- */

void
grant_ask(struct core *c, struct port *p, enum promisc_by by, bool on)
{
	struct promisc *pr = &p->promisc;

	if (on && pr->by == PROMISC_BY_NOBODY) {
		pr->by = by;
		pr->asked_s = now_s(c);
	} else if (on && pr->by == PROMISC_BY_GUEST && by == PROMISC_BY_USER) {
		/* From now on it stands whatever the guest does. */
		pr->by = by;
	} else if (!on && pr->by != PROMISC_BY_NOBODY) {
		pr->by = PROMISC_BY_NOBODY;
		pr->asked_s = 0;
		/* It was about this request. A denial stays: who is denied would only have to ask again. */
		if (pr->word == WORD_ONCE)
			pr->word = WORD_NONE;
	} else {
		/* Reports are repeated. */
		return;
	}
	announce(c, p, by);
	settle_soon(c);
}

void
grant_fill(const struct core *c, const struct port *p, struct msg_promisc_row *r)
{
	const char *marker;
	struct promisc_answer a = grant_judge(c, p, &marker);

	MSG_SET_STR(r->port, port_name(p));
	r->net = (uint16_t)p->net;
	r->mac = port_address(p);
	r->state = (uint8_t)a.state;
	r->by = (uint8_t)a.by;
	r->asked = p->promisc.asked_s;
	r->until = a.until_s;
	MSG_SET_STR(r->text, a.why);
	MSG_SET_STR(r->marker, marker);
}

void
grant_row(struct core *c, uint32_t client, uint32_t request, const struct port *p)
{
	struct msg m = msg_make(MSG_PROMISC_ROW, request);

	grant_fill(c, p, &m.u.promisc_row);
	client_send(c, client, &m, NULL, 0);
}

/* The port that a request names; NULL: it is answered. own: its owner may, besides those who may change
 * the configuration. */
static struct port *
find(struct core *c, const struct client *cl, uint32_t request, const char *name, bool own)
{
	struct port *p = port_find(c, name);
	char why[RIGHTS_WHY_MAX + PORT_NAME_MAX];
	struct rights r;

	if (!p || p->making) {
		snprintf(why, sizeof(why), "there is no port \"%s\" (see vnetctl ports)", name);
		client_reply(c, cl, request, ENOENT, why);
		return NULL;
	}
	client_rights(c, cl, &r);
	if (own && !rights_detach(why, &r, p->alias.owner)) {
		client_reply(c, cl, request, EPERM, why);
		return NULL;
	}
	return p;
}

bool
grant_is_written(const struct core *c, const struct msg *m)
{
	const struct msg_promisc_decide *d = &m->u.promisc_decide;
	const struct port *p = port_find(c, d->port);

	if (captures_is_user(d->port))
		return captures_is_written(c, d);
	return d->verdict == PROMISC_ALLOW_ALWAYS ||
	       (d->verdict == PROMISC_REVOKE && p &&
		keeper_conf(c, p).gate.promiscuous == CONF_PROMISC_ALLOW);
}

static void
answer(struct core *c, const struct client *cl, uint32_t request, const struct port *p)
{
	grant_row(c, cl->serial, request, p);
	client_reply(c, cl, request, 0, NULL);
}

void
grant_ask_request(struct core *c, const struct client *cl, const struct msg *m)
{
	struct port *p = find(c, cl, m->id, m->u.promisc_ask.port, true);

	if (!p)
		return;
	grant_ask(c, p, PROMISC_BY_USER, m->u.promisc_ask.on);
	answer(c, cl, m->id, p);
}

void
grant_decide_request(struct core *c, const struct client *cl, const struct msg *m)
{
	const struct msg_promisc_decide *d = &m->u.promisc_decide;
	struct port *p = find(c, cl, m->id, d->port, false);

	if (!p)
		return;
	switch ((enum promisc_verdict)d->verdict) {
	case PROMISC_ALLOW_ONCE:
		p->promisc.word = WORD_ONCE;
		break;
	case PROMISC_ALLOW_FOR:
		p->promisc.word = WORD_FOR;
		p->promisc.until_s = now_s(c) + d->seconds;
		break;
	case PROMISC_DENY:
		p->promisc.word = WORD_DENY;
		break;
	case PROMISC_ALLOW_ALWAYS:
	case PROMISC_REVOKE:
		/* control.c makes a job of what is written; this is the rest of it. */
		p->promisc.word = WORD_NONE;
		break;
	}
	if (p->promisc.word != WORD_NONE && p->promisc.asked_s == 0)
		p->promisc.asked_s = now_s(c);
	announce(c, p, PROMISC_BY_NOBODY);
	settle_soon(c);
	answer(c, cl, m->id, p);
}

void
grant_filter_request(struct core *c, const struct client *cl, const struct msg *m)
{
	const struct msg_rx_filter *f = &m->u.rx_filter;
	struct port *p = find(c, cl, m->id, f->port, true);

	if (!p)
		return;
	log_debug("%s: its guest's card lets in %s, promiscuous %s, %u unicast and %u multicast "
		  "addresses%s",
		  port_name(p), MAC_STR(f->mac), f->promisc ? "yes" : "no", f->unicasts,
		  f->multicasts, f->allmulti ? " (all)" : "");
	/* A user's request stands whatever the guest does. */
	if (p->promisc.by == PROMISC_BY_NOBODY || p->promisc.by == PROMISC_BY_GUEST)
		grant_ask(c, p, PROMISC_BY_GUEST, f->promisc);
	answer(c, cl, m->id, p);
}
