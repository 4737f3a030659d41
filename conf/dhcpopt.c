/* SPDX-License-Identifier: GPL-2.0-or-later
 * dhcpopt.c - DHCP options: ISC names and types, text -> wire bytes -> text. Pure.
 * RFC 2132 and the later options that guests commonly ask for; any other code is written as
 * `option option-NNN` with hexadecimal octets or a string, as ISC's server has it.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "conf/dhcp_lex.h"
#include "lib/inet.h"
#include "lib/strbuf.h"
#include "lib/wire.h"

enum opt_type {
	O_IP,    /* one address */
	O_IPS,   /* one or more */
	O_PAIRS, /* pairs of addresses: `A B, C D` */
	O_TEXT,
	O_U8,
	O_U16,
	O_U32,
	O_I32,
	O_FLAG, /* one octet 0 or 1 */
	O_U8S,  /* one or more */
	O_U16S,
	O_HEX,   /* octets 01:02:ff, or a string */
	O_NAMES, /* domain names, RFC 1035 wire format without compression (RFC 3397) */
};

struct opt_row {
	uint8_t code;
	enum opt_type type;
	const char *name;
};

/* In order of code. */
static const struct opt_row rows[] = {
    {1, O_IP, "subnet-mask"},
    {2, O_I32, "time-offset"},
    {3, O_IPS, "routers"},
    {4, O_IPS, "time-servers"},
    {5, O_IPS, "ien116-name-servers"},
    {6, O_IPS, "domain-name-servers"},
    {7, O_IPS, "log-servers"},
    {8, O_IPS, "cookie-servers"},
    {9, O_IPS, "lpr-servers"},
    {10, O_IPS, "impress-servers"},
    {11, O_IPS, "resource-location-servers"},
    {12, O_TEXT, "host-name"},
    {13, O_U16, "boot-size"},
    {14, O_TEXT, "merit-dump"},
    {15, O_TEXT, "domain-name"},
    {16, O_IP, "swap-server"},
    {17, O_TEXT, "root-path"},
    {18, O_TEXT, "extensions-path"},
    {19, O_FLAG, "ip-forwarding"},
    {20, O_FLAG, "non-local-source-routing"},
    {21, O_PAIRS, "policy-filter"},
    {22, O_U16, "max-dgram-reassembly"},
    {23, O_U8, "default-ip-ttl"},
    {24, O_U32, "path-mtu-aging-timeout"},
    {25, O_U16S, "path-mtu-plateau-table"},
    {26, O_U16, "interface-mtu"},
    {27, O_FLAG, "all-subnets-local"},
    {28, O_IP, "broadcast-address"},
    {29, O_FLAG, "perform-mask-discovery"},
    {30, O_FLAG, "mask-supplier"},
    {31, O_FLAG, "router-discovery"},
    {32, O_IP, "router-solicitation-address"},
    {33, O_PAIRS, "static-routes"},
    {34, O_FLAG, "trailer-encapsulation"},
    {35, O_U32, "arp-cache-timeout"},
    {36, O_FLAG, "ieee802-3-encapsulation"},
    {37, O_U8, "default-tcp-ttl"},
    {38, O_U32, "tcp-keepalive-interval"},
    {39, O_FLAG, "tcp-keepalive-garbage"},
    {40, O_TEXT, "nis-domain"},
    {41, O_IPS, "nis-servers"},
    {42, O_IPS, "ntp-servers"},
    {43, O_HEX, "vendor-encapsulated-options"},
    {44, O_IPS, "netbios-name-servers"},
    {45, O_IPS, "netbios-dd-server"},
    {46, O_U8, "netbios-node-type"},
    {47, O_TEXT, "netbios-scope"},
    {48, O_IPS, "font-servers"},
    {49, O_IPS, "x-display-manager"},
    {51, O_U32, "dhcp-lease-time"},
    {58, O_U32, "dhcp-renewal-time"},
    {59, O_U32, "dhcp-rebinding-time"},
    {60, O_HEX, "vendor-class-identifier"},
    {61, O_HEX, "dhcp-client-identifier"},
    {62, O_TEXT, "nwip-domain"},
    {64, O_TEXT, "nisplus-domain"},
    {65, O_IPS, "nisplus-servers"},
    {66, O_TEXT, "tftp-server-name"},
    {67, O_TEXT, "bootfile-name"},
    {68, O_IPS, "mobile-ip-home-agent"},
    {69, O_IPS, "smtp-server"},
    {70, O_IPS, "pop-server"},
    {71, O_IPS, "nntp-server"},
    {72, O_IPS, "www-server"},
    {73, O_IPS, "finger-server"},
    {74, O_IPS, "irc-server"},
    {75, O_IPS, "streettalk-server"},
    {76, O_IPS, "streettalk-directory-assistance-server"},
    {77, O_HEX, "user-class"},
    {85, O_IPS, "nds-servers"},
    {86, O_TEXT, "nds-tree-name"},
    {87, O_TEXT, "nds-context"},
    {88, O_NAMES, "bcms-controller-names"},
    {89, O_IPS, "bcms-controller-address"},
    {98, O_TEXT, "uap-servers"},
    {100, O_TEXT, "pcode"},
    {101, O_TEXT, "tcode"},
    {112, O_IPS, "netinfo-server-address"},
    {113, O_TEXT, "netinfo-server-tag"},
    {114, O_TEXT, "default-url"},
    {116, O_U8, "auto-config"},
    {117, O_U16S, "name-service-search"},
    {118, O_IP, "subnet-selection"},
    {119, O_NAMES, "domain-search"},
    {121, O_U8S, "rfc3442-classless-static-routes"},
    {137, O_NAMES, "v4-lost"},
    {138, O_IPS, "capwap-ac-v4"},
    {141, O_NAMES, "sip-ua-cs-domains"},
    {142, O_IPS, "ipv4-address-andsf"},
    {150, O_IPS, "tftp-server-address"},
    {160, O_TEXT, "v4-captive-portal"},
    {209, O_TEXT, "loader-configfile"},
    {210, O_TEXT, "loader-pathprefix"},
    {211, O_U32, "loader-reboottime"},
    {213, O_NAMES, "v4-access-domain"},
    {252, O_TEXT, "wpad"},
};

const char *const dhcp_opt_names[] = {"subnet-mask",
				      "time-offset",
				      "routers",
				      "time-servers",
				      "domain-name-servers",
				      "log-servers",
				      "host-name",
				      "domain-name",
				      "root-path",
				      "interface-mtu",
				      "broadcast-address",
				      "static-routes",
				      "nis-domain",
				      "nis-servers",
				      "ntp-servers",
				      "vendor-encapsulated-options",
				      "netbios-name-servers",
				      "netbios-dd-server",
				      "netbios-node-type",
				      "netbios-scope",
				      "dhcp-renewal-time",
				      "dhcp-rebinding-time",
				      "vendor-class-identifier",
				      "tftp-server-name",
				      "bootfile-name",
				      "domain-search",
				      "rfc3442-classless-static-routes",
				      "wpad",
				      NULL};

static const struct opt_row *
row_of_code(uint8_t code)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].code == code)
			return &rows[i];
	}
	return NULL;
}

const char *
dhcp_opt_name(uint8_t code)
{
	const struct opt_row *r = row_of_code(code);

	return r ? r->name : NULL;
}

bool
dhcp_opt_is_own(uint8_t code, const char **instead)
{
	static const uint8_t codes[] = {50, 51, 52, 53, 54, 55, 56, 57, 61, 82};

	*instead = code == 51 ? "default-lease-time" : code == 54 ? "server-identifier" : NULL;
	return memchr(codes, code, sizeof(codes)) != NULL;
}

uint8_t
dhcp_opt_code(const char *name)
{
	uint32_t code;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcasecmp(rows[i].name, name) == 0)
			return rows[i].code;
	}
	if (strncasecmp(name, "option-", 7) == 0 && word_u32(word_of(name + 7), 254, &code))
		return (uint8_t)code;
	return 0;
}

/* --- text -> bytes --- */

#define VALUE_MAX 4096 /* octets of one option; more would not fit into a message anyway */

static bool
word_num(struct word w, int64_t min, int64_t max, int64_t *out)
{
	bool neg = w.len && w.s[0] == '-';
	uint32_t v;

	if (!word_u32(neg ? word_skip(w, 1) : w, UINT32_MAX, &v))
		return false;
	*out = neg ? -(int64_t)v : v;
	return *out >= min && *out <= max;
}

static bool
put_number(struct wr *out, struct word w, enum opt_type type)
{
	int64_t v;
	bool yes;

	switch (type) {
	case O_FLAG:
		if (!word_bool(w, &yes))
			return false;
		wr_u8(out, yes);
		return true;
	case O_U8:
	case O_U8S:
		if (!word_num(w, 0, UINT8_MAX, &v))
			return false;
		wr_u8(out, (uint8_t)v);
		return true;
	case O_U16:
	case O_U16S:
		if (!word_num(w, 0, UINT16_MAX, &v))
			return false;
		wr_be16(out, (uint16_t)v);
		return true;
	case O_U32:
	case O_I32:
		if (!word_num(w, type == O_I32 ? INT32_MIN : 0,
			      type == O_I32 ? INT32_MAX : UINT32_MAX, &v))
			return false;
		wr_be32(out, (uint32_t)v);
		return true;
	case O_IP:
	case O_IPS:
	case O_PAIRS:
	case O_TEXT:
	case O_HEX:
	case O_NAMES:
		break;
	}
	return false;
}

static bool
put_ip(struct wr *out, struct word w)
{
	struct ip4 ip;

	if (!word_ip4(w, &ip))
		return false;
	wr_be32(out, ip.h);
	return true;
}

/* 01:02:ff with one or two digits each. */
static bool
put_hex(struct wr *out, struct word w)
{
	size_t i = 0;

	while (i < w.len) {
		unsigned v = 0, n = 0;

		for (; n < 2 && i < w.len && w.s[i] != ':'; n++, i++) {
			int digit = hex_digit(w.s[i]);

			if (digit < 0)
				return false;
			v = v * 16 + (unsigned)digit;
		}
		if (n == 0 || (i < w.len && w.s[i] != ':'))
			return false;
		wr_u8(out, (uint8_t)v);
		if (i < w.len && ++i == w.len)
			return false; /* a colon at the end */
	}
	return true;
}

/* A domain name as length-prefixed labels. */
static bool
put_name(struct wr *out, struct word w)
{
	size_t total = 0;

	if (w.len && w.s[w.len - 1] == '.')
		w.len--;
	while (w.len) {
		const char *dot = memchr(w.s, '.', w.len);
		size_t n = dot ? (size_t)(dot - w.s) : w.len;

		if (n == 0 || n > 63 || (total += n + 1) > 254)
			return false;
		for (size_t i = 0; i < n; i++) {
			if (!isalnum((unsigned char)w.s[i]) && w.s[i] != '-' && w.s[i] != '_')
				return false;
		}
		wr_u8(out, (uint8_t)n);
		wr_bytes(out, w.s, n);
		w = word_skip(w, n + (dot ? 1 : 0));
		if (dot && w.len == 0)
			return false;
	}
	wr_u8(out, 0);
	return total > 0;
}

static const char *
type_words(enum opt_type type)
{
	switch (type) {
	case O_IP:
		return "an IPv4 address";
	case O_IPS:
		return "IPv4 addresses separated by commas";
	case O_PAIRS:
		return "pairs of IPv4 addresses";
	case O_TEXT:
		return "a text in quotes";
	case O_U8:
		return "a number from 0 to 255";
	case O_U16:
		return "a number from 0 to 65535";
	case O_U32:
		return "a number from 0 to 4294967295";
	case O_I32:
		return "a number of 32 bits with sign";
	case O_FLAG:
		return "on or off";
	case O_U8S:
		return "numbers from 0 to 255 separated by commas";
	case O_U16S:
		return "numbers from 0 to 65535 separated by commas";
	case O_HEX:
		return "octets like 01:02:ff, or a text in quotes";
	case O_NAMES:
		return "domain names in quotes separated by commas";
	}
	return "";
}

static bool
put_one(struct wr *out, const struct dl *l, enum opt_type type)
{
	struct word w = l->tok.w;

	if (l->tok.kind != DL_WORD && l->tok.kind != DL_STRING)
		return false;
	switch (type) {
	case O_IP:
	case O_IPS:
	case O_PAIRS:
		return put_ip(out, w);
	case O_TEXT:
		dl_put_text(out, &l->tok);
		return true;
	case O_HEX:
		if (l->tok.kind == DL_WORD)
			return put_hex(out, w);
		dl_put_text(out, &l->tok);
		return true;
	case O_NAMES:
		return put_name(out, w);
	case O_U8:
	case O_U16:
	case O_U32:
	case O_I32:
	case O_FLAG:
	case O_U8S:
	case O_U16S:
		return put_number(out, w, type);
	}
	return false;
}

bool
dl_option_value(struct dl *l, struct arena *a, const char *name, struct dhcp_opt *out)
{
	uint8_t code = dhcp_opt_code(name), buf[VALUE_MAX];
	const struct opt_row *r = row_of_code(code);
	enum opt_type type = r ? r->type : O_HEX;
	bool list =
	    type == O_IPS || type == O_PAIRS || type == O_U8S || type == O_U16S || type == O_NAMES;
	struct wr w = wr_init(buf, sizeof(buf));

	*out = (struct dhcp_opt){.code = code, .pos = l->tok.pos};
	for (;;) {
		bool ok = put_one(&w, l, type);

		if (ok && type == O_PAIRS) {
			dl_next(l);
			ok = put_one(&w, l, type);
		}
		if (!ok) {
			struct word show = dl_show(l);

			diag_error(l->d, l->tok.pos, "option \"%s\" wants %s, not \"%.*s\"", name,
				   type_words(type), WORD_ARG(show));
			return false;
		}
		dl_next(l);
		if (!list || !dl_is(l, ','))
			break;
		dl_next(l);
	}
	if (l->tok.kind != DL_END && !dl_is(l, ';')) {
		diag_error(l->d, l->tok.pos, "option \"%s\" wants %s; \"%.*s\" is too much", name,
			   type_words(type), WORD_ARG(l->tok.w));
		return false;
	}
	if (w.bad) {
		diag_error(l->d, out->pos, "option \"%s\" is longer than %d octets", name,
			   VALUE_MAX);
		return false;
	}
	out->len = (uint16_t)wr_len(&w);
	out->data = (const uint8_t *)arena_dup(a, (const char *)buf, out->len);
	return out->data;
}

bool
dhcp_opt_encode(struct dhcp_opt *out, struct arena *a, const char *name, const char *operands,
		struct conf_pos pos, struct diags *d)
{
	struct dl l;
	bool ok;

	if (dhcp_opt_code(name) == 0) {
		const char *hint = diag_did_you_mean(name, dhcp_opt_names);

		diag_error(d, pos, "unknown option \"%s\"%s%s%s", name,
			   hint ? ", did you mean \"" : "", hint ? hint : "", hint ? "\"?" : "");
		return false;
	}
	dl_init(&l, pos.file ? pos.file : "", operands, strlen(operands), d);
	ok = dl_option_value(&l, a, name, out);
	if (ok && l.tok.kind != DL_END) {
		diag_error(d, pos, "option \"%s\": \"%.*s\" is too much", name, WORD_ARG(l.tok.w));
		ok = false;
	}
	out->pos = pos;
	return ok;
}

/* --- bytes -> text --- */

static bool
is_text(const struct dhcp_opt *o)
{
	for (size_t i = 0; i < o->len; i++) {
		if (o->data[i] < 0x20 || o->data[i] >= 0x7f)
			return false;
	}
	return true;
}

static void
print_hex(struct strbuf *out, const struct dhcp_opt *o)
{
	for (size_t i = 0; i < o->len; i++)
		strbuf_addf(out, "%s%02x", i ? ":" : "", o->data[i]);
}

/* Appends a label's text; a byte that the reader would not take back cannot come from it. */
static void
print_names(struct strbuf *out, struct rd *r)
{
	strbuf_addc(out, '"');
	for (bool first = true;; first = false) {
		uint8_t n = rd_u8(r);
		const uint8_t *p = rd_bytes(r, n);

		if (n == 0 || !p)
			break;
		if (!first)
			strbuf_addc(out, '.');
		strbuf_addn(out, (const char *)p, n);
	}
	strbuf_addc(out, '"');
}

/* One element off the front of r. */
static void
print_one(struct strbuf *out, struct rd *r, enum opt_type type)
{
	switch (type) {
	case O_IP:
	case O_IPS:
		strbuf_add(out, IP4_STR((struct ip4){rd_be32(r)}));
		break;
	case O_PAIRS:
		strbuf_add(out, IP4_STR((struct ip4){rd_be32(r)}));
		strbuf_addf(out, " %s", IP4_STR((struct ip4){rd_be32(r)}));
		break;
	case O_U8:
	case O_U8S:
		strbuf_addf(out, "%u", rd_u8(r));
		break;
	case O_FLAG:
		strbuf_add(out, rd_u8(r) ? "on" : "off");
		break;
	case O_U16:
	case O_U16S:
		strbuf_addf(out, "%u", rd_be16(r));
		break;
	case O_U32:
		strbuf_addf(out, "%u", rd_be32(r));
		break;
	case O_I32:
		strbuf_addf(out, "%d", (int32_t)rd_be32(r));
		break;
	case O_NAMES:
		print_names(out, r);
		break;
	case O_TEXT:
	case O_HEX:
		break;
	}
}

void
dhcp_opt_print(struct strbuf *out, const struct dhcp_opt *o)
{
	const struct opt_row *row = row_of_code(o->code);
	enum opt_type type = row ? row->type : O_HEX;
	struct rd r = rd_init(o->data, o->len);

	if (row)
		strbuf_addf(out, "option %s ", row->name);
	else
		strbuf_addf(out, "option option-%u ", o->code);
	if (type == O_TEXT || o->len == 0 || (type == O_HEX && is_text(o))) {
		dl_print_string(out, o->data, o->len);
	} else if (type == O_HEX) {
		print_hex(out, o);
	} else {
		while (rd_left(&r)) {
			print_one(out, &r, type);
			if (rd_left(&r))
				strbuf_add(out, ", ");
		}
	}
	strbuf_addc(out, ';');
}
