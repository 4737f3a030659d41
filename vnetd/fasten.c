/* SPDX-License-Identifier: GPL-2.0-or-later
 * fasten.c - one port after the other, see fasten.h. Asks priv for GATE_FASTEN and nothing else.
 */
#include "vnetd/fasten.h"

#include <errno.h>

#include "vnetd/ask.h"
#include "vnetd/core.h"

enum {
	QUIET_MS = 2000, /* after the last gate that was set */
	PAUSE_MS = 25,   /* between two ports, for others who want the lock of all links */
};

void
fasten_init(struct fasten *f)
{
	*f = (struct fasten){.at = MONO_NEVER};
}

void
fasten_later(struct core *c, struct port *p)
{
	if (c->fasten.never)
		return;
	p->gate.loose = true;
	c->fasten.at = mono_add(c->now, QUIET_MS);
	core_wake(c);
}

struct mono
fasten_deadline(const struct core *c)
{
	return c->fasten.asked ? MONO_NEVER : c->fasten.at;
}

/* A program that is being moved runs twice, and would copy twice; one that is replaced does not. Whoever stops
 * watching has its gate set, so that the others' turn comes. */
static struct port *
next(const struct core *c, bool *replace)
{
	bool watched[NAMES_NETS] = {false};

	for (const struct port *p = c->ports.head; p; p = p->next)
		watched[p->net] = watched[p->net] || p->gate.set.promisc;
	for (struct port *p = c->ports.head; p; p = p->next) {
		*replace = p->gate.set.span[0] || watched[p->net] || captures_at(c, p);
		if (p->gate.loose && !(*replace && p->gate.renewed) && p->gate.known &&
		    p->on_bridge && p->ifindex)
			return p;
	}
	return NULL;
}

void
fasten_again(struct core *c)
{
	bool replace;

	if (c->fasten.never || !next(c, &replace))
		return;
	c->fasten.at = mono_add(c->now, QUIET_MS);
	core_wake(c);
}

static void
fastened(struct core *c, const struct msg_reply *r, int *fds UNUSED, size_t nfds UNUSED,
	 void *arg UNUSED, uint32_t ifindex)
{
	struct port *p = port_of_index(c, (int)ifindex);
	bool replace;

	c->fasten.asked = false;
	c->fasten.never = r->err == EOPNOTSUPP;
	if (p && r->err)
		p->gate.fastened = false;
	if (r->err && r->err != EOPNOTSUPP && r->err != ENODEV)
		log_warn(0, "a port keeps the slower gate: %s", r->text);
	/* Another gate may have been set meanwhile. */
	if (!mono_before(c->now, c->fasten.at))
		c->fasten.at = mono_add(c->now, PAUSE_MS);
	if (c->fasten.never || !next(c, &replace))
		c->fasten.at = MONO_NEVER;
	core_wake(c);
}

void
fasten_timer(struct core *c)
{
	struct msg m = msg_make(MSG_GATE_FASTEN, 0);
	struct port *p;
	bool replace;

	if (mono_before(c->now, fasten_deadline(c)))
		return;
	p = next(c, &replace);
	if (!p) {
		c->fasten.at = MONO_NEVER;
		return;
	}
	p->gate.renewed = true;
	if (!replace) {
		p->gate.loose = false;
		p->gate.fastened = true;
	}
	c->fasten.asked = true;
	m.u.gate_fasten.ifindex = (uint32_t)p->ifindex;
	m.u.gate_fasten.replace = replace;
	ask_priv(c, &m, NULL, 0, fastened, NULL, (uint32_t)p->ifindex);
}
