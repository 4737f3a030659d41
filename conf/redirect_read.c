/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_read.c - the files of redirect.d and what they include -> sections with their lines.
 * Pure: files are found among those handed in; what the lines mean is not known here.
 */
#include "conf/redirect_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"

enum state {
	UNREAD,
	READING,
	READ,
};

struct reader {
	struct redirect_sections *s;
	struct arena *a;
	const struct redirect_sources *src;
	struct diags *d;
	const struct redirect_file **sorted; /* by name */
	enum state *state;                   /* of sorted[] */
	unsigned depth;
};

/* One file being read. */
struct scan {
	struct reader *r;
	const char *file;
	struct redirect_section *open; /* the section that lines go to; NULL: outside */
	struct redirect_section dropped;
	bool braced; /* its brace was seen */
};

static void read_file(struct reader *r, size_t i);

static struct conf_pos
pos_of(const struct scan *c, const struct redirect_line *l, struct word w)
{
	return word_pos(c->file, &l->line, w);
}

/* --- names of files --- */

static const char *
folder_of(const struct redirect_sources *src)
{
	return src->folder ? src->folder : "/etc/vnet";
}

/* The path below the configuration folder, without "./" and doubled slashes; false with *why when
 * it leads elsewhere. */
static bool
inner_path(const struct redirect_sources *src, struct word path, struct strbuf *out,
	   const char **why)
{
	const char *folder = folder_of(src);
	size_t n = strlen(folder);

	if (path.len > n && memcmp(path.s, folder, n) == 0 && path.s[n] == '/') {
		path = word_skip(path, n);
	} else if (path.len && path.s[0] == '/') {
		*why = "is not below the configuration folder";
		return false;
	}
	while (path.len) {
		const char *slash = memchr(path.s, '/', path.len);
		struct word part = {path.s, slash ? (size_t)(slash - path.s) : path.len};

		path = word_skip(path, part.len + 1);
		if (part.len == 0 || word_eq(part, "."))
			continue;
		if (word_eq(part, "..")) {
			*why = "leads upwards";
			return false;
		}
		if (out->len)
			strbuf_addc(out, '/');
		strbuf_addn(out, part.s, part.len);
	}
	*why = "is not below " REDIRECT_DIR " in the configuration folder";
	return out->len > 0;
}

const struct redirect_file *
redirect_resolve(const struct redirect_sources *src, struct word path, const char **why)
{
	const struct redirect_file *found = NULL;
	struct strbuf b;

	strbuf_init(&b);
	if (inner_path(src, path, &b, why)) {
		const char *s = strbuf_str(&b);

		for (size_t i = 0; i < src->nfiles && !found; i++) {
			const char *name = src->file[i].name;

			if (strcmp(name, s) == 0 ||
			    (strncmp(name, REDIRECT_DIR "/", sizeof(REDIRECT_DIR)) == 0 &&
			     strcmp(name + sizeof(REDIRECT_DIR), s) == 0))
				found = &src->file[i];
		}
	}
	strbuf_fini(&b);
	return found;
}

/* Files that includedir reads: xinetd's rule. */
static bool
plain_name(const char *base)
{
	size_t n = strlen(base);

	return n && !strchr(base, '.') && base[n - 1] != '~';
}

static bool
ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && strcmp(s + n - m, end) == 0;
}

/* The last part of a name that lies directly in the folder of `n` bytes, else NULL. */
static const char *
base_in(const char *name, const char *folder, size_t n)
{
	if (strncmp(name, folder, n) != 0 || name[n] != '/' || strchr(name + n + 1, '/'))
		return NULL;
	return name + n + 1;
}

/* --- include --- */

static bool
take_path(struct scan *c, const struct redirect_line *l, struct word *path)
{
	struct word rest = l->rest, more;

	if (!word_next(&rest, path)) {
		diag_error(c->r->d, pos_of(c, l, l->first), "\"%.*s\" needs the name of a %s",
			   WORD_ARG(l->first), word_ieq(l->first, "include") ? "file" : "folder");
		return false;
	}
	if (word_next(&rest, &more)) {
		diag_error(c->r->d, pos_of(c, l, more), "\"%.*s\" is too much behind %.*s",
			   WORD_ARG(more), WORD_ARG(l->first));
		return false;
	}
	return true;
}

static void
include(struct scan *c, const struct redirect_line *l)
{
	const struct redirect_file *f;
	struct reader *r = c->r;
	const char *why = NULL;
	struct word path;
	size_t i = 0;

	if (!take_path(c, l, &path))
		return;
	f = redirect_resolve(r->src, path, &why);
	if (!f) {
		diag_error(
		    r->d, pos_of(c, l, path),
		    "\"%.*s\" is not read: it %s, or there is no such file; put it below %s/%s",
		    WORD_ARG(path), why, folder_of(r->src), REDIRECT_DIR);
		return;
	}
	while (r->sorted[i] != f)
		i++;
	if (r->state[i] == READING)
		diag_error(r->d, pos_of(c, l, path), "\"%s\" includes itself", f->name);
	else if (r->state[i] == READ)
		diag_notice(r->d, pos_of(c, l, path), "\"%s\" was read already", f->name);
	else if (r->depth >= REDIRECT_INCLUDE_DEPTH)
		diag_error(r->d, pos_of(c, l, path),
			   "\"%s\" is not read: more than %d includes deep", f->name,
			   REDIRECT_INCLUDE_DEPTH);
	else
		read_file(r, i);
}

/* Reads what lies in the folder; false: nothing does. */
static bool
include_folder(struct reader *r, const char *folder, size_t n)
{
	bool found = false;

	for (size_t i = 0; i < r->src->nfiles; i++) {
		const char *base = base_in(r->sorted[i]->name, folder, n);

		if (!base)
			continue;
		found = true;
		if (plain_name(base) && r->state[i] == UNREAD && r->depth < REDIRECT_INCLUDE_DEPTH)
			read_file(r, i);
	}
	return found;
}

static void
includedir(struct scan *c, const struct redirect_line *l)
{
	struct strbuf inner, below;
	const char *why = NULL;
	struct word path;
	bool ok;

	if (!take_path(c, l, &path))
		return;
	strbuf_init(&inner);
	strbuf_init(&below);
	ok = inner_path(c->r->src, path, &inner, &why);
	if (ok) {
		strbuf_addf(&below, "%s/%s", REDIRECT_DIR, strbuf_str(&inner));
		ok = include_folder(c->r, strbuf_str(&inner), inner.len) ||
		     include_folder(c->r, strbuf_str(&below), below.len);
	}
	if (!ok)
		diag_error(
		    c->r->d, pos_of(c, l, path),
		    "\"%.*s\" is not read: it %s, or there is no file in it; put it below %s/%s",
		    WORD_ARG(path), why, folder_of(c->r->src), REDIRECT_DIR);
	strbuf_fini(&inner);
	strbuf_fini(&below);
}

/* --- sections --- */

/* How messages call the section. */
static const char *
section_str(const struct scan *c, char buf[static 80])
{
	if (c->open == &c->dropped)
		return "the section";
	if (c->open == &c->r->s->defaults)
		return "defaults";
	snprintf(buf, 80, "service %.*s", WORD_ARG(c->open->name.w));
	return buf;
}

/* A place for a section that is not kept, so that its lines are still seen as such. */
static struct redirect_section *
drop(struct scan *c, struct redirect_word name)
{
	c->dropped = (struct redirect_section){.name = name, .bad = true};
	return &c->dropped;
}

static void
begin_service(struct scan *c, const struct redirect_line *l)
{
	struct redirect_sections *s = c->r->s;
	struct redirect_section *v;
	struct word rest = l->rest, name, more;
	struct redirect_word where;
	bool ok = true;

	if (!word_next(&rest, &name)) {
		diag_error(c->r->d, pos_of(c, l, l->first), "\"service\" needs a name");
		name = l->first;
		ok = false;
	} else if (name.s[0] == '#') {
		/* No "id" could say it: a value that begins so is taken for a comment. */
		diag_error(c->r->d, pos_of(c, l, name),
			   "\"%.*s\" is no name: it begins with \"#\", and a comment has a line of "
			   "its own",
			   WORD_ARG(name));
		ok = false;
	} else if (word_next(&rest, &more)) {
		diag_error(
		    c->r->d, pos_of(c, l, more),
		    "\"%.*s\" is too much behind the name of a service; each attribute has a "
		    "line of its own",
		    WORD_ARG(more));
		ok = false;
	}
	where = (struct redirect_word){name, pos_of(c, l, name)};
	if (ok && s->nservices >= REDIRECT_SERVICES_MAX) {
		diag_error(c->r->d, where.pos, "service %.*s is not read: there are more than %d",
			   WORD_ARG(name), REDIRECT_SERVICES_MAX);
		ok = false;
	}
	v = ok ? arena_grow(c->r->a, s->service, s->nservices, sizeof(*v)) : NULL;
	if (!v) {
		c->open = drop(c, where);
		return;
	}
	s->service = v;
	c->open = &v[s->nservices++];
	*c->open = (struct redirect_section){.name = where};
}

static void
begin_defaults(struct scan *c, const struct redirect_line *l)
{
	struct redirect_sections *s = c->r->s;
	struct redirect_word where = {l->first, pos_of(c, l, l->first)};

	if (l->rest.len) {
		diag_error(c->r->d, pos_of(c, l, l->rest),
			   "\"%.*s\" is too much behind \"defaults\"; each attribute has a line of "
			   "its own",
			   WORD_ARG(l->rest));
		s->defaults.bad = true;
	}
	if (s->have_defaults) {
		diag_error(
		    c->r->d, where.pos,
		    "there is only one \"defaults\", and another stands in %s:%u; join the two",
		    s->defaults.name.pos.file, s->defaults.name.pos.line);
		s->defaults.bad = true;
		c->open = drop(c, where);
		return;
	}
	s->have_defaults = true;
	s->defaults.name = where;
	c->open = &s->defaults;
}

/* Any word that begins something outside of sections; false: it does not. */
static bool
outside_word(struct scan *c, const struct redirect_line *l)
{
	bool service = word_ieq(l->first, "service");

	if (service || word_ieq(l->first, "defaults")) {
		if (service)
			begin_service(c, l);
		else
			begin_defaults(c, l);
		c->braced = l->opens;
		return true;
	}
	if (word_ieq(l->first, "include"))
		include(c, l);
	else if (word_ieq(l->first, "includedir"))
		includedir(c, l);
	else
		return false;
	if (l->opens)
		diag_error(c->r->d, pos_of(c, l, l->first), "there is no \"{\" behind %.*s",
			   WORD_ARG(l->first));
	return true;
}

static void
outside(struct scan *c, const struct redirect_line *l)
{
	static const char *const words[] = {"service", "defaults", "include", "includedir", NULL};
	struct diags *d = c->r->d;
	const char *word, *hint;

	switch (l->kind) {
	case REDIRECT_LINE_NONE:
		break;
	case REDIRECT_LINE_OPEN:
		diag_error(d, pos_of(c, l, l->first),
			   "\"{\" without \"service NAME\" or \"defaults\" in front of it");
		c->open = drop(c, (struct redirect_word){l->first, pos_of(c, l, l->first)});
		c->braced = true;
		break;
	case REDIRECT_LINE_CLOSE:
		diag_error(d, pos_of(c, l, l->first), "\"}\" without a \"{\"");
		break;
	case REDIRECT_LINE_ASSIGN:
		diag_error(d, pos_of(c, l, l->first),
			   "\"%.*s\" stands outside of a service and of defaults",
			   WORD_ARG(l->first));
		break;
	case REDIRECT_LINE_WORDS:
		if (outside_word(c, l))
			break;
		word = word_dup(c->r->a, l->first);
		hint = word ? diag_did_you_mean(word, words) : NULL;
		diag_error(d, pos_of(c, l, l->first),
			   "unknown word \"%.*s\"; there are service, defaults, include and "
			   "includedir%s%s%s",
			   WORD_ARG(l->first), hint ? ", did you mean \"" : "", hint ? hint : "",
			   hint ? "\"?" : "");
		if (l->opens) {
			c->open = drop(c, (struct redirect_word){l->first, pos_of(c, l, l->first)});
			c->braced = true;
		}
		break;
	}
}

static void
add_pair(struct scan *c, const struct redirect_line *l)
{
	struct redirect_section *s = c->open;
	struct redirect_pair *v;

	if (l->first.len == 0) {
		diag_error(c->r->d, pos_of(c, l, l->rest),
			   "there is no attribute in front of \"=\"");
		s->bad = true;
		return;
	}
	if (s == &c->dropped)
		return;
	v = arena_grow(c->r->a, s->v, s->n, sizeof(*v));
	if (!v)
		return;
	s->v = v;
	v[s->n++] = (struct redirect_pair){
	    .key = {l->first, pos_of(c, l, l->first)},
	    .op = l->op,
	    .rest = {l->rest, pos_of(c, l, l->rest)},
	};
}

static void
inside_words(struct scan *c, const struct redirect_line *l)
{
	char buf[80];

	if (word_ieq(l->first, "service") || word_ieq(l->first, "defaults")) {
		diag_error(c->r->d, pos_of(c, l, l->first),
			   "\"}\" of %s is missing in front of this", section_str(c, buf));
		c->open->bad = true;
		c->open = NULL;
		outside(c, l);
		return;
	}
	if (word_ieq(l->first, "include") || word_ieq(l->first, "includedir"))
		diag_error(c->r->d, pos_of(c, l, l->first),
			   "\"%.*s\" cannot stand in a section; put it in front of %s",
			   WORD_ARG(l->first), section_str(c, buf));
	else
		diag_error(
		    c->r->d, pos_of(c, l, l->first),
		    "\"%.*s\" is no attribute with =, += or -=; a line cannot go on in the next",
		    WORD_ARG(l->first));
	c->open->bad = true;
}

static void
inside(struct scan *c, const struct redirect_line *l)
{
	char buf[80];

	if (!c->braced && l->kind != REDIRECT_LINE_OPEN && l->kind != REDIRECT_LINE_NONE) {
		diag_error(c->r->d, pos_of(c, l, l->first),
			   "\"{\" of %s is missing in front of this", section_str(c, buf));
		c->open->bad = true;
		c->braced = true;
		if (l->kind == REDIRECT_LINE_WORDS) {
			c->open = NULL;
			outside(c, l);
			return;
		}
	}
	switch (l->kind) {
	case REDIRECT_LINE_NONE:
		break;
	case REDIRECT_LINE_OPEN:
		if (c->braced) {
			diag_error(c->r->d, pos_of(c, l, l->first), "\"{\" inside of %s",
				   section_str(c, buf));
			c->open->bad = true;
		}
		c->braced = true;
		break;
	case REDIRECT_LINE_CLOSE:
		c->open = NULL;
		break;
	case REDIRECT_LINE_ASSIGN:
		add_pair(c, l);
		break;
	case REDIRECT_LINE_WORDS:
		inside_words(c, l);
		break;
	}
}

/* --- files --- */

static void
read_file(struct reader *r, size_t i)
{
	const struct redirect_file *f = r->sorted[i];
	struct scan c = {.r = r, .file = f->name};
	struct redirect_lex x;
	struct redirect_line l;
	char buf[80];

	r->state[i] = READING;
	r->depth++;
	redirect_lex_init(&x, f->text, f->len);
	while (redirect_lex_next(&x, &l)) {
		if (c.open)
			inside(&c, &l);
		else
			outside(&c, &l);
	}
	if (c.open) {
		diag_error(r->d, c.open->name.pos, "%s has no \"}\" before the end of the file",
			   section_str(&c, buf));
		c.open->bad = true;
	}
	r->depth--;
	r->state[i] = READ;
}

static int
by_name(const void *a, const void *b)
{
	const struct redirect_file *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* What package managers and editors leave; nobody expects it to be read. */
static bool
leftover(const char *base)
{
	static const char *const ends[] = {"~",         ".bak",       ".orig",     ".swp",
					   ".dpkg-old", ".dpkg-dist", ".dpkg-new", ".dpkg-tmp",
					   ".rpmsave",  ".rpmnew",    ".rpmorig",  ".disabled"};

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		if (ends_with(base, ends[i]))
			return true;
	}
	return base[0] == '.' || base[0] == '\0';
}

void
redirect_read(struct redirect_sections *s, struct arena *a, const struct redirect_sources *src,
	      struct diags *d)
{
	struct reader r = {.s = s, .a = a, .src = src, .d = d};
	const size_t n = sizeof(REDIRECT_DIR) - 1;

	*s = (struct redirect_sections){0};
	r.sorted = arena_alloc(a, src->nfiles * sizeof(const struct redirect_file *));
	r.state = arena_alloc(a, src->nfiles * sizeof(*r.state));
	if (!r.sorted || !r.state || !src->nfiles)
		return;
	for (size_t i = 0; i < src->nfiles; i++)
		r.sorted[i] = &src->file[i];
	qsort(r.sorted, src->nfiles, sizeof(const struct redirect_file *), by_name);
	for (size_t i = 0; i < src->nfiles; i++) {
		const char *base = base_in(r.sorted[i]->name, REDIRECT_DIR, n);

		if (base && r.state[i] == UNREAD &&
		    (plain_name(base) || (base[0] != '.' && ends_with(base, ".conf"))))
			read_file(&r, i);
	}
	s->unread = arena_alloc(a, src->nfiles * sizeof(const struct redirect_file *));
	for (size_t i = 0; s->unread && i < src->nfiles; i++) {
		const char *base = base_in(r.sorted[i]->name, REDIRECT_DIR, n);

		if (base && r.state[i] == UNREAD && !leftover(base))
			s->unread[s->nunread++] = r.sorted[i];
	}
}
