/* SPDX-License-Identifier: GPL-2.0-or-later
 * listeners.c - see listeners.h. Pure apart from the heap.
 */
#include "lib/listeners.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/nlread.h"

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

void
listeners_init(struct listeners *l)
{
	memset(l, 0, sizeof(*l));
}

void
listeners_fini(struct listeners *l)
{
	free(l->v);
	listeners_init(l);
}

/* A forward takes what is meant for it. */
static bool
is_hidden(const struct listener *s)
{
	static const uint8_t any[16] = {0}, loopback[4] = {127, 0, 0, 1};

	if (memcmp(s->addr, any, sizeof(any)) == 0)
		return !s->only6;
	return memcmp(s->addr, mapped, sizeof(mapped)) == 0 &&
	       (s->addr[12] != 127 || memcmp(s->addr + 12, loopback, sizeof(loopback)) == 0);
}

static void
add(struct listeners *l, const struct listener *s)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 64;
		struct listener *v = reallocarray(l->v, cap, sizeof(*v));

		if (!v) {
			l->bad = true;
			return;
		}
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = *s;
	l->busy[s->proto][s->port / 8] |= (uint8_t)(1u << s->port % 8);
}

static bool
is_only6(struct rd attrs)
{
	struct rd value;

	return nlread_attr(attrs, INET_DIAG_SKV6ONLY, &value) && rd_u8(&value) != 0;
}

static void
take(struct listeners *l, enum ip_proto proto, uint32_t own, struct rd body)
{
	struct listener s = {.proto = (uint8_t)proto};
	struct inet_diag_msg m;

	rd_copy(&body, &m, sizeof(m));
	if (body.bad) {
		l->bad = true;
		return;
	}
	s.port = ntohs(m.id.idiag_sport);
	s.uid = m.idiag_uid;
	s.inode = m.idiag_inode;
	if (m.idiag_family == AF_INET) {
		memcpy(s.addr, mapped, sizeof(mapped));
		memcpy(s.addr + 12, m.id.idiag_src, 4);
	} else {
		memcpy(s.addr, m.id.idiag_src, 16);
		s.only6 = is_only6(body);
	}
	if (s.port && is_hidden(&s) && !(s.uid == own && (proto == PROTO_UDP || s.port == 53)))
		add(l, &s);
}

bool
listeners_decode(struct listeners *l, enum ip_proto proto, uint32_t own, const void *buf,
		 size_t len)
{
	struct rd r = rd_init(buf, len), body;
	struct nlmsghdr nlh;

	while (nlread_msg(&r, &nlh, &body)) {
		if (nlh.nlmsg_type == NLMSG_DONE)
			return true;
		if (nlh.nlmsg_type != SOCK_DIAG_BY_FAMILY) {
			l->bad = true;
			return true;
		}
		take(l, proto, own, body);
	}
	if (r.bad)
		l->bad = true;
	return r.bad;
}

static bool
is_on(const struct listener *s, struct ip4 host)
{
	uint32_t be = ip4_be(host);

	return host.h == 0 || memcmp(s->addr, mapped, sizeof(mapped)) != 0 ||
	       memcmp(s->addr + 12, &(uint32_t){0}, 4) == 0 || memcmp(s->addr + 12, &be, 4) == 0;
}

const struct listener *
listeners_find(const struct listeners *l, enum ip_proto proto, uint16_t port, struct ip4 host)
{
	if (!(l->busy[proto][port / 8] >> port % 8 & 1))
		return NULL;
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].proto == proto && l->v[i].port == port && is_on(&l->v[i], host))
			return &l->v[i];
	return NULL;
}

const char *
listener_addr(const struct listener *l, char buf[LISTENER_ADDR_LEN])
{
	if (memcmp(l->addr, mapped, sizeof(mapped)) == 0)
		inet_ntop(AF_INET, l->addr + 12, buf, LISTENER_ADDR_LEN);
	else
		inet_ntop(AF_INET6, l->addr, buf, LISTENER_ADDR_LEN);
	return buf;
}
