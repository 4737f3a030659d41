/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_args.c - command lines taken apart. Pure: prints nothing, exits never.
 *
 * Not getopt: its messages cannot suggest the option that was meant, and its state is global.
 */
#include "vnetd/ctl_args.h"

#include <ctype.h>
#include <string.h>

#include "conf/diag.h"
#include "lib/strbuf.h"
#include "lib/util.h"

const char *
ctl_did_you_mean(const char *word, const char *const *list)
{
	return diag_did_you_mean(word, list);
}

bool
ctl_parse_number(unsigned *out, const char *s, unsigned min, unsigned max)
{
	unsigned long v = 0;

	if (*s == '\0')
		return false;
	for (; *s; s++) {
		if (!isdigit((unsigned char)*s))
			return false;
		v = v * 10 + (unsigned long)(*s - '0');
		if (v > max)
			return false;
	}
	if (v < min)
		return false;
	*out = (unsigned)v;
	return true;
}

bool
ctl_parse_duration(uint32_t *seconds, const char *s)
{
	static const struct {
		char letter;
		unsigned seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	const unsigned year = 365 * 86400;
	size_t len = strlen(s);
	char number[16];
	unsigned n;

	if (len < 2 || len > sizeof(number))
		return false;
	memcpy(number, s, len - 1);
	number[len - 1] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (s[len - 1] == units[i].letter &&
		    ctl_parse_number(&n, number, 1, year / units[i].seconds)) {
			*seconds = n * units[i].seconds;
			return true;
		}
	}
	return false;
}

bool
ctl_parse_mac(struct mac *out, const char *s)
{
	struct mac m;

	if (!mac_parse(&m, s) || mac_is_zero(m) || mac_is_multicast(m))
		return false;
	*out = m;
	return true;
}

/* Row whose long name is the len bytes at `name`, or -1. */
static int
find_long(const struct ctl_opt *opts, const char *name, size_t len)
{
	for (int i = 0; opts[i].name; i++) {
		if (strlen(opts[i].name) == len && memcmp(opts[i].name, name, len) == 0)
			return i;
	}
	return -1;
}

static int
find_letter(const struct ctl_opt *opts, char letter)
{
	for (int i = 0; opts[i].name; i++) {
		if (opts[i].letter == letter)
			return i;
	}
	return -1;
}

static void
complain_unknown(struct strbuf *why, const struct ctl_opt *opts, const char *word, size_t len)
{
	const char *names[CTL_OPTS_MAX + 1] = {0};
	char typed[64] = "";
	const char *meant = NULL;

	strbuf_addf(why, "unknown option \"%.*s\"", (int)len, word);
	for (size_t i = 0; opts[i].name && i < CTL_OPTS_MAX; i++)
		names[i] = opts[i].name;
	if (len > 2 && len - 2 < sizeof(typed)) {
		memcpy(typed, word + 2, len - 2);
		meant = ctl_did_you_mean(typed, names);
	}
	if (meant)
		strbuf_addf(why, ", did you mean \"--%s\"?", meant);
}

/* One option at argv[0]; *used: how many arguments it took. */
static bool
parse_option(struct ctl_args *out, char **argv, size_t *used, struct strbuf *why)
{
	const char *word = argv[0];
	bool is_long = word[1] == '-';
	size_t len = is_long ? strcspn(word, "=") : 2;
	const char *attached = NULL;
	int row;

	row = is_long ? find_long(out->opts, word + 2, len - 2) : find_letter(out->opts, word[1]);
	if (row < 0) {
		complain_unknown(why, out->opts, word, is_long ? len : strlen(word));
		return false;
	}
	if (word[len] != '\0')
		attached = word + len + (is_long ? 1 : 0);
	*used = 1;
	if (!out->opts[row].value) {
		if (attached) {
			strbuf_addf(why, "option \"%.*s\" takes no value", (int)len, word);
			return false;
		}
		out->value[row] = "";
		return true;
	}
	if (!attached) {
		attached = argv[1];
		*used = 2;
	}
	if (!attached || *attached == '\0') {
		strbuf_addf(why, "option \"%.*s\" needs a value: --%s %s", (int)len, word,
			    out->opts[row].name, out->opts[row].value);
		return false;
	}
	out->value[row] = attached;
	return true;
}

bool
ctl_args_parse(struct ctl_args *out, const struct ctl_opt *opts, char **argv,
	       enum ctl_args_mode mode, struct strbuf *why)
{
	size_t i = 0, used;

	memset(out, 0, sizeof(*out));
	out->opts = opts;
	out->pos = argv;
	while (argv[i]) {
		if (strcmp(argv[i], "--") == 0) {
			out->rest = &argv[i + 1];
			return true;
		}
		if (argv[i][0] == '-' && argv[i][1] != '\0') {
			if (!parse_option(out, &argv[i], &used, why))
				return false;
			i += used;
			continue;
		}
		if (mode == CTL_ARGS_UNTIL_VERB) {
			out->pos = &argv[i];
			while (argv[i++])
				out->npos++;
			return true;
		}
		out->pos[out->npos++] = argv[i++];
	}
	return true;
}

const char *
ctl_args_get(const struct ctl_args *a, const char *name)
{
	int row = find_long(a->opts, name, strlen(name));

	return row < 0 ? NULL : a->value[row];
}
