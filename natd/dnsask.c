/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsask.c - see dnsask.h.
 */
#include "natd/dnsask.h"

#include <string.h>
#include <strings.h>

#include "lib/wire.h"
#include "natd/dnsmsg.h"

enum {
	CLASS_IN = 1,
	TYPE_CNAME = 5,
	LABEL_MAX = 63,
	/* A name has at most 127 labels, and each may stand elsewhere. */
	JUMPS_MAX = 127,
};

size_t
dnsask_build(uint8_t buf[DNSASK_LEN_MAX], uint16_t id, const char *name, enum dnsask_type type)
{
	struct wr w = wr_init(buf, DNSASK_LEN_MAX);
	/* Recursion is desired; one question. */
	const uint8_t head[DNS_HEADER_LEN] = {(uint8_t)(id >> 8), (uint8_t)id, 1, 0, 0, 1};
	const uint8_t tail[] = {0, 0, (uint8_t)type, 0, CLASS_IN}; /* the root, type, class */
	size_t len = strlen(name);

	if (len > 0 && name[len - 1] == '.')
		len--;
	if (len == 0 || len > 253)
		return 0;
	wr_bytes(&w, head, sizeof(head));
	for (size_t at = 0; at <= len;) {
		const char *dot = memchr(name + at, '.', len - at);
		size_t n = dot ? (size_t)(dot - name) - at : len - at;

		if (n == 0 || n > LABEL_MAX)
			return 0;
		wr_u8(&w, (uint8_t)n);
		wr_bytes(&w, name + at, n);
		at += n + 1;
	}
	wr_bytes(&w, tail, sizeof(tail));
	return w.bad ? 0 : wr_len(&w);
}

/* Reads a name at *at and goes behind it. A name may end in a pointer to an earlier one. */
static bool
read_name(char out[DNSASK_NAME_MAX], const uint8_t *msg, size_t len, size_t *at)
{
	size_t p = *at, n = 0;
	bool jumped = false;

	for (unsigned jumps = 0; p < len;) {
		uint8_t l = msg[p];

		if (l == 0) {
			out[n] = '\0';
			if (!jumped)
				*at = p + 1;
			return true;
		}
		if ((l & 0xc0) == 0xc0) {
			if (p + 1 >= len || ++jumps > JUMPS_MAX)
				return false;
			if (!jumped)
				*at = p + 2;
			jumped = true;
			p = (size_t)(l & 0x3f) << 8 | msg[p + 1];
			continue;
		}
		if (l > LABEL_MAX || p + 1 + l > len || n + l + 2 > DNSASK_NAME_MAX)
			return false;
		/* A label with a NUL or a dot in it is nobody we asked for. */
		if (memchr(msg + p + 1, '\0', l) || memchr(msg + p + 1, '.', l))
			return false;
		if (n)
			out[n++] = '.';
		memcpy(out + n, msg + p + 1, l);
		n += l;
		p += 1 + (size_t)l;
	}
	return false;
}

static void
add(struct dnsask_answer *out, const uint8_t *data, size_t len)
{
	uint8_t *a = out->addr[out->n];

	if (out->n == DNSASK_ADDRS_MAX)
		return;
	memset(a, 0, 16);
	if (len == 4)
		a[10] = a[11] = 0xff;
	memcpy(a + 16 - len, data, len);
	out->n++;
}

/* One record behind the question. False: malformed. */
static bool
take_record(struct dnsask_answer *out, const uint8_t *msg, size_t len, size_t *at,
	    char want[DNSASK_NAME_MAX], enum dnsask_type type)
{
	char owner[DNSASK_NAME_MAX], target[DNSASK_NAME_MAX];
	size_t size = type == DNSASK_A ? 4 : 16, data;
	unsigned rtype, class, rdlen;
	struct rd r;

	if (!read_name(owner, msg, len, at))
		return false;
	r = rd_init(msg + *at, len - *at);
	rtype = rd_be16(&r);
	class = rd_be16(&r);
	rd_be32(&r);
	rdlen = rd_be16(&r);
	rd_bytes(&r, rdlen);
	if (r.bad)
		return false;
	data = *at + 10;
	*at = data + rdlen;
	if (class != CLASS_IN || strcasecmp(owner, want) != 0)
		return true;
	if (rtype == (unsigned)type && rdlen == size) {
		add(out, msg + data, size);
	} else if (rtype == TYPE_CNAME) {
		if (!read_name(target, msg, *at, &data))
			return false;
		memcpy(want, target, DNSASK_NAME_MAX);
	}
	return true;
}

bool
dnsask_parse(struct dnsask_answer *out, const uint8_t *msg, size_t len, uint16_t id,
	     const char *name, enum dnsask_type type)
{
	uint8_t asked[DNSASK_LEN_MAX];
	size_t asked_len = dnsask_build(asked, id, name, type), at;
	char want[DNSASK_NAME_MAX];
	struct dns_head h;

	memset(out, 0, sizeof(*out));
	if (asked_len == 0 || !dns_head_parse(&h, msg, len) || !h.response || h.id != id ||
	    h.questions != 1 || !h.question_ok || h.end != asked_len ||
	    !dns_question_eq(msg + DNS_HEADER_LEN, asked + DNS_HEADER_LEN,
			     asked_len - DNS_HEADER_LEN))
		return false;
	out->rcode = h.rcode;
	at = DNS_HEADER_LEN;
	if (!read_name(want, asked, asked_len, &at))
		return false;
	at = h.end;
	for (unsigned i = 0; i < h.answers; i++)
		if (!take_record(out, msg, len, &at, want, type))
			return false;
	return true;
}
