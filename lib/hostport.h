/* SPDX-License-Identifier: GPL-2.0-or-later
 * hostport.h - ports of the host that lead to a guest, as they are written: "8080", "8000-8010",
 * "192.0.2.1:8080", "192.0.2.1:8000-8010".
 *
 * Pure.
 */
#ifndef VNET_LIB_HOSTPORT_H
#define VNET_LIB_HOSTPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/inet.h"

struct host_ports {
	struct ip4 host; /* on this address of the host alone; 0: on all of them */
	uint16_t first;  /* never 0 */
	uint16_t more;   /* ports behind the first */
};

#define PORT_RANGE_LEN 12 /* "65534-65535" and NUL */
#define HOST_PORTS_LEN (IP4_STRLEN + PORT_RANGE_LEN)

/* "8080" or "8000-8010", len bytes, decimal digits. False: it is no such thing, and *first and *more are as they
 * were. */
bool port_range_parse(uint16_t *first, uint16_t *more, const char *s, size_t len);

/* The same, with or without an address, which is not 0.0.0.0, in front. */
bool host_ports_parse(struct host_ports *out, const char *s, size_t len);

/* Write into buf and return it. */
char *port_range_str(uint16_t first, uint16_t more, char buf[PORT_RANGE_LEN]);
char *host_ports_str(struct host_ports p, char buf[HOST_PORTS_LEN]);

/* A packet could be for both. */
bool host_ports_meet(struct host_ports a, struct host_ports b);

#endif
