/* SPDX-License-Identifier: GPL-2.0-or-later
 * networking_lex.h - `networking` as a sequence of commands with their place in the bytes.
 *
 * Private to conf/. The reader folds the sequence into its result, the editor finds in it which
 * bytes state a fact: both see the same commands, so an edit changes what a reader would have read.
 */
#ifndef VNET_CONF_NETWORKING_LEX_H
#define VNET_CONF_NETWORKING_LEX_H

#include "conf/networking.h"
#include "conf/text.h"

/* What a command is about. Facts of one kind with equal keys replace each other. */
enum nw_kind {
	NW_NONE, /* blank or comment */
	NW_VERSION,
	NW_ANSWER,         /* key: n, name */
	NW_DEFAULT_BRIDGE, /* no key */
	NW_BRIDGE,         /* key: name */
	NW_FORWARD,        /* key: n, proto, port, more, host */
	NW_RESERVATION,    /* key: n, mac */
	NW_NAT_PREFIX,     /* key: n, number */
	NW_JUNK,           /* not understood; reported and kept */
};

#define NW_KEY_MAX 64 /* longest NAME of VNET_n_NAME and longest interface word that is kept */

struct nw_cmd {
	enum nw_kind kind;
	bool remove; /* remove_... */
	struct line line;
	size_t start, end; /* bytes of this command, without blanks around it */
	unsigned n;
	char name[NW_KEY_MAX + 1]; /* NW_ANSWER: upper-case key; NW_BRIDGE: interface */
	int number; /* NW_BRIDGE, NW_DEFAULT_BRIDGE: network or -1; NW_NAT_PREFIX: length */
	enum conf_proto proto;
	uint16_t port, more, guest_port; /* more: ports of a range behind the first */
	struct ip4 host;                 /* NW_FORWARD: address of the host, or 0 */
	struct ip4 ip;
	struct mac mac;
	struct word
	    value; /* what a changed fact replaces: answer, number, address or "ip port text" */
	struct word text; /* NW_ANSWER: whole rest; NW_FORWARD: description */
};

struct nw_lex {
	struct lines lines;
	struct line line;
	struct word rest; /* of line: what follows a glued command */
	bool glued;       /* rest is to be read before the next line */
	bool seen_version;
	bool failed; /* VERSION line missing or wrong: nothing more comes */
	const char *file;
	struct diags *d; /* NULL: quiet */
};

void nw_lex_init(struct nw_lex *lx, const char *file, const char *text, size_t len,
		 struct diags *d);

/* The same for the lines in [from, to), quietly. from 0, or behind the VERSION line. */
void nw_lex_init_at(struct nw_lex *lx, const char *text, size_t from, size_t to);

/* The next command. False at the end, or when the VERSION line is wrong (lx->failed). */
bool nw_lex_next(struct nw_lex *lx, struct nw_cmd *c);

/* Keys whose value is the first word only; the rest of such a line is a comment. */
bool nw_key_is_word(const char *key);

/* a and b state the same fact. */
bool nw_same_fact(const struct nw_cmd *a, const struct nw_cmd *b);

#endif
