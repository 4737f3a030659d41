/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsmsg.c - DNS header and question: decode, compare, answer with an error. Pure.
 */
#include <string.h>

#include "lib/wire.h"
#include "natd/dnsmsg.h"

#define FLAG_QR 0x8000
#define FLAG_RD 0x0100
#define FLAG_RA 0x0080
#define FLAG_CD 0x0010
#define OPCODE  0x7800

#define TYPE_OPT 41
/* What we take over UDP, as told in our own OPT records. */
#define OPT_SIZE     1232
#define OPT_DO       0x8000
#define NAME_MAX_LEN 255

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
	h->response = flags & FLAG_QR;
	h->opcode = (flags & OPCODE) >> 11;
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

/* The query has an OPT record right behind its question, where all clients put it when there is
 * nothing else. *dnssec_ok: its DO bit. */
static bool
find_opt(const uint8_t *msg, size_t len, const struct dns_head *h, bool *dnssec_ok)
{
	struct rd r = rd_init(msg + h->end, len - h->end);
	uint8_t name;
	uint16_t type;

	if (!h->question_ok || h->answers || h->authorities || !h->additional)
		return false;
	name = rd_u8(&r);
	type = rd_be16(&r);
	rd_be16(&r); /* the client's UDP size */
	rd_be16(&r); /* extended rcode, version */
	*dnssec_ok = rd_be16(&r) & OPT_DO;
	rd_be16(&r); /* length of the options */
	return !r.bad && name == 0 && type == TYPE_OPT;
}

size_t
dns_make_error(uint8_t *msg, size_t len, const struct dns_head *h, enum dns_rcode rcode)
{
	bool dnssec_ok = false, opt = find_opt(msg, len, h, &dnssec_ok);
	uint16_t flags = (uint16_t)(msg[2] << 8 | msg[3]);
	struct wr w = wr_init(msg, len);

	wr_be16(&w, h->id);
	wr_be16(&w, (uint16_t)(FLAG_QR | (flags & (OPCODE | FLAG_RD | FLAG_CD)) | FLAG_RA | rcode));
	wr_be16(&w, h->question_ok ? h->questions : 0);
	wr_be16(&w, 0);
	wr_be16(&w, 0);
	wr_be16(&w, opt);
	wr_space(&w, h->end - DNS_HEADER_LEN); /* the question stays where it is */
	if (opt) {
		wr_u8(&w, 0);
		wr_be16(&w, TYPE_OPT);
		wr_be16(&w, OPT_SIZE);
		wr_be16(&w, 0);
		wr_be16(&w, dnssec_ok ? OPT_DO : 0);
		wr_be16(&w, 0);
	}
	return wr_len(&w);
}
