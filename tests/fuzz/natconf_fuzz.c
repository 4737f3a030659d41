/* SPDX-License-Identifier: GPL-2.0-or-later
 * natconf_fuzz.c - nat.conf: parse(print(x)) == x, and an edit changes its fact and no other.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "lib/strbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
parse(struct nat_file *f, struct arena *a, const char *text, size_t len)
{
	struct diags d;

	diags_init(&d);
	natconf_parse(f, a, "nat.conf", text, len, &d);
	diags_fini(&d);
}

static bool
same(const struct nat_file *a, const struct nat_file *b)
{
	if (!nat_settings_eq(a, b) || a->nforwards != b->nforwards)
		return false;
	for (size_t i = 0; i < a->nforwards; i++) {
		if (!conf_forward_eq(&a->forward[i], &b->forward[i]))
			return false;
	}
	return true;
}

static const struct conf_forward fw = {
    .proto = CONF_TCP, .host_port = 8080, .guest = {0xc0a80805}, .guest_port = 80};

/* The forward is there (or not), everything else as before. */
static void
check_forward(struct nat_file *was, struct arena *a, const struct strbuf *text, bool there)
{
	struct nat_file is;
	size_t n = 0;
	bool found = false;

	parse(&is, a, strbuf_str(text), text->len);
	for (size_t i = 0; i < is.nforwards; i++) {
		if (is.forward[i].proto == fw.proto && is.forward[i].host_port == fw.host_port)
			found = conf_forward_eq(&is.forward[i], &fw) || !there;
		else
			is.forward[n++] = is.forward[i];
	}
	is.nforwards = n;
	n = 0;
	for (size_t i = 0; i < was->nforwards; i++) {
		if (was->forward[i].proto != fw.proto || was->forward[i].host_port != fw.host_port)
			was->forward[n++] = was->forward[i];
	}
	was->nforwards = n;
	if (found != there || !same(was, &is))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	struct nat_file f, again;
	struct strbuf b;
	struct arena a;

	arena_init(&a);
	strbuf_init(&b);
	parse(&f, &a, text, len);
	natconf_print(&b, &f);
	parse(&again, &a, strbuf_str(&b), b.len);
	if (!same(&f, &again))
		abort();
	strbuf_fini(&b);
	natconf_set_forward(&b, text, len, &fw);
	check_forward(&f, &a, &b, true);
	strbuf_fini(&b);
	natconf_remove_forward(&b, text, len, &fw);
	check_forward(&f, &a, &b, false);
	strbuf_fini(&b);
	arena_fini(&a);
	return 0;
}
