/* SPDX-License-Identifier: GPL-2.0-or-later
 * server.c - what the server does with a message: RFC 2131 4.3. Pure; see server.h for the
 * contract.
 *
 * A client is its MAC; its client id is remembered and echoed, and finds a lease again that has
 * ended. DEPARTS from RFC 2131 4.2, which prefers the id: guests change it between installer and
 * first boot, and copied VMs share it.
 */
#include "dhcpd/server.h"

#include "dhcpd/reply.h"
#include "dhcpd/server_state.h"
#include "lib/gate.h"
#include "lib/util.h"

static const char *const drop_texts[] = {
#define D(NAME, text) [DHCP_DROP_##NAME] = text,
    DHCP_DROP_LIST(D)
#undef D
};
static_assert(ARRAY_LEN(drop_texts) == DHCP_DROP_N, "every drop reason has a text");

const char *
dhcp_drop_text(enum dhcp_drop d)
{
	return d < DHCP_DROP_N ? drop_texts[d] : "?";
}

/* One message while it is worked on. */
struct job {
	struct dhcp_server *s;
	const struct dhcp_msg *m;
	struct dhcp_in in;
	struct dhcp_clock clk;
	uint8_t *buf;
	struct dhcp_out *out;
};

/* --- outcomes --- */

static void
drop(struct job *j, enum dhcp_drop why)
{
	j->out->drop = why;
}

static void
send_reply(struct job *j, const struct reply *r)
{
	struct dhcp_server *s = j->s;
	bool full = false;

	j->out->frame_len = reply_encode(j->buf, DHCP_FRAME_MAX, s->conf, s->mac, &j->in, r, &full);
	j->out->reply = r->type;
	j->out->drop = DHCP_DROP_NONE;
	s->stats.sent[r->type]++;
	s->stats.reply_full += full;
}

static struct dhcp_change *
add_change(struct job *j, enum dhcp_event event, const struct lease *l)
{
	struct dhcp_change *c = &j->out->change[j->out->nchanges++];

	assert(j->out->nchanges <= DHCP_CHANGES_MAX);
	c->event = event;
	c->mac = j->m->chaddr;
	c->fresh = false;
	dhcp_lease_rec(l, j->clk, &c->rec);
	return c;
}

/* --- rules --- */

struct mono
second_floor(struct dhcp_clock clk)
{
	return mono_add(clk.now, -(clk.wall_ms % 1000));
}

static uint32_t
lease_seconds(const struct netconf *c, const struct dhcp_msg *m)
{
	const struct netconf_host *h = netconf_host_find(c, m->chaddr);
	uint32_t s = h && h->default_lease_s ? h->default_lease_s : c->default_lease_s;
	uint32_t max = h && h->max_lease_s ? h->max_lease_s : c->max_lease_s;
	uint32_t min = h && h->min_lease_s ? h->min_lease_s : c->min_lease_s;

	if (min == 0)
		min = s < DHCP_LEASE_MIN_S ? s : DHCP_LEASE_MIN_S;
	if (m->has_lease_s)
		s = m->lease_s;
	if (s < min)
		s = min;
	return s > max ? max : s;
}

static bool
is_served(const struct job *j)
{
	return j->s->conf->unknown_clients || netconf_host_find(j->s->conf, j->m->chaddr);
}

/* The client may have this address now. */
static bool
is_grantable(const struct job *j, struct ip4 ip)
{
	return is_served(j) && netconf_fits(j->s->conf, ip, j->m->chaddr) &&
	       pool_is_free(j->s->leases, ip, j->m->chaddr);
}

/* The port by which the message came, 0: unknown. */
static unsigned
port_of(const struct dhcp_server *s)
{
	return DHCP_STAMP_IS(s->stamp) ? DHCP_STAMP_SLOT(s->stamp) : 0;
}

/* One address more than the port may hold. Not so for one that the client holds already or that is
 * reserved for it: whoever invents clients gets none of those. */
static bool
is_over_quota(const struct job *j, struct ip4 ip)
{
	const struct netconf_host *h = netconf_host_find(j->s->conf, j->m->chaddr);
	const struct lease *l = lease_find_ip(j->s->leases, ip);
	unsigned most = DHCP_STAMP_IS(j->s->stamp) ? DHCP_STAMP_LEASES(j->s->stamp) : 0;
	const struct lease *before = lease_find_mac(j->s->leases, j->m->chaddr);
	size_t held = lease_table_held(j->s->leases, port_of(j->s));

	/* The lease that ends with this grant, end_previous(). */
	if (before && before->state == LEASE_ACTIVE && before->port == port_of(j->s))
		held--;
	if (most == 0 || held < most)
		return false;
	if (h && ip4_eq(h->ip, ip))
		return false;
	return !l || !mac_eq(l->mac, j->m->chaddr) ||
	       (l->state != LEASE_OFFERED && l->state != LEASE_ACTIVE);
}

/* The client has, had or was offered this address, and nobody else since. */
static struct lease *
own_entry(const struct job *j, struct ip4 ip)
{
	struct lease *l = lease_find_ip(j->s->leases, ip);

	return l && mac_eq(l->mac, j->m->chaddr) ? l : NULL;
}

/* We know where this client belongs. */
static bool
has_record(const struct job *j)
{
	const struct netconf_host *h = netconf_host_find(j->s->conf, j->m->chaddr);

	return (h && h->ip.h) || lease_each_mac(j->s->leases, j->m->chaddr, NULL);
}

/* The client has a reservation that it could have, and this is not it. */
static bool
belongs_elsewhere(const struct job *j, struct ip4 ip)
{
	struct ip4 reserved = pool_reservation(j->s->conf, j->s->leases, j->m->chaddr);

	return reserved.h && !ip4_eq(reserved, ip);
}

/* --- granting --- */

/* A client that got another address has given up the one before. Files that show both as active
 * mislead their readers. */
static void
end_previous(struct job *j, struct ip4 granted)
{
	struct lease *l;

	for (l = lease_each_mac(j->s->leases, j->m->chaddr, NULL); l;
	     l = lease_each_mac(j->s->leases, j->m->chaddr, l)) {
		if (l->state != LEASE_ACTIVE || ip4_eq(l->ip, granted))
			continue;
		book_end(j->s, l, second_floor(j->clk));
		add_change(j, DHCP_EVENT_RELEASED, l);
		return; /* there is at most one */
	}
}

static void
grant(struct job *j, struct ip4 ip)
{
	const struct dhcp_msg *m = j->m;
	struct dhcp_server *s = j->s;
	uint32_t lease_s = lease_seconds(s->conf, m);
	struct dhcp_change *c;
	struct lease *l;
	struct mono end;
	bool held;

	if (is_over_quota(j, ip)) {
		drop(j, DHCP_DROP_QUOTA);
		return;
	}
	l = book_entry(s, ip);
	if (!l) {
		drop(j, DHCP_DROP_NO_ADDRESS);
		return;
	}
	end_previous(j, ip);
	held = l->state == LEASE_ACTIVE && mac_eq(l->mac, m->chaddr);
	lease_set_client(s->leases, l, m->chaddr, m->client_id.b, m->client_id.len);
	lease_set_port(s->leases, l, port_of(s));
	if (m->hostname[0])
		lease_set_hostname(l, m->hostname);
	end = mono_add(second_floor(j->clk),
		       ((int64_t)lease_s + (j->clk.wall_ms % 1000 != 0)) * 1000);
	/* Never sooner than promised before: the client may not hear this answer. */
	if (held && mono_before(end, l->end))
		end = l->end;
	l->start = second_floor(j->clk);
	l->end = end;
	l->recorded = true;
	lease_set_state(s->leases, l, LEASE_ACTIVE, l->end);
	c = add_change(j, held ? DHCP_EVENT_RENEWED : DHCP_EVENT_LEASED, l);
	c->fresh = !held;
	send_reply(j, &(struct reply){.type = DHCP_ACK, .yiaddr = ip, .lease_s = lease_s});
}

/* The client is told no. A lease that it holds stays until it runs out or the client has another
 * one: it may not hear us, and go on. What was only offered is free at once. */
static void
refuse(struct job *j, struct ip4 ip, const char *why)
{
	struct lease *l = own_entry(j, ip);

	if (l && l->state == LEASE_OFFERED)
		book_end(j->s, l, l->end);
	send_reply(j, &(struct reply){.type = DHCP_NAK, .message = why});
}

/* --- messages --- */

/* RFC 2563: there is no address for a client that would choose one itself. Whether it may is answered when
 * the configuration has an answer; else there is none, as for everybody. */
static void
offer_nothing(struct job *j, enum dhcp_drop why)
{
	const struct netconf_host *h = netconf_host_find(j->s->conf, j->m->chaddr);

	if (!j->m->has_auto_config || !netconf_option(j->s->conf, h, OPT_AUTO_CONFIG)) {
		drop(j, why);
		return;
	}
	send_reply(j, &(struct reply){.type = DHCP_OFFER});
	j->s->stats.dropped[why]++; /* a full pool stays visible */
}

/* The lease is about to be held for the client, if it is not already. */
static void
note_offer(struct job *j, const struct lease *l)
{
	struct dhcp_offer *o = &j->out->offer;

	j->out->offered = l->state != LEASE_OFFERED || !mac_eq(l->mac, j->m->chaddr);
	o->ip = l->ip;
	o->mac = j->m->chaddr;
	memcpy(o->hostname, j->m->hostname, sizeof(o->hostname));
}

/* RFC 2131 4.3.1 */
static void
on_discover(struct job *j)
{
	const struct dhcp_msg *m = j->m;
	struct dhcp_server *s = j->s;
	struct lease *l;
	struct ip4 ip;

	if (!is_served(j)) {
		offer_nothing(j, DHCP_DROP_UNKNOWN_CLIENT);
		return;
	}
	ip = pool_choose(&s->cursor, s->conf, s->leases, m->chaddr, m->client_id.b,
			 m->client_id.len, m->requested);
	if (ip.h && is_over_quota(j, ip)) {
		offer_nothing(j, DHCP_DROP_QUOTA);
		return;
	}
	l = ip.h ? book_entry(s, ip) : NULL;
	if (!l || conflict_is_fresh(l, j->clk.now)) {
		offer_nothing(j, DHCP_DROP_NO_ADDRESS);
		return;
	}
	if (l->state != LEASE_ACTIVE) {
		note_offer(j, l);
		lease_set_client(s->leases, l, m->chaddr, m->client_id.b, m->client_id.len);
		lease_set_port(s->leases, l, port_of(s));
		lease_set_state(s->leases, l, LEASE_OFFERED,
				mono_add(j->clk.now, DHCP_OFFER_HOLD_MS));
		conflict_probe(s, l, j->clk.now, j->out);
	}
	send_reply(j, &(struct reply){
			  .type = DHCP_OFFER, .yiaddr = ip, .lease_s = lease_seconds(s->conf, m)});
}

/* The client has chosen another server: what we held for it is free at once. */
static void
on_other_server(struct job *j)
{
	struct lease *l;

	for (l = lease_each_mac(j->s->leases, j->m->chaddr, NULL); l;
	     l = lease_each_mac(j->s->leases, j->m->chaddr, l)) {
		if (l->state == LEASE_OFFERED)
			book_end(j->s, l, l->end);
	}
	drop(j, DHCP_DROP_OTHER_SERVER);
}

/* RFC 2131 4.3.2, SELECTING: it names us and the address that we offered. DEPARTS: an address
 * that we do not remember offering (we were restarted in between) is granted when it can be. */
static void
on_selecting(struct job *j)
{
	struct ip4 ip = j->m->requested.h ? j->m->requested : j->m->ciaddr;

	if (ip.h == 0)
		drop(j, DHCP_DROP_INCOMPLETE);
	else if (is_grantable(j, ip))
		grant(j, ip);
	else
		refuse(j, ip, "address not available");
}

/* RFC 2131 4.3.2, INIT-REBOOT (the client remembers `ip`), RENEWING and REBINDING (it uses it).
 *
 * The RFC demands silence about clients without a record, for the sake of other servers. DEPARTS
 * when the client asks us by unicast, so that its lease is ours, or when the configuration says
 * that there are no other servers (authoritative, as on VMware's networks): then the address is
 * granted if it is free, so that guests keep theirs when a lease file was lost, and refused if
 * not, so that they need not time out. */
static void
on_extending(struct job *j, struct ip4 ip)
{
	const struct netconf *c = j->s->conf;
	const struct netconf_host *h = netconf_host_find(c, j->m->chaddr);
	bool own = own_entry(j, ip) || (h && ip4_eq(h->ip, ip));
	bool known = own || has_record(j);
	bool ours = c->authoritative || ip4_eq(j->in.dst, c->server);

	if (!is_served(j) && !own)
		drop(j, DHCP_DROP_UNKNOWN_CLIENT);
	else if (!known && !ours)
		drop(j, DHCP_DROP_NO_RECORD);
	else if (!prefix4_contains(c->subnet, ip))
		refuse(j, ip, "wrong network");
	else if (known && !own)
		refuse(j, ip, "not your address");
	else if (!is_grantable(j, ip))
		refuse(j, ip, "address not available");
	else if (belongs_elsewhere(j, ip))
		refuse(j, ip, "another address is reserved for you");
	else
		grant(j, ip);
}

static void
on_request(struct job *j)
{
	const struct dhcp_msg *m = j->m;

	if (m->server_id.h && !ip4_eq(m->server_id, j->s->conf->server))
		on_other_server(j);
	else if (m->server_id.h)
		on_selecting(j);
	else if (m->ciaddr.h)
		on_extending(j, m->ciaddr);
	else if (m->requested.h)
		on_extending(j, m->requested);
	else
		drop(j, DHCP_DROP_INCOMPLETE);
}

/* Whether a DECLINE or RELEASE is about a lease of this client from this server. */
static struct lease *
owned_lease(struct job *j, struct ip4 ip)
{
	struct lease *l;

	if (ip.h == 0) {
		drop(j, DHCP_DROP_INCOMPLETE);
		return NULL;
	}
	if (j->m->server_id.h && !ip4_eq(j->m->server_id, j->s->conf->server)) {
		drop(j, DHCP_DROP_OTHER_SERVER);
		return NULL;
	}
	l = own_entry(j, ip);
	if (!l || (l->state != LEASE_ACTIVE && l->state != LEASE_OFFERED)) {
		drop(j, DHCP_DROP_NOT_OWNER);
		return NULL;
	}
	return l;
}

/* RFC 2131 4.3.3: somebody else uses the address. */
static void
on_decline(struct job *j)
{
	struct lease *l = owned_lease(j, j->m->requested);

	if (!l)
		return;
	drop(j, DHCP_DROP_NO_ANSWER);
	book_abandon(j->s, l, second_floor(j->clk));
	add_change(j, DHCP_EVENT_DECLINED, l);
}

/* RFC 2131 4.3.4 */
static void
on_release(struct job *j)
{
	struct lease *l = owned_lease(j, j->m->ciaddr);

	if (!l)
		return;
	drop(j, DHCP_DROP_NO_ANSWER);
	if (l->state != LEASE_ACTIVE) {
		book_end(j->s, l, l->end);
		return;
	}
	book_end(j->s, l, second_floor(j->clk));
	add_change(j, DHCP_EVENT_RELEASED, l);
}

/* RFC 2131 4.3.5: parameters only, for a client that has its address from elsewhere. */
static void
on_inform(struct job *j)
{
	if (j->m->ciaddr.h == 0)
		drop(j, DHCP_DROP_INCOMPLETE);
	else if (!prefix4_contains(j->s->conf->subnet, j->m->ciaddr))
		drop(j, DHCP_DROP_NO_RECORD);
	else if (!is_served(j))
		drop(j, DHCP_DROP_UNKNOWN_CLIENT);
	else
		send_reply(j, &(struct reply){.type = DHCP_ACK});
}

/* RFC 951 and 1534: an address for ever, so only a client for which one is set aside can have it, and no
 * lease file needs to know. */
static void
on_bootp(struct job *j)
{
	const struct netconf_host *h = netconf_host_find(j->s->conf, j->m->chaddr);
	struct ip4 ip = pool_reservation(j->s->conf, j->s->leases, j->m->chaddr);

	if (!h || !h->bootp || h->ip.h == 0)
		drop(j, DHCP_DROP_BOOTP);
	else if (ip.h == 0)
		drop(j, DHCP_DROP_NO_ADDRESS);
	else
		send_reply(j, &(struct reply){.type = DHCP_NONE, .yiaddr = ip});
}

/* --- input --- */

static const struct mac broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

/* A bridge shows us its guests' unicasts to each other too. */
static bool
is_for_us(const struct dhcp_server *s, const struct udp4_frame *f)
{
	if (f->dport != DHCP_SERVER_PORT)
		return false;
	if (!mac_eq(f->eth_dst, s->mac) && !mac_eq(f->eth_dst, broadcast))
		return false;
	return ip4_eq(f->dst, s->conf->server) || f->dst.h == UINT32_MAX ||
	       ip4_eq(f->dst, prefix4_broadcast(s->conf->subnet));
}

static enum dhcp_drop
refused_by_decoder(enum dhcp_decode d)
{
	return d == DHCP_DECODE_HARDWARE ? DHCP_DROP_HARDWARE : DHCP_DROP_MALFORMED;
}

/* Whom a message is about is the sender's word; the gate vouches for the source of its frame and for the port. Behind
 * a relay agent or a bridge that translates addresses they differ, so such a message is heard, but not about what
 * another port's client holds: it cannot give that up, nor take it over where ip-guard goes by leases. There, what
 * is reserved is for its own card. */
static bool
is_forged(const struct dhcp_server *s, const struct udp4_frame *f, const struct dhcp_msg *m)
{
	bool guarded = DHCP_STAMP_IS(s->stamp) && s->stamp & DHCP_STAMP_GUARD;
	const struct netconf_host *h;
	bool holds = false;

	if (mac_eq(f->eth_src, m->chaddr) ||
	    (!guarded && m->type != DHCP_RELEASE && m->type != DHCP_DECLINE))
		return false;
	for (struct lease *l = lease_each_mac(s->leases, m->chaddr, NULL); l;
	     l = lease_each_mac(s->leases, m->chaddr, l)) {
		if (l->state != LEASE_OFFERED && l->state != LEASE_ACTIVE)
			continue;
		if (l->port != port_of(s))
			return true;
		holds = true;
	}
	h = netconf_host_find(s->conf, m->chaddr);
	return guarded && !holds && h && h->ip.h;
}

/* What makes a message none of our business whatever its type. */
static enum dhcp_drop
check_message(const struct dhcp_server *s, const struct udp4_frame *f, const struct dhcp_msg *m)
{
	const struct netconf_host *h;

	if (m->op != BOOTP_REQUEST)
		return DHCP_DROP_NOT_REQUEST;
	if (mac_eq(m->chaddr, s->mac))
		return DHCP_DROP_OWN_MAC;
	h = netconf_host_find(s->conf, m->chaddr);
	if (m->type != DHCP_RELEASE && m->type != DHCP_DECLINE &&
	    (h ? !h->booting : !s->conf->booting))
		return DHCP_DROP_NOT_BOOTING;
	if (is_forged(s, f, m))
		return DHCP_DROP_FORGED;
	/* A relay agent inside the network is answered; we serve no other networks through it. */
	if (m->giaddr.h &&
	    (!prefix4_contains(s->conf->subnet, m->giaddr) || netconf_owns(s->conf, m->giaddr)))
		return DHCP_DROP_RELAY;
	return DHCP_DROP_NONE;
}

static void
dispatch(struct job *j)
{
	switch (j->m->type) {
	case DHCP_DISCOVER:
		on_discover(j);
		return;
	case DHCP_REQUEST:
		on_request(j);
		return;
	case DHCP_DECLINE:
		on_decline(j);
		return;
	case DHCP_RELEASE:
		on_release(j);
		return;
	case DHCP_INFORM:
		on_inform(j);
		return;
	case DHCP_NONE:
		on_bootp(j);
		return;
	case DHCP_OFFER:
	case DHCP_ACK:
	case DHCP_NAK:
		drop(j, DHCP_DROP_NOT_REQUEST);
		return;
	case DHCP_TYPE_N:
		break;
	}
	drop(j, DHCP_DROP_MALFORMED);
}

static void
input(struct dhcp_server *s, const struct udp4_frame *f, struct dhcp_clock clk, uint8_t *buf,
      struct dhcp_out *out)
{
	struct dhcp_msg m;
	enum dhcp_decode d;
	struct job j = {.s = s,
			.m = &m,
			.in = {.eth_src = f->eth_src, .src = f->src, .dst = f->dst, .m = &m},
			.clk = clk,
			.buf = buf,
			.out = out};

	d = dhcp_msg_decode(&m, f->data, f->len);
	if (d != DHCP_DECODE_OK) {
		drop(&j, refused_by_decoder(d));
		return;
	}
	s->stats.received[m.type]++;
	s->stats.relay_info += m.has_relay_info;
	out->drop = check_message(s, f, &m);
	if (out->drop == DHCP_DROP_NONE)
		dispatch(&j);
}

void
dhcp_server_set_stamp(struct dhcp_server *s, uint32_t stamp)
{
	s->stamp = stamp;
}

void
dhcp_server_input(struct dhcp_server *s, const void *frame, size_t len, struct dhcp_clock clk,
		  uint8_t *buf, struct dhcp_out *out)
{
	struct udp4_frame f;

	out->drop = DHCP_DROP_NONE;
	out->reply = DHCP_NONE;
	out->frame_len = 0;
	out->nchanges = 0;
	out->offered = false;
	out->probe_len = 0;
	out->conflict.found = CONFLICT_NONE;
	if (arp4_frame_claims(frame, len)) {
		out->drop = DHCP_DROP_NO_ANSWER; /* and is not counted: most say nothing to us */
		conflict_input(s, frame, len, clk, out);
		return;
	}
	if (!udp4_frame_decode(&f, frame, len, FRAME_CSUM_MAYBE))
		out->drop = DHCP_DROP_FRAME;
	else if (!is_for_us(s, &f))
		out->drop = DHCP_DROP_NOT_FOR_US;
	else
		input(s, &f, clk, buf, out);
	if (out->drop != DHCP_DROP_NONE)
		s->stats.dropped[out->drop]++;
}

void
dhcp_server_not_recorded(struct dhcp_server *s, const struct dhcp_change *change,
			 struct dhcp_clock clk)
{
	struct lease *l = lease_find_ip(s->leases, change->rec.ip);

	s->stats.dropped[DHCP_DROP_NOT_RECORDED]++;
	/* Its answer does not leave. */
	if (change->event == DHCP_EVENT_LEASED || change->event == DHCP_EVENT_RENEWED)
		s->stats.sent[DHCP_ACK]--;
	if (!change->fresh || !l || l->state != LEASE_ACTIVE || !mac_eq(l->mac, change->mac))
		return;
	l->recorded = false;
	lease_set_state(s->leases, l, LEASE_OFFERED, mono_add(clk.now, DHCP_OFFER_HOLD_MS));
}
