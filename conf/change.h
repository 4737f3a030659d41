/* SPDX-License-Identifier: GPL-2.0-or-later
 * change.h - what a verb changes in which files: `create`, `delete`, `set`, `forward`, `reserve`.
 *
 * Pure: the files as they are in, the complete new texts of those that change out. The caller
 * writes them (CONF_REPLACE) and reloads. Each call checks the result: a change that would make
 * things wrong is refused with errors in d and leaves `ch` empty.
 */
#ifndef VNET_CONF_CHANGE_H
#define VNET_CONF_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "conf/diag.h"

/* One file to be replaced; text NULL: to be removed (with its folder, if that is empty then). */
struct conf_change {
	enum conf_file_id file;
	unsigned net; /* CONF_FILE_DHCPD, CONF_FILE_NAT */
	char *text;   /* malloc()ed, owned by the list, NUL-terminated behind len bytes */
	size_t len;
};

/* In the order in which they should be written; `networking` last, so that a crash in between
 * leaves files that the next refresh repairs. */
struct conf_changes {
	struct conf_change *v;
	size_t n;
	bool bad; /* out of memory: do not write */
};

void conf_changes_init(struct conf_changes *ch);
void conf_changes_fini(struct conf_changes *ch);

/* Replaces the files in src by the changed ones (borrowing their texts from ch). */
void conf_changes_apply(struct conf_sources *src, const struct conf_changes *ch);

/* A user's number, the current time and the host's use of addresses come from the caller. */
struct conf_env {
	const struct prefix4 *used; /* routes, addresses and DNS servers (/32) of the host */
	size_t nused;
	uint64_t random;     /* any 64 random bits */
	char written_at[20]; /* local time "MM/DD/YYYY HH:MM:SS", or empty */
};

/* Creates a network that does not exist. subnet len 0: choose one (none for bridged, segment). */
bool conf_create_net(struct conf_changes *ch, const struct conf_sources *src, unsigned n,
		     enum net_kind type, struct prefix4 subnet, const struct conf_env *env,
		     struct diags *d);

/* Removes everything about a network; its dhcpd.conf and nat.conf go too. */
bool conf_delete_net(struct conf_changes *ch, const struct conf_sources *src, unsigned n,
		     struct diags *d);

/* `set vmnetN KEY VALUE` for any SCHEMA_NET row (value NULL, "" or "default": back to the default). A new
 * subnet moves adapter, gateway and ranges that were at their default places; what was customised
 * and lies inside the new subnet stays. */
bool conf_set_net(struct conf_changes *ch, const struct conf_sources *src, unsigned n,
		  const char *key, const char *value, const struct conf_env *env, struct diags *d);

/* Sets a key of another section of vnetd.conf: section "global", "port fc0", "port MAC", "user
 * alice"; values as above. */
bool conf_set(struct conf_changes *ch, const struct conf_sources *src, const char *section,
	      const char *key, const char *value, struct diags *d);

/* Port forwards; a removal looks in `networking` and nat.conf for the protocol and the ports of f. */
bool conf_add_forward(struct conf_changes *ch, const struct conf_sources *src, unsigned n,
		      const struct conf_forward *f, struct diags *d);
bool conf_remove_forward(struct conf_changes *ch, const struct conf_sources *src, unsigned n,
			 const struct conf_forward *f, struct diags *d);

/* Reservations: written as add_dhcp_mac_to_ip; with a name as a host block in the user's part of
 * dhcpd.conf; with static_arp also in the key static-arp of vnetd.conf. What was said about this MAC
 * address before is replaced as a whole. A removal looks in all three. */
bool conf_add_reservation(struct conf_changes *ch, const struct conf_sources *src, unsigned n,
			  struct mac mac, struct ip4 ip, const char *name, bool static_arp,
			  struct diags *d);
bool conf_remove_reservation(struct conf_changes *ch, const struct conf_sources *src, unsigned n,
			     struct mac mac, struct diags *d);

/* Renews what is derived from `networking`: writes missing dhcpd.conf and nat.conf of networks that
 * want them, replaces stale generated sections, and makes netmap.conf agree. Nothing to do: no
 * changes. Call it after a start or a reload with the model just built. */
bool conf_refresh(struct conf_changes *ch, const struct conf_sources *src, const struct conf *c,
		  const struct conf_env *env);

#endif
