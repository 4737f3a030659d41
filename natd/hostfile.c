/* SPDX-License-Identifier: GPL-2.0-or-later
 * hostfile.c - asks priv for the file and for a watch, again after each change.
 */
#include "natd/hostfile.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/log.h"
#include "lib/util.h"

/* A new file is written in several steps, and its folder has other files. */
enum { DELAY_MS = 50 };

struct hostfile {
	struct natd *d;
	enum host_file file;
	const char *path;
	size_t max;
	hostfile_fn *fn;
	void *arg;
	char *text;
	size_t len;
	int watch_fd;
	struct loop_io *watch;
	struct loop_timer *reread;
	bool reading, read_again, was_read;
};

static void
on_opened(void *arg, const struct msg_reply *r, int *fds, size_t nfds)
{
	struct hostfile *f = arg;
	char *text = NULL;
	ssize_t len = 0;

	f->reading = false;
	if (nfds > 0)
		len = fd_read_all(fds[0], &text, f->max);
	else if (r->err != ENOENT)
		len = -(ssize_t)r->err;
	if (len < 0) {
		log_warn((int)-len, "%s cannot be read; what it said before counts on", f->path);
	} else {
		free(f->text);
		f->text = text;
		f->len = (size_t)len;
	}
	f->was_read = true;
	f->fn(f->arg);
	if (f->read_again)
		loop_timer_set(f->reread, mono_add(mono_now(), DELAY_MS));
	natd_progress(f->d);
}

static void
on_changed(int fd, void *arg)
{
	struct hostfile *f = arg;
	char buf[4096];

	/* What has happened does not matter, only that it has. */
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	f->read_again = true;
	if (!f->reading)
		loop_timer_set(f->reread, mono_add(mono_now(), DELAY_MS));
}

static void
on_watch(void *arg, const struct msg_reply *r, int *fds, size_t nfds)
{
	struct hostfile *f = arg;

	if (r->err || nfds == 0) {
		log_warn(0, "changes of %s go unnoticed: %s", f->path, r->text);
		return;
	}
	loop_io_free(f->watch);
	fd_close(&f->watch_fd);
	f->watch_fd = fd_take(&fds[0]);
	f->watch = loop_add_read(f->d->loop, f->watch_fd, on_changed, f);
	if (!f->watch)
		natd_stop(f->d, true);
}

/* Links and folders may be others now, so the watch is made anew each time. */
static void
on_reread(void *arg)
{
	struct hostfile *f = arg;
	struct msg watch = msg_make(MSG_HOST_WATCH, 0), file = msg_make(MSG_HOST_OPEN, 0);

	f->reading = true;
	f->read_again = false;
	watch.u.host_watch.file = (uint8_t)f->file;
	file.u.host_open.file = (uint8_t)f->file;
	natd_ask(f->d, &watch, on_watch, NULL, f);
	natd_ask(f->d, &file, on_opened, NULL, f);
}

bool
hostfile_was_read(const struct hostfile *f)
{
	return f->was_read;
}

const char *
hostfile_text(const struct hostfile *f, size_t *len)
{
	*len = f->len;
	return f->text ? f->text : "";
}

struct hostfile *
hostfile_new(struct natd *d, enum host_file file, const char *path, size_t max, hostfile_fn *fn,
	     void *arg)
{
	struct hostfile *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->d = d;
	f->file = file;
	f->path = path;
	f->max = max;
	f->fn = fn;
	f->arg = arg;
	f->watch_fd = -1;
	f->reread = loop_timer_new(d->loop, on_reread, f);
	if (!f->reread) {
		free(f);
		return NULL;
	}
	on_reread(f);
	return f;
}

void
hostfile_free(struct hostfile *f)
{
	if (!f)
		return;
	loop_io_free(f->watch);
	fd_close(&f->watch_fd);
	loop_timer_free(f->reread);
	free(f->text);
	free(f);
}
