/* SPDX-License-Identifier: GPL-2.0-or-later
 * wheel.c - see wheel.h. Pure.
 */
#include "redird/wheel.h"

void
wheel_init(struct wheel *w, struct mono now)
{
	*w = (struct wheel){.done = now.ms / WHEEL_TICK_MS};
}

void
wheel_drop(struct wheel *w, struct wheel_entry *e)
{
	if (!e->link)
		return;
	*e->link = e->next;
	if (e->next)
		e->next->link = e->link;
	e->next = NULL;
	e->link = NULL;
	w->n--;
}

static void
insert(struct wheel_entry **head, struct wheel_entry *e)
{
	e->next = *head;
	if (e->next)
		e->next->link = &e->next;
	e->link = head;
	*head = e;
}

struct mono
wheel_set(struct wheel *w, struct wheel_entry *e, struct mono when)
{
	/* The tick after the deadline, so that it has passed for certain. */
	int64_t tick = when.ms / WHEEL_TICK_MS + 1;

	wheel_drop(w, e);
	if (tick <= w->done)
		tick = w->done + 1;
	if (tick > w->done + WHEEL_SLOTS)
		tick = w->done + WHEEL_SLOTS;
	insert(&w->slot[tick % WHEEL_SLOTS], e);
	w->n++;
	return (struct mono){tick * WHEEL_TICK_MS};
}

struct wheel_entry *
wheel_due(struct wheel *w, struct mono now)
{
	int64_t tick = now.ms / WHEEL_TICK_MS;

	/* A slot is emptied before its entries are handed out: what is set meanwhile comes with a later tick. */
	while (!w->due && w->done < tick && w->n) {
		struct wheel_entry **head = &w->slot[++w->done % WHEEL_SLOTS];

		w->due = *head;
		if (w->due)
			w->due->link = &w->due;
		*head = NULL;
	}
	if (w->due) {
		struct wheel_entry *e = w->due;

		wheel_drop(w, e);
		return e;
	}
	if (w->done < tick)
		w->done = tick;
	return NULL;
}

struct mono
wheel_next(const struct wheel *w)
{
	if (w->due)
		return (struct mono){w->done * WHEEL_TICK_MS};
	if (w->n)
		for (int64_t tick = w->done + 1; tick <= w->done + WHEEL_SLOTS; tick++)
			if (w->slot[tick % WHEEL_SLOTS])
				return (struct mono){tick * WHEEL_TICK_MS};
	return MONO_NEVER;
}
