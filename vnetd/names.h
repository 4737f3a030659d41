/* SPDX-License-Identifier: GPL-2.0-or-later
 * names.h - how our links are called and how one recognises them. Pure.
 *
 * priv deletes and reconfigures only what names_is_ours() accepts, so these few functions are the
 * fence around everything else that lives on the host.
 */
#ifndef VNET_VNETD_NAMES_H
#define VNET_VNETD_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/inet.h"

#define NAMES_NETS          256     /* vmnet0 - vmnet255 */
#define NAMES_IFNAME_MAX    16      /* with its NUL */
#define NAMES_ALIAS_MAX     256     /* with its NUL */
#define NAMES_PORTS_MAX     999999  /* "vmnet255p999999" has 15 characters */
#define NAMES_LINK_GROUP    0x766eu /* "vn": the link group of everything we create */
#define NAMES_ROUTE_PROTO   118     /* rtm_protocol of our routes, NDA_PROTOCOL of our neighbours */
#define NAMES_CAPTURE       "vnet-capture" /* gets copies while somebody captures at a port */
#define NAMES_CAPTURE_ALIAS "vnetd capture"
#define NAMES_ALIAS_PROTO   119 /* IFA_PROTO of addresses that redirections add */

/* A name that the kernel and libpcap take: 1-15 printable ASCII characters, none of "/:% \"", not
 * "." or "..". */
bool names_ifname_ok(const char *name);

/* "vmnet8" -> 8. Nothing else passes: no sign, no leading zero, at most 255. *net is written on
 * success only; NULL is allowed. */
bool names_bridge_parse(unsigned *net, const char *name);

/* "vmnet8p3" -> 8, 3; ports count from 1 to NAMES_PORTS_MAX. Both pointers may be NULL. */
bool names_port_parse(unsigned *net, unsigned *port, const char *name);

/* Begins with "vmnet": reserved for us, so no static tap may be called so. */
bool names_reserved(const char *name);

/* Writes "vmnetN" / "vmnetNpM" into buf and returns it. */
char *names_bridge(unsigned net, char buf[NAMES_IFNAME_MAX]);
char *names_port(unsigned net, unsigned port, char buf[NAMES_IFNAME_MAX]);

/* "vnetd:N" or "vnetd:N TEXT" -> N and TEXT (borrowed, "" when there is none). Both may be NULL. */
bool names_alias_parse(unsigned *net, const char **text, const char *alias);

/* Writes the alias. False: text is longer than an alias can be, or holds control characters. */
bool names_alias(char buf[NAMES_ALIAS_MAX], unsigned net, const char *text);

/* 00:50:56:c0:00:NN. */
struct mac names_bridge_mac(unsigned net);

/* Our end of a port: fe:00:NN and the port's number for vmnetNpM, fe:01 and a hash of the name for
 * every other: locally administered, in nobody's range, so never equal to a guest's. */
struct mac names_port_mac(const char *ifname);

/* What is known about a link, to judge whose it is. */
struct names_link {
	const char *name, *kind, *alias; /* never NULL */
	uint32_t group;
};

/* The link was made by us. *net: the network that it belongs to (may be NULL). The alias tells; a link
 * that we died over before it got its alias is known by our group, kind and name instead. */
bool names_is_ours(unsigned *net, const struct names_link *l);

#endif
