/* SPDX-License-Identifier: GPL-2.0-or-later
 * mankeys.c - the key lists of vnetd.conf(5) are those of the schema table.
 *
 * `mankeys FILE` compares what stands between `.\" keys SECTION FILE` and `.\" end` with what the
 * table gives and fails when they differ; `mankeys FILE --update` writes it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/schema.h"
#include "lib/strbuf.h"

/* mdoc for one key. */
static void
print_row(struct strbuf *out, const struct schema_row *r)
{
	static const char *const effects[] = {
	    [SCHEMA_LIVE] = "",
	    [SCHEMA_NEW] = "\nA change reaches guests when they attach or renew their lease again.",
	    [SCHEMA_RESTART] = "\nA change takes effect at the next start.",
	};

	bool literal = r->type == SCHEMA_ENUM || r->type == SCHEMA_BOOL;

	strbuf_addf(out, ".It Cm %s Ns = Ns %s ", r->key, literal ? "Cm" : "Ar");
	schema_type_print(out, r);
	strbuf_addc(out, '\n');
	strbuf_addc(out,
		    (char)(r->help[0] >= 'a' && r->help[0] <= 'z' ? r->help[0] - 32 : r->help[0]));
	strbuf_addf(out, "%s.\nWhy change it: %s.\nDefault: %s.%s\n", r->help + 1, r->why, r->def,
		    effects[r->effect]);
}

static void
print_rows(struct strbuf *out, enum schema_section s, bool ours)
{
	strbuf_add(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < schema_rows; i++) {
		const struct schema_row *r = &schema_table[i];

		if (r->section == s && (r->file == CONF_FILE_VNETD) == ours)
			print_row(out, r);
	}
	strbuf_add(out, ".El\n");
}

/* The list that a marker line asks for; false for other lines. */
static bool
wanted(struct strbuf *out, const char *line)
{
	char section[16], file[16];

	if (sscanf(line, ".\\\" keys %15s %15s", section, file) != 2)
		return false;
	for (enum schema_section s = SCHEMA_GLOBAL; s <= SCHEMA_GROUP; s++) {
		if (strcmp(schema_section_str(s), section) == 0) {
			print_rows(out, s, strcmp(file, "vnetd.conf") == 0);
			return true;
		}
	}
	return false;
}

/* The page with every list as the table has it. */
static unsigned
renew(struct strbuf *out, FILE *f)
{
	bool inside = false;
	char line[1024];
	unsigned lists = 0;

	while (fgets(line, sizeof(line), f)) {
		if (strcmp(line, ".\\\" end\n") == 0)
			inside = false;
		if (inside)
			continue;
		strbuf_add(out, line);
		if (wanted(out, line)) {
			inside = true;
			lists++;
		}
	}
	return lists;
}

static bool
same(const struct strbuf *b, FILE *f)
{
	size_t i = 0;
	int c;

	rewind(f);
	while ((c = fgetc(f)) != EOF) {
		if (i >= b->len || b->s[i++] != (char)c)
			return false;
	}
	return i == b->len;
}

int
main(int argc, char **argv)
{
	FILE *f = argc > 1 ? fopen(argv[1], "r") : NULL;
	struct strbuf b;
	unsigned lists;
	bool ok;

	if (!f) {
		fprintf(stderr, "usage: mankeys FILE [--update]\n");
		return 1;
	}
	strbuf_init(&b);
	lists = renew(&b, f);
	ok = same(&b, f);
	fclose(f);
	if (argc > 2 && (f = fopen(argv[1], "w"))) {
		fwrite(b.s, 1, b.len, f);
		ok = fclose(f) == 0;
	}
	strbuf_fini(&b);
	/* global, vmnetN twice, port, user, group */
	if (lists != 6)
		fprintf(stderr, "%s: %u key lists instead of 6\n", argv[1], lists);
	else if (!ok)
		fprintf(stderr, "%s: the key lists differ from conf/schema.c; run %s %s --update\n",
			argv[1], argv[0], argv[1]);
	return ok && lists == 6 ? 0 : 1;
}
