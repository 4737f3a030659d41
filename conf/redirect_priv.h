/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_priv.h - between the files of the parser of redirect.d: words, sections, value readers.
 *
 * Private to conf/redirect*.c and their tests.
 */
#ifndef VNET_CONF_REDIRECT_PRIV_H
#define VNET_CONF_REDIRECT_PRIV_H

#include "conf/redirect.h"
#include "conf/text.h"

/* --- redirect_lex.c: lines --- */

enum redirect_op {
	REDIRECT_SET,
	REDIRECT_ADD,
	REDIRECT_DEL,
};

enum redirect_line_kind {
	REDIRECT_LINE_NONE,   /* blank or comment */
	REDIRECT_LINE_WORDS,  /* first, rest */
	REDIRECT_LINE_ASSIGN, /* first op rest */
	REDIRECT_LINE_OPEN,   /* { */
	REDIRECT_LINE_CLOSE,  /* } */
};

struct redirect_line {
	enum redirect_line_kind kind;
	struct line line;
	struct word first, rest; /* the rest has no blanks around it */
	enum redirect_op op;
	bool opens; /* words that end with a brace, which is not in the rest: `service ssh {` */
};

struct redirect_lex {
	struct lines lines;
};

void redirect_lex_init(struct redirect_lex *x, const char *text, size_t len);
bool redirect_lex_next(struct redirect_lex *x, struct redirect_line *out);

/* --- redirect_read.c: files and includes -> sections --- */

/* A word with its place. */
struct redirect_word {
	struct word w;
	struct conf_pos pos;
};

/* One assignment; its values are words of `rest`. */
struct redirect_pair {
	struct redirect_word key;
	enum redirect_op op;
	struct redirect_word rest;
};

struct redirect_section {
	struct redirect_word name; /* of a service */
	struct redirect_pair *v;
	size_t n;
	bool bad; /* a line of it was an error */
};

struct redirect_sections {
	struct redirect_section *service;
	size_t nservices;
	struct redirect_section defaults;
	bool have_defaults;
	/* Files directly in redirect.d that were not read because of their name, and are not what
	 * an editor leaves. */
	const struct redirect_file **unread;
	size_t nunread;
};

void redirect_read(struct redirect_sections *s, struct arena *a, const struct redirect_sources *src,
		   struct diags *d);

/* The file that a path of an include or a banner means: below the configuration folder, or below
 * redirect.d. NULL, with *why a piece of a sentence, when there is none. */
const struct redirect_file *redirect_resolve(const struct redirect_sources *src, struct word path,
					     const char **why);

/* --- redirect_addr.c: addresses and lists of them --- */

/* One entry of only_from or no_access; a factorized one gives several rules. Errors are reported at
 * pos. With `del` equal rules are removed, else added. */
bool redirect_rules_apply(struct redirect_rules *r, struct arena *a, struct redirect_word w,
			  bool del, struct diags *d);

/* A host of bind or redirect. */
bool redirect_host_parse(struct redirect_host *h, struct arena *a, struct redirect_word w,
			 struct diags *d);

bool redirect_rule_eq(const struct redirect_rule *a, const struct redirect_rule *b);
void redirect_rule_print(struct strbuf *out, const struct redirect_rule *r);
bool redirect_host_eq(const struct redirect_host *a, const struct redirect_host *b);
void redirect_host_print(struct strbuf *out, const struct redirect_host *h);

/* --- redirect_value.c: values of one kind --- */

bool redirect_time_parse(struct redirect_time *t, struct redirect_word w, struct diags *d);
bool redirect_limit_parse(uint32_t *out, struct redirect_word w, struct diags *d);
bool redirect_load_parse(uint32_t *out, struct redirect_word w, struct diags *d);
bool redirect_deny_parse(uint32_t *out, struct redirect_word w, struct diags *d);
bool redirect_log_parse(struct redirect_log *log, struct arena *a, struct redirect_word rest,
			struct diags *d);

/* The port of a TCP service by name or alias in the text of /etc/services, 0: not there. */
uint16_t redirect_etc_port(const struct redirect_sources *src, struct word name);

/* Splits the next word off a rest, with its place. */
bool redirect_word_next(struct redirect_word *rest, struct redirect_word *out);

/* A set of words as bits: enum redirect_log_word by name. */
struct redirect_bit {
	const char *word;
	unsigned bit;
};
extern const struct redirect_bit redirect_success_words[], redirect_failure_words[];

/* --- redirect_attr.c: the attributes --- */

#define REDIRECT_ATTR_MAX 64 /* at least as many as the table has rows */

/* A service, or the defaults, while its lines are read. */
struct redirect_draft {
	struct redirect_service s;
	const struct redirect_sources *src;
	struct arena *a;
	struct diags *d;
	bool is_defaults, bad;
	struct conf_pos set[REDIRECT_ATTR_MAX]; /* where each row's attribute was last given */
	bool own_only_from, own_no_access;      /* the list is not the one of the defaults */
	bool unlisted, internal, want4, want6;
	bool v6only, v6only_set;
	/* In defaults: ids. */
	struct redirect_word *disabled, *enabled;
	size_t ndisabled, nenabled;
};

/* Reads the lines of a section. t->s holds what they start from. */
void redirect_attrs(struct redirect_draft *t, const struct redirect_section *s);

/* Where the attribute was given, NULL: nowhere. */
const struct conf_pos *redirect_given(const struct redirect_draft *t, const char *attr);

/* The first value of the attribute's first line; len 0: not given. */
struct word redirect_peek(const struct redirect_section *s, const char *attr);

/* --- redirect_check.c: services against each other --- */

/* Marks as bad, with an error, what cannot run beside a service in front of it. */
void redirect_check(struct redirect *r, struct arena *a, struct diags *d);

#endif
