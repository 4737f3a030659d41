/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_client.c - blocking requests to vnetd over its SEQPACKET socket.
 *
 * Every wait has a limit: a vnetd that hangs must not hang the shell of the person who looks why.
 */
#include "vnetd/ctl_client.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/chan.h"
#include "paths.h"

/* The calling user's name for a command line, or a word that stands for it. */
static const char *
user_name(void)
{
	const struct passwd *pw = getpwuid(getuid());

	return pw ? pw->pw_name : "USER";
}

/* The user database lists the caller as a member of our group. */
static bool
listed_in_group(void)
{
	const struct group *gr = getgrnam(VNET_GROUP);
	const char *me = user_name();

	if (!gr)
		return false;
	for (char **m = gr->gr_mem; *m; m++) {
		if (strcmp(*m, me) == 0)
			return true;
	}
	return false;
}

static void
explain_no_access(struct strbuf *why, const char *path)
{
	strbuf_addf(
	    why, "no access to \"%s\": it is for root and members of group " VNET_GROUP ". ", path);
	if (listed_in_group())
		strbuf_addf(
		    why,
		    "%s is a member since after this login: log in again, or put the command "
		    "into: sg " VNET_GROUP " -c '...' (or type: newgrp " VNET_GROUP ")",
		    user_name());
	else
		strbuf_addf(why,
			    "Try: sudo usermod -aG " VNET_GROUP " %s, then log in again "
			    "(or type: newgrp " VNET_GROUP ")",
			    user_name());
}

static enum ctl_exit
explain_connect(struct client *c, const char *path, int err)
{
	switch (err) {
	case EACCES:
	case EPERM:
		explain_no_access(&c->why, path);
		return CTL_FAILED;
	case ENOENT:
	case ECONNREFUSED:
		strbuf_addf(&c->why,
			    "vnetd does not run (nobody listens on \"%s\"). "
			    "Try: sudo systemctl start vnetd, or: sudo vnet-networks --start",
			    path);
		return CTL_NO_ANSWER;
	case EAGAIN:
		strbuf_addf(&c->why,
			    "vnetd does not answer: the queue of \"%s\" is full. "
			    "Try: sudo systemctl restart vnetd (guests stay connected)",
			    path);
		return CTL_NO_ANSWER;
	default:
		strbuf_addf(&c->why, "cannot connect to \"%s\": %s", path, strerror(err));
		return CTL_NO_ANSWER;
	}
}

enum ctl_exit
client_open(struct client *c, const char *run_dir)
{
	/* connect() on a full queue waits as long as a send may take. */
	const struct timeval patience = {.tv_sec = CLIENT_TIMEOUT_MS / 1000};
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct strbuf path;
	int err = 0;
	enum ctl_exit r;

	memset(c, 0, sizeof(*c));
	strbuf_init(&c->why);
	strbuf_init(&path);
	strbuf_addf(&path, "%s/vnetd.sock", run_dir);
	c->sock = -1;
	if (path.bad || path.len >= sizeof(sa.sun_path)) {
		strbuf_addf(&c->why, "the path \"%s/vnetd.sock\" is too long for a socket",
			    run_dir);
		strbuf_fini(&path);
		return CTL_USAGE;
	}
	memcpy(sa.sun_path, path.s, path.len);
	c->sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (c->sock < 0 ||
	    setsockopt(c->sock, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0 ||
	    connect(c->sock, (struct sockaddr *)&sa, sizeof(sa)) != 0)
		err = errno;
	r = err ? explain_connect(c, strbuf_str(&path), err) : CTL_OK;
	strbuf_fini(&path);
	return r;
}

void
client_close(struct client *c)
{
	fd_close(&c->sock);
	strbuf_fini(&c->why);
}

static enum ctl_exit
lost(struct client *c, int err)
{
	strbuf_fini(&c->why);
	c->err = 0;
	if (err == EPIPE || err == ECONNRESET)
		strbuf_add(&c->why, "vnetd ended while it was asked; its log says why: "
				    "journalctl -u vnetd");
	else if (err == ETIMEDOUT)
		strbuf_add(&c->why, "vnetd does not answer. Try: sudo systemctl restart vnetd "
				    "(guests stay connected)");
	else if (err == EPROTO)
		strbuf_add(&c->why,
			   "vnetd speaks another version of the protocol than this program. "
			   "Try: sudo systemctl restart vnetd (guests stay connected)");
	else
		strbuf_addf(&c->why, "cannot talk to vnetd: %s", strerror(err));
	return CTL_NO_ANSWER;
}

static enum ctl_exit
send_request(struct client *c, struct msg *request, int fd)
{
	int r;

	c->text[0] = '\0';
	c->err = 0;
	request->id = ++c->id;
	r = chan_send_blocking(c->sock, request, &fd, fd >= 0 ? 1 : 0);
	return r < 0 ? lost(c, -r) : CTL_OK;
}

bool
client_pending(const struct client *c, int timeout_ms)
{
	struct pollfd p = {.fd = c->sock, .events = POLLIN};
	int r;

	do {
		r = poll(&p, 1, timeout_ms);
	} while (r < 0 && errno == EINTR);
	return r != 0;
}

/* Waits for one message. */
static enum ctl_exit
receive(struct client *c, struct msg *m, int fds[FD_PASS_MAX], size_t *nfds, int timeout_ms)
{
	int r;

	if (!client_pending(c, timeout_ms))
		return lost(c, ETIMEDOUT);
	r = chan_recv_blocking(c->sock, m, fds, nfds);
	return r < 0 ? lost(c, -r) : CTL_OK;
}

/* The end of an answer. */
static enum ctl_exit
finish(struct client *c, const struct msg_reply *reply)
{
	if (reply->err == 0) {
		memcpy(c->text, reply->text, sizeof(c->text));
		return CTL_OK;
	}
	strbuf_fini(&c->why);
	c->err = reply->err > INT32_MAX ? EPROTO : (int)reply->err;
	if (reply->text[0])
		strbuf_add(&c->why, reply->text);
	else
		strbuf_addf(&c->why, "vnetd refused: %s", strerror(c->err));
	return CTL_FAILED;
}

/* Rows that came together. */
static enum ctl_exit
unpack(struct client *c, const struct msg_rows *rows, client_row_fn *row, void *arg)
{
	size_t at = 0;
	struct msg m;

	while (msg_unpack(&m, rows, &at))
		if (m.id == c->id && row)
			row(&m, NULL, 0, arg);
	return at == rows->rows.len ? CTL_OK : lost(c, EPROTO);
}

enum ctl_exit
client_call(struct client *c, struct msg *request, int fd, int timeout_ms, client_row_fn *row,
	    void *arg)
{
	enum ctl_exit r = send_request(c, request, fd);
	int fds[FD_PASS_MAX];
	size_t nfds = 0;
	struct msg m;

	while (r == CTL_OK) {
		r = receive(c, &m, fds, &nfds, timeout_ms);
		if (r != CTL_OK)
			break;
		if (m.id == c->id && m.type == MSG_ROWS)
			r = unpack(c, &m.u.rows, row, arg);
		else if (m.id == c->id && m.type != MSG_REPLY && row)
			row(&m, fds, nfds, arg);
		for (size_t i = 0; i < nfds; i++)
			fd_close(&fds[i]);
		if (m.id == c->id && m.type == MSG_REPLY)
			return finish(c, &m.u.reply);
	}
	return r;
}

enum ctl_exit
client_start(struct client *c, struct msg *request)
{
	return send_request(c, request, -1);
}

enum ctl_exit
client_next(struct client *c, struct msg *row, int timeout_ms, bool *end)
{
	int fds[FD_PASS_MAX];
	size_t nfds = 0;
	enum ctl_exit r = receive(c, row, fds, &nfds, timeout_ms);

	*end = false;
	if (r != CTL_OK)
		return r;
	for (size_t i = 0; i < nfds; i++)
		fd_close(&fds[i]);
	if (row->type != MSG_REPLY)
		return CTL_OK;
	*end = true;
	return finish(c, &row->u.reply);
}

void
rows_fini(struct rows *r)
{
	free(r->v);
	r->v = NULL;
	r->n = r->cap = 0;
}

static void
rows_add(struct rows *r, const void *row)
{
	if (r->n == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 16;
		void *more = reallocarray(r->v, cap, r->size);

		if (!more) {
			r->bad = true;
			return;
		}
		r->v = more;
		r->cap = cap;
	}
	memcpy((char *)r->v + r->n++ * r->size, row, r->size);
}

struct gather {
	struct rows *const *want;
	size_t nwant;
};

static void
gather_row(const struct msg *row, UNUSED int *fds, UNUSED size_t nfds, void *arg)
{
	const struct gather *g = arg;

	for (size_t i = 0; i < g->nwant; i++) {
		if (g->want[i]->type == row->type)
			rows_add(g->want[i], &row->u);
	}
}

enum ctl_exit
client_gather(struct client *c, struct msg *request, struct rows *const *want, size_t nwant)
{
	struct gather g = {want, nwant};
	enum ctl_exit r = client_call(c, request, -1, CLIENT_TIMEOUT_MS, gather_row, &g);

	for (size_t i = 0; i < nwant; i++) {
		if (r == CTL_OK && want[i]->bad) {
			strbuf_fini(&c->why);
			strbuf_add(&c->why, "out of memory");
			r = CTL_FAILED;
		}
	}
	return r;
}
