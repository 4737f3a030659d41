/* SPDX-License-Identifier: GPL-2.0-or-later
 * dhcpdconf_fuzz.c - dhcpd.conf: a file without errors prints to one that means the same; renewing
 * the generated section keeps every byte outside of it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "lib/strbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool
same_file(const struct dhcp_file *a, const struct dhcp_file *b)
{
	if (a->nsubnets != b->nsubnets || a->nhosts != b->nhosts ||
	    !ip4_eq(a->server_id, b->server_id) || !dhcp_scope_eq(&a->global, &b->global))
		return false;
	for (size_t i = 0; i < a->nsubnets; i++) {
		const struct dhcp_subnet *x = &a->subnet[i], *y = &b->subnet[i];

		if (!prefix4_eq(x->prefix, y->prefix) || x->nranges != y->nranges ||
		    !dhcp_scope_eq(&x->scope, &y->scope))
			return false;
		for (size_t r = 0; r < x->nranges; r++) {
			if (!dhcp_range_eq(&x->range[r], &y->range[r]))
				return false;
		}
	}
	for (size_t i = 0; i < a->nhosts; i++) {
		if (!dhcp_host_eq(&a->host[i], &b->host[i]))
			return false;
	}
	return true;
}

static void
check_round_trip(const struct dhcp_file *f, struct arena *a)
{
	struct dhcp_file again;
	struct strbuf out;
	struct diags d;

	strbuf_init(&out);
	diags_init(&d);
	dhcpconf_print(&out, f);
	dhcpconf_parse(&again, a, "dhcpd.conf", strbuf_str(&out), out.len, &d);
	if (d.count[DIAG_ERROR] || !same_file(f, &again))
		abort();
	diags_fini(&d);
	strbuf_fini(&out);
}

static void
check_splice(const struct dhcp_file *f, const char *text, size_t len)
{
	struct dhcp_gen g = {.net = 8,
			     .subnet = {{0xc0a80800}, 24},
			     .host = {0xc0a80801},
			     .gateway = {0xc0a80802},
			     .lo = {0xc0a80880},
			     .hi = {0xc0a808fe}};
	size_t from = f->has_section ? f->section_start : 0;
	size_t to = f->has_section ? f->section_end : 0;
	struct strbuf one, two;

	strbuf_init(&one);
	strbuf_init(&two);
	dhcpconf_splice(&one, text, len, &g);
	if (one.len < from + len - to || memcmp(one.s, text, from) != 0 ||
	    memcmp(one.s + one.len - (len - to), text + to, len - to) != 0)
		abort();
	dhcpconf_splice(&two, strbuf_str(&one), one.len, &g);
	if (one.len != two.len || memcmp(one.s, two.s, one.len) != 0)
		abort();
	strbuf_fini(&one);
	strbuf_fini(&two);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	struct dhcp_file f;
	struct diags d;
	struct arena a;

	arena_init(&a);
	diags_init(&d);
	dhcpconf_parse(&f, &a, "dhcpd.conf", text, len, &d);
	for (size_t i = 0; i < f.nhosts; i++) {
		if (f.host[i].start > f.host[i].end || f.host[i].end > len)
			abort();
	}
	if (d.count[DIAG_ERROR] == 0)
		check_round_trip(&f, &a);
	check_splice(&f, text, len);
	diags_fini(&d);
	arena_fini(&a);
	return 0;
}
