/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate_rule.h - a GATE_SET in the kernel's terms: an entry of the map gate_policy, a rate as
 * nanoseconds. Pure.
 */
#ifndef VNET_VNETD_GATE_RULE_H
#define VNET_VNETD_GATE_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/gate_maps.h"
#include "lib/msg.h"

/* A MAC address as the maps have it, and back. */
uint64_t gate_mac_number(struct mac m);
struct mac gate_mac_of(uint64_t number);

/* Nanoseconds that 1024 bytes take at so many kbit/s, and how far ahead of time they may be; 0 for 0. */
uint64_t gate_rate_ns(uint32_t kbit);
uint64_t gate_rate_burst_ns(uint32_t kbit);

/* The same for one of so many frames, or messages, a second. */
uint64_t gate_flood_ns(uint32_t per_second);
uint64_t gate_flood_burst_ns(uint32_t per_second);

/* And for one of so many messages to DHCP servers a second. */
uint64_t gate_dhcp_burst_ns(uint32_t per_second);

/* What the programs are to do at the port in `slot`. span: a slot, 0: none. */
void gate_rule_policy(struct gate_policy *out, const struct msg_gate_set *m, uint32_t ifindex,
		      unsigned slot, unsigned span);

/* The frames that the port gets need its program on egress. */
bool gate_rule_watches_egress(const struct gate_policy *p);

#endif
