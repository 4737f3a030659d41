/* SPDX-License-Identifier: GPL-2.0-or-later
 * fake_vnetd.h - a stand-in for vnetd's client socket, for the tests of the tools.
 *
 * It answers every request with the rows of ctl_sample.h. Changes succeed and are echoed, so that a
 * test sees what was asked; network 66 and the port "forbidden" are that, network 99 and the port "gone"
 * do not exist. Taps are memfds that hold "tap 0\n", "tap 1\n"... Reports of filters are written to a file, but
 * those of "tap-evil" are refused.
 */
#ifndef VNET_TESTS_UNIT_VNETD_FAKE_VNETD_H
#define VNET_TESTS_UNIT_VNETD_FAKE_VNETD_H

#include <stddef.h>
#include <sys/types.h>

enum fake_mood {
	FAKE_ANSWERS,
	FAKE_HANGS_UP, /* closes each connection after the first request */
	FAKE_SILENT,   /* reads and never answers */
	FAKE_BABBLES,  /* answers with bytes that are no message */
};

struct fake {
	char dir[64]; /* to be given as --run-dir */
	pid_t pid;
};

/* A server in a process group of its own; it listens when this returns. */
void fake_start(struct fake *f, enum fake_mood mood);

/* Kills it, or starts another one that listens in the same folder. Any process may. */
void fake_kill(const struct fake *f);
void fake_listen(struct fake *f, enum fake_mood mood);

/* What it was told of filters of network cards: a line each. */
void fake_reports(const struct fake *f, char *buf, size_t cap);

/* Ends it and removes its folder. */
void fake_stop(struct fake *f);

/* A folder in which nobody listens, to be removed by fake_stop() too. */
void fake_absent(struct fake *f);

#endif
