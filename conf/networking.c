/* SPDX-License-Identifier: GPL-2.0-or-later
 * networking.c - the log of `networking` folded into what is in force, and its canonical text.
 * Pure. Order of lines matters only between lines about the same fact: the last one wins.
 */
#include "conf/networking.h"

#include <stdlib.h>
#include <string.h>

#include "conf/networking_lex.h"
#include "lib/strbuf.h"

/* Order of facts: kind, then key. Zero for commands about the same fact. */
static int
fact_cmp(const struct nw_cmd *a, const struct nw_cmd *b)
{
	int r = (a->kind > b->kind) - (a->kind < b->kind);

	if (r)
		return r;
	if (a->kind == NW_BRIDGE)
		return strcmp(a->name, b->name);
	if (a->kind == NW_DEFAULT_BRIDGE)
		return 0;
	r = (a->n > b->n) - (a->n < b->n);
	if (r)
		return r;
	if (a->kind == NW_ANSWER)
		return strcmp(a->name, b->name);
	if (a->kind == NW_RESERVATION)
		return memcmp(a->mac.b, b->mac.b, 6);
	if (a->kind == NW_NAT_PREFIX)
		return (a->number > b->number) - (a->number < b->number);
	r = (a->proto > b->proto) - (a->proto < b->proto);
	if (!r)
		r = (a->port > b->port) - (a->port < b->port);
	if (!r)
		r = (a->more > b->more) - (a->more < b->more);
	return r ? r : (a->host.h > b->host.h) - (a->host.h < b->host.h);
}

static int
cmd_cmp(const void *pa, const void *pb)
{
	const struct nw_cmd *a = pa, *b = pb;
	int r = fact_cmp(a, b);

	return r ? r : (a->start > b->start) - (a->start < b->start);
}

static struct conf_pos
cmd_pos(const struct nw_cmd *c, const char *file)
{
	size_t col = c->start - c->line.start;

	return (struct conf_pos){file, c->line.no, (uint32_t)col + 1};
}

static void
add_answer(struct networking *nw, struct arena *a, const struct nw_cmd *c, struct conf_pos pos)
{
	struct word value = nw_key_is_word(c->name) ? c->value : c->text;
	struct nw_answer *v = arena_grow(a, nw->answer, nw->nanswers, sizeof(*v));

	if (!v)
		return;
	nw->answer = v;
	v += nw->nanswers++;
	*v = (struct nw_answer){
	    .n = c->n,
	    .key = word_dup(a, word_of(c->name)),
	    .value = word_dup(a, value),
	    .pos = pos,
	    .value_pos = word_pos(pos.file, &c->line, value),
	};
}

static void
add_bridge(struct networking *nw, struct arena *a, const struct nw_cmd *c, struct conf_pos pos)
{
	struct nw_bridge *v = arena_grow(a, nw->bridge, nw->nbridges, sizeof(*v));

	if (!v)
		return;
	nw->bridge = v;
	v += nw->nbridges++;
	*v = (struct nw_bridge){word_dup(a, word_of(c->name)), c->number, pos};
}

static void
add_forward(struct networking *nw, struct arena *a, const struct nw_cmd *c, struct conf_pos pos)
{
	struct nw_forward *v = arena_grow(a, nw->forward, nw->nforwards, sizeof(*v));

	if (!v)
		return;
	nw->forward = v;
	v += nw->nforwards++;
	v->n = c->n;
	v->f = (struct conf_forward){
	    .proto = c->proto,
	    .host = c->host,
	    .host_port = c->port,
	    .more = c->more,
	    .guest = c->ip,
	    .guest_port = c->guest_port,
	    .description = c->text.len ? word_dup(a, c->text) : NULL,
	    .pos = pos,
	};
}

static void
add_reservation(struct networking *nw, struct arena *a, const struct nw_cmd *c, struct conf_pos pos)
{
	struct nw_reservation *v = arena_grow(a, nw->reservation, nw->nreservations, sizeof(*v));

	if (!v)
		return;
	nw->reservation = v;
	v += nw->nreservations++;
	*v = (struct nw_reservation){c->n, c->mac, c->ip, pos};
}

static void
add_nat_prefix(struct networking *nw, struct arena *a, const struct nw_cmd *c, struct conf_pos pos)
{
	struct nw_nat_prefix *v = arena_grow(a, nw->nat_prefix, nw->nnat_prefixes, sizeof(*v));

	if (!v)
		return;
	nw->nat_prefix = v;
	v += nw->nnat_prefixes++;
	*v = (struct nw_nat_prefix){c->n, (unsigned)c->number, pos};
}

static void
add_fact(struct networking *nw, struct arena *a, const struct nw_cmd *c, const char *file)
{
	struct conf_pos pos = cmd_pos(c, file);

	switch (c->kind) {
	case NW_ANSWER:
		add_answer(nw, a, c, pos);
		break;
	case NW_DEFAULT_BRIDGE:
		nw->default_bridge = c->number;
		nw->default_bridge_pos = pos;
		break;
	case NW_BRIDGE:
		add_bridge(nw, a, c, pos);
		break;
	case NW_FORWARD:
		add_forward(nw, a, c, pos);
		break;
	case NW_RESERVATION:
		add_reservation(nw, a, c, pos);
		break;
	case NW_NAT_PREFIX:
		add_nat_prefix(nw, a, c, pos);
		break;
	case NW_NONE:
	case NW_VERSION:
	case NW_JUNK:
		break;
	}
}

void
networking_parse(struct networking *nw, struct arena *a, const char *name, const char *text,
		 size_t len, struct diags *d)
{
	struct arena tmp;
	struct nw_cmd c, *v = NULL, *grown;
	struct nw_lex lx;
	size_t n = 0;

	*nw = (struct networking){.default_bridge = NW_DEFAULT_BRIDGE_UNSET};
	arena_init(&tmp);
	nw_lex_init(&lx, name, text, len, d);
	while (nw_lex_next(&lx, &c)) {
		if (c.kind == NW_NONE || c.kind == NW_VERSION || c.kind == NW_JUNK)
			continue;
		grown = arena_grow(&tmp, v, n, sizeof(c));
		if (!grown)
			break;
		v = grown;
		v[n++] = c;
	}
	nw->version_ok = lx.seen_version;
	if (n > 1)
		qsort(v, n, sizeof(*v), cmd_cmp);
	for (size_t i = 0; i < n; i++) {
		if (i + 1 < n && fact_cmp(&v[i], &v[i + 1]) == 0)
			continue;
		if (!v[i].remove)
			add_fact(nw, a, &v[i], name);
	}
	a->bad |= tmp.bad;
	arena_fini(&tmp);
}

const struct nw_answer *
networking_answer(const struct networking *nw, unsigned n, const char *key)
{
	size_t lo = 0, hi = nw->nanswers;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct nw_answer *v = &nw->answer[mid];
		int r = v->n != n ? (v->n > n) - (v->n < n) : strcmp(v->key, key);

		if (r == 0)
			return v;
		if (r < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

bool
networking_yes(const struct networking *nw, unsigned n, const char *key, bool def)
{
	const struct nw_answer *v = networking_answer(nw, n, key);
	bool yes;

	return v && word_bool(word_of(v->value), &yes) ? yes : def;
}

void
networking_print(struct strbuf *out, const struct networking *nw)
{
	strbuf_add(out, "VERSION=1,0\n");
	for (size_t i = 0; i < nw->nanswers; i++)
		strbuf_addf(out, "answer VNET_%u_%s %s\n", nw->answer[i].n, nw->answer[i].key,
			    nw->answer[i].value);
	if (nw->default_bridge != NW_DEFAULT_BRIDGE_UNSET)
		strbuf_addf(out, "answer VNL_DEFAULT_BRIDGE_VNET %d\n", nw->default_bridge);
	for (size_t i = 0; i < nw->nbridges; i++)
		strbuf_addf(out, "add_bridge_mapping %s %d\n", nw->bridge[i].ifname,
			    nw->bridge[i].n);
	for (size_t i = 0; i < nw->nforwards; i++) {
		const struct conf_forward *f = &nw->forward[i].f;
		char from[HOST_PORTS_LEN], to[PORT_RANGE_LEN];

		strbuf_addf(out, "add_nat_portfwd %u %s %s %s %s%s%s\n", nw->forward[i].n,
			    conf_proto_str(f->proto), host_ports_str(conf_forward_ports(f), from),
			    IP4_STR(f->guest), port_range_str(f->guest_port, f->more, to),
			    f->description ? " " : "", f->description ? f->description : "");
	}
	for (size_t i = 0; i < nw->nreservations; i++)
		strbuf_addf(out, "add_dhcp_mac_to_ip %u %s %s\n", nw->reservation[i].n,
			    MAC_STR(nw->reservation[i].mac), IP4_STR(nw->reservation[i].ip));
	for (size_t i = 0; i < nw->nnat_prefixes; i++)
		strbuf_addf(out, "add_nat_prefix %u /%u\n", nw->nat_prefix[i].n,
			    nw->nat_prefix[i].len);
}
