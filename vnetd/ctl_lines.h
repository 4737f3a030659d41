/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_lines.h - a capture as lines for people: by tcpdump where it is installed, else in a short form of our own.
 */
#ifndef VNET_VNETD_CTL_LINES_H
#define VNET_VNETD_CTL_LINES_H

#include "capture/pcapng.h"
#include "vnetd/ctl_session.h"

/* Captures until the end and prints to standard output. quiet: nothing else to standard error; ethernet: with the
 * Ethernet header. why: on failure a sentence. fd and nfds of want are not looked at. */
enum ctl_exit lines_capture(struct session_want *want, bool quiet, bool ethernet,
			    struct strbuf *why);

/* Frames of a capture, one after the other, out of the pipe that vnet-capture writes to. */
struct frames {
	int fd; /* owned */
	uint8_t *buf;
	size_t len, cap;
};

/* A pipe: *theirs, owned by the caller, is for the capture. False: it cannot be made. */
bool frames_open(struct frames *f, int *theirs);
void frames_close(struct frames *f);

/* Reads what is there, and calls cb for each whole frame. False: nothing comes any more. */
bool frames_read(struct frames *f, void (*cb)(const struct pcapng_frame *frame, void *arg),
		 void *arg);

#endif
