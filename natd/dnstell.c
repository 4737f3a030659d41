/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnstell.c - see dnstell.h.
 */
#include "natd/dnstell.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"

void
dnstell_refusal(struct dns *d, struct mono now)
{
	char addr[INET6_ADDRSTRLEN], others[64] = "";
	struct dns_addr a = {.scope = 0};
	struct dns_refusal r;

	if (!dns_take_refusal(d, now, &r))
		return;
	memcpy(a.ip, r.ip, sizeof(a.ip));
	if (dns_addr_is_ip4(&a))
		ip4_str(dns_addr_ip4(&a), addr);
	else
		inet_ntop(AF_INET6, r.ip, addr, sizeof(addr));
	if (r.others)
		snprintf(others, sizeof(others), "; %" PRIu64 " more were refused before",
			 r.others);
	log_info(
	    "vmnet%u: %s asked for \"%s\", whose address %s is none of the Internet: refused by "
	    "rebind-protection. Where that is meant: private-domains in vnetd.conf%s",
	    r.net, IP4_STR(r.client), r.name, addr, others);
}
