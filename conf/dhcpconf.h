/* SPDX-License-Identifier: GPL-2.0-or-later
 * dhcpconf.h - vmnetN/dhcpd/dhcpd.conf: the ISC dhcpd 2.0 dialect that VMware writes.
 *
 * Pure: bytes in, plain structs and diagnostics out. The result is what the DHCP server needs and
 * nothing else: ranges, hosts, options as (code, raw bytes), times in seconds.
 * The part between VMware's two marker lines is generated; everything outside belongs to the user
 * and survives byte for byte (dhcpconf_splice()).
 */
#ifndef VNET_CONF_DHCPCONF_H
#define VNET_CONF_DHCPCONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/arena.h"
#include "conf/diag.h"
#include "lib/inet.h"

struct strbuf;

/* yes/no with "not said", for settings that an outer scope may give. */
enum conf_tri {
	CONF_UNSET,
	CONF_NO,
	CONF_YES,
};

/* One DHCP option as it goes on the wire (RFC 2132), without code and length octets. More than 255
 * octets are possible; the sender splits them (RFC 3396). len 0: do not send this option, although
 * an outer scope has it. */
struct dhcp_opt {
	uint8_t code; /* 1-254 */
	uint16_t len;
	const uint8_t *data;
	struct conf_pos pos;
};

/* At most one entry per code, in order of code. */
struct dhcp_opts {
	struct dhcp_opt *v;
	size_t n;
};

/* Settings that a file, subnet, group or host block may carry. Zero or NULL: not set here. */
struct dhcp_scope {
	struct dhcp_opts opts;
	uint32_t default_lease_s, max_lease_s, min_lease_s;
	struct ip4 next_server;  /* BOOTP siaddr */
	const char *filename;    /* BOOTP file, at most 127 bytes */
	const char *server_name; /* BOOTP sname, at most 63 bytes */
	enum conf_tri unknown_clients;
	enum conf_tri bootp;
	enum conf_tri booting;
	enum conf_tri authoritative;
	enum conf_tri ping_check; /* this and the next not in hosts */
	uint32_t ping_timeout_s;
};

/* Dynamic addresses lo..hi, both included, inside the subnet. */
struct dhcp_range {
	struct ip4 lo, hi;
	enum conf_tri unknown_clients; /* CONF_NO: only clients with a host block (from a pool) */
	struct conf_pos pos;
};

/* A reservation (ip set) or settings for one client (ip 0). */
struct dhcp_host {
	const char *name; /* of the block, or NULL (add_dhcp_mac_to_ip) */
	struct mac mac;
	struct ip4 ip;
	bool static_arp; /* by vnetd.conf: the host knows its MAC without ARP. Only with ip */
	struct dhcp_scope scope; /* enclosing groups already merged in */
	struct conf_pos pos;
	size_t start, end; /* bytes of the block in its file, from `host` to behind the brace */
};

struct dhcp_subnet {
	struct prefix4 prefix;
	struct dhcp_scope scope;
	struct dhcp_range *range;
	size_t nranges;
	struct conf_pos pos;
};

/* Everything that one file says. Lives in the arena given to the parser. */
struct dhcp_file {
	struct dhcp_scope global;
	struct dhcp_subnet *subnet;
	size_t nsubnets;
	struct dhcp_host *host; /* in order of the file, `host vmnetN` included */
	size_t nhosts;
	struct ip4 server_id; /* server-identifier, 0: not given */
	bool has_section;     /* both markers were found, in order */
	size_t section_start; /* byte offset of the start marker's line */
	size_t section_end;   /* byte offset behind the end marker's line */
};

/* Parses a file. Never fails as a whole: what is wrong is in `d` as errors (with the network in
 * d->net) and is left out. `name` is the file name for diagnostics. */
void dhcpconf_parse(struct dhcp_file *f, struct arena *a, const char *name, const char *text,
		    size_t len, struct diags *d);

/* Sets has_section, section_start and section_end of f. */
void dhcpconf_find_section(struct dhcp_file *f, const char *text, size_t len);

/* What is not set in `in` is taken from the scope `out` around it. */
void dhcp_scope_inherit(struct dhcp_scope *in, struct arena *a, const struct dhcp_scope *out);

/* Sets or replaces one option. */
void dhcp_scope_set_opt(struct dhcp_scope *s, struct arena *a, const struct dhcp_opt *opt);

/* The option of that code in a scope, or NULL. */
const struct dhcp_opt *dhcp_opts_find(const struct dhcp_opts *o, uint8_t code);

/* ISC option name of a code ("routers"), or NULL; and back, 0 when unknown. */
const char *dhcp_opt_name(uint8_t code);
uint8_t dhcp_opt_code(const char *name);
/* The protocol itself fills it in, or only clients and relay agents send it. *instead: the statement that is meant, or
 * NULL. */
bool dhcp_opt_is_own(uint8_t code, const char **instead);

/* Encodes operands as dhcpd.conf has them ("192.0.2.1, 192.0.2.2", "\"text\"", "yes", "1500") for
 * an option name; into the arena. False with a diagnostic when they do not fit its type. */
bool dhcp_opt_encode(struct dhcp_opt *out, struct arena *a, const char *name, const char *operands,
		     struct conf_pos pos, struct diags *d);

/* Appends `option NAME VALUE;` in the form that the parser reads back to the same bytes. */
void dhcp_opt_print(struct strbuf *out, const struct dhcp_opt *o);

/* Canonical text of a whole file; dhcpconf_parse() of it gives an equal dhcp_file. */
void dhcpconf_print(struct strbuf *out, const struct dhcp_file *f);

/* What the generated section is made from. */
struct dhcp_gen {
	unsigned net;
	struct prefix4 subnet;
	struct ip4 host;    /* host adapter, 0: none, no `host vmnetN` block */
	bool no_host_block; /* the user's part of the file has one: Packer wants exactly one */
	struct ip4 gateway; /* NAT gateway and DNS, 0: a host-only network */
	struct ip4 lo, hi;  /* dynamic range as the file says it: VMware ends it with the server's
	                       own address, which is never handed out; lo 0: none */
	uint32_t default_lease_s, max_lease_s; /* 0: 1800 and 7200 */
	char written_at[20]; /* "MM/DD/YYYY HH:MM:SS" or empty: the line is left out */
};

/* The generated section with both marker lines, exactly as VMware formats it. */
void dhcpconf_gen_section(struct strbuf *out, const struct dhcp_gen *g);

/* A complete new file: header comment, section, room for the user. */
void dhcpconf_gen_file(struct strbuf *out, const struct dhcp_gen *g);

/* The file with its generated section replaced (inserted in front of everything when it has none);
 * all bytes outside the section unchanged. */
void dhcpconf_splice(struct strbuf *out, const char *text, size_t len, const struct dhcp_gen *g);

#endif
