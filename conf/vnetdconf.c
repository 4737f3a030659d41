/* SPDX-License-Identifier: GPL-2.0-or-later
 * vnetdconf.c - vnetd.conf: sections and keys by schema.h's table; read, printed, edited. Pure.
 */
#include "conf/vnetdconf.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "conf/ini.h"
#include "lib/strbuf.h"

struct vp {
	struct vnetd_file *f;
	struct arena *a;
	const char *name;
	struct diags *d;
	const struct ini_line *l;
	struct vnetd_section *s; /* where keys go; NULL: before any, or behind a bad header */
	bool bad_header;
};

#define VP_ERROR(p, w, ...) diag_error((p)->d, word_pos((p)->name, &(p)->l->line, (w)), __VA_ARGS__)

static const char *const kinds[] = {
    [SCHEMA_GLOBAL] = "global", [SCHEMA_NET] = "vmnet",   [SCHEMA_PORT] = "port",
    [SCHEMA_USER] = "user",     [SCHEMA_GROUP] = "group",
};

/* --- headers --- */

static void
unknown_section(struct vp *p, struct word w)
{
	static const char *const words[] = {"global", "port", "user", "group", NULL};
	const char *hint;
	char text[33] = "";

	if (w.len < sizeof(text) && w.len)
		memcpy(text, w.s, w.len);
	hint = diag_did_you_mean(text, words);
	VP_ERROR(p, w,
		 "unknown section \"%.*s\"; there are [global], [vmnetN], [port NAME], [user NAME] "
		 "and [group NAME]%s%s%s",
		 WORD_ARG(w), hint ? ", did you mean \"" : "", hint ? hint : "", hint ? "\"?" : "");
}

/* What follows the number of a name that vnetd gives its own links, vmnetN and vmnetNpM; NULL for
 * all other names. */
static const char *
behind_net(const char *s)
{
	size_t digits = strncmp(s, "vmnet", 5) == 0 ? strspn(s + 5, "0123456789") : 0;

	return digits ? s + 5 + digits : NULL;
}

bool
vnetd_is_own_port(const char *name)
{
	const char *s = behind_net(name);

	return s && *s == 'p' && s[1] && strspn(s + 1, "0123456789") == strlen(s + 1);
}

static bool
port_name(struct vp *p, struct vnetd_section *s, struct word w)
{
	const char *rest;

	if (word_mac(w, &s->mac)) {
		if (!conf_mac_ok(s->mac)) {
			VP_ERROR(p, w, "\"%.*s\" cannot be a guest's address", WORD_ARG(w));
			return false;
		}
		s->is_mac = true;
		s->name = arena_printf(p->a, "%s", MAC_STR(s->mac));
		return true;
	}
	if (!word_is_port_name(w)) {
		VP_ERROR(p, w,
			 "not the name of a port or an interface, nor a MAC address: \"%.*s\"",
			 WORD_ARG(w));
		return false;
	}
	s->name = word_dup(p->a, w);
	rest = s->name ? behind_net(s->name) : NULL;
	if (rest && !*rest) {
		VP_ERROR(p, w, "\"%s\" is the name of a network, not of a port; choose another",
			 s->name);
		return false;
	}
	return s->name;
}

static bool
parse_header(struct vp *p, struct vnetd_section *s)
{
	struct word rest = p->l->section, kind, name, more;
	const char *word;
	bool has_name;

	word_next(&rest, &kind);
	has_name = word_next(&rest, &name);
	if (word_next(&rest, &more)) {
		VP_ERROR(p, more, "\"%.*s\" is too much in a section header", WORD_ARG(more));
		return false;
	}
	if (word_ieq(kind, "port") || word_ieq(kind, "user") || word_ieq(kind, "group")) {
		s->kind = word_ieq(kind, "port")   ? SCHEMA_PORT
			  : word_ieq(kind, "user") ? SCHEMA_USER
						   : SCHEMA_GROUP;
		if (!has_name) {
			VP_ERROR(p, kind, "[%s] needs a name: [%s NAME]", kinds[s->kind],
				 kinds[s->kind]);
			return false;
		}
		if (s->kind == SCHEMA_PORT)
			return port_name(p, s, name);
		s->name = word_dup(p->a, name);
		return true;
	}
	if (word_ieq(kind, "global") && !has_name)
		return true;
	s->kind = SCHEMA_NET;
	word = has_name ? NULL : word_dup(p->a, kind);
	if (word && conf_net_parse(&s->net, word))
		return true;
	unknown_section(p, p->l->section);
	return false;
}

static bool
same_section(const struct vnetd_section *a, const struct vnetd_section *b)
{
	if (a->kind != b->kind || a->net != b->net || a->is_mac != b->is_mac)
		return false;
	return !a->name || !b->name ? a->name == b->name : strcmp(a->name, b->name) == 0;
}

static void
open_section(struct vp *p)
{
	struct vnetd_section s = {.pos = word_pos(p->name, &p->l->line, p->l->section)}, *v;

	p->s = NULL;
	p->bad_header = !parse_header(p, &s);
	if (p->bad_header)
		return;
	for (size_t i = 0; i < p->f->nsections; i++) {
		if (same_section(&p->f->section[i], &s)) {
			p->s = &p->f->section[i];
			return;
		}
	}
	v = arena_grow(p->a, p->f->section, p->f->nsections, sizeof(*v));
	if (!v)
		return;
	p->f->section = v;
	p->s = &v[p->f->nsections++];
	*p->s = s;
}

/* --- keys --- */

bool
vnetd_is_tap_key(const char *key)
{
	static const char *const keys[] = {"tap", "network", "queues"};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strcmp(keys[i], key) == 0)
			return true;
	}
	return false;
}

/* A row whose value VMware's files hold: say where it belongs. */
static void
foreign_key(struct vp *p, const struct schema_row *row)
{
	char file[CONF_FILE_NAME_LEN];

	VP_ERROR(p, p->l->key, "\"%s\" belongs to %s: vnetctl set vmnet%u %s %.*s", row->key,
		 conf_file_name(row->file, p->s->net, file), p->s->net, row->key,
		 WORD_ARG(p->l->value));
}

static const struct schema_row *
find_row(struct vp *p)
{
	const struct schema_row *row;
	struct word w = p->l->key;
	const char *hint, *key = word_dup(p->a, w);

	if (!key)
		return NULL;
	row = schema_find(p->s->kind, key);
	if (!row) {
		hint = schema_did_you_mean(p->s->kind, key);
		VP_ERROR(p, w, "unknown key \"%.*s\" in [%s]%s%s%s", WORD_ARG(w),
			 schema_section_str(p->s->kind), hint ? ", did you mean \"" : "",
			 hint ? hint : "", hint ? "\"?" : "");
		return NULL;
	}
	if (row->file != CONF_FILE_VNETD) {
		foreign_key(p, row);
		return NULL;
	}
	if (p->s->is_mac && vnetd_is_tap_key(row->key)) {
		VP_ERROR(p, w, "\"%s\" needs a port with a name, not with a MAC address", row->key);
		return NULL;
	}
	return row;
}

static void
parse_pair(struct vp *p)
{
	const struct vnetd_item *old;
	const struct schema_row *row;
	struct vnetd_item item = {0}, *v;
	const char *text;

	if (!p->s) {
		if (!p->bad_header)
			VP_ERROR(p, p->l->key, "\"%.*s\" stands before any [section]",
				 WORD_ARG(p->l->key));
		return;
	}
	row = find_row(p);
	text = row ? word_dup(p->a, p->l->value) : NULL;
	if (!text)
		return;
	item.row = row;
	item.pos = word_pos(p->name, &p->l->line, p->l->key);
	old = vnetd_item_find(p->s, row->key);
	if (old) {
		VP_ERROR(p, p->l->key, "\"%s\" is set twice, first in line %u", row->key,
			 old->pos.line);
		return;
	}
	if (!schema_parse(&item.value, p->a, row, text, word_pos(p->name, &p->l->line, p->l->value),
			  p->d))
		return;
	v = arena_grow(p->a, p->s->item, p->s->nitems, sizeof(*v));
	if (!v)
		return;
	p->s->item = v;
	v[p->s->nitems++] = item;
}

void
vnetdconf_parse(struct vnetd_file *f, struct arena *a, const char *name, const char *text,
		size_t len, struct diags *d)
{
	struct vp p = {.f = f, .a = a, .name = name, .d = d};
	struct ini_line l;
	struct ini it;

	*f = (struct vnetd_file){0};
	ini_init(&it, text, len);
	while (ini_next(&it, &l)) {
		p.l = &l;
		switch (l.kind) {
		case INI_NONE:
			break;
		case INI_SECTION:
			open_section(&p);
			break;
		case INI_PAIR:
			parse_pair(&p);
			break;
		case INI_JUNK:
			VP_ERROR(&p, l.key, "neither [section] nor key = value: \"%.*s\"",
				 WORD_ARG(l.key));
			break;
		}
	}
}

const struct vnetd_item *
vnetd_item_find(const struct vnetd_section *s, const char *key)
{
	for (size_t i = 0; i < s->nitems; i++) {
		if (strcmp(s->item[i].row->key, key) == 0)
			return &s->item[i];
	}
	return NULL;
}

/* --- text --- */

static void
print_header(struct strbuf *out, const struct vnetd_section *s)
{
	if (s->kind == SCHEMA_NET)
		strbuf_addf(out, "[vmnet%u]\n", s->net);
	else if (s->name)
		strbuf_addf(out, "[%s %s]\n", kinds[s->kind], s->name);
	else
		strbuf_addf(out, "[%s]\n", kinds[s->kind]);
}

void
vnetdconf_print(struct strbuf *out, const struct vnetd_file *f)
{
	for (size_t i = 0; i < f->nsections; i++) {
		const struct vnetd_section *s = &f->section[i];

		if (i)
			strbuf_addc(out, '\n');
		print_header(out, s);
		for (size_t k = 0; k < s->nitems; k++)
			strbuf_addf(out, "%s = %s\n", s->item[k].row->key, s->item[k].value.text);
	}
}

void
vnetdconf_set(struct strbuf *out, const char *text, size_t len, const char *section,
	      const char *key, const char *value)
{
	ini_set(out, text, len, section, key, value, true);
}

void
vnetdconf_remove_section(struct strbuf *out, const char *text, size_t len, const char *section)
{
	ini_remove_section(out, text, len, section);
}

static void
gen_section(struct strbuf *out, enum schema_section s)
{
	static const char *const examples[] = {
	    [SCHEMA_GLOBAL] = "global",   [SCHEMA_NET] = "vmnet2",       [SCHEMA_PORT] = "port fc0",
	    [SCHEMA_USER] = "user alice", [SCHEMA_GROUP] = "group vnet",
	};

	strbuf_addf(out, "\n#[%s]\n", examples[s]);
	for (size_t i = 0; i < schema_rows; i++) {
		const struct schema_row *r = &schema_table[i];
		bool derived = r->def[0] == '(' || strchr(r->def, ' ');

		if (r->section != s || r->file != CONF_FILE_VNETD)
			continue;
		strbuf_addf(out, "#\n# %s: ", r->key);
		schema_type_print(out, r);
		strbuf_addf(out, "; default %s; change: %s\n", r->def,
			    schema_effect_str(r->effect));
		strbuf_addf(out, "#   %s.\n#   Why: %s.\n", r->help, r->why);
		strbuf_addf(out, "#%s = %s\n", r->key, derived ? r->example : r->def);
	}
}

void
vnetdconf_gen_file(struct strbuf *out)
{
	strbuf_add(out,
		   "# vnetd.conf - settings of vnetd that VMware's files have no place for.\n"
		   "# Written by vnetd as all comments; edit freely, vnetd keeps what it does not\n"
		   "# change. Then: vnetctl check && vnetctl reload. Manual: vnetd.conf(5).\n"
		   "#\n"
		   "# Networks, port forwards and reservations are in \"networking\" beside this\n"
		   "# file: vnetctl create, set, forward, reserve.\n");
	for (enum schema_section s = SCHEMA_GLOBAL; s <= SCHEMA_GROUP; s++)
		gen_section(out, s);
}
