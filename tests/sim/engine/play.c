/* SPDX-License-Identifier: GPL-2.0-or-later
 * play.c - scenes of these tests.
 */
#include "tests/sim/engine/play.h"

#include <fcntl.h>
#include <stdio.h>

#include "tests/unit/lib/t.h"

struct world *
play_one_net(void)
{
	struct world *w = world_new();

	world_add_net(w, 8, PLAY_NET8, NULL);
	world_start(w);
	return w;
}

bool
play_has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

void
play_quiet_restart(struct world *w)
{
	world_mark(w);
	world_restart(w);
	/* Sysctls cannot be seen, so they are set anew: nothing else. */
	for (const char *p = strbuf_str(&w->steps); *p; p = strchr(p, '\n') + 1)
		assert_memory_equal(p, "SYSCTL_SET\n", strlen("SYSCTL_SET\n"));
}

int
play_reload(struct world *w, struct world_client **out)
{
	struct world_client *cl = world_client(w, 0);
	struct msg m = msg_make(MSG_RELOAD_ASK, 0);

	world_mark(w);
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->nreplies, 1);
	if (out)
		*out = cl;
	return cl->err;
}

void
play_attach(struct world *w, uint32_t uid, enum port_kind kind, const char *name,
	    struct world_client **out)
{
	struct world_client *cl = world_client(w, uid);
	struct msg m = msg_make(MSG_ATTACH, 0);

	m.u.attach.net = 8;
	m.u.attach.kind = (uint8_t)kind;
	m.u.attach.queues = 1;
	MSG_SET_STR(m.u.attach.name, name);
	world_ask(w, cl, &m, kind == PORT_NETNS ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1);
	assert_int_equal(cl->nreplies, 1);
	*out = cl;
}

const char *
play_ports(struct world *w)
{
	static char text[2048];
	struct world_client *cl = world_client(w, 0);
	struct msg m = msg_make(MSG_PORT_LIST, 0);

	m.u.port_list.net = MSG_NET_ALL;
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, 0);
	snprintf(text, sizeof(text), "%s", strbuf_str(&cl->rows));
	core_client_gone(w->core, w->now, cl->serial);
	cl->serial = 0;
	return text;
}
