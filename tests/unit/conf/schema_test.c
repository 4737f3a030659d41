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
	    cmocka_unit_test(the_default_file_shows_every_key),
	};

	return T_RUN(tests);
}
