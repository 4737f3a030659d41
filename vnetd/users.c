/* SPDX-License-Identifier: GPL-2.0-or-later
 * users.c - passwd and group files as lists, and names of the configuration resolved by them. Pure.
 */
#include "vnetd/users.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/msg.h"

/* Decimal, digits only, below the number that means "nobody". */
static bool
number(uint32_t *out, const char *s)
{
	unsigned long long v;
	char *end;

	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	v = strtoull(s, &end, 10);
	if (*end || errno || v >= MSG_UID_NONE)
		return false;
	*out = (uint32_t)v;
	return true;
}

/* "name:x:1000:..." cut in place. */
static bool
parse_line(struct user *out, char *line)
{
	char *save, *name, *id;

	/* strtok() would merge empty fields. */
	save = line;
	name = strsep(&save, ":");
	strsep(&save, ":");
	id = save ? strsep(&save, ":") : NULL;
	if (!*name || !id || !number(&out->id, id))
		return false;
	out->name = name;
	return true;
}

static void
list_fini(struct user_list *l)
{
	free(l->text);
	free(l->v);
	memset(l, 0, sizeof(*l));
}

bool
user_list_set(struct user_list *l, char *text)
{
	size_t lines = 1;
	char *rest = text, *line;

	list_fini(l);
	if (!text)
		return true;
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	l->v = calloc(lines, sizeof(*l->v));
	if (!l->v) {
		free(text);
		return false;
	}
	l->text = text;
	while ((line = strsep(&rest, "\n")))
		if (parse_line(&l->v[l->n], line))
			l->n++;
	return true;
}

void
users_fini(struct users *u)
{
	list_fini(&u->user);
	list_fini(&u->group);
}

bool
user_list_find(uint32_t *id, const struct user_list *l, const char *name)
{
	if (number(id, name))
		return true;
	for (size_t i = 0; i < l->n; i++) {
		if (!strcmp(l->v[i].name, name)) {
			*id = l->v[i].id;
			return true;
		}
	}
	return false;
}

const char *
user_list_name(const struct user_list *l, uint32_t id)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].id == id)
			return l->v[i].name;
	return NULL;
}

static void
resolve_port(struct conf_port *p, const struct users *u, struct diags *d)
{
	p->owner_uid = 0;
	if (p->owner && !user_list_find(&p->owner_uid, &u->user, p->owner)) {
		p->owner_uid = MSG_UID_NONE;
		diag_warn(d, p->pos, "there is no user \"%s\": the %s", p->owner,
			  p->tap ? "tap is not made" : "section is nobody's");
	}
}

static void
resolve_subject(struct conf_subject *s, const struct users *u, uint32_t vnet_gid, struct diags *d)
{
	const struct user_list *l = s->group ? &u->group : &u->user;

	if (s->resolved)
		return;
	s->resolved = user_list_find(&s->id, l, s->name);
	/* Group vnet is always there, whatever the file says and wherever it comes from. */
	if (!s->resolved && s->group && !strcmp(s->name, "vnet")) {
		s->id = vnet_gid;
		s->resolved = true;
	}
	if (!s->resolved)
		diag_warn(d, s->pos, "there is no %s \"%s\": the section has no effect",
			  s->group ? "group" : "user", s->name);
}

void
users_resolve(struct conf *c, const struct users *u, uint32_t vnet_gid, struct diags *d)
{
	for (size_t i = 0; i < c->nports; i++)
		resolve_port(&c->port[i], u, d);
	for (size_t i = 0; i < c->nsubjects; i++)
		resolve_subject(&c->subject[i], u, vnet_gid, d);
}
