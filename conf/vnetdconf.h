/* SPDX-License-Identifier: GPL-2.0-or-later
 * vnetdconf.h - our own `vnetd.conf`: INI sections that schema.h's table describes.
 *
 * Pure. An unknown section or key is an error with a suggestion. Edits change one fact and keep
 * every other byte.
 */
#ifndef VNET_CONF_VNETDCONF_H
#define VNET_CONF_VNETDCONF_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/arena.h"
#include "conf/diag.h"
#include "conf/schema.h"

struct strbuf;

/* One `key = value`. */
struct vnetd_item {
	const struct schema_row *row;
	struct schema_value value;
	struct conf_pos pos;
};

/* One section; a repeated section is merged into the first of its name. */
struct vnetd_section {
	enum schema_section kind;
	const char *name; /* port, user or group name; canonical MAC text; NULL for others */
	bool is_mac;      /* [port MAC] */
	struct mac mac;
	unsigned net; /* [vmnetN] */
	struct vnetd_item *item;
	size_t nitems;
	struct conf_pos pos;
};

struct vnetd_file {
	struct vnetd_section *section;
	size_t nsections;
};

/* Parses; every mistake is an error in d. Twice the same key in one section is one. */
void vnetdconf_parse(struct vnetd_file *f, struct arena *a, const char *name, const char *text,
		     size_t len, struct diags *d);

/* The item of key in a section, or NULL. */
const struct vnetd_item *vnetd_item_find(const struct vnetd_section *s, const char *key);

/* A key that means something with tap = yes only: "tap" itself, "network", "queues". */
bool vnetd_is_tap_key(const char *key);

/* A name that vnetd gives to its own taps and veths: vmnetNpM. Others have it after them. */
bool vnetd_is_own_port(const char *name);

/* Canonical text; parse(print(x)) == x. */
void vnetdconf_print(struct strbuf *out, const struct vnetd_file *f);

/* The effective configuration (`vnetd -nn`): a valid vnetd.conf with every key's value; facts that
 * other files hold are comments with their file and line. */
void vnetdconf_print_effective(struct strbuf *out, const struct conf *c);

/* The default file: nothing but comments; each key with default, help and why. */
void vnetdconf_gen_file(struct strbuf *out);

/* New text with key = value in the section whose header is `[section]` ("vmnet8", "port fc0");
 * value NULL removes the line, and the section when nothing but its header is left. */
void vnetdconf_set(struct strbuf *out, const char *text, size_t len, const char *section,
		   const char *key, const char *value);

/* Removes a whole section with its lines up to the next header. */
void vnetdconf_remove_section(struct strbuf *out, const char *text, size_t len,
			      const char *section);

#endif
