/* SPDX-License-Identifier: GPL-2.0-or-later
 * inet.c - IPv4, prefix and MAC text and checksums. Pure: no allocation, no log, no system calls.
 */
#include "inet.h"

#include <stdio.h>

/* One decimal number 0-max without leading zeros; advances *s. */
static bool
parse_dec(const char **s, unsigned max, unsigned *out)
{
	const char *p = *s;
	unsigned v = 0;

	if (*p < '0' || *p > '9')
		return false;
	if (*p == '0' && p[1] >= '0' && p[1] <= '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		v = v * 10 + (unsigned)(*p - '0');
		if (v > max)
			return false;
	}
	*s = p;
	*out = v;
	return true;
}

static bool
parse_quad(const char **s, struct ip4 *out)
{
	uint32_t h = 0;

	for (int i = 0; i < 4; i++) {
		unsigned v;

		if (i > 0 && *(*s)++ != '.')
			return false;
		if (!parse_dec(s, 255, &v))
			return false;
		h = h << 8 | v;
	}
	out->h = h;
	return true;
}

bool
ip4_parse(struct ip4 *out, const char *s)
{
	struct ip4 a;

	if (!parse_quad(&s, &a) || *s != '\0')
		return false;
	*out = a;
	return true;
}

bool
ip4_mask_len(uint8_t *len, struct ip4 mask)
{
	uint32_t inv = ~mask.h;

	if (inv & (inv + 1))
		return false;
	*len = (uint8_t)__builtin_popcount(mask.h);
	return true;
}

bool
ip4_mask_parse(uint8_t *len, const char *s)
{
	struct ip4 mask;

	return ip4_parse(&mask, s) && ip4_mask_len(len, mask);
}

bool
prefix4_parse(struct prefix4 *out, const char *s)
{
	struct prefix4 p;
	unsigned len;

	if (!parse_quad(&s, &p.addr) || *s++ != '/')
		return false;
	if (!parse_dec(&s, 32, &len) || *s != '\0')
		return false;
	p.len = (uint8_t)len;
	if (p.addr.h & ~ip4_mask(len).h)
		return false;
	*out = p;
	return true;
}

int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
mac_parse(struct mac *out, const char *s)
{
	struct mac m;

	for (int i = 0; i < 6; i++) {
		int hi, lo;

		if (i > 0) {
			if (*s != ':' && *s != '-')
				return false;
			s++;
		}
		if ((hi = hex_digit(*s)) < 0)
			return false;
		s++;
		if ((lo = hex_digit(*s)) >= 0) {
			hi = hi * 16 + lo;
			s++;
		}
		m.b[i] = (uint8_t)hi;
	}
	if (*s != '\0')
		return false;
	*out = m;
	return true;
}

char *
ip4_str(struct ip4 a, char buf[IP4_STRLEN])
{
	snprintf(buf, IP4_STRLEN, "%u.%u.%u.%u", a.h >> 24, a.h >> 16 & 255, a.h >> 8 & 255,
		 a.h & 255);
	return buf;
}

char *
prefix4_str(struct prefix4 p, char buf[PREFIX4_STRLEN])
{
	char addr[IP4_STRLEN];

	snprintf(buf, PREFIX4_STRLEN, "%s/%u", ip4_str(p.addr, addr), p.len);
	return buf;
}

char *
mac_str(struct mac m, char buf[MAC_STRLEN])
{
	snprintf(buf, MAC_STRLEN, "%02x:%02x:%02x:%02x:%02x:%02x", m.b[0], m.b[1], m.b[2], m.b[3],
		 m.b[4], m.b[5]);
	return buf;
}

uint32_t
inet_sum(const void *buf, size_t len, uint32_t sum)
{
	const uint8_t *p = buf;
	uint64_t s = sum;

	for (; len >= 2; p += 2, len -= 2)
		s += (uint32_t)(p[0] << 8 | p[1]);
	if (len)
		s += (uint32_t)(p[0] << 8);
	while (s >> 32)
		s = (s & UINT32_MAX) + (s >> 32);
	return (uint32_t)s;
}

uint16_t
inet_sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}
