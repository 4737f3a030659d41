/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_texts.c - collects the files of redirect.d, and judges what they ask for. Pure.
 */
#include "conf/redirect_texts.h"

#include <stdlib.h>
#include <string.h>

struct redirect_texts *
redirect_texts_new(void)
{
	struct redirect_texts *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->refs = 1;
	arena_init(&t->arena);
	return t;
}

struct redirect_texts *
redirect_texts_ref(struct redirect_texts *t)
{
	t->refs++;
	return t;
}

void
redirect_texts_unref(struct redirect_texts *t)
{
	if (!t || --t->refs > 0)
		return;
	for (size_t i = 0; i < t->nfiles; i++)
		free(t->text[i]);
	free(t->services);
	arena_fini(&t->arena);
	free(t);
}

void
redirect_texts_unread(struct redirect_texts *t, const char *name, const char *why)
{
	struct redirect_unread *more = arena_grow(&t->arena, t->unread, t->nunread, sizeof(*more));

	if (!more)
		return;
	t->unread = more;
	more[t->nunread].name = arena_dup(&t->arena, name, strlen(name));
	more[t->nunread].why = arena_dup(&t->arena, why, strlen(why));
	t->nunread += !t->arena.bad;
}

void
redirect_texts_add(struct redirect_texts *t, const char *name, char *text, size_t len)
{
	struct redirect_file *file;
	char **texts;

	if (len > REDIRECT_TOTAL_MAX - t->total) {
		redirect_texts_unread(t, name, "all files together are longer than 8 MiB");
		free(text);
		return;
	}
	file = arena_grow(&t->arena, t->file, t->nfiles, sizeof(*file));
	if (file)
		t->file = file;
	texts = arena_grow(&t->arena, t->text, t->nfiles, sizeof(*texts));
	if (texts)
		t->text = texts;
	if (!file || !texts) {
		free(text);
		return;
	}
	texts[t->nfiles] = text;
	file[t->nfiles] = (struct redirect_file){
	    .name = arena_dup(&t->arena, name, strlen(name)), .text = text, .len = len};
	if (!file[t->nfiles].name)
		file[t->nfiles].name = "";
	t->nfiles++;
	t->total += len;
}

void
redirect_texts_fail(struct redirect_texts *t, const char *why)
{
	t->failure = arena_dup(&t->arena, why, strlen(why));
}

/* --- what vnet-redird does not do --- */

static void
refuse_domains(struct redirect_service *s, const struct redirect_rules *rules, struct diags *d)
{
	for (size_t i = 0; i < rules->n; i++) {
		if (rules->v[i].kind != REDIRECT_DOMAIN)
			continue;
		diag_error(
		    d, s->pos,
		    "service %s: clients are told apart by address, not by \"%s\": its names "
		    "would be the client's own claim. Give its network (192.0.2.0/24) or the "
		    "names of its hosts",
		    s->id, rules->v[i].name);
		s->bad = true;
		return;
	}
}

static void
refuse_long_banner(struct redirect_service *s, const struct redirect_file *f, struct diags *d)
{
	if (!f || f->len <= REDIRECT_BANNER_LEN)
		return;
	diag_error(d, s->pos, "service %s: the banner %s is longer than %d bytes", s->id, f->name,
		   REDIRECT_BANNER_LEN);
	s->bad = true;
}

static void
judge_log(struct redirect_service *s, struct diags *d)
{
	unsigned words = s->log_success | s->log_failure;

	if ((s->flags & REDIRECT_IDONLY) && (words & REDIRECT_LOG_USERID)) {
		diag_error(d, s->pos,
			   "service %s: clients are not asked for their users, so IDONLY would "
			   "admit nobody; remove it",
			   s->id);
		s->bad = true;
	} else if (words & REDIRECT_LOG_USERID) {
		diag_notice(d, s->pos,
			    "service %s: USERID has no effect: clients are not asked for it",
			    s->id);
	}
}

static void
judge_extensions(struct redirect_service *s, struct diags *d)
{
	if (!s->capture_port || redirect_ip_is4(s->bind.ip) || s->bind.ip.b[0] != 0xfe ||
	    (s->bind.ip.b[1] & 0xc0) != 0x80)
		return;
	/* Two interfaces may have the same one. */
	diag_error(d, s->pos, "service %s: capture_port is not for a link-local address in bind",
		   s->id);
	s->bad = true;
}

static void
judge(struct redirect_service *s, struct diags *d)
{
	if (s->bad || s->disabled)
		return;
	refuse_domains(s, &s->only_from, d);
	refuse_domains(s, &s->no_access, d);
	refuse_long_banner(s, s->banner, d);
	refuse_long_banner(s, s->banner_success, d);
	refuse_long_banner(s, s->banner_fail, d);
	judge_log(s, d);
	judge_extensions(s, d);
}

bool
redirect_texts_parse(struct redirect_texts *t, char *services, const char *folder, struct diags *d)
{
	struct redirect_sources src = {.file = t->file,
				       .nfiles = t->nfiles,
				       .folder = folder,
				       .etc_services = services,
				       .etc_services_len = services ? strlen(services) : 0};

	free(t->services);
	t->services = services;
	if (t->failure)
		diag_error(d, (struct conf_pos){.file = REDIRECT_DIR}, "%s", t->failure);
	for (size_t i = 0; i < t->nunread; i++)
		diag_error(d, (struct conf_pos){.file = t->unread[i].name}, "%s", t->unread[i].why);
	redirect_parse(&t->r, &t->arena, &src, d);
	for (size_t i = 0; i < t->r.n; i++)
		judge(&t->r.v[i], d);
	return !t->arena.bad;
}

bool
redirect_texts_broken(const struct redirect_texts *t, const struct diags *d, const char *file)
{
	if (t->failure)
		return true;
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].severity == DIAG_ERROR && d->v[i].pos.file &&
		    !strcmp(d->v[i].pos.file, file))
			return true;
	return false;
}
