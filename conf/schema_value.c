/* SPDX-License-Identifier: GPL-2.0-or-later
 * schema_value.c - values of keys, read by the rows of the table. Pure.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "conf/schema.h"
#include "conf/text.h"
#include "lib/strbuf.h"

/* Of a domain and of each of its parts (RFC 1035 2.3.4), as text. */
enum { DOMAIN_MAX = 253, LABEL_MAX = 63 };

static bool
parse_enum(struct schema_value *v, const struct schema_row *row, struct word w)
{
	for (uint32_t i = 0; row->words[i]; i++) {
		if (word_ieq(w, row->words[i])) {
			v->num = i;
			return true;
		}
	}
	return false;
}

static bool
word_net(struct word w, uint32_t *n)
{
	struct word num = word_skip(w, 5);

	if (!word_has_prefix(w, "vmnet") || (num.len > 1 && num.s[0] == '0'))
		return false;
	return word_u32(num, CONF_NETS - 1, n);
}

/* Names separated by blanks or commas. */
static bool
parse_netlist(struct schema_value *v, struct word rest)
{
	struct word w, part;
	uint32_t n;
	bool any = false, none = false;

	while (word_next(&rest, &w)) {
		for (; w.len; w = word_skip(w, part.len + 1)) {
			const char *comma = memchr(w.s, ',', w.len);

			part = comma ? (struct word){w.s, (size_t)(comma - w.s)} : w;
			if (part.len == 0)
				continue;
			if (word_ieq(part, "all"))
				memset(v->nets, 0xff, sizeof(v->nets));
			else if (word_ieq(part, "none"))
				none = true;
			else if (word_net(part, &n))
				v->nets[n / 8] |= (uint8_t)(1u << (n % 8));
			else
				return false;
			any = true;
		}
	}
	for (size_t i = 0; none && i < sizeof(v->nets); i++) {
		if (v->nets[i])
			return false; /* "none vmnet8" contradicts itself */
	}
	return any;
}

/* The next part of a list, separated by blanks or commas. */
static bool
next_part(struct word *rest, struct word *part)
{
	size_t n = 0;

	while (rest->len && strchr(", \t", rest->s[0]))
		*rest = word_skip(*rest, 1);
	while (n < rest->len && !strchr(", \t", rest->s[n]))
		n++;
	*part = (struct word){rest->s, n};
	*rest = word_skip(*rest, n);
	return n > 0;
}

static bool
parse_maclist(struct word rest, const struct schema_row *row)
{
	struct word part;
	struct mac mac;
	uint32_t n = 0;

	for (; next_part(&rest, &part); n++)
		if (!word_mac(part, &mac) || !conf_mac_ok(mac))
			return false;
	return n >= row->min && n <= row->max;
}

/* As in a zone, in small letters; a dot at the end says nothing. False: it is no name of a domain. */
static bool
add_domain(struct strbuf *out, struct word w)
{
	size_t label = 0;

	if (w.len && w.s[w.len - 1] == '.')
		w.len--;
	if (w.len > DOMAIN_MAX)
		return false;
	for (size_t i = 0; i < w.len; i++) {
		unsigned char c = (unsigned char)w.s[i];

		label = c == '.' ? 0 : label + 1;
		if (c == '.' ? i == 0 || w.s[i - 1] == '.'
			     : label > LABEL_MAX || !(isalnum(c) || c == '-' || c == '_'))
			return false;
		strbuf_addc(out, (char)tolower(c));
	}
	return label > 0;
}

static bool
read_domains(struct strbuf *out, struct word rest)
{
	struct word part;

	while (next_part(&rest, &part)) {
		if (out->len)
			strbuf_addc(out, ' ');
		if (!add_domain(out, part))
			return false;
	}
	return out->len > 0;
}

static bool
parse_domains(const struct schema_row *row, struct word w)
{
	struct strbuf b;
	bool ok;

	strbuf_init(&b);
	ok = read_domains(&b, w) && b.len <= row->max;
	strbuf_fini(&b);
	return ok;
}

static bool
word_port(struct word w, enum conf_proto *proto, uint16_t *port)
{
	uint32_t n;

	if (w.len < 5 || (!word_has_prefix(w, "tcp/") && !word_has_prefix(w, "udp/")) ||
	    !word_u32(word_skip(w, 4), 65535, &n) || n == 0)
		return false;
	*proto = word_has_prefix(w, "udp/") ? CONF_UDP : CONF_TCP;
	*port = (uint16_t)n;
	return true;
}

static bool
parse_portlist(struct word rest, const struct schema_row *row)
{
	enum conf_proto proto;
	struct word part;
	uint16_t port;
	uint32_t n = 0;

	for (; next_part(&rest, &part); n++)
		if (!word_port(part, &proto, &port))
			return false;
	return n >= row->min && n <= row->max;
}

static bool
parse_portname(struct schema_value *v, struct word w)
{
	uint32_t net;

	if (word_mac(w, &v->mac))
		return conf_mac_ok(v->mac);
	return word_is_port_name(w) && !word_net(w, &net);
}

/* Digits and a unit of 1000, or none. A rate that is no whole number of kbit/s is refused rather
 * than rounded: what stands in the file is what happens. */
static bool
parse_rate(struct schema_value *v, const struct schema_row *row, struct word w)
{
	static const uint64_t most = (uint64_t)UINT32_MAX * 1000;
	uint64_t bits = 0, unit = 1;

	if (word_ieq(w, "none"))
		return true;
	if (w.len && !isdigit((unsigned char)w.s[w.len - 1])) {
		switch (w.s[--w.len] | 0x20) {
		case 'k':
			unit = 1000;
			break;
		case 'm':
			unit = 1000000;
			break;
		case 'g':
			unit = 1000000000;
			break;
		default:
			return false;
		}
	}
	for (size_t i = 0; i < w.len; i++) {
		if (!isdigit((unsigned char)w.s[i]))
			return false;
		bits = bits * 10 + (uint64_t)(w.s[i] - '0');
		if (bits > most / unit)
			return false;
	}
	bits *= unit;
	v->num = (uint32_t)(bits / 1000);
	return w.len && bits % 1000 == 0 && (bits == 0 || v->num >= row->min) && v->num <= row->max;
}

static bool
is_ifname(struct word w)
{
	char name[CONF_IFNAME_MAX + 1] = "";
	uint32_t net;

	if (w.len == 0 || w.len > CONF_IFNAME_MAX)
		return false;
	memcpy(name, w.s, w.len);
	return conf_ifname_ok(name) && !word_net(w, &net);
}

static bool
parse_value(struct schema_value *v, const struct schema_row *row, struct word w)
{
	switch (row->type) {
	case SCHEMA_BOOL:
		return word_bool(w, &v->yes);
	case SCHEMA_INT:
	case SCHEMA_SECONDS:
		return word_u32(w, row->max, &v->num) && v->num >= row->min;
	case SCHEMA_ENUM:
		return parse_enum(v, row, w);
	case SCHEMA_IP4:
		return word_ip4(w, &v->ip) && v->ip.h != 0;
	case SCHEMA_PREFIX4:
		return word_prefix4(w, &v->prefix);
	case SCHEMA_MAC:
		return word_mac(w, &v->mac) && conf_mac_ok(v->mac);
	case SCHEMA_NETNAME:
		return word_net(w, &v->num);
	case SCHEMA_NETLIST:
		return parse_netlist(v, w);
	case SCHEMA_MACLIST:
		return parse_maclist(w, row);
	case SCHEMA_DOMAINS:
		return parse_domains(row, w);
	case SCHEMA_PORTLIST:
		return parse_portlist(w, row);
	case SCHEMA_NAME:
		return word_is_user_name(w);
	case SCHEMA_PORTNAME:
		return parse_portname(v, w);
	case SCHEMA_RATE:
		return parse_rate(v, row, w);
	case SCHEMA_LIMIT:
		return word_ieq(w, "unlimited") ||
		       (word_u32(w, row->max, &v->num) && v->num >= row->min);
	case SCHEMA_RANGE:
		return word_range(w, row->min, row->max, &v->num, &v->last);
	case SCHEMA_IFNAME:
		return is_ifname(w);
	case SCHEMA_TEXT:
		return true;
	}
	return false;
}

static const char *
netlist_text(struct arena *a, const struct schema_value *v)
{
	struct strbuf b;
	unsigned n = 0;
	char *s;

	strbuf_init(&b);
	for (unsigned i = 0; i < CONF_NETS; i++) {
		if (v->nets[i / 8] >> (i % 8) & 1)
			strbuf_addf(&b, "%svmnet%u", n++ ? " " : "", i);
	}
	s = n == CONF_NETS ? arena_dup(a, "all", 3)
	    : n == 0       ? arena_dup(a, "none", 4)
			   : arena_dup(a, strbuf_str(&b), b.len);
	strbuf_fini(&b);
	return s;
}

/* Each address once, in the order in which they were written. */
static const char *
maclist_text(struct arena *a, struct word rest)
{
	struct strbuf b;
	struct word part;
	struct mac mac;
	char *s;

	strbuf_init(&b);
	while (next_part(&rest, &part))
		if (word_mac(part, &mac) && !strstr(strbuf_str(&b), MAC_STR(mac)))
			strbuf_addf(&b, "%s%s", b.len ? " " : "", MAC_STR(mac));
	s = b.bad ? NULL : arena_dup(a, strbuf_str(&b), b.len);
	strbuf_fini(&b);
	return s;
}

static const char *
domains_text(struct arena *a, struct word rest)
{
	struct strbuf b;
	char *s;

	strbuf_init(&b);
	s = read_domains(&b, rest) ? arena_dup(a, strbuf_str(&b), b.len) : NULL;
	strbuf_fini(&b);
	return s;
}

/* Each once, in the order in which they are written. */
static const char *
portlist_text(struct arena *a, struct word rest)
{
	enum conf_proto proto, p;
	struct word part;
	struct strbuf b;
	uint16_t port, q;
	char *s;

	strbuf_init(&b);
	while (next_part(&rest, &part) && word_port(part, &proto, &port)) {
		const char *list = strbuf_str(&b);
		bool there = false;

		while (!there && schema_port_next(&list, &p, &q))
			there = p == proto && q == port;
		if (!there)
			strbuf_addf(&b, "%s%s/%u", b.len ? " " : "", conf_proto_str(proto), port);
	}
	s = b.bad ? NULL : arena_dup(a, strbuf_str(&b), b.len);
	strbuf_fini(&b);
	return s;
}

bool
schema_port_next(const char **text, enum conf_proto *proto, uint16_t *port)
{
	struct word rest = word_of(*text), part;

	if (!next_part(&rest, &part) || !word_port(part, proto, port))
		return false;
	*text = rest.s;
	return true;
}

bool
schema_mac_next(const char **text, struct mac *mac)
{
	struct word rest = word_of(*text), part;

	if (!next_part(&rest, &part) || !word_mac(part, mac))
		return false;
	*text = rest.s;
	return true;
}

char *
schema_rate_str(uint32_t kbit, char buf[SCHEMA_RATE_LEN])
{
	if (kbit == 0)
		snprintf(buf, SCHEMA_RATE_LEN, "none");
	else if (kbit % 1000000 == 0)
		snprintf(buf, SCHEMA_RATE_LEN, "%uG", kbit / 1000000);
	else if (kbit % 1000 == 0)
		snprintf(buf, SCHEMA_RATE_LEN, "%uM", kbit / 1000);
	else
		snprintf(buf, SCHEMA_RATE_LEN, "%uk", kbit);
	return buf;
}

char *
schema_limit_str(uint32_t limit, char buf[SCHEMA_LIMIT_LEN])
{
	if (limit)
		snprintf(buf, SCHEMA_LIMIT_LEN, "%u", limit);
	else
		snprintf(buf, SCHEMA_LIMIT_LEN, "unlimited");
	return buf;
}

/* The one spelling of a value, so that equal values print equal. */
static const char *
canonical(struct arena *a, const struct schema_row *row, const struct schema_value *v,
	  struct word w)
{
	switch (row->type) {
	case SCHEMA_BOOL:
		return v->yes ? "yes" : "no";
	case SCHEMA_INT:
	case SCHEMA_SECONDS:
		return arena_printf(a, "%u", v->num);
	case SCHEMA_ENUM:
		return row->words[v->num];
	case SCHEMA_IP4:
		return arena_printf(a, "%s", IP4_STR(v->ip));
	case SCHEMA_PREFIX4:
		return arena_printf(a, "%s", PREFIX4_STR(v->prefix));
	case SCHEMA_MAC:
		return arena_printf(a, "%s", MAC_STR(v->mac));
	case SCHEMA_NETNAME:
		return arena_printf(a, "vmnet%u", v->num);
	case SCHEMA_NETLIST:
		return netlist_text(a, v);
	case SCHEMA_MACLIST:
		return maclist_text(a, w);
	case SCHEMA_DOMAINS:
		return domains_text(a, w);
	case SCHEMA_PORTLIST:
		return portlist_text(a, w);
	case SCHEMA_PORTNAME:
		if (!mac_is_zero(v->mac))
			return arena_printf(a, "%s", MAC_STR(v->mac));
		break;
	case SCHEMA_RATE:
		return arena_printf(a, "%s", schema_rate_str(v->num, (char[SCHEMA_RATE_LEN]){0}));
	case SCHEMA_LIMIT:
		return arena_printf(a, "%s", schema_limit_str(v->num, (char[SCHEMA_LIMIT_LEN]){0}));
	case SCHEMA_RANGE:
		return arena_printf(a, "%u-%u", v->num, v->last);
	case SCHEMA_NAME:
	case SCHEMA_IFNAME:
	case SCHEMA_TEXT:
		break;
	}
	return word_dup(a, w);
}

bool
schema_parse(struct schema_value *out, struct arena *a, const struct schema_row *row,
	     const char *text, struct conf_pos pos, struct diags *d)
{
	struct word w = word_of(text);
	struct strbuf want;

	*out = (struct schema_value){0};
	if (parse_value(out, row, w)) {
		out->text = canonical(a, row, out, w);
		return out->text;
	}
	strbuf_init(&want);
	schema_type_print(&want, row);
	diag_error(d, pos, "bad value \"%.*s\" for \"%s\" (%s); for example %s", WORD_ARG(w),
		   row->key, strbuf_str(&want), row->example);
	strbuf_fini(&want);
	return false;
}
