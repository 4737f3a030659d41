/* SPDX-License-Identifier: GPL-2.0-or-later
 * hold.c - see hold.h. A forward works whether its port is held or not, so nothing waits for an answer here.
 */
#include "natd/hold.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/util.h"

enum { RETRY_MS = 10000 };

struct held {
	uint8_t proto;
	uint16_t port;
	struct ip4 host;
	bool held, asked;
};

/* A request under way; priv answers in order. */
struct wish {
	struct wish *next;
	struct held what;
};

struct hold {
	struct natd *d;
	struct held *v; /* by protocol and port, as the plan is */
	size_t n;
	bool swept; /* what an earlier natd had held and is not wanted is gone */
	struct wish *wishes, **end;
	struct loop_timer *retry;
};

static int
compare(const struct held *a, const struct held *b)
{
	if (a->proto != b->proto)
		return a->proto < b->proto ? -1 : 1;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	return (a->host.h > b->host.h) - (a->host.h < b->host.h);
}

static struct held *
find(struct hold *h, const struct held *what)
{
	size_t lo = 0, hi = h->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int r = compare(what, &h->v[mid]);

		if (r == 0)
			return &h->v[mid];
		if (r > 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static struct wish *
take_wish(struct hold *h)
{
	struct wish *w = h->wishes;

	h->wishes = w->next;
	if (!h->wishes)
		h->end = &h->wishes;
	return w;
}

static void
on_held(void *arg, const struct msg_reply *r, int *fds UNUSED, size_t nfds UNUSED)
{
	struct hold *h = arg;
	struct wish *w = take_wish(h);
	struct held *x = find(h, &w->what);

	if (x) {
		x->asked = false;
		x->held = r->err == 0;
	}
	if (r->err && r->err != EADDRINUSE)
		log_debug("%s port %u is not held: %s", ip_proto_name((enum ip_proto)w->what.proto),
			  w->what.port, r->text);
	if (r->err)
		loop_timer_set(h->retry, mono_add(mono_now(), RETRY_MS));
	free(w);
}

static void
ask(struct hold *h, struct held *x)
{
	struct msg m = msg_make(MSG_HOLD_SET, 0);
	struct wish *w = malloc(sizeof(*w));

	if (!w)
		return; /* the port stays unheld */
	*w = (struct wish){NULL, *x};
	*h->end = w;
	h->end = &w->next;
	x->asked = true;
	m.u.hold_set.proto = x->proto;
	m.u.hold_set.port = x->port;
	m.u.hold_set.host = x->host;
	natd_ask(h->d, &m, on_held, NULL, h);
}

static void
ask_all(struct hold *h)
{
	for (size_t i = 0; i < h->n; i++)
		if (!h->v[i].held && !h->v[i].asked)
			ask(h, &h->v[i]);
}

static void
on_retry(void *arg)
{
	ask_all(arg);
}

static void
let_go(struct hold *h, const struct held *x)
{
	struct msg m = msg_make(MSG_HOLD_END, 0);

	m.u.hold_end.proto = x->proto;
	m.u.hold_end.port = x->port;
	m.u.hold_end.host = x->host;
	chan_send(h->d->priv, &m, NULL, 0);
}

/* The rows of the plan, with what is known of them; the others end. */
static void
replace(struct hold *h, struct held *v, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < h->n; i++) {
		const struct held *old = &h->v[i];

		while (k < n && compare(old, &v[k]) > 0)
			k++;
		if (k < n && compare(old, &v[k]) == 0)
			v[k] = *old;
		else
			let_go(h, old);
	}
	free(h->v);
	h->v = v;
	h->n = n;
}

static void
sweep(struct hold *h, bool begin)
{
	struct msg m = msg_make(MSG_HOLD_SWEEP, 0);

	m.u.hold_sweep.begin = begin;
	chan_send(h->d->priv, &m, NULL, 0);
}

void
hold_apply(struct hold *h, const struct nat_plan *p, size_t most)
{
	size_t most_here = p->nforwards < most ? p->nforwards : most, n = 0;
	struct held *v = calloc(most_here + 1, sizeof(*v));

	if (!v)
		return; /* as it is; the next configuration tries again */
	for (size_t i = 0; i < p->nforwards && n < most_here; i++)
		if (plan_holds(p, &p->forwards[i]))
			v[n++] = (struct held){.proto = p->forwards[i].proto,
					       .port = p->forwards[i].port,
					       .host = p->forwards[i].host};
	if (!h->swept)
		sweep(h, true);
	replace(h, v, n);
	ask_all(h);
	if (!h->swept)
		sweep(h, false);
	h->swept = true;
}

/* --- the answer to the engine --- */

static void
flush(struct hold *h, struct msg *m)
{
	if (m->u.hold_row.ports.len)
		chan_send(h->d->engine, m, NULL, 0);
	m->u.hold_row.ports.len = 0;
}

void
hold_answer(struct hold *h, uint32_t id)
{
	struct msg m = msg_make(MSG_HOLD_ROW, id), reply = msg_reply(id, 0, NULL);

	for (size_t i = 0; i < h->n; i++) {
		const struct held *x = &h->v[i];
		struct msg_hold_row *r = &m.u.hold_row;

		if (!x->held)
			continue;
		if (r->proto != x->proto || !ip4_eq(r->host, x->host) ||
		    r->ports.len == sizeof(r->ports.b))
			flush(h, &m);
		r->proto = x->proto;
		r->host = x->host;
		r->ports.b[r->ports.len++] = (uint8_t)(x->port >> 8);
		r->ports.b[r->ports.len++] = (uint8_t)x->port;
	}
	flush(h, &m);
	chan_send(h->d->engine, &reply, NULL, 0);
}

/* --- life --- */

struct hold *
hold_new(struct natd *d)
{
	struct hold *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->d = d;
	h->end = &h->wishes;
	h->retry = loop_timer_new(d->loop, on_retry, h);
	if (h->retry)
		return h;
	free(h);
	return NULL;
}

void
hold_free(struct hold *h)
{
	if (!h)
		return;
	loop_timer_free(h->retry);
	while (h->wishes)
		free(take_wish(h));
	free(h->v);
	free(h);
}
