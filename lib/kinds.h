/* SPDX-License-Identifier: GPL-2.0-or-later
 * kinds.h - closed lists that both the configuration (conf/) and the messages (lib/msg.h) speak of.
 *
 * One definition, so that nobody has to translate. The numbers travel in messages. The counts are
 * macros: a switch over an enum names every member and nothing else.
 */
#ifndef VNET_LIB_KINDS_H
#define VNET_LIB_KINDS_H

/* Files below the configuration folder. The last two exist once per network. */
enum conf_file_id {
	CONF_FILE_NETWORKING,
	CONF_FILE_NETMAP,
	CONF_FILE_VNETD,
	CONF_FILE_DHCPD, /* vmnetN/dhcpd/dhcpd.conf */
	CONF_FILE_NAT,   /* vmnetN/nat/nat.conf */
};
#define CONF_FILE_N 5

/* Kinds of a network, as shown to people. */
enum net_kind {
	NET_BRIDGED,  /* has an uplink: mapped, the default bridge network, or type = bridged */
	NET_HOSTONLY, /* host adapter, no NAT */
	NET_NAT,
	NET_SEGMENT, /* neither adapter, DHCP, NAT nor uplink: the host has no address there */
	NET_CUSTOM,  /* no adapter, no NAT, but DHCP */
};
#define NET_KIND_N 5

/* What kind of socket a redirection listens with. */
enum redirect_family {
	REDIRECT_DUAL, /* IPv6 that takes IPv4 too, unless the kernel's bindv6only says otherwise */
	REDIRECT_DUAL_FORCED, /* v6only = no: whatever the kernel says */
	REDIRECT_IP4,
	REDIRECT_IP6, /* IPv6 alone */
};
#define REDIRECT_FAMILY_N 4

/* Ports of forwards that can be held. */
#define HOLDS_MAX 8192

/* How bad a diagnostic about the configuration is. */
enum diag_severity {
	DIAG_NOTICE,  /* tolerated oddity; shown by `check -v` only */
	DIAG_WARNING, /* this line or item has no effect; the network works without it */
	DIAG_ERROR,   /* the network concerned (or everything, if net is -1) is refused */
};
#define DIAG_SEVERITY_N 3

#endif
