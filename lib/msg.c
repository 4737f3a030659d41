/* SPDX-License-Identifier: GPL-2.0-or-later
 * msg.c - encoder, decoder and names of the messages in msg.h. Pure: no log, no allocation.
 *
 * Nothing here knows a single message: everything is expanded from MSG_LIST and the FIELDS macros.
 */
#include "msg.h"

#include "util.h"
#include "wire.h"

static void
put_str(struct wr *w, const char *s, size_t cap)
{
	size_t len = strnlen(s, cap);

	if (len == cap) {
		w->bad = true;
		return;
	}
	wr_be16(w, (uint16_t)len);
	wr_bytes(w, s, len);
}

static void
get_str(struct rd *r, char *s, size_t cap)
{
	size_t len = rd_be16(r);

	if (len >= cap) {
		r->bad = true;
		return;
	}
	rd_copy(r, s, len);
	s[len] = '\0';
	if (strnlen(s, len) != len)
		r->bad = true;
}

static void
put_bytes(struct wr *w, const uint8_t *b, size_t len, size_t cap)
{
	if (len > cap) {
		w->bad = true;
		return;
	}
	wr_be16(w, (uint16_t)len);
	wr_bytes(w, b, len);
}

static uint16_t
get_bytes(struct rd *r, uint8_t *b, size_t cap)
{
	size_t len = rd_be16(r);

	if (len > cap) {
		r->bad = true;
		return 0;
	}
	rd_copy(r, b, len);
	return (uint16_t)len;
}

static bool
get_bool(struct rd *r)
{
	uint8_t v = rd_u8(r);

	if (v > 1)
		r->bad = true;
	return v == 1;
}

#define PUT_U8(f, cap)    wr_u8(w, m->f);
#define PUT_U16(f, cap)   wr_be16(w, m->f);
#define PUT_U32(f, cap)   wr_be32(w, m->f);
#define PUT_U64(f, cap)   wr_be64(w, m->f);
#define PUT_BOOL(f, cap)  wr_u8(w, m->f ? 1 : 0);
#define PUT_IP4(f, cap)   wr_be32(w, m->f.h);
#define PUT_MAC(f, cap)   wr_bytes(w, m->f.b, 6);
#define PUT_STR(f, cap)   put_str(w, m->f, cap);
#define PUT_BYTES(f, cap) put_bytes(w, m->f.b, m->f.len, cap);
#define PUT(kind, f, cap) PUT_##kind(f, cap)

#define GET_U8(f, cap)    m->f = rd_u8(r);
#define GET_U16(f, cap)   m->f = rd_be16(r);
#define GET_U32(f, cap)   m->f = rd_be32(r);
#define GET_U64(f, cap)   m->f = rd_be64(r);
#define GET_BOOL(f, cap)  m->f = get_bool(r);
#define GET_IP4(f, cap)   m->f.h = rd_be32(r);
#define GET_MAC(f, cap)   rd_copy(r, m->f.b, 6);
#define GET_STR(f, cap)   get_str(r, m->f, cap);
#define GET_BYTES(f, cap) m->f.len = get_bytes(r, m->f.b, cap);
#define GET(kind, f, cap) GET_##kind(f, cap)

#define M(NAME, name, fdmin, fdmax)                                                                \
	static void put_##name(UNUSED struct wr *w, UNUSED const struct msg_##name *m)             \
	{                                                                                          \
		FIELDS_##name(PUT)                                                                 \
	}                                                                                          \
	static void get_##name(UNUSED struct rd *r, struct msg_##name *m)                          \
	{                                                                                          \
		memset(m, 0, sizeof(*m));                                                          \
		FIELDS_##name(GET)                                                                 \
	}
MSG_LIST(M)
#undef M

size_t
msg_encode(const struct msg *m, uint8_t *buf, size_t cap)
{
	struct wr w = wr_init(buf, cap < MSG_MAX ? cap : MSG_MAX);

	if ((unsigned)m->type >= MSG_N)
		return 0;
	wr_be16(&w, (uint16_t)m->type);
	wr_be16(&w, 0);
	wr_be32(&w, m->id);
	switch (m->type) {
#define M(NAME, name, fdmin, fdmax)                                                                \
	case MSG_##NAME:                                                                           \
		put_##name(&w, &m->u.name);                                                        \
		break;
		MSG_LIST(M)
#undef M
	case MSG_NONE:
	case MSG_N:
		return 0;
	}
	return w.bad ? 0 : wr_len(&w);
}

bool
msg_decode(struct msg *m, const uint8_t *buf, size_t len)
{
	struct rd r = rd_init(buf, len);
	uint16_t type = rd_be16(&r);

	m->type = MSG_NONE;
	m->id = 0;
	if (len > MSG_MAX || rd_be16(&r) != 0)
		return false;
	m->id = rd_be32(&r);
	if (type >= MSG_N)
		return false;
	m->type = (enum msg_type)type;
	switch (m->type) {
#define M(NAME, name, fdmin, fdmax)                                                                \
	case MSG_##NAME:                                                                           \
		get_##name(&r, &m->u.name);                                                        \
		break;
		MSG_LIST(M)
#undef M
	case MSG_NONE:
	case MSG_N:
		return false;
	}
	return rd_done(&r);
}

bool
msg_pack(struct msg_rows *to, const struct msg *m)
{
	struct wr w = wr_init(to->rows.b + to->rows.len, sizeof(to->rows.b) - to->rows.len);
	uint8_t buf[MSG_MAX];
	size_t len = msg_encode(m, buf, sizeof(buf));

	wr_be16(&w, (uint16_t)len);
	wr_bytes(&w, buf, len);
	if (len == 0 || w.bad)
		return false;
	to->rows.len = (uint16_t)(to->rows.len + 2 + len);
	return true;
}

bool
msg_unpack(struct msg *m, const struct msg_rows *from, size_t *at)
{
	struct rd r = rd_init(from->rows.b + *at, from->rows.len - *at);
	size_t len = rd_be16(&r);
	const uint8_t *p = rd_bytes(&r, len);

	if (r.bad || !msg_decode(m, p, len) || !msg_fds_ok(m->type, 0) || m->type == MSG_ROWS ||
	    m->type == MSG_REPLY)
		return false;
	*at += 2 + len;
	return true;
}

bool
msg_fds_ok(enum msg_type type, size_t nfds)
{
	static const struct {
		uint8_t min, max;
	} range[MSG_N] = {
#define M(NAME, name, fdmin, fdmax) [MSG_##NAME] = {fdmin, fdmax},
	    MSG_LIST(M)
#undef M
	};

	if ((unsigned)type >= MSG_N)
		return false;
	return nfds >= range[type].min && nfds <= range[type].max;
}

const char *
msg_name(enum msg_type type)
{
	static const char *const names[MSG_N] = {
#define M(NAME, name, fdmin, fdmax) [MSG_##NAME] = #NAME,
	    MSG_LIST(M)
#undef M
	};

	if ((unsigned)type >= MSG_N || !names[type])
		return "?";
	return names[type];
}

static const char *
word(const char *const *words, size_t n, unsigned i)
{
	return i < n ? words[i] : "?";
}

#define WORDS(func, type, count, ...)                                                              \
	const char *func(type v)                                                                   \
	{                                                                                          \
		static const char *const words[] = {__VA_ARGS__};                                  \
		static_assert(ARRAY_LEN(words) == (count), #func " names every value");            \
		return word(words, ARRAY_LEN(words), (unsigned)v);                                 \
	}

WORDS(role_name, enum role, ROLE_N, "engine", "dhcpd", "natd", "redird")
WORDS(net_kind_name, enum net_kind, NET_KIND_N, "bridged", "host-only", "NAT", "segment", "custom")
WORDS(net_state_name, enum net_state, NET_STATE_N, "starting", "ok", "degraded", "no uplink",
      "failed")
WORDS(service_name, enum service, SERVICE_N, "DHCP", "NAT", "DNS", "firewall", "bridge")
WORDS(port_kind_name, enum port_kind, PORT_KIND_N, "helper", "attach", "netns", "static", "adopted")
WORDS(lease_event_name, enum lease_event, LEASE_EVENT_N, "leased", "renewed", "released", "expired",
      "declined", "offered")
WORDS(lease_row_state_name, enum lease_row_state, LEASE_ROW_N, "active", "expired", "reserved",
      "abandoned")
WORDS(redirect_state_name, enum redirect_state, REDIRECT_STATE_N, "starting", "ok", "waiting",
      "failed", "removed")
WORDS(ip_proto_name, enum ip_proto, PROTO_N, "tcp", "udp")
WORDS(dhcp_stat_kind_name, enum dhcp_stat_kind, DHCP_STAT_N, "received", "sent", "dropped", "noted")
WORDS(dns_stat_kind_name, enum dns_stat_kind, DNS_STAT_N, "guests", "servers", "dropped")
WORDS(dns_server_state_name, enum dns_server_state, DNS_SERVER_STATE_N, "untried", "ok", "failing",
      "silent")
WORDS(conn_state_name, enum conn_state, CONN_STATE_N, "unanswered", "answered", "syn-sent",
      "syn-recv", "established", "fin-wait", "close-wait", "last-ack", "time-wait", "close")
WORDS(mac_policy_name, enum mac_policy, MAC_POLICY_N, "any", "given", "sticky", "learn")
WORDS(promisc_state_name, enum promisc_state, PROMISC_STATE_N, "no", "pending", "granted",
      "refused")
WORDS(promisc_by_name, enum promisc_by, PROMISC_BY_N, "nobody", "user", "guest", "configuration")
WORDS(drop_reason_name, enum drop_reason, DROP_REASON_N, "forged", "taken", "full", "source",
      "control", "dhcp", "ra", "ip", "arp", "broadcast", "rate-in", "rate-out", "dhcp-rate")

void
msg_str(char *field, size_t cap, const char *text)
{
	size_t len = strlen(text);

	if (len >= cap) {
		len = cap - 1;
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(field, text, len);
	memset(field + len, 0, cap - len);
}

struct msg
msg_reply(uint32_t id, int err, const char *text)
{
	struct msg m = msg_make(MSG_REPLY, id);

	m.u.reply.err = (uint32_t)err;
	if (text)
		MSG_SET_STR(m.u.reply.text, text);
	return m;
}
