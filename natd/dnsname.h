/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsname.h - names that are known without asking anybody: guests', the host's, /etc/hosts.
 *
 * Pure. A network's guests see, and are seen by, only each other:
 *
 *      web1, web1.localdomain, web1.vmnet8     the guest of this network whose lease has that host name
 *      host.vmnet                              the host's address on this network
 *      4.8.168.192.in-addr.arpa                the other way round
 *
 * and what /etc/hosts says, which comes first. A guest cannot take a name of /etc/hosts, host.vmnet, nor a
 * name that programs trust (wpad, isatap, localhost), nor one in anybody's domain. Other types of these
 * names do not exist; the domains vmnet and vmnetN are nobody else's, so that nothing in them is asked
 * of a server. Other single names and localdomain may be known to one.
 */
#ifndef VNET_NATD_DNSNAME_H
#define VNET_NATD_DNSNAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/hash.h"
#include "lib/inet.h"
#include "natd/dnsmsg.h"

#define DNSNAME_MAX       16384 /* names; more are left out */
#define DNSNAME_LABEL_MAX 63

struct dnsname;

/* NULL: no memory. key: secret. */
struct dnsname *dnsname_new(const struct hash_key *key);
void dnsname_free(struct dnsname *t);

/* The network's own addresses. host 0: the host has none there. subnet.len 0: there is no such network (any more),
 * and its guests are forgotten. */
void dnsname_set_net(struct dnsname *t, unsigned net, struct prefix4 subnet, struct ip4 host);

/* The guest with this address on a network that dnsname_set_net() knows has this name, as it told it; "": none. Of a name with dots the first part counts; one
 * that is not letters, digits and hyphens is none. A name that another guest has is the later one's. */
void dnsname_set_guest(struct dnsname *t, unsigned net, struct ip4 addr, const char *name);

/* Between the two every guest is told anew; who was not is forgotten. */
void dnsname_begin(struct dnsname *t);
void dnsname_end(struct dnsname *t);

/* The text of /etc/hosts (hosts(5)), instead of the one before. Addresses of the loopback are left out: they are
 * another machine's to a guest. */
void dnsname_set_hosts(struct dnsname *t, const char *text, size_t len);

/* Turns the query msg (limit bytes of room, h and e its own) of a guest of `net` into the answer, in place.
 * Returns its length, 0: somebody else may know. */
size_t dnsname_answer(const struct dnsname *t, unsigned net, uint8_t *msg, size_t limit,
		      const struct dns_head *h, const struct dns_edns *e);

#endif
