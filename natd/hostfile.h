/* SPDX-License-Identifier: GPL-2.0-or-later
 * hostfile.h - a file of the host, read through priv and followed when it changes.
 */
#ifndef VNET_NATD_HOSTFILE_H
#define VNET_NATD_HOSTFILE_H

#include "natd/natd.h"

struct hostfile;

/* The file was read, or cannot be: whatever was there before counts on. */
typedef void hostfile_fn(void *arg);

/* path: for the log. max: bytes that are read at most. fn is called from the loop, at first and after each change.
 * NULL: no memory. */
struct hostfile *hostfile_new(struct natd *d, enum host_file file, const char *path, size_t max,
			      hostfile_fn *fn, void *arg);
void hostfile_free(struct hostfile *f);

/* fn has been called. */
bool hostfile_was_read(const struct hostfile *f);

/* What it says; "" when it does not exist. Valid until fn is called again. */
const char *hostfile_text(const struct hostfile *f, size_t *len);

#endif
