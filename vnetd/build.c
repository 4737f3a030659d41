/* SPDX-License-Identifier: GPL-2.0-or-later
 * build.c - texts -> struct conf, with first defaults and derived files.
 */
#include "vnetd/build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conf/defaults.h"
#include "lib/log.h"
#include "vnetd/core.h"

void
build_env_init(struct build_env *e, const struct core *c)
{
	time_t now = (time_t)(c->io->utc_ms(c->io_arg) / 1000);
	struct tm tm;

	memset(e, 0, sizeof(*e));
	e->env.random = c->io->random(c->io_arg);
	if (gmtime_r(&now, &tm))
		strftime(e->env.written_at, sizeof(e->env.written_at), "%m/%d/%Y %H:%M:%S", &tm);
}

bool
build_env_look(struct build_env *e, const struct core *c, const struct job *j)
{
	struct snapshot s;
	int r;

	snapshot_init(&s);
	r = c->io->snapshot(c->io_arg, &s);
	if (r == 0 && !s.bad)
		used_collect(&e->used, &s, j->load.host[HOST_FILE_RESOLV_CONF]);
	e->env.used = e->used.v;
	e->env.nused = e->used.n;
	r = r == 0 && !s.bad && !e->used.bad;
	snapshot_fini(&s);
	return r;
}

void
build_env_fini(struct build_env *e)
{
	used_fini(&e->used);
}

static bool
rebuild(struct job *j)
{
	if (j->conf)
		conf_free(j->conf);
	j->conf = conf_build(&j->load.src, &j->diags);
	if (!j->conf || j->conf->arena.bad) {
		job_fail(j, ENOMEM, "out of memory");
		return false;
	}
	return true;
}

/* The first configuration. Only at a start: files that vanish under a running vnetd are a mistake of
 * somebody, and no reason to make other networks. */
static bool
make_defaults(struct job *j, const struct conf_env *env)
{
	struct conf_pos nowhere = {"networking", 0, 0};

	if (j->kind != JOB_START) {
		diag_error(&j->diags, nowhere, "is gone");
		return false;
	}
	if (!conf_defaults(&j->edits, &j->load.src, env, &j->diags) || j->edits.bad)
		return false;
	log_info("there is no configuration: writing one with new networks");
	conf_changes_apply(&j->load.src, &j->edits);
	return rebuild(j) && !j->conf->fatal;
}

/* A network whose own file cannot be read is refused like one whose file is wrong. */
static void
refuse_unreadable(struct job *j)
{
	for (unsigned n = 0; n < CONF_NETS; n++) {
		struct conf_net *net = &j->conf->net[n];
		const struct diag *d = diags_first_error(&j->diags, (int)n);

		if (!j->load.unreadable[n] || !net->present || net->failed)
			continue;
		net->failed = true;
		net->reason =
		    arena_printf(&j->conf->arena, "%s: %s", d ? d->pos.file : "its configuration",
				 d ? d->text : "cannot be read");
	}
}

static void
refresh(struct job *j, const struct conf_env *env)
{
	if (!conf_refresh(&j->derived, &j->load.src, j->conf, env) || j->derived.bad)
		log_warn(ENOMEM, "derived configuration files were not renewed");
}

/* Redirections that are wrong are refused one by one, and refuse nothing else. */
static void
read_redirects(struct core *c, struct job *j)
{
	struct redirect_texts *t = j->load.redirect;
	char *services = j->load.host[HOST_FILE_SERVICES];

	j->load.host[HOST_FILE_SERVICES] = NULL;
	if (t && redirect_texts_parse(t, services, c->config_dir, &j->diags))
		return;
	if (!t)
		free(services);
	redirect_texts_unref(t);
	j->load.redirect = NULL;
	log_warn(ENOMEM, "redirections stay as they are");
}

bool
build(struct core *c, struct job *j)
{
	struct build_env e;
	bool ok;

	conf_changes_apply(&j->load.src, &j->edits);
	if (!rebuild(j))
		return false;
	build_env_init(&e, c);
	ok = !j->load.fatal && !j->conf->fatal;
	if (ok && j->conf->default_conf_needed) {
		ok = build_env_look(&e, c, j);
		if (!ok)
			job_fail(j, ENOMEM, "out of memory");
		ok = ok && make_defaults(j, &e.env);
	}
	if (ok) {
		refuse_unreadable(j);
		read_redirects(c, j);
		users_resolve(j->conf, &c->users, c->vnet_gid, &j->diags);
		refresh(j, &e.env);
	}
	build_env_fini(&e);
	return ok;
}
