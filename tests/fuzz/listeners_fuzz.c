/* SPDX-License-Identifier: GPL-2.0-or-later
 * listeners_fuzz.c - parts of a dump by NETLINK_SOCK_DIAG. What is found by its port is one of them.
 */
#include <stdint.h>
#include <stdlib.h>

#include "lib/listeners.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char addr[LISTENER_ADDR_LEN];
	struct listeners l;

	listeners_init(&l);
	for (unsigned p = 0; p < PROTO_N; p++)
		listeners_decode(&l, (enum ip_proto)p, 1000, data, len);
	for (size_t i = 0; i < l.n; i++) {
		const struct listener *s =
		    listeners_find(&l, (enum ip_proto)l.v[i].proto, l.v[i].port, (struct ip4){0});

		if (!s || s->port != l.v[i].port || !listener_addr(s, addr)[0])
			abort();
	}
	listeners_fini(&l);
	return 0;
}
