/* SPDX-License-Identifier: GPL-2.0-or-later
 * users.h - names of users and groups, from the texts of /etc/passwd and /etc/group. Pure.
 *
 * The engine has no file system, so the C library cannot look names up for it: priv opens the two
 * files. Who lives in a directory service only is written by number in vnetd.conf.
 */
#ifndef VNET_VNETD_USERS_H
#define VNET_VNETD_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "conf/diag.h"

struct user {
	const char *name; /* inside the text */
	uint32_t id;
};

/* One file: name:password:number:... */
struct user_list {
	char *text; /* owned */
	struct user *v;
	size_t n;
};

struct users {
	struct user_list user, group;
};

/* Takes over a malloc()ed text (NULL: the file is missing) and replaces what was there. Malformed lines
 * are skipped. False: no memory; the list is empty then. */
bool user_list_set(struct user_list *l, char *text);
void users_fini(struct users *u);

/* By name; a name of digits only is its own number. *id is written on success. */
bool user_list_find(uint32_t *id, const struct user_list *l, const char *name);

/* By number; NULL: unknown. */
const char *user_list_name(const struct user_list *l, uint32_t id);

/* Fills in owner_uid of ports and id of subjects. A name that does not exist leaves its item without
 * effect, with a warning in d. vnet_gid: of group vnet, as priv knows it. */
void users_resolve(struct conf *c, const struct users *u, uint32_t vnet_gid, struct diags *d);

#endif
