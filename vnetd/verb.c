/* SPDX-License-Identifier: GPL-2.0-or-later
 * verb.c - create, delete, set, forward; reserve.c has the reservations.
 */
#include "vnetd/verb.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/strbuf.h"
#include "vnetd/build.h"
#include "vnetd/core.h"
#include "vnetd/gate.h"
#include "vnetd/plan.h"
#include "vnetd/reserve.h"
#include "vnetd/rows.h"

/* The network that the job is about. */
static unsigned
net_of(const struct job *j)
{
	switch (j->kind) {
	case JOB_CREATE:
		return j->request.u.net_create.net;
	case JOB_DELETE:
		return j->request.u.net_delete.net;
	case JOB_SET:
		return j->request.u.net_set.net;
	case JOB_RESERVE:
		return j->request.type == MSG_RESERVE ? j->request.u.reserve.net
						      : j->request.u.unreserve.net;
	case JOB_FORWARD:
		return j->request.type == MSG_FORWARD_ADD ? j->request.u.forward_add.net
							  : j->request.u.forward_remove.net;
	case JOB_PORT:
	case JOB_START:
	case JOB_RELOAD:
		break;
	}
	return MSG_NET_ALL;
}

/* The port that a JOB_PORT is about, as its client named it. */
static const char *
port_of(const struct job *j)
{
	return j->request.type == MSG_PORT_SETTING ? j->request.u.port_setting.port
						   : j->request.u.promisc_decide.port;
}

/* "capture:USER" instead. */
static bool
is_about_user(const struct job *j)
{
	return j->request.type == MSG_PROMISC_DECIDE && captures_is_user(port_of(j));
}

static bool
edit_create(struct core *c, struct job *j)
{
	const struct msg_net_create *m = &j->request.u.net_create;
	struct build_env e;
	bool ok;

	build_env_init(&e, c);
	ok = build_env_look(&e, c, j);
	if (!ok)
		job_fail(j, ENOMEM, "out of memory");
	ok = ok && conf_create_net(&j->edits, &j->load.src, m->net, (enum net_kind)m->kind,
				   (struct prefix4){m->subnet, m->len}, &e.env, &j->diags);
	build_env_fini(&e);
	return ok;
}

static bool
edit_set(struct core *c, struct job *j)
{
	const struct msg_net_set *m = &j->request.u.net_set;
	struct build_env e;
	bool ok;

	build_env_init(&e, c);
	ok = build_env_look(&e, c, j);
	if (!ok)
		job_fail(j, ENOMEM, "out of memory");
	ok = ok &&
	     conf_set_net(&j->edits, &j->load.src, m->net, m->key, m->value, &e.env, &j->diags);
	build_env_fini(&e);
	return ok;
}

/* Guests are not pulled out of the wall by a typing mistake. */
static bool
edit_delete(struct core *c, struct job *j)
{
	unsigned n = j->request.u.net_delete.net, guests = 0;
	struct strbuf list;

	strbuf_init(&list);
	for (const struct port *p = c->ports.head; p; p = p->next)
		if (p->net == n && p->alias.kind != PORT_STATIC)
			strbuf_addf(&list, "%s%s", guests++ ? ", " : "", port_name(p));
	if (guests)
		job_fail(j, EBUSY, "vmnet%u has ports: %.300s. Detach them first", n,
			 strbuf_str(&list));
	strbuf_fini(&list);
	return !guests && conf_delete_net(&j->edits, &j->load.src, n, &j->diags);
}

static bool
edit_forward(struct job *j)
{
	const struct conf_forward f = forward_of(&j->request);

	if (j->request.type == MSG_FORWARD_ADD)
		return conf_add_forward(&j->edits, &j->load.src, j->request.u.forward_add.net, &f,
					&j->diags);
	return conf_remove_forward(&j->edits, &j->load.src, j->request.u.forward_remove.net, &f,
				   &j->diags);
}

/* The section that speaks of a port, or is to: by the name that somebody gave it, else by its guest's address,
 * which is the same when it comes back under another interface; an address itself goes by the interface. */
static void
section_of(const struct core *c, const struct port *p, const char *key, char *buf, size_t cap)
{
	const struct gate_port gp = port_identity(p);
	const struct conf_port *s = c->gen ? gate_section(c->gen->conf, &gp) : NULL;
	/* The taps of QEMU, and those that libvirt makes, get the names of those that went. */
	bool passing = p->alias.kind == PORT_HELPER || p->alias.kind == PORT_ATTACH ||
		       (p->alias.kind == PORT_ADOPTED && p->is_tap);
	bool by_mac =
	    passing && !p->alias.name[0] && !mac_is_zero(port_mac(p)) && strcmp(key, "mac") != 0;

	if (s && (s->name || strcmp(key, "mac") != 0))
		snprintf(buf, cap, "port %s", s->name ? s->name : MAC_STR(s->key));
	else
		snprintf(buf, cap, "port %s", by_mac ? MAC_STR(port_mac(p)) : port_name(p));
}

/* Ports come and go, so one that is not there is no mistake; but whoever names it now may have meant
 * another. False: it is the port itself, by another of its names. */
static bool
mirror_ok(struct core *c, struct job *j, const struct port *p, const char *name)
{
	const struct port *q = port_find(c, name);
	const struct conf_pos nowhere = {0};

	/* An address that a bridge has only learned is nobody's own. */
	if (q && !port_is_named(q, name))
		q = NULL;
	if (!*name || !strcasecmp(name, "default"))
		return true;
	if (q == p) {
		job_fail(j, EINVAL, "%s cannot mirror itself", port_name(p));
		return false;
	}
	if (!q)
		diag_warn(&j->diags, nowhere,
			  "there is no port \"%s\" now; %s gets its copies once there is one", name,
			  port_name(p));
	else if (q->net != p->net)
		diag_warn(&j->diags, nowhere,
			  "%s is on vmnet%u and %s on vmnet%u; copies stay within a network",
			  port_name(q), q->net, port_name(p), p->net);
	return true;
}

/* Out of every section that allows it: what one of them says no more, another would say instead. */
static bool
edit_revoke(struct core *c, struct job *j, const struct port *p)
{
	const struct conf_port *s[GATE_SECTIONS_MAX];
	const struct gate_port gp = port_identity(p);
	size_t n = gate_sections(s, c->gen ? c->gen->conf : NULL, &gp);
	struct conf_sources now = j->load.src;
	bool ok = true;

	for (size_t i = 0; i < n && ok; i++) {
		char section[PORT_NAME_MAX + 8];

		if (s[i]->gate.promiscuous != CONF_PROMISC_ALLOW)
			continue;
		snprintf(section, sizeof(section), "port %s",
			 s[i]->name ? s[i]->name : MAC_STR(s[i]->key));
		ok = conf_set(&j->edits, &now, section, "promiscuous", "default", &j->diags);
		conf_changes_apply(&now, &j->edits);
	}
	return ok;
}

/* Somebody else's link is no user's: whoever comes after it under this name or address is granted as well. */
static void
warn_of_heirs(struct job *j, const struct port *p, const char *section)
{
	const struct conf_pos nowhere = {0};
	struct mac mac;

	diag_warn(&j->diags, nowhere,
		  "%s belongs to no user of vnetd's, so [%s] is for whoever has that %s",
		  port_name(p), section,
		  mac_parse(&mac, section + strlen("port ")) ? "address" : "name");
}

/* Allowed for good, to this user's guest: not to somebody else's who takes its name some day. */
static bool
edit_always(struct core *c, struct job *j, const struct port *p, const char *section)
{
	const char *user = user_list_name(&c->users.user, p->alias.owner);
	struct conf_sources now = j->load.src;
	char number[sizeof("4294967295")];
	bool ok = true;

	if (p->alias.kind == PORT_ADOPTED || p->alias.owner == MSG_UID_NONE) {
		warn_of_heirs(j, p, section);
	} else {
		/* A user of a directory service has no name here. */
		snprintf(number, sizeof(number), "%" PRIu32, p->alias.owner);
		ok = conf_set(&j->edits, &now, section, "owner", user ? user : number, &j->diags);
		conf_changes_apply(&now, &j->edits);
	}
	return ok && conf_set(&j->edits, &now, section, "promiscuous", "allow", &j->diags);
}

/* The cable of somebody else's link is not ours to pull. */
static bool
link_ok(struct job *j, const struct port *p, const char *value)
{
	if (p->alias.kind != PORT_ADOPTED || strcasecmp(value, "down") != 0)
		return true;
	job_fail(
	    j, EINVAL,
	    "%s is not vnetd's interface, so its link stays as it is. At a guest of libvirt's: "
	    "virsh domif-setlink DOMAIN %s down; else: ip link set %s down",
	    port_name(p), p->ifname, p->ifname);
	return false;
}

static bool
edit_port(struct core *c, struct job *j)
{
	const struct msg_port_setting *m = &j->request.u.port_setting;
	struct port *p = port_find(c, port_of(j));
	char section[PORT_NAME_MAX + 8];

	if (is_about_user(j))
		return captures_edit(c, j);
	if (!p || p->making) {
		job_fail(j, ENOENT, "there is no port \"%s\" (see vnetctl ports)", port_of(j));
		return false;
	}
	if (j->request.type == MSG_PROMISC_DECIDE) {
		if (j->request.u.promisc_decide.verdict == PROMISC_REVOKE)
			return edit_revoke(c, j, p);
		section_of(c, p, "promiscuous", section, sizeof(section));
		return edit_always(c, j, p, section);
	}
	if (!strcasecmp(m->key, "mirror-of") && !mirror_ok(c, j, p, m->value))
		return false;
	if (!strcasecmp(m->key, "link") && !link_ok(j, p, m->value))
		return false;
	section_of(c, p, m->key, section, sizeof(section));
	return conf_set(&j->edits, &j->load.src, section, m->key, m->value, &j->diags);
}

/* What a setting does beyond the file: a cable that is plugged in again is a pardon, and a word that is
 * written, or taken back, replaces the spoken one. */
static void
port_outcome(struct core *c, const struct job *j)
{
	const struct msg_port_setting *m = &j->request.u.port_setting;
	struct port *p = port_find(c, port_of(j));

	if (!p || j->err)
		return;
	if (j->request.type == MSG_PROMISC_DECIDE)
		p->promisc.word = WORD_NONE;
	else if (!strcasecmp(m->key, "link") && !keeper_is_unplugged(c, p))
		keeper_pardon(c, p);
	else if (!strcasecmp(m->key, "mac"))
		p->promisc.unpinned = false;
	grant_announce(c);
	settle_soon(c);
}

bool
verb_edit(struct core *c, struct job *j)
{
	bool ok = true;

	switch (j->kind) {
	case JOB_START:
	case JOB_RELOAD:
		break;
	case JOB_CREATE:
		ok = edit_create(c, j);
		break;
	case JOB_DELETE:
		ok = edit_delete(c, j);
		break;
	case JOB_SET:
		ok = edit_set(c, j);
		break;
	case JOB_RESERVE:
		ok = reserve_edit(j);
		break;
	case JOB_FORWARD:
		ok = edit_forward(j);
		break;
	case JOB_PORT:
		ok = edit_port(c, j);
		break;
	}
	if (j->edits.bad)
		job_fail(j, ENOMEM, "out of memory");
	return ok && !j->edits.bad;
}

bool
verb_is_possible(struct core *c, struct job *j)
{
	unsigned n = net_of(j);
	char why[PLAN_WHY_MAX], cure[PLAN_WHY_MAX];
	enum plan_verdict v = PLAN_FREE;
	struct want_net w;
	struct snapshot s;

	if (n >= NAMES_NETS || j->kind == JOB_DELETE || j->kind == JOB_FORWARD ||
	    j->conf->net[n].failed)
		return true;
	snapshot_init(&s);
	if (c->io->snapshot(c->io_arg, &s) == 0 && !s.bad) {
		want_net(&w, &j->conf->net[n]);
		v = plan_judge(why, cure, &s, n, &w, false);
	}
	snapshot_fini(&s);
	if (v == PLAN_BLOCKED)
		job_fail(j, EADDRINUSE, "vmnet%u: %s", n, why);
	return v != PLAN_BLOCKED;
}

bool
verb_tells(const struct job *j, size_t i)
{
	unsigned n = net_of(j);

	if (j->kind == JOB_PORT)
		return i < j->ndiags_edit || j->diags.v[i].severity == DIAG_ERROR;
	return n == MSG_NET_ALL || i < j->ndiags_edit || j->diags.v[i].net == (int)n;
}

static void
sum_up_redirects(const struct core *c, const struct job *j, struct strbuf *text)
{
	const struct redirect_texts *t = j->load.redirect;

	for (const struct redirection *r = c->redirects.head; r; r = r->next)
		if (r->kept)
			strbuf_addf(text, " Redirection %s keeps its running configuration.",
				    r->conf->id);
	for (size_t i = 0; t && i < t->r.n; i++) {
		const struct redirect_service *s = &t->r.v[i];

		if (s->bad && !s->disabled && s->id && !redirect_of(c, s->id))
			strbuf_addf(text, " Redirection %s is refused.", s->id);
	}
}

/* "3 errors. vmnet8 keeps its running configuration, vmnet5 is refused" */
static void
sum_up(struct core *c, struct job *j)
{
	size_t errors = j->diags.count[DIAG_ERROR];
	struct strbuf text;

	if (errors == 0)
		return;
	strbuf_init(&text);
	strbuf_addf(&text, "%zu error%s.", errors, errors == 1 ? "" : "s");
	for (unsigned n = 0; n < NAMES_NETS; n++) {
		if (c->net[n].kept)
			strbuf_addf(&text, " vmnet%u keeps its running configuration.", n);
		else if (c->net[n].conf && c->net[n].conf->failed)
			strbuf_addf(&text, " vmnet%u is refused.", n);
	}
	sum_up_redirects(c, j, &text);
	job_fail(j, EINVAL, "%.480s", strbuf_str(&text));
	strbuf_fini(&text);
}

void
verb_outcome(struct core *c, struct job *j)
{
	unsigned n = net_of(j);
	const char *why;

	if (j->kind == JOB_RELOAD) {
		sum_up(c, j);
		/* Also where watching the marker files has failed so far. */
		grant_watch(c);
	}
	if (j->kind == JOB_PORT)
		port_outcome(c, j);
	if (n >= NAMES_NETS || j->kind == JOB_DELETE || j->request.type == MSG_FORWARD_REMOVE)
		return;
	if (!c->net[n].conf)
		job_fail(j, EIO, "vmnet%u was not made", n);
	else if (net_state(c, &c->net[n], &why) == NET_STATE_FAILED)
		job_fail(j, EIO, "vmnet%u: %s", n, why);
}

bool
verb_answer(struct core *c, struct job *j)
{
	const struct client *cl = j->client ? client_find(c, j->client) : NULL;
	unsigned n = net_of(j);
	const struct port *p;

	if (j->kind == JOB_PORT && !j->err && is_about_user(j))
		captures_written(c, j);
	else if (j->kind == JOB_PORT && !j->err && cl && (p = port_find(c, port_of(j)))) {
		if (j->request.type == MSG_PORT_SETTING) {
			rows_port(c, cl, j->request.id, p);
			return true;
		}
		grant_row(c, j->client, j->request.id, p);
	}
	if (j->kind == JOB_RESERVE && !j->err) {
		reserve_answer(c, j);
		return true;
	}
	if (!j->err && n < NAMES_NETS && j->kind != JOB_FORWARD && c->net[n].conf && j->client)
		rows_net(c, j->client, j->request.id, &c->net[n]);
	return false;
}
