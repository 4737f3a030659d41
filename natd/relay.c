/* SPDX-License-Identifier: GPL-2.0-or-later
 * relay.c - see relay.h. Here are the ports; what comes in is relaytcp.c's and relayudp.c's.
 *
 * priv binds, as ports below 1024 need it. A forward works by IPv4 without all this, so nothing waits for an answer.
 */
#include "natd/relay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fd.h"
#include "lib/log.h"
#include "lib/util.h"
#include "natd/nat.h"
#include "natd/relayflow.h"
#include "natd/relaytcp.h"
#include "natd/relayudp.h"

enum {
	RETRY_MS = 10000,
	PAUSE_MS = 1000, /* without descriptors */
	ASKS_MAX = 64,   /* under way: priv's queue of descriptors is bounded */
};

struct port {
	struct relay *r;
	struct msg_nat_forward f;
	int64_t udp_idle_ms;
	int fd;
	struct loop_io *io;
	bool due, asked; /* to be asked for; and priv has not answered so far */
	bool taken;      /* somebody has it */
};

/* A request under way; priv answers in order. */
struct wish {
	struct wish *next;
	uint8_t proto;
	uint16_t port;
};

struct relay {
	struct natd *d;
	struct port **v; /* by protocol and port, as the plan is */
	size_t n;
	bool no_loopback; /* there is no ::1, as far as is known */
	bool news;        /* about ports that are taken */
	struct wish *wishes, **end;
	unsigned nwishes;
	struct loop_timer *retry, *pause;
	struct relaytcp *tcp;
	struct relayudp *udp;
};

static int
compare(const struct port *x, uint8_t proto, uint16_t port)
{
	if (x->f.proto != proto)
		return x->f.proto < proto ? -1 : 1;
	return (x->f.port > port) - (x->f.port < port);
}

static struct port *
find(struct relay *r, uint8_t proto, uint16_t port)
{
	size_t lo = 0, hi = r->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = compare(r->v[mid], proto, port);

		if (c == 0)
			return r->v[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* --- what comes in --- */

static void
listen_all(struct relay *r, bool on)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i]->io)
			loop_io_enable(r->v[i]->io, on);
}

static void
on_pause_over(void *arg)
{
	listen_all(arg, true);
}

static void
on_port(int fd, void *arg)
{
	struct port *x = arg;
	struct relay *r = x->r;

	if (x->f.proto == PROTO_UDP) {
		relayudp_take(r->udp, &(struct relayudp_port){.sock = fd,
							      .port = x->f.port,
							      .guest = x->f.guest,
							      .guest_port = x->f.guest_port,
							      .idle_ms = x->udp_idle_ms});
		return;
	}
	if (relaytcp_accept(r->tcp, fd, x->f.port, x->f.guest, x->f.guest_port))
		return;
	/* It would be readable again at once. */
	log_debug("no descriptors for connections to ::1");
	listen_all(r, false);
	loop_timer_set(r->pause, mono_add(mono_now(), PAUSE_MS));
}

/* --- sockets --- */

static void
open_port(struct port *x, int fd)
{
	x->fd = fd;
	x->taken = false;
	x->io = loop_add_read(x->r->d->loop, fd, on_port, x);
	if (!x->io)
		fd_close(&x->fd);
}

static struct wish *
take_wish(struct relay *r)
{
	struct wish *w = r->wishes;

	r->wishes = w->next;
	r->nwishes--;
	if (!r->wishes)
		r->end = &r->wishes;
	return w;
}

/* Where there is no ::1, one port is enough to find out whether it has come. */
static void
make_due(struct relay *r)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->v[i]->fd >= 0 || r->v[i]->asked)
			continue;
		r->v[i]->due = true;
		if (r->no_loopback)
			break;
	}
}

static void
take_socket(struct port *x, int fd)
{
	struct relay *r = x->r;

	r->news |= x->taken;
	open_port(x, fd);
	if (!r->no_loopback)
		return;
	r->no_loopback = false;
	make_due(r);
}

static void
take_refusal(struct port *x, const struct msg_reply *reply)
{
	struct relay *r = x->r;
	bool taken = reply->err == EADDRINUSE;

	r->news |= taken != x->taken;
	x->taken = taken;
	if (reply->err == EADDRNOTAVAIL || reply->err == EAFNOSUPPORT) {
		r->no_loopback = true;
		for (size_t i = 0; i < r->n; i++)
			r->v[i]->due = false;
	} else if (!taken) {
		log_debug("[::1]:%u is not relayed: %s", x->f.port, reply->text);
	}
}

static void ask_some(struct relay *r);

static void
on_socket(void *arg, const struct msg_reply *reply, int *fds, size_t nfds)
{
	struct relay *r = arg;
	struct wish *w = take_wish(r);
	struct port *x = find(r, w->proto, w->port);

	free(w);
	if (reply->err)
		loop_timer_set(r->retry, mono_add(mono_now(), RETRY_MS));
	if (x)
		x->asked = false;
	/* The port may have come again meanwhile, and this be the answer to what was asked before. */
	if (x && x->fd < 0) {
		if (reply->err == 0 && nfds == 1)
			take_socket(x, fd_take(&fds[0]));
		else
			take_refusal(x, reply);
	}
	ask_some(r);
	if (r->news && !r->wishes) {
		r->news = false;
		nat_report(r->d->nat);
	}
}

static void
ask(struct port *x)
{
	struct msg m = msg_make(MSG_SOCK_RELAY, 0);
	struct relay *r = x->r;
	struct wish *w = malloc(sizeof(*w));

	x->due = false;
	if (!w)
		return; /* the port stays as it is */
	*w = (struct wish){NULL, x->f.proto, x->f.port};
	*r->end = w;
	r->end = &w->next;
	r->nwishes++;
	x->asked = true;
	m.u.sock_relay.proto = x->f.proto;
	m.u.sock_relay.port = x->f.port;
	natd_ask(r->d, &m, on_socket, NULL, r);
}

static void
ask_some(struct relay *r)
{
	for (size_t i = 0; i < r->n && r->nwishes < ASKS_MAX; i++)
		if (r->v[i]->due && !r->v[i]->asked)
			ask(r->v[i]);
}

/* Without a port to ask for nothing is known; the next one finds out. */
static void
on_retry(void *arg)
{
	struct relay *r = arg;

	r->no_loopback &= r->n > 0;
	make_due(r);
	ask_some(r);
}

/* --- the plan --- */

static void
end_traffic(struct port *x)
{
	if (x->f.proto == PROTO_UDP)
		relayudp_end(x->r->udp, x->f.port);
	else
		relaytcp_end(x->r->tcp, x->f.port);
}

static void
free_port(struct port *x)
{
	end_traffic(x);
	loop_io_free(x->io);
	fd_close(&x->fd);
	free(x);
}

static struct port *
new_port(struct relay *r, const struct msg_nat_forward *f)
{
	struct port *x = calloc(1, sizeof(*x));

	if (x)
		*x = (struct port){.r = r, .f = *f, .fd = -1, .due = !r->no_loopback};
	return x;
}

static void
lead(struct port *x, const struct msg_nat_forward *f)
{
	if (!ip4_eq(x->f.guest, f->guest) || x->f.guest_port != f->guest_port)
		end_traffic(x);
	x->f = *f;
}

static int64_t
udp_idle_ms(const struct nat_plan *p, uint16_t net)
{
	size_t i = 0;

	while (i + 1 < p->nnets && p->nets[i].net != net)
		i++;
	return relayflow_udp_idle_ms(p->nnets ? p->nets[i].udp_timeout_s : 0);
}

void
relay_apply(struct relay *r, const struct nat_plan *p, size_t most)
{
	size_t most_here = p->nforwards < most ? p->nforwards : most, n = 0, k = 0;
	struct port **v = calloc(most_here + 1, sizeof(struct port *)), *x;

	if (!v)
		return; /* as it is; the next configuration tries again */
	for (size_t i = 0; i < p->nforwards && n < most_here; i++) {
		const struct msg_nat_forward *f = &p->forwards[i];

		if (!plan_relays(p, f))
			continue;
		while (k < r->n && compare(r->v[k], f->proto, f->port) < 0)
			free_port(r->v[k++]);
		x = NULL;
		if (k < r->n && compare(r->v[k], f->proto, f->port) == 0)
			lead(x = r->v[k++], f);
		else
			x = new_port(r, f);
		if (!x)
			continue;
		if (f->proto == PROTO_UDP)
			x->udp_idle_ms = udp_idle_ms(p, f->net);
		v[n++] = x;
	}
	while (k < r->n)
		free_port(r->v[k++]);
	free(r->v);
	r->v = v;
	r->n = n;
	ask_some(r);
}

bool
relay_is_missing(const struct relay *r, uint16_t net, struct plan_problem *out)
{
	const struct port *first = NULL;
	size_t more = 0;

	for (size_t i = 0; i < r->n; i++) {
		if (!r->v[i]->taken || r->v[i]->f.net != net)
			continue;
		if (first)
			more++;
		else
			first = r->v[i];
	}
	if (!first)
		return false;
	*out = (struct plan_problem){.net = net, .more = more};
	snprintf(
	    out->text, sizeof(out->text),
	    "%s port %u is not forwarded on ::1: a program of the host has it there. Stop that, "
	    "choose another port, or shadow it",
	    ip_proto_name((enum ip_proto)first->f.proto), first->f.port);
	snprintf(out->cure, sizeof(out->cure), "ss -l%cnp 'sport = :%u'",
		 ip_proto_name((enum ip_proto)first->f.proto)[0], first->f.port);
	return true;
}

/* --- the answer to the engine --- */

struct answer {
	const struct relay *r;
	struct msg m;
};

static void
send_row(void *arg, const struct msg_relay_row *row)
{
	struct answer *a = arg;

	a->m.u.relay_row = *row;
	chan_send(a->r->d->engine, &a->m, NULL, 0);
}

void
relay_answer(const struct relay *r, uint32_t id)
{
	struct answer a = {r, msg_make(MSG_RELAY_ROW, id)};
	struct msg reply = msg_reply(id, 0, NULL);

	relaytcp_each(r->tcp, send_row, &a);
	relayudp_each(r->udp, send_row, &a);
	chan_send(r->d->engine, &reply, NULL, 0);
}

/* --- life --- */

struct relay *
relay_new(struct natd *d)
{
	struct relay *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->d = d;
	r->end = &r->wishes;
	r->retry = loop_timer_new(d->loop, on_retry, r);
	r->pause = loop_timer_new(d->loop, on_pause_over, r);
	r->tcp = relaytcp_new(d->loop);
	r->udp = relayudp_new(d->loop);
	if (r->retry && r->pause && r->tcp && r->udp)
		return r;
	relay_free(r);
	return NULL;
}

void
relay_free(struct relay *r)
{
	if (!r)
		return;
	while (r->n)
		free_port(r->v[--r->n]);
	free(r->v);
	while (r->wishes)
		free(take_wish(r));
	loop_timer_free(r->retry);
	loop_timer_free(r->pause);
	relaytcp_free(r->tcp);
	relayudp_free(r->udp);
	free(r);
}
