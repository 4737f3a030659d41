/* SPDX-License-Identifier: GPL-2.0-or-later
 * qmp.h - QEMU's monitor protocol, as far as watching the filters of network cards needs it.
 *
 * Pure but for the allocations of jansson: bytes go in, lines to send and filters come out. A QEMU is not
 * trusted: a line has a limit, so have its nesting and the number of cards. What a guest's driver never
 * touched counts as silence: a virtio-net card lets everything in until a driver sets its filter, so
 * a machine without a driver (firmware, an old boot loader) would seem to ask for promiscuous mode.
 */
#ifndef VNET_VNETD_QMP_H
#define VNET_VNETD_QMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/inet.h"

struct strbuf;

#define QMP_LINE_MAX   (1u << 20) /* a filter with its VLAN table takes 24 KB */
#define QMP_DEPTH_MAX  32
#define QMP_NICS_MAX   32
#define QMP_GROUPS_MAX 64 /* multicast addresses that are kept of a card */
#define QMP_NAME_MAX   128

/* A stream cut into lines. Zero is an empty one. */
struct qmp_lines {
	char *buf;
	size_t len, cap;
	size_t start; /* of the line that comes next */
	size_t seen;  /* up to here there is no line end behind start */
};

/* Takes n more bytes. False: the line is longer than QMP_LINE_MAX, or there is no memory. */
bool qmp_lines_add(struct qmp_lines *l, const char *bytes, size_t n);

/* The next whole line without its end, valid until the next call; NULL: none yet. */
const char *qmp_lines_next(struct qmp_lines *l, size_t *len);

void qmp_lines_fini(struct qmp_lines *l);

/* The filter of one network card. */
struct qmp_nic {
	char name[QMP_NAME_MAX]; /* the device's id, or what QEMU calls it */
	struct mac mac;
	bool promisc;  /* the guest's driver wants every unicast frame */
	bool allmulti; /* and every multicast */
	uint16_t unicasts, multicasts;
	struct mac multicast[QMP_GROUPS_MAX]; /* the first of them */
	size_t ngroups;
};

struct qmp_filters {
	struct qmp_nic nic[QMP_NICS_MAX];
	size_t n;
};

/* The dialogue: greeting, qmp_capabilities, then query-rx-filter now and after each change. */
enum qmp_state {
	QMP_GREETING,    /* nothing came. Leave: the greeting */
	QMP_NEGOTIATING, /* qmp_capabilities is sent. Leave: its answer */
	QMP_IDLE,        /* the last filters were told. Leave: an event */
	QMP_ASKING,      /* query-rx-filter is sent. Leave: its answer */
};

struct qmp_session {
	enum qmp_state state;
	uint32_t id; /* of the last command */
	bool again;  /* something changed while an answer was under way */
};

#define QMP_SEND_MAX 80

/* What a line leads to. */
struct qmp_step {
	char send[QMP_SEND_MAX]; /* to be sent, with its line end; "": nothing */
	bool filters;            /* the struct qmp_filters was filled */
};

/* Takes one line. False, with a sentence in `why`: this is no QEMU to go on with. */
bool qmp_input(struct qmp_session *s, const char *line, size_t len, struct qmp_step *out,
	       struct qmp_filters *filters, struct strbuf *why);

enum qmp_choice {
	QMP_CHOICE_ONE,     /* *index is it */
	QMP_CHOICE_NOBODY,  /* no card reports its filter */
	QMP_CHOICE_UNKNOWN, /* no card of that name does */
	QMP_CHOICE_SEVERAL, /* and none of them has the address */
};

/* Which card is the port's: the one of that name (NULL: not told), else the one with its address (zero:
 * not known), else the only one. */
enum qmp_choice qmp_choose(const struct qmp_filters *f, const char *name, struct mac mac,
			   size_t *index);

#endif
