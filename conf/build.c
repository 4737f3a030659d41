/* SPDX-License-Identifier: GPL-2.0-or-later
 * build.c - all files to one model: conf_build(). Pure apart from the heap.
 */
#include "conf/build.h"

#include <stdlib.h>
#include <string.h>

#include "conf/forward.h"
#include "conf/netmap.h"
#include "conf/text.h"
#include "lib/strbuf.h"

const char *
build_file_name(struct build *b, enum conf_file_id id, unsigned net)
{
	char buf[CONF_FILE_NAME_LEN];
	const char *s;

	/* The three that exist once are literals: no copy for each diagnostic's place. */
	switch (id) {
	case CONF_FILE_NETWORKING:
		return "networking";
	case CONF_FILE_NETMAP:
		return "netmap.conf";
	case CONF_FILE_VNETD:
		return "vnetd.conf";
	case CONF_FILE_DHCPD:
	case CONF_FILE_NAT:
		break;
	}
	conf_file_name(id, net, buf);
	s = arena_dup(&b->c->arena, buf, strlen(buf));
	return s ? s : "";
}

bool
build_has_file(struct build *b, const struct conf_file *f, const char *name)
{
	if (!f->text)
		return false;
	if (f->len <= CONF_FILE_MAX)
		return true;
	diag_error(b->d, ((struct conf_pos){name, 0, 0}), "longer than %u bytes; not read",
		   CONF_FILE_MAX);
	return false;
}

static void
read_networking(struct build *b)
{
	const struct conf_file *f = &b->src->networking;

	b->nw = (struct networking){.default_bridge = NW_DEFAULT_BRIDGE_UNSET};
	b->c->default_conf_needed = !f->text;
	if (!build_has_file(b, f, "networking"))
		return;
	networking_parse(&b->nw, &b->c->arena, "networking", f->text, f->len, b->d);
}

static void
read_vnetd(struct build *b)
{
	const struct conf_file *f = &b->src->vnetd;

	if (build_has_file(b, f, "vnetd.conf"))
		vnetdconf_parse(&b->vf, &b->c->arena, "vnetd.conf", f->text, f->len, b->d);
}

/* Names for tools only; said once, where somebody might wonder. */
static void
read_netmap(struct build *b)
{
	const struct conf_file *f = &b->src->netmap;
	struct netmap m;
	unsigned n;

	if (!build_has_file(b, f, "netmap.conf"))
		return;
	netmap_parse(&m, &b->c->arena, "netmap.conf", f->text, f->len, b->d);
	for (size_t i = 0; i < m.n; i++) {
		if (m.v[i].device && conf_net_parse(&n, m.v[i].device) && !b->c->net[n].present)
			diag_notice(b->d, m.v[i].pos, "\"%s\" names a network that does not exist",
				    m.v[i].device);
	}
}

static void
read_excluded(struct build *b)
{
	for (size_t i = 0; i < b->nw.nbridges; i++) {
		const char **v;

		if (b->nw.bridge[i].n != -1)
			continue;
		v = arena_grow(&b->c->arena, b->c->exclude, b->c->nexclude, sizeof(*v));
		if (!v)
			return;
		b->c->exclude = v;
		v[b->c->nexclude++] = b->nw.bridge[i].ifname;
	}
}

/* A network with an error of its own is refused, with the first as reason. */
static void
set_failed(struct build *b)
{
	for (unsigned n = 0; n < CONF_NETS; n++) {
		struct conf_net *net = &b->c->net[n];
		const struct diag *first;
		struct strbuf text;

		if (!net->present || !diags_failed(b->d, (int)n))
			continue;
		strbuf_init(&text);
		first = diags_first_error(b->d, (int)n);
		if (first)
			diag_print(&text, first);
		net->failed = true;
		net->reason = arena_dup(&b->c->arena, strbuf_str(&text), text.len);
		if (!net->reason || !first)
			net->reason = "too many mistakes to list";
		strbuf_fini(&text);
	}
}

static void
build_all(struct build *b)
{
	b->d->net = -1;
	read_networking(b);
	read_vnetd(b);
	if (b->nw.version_ok) {
		for (unsigned n = 0; n < CONF_NETS; n++)
			build_net(b, n);
		for (unsigned n = 0; n < CONF_NETS; n++) {
			if (!b->c->net[n].present)
				continue;
			build_nat(b, &b->c->net[n]);
			build_dhcp(b, &b->c->net[n]);
		}
		check_all(b);
	}
	b->d->net = -1;
	read_excluded(b);
	build_local(b);
	read_netmap(b);
	set_failed(b);
	b->c->fatal = diags_failed(b->d, -1);
}

struct conf *
conf_build(const struct conf_sources *src, struct diags *d)
{
	struct build b = {.src = src};
	struct diags own;

	b.c = calloc(1, sizeof(*b.c));
	if (!b.c)
		return NULL;
	arena_init(&b.c->arena);
	/* Its own list: which networks failed must not depend on what d held before. */
	diags_init(&own);
	b.d = &own;
	build_all(&b);
	diags_append(d, &own);
	if (b.c->arena.bad || own.arena.bad) {
		conf_free(b.c);
		b.c = NULL;
	}
	diags_fini(&own);
	return b.c;
}

void
conf_free(struct conf *c)
{
	if (!c)
		return;
	for (unsigned n = 0; n < CONF_NETS; n++)
		conf_forwards_free(&c->net[n]);
	arena_fini(&c->arena);
	free(c);
}
