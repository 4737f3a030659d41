/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_netns.h - network namespaces from the caller's side: naming one, and bringing a link up in it.
 *
 * vnetd cannot enter a namespace; who attaches one can, as root or as the owner of the user
 * namespace that it belongs to.
 */
#ifndef VNET_VNETD_CTL_NETNS_H
#define VNET_VNETD_CTL_NETNS_H

#include <sys/types.h>

#include "lib/strbuf.h"

/* Opens a namespace by its name in /run/netns, a path (anything with a '/'), or a process id; a name
 * goes before a number. Descriptor (close-on-exec), or -1 with a sentence in `why`. */
int netns_open(const char *what, struct strbuf *why);

/* A process that stands inside a namespace and waits to be told which link to bring up. */
struct netns_visitor {
	pid_t pid;
	int sock; /* SEQPACKET pair: the link's name goes in, an errno comes out */
};

/* Starts one; it has entered when this returns true. False with a sentence in `why`. */
bool netns_enter(struct netns_visitor *v, int netns, struct strbuf *why);

/* Sets a link up in there. 0 or -errno. */
int netns_link_up(struct netns_visitor *v, const char *ifname);

/* Ends the visitor; call it in every case after a successful netns_enter(). */
void netns_leave(struct netns_visitor *v);

#endif
