/* SPDX-License-Identifier: GPL-2.0-or-later
 * served.c - a network's life: open, serve, recover.
 *
 * The order that matters is in serve_batch(): answers that promise nothing leave at once;
 * changes are written and synced; only then do the answers leave that promise something.
 */
#include "dhcpd/served.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include "dhcpd/io.h"
#include "dhcpd/leasefile.h"
#include "dhcpd/poolwatch.h"
#include "dhcpd/server.h"
#include "dhcpd/statrows.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "paths.h"

enum {
	/* Batches of one socket before others get their turn. */
	BATCHES_PER_TURN = 4,
	/* After sockets or folder were refused: the first wait, doubled up to the second. */
	RETRY_MIN_MS = 500,
	RETRY_MAX_MS = 10000,
	/* Between two complaints about an address that two have. */
	CONFLICT_MS = 60000,
};

struct served_work {
	struct io_batch *batch;
	struct io_frame in[IO_BATCH], now[IO_SEND], later[IO_BATCH];
	struct dhcp_out out[IO_BATCH];
	uint8_t reply[IO_BATCH][DHCP_FRAME_MAX];
	char text[IO_BATCH * DHCP_CHANGES_MAX * JOURNAL_REC_MAX];
};

#define TEXT_MAX sizeof(((struct msg_service_state *)0)->text)

struct served {
	struct served_env env;
	unsigned net;
	struct dhcp_server *server;
	struct leasefile file;
	struct loop_timer *timer;

	int packet, hold; /* sockets; -1: none */
	int ifindex;      /* of the bridge */
	struct loop_io *rd;
	uint32_t sock_id, dir_id; /* requests that priv has not answered; 0 */
	struct mono retry_at;     /* to ask again, or to look after the bridge; MONO_NEVER */
	unsigned retry_ms;
	char refused[TEXT_MAX]; /* why there are no sockets or no leases yet */

	/* As told to the engine last. */
	bool told, ok;
	char text[TEXT_MAX];
	uint32_t active, total;
	struct poolwatch pool;
	struct mono conflict_at; /* when the next one may be complained about */
};

struct served_work *
served_work_new(void)
{
	struct served_work *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->batch = io_batch_new();
	if (!w->batch) {
		free(w);
		return NULL;
	}
	return w;
}

void
served_work_free(struct served_work *w)
{
	if (!w)
		return;
	io_batch_free(w->batch);
	free(w);
}

/* Both clocks at one moment: read again when we were put aside in between, unless that is how it always is. */
static struct dhcp_clock
clock_now(void)
{
	struct dhcp_clock clk;
	struct timespec ts;
	struct mono before;

	for (int tries = 0; tries < 5; tries++) {
		before = mono_now();
		clock_gettime(CLOCK_REALTIME, &ts);
		clk.now = mono_now();
		if (mono_diff(clk.now, before) <= 1)
			break;
	}
	clk.wall_ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	return clk;
}

/* --- telling --- */

static void
tell_state(const struct served *s)
{
	struct msg m = msg_make(MSG_SERVICE_STATE, 0);
	struct msg_service_state *st = &m.u.service_state;

	st->net = (uint16_t)s->net;
	st->service = SERVICE_DHCP;
	st->ok = s->ok;
	MSG_SET_STR(st->text, s->text);
	if (s->file.err == ENOSPC || s->file.err == EDQUOT)
		MSG_SET_STR(st->cure, "df -h " VNET_STATE_DIR "   (or where --state-dir is)");
	/* The engine puts what it is told into the log; without one, we do. */
	if (!s->env.report(s->env.arg, &m) && !s->ok)
		log_warn(0, "vmnet%u: DHCP: %s", s->net, s->text);
}

static void
tell_counts(const struct served *s)
{
	struct msg m = msg_make(MSG_DHCP_COUNT, 0);

	m.u.dhcp_count.net = (uint16_t)s->net;
	m.u.dhcp_count.active = s->active;
	m.u.dhcp_count.total = s->total;
	s->env.report(s->env.arg, &m);
}

static void
tell_change(const struct served *s, const struct dhcp_change *ch)
{
	static const uint8_t events[] = {
	    [DHCP_EVENT_LEASED] = LEASE_NEW,        [DHCP_EVENT_RENEWED] = LEASE_RENEWED,
	    [DHCP_EVENT_RELEASED] = LEASE_RELEASED, [DHCP_EVENT_EXPIRED] = LEASE_EXPIRED,
	    [DHCP_EVENT_DECLINED] = LEASE_DECLINED,
	};
	struct msg m = msg_make(MSG_LEASE_CHANGED, 0);
	struct msg_lease_changed *lc = &m.u.lease_changed;

	lc->net = (uint16_t)s->net;
	lc->event = events[ch->event];
	lc->addr = ch->rec.ip;
	lc->mac = ch->mac;
	lc->ends = ch->rec.ends == JOURNAL_NEVER ? 0 : (uint64_t)ch->rec.ends;
	MSG_SET_STR(lc->name, ch->rec.hostname);
	s->env.report(s->env.arg, &m);
	log_debug("vmnet%u: lease %s %s %s", s->net, IP4_STR(ch->rec.ip), MAC_STR(ch->mac),
		  lease_event_name((enum lease_event)lc->event));
}

static void
tell_offer(const struct served *s, const struct dhcp_offer *o)
{
	struct msg m = msg_make(MSG_LEASE_CHANGED, 0);
	struct msg_lease_changed *lc = &m.u.lease_changed;

	lc->net = (uint16_t)s->net;
	lc->event = LEASE_OFFER;
	lc->addr = o->ip;
	lc->mac = o->mac;
	MSG_SET_STR(lc->name, o->hostname);
	s->env.report(s->env.arg, &m);
}

/* What the fields add up to. */
static void
describe(const struct served *s, char text[TEXT_MAX])
{
	text[0] = '\0';
	if (s->packet < 0 || !s->file.loaded)
		snprintf(text, TEXT_MAX, "%s", s->refused);
	else if (s->file.err == ENOSPC || s->file.err == EDQUOT)
		snprintf(text, TEXT_MAX,
			 "no room to record leases on disk, so no guest gets an address");
	else if (s->file.err)
		snprintf(text, TEXT_MAX,
			 "leases cannot be recorded on disk (%s), so no guest gets an address",
			 strerrordesc_np(s->file.err));
}

static void
tell_pool(const struct served *s, enum pool_event event, uint32_t held, uint32_t total)
{
	struct msg m = msg_make(MSG_DHCP_POOL, 0);

	m.u.dhcp_pool.net = (uint16_t)s->net;
	m.u.dhcp_pool.event = (uint8_t)event;
	m.u.dhcp_pool.held = held;
	m.u.dhcp_pool.total = total;
	s->env.report(s->env.arg, &m);
}

/* Addresses run out, or there are none: said before and when a guest suffers from it. */
static void
watch_pool(struct served *s)
{
	uint64_t unserved = dhcp_server_stats(s->server)->dropped[DHCP_DROP_NO_ADDRESS];
	uint32_t held, total;

	dhcp_server_pool(s->server, &held, &total);
	if (poolwatch_low(&s->pool, held, total))
		tell_pool(s, POOL_LOW, held, total);
	if (!poolwatch_empty(&s->pool, unserved, mono_now()))
		return;
	tell_pool(s, POOL_EMPTY, held, total);
	log_warn(0,
		 "vmnet%u: no address is free for a new guest: %u leased, %zu offered to others. "
		 "Cure: a larger range in vmnet%u/dhcpd/dhcpd.conf, or shorter leases",
		 s->net, s->active, lease_table_count(dhcp_server_leases(s->server), LEASE_OFFERED),
		 s->net);
}

/* At the end of everything that may have changed something: the engine hears of it, the timer is
 * set. */
static void
update(struct served *s)
{
	bool ok = s->packet >= 0 && s->file.loaded && s->file.err == 0;
	struct mono when = mono_min(s->retry_at, leasefile_due(&s->file));
	uint32_t active, total;
	char text[TEXT_MAX];

	describe(s, text);
	/* While priv is being asked for the first time there is nothing to tell. */
	if ((ok || text[0]) && (!s->told || ok != s->ok || strcmp(text, s->text) != 0)) {
		s->told = true;
		s->ok = ok;
		memcpy(s->text, text, sizeof(text));
		tell_state(s);
	}
	if (s->file.loaded) {
		dhcp_server_counts(s->server, &active, &total);
		if (active != s->active || total != s->total) {
			s->active = active;
			s->total = total;
			tell_counts(s);
		}
		watch_pool(s);
		when = mono_min(when, dhcp_server_deadline(s->server));
	}
	loop_timer_set(s->timer, when);
}

void
served_report(struct served *s)
{
	if (s->told)
		tell_state(s);
	if (s->file.loaded)
		tell_counts(s);
}

/* --- serving --- */

/* Anybody can claim an address, so there is a limit to how often that is said. */
static void
complain_of_conflict(struct served *s, const struct dhcp_conflict *c, struct mono now)
{
	static const char *const then[] = {
	    [CONFLICT_ABANDONED] = "gets another one",
	    [CONFLICT_CONTESTED] =
		"got it before that was known, and gets another one when it renews",
	    [CONFLICT_RESERVED] = "has it reserved and gets it all the same",
	    [CONFLICT_TOO_MANY] = "gets it all the same, for too many addresses are claimed",
	};

	if (c->found == CONFLICT_NONE)
		return;
	if (mono_before(now, s->conflict_at)) {
		log_debug("vmnet%u: %s is in use by %s; %s %s", s->net, IP4_STR(c->ip),
			  MAC_STR(c->other), MAC_STR(c->client), then[c->found]);
		return;
	}
	s->conflict_at = mono_add(now, CONFLICT_MS);
	log_warn(0,
		 "vmnet%u: %s is in use by %s without a lease; %s %s. Cure: give the former an "
		 "address outside of the range, or let it use DHCP",
		 s->net, IP4_STR(c->ip), MAC_STR(c->other), MAC_STR(c->client), then[c->found]);
}

/* What is on its way, of the frames of one batch. */
struct outcome {
	size_t now, later; /* frames in w->now, w->later */
	size_t text_len;   /* of w->text */
	size_t blocks;     /* in it */
};

static void
decide_one(struct served *s, int i, struct dhcp_clock clk, struct outcome *t)
{
	struct served_work *w = s->env.work;
	struct dhcp_out *o = &w->out[i];
	struct io_frame reply = {.p = w->reply[i]};

	dhcp_server_set_stamp(s->server, w->in[i].stamp);
	dhcp_server_input(s->server, w->in[i].p, w->in[i].len, clk, w->reply[i], o);
	reply.len = o->frame_len;
	for (unsigned k = 0; k < o->nchanges; k++, t->blocks++)
		t->text_len +=
		    journal_encode(w->text + t->text_len, JOURNAL_REC_MAX, &o->change[k].rec);
	if (o->frame_len && o->nchanges)
		w->later[t->later++] = reply;
	else if (o->frame_len)
		w->now[t->now++] = reply;
	if (o->probe_len)
		w->now[t->now++] = (struct io_frame){.p = o->probe, .len = o->probe_len};
	complain_of_conflict(s, &o->conflict, clk.now);
}

/* Decides on n frames, answers what promises nothing, collects what is to be recorded as text. ARP
 * comes first, as server.h wants it. */
static struct outcome
decide(struct served *s, int n, struct dhcp_clock clk)
{
	struct served_work *w = s->env.work;
	struct outcome t = {0};

	for (int i = 0; i < n; i++)
		if (arp4_frame_claims(w->in[i].p, w->in[i].len))
			decide_one(s, i, clk, &t);
	for (int i = 0; i < n; i++)
		if (!arp4_frame_claims(w->in[i].p, w->in[i].len))
			decide_one(s, i, clk, &t);
	io_send(s->packet, s->ifindex, w->now, t.now);
	for (int i = 0; i < n; i++)
		if (w->out[i].offered)
			tell_offer(s, &w->out[i].offer);
	return t;
}

/* Durable before visible. */
static void
serve_batch(struct served *s, int n)
{
	struct served_work *w = s->env.work;
	struct dhcp_clock clk = clock_now();
	struct outcome t = decide(s, n, clk);
	bool recorded;

	if (t.blocks == 0)
		return;
	recorded = leasefile_append(&s->file, w->text, t.text_len, t.blocks, clk) == 0;
	if (recorded)
		io_send(s->packet, s->ifindex, w->later, t.later);
	for (int i = 0; i < n; i++)
		for (unsigned k = 0; k < w->out[i].nchanges; k++) {
			if (recorded)
				tell_change(s, &w->out[i].change[k]);
			else
				dhcp_server_not_recorded(s->server, &w->out[i].change[k], clk);
		}
}

static void
close_sockets(struct served *s)
{
	loop_io_free(s->rd);
	s->rd = NULL;
	fd_close(&s->packet);
	fd_close(&s->hold);
}

static void
refused(struct served *s, const char *why)
{
	MSG_SET_STR(s->refused, why);
	s->retry_at = mono_add(mono_now(), s->retry_ms);
	s->retry_ms = s->retry_ms * 2 < RETRY_MAX_MS ? s->retry_ms * 2 : RETRY_MAX_MS;
}

static void
bridge_gone(struct served *s)
{
	close_sockets(s);
	refused(s, "the bridge of this network is gone");
}

/* The link that the socket is bound to; 0: it is gone. */
static int
bound_to(int packet)
{
	struct sockaddr_ll sll;
	socklen_t len = sizeof(sll);

	memset(&sll, 0, sizeof(sll));
	if (getsockname(packet, (struct sockaddr *)&sll, &len) < 0 || sll.sll_ifindex <= 0)
		return 0;
	return sll.sll_ifindex;
}

/* A bridge that is down comes up again, and its socket with it; one that was removed does not,
 * and it may be removed after it went down, which nobody tells us. So the timer looks after it. */
static void
look_after_bridge(struct served *s)
{
	if (!bound_to(s->packet)) {
		bridge_gone(s);
		return;
	}
	s->retry_at = mono_add(mono_now(), s->retry_ms);
	s->retry_ms = s->retry_ms * 2 < RETRY_MAX_MS ? s->retry_ms * 2 : RETRY_MAX_MS;
}

static void
socket_failed(struct served *s, int err)
{
	if (err == ENETDOWN)
		look_after_bridge(s);
	else
		bridge_gone(s);
}

/* Answers to our probes, which the socket is for. */
static void
serve_socket(struct served *s)
{
	for (int i = 0; i < BATCHES_PER_TURN && s->packet >= 0; i++) {
		int n = io_receive(s->env.work->batch, s->packet, s->env.work->in);

		if (n < 0)
			socket_failed(s, -n);
		if (n > 0) {
			s->retry_at = MONO_NEVER; /* the bridge is there */
			s->retry_ms = RETRY_MIN_MS;
			serve_batch(s, n);
		}
		if (n < IO_BATCH)
			break;
	}
}

static void
end_turn(struct served *s)
{
	leasefile_tidy(&s->file, s->server, clock_now());
	update(s);
}

static void
on_readable(int fd UNUSED, void *arg)
{
	struct served *s = arg;

	serve_socket(s);
	end_turn(s);
}

void
served_input(struct served *s, const struct io_frame *v, int n)
{
	if (!s->rd)
		return;
	serve_socket(s);
	if (s->packet >= 0) {
		memcpy(s->env.work->in, v, (size_t)n * sizeof(*v));
		serve_batch(s, n);
	}
	end_turn(s);
}

/* --- opening --- */

static void
ask_sockets(struct served *s)
{
	struct msg m = msg_make(MSG_SOCK_DHCP, 0);

	m.u.sock_dhcp.net = (uint16_t)s->net;
	m.u.sock_dhcp.server = dhcp_server_conf(s->server)->server;
	s->sock_id = s->env.ask(s->env.arg, &m);
}

static void
ask_folder(struct served *s)
{
	struct msg m = msg_make(MSG_LEASE_DIR, 0);

	m.u.lease_dir.net = (uint16_t)s->net;
	s->dir_id = s->env.ask(s->env.arg, &m);
}

/* Once both are there. Frames that waited in the socket meanwhile are answered now. */
static void
begin_serving(struct served *s)
{
	if (s->packet < 0 || !s->file.loaded)
		return;
	s->rd = loop_add_read(s->env.loop, s->packet, on_readable, s);
	if (!s->rd) {
		close_sockets(s);
		refused(s, "out of memory");
		return;
	}
	s->retry_ms = RETRY_MIN_MS;
	s->retry_at = MONO_NEVER;
}

static void
take_sockets(struct served *s, const struct msg_reply *r, int *fds, size_t nfds)
{
	s->sock_id = 0;
	if (r->err || nfds != 2) {
		refused(s, r->text[0] ? r->text : "the sockets cannot be opened");
		return;
	}
	close_sockets(s);
	s->packet = fd_take(&fds[0]);
	s->hold = fd_take(&fds[1]);
	s->ifindex = bound_to(s->packet);
	s->refused[0] = '\0';
	begin_serving(s);
}

static void
take_folder(struct served *s, const struct msg_reply *r, int *fds, size_t nfds)
{
	char why[TEXT_MAX];
	int err;

	s->dir_id = 0;
	if (r->err || nfds != 1) {
		refused(s, r->text[0] ? r->text : "the folder of the leases cannot be opened");
		return;
	}
	err = leasefile_load(&s->file, fd_take(&fds[0]), s->server, clock_now());
	if (err < 0) {
		snprintf(why, sizeof(why), "the lease file cannot be read: %s",
			 strerrordesc_np(-err));
		refused(s, why);
		return;
	}
	s->refused[0] = '\0';
	begin_serving(s);
}

bool
served_take_reply(struct served *s, uint32_t id, const struct msg_reply *r, int *fds, size_t nfds)
{
	if (id == s->sock_id)
		take_sockets(s, r, fds, nfds);
	else if (id == s->dir_id)
		take_folder(s, r, fds, nfds);
	else
		return false;
	update(s);
	return true;
}

bool
served_is_settled(const struct served *s)
{
	return s->sock_id == 0 && s->dir_id == 0;
}

/* --- time --- */

static void
on_timer(void *arg)
{
	struct served *s = arg;
	struct dhcp_clock clk = clock_now();
	struct dhcp_change ch;

	if (!mono_before(clk.now, s->retry_at)) {
		s->retry_at = MONO_NEVER;
		if (s->packet >= 0)
			look_after_bridge(s);
		else if (s->sock_id == 0)
			ask_sockets(s);
		if (!s->file.loaded && s->dir_id == 0)
			ask_folder(s);
	}
	while (s->file.loaded && dhcp_server_expire(s->server, clk, &ch))
		tell_change(s, &ch);
	leasefile_tidy(&s->file, s->server, clk);
	update(s);
}

void
served_clock_set(struct served *s)
{
	leasefile_tidy(&s->file, s->server, clock_now());
	update(s);
}

/* --- life --- */

/* The address of the host's end of a network, which is our bridge's. */
static struct mac
bridge_mac(unsigned net)
{
	return (struct mac){{0x00, 0x50, 0x56, 0xc0, 0x00, (uint8_t)net}};
}

struct served *
served_new(const struct served_env *env, struct netconf *conf)
{
	struct served *s = calloc(1, sizeof(*s));
	struct hash_key key;

	if (!s) {
		netconf_free(conf);
		return NULL;
	}
	s->env = *env;
	s->net = conf->net;
	s->packet = s->hold = -1;
	s->retry_at = MONO_NEVER;
	s->retry_ms = RETRY_MIN_MS;
	leasefile_init(&s->file, s->net);
	if (getrandom(key.b, sizeof(key.b), 0) != (ssize_t)sizeof(key.b))
		memset(&key, 0,
		       sizeof(key)); /* a hash that can be guessed is better than no DHCP */
	s->server = dhcp_server_new(conf, bridge_mac(s->net), &key);
	s->timer = loop_timer_new(env->loop, on_timer, s);
	if (!s->server || !s->timer) {
		served_free(s);
		return NULL;
	}
	ask_sockets(s);
	ask_folder(s);
	return s;
}

void
served_free(struct served *s)
{
	if (!s)
		return;
	close_sockets(s);
	loop_timer_free(s->timer);
	dhcp_server_free(s->server);
	leasefile_fini(&s->file);
	free(s);
}

int
served_set_conf(struct served *s, struct netconf *conf)
{
	struct ip4 before = dhcp_server_conf(s->server)->server, after = conf->server;
	struct dhcp_clock clk = clock_now();
	bool forgot;
	int r = dhcp_server_set_conf(s->server, conf, clk, &forgot);

	if (r < 0)
		return r;
	/* The held socket has the old address. */
	if (!ip4_eq(before, after)) {
		close_sockets(s);
		ask_sockets(s);
	}
	if (forgot)
		leasefile_outdate(&s->file, clk);
	leasefile_tidy(&s->file, s->server, clk);
	update(s);
	return 0;
}

bool
served_next_row(const struct served *s, struct leaserows *at, struct msg_lease_row *row)
{
	return s->file.loaded && leaserows_next(at, s->server, clock_now(), row);
}

bool
served_stat(const struct served *s, unsigned i, struct msg_dhcp_stat *row)
{
	row->net = (uint16_t)s->net;
	return statrows_at(row, dhcp_server_stats(s->server), i);
}
