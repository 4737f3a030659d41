/* SPDX-License-Identifier: GPL-2.0-or-later
 * schema.h - one table of every key that a user can set: word, place, type, range, default, help,
 * and what a change of it does.
 *
 * It drives the parser and printer of vnetd.conf, the commented default file, `vnetd -nn`,
 * `vnetctl set` and the key list of vnetd.conf(5) (a test compares them). Rows of a network that
 * VMware's own files hold are in the table too, marked with their file: `vnetctl set` edits that
 * file, and in vnetd.conf such a key is refused with the name of the file it belongs to.
 */
#ifndef VNET_CONF_SCHEMA_H
#define VNET_CONF_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"

struct strbuf;

enum schema_section {
	SCHEMA_GLOBAL, /* [global] */
	SCHEMA_NET,    /* [vmnetN] */
	SCHEMA_PORT,   /* [port NAME|MAC] */
	SCHEMA_USER,   /* [user NAME] */
	SCHEMA_GROUP,  /* [group NAME] */
};

enum schema_type {
	SCHEMA_BOOL,    /* yes|no (read: also true/false, on/off, 1/0) */
	SCHEMA_INT,     /* min-max */
	SCHEMA_SECONDS, /* min-max, seconds */
	SCHEMA_ENUM,    /* one of words */
	SCHEMA_IP4,
	SCHEMA_PREFIX4, /* a.b.c.d/len */
	SCHEMA_MAC,
	SCHEMA_NETNAME,  /* vmnetN */
	SCHEMA_NETLIST,  /* vmnetN..., all or none */
	SCHEMA_MACLIST,  /* MAC addresses of guests, each once */
	SCHEMA_DOMAINS,  /* domains, at most max bytes in all */
	SCHEMA_PORTLIST, /* ports of the host: tcp/NUMBER, udp/NUMBER, each once */
	SCHEMA_NAME,     /* user name or number */
	SCHEMA_PORTNAME, /* a port: name, interface name or MAC */
	SCHEMA_RATE,     /* bit/s in whole thousands: 1500k, 10M, 2G, 64000; 0 or none */
	SCHEMA_LIMIT,    /* min-max or unlimited */
	SCHEMA_RANGE,    /* FIRST-LAST, both from min to max */
	SCHEMA_IFNAME,   /* an interface that is not one of vnetd's networks */
	SCHEMA_TEXT,     /* rest of the line */
};

/* What it takes for a change to work. */
enum schema_effect {
	SCHEMA_LIVE,    /* applied by reload, nothing is interrupted */
	SCHEMA_NEW,     /* applied by reload; running guests keep what they have until they attach
	                   or renew again */
	SCHEMA_RESTART, /* at the next start of vnetd */
};

struct schema_row {
	enum schema_section section;
	enum conf_file_id file; /* that holds it; CONF_FILE_VNETD for our own */
	const char *key;
	enum schema_type type;
	/* SCHEMA_INT, _SECONDS, _LIMIT and _RANGE; SCHEMA_RATE: kbit/s; SCHEMA_MACLIST: how many; SCHEMA_DOMAINS: bytes */
	uint32_t min, max;
	const char *const *words; /* SCHEMA_ENUM, NULL-terminated */
	const char *def;          /* default as text, or what it is derived from in () */
	enum schema_effect effect;
	const char *help;    /* what it is: one clause without a full stop */
	const char *why;     /* one line why one would change it */
	const char *example; /* a valid value */
};

/* All rows, grouped by section in the order of the enum. */
extern const struct schema_row schema_table[];
extern const size_t schema_rows;

/* The row of key (any case) in section, or NULL. */
const struct schema_row *schema_find(enum schema_section s, const char *key);

/* The closest key of that section to a misspelt one, or NULL. */
const char *schema_did_you_mean(enum schema_section s, const char *key);

/* "global", "vmnetN", "port", "user", "group"; "yes|no" or "1-16" or "auto|bridged"; "live",
 * "new attachments", "restart". */
const char *schema_section_str(enum schema_section s);
void schema_type_print(struct strbuf *out, const struct schema_row *row);
const char *schema_effect_str(enum schema_effect e);

/* One value, by the row's type. */
struct schema_value {
	bool yes;
	/* SCHEMA_INT, SECONDS, ENUM (index into words), NETNAME, RATE (kbit/s), LIMIT (0: unlimited) */
	uint32_t num;
	uint32_t last; /* SCHEMA_RANGE, of which num is the first */
	struct ip4 ip;
	struct prefix4 prefix;
	struct mac mac;
	uint8_t nets[CONF_NETS / 8]; /* SCHEMA_NETLIST */
	const char *text;            /* always: the canonical spelling */
};

/* A rate as it is written: "1500k", "10M", "2G", "none" for 0. Writes into buf and returns it. */
#define SCHEMA_RATE_LEN 12
char *schema_rate_str(uint32_t kbit, char buf[SCHEMA_RATE_LEN]);

/* A limit as it is written: a number, "unlimited" for 0. Writes into buf and returns it. */
#define SCHEMA_LIMIT_LEN 12
char *schema_limit_str(uint32_t limit, char buf[SCHEMA_LIMIT_LEN]);

/* Takes the next address of a SCHEMA_MACLIST's canonical text and passes it. False: there is none. */
bool schema_mac_next(const char **text, struct mac *mac);

/* The same for a SCHEMA_PORTLIST. */
bool schema_port_next(const char **text, enum conf_proto *proto, uint16_t *port);

/* Reads `text` (without surrounding blanks) for a row. False with an error in d. */
bool schema_parse(struct schema_value *out, struct arena *a, const struct schema_row *row,
		  const char *text, struct conf_pos pos, struct diags *d);

#endif
