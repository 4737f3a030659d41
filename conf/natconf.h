/* SPDX-License-Identifier: GPL-2.0-or-later
 * natconf.h - vmnetN/nat/nat.conf: VMware's NAT settings and its second list of port forwards.
 *
 * Pure. Tolerant by design: files damaged by other tools are common (repeated comment blocks,
 * stray lines, keys before any section, duplicate sections); what is not understood is warned
 * about and kept. Edits change one fact and no other byte.
 */
#ifndef VNET_CONF_NATCONF_H
#define VNET_CONF_NATCONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/arena.h"
#include "conf/diag.h"
#include "lib/hostport.h"
#include "lib/inet.h"

struct strbuf;

enum conf_proto {
	CONF_TCP,
	CONF_UDP,
};

/* A port forward: host port -> guest address and port. Ranges and addresses of the host are ours: VMware's
 * NAT knows single ports of all addresses. */
struct conf_forward {
	enum conf_proto proto;
	struct ip4 host; /* only on this address of the host; 0: on all */
	uint16_t host_port;
	uint16_t more; /* so many ports behind the first, on both sides; 0: a single one */
	struct ip4 guest;
	uint16_t guest_port;
	const char *description; /* NULL: none */
	struct conf_pos pos;
	bool shadow; /* by vnetd.conf: also where a service of the host has the port */
	char *own;   /* the description's memory, if conf_forward_apply() made it */
};

enum nat_dns_policy {
	NAT_DNS_ORDER,  /* one after another */
	NAT_DNS_ROTATE, /* round-robin start */
	NAT_DNS_BURST,  /* the first three at once */
};

#define NAT_NAMESERVERS 3
#define NAT_PRIV_PORTS  32 /* `port` lines kept per [privileged...] section */

struct nat_privileged {
	bool autodetect;
	uint16_t port[NAT_PRIV_PORTS];
	size_t nports;
};

/* Values with VMware's defaults filled in. Addresses are 0 when the file does not give them. */
struct nat_file {
	/* [host] */
	bool use_macos_api;
	struct ip4 ip;        /* NAT gateway */
	uint8_t ip_len;       /* prefix length from a.b.c.d/len or netmask, 0: not given */
	struct ip4 last_dhcp; /* lastDhcpAddress */
	struct mac host_mac;  /* hostMAC */
	uint16_t config_port; /* 0: off */
	const char *device;   /* NULL: not given */
	bool active_ftp, allow_any_oui;
	struct ip4 host_ip;
	bool reset_on_link_down, reset_on_dest_localhost;
	bool ip6_enable;
	uint8_t ip6_prefix[16]; /* all zero: not given */
	uint8_t ip6_prefix_len; /* 0: not given */
	/* [tcp], [udp]: seconds; udp 0 = never */
	uint32_t tcp_time_wait_s, udp_timeout_s;
	bool udp_timeout_set; /* the file has the key */
	/* [dns] */
	enum nat_dns_policy dns_policy;
	uint32_t dns_timeout_s, dns_retries;
	bool dns_autodetect;
	struct ip4 nameserver[NAT_NAMESERVERS]; /* in order, without gaps; first 0 ends the list */
	/* [netbios] */
	uint32_t nbns_timeout_s, nbns_retries, nbds_timeout_s;
	/* [privilegedTCP], [privilegedUDP] */
	struct nat_privileged priv[2]; /* by enum conf_proto */
	/* [incomingtcp], [incomingudp]; the last line of the same ports wins */
	struct conf_forward *forward;
	size_t nforwards;
	struct conf_pos ip_pos; /* of `ip` */
};

void natconf_defaults(struct nat_file *f);

/* Parses; bad values and unknown lines are warnings and keep the default. Nothing is fatal. */
void natconf_parse(struct nat_file *f, struct arena *a, const char *name, const char *text,
		   size_t len, struct diags *d);

/* Canonical text: header, all sections, keys that differ from "not given". parse(print(x)) == x. */
void natconf_print(struct strbuf *out, const struct nat_file *f);

/* "[section] key = value" for each key that differs from the defaults, one a line behind
 * `prefix`. */
void natconf_print_changed(struct strbuf *out, const struct nat_file *f, const char *prefix);

/* New text with `key = value` in `section` set: replaces the value of the last such line, else adds
 * one at the end of the section, else the section at the end of the file. value NULL removes
 * every such line. Names are matched without regard to case; all other bytes stay. */
void natconf_set(struct strbuf *out, const char *text, size_t len, const char *section,
		 const char *key, const char *value);

/* "8080", "8000-8010", "192.0.2.1:8080". */
static inline struct host_ports
conf_forward_ports(const struct conf_forward *f)
{
	return (struct host_ports){f->host, f->host_port, f->more};
}

/* VMware's NAT would not know what this means. */
static inline bool
conf_forward_is_wide(const struct conf_forward *f)
{
	return f->more || f->host.h;
}

/* The order of lists: by protocol, first host port, number of ports, address. 0: of the same ports. */
int conf_forward_cmp(const struct conf_forward *a, const struct conf_forward *b);

/* A packet could be for both. */
bool conf_forwards_meet(const struct conf_forward *a, const struct conf_forward *b);

/* Adds or replaces / removes a forward (protocol and ports of f count); natconf_set() on the right section. */
void natconf_set_forward(struct strbuf *out, const char *text, size_t len,
			 const struct conf_forward *f);
void natconf_remove_forward(struct strbuf *out, const char *text, size_t len,
			    const struct conf_forward *f);

/* What a fresh file is made from. */
struct nat_gen {
	unsigned net;
	struct prefix4 subnet;
	struct ip4 gateway, host;
	uint32_t udp_timeout_s;
};

/* A complete new file with all sections, comments and examples. */
void natconf_gen_file(struct strbuf *out, const struct nat_gen *g);

/* "tcp" or "udp"; and back, any case. */
const char *conf_proto_str(enum conf_proto p);
bool conf_proto_parse(enum conf_proto *out, const char *s);

#endif
