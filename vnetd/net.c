/* SPDX-License-Identifier: GPL-2.0-or-later
 * net.c - the life of one network: configuration in force, trouble and how long it lasts, state.
 */
#include "vnetd/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "vnetd/core.h"

enum {
	RETRY_FIRST_MS = 1000,
	RETRY_MAX_MS = 60000,
	/* So many repairs in so long a time, and the network is paused. */
	REPAIRS_MAX = 10,
	REPAIRS_WINDOW_MS = 60000,
	PAUSE_MS = 30000,
};

struct generation *
generation_new(struct conf *conf)
{
	struct generation *g = malloc(sizeof(*g));

	if (!g) {
		conf_free(conf);
		return NULL;
	}
	*g = (struct generation){conf, 1};
	return g;
}

struct generation *
generation_ref(struct generation *g)
{
	g->refs++;
	return g;
}

void
generation_unref(struct generation *g)
{
	if (!g || --g->refs > 0)
		return;
	conf_free(g->conf);
	free(g);
}

bool
net_text(char **field, unsigned n, const char *text)
{
	char prefix[24];
	size_t len = (size_t)snprintf(prefix, sizeof(prefix), "vmnet%u: ", n);
	char *copy = NULL;

	if (text && !strncmp(text, prefix, len))
		text += len;
	if (text && !*text)
		text = NULL;
	if (text == NULL ? *field == NULL : *field && !strcmp(*field, text))
		return false;
	if (text)
		copy = strdup(text);
	free(*field);
	*field = copy;
	return true;
}

void
net_init(struct net *n, unsigned number)
{
	memset(n, 0, sizeof(*n));
	n->n = number;
	n->retry_at = n->paused_until = MONO_NEVER;
	n->announced = NET_STATE_N;
}

void
net_fini(struct net *n)
{
	for (unsigned s = 0; s < SERVICE_N; s++) {
		free(n->service[s].text);
		free(n->service[s].cure);
	}
	free(n->kept);
	free(n->blocked);
	free(n->contested);
	free(n->cure);
	free(n->failure);
	free(n->tap_taken);
	free(n->fight);
	generation_unref(n->gen);
	net_init(n, n->n);
}

void
net_configure(struct net *n, struct generation *g, const struct conf_net *conf)
{
	struct generation *old = n->gen;

	if (!conf) {
		net_fini(n);
		return;
	}
	n->gen = generation_ref(g);
	n->conf = conf;
	generation_unref(old);
	/* A new configuration deserves a new try at once. */
	net_text(&n->failure, n->n, NULL);
	n->tries = n->repairs = 0;
	n->retry_at = n->paused_until = MONO_NEVER;
}

static bool
is_waiting(struct mono until, struct mono now)
{
	return until.ms != MONO_NEVER.ms && mono_before(now, until);
}

void
net_want(struct want_net *w, const struct net *n, struct mono now)
{
	memset(w, 0, sizeof(*w));
	w->what = WANT_NOTHING;
	if (!n->conf)
		return;
	want_net(w, n->conf);
	if (n->conf->failed || n->blocked || is_waiting(n->retry_at, now) ||
	    is_waiting(n->paused_until, now))
		w->what = WANT_AS_IT_IS;
}

void
net_failed(struct net *n, struct mono now, const char *why)
{
	int64_t wait = RETRY_FIRST_MS;

	/* Several steps of one plan count once; the first one usually says why the others failed. */
	if (is_waiting(n->retry_at, now))
		return;
	if (net_text(&n->failure, n->n, why))
		log_warn(0, "vmnet%u: %s", n->n, n->failure ? n->failure : "a step failed");
	for (unsigned i = 0; i < n->tries && wait < RETRY_MAX_MS; i++)
		wait *= 2;
	n->tries++;
	n->paused_until = MONO_NEVER;
	n->retry_at = mono_add(now, wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS);
}

void
net_succeeded(struct net *n, struct mono now)
{
	n->runs = true;
	n->tries = 0;
	n->retry_at = MONO_NEVER;
	net_text(&n->failure, n->n, NULL);
	if (!is_waiting(n->paused_until, now))
		n->paused_until = MONO_NEVER;
}

void
net_repaired(struct net *n, struct mono now, const char *what)
{
	char text[128];

	if (n->repairs == 0 || mono_diff(now, n->repairs_since) > REPAIRS_WINDOW_MS) {
		n->repairs = 0;
		n->repairs_since = now;
	}
	if (++n->repairs < REPAIRS_MAX)
		return;
	n->repairs = 0;
	n->paused_until = mono_add(now, PAUSE_MS);
	snprintf(text, sizeof(text), "another program keeps undoing what vnetd sets up: %s", what);
	net_text(&n->fight, n->n, text);
	log_warn(0, "vmnet%u: %s; left alone for %d s", n->n, text, PAUSE_MS / 1000);
}

struct mono
net_deadline(const struct net *n)
{
	/* What stands in the way of a blocked network goes with an event. */
	if (!n->conf || n->conf->failed || n->blocked)
		return MONO_NEVER;
	return mono_min(n->retry_at, n->paused_until);
}

bool
net_has_service(const struct net *n, enum service s)
{
	const struct conf_net *conf = n->conf;

	if (!conf || conf->failed)
		return false;
	switch (s) {
	case SERVICE_DHCP:
		return conf->dhcp;
	case SERVICE_NAT:
		return conf->nat;
	case SERVICE_DNS:
		return conf->nat && conf->dns.h != 0;
	case SERVICE_FIREWALL:
		return conf->dhcp || conf->nat;
	case SERVICE_INSIDE:
		return true;
	case SERVICE_N:
		break;
	}
	return false;
}

static enum role
role_of(enum service s)
{
	return s == SERVICE_DHCP ? ROLE_DHCPD : ROLE_NATD;
}

bool
net_service_is_down(const struct core *c, const struct net *n, enum service s)
{
	if (!net_has_service(n, s) || s == SERVICE_FIREWALL || s == SERVICE_INSIDE)
		return false;
	if (c->worker[role_of(s)].gone)
		return true;
	return n->service[s].known && !n->service[s].ok;
}

static const char *
service_trouble(const struct core *c, const struct net *n)
{
	for (unsigned s = 0; s < SERVICE_N; s++) {
		if (!net_service_is_down(c, n, (enum service)s))
			continue;
		if (n->service[s].known && !n->service[s].ok && n->service[s].text)
			return n->service[s].text;
		return c->worker[role_of((enum service)s)].gone;
	}
	return NULL;
}

static const char *
trouble(const struct core *c, const struct net *n)
{
	if (n->failure)
		return n->failure;
	if (n->paused_until.ms != MONO_NEVER.ms)
		return n->fight;
	if (n->tap_taken)
		return n->tap_taken;
	if (n->conf->nat && c->forward_error)
		return c->forward_error;
	return service_trouble(c, n);
}

enum net_state
net_state(const struct core *c, const struct net *n, const char **why)
{
	*why = "";
	if (n->conf->failed) {
		*why = n->conf->reason ? n->conf->reason : "its configuration is wrong";
		return NET_STATE_FAILED;
	}
	if (n->blocked) {
		*why = n->blocked;
		return NET_STATE_FAILED;
	}
	if (!n->runs) {
		*why = n->failure ? n->failure : "";
		return n->failure ? NET_STATE_FAILED : NET_STATE_STARTING;
	}
	if (trouble(c, n)) {
		*why = trouble(c, n);
		return NET_STATE_DEGRADED;
	}
	if (n->conf->type == NET_BRIDGED) {
		*why = "there is nothing to bridge to: its guests reach each other only";
		return NET_STATE_NO_UPLINK;
	}
	return NET_STATE_OK;
}

static void
tell(struct core *c, struct net *n, enum net_state state, const char *why)
{
	switch (state) {
	case NET_STATE_OK:
	case NET_STATE_NO_UPLINK:
		log_info("vmnet%u: %s", n->n, net_state_name(state));
		events_add(c, "network-up", n->n, "", "vmnet%u is up", n->n);
		break;
	case NET_STATE_DEGRADED:
		log_warn(0, "vmnet%u: works in part: %s", n->n, why);
		events_add(c, "network-degraded", n->n, "", "vmnet%u works in part: %s", n->n, why);
		break;
	case NET_STATE_FAILED:
		log_error(0, "vmnet%u: %s", n->n, why);
		events_add(c, "network-failed", n->n, "", "vmnet%u failed: %s", n->n, why);
		break;
	case NET_STATE_STARTING:
	case NET_STATE_N:
		break;
	}
}

void
net_announce(struct core *c, struct net *n)
{
	enum net_state state;
	const char *why;

	if (!n->conf)
		return;
	state = net_state(c, n, &why);
	if (state == n->announced)
		return;
	n->announced = state;
	tell(c, n, state, why);
}
