/* SPDX-License-Identifier: GPL-2.0-or-later
 * net.c - what is true of any network: names, types, addresses by rule. Pure.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "conf/conf.h"
#include "conf/text.h"

char *
conf_file_name(enum conf_file_id id, unsigned net, char buf[CONF_FILE_NAME_LEN])
{
	switch (id) {
	case CONF_FILE_NETWORKING:
		snprintf(buf, CONF_FILE_NAME_LEN, "networking");
		break;
	case CONF_FILE_NETMAP:
		snprintf(buf, CONF_FILE_NAME_LEN, "netmap.conf");
		break;
	case CONF_FILE_VNETD:
		snprintf(buf, CONF_FILE_NAME_LEN, "vnetd.conf");
		break;
	case CONF_FILE_DHCPD:
		snprintf(buf, CONF_FILE_NAME_LEN, "vmnet%u/dhcpd/dhcpd.conf", net);
		break;
	case CONF_FILE_NAT:
		snprintf(buf, CONF_FILE_NAME_LEN, "vmnet%u/nat/nat.conf", net);
		break;
	}
	return buf;
}

bool
conf_net_parse(unsigned *n, const char *name)
{
	struct word w;
	uint32_t v;

	if (strncmp(name, "vmnet", 5) != 0)
		return false;
	w = word_of(name + 5);
	if ((w.len > 1 && w.s[0] == '0') || !word_u32(w, CONF_NETS - 1, &v))
		return false;
	*n = v;
	return true;
}

bool
conf_ifname_ok(const char *s)
{
	return word_is_ifname(word_of(s));
}

bool
conf_mac_ok(struct mac m)
{
	return !mac_is_zero(m) && !mac_is_multicast(m);
}

static const struct {
	const char *label, *word;
} types[] = {
    [NET_BRIDGED] = {"bridged", "bridged"},
    [NET_HOSTONLY] = {"host-only", "hostonly"},
    [NET_NAT] = {"NAT", "nat"},
    [NET_SEGMENT] = {"segment", "segment"},
    [NET_CUSTOM] = {"custom", "custom"},
};

const char *
conf_net_type_label(enum net_kind t)
{
	return types[t].label;
}

const char *
conf_net_type_word(enum net_kind t)
{
	return types[t].word;
}

bool
conf_net_type_parse(enum net_kind *out, const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (strcasecmp(word, types[i].word) == 0 || strcasecmp(word, types[i].label) == 0) {
			*out = (enum net_kind)i;
			return true;
		}
	}
	return false;
}

void
conf_addresses_of(struct prefix4 p, struct conf_addresses *out)
{
	uint32_t net = p.addr.h, last = prefix4_broadcast(p).h;

	*out = (struct conf_addresses){.host = {net + 1}, .gateway = {net + 2}, .dhcp = {last - 1}};
	if (p.len > CONF_PREFIX_MAX_SERVED)
		return;
	/* Upper half: .128 of a /24; ends in front of the DHCP server. */
	out->lo.h = net + (last - net) / 2 + 1;
	out->hi.h = last - 2;
}

const char *
conf_subnet_unusable(struct prefix4 p, bool served)
{
	static const struct {
		struct prefix4 p;
		const char *why;
	} no[] = {
	    {{{0x00000000}, 8}, "is in 0.0.0.0/8, which means \"this network\""},
	    {{{0x7f000000}, 8}, "is in the loopback range 127.0.0.0/8"},
	    {{{0xa9fe0000}, 16}, "is in the link-local range 169.254.0.0/16"},
	    {{{0xe0000000}, 4}, "is in the multicast range 224.0.0.0/4"},
	    {{{0xf0000000}, 4}, "is in the reserved range 240.0.0.0/4"},
	};

	if (p.len < CONF_PREFIX_MIN)
		return "is larger than a /8 (mask 255.0.0.0)";
	for (size_t i = 0; i < ARRAY_LEN(no); i++) {
		if (prefix4_overlaps(p, no[i].p))
			return no[i].why;
	}
	if (p.len > CONF_PREFIX_MAX)
		return "is too small: at least a /30 (mask 255.255.255.252) is needed";
	if (served && p.len > CONF_PREFIX_MAX_SERVED)
		return "is too small for DHCP or NAT: at least a /29 (mask 255.255.255.248) is "
		       "needed";
	return NULL;
}

bool
conf_net_owns(const struct conf_net *n, struct ip4 a)
{
	if (n->subnet.len == 0 || a.h == 0)
		return false;
	return ip4_eq(a, n->subnet.addr) || ip4_eq(a, prefix4_broadcast(n->subnet)) ||
	       (n->adapter && ip4_eq(a, n->host)) || (n->nat && ip4_eq(a, n->gateway)) ||
	       (n->dhcp && ip4_eq(a, n->dhcpd.server));
}

/* --- rights --- */

void
conf_rights_of(const struct conf *c, uint32_t uid, const uint32_t *gid, size_t ngids,
	       struct conf_rights *out)
{
	const struct conf_subject *user = NULL;
	bool ports_set = false;

	*out = (struct conf_rights){.known = uid == 0,
				    .change = uid == 0,
				    .capture = uid == 0,
				    .max_ports = uid == 0 ? CONF_PORTS_MAX : CONF_PORTS_DEFAULT};
	if (uid == 0) {
		memset(out->allow, 0xff, sizeof(out->allow));
		return;
	}
	for (size_t i = 0; i < c->nsubjects; i++) {
		const struct conf_subject *s = &c->subject[i];
		bool member = false;

		for (size_t g = 0; s->group && g < ngids; g++)
			member |= s->resolved && s->id == gid[g];
		if (!s->group && s->resolved && s->id == uid)
			user = s;
		if (!member)
			continue;
		out->known = true;
		out->change |= s->change_set && s->change;
		out->capture |= s->capture_set && s->capture;
		if (s->max_ports_set && (!ports_set || s->max_ports > out->max_ports))
			out->max_ports = s->max_ports;
		ports_set |= s->max_ports_set;
		for (size_t b = 0; s->allow_set && b < sizeof(out->allow); b++)
			out->allow[b] |= s->allow[b];
	}
	if (!user)
		return;
	out->known = true;
	if (user->change_set)
		out->change = user->change;
	if (user->capture_set)
		out->capture = user->capture;
	if (user->max_ports_set)
		out->max_ports = user->max_ports;
	if (user->allow_set)
		memcpy(out->allow, user->allow, sizeof(out->allow));
}
