/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_texts.h - one reading of redirect.d: its files, and the services that they describe.
 *
 * Pure. Files come in one by one from whoever may open them; then they are parsed, and judged for what
 * vnet-redird does. The model points into the texts, so it lives as long as they do; services of an older
 * reading go on where the newer one has errors, which is why readings are counted.
 */
#ifndef VNET_CONF_REDIRECT_TEXTS_H
#define VNET_CONF_REDIRECT_TEXTS_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/arena.h"
#include "conf/diag.h"
#include "conf/redirect.h"

#define REDIRECT_FILE_MAX   (1u << 20) /* bytes of one file */
#define REDIRECT_TOTAL_MAX  (8u << 20) /* of all */
#define REDIRECT_BANNER_LEN 8192       /* what a fresh socket takes without waiting */

struct redirect_texts {
	unsigned refs;
	struct arena arena;
	struct redirect_file *file;
	char **text; /* of each file; owned */
	size_t nfiles, total;
	char *services; /* /etc/services; owned, NULL: none */
	/* Files that could not be read, and why. */
	struct redirect_unread {
		const char *name, *why;
	} * unread;
	size_t nunread;
	const char *failure; /* the folder as a whole could not be read; NULL: it was */
	struct redirect r;
};

struct redirect_texts *redirect_texts_new(void); /* NULL: no memory */
struct redirect_texts *redirect_texts_ref(struct redirect_texts *t);
void redirect_texts_unref(struct redirect_texts *t); /* NULL is allowed */

/* text: malloc()ed, taken over. A reading that would get too long has the file as an unread one. */
void redirect_texts_add(struct redirect_texts *t, const char *name, char *text, size_t len);
void redirect_texts_unread(struct redirect_texts *t, const char *name, const char *why);
void redirect_texts_fail(struct redirect_texts *t, const char *why);

/* All files are there: services is taken over, and may be NULL; folder: of the configuration, NULL: the usual
 * one. False: no memory. */
bool redirect_texts_parse(struct redirect_texts *t, char *services, const char *folder,
			  struct diags *d);

/* This reading has an error in the file of that name, or could not read it: what is missing in it may be
 * missing by mistake. */
bool redirect_texts_broken(const struct redirect_texts *t, const struct diags *d, const char *file);

#endif
