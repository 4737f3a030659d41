/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_text.c - a plan as text in nft's grammar. Pure.
 *
 * Nothing in production reads this text; it is what the golden tests compare, and `nft -f` on it
 * makes the table against which the namespace tests compare what priv_nft_build.c made.
 */
#include "priv_nft_plan.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/util.h"

struct text_elems {
	struct strbuf *b;
	const struct nft_set_def *set;
	bool any;
};

static const char *
type_name(enum nft_type t)
{
	switch (t) {
	case NFT_T_IFNAME:
		return "ifname";
	case NFT_T_ADDR:
		return "ipv4_addr";
	case NFT_T_ADDR6:
		return "ipv6_addr";
	case NFT_T_PROTO:
		return "inet_proto";
	case NFT_T_PORT:
		return "inet_service";
	case NFT_T_MAC:
		return "ether_addr";
	case NFT_T_VERDICT:
		return "verdict";
	case NFT_T_NONE:
		break;
	}
	return "";
}

/* "ifname . ipv4_addr" */
static void
text_types(struct strbuf *b, const enum nft_type t[2])
{
	strbuf_add(b, type_name(t[0]));
	if (t[1] != NFT_T_NONE)
		strbuf_addf(b, " . %s", type_name(t[1]));
}

static struct ip4
addr_at(const uint8_t *p)
{
	uint32_t be;

	memcpy(&be, p, sizeof(be));
	return ip4_from_be(be);
}

static struct mac
mac_at(const uint8_t *p)
{
	struct mac m;

	memcpy(m.b, p, sizeof(m.b));
	return m;
}

/* One field of a key or value; `last` is the same field of an interval's end, or NULL. Width. */
static size_t
text_field(struct strbuf *b, enum nft_type t, const uint8_t *p, const uint8_t *last)
{
	char text[INET6_ADDRSTRLEN];

	switch (t) {
	case NFT_T_IFNAME:
		strbuf_addf(b, "\"%.16s\"", (const char *)p);
		return NFT_IFNAME_LEN;
	case NFT_T_ADDR:
		strbuf_add(b, IP4_STR(addr_at(p)));
		if (last && memcmp(p, last, 4) != 0)
			strbuf_addf(b, "-%s", IP4_STR(addr_at(last)));
		return 4;
	case NFT_T_ADDR6:
		strbuf_add(b, inet_ntop(AF_INET6, p, text, sizeof(text)));
		return 16;
	case NFT_T_PROTO:
		strbuf_add(b, p[0] == IPPROTO_TCP ? "tcp" : "udp");
		return 4;
	case NFT_T_PORT:
		strbuf_addf(b, "%u", p[0] << 8 | p[1]);
		return 4;
	case NFT_T_MAC:
		strbuf_add(b, MAC_STR(mac_at(p)));
		if (last)
			strbuf_addf(b, "-%s", MAC_STR(mac_at(last)));
		return 8;
	case NFT_T_VERDICT:
	case NFT_T_NONE:
		break;
	}
	return 0;
}

static void
text_fields(struct strbuf *b, const enum nft_type t[2], const uint8_t *p, const uint8_t *last)
{
	size_t n = text_field(b, t[0], p, last);

	if (t[1] == NFT_T_NONE)
		return;
	strbuf_add(b, " . ");
	text_field(b, t[1], p + n, last ? last + n : NULL);
}

static void
text_elem(const struct nft_elem *e, void *arg)
{
	struct text_elems *t = arg;

	strbuf_add(t->b, t->any ? ",\n\t\t\t     " : "\t\telements = { ");
	t->any = true;
	text_fields(t->b, t->set->key, e->key, t->set->interval ? e->key_end : NULL);
	if (e->chain[0])
		strbuf_addf(t->b, " : %s %s", e->jump ? "jump" : "goto", e->chain);
	else if (e->vlen) {
		strbuf_add(t->b, " : ");
		text_fields(t->b, t->set->val, e->val, NULL);
	}
}

static void
text_set(struct strbuf *b, const struct nft_plan *p, enum nft_set s)
{
	const struct nft_set_def *set = &nft_sets[s];
	struct text_elems t = {b, set, false};

	strbuf_addf(b, "\n\t%s %s {\n\t\ttype ", set->val[0] == NFT_T_NONE ? "set" : "map",
		    set->name);
	text_types(b, set->key);
	if (set->val[0] != NFT_T_NONE) {
		strbuf_add(b, " : ");
		text_types(b, set->val);
	}
	strbuf_addc(b, '\n');
	if (set->interval)
		strbuf_add(b, "\t\tflags interval\n");
	nft_plan_elems(p, s, text_elem, &t);
	if (t.any)
		strbuf_add(b, " }\n");
	strbuf_add(b, "\t}\n");
}

static const char *const ct_states[] = {"invalid", "established", "related"};
static const char *const ct_statuses[] = {"expected",  "seen-reply", "assured",
					  "confirmed", "snat",       "dnat"};

static void
text_bits(struct strbuf *b, const char *what, const char *const *names, size_t n, uint32_t bits)
{
	const char *sep = " ";

	strbuf_add(b, what);
	for (size_t i = 0; i < n; i++) {
		if (!(bits & 1u << i))
			continue;
		strbuf_addf(b, "%s%s", sep, names[i]);
		sep = ",";
	}
}

/* Statements without an argument, or with a set's name: the text around it. */
static const struct {
	const char *text;
	bool set;
} plain[] = {
    [NFT_OP_IPV4] = {"meta nfproto ipv4", false},
    [NFT_OP_ECHO_REQUEST] = {"icmp type echo-request", false},
    [NFT_OP_SADDR_LOOPBACK] = {"ip saddr 127.0.0.0/8", false},
    [NFT_OP_DADDR_LOOPBACK] = {"ip daddr 127.0.0.0/8", false},
    [NFT_OP_BRIDGED] = {"meta iifkind \"bridge\" meta oifkind \"bridge\"", false},
    [NFT_OP_IIF_NONE] = {"meta iif 0", false},
    [NFT_OP_IIF_VMNET] = {"iifname \"vmnet*\"", false},
    [NFT_OP_OIF_VMNET] = {"oifname \"vmnet*\"", false},
    [NFT_OP_IIF_IN] = {"iifname @", true},
    [NFT_OP_OIF_IN] = {"oifname @", true},
    [NFT_OP_OIF_NOT_IN] = {"oifname != @", true},
    [NFT_OP_IIF_OIF_IN] = {"iifname . oifname @", true},
    [NFT_OP_IIF_DADDR_IN] = {"iifname . ip daddr @", true},
    [NFT_OP_OIF_SADDR_IN] = {"oifname . ip saddr @", true},
    [NFT_OP_IIF_VMAP] = {"iifname vmap @", true},
    [NFT_OP_IIF_PROTO_VMAP] = {"iifname . meta l4proto vmap @", true},
    [NFT_OP_OIF_PROTO_VMAP] = {"oifname . meta l4proto vmap @", true},
    [NFT_OP_IIF_MAC_NOT_IN] = {"iifname . ether saddr != @", true},
    [NFT_OP_DPORT_IN] = {"th dport @", true},
    [NFT_OP_NO_SYN] = {"tcp flags & (fin | syn | rst | ack) != syn", false},
    [NFT_OP_TO_LOCAL] = {"fib daddr type local", false},
    [NFT_OP_FTP_HELPER] = {"ct helper set \"" NFT_HELPER_FTP "\"", false},
    [NFT_OP_FLOW_ADD] = {"flow add @" NFT_FLOWTABLE, false},
    [NFT_OP_RETURN] = {"return", false},
    [NFT_OP_DNAT_LOCAL] = {"meta nfproto ipv4 fib daddr type local dnat ip to "
			   "meta l4proto . th dport map @",
			   true},
    [NFT_OP_DNAT_INCOMING] =
	{"meta nfproto ipv4 iifname . ip daddr != @gateways ip daddr != 127.0.0.0/8 "
	 "fib daddr type local dnat ip to meta l4proto . th dport map @",
	 true},
    [NFT_OP_DNAT_BOUND] = {"fib daddr type local dnat ip to ip daddr . th dport map @", true},
    [NFT_OP_DNAT_CAPTURED] = {"dnat ip to ip daddr . th dport map @", true},
    [NFT_OP_DNAT_CAPTURED6] = {"dnat ip6 to ip6 daddr . th dport map @", true},
    [NFT_OP_SNAT] = {"snat ip to oifname map @", true},
    [NFT_OP_MASQUERADE] = {"masquerade", false},
    [NFT_OP_ACCEPT] = {"accept", false},
    [NFT_OP_DROP] = {"drop", false},
    [NFT_OP_REJECT_PORT] = {"reject", false}, /* nft's own spelling of icmpx port-unreachable */
    [NFT_OP_REJECT_ADMIN] = {"reject with icmpx admin-prohibited", false},
    [NFT_OP_REJECT_RESET] = {"reject with tcp reset", false},
};

static void
text_out_as(struct strbuf *b, struct ip4 addr, uint32_t ports)
{
	strbuf_add(b, addr.h ? "snat ip to " : ports ? "masquerade to " : "masquerade");
	if (addr.h)
		strbuf_add(b, IP4_STR(addr));
	if (ports)
		strbuf_addf(b, ":%u", ports >> 16);
	if (ports >> 16 != (ports & 0xffff))
		strbuf_addf(b, "-%u", ports & 0xffff);
}

static void
text_stmt(struct strbuf *b, const struct nft_stmt *s)
{
	if (s->op == NFT_OP_L4PROTO)
		strbuf_addf(b, "meta l4proto %s", s->arg == IPPROTO_TCP ? "tcp" : "udp");
	else if (s->op == NFT_OP_DPORT)
		strbuf_addf(b, "th dport %u", s->arg);
	else if (s->op == NFT_OP_CT_STATE)
		text_bits(b, "ct state", ct_states, ARRAY_LEN(ct_states), s->arg);
	else if (s->op == NFT_OP_CT_STATUS)
		text_bits(b, "ct status", ct_statuses, ARRAY_LEN(ct_statuses), s->arg);
	else if (s->op == NFT_OP_DADDR_NOT)
		strbuf_addf(b, "ip daddr != %s", IP4_STR((struct ip4){s->arg}));
	else if (s->op == NFT_OP_GOTO || s->op == NFT_OP_JUMP)
		strbuf_addf(b, "%s %s", s->op == NFT_OP_GOTO ? "goto" : "jump",
			    nft_chains[s->arg].name);
	else if (s->op == NFT_OP_OUT_AS)
		text_out_as(b, (struct ip4){s->arg}, s->more);
	else
		strbuf_addf(b, "%s%s", plain[s->op].text,
			    plain[s->op].set ? nft_sets[s->arg].name : "");
}

static void
text_rule(const struct nft_stmt *stmt, void *arg)
{
	struct strbuf *b = arg;

	strbuf_addc(b, '\t');
	for (size_t k = 0; k < NFT_STMTS_MAX && stmt[k].op != NFT_OP_END; k++) {
		strbuf_addc(b, k ? ' ' : '\t');
		text_stmt(b, &stmt[k]);
	}
	strbuf_addc(b, '\n');
}

static void
text_chain(struct strbuf *b, const struct nft_plan *p, enum nft_chain c)
{
	const struct nft_chain_def *chain = &nft_chains[c];

	strbuf_addf(b, "\n\tchain %s {\n", chain->name);
	if (chain->type)
		strbuf_addf(b, "\t\ttype %s hook %s priority %d; policy accept;\n", chain->type,
			    chain->hook, chain->priority);
	for (size_t i = 0; i < nft_nrules; i++) {
		const struct nft_rule_def *r = &nft_rules[i];

		if (r->chain != c || !nft_plan_has_rule(p, r))
			continue;
		text_rule(r->stmt, b);
	}
	strbuf_add(b, "\t}\n");
}

static void
text_timeouts(struct strbuf *b, const struct nft_plan *p)
{
	for (size_t i = 0; i < p->ntimeouts && !p->no_timeouts; i++) {
		const struct nft_timeout *t = &p->timeouts[i];
		char object[32], chain[32];

		nft_timeout_object(object, sizeof(object), t);
		nft_timeout_chain(chain, sizeof(chain), t);
		strbuf_addf(b, "\n\tct timeout %s {\n\t\tprotocol %s;\n\t\tl3proto ip;\n", object,
			    ip_proto_name(t->proto));
		if (t->proto == PROTO_TCP)
			strbuf_addf(b, "\t\tpolicy = { time_wait : %u };\n\t}\n", t->seconds);
		else
			strbuf_addf(b, "\t\tpolicy = { unreplied : %u, replied : %u };\n\t}\n",
				    t->seconds, t->seconds);
		strbuf_addf(b, "\n\tchain %s {\n\t\tct timeout set \"%s\"\n\t}\n", chain, object);
	}
}

static void
text_ways(struct strbuf *b, const struct nft_plan *p)
{
	char chain[32];

	for (size_t i = 0; i < p->nnets; i++) {
		if (!nft_way_has_chain(&p->nets[i]))
			continue;
		nft_way_chain(chain, sizeof(chain), &p->nets[i]);
		strbuf_addf(b, "\n\tchain %s {\n", chain);
		nft_way_rules(&p->nets[i], text_rule, b);
		strbuf_add(b, "\t}\n");
	}
}

void
nft_text_plan(struct strbuf *b, const struct nft_plan *p)
{
	strbuf_add(b, "table inet " NFT_TABLE " {");
	text_timeouts(b, p);
	if (p->any_ftp && !p->no_ftp)
		strbuf_add(b, "\n\tct helper " NFT_HELPER_FTP " {\n\t\ttype \"ftp\" protocol tcp;\n"
			      "\t\tl3proto ip;\n\t}\n");
	if (nft_plan_has_flowtable(p))
		strbuf_add(b, "\n\tflowtable " NFT_FLOWTABLE " {\n\t\thook ingress priority 0;\n"
			      "\t\tcounter;\n\t}\n");
	text_ways(b, p);
	for (unsigned s = 0; s < NFT_SET_N; s++)
		if (nft_plan_has_set(p, s))
			text_set(b, p, s);
	for (unsigned c = 0; c < NFT_CHAIN_N; c++)
		if (nft_plan_has_chain(p, c))
			text_chain(b, p, c);
	strbuf_add(b, "}\n");
}
