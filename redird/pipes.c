/* SPDX-License-Identifier: GPL-2.0-or-later
 * pipes.c - see pipes.h.
 */
#include "redird/pipes.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

void
pipes_init(struct pipes *p, unsigned max, unsigned max_spare, uint32_t size)
{
	*p = (struct pipes){.max = max, .max_spare = max_spare, .size = size};
}

void
pipes_large(struct pipes *p, unsigned n, uint32_t size)
{
	p->n_large = n;
	p->large_size = size;
}

static void
drop(struct pipes *p, struct pipe *pipe)
{
	close(pipe->r);
	close(pipe->w);
	free(pipe);
	p->n_all--;
}

void
pipes_fini(struct pipes *p)
{
	while (p->spare) {
		struct pipe *pipe = p->spare;

		p->spare = pipe->next;
		drop(p, pipe);
	}
	p->n_spare = 0;
}

static struct pipe *
make(struct pipes *p)
{
	struct pipe *pipe;
	int fds[2], cap;

	if (p->n_all >= p->max)
		return NULL;
	pipe = malloc(sizeof(*pipe));
	if (!pipe)
		return NULL;
	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0) {
		free(pipe);
		return NULL;
	}
	/* A user may have so many pages in pipes (pipe-user-pages-soft); beyond that it keeps what it has. */
	cap = fcntl(fds[1], F_SETPIPE_SZ, (int)(p->n_all < p->n_large ? p->large_size : p->size));
	if (cap < 0)
		cap = fcntl(fds[1], F_GETPIPE_SZ);
	*pipe = (struct pipe){NULL, fds[0], fds[1], cap < 4096 ? 4096 : (uint32_t)cap};
	p->n_all++;
	return pipe;
}

struct pipe *
pipes_get(struct pipes *p)
{
	struct pipe *pipe = p->spare;

	if (!pipe)
		return make(p);
	p->spare = pipe->next;
	p->n_spare--;
	return pipe;
}

void
pipes_put(struct pipes *p, struct pipe *pipe, size_t full)
{
	if (!pipe)
		return;
	if (full || p->n_spare >= p->max_spare) {
		drop(p, pipe);
		return;
	}
	pipe->next = p->spare;
	p->spare = pipe;
	p->n_spare++;
}
