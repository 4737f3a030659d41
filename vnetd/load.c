/* SPDX-License-Identifier: GPL-2.0-or-later
 * load.c - configuration files -> struct conf_sources, by requests to priv.
 */
#include "vnetd/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fd.h"
#include "vnetd/core.h"

#define HOST_TEXT_MAX (4u << 20) /* a passwd file of many thousand users */

/* A request's number: which file of which network. */
#define FILE_KEY(file, net) ((uint32_t)(file) << 16 | (net))
#define KEY_FILE(key)       ((enum conf_file_id)((key) >> 16))
#define KEY_NET(key)        ((unsigned)((key)&0xffff))

/* why: priv's sentence, "PATH: REASON", or "". */
static void
unreadable(struct load *l, enum conf_file_id file, unsigned net, int err, const char *why)
{
	const char *reason = strstr(why, ": ");
	char name[CONF_FILE_NAME_LEN];
	struct conf_pos pos = {conf_file_name(file, net, name), 0, 0};
	bool own = file == CONF_FILE_DHCPD || file == CONF_FILE_NAT;

	l->diags->net = own ? (int)net : -1;
	if (err == EFBIG)
		diag_error(l->diags, pos, "is longer than %u bytes", CONF_FILE_MAX);
	else
		diag_error(l->diags, pos, "%s", reason ? reason + 2 : strerror(err));
	l->diags->net = -1;
	if (own)
		l->unreadable[net] = true;
	else
		l->fatal = true;
}

static struct conf_file *
slot(struct load *l, enum conf_file_id file, unsigned net)
{
	switch (file) {
	case CONF_FILE_NETWORKING:
		return &l->src.networking;
	case CONF_FILE_NETMAP:
		return &l->src.netmap;
	case CONF_FILE_VNETD:
		return &l->src.vnetd;
	case CONF_FILE_DHCPD:
		return &l->src.dhcpd[net];
	case CONF_FILE_NAT:
		return &l->src.nat[net];
	}
	return NULL;
}

/* Keeps a text until load_fini(). */
static bool
keep(struct load *l, char *text)
{
	char **v = reallocarray(l->text, l->ntexts + 1, sizeof(*v));

	if (!v) {
		free(text);
		return false;
	}
	l->text = v;
	v[l->ntexts++] = text;
	return true;
}

static void read_nets(struct core *c, struct load *l);

static void
one_less(struct core *c, struct load *l)
{
	if (--l->pending > 0)
		return;
	if (!l->second) {
		l->second = true;
		read_nets(c, l);
	} else {
		l->done(c, l->arg);
	}
}

static void
file_opened(struct core *c, const struct msg_reply *r, int *fds, size_t nfds, void *p, uint32_t n)
{
	struct load *l = p;
	struct conf_file *f = slot(l, KEY_FILE(n), KEY_NET(n));
	char *text = NULL;
	ssize_t len = r->err ? -(ssize_t)r->err : -EPROTO;

	if (!r->err && nfds == 1)
		len = fd_read_all(fds[0], &text, CONF_FILE_MAX);
	if (len >= 0 && !keep(l, text))
		len = -ENOMEM;
	if (len >= 0)
		*f = (struct conf_file){text, (size_t)len};
	else if (len != -ENOENT)
		unreadable(l, KEY_FILE(n), KEY_NET(n), (int)-len, r->text);
	one_less(c, l);
}

static void
host_opened(struct core *c, const struct msg_reply *r, int *fds, size_t nfds, void *p, uint32_t n)
{
	struct load *l = p;

	/* What is missing here costs names and guesses, not networks. */
	if (!r->err && nfds == 1 && fd_read_all(fds[0], &l->host[n], HOST_TEXT_MAX) < 0)
		l->host[n] = NULL;
	one_less(c, l);
}

static void
read_conf(struct core *c, struct load *l, enum conf_file_id file, unsigned net)
{
	struct msg m = msg_make(MSG_CONF_OPEN, 0);

	m.u.conf_open.file = (uint8_t)file;
	m.u.conf_open.net = (uint16_t)net;
	l->pending++;
	ask_priv(c, &m, NULL, 0, file_opened, l, FILE_KEY(file, net));
}

static void
read_host(struct core *c, struct load *l, enum host_file file)
{
	struct msg m = msg_make(MSG_HOST_OPEN, 0);

	m.u.host_open.file = (uint8_t)file;
	l->pending++;
	ask_priv(c, &m, NULL, 0, host_opened, l, file);
}

static void
redirect_file(struct core *c UNUSED, const struct msg *m, int *fds, size_t nfds, void *p)
{
	struct load *l = p;
	const struct msg_redirect_file *f = &m->u.redirect_file;
	char *text = NULL;
	ssize_t len;

	if (f->err || nfds != 1) {
		redirect_texts_unread(l->redirect, f->name, f->text);
		return;
	}
	len = fd_read_all(fds[0], &text, REDIRECT_FILE_MAX);
	if (len >= 0)
		redirect_texts_add(l->redirect, f->name, text, (size_t)len);
	else
		redirect_texts_unread(l->redirect, f->name,
				      len == -EFBIG ? "is longer than 1 MiB"
						    : strerrordesc_np((int)-len));
}

static void
redirect_files_read(struct core *c, const struct msg_reply *r, int *fds UNUSED, size_t nfds UNUSED,
		    void *p, uint32_t n UNUSED)
{
	struct load *l = p;
	const char *reason = strstr(r->text, ": ");

	if (r->err)
		redirect_texts_fail(l->redirect,
				    reason ? reason + 2 : strerrordesc_np((int)r->err));
	one_less(c, l);
}

static void
read_redirects(struct core *c, struct load *l)
{
	struct msg m = msg_make(MSG_REDIRECT_FILES, 0);

	l->redirect = redirect_texts_new();
	if (!l->redirect)
		return;
	l->pending++;
	ask_priv_rows(c, &m, redirect_file, redirect_files_read, l, 0);
}

/* The files that exist once are parsed here for the sake of the networks that they name; what is
 * wrong with them is said when everything is there. */
static void
read_nets(struct core *c, struct load *l)
{
	struct diags scratch;
	struct conf *conf;

	l->pending = 1;
	diags_init(&scratch);
	conf = conf_build(&l->src, &scratch);
	for (unsigned n = 0; conf && n < CONF_NETS; n++) {
		if (!conf->net[n].present)
			continue;
		read_conf(c, l, CONF_FILE_DHCPD, n);
		read_conf(c, l, CONF_FILE_NAT, n);
	}
	if (conf)
		conf_free(conf);
	diags_fini(&scratch);
	one_less(c, l);
}

void
load_start(struct core *c, struct load *l, struct diags *d, void (*done)(struct core *c, void *arg),
	   void *arg)
{
	memset(l, 0, sizeof(*l));
	l->diags = d;
	l->done = done;
	l->arg = arg;
	/* Held until all requests are out. */
	l->pending = 1;
	read_conf(c, l, CONF_FILE_NETWORKING, 0);
	read_conf(c, l, CONF_FILE_NETMAP, 0);
	read_conf(c, l, CONF_FILE_VNETD, 0);
	for (unsigned f = 0; f < HOST_FILE_N; f++)
		if (f != HOST_FILE_HOSTS)
			read_host(c, l, (enum host_file)f);
	read_redirects(c, l);
	one_less(c, l);
}

void
load_fini(struct load *l)
{
	for (size_t i = 0; i < l->ntexts; i++)
		free(l->text[i]);
	free(l->text);
	for (unsigned f = 0; f < HOST_FILE_N; f++)
		free(l->host[f]);
	redirect_texts_unref(l->redirect);
	memset(l, 0, sizeof(*l));
}
