/* SPDX-License-Identifier: GPL-2.0-or-later
 * vnetdconf_fuzz.c - vnetd.conf: print(parse(x)) is stable; a set key is there afterwards and the
 * rest as before.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/vnetdconf.h"
#include "lib/strbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static size_t
canonical(struct strbuf *out, const char *text, size_t len)
{
	struct vnetd_file f;
	struct diags d;
	struct arena a;
	size_t errors;

	arena_init(&a);
	diags_init(&d);
	vnetdconf_parse(&f, &a, "vnetd.conf", text, len, &d);
	errors = d.count[DIAG_ERROR];
	vnetdconf_print(out, &f);
	diags_fini(&d);
	arena_fini(&a);
	return errors;
}

static void
set(struct strbuf *out, const char *text, size_t len, const char *section, const char *key,
    const char *value)
{
	strbuf_fini(out);
	vnetdconf_set(out, text, len, section, key, value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	struct strbuf one, two, with, without;
	size_t errors;

	strbuf_init(&one);
	strbuf_init(&two);
	strbuf_init(&with);
	strbuf_init(&without);
	errors = canonical(&one, text, len);
	if (canonical(&two, strbuf_str(&one), one.len) != 0 ||
	    strcmp(strbuf_str(&one), strbuf_str(&two)) != 0)
		abort();
	/* A section that nobody else uses: setting and removing its only key is no change. */
	set(&with, text, len, "port fuzz0", "queues", "3");
	strbuf_fini(&two);
	if (canonical(&two, strbuf_str(&with), with.len) > errors)
		abort();
	if (errors == 0 && !strstr(strbuf_str(&one), "[port fuzz0]")) {
		if (!strstr(strbuf_str(&two), "[port fuzz0]\nqueues = 3\n"))
			abort();
		set(&without, strbuf_str(&with), with.len, "port fuzz0", "queues", NULL);
		strbuf_fini(&two);
		canonical(&two, strbuf_str(&without), without.len);
		if (strcmp(strbuf_str(&one), strbuf_str(&two)) != 0)
			abort();
	}
	strbuf_fini(&one);
	strbuf_fini(&two);
	strbuf_fini(&with);
	strbuf_fini(&without);
	return 0;
}
