/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_doctor.c - the verb `doctor`.
 */
#include "vnetd/ctl.h"
#include "vnetd/ctl_doctor_look.h"
#include "vnetd/ctl_json.h"

static const struct ctl_opt opts[] = {
    {"verbose", 'v', NULL, "also what is well"}, CTL_OPT_JSON, CTL_OPT_QUIET, CTL_OPT_HELP, {0},
};

static json_t *
json_of_finding(const struct doctor_finding *d)
{
	static const char *const levels[] = {"fail", "warn", "unseen", "ok"};

	json_t *other = json_array();

	static_assert(ARRAY_LEN(levels) == DOCTOR_LEVEL_N, "every level has a word");
	for (size_t i = 0; i < ARRAY_LEN(d->other) && d->other[i]; i++)
		json_array_append_new(other, json_of_text(d->other[i]));
	return json_pack("{ss ss so so so so}", "level", levels[d->level], "topic",
			 doctor_topic_name(d->topic), "network",
			 d->net >= 0 ? json_sprintf("vmnet%d", d->net) : json_null(), "text",
			 json_of_text(d->text ? d->text : ""), "cure",
			 json_of_text(d->cure ? d->cure : ""), "other", other);
}

static json_t *
json_of_report(const struct doctor_report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < r->n; i++) {
		if (json_array_append_new(list, json_of_finding(&r->v[i])) != 0) {
			json_decref(list);
			list = NULL;
		}
	}
	return json_pack("{so si}", "findings", list, "wrong", (int)doctor_count(r));
}

static enum ctl_exit
print(const struct ctl *c, const struct doctor_report *r, bool all)
{
	struct strbuf text;

	if (c->json)
		return ctl_print_json(c, json_of_report(r), false);
	strbuf_init(&text);
	doctor_render(&text, r, all, c->colour);
	return ctl_print(c, &text);
}

static enum ctl_exit
run(struct ctl *c, const struct ctl_args *a)
{
	struct doctor_report report;
	struct doctor_look look;
	enum ctl_exit r = doctor_look(&look, c);

	doctor_judge(&report, &look.facts);
	if (r != CTL_OK || report.bad) {
		ctl_complain("out of memory");
		r = CTL_FAILED;
	} else {
		r = print(c, &report, ctl_args_get(a, "verbose") != NULL);
		if (r == CTL_OK && doctor_count(&report) > 0)
			r = CTL_FAILED;
	}
	doctor_report_fini(&report);
	doctor_look_fini(&look);
	return r;
}

const struct ctl_verb ctl_verb_doctor = {
    .name = "doctor",
    .synopsis = "[-v] [--json]",
    .summary = "Looks for what usually goes wrong on a host, and says what cures it",
    .detail =
	"Each finding names who stands in the way and the commands that help. Nothing is changed.\n"
	"vnetd need not run; root sees more, and a line that begins with \"?\" says what only "
	"root\n"
	"could. The exit status is 0 when nothing was found, else 1.",
    .example = "  vnetctl doctor\n  sudo vnetctl doctor --json | jq -r '.findings[] | "
	       "select(.cure) | .cure'",
    .opts = opts,
    .run = run,
};
