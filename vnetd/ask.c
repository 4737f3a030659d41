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

void
ask_priv(struct core *c, struct msg *m, const int *fds, size_t nfds, ask_fn *done, void *p,
	 uint32_t n)
{
	struct ask *a = malloc(sizeof(*a));

	if (!a) {
		struct msg r = msg_reply(0, ENOMEM, "vnetd: out of memory");

		done(c, &r.u.reply, NULL, 0, p, n);
		return;
	}
	if (++c->asks.last_id == 0)
		c->asks.last_id = 1;
	*a = (struct ask){NULL, c->asks.last_id, done, p, n};
	*c->asks.tail = a;
	c->asks.tail = &a->next;
	m->id = a->id;
	c->io->to_priv(c->io_arg, m, fds, nfds);
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
