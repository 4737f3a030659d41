/* SPDX-License-Identifier: GPL-2.0-or-later
 * check_logs.c - see check_logs.h. priv_log.c is who opens them, with the rights of user _vnet.
 */
#include "vnetd/check_logs.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define USER "_vnet"

enum { MAY_WRITE = 2, MAY_ENTER = 1 };

/* By the mode alone: an access list is not judged. */
static bool
may(const char *path, const struct stat *st, const struct passwd *pw, mode_t want)
{
	unsigned shift = st->st_uid == pw->pw_uid ? 6 : st->st_gid == pw->pw_gid ? 3 : 0;

	return (st->st_mode >> shift & want) == want ||
	       getxattr(path, "system.posix_acl_access", NULL, 0) > 0;
}

static void
warn(const struct redirect_service *s, struct diags *d, const char *why, const char *folder)
{
	const char *file = s->log.file;

	if (folder)
		diag_warn(d, s->pos,
			  "service %s: log_type: %s %s. As root: mkdir -p %s; touch %s; chown " USER
			  " %s",
			  s->id, folder, why, folder, file, file);
	else
		diag_warn(d, s->pos,
			  "service %s: log_type: user " USER
			  " cannot %s %s. As root: touch %s; chown " USER " %s",
			  s->id, why, file, file, file);
}

static void
look_at_folder(const struct redirect_service *s, const struct passwd *pw, struct diags *d)
{
	char folder[4096];
	struct stat st;
	char *slash;

	snprintf(folder, sizeof(folder), "%s", s->log.file);
	slash = strrchr(folder, '/');
	if (!slash)
		return;
	*slash = '\0';
	if (stat(*folder ? folder : "/", &st) < 0) {
		if (errno == ENOENT)
			warn(s, d, "does not exist", folder);
	} else if (pw && !may(*folder ? folder : "/", &st, pw, MAY_WRITE | MAY_ENTER)) {
		warn(s, d, "make", NULL);
	}
}

static void
look_at(const struct redirect_service *s, const struct passwd *pw, struct diags *d)
{
	const char *file = s->log.file;
	struct stat st;

	if (lstat(file, &st) < 0) {
		if (errno == ENOENT)
			look_at_folder(s, pw, d);
		else if (errno == ENOTDIR)
			diag_warn(
			    d, s->pos,
			    "service %s: log_type: %s lies below something that is no folder. "
			    "Name another file",
			    s->id, file);
	} else if (!S_ISREG(st.st_mode)) {
		diag_warn(d, s->pos, "service %s: log_type: %s is %s. Name another file", s->id,
			  file,
			  S_ISLNK(st.st_mode)   ? "a symbolic link"
			  : S_ISDIR(st.st_mode) ? "a folder"
						: "not a regular file");
	} else if (pw && !may(file, &st, pw, MAY_WRITE)) {
		warn(s, d, "write to", NULL);
	}
}

void
check_logs(const struct redirect *r, struct diags *d)
{
	/* Not installed by us here: rights cannot be judged. */
	const struct passwd *pw = getpwnam(USER);

	for (size_t i = 0; i < r->n; i++) {
		const struct redirect_service *s = &r->v[i];

		if (!s->bad && !s->disabled && s->log.kind == REDIRECT_LOG_FILE)
			look_at(s, pw, d);
	}
}
