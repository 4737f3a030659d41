/* SPDX-License-Identifier: GPL-2.0-or-later
 * change_item.c - port forwards and reservations added and removed. Pure.
 * They may stand in two files: `networking`, and the one that VMware derives from it and people
 * edit. An addition leaves one statement of the fact, a removal none.
 */
#include "conf/change.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "conf/draft.h"
#include "conf/networking.h"
#include "conf/vnetdconf.h"

static bool
need_service(struct draft *t, unsigned n, bool nat)
{
	const struct conf_net *net;

	if (t->old->fatal) {
		DRAFT_ERROR(t, "the configuration has errors that come first: vnetctl check");
		return false;
	}
	net = n < CONF_NETS ? &t->old->net[n] : NULL;
	if (!net || !net->present) {
		DRAFT_ERROR(t, "vmnet%u does not exist; make it with: vnetctl create vmnet%u", n,
			    n);
		return false;
	}
	if (net->failed) {
		DRAFT_ERROR(t, "vmnet%u has errors that come first: %s", n, net->reason);
		return false;
	}
	if (nat ? net->nat : net->dhcp)
		return true;
	DRAFT_ERROR(t, "vmnet%u has no %s: vnetctl set vmnet%u %s yes", n, nat ? "NAT" : "DHCP", n,
		    nat ? "nat" : "dhcp");
	return false;
}

/* --- forwards --- */

static bool
in_networking(const struct draft *t, unsigned n, const struct conf_forward *f)
{
	const struct conf_file *file = draft_file(t, CONF_FILE_NETWORKING, 0);
	struct networking nw;
	struct diags quiet;
	struct arena a;
	bool found = false;

	arena_init(&a);
	diags_init(&quiet);
	networking_parse(&nw, &a, "", file->text ? file->text : "", file->len, &quiet);
	for (size_t i = 0; i < nw.nforwards; i++)
		found |= nw.forward[i].n == n && conf_forward_cmp(&nw.forward[i].f, f) == 0;
	diags_fini(&quiet);
	arena_fini(&a);
	return found;
}

static bool
in_natconf(const struct draft *t, unsigned n, const struct conf_forward *f)
{
	const struct nat_file *file = &t->old->net[n].natconf;

	for (size_t i = 0; i < file->nforwards; i++) {
		if (conf_forward_cmp(&file->forward[i], f) == 0)
			return true;
	}
	return false;
}

/* The forward, of whichever network, that a packet for f could be for. */
static const struct conf_forward *
find_meeting(const struct draft *t, const struct conf_forward *f, unsigned *of)
{
	for (*of = 0; *of < CONF_NETS; ++*of) {
		const struct conf_net *net = &t->old->net[*of];

		for (size_t i = 0; net->present && i < net->nforwards; i++)
			if (conf_forwards_meet(&net->forward[i], f))
				return &net->forward[i];
	}
	return NULL;
}

/* Another network has the port already, or another forward has a part of the ports. */
static bool
port_taken(struct draft *t, unsigned n, const struct conf_forward *f)
{
	char mine[HOST_PORTS_LEN], theirs[HOST_PORTS_LEN];

	for (unsigned m = 0; m < CONF_NETS; m++) {
		const struct conf_net *net = &t->old->net[m];

		for (size_t i = 0; net->present && i < net->nforwards; i++) {
			const struct conf_forward *g = &net->forward[i];
			bool same = conf_forward_cmp(g, f) == 0;

			if (!conf_forwards_meet(g, f) || (same && m == n))
				continue;
			host_ports_str(conf_forward_ports(f), mine);
			host_ports_str(conf_forward_ports(g), theirs);
			if (same)
				DRAFT_ERROR(
				    t, "%s port %s is forwarded by vmnet%u already; choose another",
				    conf_proto_str(f->proto), mine, m);
			else
				DRAFT_ERROR(t,
					    "%s port %s: vmnet%u forwards %s already; choose "
					    "another",
					    conf_proto_str(f->proto), mine, m, theirs);
			return true;
		}
	}
	return false;
}

/* Lists in vnetd.conf. Words are compared as we write them. */

enum { WORD_CAP = 32 };

typedef bool next_word(const char **text, char word[WORD_CAP]);

static bool
next_port(const char **text, char word[WORD_CAP])
{
	enum conf_proto proto;
	uint16_t port;

	if (!schema_port_next(text, &proto, &port))
		return false;
	snprintf(word, WORD_CAP, "%s/%u", conf_proto_str(proto), port);
	return true;
}

static bool
next_mac(const char **text, char word[WORD_CAP])
{
	struct mac mac;

	if (!schema_mac_next(text, &mac))
		return false;
	snprintf(word, WORD_CAP, "%s", MAC_STR(mac));
	return true;
}

/* Puts a word into the list `key` of a network, or takes it out; whether it was there. */
static bool
edit_list(struct draft *t, unsigned n, const char *key, next_word *next, const char *word, bool on)
{
	const struct conf_file *f = draft_file(t, CONF_FILE_VNETD, 0);
	struct strbuf list, text;
	struct vnetd_file vf;
	struct diags quiet;
	struct arena a;
	bool was = false;
	char section[16];

	arena_init(&a);
	diags_init(&quiet);
	strbuf_init(&list);
	snprintf(section, sizeof(section), "vmnet%u", n);
	vnetdconf_parse(&vf, &a, "", f->text ? f->text : "", f->text ? f->len : 0, &quiet);
	for (size_t i = 0; i < vf.nsections; i++) {
		const struct vnetd_section *s = &vf.section[i];
		const struct vnetd_item *it =
		    s->kind == SCHEMA_NET && s->net == n ? vnetd_item_find(s, key) : NULL;
		const char *at = it ? it->value.text : "";
		char other[WORD_CAP];

		while (next(&at, other)) {
			bool same = !strcmp(other, word);

			was |= same;
			if (!same)
				strbuf_addf(&list, "%s%s", list.len ? " " : "", other);
		}
	}
	if (on)
		strbuf_addf(&list, "%s%s", list.len ? " " : "", word);
	if (on != was) {
		strbuf_init(&text);
		vnetdconf_set(&text, f->text ? f->text : "", f->text ? f->len : 0, section, key,
			      list.len ? strbuf_str(&list) : NULL);
		draft_put(t, CONF_FILE_VNETD, 0, &text);
	}
	t->ch->bad |= list.bad || a.bad;
	strbuf_fini(&list);
	diags_fini(&quiet);
	arena_fini(&a);
	return was;
}

static void
edit_shadow(struct draft *t, unsigned n, enum conf_proto proto, uint16_t port, bool on)
{
	char word[WORD_CAP];

	snprintf(word, sizeof(word), "%s/%u", conf_proto_str(proto), port);
	edit_list(t, n, "shadow", next_port, word, on);
}

static bool
edit_static_arp(struct draft *t, unsigned n, struct mac mac, bool on)
{
	return edit_list(t, n, "static-arp", next_mac, MAC_STR(mac), on);
}

bool
conf_add_forward(struct conf_changes *ch, const struct conf_sources *src, unsigned n,
		 const struct conf_forward *f, struct diags *d)
{
	struct draft t;
	bool ok;

	if (!draft_init(&t, ch, src, d))
		return draft_finish(&t, false, true, NULL);
	ok = need_service(&t, n, true);
	if (ok && (f->host_port == 0 || f->guest_port == 0)) {
		DRAFT_ERROR(&t, "a port is a number from 1 to 65535");
		ok = false;
	}
	if (ok && !port_taken(&t, n, f)) {
		DRAFT_EDIT(&t, CONF_FILE_NETWORKING, 0, networking_set_forward, n, f);
		if (in_natconf(&t, n, f))
			DRAFT_EDIT(&t, CONF_FILE_NAT, n, natconf_remove_forward, f);
		edit_shadow(&t, n, f->proto, f->host_port, f->shadow);
	} else {
		ok = false;
	}
	return draft_finish(&t, ok, true, NULL);
}

static void
tell_missing(struct draft *t, unsigned n, const struct conf_forward *f)
{
	char mine[HOST_PORTS_LEN], theirs[HOST_PORTS_LEN];
	const struct conf_forward *part;
	unsigned of;

	host_ports_str(conf_forward_ports(f), mine);
	part = find_meeting(t, f, &of);
	if (part && of == n)
		DRAFT_ERROR(t, "vmnet%u forwards no %s port %s alone, but %s", n,
			    conf_proto_str(f->proto), mine,
			    host_ports_str(conf_forward_ports(part), theirs));
	else
		DRAFT_ERROR(t, "vmnet%u forwards no %s port %s: vnetctl forward list vmnet%u", n,
			    conf_proto_str(f->proto), mine, n);
}

bool
conf_remove_forward(struct conf_changes *ch, const struct conf_sources *src, unsigned n,
		    const struct conf_forward *f, struct diags *d)
{
	bool ok, here, there;
	struct draft t;

	if (!draft_init(&t, ch, src, d))
		return draft_finish(&t, false, false, NULL);
	/* A network that has lost its NAT or itself may still have lines to get rid of. */
	ok = n < CONF_NETS && !t.old->fatal;
	here = ok && in_networking(&t, n, f);
	there = ok && in_natconf(&t, n, f);
	if (!here && !there) {
		if (need_service(&t, n, true))
			tell_missing(&t, n, f);
		ok = false;
	}
	if (here)
		DRAFT_EDIT(&t, CONF_FILE_NETWORKING, 0, networking_remove_forward, n, f);
	if (there)
		DRAFT_EDIT(&t, CONF_FILE_NAT, n, natconf_remove_forward, f);
	if (ok)
		edit_shadow(&t, n, f->proto, f->host_port, false);
	return draft_finish(&t, ok, false, NULL);
}

/* --- reservations --- */

/* Cuts the host blocks of a MAC address out of a text, each with its line when alone there, but for
 * those of the generated section. The number of blocks. */
static size_t
cut_hosts(struct strbuf *out, const char *text, size_t len, struct mac mac)
{
	struct dhcp_file f;
	struct diags quiet;
	struct arena a;
	size_t n = 0, kept = 0;

	arena_init(&a);
	diags_init(&quiet);
	dhcpconf_parse(&f, &a, "", text, len, &quiet);
	for (size_t i = 0; i < f.nhosts; i++) {
		size_t from = f.host[i].start, to = f.host[i].end;
		bool generated = f.has_section && from >= f.section_start && from < f.section_end;

		if (!mac_eq(f.host[i].mac, mac) || generated || from < kept)
			continue;
		while (from > kept && (text[from - 1] == ' ' || text[from - 1] == '\t'))
			from--;
		while (to < len && (text[to] == ' ' || text[to] == '\t'))
			to++;
		if (from == 0 || text[from - 1] == '\n') {
			to += to < len && text[to] == '\r';
			to += to < len && text[to] == '\n';
		}
		strbuf_addn(out, text + kept, from - kept);
		kept = to;
		n++;
	}
	strbuf_addn(out, text + kept, len - kept);
	out->bad |= a.bad;
	diags_fini(&quiet);
	arena_fini(&a);
	return n;
}

/* Removes every statement of VMware's files about (n, mac); how many there were. */
static size_t
remove_all(struct draft *t, unsigned n, struct mac mac)
{
	const struct conf_file *f = draft_file(t, CONF_FILE_DHCPD, n);
	struct strbuf b, nw;
	size_t found = 0;

	strbuf_init(&nw);
	networking_remove_reservation(&nw, t->now.networking.text, t->now.networking.len, n, mac);
	found += nw.len != t->now.networking.len;
	draft_put(t, CONF_FILE_NETWORKING, 0, &nw);
	if (!f->text)
		return found;
	strbuf_init(&b);
	found += cut_hosts(&b, f->text, f->len, mac);
	draft_put(t, CONF_FILE_DHCPD, n, &b);
	return found;
}

static bool
name_ok(struct draft *t, const char *name)
{
	unsigned n;
	bool ok = name[0] && name[0] != '-' && strlen(name) <= 63 && !conf_net_parse(&n, name);

	for (const char *s = name; ok && *s; s++)
		ok = isalnum((unsigned char)*s) || *s == '-' || *s == '_' || *s == '.';
	if (!ok)
		DRAFT_ERROR(t, "not a host name of letters, digits, \"-\", \"_\" and \".\": \"%s\"",
			    name);
	return ok;
}

/* A host block behind everything else, in the form that line-based readers take. */
static void
append_host(struct strbuf *out, const char *text, size_t len, const char *name, struct mac mac,
	    struct ip4 ip)
{
	strbuf_addn(out, text, len);
	if (len && text[len - 1] != '\n')
		strbuf_addc(out, '\n');
	strbuf_addf(out, "host %s {\n\thardware ethernet %s;\n\tfixed-address %s;\n}\n", name,
		    MAC_STR(mac), IP4_STR(ip));
}

/* Somebody else has the address already. */
static bool
ip_taken(struct draft *t, unsigned n, struct mac mac, struct ip4 ip)
{
	const struct conf_dhcp *d = &t->old->net[n].dhcpd;

	for (size_t i = 0; i < d->nhosts; i++) {
		const struct dhcp_host *h = &d->host[i];

		if (!ip4_eq(h->ip, ip) || mac_eq(h->mac, mac))
			continue;
		DRAFT_ERROR(t,
			    "%s is reserved for %s%s%s already (%s:%u); choose another, or first: "
			    "vnetctl unreserve vmnet%u %s",
			    IP4_STR(ip), MAC_STR(h->mac), h->name ? ", " : "",
			    h->name ? h->name : "", h->pos.file, h->pos.line, n, MAC_STR(h->mac));
		return true;
	}
	return false;
}

/* Whose the address is when it is the network's own. */
static const char *
owner_of(const struct conf_net *net, struct ip4 ip)
{
	if (net->adapter && ip4_eq(ip, net->host))
		return "the host's own address";
	if (net->nat && ip4_eq(ip, net->gateway))
		return "the NAT gateway's address";
	if (ip4_eq(ip, net->dhcpd.server))
		return "the DHCP server's address";
	return ip4_eq(ip, net->subnet.addr) ? "the network's own address" : "the broadcast address";
}

/* A guest of this network can have the address. */
static bool
pair_ok(struct draft *t, unsigned n, struct mac mac, struct ip4 ip)
{
	const struct conf_net *net = &t->old->net[n];
	const struct mac host = {{0x00, 0x50, 0x56, 0xc0, 0x00, (uint8_t)n}};

	if (!conf_mac_ok(mac))
		DRAFT_ERROR(t, "%s is no address of a network card, but %s; give the guest's own",
			    MAC_STR(mac), mac_is_zero(mac) ? "nobody's" : "a group's");
	else if (mac_eq(mac, host))
		DRAFT_ERROR(t, "%s is the host's own address in vmnet%u; give the guest's",
			    MAC_STR(mac), n);
	else if (!prefix4_contains(net->subnet, ip))
		DRAFT_ERROR(t,
			    "%s is not inside vmnet%u, which is %s; choose an address from there",
			    IP4_STR(ip), n, PREFIX4_STR(net->subnet));
	else if (conf_net_owns(net, ip))
		DRAFT_ERROR(t, "%s is %s in vmnet%u; choose another", IP4_STR(ip),
			    owner_of(net, ip), n);
	else
		return true;
	return false;
}

/* Another guest's block has the name. Host names are how people tell guests apart. */
static bool
name_taken(struct draft *t, unsigned n, struct mac mac, const char *name)
{
	const struct conf_dhcp *d = &t->old->net[n].dhcpd;

	for (size_t i = 0; i < d->nhosts; i++) {
		const struct dhcp_host *h = &d->host[i];

		if (!h->name || strcasecmp(h->name, name) != 0 || mac_eq(h->mac, mac))
			continue;
		DRAFT_ERROR(t, "\"%s\" is the name of %s already (%s:%u); choose another", name,
			    MAC_STR(h->mac), h->pos.file, h->pos.line);
		return true;
	}
	return false;
}

bool
conf_add_reservation(struct conf_changes *ch, const struct conf_sources *src, unsigned n,
		     struct mac mac, struct ip4 ip, const char *name, bool static_arp,
		     struct diags *d)
{
	struct draft t;
	bool ok;

	if (!draft_init(&t, ch, src, d))
		return draft_finish(&t, false, true, NULL);
	ok = need_service(&t, n, false) && pair_ok(&t, n, mac, ip) && !ip_taken(&t, n, mac, ip) &&
	     (!name || (name_ok(&t, name) && !name_taken(&t, n, mac, name)));
	if (ok) {
		remove_all(&t, n, mac);
		edit_static_arp(&t, n, mac, static_arp);
		if (name) {
			if (!draft_file(&t, CONF_FILE_DHCPD, n)->text)
				draft_regen_dhcpd(&t, &t.old->net[n], NULL, NULL, NULL);
			DRAFT_EDIT(&t, CONF_FILE_DHCPD, n, append_host, name, mac, ip);
		} else {
			DRAFT_EDIT(&t, CONF_FILE_NETWORKING, 0, networking_set_reservation, n, mac,
				   ip);
		}
	}
	return draft_finish(&t, ok, true, NULL);
}

bool
conf_remove_reservation(struct conf_changes *ch, const struct conf_sources *src, unsigned n,
			struct mac mac, struct diags *d)
{
	struct draft t;
	bool ok, found;

	if (!draft_init(&t, ch, src, d))
		return draft_finish(&t, false, false, NULL);
	ok = need_service(&t, n, false);
	found = ok && remove_all(&t, n, mac) > 0;
	if (ok && !edit_static_arp(&t, n, mac, false) && !found) {
		DRAFT_ERROR(&t, "vmnet%u has no reservation for %s: vnetctl leases vmnet%u", n,
			    MAC_STR(mac), n);
		ok = false;
	}
	return draft_finish(&t, ok, false, NULL);
}
