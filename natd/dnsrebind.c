/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsrebind.c - see dnsrebind.h. Pure.
 */
#include "natd/dnsrebind.h"

#include <string.h>

#include "lib/util.h"
#include "lib/wire.h"
#include "natd/dnsaddr.h"

static bool
is_private4(struct ip4 ip, const struct prefix4 *own, size_t n)
{
	static const struct prefix4 nets[] = {
	    {{0x00000000}, 8},                                          /* this network */
	    {{0x0a000000}, 8},  {{0xac100000}, 12}, {{0xc0a80000}, 16}, /* private */
	    {{0x64400000}, 10}, /* shared by a provider's customers */
	    {{0x7f000000}, 8},  /* loopback */
	    {{0xa9fe0000}, 16}, /* link-local */
	};

	for (size_t i = 0; i < ARRAY_LEN(nets); i++)
		if (prefix4_contains(nets[i], ip))
			return true;
	for (size_t i = 0; i < n; i++)
		if (own[i].len && prefix4_contains(own[i], ip))
			return true;
	return false;
}

bool
rebind_is_private(const uint8_t ip[16], const struct prefix4 *own, size_t n)
{
	static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b}, zero[12];
	struct dns_addr a = {.scope = 0};

	memcpy(a.ip, ip, sizeof(a.ip));
	if (dns_addr_is_ip4(&a) || !memcmp(ip, nat64, sizeof(nat64)))
		return is_private4(dns_addr_ip4(&a), own, n);
	/* ::, ::1, and what once was IPv4 in IPv6. */
	if (!memcmp(ip, zero, sizeof(zero)))
		return true;
	/* Unique local; link-local and, before there was that, site-local. */
	return (ip[0] & 0xfe) == 0xfc || (ip[0] == 0xfe && ip[1] & 0x80);
}

static bool
is_below(const char *name, const char *domain, size_t len)
{
	size_t n = strlen(name);

	return n >= len && !memcmp(name + n - len, domain, len) &&
	       (n == len || name[n - len - 1] == '.');
}

bool
rebind_is_local(const char *name, const char *domains)
{
	static const char kept[] = "localhost local localdomain internal home.arpa";
	const char *const lists[] = {kept, domains};

	if (!strchr(name, '.'))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (const char *d = lists[i]; *d;) {
			size_t len = strcspn(d, " ");

			if (len && is_below(name, d, len))
				return true;
			d += len + (d[len] == ' ');
		}
	return false;
}

/* Addresses of `size` bytes, one behind the other. */
static bool
find_in(uint8_t ip[16], struct rd r, size_t size, const struct prefix4 *own, size_t n)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	while (rd_left(&r) >= size) {
		memcpy(ip, mapped, sizeof(mapped));
		rd_copy(&r, ip + 16 - size, size);
		if (rebind_is_private(ip, own, n))
			return true;
	}
	return false;
}

/* RFC 9460 2.2: a priority, a name, and values with their keys. */
static bool
find_hint(uint8_t ip[16], struct rd r, const struct prefix4 *own, size_t n)
{
	enum { IP4_HINT = 4, IP6_HINT = 6 };

	rd_be16(&r);
	dns_skip_name(&r);
	while (rd_left(&r)) {
		uint16_t key = rd_be16(&r);
		struct rd value = rd_sub(&r, rd_be16(&r));

		if ((key == IP4_HINT && find_in(ip, value, 4, own, n)) ||
		    (key == IP6_HINT && find_in(ip, value, 16, own, n)))
			return true;
	}
	return false;
}

bool
rebind_find(uint8_t ip[16], const uint8_t *msg, size_t len, const struct dns_head *h,
	    const struct prefix4 *own, size_t n)
{
	struct dns_walk w;
	struct dns_rr rr;

	dns_walk_init(&w, msg, len, h);
	while (dns_walk_next(&w, &rr)) {
		struct rd data = rd_init(msg + rr.data, rr.len);

		if ((rr.type == DNS_TYPE_A && find_in(ip, data, 4, own, n)) ||
		    (rr.type == DNS_TYPE_AAAA && find_in(ip, data, 16, own, n)) ||
		    ((rr.type == DNS_TYPE_SVCB || rr.type == DNS_TYPE_HTTPS) &&
		     find_hint(ip, data, own, n)))
			return true;
	}
	return false;
}
