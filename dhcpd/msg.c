/* SPDX-License-Identifier: GPL-2.0-or-later
 * msg.c - the DHCP codec. Pure and total: bytes in, a struct or a reason out, and back.
 */
#include "dhcpd/msg.h"

#include "lib/util.h"

enum {
	HTYPE_ETHERNET = 1,
	CHADDR_LEN = 16,
	SNAME_AT = 44,
	FILE_AT = 108,
	COOKIE_AT = 236,
	FLAG_BROADCAST = 0x8000,
	/* What the options field keeps free until the end: the overload option and END. */
	MAIN_RESERVE = 4,
	SIDE_RESERVE = 1,
};

#define COOKIE 0x63825363u

/* Bits of option 52. */
enum { OVERLOAD_FILE = 1, OVERLOAD_SNAME = 2, OVERLOAD_BOTH = 3 };

static const char *const type_names[] = {
    [DHCP_NONE] = "BOOTP",      [DHCP_DISCOVER] = "DISCOVER", [DHCP_OFFER] = "OFFER",
    [DHCP_REQUEST] = "REQUEST", [DHCP_DECLINE] = "DECLINE",   [DHCP_ACK] = "ACK",
    [DHCP_NAK] = "NAK",         [DHCP_RELEASE] = "RELEASE",   [DHCP_INFORM] = "INFORM",
};
static_assert(ARRAY_LEN(type_names) == DHCP_TYPE_N, "every message type has a name");

const char *
dhcp_type_name(enum dhcp_type type)
{
	return type < DHCP_TYPE_N ? type_names[type] : "?";
}

/* --- options, reading --- */

/* One instance from one area. False at its end; sets *bad when the instance is cut off. */
static bool
area_next(struct rd *r, uint8_t *code, struct rd *val, bool *bad)
{
	uint8_t c;

	do {
		if (rd_left(r) == 0)
			return false; /* a missing END is common and harmless */
		c = rd_u8(r);
	} while (c == OPT_PAD);
	if (c == OPT_END) {
		r->p = r->end;
		return false;
	}
	*code = c;
	*val = rd_sub(r, rd_u8(r));
	if (!r->bad)
		return true;
	*bad = true;
	return false;
}

/* The value of option 52 in the options field (it has no meaning elsewhere); -1 when invalid. */
static int
overload_find(struct rd options)
{
	uint8_t code;
	struct rd val;
	bool bad = false;
	int found = 0;

	while (area_next(&options, &code, &val, &bad)) {
		if (code != OPT_OVERLOAD)
			continue;
		found = rd_u8(&val);
		if (!rd_done(&val) || found < OVERLOAD_FILE || found > OVERLOAD_BOTH)
			return -1;
	}
	return bad ? -1 : found;
}

void
dhcp_opt_iter_init(struct dhcp_opt_iter *it, const void *msg, size_t len)
{
	struct rd r = rd_init(msg, len);
	int overload;

	memset(it, 0, sizeof(*it));
	rd_bytes(&r, SNAME_AT);
	it->area[AREA_SNAME] = rd_sub(&r, DHCP_SNAME_LEN);
	it->area[AREA_FILE] = rd_sub(&r, DHCP_FILE_LEN);
	if (rd_be32(&r) != COOKIE) {
		it->bad = true;
		return;
	}
	it->area[AREA_OPTIONS] = r;
	overload = overload_find(r);
	if (overload < 0) {
		it->bad = true;
		return;
	}
	if (!(overload & OVERLOAD_FILE))
		it->area[AREA_FILE].p = it->area[AREA_FILE].end;
	if (!(overload & OVERLOAD_SNAME))
		it->area[AREA_SNAME].p = it->area[AREA_SNAME].end;
}

bool
dhcp_opt_iter_next(struct dhcp_opt_iter *it, uint8_t *code, struct rd *val)
{
	while (!it->bad && it->at < AREA_N) {
		if (!area_next(&it->area[it->at], code, val, &it->bad)) {
			it->at++;
			continue;
		}
		if (*code != OPT_OVERLOAD)
			return true;
	}
	return false;
}

int
dhcp_opt_get(const void *msg, size_t len, uint8_t code, void *buf, size_t cap)
{
	struct dhcp_opt_iter it;
	struct wr w = wr_init(buf, cap);
	struct rd val;
	uint8_t c;

	dhcp_opt_iter_init(&it, msg, len);
	while (dhcp_opt_iter_next(&it, &c, &val)) {
		if (c == code)
			wr_bytes(&w, val.p, rd_left(&val));
	}
	return it.bad || w.bad ? -1 : (int)wr_len(&w);
}

/* --- decoding --- */

void
dhcp_hostname_sanitise(char out[DHCP_HOSTNAME_MAX + 1], const void *src, size_t len)
{
	const char *p = src;
	size_t n = 0;

	for (size_t i = 0; i < len && p[i] != '\0' && n < DHCP_HOSTNAME_MAX; i++) {
		char c = p[i];
		bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			  (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';

		if (!ok)
			c = '-';
		if (n == 0 && (c == '-' || c == '.'))
			continue;
		out[n++] = c;
	}
	while (n > 0 && (out[n - 1] == '-' || out[n - 1] == '.'))
		n--;
	out[n] = '\0';
}

/* Appends one instance to a joined value. */
static bool
bytes_join(struct dhcp_bytes *b, const struct rd *val)
{
	size_t n = rd_left(val);

	if (n > sizeof(b->b) - b->len)
		return false;
	if (n)
		memcpy(b->b + b->len, val->p, n);
	b->len = (uint8_t)(b->len + n);
	return true;
}

/* Reads one instance of an option that the server understands. False: impossible length or value.
 * Fixed-size options that come twice are not joined to nonsense: each instance must be whole. */
static bool
msg_option(struct dhcp_msg *m, struct dhcp_bytes *hostname, uint8_t code, struct rd val)
{
	uint8_t type;

	switch (code) {
	case OPT_TYPE:
		type = rd_u8(&val);
		if (type == DHCP_NONE || type >= DHCP_TYPE_N)
			return false;
		m->type = type;
		break;
	case OPT_REQUESTED_IP:
		m->requested.h = rd_be32(&val);
		break;
	case OPT_SERVER_ID:
		m->server_id.h = rd_be32(&val);
		break;
	case OPT_LEASE_TIME:
		m->lease_s = rd_be32(&val);
		m->has_lease_s = true;
		break;
	case OPT_MAX_SIZE:
		m->max_size = rd_be16(&val);
		break;
	case OPT_CLIENT_ID:
		return bytes_join(&m->client_id, &val);
	case OPT_PARAM_LIST:
		return bytes_join(&m->params, &val);
	case OPT_HOST_NAME:
		return bytes_join(hostname, &val);
	case OPT_AUTO_CONFIG:
		m->has_auto_config = true;
		rd_u8(&val);
		break;
	case OPT_RELAY_INFO:
		m->has_relay_info = true;
		return true;
	default:
		return true;
	}
	return rd_done(&val);
}

static enum dhcp_decode
msg_options(struct dhcp_msg *m, const void *buf, size_t len)
{
	struct dhcp_opt_iter it;
	struct dhcp_bytes hostname;
	struct rd val;
	uint8_t code;

	hostname.len = 0;
	dhcp_opt_iter_init(&it, buf, len);
	while (dhcp_opt_iter_next(&it, &code, &val)) {
		if (!msg_option(m, &hostname, code, val))
			return DHCP_DECODE_OPTION;
	}
	if (it.bad)
		return DHCP_DECODE_OPTION;
	dhcp_hostname_sanitise(m->hostname, hostname.b, hostname.len);
	return DHCP_DECODE_OK;
}

enum dhcp_decode
dhcp_msg_decode(struct dhcp_msg *m, const void *buf, size_t len)
{
	struct rd r = rd_init(buf, len);
	uint8_t op, htype, hlen;
	uint32_t cookie;

	memset(m, 0, sizeof(*m));
	op = rd_u8(&r);
	htype = rd_u8(&r);
	hlen = rd_u8(&r);
	m->hops = rd_u8(&r);
	m->xid = rd_be32(&r);
	m->secs = rd_be16(&r);
	m->broadcast = rd_be16(&r) & FLAG_BROADCAST;
	m->ciaddr.h = rd_be32(&r);
	m->yiaddr.h = rd_be32(&r);
	m->siaddr.h = rd_be32(&r);
	m->giaddr.h = rd_be32(&r);
	rd_copy(&r, m->chaddr.b, sizeof(m->chaddr.b));
	rd_bytes(&r, CHADDR_LEN - sizeof(m->chaddr.b) + DHCP_SNAME_LEN + DHCP_FILE_LEN);
	cookie = rd_be32(&r);
	if (r.bad)
		return DHCP_DECODE_SHORT;
	if (cookie != COOKIE)
		return DHCP_DECODE_COOKIE;
	if (op != BOOTP_REQUEST && op != BOOTP_REPLY)
		return DHCP_DECODE_OP;
	m->op = op;
	if (htype != HTYPE_ETHERNET || hlen != sizeof(m->chaddr.b) || mac_is_multicast(m->chaddr) ||
	    mac_is_zero(m->chaddr))
		return DHCP_DECODE_HARDWARE;
	return msg_options(m, buf, len);
}

/* --- building --- */

static void
build_begin(struct dhcp_build *b, void *buf, size_t max, const struct dhcp_head *h, enum dhcp_op op)
{
	struct wr w = wr_init(buf, max);

	memset(b, 0, sizeof(*b));
	b->msg = buf;
	wr_u8(&w, op);
	wr_u8(&w, HTYPE_ETHERNET);
	wr_u8(&w, sizeof(h->chaddr.b));
	wr_u8(&w, 0); /* hops */
	wr_be32(&w, h->xid);
	wr_be16(&w, h->secs);
	wr_be16(&w, h->broadcast ? FLAG_BROADCAST : 0);
	wr_be32(&w, h->ciaddr.h);
	wr_be32(&w, h->yiaddr.h);
	wr_be32(&w, h->siaddr.h);
	wr_be32(&w, h->giaddr.h);
	wr_bytes(&w, h->chaddr.b, sizeof(h->chaddr.b));
	wr_zero(&w, COOKIE_AT - wr_len(&w));
	wr_be32(&w, COOKIE);
	b->area[AREA_OPTIONS] = (struct wr){w.p, w.p, w.end - MAIN_RESERVE, false};
	b->area[AREA_FILE] = wr_init(b->msg + FILE_AT, DHCP_FILE_LEN - SIDE_RESERVE);
	b->area[AREA_SNAME] = wr_init(b->msg + SNAME_AT, DHCP_SNAME_LEN - SIDE_RESERVE);
}

void
dhcp_build_begin(struct dhcp_build *b, void *buf, size_t max, const struct dhcp_head *h)
{
	build_begin(b, buf, max, h, BOOTP_REPLY);
}

void
dhcp_build_begin_request(struct dhcp_build *b, void *buf, size_t max, const struct dhcp_head *h)
{
	build_begin(b, buf, max, h, BOOTP_REQUEST);
}

bool
dhcp_build_opt(struct dhcp_build *b, uint8_t code, const void *data, size_t len)
{
	size_t instances = len == 0 ? 1 : (len + DHCP_OPT_INSTANCE_MAX - 1) / DHCP_OPT_INSTANCE_MAX;
	const uint8_t *p = data;

	for (unsigned i = 0; i < AREA_N; i++) {
		struct wr *w = &b->area[i];

		if ((size_t)(w->end - w->p) < len + 2 * instances)
			continue;
		do {
			size_t n = len < DHCP_OPT_INSTANCE_MAX ? len : DHCP_OPT_INSTANCE_MAX;

			wr_u8(w, code);
			wr_u8(w, (uint8_t)n);
			wr_bytes(w, p, n);
			if (n)
				p += n;
			len -= n;
		} while (len > 0);
		return true;
	}
	b->full = true;
	return false;
}

bool
dhcp_build_u8(struct dhcp_build *b, uint8_t code, uint8_t v)
{
	return dhcp_build_opt(b, code, &v, sizeof(v));
}

bool
dhcp_build_u16(struct dhcp_build *b, uint8_t code, uint16_t v)
{
	uint8_t buf[2];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_be16(&w, v);
	return dhcp_build_opt(b, code, buf, sizeof(buf));
}

bool
dhcp_build_u32(struct dhcp_build *b, uint8_t code, uint32_t v)
{
	uint8_t buf[4];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_be32(&w, v);
	return dhcp_build_opt(b, code, buf, sizeof(buf));
}

bool
dhcp_build_ip4(struct dhcp_build *b, uint8_t code, struct ip4 a)
{
	return dhcp_build_u32(b, code, a.h);
}

bool
dhcp_build_field(struct dhcp_build *b, enum dhcp_area area, const void *text, size_t len)
{
	uint8_t *field = b->msg + (area == AREA_FILE ? FILE_AT : SNAME_AT);

	if (len >= (area == AREA_FILE ? DHCP_FILE_LEN : DHCP_SNAME_LEN))
		return false;
	if (len)
		memcpy(field, text, len);
	b->area[area] = wr_init(field, 0);
	return true;
}

size_t
dhcp_build_end(struct dhcp_build *b)
{
	struct wr *w = &b->area[AREA_OPTIONS];
	uint8_t overload = 0;
	size_t len;

	for (unsigned i = AREA_FILE; i < AREA_N; i++) {
		struct wr *side = &b->area[i];

		if (wr_len(side) == 0)
			continue;
		overload |= i == AREA_FILE ? OVERLOAD_FILE : OVERLOAD_SNAME;
		side->end += SIDE_RESERVE;
		wr_u8(side, OPT_END);
	}
	w->end += MAIN_RESERVE;
	if (overload) {
		wr_u8(w, OPT_OVERLOAD);
		wr_u8(w, 1);
		wr_u8(w, overload);
	}
	wr_u8(w, OPT_END);
	len = (size_t)(w->p - b->msg);
	if (len < DHCP_MSG_MIN)
		wr_zero(w, DHCP_MSG_MIN - len);
	return (size_t)(w->p - b->msg);
}
