/* SPDX-License-Identifier: GPL-2.0-or-later
 * networking_lex.c - bytes of `networking` -> commands. Pure; decides nothing about what they mean
 * together. Complaints about single lines are made here, once, while the reader runs.
 */
#include "conf/networking_lex.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "conf/conf.h"

#define LINES_MAX 100000

static const char *const known_keys[] = {"DHCP",
					 "DHCP_CFG_HASH",
					 "DISPLAY_NAME",
					 "HOSTONLY_NETMASK",
					 "HOSTONLY_SUBNET",
					 "HOSTONLY_UUID",
					 "NAT",
					 "NAT_PARAM_UDP_TIMEOUT",
					 "VIRTUAL_ADAPTER",
					 "VIRTUAL_ADAPTER_ADDR",
					 "MTU",
					 "INTERFACE",
					 "HOSTONLY_HOSTADDR",
					 "HOSTONLY",
					 "SAMBA",
					 "SAMBA_MACHINESID",
					 "SAMBA_SMBPASSWD",
					 "NAME",
					 "PROMISCUOUS",
					 NULL};

/* Without the add_ and remove_ in front; remove_answer is the exception that has no add_. */
static const char *const verbs[] = {"answer",         "nat_portfwd", "dhcp_mac_to_ip",
				    "bridge_mapping", "nat_prefix",  NULL};

static const char *const commands[] = {"answer",
				       "remove_answer",
				       "add_nat_portfwd",
				       "remove_nat_portfwd",
				       "add_dhcp_mac_to_ip",
				       "remove_dhcp_mac_to_ip",
				       "add_bridge_mapping",
				       "remove_bridge_mapping",
				       "add_nat_prefix",
				       "remove_nat_prefix",
				       NULL};

#define LEX_SAY(lx, sev, w, ...)                                                                   \
	do {                                                                                       \
		if ((lx)->d)                                                                       \
			diag_add((lx)->d, (sev), word_pos((lx)->file, &(lx)->line, (w)),           \
				 __VA_ARGS__);                                                     \
	} while (0)

void
nw_lex_init(struct nw_lex *lx, const char *file, const char *text, size_t len, struct diags *d)
{
	*lx = (struct nw_lex){.lines = lines_init(text, len), .file = file, .d = d};
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		lx->lines.off = 3; /* byte order mark, as some Windows editors leave */
}

void
nw_lex_init_at(struct nw_lex *lx, const char *text, size_t from, size_t to)
{
	nw_lex_init(lx, "", text, to, NULL);
	if (from == 0)
		return;
	lx->lines.off = from;
	lx->seen_version = true;
}

bool
nw_key_is_word(const char *key)
{
	static const char *const word_keys[] = {"DHCP",
						"DHCP_CFG_HASH",
						"HOSTONLY_NETMASK",
						"HOSTONLY_SUBNET",
						"HOSTONLY_UUID",
						"NAT",
						"NAT_PARAM_UDP_TIMEOUT",
						"VIRTUAL_ADAPTER",
						"VIRTUAL_ADAPTER_ADDR",
						"MTU",
						"INTERFACE",
						"HOSTONLY_HOSTADDR"};

	for (size_t i = 0; i < ARRAY_LEN(word_keys); i++) {
		if (strcmp(key, word_keys[i]) == 0)
			return true;
	}
	return false;
}

bool
nw_same_fact(const struct nw_cmd *a, const struct nw_cmd *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case NW_ANSWER:
		return a->n == b->n && strcmp(a->name, b->name) == 0;
	case NW_BRIDGE:
		return strcmp(a->name, b->name) == 0;
	case NW_FORWARD:
		return a->n == b->n && a->proto == b->proto && a->port == b->port &&
		       a->more == b->more && ip4_eq(a->host, b->host);
	case NW_RESERVATION:
		return a->n == b->n && mac_eq(a->mac, b->mac);
	case NW_NAT_PREFIX:
		return a->n == b->n && a->number == b->number;
	case NW_DEFAULT_BRIDGE:
		return true;
	case NW_NONE:
	case NW_VERSION:
	case NW_JUNK:
		break;
	}
	return false;
}

/* --- arguments; each complains and returns false when the word is missing or no such thing --- */

static bool
arg_word(struct nw_lex *lx, struct word *rest, struct word *out, const char *what)
{
	if (word_next(rest, out))
		return true;
	LEX_SAY(lx, DIAG_WARNING, *out, "%s is missing; the line is ignored", what);
	return false;
}

static bool
arg_net(struct nw_lex *lx, struct word *rest, unsigned *n)
{
	struct word w;
	uint32_t v;

	if (!arg_word(lx, rest, &w, "the network number"))
		return false;
	if (!word_u32(w, CONF_NETS - 1, &v)) {
		LEX_SAY(lx, DIAG_WARNING, w,
			"not a network number from 0 to 255: \"%.*s\"; the line is ignored",
			WORD_ARG(w));
		return false;
	}
	*n = v;
	return true;
}

/* A network number or -1. */
static bool
arg_net_or_none(struct nw_lex *lx, struct nw_cmd *c, struct word *rest)
{
	struct word w;
	uint32_t v;

	if (!arg_word(lx, rest, &w, "the network number"))
		return false;
	c->value = w;
	if (word_eq(w, "-1")) {
		c->number = -1;
		return true;
	}
	if (!word_u32(w, CONF_NETS - 1, &v)) {
		LEX_SAY(lx, DIAG_WARNING, w,
			"not a network number from 0 to 255 or -1: \"%.*s\"; the line is ignored",
			WORD_ARG(w));
		return false;
	}
	c->number = (int)v;
	return true;
}

static void
not_a_port(struct nw_lex *lx, struct word w, const char *what)
{
	LEX_SAY(lx, DIAG_WARNING, w,
		"not a port number from 1 to 65535%s: \"%.*s\"; the line is ignored",
		conf_word_is_wide(w) ? what : "", WORD_ARG(w));
}

static bool
arg_host_ports(struct nw_lex *lx, struct nw_cmd *c, struct word *rest, struct word *w)
{
	struct host_ports p;

	if (!arg_word(lx, rest, w, "the host port"))
		return false;
	if (!host_ports_parse(&p, w->s, w->len)) {
		not_a_port(lx, *w, CONF_WIDE_PORTS);
		return false;
	}
	c->host = p.host;
	c->port = p.first;
	c->more = p.more;
	return true;
}

static bool
arg_guest_ports(struct nw_lex *lx, struct nw_cmd *c, struct word *rest, struct word host)
{
	struct word w;
	uint16_t more;

	if (!arg_word(lx, rest, &w, "the guest port"))
		return false;
	if (!port_range_parse(&c->guest_port, &more, w.s, w.len)) {
		not_a_port(lx, w, " or a range like 9000-9010");
		return false;
	}
	if (more == c->more)
		return true;
	LEX_SAY(lx, DIAG_WARNING, w, CONF_UNEQUAL_RANGES "; the line is ignored", WORD_ARG(host),
		c->more + 1u, WORD_ARG(w), more + 1u);
	return false;
}

static bool
arg_ip(struct nw_lex *lx, struct word *rest, struct word *w, struct ip4 *ip)
{
	if (!arg_word(lx, rest, w, "the IPv4 address"))
		return false;
	if (!word_ip4(*w, ip)) {
		LEX_SAY(lx, DIAG_WARNING, *w, "not an IPv4 address: \"%.*s\"; the line is ignored",
			WORD_ARG(*w));
		return false;
	}
	return true;
}

/* From the first byte of a to the last of b. */
static struct word
word_join(struct word a, struct word b)
{
	return (struct word){a.s, (size_t)(b.s + b.len - a.s)};
}

/* --- one function per verb: the words behind it into *c --- */

/* VNET_<n>_<KEY>: into n and name. */
static bool
parse_key(struct nw_cmd *c, struct word w)
{
	size_t i = 5;
	uint32_t n;

	if (!word_has_prefix(w, "VNET_"))
		return false;
	while (i < w.len && isdigit((unsigned char)w.s[i]))
		i++;
	if (!word_u32((struct word){w.s + 5, i - 5}, CONF_NETS - 1, &n))
		return false;
	if (i + 1 >= w.len || w.s[i] != '_' || w.len - i - 1 > NW_KEY_MAX)
		return false;
	w = word_skip(w, i + 1);
	for (i = 0; i < w.len; i++) {
		if (!isalnum((unsigned char)w.s[i]) && w.s[i] != '_')
			return false;
		c->name[i] = (char)toupper((unsigned char)w.s[i]);
	}
	c->name[w.len] = '\0';
	c->n = n;
	return true;
}

static void
check_key(struct nw_lex *lx, const struct nw_cmd *c, struct word key)
{
	const char *hint;

	for (size_t i = 0; known_keys[i]; i++) {
		if (strcmp(c->name, known_keys[i]) == 0)
			return;
	}
	hint = diag_did_you_mean(c->name, known_keys);
	if (hint)
		LEX_SAY(lx, DIAG_WARNING, key,
			"unknown key \"%.*s\" has no effect, did you mean \"VNET_%u_%s\"?",
			WORD_ARG(key), c->n, hint);
	else
		LEX_SAY(lx, DIAG_NOTICE, key, "unknown key \"%.*s\" has no effect", WORD_ARG(key));
}

static bool
parse_answer(struct nw_lex *lx, struct nw_cmd *c, struct word rest)
{
	struct word key, first;

	if (!arg_word(lx, &rest, &key, "the key"))
		return false;
	c->text = word_trim(rest);
	if (word_ieq(key, "VNL_DEFAULT_BRIDGE_VNET")) {
		c->kind = NW_DEFAULT_BRIDGE;
		return c->remove || arg_net_or_none(lx, c, &rest);
	}
	if (!parse_key(c, key)) {
		if (word_is_ifname(key) && !word_has_prefix(key, "VNET_"))
			LEX_SAY(lx, DIAG_WARNING, key,
				"\"%.*s\" is no VNET_ key and has no effect, did you mean "
				"\"add_bridge_mapping %.*s %.*s\"?",
				WORD_ARG(key), WORD_ARG(key), WORD_ARG(c->text));
		else
			LEX_SAY(lx, DIAG_WARNING, key,
				"not a key of the form VNET_0_NAME to VNET_255_NAME: \"%.*s\"; "
				"the line is ignored",
				WORD_ARG(key));
		return false;
	}
	c->kind = NW_ANSWER;
	check_key(lx, c, key);
	if (memcmp(key.s, "VNET_", 5) != 0 ||
	    memcmp(key.s + key.len - strlen(c->name), c->name, strlen(c->name)) != 0)
		LEX_SAY(lx, DIAG_NOTICE, key,
			"\"%.*s\" should be upper case; other tools do not read it", WORD_ARG(key));
	if (nw_key_is_word(c->name) && word_next(&rest, &first))
		c->value = first;
	else
		c->value = c->text;
	return true;
}

static bool
parse_bridge(struct nw_lex *lx, struct nw_cmd *c, struct word rest)
{
	struct word w;

	c->kind = NW_BRIDGE;
	if (!arg_word(lx, &rest, &w, "the interface name"))
		return false;
	if (!word_is_ifname(w)) {
		LEX_SAY(lx, DIAG_WARNING, w, "not an interface name: \"%.*s\"; the line is ignored",
			WORD_ARG(w));
		return false;
	}
	memcpy(c->name, w.s, w.len);
	return c->remove || arg_net_or_none(lx, c, &rest);
}

static bool
parse_forward(struct nw_lex *lx, struct nw_cmd *c, struct word rest)
{
	struct word w, host, first;

	c->kind = NW_FORWARD;
	if (!arg_net(lx, &rest, &c->n) || !arg_word(lx, &rest, &w, "the protocol"))
		return false;
	c->proto = word_ieq(w, "udp") ? CONF_UDP : CONF_TCP;
	if (!word_ieq(w, "tcp") && !word_ieq(w, "udp")) {
		LEX_SAY(lx, DIAG_WARNING, w,
			"not \"tcp\" or \"udp\": \"%.*s\"; the line is ignored", WORD_ARG(w));
		return false;
	}
	if (!arg_host_ports(lx, c, &rest, &host))
		return false;
	if (c->remove)
		return true; /* guest address, port and description may follow and say nothing */
	if (!arg_ip(lx, &rest, &first, &c->ip) || !arg_guest_ports(lx, c, &rest, host))
		return false;
	c->text = word_trim(rest);
	c->value = word_join(first, c->text.len ? c->text : (struct word){rest.s, 0});
	return true;
}

static bool
parse_reservation(struct nw_lex *lx, struct nw_cmd *c, struct word rest)
{
	struct word w;

	c->kind = NW_RESERVATION;
	if (!arg_net(lx, &rest, &c->n) || !arg_word(lx, &rest, &w, "the MAC address"))
		return false;
	if (!word_mac(w, &c->mac)) {
		LEX_SAY(lx, DIAG_WARNING, w, "not a MAC address: \"%.*s\"; the line is ignored",
			WORD_ARG(w));
		return false;
	}
	return c->remove || arg_ip(lx, &rest, &c->value, &c->ip);
}

static bool
parse_nat_prefix(struct nw_lex *lx, struct nw_cmd *c, struct word rest)
{
	struct word w;
	uint32_t len;

	c->kind = NW_NAT_PREFIX;
	if (!arg_net(lx, &rest, &c->n) || !arg_word(lx, &rest, &w, "the prefix length"))
		return false;
	if (w.s[0] != '/' || !word_u32(word_skip(w, 1), 128, &len)) {
		LEX_SAY(lx, DIAG_WARNING, w,
			"not a prefix length from /0 to /128: \"%.*s\"; the line is ignored",
			WORD_ARG(w));
		return false;
	}
	c->number = (int)len;
	return true;
}

/* --- lines --- */

/* Vagrant writes reservations without line ends: in such a line the next command may begin right
 * behind an address. Returns where, or the line's length. */
static size_t
find_glued(struct word w)
{
	for (size_t i = 1; i < w.len; i++) {
		for (size_t k = 0; commands[k]; k++) {
			size_t n = strlen(commands[k]);

			/* A letter in front: "answer" of "remove_answer" is not a command. */
			if (isalpha((unsigned char)w.s[i - 1]) || w.s[i - 1] == '_')
				break;
			if (w.len - i > n && word_has_prefix(word_skip(w, i), commands[k]) &&
			    (w.s[i + n] == ' ' || w.s[i + n] == '\t'))
				return i;
		}
	}
	return w.len;
}

/* Which verb; -1: none. Sets c->remove. */
static int
find_verb(struct nw_cmd *c, struct word w)
{
	bool add = word_has_prefix(w, "add_");

	c->remove = word_has_prefix(w, "remove_");
	if (add || c->remove)
		w = word_skip(w, add ? 4 : 7);
	for (int i = 0; verbs[i]; i++) {
		if (word_ieq(w, verbs[i]))
			return (i == 0 ? !add : add || c->remove) ? i : -1;
	}
	return -1;
}

static void
parse_command(struct nw_lex *lx, struct nw_cmd *c, struct word w)
{
	struct word rest = w, verb;
	char text[33] = "";
	const char *hint;
	bool ok = false;

	word_next(&rest, &verb);
	switch (find_verb(c, verb)) {
	case 0:
		ok = parse_answer(lx, c, rest);
		break;
	case 1:
		ok = parse_forward(lx, c, rest);
		break;
	case 2:
		ok = parse_reservation(lx, c, rest);
		break;
	case 3:
		ok = parse_bridge(lx, c, rest);
		break;
	case 4:
		ok = parse_nat_prefix(lx, c, rest);
		break;
	default:
		if (verb.len < sizeof(text))
			memcpy(text, verb.s, verb.len);
		hint = diag_did_you_mean(text, commands);
		if (hint)
			LEX_SAY(lx, DIAG_WARNING, verb,
				"unknown command \"%.*s\", did you mean \"%s\"?", WORD_ARG(verb),
				hint);
		else
			LEX_SAY(lx, DIAG_WARNING, verb,
				"unknown command \"%.*s\"; the line is ignored", WORD_ARG(verb));
		break;
	}
	for (size_t i = 0; ok && i < verb.len; i++) {
		if (isupper((unsigned char)verb.s[i])) {
			LEX_SAY(lx, DIAG_NOTICE, verb,
				"\"%.*s\" should be lower case; other tools do not read it",
				WORD_ARG(verb));
			break;
		}
	}
	if (!ok)
		c->kind = NW_JUNK;
}

static void
check_version(struct nw_lex *lx, struct nw_cmd *c, struct word w)
{
	if (word_eq(w, "VERSION=1,0")) {
		c->kind = NW_VERSION;
		lx->seen_version = true;
		return;
	}
	lx->failed = true;
	if (word_has_prefix(w, "VERSION"))
		LEX_SAY(lx, DIAG_ERROR, w,
			"unsupported version \"%.*s\"; only \"VERSION=1,0\" is known", WORD_ARG(w));
	else
		LEX_SAY(lx, DIAG_ERROR, w, "the first line must be \"VERSION=1,0\", not \"%.*s\"",
			WORD_ARG(w));
}

static bool
at_end(struct nw_lex *lx)
{
	if (lx->seen_version || lx->failed)
		return false;
	lx->failed = true;
	if (lx->d)
		diag_error(lx->d, ((struct conf_pos){lx->file, 1, 1}),
			   "the first line must be \"VERSION=1,0\" and there is none; "
			   "remove the file and vnetd makes a default one");
	return false;
}

bool
nw_lex_next(struct nw_lex *lx, struct nw_cmd *c)
{
	struct word w;
	size_t cut;

	*c = (struct nw_cmd){0};
	if (lx->failed)
		return false;
	if (lx->glued) {
		w = lx->rest;
	} else {
		if (!lines_next(&lx->lines, &lx->line))
			return at_end(lx);
		w = lx->line.w;
		if (lx->line.no > LINES_MAX) {
			LEX_SAY(lx, DIAG_ERROR, w, "more than %d lines; the rest is ignored",
				LINES_MAX);
			lx->lines.off = lx->lines.len;
			return at_end(lx);
		}
	}
	lx->glued = false;
	w = word_trim(w);
	if (w.len && (word_has_prefix(w, "add_dhcp_mac_to_ip") ||
		      word_has_prefix(w, "remove_dhcp_mac_to_ip"))) {
		cut = find_glued(w);
		lx->rest = word_skip(w, cut);
		lx->glued = cut < w.len;
		w = word_trim((struct word){w.s, cut});
	}
	c->line = lx->line;
	c->start = (size_t)(w.s - lx->lines.text);
	c->end = c->start + w.len;
	if (w.len == 0 || w.s[0] == '#')
		return true;
	if (lx->seen_version && word_has_prefix(w, "VERSION="))
		c->kind = NW_JUNK; /* files pasted together; it was checked at the top */
	else if (lx->seen_version)
		parse_command(lx, c, w);
	else
		check_version(lx, c, w);
	return !lx->failed;
}
