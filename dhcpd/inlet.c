/* SPDX-License-Identifier: GPL-2.0-or-later
 * inlet.c - the reading end of a ring buffer that eBPF programs fill, see inlet.h. No decisions, no log.
 */
#include "dhcpd/inlet.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/dhcp_ring.h"
#include "lib/fd.h"

#define RECORD_ALIGN 8u

struct inlet {
	int fd;
	size_t page;
	unsigned long *consumer;       /* a page of ours */
	const unsigned long *producer; /* a page of the kernel's, and the data behind it */
	struct inlet_ring ring;
	uint8_t taken[INLET_BATCH * DHCP_RING_FRAME_MAX]; /* frames, one behind the other */
};

/* --- records --- */

/* The body of a record of the gate's. */
static bool
read_body(struct inlet_msg *out, const uint8_t *p, size_t len)
{
	struct dhcp_ring_msg m;

	if (len < sizeof(m))
		return false;
	memcpy(&m, p, sizeof(m));
	if (m.len > len - sizeof(m))
		return false;
	*out = (struct inlet_msg){
	    .frame = p + sizeof(m), .len = m.len, .stamp = m.stamp, .net = m.net};
	return true;
}

bool
inlet_ring_next(struct inlet_ring *r, unsigned long end, struct inlet_msg *out)
{
	while (r->pos != end) {
		const uint8_t *p = r->data + (r->pos & (r->size - 1));
		uint32_t head =
		    __atomic_load_n((const uint32_t *)(const void *)p, __ATOMIC_ACQUIRE);
		size_t len = head & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
		size_t all =
		    (len + BPF_RINGBUF_HDR_SZ + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;

		if (head & BPF_RINGBUF_BUSY_BIT)
			return false;
		if (all > end - r->pos || all > r->size) {
			r->pos = end;
			return false;
		}
		r->pos += all;
		if (!(head & BPF_RINGBUF_DISCARD_BIT) &&
		    read_body(out, p + BPF_RINGBUF_HDR_SZ, len))
			return true;
	}
	return false;
}

/* --- the kernel's ring --- */

static int
map_ring(struct inlet *in)
{
	void *p = mmap(NULL, in->page, PROT_READ | PROT_WRITE, MAP_SHARED, in->fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	in->consumer = p;
	p = mmap(NULL, in->page + 2 * in->ring.size, PROT_READ, MAP_SHARED, in->fd,
		 (off_t)in->page);
	if (p == MAP_FAILED)
		return -errno;
	in->producer = p;
	in->ring.data = (const uint8_t *)p + in->page;
	/* Where the server before us ended. */
	in->ring.pos = __atomic_load_n(in->consumer, __ATOMIC_ACQUIRE);
	return 0;
}

int
inlet_new(struct inlet **out, int fd)
{
	struct inlet *in = calloc(1, sizeof(*in));
	int r;

	*out = NULL;
	if (!in) {
		close(fd);
		return -ENOMEM;
	}
	in->fd = fd;
	in->page = (size_t)sysconf(_SC_PAGESIZE);
	in->ring.size = DHCP_RING_BYTES;
	r = map_ring(in);
	if (r < 0) {
		inlet_free(in);
		return r;
	}
	*out = in;
	return 0;
}

void
inlet_free(struct inlet *in)
{
	if (!in)
		return;
	if (in->producer)
		munmap((void *)(uintptr_t)in->producer, in->page + 2 * in->ring.size);
	if (in->consumer)
		munmap(in->consumer, in->page);
	fd_close(&in->fd);
	free(in);
}

int
inlet_fd(const struct inlet *in)
{
	return in->fd;
}

size_t
inlet_take(struct inlet *in, struct inlet_msg v[INLET_BATCH])
{
	unsigned long end = __atomic_load_n(in->producer, __ATOMIC_ACQUIRE);
	size_t got = 0, used = 0;

	while (got < INLET_BATCH && inlet_ring_next(&in->ring, end, &v[got])) {
		struct inlet_msg *m = &v[got];

		if (m->len > DHCP_RING_FRAME_MAX)
			continue;
		memcpy(in->taken + used, m->frame, m->len);
		m->frame = in->taken + used;
		used += m->len;
		got++;
	}
	__atomic_store_n(in->consumer, in->ring.pos, __ATOMIC_RELEASE);
	return got;
}
