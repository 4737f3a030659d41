/* SPDX-License-Identifier: GPL-2.0-or-later
 * listeners.h - services of the host that a forward would hide.
 *
 * Pure. A forward takes a port on every address of the host, so whoever listens there hears nothing any more.
 */
#ifndef VNET_LIB_LISTENERS_H
#define VNET_LIB_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/inet.h"
#include "lib/msg_kinds.h"

/* A TCP socket that listens, or a UDP socket without a peer. */
struct listener {
	uint8_t proto; /* enum ip_proto */
	uint16_t port;
	uint8_t addr[16]; /* IPv4 as ::ffff:a.b.c.d */
	bool only6;       /* on ::, and for IPv6 only */
	uint32_t uid;
	uint32_t inode; /* 0: the kernel's own */
};

struct listeners {
	struct listener *v;
	size_t n, cap;
	bool bad; /* no memory, or the kernel said something else: not all are here */
	uint8_t busy[PROTO_N][65536 / 8]; /* ports of v */
};

void listeners_init(struct listeners *l);
void listeners_fini(struct listeners *l);

/* Adds the sockets of one part of a dump by NETLINK_SOCK_DIAG. True: it was the last part. What is not for IPv4
 * forwards to take (IPv6, 127.0.0.0/8 but 127.0.0.1, see vnetd/priv_nft_plan.c) is left out, and so are UDP
 * sockets of user `own`, with which ports are held, and its port 53: the DNS proxy's is at a gateway address. */
bool listeners_decode(struct listeners *l, enum ip_proto proto, uint32_t own, const void *buf,
		      size_t len);

/* Who has the port, on the address `host` if that is not 0; or NULL. */
const struct listener *listeners_find(const struct listeners *l, enum ip_proto proto, uint16_t port,
				      struct ip4 host);

/* "0.0.0.0", "::", "10.0.0.5". Writes into buf and returns it. */
#define LISTENER_ADDR_LEN 46
const char *listener_addr(const struct listener *l, char buf[LISTENER_ADDR_LEN]);

#endif
