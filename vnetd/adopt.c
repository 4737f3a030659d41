/* SPDX-License-Identifier: GPL-2.0-or-later
 * adopt.c - which network follows the new configuration, and what else it changes.
 */
#include "vnetd/adopt.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/log.h"
#include "lib/strbuf.h"
#include "vnetd/core.h"
#include "vnetd/plan.h"

/* It runs, and on another subnet. */
static bool
moves(const struct net *n, const struct conf_net *conf)
{
	return conf->present && !conf->failed && n->conf && !n->conf->failed &&
	       !prefix4_eq(n->conf->subnet, conf->subnet);
}

/* The subnet to which it moves is one that it cannot have. One that does not move is judged by settle, where its own
 * route speaks for it. */
static bool
is_move_blocked(const struct net *n, const struct conf_net *conf, const struct snapshot *now,
		char why[PLAN_WHY_MAX])
{
	char cure[PLAN_WHY_MAX];
	struct want_net w;

	if (!moves(n, conf))
		return false;
	want_net(&w, conf);
	return plan_judge(why, cure, now, n->n, &w, false) == PLAN_BLOCKED;
}

static bool
runs_well(const struct net *n)
{
	return n->conf && !n->conf->failed;
}

static void
keep_old(struct job *j, struct net *n, const struct conf_net *conf, const char *why)
{
	if (!conf->failed) {
		j->diags.net = (int)n->n;
		diag_error(&j->diags, conf->pos, "vmnet%u: %s", n->n, why);
		j->diags.net = -1;
	}
	net_text(&n->kept, n->n, why);
}

static void
adopt_net(struct core *c, struct job *j, struct generation *g, struct net *n,
	  const struct snapshot *now)
{
	const struct conf_net *conf = &g->conf->net[n->n];
	char why[PLAN_WHY_MAX];

	if (!conf->present) {
		if (n->conf) {
			log_info("vmnet%u: removed", n->n);
			events_add(c, "network-removed", n->n, "", "vmnet%u is removed", n->n);
		}
		net_configure(n, NULL, NULL);
		c->settle.sysctls_set[n->n] = 0;
		return;
	}
	if (conf->failed && runs_well(n)) {
		keep_old(j, n, conf, conf->reason ? conf->reason : "its configuration is wrong");
		return;
	}
	if (is_move_blocked(n, conf, now, why)) {
		keep_old(j, n, conf, why);
		return;
	}
	/* Another set of sysctls may be due. */
	if (n->conf && !n->conf->failed && !conf->failed && n->conf->type != conf->type)
		c->settle.sysctls_set[n->n] = 0;
	net_text(&n->kept, n->n, NULL);
	net_configure(n, g, conf);
}

/* Words for the log: "addresses, DHCP". */
static void
field_words(struct strbuf *out, unsigned fields)
{
	static const struct {
		unsigned bit;
		const char *word;
	} words[] = {
	    {CONF_F_TYPE, "type"},     {CONF_F_ADDRESS, "addresses"}, {CONF_F_MTU, "MTU"},
	    {CONF_F_UPLINK, "uplink"}, {CONF_F_DHCP, "DHCP"},         {CONF_F_FORWARDS, "forwards"},
	    {CONF_F_NAT, "NAT"},       {CONF_F_NAME, "name"},
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (fields & words[i].bit)
			strbuf_addf(out, "%s%s", out->len ? ", " : "", words[i].word);
}

static void
tell_changes(struct core *c, const struct conf_diff *d)
{
	for (size_t i = 0; i < d->nnets; i++) {
		unsigned n = d->net[i].n;
		struct strbuf what;

		if (d->net[i].kind != CONF_NET_CHANGED || c->net[n].kept)
			continue;
		strbuf_init(&what);
		field_words(&what, d->net[i].fields);
		if (what.len) {
			log_info("vmnet%u: changed: %s", n, strbuf_str(&what));
			events_add(c, "network-changed", n, "", "vmnet%u: changed: %s", n,
				   strbuf_str(&what));
		}
		strbuf_fini(&what);
	}
}

static enum log_level
log_level_of(const struct core *c, const struct conf *conf)
{
	if (c->level == LOG_LEVEL_DEBUG)
		return LOG_LEVEL_DEBUG;
	switch (conf->log_level) {
	case CONF_LOG_ERR:
		return LOG_LEVEL_ERROR;
	case CONF_LOG_WARNING:
		return LOG_LEVEL_WARN;
	case CONF_LOG_NOTICE:
	case CONF_LOG_INFO:
		return LOG_LEVEL_INFO;
	case CONF_LOG_DEBUG:
		return LOG_LEVEL_DEBUG;
	}
	return LOG_LEVEL_INFO;
}

/* The host, if anybody wants to know of it. False: out of memory. */
static bool
look(const struct core *c, const struct generation *g, struct snapshot *now)
{
	for (unsigned n = 0; n < NAMES_NETS; n++)
		if (moves(&c->net[n], &g->conf->net[n]))
			return c->io->snapshot(c->io_arg, now) == 0 && !now->bad;
	return true;
}

void
adopt(struct core *c, struct job *j)
{
	struct generation *old = c->gen, *g = generation_new(j->conf);
	struct conf_diff *diff = malloc(sizeof(*diff));
	struct snapshot now;

	j->conf = NULL;
	snapshot_init(&now);
	if (!g || !diff || !look(c, g, &now)) {
		job_fail(j, ENOMEM, "out of memory");
		goto out;
	}
	free(c->conf_error);
	c->conf_error = NULL;
	for (unsigned n = 0; n < NAMES_NETS; n++)
		adopt_net(c, j, g, &c->net[n], &now);
	redirect_adopt(c, j);
	if (old) {
		conf_diff(old->conf, g->conf, diff);
		tell_changes(c, diff);
		events_add(c, "reload", MSG_NET_ALL, "", "the configuration was read again");
	}
	c->gen = generation_ref(g);
	c->generation++;
	c->io->log_level(c->io_arg, log_level_of(c, g->conf));
	generation_unref(old);
out:
	snapshot_fini(&now);
	free(diff);
	generation_unref(g);
}
