/* SPDX-License-Identifier: GPL-2.0-or-later
 * names.c - names, aliases and addresses of our links. Pure.
 */
#include "vnetd/names.h"

#include <stdio.h>
#include <string.h>

/* Decimal number without sign or leading zero, at most `max`; *end is behind it. */
static bool
number(unsigned *out, const char **end, const char *s, unsigned max)
{
	unsigned v = 0;
	const char *p = s;

	while (*p >= '0' && *p <= '9') {
		v = v * 10 + (unsigned)(*p++ - '0');
		if (v > max)
			return false;
	}
	if (p == s || (*s == '0' && p != s + 1))
		return false;
	*out = v;
	*end = p;
	return true;
}

/* "vmnetN" -> N and what follows. */
static bool
prefix(unsigned *net, const char **rest, const char *name)
{
	return names_reserved(name) && number(net, rest, name + 5, NAMES_NETS - 1);
}

bool
names_ifname_ok(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= NAMES_IFNAME_MAX || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~' || strchr("/:%\"", name[i]))
			return false;
	return true;
}

bool
names_bridge_parse(unsigned *net, const char *name)
{
	const char *rest;
	unsigned n;

	if (!prefix(&n, &rest, name) || *rest)
		return false;
	if (net)
		*net = n;
	return true;
}

bool
names_port_parse(unsigned *net, unsigned *port, const char *name)
{
	const char *rest;
	unsigned n, p;

	if (!prefix(&n, &rest, name) || *rest != 'p')
		return false;
	if (!number(&p, &rest, rest + 1, NAMES_PORTS_MAX) || *rest || p == 0)
		return false;
	if (net)
		*net = n;
	if (port)
		*port = p;
	return true;
}

bool
names_reserved(const char *name)
{
	return strncmp(name, "vmnet", 5) == 0;
}

char *
names_bridge(unsigned net, char buf[NAMES_IFNAME_MAX])
{
	snprintf(buf, NAMES_IFNAME_MAX, "vmnet%u", net % NAMES_NETS);
	return buf;
}

char *
names_port(unsigned net, unsigned port, char buf[NAMES_IFNAME_MAX])
{
	snprintf(buf, NAMES_IFNAME_MAX, "vmnet%up%u", net % NAMES_NETS,
		 port % (NAMES_PORTS_MAX + 1));
	return buf;
}

bool
names_alias_parse(unsigned *net, const char **text, const char *alias)
{
	const char *rest;
	unsigned n;

	if (strncmp(alias, "vnetd:", 6) != 0 || !number(&n, &rest, alias + 6, NAMES_NETS - 1))
		return false;
	if (*rest && *rest != ' ')
		return false;
	if (net)
		*net = n;
	if (text)
		*text = *rest ? rest + 1 : rest;
	return true;
}

bool
names_alias(char buf[NAMES_ALIAS_MAX], unsigned net, const char *text)
{
	int len;

	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	len = snprintf(buf, NAMES_ALIAS_MAX, "vnetd:%u%s%s", net % NAMES_NETS, *text ? " " : "",
		       text);
	return len > 0 && len < NAMES_ALIAS_MAX;
}

struct mac
names_bridge_mac(unsigned net)
{
	return (struct mac){{0x00, 0x50, 0x56, 0xc0, 0x00, (uint8_t)net}};
}

/* FNV-1a. */
static uint32_t
hash(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

struct mac
names_port_mac(const char *ifname)
{
	unsigned net, port;
	uint32_t h;

	if (names_port_parse(&net, &port, ifname))
		return (struct mac){{0xfe, 0x00, (uint8_t)net, (uint8_t)(port >> 16),
				     (uint8_t)(port >> 8), (uint8_t)port}};
	h = hash(ifname);
	return (struct mac){
	    {0xfe, 0x01, (uint8_t)(h >> 24), (uint8_t)(h >> 16), (uint8_t)(h >> 8), (uint8_t)h}};
}

bool
names_is_ours(unsigned *net, const struct names_link *l)
{
	if (names_alias_parse(net, NULL, l->alias))
		return true;
	if (l->alias[0] || l->group != NAMES_LINK_GROUP)
		return false;
	if (!strcmp(l->kind, "bridge"))
		return names_bridge_parse(net, l->name);
	if (!strcmp(l->kind, "tun") || !strcmp(l->kind, "veth"))
		return names_port_parse(net, NULL, l->name);
	return false;
}
