/* SPDX-License-Identifier: GPL-2.0-or-later
 * asks.c - requests to priv. It answers in order, so those under way are a queue.
 */
#include <stdlib.h>

#include "lib/log.h"
#include "natd/natd.h"

void
natd_ask(struct natd *d, struct msg *m, reply_fn *done, row_fn *row, void *arg)
{
	struct ask *a = malloc(sizeof(*a));

	if (!a) {
		log_error(0, "out of memory");
		natd_stop(d, true);
		return;
	}
	if (++d->last_id == 0)
		d->last_id = 1;
	*a = (struct ask){.id = d->last_id, .done = done, .row = row, .arg = arg};
	if (!d->asks)
		d->asks_tail = &d->asks;
	*d->asks_tail = a;
	d->asks_tail = &a->next;
	m->id = a->id;
	/* A failure closes the channel, which ends us. */
	chan_send(d->priv, m, NULL, 0);
}

bool
natd_take_answer(struct natd *d, const struct msg *m, int *fds, size_t nfds)
{
	struct ask *a = d->asks;

	if (!a || a->id != m->id)
		return false;
	if (m->type != MSG_REPLY) {
		if (!a->row)
			return false;
		a->row(a->arg, m);
		return true;
	}
	d->asks = a->next;
	a->done(a->arg, &m->u.reply, fds, nfds);
	free(a);
	return true;
}

void
natd_asks_fini(struct natd *d)
{
	while (d->asks) {
		struct ask *a = d->asks;

		d->asks = a->next;
		free(a);
	}
}
