/* SPDX-License-Identifier: GPL-2.0-or-later
 * attach.h - the requests ATTACH and DETACH: a port for a client, and its end.
 */
#ifndef VNET_VNETD_ATTACH_H
#define VNET_VNETD_ATTACH_H

#include <stddef.h>

#include "lib/msg.h"
#include "vnetd/control.h"

struct core;

/* Both answer the client, now or when priv has. Descriptors may be taken (fd_take). */
void attach_request(struct core *c, struct client *cl, const struct msg *m, int *fds, size_t nfds);
void detach_request(struct core *c, struct client *cl, const struct msg *m);

#endif
