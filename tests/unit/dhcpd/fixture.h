/* SPDX-License-Identifier: GPL-2.0-or-later
 * fixture.h - a server of 192.168.8.0/24 with a fake clock, and short words for talking to it.
 */
#ifndef VNET_TESTS_DHCPD_FIXTURE_H
#define VNET_TESTS_DHCPD_FIXTURE_H

#include "client.h"
#include "dhcpd/server.h"

#define NET    0xc0a80800u
#define AT(n)  ((struct ip4){NET + (n)})
#define MAC(n) ((struct mac){{0x00, 0x0c, 0x29, 0, 0, (n)}})
#define SERVER AT(254)

struct fixture {
	struct dhcp_server *s;
	struct dhcp_clock clk;
	struct mac mac; /* the server's */
	uint8_t frame[DHCP_FRAME_MAX];
	struct dhcp_out out;
	struct treply reply; /* of the last exchange, when there was one */
};

/* Configuration as VMware generates it: range .128-.254, router and DNS .2, lease 1800/7200. Not
 * sealed, so that a test can add to it. */
struct netconf *fx_conf(void);

void fx_init(struct fixture *x, struct netconf *c); /* seals c; NULL: fx_conf() */
void fx_fini(struct fixture *x);
void fx_pass(struct fixture *x, int64_t ms);

/* Sends one message; the reply's type (DHCP_NONE: no answer). A reply is read and checked. */
enum dhcp_type fx_send(struct fixture *x, const struct tclient *c, const struct trequest *q);

/* The exchanges of a client. fx_lease(): DISCOVER and REQUEST; its address, or 0. */
enum dhcp_type fx_discover(struct fixture *x, const struct tclient *c);
enum dhcp_type fx_select(struct fixture *x, const struct tclient *c, struct ip4 ip);
enum dhcp_type fx_reboot(struct fixture *x, const struct tclient *c, struct ip4 ip);
enum dhcp_type fx_renew(struct fixture *x, const struct tclient *c, struct ip4 ip);
enum dhcp_type fx_rebind(struct fixture *x, const struct tclient *c, struct ip4 ip);
void fx_release(struct fixture *x, const struct tclient *c, struct ip4 ip);
void fx_decline(struct fixture *x, const struct tclient *c, struct ip4 ip);
struct ip4 fx_lease(struct fixture *x, const struct tclient *c);

#endif
