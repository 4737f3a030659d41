/* SPDX-License-Identifier: GPL-2.0-or-later
 * logs.c - see logs.h.
 */
#include "redird/logs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/log.h"
#include "lib/mono.h"

enum {
	/* A syslog daemon that is gone is looked for so often at most. */
	AGAIN_MS = 1000,
};

struct logsink {
	struct logsink *next;
	uint32_t number;    /* priv's; 0: /dev/log */
	int fd;             /* -1: none so far */
	uint32_t asked;     /* request under way; 0: none */
	struct mono ask_at; /* not before */
	bool wanted;
};

static struct logsink *
find(const struct logs *l, uint32_t number)
{
	struct logsink *k = l->head;

	while (k && k->number != number)
		k = k->next;
	return k;
}

static void
free_sink(struct logsink *k)
{
	fd_close(&k->fd);
	free(k);
}

void
logs_fini(struct logs *l)
{
	while (l->head) {
		struct logsink *k = l->head;

		l->head = k->next;
		free_sink(k);
	}
}

static void
ask(struct logs *l, struct logsink *k)
{
	struct msg m = msg_make(MSG_LOG_TAKE, 0);

	m.u.log_take.log = k->number;
	k->ask_at = mono_add(mono_now(), AGAIN_MS);
	k->asked = l->ask(l->arg, &m);
}

void
logs_want(struct logs *l, const struct log_place *p)
{
	struct logsink *k;

	if (p->kind == LOG_OWN)
		return;
	k = find(l, p->number);
	if (!k) {
		k = calloc(1, sizeof(*k));
		if (!k)
			return; /* its lines go into our own log */
		k->number = p->number;
		k->fd = -1;
		k->next = l->head;
		l->head = k;
	}
	k->wanted = true;
}

void
logs_renew(struct logs *l)
{
	struct logsink **at = &l->head;

	while (*at) {
		struct logsink *k = *at;

		if (!k->wanted) {
			*at = k->next;
			free_sink(k);
			continue;
		}
		k->wanted = false;
		if (k->number || k->fd < 0)
			ask(l, k);
		at = &k->next;
	}
}

unsigned
logs_count(const struct logs *l)
{
	unsigned n = 0;

	for (const struct logsink *k = l->head; k; k = k->next)
		n++;
	return n;
}

bool
logs_waits(const struct logs *l)
{
	const struct logsink *k = l->head;

	while (k && !k->asked)
		k = k->next;
	return k != NULL;
}

bool
logs_answer(struct logs *l, const struct msg *m, int *fds, size_t nfds)
{
	struct logsink *k = l->head;

	while (k && k->asked != m->id)
		k = k->next;
	if (!k)
		return false;
	k->asked = 0;
	if (m->u.reply.err == 0 && nfds == 1) {
		fd_close(&k->fd);
		k->fd = fd_take(&fds[0]);
	} else if (k->fd < 0 && k->number) {
		log_warn(0, "redirections: %s; their lines come here",
			 m->u.reply.text[0] ? m->u.reply.text : "a log is gone");
	}
	return true;
}

static bool
to_syslog(struct logs *l, struct logsink *k, const struct log_of *to, const struct tm *now,
	  const char *text)
{
	char line[LOGOUT_MAX];
	size_t len = logout_syslog(line, now, to->place.pri, text);

	if (k->fd >= 0 && send(k->fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return true;
	/* One that is slow is there. */
	if (k->fd >= 0 && (errno == EAGAIN || errno == ENOBUFS))
		return false;
	fd_close(&k->fd);
	if (!k->asked && !mono_before(mono_now(), k->ask_at))
		ask(l, k);
	return false;
}

static bool
put(struct logsink *k, struct log_of *to, const char *service, const char *line, size_t len)
{
	ssize_t n = write(k->fd, line, len);

	if (n == (ssize_t)len) {
		to->failed = false;
		return true;
	}
	if (!to->failed)
		log_warn(n < 0 ? errno : ENOSPC,
			 "redirection %s: its log cannot be written to; its lines come here",
			 service);
	to->failed = true;
	return false;
}

static bool
to_file(struct logsink *k, struct log_of *to, const char *service, const struct tm *now,
	const char *text)
{
	const struct log_place *p = &to->place;
	char line[LOGOUT_MAX];
	size_t len = logout_file(line, now, text);
	struct stat st;

	if (k->fd < 0 || fstat(k->fd, &st) < 0)
		return false;
	switch (log_limit(&to->limit, p, (uint64_t)st.st_size, len)) {
	case LOG_WRITE_SOFT:
		log_warn(
		    0, "redirection %s: its log is longer than its soft limit of %" PRIu64 " bytes",
		    service, p->soft);
		break;
	case LOG_DROP_HARD:
		log_warn(
		    0,
		    "redirection %s: its log has reached its hard limit of %" PRIu64
		    " bytes, nothing more is logged until it is shorter (empty it, or rename it "
		    "and do vnetctl reload)",
		    service, p->hard);
		return true;
	case LOG_DROP:
		return true;
	case LOG_WRITE:
		break;
	}
	return put(k, to, service, line, len);
}

bool
logs_write(struct logs *l, struct log_of *to, const char *service, const char *text)
{
	struct logsink *k = to->place.kind == LOG_OWN ? NULL : find(l, to->place.number);
	time_t now = time(NULL);
	struct tm tm;

	if (!k || !localtime_r(&now, &tm))
		return false;
	if (to->place.kind == LOG_SYSLOG)
		return to_syslog(l, k, to, &tm, text);
	return to_file(k, to, service, &tm, text);
}
