/* SPDX-License-Identifier: GPL-2.0-or-later
 * diag.h - what is wrong with a configuration: a list of sentences with their place.
 *
 * Parsers and checks collect here and never stop at the first; they know no log and no exit.
 * A diagnostic prints as `file:line:col: sentence` (line and col from 1; both left out when 0).
 */
#ifndef VNET_CONF_DIAG_H
#define VNET_CONF_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/arena.h"
#include "lib/kinds.h"
#include "lib/util.h"

struct strbuf;

/* Where a fact was written. line 0: not written anywhere (a default or derived). `file` is the
 * name below the configuration folder ("vmnet8/nat/nat.conf"), borrowed from the caller. */
struct conf_pos {
	const char *file;
	uint32_t line, col;
};

struct diag {
	enum diag_severity severity;
	int net; /* the network concerned, -1: none in particular */
	struct conf_pos pos;
	const char *text; /* one sentence without place and without newline */
};

/* The list. Texts and file names are copied into its arena. */
struct diags {
	struct arena arena;
	struct diag *v;
	size_t n;
	size_t count[3]; /* by severity */
	int net; /* network that new entries concern; parsers' callers set it, -1 at first */
	/* Networks (and -1: everything) that have an error, whether it is still listed or not. */
	uint8_t failed_net[32];
	bool failed_all;
};

#define DIAGS_MAX   1000 /* entries kept; beyond that only counted, so that garbage stays cheap */
#define NOTICES_MAX 500  /* entries beyond which no notice is kept, so that warnings find room */

void diags_init(struct diags *d);
void diags_fini(struct diags *d);

/* Adds a sentence. Control characters in it are shown as "\xNN". */
void diag_add(struct diags *d, enum diag_severity sev, struct conf_pos pos, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

#define diag_error(d, pos, ...)  diag_add((d), DIAG_ERROR, (pos), __VA_ARGS__)
#define diag_warn(d, pos, ...)   diag_add((d), DIAG_WARNING, (pos), __VA_ARGS__)
#define diag_notice(d, pos, ...) diag_add((d), DIAG_NOTICE, (pos), __VA_ARGS__)

/* The first DIAG_ERROR that concerns network `net` (-1: one that concerns everything), or NULL. */
const struct diag *diags_first_error(const struct diags *d, int net);

/* Network `net` (-1: everything) has an error. */
bool diags_failed(const struct diags *d, int net);

/* Appends the entries and counts of src to dst. */
void diags_append(struct diags *dst, const struct diags *src);

/* Appends "file:line:col: text" (no newline). */
void diag_print(struct strbuf *out, const struct diag *d);

/* The word of the NULL-terminated list that `word` is probably a misspelling of (case is ignored,
 * at most a third of the letters differ), or NULL. */
const char *diag_did_you_mean(const char *word, const char *const *list);

#endif
