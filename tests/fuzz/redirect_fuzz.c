/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_fuzz.c - redirect.d: print(parse(x)) is stable and without errors; what runs is complete.
 *
 * The input is several files: lines "==== NAME" begin one ("etc/services" is the host's), what is
 * in front of the first is redirect.d/a. Names are taken as they come.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/redirect.h"
#include "lib/strbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define FILES_MAX 32

struct input {
	struct redirect_file file[FILES_MAX];
	char *name[FILES_MAX];
	struct redirect_sources src;
};

static void
add(struct input *in, const char *name, size_t n, const char *text, size_t len)
{
	struct redirect_sources *s = &in->src;

	if (n == 12 && memcmp(name, "etc/services", n) == 0) {
		s->etc_services = text;
		s->etc_services_len = len;
		return;
	}
	if (s->nfiles == FILES_MAX)
		return;
	in->name[s->nfiles] = strndup(name, n);
	in->file[s->nfiles] = (struct redirect_file){in->name[s->nfiles], text, len};
	s->nfiles++;
}

static void
split(struct input *in, const char *text, size_t len)
{
	const char *end = text + len, *name = "redirect.d/a", *body = text;
	size_t n = strlen(name);

	while (body <= end) {
		const char *next = memmem(body, (size_t)(end - body), "==== ", 5), *eol;

		add(in, name, n, body, (size_t)((next ? next : end) - body));
		if (!next)
			break;
		name = next + 5;
		eol = memchr(name, '\n', (size_t)(end - name));
		n = (size_t)((eol ? eol : end) - name);
		body = eol ? eol + 1 : end + 1;
	}
	in->src.file = in->file;
}

/* What redird may rely on. */
static void
check(const struct redirect *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct redirect_service *s = &r->v[i];

		if (s->bad)
			continue;
		if (!s->name || !s->id || !s->port || redirect_find(r, s->id) != s)
			abort();
		if (!s->target_port != !!(s->flags & REDIRECT_SENSOR))
			abort();
		if (s->only_from.n > REDIRECT_RULES_MAX || s->no_access.n > REDIRECT_RULES_MAX)
			abort();
		for (size_t k = 0; k < s->only_from.n; k++) {
			const struct redirect_rule *rule = &s->only_from.v[k];

			if ((rule->kind == REDIRECT_NET) == (rule->name != NULL) || rule->len > 128)
				abort();
		}
		if (!redirect_service_eq(s, s))
			abort();
	}
}

/* The services in their normal form; the number of errors. */
static size_t
canonical(struct strbuf *out, const struct redirect_sources *src)
{
	struct redirect r;
	struct arena a;
	struct diags d;
	size_t errors;

	arena_init(&a);
	diags_init(&d);
	redirect_parse(&r, &a, src, &d);
	check(&r);
	redirect_print(out, &r);
	errors = d.count[DIAG_ERROR];
	diags_fini(&d);
	arena_fini(&a);
	return errors;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct redirect_file again[FILES_MAX + 1];
	struct redirect_sources src = {.file = again};
	struct input in = {0};
	struct strbuf one, two;

	strbuf_init(&one);
	strbuf_init(&two);
	split(&in, (const char *)data, len);
	canonical(&one, &in.src);
	/* The same banners, and one file with all services; no other that would be read. */
	for (size_t i = 0; i < in.src.nfiles; i++) {
		const char *name = in.file[i].name;

		if (strncmp(name, "redirect.d/", 11) != 0 || strchr(name + 11, '/'))
			again[src.nfiles++] = in.file[i];
	}
	again[src.nfiles++] = (struct redirect_file){"redirect.d/all", strbuf_str(&one), one.len};
	if (!strstr(strbuf_str(&one), "banner") &&
	    (canonical(&two, &src) != 0 || strcmp(strbuf_str(&one), strbuf_str(&two)) != 0))
		abort();
	for (size_t i = 0; i < in.src.nfiles; i++)
		free(in.name[i]);
	strbuf_fini(&one);
	strbuf_fini(&two);
	return 0;
}
