/* SPDX-License-Identifier: GPL-2.0-or-later
 * inet.h - IPv4 addresses, prefixes and MAC addresses: parse, print, compare; internet checksum.
 *
 * Pure. An IPv4 address is a host-order number inside a struct, so that arithmetic (network + 2) is
 * plain and a raw in_addr cannot be passed by mistake. Convert at the system's edge with ip4_be().
 */
#ifndef VNET_LIB_INET_H
#define VNET_LIB_INET_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* IPv4 address, host byte order; 0 means "none". */
struct ip4 {
	uint32_t h;
};

/* IPv4 prefix: `addr` has no bit set beyond `len` (0-32). */
struct prefix4 {
	struct ip4 addr;
	uint8_t len;
};

/* Ethernet address. */
struct mac {
	uint8_t b[6];
};

#define IP4_STRLEN     16 /* "255.255.255.255" and NUL */
#define PREFIX4_STRLEN 19
#define MAC_STRLEN     18

static inline bool
ip4_eq(struct ip4 a, struct ip4 b)
{
	return a.h == b.h;
}

/* Network byte order, for struct in_addr and netlink. */
static inline uint32_t
ip4_be(struct ip4 a)
{
	return htonl(a.h);
}

static inline struct ip4
ip4_from_be(uint32_t be)
{
	return (struct ip4){ntohl(be)};
}

static inline bool
mac_eq(struct mac a, struct mac b)
{
	return memcmp(a.b, b.b, 6) == 0;
}

static inline bool
mac_is_zero(struct mac a)
{
	static const struct mac zero;

	return mac_eq(a, zero);
}

/* Group bit set: broadcast or multicast. */
static inline bool
mac_is_multicast(struct mac a)
{
	return a.b[0] & 1;
}

/* The netmask of a prefix length 0-32. */
static inline struct ip4
ip4_mask(unsigned len)
{
	return (struct ip4){len == 0 ? 0 : UINT32_MAX << (32 - len)};
}

/* The broadcast address (host bits all one). */
static inline struct ip4
prefix4_broadcast(struct prefix4 p)
{
	return (struct ip4){p.addr.h | ~ip4_mask(p.len).h};
}

/* a lies inside p, network and broadcast addresses included. */
static inline bool
prefix4_contains(struct prefix4 p, struct ip4 a)
{
	return (a.h & ip4_mask(p.len).h) == p.addr.h;
}

/* The two share at least one address. */
static inline bool
prefix4_overlaps(struct prefix4 a, struct prefix4 b)
{
	return prefix4_contains(a, b.addr) || prefix4_contains(b, a.addr);
}

static inline bool
prefix4_eq(struct prefix4 a, struct prefix4 b)
{
	return a.len == b.len && a.addr.h == b.addr.h;
}

/* Dotted quad, four decimal numbers without leading zeros ("08" is refused), nothing behind.
 * *out is written only on success. */
bool ip4_parse(struct ip4 *out, const char *s);

/* A contiguous netmask ("255.255.255.0") -> prefix length 0-32. */
bool ip4_mask_parse(uint8_t *len, const char *s);
bool ip4_mask_len(uint8_t *len, struct ip4 mask);

/* "a.b.c.d/len" without host bits. */
bool prefix4_parse(struct prefix4 *out, const char *s);

/* The value of a hex digit, any case; -1: it is none. */
int hex_digit(char c);

/* Six hex octets separated by ':' or '-', one or two digits each, any case. */
bool mac_parse(struct mac *out, const char *s);

/* These write into buf (at least the STRLEN above) and return it. MACs: lower case, two digits. */
char *ip4_str(struct ip4 a, char buf[IP4_STRLEN]);
char *prefix4_str(struct prefix4 p, char buf[PREFIX4_STRLEN]);
char *mac_str(struct mac m, char buf[MAC_STRLEN]);

/* For printf arguments: text in a compound literal that lives until the end of the block. */
#define IP4_STR(a)     ip4_str((a), (char[IP4_STRLEN]){0})
#define PREFIX4_STR(p) prefix4_str((p), (char[PREFIX4_STRLEN]){0})
#define MAC_STR(m)     mac_str((m), (char[MAC_STRLEN]){0})

/* RFC 1071 sum of len bytes, added to `sum` (unfolded, host order of big-endian words). An odd last
 * byte is padded with zero, so only the last piece may be odd. */
uint32_t inet_sum(const void *buf, size_t len, uint32_t sum);

/* Folds and complements: the checksum field's value, host order. */
uint16_t inet_sum_fold(uint32_t sum);

#endif
