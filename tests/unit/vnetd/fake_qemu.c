/* SPDX-License-Identifier: GPL-2.0-or-later
 * fake_qemu.c - the stand-in monitor: blocking, line by line.
 */
#include "fake_qemu.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_S 20

__attribute__((noreturn)) static void
die(const char *text, const char *what)
{
	fprintf(stderr, "fake qemu: %s%s\n", text, what);
	_exit(1);
}

int
qemu_listen(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	unlink(path);
	if (sock < 0 || bind(sock, (struct sockaddr *)&sa, sizeof(sa)) != 0 || listen(sock, 1) != 0)
		return -1;
	return sock;
}

void
qemu_say(struct qemu *q, const char *text)
{
	fputs(text, q->out);
	if (fflush(q->out) != 0)
		die("the client has gone before ", text);
}

/* The next command must be this one. */
static void
hear(struct qemu *q, const char *command)
{
	char line[256], want[256];

	if (!fgets(line, sizeof(line), q->in))
		die("the client ended instead of ", command);
	snprintf(want, sizeof(want), "{\"execute\": \"%s\", \"id\": %u}\n", command, ++q->id);
	if (strcmp(line, want) != 0)
		die("unexpected: ", line);
}

struct qemu
qemu_meet(int listener)
{
	struct ucred cred = {0};
	socklen_t len = sizeof(cred);
	struct qemu q = {0};
	char text[64];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	alarm(PATIENCE_S);
	q.sock = accept(listener, NULL, NULL);
	if (q.sock < 0 || getsockopt(q.sock, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		die("no client", "");
	q.client = cred.pid;
	q.in = fdopen(q.sock, "r");
	q.out = fdopen(dup(q.sock), "w");
	if (!q.in || !q.out)
		die("out of memory", "");
	qemu_say(&q, "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, "
		     "\"major\": 7}, \"package\": \"\"}, \"capabilities\": [\"oob\"]}}\r\n");
	hear(&q, "qmp_capabilities");
	snprintf(text, sizeof(text), "{\"return\": {}, \"id\": %u}\r\n", q.id);
	qemu_say(&q, text);
	return q;
}

void
qemu_answer(struct qemu *q, const struct qemu_card *card, size_t n)
{
	hear(q, "query-rx-filter");
	fputs("{\"return\": [", q->out);
	for (size_t i = 0; i < n; i++) {
		const struct qemu_card *c = &card[i];

		fprintf(q->out,
			"%s{\"promiscuous\": %s, \"name\": \"%s\", \"main-mac\": \"%s\", "
			"\"unicast\": \"normal\", \"vlan\": \"normal\", \"vlan-table\": [0], "
			"\"unicast-table\": [], \"multicast\": \"%s\", \"multicast-table\": [",
			i ? ", " : "", c->promisc ? "true" : "false", c->name, c->mac,
			c->all_multicast ? "all" : "normal");
		for (unsigned g = 0; g < c->groups; g++)
			fprintf(q->out, "%s\"33:33:00:00:00:%02x\"", g ? ", " : "", g);
		fputs("]}", q->out);
	}
	fprintf(q->out, "], \"id\": %u}\r\n", q->id);
	qemu_say(q, "");
}

void
qemu_event(struct qemu *q, const char *event)
{
	fprintf(q->out,
		"{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": \"%s\", "
		"\"data\": {}}\r\n",
		event);
	qemu_say(q, "");
}

void
qemu_change(struct qemu *q, const struct qemu_card *card, size_t n)
{
	qemu_event(q, "NIC_RX_FILTER_CHANGED");
	qemu_answer(q, card, n);
}

void
qemu_await_end(struct qemu *q)
{
	char line[256];

	if (fgets(line, sizeof(line), q->in))
		die("unexpected: ", line);
}

void
qemu_end(struct qemu *q)
{
	fclose(q->out);
	fclose(q->in);
	_exit(0);
}
