/* SPDX-License-Identifier: GPL-2.0-or-later
 * dhcpd_sim.c - thousands of scripted clients against the DHCP server's core with a fake clock
 * and a fake disk: random messages, crashes, torn files, failing disks, clock steps, new
 * configurations, and strangers who sit on addresses of the pool and answer for them, or do not.
 *
 * What must hold at every moment:
 *   - no two clients believe that they hold the same address;
 *   - an ACK that left is on the disk: the file, replayed, has that lease with at least that end;
 *   - a client that holds a lease gets it again when it asks, however often the server crashed;
 *   - no address is given that is not the client's to have (own addresses, reservations, ranges);
 *   - an address whose stranger answered before it was asked for is refused; other answers take no
 *     lease away but one that was granted within the second before.
 */
#include "../unit/lib/t.h"

#include <stdio.h>

#include "../unit/dhcpd/client.h"
#include "dhcpd/server.h"
#include "lib/strbuf.h"

#define CLIENTS  3000
#define STEPS    60000
#define SUBNET   0x0a140000u /* 10.20.0.0/20 */
#define RESERVED 64          /* clients 0-63 have reservations */

enum belief { IDLE, OFFERED, HELD };

struct simclient {
	struct tclient c;
	char hostname[16];
	uint8_t uid[8];
	enum belief state;
	struct ip4 ip;
	struct ip4 old;   /* the last address that it had */
	int64_t until_ms; /* HELD: by the monotonic clock, which is the client's too */
};

struct sim {
	uint64_t seed;
	struct dhcp_server *s;
	struct dhcp_clock clk;
	struct strbuf disk;     /* what a crash leaves */
	struct strbuf unsynced; /* appended, not yet synced */
	bool disk_full;
	bool small_range; /* which configuration is in force */
	struct simclient *cl;
	uint32_t *holder; /* by address: client + 1, 0 nobody */
	int64_t *probed;  /* by address: when, last */
	bool *contested;  /* by address: its holder may be told to leave */
	struct ip4 asked; /* by the probe of the last exchange; 0: none */
	uint8_t frame[DHCP_FRAME_MAX];
	unsigned acks, naks, crashes, lost, expired, checked, abandoned, taken;
};

static uint32_t
rnd(struct sim *m, uint32_t n)
{
	m->seed ^= m->seed << 13;
	m->seed ^= m->seed >> 7;
	m->seed ^= m->seed << 17;
	return (uint32_t)(m->seed >> 32) % n;
}

static struct mac
mac_of(unsigned i)
{
	return (struct mac){{0x02, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}};
}

/* 10.20.1.0-10.20.15.253, or only its lower part; reservations below the range and inside it. */
static struct netconf *
sim_conf(bool small)
{
	struct netconf *c = netconf_new(20);

	assert_non_null(c);
	c->subnet = (struct prefix4){{SUBNET}, 20};
	c->server.h = SUBNET + 4094;
	c->host.h = SUBNET + 1;
	c->gateway.h = SUBNET + 2;
	c->default_lease_s = 600;
	c->max_lease_s = 1200;
	c->unknown_clients = c->authoritative = c->ping_check = true;
	c->ping_timeout_s = 1;
	netconf_add_range(c, (struct ip4){SUBNET + 256},
			  (struct ip4){SUBNET + (small ? 2900 : 4094)}, false);
	for (unsigned i = 0; i < RESERVED; i++)
		netconf_add_host(c, i, mac_of(i), (struct ip4){SUBNET + 100 + i * 8}, "r");
	assert_int_equal(netconf_seal(c), 0);
	return c;
}

/* --- the disk --- */

static void
file_append(struct strbuf *b, const struct journal_rec *rec)
{
	char text[JOURNAL_REC_MAX];
	size_t n = journal_encode(text, sizeof(text), rec);

	assert_true(n > 0);
	strbuf_addn(b, text, n);
}

static void
file_rewrite(struct sim *m)
{
	struct strbuf b;
	struct journal_rec rec;
	struct lease *at = NULL;

	strbuf_init(&b);
	strbuf_add(&b, journal_header);
	while (dhcp_server_each_rec(m->s, &at, m->clk, &rec))
		file_append(&b, &rec);
	assert_false(b.bad);
	strbuf_fini(&m->disk);
	m->disk = b;
}

static void
server_load(struct sim *m, const char *text, size_t len)
{
	struct journal_reader r;
	struct journal_rec rec;
	enum journal_next next;

	assert_int_equal(dhcp_server_replay_begin(m->s, journal_blocks_max(text, len)), 0);
	journal_reader_init(&r, text, len);
	while ((next = journal_next(&r, &rec)) == JOURNAL_REC)
		dhcp_server_replay(m->s, &rec, m->clk);
	assert_true(next == JOURNAL_END || next == JOURNAL_TORN);
	assert_true(dhcp_server_replay_end(m->s, m->clk, &(bool){false}) >= 0);
}

static void
server_start(struct sim *m)
{
	struct hash_key key;

	for (unsigned i = 0; i < sizeof(key.b); i++)
		key.b[i] = (uint8_t)rnd(m, 256);
	m->s = dhcp_server_new(sim_conf(m->small_range),
			       (struct mac){{0x00, 0x50, 0x56, 0xc0, 0x00, 0x14}}, &key);
	assert_non_null(m->s);
	server_load(m, strbuf_str(&m->disk), m->disk.len);
	file_rewrite(m);
}

/* kill -9 or a power cut: some of what was not synced may be there, cut anywhere. */
static void
crash(struct sim *m)
{
	size_t keep = m->unsynced.len ? rnd(m, (uint32_t)m->unsynced.len + 1) : 0;

	m->crashes++;
	dhcp_server_free(m->s);
	strbuf_addn(&m->disk, strbuf_str(&m->unsynced), keep);
	strbuf_fini(&m->unsynced);
	/* The machine comes back with another monotonic clock. The clients' own goes on: shift
	 * them. */
	m->clk.wall_ms += 500;
	m->clk.now.ms += 500;
	server_start(m);
}

/* --- beliefs --- */

static void
let_go(struct sim *m, struct simclient *c)
{
	if (c->state == HELD) {
		assert_int_equal(m->holder[c->ip.h - SUBNET], c - m->cl + 1);
		m->holder[c->ip.h - SUBNET] = 0;
		m->contested[c->ip.h - SUBNET] = false;
		c->old = c->ip;
	}
	c->state = IDLE;
}

static void
check_expiry(struct sim *m, struct simclient *c)
{
	if (c->state == HELD && c->until_ms <= m->clk.now.ms)
		let_go(m, c);
}

static void
hold(struct sim *m, struct simclient *c, struct ip4 ip, uint32_t lease_s)
{
	uint32_t *h;

	assert_true(ip.h > SUBNET + 2 && ip.h < SUBNET + 4094);
	h = &m->holder[ip.h - SUBNET];
	if (*h)
		check_expiry(m, &m->cl[*h - 1]);
	if (*h && *h != c - m->cl + 1)
		fail_msg("%s given to client %u while client %u holds it", IP4_STR(ip),
			 (unsigned)(c - m->cl), *h - 1);
	let_go(m, c);
	c->state = HELD;
	c->ip = ip;
	c->until_ms = m->clk.now.ms + (int64_t)lease_s * 1000;
	*h = (uint32_t)(c - m->cl + 1);
}

/* --- one exchange --- */

/* The changes of a message, on their way to the disk. False: they did not get there. */
static bool
commit(struct sim *m, const struct dhcp_out *out)
{
	for (unsigned i = 0; i < out->nchanges; i++)
		file_append(&m->unsynced, &out->change[i].rec);
	if (out->nchanges && m->disk_full) {
		strbuf_fini(&m->unsynced);
		for (unsigned i = 0; i < out->nchanges; i++)
			dhcp_server_not_recorded(m->s, &out->change[i], m->clk);
		return false;
	}
	if (out->nchanges && rnd(m, 500) == 0) {
		crash(m);
		return false;
	}
	strbuf_addn(&m->disk, strbuf_str(&m->unsynced), m->unsynced.len);
	strbuf_fini(&m->unsynced);
	return true;
}

/* --- strangers --- */

static bool
is_squatted(struct ip4 ip)
{
	return ip.h % 16 == 7;
}

static void
note_probe(struct sim *m, const struct dhcp_out *out)
{
	struct arp4 a;
	struct mac src;

	m->asked.h = 0;
	if (out->probe_len == 0)
		return;
	assert_int_equal(out->reply, DHCP_OFFER);
	assert_true(arp4_frame_decode(&a, &src, out->probe, out->probe_len));
	assert_true(prefix4_contains(dhcp_server_conf(m->s)->subnet, a.target_ip));
	m->asked = a.target_ip;
	m->probed[a.target_ip.h - SUBNET] = m->clk.now.ms;
}

/* Somebody says that he has this address. True when it is not given to anybody now. */
static bool
claim(struct sim *m, struct ip4 ip)
{
	struct mac stranger = {{0x02, 0xff, 0, 0, (uint8_t)(ip.h >> 8), (uint8_t)ip.h}};
	struct arp4 a = {.reply = true, .sender_mac = stranger, .sender_ip = ip};
	uint8_t buf[ARP4_FRAME_LEN];
	struct wr w = wr_init(buf, sizeof(buf));
	struct dhcp_out out;
	uint32_t holder;

	arp4_frame_encode(&w, stranger, &a);
	dhcp_server_input(m->s, buf, wr_len(&w), m->clk, m->frame, &out);
	assert_int_equal(out.frame_len, 0);
	if (out.conflict.found == CONFLICT_CONTESTED) {
		assert_true(m->clk.now.ms < m->probed[ip.h - SUBNET] + 1000);
		m->contested[ip.h - SUBNET] = true;
		m->taken++;
	}
	if (out.conflict.found != CONFLICT_ABANDONED)
		return false;
	holder = m->holder[ip.h - SUBNET];
	if (holder)
		check_expiry(m, &m->cl[holder - 1]);
	assert_int_equal(m->holder[ip.h - SUBNET], 0);
	m->abandoned++;
	return commit(m, &out);
}

static enum dhcp_type
exchange(struct sim *m, struct simclient *c, const struct trequest *q, struct treply *r)
{
	uint8_t buf[1500];
	struct dhcp_out out;
	size_t len;

	c->c.xid = rnd(m, UINT32_MAX);
	len = tclient_frame(buf, sizeof(buf), &c->c, q);
	dhcp_server_input(m->s, buf, len, m->clk, m->frame, &out);
	assert_true(out.reply != DHCP_ACK || out.nchanges > 0 || q->type == DHCP_INFORM);
	assert_true(out.reply != DHCP_OFFER || out.nchanges == 0);
	note_probe(m, &out);
	if (!commit(m, &out) || out.reply == DHCP_NONE)
		return DHCP_NONE;
	if (rnd(m, 50) == 0) { /* lost on the way */
		m->lost++;
		return DHCP_NONE;
	}
	assert_true(tclient_read(r, m->frame, out.frame_len));
	assert_int_equal(r->m.xid, c->c.xid);
	m->acks += out.reply == DHCP_ACK;
	m->naks += out.reply == DHCP_NAK;
	return out.reply;
}

static struct ip4
server_ip(const struct sim *m)
{
	return dhcp_server_conf(m->s)->server;
}

static void
on_answer(struct sim *m, struct simclient *c, enum dhcp_type got, const struct treply *r)
{
	if (got == DHCP_ACK && r->m.yiaddr.h)
		hold(m, c, r->m.yiaddr, r->m.lease_s);
	else if (got == DHCP_NAK)
		let_go(m, c);
}

static void
request(struct sim *m, struct simclient *c, const struct trequest *q)
{
	struct treply r;
	enum dhcp_type got = exchange(m, c, q, &r);

	on_answer(m, c, got, &r);
}

static void
start_over(struct sim *m, struct simclient *c)
{
	struct trequest q = {.type = DHCP_DISCOVER,
			     .requested = rnd(m, 3) ? (struct ip4){0} : c->old,
			     .lease_s = rnd(m, 4) ? 0 : 60 + rnd(m, 2000)};
	unsigned when = rnd(m, 4); /* 0, 1: at once, 2: too late, 3: never */
	struct ip4 squatted;
	struct treply r;
	bool gone;

	/* A machine that boots does not use its old address. */
	let_go(m, c);
	if (exchange(m, c, &q, &r) != DHCP_OFFER || rnd(m, 10) == 0)
		return;
	squatted.h = is_squatted(m->asked) ? m->asked.h : 0;
	gone = squatted.h && when < 2 && claim(m, squatted);
	q.type = DHCP_REQUEST;
	q.requested = r.m.yiaddr;
	q.server_id = r.m.server_id;
	if (rnd(m, 20) == 0)
		q.server_id.h ^= 1; /* another server was chosen */
	if (gone) {
		assert_int_not_equal(exchange(m, c, &q, &r), DHCP_ACK);
		return;
	}
	request(m, c, &q);
	if (squatted.h && when == 2)
		claim(m, squatted);
}

/* A reservation may pull its client away, and so may a smaller range, and a stranger who answers late;
 * nothing else may. */
static bool
must_be_kept(const struct sim *m, const struct simclient *c)
{
	const struct netconf *conf = dhcp_server_conf(m->s);
	const struct netconf_host *h = netconf_host_find(conf, c->c.mac);

	return netconf_fits(conf, c->ip, c->c.mac) && (!h || ip4_eq(h->ip, c->ip)) &&
	       !m->contested[c->ip.h - SUBNET];
}

static void
extend(struct sim *m, struct simclient *c)
{
	struct trequest q = {.type = DHCP_REQUEST};
	unsigned how = rnd(m, 3);
	bool keep = c->state == HELD && must_be_kept(m, c);
	struct treply r;
	enum dhcp_type got;

	if (how == 0 || c->state != HELD) {
		q.requested = c->state == HELD ? c->ip : c->old;
	} else {
		q.ciaddr = q.src = c->ip;
		if (how == 1) {
			q.dst = server_ip(m);
			q.eth_dst = (struct mac){{0x00, 0x50, 0x56, 0xc0, 0x00, 0x14}};
		}
	}
	if (q.requested.h == 0 && q.ciaddr.h == 0)
		return;
	got = exchange(m, c, &q, &r);
	if (keep && got == DHCP_NAK)
		fail_msg("client %u was refused its own %s", (unsigned)(c - m->cl), IP4_STR(c->ip));
	on_answer(m, c, got, &r);
}

static void
give_up(struct sim *m, struct simclient *c, enum dhcp_type type)
{
	struct trequest q = {.type = type, .server_id = server_ip(m)};
	struct treply r;

	if (c->state != HELD)
		return;
	if (type == DHCP_RELEASE)
		q.ciaddr = q.src = c->ip;
	else
		q.requested = c->ip;
	let_go(m, c);
	assert_int_equal(exchange(m, c, &q, &r), DHCP_NONE);
}

/* What others must not be able to do with somebody's lease. */
static void
mischief(struct sim *m, struct simclient *c)
{
	struct simclient *victim = &m->cl[rnd(m, CLIENTS)];
	struct trequest q = {.type = (enum dhcp_type)(1 + rnd(m, 8)),
			     .ciaddr = rnd(m, 2) ? victim->ip : (struct ip4){0},
			     .requested = rnd(m, 2) ? victim->ip : (struct ip4){rnd(m, UINT32_MAX)},
			     .server_id = rnd(m, 2) ? server_ip(m) : (struct ip4){0}};
	struct treply r;
	enum dhcp_type got;

	check_expiry(m, c);
	if (victim->ip.h && rnd(m, 4) == 0)
		claim(m, victim->ip);
	if (c->state == HELD || c == victim)
		return;
	got = exchange(m, c, &q, &r);
	if (got == DHCP_ACK && q.type == DHCP_REQUEST)
		on_answer(m, c, got, &r);
}

/* --- time and the administrator --- */

static void
expire(struct sim *m)
{
	struct dhcp_change ch;

	while (dhcp_server_expire(m->s, m->clk, &ch)) {
		assert_int_equal(ch.event, DHCP_EVENT_EXPIRED);
		m->expired++;
	}
	assert_true(dhcp_server_deadline(m->s).ms > m->clk.now.ms);
}

static void
pass_time(struct sim *m)
{
	int64_t ms = rnd(m, 500) ? rnd(m, 300) : rnd(m, 300000);

	m->clk.now.ms += ms;
	m->clk.wall_ms += ms;
	expire(m);
}

/* ntpd or an administrator sets the wall clock; the file is written anew, as the program does. */
static void
step_clock(struct sim *m)
{
	m->clk.wall_ms += (int64_t)rnd(m, 7200000) - 3600000;
	file_rewrite(m);
}

static void
reconfigure(struct sim *m)
{
	bool forgot;

	m->small_range = !m->small_range;
	assert_int_equal(dhcp_server_set_conf(m->s, sim_conf(m->small_range), m->clk, &forgot), 0);
	file_rewrite(m);
}

static void
administrate(struct sim *m)
{
	switch (rnd(m, 5)) {
	case 0:
		step_clock(m);
		break;
	case 1:
		reconfigure(m);
		break;
	case 2:
		m->disk_full = true;
		break;
	case 3:
		crash(m);
		break;
	default:
		if (!m->disk_full)
			file_rewrite(m);
		break;
	}
}

/* Every lease that somebody holds is on the disk, and lasts there at least as long as its holder
 * thinks. A client that never heard of its release or NAK may believe in more than there is;
 * those that are checked here are the ones whose last exchange ended. */
static void
check_disk(struct sim *m)
{
	struct dhcp_server *live = m->s;
	unsigned held = 0;

	m->s =
	    dhcp_server_new(sim_conf(m->small_range), (struct mac){{2}}, &(struct hash_key){{1}});
	server_load(m, strbuf_str(&m->disk), m->disk.len);
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct simclient *c = &m->cl[i];
		const struct lease *l;

		check_expiry(m, c);
		if (c->state != HELD)
			continue;
		l = lease_find_ip(dhcp_server_leases(m->s), c->ip);
		assert_non_null(l);
		assert_int_equal(l->state, LEASE_ACTIVE);
		assert_true(mac_eq(l->mac, c->c.mac));
		assert_true(l->end.ms >= c->until_ms);
		held++;
	}
	m->checked += held;
	dhcp_server_free(m->s);
	m->s = live;
}

static void
step(struct sim *m)
{
	struct simclient *c = &m->cl[rnd(m, CLIENTS)];
	unsigned what = rnd(m, 100);

	check_expiry(m, c);
	if (what < 45)
		start_over(m, c);
	else if (what < 85)
		extend(m, c);
	else if (what < 90)
		give_up(m, c, DHCP_RELEASE);
	else if (what < 91)
		give_up(m, c, DHCP_DECLINE);
	else
		mischief(m, c);
	pass_time(m);
	if (rnd(m, 500) == 0)
		administrate(m);
	if (m->disk_full && rnd(m, 100) == 0) {
		m->disk_full = false;
		file_rewrite(m);
	}
}

static void
sim_run(uint64_t seed)
{
	struct sim m = {.seed = seed, .clk = {{100000}, INT64_C(1700000000000)}};

	m.cl = calloc(CLIENTS, sizeof(*m.cl));
	m.holder = calloc(4096, sizeof(*m.holder));
	strbuf_init(&m.disk);
	strbuf_init(&m.unsynced);
	m.probed = calloc(4096, sizeof(*m.probed));
	m.contested = calloc(4096, sizeof(*m.contested));
	assert_true(m.cl && m.holder && m.probed && m.contested);
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct simclient *c = &m.cl[i];

		c->c.mac = mac_of(i);
		snprintf(c->hostname, sizeof(c->hostname), "host%u", i);
		c->c.hostname = i % 3 ? c->hostname : NULL;
		/* Some share an id, as copies of one machine do. */
		c->c.uid_len = i % 2 ? sizeof(c->uid) : 0;
		snprintf((char *)c->uid, sizeof(c->uid), "%u", i / 8);
		c->c.uid = c->uid;
		c->c.broadcast = i % 5 == 0;
	}
	server_start(&m);
	for (unsigned i = 0; i < STEPS; i++) {
		step(&m);
		if (i % 10000 == 0 && i > 0)
			check_disk(&m);
	}
	check_disk(&m);
	print_message(
	    "seed %llu: %u ACKs, %u NAKs, %u crashes, %u replies lost, %u leases expired, "
	    "%u found on disk, %u addresses abandoned, %u leases contested\n",
	    (unsigned long long)seed, m.acks, m.naks, m.crashes, m.lost, m.expired, m.checked,
	    m.abandoned, m.taken);
	assert_true(m.acks > STEPS / 4 && m.naks > 100 && m.crashes > 50 && m.expired > 100 &&
		    m.checked > CLIENTS && m.abandoned > 50 && m.taken > 10);
	dhcp_server_free(m.s);
	strbuf_fini(&m.disk);
	strbuf_fini(&m.unsynced);
	free(m.cl);
	free(m.holder);
	free(m.probed);
	free(m.contested);
}

static void
invariants_hold_with_fixed_seeds(void **state UNUSED)
{
	for (uint64_t seed = 1; seed <= 2; seed++)
		sim_run(seed * 0x9e3779b97f4a7c15u);
}

/* VNET_SIM_SEED=n repeats a failure that somebody has seen, or tries another one. */
static void
invariants_hold_with_the_given_seed(void **state UNUSED)
{
	const char *s = getenv("VNET_SIM_SEED");

	sim_run(s ? strtoull(s, NULL, 0) : 4711);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(invariants_hold_with_fixed_seeds),
	    cmocka_unit_test(invariants_hold_with_the_given_seed),
	};

	return T_RUN(tests);
}
