/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_top_text.c - rates as tables and as JSON.
 */
#include <stdio.h>

#include "lib/strbuf.h"
#include "vnetd/ctl_table.h"
#include "vnetd/ctl_text.h"
#include "vnetd/ctl_top.h"

char *
top_rate(double bits, char buf[TOP_RATE_MAX])
{
	static const char units[] = "bkMGT";
	unsigned u = 0;

	if (bits < 0.5) {
		snprintf(buf, TOP_RATE_MAX, "0");
		return buf;
	}
	while (bits >= 999.5 && u < sizeof(units) - 2) {
		bits /= 1000;
		u++;
	}
	snprintf(buf, TOP_RATE_MAX, bits < 9.95 && u ? "%.1f%c" : "%.0f%c", bits, units[u]);
	return buf;
}

static double
per_second(const struct top_view *v, uint64_t n)
{
	return v->seconds > 0 ? (double)n / v->seconds : 0;
}

static void
add_rate(struct table *t, const struct top_view *v, uint64_t bytes)
{
	char buf[TOP_RATE_MAX];

	table_add(t, top_rate(per_second(v, bytes) * 8, buf));
}

static void
print_ports(struct strbuf *out, const struct top_view *v)
{
	static const char *const head[] = {"PORT",       "TO-GUEST", "FROM-GUEST", "PKT/S-TO",
					   "PKT/S-FROM", "GUEST",    NULL};
	struct table t;

	table_init(&t, head);
	for (size_t i = 0; i < v->nports; i++) {
		const struct top_port *p = &v->port[i];

		table_add(&t, p->row->name);
		add_rate(&t, v, p->now.bytes_in);
		add_rate(&t, v, p->now.bytes_out);
		table_addf(&t, "%.0f", per_second(v, p->now.packets_in));
		table_addf(&t, "%.0f", per_second(v, p->now.packets_out));
		table_add(&t, p->row->guest[0]           ? p->row->guest
			      : mac_is_zero(p->row->mac) ? ""
							 : MAC_STR(p->row->mac));
	}
	table_print(out, &t, v->colour);
	table_fini(&t);
}

static void
print_talks(struct strbuf *out, const struct top_view *v)
{
	static const char *const head[] = {"PROTOCOL", "A", "B", "A-TO-B", "B-TO-A", "PKT/S", NULL};
	struct table t;

	table_init(&t, head);
	for (size_t i = 0; i < v->tally->n && i < v->most; i++) {
		const struct talk *k = &v->tally->talk[i];
		char a[FLOW_END_MAX], b[FLOW_END_MAX], proto[FLOW_PROTO_MAX];

		table_add(&t, flow_proto(&k->flow, proto));
		table_add(&t, flow_source(&k->flow, a));
		table_add(&t, flow_target(&k->flow, b));
		add_rate(&t, v, k->bytes[0]);
		add_rate(&t, v, k->bytes[1]);
		table_addf(&t, "%.0f", per_second(v, k->packets[0] + k->packets[1]));
	}
	table_print(out, &t, v->colour);
	table_fini(&t);
	if (v->tally->n > v->most) {
		ctl_text_count(out, v->tally->n - v->most, "further conversation",
			       "further conversations");
		strbuf_addc(out, '\n');
	}
}

void
top_print(struct strbuf *out, const struct top_view *v)
{
	print_ports(out, v);
	if (!v->tally)
		return;
	strbuf_addc(out, '\n');
	print_talks(out, v);
	if (v->dropped || v->tally->others) {
		ctl_text_count(out, v->dropped + v->tally->others, "packet", "packets");
		strbuf_add(out, " not looked at: there are more than can be counted\n");
	}
}

/* --- JSON --- */

static json_t *
json_of_port(const struct top_view *v, const struct top_port *p)
{
	return json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:f}", "port", p->row->name, "interface",
			 p->row->ifname, "guest", p->row->guest, "to_guest_bit_s",
			 per_second(v, p->now.bytes_in) * 8, "from_guest_bit_s",
			 per_second(v, p->now.bytes_out) * 8, "to_guest_packets_s",
			 per_second(v, p->now.packets_in), "from_guest_packets_s",
			 per_second(v, p->now.packets_out));
}

static json_t *
json_of_talk(const struct top_view *v, const struct talk *k)
{
	char a[FLOW_END_MAX], b[FLOW_END_MAX], proto[FLOW_PROTO_MAX];

	return json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:f}", "protocol",
			 flow_proto(&k->flow, proto), "a", flow_source(&k->flow, a), "b",
			 flow_target(&k->flow, b), "a_to_b_bit_s", per_second(v, k->bytes[0]) * 8,
			 "b_to_a_bit_s", per_second(v, k->bytes[1]) * 8, "a_to_b_packets_s",
			 per_second(v, k->packets[0]), "b_to_a_packets_s",
			 per_second(v, k->packets[1]));
}

json_t *
top_json(const struct top_view *v)
{
	json_t *ports = json_array(), *talks = v->tally ? json_array() : json_null();
	char when[TEXT_TIME_LEN], net[16];

	for (size_t i = 0; i < v->nports; i++)
		json_array_append_new(ports, json_of_port(v, &v->port[i]));
	for (size_t i = 0; v->tally && i < v->tally->n && i < v->most; i++)
		json_array_append_new(talks, json_of_talk(v, &v->tally->talk[i]));
	snprintf(net, sizeof(net), "vmnet%u", v->net);
	return json_pack("{s:s, s:s, s:f, s:o, s:o, s:I}", "time",
			 ctl_text_utc(v->when_ms, true, when), "network", net, "seconds",
			 v->seconds, "ports", ports, "conversations", talks, "dropped",
			 (json_int_t)v->dropped);
}
