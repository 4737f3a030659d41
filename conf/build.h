/* SPDX-License-Identifier: GPL-2.0-or-later
 * build.h - the steps of conf_build(), each in its file. Private to conf/.
 *
 * Steps run in this order, as later ones need what earlier ones set: build_net (type, subnet, host
 * address) - build_nat (gateway, forwards) - build_dhcp (server, ranges, hosts) for each network,
 * then build_local (vnetd.conf) and check_all (rules across networks).
 */
#ifndef VNET_CONF_BUILD_H
#define VNET_CONF_BUILD_H

#include "conf/conf.h"
#include "conf/networking.h"
#include "conf/vnetdconf.h"

struct build {
	struct conf *c;
	const struct conf_sources *src;
	struct diags *d;
	struct networking nw;
	struct vnetd_file vf;
};

/* Presence, type, subnet, host adapter, MTU, names of network n, from `networking`. */
void build_net(struct build *b, unsigned n);

/* NAT settings and forwards; n->gateway. */
void build_nat(struct build *b, struct conf_net *n);

/* DHCP; n->dhcpd. */
void build_dhcp(struct build *b, struct conf_net *n);

/* Its reservations, from `networking` and the parsed dhcpd.conf. */
void build_hosts(struct build *b, struct conf_net *net, const struct dhcp_file *f);

/* [global], [vmnetN], [port], [user], [group]. */
void build_local(struct build *b);

/* One [port] section. */
void build_port(struct build *b, const struct vnetd_section *s);

/* The gate's keys of a [vmnetN] or [port] section; NULL: none of them. */
void build_gate(struct conf_gate *g, const struct vnetd_section *s);

/* A numeric user or group name is its own number; another is UINT32_MAX, not resolved. */
uint32_t build_name_id(const char *name, bool *resolved);

/* Rules across networks; may drop items and fail networks. */
void check_all(struct build *b);

/* Facts of `networking` about networks that do not exist or cannot have them. */
void check_orphans(struct build *b);

/* Parameters of the generated dhcpd.conf section for a network. From the file as it is (text NULL:
 * none) customised lease times and a range inside the new subnet are kept, and whether the user has
 * a `host vmnetN` block of his own. Scratch memory from a. */
void build_dhcp_gen(struct dhcp_gen *g, const struct conf_net *n, const struct conf_file *f,
		    struct arena *a);

/* A copy of a file's name that lives as long as the model. */
const char *build_file_name(struct build *b, enum conf_file_id id, unsigned net);

/* Whether the file exists and has an acceptable size; too long is an error. */
bool build_has_file(struct build *b, const struct conf_file *f, const char *name);

#endif
