/* SPDX-License-Identifier: GPL-2.0-or-later
 * sd.h - the service manager's two protocols, without its library: sd_notify(3), sd_listen_fds(3), and the store
 * of descriptors that goes through both.
 */
#ifndef VNET_LIB_SD_H
#define VNET_LIB_SD_H

#include <stddef.h>

#define SD_NAME_MAX 96 /* with its NUL */

/* Connects to $NOTIFY_SOCKET and keeps it (so that it works after the root change); unsets the
 * variable. Descriptor, or -1 when there is no manager. Call while the path is reachable. */
int sd_notify_open(void);

/* Sends "READY=1", "RELOADING=1\nMONOTONIC_USEC=..", "STATUS=...". No-op for fd -1. 0 or -errno. */
int sd_notify_send(int fd, const char *state);

/* Hands a copy of a descriptor to the manager, which passes it to the next start of the service under that name
 * (no colon); and takes that back. No-op for notify -1. 0 or -errno. */
int sd_store(int notify, int fd, const char *name);
int sd_unstore(int notify, const char *name);

struct sd_stored {
	int fd;
	char name[SD_NAME_MAX];
};

/* Before sd_listen_seqpacket(): copies of the inherited descriptors whose names begin with `prefix`, numbered beyond
 * all inherited ones, close-on-exec. Their number. */
size_t sd_take_stored(const char *prefix, struct sd_stored *out, size_t max);

/* The inherited descriptor that is a listening AF_UNIX SEQPACKET socket bound to `path`, made
 * close-on-exec and non-blocking; -1 when there is none. It is found by type and address, not by position. Unsets
 * LISTEN_*; every other inherited descriptor of the manager is closed. */
int sd_listen_seqpacket(const char *path);

#endif
