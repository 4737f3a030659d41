/* SPDX-License-Identifier: GPL-2.0-or-later
 * alias.h - what a port's link alias remembers, so that a new engine knows the port again. Pure.
 *
 * The alias is `vnetd:N kind=netns name=web1 mac=52:54:00:12:34:56 owner=1000 netns=blue peer=eth0`
 * (names.h handles `vnetd:N`, this file the rest). It is the only record of a port: there is no state
 * file that could disagree with the kernel. Words that are not understood are skipped.
 */
#ifndef VNET_VNETD_ALIAS_H
#define VNET_VNETD_ALIAS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/inet.h"
#include "lib/msg.h"

#define PORT_NAME_MAX 64 /* with its NUL */

struct alias {
	enum port_kind kind;
	char name[PORT_NAME_MAX];  /* "": the link's own name */
	struct mac mac;            /* the guest's, as told at attach; zero: not told */
	uint32_t owner;            /* uid, MSG_UID_NONE: nobody in particular */
	unsigned queues;           /* of a tap, at least 1 */
	char netns[PORT_NAME_MAX]; /* the namespace as the caller named it */
	char peer[16];             /* the guest's name of its end of a veth pair */
};

/* Writes the text; it always fits. Bytes that an alias cannot hold become '_'. */
void alias_print(char text[MSG_ALIAS], const struct alias *a);

/* Reads it back. False when the text tells no kind: not a port of ours, or one that is half made. */
bool alias_parse(struct alias *a, const char *text);

/* A name that somebody may give to a port: 1-63 letters, digits and "._-", not beginning with "-". */
bool alias_name_ok(const char *name);

#endif
