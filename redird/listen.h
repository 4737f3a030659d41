/* SPDX-License-Identifier: GPL-2.0-or-later
 * listen.h - accepting: in batches, judged by access.h, paused when there is no room and taken up again.
 */
#ifndef VNET_REDIRD_LISTEN_H
#define VNET_REDIRD_LISTEN_H

#include "redird/inner.h"

/* Puts a listening socket into the epoll set as the service's; the service owns it then. 0, -EINVAL (no listening
 * socket) or -errno, and the descriptor stays the caller's. */
int listen_start(struct redird *r, struct svc *s, int fd);
/* Sets what accepted sockets inherit, as the service's settings are. 0 or -errno. */
int listen_options(struct svc *s, int fd);
/* Takes the service's listener out and closes it. */
void listen_stop(struct redird *r, struct svc *s);

/* Nobody is accepted by the service, or again. */
void listen_hold(struct redird *r, struct svc *s, bool on);

/* Its queue is not empty. */
void listen_ready(struct redird *r, struct svc *s);

/* Nothing is accepted until listen_resume(). `retry`: the system is short of something, not we, so it is tried
 * again soon. */
void listen_pause(struct redird *r, bool retry);
void listen_resume(struct redird *r);
/* Says that there is room again, once after it was said that there is none. */
void listen_tell(struct redird *r);

#endif
