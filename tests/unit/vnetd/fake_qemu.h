/* SPDX-License-Identifier: GPL-2.0-or-later
 * fake_qemu.h - a stand-in for the monitor (QMP) of a QEMU, for the tests of `vnetctl watch`.
 *
 * A test writes down what it says and hears, in a process of its own:
 *
 *     listener = qemu_listen(path);
 *     if (fork() == 0) {
 *             struct qemu q = qemu_meet(listener);        greeting and qmp_capabilities
 *             qemu_answer(&q, card, 1);                   waits for query-rx-filter
 *             qemu_change(&q, card, 1);                   the event, and the answer to the next one
 *             qemu_end(&q);
 *     }
 *
 * A dialogue that goes another way ends the process with 1, and says on stderr what came.
 */
#ifndef VNET_TESTS_UNIT_VNETD_FAKE_QEMU_H
#define VNET_TESTS_UNIT_VNETD_FAKE_QEMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* A network card as query-rx-filter describes it. */
struct qemu_card {
	const char *name, *mac;
	bool promisc, all_multicast;
	unsigned groups; /* multicast addresses in its table */
};

struct qemu {
	int sock;
	FILE *in, *out;
	unsigned id;  /* of the last command */
	pid_t client; /* the process that connected */
};

/* Listens on a socket file, which is made anew; -1: it cannot. */
int qemu_listen(const char *path);

/* Takes a client, greets it, and lets it negotiate. */
struct qemu qemu_meet(int listener);

/* Waits for query-rx-filter and answers it with n cards. */
void qemu_answer(struct qemu *q, const struct qemu_card *card, size_t n);

/* Tells an event without data that are looked at. */
void qemu_event(struct qemu *q, const char *event);

/* qemu_event("NIC_RX_FILTER_CHANGED") and qemu_answer(). */
void qemu_change(struct qemu *q, const struct qemu_card *card, size_t n);

/* Sends bytes as they are. */
void qemu_say(struct qemu *q, const char *text);

/* The client closes within the time that a test has. */
void qemu_await_end(struct qemu *q);

/* Ends the process as a machine ends: with exit status 0. */
__attribute__((noreturn)) void qemu_end(struct qemu *q);

#endif
