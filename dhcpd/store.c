/* SPDX-License-Identifier: GPL-2.0-or-later
 * store.c - the lease file's system calls. No log, no decisions.
 */
#include "dhcpd/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/strbuf.h"

#define TEMP_FILE   STORE_FILE ".new"
#define BACKUP_FILE STORE_FILE "~"

/* Other programs read leases as ordinary users. */
#define FILE_MODE 0644

/* A file is written in pieces of about this size. */
#define PIECE 65536

/* What nothing has been written to yet. */
static const char newlines[STORE_ROOM_MAX] = {[0 ... STORE_ROOM_MAX - 1] = '\n'};

void
store_init(struct store *s, int dir)
{
	*s = (struct store){.dir = dir, .fd = -1};
}

void
store_fini(struct store *s)
{
	store_trim(s);
	fd_close(&s->fd);
	fd_close(&s->dir);
}

/* Text, and behind it so many newlines. */
static int
write_at(int fd, off_t at, const char *text, size_t len, size_t room)
{
	size_t done = 0;

	while (done < len + room) {
		size_t text_left = done < len ? len - done : 0;
		struct iovec v[2] = {
		    {(void *)(uintptr_t)(text + len - text_left), text_left},
		    {(void *)(uintptr_t)newlines, len + room - done - text_left},
		};
		ssize_t n = pwritev(fd, v, 2, at + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return 0;
}

static int
open_beneath(const struct store *s, const char *name, int flags)
{
	int fd = openat(s->dir, name, flags | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);

	return fd < 0 ? -errno : fd;
}

ssize_t
store_read(const struct store *s, const char **text)
{
	AUTO_FD fd = open_beneath(s, STORE_FILE, O_RDONLY | O_NONBLOCK);
	struct stat st;
	void *p;

	*text = "";
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > STORE_FILE_MAX)
		return -EFBIG;
	if (st.st_size == 0)
		return 0;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	*text = p;
	return st.st_size;
}

void
store_release(const char *text, size_t len)
{
	if (len > 0)
		munmap((void *)(uintptr_t)text, len);
}

int
store_adopt(struct store *s, size_t size, size_t blocks)
{
	AUTO_FD fd = open_beneath(s, STORE_FILE, O_WRONLY);

	if (fd < 0)
		return fd;
	if (ftruncate(fd, (off_t)size) < 0)
		return -errno;
	fd_close(&s->fd);
	s->fd = fd_take(&fd);
	/* Who gave it its name may have been killed before the folder was synced. */
	s->unnamed = true;
	s->size = s->end = (off_t)size;
	s->blocks = blocks;
	return 0;
}

int
store_create(struct store *s)
{
	AUTO_FD fd = open_beneath(s, STORE_FILE, O_WRONLY | O_CREAT | O_EXCL);
	size_t len = strlen(journal_header);
	int r;

	if (fd < 0)
		return fd;
	r = fchmod(fd, FILE_MODE) < 0 ? -errno : write_at(fd, 0, journal_header, len, 0);
	if (r < 0) {
		unlinkat(s->dir, STORE_FILE, 0);
		return r;
	}
	fd_close(&s->fd);
	s->fd = fd_take(&fd);
	s->size = s->end = (off_t)len;
	s->blocks = 0;
	s->unnamed = true;
	return 0;
}

int
store_backup(const struct store *s, const char *text, size_t len)
{
	AUTO_FD fd = open_beneath(s, BACKUP_FILE, O_WRONLY | O_CREAT | O_TRUNC);

	if (fd < 0)
		return fd;
	return write_at(fd, 0, text, len, 0);
}

/* The bytes, and before the first of them counts, the file's name. 0, or -1 with errno. */
static int
sync_append(struct store *s)
{
	if (fdatasync(s->fd) < 0 || (s->unnamed && fsync(s->dir) < 0))
		return -1;
	s->unnamed = false;
	return 0;
}

/* Half a block must not stay, nor come back: a power cut while others are written in its place could
 * join their beginning to its end. If it does, the file is to be written anew. */
static void
take_back(struct store *s)
{
	if (ftruncate(s->fd, s->size) < 0 || fdatasync(s->fd) < 0)
		fd_close(&s->fd);
	s->end = s->size;
}

static int
write_blocks(struct store *s, const char *text, size_t len, size_t room)
{
	off_t end = s->size + (off_t)(len + room);
	int r = write_at(s->fd, s->size, text, len, room);

	if (r < 0)
		take_back(s);
	else if (s->end < end)
		s->end = end;
	return r;
}

int
store_append(struct store *s, const char *text, size_t len, size_t blocks, size_t room)
{
	bool fits = s->size + (off_t)len <= s->end;
	int r;

	if (s->fd < 0)
		return -EIO;
	r = write_blocks(s, text, len, fits ? 0 : room);
	/* A disk that is nearly full may have room for these blocks. */
	if (r < 0 && !fits && room > 0 && s->fd >= 0)
		r = write_blocks(s, text, len, 0);
	if (r < 0)
		return r;
	if (sync_append(s) < 0) {
		r = -errno;
		/* The kernel reports this once and may have dropped the pages: no second try
		 * counts. */
		if (ftruncate(s->fd, s->size) < 0)
			r = -errno;
		fd_close(&s->fd);
		s->end = s->size;
		return r;
	}
	s->size += (off_t)len;
	s->blocks += blocks;
	return 0;
}

void
store_trim(struct store *s)
{
	if (s->fd >= 0 && s->end > s->size && ftruncate(s->fd, s->size) == 0)
		s->end = s->size;
}

/* --- writing anew --- */

struct writer {
	int fd;
	struct strbuf b;
	off_t size;
	size_t blocks;
};

static int
writer_flush(struct writer *w)
{
	int r = w->b.bad ? -ENOMEM : write_at(w->fd, w->size, strbuf_str(&w->b), w->b.len, 0);

	w->size += (off_t)w->b.len;
	strbuf_fini(&w->b);
	return r;
}

static int
write_records(struct writer *w, bool (*next)(void *arg, struct journal_rec *rec), void *arg)
{
	char block[JOURNAL_REC_MAX];
	struct journal_rec rec;
	int r;

	strbuf_add(&w->b, journal_header);
	while (next(arg, &rec)) {
		strbuf_addn(&w->b, block, journal_encode(block, sizeof(block), &rec));
		w->blocks++;
		if (w->b.len >= PIECE && (r = writer_flush(w)) < 0)
			return r;
	}
	return writer_flush(w);
}

/* The temporary file takes the old one's place: both are whole, whichever a crash leaves. */
static int
put_in_place(struct store *s, int fd)
{
	if (fdatasync(fd) < 0 || renameat(s->dir, TEMP_FILE, s->dir, STORE_FILE) < 0)
		return -errno;
	/* From here on the file that s->fd leads to has no name. */
	fd_close(&s->fd);
	return fsync(s->dir) < 0 ? -errno : 0;
}

int
store_rewrite(struct store *s, bool (*next)(void *arg, struct journal_rec *rec), void *arg)
{
	AUTO_FD fd = open_beneath(s, TEMP_FILE, O_WRONLY | O_CREAT | O_TRUNC);
	struct writer w = {.fd = fd};
	int r;

	if (fd < 0)
		return fd;
	strbuf_init(&w.b);
	r = fchmod(fd, FILE_MODE) < 0 ? -errno : write_records(&w, next, arg);
	strbuf_fini(&w.b);
	if (r == 0)
		r = put_in_place(s, fd);
	if (r < 0) {
		unlinkat(s->dir, TEMP_FILE, 0);
		return r;
	}
	s->fd = fd_take(&fd);
	s->unnamed = false;
	s->size = s->end = w.size;
	s->blocks = w.blocks;
	return 0;
}
