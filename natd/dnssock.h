/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnssock.h - servers' addresses as the kernel takes them.
 */
#ifndef VNET_NATD_DNSSOCK_H
#define VNET_NATD_DNSSOCK_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "natd/dnsaddr.h"

union dnssock_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* Returns the length. */
socklen_t dnssock_addr(union dnssock_addr *out, const struct dns_addr *a);
struct dns_addr dnssock_from(const union dnssock_addr *sa);

/* A non-blocking TCP socket on its way to the address: writable once it is there, or failed (SO_ERROR). Descriptor or
 * -errno. */
int dnssock_connect(const struct dns_addr *a);

#endif
