/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_rows.c - what the engine knows of redirections, with the numbers of vnet-redird, for clients.
 */
#include "vnetd/redirect_rows.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vnetd/core.h"
#include "vnetd/redirect_text.h"

/* A client's question that waits for vnet-redird. */
struct question {
	uint32_t client, request;
	char name[64]; /* "": all */
	uint64_t conn; /* to end; 0: all of the name */
	struct msg_redirect_stat *stat;
	size_t nstats;
};

static void
question_free(struct question *q)
{
	free(q->stat);
	free(q);
}

static void
end(struct core *c, const struct question *q, int err, const char *text)
{
	struct msg m = msg_reply(q->request, err, text);

	client_send(c, q->client, &m, NULL, 0);
}

static void
unknown(char why[128], const char *name)
{
	snprintf(why, 128, "there is no redirection \"%s\" (see vnetctl redirect list)", name);
}

/* NULL: the client has its answer. A name that is not in the configuration may be that of a removed redirection, which
 * vnet-redird knows. */
static struct question *
question(struct core *c, const struct client *cl, const struct msg *m, const char *name)
{
	struct question *q;
	char why[128];

	if (name[0] && !redirect_of(c, name) && !c->worker[ROLE_REDIRD].up) {
		unknown(why, name);
		client_reply(c, cl, m->id, ENOENT, why);
		return NULL;
	}
	q = calloc(1, sizeof(*q));
	if (!q) {
		client_reply(c, cl, m->id, ENOMEM, "out of memory");
		return NULL;
	}
	q->client = cl->serial;
	q->request = m->id;
	MSG_SET_STR(q->name, name);
	return q;
}

static void
end_unknown(struct core *c, const struct question *q)
{
	char why[128];

	unknown(why, q->name);
	end(c, q, ENOENT, why);
}

/* --- list --- */

static const struct msg_redirect_stat *
stat_of(const struct question *q, const char *name)
{
	static const struct msg_redirect_stat none;

	for (size_t i = 0; i < q->nstats; i++)
		if (!q->stat[i].removed && !strcmp(q->stat[i].service, name))
			return &q->stat[i];
	return &none;
}

static void
put_resolved(const struct core *c, const struct redirection *r, char *field, size_t cap)
{
	struct redirect_ip ip[REDIRECT_NAME_ADDRS];
	char text[REDIRECT_IP_STRLEN];

	if (r->conf->target.name && redirect_targets(c, r->conf, ip, REDIRECT_NAME_ADDRS) > 0)
		msg_str(field, cap, redirect_ip_str(ip[0], text));
}

static void
put_counters(struct msg_redirect_row *row, const struct msg_redirect_stat *s)
{
	row->accepted = s->accepted;
	row->live = s->live;
	row->connecting = s->connecting;
	row->bytes_in = s->bytes_in;
	row->bytes_out = s->bytes_out;
	row->refused_address = s->refused_address;
	row->refused_time = s->refused_time;
	row->refused_load = s->refused_load;
	row->refused_cps = s->refused_cps;
	row->refused_instances = s->refused_instances;
	row->refused_per_source = s->refused_per_source;
	row->no_target = s->no_target;
}

static void
send_row(struct core *c, const struct question *q, const struct redirection *r)
{
	struct msg m = msg_make(MSG_REDIRECT_ROW, q->request);
	struct msg_redirect_row *row = &m.u.redirect_row;
	char text[REDIRECT_TARGET_LEN], listen[REDIRECT_LISTEN_LEN];
	const char *why;

	MSG_SET_STR(row->name, r->conf->id);
	MSG_SET_STR(row->listen, redirect_listen_text(r, listen));
	MSG_SET_STR(row->target, redirect_target_text(r->conf, text));
	put_resolved(c, r, row->resolved, sizeof(row->resolved));
	row->state = (uint8_t)redirect_state(c, r, &why);
	MSG_SET_STR(row->text, why);
	snprintf(row->source, sizeof(row->source), "%.260s:%u", r->conf->pos.file,
		 r->conf->pos.line);
	put_counters(row, stat_of(q, r->conf->id));
	client_send(c, q->client, &m, NULL, 0);
}

/* Only vnet-redird remembers it, by its name and its connections. */
static void
send_removed(struct core *c, const struct question *q, const struct msg_redirect_stat *s)
{
	struct msg m = msg_make(MSG_REDIRECT_ROW, q->request);
	struct msg_redirect_row *row = &m.u.redirect_row;

	MSG_SET_STR(row->name, s->service);
	row->state = REDIRECT_STATE_REMOVED;
	put_counters(row, s);
	client_send(c, q->client, &m, NULL, 0);
}

/* What is counted for one that was removed, and for another of its name that was too, is one row. */
static void
take_removed(struct question *q, const struct msg_redirect_stat *s)
{
	struct msg_redirect_stat *sum = q->stat;

	while (sum < q->stat + q->nstats && !(sum->removed && !strcmp(sum->service, s->service)))
		sum++;
	if (sum == q->stat + q->nstats) {
		q->stat[q->nstats++] = *s;
		return;
	}
	sum->accepted += s->accepted;
	sum->live += s->live;
	sum->connecting += s->connecting;
	sum->bytes_in += s->bytes_in;
	sum->bytes_out += s->bytes_out;
	sum->refused_address += s->refused_address;
	sum->refused_time += s->refused_time;
	sum->refused_load += s->refused_load;
	sum->refused_cps += s->refused_cps;
	sum->refused_instances += s->refused_instances;
	sum->refused_per_source += s->refused_per_source;
	sum->no_target += s->no_target;
}

static void
send_rows(struct core *c, const struct question *q)
{
	const struct redirection *one = q->name[0] ? redirect_of(c, q->name) : NULL;
	unsigned n = 0;

	/* Without vnet-redird there is a list all the same: nothing has been counted. */
	for (const struct redirection *r = c->redirects.head; r; r = r->next) {
		if (q->name[0] && r != one)
			continue;
		send_row(c, q, r);
		n++;
	}
	for (size_t i = 0; i < q->nstats; i++) {
		if (!q->stat[i].removed || one ||
		    (q->name[0] && strcmp(q->stat[i].service, q->name) != 0))
			continue;
		send_removed(c, q, &q->stat[i]);
		n++;
	}
	if (q->name[0] && n == 0)
		end_unknown(c, q);
	else
		end(c, q, 0, "");
}

static void
take_stat(struct core *c, const struct msg *m, void *p)
{
	struct question *q = p;
	struct msg_redirect_stat *more;

	if (m->type != MSG_REDIRECT_STAT) {
		send_rows(c, q);
		question_free(q);
		return;
	}
	more = reallocarray(q->stat, q->nstats + 1, sizeof(*more));
	if (!more)
		return;
	q->stat = more;
	if (m->u.redirect_stat.removed)
		take_removed(q, &m->u.redirect_stat);
	else
		more[q->nstats++] = m->u.redirect_stat;
}

void
redirect_list_request(struct core *c, const struct client *cl, const struct msg *m)
{
	struct msg ask = msg_make(MSG_REDIRECT_STATS, 0);
	struct question *q = question(c, cl, m, m->u.redirect_list.name);

	if (q)
		worker_ask(c, ROLE_REDIRD, &ask, take_stat, q);
}

/* --- show --- */

static void
relay(struct core *c, const struct msg *m, void *p)
{
	struct question *q = p;
	struct msg copy = *m;

	if (m->type == MSG_REPLY) {
		/* One that does not listen has no connections. */
		if (m->u.reply.err == ENOENT && !redirect_of(c, q->name))
			end_unknown(c, q);
		else
			end(c, q, m->u.reply.err == ENOENT ? 0 : (int)m->u.reply.err,
			    m->u.reply.text);
		question_free(q);
		return;
	}
	copy.id = q->request;
	client_send(c, q->client, &copy, NULL, 0);
}

void
redirect_show_request(struct core *c, const struct client *cl, const struct msg *m)
{
	struct msg ask = msg_make(MSG_REDIRECT_CONNS, 0);
	struct question *q;

	if (!m->u.redirect_show.name[0]) {
		client_reply(c, cl, m->id, EINVAL, "a redirection has a name");
		return;
	}
	q = question(c, cl, m, m->u.redirect_show.name);
	if (!q)
		return;
	if (c->worker[ROLE_REDIRD].idle && !c->worker[ROLE_REDIRD].up) {
		end(c, q, 0, "");
		question_free(q);
		return;
	}
	MSG_SET_STR(ask.u.redirect_conns.service, q->name);
	worker_ask(c, ROLE_REDIRD, &ask, relay, q);
}

/* --- kill --- */

static void
killed(struct core *c, const struct msg *m, void *p)
{
	struct question *q = p;
	unsigned long n = strtoul(m->u.reply.text, NULL, 10);
	char text[160];

	if (!m->u.reply.err && n == 0 && !q->conn && !redirect_of(c, q->name)) {
		end_unknown(c, q);
		question_free(q);
		return;
	}
	if (m->u.reply.err)
		snprintf(text, sizeof(text), "%.150s", m->u.reply.text);
	else if (q->conn)
		snprintf(text, sizeof(text),
			 n ? "connection %" PRIu64 " is ended"
			   : "there is no connection %" PRIu64 " (see vnetctl redirect show)",
			 q->conn);
	else
		snprintf(text, sizeof(text), "%lu connection%s of %s ended", n, n == 1 ? "" : "s",
			 q->name);
	end(c, q, m->u.reply.err ? (int)m->u.reply.err : q->conn && n == 0 ? ENOENT : 0, text);
	question_free(q);
}

/* A number that is no redirection's name is a connection's. */
static uint64_t
number(const struct core *c, const char *what)
{
	char *rest;
	uint64_t n;

	if (redirect_of(c, what) || what[0] < '1' || what[0] > '9')
		return 0;
	errno = 0;
	n = strtoull(what, &rest, 10);
	return *rest || errno ? 0 : n;
}

void
redirect_kill_request(struct core *c, const struct client *cl, const struct msg *m)
{
	const char *what = m->u.redirect_kill.what;
	struct msg ask = msg_make(MSG_REDIRECT_END, 0);
	uint64_t conn = number(c, what);
	struct question *q;

	if (!what[0]) {
		client_reply(c, cl, m->id, EINVAL, "a redirection has a name");
		return;
	}
	q = question(c, cl, m, conn ? "" : what);
	if (!q)
		return;
	q->conn = conn;
	ask.u.redirect_end.conn = conn;
	MSG_SET_STR(ask.u.redirect_end.service, q->name);
	worker_ask(c, ROLE_REDIRD, &ask, killed, q);
}
