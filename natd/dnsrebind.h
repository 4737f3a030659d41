/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsrebind.h - answers that lead from a name of the Internet into private networks (DNS rebinding).
 *
 * Pure. A page of evil.example that a guest's browser shows may speak with evil.example, and whoever owns that name
 * can give it the address of the guest's router a moment later. Where rebind-protection is on, such answers are
 * refused: they have an address of a private (RFC 1918, RFC 4193, RFC 6598), loopback or link-local network, of "this
 * network" (RFC 1122), or of a network of ours, also where it is written as IPv6 (mapped, or by NAT64's well-known
 * prefix). What counts is the name that was asked for, since that is the page's, not where aliases lead.
 */
#ifndef VNET_NATD_DNSREBIND_H
#define VNET_NATD_DNSREBIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/inet.h"
#include "natd/dnsmsg.h"

/* The address (IPv4 as in dnsaddr.h) is in a network that names of the Internet do not lead to, or in one of these
 * (n; those with len 0 are none). */
bool rebind_is_private(const uint8_t ip[16], const struct prefix4 *own, size_t n);

/* The name (in small letters) is nobody's on the Internet: one without a dot, or in a domain that is kept for such
 * use (localhost, local, localdomain, internal, home.arpa), or in one of these (a blank between two). */
bool rebind_is_local(const char *name, const char *domains);

/* The first such address in the records of an answer (h from dns_head_parse(), question_ok): of A, AAAA, and of the
 * hints of SVCB and HTTPS (RFC 9460), in any section. False: there is none. */
bool rebind_find(uint8_t ip[16], const uint8_t *msg, size_t len, const struct dns_head *h,
		 const struct prefix4 *own, size_t n);

#endif
