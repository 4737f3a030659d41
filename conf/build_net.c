/* SPDX-License-Identifier: GPL-2.0-or-later
 * build_net.c - one network as `networking` describes it: is it there, of which type, where. Pure.
 */
#include "conf/build.h"

#include <string.h>

#include "conf/text.h"

static const struct vnetd_section *
net_section(const struct build *b, unsigned n)
{
	for (size_t i = 0; i < b->vf.nsections; i++) {
		if (b->vf.section[i].kind == SCHEMA_NET && b->vf.section[i].net == n)
			return &b->vf.section[i];
	}
	return NULL;
}

/* yes or no; anything else is no, with a warning. Absent is no. */
static bool
yes(struct build *b, unsigned n, const char *key, struct conf_pos *pos)
{
	const struct nw_answer *a = networking_answer(&b->nw, n, key);
	bool v = false;

	if (!a)
		return false;
	*pos = a->pos;
	if (!word_bool(word_of(a->value), &v))
		diag_warn(b->d, a->value_pos,
			  "VNET_%u_%s is neither yes nor no: \"%s\"; read as no", n, key, a->value);
	return v;
}

static bool
has_any(const struct build *b, unsigned n, const char *const *keys)
{
	for (; *keys; keys++) {
		if (networking_answer(&b->nw, n, *keys))
			return true;
	}
	return false;
}

/* --- bridging --- */

static void
add_uplink(struct build *b, struct conf_net *net, const char *ifname)
{
	const char **v = arena_grow(&b->c->arena, net->uplink, net->nuplinks, sizeof(*v));

	if (!v)
		return;
	net->uplink = v;
	v[net->nuplinks++] = ifname;
}

/* Fills uplink and auto_uplink. True when the network is bridged; *implied when only because
 * vmnet0 is where automatic bridging goes unless somebody says otherwise. */
static bool
find_uplinks(struct build *b, struct conf_net *net, bool *implied, struct conf_pos *pos)
{
	const struct vnetd_section *s = net_section(b, net->n);
	const struct vnetd_item *type = s ? vnetd_item_find(s, "type") : NULL;
	bool hint = type && strcmp(type->value.text, "bridged") == 0;
	bool unset = b->nw.default_bridge == NW_DEFAULT_BRIDGE_UNSET;
	bool def = unset ? net->n == 0 : b->nw.default_bridge == (int)net->n;
	const struct nw_answer *legacy;

	net->type_hint = hint;
	for (size_t i = 0; i < b->nw.nbridges; i++) {
		if (b->nw.bridge[i].n != (int)net->n)
			continue;
		add_uplink(b, net, b->nw.bridge[i].ifname);
		*pos = b->nw.bridge[i].pos;
	}
	if (net->nuplinks)
		return true;
	net->auto_uplink = hint || def;
	*implied = def && unset && !hint;
	if (hint)
		*pos = type->pos;
	else if (def && !unset)
		*pos = b->nw.default_bridge_pos;
	legacy = networking_answer(&b->nw, net->n, "INTERFACE");
	if (net->auto_uplink && legacy && conf_ifname_ok(legacy->value))
		add_uplink(b, net, legacy->value);
	return net->auto_uplink;
}

/* A bridged network must not serve DHCP or NAT: the outside has its own. */
static enum net_kind
bridged_type(struct build *b, struct conf_net *net, bool implied, struct conf_pos pos)
{
	if (!net->nat && !net->dhcp)
		return NET_BRIDGED;
	if (implied) { /* its answers say more than the mere default */
		net->auto_uplink = false;
		net->nuplinks = 0;
		return net->nat ? NET_NAT : net->adapter ? NET_HOSTONLY : NET_CUSTOM;
	}
	diag_warn(b->d, pos, "vmnet%u is bridged, so its %s off", net->n,
		  net->nat && net->dhcp ? "NAT and DHCP are"
		  : net->nat            ? "NAT is"
					: "DHCP is");
	net->nat = net->dhcp = false;
	return NET_BRIDGED;
}

/* --- addresses --- */

static uint8_t
read_mask(struct build *b, unsigned n)
{
	const struct nw_answer *a = networking_answer(&b->nw, n, "HOSTONLY_NETMASK");
	uint8_t len = 24;

	if (!a || a->value[0] == '\0')
		diag_notice(b->d, a ? a->value_pos : b->c->net[n].pos,
			    "vmnet%u has no HOSTONLY_NETMASK; 255.255.255.0 is used", n);
	else if (!ip4_mask_parse(&len, a->value))
		diag_error(b->d, a->value_pos, "not an IPv4 netmask: \"%s\"", a->value);
	return len;
}

static bool
read_subnet(struct build *b, struct conf_net *net)
{
	const struct nw_answer *a = networking_answer(&b->nw, net->n, "HOSTONLY_SUBNET");
	uint8_t len = read_mask(b, net->n);
	const char *why;
	struct ip4 addr;

	if (!a) {
		diag_error(b->d, net->pos,
			   "vmnet%u has no HOSTONLY_SUBNET; give it one: vnetctl set vmnet%u "
			   "subnet 192.168.80.0/24",
			   net->n, net->n);
		return false;
	}
	net->src.subnet = a->pos;
	if (!ip4_parse(&addr, a->value)) {
		diag_error(b->d, a->value_pos, "not an IPv4 subnet: \"%s\"", a->value);
		return false;
	}
	net->subnet = (struct prefix4){{addr.h & ip4_mask(len).h}, len};
	if (!ip4_eq(net->subnet.addr, addr))
		diag_warn(b->d, a->value_pos, "%s is not a network address; %s is used", a->value,
			  PREFIX4_STR(net->subnet));
	why = conf_subnet_unusable(net->subnet, net->nat || net->dhcp);
	if (why) {
		diag_error(b->d, a->value_pos, "vmnet%u: subnet %s %s", net->n,
			   PREFIX4_STR(net->subnet), why);
		net->subnet = (struct prefix4){0};
		return false;
	}
	return true;
}

static void
read_host(struct build *b, struct conf_net *net)
{
	const struct nw_answer *a = networking_answer(&b->nw, net->n, "VIRTUAL_ADAPTER_ADDR");
	struct conf_addresses def;
	struct ip4 addr;

	conf_addresses_of(net->subnet, &def);
	net->host = def.host;
	if (!a || a->value[0] == '\0')
		return;
	if (!ip4_parse(&addr, a->value)) {
		diag_warn(b->d, a->value_pos, "not an IPv4 address: \"%s\"; %s is used", a->value,
			  IP4_STR(def.host));
	} else if (!prefix4_contains(net->subnet, addr) || ip4_eq(addr, net->subnet.addr) ||
		   ip4_eq(addr, prefix4_broadcast(net->subnet))) {
		diag_warn(b->d, a->value_pos, "%s is no address of a host in %s; %s is used",
			  a->value, PREFIX4_STR(net->subnet), IP4_STR(def.host));
	} else {
		net->host = addr;
		net->src.host = a->pos;
	}
}

/* --- the rest --- */

static void
read_mtu(struct build *b, struct conf_net *net)
{
	const struct nw_answer *a = networking_answer(&b->nw, net->n, "MTU");
	uint32_t mtu;

	net->mtu = CONF_MTU_DEFAULT;
	if (!a || a->value[0] == '\0')
		return;
	if (!word_u32(word_of(a->value), CONF_MTU_MAX, &mtu) || mtu < CONF_MTU_MIN) {
		diag_warn(b->d, a->value_pos, "not an MTU from %d to %d: \"%s\"; %d is used",
			  CONF_MTU_MIN, CONF_MTU_MAX, a->value, CONF_MTU_DEFAULT);
		return;
	}
	net->mtu = (uint16_t)mtu;
	net->src.mtu = a->pos;
	if (mtu < 576)
		diag_notice(b->d, a->value_pos,
			    "MTU %u is below 576, which every IPv4 host must accept; DHCP may fail",
			    mtu);
}

static void
read_name(struct build *b, struct conf_net *net)
{
	const struct nw_answer *a = networking_answer(&b->nw, net->n, "DISPLAY_NAME");

	if (a && a->value[0]) {
		net->display_name = text_clean(&b->c->arena, a->value);
		net->src.display_name = a->pos;
	} else {
		net->display_name = arena_printf(&b->c->arena, "vmnet%u", net->n);
	}
}

/* Where it is first mentioned; line 0 when nowhere. */
static struct conf_pos
first_pos(const struct build *b, unsigned n)
{
	struct conf_pos pos = {build_file_name((struct build *)b, CONF_FILE_NETWORKING, 0), 0, 0};

	for (size_t i = 0; i < b->nw.nanswers; i++) {
		const struct nw_answer *a = &b->nw.answer[i];

		if (a->n == n && (pos.line == 0 || a->pos.line < pos.line))
			pos = a->pos;
	}
	return pos;
}

/* What deleting a network in Fusion leaves behind: switches that are off, and an id. */
static bool
is_deleted(const struct build *b, const struct conf_net *net)
{
	static const char *const alive[] = {"HOSTONLY_SUBNET", "MTU", "DISPLAY_NAME", NULL};

	return !net->adapter && !net->nat && !net->dhcp &&
	       networking_answer(&b->nw, net->n, "HOSTONLY_UUID") && !has_any(b, net->n, alive);
}

void
build_net(struct build *b, unsigned n)
{
	static const char *const keys[] = {"VIRTUAL_ADAPTER",  "DHCP", "NAT",
					   "HOSTONLY_SUBNET",  "MTU",  "DISPLAY_NAME",
					   "HOSTONLY_NETMASK", NULL};
	struct conf_net *net = &b->c->net[n];
	struct conf_pos bridge_pos = {0};
	struct conf_addresses def;
	bool bridged, implied = false;

	net->n = n;
	b->d->net = (int)n;
	bridged = find_uplinks(b, net, &implied, &bridge_pos);
	if (!bridged && !has_any(b, n, keys))
		return;
	net->pos = first_pos(b, n);
	if (net->pos.line == 0 && bridge_pos.line)
		net->pos = bridge_pos;
	net->adapter = yes(b, n, "VIRTUAL_ADAPTER", &net->src.adapter);
	net->nat = yes(b, n, "NAT", &net->src.nat);
	net->dhcp = yes(b, n, "DHCP", &net->src.dhcp);
	if (!bridged && is_deleted(b, net)) {
		diag_notice(b->d, net->pos, "vmnet%u was deleted: all its services are off", n);
		return;
	}
	net->present = true;
	net->type = net->nat       ? NET_NAT
		    : net->adapter ? NET_HOSTONLY
		    : net->dhcp    ? NET_CUSTOM
				   : NET_SEGMENT;
	if (bridged)
		net->type = bridged_type(b, net, implied, bridge_pos);
	read_mtu(b, net);
	read_name(b, net);
	if (net->type == NET_BRIDGED && net->adapter &&
	    !networking_answer(&b->nw, n, "HOSTONLY_SUBNET")) {
		diag_warn(b->d, net->src.adapter,
			  "vmnet%u is bridged and has no subnet, so the host gets no address in it",
			  n);
		net->adapter = false;
	}
	if (!net->adapter && !net->nat && !net->dhcp)
		return;
	if (!read_subnet(b, net))
		return;
	conf_addresses_of(net->subnet, &def);
	if (net->adapter)
		read_host(b, net);
	if (net->dhcp)
		net->dhcpd.server = def.dhcp;
}
