/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_conn_text.c - see ctl_conn_text.h.
 */
#include "vnetd/ctl_conn_text.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"
#include "vnetd/ctl_json.h"
#include "vnetd/ctl_render.h"
#include "vnetd/ctl_table.h"
#include "vnetd/ctl_text.h"

enum { END_LEN = IP4_STRLEN + 8 };

/* "tcp"; the number where there is no word that everybody knows. */
static const char *
proto_word(uint8_t proto, char buf[8])
{
	if (proto == IPPROTO_TCP)
		return "tcp";
	if (proto == IPPROTO_UDP)
		return "udp";
	if (proto == IPPROTO_ICMP)
		return "icmp";
	snprintf(buf, 8, "%u", proto);
	return buf;
}

/* "192.168.8.128:80"; the address alone where there are no ports. */
static const char *
end_word(struct ip4 a, uint16_t port, char buf[END_LEN])
{
	if (port)
		snprintf(buf, END_LEN, "%s:%u", IP4_STR(a), port);
	else
		snprintf(buf, END_LEN, "%s", IP4_STR(a));
	return buf;
}

static const char *
state_word(const struct conn_line *l)
{
	return l->ended ? "ended" : conn_state_name((enum conn_state)l->row.state);
}

static void
add_row(struct table *t, const struct conn_line *l)
{
	const struct msg_conn_row *w = &l->row;
	char buf[END_LEN], span[TEXT_SPAN_LEN];

	table_add(t, proto_word(w->ip_proto, buf));
	table_addf(t, "vmnet%u", w->net);
	table_add(t, end_word(w->guest, w->guest_port, buf));
	table_add(t, w->inward ? "<-" : "->");
	table_add(t, end_word(w->peer, w->peer_port, buf));
	table_add_number(t, w->forward, w->forward);
	table_add(t, state_word(l));
	table_add_number(t, w->counted, w->bytes_in);
	table_add_number(t, w->counted, w->bytes_out);
	table_add(t, w->age_s == UINT32_MAX ? "" : ctl_text_span(w->age_s, span));
}

void
render_conns(struct strbuf *out, const struct conn_line *v, size_t n, const struct view *view)
{
	static const char *const head[] = {"PROTO", "NETWORK", "GUEST", "WAY", "PEER", "FORWARD",
					   "STATE", "IN",      "OUT",   "AGE", NULL};
	static const size_t least[] = {5, 8, IP4_STRLEN + 5, 3, IP4_STRLEN + 5, 7, 11, 8, 8};
	struct table t;

	table_init(&t, head);
	memcpy(t.least, least, sizeof(least));
	t.headless = view->follows;
	for (size_t i = 0; i < n; i++)
		add_row(&t, &v[i]);
	table_print(out, &t, view->colour);
	table_fini(&t);
}

json_t *
json_of_conn(const struct conn_line *l)
{
	const struct msg_conn_row *w = &l->row;
	char proto[8], net[16];
	json_t *o;

	snprintf(net, sizeof(net), "vmnet%u", w->net);
	o = json_pack("{s:s,s:s,s:s,s:i,s:s,s:s,s:i,s:s}", "network", net, "protocol",
		      proto_word(w->ip_proto, proto), "guest", IP4_STR(w->guest), "guest_port",
		      w->guest_port, "direction", w->inward ? "in" : "out", "peer",
		      IP4_STR(w->peer), "peer_port", w->peer_port, "state", state_word(l));
	if (!o)
		return NULL;
	json_object_set_new(o, "left_s",
			    w->left_s != UINT32_MAX ? json_integer(w->left_s) : json_null());
	json_object_set_new(o, "forward", w->forward ? json_integer(w->forward) : json_null());
	json_object_set_new(o, "bytes_in",
			    w->counted ? json_integer((json_int_t)w->bytes_in) : json_null());
	json_object_set_new(o, "bytes_out",
			    w->counted ? json_integer((json_int_t)w->bytes_out) : json_null());
	json_object_set_new(o, "age_s",
			    w->age_s != UINT32_MAX ? json_integer(w->age_s) : json_null());
	return o;
}

json_t *
json_of_conns(const struct msg_conn_row *v, size_t n)
{
	json_t *o = json_object(), *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_of_conn(&(struct conn_line){.row = v[i]}));
	json_object_set_new(o, "connections", list);
	return o;
}

int
conn_compare(const void *pa, const void *pb)
{
	const struct msg_conn_row *a = pa, *b = pb;
	const int64_t order[] = {
	    (int64_t)a->net - b->net,           (int64_t)a->guest.h - b->guest.h,
	    (int64_t)a->ip_proto - b->ip_proto, (int64_t)a->guest_port - b->guest_port,
	    (int64_t)a->peer.h - b->peer.h,     (int64_t)a->peer_port - b->peer_port,
	    (int64_t)a->inward - b->inward,     (int64_t)a->forward - b->forward,
	};

	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		if (order[i])
			return order[i] < 0 ? -1 : 1;
	return 0;
}

/* By what the kernel knows a connection of natd. */
static int
compare_relays(const void *pa, const void *pb)
{
	const struct msg_relay_row *a = pa, *b = pb;
	const int64_t order[] = {(int64_t)a->proto - b->proto, (int64_t)a->from_port - b->from_port,
				 (int64_t)a->guest.h - b->guest.h,
				 (int64_t)a->guest_port - b->guest_port};

	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		if (order[i])
			return order[i] < 0 ? -1 : 1;
	return 0;
}

void
conn_find_relayed(struct msg_conn_row *v, size_t n, struct msg_relay_row *relay, size_t nrelays)
{
	if (nrelays)
		qsort(relay, nrelays, sizeof(*relay), compare_relays);
	for (size_t i = 0; nrelays && i < n; i++) {
		const struct msg_relay_row key = {.proto = v[i].ip_proto == IPPROTO_TCP ? PROTO_TCP
											: PROTO_UDP,
						  .from_port = v[i].peer_port,
						  .guest = v[i].guest,
						  .guest_port = v[i].guest_port};
		const struct msg_relay_row *found;

		if (!v[i].inward || v[i].forward ||
		    (v[i].ip_proto != IPPROTO_TCP && v[i].ip_proto != IPPROTO_UDP))
			continue;
		found = bsearch(&key, relay, nrelays, sizeof(*relay), compare_relays);
		if (found)
			v[i].forward = found->port;
	}
}

static void
count_conn(struct forward_use *u, const struct msg_conn_row *c)
{
	u->counted = c->counted && (u->live == 0 || u->counted);
	u->live++;
	u->in += c->bytes_in;
	u->out += c->bytes_out;
}

/* PROTO_N: nothing that is forwarded. */
static enum ip_proto
proto_of(const struct msg_conn_row *c)
{
	if (!c->forward || (c->ip_proto != IPPROTO_TCP && c->ip_proto != IPPROTO_UDP))
		return PROTO_N;
	return c->ip_proto == IPPROTO_TCP ? PROTO_TCP : PROTO_UDP;
}

struct forward_use (*forward_uses(const struct msg_conn_row *v, size_t n))[65536]
{
	struct forward_use(*use)[65536] = calloc(PROTO_N, sizeof(*use));

	for (size_t i = 0; use && i < n; i++)
		if (proto_of(&v[i]) != PROTO_N)
			count_conn(&use[proto_of(&v[i])][v[i].forward], &v[i]);
	return use;
}

/* Forwards of several addresses can share a port, and lead to one guest. */
static bool
is_of(const struct msg_conn_row *c, const struct msg_forward_row *w)
{
	return proto_of(c) == w->proto && c->forward >= w->port &&
	       c->forward <= (unsigned)w->port + w->more && ip4_eq(c->guest, w->guest) &&
	       c->guest_port - w->guest_port == c->forward - w->port &&
	       (!w->host.h || ip4_eq(c->by, w->host));
}

struct forward_use forward_use_of(struct forward_use (*use)[65536], const struct msg_conn_row *v,
				  size_t n, const struct msg_forward_row *w)
{
	struct forward_use u = {.live = 0};

	if (w->proto < PROTO_N && !w->more && !w->host.h)
		return use[w->proto][w->port];
	for (size_t i = 0; i < n; i++)
		if (is_of(&v[i], w))
			count_conn(&u, &v[i]);
	return u;
}
