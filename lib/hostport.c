/* SPDX-License-Identifier: GPL-2.0-or-later
 * hostport.c - see hostport.h.
 */
#include "lib/hostport.h"

#include <stdio.h>

/* A decimal number up to `end`. 0: there is none from 1 to 65535. */
static uint16_t
parse_port(const char *s, const char *end)
{
	uint32_t v = 0;

	for (; s < end; s++) {
		if (*s < '0' || *s > '9')
			return 0;
		v = 10 * v + (uint32_t)(*s - '0');
		if (v > UINT16_MAX)
			return 0;
	}
	return (uint16_t)v;
}

bool
port_range_parse(uint16_t *first, uint16_t *more, const char *s, size_t len)
{
	const char *end = s + len, *dash = len ? memchr(s, '-', len) : NULL;
	uint16_t lo = parse_port(s, dash ? dash : end);
	uint16_t hi = dash ? parse_port(dash + 1, end) : lo;

	if (!lo || hi < lo || (dash && hi == lo))
		return false;
	*first = lo;
	*more = (uint16_t)(hi - lo);
	return true;
}

bool
host_ports_parse(struct host_ports *out, const char *s, size_t len)
{
	const char *colon = len ? memchr(s, ':', len) : NULL;
	size_t n = colon ? (size_t)(colon - s) : 0;
	struct host_ports p = {.host = {0}};
	char addr[IP4_STRLEN];

	if (colon) {
		if (n >= sizeof(addr))
			return false;
		memcpy(addr, s, n);
		addr[n++] = '\0';
		if (!ip4_parse(&p.host, addr) || !p.host.h)
			return false;
	}
	if (!port_range_parse(&p.first, &p.more, s + n, len - n))
		return false;
	*out = p;
	return true;
}

char *
port_range_str(uint16_t first, uint16_t more, char buf[PORT_RANGE_LEN])
{
	if (more)
		snprintf(buf, PORT_RANGE_LEN, "%u-%u", first, (uint16_t)(first + more));
	else
		snprintf(buf, PORT_RANGE_LEN, "%u", first);
	return buf;
}

char *
host_ports_str(struct host_ports p, char buf[HOST_PORTS_LEN])
{
	char range[PORT_RANGE_LEN];

	port_range_str(p.first, p.more, range);
	if (p.host.h)
		snprintf(buf, HOST_PORTS_LEN, "%s:%s", IP4_STR(p.host), range);
	else
		snprintf(buf, HOST_PORTS_LEN, "%s", range);
	return buf;
}

bool
host_ports_meet(struct host_ports a, struct host_ports b)
{
	return (!a.host.h || !b.host.h || ip4_eq(a.host, b.host)) && a.first <= b.first + b.more &&
	       b.first <= a.first + a.more;
}
