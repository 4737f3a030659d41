/* SPDX-License-Identifier: GPL-2.0-or-later
 * qmp_fuzz.c - any bytes as what a QEMU says on its monitor.
 *
 * The first byte says in which pieces the rest arrives. What must hold: pieces make no difference, lines
 * have no line end in them and stay within the limit, a command is sent only where the dialogue has one,
 * filters stay within their tables, and a refusal has a sentence.
 */
#include <string.h>

#include "lib/strbuf.h"
#include "vnetd/qmp.h"
#include "tests/fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check_filters(const struct qmp_filters *f)
{
	size_t index;

	CHECK(f->n <= QMP_NICS_MAX);
	for (size_t i = 0; i < f->n; i++) {
		const struct qmp_nic *nic = &f->nic[i];

		CHECK(memchr(nic->name, '\0', sizeof(nic->name)));
		CHECK(nic->ngroups <= QMP_GROUPS_MAX && nic->ngroups <= nic->multicasts);
		CHECK(qmp_choose(f, nic->name, (struct mac){0}, &index) == QMP_CHOICE_ONE);
		CHECK(index <= i && strcmp(f->nic[index].name, nic->name) == 0);
	}
	if (qmp_choose(f, NULL, (struct mac){0}, &index) == QMP_CHOICE_ONE)
		CHECK(f->n == 1 && index == 0);
}

static void
check_step(const struct qmp_session *before, const struct qmp_session *after,
	   const struct qmp_step *step)
{
	size_t n = strlen(step->send);

	CHECK(n < sizeof(step->send));
	/* One command at a time, each with an id of its own. */
	CHECK(after->id == before->id + (n > 0));
	if (n > 0) {
		CHECK(step->send[n - 1] == '\n');
		CHECK(after->state == QMP_NEGOTIATING || after->state == QMP_ASKING);
	}
	CHECK(!step->filters || before->state == QMP_ASKING);
	CHECK(after->state >= before->state || before->state == QMP_ASKING);
}

/* One line; false ends the dialogue. */
static bool
take(struct qmp_session *s, const char *line, size_t len)
{
	static struct qmp_filters filters;
	const struct qmp_session before = *s;
	struct qmp_step step;
	struct strbuf why;
	bool ok;

	CHECK(!memchr(line, '\n', len));
	strbuf_init(&why);
	ok = qmp_input(s, line, len, &step, &filters, &why);
	CHECK(ok == (why.len == 0));
	if (ok)
		check_step(&before, s, &step);
	else
		CHECK(step.send[0] == '\0' && !step.filters);
	if (step.filters)
		check_filters(&filters);
	strbuf_fini(&why);
	return ok;
}

/* The whole stream in pieces of so many bytes; the state in which it ends. */
static struct qmp_session
run(const char *bytes, size_t len, size_t piece, bool *ok)
{
	struct qmp_session s = {0};
	struct qmp_lines lines = {0};
	size_t seen = 0, n;
	const char *line;

	*ok = true;
	while (*ok && len > 0) {
		size_t now = piece < len ? piece : len;

		CHECK(qmp_lines_add(&lines, bytes, now));
		bytes += now;
		len -= now;
		while (*ok && (line = qmp_lines_next(&lines, &n))) {
			seen += n;
			*ok = take(&s, line, n);
		}
	}
	CHECK(lines.len <= lines.cap && seen <= QMP_LINE_MAX);
	qmp_lines_fini(&lines);
	return s;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct qmp_session a, b;
	bool ok_a, ok_b;

	if (len < 2 || len > QMP_LINE_MAX)
		return 0;
	a = run((const char *)data + 1, len - 1, len, &ok_a);
	b = run((const char *)data + 1, len - 1, (size_t)data[0] + 1, &ok_b);
	CHECK(ok_a == ok_b && a.state == b.state && a.id == b.id && a.again == b.again);
	return 0;
}
