/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_log.c - files that lines of redirections are written to (log_type = FILE).
 *
 * priv opens them for vnet-redird; here they are only named. All that are wanted are named at each sync, the rest
 * is swept away. A redirection whose file cannot be opened serves all the same.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "vnetd/core.h"

static void
settled(struct redirection *r, uint32_t log, char *trouble)
{
	free(r->log_trouble);
	r->log_trouble = trouble;
	r->log = log;
}

static void
failed(struct core *c, struct redirection *r, const struct msg_reply *reply)
{
	const char *path = r->conf->log.file;
	bool kind = reply->err == EINVAL || reply->err == ELOOP;
	char why[1024];
	int n;

	n = snprintf(why, sizeof(why), "%s; its lines go where vnetd logs. ",
		     reply->text[0] ? reply->text : strerrordesc_np((int)reply->err));
	if (kind)
		snprintf(why + n, sizeof(why) - (size_t)n, "Name another file in log_type");
	else if (reply->err == ENOENT)
		snprintf(why + n, sizeof(why) - (size_t)n,
			 "As root: mkdir -p %.*s; touch %s; chown _vnet %s",
			 (int)(strrchr(path, '/') - path), path, path, path);
	else
		snprintf(why + n, sizeof(why) - (size_t)n, "As root: touch %s; chown _vnet %s",
			 path, path);
	if (!r->log_trouble || strcmp(r->log_trouble, why) != 0) {
		log_warn(0, "redirection %s: %s", r->conf->id, why);
		events_add(c, "redirect-failed", MSG_NET_ALL, "", "redirection %s: %s", r->conf->id,
			   why);
	}
	settled(r, 0, strdup(why));
}

static void
is_set(struct core *c, const struct msg_reply *reply, int *fds UNUSED, size_t nfds UNUSED,
       void *p UNUSED, uint32_t serial)
{
	struct redirection *r = redirect_by_serial(c, serial);

	/* It may have got another log meanwhile, and another sync follows then. */
	if (r && r->conf->log.kind == REDIRECT_LOG_FILE) {
		if (reply->err)
			failed(c, r, reply);
		else
			settled(r, (uint32_t)strtoul(reply->text, NULL, 10), NULL);
	}
	redirect_one_less(c);
}

static void
swept(struct core *c, const struct msg_reply *r, int *fds UNUSED, size_t nfds UNUSED,
      void *p UNUSED, uint32_t n UNUSED)
{
	if (r->err)
		log_warn((int)r->err, "logs of redirections could not be put away");
	redirect_one_less(c);
}

void
redirect_log_sync(struct core *c)
{
	struct msg sweep = msg_make(MSG_LOG_SWEEP, 0);

	for (struct redirection *r = c->redirects.head; r; r = r->next) {
		struct msg m = msg_make(MSG_LOG_SET, 0);

		if (r->conf->log.kind != REDIRECT_LOG_FILE) {
			settled(r, 0, NULL);
			continue;
		}
		MSG_SET_STR(m.u.log_set.path, r->conf->log.file);
		c->redirects.pending++;
		ask_priv(c, &m, NULL, 0, is_set, NULL, r->serial);
	}
	c->redirects.pending++;
	ask_priv(c, &sweep, NULL, 0, swept, NULL, 0);
}
