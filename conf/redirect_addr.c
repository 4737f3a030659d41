/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_addr.c - addresses, hosts and entries of only_from and no_access. Pure: no name is
 * looked up.
 */
#include "conf/redirect_priv.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lib/strbuf.h"

static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};

/* --- addresses --- */

bool
redirect_ip_is4(struct redirect_ip ip)
{
	return memcmp(ip.b, v4_prefix, sizeof(v4_prefix)) == 0;
}

bool
redirect_ip_eq(struct redirect_ip a, struct redirect_ip b)
{
	return memcmp(a.b, b.b, sizeof(a.b)) == 0;
}

bool
redirect_ip_is_any(struct redirect_ip ip)
{
	static const struct redirect_ip any;

	if (redirect_ip_is4(ip))
		return memcmp(ip.b + 12, any.b, 4) == 0;
	return redirect_ip_eq(ip, any);
}

bool
redirect_ip_is_loopback(struct redirect_ip ip)
{
	static const struct redirect_ip one = {.b = {[15] = 1}};

	return redirect_ip_is4(ip) ? ip.b[12] == 127 : redirect_ip_eq(ip, one);
}

static bool
is_multicast(struct redirect_ip ip)
{
	if (redirect_ip_is4(ip)) /* and what is reserved behind it, the broadcast address too */
		return ip.b[12] >= 224;
	return ip.b[0] == 0xff;
}

static bool
is_link_local6(struct redirect_ip ip)
{
	return ip.b[0] == 0xfe && (ip.b[1] & 0xc0) == 0x80;
}

static struct redirect_ip
cut(struct redirect_ip ip, unsigned len)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned bits = len > i * 8 ? len - i * 8 : 0;

		if (bits < 8)
			ip.b[i] &= (uint8_t)(0xff00u >> bits);
	}
	return ip;
}

bool
redirect_ip_in(struct redirect_ip ip, struct redirect_ip net, unsigned len)
{
	return redirect_ip_eq(cut(ip, len), cut(net, len));
}

static struct redirect_ip
from_ip4(struct ip4 a)
{
	struct redirect_ip ip;

	memcpy(ip.b, v4_prefix, sizeof(v4_prefix));
	for (unsigned i = 0; i < 4; i++)
		ip.b[12 + i] = (uint8_t)(a.h >> (24 - 8 * i));
	return ip;
}

bool
redirect_ip_parse(struct redirect_ip *out, const char *s)
{
	struct redirect_ip ip;
	struct ip4 a;

	if (ip4_parse(&a, s)) {
		*out = from_ip4(a);
		return true;
	}
	if (inet_pton(AF_INET6, s, ip.b) != 1)
		return false;
	*out = ip;
	return true;
}

char *
redirect_ip_str(struct redirect_ip ip, char buf[REDIRECT_IP_STRLEN])
{
	bool four = redirect_ip_is4(ip);

	if (!inet_ntop(four ? AF_INET : AF_INET6, four ? ip.b + 12 : ip.b, buf, REDIRECT_IP_STRLEN))
		buf[0] = '\0';
	return buf;
}

static bool
word_ip(struct word w, struct redirect_ip *out)
{
	char buf[REDIRECT_IP_STRLEN];

	if (w.len == 0 || w.len >= sizeof(buf) || memchr(w.s, '\0', w.len))
		return false;
	memcpy(buf, w.s, w.len);
	buf[w.len] = '\0';
	return redirect_ip_parse(out, buf);
}

/* --- names --- */

/* Nothing but digits and dots: meant as an IPv4 address. */
static bool
looks_like_ip4(struct word w)
{
	for (size_t i = 0; i < w.len; i++) {
		if (!isdigit((unsigned char)w.s[i]) && w.s[i] != '.')
			return false;
	}
	return w.len > 0;
}

/* Labels of letters, digits, '-' and '_', with dots between them. */
static bool
host_name_ok(struct word w)
{
	size_t label = 0;

	if (w.len > REDIRECT_HOST_MAX || looks_like_ip4(w))
		return false;
	for (size_t i = 0; i < w.len; i++) {
		unsigned char c = (unsigned char)w.s[i];

		if (c == '.' && label == 0)
			return false;
		if (c != '.' && !isalnum(c) && c != '-' && c != '_')
			return false;
		label = c == '.' ? 0 : label + 1;
		if (label > 63 || (label == 1 && c == '-'))
			return false;
	}
	return label > 0;
}

/* In lower case, as names are compared; NULL without memory. */
static const char *
lower_dup(struct arena *a, struct word w)
{
	char *s = arena_dup(a, w.s, w.len);

	for (size_t i = 0; s && i < w.len; i++)
		s[i] = (char)tolower((unsigned char)s[i]);
	return s;
}

static struct word
without_root(struct word w)
{
	if (w.len > 1 && w.s[w.len - 1] == '.')
		w.len--;
	return w;
}

/* --- hosts --- */

static bool
host_zone(struct redirect_host *h, struct arena *a, struct redirect_word w, const char *percent,
	  struct diags *d)
{
	size_t n = (size_t)(percent - w.w.s);
	struct word zone = word_skip(w.w, n + 1);

	if (!word_ip((struct word){w.w.s, n}, &h->ip) || !is_link_local6(h->ip)) {
		diag_error(d, w.pos, "only a link-local IPv6 address has an interface: \"%.*s\"",
			   WORD_ARG(w.w));
		return false;
	}
	if (!word_is_ifname(zone)) {
		diag_error(d, w.pos, "\"%.*s\" is no name of an interface", WORD_ARG(zone));
		return false;
	}
	h->ifname = word_dup(a, zone);
	return h->ifname;
}

bool
redirect_host_parse(struct redirect_host *h, struct arena *a, struct redirect_word w,
		    struct diags *d)
{
	const char *percent = memchr(w.w.s, '%', w.w.len);
	struct word name = without_root(w.w);

	*h = (struct redirect_host){0};
	if (percent)
		return host_zone(h, a, w, percent, d);
	if (word_ip(w.w, &h->ip)) {
		if (is_multicast(h->ip)) {
			diag_error(d, w.pos, "\"%.*s\" is not the address of one host",
				   WORD_ARG(w.w));
			return false;
		}
		if (is_link_local6(h->ip)) {
			diag_error(d, w.pos,
				   "a link-local address needs its interface: \"%.*s%%eth0\"",
				   WORD_ARG(w.w));
			return false;
		}
		return true;
	}
	if (!host_name_ok(name)) {
		diag_error(d, w.pos, "\"%.*s\" is neither an IPv4 or IPv6 address nor a host name",
			   WORD_ARG(w.w));
		return false;
	}
	h->name = lower_dup(a, name);
	return h->name;
}

static bool
str_eq(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool
redirect_host_eq(const struct redirect_host *a, const struct redirect_host *b)
{
	if (!str_eq(a->name, b->name) || !str_eq(a->ifname, b->ifname))
		return false;
	return a->name || redirect_ip_eq(a->ip, b->ip);
}

void
redirect_host_print(struct strbuf *out, const struct redirect_host *h)
{
	char buf[REDIRECT_IP_STRLEN];

	strbuf_add(out, h->name ? h->name : redirect_ip_str(h->ip, buf));
	if (h->ifname)
		strbuf_addf(out, "%%%s", h->ifname);
}

/* --- entries of lists --- */

/* Where rules go to, or are removed from. */
struct target {
	struct redirect_rules *r;
	struct arena *a;
	struct redirect_word w; /* what is being read */
	bool del;
	struct diags *d;
};

#define TARGET_ERROR(t, ...) diag_error((t)->d, (t)->w.pos, __VA_ARGS__)

bool
redirect_rule_eq(const struct redirect_rule *a, const struct redirect_rule *b)
{
	if (a->kind != b->kind || !str_eq(a->name, b->name))
		return false;
	return a->kind != REDIRECT_NET || (a->len == b->len && redirect_ip_eq(a->ip, b->ip));
}

static bool
put(struct target *t, const struct redirect_rule *rule)
{
	struct redirect_rules *r = t->r;
	struct redirect_rule *v;
	size_t i = 0;

	while (i < r->n && !redirect_rule_eq(&r->v[i], rule))
		i++;
	if (t->del && i == r->n) {
		diag_warn(t->d, t->w.pos, "\"%.*s\" is not in the list, nothing is removed",
			  WORD_ARG(t->w.w));
		return true;
	}
	if (t->del) {
		memmove(&r->v[i], &r->v[i + 1], (r->n - i - 1) * sizeof(*r->v));
		r->n--;
		return true;
	}
	if (i < r->n)
		return true;
	if (r->n >= REDIRECT_RULES_MAX) {
		TARGET_ERROR(t, "\"%.*s\" is too much: a list has at most %d entries",
			     WORD_ARG(t->w.w), REDIRECT_RULES_MAX);
		return false;
	}
	v = arena_grow(t->a, r->v, r->n, sizeof(*v));
	if (!v)
		return false;
	r->v = v;
	v[r->n++] = *rule;
	return true;
}

static bool
put_net(struct target *t, struct redirect_ip ip, unsigned len)
{
	struct redirect_rule rule = {.kind = REDIRECT_NET, .len = (uint8_t)len, .ip = cut(ip, len)};

	return put(t, &rule);
}

/* Zeros at the right are wildcards: 10.1.0.0 is 10.1.0.0/16. */
static unsigned
wildcard_len(struct redirect_ip ip)
{
	unsigned len = 128;

	while (len > 96 && ip.b[len / 8 - 1] == 0)
		len -= 8;
	return len;
}

/* 10.1.{2,3}: the written components count, and the last of them is any of those in braces. */
static bool
factorized(struct target *t)
{
	struct word w = t->w.w;
	const char *brace = memchr(w.s, '{', w.len);
	struct redirect_ip ip = from_ip4((struct ip4){0});
	unsigned at = 12;
	struct word list;

	if (!brace || w.s[w.len - 1] != '}')
		goto bad;
	list = (struct word){brace + 1, (size_t)(w.s + w.len - 1 - (brace + 1))};
	for (const char *p = w.s; p < brace;) {
		const char *dot = memchr(p, '.', (size_t)(brace - p));
		uint32_t v;

		if (!dot || at >= 15 || !word_u32((struct word){p, (size_t)(dot - p)}, 255, &v))
			goto bad;
		ip.b[at++] = (uint8_t)v;
		p = dot + 1;
	}
	for (;;) {
		const char *comma = memchr(list.s, ',', list.len);
		struct word one = {list.s, comma ? (size_t)(comma - list.s) : list.len};
		uint32_t v;

		if (!word_u32(one, 255, &v))
			goto bad;
		ip.b[at] = (uint8_t)v;
		if (!put_net(t, ip, (at + 1) * 8))
			return false;
		if (!comma)
			return true;
		list = word_skip(list, one.len + 1);
	}
bad:
	TARGET_ERROR(t,
		     "\"%.*s\" is no address: the braces hold the last part, without blanks, as in "
		     "10.1.{2,3} or 10.1.2.{3,4}",
		     WORD_ARG(w));
	return false;
}

/* 10.0.0.0/8, 10.0.0.0/255.0.0.0, 2001:db8::/32. */
static bool
net_mask(struct target *t, const char *slash)
{
	struct word w = t->w.w, mask;
	size_t n = (size_t)(slash - w.s);
	unsigned base;
	struct redirect_ip ip;
	struct ip4 dotted;
	uint8_t bits;
	uint32_t len;

	mask = word_skip(w, n + 1);
	if (!word_ip((struct word){w.s, n}, &ip)) {
		TARGET_ERROR(
		    t,
		    "\"%.*s\" is no network: in front of \"/\" stands a whole address, as in "
		    "10.1.0.0/16",
		    WORD_ARG(w));
		return false;
	}
	/* ::ffff:1.2.3.4/120 is written as IPv6 and means 1.2.3.0/24. */
	base = redirect_ip_is4(ip) && !memchr(w.s, ':', n) ? 96 : 0;
	if (base && word_ip4(mask, &dotted) && ip4_mask_len(&bits, dotted))
		len = bits;
	else if (!word_u32(mask, 128 - base, &len)) {
		TARGET_ERROR(t, "\"%.*s\" behind \"/\" is no mask; it is a number from 0 to %u",
			     WORD_ARG(mask), 128 - base);
		return false;
	}
	return put_net(t, ip, base + len);
}

/* Names that Debian's /etc/networks gives: taken for hosts they would match nobody. */
static const char *
network_named(struct word w)
{
	static const char *const known[][2] = {
	    {"default", "0.0.0.0"}, {"loopback", "127.0.0.0/8"}, {"link-local", "169.254.0.0/16"}};

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (word_ieq(w, known[i][0]))
			return known[i][1];
	}
	return NULL;
}

static bool
named(struct target *t)
{
	struct word w = without_root(t->w.w), tail = w;
	const char *network = network_named(w);
	struct redirect_rule rule = {.kind = REDIRECT_NAME};

	if (network) {
		TARGET_ERROR(t, "names of networks are not looked up; write %s instead of \"%.*s\"",
			     network, WORD_ARG(w));
		return false;
	}
	if (w.s[0] == '.') {
		rule.kind = REDIRECT_DOMAIN;
		tail = word_skip(w, 1);
	}
	if (!host_name_ok(tail)) {
		TARGET_ERROR(
		    t,
		    "\"%.*s\" is no address, network, name of a host or .domain; a comment "
		    "has a line of its own",
		    WORD_ARG(t->w.w));
		return false;
	}
	if (rule.kind == REDIRECT_NAME && !memchr(w.s, '.', w.len) && !word_ieq(w, "localhost"))
		diag_notice(t->d, t->w.pos,
			    "\"%.*s\" is the name of a host; networks are given by their address",
			    WORD_ARG(w));
	rule.name = lower_dup(t->a, w);
	return rule.name && put(t, &rule);
}

bool
redirect_rules_apply(struct redirect_rules *r, struct arena *a, struct redirect_word w, bool del,
		     struct diags *d)
{
	struct target t = {.r = r, .a = a, .w = w, .del = del, .d = d};
	const char *slash = memchr(w.w.s, '/', w.w.len);
	struct redirect_ip ip;

	if (memchr(w.w.s, '{', w.w.len) || memchr(w.w.s, '}', w.w.len))
		return factorized(&t);
	if (slash)
		return net_mask(&t, slash);
	if (word_ip(w.w, &ip))
		return put_net(&t, ip, memchr(w.w.s, ':', w.w.len) ? 128 : wildcard_len(ip));
	if (looks_like_ip4(w.w)) {
		TARGET_ERROR(&t,
			     "\"%.*s\" is no IPv4 address: it has four parts from 0 to 255 without "
			     "leading zeros, as in 10.1.2.0",
			     WORD_ARG(w.w));
		return false;
	}
	return named(&t);
}

void
redirect_rule_print(struct strbuf *out, const struct redirect_rule *r)
{
	char buf[REDIRECT_IP_STRLEN];
	bool four;

	switch (r->kind) {
	case REDIRECT_NET:
		four = r->len >= 96 && redirect_ip_is4(r->ip);
		strbuf_addf(out, "%s/%u", redirect_ip_str(r->ip, buf),
			    four ? r->len - 96u : (unsigned)r->len);
		break;
	case REDIRECT_NAME:
	case REDIRECT_DOMAIN:
		strbuf_add(out, r->name);
		break;
	}
}
