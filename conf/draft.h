/* SPDX-License-Identifier: GPL-2.0-or-later
 * draft.h - a change in the making: files as they are, files as they will be. Private to conf/.
 */
#ifndef VNET_CONF_DRAFT_H
#define VNET_CONF_DRAFT_H

#include "conf/change.h"
#include "lib/strbuf.h"

struct draft {
	struct conf_changes *ch;
	const struct conf_sources *src;
	struct conf_sources now; /* src with the changes of ch */
	struct diags *d;
	struct conf *old; /* model of src */
	struct diags old_diags;
};

/* Builds the old model; ch must be empty. False without memory. */
bool draft_init(struct draft *t, struct conf_changes *ch, const struct conf_sources *src,
		struct diags *d);

/* The file in its present state. */
const struct conf_file *draft_file(const struct draft *t, enum conf_file_id id, unsigned net);

/* Makes the text of b the new text of a file; b is empty afterwards. */
void draft_put(struct draft *t, enum conf_file_id id, unsigned net, struct strbuf *b);

/* Removes a file, if it is there. */
void draft_remove(struct draft *t, enum conf_file_id id, unsigned net);

/* Replaces a file by what an edit function makes of it: edit(out, text, len, ...). */
#define DRAFT_EDIT(t, id, net, edit, ...)                                                          \
	do {                                                                                       \
		const struct conf_file *f_ = draft_file((t), (id), (net));                         \
		struct strbuf b_;                                                                  \
                                                                                                   \
		strbuf_init(&b_);                                                                  \
		edit(&b_, f_->text ? f_->text : "", f_->len, __VA_ARGS__);                         \
		draft_put((t), (id), (net), &b_);                                                  \
	} while (0)

/* An error that concerns the change as a whole: no place in a file. */
#define DRAFT_ERROR(t, ...) diag_error((t)->d, ((struct conf_pos){0}), __VA_ARGS__)

/* Ends a change: builds the new model, and unless the change brings an error (with `strict`: or a
 * warning) that was not there before, adds what must be renewed and returns true. Otherwise the
 * complaints are in d, ch is empty. Frees the draft in any case; `ok` false only frees. */
bool draft_finish(struct draft *t, bool ok, bool strict, const struct conf_env *env);

/* Adds what conf_refresh() describes, to the draft's present state. */
void draft_refresh(struct draft *t, const struct conf *c, const struct conf_env *env);

/* Generates the section of dhcpd.conf (or the file) for a network anew, keeping what was customised
 * in it; default and longest lease time can be given. */
void draft_regen_dhcpd(struct draft *t, const struct conf_net *net, const uint32_t *default_lease_s,
		       const uint32_t *max_lease_s, const struct conf_env *env);

/* Default name in netmap.conf. */
void draft_netmap_name(unsigned n, char buf[16]);

#endif
