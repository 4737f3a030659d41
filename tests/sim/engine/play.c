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

const struct msg_gate_set *
play_gate(struct world *w, const char *ifname)
{
	struct world_gate *g = world_gate(w, ifname);

	assert_non_null(g);
	return &g->set;
}

const char *
play_promisc(struct world *w)
{
	static char text[1024];
	struct world_client *cl = world_client(w, 0);
	struct msg m = msg_make(MSG_PROMISC_LIST, 0);

	m.u.promisc_list.net = MSG_NET_ALL;
	world_ask(w, cl, &m, -1);
	snprintf(text, sizeof(text), "%s", strbuf_str(&cl->rows));
	core_client_gone(w->core, w->now, cl->serial);
	cl->serial = 0;
	return text;
}

int
play_decide(struct world *w, uint32_t uid, const char *port, enum promisc_verdict v,
	    uint32_t seconds)
{
	struct world_client *cl = world_client(w, uid);
	struct msg m = msg_make(MSG_PROMISC_DECIDE, 0);
	int err;

	MSG_SET_STR(m.u.promisc_decide.port, port);
	m.u.promisc_decide.verdict = (uint8_t)v;
	m.u.promisc_decide.seconds = seconds;
	world_ask(w, cl, &m, -1);
	err = cl->err;
	core_client_gone(w->core, w->now, cl->serial);
	cl->serial = 0;
	return err;
}

void
play_filter(struct world *w, const char *port, bool on)
{
	struct world_client *cl = world_client(w, 0);
	struct msg m = msg_make(MSG_RX_FILTER, 0);

	MSG_SET_STR(m.u.rx_filter.port, port);
	m.u.rx_filter.promisc = on;
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, 0);
	core_client_gone(w->core, w->now, cl->serial);
	cl->serial = 0;
}

int
play_set(struct world *w, const char *port, const char *key, const char *value)
{
	struct world_client *cl = world_client(w, 0);
	struct msg m = msg_make(MSG_PORT_SETTING, 0);
	int err;

	MSG_SET_STR(m.u.port_setting.port, port);
	MSG_SET_STR(m.u.port_setting.key, key);
	MSG_SET_STR(m.u.port_setting.value, value);
	world_ask(w, cl, &m, -1);
	err = cl->err;
	core_client_gone(w->core, w->now, cl->serial);
	cl->serial = 0;
	world_run(w);
	return err;
}

void
play_port(struct world *w, const char *name)
{
	struct world_client *cl;

	play_attach(w, 1000, PORT_ATTACH, name, &cl);
	assert_int_equal(cl->err, 0);
	core_client_gone(w->core, w->now, cl->serial);
	cl->serial = 0;
	world_run(w);
}

int
play_request(struct world *w, uint32_t uid, const char *port, bool on)
{
	struct world_client *cl = world_client(w, uid);
	struct msg m = msg_make(MSG_PROMISC_ASK, 0);
	int err;

	MSG_SET_STR(m.u.promisc_ask.port, port);
	m.u.promisc_ask.on = on;
	world_ask(w, cl, &m, -1);
	err = cl->err;
	core_client_gone(w->core, w->now, cl->serial);
	cl->serial = 0;
	return err;
}

unsigned
play_told(struct world *w, const char *line)
{
	struct world_client *cl = world_client(w, 0);
	struct msg m = msg_make(MSG_EVENT_WATCH, 0);
	unsigned n = 0;

	world_ask(w, cl, &m, -1);
	for (const char *p = strbuf_str(&cl->rows); (p = strstr(p, line)); p++)
		n++;
	core_client_gone(w->core, w->now, cl->serial);
	cl->serial = 0;
	return n;
}

void
play_post(struct world *w, struct world_client *cl, struct msg *m)
{
	m->id = 77;
	assert_true(core_client_msg(w->core, w->now, cl->serial, m, NULL, 0));
	world_wait(w, 0);
}

struct msg
play_attach_msg(const char *name)
{
	struct msg m = msg_make(MSG_ATTACH, 0);

	m.u.attach.net = 8;
	m.u.attach.kind = PORT_ATTACH;
	m.u.attach.queues = 1;
	MSG_SET_STR(m.u.attach.name, name);
	return m;
}
