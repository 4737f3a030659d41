/* SPDX-License-Identifier: GPL-2.0-or-later
 * natconf.c - nat.conf read and printed by one table of its keys. Pure.
 * A value that does not fit is a warning and leaves the default: VMware's NAT starts with such
 * files, so ours does.
 */
#include "conf/natconf.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/ini.h"
#include "lib/strbuf.h"

enum nat_type {
	N_BOOL,
	N_NUM,  /* uint32_t, min-max */
	N_PORT, /* uint16_t, 0: none */
	N_IP,
	N_IP_LEN, /* address, optionally with /length for ip_len */
	N_MASK,   /* to ip_len */
	N_MAC,
	N_TEXT,
	N_POLICY,
	N_PREFIX6, /* to ip6_prefix and ip6_prefix_len */
};

struct nat_row {
	const char *section, *key;
	enum nat_type type;
	size_t off;
	uint32_t max;
	const char *fate; /* what becomes of it where the kernel does NAT; NULL: what it says */
};

#define OFF(field) offsetof(struct nat_file, field)

#define NETBIOS_FATE                                                                               \
	"is without effect: the kernel translates NetBIOS as it does all UDP, by [udp] timeout"
#define LOW_FATE                                                                                   \
	"is without effect: the kernel gives a source port below 1024 another one below 1024 "     \
	"anyway; where one is always needed, name the destination port by port"

static const struct nat_row rows[] = {
    {"host", "useMacosVmnetVirtApi", N_BOOL, OFF(use_macos_api), 0,
     "is about macOS: here the kernel does NAT"},
    {"host", "ip", N_IP_LEN, OFF(ip), 0, NULL},
    {"host", "netmask", N_MASK, OFF(ip_len), 0,
     "decides nothing: the network's mask is that of networking"},
    {"host", "lastDhcpAddress", N_IP, OFF(last_dhcp), 0,
     "is about macOS: the addresses that DHCP gives are in dhcpd.conf"},
    {"host", "hostMAC", N_MAC, OFF(host_mac), 0,
     "is about Windows: the host's MAC address on vmnetN is 00:50:56:c0:00:N"},
    {"host", "configport", N_PORT, OFF(config_port), 0,
     "opens no port: vnetctl status tells what it would"},
    {"host", "device", N_TEXT, OFF(device), 0,
     "decides nothing: the folder of the file names the network"},
    {"host", "activeFTP", N_BOOL, OFF(active_ftp), 0, NULL},
    {"host", "allowAnyOUI", N_BOOL, OFF(allow_any_oui), 0, NULL},
    {"host", "hostIp", N_IP, OFF(host_ip), 0,
     "decides nothing: the host's address is set by vnetctl set vmnetN adapter-address"},
    {"host", "resetConnectionOnLinkDown", N_BOOL, OFF(reset_on_link_down), 0, NULL},
    {"host", "resetConnectionOnDestLocalHost", N_BOOL, OFF(reset_on_dest_localhost), 0, NULL},
    {"host", "natIp6Enable", N_BOOL, OFF(ip6_enable), 0, NULL},
    {"host", "natIp6Prefix", N_PREFIX6, OFF(ip6_prefix), 0,
     "waits for IPv6, which is not served yet"},
    {"tcp", "timeWaitTimeout", N_NUM, OFF(tcp_time_wait_s), 86400, NULL},
    {"udp", "timeout", N_NUM, OFF(udp_timeout_s), 86400, NULL},
    {"dns", "policy", N_POLICY, OFF(dns_policy), 0, NULL},
    {"dns", "timeout", N_NUM, OFF(dns_timeout_s), 3600, NULL},
    {"dns", "retries", N_NUM, OFF(dns_retries), 100, NULL},
    {"dns", "autodetect", N_BOOL, OFF(dns_autodetect), 0, NULL},
    {"dns", "nameserver1", N_IP, OFF(nameserver[0]), 0, NULL},
    {"dns", "nameserver2", N_IP, OFF(nameserver[1]), 0, NULL},
    {"dns", "nameserver3", N_IP, OFF(nameserver[2]), 0, NULL},
    {"netbios", "nbnsTimeout", N_NUM, OFF(nbns_timeout_s), 3600, NETBIOS_FATE},
    {"netbios", "nbnsRetries", N_NUM, OFF(nbns_retries), 100, NETBIOS_FATE},
    {"netbios", "nbdsTimeout", N_NUM, OFF(nbds_timeout_s), 3600, NETBIOS_FATE},
    {"privilegedTCP", "autodetect", N_BOOL, OFF(priv[CONF_TCP].autodetect), 0, LOW_FATE},
    {"privilegedUDP", "autodetect", N_BOOL, OFF(priv[CONF_UDP].autodetect), 0, LOW_FATE},
};

static const char *const sections[] = {
    "host",        "tcp",         "udp",           "dns",           "netbios",
    "incomingtcp", "incomingudp", "privilegedTCP", "privilegedUDP", NULL};
static const char *const policies[] = {"order", "rotate", "burst", NULL};

const char *
conf_proto_str(enum conf_proto p)
{
	return p == CONF_UDP ? "udp" : "tcp";
}

bool
conf_proto_parse(enum conf_proto *out, const char *s)
{
	if (strcasecmp(s, "tcp") != 0 && strcasecmp(s, "udp") != 0)
		return false;
	*out = strcasecmp(s, "udp") == 0 ? CONF_UDP : CONF_TCP;
	return true;
}

void
natconf_defaults(struct nat_file *f)
{
	*f = (struct nat_file){
	    .active_ftp = true,
	    .allow_any_oui = true,
	    .reset_on_link_down = true,
	    .reset_on_dest_localhost = true,
	    .tcp_time_wait_s = 30,
	    .udp_timeout_s = 30,
	    .dns_policy = NAT_DNS_ORDER,
	    .dns_timeout_s = 2,
	    .dns_retries = 3,
	    .dns_autodetect = true,
	    .nbns_timeout_s = 2,
	    .nbns_retries = 3,
	    .nbds_timeout_s = 3,
	};
}

/* --- reading --- */

struct nat_parser {
	struct nat_file *f;
	struct arena *a;
	const char *name;
	struct diags *d;
	const struct ini_line *l;
	size_t forwards_max; /* more do not fit the text */
	bool ip_has_len;
};

#define NAT_WARN(p, w, ...) diag_warn((p)->d, word_pos((p)->name, &(p)->l->line, (w)), __VA_ARGS__)

/* "addr" or "addr/len". */
static bool
set_ip_len(struct nat_parser *p, struct word v)
{
	const char *slash = v.len ? memchr(v.s, '/', v.len) : NULL;
	struct word addr = v;
	uint32_t len;

	if (slash)
		addr.len = (size_t)(slash - v.s);
	if (slash && !word_u32(word_skip(v, addr.len + 1), 32, &len))
		return false;
	if (!word_ip4(addr, &p->f->ip))
		return false;
	if (slash)
		p->f->ip_len = (uint8_t)len;
	p->ip_has_len = slash;
	p->f->ip_pos = word_pos(p->name, &p->l->line, v);
	return true;
}

static bool
set_mask(struct nat_parser *p, struct word v)
{
	struct ip4 mask;
	uint8_t len;

	if (!word_ip4(v, &mask) || !ip4_mask_len(&len, mask))
		return false;
	if (!p->ip_has_len)
		p->f->ip_len = len;
	return true;
}

static bool
set_prefix6(struct nat_parser *p, struct word v)
{
	char text[INET6_ADDRSTRLEN + 4] = "", *slash;
	uint8_t addr[16];
	uint32_t len;

	if (v.len >= sizeof(text))
		return false;
	if (v.len)
		memcpy(text, v.s, v.len);
	slash = strchr(text, '/');
	if (!slash || !word_u32(word_of(slash + 1), 128, &len) || len == 0)
		return false;
	*slash = '\0';
	if (inet_pton(AF_INET6, text, addr) != 1)
		return false;
	memcpy(p->f->ip6_prefix, addr, 16);
	p->f->ip6_prefix_len = (uint8_t)len;
	return true;
}

/* Reads v into the row's field; false when it does not fit the type. */
static bool
set_value(struct nat_parser *p, const struct nat_row *r, struct word v)
{
	void *at = (char *)p->f + r->off;
	uint32_t n;

	switch (r->type) {
	case N_BOOL:
		return word_bool(v, at);
	case N_NUM:
		return word_u32(v, r->max, at);
	case N_PORT:
		if (!word_u32(v, 65535, &n))
			return false;
		*(uint16_t *)at = (uint16_t)n;
		return true;
	case N_IP:
		return word_ip4(v, at);
	case N_IP_LEN:
		return set_ip_len(p, v);
	case N_MASK:
		return set_mask(p, v);
	case N_MAC:
		return word_mac(v, at);
	case N_TEXT:
		*(const char **)at = v.len ? word_dup(p->a, v) : NULL;
		return true;
	case N_POLICY:
		for (n = 0; policies[n]; n++) {
			if (word_ieq(v, policies[n])) {
				p->f->dns_policy = (enum nat_dns_policy)n;
				return true;
			}
		}
		return false;
	case N_PREFIX6:
		return set_prefix6(p, v);
	}
	return false;
}

static void
unknown_key(struct nat_parser *p)
{
	const char *keys[ARRAY_LEN(rows) + 1], *hint;
	char text[33] = "";
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (word_ieq(p->l->section, rows[i].section))
			keys[n++] = rows[i].key;
	}
	keys[n] = NULL;
	if (p->l->key.len < sizeof(text))
		memcpy(text, p->l->key.s, p->l->key.len);
	if (n == 0)
		return; /* the section is unknown: that was said at its header */
	hint = diag_did_you_mean(text, keys);
	NAT_WARN(p, p->l->key, "unknown key \"%.*s\" in [%.*s] has no effect%s%s%s",
		 WORD_ARG(p->l->key), WORD_ARG(p->l->section), hint ? ", did you mean \"" : "",
		 hint ? hint : "", hint ? "\"?" : "");
}

/* <hostport> = <guestip>:<guestport> */
static void
add_forward(struct nat_parser *p, enum conf_proto proto)
{
	struct word v = p->l->value, key = p->l->key, port;
	const char *colon = v.len ? memchr(v.s, ':', v.len) : NULL;
	struct conf_forward fw = {.proto = proto};
	struct host_ports host;
	uint16_t more;

	if (!host_ports_parse(&host, key.s, key.len)) {
		NAT_WARN(p, key, "not a port number from 1 to 65535%s: \"%.*s\"; ignored",
			 conf_word_is_wide(key) ? CONF_WIDE_PORTS : "", WORD_ARG(key));
		return;
	}
	port = colon ? word_trim(word_skip(v, (size_t)(colon - v.s) + 1)) : v;
	if (!colon || !word_ip4(word_trim((struct word){v.s, (size_t)(colon - v.s)}), &fw.guest) ||
	    !port_range_parse(&fw.guest_port, &more, port.s, port.len)) {
		NAT_WARN(p, v,
			 "not a guest address and port like 192.168.8.5:80: \"%.*s\"; ignored",
			 WORD_ARG(v));
		return;
	}
	if (more != host.more) {
		NAT_WARN(p, port, CONF_UNEQUAL_RANGES "; ignored", WORD_ARG(key), host.more + 1u,
			 WORD_ARG(port), more + 1u);
		return;
	}
	fw.host = host.host;
	fw.host_port = host.first;
	fw.more = host.more;
	fw.pos = word_pos(p->name, &p->l->line, p->l->key);
	if (!p->f->forward)
		p->f->forward = arena_alloc(p->a, p->forwards_max * sizeof(*p->f->forward));
	if (p->f->forward)
		p->f->forward[p->f->nforwards++] = fw;
}

static void
add_priv_port(struct nat_parser *p, struct nat_privileged *pr)
{
	uint32_t port;

	if (!word_u32(p->l->value, 65535, &port) || port == 0)
		NAT_WARN(p, p->l->value, "not a port number from 1 to 65535: \"%.*s\"; ignored",
			 WORD_ARG(p->l->value));
	else if (pr->nports == NAT_PRIV_PORTS)
		NAT_WARN(p, p->l->value, "more than %d privileged ports; \"%.*s\" is ignored",
			 NAT_PRIV_PORTS, WORD_ARG(p->l->value));
	else
		pr->port[pr->nports++] = (uint16_t)port;
}

/* What a good value means, beyond itself. */
static void
note_value(struct nat_parser *p, const struct nat_row *r)
{
	if (r->off == OFF(udp_timeout_s))
		p->f->udp_timeout_set = true;
	if (r->off == OFF(ip6_enable) && p->f->ip6_enable)
		NAT_WARN(p, p->l->value,
			 "IPv6 is not served yet: guests of the network have IPv4 only");
	if (r->fate)
		diag_notice(p->d, word_pos(p->name, &p->l->line, p->l->key), "\"%s\" %s", r->key,
			    r->fate);
}

static void
parse_pair(struct nat_parser *p)
{
	struct word section = p->l->section, key = p->l->key;

	if (section.len == 0) {
		NAT_WARN(p, key, "\"%.*s\" stands before any [section] and has no effect",
			 WORD_ARG(key));
		return;
	}
	if (word_ieq(section, "incomingtcp") || word_ieq(section, "incomingudp")) {
		add_forward(p, word_ieq(section, "incomingudp") ? CONF_UDP : CONF_TCP);
		return;
	}
	if (word_has_prefix(section, "privileged") && word_ieq(key, "port")) {
		add_priv_port(
		    p, &p->f->priv[word_ieq(section, "privilegedUDP") ? CONF_UDP : CONF_TCP]);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!word_ieq(section, rows[i].section) || !word_ieq(key, rows[i].key))
			continue;
		if (!set_value(p, &rows[i], p->l->value))
			NAT_WARN(p, p->l->value, "\"%s\" cannot be \"%.*s\"; the default is used",
				 rows[i].key, WORD_ARG(p->l->value));
		else
			note_value(p, &rows[i]);
		return;
	}
	unknown_key(p);
}

static void
check_section(struct nat_parser *p)
{
	const char *hint;
	char text[33] = "";

	for (size_t i = 0; sections[i]; i++) {
		if (word_ieq(p->l->section, sections[i]))
			return;
	}
	if (p->l->section.len < sizeof(text))
		memcpy(text, p->l->section.s, p->l->section.len);
	hint = diag_did_you_mean(text, sections);
	NAT_WARN(p, p->l->section, "unknown section \"%.*s\" has no effect%s%s%s",
		 WORD_ARG(p->l->section), hint ? ", did you mean \"" : "", hint ? hint : "",
		 hint ? "\"?" : "");
}

int
conf_forward_cmp(const struct conf_forward *a, const struct conf_forward *b)
{
	if (a->proto != b->proto)
		return a->proto < b->proto ? -1 : 1;
	if (a->host_port != b->host_port)
		return a->host_port < b->host_port ? -1 : 1;
	if (a->more != b->more)
		return a->more < b->more ? -1 : 1;
	return (a->host.h > b->host.h) - (a->host.h < b->host.h);
}

bool
conf_forwards_meet(const struct conf_forward *a, const struct conf_forward *b)
{
	return a->proto == b->proto &&
	       host_ports_meet(conf_forward_ports(a), conf_forward_ports(b));
}

static int
forward_cmp(const void *pa, const void *pb)
{
	const struct conf_forward *a = pa, *b = pb;
	int r = conf_forward_cmp(a, b);

	return r ? r : (a->pos.line > b->pos.line) - (a->pos.line < b->pos.line);
}

/* Sorted, the last line of the same ports kept; name servers without gaps. */
static void
finish(struct nat_file *f)
{
	size_t n = 0, s = 0;

	if (f->nforwards > 1)
		qsort(f->forward, f->nforwards, sizeof(*f->forward), forward_cmp);
	for (size_t i = 0; i < f->nforwards; i++) {
		const struct conf_forward *v = &f->forward[i];

		if (i + 1 < f->nforwards && conf_forward_cmp(&v[0], &v[1]) == 0)
			continue;
		f->forward[n++] = *v;
	}
	f->nforwards = n;
	for (size_t i = 0; i < NAT_NAMESERVERS; i++) {
		if (f->nameserver[i].h)
			f->nameserver[s++] = f->nameserver[i];
	}
	while (s < NAT_NAMESERVERS)
		f->nameserver[s++].h = 0;
}

/* As many as there are lines, of which the shortest is 1=0.0.0.0:1 */
static size_t
forwards_max(const char *text, size_t len)
{
	size_t lines = 1, fit = len / strlen("1=0.0.0.0:1\n") + 1;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n' || text[i] == '\r';
	return lines < fit ? lines : fit;
}

void
natconf_parse(struct nat_file *f, struct arena *a, const char *name, const char *text, size_t len,
	      struct diags *d)
{
	struct nat_parser p = {
	    .f = f, .a = a, .name = name, .d = d, .forwards_max = forwards_max(text, len)};
	struct ini_line l;
	struct ini it;

	natconf_defaults(f);
	ini_init(&it, text, len);
	while (ini_next(&it, &l)) {
		p.l = &l;
		switch (l.kind) {
		case INI_NONE:
			break;
		case INI_SECTION:
			check_section(&p);
			break;
		case INI_PAIR:
			parse_pair(&p);
			break;
		case INI_JUNK:
			NAT_WARN(&p, l.key, "neither [section] nor key = value: \"%.*s\"; ignored",
				 WORD_ARG(l.key));
			break;
		}
	}
	finish(f);
}

/* --- printing --- */

static void
print_row(struct strbuf *out, const struct nat_file *f, const struct nat_row *r)
{
	const void *at = (const char *)f + r->off;
	char text6[INET6_ADDRSTRLEN];

	switch (r->type) {
	case N_BOOL:
		strbuf_addf(out, "%s = %d\n", r->key, *(const bool *)at);
		break;
	case N_NUM:
		if (r->off == OFF(udp_timeout_s) && !f->udp_timeout_set)
			break;
		strbuf_addf(out, "%s = %u\n", r->key, *(const uint32_t *)at);
		break;
	case N_PORT:
		if (*(const uint16_t *)at)
			strbuf_addf(out, "%s = %u\n", r->key, *(const uint16_t *)at);
		break;
	case N_IP:
	case N_IP_LEN:
		if (((const struct ip4 *)at)->h)
			strbuf_addf(out, "%s = %s\n", r->key, IP4_STR(*(const struct ip4 *)at));
		break;
	case N_MASK:
		if (f->ip_len)
			strbuf_addf(out, "%s = %s\n", r->key, IP4_STR(ip4_mask(f->ip_len)));
		break;
	case N_MAC:
		if (!mac_is_zero(f->host_mac))
			strbuf_addf(out, "%s = %s\n", r->key, MAC_STR(f->host_mac));
		break;
	case N_TEXT:
		if (f->device)
			strbuf_addf(out, "%s = %s\n", r->key, f->device);
		break;
	case N_POLICY:
		strbuf_addf(out, "%s = %s\n", r->key, policies[f->dns_policy]);
		break;
	case N_PREFIX6:
		if (f->ip6_prefix_len && inet_ntop(AF_INET6, f->ip6_prefix, text6, sizeof(text6)))
			strbuf_addf(out, "%s = %s/%u\n", r->key, text6, f->ip6_prefix_len);
		break;
	}
}

static void
print_list(struct strbuf *out, const struct nat_file *f, const char *section)
{
	enum conf_proto proto = strcasestr(section, "udp") ? CONF_UDP : CONF_TCP;
	bool incoming = strncmp(section, "incoming", 8) == 0;

	for (size_t i = 0; incoming && i < f->nforwards; i++) {
		const struct conf_forward *v = &f->forward[i];
		char from[HOST_PORTS_LEN], to[PORT_RANGE_LEN];

		if (v->proto == proto)
			strbuf_addf(out, "%s = %s:%s\n",
				    host_ports_str(conf_forward_ports(v), from), IP4_STR(v->guest),
				    port_range_str(v->guest_port, v->more, to));
	}
	for (size_t i = 0; strncmp(section, "priv", 4) == 0 && i < f->priv[proto].nports; i++)
		strbuf_addf(out, "port = %u\n", f->priv[proto].port[i]);
}

void
natconf_print(struct strbuf *out, const struct nat_file *f)
{
	strbuf_add(out, "# VMware NAT configuration file\n");
	for (size_t s = 0; sections[s]; s++) {
		strbuf_addf(out, "\n[%s]\n", sections[s]);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			if (strcmp(rows[i].section, sections[s]) == 0)
				print_row(out, f, &rows[i]);
		}
		print_list(out, f, sections[s]);
	}
}

void
natconf_print_changed(struct strbuf *out, const struct nat_file *f, const char *prefix)
{
	struct nat_file def;
	struct strbuf a, b;

	natconf_defaults(&def);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		strbuf_init(&a);
		strbuf_init(&b);
		print_row(&a, f, &rows[i]);
		print_row(&b, &def, &rows[i]);
		if (a.len && strcmp(strbuf_str(&a), strbuf_str(&b)) != 0)
			strbuf_addf(out, "%s[%s] %s", prefix, rows[i].section, strbuf_str(&a));
		strbuf_fini(&a);
		strbuf_fini(&b);
	}
	for (int p = 0; p < 2; p++) {
		for (size_t i = 0; i < f->priv[p].nports; i++)
			strbuf_addf(out, "%s[privileged%s] port = %u\n", prefix, p ? "UDP" : "TCP",
				    f->priv[p].port[i]);
	}
}
