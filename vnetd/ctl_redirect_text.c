/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_redirect_text.c - see ctl_redirect_text.h.
 */
#include "vnetd/ctl_redirect_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "conf/redirect.h"
#include "lib/strbuf.h"
#include "vnetd/ctl_json.h"
#include "vnetd/ctl_table.h"
#include "vnetd/ctl_text.h"

/* Reasons to refuse, as they are called in tables and JSON. */
struct reason {
	const char *word;
	uint64_t n;
};
#define REASONS 6

static void
reasons(struct reason v[REASONS], const struct msg_redirect_row *r)
{
	v[0] = (struct reason){"address", r->refused_address};
	v[1] = (struct reason){"time", r->refused_time};
	v[2] = (struct reason){"load", r->refused_load};
	v[3] = (struct reason){"cps", r->refused_cps};
	v[4] = (struct reason){"instances", r->refused_instances};
	v[5] = (struct reason){"per_source", r->refused_per_source};
}

/* "12: address 10, cps 2"; nothing when nobody was. */
static void
add_refused(struct strbuf *out, const struct msg_redirect_row *r)
{
	struct reason v[REASONS];
	uint64_t sum = 0;
	const char *sep = ": ";

	reasons(v, r);
	for (unsigned i = 0; i < REASONS; i++)
		sum += v[i].n;
	strbuf_addf(out, "%" PRIu64, sum);
	for (unsigned i = 0; i < REASONS; i++) {
		if (v[i].n == 0)
			continue;
		strbuf_addf(out, "%s%s %" PRIu64, sep, v[i].word, v[i].n);
		sep = ", ";
	}
}

static enum tint
state_tint(unsigned state)
{
	switch ((enum redirect_state)state) {
	case REDIRECT_STATE_OK:
		return TINT_GOOD;
	case REDIRECT_STATE_FAILED:
		return TINT_BAD;
	case REDIRECT_STATE_STARTING:
	case REDIRECT_STATE_WAITING:
	case REDIRECT_STATE_REMOVED:
	case REDIRECT_STATE_N:
		break;
	}
	return TINT_WARN;
}

static void
add_row(struct table *t, const struct msg_redirect_row *r)
{
	struct strbuf refused;

	strbuf_init(&refused);
	add_refused(&refused, r);
	table_add(t, r->name);
	table_add(t, r->listen);
	table_add(t, r->target);
	table_add_tinted(t, state_tint(r->state),
			 redirect_state_name((enum redirect_state)r->state));
	table_addf(t, "%u", r->live);
	table_addf(t, "%" PRIu64, r->bytes_in);
	table_addf(t, "%" PRIu64, r->bytes_out);
	table_add(t, strbuf_str(&refused));
	strbuf_fini(&refused);
}

static void
add_trouble(struct strbuf *out, const struct msg_redirect_row *r, bool colour)
{
	if (!r->text[0])
		return;
	tint_add(out, TINT_WARN, colour, "!");
	strbuf_addc(out, ' ');
	ctl_text_clean(out, r->name, false);
	strbuf_add(out, ": ");
	ctl_text_clean(out, r->text, false);
	strbuf_addc(out, '\n');
}

void
redirect_render_list(struct strbuf *out, const struct msg_redirect_row *row, size_t n, bool colour)
{
	static const char *const head[] = {"NAME", "LISTEN", "TARGET",  "STATE", "CONNECTIONS",
					   "IN",   "OUT",    "REFUSED", NULL};
	struct table t;

	table_init(&t, head);
	for (size_t i = 0; i < n; i++)
		add_row(&t, &row[i]);
	table_print(out, &t, colour);
	table_fini(&t);
	for (size_t i = 0; i < n; i++)
		add_trouble(out, &row[i], colour);
}

/* --- one of them --- */

static const char *
endpoint(const uint8_t b[16], unsigned port, char buf[64])
{
	struct redirect_ip ip;
	char text[REDIRECT_IP_STRLEN];

	memcpy(ip.b, b, sizeof(ip.b));
	snprintf(buf, 64, redirect_ip_is4(ip) ? "%s:%u" : "[%s]:%u", redirect_ip_str(ip, text),
		 port);
	return buf;
}

static void
add_conn(struct table *t, const struct msg_redirect_conn *c)
{
	char buf[64];

	table_addf(t, "%" PRIu64, c->conn);
	table_add(t, endpoint(c->client.b, c->client_port, buf));
	table_add(t, c->target_port ? endpoint(c->target.b, c->target_port, buf) : "");
	table_add(t, c->connecting ? "connecting" : "open");
	table_addf(t, "%" PRIu64, c->bytes_in);
	table_addf(t, "%" PRIu64, c->bytes_out);
	table_addf(t, "%" PRIu64 "s", c->age_ms / 1000);
	table_addf(t, "%" PRIu64 "s", c->idle_ms / 1000);
}

void
redirect_render_show(struct strbuf *out, const struct msg_redirect_row *row,
		     const struct msg_redirect_conn *conn, size_t n, bool colour)
{
	static const char *const head[] = {"ID",  "CLIENT", "TARGET", "STATE", "IN",
					   "OUT", "AGE",    "IDLE",   NULL};
	struct table t;

	ctl_text_clean(out, row->name, false);
	strbuf_add(out, ": ");
	if (row->listen[0]) {
		strbuf_addf(out, "%s leads to ", row->listen);
		ctl_text_clean(out, row->target, false);
		if (row->resolved[0])
			strbuf_addf(out, " (%s)", row->resolved);
		strbuf_add(out, ", ");
	}
	tint_add(out, state_tint(row->state), colour,
		 redirect_state_name((enum redirect_state)row->state));
	strbuf_addf(out, "\naccepted %" PRIu64 ", no target %" PRIu64 ", refused ", row->accepted,
		    row->no_target);
	add_refused(out, row);
	strbuf_addc(out, '\n');
	if (row->source[0]) {
		strbuf_add(out, "from ");
		ctl_text_clean(out, row->source, false);
		strbuf_addc(out, '\n');
	}
	add_trouble(out, row, colour);
	if (n == 0)
		return;
	strbuf_addc(out, '\n');
	table_init(&t, head);
	for (size_t i = 0; i < n; i++)
		add_conn(&t, &conn[i]);
	table_print(out, &t, colour);
	table_fini(&t);
}

/* --- JSON --- */

static json_t *
json_of_row(const struct msg_redirect_row *r)
{
	struct reason v[REASONS];
	json_t *refused = json_object();

	reasons(v, r);
	for (unsigned i = 0; i < REASONS; i++)
		json_object_set_new(refused, v[i].word, json_integer((json_int_t)v[i].n));
	return json_pack(
	    "{so so so so ss so so sI si si sI sI so sI}", "name", json_of_text(r->name), "listen",
	    json_of_text(r->listen), "target", json_of_text(r->target), "resolved",
	    json_of_text(r->resolved), "state", redirect_state_name((enum redirect_state)r->state),
	    "text", json_of_text(r->text), "source", json_of_text(r->source), "accepted",
	    (json_int_t)r->accepted, "connections", (int)r->live, "connecting", (int)r->connecting,
	    "bytes_in", (json_int_t)r->bytes_in, "bytes_out", (json_int_t)r->bytes_out, "refused",
	    refused, "no_target", (json_int_t)r->no_target);
}

static json_t *
json_of_conn(const struct msg_redirect_conn *c)
{
	char client[64], target[64];

	endpoint(c->client.b, c->client_port, client);
	endpoint(c->target.b, c->target_port, target);
	return json_pack("{sI ss so ss sI sI sI sI}", "id", (json_int_t)c->conn, "client", client,
			 "target", c->target_port ? json_string(target) : json_null(), "state",
			 c->connecting ? "connecting" : "open", "bytes_in", (json_int_t)c->bytes_in,
			 "bytes_out", (json_int_t)c->bytes_out, "age_ms", (json_int_t)c->age_ms,
			 "idle_ms", (json_int_t)c->idle_ms);
}

json_t *
redirect_json_list(const struct msg_redirect_row *row, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_of_row(&row[i]));
	return json_pack("{so}", "redirections", list);
}

json_t *
redirect_json_show(const struct msg_redirect_row *row, const struct msg_redirect_conn *conn,
		   size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_of_conn(&conn[i]));
	return json_pack("{so so}", "redirection", json_of_row(row), "connections", list);
}
