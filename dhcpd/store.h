/* SPDX-License-Identifier: GPL-2.0-or-later
 * store.h - one network's lease file on disk: append and sync, or write anew.
 *
 * Durable before visible: what store_append() or store_rewrite() says 0 to survives kill -9 and
 * a power cut. An append that fails is taken back, so that the file always ends with a whole
 * block. After a failed sync nobody knows what the disk holds; then only writing the file anew
 * counts. System calls only; what the file says is journal.c's.
 *
 * A file that grows costs each sync a commit of the file system's journal beside the data, so the
 * file may end with room: newlines, which all its readers skip. Blocks are written over them. What a
 * power cut can leave of that is blocks of which 512-byte sectors are newlines still; journal.c knows.
 */
#ifndef VNET_DHCPD_STORE_H
#define VNET_DHCPD_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "dhcpd/journal.h"

#define STORE_FILE "dhcpd.leases"

/* A lease file beyond this size is not ours. */
#define STORE_FILE_MAX (256u << 20)

#define STORE_ROOM_MAX 16384

struct store {
	int dir;       /* the network's folder; owned */
	int fd;        /* the file, for appending; -1: there is none that could be appended to */
	bool unnamed;  /* a power cut could still take the file's name from the folder */
	off_t size;    /* of the file as far as it is known to be good */
	off_t end;     /* of the room behind it: newlines that are on the disk */
	size_t blocks; /* in it */
};

/* No file yet. Takes over dir. */
void store_init(struct store *s, int dir);
void store_fini(struct store *s);

/* The whole file (*text: its length to store_release()), not NUL-terminated; 0 bytes when there is none. It is mapped:
 * copying a large one into fresh memory takes longer than making sense of it. Length or -errno. */
ssize_t store_read(const struct store *s, const char **text);
void store_release(const char *text, size_t len);

/* Says that the first `size` bytes of the file on disk are whole as they were read, and behind them is
 * room at most, which is cut off: appending may begin. 0 or -errno. */
int store_adopt(struct store *s, size_t size, size_t blocks);

/* Makes the file where there is none: the header alone, which promises nothing and so waits for
 * no disk; the first append makes file and name durable. 0, -EEXIST or -errno. */
int store_create(struct store *s);

/* Keeps a copy of a damaged file as dhcpd.leases~, the name that VMware gives to the previous
 * one. */
int store_backup(const struct store *s, const char *text, size_t len);

/* Writes whole blocks behind the others and syncs. Where there is not room for them they get so many
 * bytes of it (STORE_ROOM_MAX at most) behind them, if the disk has these. 0 or -errno, with nothing
 * appended. */
int store_append(struct store *s, const char *text, size_t len, size_t blocks, size_t room);

/* Cuts off the room, if there is any: the file ends with its last block. It waits for no disk, as nothing depends
 * on it; store_fini() does it too. */
void store_trim(struct store *s);

/* Replaces the file by the header and what next(arg, rec) yields until it says false. 0, or
 * -errno: then the old file is still there (or, if only its folder could not be synced, perhaps
 * the new one). */
int store_rewrite(struct store *s, bool (*next)(void *arg, struct journal_rec *rec), void *arg);

#endif
