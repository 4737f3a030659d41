/* SPDX-License-Identifier: GPL-2.0-or-later
 * netmap_fuzz.c - netmap.conf: print(parse(x)) is stable, edits set what they say.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/netmap.h"
#include "lib/strbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
canonical(struct strbuf *out, const char *text, size_t len)
{
	struct netmap m;
	struct diags d;
	struct arena a;

	arena_init(&a);
	diags_init(&d);
	netmap_parse(&m, &a, "netmap.conf", text, len, &d);
	netmap_print(out, &m);
	diags_fini(&d);
	arena_fini(&a);
}

/* The name of vmnet8 after an edit, compared with what was asked for. */
static void
check_name(const char *text, size_t len, const char *want)
{
	const struct netmap_entry *e;
	struct netmap m;
	struct diags d;
	struct arena a;

	arena_init(&a);
	diags_init(&d);
	netmap_parse(&m, &a, "netmap.conf", text, len, &d);
	e = netmap_find(&m, "vmnet8");
	if (want && m.n < NETMAP_MAX && (!e || !e->name || strcmp(e->name, want) != 0))
		abort();
	if (!want && m.n < NETMAP_MAX && e)
		abort();
	diags_fini(&d);
	arena_fini(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	struct strbuf one, two, set;

	strbuf_init(&one);
	strbuf_init(&two);
	strbuf_init(&set);
	canonical(&one, text, len);
	canonical(&two, strbuf_str(&one), one.len);
	if (strcmp(strbuf_str(&one), strbuf_str(&two)) != 0)
		abort();
	netmap_set(&set, text, len, 8, "A \"name\" \\ here");
	check_name(strbuf_str(&set), set.len, "A \"name\" \\ here");
	strbuf_fini(&set);
	netmap_set(&set, text, len, 8, NULL);
	check_name(strbuf_str(&set), set.len, NULL);
	if (set.len > len)
		abort();
	strbuf_fini(&one);
	strbuf_fini(&two);
	strbuf_fini(&set);
	return 0;
}
