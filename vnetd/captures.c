/* SPDX-License-Identifier: GPL-2.0-or-later
 * captures.c - requests for captures, and the life of those that run.
 */
#include "vnetd/captures.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/util.h"
#include "vnetd/core.h"
#include "vnetd/rights.h"

enum {
	USERS_MAX = 256,
	/* A word for a time is looked at so often: the wall clock may be set meanwhile. */
	LOOK_S = 60,
};

void
captures_fini(struct captures *cs)
{
	while (cs->head) {
		struct capture *cap = cs->head;

		cs->head = cap->next;
		free(cap);
	}
	while (cs->users) {
		struct capture_user *u = cs->users;

		cs->users = u->next;
		free(u);
	}
}

static void
tell_stop(struct core *c, uint32_t number)
{
	struct msg m = msg_make(MSG_CAPTURE_STOP, 0);

	m.u.capture_stop.capture = number;
	c->io->to_priv(c->io_arg, &m, NULL, 0);
}

void
captures_start(struct core *c)
{
	if (c->restarted)
		tell_stop(c, 0);
}

/* --- users --- */

static uint64_t
now_s(const struct core *c)
{
	return c->io->utc_ms(c->io_arg) / 1000;
}

bool
captures_is_user(const char *name)
{
	return !strncmp(name, CAPTURES_USER, sizeof(CAPTURES_USER) - 1);
}

static const char *
user_of(const char *name)
{
	return name + sizeof(CAPTURES_USER) - 1;
}

static struct capture_user *
find_user(const struct core *c, uint32_t uid)
{
	struct capture_user *u = c->captures.users;

	while (u && u->uid != uid)
		u = u->next;
	return u;
}

/* NULL: no memory, or there are too many. */
static struct capture_user *
get_user(struct core *c, uint32_t uid)
{
	struct capture_user *u = find_user(c, uid);
	size_t n = 0;

	if (u)
		return u;
	for (u = c->captures.users; u; u = u->next)
		n++;
	u = n < USERS_MAX ? calloc(1, sizeof(*u)) : NULL;
	if (!u)
		return NULL;
	u->uid = uid;
	u->net = MSG_NET_ALL;
	u->next = c->captures.users;
	c->captures.users = u;
	return u;
}

static void
name_user(const struct core *c, uint32_t uid, char *buf, size_t cap)
{
	const char *name = user_list_name(&c->users.user, uid);

	if (name)
		snprintf(buf, cap, "%s%s", CAPTURES_USER, name);
	else
		snprintf(buf, cap, "%s%u", CAPTURES_USER, (unsigned)uid);
}

/* --- the answer --- */

/* u: NULL: there is no word about this user. */
static struct promisc_answer
judge(const struct core *c, const struct capture_user *u, unsigned net,
      const struct conf_rights *rights, const char **marker)
{
	const struct conf_net *conf = net < NAMES_NETS ? c->net[net].conf : NULL;
	struct promisc asked = u ? u->promisc : (struct promisc){0};
	const struct promisc_case pc = {
	    .port = &asked,
	    .port_key = rights->capture ? CONF_PROMISC_ALLOW : -1,
	    .net_key = conf ? conf->gate.promiscuous : -1,
	    .marker = net < NAMES_NETS ? grant_marker(c, net) : "",
	    .now_s = now_s(c),
	};
	struct promisc_answer a;

	asked.by = PROMISC_BY_USER;
	a = promisc_judge(&pc);
	*marker = a.by_marker ? pc.marker : "";
	if (a.state == PROMISC_GRANTED && rights->capture)
		a.why = "capture = yes in vnetd.conf";
	return a;
}

static struct promisc_answer
judge_client(const struct core *c, const struct client *cl, unsigned net)
{
	const char *marker;
	struct rights r;

	client_rights(c, cl, &r);
	return judge(c, find_user(c, cl->uid), net, &r.conf, &marker);
}

/* --- requests --- */

static void refuse(struct core *c, const struct client *cl, uint32_t request, int err,
		   const char *fmt, ...) PRINTF_LIKE(5, 6);

static void
refuse(struct core *c, const struct client *cl, uint32_t request, int err, const char *fmt, ...)
{
	char why[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	client_reply(c, cl, request, err, why);
}

/* The request is listed until somebody decides. */
static void
refuse_user(struct core *c, const struct client *cl, uint32_t request, unsigned net,
	    const struct promisc_answer *a)
{
	struct capture_user *u = get_user(c, cl->uid);
	char name[64];

	name_user(c, cl->uid, name, sizeof(name));
	if (u && a->state == PROMISC_PENDING) {
		if (u->promisc.asked_s == 0 || u->net != net)
			events_add(c, "capture-pending", net, "", "%s asks to capture vmnet%u",
				   user_of(name), net);
		u->net = net;
		if (u->promisc.asked_s == 0)
			u->promisc.asked_s = now_s(c);
	}
	if (a->state == PROMISC_PENDING)
		refuse(
		    c, cl, request, EACCES,
		    "vmnet%u: you may not see others' traffic: %s. An administrator allows it by: "
		    "sudo vnetctl promisc allow %s --for 1h",
		    net, a->why, name);
	else
		refuse(c, cl, request, EACCES, "vmnet%u: you may not see others' traffic: %s", net,
		       a->why);
}

static unsigned
count_of(const struct core *c, uint32_t uid)
{
	unsigned n = 0;

	for (const struct capture *cap = c->captures.head; cap; cap = cap->next)
		n += cap->uid == uid;
	return n;
}

static void
remove_capture(struct core *c, struct capture *cap)
{
	struct capture **at = &c->captures.head;

	while (*at != cap)
		at = &(*at)->next;
	*at = cap->next;
	free(cap);
}

static struct capture *
find_capture(const struct core *c, uint32_t number)
{
	struct capture *cap = c->captures.head;

	while (cap && cap->number != number)
		cap = cap->next;
	return cap;
}

static void
started(struct core *c, const struct msg_reply *r, int *fds UNUSED, size_t nfds UNUSED,
	void *arg UNUSED, uint32_t number)
{
	struct capture *cap = find_capture(c, number);
	struct msg reply;

	if (!cap)
		return;
	reply = msg_reply(cap->request, (int)r->err, r->text);
	client_send(c, cap->client, &reply, NULL, 0);
	if (r->err)
		remove_capture(c, cap);
}

static struct capture *
add_capture(struct core *c, const struct client *cl, uint32_t request)
{
	struct capture *cap = calloc(1, sizeof(*cap) + cl->ngids * sizeof(cl->gid[0]));

	if (!cap)
		return NULL;
	if (++c->captures.last_number == 0)
		c->captures.last_number = 1;
	cap->number = c->captures.last_number;
	cap->client = cl->serial;
	cap->request = request;
	cap->uid = cl->uid;
	cap->ngids = cl->ngids;
	memcpy(cap->gid, cl->gid, cl->ngids * sizeof(cl->gid[0]));
	cap->next = c->captures.head;
	c->captures.head = cap;
	return cap;
}

static void
start(struct core *c, const struct client *cl, const struct msg *m, struct port *p, int fd)
{
	bool further = count_of(c, cl->uid) > 0;
	struct capture *cap = add_capture(c, cl, m->id);
	struct msg ask = msg_make(MSG_CAPTURE_START, 0);
	struct capture_user *u = find_user(c, cl->uid);

	if (!cap) {
		client_reply(c, cl, m->id, ENOMEM, "out of memory");
		return;
	}
	cap->net = m->u.capture.net;
	cap->bridge = c->net[cap->net].ifindex;
	cap->port = p ? p->ifindex : 0;
	if (u && u->promisc.word == WORD_ONCE) {
		cap->once = true;
		u->promisc.word = WORD_NONE;
	}
	if (u)
		u->promisc.asked_s = 0;
	log_info("uid %u captures %s", (unsigned)cl->uid, p ? p->ifname : "a whole network");
	events_add(c, "capture-started", cap->net, p ? port_name(p) : "", "uid %u captures %s%s",
		   (unsigned)cl->uid, p ? "at " : "the whole network", p ? port_name(p) : "");
	ask.u.capture_start.capture = cap->number;
	ask.u.capture_start.net = (uint16_t)cap->net;
	MSG_SET_STR(ask.u.capture_start.ifname, p ? p->ifname : "");
	ask.u.capture_start.further = further;
	ask_priv(c, &ask, &fd, 1, started, NULL, cap->number);
}

void
captures_request(struct core *c, const struct client *cl, const struct msg *m, const int *fds)
{
	const struct msg_capture *r = &m->u.capture;
	struct promisc_answer a;
	struct port *p = NULL;

	if (!c->net[r->net].conf || c->net[r->net].ifindex == 0) {
		refuse(c, cl, m->id, ENOENT, "there is no network vmnet%u, or it does not work now",
		       r->net);
		return;
	}
	if (r->port[0]) {
		p = port_find(c, r->port);
		if (!p || p->making || p->net != r->net || !p->on_bridge) {
			refuse(c, cl, m->id, ENOENT,
			       "vmnet%u has no port \"%s\" (see vnetctl ports vmnet%u)", r->net,
			       r->port, r->net);
			return;
		}
	}
	if (cl->uid != 0) {
		a = judge_client(c, cl, r->net);
		if (a.state != PROMISC_GRANTED) {
			refuse_user(c, cl, m->id, r->net, &a);
			return;
		}
	}
	if (cl->uid != 0 && count_of(c, cl->uid) >= CAPTURES_PER_USER) {
		refuse(c, cl, m->id, EUSERS, "you run %d captures already, which is the most",
		       CAPTURES_PER_USER);
		return;
	}
	start(c, cl, m, p, fds[0]);
}

/* --- the administrator's words --- */

static void
fill_row(const struct core *c, const struct capture_user *u, struct msg_promisc_row *r)
{
	const char *marker;
	struct conf_rights rights = {0};
	struct promisc_answer a;

	if (c->gen)
		conf_rights_of(c->gen->conf, u->uid, NULL, 0, &rights);
	a = judge(c, u, u->net, &rights, &marker);
	memset(r, 0, sizeof(*r));
	name_user(c, u->uid, r->port, sizeof(r->port));
	r->net = (uint16_t)u->net;
	r->state = (uint8_t)a.state;
	r->by = PROMISC_BY_USER;
	r->asked = u->promisc.asked_s;
	r->until = a.until_s;
	MSG_SET_STR(r->text, a.why);
	MSG_SET_STR(r->marker, marker);
}

size_t
captures_rows(const struct core *c, unsigned net, struct msg_promisc_row *out, size_t max)
{
	size_t n = 0;

	for (const struct capture_user *u = c->captures.users; u; u = u->next) {
		if (u->promisc.word == WORD_NONE && u->promisc.asked_s == 0)
			continue;
		if (net != MSG_NET_ALL && u->net != MSG_NET_ALL && u->net != net)
			continue;
		if (n < max)
			fill_row(c, u, &out[n]);
		n++;
	}
	return n;
}

static void
send_row(struct core *c, uint32_t client, uint32_t request, const struct capture_user *u)
{
	struct msg m = msg_make(MSG_PROMISC_ROW, request);

	fill_row(c, u, &m.u.promisc_row);
	client_send(c, client, &m, NULL, 0);
}

/* What was allowed for one capture counts no more. */
static void
take_back(struct core *c, uint32_t uid)
{
	for (struct capture *cap = c->captures.head; cap; cap = cap->next)
		if (cap->uid == uid)
			cap->once = false;
}

void
captures_decide_request(struct core *c, const struct client *cl, const struct msg *m)
{
	const struct msg_promisc_decide *d = &m->u.promisc_decide;
	struct capture_user *u;
	uint32_t uid;

	if (!user_list_find(&uid, &c->users.user, user_of(d->port))) {
		refuse(c, cl, m->id, ENOENT, "there is no user \"%s\"", user_of(d->port));
		return;
	}
	u = get_user(c, uid);
	if (!u) {
		client_reply(c, cl, m->id, ENOMEM, "no room for another user's word");
		return;
	}
	u->promisc.word = WORD_NONE;
	u->promisc.until_s = 0;
	if (d->verdict == PROMISC_ALLOW_ONCE) {
		u->promisc.word = WORD_ONCE;
	} else if (d->verdict == PROMISC_ALLOW_FOR) {
		u->promisc.word = WORD_FOR;
		u->promisc.until_s = now_s(c) + d->seconds;
	} else {
		u->promisc.word = d->verdict == PROMISC_DENY ? WORD_DENY : WORD_NONE;
		u->promisc.asked_s = 0;
		take_back(c, uid);
	}
	captures_review(c);
	core_wake(c);
	send_row(c, cl->serial, m->id, u);
	client_reply(c, cl, m->id, 0, NULL);
}

static bool
key_is_set(const struct core *c, const char *user)
{
	for (size_t i = 0; c->gen && i < c->gen->conf->nsubjects; i++) {
		const struct conf_subject *s = &c->gen->conf->subject[i];

		if (!s->group && !strcmp(s->name, user))
			return s->capture_set;
	}
	return false;
}

bool
captures_is_written(const struct core *c, const struct msg_promisc_decide *m)
{
	return m->verdict == PROMISC_ALLOW_ALWAYS ||
	       (m->verdict == PROMISC_REVOKE && key_is_set(c, user_of(m->port)));
}

bool
captures_edit(struct core *c, struct job *j)
{
	const struct msg_promisc_decide *m = &j->request.u.promisc_decide;
	const char *user = user_of(m->port);
	char section[sizeof(m->port) + 8];
	uint32_t uid;

	if (!user_list_find(&uid, &c->users.user, user)) {
		job_fail(j, ENOENT, "there is no user \"%s\"", user);
		return false;
	}
	snprintf(section, sizeof(section), "user %s", user);
	return conf_set(&j->edits, &j->load.src, section, "capture",
			m->verdict == PROMISC_REVOKE ? "default" : "yes", &j->diags);
}

void
captures_written(struct core *c, const struct job *j)
{
	const struct msg_promisc_decide *m = &j->request.u.promisc_decide;
	struct capture_user *u;
	uint32_t uid;

	if (!user_list_find(&uid, &c->users.user, user_of(m->port)))
		return;
	u = get_user(c, uid);
	if (!u)
		return;
	u->promisc = (struct promisc){0};
	if (m->verdict == PROMISC_REVOKE)
		take_back(c, uid);
	captures_review(c);
	send_row(c, j->client, j->request.id, u);
}

/* --- those that run --- */

void
captures_gone(struct core *c, const struct msg_capture_gone *m)
{
	struct capture *cap = find_capture(c, m->capture);
	bool quiet = !strcmp(m->how, "exit status 0") || !strcmp(m->how, "exit status 1");

	if (!cap)
		return;
	if (quiet || cap->ending)
		log_debug("vnet-capture has ended (%s)", m->how);
	else
		log_warn(0, "vnet-capture has ended (%s)", m->how);
	events_add(c, "capture-ended", cap->net, "", "a capture of uid %u has ended",
		   (unsigned)cap->uid);
	remove_capture(c, cap);
	/* Its port's gate may be fastened now. */
	fasten_again(c);
}

/* NULL: it may go on. */
static const char *
reason_to_end(const struct core *c, const struct capture *cap)
{
	const struct port *p = cap->port ? port_of_index(c, cap->port) : NULL;
	const struct capture_user *u = find_user(c, cap->uid);
	struct conf_rights rights = {0};
	struct promisc_answer a;
	const char *marker;

	if (!c->net[cap->net].conf || c->net[cap->net].ifindex != cap->bridge)
		return "its network is gone";
	if (cap->port && (!p || p->net != cap->net || !p->on_bridge))
		return "its port is gone";
	if (cap->uid == 0 || (cap->once && !(u && u->promisc.word == WORD_DENY)))
		return NULL;
	if (c->gen)
		conf_rights_of(c->gen->conf, cap->uid, cap->gid, cap->ngids, &rights);
	a = judge(c, u, cap->net, &rights, &marker);
	return a.state == PROMISC_GRANTED ? NULL : "its permission was taken back";
}

void
captures_review(struct core *c)
{
	for (struct capture *cap = c->captures.head; cap; cap = cap->next) {
		const char *why = cap->ending ? NULL : reason_to_end(c, cap);

		if (!why)
			continue;
		log_info("a capture of uid %u on vmnet%u ends: %s", (unsigned)cap->uid, cap->net,
			 why);
		events_add(c, "capture-revoked", cap->net, "", "a capture of uid %u ends: %s",
			   (unsigned)cap->uid, why);
		cap->ending = true;
		tell_stop(c, cap->number);
	}
}

bool
captures_at(const struct core *c, const struct port *p)
{
	for (const struct capture *cap = c->captures.head; cap; cap = cap->next)
		if (cap->port && cap->port == p->ifindex)
			return true;
	return false;
}

struct mono
captures_deadline(const struct core *c)
{
	struct mono t = MONO_NEVER;
	uint64_t now = now_s(c);

	for (const struct capture_user *u = c->captures.users; u; u = u->next) {
		uint64_t left;

		if (u->promisc.word != WORD_FOR)
			continue;
		left = u->promisc.until_s > now ? u->promisc.until_s - now : 0;
		t = mono_min(t, mono_add(c->now, (int64_t)(left < LOOK_S ? left : LOOK_S) * 1000));
	}
	return t;
}

bool
captures_expire(struct core *c)
{
	uint64_t now = now_s(c);
	bool some = false;

	for (struct capture_user *u = c->captures.users; u; u = u->next) {
		if (u->promisc.word != WORD_FOR || now < u->promisc.until_s)
			continue;
		u->promisc.word = WORD_NONE;
		u->promisc.until_s = 0;
		some = true;
	}
	if (some)
		captures_review(c);
	return some;
}
