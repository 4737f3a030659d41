/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_json.c - rows into JSON. Pure but for the allocations of jansson.
 */
#include "vnetd/ctl_json.h"

#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "lib/strbuf.h"
#include "vnetd/ctl_conn_text.h"
#include "vnetd/ctl_text.h"

json_t *
json_of_text(const char *s)
{
	json_t *v;
	struct strbuf clean;

	if (*s == '\0')
		return json_null();
	v = json_string(s);
	if (v)
		return v;
	strbuf_init(&clean);
	ctl_text_clean(&clean, s, false);
	v = json_string(strbuf_str(&clean));
	strbuf_fini(&clean);
	return v;
}

static json_t *
json_of_ip(struct ip4 a)
{
	return a.h ? json_string(IP4_STR(a)) : json_null();
}

static json_t *
json_of_mac(struct mac m)
{
	return mac_is_zero(m) ? json_null() : json_string(MAC_STR(m));
}

static json_t *
json_of_net(unsigned net)
{
	return net == MSG_NET_ALL ? json_null() : json_sprintf("vmnet%u", net);
}

static json_t *
json_of_seconds(uint64_t s)
{
	return s ? json_string(ctl_text_utc(s * 1000, false, (char[TEXT_TIME_LEN]){0}))
		 : json_null();
}

static json_t *
json_of_bytes(const uint8_t *b, size_t len)
{
	struct strbuf hex;
	json_t *v;

	if (len == 0)
		return json_null();
	strbuf_init(&hex);
	for (size_t i = 0; i < len; i++)
		strbuf_addf(&hex, "%02x", b[i]);
	v = hex.bad ? NULL : json_string(strbuf_str(&hex));
	strbuf_fini(&hex);
	return v;
}

/* Sets a member of *o; without memory for it *o is dropped and stays NULL. */
static void
put(json_t **o, const char *key, json_t *value)
{
	if (!*o) {
		json_decref(value);
	} else if (json_object_set_new(*o, key, value) != 0) {
		json_decref(*o);
		*o = NULL;
	}
}

static json_t *
json_of_number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* Appends to *list, with the same rule. */
static void
append(json_t **list, json_t *value)
{
	if (!*list) {
		json_decref(value);
	} else if (json_array_append_new(*list, value) != 0) {
		json_decref(*list);
		*list = NULL;
	}
}

/* Member `key` of *o: an array with one(&row) for each of n rows. */
#define PUT_LIST(o, key, rows, n, one)                                                             \
	do {                                                                                       \
		json_t *list_ = json_array();                                                      \
		for (size_t i_ = 0; i_ < (n); i_++)                                                \
			append(&list_, one(&(rows)[i_]));                                          \
		put((o), (key), list_);                                                            \
	} while (0)

static json_t *
json_of_services_down(const struct msg_net_row *n)
{
	json_t *list = json_array();

	for (unsigned s = 0; s < SERVICE_N; s++) {
		if (n->services_down >> s & 1)
			append(&list, json_string(service_name((enum service)s)));
	}
	return list;
}

static json_t *
json_of_network(const struct msg_net_row *n)
{
	json_t *o = json_object();

	put(&o, "name", json_of_net(n->net));
	put(&o, "label", json_of_text(n->label));
	put(&o, "type", json_string(conf_net_type_word((enum net_kind)n->kind)));
	put(&o, "state", json_string(net_state_name((enum net_state)n->state)));
	put(&o, "reason", json_of_text(n->text));
	put(&o, "subnet", n->len ? json_sprintf("%s/%u", IP4_STR(n->subnet), n->len) : json_null());
	put(&o, "host", json_of_ip(n->host));
	put(&o, "gateway", json_of_ip(n->gateway));
	put(&o, "dhcp_server", json_of_ip(n->dhcp_server));
	put(&o, "dns", json_of_ip(n->dns));
	put(&o, "adapter", json_boolean(n->adapter));
	put(&o, "dhcp", json_boolean(n->dhcp));
	put(&o, "nat", json_boolean(n->nat));
	put(&o, "mtu", json_of_number(n->mtu));
	put(&o, "leases", json_of_number(n->leases));
	put(&o, "lease_total", json_of_number(n->lease_total));
	put(&o, "guests", json_of_number(n->guests));
	put(&o, "forwards", json_of_number(n->forwards));
	put(&o, "uplink", json_of_text(n->uplink));
	put(&o, "services_down", json_of_services_down(n));
	return o;
}

static json_t *
json_of_warning(const struct msg_warning_row *w)
{
	json_t *o = json_object();

	put(&o, "network", json_of_net(w->net));
	put(&o, "text", json_of_text(w->text));
	put(&o, "cure", json_of_text(w->cure));
	return o;
}

/* {"forged": 12, ...} with every reason, or null where nobody counts; the sum in *total. */
static json_t *
json_of_drops(const struct msg_port_row *p, json_t **total)
{
	uint64_t drops[DROP_REASON_N], sum;
	json_t *o;

	if (!port_drops(drops, &sum, p)) {
		*total = json_null();
		return json_null();
	}
	*total = json_of_number(sum);
	o = json_object();
	for (unsigned i = 0; i < DROP_REASON_N; i++)
		put(&o, drop_reason_name((enum drop_reason)i), json_of_number(drops[i]));
	return o;
}

/* 0 means that there is no limit. */
static json_t *
json_of_limit(uint64_t n)
{
	return n ? json_of_number(n) : json_null();
}

static json_t *
json_of_permission(bool yes)
{
	return json_string(yes ? "allow" : "deny");
}

/* The words of vnetd.conf as far as it has them; rates in bit/s as there. */
static void
put_policy(json_t **o, const struct msg_port_row *p)
{
	json_t *total, *drops = json_of_drops(p, &total);

	put(o, "link", json_boolean(p->link));
	put(o, "trouble", json_of_text(p->trouble));
	put(o, "policy", json_string(mac_policy_name((enum mac_policy)p->mac_policy)));
	put(o, "promiscuous", json_string(promisc_state_name((enum promisc_state)p->promisc)));
	put(o, "forged_transmits",
	    json_of_permission(p->flags & GATE_FORGED || p->mac_policy == MAC_POLICY_ANY));
	put(o, "mac_learning", json_of_number(p->learn));
	put(o, "learned", json_of_number(p->learned));
	put(o, "control_guard", json_boolean(p->flags & GATE_CONTROL));
	put(o, "dhcp_server", json_of_permission(!(p->flags & GATE_DHCP)));
	put(o, "ra", json_of_permission(!(p->flags & GATE_RA)));
	put(o, "ip_guard", json_boolean(p->flags & GATE_IP));
	put(o, "ip_guard_address", json_of_ip(p->guard_ip));
	put(o, "broadcast_limit", json_of_limit(p->flood));
	put(o, "dhcp_leases_per_port", json_of_limit(p->dhcp_leases));
	put(o, "dhcp_rate_per_port", json_of_limit(p->dhcp_rate));
	put(o, "rate_in", json_of_limit((uint64_t)p->rate_in_kbit * 1000));
	put(o, "rate_out", json_of_limit((uint64_t)p->rate_out_kbit * 1000));
	put(o, "mirror_of", json_of_text(p->mirror_of));
	put(o, "dropped", total);
	put(o, "drops", drops);
}

static json_t *
json_of_port(const struct msg_port_row *p)
{
	bool owned = p->owner != MSG_UID_NONE;
	json_t *o = json_object();

	put(&o, "name", json_of_text(p->name));
	put(&o, "network", json_of_net(p->net));
	put(&o, "ifname", json_of_text(p->ifname));
	put(&o, "kind", json_string(port_kind_name((enum port_kind)p->kind)));
	put(&o, "netns", json_of_text(p->netns));
	put(&o, "mac", json_of_mac(p->mac));
	put(&o, "address", json_of_ip(p->addr));
	put(&o, "guest", json_of_text(p->guest));
	put(&o, "owner", json_of_text(p->owner_name));
	put(&o, "uid", owned ? json_integer((json_int_t)p->owner) : json_null());
	put(&o, "queues", p->queues ? json_integer(p->queues) : json_null());
	put(&o, "up", json_boolean(p->up));
	put_policy(&o, p);
	return o;
}

json_t *
json_of_promisc_row(const struct msg_promisc_row *p)
{
	bool asked = p->by != PROMISC_BY_NOBODY;
	json_t *o = json_object();

	put(&o, "port", json_of_text(p->port));
	put(&o, "network", json_of_net(p->net));
	put(&o, "guest", json_of_text(p->guest));
	put(&o, "mac", json_of_mac(p->mac));
	put(&o, "state", json_string(promisc_state_name((enum promisc_state)p->state)));
	put(&o, "by", asked ? json_string(promisc_by_name((enum promisc_by)p->by)) : json_null());
	put(&o, "asked", json_of_seconds(p->asked));
	put(&o, "until", json_of_seconds(p->until));
	put(&o, "reason", json_of_text(p->text));
	put(&o, "marker", json_of_text(p->marker));
	return o;
}

static json_t *
json_of_forward(const struct msg_forward_row *w)
{
	json_t *o = json_object();

	put(&o, "network", json_of_net(w->net));
	put(&o, "protocol", json_string(ip_proto_name((enum ip_proto)w->proto)));
	put(&o, "port", json_of_number(w->port));
	put(&o, "guest", json_of_ip(w->guest));
	put(&o, "guest_port", json_of_number(w->guest_port));
	put(&o, "description", json_of_text(w->text));
	put(&o, "source", json_of_text(w->source));
	put(&o, "shadow", json_boolean(w->shadow));
	put(&o, "host", json_of_ip(w->host));
	put(&o, "ports", json_of_number(w->more + 1u));
	return o;
}

json_t *
json_of_lease(const struct msg_lease_row *l)
{
	json_t *o = json_object();

	put(&o, "address", json_of_ip(l->addr));
	put(&o, "mac", json_of_mac(l->mac));
	put(&o, "name", json_of_text(l->name));
	put(&o, "network", json_of_net(l->net));
	put(&o, "state", json_string(lease_row_state_name((enum lease_row_state)l->state)));
	put(&o, "starts", json_of_seconds(l->starts));
	put(&o, "ends", json_of_seconds(l->ends));
	put(&o, "client_id", json_of_bytes(l->client_id.b, l->client_id.len));
	return o;
}

json_t *
json_of_event(const struct msg_event_row *e)
{
	json_t *o = json_object();

	put(&o, "time", json_string(ctl_text_utc(e->when_ms, true, (char[TEXT_TIME_LEN]){0})));
	put(&o, "event", json_of_text(e->what));
	put(&o, "network", json_of_net(e->net));
	put(&o, "port", json_of_text(e->port));
	put(&o, "text", json_of_text(e->text));
	return o;
}

json_t *
json_of_networks(const struct facts *f)
{
	json_t *o = json_object();

	PUT_LIST(&o, "networks", f->net, f->nnets, json_of_network);
	return o;
}

json_t *
json_of_ports(const struct facts *f)
{
	json_t *o = json_object();

	PUT_LIST(&o, "ports", f->port, f->nports, json_of_port);
	return o;
}

json_t *
json_of_one_port(const struct facts *f)
{
	json_t *o = json_object();

	put(&o, "port", json_of_port(&f->port[0]));
	put(&o, "request", f->npromisc ? json_of_promisc_row(&f->promisc[0]) : json_null());
	return o;
}

json_t *
json_of_promisc(const struct facts *f)
{
	json_t *o = json_object();

	PUT_LIST(&o, "requests", f->promisc, f->npromisc, json_of_promisc_row);
	return o;
}

/* What goes through the forward now. use: of forward_uses(), or NULL. */
static void
put_use(json_t **o, const struct facts *f, struct forward_use (*use)[65536],
	const struct msg_forward_row *w)
{
	if (use) {
		const struct forward_use u = forward_use_of(use, f->conn, f->nconns, w);
		bool counted = u.counted || !u.live;

		put(o, "connections", json_of_number(u.live));
		put(o, "bytes_in", counted ? json_of_number(u.in) : json_null());
		put(o, "bytes_out", counted ? json_of_number(u.out) : json_null());
	}
	if (f->holds_known)
		put(o, "held", json_boolean(facts_held(f, w)));
}

static void
put_uses(json_t *o, const struct facts *f)
{
	struct forward_use(*use)[65536] = f->conns_known ? forward_uses(f->conn, f->nconns) : NULL;
	json_t *list = json_object_get(o, "forwards");

	for (size_t i = 0; i < f->nforwards; i++) {
		json_t *w = json_array_get(list, i);

		put_use(&w, f, use, &f->forward[i]);
	}
	free(use);
}

/* A member of a list that is a member. */
static int
indent(const char *text, size_t len, void *out)
{
	for (const char *nl; (nl = memchr(text, '\n', len));) {
		strbuf_addn(out, text, (size_t)(nl - text));
		strbuf_add(out, "\n    ");
		len -= (size_t)(nl - text) + 1;
		text = nl + 1;
	}
	strbuf_addn(out, text, len);
	return 0;
}

void
json_write_forwards(struct strbuf *out, const struct facts *f)
{
	struct forward_use(*use)[65536] = f->conns_known ? forward_uses(f->conn, f->nconns) : NULL;

	strbuf_add(out, "{\n  \"forwards\": [");
	for (size_t i = 0; i < f->nforwards; i++) {
		json_t *o = json_of_forward(&f->forward[i]);

		put_use(&o, f, use, &f->forward[i]);
		strbuf_add(out, i ? ",\n    " : "\n    ");
		if (json_dump_callback(o, indent, out, JSON_PRESERVE_ORDER | JSON_INDENT(2)) != 0)
			out->bad = true;
		json_decref(o);
	}
	strbuf_add(out, f->nforwards ? "\n  ]\n}\n" : "]\n}\n");
	free(use);
}

json_t *
json_of_leases(const struct facts *f)
{
	json_t *o = json_object();

	PUT_LIST(&o, "leases", f->lease, f->nleases, json_of_lease);
	return o;
}

json_t *
json_of_status(const struct facts *f, uint64_t now_ms)
{
	const struct msg_status_row *s = f->status;
	uint64_t started = s->uptime_ms < now_ms ? now_ms - s->uptime_ms : 0;
	json_t *o = json_object();

	put(&o, "version", json_of_text(s->version));
	put(&o, "started", json_of_seconds(started / 1000));
	put(&o, "generation", json_of_number(s->generation));
	put(&o, "guests", json_of_number(s->guests));
	PUT_LIST(&o, "warnings", f->warning, f->nwarnings, json_of_warning);
	PUT_LIST(&o, "networks", f->net, f->nnets, json_of_network);
	return o;
}

json_t *
json_of_show(const struct facts *f)
{
	json_t *o = json_object();

	put(&o, "network", json_of_network(&f->net[0]));
	PUT_LIST(&o, "warnings", f->warning, f->nwarnings, json_of_warning);
	PUT_LIST(&o, "ports", f->port, f->nports, json_of_port);
	PUT_LIST(&o, "forwards", f->forward, f->nforwards, json_of_forward);
	put_uses(o, f);
	return o;
}
