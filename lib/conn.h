/* SPDX-License-Identifier: GPL-2.0-or-later
 * conn.h - tracked connections, as messages tell of them.
 */
#ifndef VNET_LIB_CONN_H
#define VNET_LIB_CONN_H

/* In one answer. */
#define CONNS_MAX 65536

/* How far one has got: TCP's states as the kernel follows them; of others whether anything was
 * answered. */
enum conn_state {
	CONN_UNANSWERED,
	CONN_ANSWERED,
	CONN_SYN_SENT,
	CONN_SYN_RECV,
	CONN_ESTABLISHED,
	CONN_FIN_WAIT,
	CONN_CLOSE_WAIT,
	CONN_LAST_ACK,
	CONN_TIME_WAIT,
	CONN_CLOSE,
	CONN_STATE_N
};

/* unanswered answered syn-sent syn-recv established fin-wait close-wait last-ack time-wait close
 * (lib/msg.c) */
const char *conn_state_name(enum conn_state s);

#endif
