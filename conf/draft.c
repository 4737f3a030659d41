/* SPDX-License-Identifier: GPL-2.0-or-later
 * draft.c - collecting the new texts of a change, and judging the whole before it leaves. Pure.
 */
#include "conf/draft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/build.h"
#include "conf/netmap.h"

void
conf_changes_init(struct conf_changes *ch)
{
	*ch = (struct conf_changes){0};
}

void
conf_changes_fini(struct conf_changes *ch)
{
	for (size_t i = 0; i < ch->n; i++)
		free(ch->v[i].text);
	free(ch->v);
	conf_changes_init(ch);
}

static struct conf_file *
file_of(struct conf_sources *s, enum conf_file_id id, unsigned net)
{
	switch (id) {
	case CONF_FILE_NETWORKING:
		return &s->networking;
	case CONF_FILE_NETMAP:
		return &s->netmap;
	case CONF_FILE_VNETD:
		return &s->vnetd;
	case CONF_FILE_DHCPD:
		return &s->dhcpd[net];
	case CONF_FILE_NAT:
		return &s->nat[net];
	}
	return NULL;
}

void
conf_changes_apply(struct conf_sources *src, const struct conf_changes *ch)
{
	for (size_t i = 0; i < ch->n; i++) {
		struct conf_file *f = file_of(src, ch->v[i].file, ch->v[i].net);

		*f = (struct conf_file){ch->v[i].text, ch->v[i].len};
	}
}

const struct conf_file *
draft_file(const struct draft *t, enum conf_file_id id, unsigned net)
{
	return file_of((struct conf_sources *)&t->now, id, net);
}

/* The entry of a file; a new one stands in front of `networking`, which is written last. */
static struct conf_change *
entry_of(struct conf_changes *ch, enum conf_file_id id, unsigned net)
{
	struct conf_change *v;
	size_t at;

	for (size_t i = 0; i < ch->n; i++) {
		if (ch->v[i].file == id && ch->v[i].net == net)
			return &ch->v[i];
	}
	v = realloc(ch->v, (ch->n + 1) * sizeof(*v));
	if (!v) {
		ch->bad = true;
		return NULL;
	}
	ch->v = v;
	at = ch->n++;
	if (at > 0 && v[at - 1].file == CONF_FILE_NETWORKING) {
		v[at] = v[at - 1];
		at--;
	}
	v[at] = (struct conf_change){.file = id, .net = net};
	return &v[at];
}

static void
set_text(struct draft *t, enum conf_file_id id, unsigned net, char *text, size_t len)
{
	struct conf_change *c = entry_of(t->ch, id, net);

	if (!c) {
		free(text);
		return;
	}
	/* The old text may still be what `now` points at: replace both together. */
	free(c->text);
	c->text = text;
	c->len = len;
	*file_of(&t->now, id, net) = (struct conf_file){text, len};
}

void
draft_put(struct draft *t, enum conf_file_id id, unsigned net, struct strbuf *b)
{
	size_t len = b->len;
	char *text = strbuf_take(b);

	if (!text) {
		t->ch->bad = true;
		return;
	}
	set_text(t, id, net, text, len);
}

void
draft_remove(struct draft *t, enum conf_file_id id, unsigned net)
{
	if (draft_file(t, id, net)->text)
		set_text(t, id, net, NULL, 0);
}

/* Entries whose text is what the file has already would only wear the disk. */
static void
drop_unchanged(struct draft *t)
{
	struct conf_changes *ch = t->ch;
	size_t n = 0;

	for (size_t i = 0; i < ch->n; i++) {
		struct conf_change *c = &ch->v[i];
		const struct conf_file *f = file_of((struct conf_sources *)t->src, c->file, c->net);

		if (c->text && f->text && c->len == f->len && memcmp(c->text, f->text, c->len) == 0)
			free(c->text);
		else
			ch->v[n++] = *c;
	}
	ch->n = n;
}

bool
draft_init(struct draft *t, struct conf_changes *ch, const struct conf_sources *src,
	   struct diags *d)
{
	*t = (struct draft){.ch = ch, .src = src, .now = *src, .d = d};
	diags_init(&t->old_diags);
	t->old = conf_build(src, &t->old_diags);
	if (!t->old)
		ch->bad = true;
	return t->old;
}

static bool
was_there(const struct diags *old, const struct diag *x)
{
	for (size_t i = 0; i < old->n; i++) {
		if (old->v[i].net == x->net && strcmp(old->v[i].text, x->text) == 0)
			return true;
	}
	return false;
}

/* A warning is "fact; what is done about it". For a change that is refused only the fact is
 * true. */
static int
fact_len(const char *text)
{
	const char *semicolon = strrchr(text, ';');

	return (int)(semicolon ? (size_t)(semicolon - text) : strlen(text));
}

/* Takes over what is new among the complaints: when the change is refused what forbids it, else the
 * warnings. Without places: they would point into texts that nobody has seen. */
static bool
new_complaints(struct draft *t, const struct diags *now, bool strict)
{
	enum diag_severity least = strict ? DIAG_WARNING : DIAG_ERROR;
	bool bad = false;

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < now->n; i++) {
			const struct diag *x = &now->v[i];
			bool forbids = x->severity >= least;

			if (x->severity == DIAG_NOTICE || was_there(&t->old_diags, x))
				continue;
			if (pass == 0) {
				bad |= forbids;
				continue;
			}
			if (bad && !forbids)
				continue;
			t->d->net = x->net;
			diag_add(t->d, bad ? DIAG_ERROR : x->severity, (struct conf_pos){0}, "%.*s",
				 bad && x->severity == DIAG_WARNING ? fact_len(x->text)
								    : (int)strlen(x->text),
				 x->text);
		}
	}
	t->d->net = -1;
	return bad;
}

bool
draft_finish(struct draft *t, bool ok, bool strict, const struct conf_env *env)
{
	struct diags now;
	struct conf *c = NULL;

	diags_init(&now);
	if (ok && !t->ch->bad) {
		c = conf_build(&t->now, &now);
		ok = c && !new_complaints(t, &now, strict);
		t->ch->bad |= !c;
	}
	if (ok && c && !c->fatal)
		draft_refresh(t, c, env);
	if (ok)
		drop_unchanged(t);
	ok = ok && !t->ch->bad;
	if (!ok) {
		bool bad = t->ch->bad;

		conf_changes_fini(t->ch);
		t->ch->bad = bad;
	}
	conf_free(c);
	diags_fini(&now);
	conf_free(t->old);
	diags_fini(&t->old_diags);
	return ok;
}

/* --- what is derived from `networking` --- */

void
draft_netmap_name(unsigned n, char buf[16])
{
	if (n == 0 || n == 1 || n == 8)
		snprintf(buf, 16, "%s", n == 0 ? "Bridged" : n == 1 ? "HostOnly" : "NAT");
	else
		snprintf(buf, 16, "VMNet%u", n);
}

/* Packer asks netmap.conf before `networking`: where it exists it must name the same networks. */
static void
refresh_netmap(struct draft *t, const struct conf *c)
{
	const struct conf_file *f = draft_file(t, CONF_FILE_NETMAP, 0);
	struct netmap m;
	struct arena a;
	struct diags quiet;

	if (!f->text)
		return;
	arena_init(&a);
	diags_init(&quiet);
	netmap_parse(&m, &a, "", f->text, f->len, &quiet);
	for (unsigned n = 0; n < CONF_NETS; n++) {
		char device[16], name[16];
		bool known;

		snprintf(device, sizeof(device), "vmnet%u", n);
		draft_netmap_name(n, name);
		known = netmap_find(&m, device);
		if (known != c->net[n].present)
			DRAFT_EDIT(t, CONF_FILE_NETMAP, 0, netmap_set, n, known ? NULL : name);
	}
	t->ch->bad |= a.bad;
	diags_fini(&quiet);
	arena_fini(&a);
}

/* VMware's fingerprint of the section cannot be computed: what it covers is not public. A wrong one
 * would make VMware take our section for a hand edit, while all of its readers do without one. So
 * it is never written, and goes when the section is generated. */
static void
drop_hash(struct draft *t, unsigned n)
{
	const struct conf_file *f = draft_file(t, CONF_FILE_NETWORKING, 0);

	if (f->text && memmem(f->text, f->len, "DHCP_CFG_HASH", strlen("DHCP_CFG_HASH")))
		DRAFT_EDIT(t, CONF_FILE_NETWORKING, 0, networking_set_answer, n, "DHCP_CFG_HASH",
			   NULL);
}

void
draft_regen_dhcpd(struct draft *t, const struct conf_net *net, const uint32_t *default_lease_s,
		  const uint32_t *max_lease_s, const struct conf_env *env)
{
	const struct conf_file *f = draft_file(t, CONF_FILE_DHCPD, net->n);
	struct dhcp_gen g;
	struct strbuf b;
	struct arena a;

	arena_init(&a);
	strbuf_init(&b);
	build_dhcp_gen(&g, net, f, &a);
	if (default_lease_s)
		g.default_lease_s = *default_lease_s;
	if (max_lease_s)
		g.max_lease_s = *max_lease_s;
	if (env) {
		memcpy(g.written_at, env->written_at, sizeof(g.written_at));
		g.written_at[sizeof(g.written_at) - 1] = '\0';
	}
	if (f->text)
		dhcpconf_splice(&b, f->text, f->len, &g);
	else
		dhcpconf_gen_file(&b, &g);
	draft_put(t, CONF_FILE_DHCPD, net->n, &b);
	drop_hash(t, net->n);
	t->ch->bad |= a.bad;
	arena_fini(&a);
}

static void
refresh_nat(struct draft *t, const struct conf_net *net)
{
	const struct conf_file *f = draft_file(t, CONF_FILE_NAT, net->n);
	struct nat_gen g = {.net = net->n,
			    .subnet = net->subnet,
			    .gateway = net->gateway,
			    .host = net->host,
			    .udp_timeout_s = net->udp_timeout_s};
	struct strbuf b;

	if (!f->text) {
		strbuf_init(&b);
		natconf_gen_file(&b, &g);
		draft_put(t, CONF_FILE_NAT, net->n, &b);
		return;
	}
	DRAFT_EDIT(t, CONF_FILE_NAT, net->n, natconf_set, "host", "ip", IP4_STR(net->gateway));
	DRAFT_EDIT(t, CONF_FILE_NAT, net->n, natconf_set, "host", "netmask",
		   IP4_STR(ip4_mask(net->subnet.len)));
	if (net->adapter && net->natconf.host_ip.h)
		DRAFT_EDIT(t, CONF_FILE_NAT, net->n, natconf_set, "host", "hostIp",
			   IP4_STR(net->host));
}

void
draft_refresh(struct draft *t, const struct conf *c, const struct conf_env *env)
{
	for (unsigned n = 0; n < CONF_NETS; n++) {
		const struct conf_net *net = &c->net[n];

		if (!net->present || net->failed || net->subnet.len == 0)
			continue;
		if (net->dhcpd_stale)
			draft_regen_dhcpd(t, net, NULL, NULL, env);
		if (net->nat_stale)
			refresh_nat(t, net);
	}
	refresh_netmap(t, c);
}

bool
conf_refresh(struct conf_changes *ch, const struct conf_sources *src, const struct conf *c,
	     const struct conf_env *env)
{
	struct draft t = {.ch = ch, .src = src, .now = *src};

	if (c->fatal || c->default_conf_needed)
		return true;
	draft_refresh(&t, c, env);
	drop_unchanged(&t);
	return !ch->bad;
}
