/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_client.h - the tools' side of vnetd.sock: one request at a time, blocking, with a time limit.
 *
 * Used by vnetctl, vnet-networks and vnet-bridge-helper. No libevent, no log: what went wrong is a
 * sentence in client.why, and the return value is the exit code that fits it.
 */
#ifndef VNET_VNETD_CTL_CLIENT_H
#define VNET_VNETD_CTL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/fd.h"
#include "lib/msg.h"
#include "lib/strbuf.h"

/* Exit codes of all programs of the suite. */
enum ctl_exit {
	CTL_OK,
	CTL_FAILED,    /* refused or failed: the message says why */
	CTL_USAGE,     /* the command line is wrong */
	CTL_NO_ANSWER, /* vnetd does not run, or does not answer */
};

#define CLIENT_FOREVER    (-1)
#define CLIENT_TIMEOUT_MS 10000
#define CLIENT_CHANGE_MS  60000 /* a request that changes something waits for the kernel */

struct client {
	int sock;
	uint32_t id;       /* of the request under way */
	char text[512];    /* REPLY's text of the last successful call */
	int err;           /* REPLY's errno of the last failed call, 0 when vnetd did not answer */
	struct strbuf why; /* the last failure, a sentence for the user */
};

/* Connects to <run_dir>/vnetd.sock. The client is to be closed whatever this returns. */
enum ctl_exit client_open(struct client *c, const char *run_dir);
void client_close(struct client *c);

/* A row of an answer. Descriptors that are left in fds are closed afterwards. */
typedef void client_row_fn(const struct msg *row, int *fds, size_t nfds, void *arg);

/* Sends a request (its id is filled in) with a descriptor (-1: none; it stays the caller's) and hands
 * each row to `row`, which may be NULL, until the answer ends. timeout_ms: the longest silence that
 * is waited through. */
enum ctl_exit client_call(struct client *c, struct msg *request, int fd, int timeout_ms,
			  client_row_fn *row, void *arg);

/* Sends a request whose rows are an endless stream, taken by client_next(). */
enum ctl_exit client_start(struct client *c, struct msg *request);

/* One message of the stream. CTL_OK with *end false: a row; with *end true: the answer has ended. */
enum ctl_exit client_next(struct client *c, struct msg *row, int timeout_ms, bool *end);

/* Something of the stream is there within timeout_ms. */
bool client_pending(const struct client *c, int timeout_ms);

/* Rows of one type, gathered: an array of struct msg_xxx_row. */
struct rows {
	enum msg_type type;
	size_t size; /* of one */
	void *v;
	size_t n, cap;
	bool bad; /* out of memory */
};

#define ROWS_INIT(NAME, name)                                                                      \
	{                                                                                          \
		.type = MSG_##NAME, .size = sizeof(struct msg_##name)                              \
	}

void rows_fini(struct rows *r);

/* client_call() that gathers: `want` are nwant row lists, each gets the rows of its type. */
enum ctl_exit client_gather(struct client *c, struct msg *request, struct rows *const *want,
			    size_t nwant);

#endif
