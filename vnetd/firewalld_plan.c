/* SPDX-License-Identifier: GPL-2.0-or-later
 * firewalld_plan.c - see firewalld_plan.h. Pure.
 */
#include "vnetd/firewalld_plan.h"

#include "vnetd/names.h"

bool
firewalld_wants(const struct msg_net_row *row)
{
	return row->nat || row->dns.h;
}

void
firewalld_note(struct firewalld_nets *in, const char *ifname)
{
	unsigned net;

	if (names_bridge_parse(&net, ifname))
		msg_nets_add(in->b, net);
}

bool
firewalld_next(struct firewalld_step *out, const struct firewalld_nets *in,
	       const struct firewalld_nets *wanted, const struct firewalld_nets *left)
{
	for (unsigned net = 0; net < NAMES_NETS; net++) {
		bool is = msg_nets_have(in->b, net), should = msg_nets_have(wanted->b, net);

		if (is == should || msg_nets_have(left->b, net))
			continue;
		*out = (struct firewalld_step){.net = net, .remove = is};
		return true;
	}
	return false;
}
