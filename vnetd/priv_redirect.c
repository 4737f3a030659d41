/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_redirect.c - hands the files of redirect.d to the engine. Runs in priv, which does not look into them.
 */
#include <errno.h>
#include <string.h>

#include "vnetd/priv.h"
#include "vnetd/redirect_files.h"

static void
send_file(const char *name, int fd, void *arg)
{
	struct call *c = arg;
	struct msg m = msg_make(MSG_REDIRECT_FILE, c->m->id);

	MSG_SET_STR(m.u.redirect_file.name, name);
	if (fd < 0) {
		m.u.redirect_file.err = (uint32_t)-fd;
		MSG_SET_STR(m.u.redirect_file.text,
			    fd == -EACCES  ? "user _vnet cannot read it (chmod a+r)"
			    : fd == -EXDEV ? "a symbolic link that leads out of the folder"
					   : strerrordesc_np(-fd));
	}
	/* A failure ends the channel, and with it the engine that would have been told half. */
	chan_send(c->from, &m, &fd, fd >= 0 ? 1 : 0);
}

int
priv_redirect_files(struct priv *p, struct call *c)
{
	const char *folder = p->start->dirs->config;
	int r = redirect_files(p->start->config_dir, send_file, c);

	if (r == -E2BIG)
		return fail(c, r,
			    "%s/redirect.d: more than %d files, more than %d folders in one "
			    "another, or a name of more than %d bytes",
			    folder, REDIRECT_FILES_MAX, REDIRECT_FILES_DEPTH,
			    REDIRECT_FILES_LEN - 1);
	if (r < 0)
		return fail_errno(c, r, "%s/redirect.d: cannot read it", folder);
	return 0;
}
