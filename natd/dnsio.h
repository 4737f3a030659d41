/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsio.h - the DNS proxy at work: sockets and timers around the decisions of dns.h.
 *
 * Reads guests' queries from the sockets that it is given (bound to a network's address, port 53), opens
 * its own UDP sockets towards the servers when they are needed (ports of the kernel's random choice,
 * given up again when nothing is waited for), and drives one `struct dns`. No file system, no privilege.
 * Seccomp: SANDBOX_SOCKET_INET_UDP, _TCP and _ACCEPT; SANDBOX_SOCKET_NETLINK for servers whose scope is an interface's name.
 */
#ifndef VNET_NATD_DNSIO_H
#define VNET_NATD_DNSIO_H

#include "lib/loop.h"
#include "natd/dns.h"
#include "natd/resolv.h"

struct dnsio;

/* NULL: no memory. */
struct dnsio *dnsio_new(struct loop *loop);
/* Closes every socket. NULL is allowed. */
void dnsio_free(struct dnsio *io);

/* Serves a network. *fd: its socket, which is taken over (also on failure); -1 keeps the one it has, so
 * that a change of `conf` alone disturbs nothing. 0; -EINVAL: bad net or conf (dns_set_net()), -ENOMEM,
 * -EBADF: no socket at all. After a failure the network is served as before, if it was. */
int dnsio_set_net(struct dnsio *io, unsigned net, int *fd, const struct dns_net_conf *conf);

/* Serves it over TCP, too: *fd is a listening socket, see dnstcp_set_net(). */
int dnsio_set_tcp(struct dnsio *io, unsigned net, int *fd);

/* Stops serving it and closes its sockets; nothing happens when it is not served. */
void dnsio_drop_net(struct dnsio *io, unsigned net);

/* What /etc/resolv.conf says now. The same servers again change nothing. Servers whose scope names an
 * interface that does not exist are left out. Returns the number of servers in use. */
unsigned dnsio_set_host_servers(struct dnsio *io, const struct resolv *r);

/* dns_set_subnet(). */
void dnsio_set_subnet(struct dnsio *io, unsigned net, struct prefix4 subnet);

/* dns_names(). */
struct dnsname *dnsio_names(struct dnsio *io);

/* dns_flush(). */
void dnsio_flush(struct dnsio *io);

/* What it has counted and knows, for dns_stats_of() and dns_server_at(). */
const struct dns *dnsio_dns(const struct dnsio *io);

const struct dns_stats *dnsio_stats(const struct dnsio *io);

#endif
