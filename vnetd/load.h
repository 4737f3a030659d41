/* SPDX-License-Identifier: GPL-2.0-or-later
 * load.h - reading all configuration files through descriptors that priv opens.
 *
 * Two rounds: the files that exist once, then those of every network that they name. All requests of
 * a round are sent at once.
 */
#ifndef VNET_VNETD_LOAD_H
#define VNET_VNETD_LOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"
#include "conf/diag.h"
#include "conf/redirect_texts.h"
#include "lib/msg.h"

struct core;

struct load {
	struct conf_sources src; /* points into the texts below */
	char **text;
	size_t ntexts;
	char *host[HOST_FILE_N]; /* NULL: not there, or not asked for */
	struct redirect_texts *redirect;
	bool unreadable[CONF_NETS]; /* a file of this network exists and cannot be read */
	bool fatal;                 /* the same for a file of all networks */
	struct diags *diags;
	unsigned pending;
	bool second; /* round */
	void (*done)(struct core *c, void *arg);
	void *arg;
};

/* Reads everything, then calls done. What cannot be read is an error in d. */
void load_start(struct core *c, struct load *l, struct diags *d,
		void (*done)(struct core *c, void *arg), void *arg);

/* Frees the texts. Not while requests are under way. */
void load_fini(struct load *l);

#endif
