/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl.h - vnetctl: what its verbs share.
 *
 * A verb is a row (struct ctl_verb) in the file that implements it; vnetctl.c has the list. Output
 * for people and programs goes to stdout, everything that went wrong to stderr as one sentence.
 */
#ifndef VNET_VNETD_CTL_H
#define VNET_VNETD_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf/schema.h"
#include "lib/util.h"
#include "vnetd/ctl_args.h"
#include "vnetd/ctl_client.h"
#include "vnetd/ctl_render.h"

/* The invocation: what was said before the verb or applies to every verb. */
struct ctl {
	const char *config_dir, *run_dir;
	bool quiet;  /* nothing but errors */
	bool json;   /* the verb was given --json */
	bool colour; /* stdout is a terminal that wants it */
};

struct ctl_verb {
	const char *name;
	const char *synopsis; /* behind the name: "vmnetN [--queues N] -- COMMAND..." */
	const char *summary;  /* one clause for the list */
	const char *detail;   /* paragraphs for its own help, or NULL */
	const char *example;  /* lines, each a command */
	const struct ctl_opt *opts;
	unsigned min_pos, max_pos;
	bool command; /* takes "-- COMMAND..." */
	enum ctl_exit (*run)(struct ctl *c, const struct ctl_args *a);
	/* Appends to its help what is not known at compile time; may be NULL. */
	void (*more_help)(struct strbuf *out);
};

extern const struct ctl_verb ctl_verb_attach, ctl_verb_capture, ctl_verb_check,
    ctl_verb_connections, ctl_verb_create, ctl_verb_delete, ctl_verb_detach, ctl_verb_dns,
    ctl_verb_doctor, ctl_verb_events, ctl_verb_forward, ctl_verb_help, ctl_verb_ip, ctl_verb_leases,
    ctl_verb_libvirt, ctl_verb_networks, ctl_verb_port, ctl_verb_ports, ctl_verb_promisc,
    ctl_verb_redirect, ctl_verb_reload, ctl_verb_reserve, ctl_verb_set, ctl_verb_show,
    ctl_verb_status, ctl_verb_top, ctl_verb_unreserve, ctl_verb_watch;

/* All verbs in the order of `vnetctl help`, ended by NULL; in vnetctl.c. */
extern const struct ctl_verb *const ctl_verbs[];

/* The verb of that name, or NULL. */
const struct ctl_verb *ctl_find_verb(const char *name);

/* Complains about a verb that does not exist, with the one that was meant. Returns CTL_USAGE. */
enum ctl_exit ctl_unknown_verb(const char *name);

/* "vnetctl: " and a sentence on stderr. */
void ctl_complain(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* The same for a wrong command line of a verb, with where its help is. Returns CTL_USAGE. */
enum ctl_exit ctl_misuse(const struct ctl_verb *v, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Complains with the client's sentence and passes r on, CTL_OK silently. */
enum ctl_exit ctl_explain(enum ctl_exit r, const struct client *client);

/* "vmnet8" -> 8. False after a complaint. */
bool ctl_parse_net(uint16_t *net, const char *name);

/* Prints a text or a JSON value (taken over; NULL: out of memory) to stdout, unless quiet. A stdout
 * that cannot take it is a failure. */
enum ctl_exit ctl_print(const struct ctl *c, struct strbuf *text);
enum ctl_exit ctl_print_json(const struct ctl *c, json_t *value, bool one_line);

/* A remark for a person who looks at an empty table: to stderr, only on a terminal. */
void ctl_hint(const struct ctl *c, const char *text);

/* Connects, puts one request, gathers its rows, closes; complains on failure. */
enum ctl_exit ctl_ask(const struct ctl *c, struct msg *request, struct rows *const *want,
		      size_t nwant);

/* The connections of a network, MSG_NET_ALL: of all; those that natd relays from ::1 are told as its forward's. */
enum ctl_exit ctl_gather_conns(struct client *client, uint16_t net, struct rows *conns);

/* The words of a change to a port or network: the key exists and the value fits. False after a
 * complaint, with the key that was meant. what: "a port". */
bool ctl_key_ok(const struct ctl_verb *v, enum schema_section section, const char *what,
		const char *key, const char *value, size_t cap);

/* Appends "keys:" and all keys of a section, for the help of a verb that sets them. */
void ctl_help_keys(struct strbuf *out, enum schema_section section);

/* Puts the request, which changes something, and hands its rows to `row` (may be NULL). What vnetd has
 * to say at the end is in `text`. Complains on failure. */
enum ctl_exit ctl_change(const struct ctl *c, struct msg *request, client_row_fn *row, void *arg,
			 struct strbuf *text);

/* A port by its name, its interface's name or its guest's MAC, in that order; NULL: there is none. */
const struct msg_port_row *ctl_find_port(const struct rows *ports, const char *what);

/* Fills the field of a request that names a port. False after a complaint. */
bool ctl_port_field(const struct ctl_verb *v, char field[64], const char *what);

/* Starts `vnetctl watch` in the background for a process that this one becomes by exec: it ends with it.
 * qmp: the monitor's socket; nic: the card, NULL: to be found out. 0 or -errno. */
int ctl_watch_start(const struct ctl *c, const char *qmp, const char *port, const char *nic);

/* The help of one verb, and of the program. */
void ctl_help_verb(struct strbuf *out, const struct ctl_verb *v);
void ctl_help_program(struct strbuf *out);

/* The options of the program itself, which stand before the verb. */
extern const struct ctl_opt ctl_program_opts[];

/* Current time: UTC. */
uint64_t ctl_now_ms(void);

#endif
