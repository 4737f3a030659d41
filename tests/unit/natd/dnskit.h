/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnskit.h - DNS messages as guests and servers would send them, for the tests of natd's DNS proxy.
 */
#ifndef VNET_TESTS_UNIT_NATD_DNSKIT_H
#define VNET_TESTS_UNIT_NATD_DNSKIT_H

#include "../lib/t.h"

#include "lib/wire.h"
#include "natd/dnsmsg.h"

enum { TYPE_A = 1, TYPE_AAAA = 28, TYPE_OPT = 41, TYPE_UNKNOWN = 65280 };

static inline void
kit_name(struct wr *w, const char *name)
{
	while (*name) {
		size_t n = strcspn(name, ".");

		wr_u8(w, (uint8_t)n);
		wr_bytes(w, name, n);
		name += n + (name[n] == '.');
	}
	wr_u8(w, 0);
}

/* A query as the C library asks it (recursion desired); its length. */
static inline size_t
kit_query(uint8_t *buf, size_t cap, uint16_t id, const char *name, uint16_t type)
{
	struct wr w = wr_init(buf, cap);

	wr_be16(&w, id);
	wr_be16(&w, 0x0100);
	wr_be16(&w, 1);
	wr_zero(&w, 6);
	kit_name(&w, name);
	wr_be16(&w, type);
	wr_be16(&w, 1);
	assert_false(w.bad);
	return wr_len(&w);
}

/* Adds an OPT record that offers 4096 bytes, with an option of n bytes. */
static inline size_t
kit_add_opt(uint8_t *buf, size_t len, size_t cap, bool dnssec_ok, size_t n)
{
	struct wr w = wr_init(buf + len, cap - len);

	buf[11]++;
	wr_u8(&w, 0);
	wr_be16(&w, TYPE_OPT);
	wr_be16(&w, 4096);
	wr_be16(&w, 0);
	wr_be16(&w, dnssec_ok ? 0x8000 : 0);
	wr_be16(&w, (uint16_t)(n ? n + 4 : 0));
	if (n) {
		wr_be16(&w, 12); /* padding */
		wr_be16(&w, (uint16_t)n);
		wr_zero(&w, n);
	}
	assert_false(w.bad);
	return len + wr_len(&w);
}

/* Turns a query into a server's answer with one address record; its length. */
static inline size_t
kit_answer(uint8_t *buf, size_t len, size_t cap, uint8_t rcode)
{
	struct wr w = wr_init(buf + len, cap - len);

	buf[2] |= 0x80;
	buf[3] = (uint8_t)(0x80 | rcode);
	if (rcode != DNS_NOERROR)
		return len;
	buf[7] = 1;
	wr_be16(&w, 0xc000 | DNS_HEADER_LEN);
	wr_be16(&w, TYPE_A);
	wr_be16(&w, 1);
	wr_be32(&w, 60);
	wr_be16(&w, 4);
	wr_be32(&w, 0xc0000207);
	assert_false(w.bad);
	return len + wr_len(&w);
}

#endif
