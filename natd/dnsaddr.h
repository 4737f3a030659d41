/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsaddr.h - where a DNS server is: address of either family, scope, port.
 *
 * Pure. IPv4 lives in the mapped range ::ffff:0:0/96, so that one comparison serves both families.
 */
#ifndef VNET_NATD_DNSADDR_H
#define VNET_NATD_DNSADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/inet.h"

#define DNS_PORT 53

struct dns_addr {
	uint8_t ip[16];
	uint32_t scope; /* interface index of a link-local address, else 0 */
	uint16_t port;  /* host order */
};

/* The address is IPv4. */
static inline bool
dns_addr_is_ip4(const struct dns_addr *a)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(a->ip, mapped, sizeof(mapped)) == 0;
}

/* Of an IPv4 address only. */
static inline struct ip4
dns_addr_ip4(const struct dns_addr *a)
{
	return (struct ip4){(uint32_t)a->ip[12] << 24 | (uint32_t)a->ip[13] << 16 |
			    (uint32_t)a->ip[14] << 8 | a->ip[15]};
}

static inline struct dns_addr
dns_addr_from_ip4(struct ip4 ip, uint16_t port)
{
	return (struct dns_addr){{[10] = 0xff,
				  [11] = 0xff,
				  [12] = (uint8_t)(ip.h >> 24),
				  [13] = (uint8_t)(ip.h >> 16),
				  [14] = (uint8_t)(ip.h >> 8),
				  [15] = (uint8_t)ip.h},
				 0,
				 port};
}

/* The same server: the padding of the struct does not count. */
static inline bool
dns_addr_eq(const struct dns_addr *a, const struct dns_addr *b)
{
	return memcmp(a->ip, b->ip, sizeof(a->ip)) == 0 && a->scope == b->scope &&
	       a->port == b->port;
}

#endif
