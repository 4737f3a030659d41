/* SPDX-License-Identifier: GPL-2.0-or-later
 * diff.c - what changes from one model to the next, for a reload that touches nothing else. Pure.
 * Positions are not compared: a comment added above a network is no change of it.
 */
#include <string.h>

#include "conf/conf.h"

static bool
str_eq(const char *a, const char *b)
{
	return !a || !b ? a == b : strcmp(a, b) == 0;
}

static bool
strs_eq(const char *const *a, size_t na, const char *const *b, size_t nb)
{
	if (na != nb)
		return false;
	for (size_t i = 0; i < na; i++) {
		if (strcmp(a[i], b[i]) != 0)
			return false;
	}
	return true;
}

static bool
opts_eq(const struct dhcp_opts *a, const struct dhcp_opts *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct dhcp_opt *x = &a->v[i], *y = &b->v[i];

		if (x->code != y->code || x->len != y->len ||
		    (x->len && memcmp(x->data, y->data, x->len) != 0))
			return false;
	}
	return true;
}

bool
dhcp_scope_eq(const struct dhcp_scope *a, const struct dhcp_scope *b)
{
	return opts_eq(&a->opts, &b->opts) && a->default_lease_s == b->default_lease_s &&
	       a->max_lease_s == b->max_lease_s && a->min_lease_s == b->min_lease_s &&
	       ip4_eq(a->next_server, b->next_server) && str_eq(a->filename, b->filename) &&
	       str_eq(a->server_name, b->server_name) && a->unknown_clients == b->unknown_clients &&
	       a->bootp == b->bootp && a->booting == b->booting &&
	       a->authoritative == b->authoritative && a->ping_check == b->ping_check &&
	       a->ping_timeout_s == b->ping_timeout_s;
}

bool
dhcp_host_eq(const struct dhcp_host *a, const struct dhcp_host *b)
{
	return str_eq(a->name, b->name) && mac_eq(a->mac, b->mac) && ip4_eq(a->ip, b->ip) &&
	       a->static_arp == b->static_arp && dhcp_scope_eq(&a->scope, &b->scope);
}

bool
dhcp_range_eq(const struct dhcp_range *a, const struct dhcp_range *b)
{
	return ip4_eq(a->lo, b->lo) && ip4_eq(a->hi, b->hi) &&
	       a->unknown_clients == b->unknown_clients;
}

static bool
dhcp_eq(const struct conf_dhcp *a, const struct conf_dhcp *b)
{
	if (a->nranges != b->nranges || a->nhosts != b->nhosts)
		return false;
	for (size_t i = 0; i < a->nranges; i++) {
		if (!dhcp_range_eq(&a->range[i], &b->range[i]))
			return false;
	}
	for (size_t i = 0; i < a->nhosts; i++) {
		if (!dhcp_host_eq(&a->host[i], &b->host[i]))
			return false;
	}
	return dhcp_scope_eq(&a->global, &b->global) && dhcp_scope_eq(&a->subnet, &b->subnet) &&
	       a->default_lease_s == b->default_lease_s && a->max_lease_s == b->max_lease_s &&
	       a->min_lease_s == b->min_lease_s && a->unknown_clients == b->unknown_clients &&
	       a->authoritative == b->authoritative && a->ping_check == b->ping_check &&
	       a->ping_timeout_s == b->ping_timeout_s;
}

bool
conf_forward_eq(const struct conf_forward *a, const struct conf_forward *b)
{
	return conf_forward_cmp(a, b) == 0 && ip4_eq(a->guest, b->guest) &&
	       a->guest_port == b->guest_port && a->shadow == b->shadow &&
	       str_eq(a->description, b->description);
}

static bool
forwards_eq(const struct conf_net *a, const struct conf_net *b)
{
	if (a->nforwards != b->nforwards)
		return false;
	for (size_t i = 0; i < a->nforwards; i++) {
		if (!conf_forward_eq(&a->forward[i], &b->forward[i]))
			return false;
	}
	return true;
}

bool
nat_settings_eq(const struct nat_file *a, const struct nat_file *b)
{
	for (int i = 0; i < 2; i++) {
		if (a->priv[i].autodetect != b->priv[i].autodetect ||
		    a->priv[i].nports != b->priv[i].nports ||
		    memcmp(a->priv[i].port, b->priv[i].port,
			   a->priv[i].nports * sizeof(a->priv[i].port[0])) != 0)
			return false;
	}
	for (int i = 0; i < NAT_NAMESERVERS; i++) {
		if (!ip4_eq(a->nameserver[i], b->nameserver[i]))
			return false;
	}
	return a->use_macos_api == b->use_macos_api && ip4_eq(a->ip, b->ip) &&
	       a->ip_len == b->ip_len && ip4_eq(a->last_dhcp, b->last_dhcp) &&
	       mac_eq(a->host_mac, b->host_mac) && a->config_port == b->config_port &&
	       str_eq(a->device, b->device) && a->active_ftp == b->active_ftp &&
	       a->allow_any_oui == b->allow_any_oui && ip4_eq(a->host_ip, b->host_ip) &&
	       a->reset_on_link_down == b->reset_on_link_down &&
	       a->reset_on_dest_localhost == b->reset_on_dest_localhost &&
	       a->ip6_enable == b->ip6_enable && a->ip6_prefix_len == b->ip6_prefix_len &&
	       memcmp(a->ip6_prefix, b->ip6_prefix, 16) == 0 &&
	       a->tcp_time_wait_s == b->tcp_time_wait_s && a->udp_timeout_s == b->udp_timeout_s &&
	       a->udp_timeout_set == b->udp_timeout_set && a->dns_policy == b->dns_policy &&
	       a->dns_timeout_s == b->dns_timeout_s && a->dns_retries == b->dns_retries &&
	       a->dns_autodetect == b->dns_autodetect && a->nbns_timeout_s == b->nbns_timeout_s &&
	       a->nbns_retries == b->nbns_retries && a->nbds_timeout_s == b->nbds_timeout_s;
}

/* The rest of nat.conf tells VMware's daemon which network it is for. A file that we wrote tells it too, and is
 * not another configuration than none. */
static bool
nat_acts_eq(const struct nat_file *a, const struct nat_file *b)
{
	struct nat_file x = *a;

	x.ip = b->ip;
	x.ip_len = b->ip_len;
	x.last_dhcp = b->last_dhcp;
	x.host_mac = b->host_mac;
	x.host_ip = b->host_ip;
	x.device = b->device;
	x.config_port = b->config_port;
	x.udp_timeout_set = b->udp_timeout_set; /* udp_timeout_s is compared */
	if (!x.ip6_enable && !b->ip6_enable) {
		memcpy(x.ip6_prefix, b->ip6_prefix, sizeof(x.ip6_prefix));
		x.ip6_prefix_len = b->ip6_prefix_len;
	}
	return nat_settings_eq(&x, b);
}

static bool
gate_eq(const struct conf_gate *a, const struct conf_gate *b)
{
	return a->promiscuous == b->promiscuous && a->forged == b->forged &&
	       a->mac_learning == b->mac_learning && a->ip_guard == b->ip_guard &&
	       a->flood == b->flood && a->dhcp_leases == b->dhcp_leases &&
	       a->dhcp_rate == b->dhcp_rate;
}

static unsigned
net_fields(const struct conf_net *a, const struct conf_net *b)
{
	unsigned f = 0;

	if (a->failed || b->failed)
		return a->failed != b->failed ? CONF_F_FAILED : 0;
	if (a->type != b->type || a->adapter != b->adapter || a->nat != b->nat ||
	    a->dhcp != b->dhcp)
		f |= CONF_F_TYPE;
	if (!prefix4_eq(a->subnet, b->subnet) || !ip4_eq(a->host, b->host) ||
	    !ip4_eq(a->gateway, b->gateway) || !ip4_eq(a->dhcpd.server, b->dhcpd.server))
		f |= CONF_F_ADDRESS;
	if (a->mtu != b->mtu)
		f |= CONF_F_MTU;
	if (a->auto_uplink != b->auto_uplink ||
	    !strs_eq(a->uplink, a->nuplinks, b->uplink, b->nuplinks))
		f |= CONF_F_UPLINK;
	if (!dhcp_eq(&a->dhcpd, &b->dhcpd))
		f |= CONF_F_DHCP;
	if (!forwards_eq(a, b))
		f |= CONF_F_FORWARDS;
	if (a->udp_timeout_s != b->udp_timeout_s ||
	    memcmp(a->route, b->route, sizeof(a->route)) != 0 || !ip4_eq(a->snat, b->snat) ||
	    a->snat_lo != b->snat_lo || a->snat_hi != b->snat_hi || !str_eq(a->egress, b->egress) ||
	    a->rebind_protection != b->rebind_protection ||
	    !str_eq(a->private_domains, b->private_domains) ||
	    !nat_acts_eq(&a->natconf, &b->natconf))
		f |= CONF_F_NAT;
	if (!str_eq(a->display_name, b->display_name))
		f |= CONF_F_NAME;
	if (!gate_eq(&a->gate, &b->gate))
		f |= CONF_F_GATE;
	return f;
}

static void
diff_net(const struct conf *a, const struct conf *b, unsigned n, struct conf_diff *out)
{
	bool was = a && a->net[n].present, is = b->net[n].present;
	struct conf_diff_net d = {.n = n, .kind = CONF_NET_CHANGED};

	if (was && is)
		d.fields = net_fields(&a->net[n], &b->net[n]);
	else
		d.kind = is ? CONF_NET_ADDED : CONF_NET_REMOVED;
	if (was != is || d.fields)
		out->net[out->nnets++] = d;
}

static bool
port_eq(const struct conf_port *a, const struct conf_port *b)
{
	return str_eq(a->name, b->name) && mac_eq(a->key, b->key) && a->tap == b->tap &&
	       a->net == b->net && str_eq(a->owner, b->owner) && mac_eq(a->mac, b->mac) &&
	       a->queues == b->queues && gate_eq(&a->gate, &b->gate) &&
	       a->mac_policy == b->mac_policy && a->dhcp_server == b->dhcp_server &&
	       a->ra == b->ra && a->link == b->link && a->rate_in_kbit == b->rate_in_kbit &&
	       a->rate_out_kbit == b->rate_out_kbit && str_eq(a->mirror_of, b->mirror_of);
}

static bool
ports_eq(const struct conf *a, const struct conf *b)
{
	if (a->nports != b->nports)
		return false;
	for (size_t i = 0; i < a->nports; i++) {
		if (!port_eq(&a->port[i], &b->port[i]))
			return false;
	}
	return true;
}

static bool
subjects_eq(const struct conf *a, const struct conf *b)
{
	if (a->nsubjects != b->nsubjects)
		return false;
	for (size_t i = 0; i < a->nsubjects; i++) {
		const struct conf_subject *x = &a->subject[i], *y = &b->subject[i];

		if (x->group != y->group || !str_eq(x->name, y->name) ||
		    x->allow_set != y->allow_set || x->change_set != y->change_set ||
		    x->change != y->change || x->capture_set != y->capture_set ||
		    x->capture != y->capture || x->max_ports_set != y->max_ports_set ||
		    x->max_ports != y->max_ports ||
		    memcmp(x->allow, y->allow, sizeof(x->allow)) != 0)
			return false;
	}
	return true;
}

void
conf_diff(const struct conf *a, const struct conf *b, struct conf_diff *out)
{
	*out = (struct conf_diff){0};
	for (unsigned n = 0; n < CONF_NETS; n++)
		diff_net(a, b, n, out);
	out->global = !a || a->forward_others != b->forward_others ||
		      a->hold_ports != b->hold_ports || a->foreign_allow != b->foreign_allow ||
		      a->flowtable != b->flowtable || a->log_level != b->log_level ||
		      !strs_eq(a->exclude, a->nexclude, b->exclude, b->nexclude);
	out->ports = !a || !ports_eq(a, b);
	out->subjects = !a || !subjects_eq(a, b);
}
