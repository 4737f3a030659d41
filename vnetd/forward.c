/* SPDX-License-Identifier: GPL-2.0-or-later
 * forward.c - see forward.h: look at two files, write one, change the model, tell natd.
 */
#include "vnetd/forward.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/change.h"
#include "conf/forward.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "vnetd/core.h"
#include "vnetd/push.h"
#include "vnetd/verb.h"

/* --- texts in force --- */

void
forward_texts_fini(struct forward_texts *t)
{
	free(t->networking.s);
	for (unsigned n = 0; n < CONF_NETS; n++)
		free(t->nat[n].s);
	*t = (struct forward_texts){.known = false};
}

static bool
copy(struct forward_text *to, const struct conf_file *from)
{
	if (!from->text)
		return true;
	to->s = malloc(from->len + 1);
	if (!to->s)
		return false;
	memcpy(to->s, from->text, from->len);
	to->s[from->len] = '\0';
	to->len = from->len;
	return true;
}

/* Every network of it follows the newest configuration. */
static bool
is_whole(const struct core *c)
{
	for (unsigned n = 0; n < CONF_NETS; n++)
		if (c->gen->conf->net[n].present && c->net[n].conf != &c->gen->conf->net[n])
			return false;
	return true;
}

void
forward_texts_take(struct core *c, const struct job *j)
{
	struct forward_texts *t = &c->forward_texts;
	struct conf_sources src = j->load.src;

	forward_texts_fini(t);
	if (j->err || !c->gen || !is_whole(c))
		return;
	/* Files that follow from others say nothing new, but lie on the disk like that. */
	conf_changes_apply(&src, &j->derived);
	t->known = copy(&t->networking, &src.networking);
	for (unsigned n = 0; n < CONF_NETS && t->known; n++)
		t->known = copy(&t->nat[n], &src.nat[n]);
}

/* --- a job --- */

void
forward_job_fini(struct forward_job *q)
{
	strbuf_fini(&q->text);
}

static bool
is_gone(const struct job *j)
{
	return j->request.type == MSG_FORWARD_REMOVE;
}

static unsigned
net_of(const struct job *j)
{
	return is_gone(j) ? j->request.u.forward_remove.net : j->request.u.forward_add.net;
}

static void
done(struct core *c, struct job *j)
{
	unsigned n = net_of(j);

	c->generation++;
	log_info("vmnet%u: changed: forwards", n);
	events_add(c, "network-changed", n, "", "vmnet%u: changed: forwards", n);
	push_forward(c, n, &j->quick.f, is_gone(j));
	verb_outcome(c, j);
	job_wait(c, j);
}

/* It is on disk, so nothing here may keep it from being in force. */
static void
written(struct core *c, const struct msg_reply *r, int *fds UNUSED, size_t nfds UNUSED, void *p,
	uint32_t n UNUSED)
{
	struct job *j = p;
	struct forward_texts *t = &c->forward_texts;
	struct forward_job *q = &j->quick;
	const struct conf_forward f = q->f;

	if (r->err) {
		job_fail(j, (int)r->err, "%s. Nothing is in force before it is on disk", r->text);
		job_finish(c, j);
		return;
	}
	if (!conf_forward_apply(c->gen->conf, net_of(j), &f, is_gone(j), &q->f)) {
		job_fail(j, ENOMEM, "out of memory; the forward comes with the next reload");
		forward_texts_fini(t);
		job_finish(c, j);
		return;
	}
	free(t->networking.s);
	t->networking.len = q->text.len;
	t->networking.s = strbuf_take(&q->text);
	t->known = t->networking.s != NULL;
	done(c, j);
}

static void
write_text(struct core *c, struct job *j)
{
	struct forward_job *q = &j->quick;
	struct msg m = msg_make(MSG_CONF_REPLACE, 0);
	AUTO_FD fd = fd_memfd("conf", strbuf_str(&q->text), q->text.len);

	if (fd < 0) {
		job_fail(j, -fd, "no memory for a configuration file");
		job_finish(c, j);
		return;
	}
	m.u.conf_replace.file = CONF_FILE_NETWORKING;
	ask_priv(c, &m, &fd, 1, written, j, 0);
}

static bool
is_same(const struct forward_text *t, const struct msg_reply *r, int *fds, size_t nfds)
{
	char *text = NULL;
	ssize_t len;
	bool same;

	if (r->err == ENOENT)
		return !t->s;
	if (r->err || nfds != 1 || !t->s)
		return false;
	len = fd_read_all(fds[0], &text, CONF_FILE_MAX);
	same = len >= 0 && (size_t)len == t->len && memcmp(text, t->s, t->len) == 0;
	if (len >= 0)
		free(text);
	return same;
}

static void
read_done(struct core *c, const struct msg_reply *r, int *fds, size_t nfds, void *p, uint32_t file)
{
	struct forward_texts *t = &c->forward_texts;
	struct job *j = p;
	struct forward_job *q = &j->quick;

	q->stale |=
	    !is_same(file == CONF_FILE_NAT ? &t->nat[net_of(j)] : &t->networking, r, fds, nfds);
	if (--q->reading > 0)
		return;
	if (q->stale || !conf_forward_text(&q->text, c->gen->conf, t->networking.s,
					   t->networking.len, net_of(j), &q->f, is_gone(j)))
		job_read(c, j);
	else
		write_text(c, j);
}

static void
read_file(struct core *c, struct job *j, enum conf_file_id file)
{
	struct msg m = msg_make(MSG_CONF_OPEN, 0);

	m.u.conf_open.file = (uint8_t)file;
	m.u.conf_open.net = file == CONF_FILE_NAT ? (uint16_t)net_of(j) : 0;
	ask_priv(c, &m, NULL, 0, read_done, j, file);
}

struct conf_forward
forward_of(const struct msg *request)
{
	const struct msg_forward_add *a = &request->u.forward_add;
	const struct msg_forward_remove *m = &request->u.forward_remove;

	if (request->type == MSG_FORWARD_REMOVE)
		return (struct conf_forward){.proto = m->proto == PROTO_TCP ? CONF_TCP : CONF_UDP,
					     .host = m->host,
					     .host_port = m->port,
					     .more = m->more};
	return (struct conf_forward){
	    .proto = a->proto == PROTO_TCP ? CONF_TCP : CONF_UDP,
	    .host = a->host,
	    .host_port = a->port,
	    .more = a->more,
	    .guest = a->guest,
	    .guest_port = a->guest_port,
	    .description = a->text[0] ? a->text : NULL,
	    .shadow = a->shadow,
	};
}

bool
forward_start(struct core *c, struct job *j)
{
	if (!c->forward_texts.known || !c->gen || c->conf_error)
		return false;
	j->quick = (struct forward_job){.reading = 2, .f = forward_of(&j->request)};
	read_file(c, j, CONF_FILE_NETWORKING);
	read_file(c, j, CONF_FILE_NAT);
	return true;
}
