/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_args.h - command lines of the tools: options from a table, then positional arguments.
 *
 * Pure: argv in, values out, or a sentence that says what is wrong. Options may stand anywhere
 * before "--"; a value is given as "--name VALUE" or "--name=VALUE". What follows "--" is a command
 * of the user's and is not looked at.
 */
#ifndef VNET_VNETD_CTL_ARGS_H
#define VNET_VNETD_CTL_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/inet.h"

struct strbuf;

/* A row of a program's or verb's option table; the table ends with a row without a name. */
struct ctl_opt {
	const char *name;  /* without dashes: "queues" */
	char letter;       /* short form, or 0 */
	const char *value; /* what the value is called in help, or NULL: a flag */
	const char *help;  /* one clause */
};

#define CTL_OPTS_MAX 16
#define CTL_OPT_HELP                                                                               \
	{                                                                                          \
		"help", 'h', NULL, "show this help and exit"                                       \
	}
#define CTL_OPT_VERSION                                                                            \
	{                                                                                          \
		"version", 0, NULL, "print the version and exit"                                   \
	}
#define CTL_OPT_RUN_DIR                                                                            \
	{                                                                                          \
		"run-dir", 0, "DIR", "where vnetd's socket is (default " VNET_RUN_DIR ")"          \
	}
/* For programs that read no files of vnetd's. */
#define CTL_OPTS_UNUSED_DIRS                                                                       \
	{"config-dir", 0, "DIR", "accepted like in all programs, not used"},                       \
	{                                                                                          \
		"state-dir", 0, "DIR", "accepted like in all programs, not used"                   \
	}
#define CTL_OPT_QUIET                                                                              \
	{                                                                                          \
		"quiet", 'q', NULL, "print nothing but errors"                                     \
	}
#define CTL_OPT_JSON                                                                               \
	{                                                                                          \
		"json", 0, NULL, "print JSON for programs"                                         \
	}

struct ctl_args {
	const struct ctl_opt *opts;
	const char *value[CTL_OPTS_MAX]; /* by row; "" for a flag that was given, NULL: absent */
	char **pos;                      /* positional arguments: a part of argv, reordered */
	size_t npos;
	char **rest; /* what stands behind "--", NULL-terminated; NULL without "--" */
};

/* Where to stop looking for options. */
enum ctl_args_mode {
	CTL_ARGS_ALL,        /* options and positional arguments mix */
	CTL_ARGS_UNTIL_VERB, /* the first positional argument and all behind it go to pos */
};

/* Takes argv (NULL-terminated, without the program's name) apart; its order is changed. False with a
 * sentence in `why`. */
bool ctl_args_parse(struct ctl_args *out, const struct ctl_opt *opts, char **argv,
		    enum ctl_args_mode mode, struct strbuf *why);

/* The value of an option of the table, "" for a flag; NULL when it was not given. */
const char *ctl_args_get(const struct ctl_args *a, const char *name);

/* The member of a NULL-terminated list that `word` is probably a misspelling of, or NULL. */
const char *ctl_did_you_mean(const char *word, const char *const *list);

/* Decimal number within bounds; nothing else around it. */
bool ctl_parse_number(unsigned *out, const char *s, unsigned min, unsigned max);

/* "90s", "10m", "1h", "2d" -> seconds, from a second to a year. */
bool ctl_parse_duration(uint32_t *seconds, const char *s);

/* A unicast MAC address that is not zero. */
bool ctl_parse_mac(struct mac *out, const char *s);

#endif
