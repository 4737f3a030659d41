/* SPDX-License-Identifier: GPL-2.0-or-later
 * journal.h - the lease file: VMware's (ISC dhcpd 2.0's) dhcpd.leases, which is also our
 * journal.
 *
 * Pure: text in, records out, and back. The file is a sequence of blocks; a later block about an
 * address replaces an earlier one. Other programs read it (Packer, Vagrant, docker-machine),
 * each with its own strictness; what is written here satisfies all of them: tabs before
 * statements, one space before the brace, lower-case MACs with two digits, every statement on
 * its own line with nothing behind the semicolon, and nothing behind the last brace but its
 * newline. vnet-leases(5) tells users.
 */
#ifndef VNET_DHCPD_JOURNAL_H
#define VNET_DHCPD_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dhcpd/lease.h"

/* A block is never longer than this. */
#define JOURNAL_REC_MAX 640

/* `ends never;` */
#define JOURNAL_NEVER INT64_MAX

/* One block. Times are UTC seconds since 1970. */
struct journal_rec {
	struct ip4 ip;
	int64_t starts, ends;
	bool abandoned;
	struct mac mac; /* zero: no `hardware` statement */
	uint8_t uid_len;
	uint8_t uid[LEASE_UID_MAX];
	char hostname[DHCP_HOSTNAME_MAX + 1];
};

/* The comment at the beginning of each file. */
extern const char journal_header[];

/* Writes a block (without NUL) and returns its length; cap must be at least JOURNAL_REC_MAX. */
size_t journal_encode(char *buf, size_t cap, const struct journal_rec *rec);

enum journal_next {
	JOURNAL_REC,  /* *rec is filled */
	JOURNAL_BAD,  /* a block or other text that makes no sense was skipped; see `line` */
	JOURNAL_TORN, /* the file ends inside a block: a crash while it was written */
	JOURNAL_END,
};

/* Reads a file held in memory. */
struct journal_reader {
	const char *p, *start, *end;
	unsigned line;    /* of the item that journal_next() returned last, from 1 */
	unsigned at_line; /* of p */
	size_t good_end;  /* bytes up to and including the last complete block's newline */
	bool inside;      /* a block */
};

void journal_reader_init(struct journal_reader *r, const char *text, size_t len);
enum journal_next journal_next(struct journal_reader *r, struct journal_rec *rec);

/* Whether this is nothing but newlines: what stands behind the last block where room was made for others. */
bool journal_is_room(const char *text, size_t len);

/* No file of this text has more blocks than this (cheap: for making room before reading). */
size_t journal_blocks_max(const char *text, size_t len);

/* Whether a file of `bytes` bytes with `blocks` blocks should be rewritten when `live` of them
 * count: at once while it is small (readers that do not let the later block win are served best
 * by one block each), else when half of it is history. */
bool journal_wants_rewrite(size_t bytes, size_t blocks, size_t live);

#endif
