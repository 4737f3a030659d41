/* SPDX-License-Identifier: GPL-2.0-or-later
 * networking.h - VMware's `networking` file: an append log of commands, the last writer wins.
 *
 * Pure. Reading is as tolerant as the tools that write this file make necessary: unknown lines,
 * glued commands, CR LF, trailing text, absurd numbers are reported and skipped; only the VERSION
 * line is fatal. Editing one fact gives new text in which every other byte is unchanged.
 */
#ifndef VNET_CONF_NETWORKING_H
#define VNET_CONF_NETWORKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/arena.h"
#include "conf/diag.h"
#include "conf/natconf.h"
#include "lib/inet.h"

struct strbuf;

/* `answer VNET_<n>_<key> <value>` that is in force. */
struct nw_answer {
	unsigned n;
	const char *key;   /* upper case, without the VNET_n_ in front */
	const char *value; /* rest of the line without surrounding blanks; may be "" */
	struct conf_pos pos, value_pos;
};

struct nw_bridge {
	const char *ifname;
	int n; /* -1: keep automatic bridging off this interface */
	struct conf_pos pos;
};

struct nw_forward {
	unsigned n;
	struct conf_forward f;
};

struct nw_reservation {
	unsigned n;
	struct mac mac;
	struct ip4 ip;
	struct conf_pos pos;
};

struct nw_nat_prefix {
	unsigned n, len;
	struct conf_pos pos;
};

#define NW_DEFAULT_BRIDGE_UNSET (-2)

/* What the whole log amounts to. Each list is sorted: answers by (n, key), bridges by name,
 * forwards by (n, proto, host ports), reservations by (n, MAC), prefixes by (n, length). */
struct networking {
	bool version_ok; /* false: nothing else was read */
	struct nw_answer *answer;
	size_t nanswers;
	struct nw_bridge *bridge;
	size_t nbridges;
	struct nw_forward *forward;
	size_t nforwards;
	struct nw_reservation *reservation;
	size_t nreservations;
	struct nw_nat_prefix *nat_prefix;
	size_t nnat_prefixes;
	int default_bridge; /* network, -1: none, NW_DEFAULT_BRIDGE_UNSET */
	struct conf_pos default_bridge_pos;
};

/* Parses; see the head. Limits keep garbage cheap: lines beyond the first 100,000 are refused. */
void networking_parse(struct networking *nw, struct arena *a, const char *name, const char *text,
		      size_t len, struct diags *d);

/* The value of VNET_n_key in force, or NULL. */
const struct nw_answer *networking_answer(const struct networking *nw, unsigned n, const char *key);

/* yes/no as its first word says; `def` when absent or neither. */
bool networking_yes(const struct networking *nw, unsigned n, const char *key, bool def);

/* Canonical text: VERSION, then answers, bridge mappings, forwards, reservations, prefixes; each
 * key once, no comments, no blank lines. networking_parse() of it gives an equal struct. */
void networking_print(struct strbuf *out, const struct networking *nw);

/* --- edits: old text in, new text out; every byte that does not state the fact stays --- */

/* Sets an answer: the last line in force is changed in place, later contradicting lines go; a new
 * key is put behind the network's last answer, else at the end. key as in struct nw_answer.
 * value NULL removes every line about it. */
void networking_set_answer(struct strbuf *out, const char *text, size_t len, unsigned n,
			   const char *key, const char *value);

/* Interface -> network (-1: excluded; NW_DEFAULT_BRIDGE_UNSET: every line about it removed). */
void networking_set_bridge(struct strbuf *out, const char *text, size_t len, const char *ifname,
			   int n);

/* VNL_DEFAULT_BRIDGE_VNET; NW_DEFAULT_BRIDGE_UNSET removes it. */
void networking_set_default_bridge(struct strbuf *out, const char *text, size_t len, int n);

/* Adds or replaces the forward of (n, proto, host ports); protocol and ports of f count for a removal. */
void networking_set_forward(struct strbuf *out, const char *text, size_t len, unsigned n,
			    const struct conf_forward *f);
void networking_remove_forward(struct strbuf *out, const char *text, size_t len, unsigned n,
			       const struct conf_forward *f);

/* What the two above make of it, without reading every line. False, and out is of no use: it is not that
 * simple (there is a line about this port already; there is none to be dropped). */
bool networking_add_forward(struct strbuf *out, const char *text, size_t len, unsigned n,
			    const struct conf_forward *f);
bool networking_drop_forward(struct strbuf *out, const char *text, size_t len, unsigned n,
			     const struct conf_forward *f);

/* Adds or replaces the reservation of (n, MAC). */
void networking_set_reservation(struct strbuf *out, const char *text, size_t len, unsigned n,
				struct mac mac, struct ip4 ip);
void networking_remove_reservation(struct strbuf *out, const char *text, size_t len, unsigned n,
				   struct mac mac);

/* Removes every line about network n: answers, mappings to it, forwards, reservations, prefixes. */
void networking_remove_net(struct strbuf *out, const char *text, size_t len, unsigned n);

#endif
