/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_files.c - walks through redirect.d below a directory descriptor.
 */
#include "vnetd/redirect_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conf/redirect.h"
#include "lib/fd.h"

struct walk {
	int config_dir;
	redirect_file_fn *cb;
	void *arg;
	unsigned nfiles;
};

/* Symbolic links may lead about inside the configuration folder, never out of it. */
static int
open_below(int dir, const char *path, int flags)
{
	struct open_how how = {
	    .flags = (uint64_t)(flags | O_RDONLY | O_NONBLOCK | O_CLOEXEC),
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	do {
		fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));
	} while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : (int)fd;
}

/* The names in a folder, sorted; -errno. */
static int
list(int fd, char ***names, size_t *n)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;
	int r = 0;

	*names = NULL;
	*n = 0;
	if (!d) {
		r = -errno;
		fd_close(&fd);
		return r;
	}
	while (r == 0 && (e = readdir(d))) {
		char **more;

		if (e->d_name[0] == '.')
			continue;
		more = reallocarray(*names, *n + 1, sizeof(**names));
		if (more) {
			*names = more;
			more[*n] = strdup(e->d_name);
		}
		r = more && more[*n] ? 0 : -ENOMEM;
		*n += r == 0;
		if (*n > 4 * REDIRECT_FILES_MAX)
			r = -E2BIG;
	}
	closedir(d);
	return r;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int walk_folder(struct walk *w, const char *path, unsigned depth);

static int
visit(struct walk *w, const char *path, unsigned depth)
{
	int fd = open_below(w->config_dir, path, 0), r = 0;
	struct stat st;

	if (fd == -ENOENT)
		return 0; /* gone since, or a link that leads nowhere */
	if (fd >= 0 && fstat(fd, &st) < 0) {
		fd_close(&fd);
		fd = -EIO;
	}
	if (fd >= 0 && S_ISDIR(st.st_mode))
		r = walk_folder(w, path, depth + 1);
	else if (fd < 0 || S_ISREG(st.st_mode))
		r = ++w->nfiles > REDIRECT_FILES_MAX ? -E2BIG : 1;
	if (r == 1) {
		w->cb(path, fd, w->arg);
		r = 0;
	}
	fd_close(&fd);
	return r;
}

static int
walk_folder(struct walk *w, const char *path, unsigned depth)
{
	int fd, r;
	char **names;
	size_t n;

	if (depth > REDIRECT_FILES_DEPTH)
		return -E2BIG;
	fd = open_below(w->config_dir, path, O_DIRECTORY);
	if (fd < 0)
		return fd;
	r = list(fd, &names, &n);
	if (r == 0)
		qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++) {
		char below[REDIRECT_FILES_LEN];

		if (r == 0 &&
		    snprintf(below, sizeof(below), "%s/%s", path, names[i]) >= (int)sizeof(below))
			r = -E2BIG;
		if (r == 0)
			r = visit(w, below, depth);
		free(names[i]);
	}
	free(names);
	return r;
}

int
redirect_files(int config_dir, redirect_file_fn *cb, void *arg)
{
	struct walk w = {.config_dir = config_dir, .cb = cb, .arg = arg};
	int r = walk_folder(&w, REDIRECT_DIR, 0);

	return r == -ENOENT || r == -ENOTDIR ? 0 : r;
}
