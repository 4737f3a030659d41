/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsask.h - a question of our own for the addresses of a name (RFC 1035, RFC 3596), and its answer. Pure.
 */
#ifndef VNET_NATD_DNSASK_H
#define VNET_NATD_DNSASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNSASK_NAME_MAX  256 /* with NUL */
#define DNSASK_LEN_MAX   (12 + 256 + 4)
#define DNSASK_ADDRS_MAX 8

enum dnsask_type { DNSASK_A = 1, DNSASK_AAAA = 28 };

struct dnsask_answer {
	uint8_t rcode;
	uint8_t addr[DNSASK_ADDRS_MAX][16]; /* IPv4 as ::ffff:a.b.c.d */
	size_t n;                           /* more are left out */
};

/* Writes the question; recursion is desired. Its length, or 0: that is no name of a host. */
size_t dnsask_build(uint8_t buf[DNSASK_LEN_MAX], uint16_t id, const char *name,
		    enum dnsask_type type);

/* The answer to that very question. False: it is none, or is malformed. Aliases are followed in the order of the
 * records, as resolvers write them; records of other names are left alone. */
bool dnsask_parse(struct dnsask_answer *out, const uint8_t *msg, size_t len, uint16_t id,
		  const char *name, enum dnsask_type type);

#endif
