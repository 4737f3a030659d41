/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirects.c - files of redirect.d and listening sockets of the simulation.
 */
#include "tests/sim/engine/redirects.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/redirect.h"
#include "lib/fd.h"
#include "tests/unit/lib/t.h"

void
world_redirect(struct world *w, const char *name, const char *text, bool unread)
{
	size_t i = 0;

	while (i < w->nredirects && strcmp(w->redirect[i].name, name) != 0)
		i++;
	if (i < w->nredirects) {
		free(w->redirect[i].name);
		free(w->redirect[i].text);
		w->redirect[i] = w->redirect[--w->nredirects];
	}
	if (!text && !unread)
		return;
	assert_true(w->nredirects < ARRAY_LEN(w->redirect));
	w->redirect[w->nredirects++] =
	    (struct world_file){strdup(name), text ? strdup(text) : NULL};
}

const char *
world_listeners(struct world *w)
{
	static char out[512];
	char addr[REDIRECT_IP_STRLEN];
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(w->listener); i++) {
		const struct msg_sock_listen *l = &w->listener[i];
		struct redirect_ip ip;

		if (l->port == 0)
			continue;
		memcpy(ip.b, l->addr.b, sizeof(ip.b));
		len += (size_t)snprintf(out + len, sizeof(out) - len, "%u %s\n", l->port,
					redirect_ip_str(ip, addr));
	}
	return out;
}

static bool
same(const struct msg_sock_listen *a, const struct msg_sock_listen *b)
{
	return a->port == b->port && a->family == b->family &&
	       memcmp(a->addr.b, b->addr.b, sizeof(a->addr.b)) == 0 &&
	       !strcmp(a->ifname, b->ifname);
}

static size_t
find(const struct world *w, const struct msg_sock_listen *at)
{
	size_t i = 0;

	while (i < ARRAY_LEN(w->listener) && !same(&w->listener[i], at))
		i++;
	return i;
}

bool
redirects_told(struct world *w, const struct msg *m)
{
	struct msg_sock_listen at;
	size_t i;

	if (m->type == MSG_WORKER_WANT) {
		w->redird_due = m->u.worker_want.on && !w->redird_wanted;
		w->redird_wanted = m->u.worker_want.on;
		return true;
	}
	if (m->type != MSG_LISTEN_KEEP)
		return false;
	memcpy(&at, &m->u.listen_keep, sizeof(at));
	i = find(w, &at);
	if (i < ARRAY_LEN(w->listener))
		w->keep[i] = true;
	return true;
}

static void
sweep(struct world *w)
{
	for (size_t i = 0; i < ARRAY_LEN(w->listener); i++) {
		if (!w->keep[i])
			memset(&w->listener[i], 0, sizeof(w->listener[i]));
		w->keep[i] = false;
	}
}

static int
open_one(struct world *w, const struct msg_sock_listen *at, char *why, size_t cap)
{
	size_t i = find(w, at);

	if (at->port == w->taken_port) {
		snprintf(why, cap, "TCP port %u of that address is taken", at->port);
		return EADDRINUSE;
	}
	for (size_t k = 0; i == ARRAY_LEN(w->listener) && k < i; k++)
		if (w->listener[k].port == 0)
			w->listener[i = k] = *at;
	assert_true(i < ARRAY_LEN(w->listener));
	snprintf(why, cap, "%zu", i + 1);
	return 0;
}

static int
set_alias(struct world *w, const struct msg_alias_set *m, char *why, size_t cap)
{
	char addr[REDIRECT_IP_STRLEN], line[80];
	struct redirect_ip ip;

	if (!world_link(w, m->ifname)) {
		snprintf(why, cap, "there is no interface \"%s\"", m->ifname);
		return ENODEV;
	}
	memcpy(ip.b, m->addr.b, sizeof(ip.b));
	snprintf(line, sizeof(line), "%s %s\n", m->ifname, redirect_ip_str(ip, addr));
	if (!(w->alias && strstr(w->alias, line)) &&
	    !strstr(w->aliases.len ? strbuf_str(&w->aliases) : "", line))
		snprintf(why, cap, "added");
	strbuf_addf(&w->aliases, "%s", line);
	return 0;
}

static void
sweep_aliases(struct world *w)
{
	free(w->alias);
	w->alias = strdup(strbuf_str(&w->aliases));
	strbuf_fini(&w->aliases);
}

/* Below /root nobody but root writes, unless it is open. */
static int
set_log(struct world *w, const struct msg_log_set *m, char *why, size_t cap)
{
	if (!w->root_is_open && strncmp(m->path, "/root/", 6) == 0) {
		snprintf(why, cap, "user _vnet cannot write to %s: Permission denied", m->path);
		return EACCES;
	}
	strbuf_addf(&w->logs, "%s\n", m->path);
	snprintf(why, cap, "%u", ++w->last_log);
	return 0;
}

static void
sweep_logs(struct world *w)
{
	free(w->log);
	w->log = strdup(strbuf_str(&w->logs));
	strbuf_fini(&w->logs);
}

static void
list_files(struct world *w, uint32_t id)
{
	for (size_t i = 0; i < w->nredirects; i++) {
		const struct world_file *f = &w->redirect[i];
		struct msg m = msg_make(MSG_REDIRECT_FILE, id);
		AUTO_FD fd = f->text ? fd_memfd("sim", f->text, strlen(f->text)) : -1;

		MSG_SET_STR(m.u.redirect_file.name, f->name);
		if (fd < 0) {
			m.u.redirect_file.err = EACCES;
			MSG_SET_STR(m.u.redirect_file.text, "user _vnet cannot read it");
		}
		assert_true(core_priv_msg(w->core, w->now, &m, &fd, fd >= 0 ? 1 : 0));
	}
}

bool
redirects_execute(struct world *w, const struct msg *m, int *err, char *why, size_t cap)
{
	*err = 0;
	if (m->type == MSG_ALIAS_SET)
		*err = set_alias(w, &m->u.alias_set, why, cap);
	else if (m->type == MSG_ALIAS_ANNOUNCE)
		w->announced++;
	else if (m->type == MSG_ALIAS_SWEEP)
		sweep_aliases(w);
	else if (m->type == MSG_LOG_SET)
		*err = set_log(w, &m->u.log_set, why, cap);
	else if (m->type == MSG_LOG_SWEEP)
		sweep_logs(w);
	else if (m->type == MSG_REDIRECT_FILES)
		list_files(w, m->id);
	else if (m->type == MSG_LISTEN_SWEEP)
		sweep(w);
	else if (m->type == MSG_SOCK_LISTEN)
		*err = open_one(w, &m->u.sock_listen, why, cap);
	else
		return false;
	return true;
}

bool
redirects_start(struct world *w)
{
	if (!w->redird_due)
		return false;
	w->redird_due = false;
	core_worker_up(w->core, w->now, ROLE_REDIRD);
	return true;
}

void
world_redirects_fini(struct world *w)
{
	for (size_t i = 0; i < w->nredirects; i++) {
		free(w->redirect[i].name);
		free(w->redirect[i].text);
	}
	free(w->alias);
	strbuf_fini(&w->aliases);
	free(w->log);
	strbuf_fini(&w->logs);
}
