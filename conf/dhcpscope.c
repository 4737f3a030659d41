/* SPDX-License-Identifier: GPL-2.0-or-later
 * dhcpscope.c - sets of DHCP options and what an inner scope takes from an outer one. Pure.
 */
#include "conf/dhcpconf.h"

#include <string.h>

const struct dhcp_opt *
dhcp_opts_find(const struct dhcp_opts *o, uint8_t code)
{
	for (size_t i = 0; i < o->n; i++) {
		if (o->v[i].code == code)
			return &o->v[i];
	}
	return NULL;
}

void
dhcp_scope_set_opt(struct dhcp_scope *s, struct arena *a, const struct dhcp_opt *opt)
{
	struct dhcp_opts *o = &s->opts;
	struct dhcp_opt *v;
	size_t i = 0;

	while (i < o->n && o->v[i].code < opt->code)
		i++;
	if (i < o->n && o->v[i].code == opt->code) {
		o->v[i] = *opt;
		return;
	}
	v = arena_grow(a, o->v, o->n, sizeof(*v));
	if (!v)
		return;
	memmove(v + i + 1, v + i, (o->n - i) * sizeof(*v));
	v[i] = *opt;
	o->v = v;
	o->n++;
}

void
dhcp_scope_inherit(struct dhcp_scope *in, struct arena *a, const struct dhcp_scope *out)
{
	for (size_t i = 0; i < out->opts.n; i++) {
		if (!dhcp_opts_find(&in->opts, out->opts.v[i].code))
			dhcp_scope_set_opt(in, a, &out->opts.v[i]);
	}
	if (in->default_lease_s == 0)
		in->default_lease_s = out->default_lease_s;
	if (in->max_lease_s == 0)
		in->max_lease_s = out->max_lease_s;
	if (in->min_lease_s == 0)
		in->min_lease_s = out->min_lease_s;
	if (in->next_server.h == 0)
		in->next_server = out->next_server;
	if (!in->filename)
		in->filename = out->filename;
	if (!in->server_name)
		in->server_name = out->server_name;
	if (in->unknown_clients == CONF_UNSET)
		in->unknown_clients = out->unknown_clients;
	if (in->bootp == CONF_UNSET)
		in->bootp = out->bootp;
	if (in->booting == CONF_UNSET)
		in->booting = out->booting;
	if (in->authoritative == CONF_UNSET)
		in->authoritative = out->authoritative;
	if (in->ping_check == CONF_UNSET)
		in->ping_check = out->ping_check;
	if (in->ping_timeout_s == 0)
		in->ping_timeout_s = out->ping_timeout_s;
}
