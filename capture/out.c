/* SPDX-License-Identifier: GPL-2.0-or-later
 * out.c - writes blocks through a buffer, in whole blocks.
 */
#include "capture/out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <assert.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/pcap.h"
#include "lib/fd.h"

enum { BUF_BYTES = 1 << 20 };
static_assert(BUF_BYTES > PCAPNG_SNAPLEN_MAX + PCAPNG_FRAME_EXTRA &&
		  PCAPNG_FRAME_EXTRA > PCAP_RECORD_HEAD,
	      "a frame of either format fits into the buffer");

bool
out_init(struct out *o)
{
	memset(o, 0, sizeof(*o));
	o->buf = malloc(BUF_BYTES);
	return o->buf;
}

void
out_fini(struct out *o)
{
	for (unsigned i = 0; i < o->n; i++)
		fd_close(&o->fd[i]);
	free(o->buf);
	o->buf = NULL;
}

bool
out_add(struct out *o, int fd)
{
	struct stat st;

	if (o->n == OUT_FILES_MAX || fstat(fd, &st) < 0) {
		fd_close(&fd);
		return false;
	}
	/* To be cut back it has to be ours from its beginning. */
	o->regular[o->n] = S_ISREG(st.st_mode) && st.st_size == 0;
	o->fd[o->n++] = fd;
	return true;
}

static size_t
whole_bytes(const struct out *o, size_t got)
{
	if (!o->pcap)
		return pcapng_whole(o->buf, got);
	/* The file's header is written by itself. */
	if (o->file_done == 0)
		return got < PCAP_HEADER ? 0 : PCAP_HEADER;
	return pcap_whole(o->buf, got);
}

/* Of the last write: so many bytes of the buffer got into the file. Only whole blocks may stay. */
static void
cut_back(struct out *o, size_t got)
{
	size_t whole = whole_bytes(o, got);
	off_t end = (off_t)(o->file_done + whole);

	/* What cannot be cut either is left to whoever passed the file. */
	if (o->regular[o->at] && ftruncate(o->fd[o->at], end) == 0)
		lseek(o->fd[o->at], end, SEEK_SET);
	o->file_done += whole;
}

void
out_flush(struct out *o)
{
	size_t done = 0;

	while (o->err == 0 && done < o->len) {
		ssize_t n = write(o->fd[o->at], o->buf + done, o->len - done);

		if (n > 0) {
			done += (size_t)n;
		} else if (n < 0 && errno != EINTR) {
			o->err = -errno;
			cut_back(o, done);
		}
	}
	if (o->err == 0)
		o->file_done += done;
	o->len = 0;
}

static uint8_t *
room(struct out *o, size_t len)
{
	if (BUF_BYTES - o->len < len)
		out_flush(o);
	return o->err ? NULL : o->buf + o->len;
}

uint8_t *
out_room(struct out *o, uint32_t caplen)
{
	return room(o, caplen + PCAPNG_FRAME_EXTRA);
}

void
out_frame(struct out *o, const struct pcapng_frame *f)
{
	uint8_t *p = o->buf + o->len;

	o->len += o->pcap ? pcap_frame(p, f) : pcapng_frame(p, f);
}

static void
put_header(struct out *o)
{
	uint8_t *p = room(o, o->header_len);

	if (p) {
		memcpy(p, o->header, o->header_len);
		o->len += o->header_len;
	}
	out_flush(o);
}

bool
out_begin(struct out *o, const struct pcapng_section *s)
{
	o->header_len = o->pcap ? pcap_header(o->header, s->snaplen) : pcapng_header(o->header, s);
	put_header(o);
	return o->err == 0;
}

bool
out_is_full(const struct out *o)
{
	return o->file_max && o->file_done + o->len >= o->file_max;
}

void
out_end(struct out *o, const struct pcapng_stats *stats)
{
	uint8_t *p = o->pcap ? NULL : room(o, PCAPNG_STATS_MAX);

	if (p)
		o->len += pcapng_stats(p, stats);
	out_flush(o);
}

void
out_next(struct out *o, const struct pcapng_stats *stats)
{
	out_end(o, stats);
	if (o->err)
		return;
	o->at = (o->at + 1) % o->n;
	o->file_done = 0;
	if (ftruncate(o->fd[o->at], 0) < 0 || lseek(o->fd[o->at], 0, SEEK_SET) < 0)
		o->err = -errno;
	put_header(o);
}
