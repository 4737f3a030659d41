/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_dns_text.c - see ctl_dns_text.h.
 */
#include "vnetd/ctl_dns_text.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "lib/strbuf.h"
#include "vnetd/ctl_table.h"

/* "fe80::1%eth0"; the number of an interface that is gone. */
enum { SERVER_LEN = INET6_ADDRSTRLEN + IF_NAMESIZE + 1 };

static const char *
server_word(const struct msg_dns_server *s, char buf[SERVER_LEN])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	char addr[INET6_ADDRSTRLEN] = "?", name[IF_NAMESIZE];

	if (s->addr.len == 16 && memcmp(s->addr.b, mapped, sizeof(mapped)) == 0)
		inet_ntop(AF_INET, s->addr.b + sizeof(mapped), addr, sizeof(addr));
	else if (s->addr.len == 16)
		inet_ntop(AF_INET6, s->addr.b, addr, sizeof(addr));
	if (!s->scope)
		snprintf(buf, SERVER_LEN, "%s", addr);
	else if (if_indextoname(s->scope, name))
		snprintf(buf, SERVER_LEN, "%s%%%s", addr, name);
	else
		snprintf(buf, SERVER_LEN, "%s%%%u", addr, s->scope);
	return buf;
}

static const char *
source_word(const struct msg_dns_server *s)
{
	return s->host ? "host" : "nat.conf";
}

static void
add_server(struct table *t, const struct msg_dns_server *s)
{
	static const enum tint tints[DNS_SERVER_STATE_N] = {[DNS_SERVER_OK] = TINT_GOOD,
							    [DNS_SERVER_FAILING] = TINT_WARN,
							    [DNS_SERVER_SILENT] = TINT_BAD};
	char buf[SERVER_LEN];

	table_addf(t, "vmnet%u", s->net);
	table_add(t, server_word(s, buf));
	table_add(t, source_word(s));
	table_add_tinted(t, s->state < DNS_SERVER_STATE_N ? tints[s->state] : TINT_NONE,
			 dns_server_state_name((enum dns_server_state)s->state));
	table_add_number(t, s->fails, s->fails);
	if (s->retry_ms)
		table_addf(t, "asked last for %us more", s->retry_ms / 1000 + 1);
	else
		table_add(t, "");
}

static void
add_stat(struct table *t, const struct msg_dns_stat *s)
{
	if (s->net == MSG_NET_ALL)
		table_add(t, "");
	else
		table_addf(t, "vmnet%u", s->net);
	table_add(t, dns_stat_kind_name((enum dns_stat_kind)s->kind));
	table_add(t, s->name);
	table_addf(t, "%" PRIu64, s->n);
	table_add(t, s->text);
}

void
dns_render(struct strbuf *out, const struct dns_facts *f, bool colour)
{
	static const char *const servers[] = {"NETWORK", "SERVER", "SOURCE", "STATE",
					      "FAILED",  "NOTE",   NULL};
	static const char *const counters[] = {"NETWORK", "WHAT", "NAME", "COUNT", "MEANING", NULL};
	struct table t;

	table_init(&t, servers);
	for (size_t i = 0; i < f->nservers; i++)
		add_server(&t, &f->server[i]);
	table_print(out, &t, colour);
	table_fini(&t);
	strbuf_add(out, "\n");
	table_init(&t, counters);
	for (size_t i = 0; i < f->nstats; i++)
		if (f->stat[i].n)
			add_stat(&t, &f->stat[i]);
	table_print(out, &t, colour);
	table_fini(&t);
}

static json_t *
server_json(const struct msg_dns_server *s)
{
	char buf[SERVER_LEN];

	return json_pack("{ss ss ss si si}", "address", server_word(s, buf), "source",
			 source_word(s), "state",
			 dns_server_state_name((enum dns_server_state)s->state), "failed",
			 (int)s->fails, "retry_ms", (int)s->retry_ms);
}

/* Of one network. NULL: no memory. */
static json_t *
servers_json(const struct dns_facts *f, unsigned net)
{
	json_t *list = json_array();
	bool ok = list;

	for (size_t i = 0; ok && i < f->nservers; i++)
		if (f->server[i].net == net)
			ok = json_array_append_new(list, server_json(&f->server[i])) == 0;
	if (ok)
		return list;
	json_decref(list);
	return NULL;
}

/* One network; *i is its first counter, then the first of the next one. NULL: no memory. */
static json_t *
network_json(const struct dns_facts *f, size_t *i)
{
	/* "servers" are the servers themselves. */
	static const char *const keys[DNS_STAT_N] = {[DNS_STAT_GUESTS] = "guests",
						     [DNS_STAT_SERVERS] = "asked",
						     [DNS_STAT_DROPPED] = "dropped"};
	json_t *kinds[DNS_STAT_N], *o = json_object();
	unsigned net = f->stat[*i].net;
	char name[16];
	bool ok;

	snprintf(name, sizeof(name), "vmnet%u", net);
	ok = o && json_object_set_new(o, "network",
				      net == MSG_NET_ALL ? json_null() : json_string(name)) == 0;
	ok = ok && json_object_set_new(o, "servers", servers_json(f, net)) == 0;
	for (unsigned k = 0; k < DNS_STAT_N; k++) {
		kinds[k] = json_object();
		ok = ok && json_object_set(o, keys[k], kinds[k]) == 0;
	}
	for (; *i < f->nstats && f->stat[*i].net == net; ++*i)
		if (f->stat[*i].kind < DNS_STAT_N)
			ok =
			    ok && json_object_set_new(kinds[f->stat[*i].kind], f->stat[*i].name,
						      json_integer((json_int_t)f->stat[*i].n)) == 0;
	for (unsigned k = 0; k < DNS_STAT_N; k++)
		json_decref(kinds[k]);
	if (ok)
		return o;
	json_decref(o);
	return NULL;
}

json_t *
dns_json(const struct dns_facts *f)
{
	json_t *o = json_object(), *list = json_array();
	bool ok = o && list;

	for (size_t i = 0; ok && i < f->nstats;)
		ok = json_array_append_new(list, network_json(f, &i)) == 0;
	ok = ok && json_object_set(o, "networks", list) == 0;
	json_decref(list);
	if (ok)
		return o;
	json_decref(o);
	return NULL;
}
