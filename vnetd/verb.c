/* SPDX-License-Identifier: GPL-2.0-or-later
 * verb.c - create, delete, set.
 */
#include "vnetd/verb.h"

#include <errno.h>

#include "lib/strbuf.h"
#include "vnetd/build.h"
#include "vnetd/core.h"
#include "vnetd/plan.h"
#include "vnetd/rows.h"

/* The network that the job is about. */
static unsigned
net_of(const struct job *j)
{
	switch (j->kind) {
	case JOB_CREATE:
		return j->request.u.net_create.net;
	case JOB_DELETE:
		return j->request.u.net_delete.net;
	case JOB_SET:
		return j->request.u.net_set.net;
	case JOB_START:
	case JOB_RELOAD:
		break;
	}
	return MSG_NET_ALL;
}

static bool
edit_create(struct core *c, struct job *j)
{
	const struct msg_net_create *m = &j->request.u.net_create;
	struct build_env e;
	bool ok = build_env_init(&e, c, j);

	if (!ok)
		job_fail(j, ENOMEM, "out of memory");
	ok = ok && conf_create_net(&j->edits, &j->load.src, m->net, (enum net_kind)m->kind,
				   (struct prefix4){m->subnet, m->len}, &e.env, &j->diags);
	build_env_fini(&e);
	return ok;
}

static bool
edit_set(struct core *c, struct job *j)
{
	const struct msg_net_set *m = &j->request.u.net_set;
	struct build_env e;
	bool ok = build_env_init(&e, c, j);

	if (!ok)
		job_fail(j, ENOMEM, "out of memory");
	ok = ok &&
	     conf_set_net(&j->edits, &j->load.src, m->net, m->key, m->value, &e.env, &j->diags);
	build_env_fini(&e);
	return ok;
}

/* Guests are not pulled out of the wall by a typing mistake. */
static bool
edit_delete(struct core *c, struct job *j)
{
	unsigned n = j->request.u.net_delete.net, guests = 0;
	struct strbuf list;

	strbuf_init(&list);
	for (const struct port *p = c->ports.head; p; p = p->next)
		if (p->net == n && p->alias.kind != PORT_STATIC)
			strbuf_addf(&list, "%s%s", guests++ ? ", " : "", port_name(p));
	if (guests)
		job_fail(j, EBUSY, "vmnet%u has ports: %.300s. Detach them first", n,
			 strbuf_str(&list));
	strbuf_fini(&list);
	return !guests && conf_delete_net(&j->edits, &j->load.src, n, &j->diags);
}

bool
verb_edit(struct core *c, struct job *j)
{
	bool ok = true;

	switch (j->kind) {
	case JOB_START:
	case JOB_RELOAD:
		break;
	case JOB_CREATE:
		ok = edit_create(c, j);
		break;
	case JOB_DELETE:
		ok = edit_delete(c, j);
		break;
	case JOB_SET:
		ok = edit_set(c, j);
		break;
	}
	if (j->edits.bad)
		job_fail(j, ENOMEM, "out of memory");
	return ok && !j->edits.bad;
}

bool
verb_is_possible(struct core *c, struct job *j)
{
	unsigned n = net_of(j);
	char why[PLAN_WHY_MAX], cure[PLAN_WHY_MAX];
	enum plan_verdict v = PLAN_FREE;
	struct want_net w;
	struct snapshot s;

	if (n >= NAMES_NETS || j->kind == JOB_DELETE || j->conf->net[n].failed)
		return true;
	snapshot_init(&s);
	if (c->io->snapshot(c->io_arg, &s) == 0 && !s.bad) {
		want_net(&w, &j->conf->net[n]);
		v = plan_judge(why, cure, &s, n, &w, false);
	}
	snapshot_fini(&s);
	if (v == PLAN_BLOCKED)
		job_fail(j, EADDRINUSE, "vmnet%u: %s", n, why);
	return v != PLAN_BLOCKED;
}

bool
verb_tells(const struct job *j, size_t i)
{
	unsigned n = net_of(j);

	return n == MSG_NET_ALL || i < j->ndiags_edit || j->diags.v[i].net == (int)n;
}

/* "3 errors. vmnet8 keeps its running configuration, vmnet5 is refused" */
static void
sum_up(struct core *c, struct job *j)
{
	size_t errors = j->diags.count[DIAG_ERROR];
	struct strbuf text;

	if (errors == 0)
		return;
	strbuf_init(&text);
	strbuf_addf(&text, "%zu error%s.", errors, errors == 1 ? "" : "s");
	for (unsigned n = 0; n < NAMES_NETS; n++) {
		if (c->net[n].kept)
			strbuf_addf(&text, " vmnet%u keeps its running configuration.", n);
		else if (c->net[n].conf && c->net[n].conf->failed)
			strbuf_addf(&text, " vmnet%u is refused.", n);
	}
	job_fail(j, EINVAL, "%.480s", strbuf_str(&text));
	strbuf_fini(&text);
}

void
verb_outcome(struct core *c, struct job *j)
{
	unsigned n = net_of(j);
	const char *why;

	if (j->kind == JOB_RELOAD)
		sum_up(c, j);
	if (n >= NAMES_NETS || j->kind == JOB_DELETE)
		return;
	if (!c->net[n].conf)
		job_fail(j, EIO, "vmnet%u was not made", n);
	else if (net_state(c, &c->net[n], &why) == NET_STATE_FAILED)
		job_fail(j, EIO, "vmnet%u: %s", n, why);
}

void
verb_answer(struct core *c, struct job *j)
{
	unsigned n = net_of(j);

	if (!j->err && n < NAMES_NETS && c->net[n].conf && j->client)
		rows_net(c, j->client, j->request.id, &c->net[n]);
}
