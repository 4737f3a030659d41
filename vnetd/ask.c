/* SPDX-License-Identifier: GPL-2.0-or-later
 * ask.c - the queue of requests to priv.
 */
#include "vnetd/ask.h"

#include <errno.h>
#include <stdlib.h>

#include "vnetd/core.h"

void
asks_init(struct asks *a)
{
	a->head = NULL;
	a->tail = &a->head;
	a->last_id = 0;
}

static struct ask *
take_first(struct asks *a)
{
	struct ask *first = a->head;

	a->head = first->next;
	if (!a->head)
		a->tail = &a->head;
	return first;
}

void
asks_fini(struct asks *a)
{
	while (a->head)
		free(take_first(a));
}

static void
ask(struct core *c, struct msg *m, const int *fds, size_t nfds, ask_row_fn *row, ask_fn *done,
    void *p, uint32_t n)
{
	struct ask *a = malloc(sizeof(*a));

	if (!a) {
		struct msg r = msg_reply(0, ENOMEM, "vnetd: out of memory");

		done(c, &r.u.reply, NULL, 0, p, n);
		return;
	}
	if (++c->asks.last_id == 0)
		c->asks.last_id = 1;
	*a = (struct ask){NULL, c->asks.last_id, done, row, p, n};
	*c->asks.tail = a;
	c->asks.tail = &a->next;
	m->id = a->id;
	c->io->to_priv(c->io_arg, m, fds, nfds);
}

void
ask_priv(struct core *c, struct msg *m, const int *fds, size_t nfds, ask_fn *done, void *p,
	 uint32_t n)
{
	ask(c, m, fds, nfds, NULL, done, p, n);
}

void
ask_ignore(struct core *c UNUSED, const struct msg_reply *r UNUSED, int *fds UNUSED,
	   size_t nfds UNUSED, void *p UNUSED, uint32_t n UNUSED)
{
}

void
ask_priv_rows(struct core *c, struct msg *m, ask_row_fn *row, ask_fn *done, void *p, uint32_t n)
{
	ask(c, m, NULL, 0, row, done, p, n);
}

bool
ask_row(struct core *c, const struct msg *m, int *fds, size_t nfds)
{
	struct ask *a = c->asks.head;

	if (!a || a->id != m->id || !a->row)
		return false;
	a->row(c, m, fds, nfds, a->p);
	return true;
}

bool
ask_reply(struct core *c, const struct msg *m, int *fds, size_t nfds)
{
	struct ask *a;

	if (!c->asks.head || c->asks.head->id != m->id)
		return false;
	a = take_first(&c->asks);
	a->done(c, &m->u.reply, fds, nfds, a->p, a->n);
	free(a);
	return true;
}
