/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsmsg.c - DNS header, question and records: decode, compare, answer with an error. Pure.
 */
#include <string.h>

#include "lib/wire.h"
#include "natd/dnsmsg.h"

/* What we take over UDP, as told in our own OPT records. */
#define OPT_SIZE     1232
#define OPT_DO       0x8000
#define NAME_MAX_LEN 255

/* Options that do not change what the answer says: cookies, which a server may leave out (RFC 7873 5.2), a
 * connection's time, padding. */
enum { OPTION_COOKIE = 10, OPTION_KEEPALIVE = 11, OPTION_PADDING = 12 };

/* Takes a name without compression: there is nothing before a question that it could point to. */
static void
take_name(struct rd *r)
{
	const uint8_t *start = r->p;
	uint8_t n;

	do {
		n = rd_u8(r);
		if (n > 63)
			r->bad = true;
		rd_bytes(r, n);
	} while (n != 0 && !r->bad);
	if (!r->bad && r->p - start > NAME_MAX_LEN)
		r->bad = true;
}

bool
dns_head_parse(struct dns_head *h, const uint8_t *msg, size_t len)
{
	struct rd r = rd_init(msg, len);
	uint16_t flags;

	memset(h, 0, sizeof(*h));
	h->id = rd_be16(&r);
	flags = rd_be16(&r);
	h->response = flags & DNS_FLAG_QR;
	h->opcode = (flags & DNS_OPCODE) >> 11;
	h->rcode = flags & 0xf;
	h->questions = rd_be16(&r);
	h->answers = rd_be16(&r);
	h->authorities = rd_be16(&r);
	h->additional = rd_be16(&r);
	if (r.bad)
		return false;
	if (h->questions == 1) {
		take_name(&r);
		rd_be16(&r);
		rd_be16(&r);
	}
	h->question_ok = h->questions <= 1 && !r.bad;
	h->end = h->question_ok ? (size_t)(r.p - msg) : DNS_HEADER_LEN;
	return true;
}

static uint8_t
fold(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

void
dns_question_fold(uint8_t *out, const uint8_t *question, size_t len)
{
	size_t name = len < 4 ? 0 : len - 4;

	for (size_t i = 0; i < name; i++)
		out[i] = fold(question[i]);
	memcpy(out + name, question + name, len - name);
}

bool
dns_question_eq(const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t name = len < 4 ? 0 : len - 4;

	/* Lengths of labels are below 'A', so that folding leaves them alone. */
	for (size_t i = 0; i < name; i++) {
		if (fold(a[i]) != fold(b[i]))
			return false;
	}
	return len == name || memcmp(a + name, b + name, len - name) == 0;
}

bool
dns_name_text(char out[DNS_TEXT_MAX], const uint8_t *msg, const struct dns_head *h)
{
	struct rd r = rd_init(msg + DNS_HEADER_LEN, h->end - DNS_HEADER_LEN);
	bool plain = true;
	size_t len = 0;
	uint8_t n;

	while ((n = rd_u8(&r)) != 0) {
		struct rd label = rd_sub(&r, n);

		if (len)
			out[len++] = '.';
		while (rd_left(&label) && len + 1 < DNS_TEXT_MAX) {
			uint8_t c = fold(rd_u8(&label));

			if (c <= ' ' || c == '.' || c >= 0x7f) {
				plain = false;
				c = '?';
			}
			out[len++] = (char)c;
		}
	}
	out[len] = '\0';
	return plain && len > 0;
}

bool
dns_is_transfer(const uint8_t *msg, const struct dns_head *h)
{
	enum { IXFR = 251, AXFR = 252 };
	unsigned type;

	if (h->opcode != 0 || h->questions != 1 || !h->question_ok)
		return false;
	type = (unsigned)(msg[h->end - 4] << 8 | msg[h->end - 3]);
	return type == IXFR || type == AXFR;
}

bool
dns_is_answer(const uint8_t *msg, size_t len, const uint8_t *query, size_t query_len)
{
	struct dns_head h, q;

	return dns_head_parse(&h, msg, len) && dns_head_parse(&q, query, query_len) && h.response &&
	       h.id == q.id && h.question_ok && h.end == q.end && !dns_is_refusal(h.rcode) &&
	       dns_question_eq(msg + DNS_HEADER_LEN, query + DNS_HEADER_LEN,
			       h.end - DNS_HEADER_LEN);
}

static void
take_options(struct dns_edns *e, struct rd *r)
{
	while (rd_left(r) && !r->bad) {
		uint16_t code = rd_be16(r);

		rd_bytes(r, rd_be16(r));
		e->special |=
		    code != OPTION_COOKIE && code != OPTION_KEEPALIVE && code != OPTION_PADDING;
	}
}

bool
dns_edns_parse(struct dns_edns *e, const uint8_t *msg, size_t len, const struct dns_head *h)
{
	struct rd r = rd_init(msg + h->end, len - h->end), options;
	uint8_t name, version;
	uint16_t type, flags;

	*e = (struct dns_edns){.size = DNS_UDP_MIN};
	if (!h->question_ok || h->answers || h->authorities)
		return false;
	if (!h->additional)
		return rd_left(&r) == 0;
	name = rd_u8(&r);
	type = rd_be16(&r);
	e->size = rd_be16(&r);
	rd_u8(&r); /* extended rcode */
	version = rd_u8(&r);
	flags = rd_be16(&r);
	options = rd_sub(&r, rd_be16(&r));
	if (e->size < DNS_UDP_MIN)
		e->size = DNS_UDP_MIN;
	if (r.bad || name != 0 || type != DNS_TYPE_OPT)
		return false;
	e->present = true;
	e->dnssec_ok = flags & OPT_DO;
	take_options(e, &options);
	return !options.bad && version == 0 && h->additional == 1 && rd_left(&r) == 0;
}

void
dns_skip_name(struct rd *r)
{
	uint8_t n;

	do {
		n = rd_u8(r);
		if (n >= 0xc0) {
			rd_u8(r);
			return;
		}
		if (n > 63)
			r->bad = true;
		rd_bytes(r, n);
	} while (n != 0 && !r->bad);
}

void
dns_walk_init(struct dns_walk *w, const uint8_t *msg, size_t len, const struct dns_head *h)
{
	*w = (struct dns_walk){
	    .msg = msg,
	    .len = len,
	    .at = h->end,
	    .left = {h->answers, h->authorities, h->additional},
	};
}

bool
dns_walk_next(struct dns_walk *w, struct dns_rr *rr)
{
	struct rd r = rd_init(w->msg + w->at, w->len - w->at);
	unsigned section = 0;

	while (section < DNS_SECTIONS && w->left[section] == 0)
		section++;
	if (section == DNS_SECTIONS || w->bad) {
		w->bad |= w->at != w->len;
		return false;
	}
	w->left[section]--;
	rr->section = (enum dns_section)section;
	rr->start = w->at;
	dns_skip_name(&r);
	rr->type = rd_be16(&r);
	rr->class = rd_be16(&r);
	rr->ttl_at = (size_t)(r.p - w->msg);
	rr->ttl = rd_be32(&r);
	if (rr->ttl > INT32_MAX)
		rr->ttl = 0;
	rr->len = rd_be16(&r);
	rr->data = (size_t)(r.p - w->msg);
	rd_bytes(&r, rr->len);
	w->bad = r.bad;
	w->at = (size_t)(r.p - w->msg);
	return !r.bad;
}

void
dns_put_opt(struct wr *w, bool dnssec_ok)
{
	wr_u8(w, 0);
	wr_be16(w, DNS_TYPE_OPT);
	wr_be16(w, OPT_SIZE);
	wr_be16(w, 0);
	wr_be16(w, dnssec_ok ? OPT_DO : 0);
	wr_be16(w, 0);
}

static size_t
make_empty(uint8_t *msg, size_t cap, const struct dns_head *h, const struct dns_edns *e,
	   uint16_t verdict)
{
	uint16_t flags = (uint16_t)(msg[2] << 8 | msg[3]);
	struct wr w = wr_init(msg, cap);

	wr_be16(&w, h->id);
	wr_be16(&w, (uint16_t)(DNS_FLAG_QR | (flags & (DNS_OPCODE | DNS_FLAG_RD | DNS_FLAG_CD)) |
			       DNS_FLAG_RA | verdict));
	wr_be16(&w, h->question_ok ? h->questions : 0);
	wr_be16(&w, 0);
	wr_be16(&w, 0);
	wr_be16(&w, e->present);
	wr_space(&w, h->end - DNS_HEADER_LEN); /* the question stays where it is */
	if (e->present)
		dns_put_opt(&w, e->dnssec_ok);
	return wr_len(&w);
}

size_t
dns_make_error(uint8_t *msg, size_t len, const struct dns_head *h, enum dns_rcode rcode)
{
	struct dns_edns e;

	dns_edns_parse(&e, msg, len, h);
	return make_empty(msg, len, h, &e, (uint16_t)rcode);
}

size_t
dns_make_blocked(uint8_t *msg, size_t len, const struct dns_head *h, const struct dns_edns *e)
{
	enum { OPTION_ERROR = 15, BLOCKED = 15, OPTION_LEN = 6 };
	size_t n = make_empty(msg, len, h, e, DNS_REFUSED);
	struct wr w = wr_init(msg + n, len - n), size = wr_init(msg + n - 2, 2);

	if (!e->present || len - n < OPTION_LEN)
		return n;
	wr_be16(&w, OPTION_ERROR);
	wr_be16(&w, 2);
	wr_be16(&w, BLOCKED);
	wr_be16(&size, OPTION_LEN);
	return n + OPTION_LEN;
}

size_t
dns_make_truncated(uint8_t *msg, size_t cap, const struct dns_head *h, const struct dns_edns *e)
{
	return make_empty(msg, cap, h, e, DNS_FLAG_TC);
}
