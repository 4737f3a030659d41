/* SPDX-License-Identifier: GPL-2.0-or-later
 * job.c - the stages of a job, in their order: load, edit, build, write, adopt, settle, answer.
 */
#include "vnetd/job.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fd.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "vnetd/adopt.h"
#include "vnetd/build.h"
#include "vnetd/core.h"
#include "vnetd/push.h"
#include "vnetd/verb.h"

enum {
	JOBS_MAX = 16,
	/* Each write is synced to the disk and holds a memfd: not hundreds at once. */
	WRITES_MAX = 32,
	/* An answer waits so long for workers to take the new configuration. */
	WORKERS_MS = 5000,
};

static void loaded(struct core *c, void *arg);
static void write_more(struct core *c, struct job *j);
static void settled(struct core *c, void *arg);

static void
job_free(struct job *j)
{
	if (j->conf)
		conf_free(j->conf);
	conf_changes_fini(&j->edits);
	conf_changes_fini(&j->derived);
	forward_job_fini(&j->quick);
	load_fini(&j->load);
	diags_fini(&j->diags);
	free(j);
}

void
jobs_fini(struct jobs *js)
{
	while (js->head) {
		struct job *j = js->head;

		js->head = j->next;
		job_free(j);
	}
	js->n = 0;
}

void
job_read(struct core *c, struct job *j)
{
	load_start(c, &j->load, &j->diags, loaded, j);
}

static void
start_first(struct core *c)
{
	struct job *j = c->jobs.head;

	if (j && (j->kind != JOB_FORWARD || !forward_start(c, j)))
		job_read(c, j);
}

bool
job_submit(struct core *c, enum job_kind kind, uint32_t client, const struct msg *request)
{
	struct job *j = c->jobs.n < JOBS_MAX ? calloc(1, sizeof(*j)) : NULL;
	struct job **end = &c->jobs.head;

	if (!j)
		return false;
	j->kind = kind;
	j->client = client;
	if (request)
		j->request = *request;
	j->deadline = MONO_NEVER;
	diags_init(&j->diags);
	conf_changes_init(&j->edits);
	conf_changes_init(&j->derived);
	while (*end)
		end = &(*end)->next;
	*end = j;
	if (c->jobs.n++ == 0)
		start_first(c);
	return true;
}

void
job_fail(struct job *j, int err, const char *fmt, ...)
{
	va_list ap;

	if (j->err)
		return;
	j->err = err;
	va_start(ap, fmt);
	vsnprintf(j->why, sizeof(j->why), fmt, ap);
	va_end(ap);
}

/* --- the end: log and answer --- */

static void
log_diag(enum diag_severity s, const char *text)
{
	if (s == DIAG_ERROR)
		log_error(0, "%s", text);
	else if (s == DIAG_WARNING)
		log_warn(0, "%s", text);
	else
		log_debug("%s", text);
}

/* To the log and to the client, as soon as nothing can be added. Notices are for `check -v`, which reads the files itself. */
static void
tell_diags(struct core *c, struct job *j)
{
	for (size_t i = 0; i < j->diags.n && !j->told; i++) {
		const struct diag *d = &j->diags.v[i];
		struct msg m = msg_make(MSG_DIAG_ROW, j->request.id);
		struct strbuf text;

		if (!verb_tells(j, i))
			continue;

		strbuf_init(&text);
		diag_print(&text, d);
		log_diag(d->severity, strbuf_str(&text));
		m.u.diag_row.level = (uint8_t)d->severity;
		MSG_SET_STR(m.u.diag_row.text, strbuf_str(&text));
		if (d->severity != DIAG_NOTICE)
			client_send(c, j->client, &m, NULL, 0);
		strbuf_fini(&text);
	}
	j->told = true;
}

void
job_finish(struct core *c, struct job *j)
{
	struct msg reply;

	tell_diags(c, j);
	if (!verb_answer(c, j)) {
		reply = msg_reply(j->request.id, j->err, j->why);
		client_send(c, j->client, &reply, NULL, 0);
	}
	c->jobs.head = j->next;
	c->jobs.n--;
	job_free(j);
	start_first(c);
	core_wake(c);
}

/* --- load, edit, build --- */

/* The configuration on disk cannot be used as a whole. The first engine has nothing to do then; a later
 * one, and one that runs, changes nothing and says so. */
static void
refuse(struct core *c, struct job *j)
{
	const struct diag *first = diags_first_error(&j->diags, -1);
	struct msg m = msg_make(MSG_ENGINE_REFUSED, 0);
	struct strbuf text;

	strbuf_init(&text);
	if (first)
		diag_print(&text, first);
	else
		strbuf_add(&text, j->err ? j->why : "the configuration cannot be read");
	free(c->conf_error);
	c->conf_error = strdup(strbuf_str(&text));
	job_fail(j, EINVAL, "what runs stays as it is");
	if (j->kind == JOB_START) {
		MSG_SET_STR(m.u.engine_refused.text, strbuf_str(&text));
		c->io->to_priv(c->io_arg, &m, NULL, 0);
		if (c->restarted)
			settle_now(c, NULL, NULL);
	}
	strbuf_fini(&text);
	job_finish(c, j);
}

static void
loaded(struct core *c, void *arg)
{
	struct job *j = arg;
	bool edited;

	user_list_set(&c->users.user, j->load.host[HOST_FILE_PASSWD]);
	user_list_set(&c->users.group, j->load.host[HOST_FILE_GROUP]);
	j->load.host[HOST_FILE_PASSWD] = j->load.host[HOST_FILE_GROUP] = NULL;
	edited = verb_edit(c, j);
	j->ndiags_edit = j->diags.n;
	if (!edited) {
		job_fail(j, EINVAL, "nothing was changed");
		job_finish(c, j);
	} else if (!build(c, j)) {
		refuse(c, j);
	} else if (!verb_is_possible(c, j)) {
		job_finish(c, j);
	} else {
		j->to_write = j->edits.n + j->derived.n;
		write_more(c, j);
	}
}

/* --- write --- */

static const struct conf_change *
change(const struct job *j, size_t i)
{
	return i < j->edits.n ? &j->edits.v[i] : &j->derived.v[i - j->edits.n];
}

static void
adopt_job(struct core *c, struct job *j)
{
	if (j->err) {
		if (j->kind == JOB_START)
			refuse(c, j);
		else
			job_finish(c, j);
		return;
	}
	adopt(c, j);
	forward_texts_take(c, j);
	tell_diags(c, j);
	settle_now(c, settled, j);
}

static void
write_failed(struct job *j, size_t i, int err, const char *why)
{
	/* What only follows from other files may live in a folder that is read-only on purpose. */
	if (i < j->edits.n)
		job_fail(j, err, "%s. Nothing is in force before it is on disk", why);
	else
		log_warn(0, "%s", why);
}

static void
write_done(struct core *c, const struct msg_reply *r, int *fds UNUSED, size_t nfds UNUSED, void *p,
	   uint32_t n)
{
	struct job *j = p;

	j->writing--;
	if (r->err)
		write_failed(j, n, (int)r->err, r->text);
	write_more(c, j);
}

static void
write_one(struct core *c, struct job *j, size_t i)
{
	const struct conf_change *ch = change(j, i);
	struct msg m = msg_make(ch->text ? MSG_CONF_REPLACE : MSG_CONF_REMOVE, 0);
	AUTO_FD fd = -1;

	if (ch->text) {
		m.u.conf_replace.file = (uint8_t)ch->file;
		m.u.conf_replace.net = (uint16_t)ch->net;
		fd = fd_memfd("conf", ch->text, ch->len);
		if (fd < 0) {
			write_failed(j, i, -fd, "no memory for a configuration file");
			return;
		}
	} else {
		m.u.conf_remove.file = (uint8_t)ch->file;
		m.u.conf_remove.net = (uint16_t)ch->net;
	}
	j->writing++;
	ask_priv(c, &m, &fd, ch->text ? 1 : 0, write_done, j, (uint32_t)i);
}

static void
write_more(struct core *c, struct job *j)
{
	if (j->in_write)
		return;
	j->in_write = true;
	while (!j->err && j->written < j->to_write && j->writing < WRITES_MAX)
		write_one(c, j, j->written++);
	j->in_write = false;
	if (j->writing == 0 && (j->err || j->written == j->to_write))
		adopt_job(c, j);
}

/* --- settle, push, answer --- */

static void
settled(struct core *c, void *arg)
{
	struct job *j = arg;

	push_all(c);
	redirect_sync(c);
	verb_outcome(c, j);
	job_wait(c, j);
}

void
job_wait(struct core *c, struct job *j)
{
	j->waits_for_workers = true;
	j->deadline = mono_add(c->now, WORKERS_MS);
	job_workers_ready(c);
	core_wake(c);
}

/* A reading of redirect.d that is not in force is no success. */
static void
judge_redird(const struct core *c, struct job *j)
{
	const struct worker *w = &c->worker[ROLE_REDIRD];

	if (j->kind != JOB_RELOAD || w->idle)
		return;
	if (!worker_is_ready(w))
		job_fail(j, EAGAIN,
			 "vnet-redird has not taken the redirections so far (see vnetctl redirect "
			 "list)");
	else if (w->fault)
		job_fail(j, EINVAL, "vnet-redird: %s (see the log)", w->fault);
}

void
job_workers_ready(struct core *c)
{
	struct job *j = c->jobs.head;

	if (!j || !j->waits_for_workers)
		return;
	if (!workers_are_ready(c) && mono_before(c->now, j->deadline))
		return;
	judge_redird(c, j);
	job_finish(c, j);
}

struct mono
job_deadline(const struct core *c)
{
	return c->jobs.head ? c->jobs.head->deadline : MONO_NEVER;
}
