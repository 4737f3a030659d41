/* SPDX-License-Identifier: GPL-2.0-or-later
 * guests.c - the guests of a played machine.
 */
#include "../../unit/lib/t.h"

#include "guests.h"

#include <stdio.h>

/* The file counts whole seconds and rounds ends up, but for so much between two readings of the clocks. */
#define SLACK_MS 70

static const struct mac server_mac = {{0x00, 0x50, 0x56, 0xc0, 0x00, 0x09}};
static const struct ip4 server_ip = {GUESTS_NET + 254};

static struct mac
mac_of(unsigned i)
{
	return (struct mac){{0x02, 0, 0, 0, 0, (uint8_t)i}};
}

static struct netconf *
conf(void *arg)
{
	const struct guests *g = arg;
	struct netconf *c = netconf_new(9);

	assert_non_null(c);
	c->subnet = (struct prefix4){{GUESTS_NET}, 24};
	c->server = server_ip;
	c->host.h = GUESTS_NET + 1;
	c->default_lease_s = 600;
	c->max_lease_s = 1200;
	c->booting = c->unknown_clients = c->authoritative = true;
	netconf_add_range(c, (struct ip4){GUESTS_NET + GUESTS_FIRST},
			  (struct ip4){GUESTS_NET + GUESTS_FIRST + g->range - 1}, false);
	for (unsigned i = 0; g->reserve && i < 2; i++)
		netconf_add_host(c, i, mac_of(i), (struct ip4){GUESTS_NET + GUESTS_RESERVED + i},
				 "r");
	for (unsigned i = 0; g->reserve && i < 2; i++)
		c->host_v[i].booting = true;
	assert_int_equal(netconf_seal(c), 0);
	return c;
}

/* --- what reaches them --- */

bool
guest_relies(const struct guests *g, unsigned i)
{
	return g->v[i].holds && g->v[i].until > g->m->true_ms;
}

static void
granted(struct guests *g, unsigned i, const struct dhcp_msg *reply)
{
	struct guest *t = &g->v[i];
	int64_t until = g->m->true_ms + (int64_t)reply->lease_s * 1000;

	for (unsigned k = 0; k < g->n; k++)
		if (k != i && guest_relies(g, k) && ip4_eq(g->v[k].ip, reply->yiaddr))
			fail_msg("%s is granted to guest %u while guest %u holds it",
				 IP4_STR(reply->yiaddr), i, k);
	g->acks++;
	if (reply->xid <= t->over)
		return;
	t->ip = reply->yiaddr;
	t->until = until;
	t->holds = true;
	t->stale = false;
	if (g->acked)
		g->acked(g->arg);
}

static void
sent(void *arg, const uint8_t *frame, size_t len)
{
	struct guests *g = arg;
	struct treply r;
	unsigned i;

	if (g->deaf)
		return;
	assert_true(tclient_read(&r, frame, len));
	i = r.m.chaddr.b[5];
	assert_true(i < g->n);
	if (r.m.type == DHCP_OFFER) {
		g->offers++;
		g->v[i].offered = r.m.yiaddr;
	} else if (r.m.type == DHCP_ACK) {
		granted(g, i, &r.m);
	} else if (r.m.type == DHCP_NAK) {
		g->naks++;
		g->v[i].holds = false;
	}
}

void
guests_init(struct guests *g, struct machine *m, unsigned n, unsigned range)
{
	memset(g, 0, sizeof(*g));
	g->m = m;
	g->n = n;
	g->range = range;
	m->conf = conf;
	m->sent = sent;
	m->arg = g;
	for (unsigned i = 0; i < n; i++) {
		struct guest *t = &g->v[i];

		t->c.mac = mac_of(i);
		snprintf(t->hostname, sizeof(t->hostname), "guest%u", i);
		t->c.hostname = i % 3 ? t->hostname : NULL;
		/* Some share an id, as copies of one machine do. */
		snprintf((char *)t->uid, sizeof(t->uid), "%u", i / 4);
		t->c.uid = t->uid;
		t->c.uid_len = i % 2 ? sizeof(t->uid) : 0;
	}
}

/* --- what they send --- */

static void
say(struct guests *g, unsigned i, const struct trequest *q)
{
	uint8_t buf[MACHINE_FRAME];

	g->v[i].c.xid++;
	machine_frame(g->m, buf, tclient_frame(buf, sizeof(buf), &g->v[i].c, q));
}

static void
give_up(struct guest *t)
{
	t->holds = false;
	t->over = t->c.xid;
}

void
guest_discover(struct guests *g, unsigned i)
{
	g->v[i].offered.h = 0;
	say(g, i, &(struct trequest){.type = DHCP_DISCOVER, .requested = g->v[i].ip});
}

void
guest_select(struct guests *g, unsigned i)
{
	struct guest *t = &g->v[i];

	if (t->offered.h == 0)
		return;
	if (!ip4_eq(t->ip, t->offered))
		give_up(t);
	say(g, i,
	    &(struct trequest){
		.type = DHCP_REQUEST, .requested = t->offered, .server_id = server_ip});
}

void
guest_renew(struct guests *g, unsigned i)
{
	const struct guest *t = &g->v[i];

	if (guest_relies(g, i))
		say(g, i,
		    &(struct trequest){.type = DHCP_REQUEST,
				       .ciaddr = t->ip,
				       .src = t->ip,
				       .dst = server_ip,
				       .eth_dst = server_mac});
}

void
guest_reboot(struct guests *g, unsigned i)
{
	if (g->v[i].ip.h)
		say(g, i, &(struct trequest){.type = DHCP_REQUEST, .requested = g->v[i].ip});
}

void
guest_release(struct guests *g, unsigned i)
{
	struct guest *t = &g->v[i];

	if (!guest_relies(g, i))
		return;
	give_up(t);
	say(g, i,
	    &(struct trequest){.type = DHCP_RELEASE,
			       .ciaddr = t->ip,
			       .server_id = server_ip,
			       .src = t->ip,
			       .dst = server_ip,
			       .eth_dst = server_mac});
}

void
guest_decline(struct guests *g, unsigned i)
{
	struct guest *t = &g->v[i];

	if (!guest_relies(g, i))
		return;
	give_up(t);
	say(g, i,
	    &(struct trequest){.type = DHCP_DECLINE, .requested = t->ip, .server_id = server_ip});
}

bool
guest_lease(struct guests *g, unsigned i)
{
	guest_discover(g, i);
	machine_turn(g->m);
	guest_select(g, i);
	machine_turn(g->m);
	return guest_relies(g, i);
}

/* A file that was not written anew since would end its leases too early for a machine that comes back now;
 * nothing can help between the moment at which the clock is set and that. */
void
guests_set_clock(struct guests *g, int64_t ms)
{
	if (ms > SLACK_MS - 20) {
		g->renewed = g->m->disk->renewed;
		for (unsigned i = 0; i < g->n; i++)
			g->v[i].stale = true;
	}
	machine_set_clock(g->m, ms);
}

void
guests_settle(struct guests *g)
{
	for (unsigned i = 0; i < g->n && g->m->disk->renewed != g->renewed; i++)
		g->v[i].stale = false;
}

/* --- the oracle --- */

static bool
is_statement(const char *line, size_t n)
{
	static const char *const starts[] = {
	    "\tstarts ",   "\tends ", "\thardware ethernet ", "\tuid ", "\tclient-hostname \"",
	    "\tabandoned;"};

	for (size_t i = 0; i < ARRAY_LEN(starts); i++)
		if (n >= strlen(starts[i]) && memcmp(line, starts[i], strlen(starts[i])) == 0)
			return line[n - 1] == ';' && !memchr(line, '{', n);
	return false;
}

/* As strict as the strictest of the programs that read VMware's file (tests/kit/strict.py has all of them). */
static bool
is_readable(const char *text)
{
	bool inside = false;

	while (*text) {
		const char *end = strchr(text, '\n');
		size_t n = end ? (size_t)(end - text) : 0;

		if (!end)
			return false;
		if (inside && n == 1 && *text == '}')
			inside = false;
		else if (inside
			     ? !is_statement(text, n)
			     : n && *text != '#' && (memcmp(text, "lease ", 6) || end[-1] != '{'))
			return false;
		else if (!inside)
			inside = n && *text == 'l';
		text = end + 1;
	}
	return !inside;
}

const char *
guests_check(const struct guests *g, struct machine *after, uint64_t *leases)
{
	static char why[160];
	const char *text = disk_leases(after->disk), *doubles = machine_doubles(after);

	if (doubles)
		return doubles;
	if (!text || !is_readable(text))
		return "the file cannot be read by others";
	for (unsigned i = 0; i < g->n; i++) {
		const struct guest *t = &g->v[i];
		int64_t until = t->until - after->true_ms + after->wall_ms;
		struct msg_lease_row row;

		if (!t->holds || t->until <= after->true_ms || t->stale)
			continue;
		++*leases;
		if (!machine_lease(after, t->ip, &row))
			snprintf(why, sizeof(why), "guest %u has lost %s", i, IP4_STR(t->ip));
		else if (!mac_eq(row.mac, t->c.mac))
			snprintf(why, sizeof(why), "another has %s of guest %u", IP4_STR(t->ip), i);
		else if ((int64_t)row.ends * 1000 + SLACK_MS < until)
			snprintf(why, sizeof(why), "%s of guest %u ends %lld ms too early",
				 IP4_STR(t->ip), i, (long long)(until - (int64_t)row.ends * 1000));
		else
			continue;
		return why;
	}
	return NULL;
}
