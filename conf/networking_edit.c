/* SPDX-License-Identifier: GPL-2.0-or-later
 * networking_edit.c - one fact of `networking` changed, every other byte kept. Pure: text in, text
 * out. An edit replaces the bytes of the last command about the fact, or adds one line, or cuts
 * the commands about it out; the result, read again, says the new fact and all the old others.
 */
#include "conf/networking.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "conf/networking_lex.h"
#include "lib/strbuf.h"

/* What is in the text about one fact. */
struct found {
	struct nw_cmd last; /* the command in force; kind NW_NONE: none */
	size_t after;       /* where a new line belongs */
	const char *eol;    /* line end of the line in front of it */
	bool after_open;    /* that line has no line end */
};

/* 2: a new line about `want` belongs right behind c. 1: behind it, if there is no 2. */
static int
neighbour(const struct nw_cmd *c, const struct nw_cmd *want)
{
	if (c->kind == NW_NONE)
		return 0;
	if (want->kind == NW_ANSWER)
		return c->kind == NW_ANSWER ? (c->n == want->n ? 2 : c->n < want->n)
					    : c->kind == NW_VERSION;
	return 1;
}

static void
find(struct found *f, const char *text, size_t len, const struct nw_cmd *want)
{
	struct nw_lex lx;
	struct nw_cmd c;
	int best = 0, rank;

	*f = (struct found){.after = len, .eol = "\n"};
	nw_lex_init(&lx, "", text, len, NULL);
	while (nw_lex_next(&lx, &c)) {
		if (nw_same_fact(&c, want))
			f->last = c;
		rank = neighbour(&c, want);
		if (rank && rank >= best) {
			best = rank;
			f->after = c.line.next;
			f->eol = line_end(text, &c.line);
			/* A lone CR ends a line for us, but not for everybody. */
			f->after_open = c.line.next == 0 || text[c.line.next - 1] != '\n';
		}
	}
}

static void
splice(struct strbuf *out, const char *text, size_t len, size_t from, size_t to, const char *s)
{
	strbuf_addn(out, text, from);
	strbuf_add(out, s);
	strbuf_addn(out, text + to, len - to);
}

/* `line` is the whole command without line end, `value` its changeable part. */
static void
set_fact(struct strbuf *out, const char *text, size_t len, const struct nw_cmd *want,
	 const char *line, const char *value)
{
	struct found f;
	size_t from;

	find(&f, text, len, want);
	if (f.last.kind != NW_NONE && !f.last.remove) {
		from = (size_t)(f.last.value.s - text);
		/* An empty value at the end of a line may lack the blank in front of it. */
		strbuf_addn(out, text, from);
		if (from && text[from - 1] != ' ' && text[from - 1] != '\t')
			strbuf_addc(out, ' ');
		strbuf_add(out, value);
		from += f.last.value.len;
		strbuf_addn(out, text + from, len - from);
	} else if (f.last.kind != NW_NONE) {
		splice(out, text, len, f.last.start, f.last.end, line);
	} else {
		strbuf_addn(out, text, f.after);
		if (f.after_open)
			strbuf_add(out, f.eol);
		strbuf_add(out, line);
		strbuf_add(out, f.eol);
		strbuf_addn(out, text + f.after, len - f.after);
	}
}

/* Cuts every command out of the lines in [from, to) for which `drop` holds: with its line when it is alone
 * there. */
static void
cut_lines(struct strbuf *out, const char *text, size_t from, size_t to,
	  bool (*drop)(const struct nw_cmd *c, const struct nw_cmd *want),
	  const struct nw_cmd *want)
{
	struct nw_lex lx;
	struct nw_cmd c;
	size_t kept = from, line = 0, line_from = from;
	bool some = false; /* a command of this line stays */

	nw_lex_init_at(&lx, text, from, to);
	while (nw_lex_next(&lx, &c)) {
		if (line != c.line.no) {
			line = c.line.no;
			line_from = c.line.start;
			some = false;
		}
		if (c.kind == NW_NONE || !drop(&c, want)) {
			some = true;
			continue;
		}
		if (!some && !lx.glued) { /* nothing of the line is left */
			strbuf_addn(out, text + kept, kept < line_from ? line_from - kept : 0);
			kept = c.line.next;
			continue;
		}
		strbuf_addn(out, text + kept, c.start - kept);
		kept = c.end;
	}
	strbuf_addn(out, text + kept, to - kept);
}

static void
cut(struct strbuf *out, const char *text, size_t len,
    bool (*drop)(const struct nw_cmd *c, const struct nw_cmd *want), const struct nw_cmd *want)
{
	cut_lines(out, text, 0, len, drop, want);
}

static bool
same_fact(const struct nw_cmd *c, const struct nw_cmd *want)
{
	return nw_same_fact(c, want);
}

static bool
about_net(const struct nw_cmd *c, const struct nw_cmd *want)
{
	switch (c->kind) {
	case NW_ANSWER:
	case NW_FORWARD:
	case NW_RESERVATION:
	case NW_NAT_PREFIX:
		return c->n == want->n;
	case NW_BRIDGE:
	case NW_DEFAULT_BRIDGE:
	case NW_NONE:
	case NW_VERSION:
	case NW_JUNK:
		break;
	}
	return false;
}

/* Text from callers must stay on its line. */
static void
add_one_line(struct strbuf *out, const char *s)
{
	for (; *s; s++)
		strbuf_addc(out, *s == '\n' || *s == '\r' ? ' ' : *s);
}

void
networking_set_answer(struct strbuf *out, const char *text, size_t len, unsigned n, const char *key,
		      const char *value)
{
	struct nw_cmd want = {.kind = NW_ANSWER, .n = n};
	struct strbuf line, clean;

	strncpy(want.name, key, NW_KEY_MAX);
	if (!value) {
		cut(out, text, len, same_fact, &want);
		return;
	}
	strbuf_init(&line);
	strbuf_init(&clean);
	add_one_line(&clean, value);
	strbuf_addf(&line, "answer VNET_%u_%s %s", n, key, strbuf_str(&clean));
	set_fact(out, text, len, &want, strbuf_str(&line), strbuf_str(&clean));
	strbuf_fini(&clean);
	strbuf_fini(&line);
}

void
networking_set_bridge(struct strbuf *out, const char *text, size_t len, const char *ifname, int n)
{
	struct nw_cmd want = {.kind = NW_BRIDGE};
	char line[64 + NW_KEY_MAX], value[16];

	strncpy(want.name, ifname, NW_KEY_MAX);
	if (n == NW_DEFAULT_BRIDGE_UNSET) {
		cut(out, text, len, same_fact, &want);
		return;
	}
	snprintf(value, sizeof(value), "%d", n);
	snprintf(line, sizeof(line), "add_bridge_mapping %s %d", want.name, n);
	set_fact(out, text, len, &want, line, value);
}

void
networking_set_default_bridge(struct strbuf *out, const char *text, size_t len, int n)
{
	struct nw_cmd want = {.kind = NW_DEFAULT_BRIDGE};
	char line[64], value[16];

	if (n == NW_DEFAULT_BRIDGE_UNSET) {
		cut(out, text, len, same_fact, &want);
		return;
	}
	snprintf(value, sizeof(value), "%d", n);
	snprintf(line, sizeof(line), "answer VNL_DEFAULT_BRIDGE_VNET %d", n);
	set_fact(out, text, len, &want, line, value);
}

/* Guest, port and description. */
static void
forward_value(struct strbuf *out, const struct conf_forward *f)
{
	char ports[PORT_RANGE_LEN];

	strbuf_addf(out, "%s %s", IP4_STR(f->guest), port_range_str(f->guest_port, f->more, ports));
	if (f->description && f->description[0]) {
		strbuf_addc(out, ' ');
		add_one_line(out, f->description);
	}
}

static void
forward_line(struct strbuf *out, unsigned n, const struct conf_forward *f, const char *value)
{
	char ports[HOST_PORTS_LEN];

	strbuf_addf(out, "add_nat_portfwd %u %s %s %s", n, conf_proto_str(f->proto),
		    host_ports_str(conf_forward_ports(f), ports), value);
}

static struct nw_cmd
forward_fact(unsigned n, const struct conf_forward *f)
{
	return (struct nw_cmd){.kind = NW_FORWARD,
			       .n = n,
			       .proto = f->proto,
			       .port = f->host_port,
			       .more = f->more,
			       .host = f->host};
}

void
networking_set_forward(struct strbuf *out, const char *text, size_t len, unsigned n,
		       const struct conf_forward *f)
{
	struct nw_cmd want = forward_fact(n, f);
	struct strbuf line, value;

	strbuf_init(&line);
	strbuf_init(&value);
	forward_value(&value, f);
	forward_line(&line, n, f, strbuf_str(&value));
	set_fact(out, text, len, &want, strbuf_str(&line), strbuf_str(&value));
	strbuf_fini(&value);
	strbuf_fini(&line);
}

void
networking_remove_forward(struct strbuf *out, const char *text, size_t len, unsigned n,
			  const struct conf_forward *f)
{
	struct nw_cmd want = forward_fact(n, f);

	cut(out, text, len, same_fact, &want);
}

/* --- forwards, of which there may be ten thousand: only the lines that matter are read --- */

enum {
	LINES_MAX = 100000, /* as networking_lex.c reads them */
	TAIL_LINES = 32,    /* comments at the end of a file that are looked through */
};

static bool
is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t
line_start(const char *text, size_t at)
{
	while (at > 0 && !is_line_end(text[at - 1]))
		at--;
	return at;
}

static size_t
line_after(const char *text, size_t len, size_t at)
{
	while (at < len && !is_line_end(text[at]))
		at++;
	if (at + 1 < len && text[at] == '\r' && text[at + 1] == '\n')
		at++;
	return at < len ? at + 1 : len;
}

/* The number at [at, to) may be a host port: the last letters in front of it are the protocol's. */
static bool
is_behind_proto(const char *text, size_t len, size_t at, size_t to, enum conf_proto proto)
{
	size_t blank;

	while (at > 0 && text[at - 1] == '0')
		at--;
	if (to < len && is_digit(text[to]))
		return false;
	for (blank = at; blank > 0 && isspace((unsigned char)text[blank - 1]);)
		blank--;
	return blank < at && blank >= 3 &&
	       strncasecmp(text + blank - 3, conf_proto_str(proto), 3) == 0;
}

/* The next line at or behind *at with a command about the fact; *at is then behind it. */
static bool
next_about(const char *text, size_t len, const struct nw_cmd *want, size_t *at, size_t *start)
{
	char digits[8];
	size_t n = (size_t)snprintf(digits, sizeof(digits), "%u", want->port);
	const char *hit;

	while ((hit = memmem(text + *at, len - *at, digits, n))) {
		size_t pos = (size_t)(hit - text);
		struct nw_lex lx;
		struct nw_cmd c;

		*at = pos + 1;
		if (!is_behind_proto(text, len, pos, pos + n, want->proto))
			continue;
		*start = line_start(text, pos);
		nw_lex_init_at(&lx, text, *start, line_after(text, len, pos));
		while (nw_lex_next(&lx, &c)) {
			if (!nw_same_fact(&c, want))
				continue;
			*at = line_after(text, len, pos);
			return true;
		}
	}
	return false;
}

/* Behind the last line that is a command; false: it is not near the end. */
static bool
end_of_commands(struct found *f, const char *text, size_t len)
{
	size_t to = len;

	for (int i = 0; i < TAIL_LINES && to > 0; i++) {
		size_t from = line_start(
		    text, to - 1 - (to > 1 && text[to - 1] == '\n' && text[to - 2] == '\r'));
		struct nw_lex lx;
		struct nw_cmd c;

		nw_lex_init_at(&lx, text, from, to);
		while (nw_lex_next(&lx, &c)) {
			if (c.kind == NW_NONE)
				continue;
			f->after = c.line.next;
			f->eol = line_end(text, &c.line);
			f->after_open = text[c.line.next - 1] != '\n';
			return true;
		}
		to = from;
	}
	return false;
}

static size_t
count_line_ends(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += is_line_end(text[i]);
	return n;
}

bool
networking_add_forward(struct strbuf *out, const char *text, size_t len, unsigned n,
		       const struct conf_forward *f)
{
	struct nw_cmd want = forward_fact(n, f);
	size_t at = 0, start;
	struct strbuf value;
	struct found end;

	if (next_about(text, len, &want, &at, &start) || !end_of_commands(&end, text, len) ||
	    count_line_ends(text, len) + 1 >= LINES_MAX)
		return false;
	strbuf_init(&value);
	forward_value(&value, f);
	strbuf_addn(out, text, end.after);
	if (end.after_open)
		strbuf_add(out, end.eol);
	forward_line(out, n, f, strbuf_str(&value));
	strbuf_add(out, end.eol);
	strbuf_addn(out, text + end.after, len - end.after);
	out->bad |= value.bad;
	strbuf_fini(&value);
	return true;
}

bool
networking_drop_forward(struct strbuf *out, const char *text, size_t len, unsigned n,
			const struct conf_forward *f)
{
	struct nw_cmd want = forward_fact(n, f);
	size_t at = 0, start, kept = 0;

	while (next_about(text, len, &want, &at, &start)) {
		strbuf_addn(out, text + kept, start - kept);
		cut_lines(out, text, start, at, same_fact, &want);
		kept = at;
	}
	strbuf_addn(out, text + kept, len - kept);
	return kept > 0;
}

void
networking_set_reservation(struct strbuf *out, const char *text, size_t len, unsigned n,
			   struct mac mac, struct ip4 ip)
{
	struct nw_cmd want = {.kind = NW_RESERVATION, .n = n, .mac = mac};
	char line[96];

	snprintf(line, sizeof(line), "add_dhcp_mac_to_ip %u %s %s", n, MAC_STR(mac), IP4_STR(ip));
	set_fact(out, text, len, &want, line, IP4_STR(ip));
}

void
networking_remove_reservation(struct strbuf *out, const char *text, size_t len, unsigned n,
			      struct mac mac)
{
	struct nw_cmd want = {.kind = NW_RESERVATION, .n = n, .mac = mac};

	cut(out, text, len, same_fact, &want);
}

/* Replaces *b by what an edit of it gives. */
#define EDIT(b, edit, ...)                                                                         \
	do {                                                                                       \
		struct strbuf next_;                                                               \
                                                                                                   \
		strbuf_init(&next_);                                                               \
		edit(&next_, strbuf_str(b), (b)->len, __VA_ARGS__);                                \
		next_.bad |= (b)->bad;                                                             \
		strbuf_fini(b);                                                                    \
		*(b) = next_;                                                                      \
	} while (0)

void
networking_remove_net(struct strbuf *out, const char *text, size_t len, unsigned n)
{
	struct nw_cmd want = {.n = n};
	struct networking nw;
	struct diags d;
	struct strbuf b;
	struct arena a;
	int bridge;

	arena_init(&a);
	diags_init(&d);
	strbuf_init(&b);
	networking_parse(&nw, &a, "", text, len, &d);
	cut(&b, text, len, about_net, &want);
	/* Mappings are facts about an interface: cutting only the line that names this network
	 * would bring an older, overridden one back into force. */
	for (size_t i = 0; i < nw.nbridges; i++) {
		if (nw.bridge[i].n == (int)n)
			EDIT(&b, networking_set_bridge, nw.bridge[i].ifname,
			     NW_DEFAULT_BRIDGE_UNSET);
	}
	/* Without the line, automatic bridging falls to vmnet0. */
	bridge = nw.default_bridge == NW_DEFAULT_BRIDGE_UNSET ? 0 : nw.default_bridge;
	if (nw.version_ok && bridge == (int)n)
		EDIT(&b, networking_set_default_bridge, -1);
	strbuf_addn(out, strbuf_str(&b), b.len);
	out->bad |= b.bad || a.bad;
	strbuf_fini(&b);
	diags_fini(&d);
	arena_fini(&a);
}
