/* SPDX-License-Identifier: GPL-2.0-or-later
 * answer.c - see answer.h.
 */
#include "redird/answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/util.h"

enum {
	/* A list goes on as long as less than this waits for the engine: an engine that does not read gets a
	 * part, and its channel stays. */
	QUEUE_BYTES = 1 << 20,
};

struct question {
	struct redird *r;
	const struct served *s;
	struct chan *engine;
	uint32_t id;
	unsigned n; /* services that were found, or connections that ended */
	bool cut;   /* the list is too long */
};

static void
send_stat(const char *name, uint32_t id, bool removed, void *arg)
{
	const struct question *q = arg;
	struct msg m = msg_make(MSG_REDIRECT_STAT, q->id);
	struct msg_redirect_stat *row = &m.u.redirect_stat;
	struct redird_counters n;

	if (redird_counters(q->r, id, &n) < 0)
		return;
	MSG_SET_STR(row->service, name);
	row->removed = removed;
	row->accepted = n.accepted;
	row->live = n.live;
	row->connecting = n.connecting;
	row->bytes_in = n.bytes_in;
	row->bytes_out = n.bytes_out;
	row->refused_address = n.refused[VERDICT_ADDRESS];
	row->refused_time = n.refused[VERDICT_TIME];
	row->refused_load = n.refused[VERDICT_LOAD];
	row->refused_cps = n.refused[VERDICT_CPS];
	row->refused_instances = n.refused[VERDICT_SERVICE_LIMIT];
	row->refused_per_source = n.refused[VERDICT_PER_SOURCE_LIMIT];
	row->no_target = n.ended[REDIRD_END_NO_TARGET];
	chan_send(q->engine, &m, NULL, 0);
}

static void
send_conn(const struct redird_conn *c, void *arg)
{
	struct question *q = arg;
	struct msg m = msg_make(MSG_REDIRECT_CONN, q->id);
	struct msg_redirect_conn *row = &m.u.redirect_conn;

	if (chan_queued(q->engine) > QUEUE_BYTES) {
		q->cut = true;
		return;
	}
	row->conn = c->id;
	MSG_SET_STR(row->service, served_name(q->s, c->service));
	row->client.len = row->target.len = 16;
	memcpy(row->client.b, c->client.addr.b, 16);
	row->client_port = c->client.port;
	memcpy(row->target.b, c->target.addr.b, 16);
	row->target_port = c->target.port;
	row->connecting = c->connecting;
	row->bytes_in = c->bytes_in;
	row->bytes_out = c->bytes_out;
	row->age_ms = (uint64_t)c->age_ms;
	row->idle_ms = (uint64_t)c->idle_ms;
	chan_send(q->engine, &m, NULL, 0);
}

static void
reply(const struct question *q, int err, const char *text)
{
	struct msg m = msg_reply(q->id, err, text);

	chan_send(q->engine, &m, NULL, 0);
}

static void
list_of_one(const char *name UNUSED, uint32_t id, bool removed UNUSED, void *arg)
{
	struct question *q = arg;

	q->n++;
	redird_list(q->r, id, send_conn, q);
}

static void
list_conns(struct question *q, const char *name)
{
	if (name[0]) {
		served_each(q->s, name, list_of_one, q);
		if (q->n == 0) {
			reply(q, ENOENT, "it does not listen");
			return;
		}
	} else {
		redird_list(q->r, 0, send_conn, q);
	}
	reply(q, 0, q->cut ? "there are more connections than are listed" : "");
}

static void
end_of_one(const char *name UNUSED, uint32_t id, bool removed UNUSED, void *arg)
{
	struct question *q = arg;

	q->n += redird_kill_all(q->r, id);
}

static void
end_some(struct question *q, const struct msg_redirect_end *m)
{
	char text[64];

	if (m->conn)
		q->n = redird_kill(q->r, m->conn) == 0;
	else if (m->service[0])
		served_each(q->s, m->service, end_of_one, q);
	snprintf(text, sizeof(text), "%u", q->n);
	reply(q, 0, text);
}

bool
answer(struct redird *r, const struct served *s, struct chan *engine, const struct msg *m)
{
	struct question q = {.r = r, .s = s, .engine = engine, .id = m->id};

	if (m->id == 0)
		return false;
	if (m->type == MSG_REDIRECT_STATS) {
		served_each(s, "", send_stat, &q);
		reply(&q, 0, "");
	} else if (m->type == MSG_REDIRECT_CONNS) {
		list_conns(&q, m->u.redirect_conns.service);
	} else if (m->type == MSG_REDIRECT_END) {
		end_some(&q, &m->u.redirect_end);
	} else {
		return false;
	}
	return true;
}
