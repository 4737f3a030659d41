/* SPDX-License-Identifier: GPL-2.0-or-later
 * schema_test.c - the table is sound, its examples and defaults are valid, its keys are in the
 * default file.
 */
#include "t.h"

#include "conf/schema.h"
#include "conf/vnetdconf.h"

static void
rows_are_grouped_unique_and_complete(void **state UNUSED)
{
	for (size_t i = 0; i < schema_rows; i++) {
		const struct schema_row *r = &schema_table[i];

		assert_ptr_equal(schema_find(r->section, r->key), r);
		assert_non_null(r->def);
		assert_non_null(r->help);
		assert_non_null(r->why);
		assert_true(i == 0 || r[-1].section <= r->section);
		assert_true(r->help[strlen(r->help) - 1] != '.');
		assert_true(r->type != SCHEMA_ENUM || r->words);
		assert_true(r->max >= r->min);
		assert_true(r->file == CONF_FILE_VNETD || r->section == SCHEMA_NET);
	}
}

static void
examples_and_defaults_are_valid(void **state UNUSED)
{
	struct schema_value v;
	struct arena a;
	struct diags d;

	arena_init(&a);
	diags_init(&d);
	for (size_t i = 0; i < schema_rows; i++) {
		const struct schema_row *r = &schema_table[i];

		assert_true(schema_parse(&v, &a, r, r->example, (struct conf_pos){0}, &d));
		if (r->def[0] != '(' && !strchr(r->def, ' '))
			assert_true(schema_parse(&v, &a, r, r->def, (struct conf_pos){0}, &d));
	}
	assert_int_equal(d.n, 0);
	arena_fini(&a);
	diags_fini(&d);
}

static void
values_have_one_spelling(void **state UNUSED)
{
	static const struct {
		enum schema_section s;
		const char *key, *in, *out;
	} rows[] = {
	    {SCHEMA_GLOBAL, "forward-others", "TRUE", "yes"},
	    {SCHEMA_GLOBAL, "log-level", "Debug", "debug"},
	    {SCHEMA_NET, "mtu", "09000", "9000"},
	    {SCHEMA_NET, "subnet", "10.0.0.0/8", "10.0.0.0/8"},
	    {SCHEMA_PORT, "mac", "52-54-0-1-2-AB", "52:54:00:01:02:ab"},
	    {SCHEMA_PORT, "network", "VMNET8", "vmnet8"},
	    {SCHEMA_USER, "allow", "vmnet8,vmnet1  vmnet8", "vmnet1 vmnet8"},
	    {SCHEMA_USER, "allow", "vmnet8 all", "all"},
	    {SCHEMA_USER, "allow", "none", "none"},
	    {SCHEMA_NET, "display-name", "A  b", "A  b"},
	    {SCHEMA_NET, "promiscuous", "Ask", "ask"},
	    {SCHEMA_NET, "static-arp", "52-54-0-1-2-AB,0:c:29:1:2:3 52:54:00:01:02:ab",
	     "52:54:00:01:02:ab 00:0c:29:01:02:03"},
	    {SCHEMA_PORT, "mirror-of", "52-54-0-1-2-AB", "52:54:00:01:02:ab"},
	    {SCHEMA_PORT, "mirror-of", "Web_0.a-b", "Web_0.a-b"},
	};
	struct schema_value v;
	struct arena a;
	struct diags d;

	arena_init(&a);
	diags_init(&d);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(schema_parse(&v, &a, schema_find(rows[i].s, rows[i].key), rows[i].in,
					 (struct conf_pos){0}, &d));
		assert_string_equal(v.text, rows[i].out);
	}
	arena_fini(&a);
	diags_fini(&d);
}

static void
limits_are_numbers_or_unlimited(void **state UNUSED)
{
	static const struct {
		const char *in, *out; /* out NULL: refused */
		uint32_t num;
	} rows[] = {
	    {"1", "1", 1},
	    {"0256", "256", 256},
	    {"65535", "65535", 65535},
	    {"unlimited", "unlimited", 0},
	    {"UNLIMITED", "unlimited", 0},
	    {"0", NULL, 0}, /* none at all, or no limit? */
	    {"65536", NULL, 0},
	    {"4294967296", NULL, 0},
	    {"-1", NULL, 0},
	    {"none", NULL, 0},
	    {"unlimited 1", NULL, 0},
	    {"1k", NULL, 0},
	    {"", NULL, 0},
	};
	const struct schema_row *row = schema_find(SCHEMA_NET, "dhcp-leases-per-port");
	struct schema_value v;
	struct arena a;
	struct diags d;

	arena_init(&a);
	diags_init(&d);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool ok = schema_parse(&v, &a, row, rows[i].in, (struct conf_pos){0}, &d);

		assert_int_equal(ok, rows[i].out != NULL);
		if (!ok)
			continue;
		assert_int_equal(v.num, rows[i].num);
		assert_string_equal(v.text, rows[i].out);
	}
	arena_fini(&a);
	diags_fini(&d);
}

static void
rates_have_units_and_limits(void **state UNUSED)
{
	static const struct {
		const char *in, *out; /* out NULL: refused */
		uint32_t kbit;
	} rows[] = {
	    {"0", "none", 0},
	    {"none", "none", 0},
	    {"NONE", "none", 0},
	    {"0G", "none", 0},
	    {"000", "none", 0},
	    {"1000", "1k", 1},
	    {"1k", "1k", 1},
	    {"1K", "1k", 1},
	    {"001500k", "1500k", 1500},
	    {"1500000", "1500k", 1500},
	    {"10M", "10M", 10000},
	    {"10m", "10M", 10000},
	    {"10000k", "10M", 10000},
	    {"2g", "2G", 2000000},
	    {"2000M", "2G", 2000000},
	    {"2000000000", "2G", 2000000},
	    {"2001M", "2001M", 2001000},
	    {"1000001k", "1000001k", 1000001},
	    {"4294G", "4294G", 4294000000},
	    {"4294967295k", "4294967295k", UINT32_MAX},
	    {"4294967295000", "4294967295k", UINT32_MAX},
	    {"4294967296k", NULL, 0},
	    {"4294967295001", NULL, 0},
	    {"4294967296000", NULL, 0},
	    {"4295G", NULL, 0},
	    {"18446744073709551616", NULL, 0}, /* 2^64 */
	    {"18446744073709552k", NULL, 0},   /* 2^64 and a bit in bit/s */
	    {"1", NULL, 0},
	    {"999", NULL, 0},
	    {"1001", NULL, 0},
	    {"", NULL, 0},
	    {"k", NULL, 0},
	    {"-1k", NULL, 0},
	    {"+1k", NULL, 0},
	    {"1.5M", NULL, 0},
	    {"1 M", NULL, 0},
	    {"1kk", NULL, 0},
	    {"1T", NULL, 0},
	    {"1Mbit", NULL, 0},
	    {"0x10k", NULL, 0},
	    {"unlimited", NULL, 0},
	};
	const struct schema_row *row = schema_find(SCHEMA_PORT, "rate-in");
	struct schema_value v, again;
	struct arena a;
	struct diags d;

	arena_init(&a);
	diags_init(&d);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool ok = schema_parse(&v, &a, row, rows[i].in, (struct conf_pos){0}, &d);

		assert_int_equal(ok, rows[i].out != NULL);
		if (!ok)
			continue;
		assert_int_equal(v.num, rows[i].kbit);
		assert_string_equal(v.text, rows[i].out);
		assert_true(schema_parse(&again, &a, row, v.text, (struct conf_pos){0}, &d));
		assert_int_equal(again.num, v.num);
	}
	arena_fini(&a);
	diags_fini(&d);
}

/* The default file is all comments; with the '#' of its settings gone it is a valid vnetd.conf. */
static void
the_default_file_shows_every_key(void **state UNUSED)
{
	struct vnetd_file f;
	struct strbuf b, un;
	struct diags d;
	struct arena a;
	size_t keys = 0;

	strbuf_init(&b);
	strbuf_init(&un);
	arena_init(&a);
	diags_init(&d);
	vnetdconf_gen_file(&b);
	vnetdconf_parse(&f, &a, "vnetd.conf", strbuf_str(&b), b.len, &d);
	assert_int_equal(d.n, 0);
	assert_int_equal(f.nsections, 0);
	for (const char *s = strbuf_str(&b); *s; s = strchr(s, '\n') + 1) {
		bool setting = s[0] == '#' && s[1] != ' ' && s[1] != '\n';
		const char *from = setting ? s + 1 : s;

		assert_true(s[0] == '#' || s[0] == '\n');
		strbuf_addn(&un, from, (size_t)(strchr(s, '\n') + 1 - from));
	}
	vnetdconf_parse(&f, &a, "vnetd.conf", strbuf_str(&un), un.len, &d);
	assert_int_equal(d.n, 0);
	for (size_t i = 0; i < f.nsections; i++)
		keys += f.section[i].nitems;
	for (size_t i = 0; i < schema_rows; i++)
		keys -= schema_table[i].file == CONF_FILE_VNETD;
	assert_int_equal(keys, 0);
	arena_fini(&a);
	diags_fini(&d);
	strbuf_fini(&b);
	strbuf_fini(&un);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_are_grouped_unique_and_complete),
	    cmocka_unit_test(examples_and_defaults_are_valid),
	    cmocka_unit_test(values_have_one_spelling),
	    cmocka_unit_test(limits_are_numbers_or_unlimited),
	    cmocka_unit_test(rates_have_units_and_limits),
	    cmocka_unit_test(the_default_file_shows_every_key),
	};

	return T_RUN(tests);
}
