/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_session.h - a capture as the tools see it: asked of vnetd, set up with vnet-capture, watched until it ends.
 *
 * Used by vnetctl, vnet-sniffer and vnet-extcap. Filters are compiled (ctl_filter.h) and files opened with the rights of
 * who calls them; frames go from vnet-capture into these files and not through the tool.
 */
#ifndef VNET_VNETD_CTL_SESSION_H
#define VNET_VNETD_CTL_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/out.h"
#include "lib/mono.h"
#include "vnetd/ctl_client.h"

#define SESSION_SNAPLEN PCAPNG_SNAPLEN_MAX
#define SESSION_NAME    96 /* "vmnet8 port web1" */

struct session_want {
	const char *run_dir;
	uint16_t net;
	const char *port;   /* its name, interface name or MAC; NULL: the whole network */
	const char *filter; /* NULL: everything */
	uint32_t snaplen;
	uint64_t count;    /* 0: no end */
	uint64_t file_max; /* of each file of a ring, 0: no ring */
	bool drops;        /* what the port's gate refuses, too */
	bool pcap;         /* the older file format */
	const int *fd;     /* where it goes; borrowed */
	unsigned nfds;
	bool anew; /* what is in these files goes when the capture begins */
};

struct session {
	struct client client; /* why: the sentence when something fails */
	int sock; /* to vnet-capture; becomes readable when session_step() has to be called */
	char name[SESSION_NAME];
	bool ending;             /* session_end() was called */
	struct mono told, heard; /* when that was; its last word since */
	/* What vnet-capture told last. */
	uint64_t frames, dropped;
	uint32_t file;
	uint64_t file_bytes;
	bool pcap; /* session_want's */
	bool died; /* without a word: the file that it was writing may end within a frame */
};

/* Opens a file to capture into, which keeps what is in it: see session_want.anew. "-" is standard output. Its descriptor;
 * -1: why says why not. */
int session_file(const char *name, struct strbuf *why);

/* Begins to capture. The session is to be closed whatever this returns. A filter that is none is CTL_USAGE. */
enum ctl_exit session_open(struct session *s, const struct session_want *want);
void session_close(struct session *s);

/* Takes what vnet-capture has to say, waiting so long for it; an interrupted wait is no failure. *over: the capture has
 * ended; CTL_OK: as it should. */
enum ctl_exit session_step(struct session *s, int timeout_ms, bool *over);

/* Asks it to end; session_step() tells when it has. */
void session_end(struct session *s);

/* That was a while ago, and nothing was heard since; or somebody has asked twice. */
bool session_is_late(const struct session *s);

/* Says that it is not waited for any longer. */
enum ctl_exit session_give_up(struct session *s);

/* Until it has ended; after a signal it is told to, and no longer waited for than it says that it goes on. each, if any:
 * called twice a second and more. */
enum ctl_exit session_wait(struct session *s, void (*each)(const struct session *s));

/* After a worker's sudden death: cuts the files back to their last whole frame. fd: as in session_want. */
void session_repair(const struct session *s, const int *fd, unsigned nfds);

/* From now on SIGINT, SIGTERM and SIGHUP are noted instead of ending the program. */
void session_catch_signals(void);
bool session_interrupted(void);

#endif
