/* SPDX-License-Identifier: GPL-2.0-or-later
 * disk.c - the file system's operations, and the system calls in front of them.
 */
#include "../../unit/lib/t.h"

#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "dhcpd/store.h"

/* System calls have no context. */
static struct disk *disk;

void
disk_use(struct disk *d)
{
	disk = d;
}

/* --- life --- */

struct disk *
disk_new(void)
{
	static const char *const names[DISK_NAMES] = {STORE_FILE, STORE_FILE ".new",
						      STORE_FILE "~"};
	struct disk *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	for (unsigned i = 0; i < DISK_NAMES; i++)
		d->name[i] = (struct disk_name){names[i], {DISK_NONE}, 1};
	for (unsigned i = 0; i < DISK_FDS; i++)
		d->fd[i] = DISK_NONE;
	return d;
}

static void
file_fini(struct disk_file *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i].bytes);
	free(f->v);
	free(f->now);
	free(f->base);
	*f = (struct disk_file){0};
}

void
disk_free(struct disk *d)
{
	if (!d)
		return;
	for (int i = 0; i < d->nfiles; i++)
		file_fini(&d->file[i]);
	free(d->file);
	free(d);
}

static char *
copy(const char *p, size_t len)
{
	char *c = malloc(len + 1);

	assert_non_null(c);
	if (len)
		memcpy(c, p, len);
	c[len] = '\0';
	return c;
}

static int
file_add(struct disk *d, const char *text, size_t len)
{
	d->file = realloc(d->file, (size_t)(d->nfiles + 1) * sizeof(*d->file));
	assert_non_null(d->file);
	d->file[d->nfiles] = (struct disk_file){
	    .now = copy(text, len), .base = copy(text, len), .now_len = len, .base_len = len};
	return d->nfiles++;
}

static void
file_copy(struct disk_file *to, const struct disk_file *from)
{
	*to = *from;
	to->now = copy(from->now, from->now_len);
	to->base = copy(from->base, from->base_len);
	to->v = calloc(from->n + 1, sizeof(*to->v));
	assert_non_null(to->v);
	for (size_t i = 0; i < from->n; i++) {
		to->v[i] = from->v[i];
		to->v[i].bytes = copy(from->v[i].bytes, from->v[i].cut ? 0 : from->v[i].len);
	}
}

static bool
has_name(const struct disk *d, int file)
{
	for (unsigned i = 0; i < DISK_NAMES; i++)
		for (unsigned k = 0; k < d->name[i].n; k++)
			if (d->name[i].could[k] == file)
				return true;
	return false;
}

struct disk *
disk_clone(const struct disk *d)
{
	struct disk *c = disk_new();

	memcpy(c->name, d->name, sizeof(c->name));
	c->ops = d->ops;
	c->renewed = d->renewed;
	c->over = d->over;
	c->file = calloc((size_t)d->nfiles + 1, sizeof(*c->file));
	assert_non_null(c->file);
	c->nfiles = d->nfiles;
	for (int i = 0; i < d->nfiles; i++)
		if (has_name(d, i))
			file_copy(&c->file[i], &d->file[i]);
	return c;
}

/* --- bytes --- */

static void
bytes_apply(char **p, size_t *len, const struct disk_change *c)
{
	size_t end = c->cut ? c->at : c->at + c->len;

	if (c->cut || end > *len) {
		*p = realloc(*p, end + 1);
		assert_non_null(*p);
		if (end > *len)
			memset(*p + *len, 0, end - *len);
		*len = end;
		(*p)[end] = '\0';
	}
	if (!c->cut)
		memcpy(*p + c->at, c->bytes, c->len);
}

static void
file_change(struct disk_file *f, struct disk_change c)
{
	bytes_apply(&f->now, &f->now_len, &c);
	f->v = realloc(f->v, (f->n + 1) * sizeof(*f->v));
	assert_non_null(f->v);
	f->v[f->n++] = c;
}

/* What is sure and waits for nothing becomes the medium's. */
static void
file_fold(struct disk_file *f)
{
	size_t k = 0;

	for (; k < f->n && f->v[k].sure; k++) {
		bytes_apply(&f->base, &f->base_len, &f->v[k]);
		free(f->v[k].bytes);
	}
	f->n -= k;
	memmove(f->v, f->v + k, f->n * sizeof(*f->v));
}

static void
file_sync(struct disk_file *f, bool works)
{
	for (size_t i = 0; i < f->n; i++) {
		f->v[i].sure |= works && !f->v[i].doubtful;
		f->v[i].doubtful |= !works && !f->v[i].sure;
	}
	if (f->n)
		file_fold(f);
}

/* --- names --- */

static struct disk_name *
name_find(struct disk *d, const char *text)
{
	for (unsigned i = 0; i < DISK_NAMES; i++)
		if (strcmp(d->name[i].text, text) == 0)
			return &d->name[i];
	fail_msg("\"%s\" is no name that we know of", text);
	return NULL;
}

static int
name_now(const struct disk_name *n)
{
	return n->could[n->n - 1];
}

static void
name_bind(struct disk_name *n, int file)
{
	unsigned k = 0;

	for (unsigned i = 0; i < n->n; i++)
		if (n->could[i] != file)
			n->could[k++] = n->could[i];
	assert_true(k < DISK_BINDINGS);
	n->could[k++] = file;
	n->n = k;
}

static void
names_sync(struct disk *d)
{
	for (unsigned i = 0; i < DISK_NAMES; i++) {
		d->name[i].could[0] = name_now(&d->name[i]);
		d->name[i].n = 1;
	}
	d->renewed += d->renamed;
	d->renamed = false;
}

const char *
disk_leases(const struct disk *d)
{
	int file = name_now(&d->name[0]);

	return file == DISK_NONE ? NULL : d->file[file].now;
}

void
disk_put_leases(struct disk *d, const char *text)
{
	name_bind(&d->name[0], file_add(d, text, strlen(text)));
	names_sync(d);
}

/* --- operations --- */

/* The errno that this operation is to fail with, or 0. */
static int
enter(void)
{
	unsigned k = disk->ops++;
	const struct disk_fault *f = &disk->fault;

	if (k < f->from || k - f->from >= f->n)
		return 0;
	disk->faults++;
	return f->err;
}

static int
leave(int r, int err)
{
	if (disk->after_op)
		disk->after_op(disk->arg);
	errno = err ? err : errno;
	return err ? -1 : r;
}

static struct disk_file *
file_of(int fd)
{
	assert_in_range(fd, DISK_FD, DISK_FD + DISK_FDS - 1);
	assert_int_not_equal(disk->fd[fd - DISK_FD], DISK_NONE);
	return &disk->file[disk->fd[fd - DISK_FD]];
}

void
disk_close(int fd)
{
	if (fd == DISK_FOLDER)
		return;
	(void)file_of(fd);
	disk->fd[fd - DISK_FD] = DISK_NONE;
}

static int
fd_new(int file)
{
	for (int i = 0; i < DISK_FDS; i++) {
		if (disk->fd[i] != DISK_NONE)
			continue;
		disk->fd[i] = file;
		return DISK_FD + i;
	}
	fail_msg("descriptors leak");
	return -1;
}

int __wrap_openat(int dir, const char *path, int flags, ...);
int __wrap_openat64(int dir, const char *path, int flags, ...);
ssize_t __wrap_pwritev(int fd, const struct iovec *v, int n, off_t at);
ssize_t __wrap_pwritev64(int fd, const struct iovec *v, int n, off_t at);
ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t at);
ssize_t __wrap_pread64(int fd, void *buf, size_t len, off_t at);
void *__real_mmap(void *at, size_t len, int prot, int flags, int fd, off_t from);
void *__wrap_mmap(void *at, size_t len, int prot, int flags, int fd, off_t from);
void *__wrap_mmap64(void *at, size_t len, int prot, int flags, int fd, off_t from);
int __wrap_fstat(int fd, struct stat *st);
int __wrap_fstat64(int fd, struct stat *st);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_ftruncate(int fd, off_t len);
int __wrap_ftruncate64(int fd, off_t len);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_unlinkat(int dir, const char *path, int flags);

static int
open_file(int dir, const char *path, int flags)
{
	struct disk_name *n = name_find(disk, path);
	int err = enter(), file = name_now(n);

	assert_int_equal(dir, DISK_FOLDER);
	if (err == 0 && file == DISK_NONE && !(flags & O_CREAT))
		err = ENOENT;
	if (err == 0 && file != DISK_NONE && (flags & O_EXCL))
		err = EEXIST;
	if (err)
		return leave(-1, err);
	if (file == DISK_NONE) {
		file = file_add(disk, "", 0);
		name_bind(n, file);
	} else if ((flags & O_TRUNC) && disk->file[file].now_len) {
		file_change(&disk->file[file], (struct disk_change){.cut = true});
	}
	assert_false(flags & O_APPEND); /* pwritev() would not write where it is told to */
	return leave(fd_new(file), 0);
}

int
__wrap_openat(int dir, const char *path, int flags, ...)
{
	return open_file(dir, path, flags);
}

int
__wrap_openat64(int dir, const char *path, int flags, ...)
{
	return open_file(dir, path, flags);
}

static char *
gather(const struct iovec *v, int n, size_t *len)
{
	char *all = copy("", 0);

	*len = 0;
	for (int i = 0; i < n; i++) {
		all = realloc(all, *len + v[i].iov_len + 1);
		assert_non_null(all);
		memcpy(all + *len, v[i].iov_base, v[i].iov_len);
		*len += v[i].iov_len;
	}
	return all;
}

ssize_t
__wrap_pwritev(int fd, const struct iovec *v, int n, off_t at)
{
	struct disk_file *f = file_of(fd);
	struct disk_change c = {.at = (size_t)at};
	int err = enter();

	assert_true(c.at <= f->now_len);
	c.bytes = gather(v, n, &c.len);
	if (err && disk->fault.shorten && disk->ops - 1 == disk->fault.from && c.len > 1) {
		err = 0;
		c.len /= 2;
	}
	if (err) {
		free(c.bytes);
		return leave(-1, err);
	}
	disk->over += c.at + c.len <= f->base_len && f->n == 0;
	file_change(f, c);
	return leave((int)c.len, 0);
}

ssize_t
__wrap_pwritev64(int fd, const struct iovec *v, int n, off_t at)
{
	return __wrap_pwritev(fd, v, n, at);
}

ssize_t
__wrap_pread(int fd, void *buf, size_t len, off_t at)
{
	const struct disk_file *f = file_of(fd);
	size_t left = (size_t)at < f->now_len ? f->now_len - (size_t)at : 0;

	if (len > left)
		len = left;
	if (len)
		memcpy(buf, f->now + at, len);
	return (ssize_t)len;
}

ssize_t
__wrap_pread64(int fd, void *buf, size_t len, off_t at)
{
	return __wrap_pread(fd, buf, len, at);
}

/* Memory that holds what the file does now. */
void *
__wrap_mmap(void *at, size_t len, int prot, int flags, int fd, off_t from)
{
	void *p = __real_mmap(at, len, prot | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(flags & MAP_PRIVATE && p != MAP_FAILED);
	__wrap_pread(fd, p, len, from);
	return p;
}

void *
__wrap_mmap64(void *at, size_t len, int prot, int flags, int fd, off_t from)
{
	return __wrap_mmap(at, len, prot, flags, fd, from);
}

int
__wrap_fstat(int fd, struct stat *st)
{
	*st = (struct stat){.st_mode = S_IFREG | 0644, .st_size = (off_t)file_of(fd)->now_len};
	return 0;
}

int
__wrap_fstat64(int fd, struct stat *st)
{
	return __wrap_fstat(fd, st);
}

int
__wrap_fchmod(int fd, mode_t mode UNUSED)
{
	(void)file_of(fd);
	return 0;
}

int
__wrap_ftruncate(int fd, off_t len)
{
	struct disk_file *f = file_of(fd);
	int err = disk->gone ? EIO : enter();

	if (disk->gone)
		return leave(0, err);
	if (err == 0 && (size_t)len != f->now_len)
		file_change(f, (struct disk_change){.cut = true, .at = (size_t)len});
	return leave(0, err);
}

int
__wrap_ftruncate64(int fd, off_t len)
{
	return __wrap_ftruncate(fd, len);
}

int
__wrap_fdatasync(int fd)
{
	struct disk_file *f = file_of(fd);
	int err = enter();

	if (!disk->no_data)
		file_sync(f, err == 0);
	return leave(0, err);
}

int
__wrap_fsync(int fd)
{
	int err;

	if (fd != DISK_FOLDER)
		return __wrap_fdatasync(fd);
	err = enter();
	if (err == 0 && !disk->no_names)
		names_sync(disk);
	return leave(0, err);
}

int
__wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	struct disk_name *a = name_find(disk, from), *b = name_find(disk, to);
	int err = enter();

	assert_int_equal(from_dir, DISK_FOLDER);
	assert_int_equal(to_dir, DISK_FOLDER);
	if (err == 0 && name_now(a) == DISK_NONE)
		err = ENOENT;
	if (err)
		return leave(-1, err);
	name_bind(b, name_now(a));
	name_bind(a, DISK_NONE);
	disk->renamed = true;
	return leave(0, 0);
}

int
__wrap_unlinkat(int dir, const char *path, int flags UNUSED)
{
	struct disk_name *n = name_find(disk, path);
	int err = enter();

	assert_int_equal(dir, DISK_FOLDER);
	if (err == 0 && name_now(n) == DISK_NONE)
		err = ENOENT;
	if (err == 0)
		name_bind(n, DISK_NONE);
	return leave(0, err);
}
