/* SPDX-License-Identifier: GPL-2.0-or-later
 * change.c - create, delete and set: what they change in which files. Pure.
 */
#include "conf/change.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "conf/build.h"
#include "conf/defaults.h"
#include "conf/draft.h"
#include "conf/netmap.h"
#include "conf/text.h"

static void
set_answer(struct draft *t, unsigned n, const char *key, const char *value)
{
	DRAFT_EDIT(t, CONF_FILE_NETWORKING, 0, networking_set_answer, n, key, value);
}

static bool
need_net(struct draft *t, unsigned n)
{
	if (t->old->fatal)
		DRAFT_ERROR(t, "the configuration has errors that come first: vnetctl check");
	else if (n >= CONF_NETS || !t->old->net[n].present)
		DRAFT_ERROR(t, "vmnet%u does not exist; make it with: vnetctl create vmnet%u", n,
			    n);
	else
		return true;
	return false;
}

/* --- create --- */

/* The host's own use besides the networks that exist. The default route and its halves, which some
 * VPNs set, overlap everything and say nothing. */
static bool
host_uses(const struct conf_env *env, struct prefix4 p)
{
	for (size_t i = 0; i < env->nused; i++) {
		if (env->used[i].len >= CONF_PREFIX_MIN && prefix4_overlaps(env->used[i], p))
			return true;
	}
	return false;
}

/* Nobody else has it: not the host, no other network of ours. */
static bool
subnet_free(struct draft *t, unsigned n, struct prefix4 p, const struct conf_env *env)
{
	for (unsigned i = 0; i < CONF_NETS; i++) {
		const struct conf_net *net = &t->old->net[i];

		if (i == n || !net->present || net->subnet.len == 0 ||
		    !prefix4_overlaps(net->subnet, p))
			continue;
		DRAFT_ERROR(t, "%s overlaps vmnet%u, which is %s; choose another subnet",
			    PREFIX4_STR(p), i, PREFIX4_STR(net->subnet));
		return false;
	}
	if (!env || !host_uses(env, p))
		return true;
	DRAFT_ERROR(t, "%s is in use by this host; choose another subnet", PREFIX4_STR(p));
	return false;
}

static bool
choose_subnet(struct draft *t, unsigned n, struct prefix4 *p, const struct conf_env *env)
{
	struct prefix4 own[CONF_NETS];
	size_t n_own = 0;

	if (p->len)
		return subnet_free(t, n, *p, env);
	for (unsigned i = 0; i < CONF_NETS; i++) {
		if (t->old->net[i].present && t->old->net[i].subnet.len)
			own[n_own++] = t->old->net[i].subnet;
	}
	if (conf_pick_subnet_beside(p, n, env, own, n_own))
		return true;
	DRAFT_ERROR(t,
		    "no unused private subnet is left; name one: vnetctl create vmnet%u TYPE "
		    "SUBNET/LEN",
		    n);
	return false;
}

static void
create_bridged(struct draft *t, unsigned n)
{
	char section[16];

	set_answer(t, n, "DHCP", "no");
	set_answer(t, n, "VIRTUAL_ADAPTER", "no");
	if (n == 0) { /* automatic bridging belongs to vmnet0 when nobody says otherwise */
		DRAFT_EDIT(t, CONF_FILE_NETWORKING, 0, networking_set_default_bridge,
			   NW_DEFAULT_BRIDGE_UNSET);
		return;
	}
	snprintf(section, sizeof(section), "vmnet%u", n);
	DRAFT_EDIT(t, CONF_FILE_VNETD, 0, vnetdconf_set, section, "type", "bridged");
}

static void
create_served(struct draft *t, unsigned n, enum net_kind type, struct prefix4 p)
{
	set_answer(t, n, "DHCP", "yes");
	set_answer(t, n, "HOSTONLY_NETMASK", IP4_STR(ip4_mask(p.len)));
	set_answer(t, n, "HOSTONLY_SUBNET", IP4_STR(p.addr));
	if (type == NET_NAT)
		set_answer(t, n, "NAT", "yes");
	set_answer(t, n, "VIRTUAL_ADAPTER", type == NET_CUSTOM ? "no" : "yes");
}

static bool
create(struct draft *t, unsigned n, enum net_kind type, struct prefix4 p,
       const struct conf_env *env)
{
	if (t->old->fatal) {
		DRAFT_ERROR(t, "the configuration has errors that come first: vnetctl check");
		return false;
	}
	if (n >= CONF_NETS) {
		DRAFT_ERROR(t, "there are vmnet0 to vmnet%d, no vmnet%u", CONF_NETS - 1, n);
		return false;
	}
	if (t->old->net[n].present) {
		DRAFT_ERROR(t, "vmnet%u exists already: vnetctl show vmnet%u", n, n);
		return false;
	}
	if (type == NET_BRIDGED || type == NET_SEGMENT) {
		if (p.len) {
			DRAFT_ERROR(t, "a %s network has no subnet of its own: leave out %s",
				    conf_net_type_label(type), PREFIX4_STR(p));
			return false;
		}
		if (type == NET_BRIDGED) {
			create_bridged(t, n);
			return true;
		}
		set_answer(t, n, "DHCP", "no");
		set_answer(t, n, "VIRTUAL_ADAPTER", "no");
		return true;
	}
	if (!choose_subnet(t, n, &p, env))
		return false;
	create_served(t, n, type, p);
	return true;
}

bool
conf_create_net(struct conf_changes *ch, const struct conf_sources *src, unsigned n,
		enum net_kind type, struct prefix4 subnet, const struct conf_env *env,
		struct diags *d)
{
	struct draft t;
	bool ok;

	if (!draft_init(&t, ch, src, d))
		return draft_finish(&t, false, true, env);
	ok = create(&t, n, type, subnet, env);
	return draft_finish(&t, ok, true, env);
}

/* --- delete --- */

bool
conf_delete_net(struct conf_changes *ch, const struct conf_sources *src, unsigned n,
		struct diags *d)
{
	char section[16];
	struct draft t;
	bool ok;

	if (!draft_init(&t, ch, src, d))
		return draft_finish(&t, false, false, NULL);
	ok = need_net(&t, n);
	if (ok) {
		snprintf(section, sizeof(section), "vmnet%u", n);
		DRAFT_EDIT(&t, CONF_FILE_NETWORKING, 0, networking_remove_net, n);
		if (src->vnetd.text)
			DRAFT_EDIT(&t, CONF_FILE_VNETD, 0, vnetdconf_remove_section, section);
		draft_remove(&t, CONF_FILE_DHCPD, n);
		draft_remove(&t, CONF_FILE_NAT, n);
	}
	return draft_finish(&t, ok, false, NULL);
}

/* --- set --- */

static const struct {
	const char *key, *answer;
} answers[] = {
    {"adapter", "VIRTUAL_ADAPTER"},
    {"adapter-address", "VIRTUAL_ADAPTER_ADDR"},
    {"dhcp", "DHCP"},
    {"nat", "NAT"},
    {"mtu", "MTU"},
    {"display-name", "DISPLAY_NAME"},
    {"udp-timeout", "NAT_PARAM_UDP_TIMEOUT"},
};

/* nat.conf exists from here on. */
static void
need_natconf(struct draft *t, const struct conf_net *net)
{
	struct nat_gen g = {.net = net->n,
			    .subnet = net->subnet,
			    .gateway = net->gateway,
			    .host = net->host,
			    .udp_timeout_s = net->udp_timeout_s};
	struct strbuf b;

	if (draft_file(t, CONF_FILE_NAT, net->n)->text)
		return;
	strbuf_init(&b);
	natconf_gen_file(&b, &g);
	draft_put(t, CONF_FILE_NAT, net->n, &b);
}

/* A new subnet: what stood at a default place moves along. */
static bool
set_subnet(struct draft *t, unsigned n, struct prefix4 p, const struct conf_env *env)
{
	const struct conf_net *net = &t->old->net[n];
	struct conf_addresses was, is;
	const char *why = conf_subnet_unusable(p, net->nat || net->dhcp);

	if (why) {
		DRAFT_ERROR(t, "subnet %s %s", PREFIX4_STR(p), why);
		return false;
	}
	/* The host's own address in this network does not make a resized subnet taken. */
	if (!subnet_free(t, n, p, net->subnet.len && prefix4_overlaps(p, net->subnet) ? NULL : env))
		return false;
	set_answer(t, n, "HOSTONLY_NETMASK", IP4_STR(ip4_mask(p.len)));
	set_answer(t, n, "HOSTONLY_SUBNET", IP4_STR(p.addr));
	conf_addresses_of(net->subnet, &was);
	conf_addresses_of(p, &is);
	if (net->src.host.line && (ip4_eq(net->host, was.host) || !prefix4_contains(p, net->host)))
		set_answer(t, n, "VIRTUAL_ADAPTER_ADDR", NULL);
	if (net->nat && draft_file(t, CONF_FILE_NAT, n)->text &&
	    (ip4_eq(net->gateway, was.gateway) || !prefix4_contains(p, net->gateway)))
		DRAFT_EDIT(t, CONF_FILE_NAT, n, natconf_set, "host", "ip", IP4_STR(is.gateway));
	return true;
}

/* Lease times stand in the generated section. */
static bool
set_lease_time(struct draft *t, unsigned n, bool max, uint32_t seconds, const struct conf_env *env)
{
	const struct conf_net *net = &t->old->net[n];

	if (!net->dhcp || net->subnet.len == 0) {
		DRAFT_ERROR(t, "vmnet%u has no DHCP: vnetctl set vmnet%u dhcp yes", n, n);
		return false;
	}
	draft_regen_dhcpd(t, net, max ? NULL : &seconds, max ? &seconds : NULL, env);
	return true;
}

static bool
set_gateway(struct draft *t, unsigned n, const struct schema_value *v, const struct conf_env *env)
{
	const struct conf_net *net = &t->old->net[n];
	struct conf_addresses def;
	struct conf_net moved;

	if (!net->nat) {
		DRAFT_ERROR(t, "vmnet%u has no NAT: vnetctl set vmnet%u nat yes", n, n);
		return false;
	}
	conf_addresses_of(net->subnet, &def);
	need_natconf(t, net);
	moved = *net;
	moved.gateway = v ? v->ip : def.gateway;
	DRAFT_EDIT(t, CONF_FILE_NAT, n, natconf_set, "host", "ip", IP4_STR(moved.gateway));
	if (net->adapter || net->dhcp)
		draft_regen_dhcpd(t, &moved, NULL, NULL, env);
	return true;
}

/* Where there is no vnetd.conf there is nothing to take out of it. */
static void
edit_own(struct draft *t, const char *section, const char *key, const char *value)
{
	if (value || draft_file(t, CONF_FILE_VNETD, 0)->text)
		DRAFT_EDIT(t, CONF_FILE_VNETD, 0, vnetdconf_set, section, key, value);
}

/* A row's value (NULL: back to the default) into the file that has it. */
static bool
apply_row(struct draft *t, unsigned n, const struct schema_row *row, const struct schema_value *v,
	  const struct conf_env *env)
{
	char section[16];

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		if (strcmp(row->key, answers[i].key) == 0) {
			set_answer(t, n, answers[i].answer, v ? v->text : NULL);
			return true;
		}
	}
	if (strcmp(row->key, "subnet") == 0) {
		if (v)
			return set_subnet(t, n, v->prefix, env);
		DRAFT_ERROR(t, "a subnet has no default; give one like %s", row->example);
		return false;
	}
	if (strcmp(row->key, "nat-gateway") == 0)
		return set_gateway(t, n, v, env);
	if (row->file == CONF_FILE_DHCPD)
		return set_lease_time(t, n, strcmp(row->key, "max-lease-time") == 0, v ? v->num : 0,
				      env);
	snprintf(section, sizeof(section), "vmnet%u", n);
	edit_own(t, section, row->key, v ? v->text : NULL);
	return true;
}

static const struct schema_row *
find_row(struct draft *t, enum schema_section s, const char *key)
{
	const struct schema_row *row = schema_find(s, key);
	const char *hint;

	if (row)
		return row;
	hint = schema_did_you_mean(s, key);
	DRAFT_ERROR(t, "unknown key \"%s\"%s%s%s", key, hint ? ", did you mean \"" : "",
		    hint ? hint : "", hint ? "\"?" : "");
	return NULL;
}

static bool
is_default(const char *value)
{
	return !value || value[0] == '\0' || strcasecmp(value, "default") == 0;
}

static bool
set_net(struct draft *t, unsigned n, const char *key, const char *value, const struct conf_env *env)
{
	const struct schema_row *row;
	struct schema_value v;
	struct arena a;
	bool ok;

	if (!need_net(t, n) || !(row = find_row(t, SCHEMA_NET, key)))
		return false;
	if (is_default(value))
		return apply_row(t, n, row, NULL, env);
	arena_init(&a);
	ok = schema_parse(&v, &a, row, value, (struct conf_pos){0}, t->d) &&
	     apply_row(t, n, row, &v, env);
	arena_fini(&a);
	return ok;
}

bool
conf_set_net(struct conf_changes *ch, const struct conf_sources *src, unsigned n, const char *key,
	     const char *value, const struct conf_env *env, struct diags *d)
{
	/* An address that would be ignored is refused; of forwards that a change leaves without
	 * effect (nat = no, a new subnet) one is only told. */
	bool strict =
	    strcasecmp(key, "adapter-address") == 0 || strcasecmp(key, "nat-gateway") == 0;
	struct draft t;
	bool ok;

	if (!draft_init(&t, ch, src, d))
		return draft_finish(&t, false, true, env);
	ok = set_net(&t, n, key, value, env);
	return draft_finish(&t, ok, strict, env);
}

/* "global", or a kind and one name. The name goes between brackets into the file: nothing in it may
 * end the header, the line or begin a comment. */
static bool
section_kind(struct draft *t, const char *section, enum schema_section *out)
{
	static const struct {
		const char *word;
		enum schema_section s;
	} kinds[] = {{"global", SCHEMA_GLOBAL},
		     {"port ", SCHEMA_PORT},
		     {"user ", SCHEMA_USER},
		     {"group ", SCHEMA_GROUP}};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		size_t n = strlen(kinds[i].word);
		bool ok = strncmp(section, kinds[i].word, n) == 0;

		ok = ok && (kinds[i].s == SCHEMA_GLOBAL) == (section[n] == '\0');
		for (const char *s = section + n; ok && *s; s++)
			ok = *s > ' ' && *s < 0x7f && !strchr("[]#=", *s);
		if (ok) {
			*out = kinds[i].s;
			return true;
		}
	}
	DRAFT_ERROR(t,
		    "unknown section \"%s\"; there are global, port NAME, user NAME and group "
		    "NAME",
		    section);
	return false;
}

/* A header that is new gets its MAC address in the one spelling; an old one is found in any. */
static const char *
header_of(struct arena *a, enum schema_section s, const char *section)
{
	struct mac mac;

	if (s != SCHEMA_PORT || !mac_parse(&mac, section + strlen("port ")))
		return section;
	return arena_printf(a, "port %s", MAC_STR(mac));
}

/* The value goes into the file as the schema spells it, never as it came. */
static bool
set_own(struct draft *t, const char *section, const char *key, const char *value)
{
	const struct schema_row *row;
	enum schema_section s;
	struct schema_value v;
	struct arena a;
	bool ok;

	if (!section_kind(t, section, &s) || !(row = find_row(t, s, key)))
		return false;
	arena_init(&a);
	section = header_of(&a, s, section);
	ok = is_default(value) || schema_parse(&v, &a, row, value, (struct conf_pos){0}, t->d);
	if (ok && section)
		edit_own(t, section, row->key, is_default(value) ? NULL : v.text);
	t->ch->bad |= a.bad;
	arena_fini(&a);
	return ok;
}

bool
conf_set(struct conf_changes *ch, const struct conf_sources *src, const char *section,
	 const char *key, const char *value, struct diags *d)
{
	struct draft t;
	bool ok;

	if (!draft_init(&t, ch, src, d))
		return draft_finish(&t, false, true, NULL);
	ok = set_own(&t, section, key, value);
	/* Not strict: a port is put together key by key and has no effect until the last. */
	return draft_finish(&t, ok, false, NULL);
}
