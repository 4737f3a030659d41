/* SPDX-License-Identifier: GPL-2.0-or-later
 * conf_folder.h - the configuration folder read and written by a tool, with the caller's own rights.
 *
 * vnetd itself goes through priv and never uses this. The folder belongs to user _vnet, so root's
 * tools trust nothing in it: no link leads out of it, and files are replaced, never written in place.
 */
#ifndef VNET_VNETD_CONF_FOLDER_H
#define VNET_VNETD_CONF_FOLDER_H

#include <stdbool.h>

#include "conf/change.h"
#include "conf/conf.h"
#include "conf/redirect_texts.h"

struct strbuf;

struct conf_folder {
	struct conf_sources src; /* texts owned by this structure */
	struct redirect_texts *redirect;
};

/* Reads every file that exists; a folder that does not exist has none. False with a sentence in
 * `why`, which names the file. conf_folder_fini() in every case. */
bool conf_folder_read(struct conf_folder *f, const char *dir, struct strbuf *why);
void conf_folder_fini(struct conf_folder *f);

/* Parses and judges redirect.d of this folder, with the ports of /etc/services. False: no memory. */
bool conf_folder_redirects(struct conf_folder *f, const char *dir, struct diags *d);

/* Carries changes out, each file atomically and durably. Folders are made as needed and belong to
 * the owner of `dir`. */
bool conf_folder_write(const char *dir, const struct conf_changes *ch, struct strbuf *why);

#endif
