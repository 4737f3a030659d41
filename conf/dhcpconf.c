/* SPDX-License-Identifier: GPL-2.0-or-later
 * dhcpconf.c - dhcpd.conf: statements -> scopes, subnets, hosts. Pure recursive descent.
 * After a mistake it goes on behind the statement, so that one run shows all of them. What is left
 * out of the result because of a mistake always has an error; DEPARTS marks where ISC's server
 * does otherwise.
 */
#include "conf/dhcpconf.h"

#include <string.h>

#include "conf/dhcp_lex.h"

#define DEPTH_MAX 16

#define PING_TIMEOUT_MAX 3600

enum ctx_kind {
	CTX_FILE = 1 << 0,
	CTX_SHARED = 1 << 1,
	CTX_GROUP = 1 << 2,
	CTX_SUBNET = 1 << 3,
	CTX_POOL = 1 << 4,
	CTX_HOST = 1 << 5,
};
#define CTX_SCOPES (CTX_FILE | CTX_SHARED | CTX_GROUP | CTX_SUBNET | CTX_HOST)

/* The block that is being read. */
struct ctx {
	enum ctx_kind kind;
	struct dhcp_scope *scope;   /* where settings go; a pool has none of its own */
	struct dhcp_subnet *subnet; /* CTX_SUBNET, CTX_POOL and groups inside; else NULL */
	struct dhcp_host *host;     /* CTX_HOST */
	bool saw_mac, has_mac;      /* CTX_HOST: `hardware` was there, and was right */
	bool allows_known, allows_unknown, denies_unknown; /* CTX_POOL */
};

struct dc {
	struct dl l;
	struct dhcp_file *f;
	struct arena *a;
	const char *text;      /* start of the file */
	const char *stmt;      /* keyword of the statement that is being read */
	const char *block_end; /* behind the last '}' */
	bool told_ddns;        /* that these statements are ignored */
	unsigned depth;
};

static void parse_block(struct dc *p, struct ctx *c);

#define DC_ERROR(p, ...) diag_error((p)->l.d, (p)->l.tok.pos, __VA_ARGS__)

/* Over the rest of a statement: behind its ';' or its block, or in front of the '}' around it. */
static void
skip_statement(struct dc *p)
{
	unsigned depth = 0;

	for (; p->l.tok.kind != DL_END; dl_next(&p->l)) {
		if (dl_is(&p->l, '{')) {
			depth++;
		} else if (dl_is(&p->l, '}')) {
			if (depth == 0)
				return;
			if (--depth == 0) {
				dl_next(&p->l);
				return;
			}
		} else if (dl_is(&p->l, ';') && depth == 0) {
			dl_next(&p->l);
			return;
		}
	}
}

/* The ';' of a statement. When it is missing, what follows is taken for the next statement. */
static void
end_statement(struct dc *p)
{
	struct word w = dl_show(&p->l);

	if (dl_is(&p->l, ';')) {
		dl_next(&p->l);
		return;
	}
	DC_ERROR(p, "\";\" is missing before \"%.*s\"", WORD_ARG(w));
	if (p->l.tok.kind == DL_PUNCT && !dl_is(&p->l, '}'))
		skip_statement(p);
}

/* --- operands: take the token, or complain, skip the statement and return false --- */

static bool
bad_operand(struct dc *p, const char *wanted)
{
	struct word w = dl_show(&p->l);

	DC_ERROR(p, "not %s: \"%.*s\"", wanted, WORD_ARG(w));
	skip_statement(p);
	return false;
}

static bool
take_ip(struct dc *p, struct ip4 *ip)
{
	if (p->l.tok.kind != DL_WORD || !word_ip4(p->l.tok.w, ip))
		return bad_operand(p, "an IPv4 address");
	dl_next(&p->l);
	return true;
}

static bool
take_text(struct dc *p, const char **out, size_t max, const char *what)
{
	const char *text = dl_text(&p->l, p->a);

	if (!text || strlen(text) > max)
		return bad_operand(p, what);
	*out = text;
	dl_next(&p->l);
	return true;
}

static bool
open_block(struct dc *p)
{
	if (!dl_is(&p->l, '{'))
		return bad_operand(p, "the \"{\" of a block");
	dl_next(&p->l);
	return true;
}

/* --- statements; each stands on the token behind its keyword and takes its ';' or block --- */

/* Behind the name, and a '=' that later dialects have. */
static void
option_value(struct dc *p, struct ctx *c, const char *name)
{
	struct dhcp_opt opt;

	if (dl_is(&p->l, '='))
		dl_next(&p->l);
	if (!dl_option_value(&p->l, p->a, name, &opt)) {
		skip_statement(p);
		return;
	}
	dhcp_scope_set_opt(c->scope, p->a, &opt);
	end_statement(p);
}

static void
st_option(struct dc *p, struct ctx *c)
{
	char name[64] = "";
	const char *hint, *instead;

	if (p->l.tok.kind == DL_WORD && p->l.tok.w.len < sizeof(name))
		memcpy(name, p->l.tok.w.s, p->l.tok.w.len);
	if (dhcp_opt_code(name) == 0 || strlen(name) != p->l.tok.w.len) {
		struct word w = dl_show(&p->l);

		hint = diag_did_you_mean(name, dhcp_opt_names);
		DC_ERROR(p, "unknown option \"%.*s\"%s%s%s", WORD_ARG(w),
			 hint ? ", did you mean \"" : "", hint ? hint : "", hint ? "\"?" : "");
		skip_statement(p);
		return;
	}
	if (dhcp_opt_is_own(dhcp_opt_code(name), &instead)) {
		diag_warn(p->l.d, p->l.tok.pos, "option \"%s\" has no effect%s%s%s", name,
			  instead ? "; write \"" : "", instead ? instead : "",
			  instead ? "\" instead" : "");
		skip_statement(p);
		return;
	}
	dl_next(&p->l);
	option_value(p, c, name);
}

static void
lease_time(struct dc *p, uint32_t *out)
{
	if (p->l.tok.kind != DL_WORD || !word_u32(p->l.tok.w, UINT32_MAX, out) || *out == 0) {
		bad_operand(p, "a number of seconds from 1 to 4294967295");
		return;
	}
	dl_next(&p->l);
	end_statement(p);
}

static void
st_default_lease(struct dc *p, struct ctx *c)
{
	lease_time(p, &c->scope->default_lease_s);
}

static void
st_max_lease(struct dc *p, struct ctx *c)
{
	lease_time(p, &c->scope->max_lease_s);
}

static void
st_min_lease(struct dc *p, struct ctx *c)
{
	lease_time(p, &c->scope->min_lease_s);
}

/* Which guest is given which of a subnet's addresses is not known before it is checked. */
static bool
counts_here(struct dc *p, const struct ctx *c, const char *word)
{
	if (!(c->kind & (CTX_POOL | CTX_HOST)))
		return true;
	diag_warn(p->l.d, p->l.tok.pos,
		  "\"%s\" has no effect inside %s; it counts for whole subnets", word,
		  c->kind == CTX_POOL ? "pool" : "host");
	skip_statement(p);
	return false;
}

static void
st_ping_check(struct dc *p, struct ctx *c)
{
	struct word w = p->l.tok.w;
	bool yes = word_ieq(w, "true") || word_ieq(w, "on");

	if (!counts_here(p, c, "ping-check"))
		return;
	if (p->l.tok.kind != DL_WORD || (!yes && !word_ieq(w, "false") && !word_ieq(w, "off"))) {
		bad_operand(p, "\"true\" or \"false\"");
		return;
	}
	c->scope->ping_check = yes ? CONF_YES : CONF_NO;
	dl_next(&p->l);
	end_statement(p);
}

/* ISC's server waits so long, and 0 means not to wait, which we do not in any case. */
static void
st_ping_timeout(struct dc *p, struct ctx *c)
{
	uint32_t s;

	if (!counts_here(p, c, "ping-timeout"))
		return;
	if (p->l.tok.kind != DL_WORD || !word_u32(p->l.tok.w, PING_TIMEOUT_MAX, &s)) {
		bad_operand(p, "a number of seconds from 0 to 3600");
		return;
	}
	c->scope->ping_timeout_s = s ? s : 1;
	dl_next(&p->l);
	end_statement(p);
}

static void
st_filename(struct dc *p, struct ctx *c)
{
	if (take_text(p, &c->scope->filename, 127, "a file name of at most 127 characters"))
		end_statement(p);
}

static void
st_server_name(struct dc *p, struct ctx *c)
{
	if (take_text(p, &c->scope->server_name, 63, "a server name of at most 63 characters"))
		end_statement(p);
}

static void
st_next_server(struct dc *p, struct ctx *c)
{
	if (take_ip(p, &c->scope->next_server))
		end_statement(p);
}

static void
st_server_identifier(struct dc *p, struct ctx *c UNUSED)
{
	if (take_ip(p, &p->f->server_id))
		end_statement(p);
}

static void
st_authoritative(struct dc *p, struct ctx *c)
{
	c->scope->authoritative = CONF_YES;
	end_statement(p);
}

static void
st_not(struct dc *p, struct ctx *c)
{
	if (!word_ieq(p->l.tok.w, "authoritative")) {
		bad_operand(p, "\"authoritative\"");
		return;
	}
	dl_next(&p->l);
	c->scope->authoritative = CONF_NO;
	end_statement(p);
}

/* allow|deny WHAT; */
static void
permission(struct dc *p, struct ctx *c, enum conf_tri yes)
{
	struct word w = p->l.tok.w;
	bool known = word_ieq(w, "known-clients");

	if (c->kind == CTX_POOL) {
		if (!known && !word_ieq(w, "unknown-clients")) {
			bad_operand(p, "\"known-clients\" or \"unknown-clients\"");
			return;
		}
		if (known && yes == CONF_NO) {
			DC_ERROR(p, "unsupported permission: a pool cannot deny known clients; "
				    "give them fixed addresses or a pool of their own");
			skip_statement(p);
			return;
		}
		if (yes == CONF_NO)
			c->denies_unknown = true;
		else if (known)
			c->allows_known = true;
		else
			c->allows_unknown = true;
	} else if (word_ieq(w, "unknown-clients")) {
		c->scope->unknown_clients = yes;
	} else if (word_ieq(w, "bootp")) {
		c->scope->bootp = yes;
	} else if (word_ieq(w, "booting")) {
		c->scope->booting = yes;
	} else if (word_ieq(w, "duplicates") || word_ieq(w, "declines") ||
		   word_ieq(w, "client-updates")) {
		diag_warn(p->l.d, p->l.tok.pos, "\"%.*s\" has no effect here", WORD_ARG(w));
	} else {
		bad_operand(p, "\"unknown-clients\", \"bootp\" or \"booting\"");
		return;
	}
	dl_next(&p->l);
	end_statement(p);
}

static void
st_allow(struct dc *p, struct ctx *c)
{
	permission(p, c, CONF_YES);
}

static void
st_deny(struct dc *p, struct ctx *c)
{
	permission(p, c, CONF_NO);
}

/* Inside the subnet, as ISC's server demands; the offending address is pointed at. */
static bool
in_subnet(struct dc *p, const struct dhcp_subnet *s, struct ip4 a, struct conf_pos pos,
	  const struct dhcp_range *r)
{
	if (prefix4_contains(s->prefix, a))
		return true;
	diag_error(p->l.d, pos, "range %s-%s is not inside %s", IP4_STR(r->lo), IP4_STR(r->hi),
		   PREFIX4_STR(s->prefix));
	return false;
}

static void
st_range(struct dc *p, struct ctx *c)
{
	struct conf_pos lo_pos, hi_pos;
	struct dhcp_range r = {.pos = p->l.tok.pos}, *v;
	struct ip4 t;

	if (word_ieq(p->l.tok.w, "dynamic-bootp"))
		dl_next(&p->l);
	lo_pos = hi_pos = p->l.tok.pos;
	if (!take_ip(p, &r.lo))
		return;
	r.hi = r.lo;
	if (p->l.tok.kind == DL_WORD && word_ip4(p->l.tok.w, &t)) {
		hi_pos = p->l.tok.pos;
		r.hi = t;
		dl_next(&p->l);
	} else if (p->l.tok.kind == DL_WORD && p->l.tok.pos.line == lo_pos.line) {
		bad_operand(p, "an IPv4 address");
		return;
	}
	end_statement(p);
	if (r.lo.h > r.hi.h) {
		diag_warn(p->l.d, lo_pos, "range %s-%s goes backwards; read as %s-%s",
			  IP4_STR(r.lo), IP4_STR(r.hi), IP4_STR(r.hi), IP4_STR(r.lo));
		t = r.lo;
		r.lo = r.hi;
		r.hi = t;
	}
	if (!in_subnet(p, c->subnet, r.lo, lo_pos, &r) ||
	    !in_subnet(p, c->subnet, r.hi, hi_pos, &r))
		return;
	v = arena_grow(p->a, c->subnet->range, c->subnet->nranges, sizeof(*v));
	if (!v)
		return;
	c->subnet->range = v;
	v[c->subnet->nranges++] = r;
}

static void
st_hardware(struct dc *p, struct ctx *c)
{
	c->saw_mac = true;
	if (!word_ieq(p->l.tok.w, "ethernet")) {
		bad_operand(p, "\"ethernet\"");
		return;
	}
	dl_next(&p->l);
	if (p->l.tok.kind != DL_WORD || !word_mac(p->l.tok.w, &c->host->mac)) {
		bad_operand(p, "a MAC address");
		return;
	}
	c->has_mac = true;
	dl_next(&p->l);
	end_statement(p);
}

static void
st_fixed_address(struct dc *p, struct ctx *c)
{
	struct ip4 more;

	/* DEPARTS: names are not looked up; the server has no resolver to ask. */
	if (!take_ip(p, &c->host->ip))
		return;
	while (dl_is(&p->l, ',')) {
		dl_next(&p->l);
		diag_warn(p->l.d, p->l.tok.pos, "a host has one address here; \"%.*s\" is ignored",
			  WORD_ARG(p->l.tok.w));
		if (!take_ip(p, &more))
			return;
	}
	end_statement(p);
}

static void
st_subnet(struct dc *p, struct ctx *c UNUSED)
{
	struct dhcp_subnet s = {.pos = p->l.tok.pos}, *v;
	struct ctx in = {.kind = CTX_SUBNET, .scope = &s.scope, .subnet = &s};
	struct ip4 mask;
	uint8_t len = 0;

	if (!take_ip(p, &s.prefix.addr))
		return;
	if (!word_ieq(p->l.tok.w, "netmask")) {
		bad_operand(p, "\"netmask\"");
		return;
	}
	dl_next(&p->l);
	if (p->l.tok.kind != DL_WORD || !word_ip4(p->l.tok.w, &mask) || !ip4_mask_len(&len, mask)) {
		bad_operand(p, "a netmask");
		return;
	}
	s.prefix.len = len;
	if (s.prefix.addr.h & ~mask.h) {
		diag_error(p->l.d, s.pos, "%s is not a network address with mask %s, %s is",
			   IP4_STR(s.prefix.addr), IP4_STR(mask),
			   IP4_STR((struct ip4){s.prefix.addr.h & mask.h}));
		s.prefix.addr.h &= mask.h;
	}
	dl_next(&p->l);
	if (!open_block(p))
		return;
	parse_block(p, &in);
	v = arena_grow(p->a, p->f->subnet, p->f->nsubnets, sizeof(*v));
	if (!v)
		return;
	p->f->subnet = v;
	v[p->f->nsubnets++] = s;
}

static void
st_host(struct dc *p, struct ctx *c)
{
	struct dhcp_host h = {.pos = p->l.tok.pos}, *v;
	struct ctx in = {.kind = CTX_HOST, .scope = &h.scope, .subnet = c->subnet, .host = &h};

	h.start = (size_t)(p->stmt - p->text);
	if (!take_text(p, &h.name, 255, "a host name") || !open_block(p))
		return;
	parse_block(p, &in);
	h.end = (size_t)(p->block_end - p->text);
	if (!in.saw_mac)
		diag_error(p->l.d, h.pos, "host \"%s\" has no \"hardware ethernet\" statement",
			   h.name ? h.name : "");
	if (!in.has_mac)
		return;
	v = arena_grow(p->a, p->f->host, p->f->nhosts, sizeof(*v));
	if (!v)
		return;
	p->f->host = v;
	v[p->f->nhosts++] = h;
}

/* A block whose settings count for the subnets and hosts inside, wherever in it they stand. */
static void
scope_block(struct dc *p, struct ctx *c, enum ctx_kind kind)
{
	size_t subnets = p->f->nsubnets, hosts = p->f->nhosts;
	struct dhcp_scope scope = {0};
	struct ctx in = {.kind = kind, .scope = &scope, .subnet = c->subnet};

	if ((p->l.tok.kind == DL_WORD || p->l.tok.kind == DL_STRING))
		dl_next(&p->l); /* a name, of no further use */
	if (!open_block(p))
		return;
	parse_block(p, &in);
	for (; subnets < p->f->nsubnets; subnets++)
		dhcp_scope_inherit(&p->f->subnet[subnets].scope, p->a, &scope);
	scope.ping_check = CONF_UNSET; /* subnets only */
	scope.ping_timeout_s = 0;
	for (; hosts < p->f->nhosts; hosts++)
		dhcp_scope_inherit(&p->f->host[hosts].scope, p->a, &scope);
}

static void
st_group(struct dc *p, struct ctx *c)
{
	scope_block(p, c, CTX_GROUP);
}

static void
st_shared_network(struct dc *p, struct ctx *c)
{
	scope_block(p, c, CTX_SHARED);
}

/* A pool with any `allow` takes only what they name, and never what it denies (dhcpd.conf(5)). */
static enum conf_tri
takes_unknown(const struct ctx *pool)
{
	if (pool->denies_unknown || (pool->allows_known && !pool->allows_unknown))
		return CONF_NO;
	return pool->allows_unknown ? CONF_YES : CONF_UNSET;
}

static void
st_pool(struct dc *p, struct ctx *c)
{
	struct ctx in = {.kind = CTX_POOL, .scope = c->scope, .subnet = c->subnet};
	size_t first = c->subnet->nranges;

	if (!open_block(p))
		return;
	parse_block(p, &in);
	for (; first < c->subnet->nranges; first++)
		c->subnet->range[first].unknown_clients = takes_unknown(&in);
}

/* Statements of ISC's server that are harmless to leave out. */
static const char *const no_effect[] = {"use-host-decl-names",
					"get-lease-hostnames",
					"dynamic-bootp-lease-cutoff",
					"dynamic-bootp-lease-length",
					"one-lease-per-client",
					"log-facility",
					"use-lease-addr-for-default-route",
					"always-reply-rfc1048",
					"always-broadcast",
					"boot-unknown-clients",
					"update-static-leases",
					"deny-unknown-clients",
					"interfaces",
					NULL};

static const char *const unsupported[] = {
    "subnet6",    "range6", "class", "subclass", "if",         "elsif",     "else",
    "include",    "key",    "zone",  "failover", "omapi-port", "omapi-key", "vendor-class",
    "user-class", "on",     "set",   "match",    "spawn",      "lease",     NULL};

struct statement {
	const char *word;
	unsigned where; /* CTX_ bits */
	void (*parse)(struct dc *p, struct ctx *c);
};

static const struct statement statements[] = {
    {"option", CTX_SCOPES, st_option},
    {"default-lease-time", CTX_SCOPES, st_default_lease},
    {"max-lease-time", CTX_SCOPES, st_max_lease},
    {"min-lease-time", CTX_SCOPES, st_min_lease},
    {"filename", CTX_SCOPES, st_filename},
    {"server-name", CTX_SCOPES, st_server_name},
    {"next-server", CTX_SCOPES, st_next_server},
    {"server-identifier", CTX_FILE | CTX_SHARED | CTX_SUBNET, st_server_identifier},
    {"authoritative", CTX_FILE | CTX_SHARED | CTX_GROUP | CTX_SUBNET, st_authoritative},
    {"not", CTX_FILE | CTX_SHARED | CTX_GROUP | CTX_SUBNET, st_not},
    {"ping-check", CTX_SCOPES | CTX_POOL, st_ping_check},
    {"ping-timeout", CTX_SCOPES | CTX_POOL, st_ping_timeout},
    {"allow", CTX_SCOPES | CTX_POOL, st_allow},
    {"deny", CTX_SCOPES | CTX_POOL, st_deny},
    {"ignore", CTX_SCOPES, st_deny},
    {"subnet", CTX_FILE | CTX_SHARED | CTX_GROUP, st_subnet},
    {"shared-network", CTX_FILE | CTX_GROUP, st_shared_network},
    {"group", CTX_FILE | CTX_SHARED | CTX_GROUP | CTX_SUBNET, st_group},
    {"host", CTX_FILE | CTX_SHARED | CTX_GROUP | CTX_SUBNET, st_host},
    {"pool", CTX_SUBNET, st_pool},
    {"range", CTX_SUBNET | CTX_POOL, st_range},
    {"hardware", CTX_HOST, st_hardware},
    {"fixed-address", CTX_HOST, st_fixed_address},
};

static bool
in_list(struct word w, const char *const *list)
{
	for (; *list; list++) {
		if (word_ieq(w, *list))
			return true;
	}
	return false;
}

static const char *
ctx_name(enum ctx_kind kind)
{
	switch (kind) {
	case CTX_FILE:
		return "outside of a block";
	case CTX_SHARED:
		return "inside shared-network";
	case CTX_GROUP:
		return "inside group";
	case CTX_SUBNET:
		return "inside subnet";
	case CTX_POOL:
		return "inside pool";
	case CTX_HOST:
		return "inside host";
	}
	return "";
}

static void
unknown_statement(struct dc *p, struct word w)
{
	const char *words[ARRAY_LEN(statements) + 1], *hint;
	char text[33] = "";

	for (size_t i = 0; i < ARRAY_LEN(statements); i++)
		words[i] = statements[i].word;
	words[ARRAY_LEN(statements)] = NULL;
	if (w.len < sizeof(text) && w.len)
		memcpy(text, w.s, w.len);
	hint = diag_did_you_mean(text, words);
	DC_ERROR(p, "unknown statement \"%.*s\"%s%s%s", WORD_ARG(w),
		 hint ? ", did you mean \"" : "", hint ? hint : "", hint ? "\"?" : "");
	dl_next(&p->l);
	skip_statement(p);
}

static bool
word_begins(struct word w, const char *with)
{
	size_t n = strlen(with);

	return w.len > n && word_ieq((struct word){w.s, n}, with);
}

/* `option-224 = 01:02;`, short for `option option-224 01:02;`. */
static bool
option_number(struct word w, char name[16])
{
	if (w.len >= 16 || !word_begins(w, "option-"))
		return false;
	memcpy(name, w.s, w.len);
	name[w.len] = '\0';
	return dhcp_opt_code(name) != 0;
}

static void
parse_statement(struct dc *p, struct ctx *c)
{
	struct word w = p->l.tok.w;
	char name[16];

	if (p->l.tok.kind != DL_WORD) {
		DC_ERROR(p, "a statement cannot begin with \"%.*s\"", WORD_ARG(w));
		if (dl_is(&p->l, '{')) {
			skip_statement(p);
			return;
		}
		dl_next(&p->l);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
		if (!word_ieq(w, statements[i].word))
			continue;
		if (statements[i].where & c->kind) {
			p->stmt = w.s;
			dl_next(&p->l);
			statements[i].parse(p, c);
			return;
		}
		DC_ERROR(p, "\"%.*s\" cannot stand %s", WORD_ARG(w), ctx_name(c->kind));
		dl_next(&p->l);
		skip_statement(p);
		return;
	}
	if ((c->kind & CTX_SCOPES) && option_number(w, name)) {
		dl_next(&p->l);
		option_value(p, c, name);
	} else if (word_begins(w, "ddns-")) {
		if (!p->told_ddns)
			diag_warn(
			    p->l.d, p->l.tok.pos,
			    "\"%.*s\" is ignored, and so is every other ddns statement: names "
			    "are not registered in DNS",
			    WORD_ARG(w));
		p->told_ddns = true;
		skip_statement(p);
	} else if (in_list(w, no_effect)) {
		diag_warn(p->l.d, p->l.tok.pos, "\"%.*s\" has no effect here", WORD_ARG(w));
		skip_statement(p);
	} else if (in_list(w, unsupported)) {
		DC_ERROR(p, "unsupported statement \"%.*s\"", WORD_ARG(w));
		skip_statement(p);
	} else {
		unknown_statement(p, w);
	}
}

/* Statements up to the block's '}' (taken) or the end of the file. */
static void
parse_block(struct dc *p, struct ctx *c)
{
	struct conf_pos open = p->l.tok.pos;

	if (++p->depth > DEPTH_MAX) {
		DC_ERROR(p, "blocks are nested more than %d deep", DEPTH_MAX);
		while (p->l.tok.kind != DL_END)
			dl_next(&p->l);
		p->depth--;
		return;
	}
	for (;;) {
		if (p->l.tok.kind == DL_END) {
			p->block_end = p->l.end;
			if (c->kind != CTX_FILE)
				diag_error(p->l.d, open, "the block that begins here has no \"}\"");
			break;
		}
		if (dl_is(&p->l, '}')) {
			if (c->kind == CTX_FILE)
				DC_ERROR(p, "\"}\" without a \"{\" before it");
			p->block_end = p->l.p;
			dl_next(&p->l);
			if (c->kind == CTX_FILE)
				continue;
			break;
		}
		if (dl_is(&p->l, ';')) {
			dl_next(&p->l); /* an empty statement, often behind a '}' */
			continue;
		}
		parse_statement(p, c);
	}
	p->depth--;
}

void
dhcpconf_parse(struct dhcp_file *f, struct arena *a, const char *name, const char *text, size_t len,
	       struct diags *d)
{
	struct dc p = {.f = f, .a = a, .text = text ? text : ""};
	struct ctx c = {.kind = CTX_FILE, .scope = &f->global};

	p.stmt = p.text;
	p.block_end = p.text + len;
	*f = (struct dhcp_file){0};
	dhcpconf_find_section(f, text, len);
	dl_init(&p.l, name, p.text, len, d);
	parse_block(&p, &c);
}
