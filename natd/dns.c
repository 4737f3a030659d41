/* SPDX-License-Identifier: GPL-2.0-or-later
 * dns.c - the DNS proxy's decisions: whom to ask, when to ask the next, whose answer this is.
 *
 * Pure: see dns.h. dnstab.c keeps the pending queries, dnsmsg.c knows their bytes.
 *
 * A query waits for one server at a time (for several with DNS_BURST), but the answer of any that it asked is
 * taken. A server that refuses (SERVFAIL, NOTIMP, REFUSED) is passed over for this query while there is a
 * healthy one that was not asked, as the C library does on a host. The order of servers: dnspick.h.
 *
 * A guest that repeats a pending query changes nothing: our own timer is shorter than resolvers' are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"
#include "natd/dnsknown.h"

struct dns *
dns_new(unsigned nsocks, uint64_t seed)
{
	struct dns *d = calloc(1, sizeof(*d));
	struct hash_key key = {{0}};

	if (!d)
		return NULL;
	memcpy(key.b, &seed, sizeof(seed));
	d->nsocks = nsocks < 1 ? 1 : nsocks > DNS_SOCKS_MAX ? DNS_SOCKS_MAX : nsocks;
	d->tab = dns_tab_new(seed);
	d->cache = dnscache_new(&key);
	d->names = dnsname_new(&key);
	if (!d->tab || !d->cache || !d->names) {
		dns_free(d);
		return NULL;
	}
	return d;
}

void
dns_free(struct dns *d)
{
	if (!d)
		return;
	for (unsigned i = 0; i < DNS_NETS; i++)
		free(d->net[i]);
	dns_tab_free(d->tab);
	dnscache_free(d->cache);
	dnsname_free(d->names);
	free(d);
}

void
dns_count(struct dns *d, unsigned net, enum dns_count what)
{
	struct dns_stats *of = known_stats(d, net);

	d->stats.n[what]++;
	if (of)
		of->n[what]++;
}

void
dns_count_drop(struct dns *d, unsigned net, enum dns_drop why)
{
	struct dns_stats *of = known_stats(d, net);

	d->stats.dropped[why]++;
	if (of)
		of->dropped[why]++;
}

static struct dns_out
drop(struct dns *d, unsigned net, enum dns_drop why)
{
	dns_count_drop(d, net, why);
	return (struct dns_out){.what = DNS_DROP, .why = why};
}

static struct dns_out
reply(unsigned net, struct ip4 client, uint16_t port, const uint8_t *msg, size_t len)
{
	return (struct dns_out){
	    .what = DNS_REPLY, .msg = msg, .len = len, .net = net, .client = client, .port = port};
}

static void
forget(struct dns *d, struct dns_query *q)
{
	d->sock_pending[q->sock]--;
	dns_tab_remove(d->tab, q);
}

/* Servers. */

/* Bits of the servers whose answer to q may come in time. */
static unsigned
still_waited(const struct dns_query *q)
{
	return q->waited & ~(unsigned)q->gone;
}

/* The next dns_tick() asks q's next server. */
static void
move_on(struct dns *d, struct dns_query *q, struct mono now)
{
	q->at = -1;
	q->waited = 0;
	dns_tab_set_due(d->tab, q, now);
}

static struct dns_out
ask(struct dns *d, struct dns_query *q, unsigned i, const uint8_t *msg, struct mono now)
{
	struct dns_net *n = d->net[q->net];
	struct upstream *u = pick_server(n, i);

	q->asked |= (uint8_t)(1u << i);
	q->waited |= (uint8_t)(1u << i);
	q->tries[i]++;
	q->at = (int8_t)i;
	q->sent = now;
	q->more = pick_more_at_once(n, q, now);
	dns_tab_set_due(d->tab, q, q->more ? now : mono_add(now, n->conf.timeout_ms));
	/* Its time is over, but that is not to say that it works again: this one query finds out, and
	 * the others go on asking somebody else. */
	if (u->fails >= DNS_BAD_AFTER && !upstream_is_bad(u, now))
		u->bad_until = mono_add(now, DNS_BAD_MS);
	dns_count(d, q->net, DNS_COUNT_SENT);
	return (struct dns_out){.what = DNS_SEND,
				.msg = msg,
				.len = q->len,
				.sock = q->sock,
				.server = u->addr,
				.net = q->net,
				.client = q->client,
				.port = q->port};
}

/* Configuration. */

/* The servers behind the numbers have changed: all that was noted about them is void. */
static void
start_over(struct dns *d, struct dns_net *n, struct mono now)
{
	n->scope = ++d->last_scope;
	for (struct dns_query *q = dns_tab_oldest(d->tab); q; q = dns_tab_younger(d->tab, q)) {
		if (d->net[q->net] != n)
			continue;
		q->asked = q->gone = 0;
		memset(q->tries, 0, sizeof(q->tries));
		move_on(d, q, now);
	}
}

int
dns_set_net(struct dns *d, unsigned net, const struct dns_net_conf *conf, struct mono now)
{
	struct dns_net *n;
	bool same;

	if (net >= DNS_NETS || conf->nservers > DNS_SERVERS_MAX || conf->policy >= DNS_POLICY_N ||
	    conf->tries < 1 || conf->tries > DNS_TRIES_MAX || conf->timeout_ms < 1 ||
	    conf->timeout_ms > DNS_LIFE_MS)
		return -EINVAL;
	n = d->net[net];
	if (!n) {
		n = calloc(1, sizeof(*n));
		if (!n)
			return -ENOMEM;
		n->host = &d->host;
		d->net[net] = n;
	}
	same = upstreams_eq(&n->own, conf->server, conf->nservers) &&
	       n->conf.host_servers == conf->host_servers;
	n->conf = *conf;
	if (same)
		return 0;
	upstreams_set(&n->own, conf->server, conf->nservers);
	start_over(d, n, now);
	return 0;
}

void
dns_drop_net(struct dns *d, unsigned net)
{
	struct dns_query *q, *next;

	if (net >= DNS_NETS || !d->net[net])
		return;
	for (q = dns_tab_oldest(d->tab); q; q = next) {
		next = dns_tab_younger(d->tab, q);
		if (q->net == net) {
			dns_count(d, net, DNS_COUNT_GONE);
			forget(d, q);
		}
	}
	free(d->net[net]);
	d->net[net] = NULL;
}

void
dns_set_host_servers(struct dns *d, const struct dns_addr *server, unsigned n, struct mono now)
{
	if (n > DNS_SERVERS_MAX)
		n = DNS_SERVERS_MAX;
	if (upstreams_eq(&d->host, server, n))
		return;
	upstreams_set(&d->host, server, n);
	d->host_scope = ++d->last_scope;
	for (unsigned i = 0; i < DNS_NETS; i++) {
		if (d->net[i] && d->net[i]->conf.host_servers)
			start_over(d, d->net[i], now);
	}
}

/* Queries. */

/* The client's pending query with the same bytes, or NULL; *count: how many it has. */
static struct dns_query *
find_repeated(struct dns *d, unsigned net, struct ip4 client, uint16_t port, const uint8_t *msg,
	      size_t len, unsigned *count)
{
	struct dns_query *q = NULL;

	*count = 0;
	while ((q = dns_tab_each_of(d->tab, net, client, q))) {
		++*count;
		if (q->port == port && q->client_id == dns_get_id(msg) && q->len == len &&
		    memcmp(dns_tab_msg(d->tab, q) + 2, msg + 2, len - 2) == 0)
			return q;
	}
	return NULL;
}

static struct dns_query *
open_query(struct dns *d, const struct dns_asker *from, const uint8_t *msg, size_t len,
	   const struct dns_head *h, unsigned first, struct mono now, uint64_t rnd)
{
	uint16_t id = dns_tab_free_id(d->tab, (uint16_t)rnd);
	struct dns_query *q = dns_tab_add(d->tab, from->net, from->client, id);
	uint8_t *kept;

	if (!q) {
		q = dns_tab_oldest(d->tab);
		dns_count(d, q->net, DNS_COUNT_FULL);
		forget(d, q);
		id = dns_tab_free_id(d->tab, (uint16_t)rnd);
		q = dns_tab_add(d->tab, from->net, from->client, id);
	}
	q->port = from->port;
	q->client_id = h->id;
	q->sock = (uint8_t)((rnd >> 16) % d->nsocks);
	q->first = (uint8_t)first;
	q->len = (uint16_t)len;
	q->end = (uint16_t)h->end;
	q->scope = known_scope(d, d->net[from->net]);
	q->born = now;
	kept = dns_tab_msg(d->tab, q);
	memcpy(kept, msg, len);
	dns_set_id(kept, q->id);
	d->sock_pending[q->sock]++;
	return q;
}

/* Asks the same for ourselves, at the next dns_tick(): no guest has to wait for it. */
static void
refresh(struct dns *d, unsigned net, const uint8_t *msg, size_t len, const struct dns_head *h,
	struct mono now, uint64_t rnd)
{
	struct dns_asker nobody = {.net = net};

	dns_count(d, net, DNS_COUNT_REFRESHED);
	move_on(d, open_query(d, &nobody, msg, len, h, 0, now, rnd), now);
}

/* known_answer(), and what it says should be asked for again is. Guests' own queries are more urgent when there are
 * many. */
static size_t
answer_known(struct dns *d, const struct dns_asker *from, uint8_t *msg, size_t len,
	     const struct dns_head *h, size_t cap, bool tcp, struct mono now, uint64_t rnd)
{
	uint8_t query[DNS_QUERY_LEN_MAX];
	bool can = len <= sizeof(query) && dns_tab_count(d->tab) < DNS_QUERIES_MAX / 2;
	bool again = false;
	size_t known;

	if (can)
		memcpy(query, msg, len);
	known = known_answer(d, from, msg, len, h, cap, tcp, now, can ? &again : NULL);
	if (again)
		refresh(d, from->net, query, len, h, now, rnd);
	return known;
}

static struct dns_out
say_no(const struct dns_asker *from, uint8_t *msg, size_t len, const struct dns_head *h,
       enum dns_rcode rcode)
{
	len = dns_make_error(msg, len, h, rcode);
	return reply(from->net, from->client, from->port, msg, len);
}

/* Asks a server. */
static struct dns_out
forward(struct dns *d, const struct dns_asker *from, uint8_t *msg, size_t len,
	const struct dns_head *h, struct mono now, uint64_t rnd)
{
	struct dns_net *n = d->net[from->net];
	struct dns_query *q;
	unsigned count, first;
	int next;

	q = find_repeated(d, from->net, from->client, from->port, msg, len, &count);
	if (q)
		return drop(d, from->net, DNS_DROP_REPEATED);
	if (count >= DNS_PER_CLIENT_MAX) {
		dns_count(d, from->net, DNS_COUNT_REFUSED);
		return say_no(from, msg, len, h, DNS_REFUSED);
	}
	first = pick_first(n);
	next = pick_next(n, NULL, first, now);
	if (next < 0) {
		dns_count(d, from->net, DNS_COUNT_NO_SERVER);
		return say_no(from, msg, len, h, DNS_SERVFAIL);
	}
	q = open_query(d, from, msg, len, h, first, now, rnd);
	dns_count(d, from->net, DNS_COUNT_FORWARDED);
	dns_set_id(msg, q->id);
	return ask(d, q, (unsigned)next, msg, now);
}

struct dns_out
dns_query_in(struct dns *d, const struct dns_asker *from, uint8_t *msg, size_t len, size_t cap,
	     struct mono now, uint64_t rnd)
{
	struct dns_head h;
	size_t known;

	if (from->net >= DNS_NETS || !d->net[from->net])
		return drop(d, DNS_NET_NONE, DNS_DROP_NO_NET);
	if (from->port == 0)
		return drop(d, from->net, DNS_DROP_NO_PORT);
	if (!dns_head_parse(&h, msg, len))
		return drop(d, from->net, DNS_DROP_SHORT);
	if (h.response)
		return drop(d, from->net, DNS_DROP_NOT_QUERY);
	dns_count(d, from->net, DNS_COUNT_QUERIES);
	if (!h.question_ok || len > DNS_QUERY_LEN_MAX) {
		dns_count(d, from->net, DNS_COUNT_FORMERR);
		return say_no(from, msg, len, &h, DNS_FORMERR);
	}
	known = answer_known(d, from, msg, len, &h, cap, false, now, rnd);
	if (known)
		return reply(from->net, from->client, from->port, msg, known);
	return forward(d, from, msg, len, &h, now, rnd);
}

size_t
dns_answer(struct dns *d, const struct dns_asker *from, uint8_t *msg, size_t len, size_t cap,
	   struct mono now, uint64_t rnd, uint32_t *scope)
{
	struct dns_head h;
	size_t known;

	*scope = 0;
	if (from->net >= DNS_NETS || !d->net[from->net] || !dns_head_parse(&h, msg, len))
		return 0;
	*scope = known_scope(d, d->net[from->net]);
	known = h.question_ok ? answer_known(d, from, msg, len, &h, cap, true, now, rnd) : 0;
	if (!known)
		dns_count(d, from->net,
			  pick_next(d->net[from->net], NULL, 0, now) < 0 ? DNS_COUNT_NO_SERVER
									 : DNS_COUNT_FORWARDED);
	return known;
}

/* Answers. */

/* The answer repeats q's question. A bare header is allowed to say that something is wrong, since some
 * servers do not say more. */
static bool
answers_question(struct dns *d, const struct dns_query *q, const struct dns_head *h,
		 const uint8_t *msg)
{
	if (!h->question_ok)
		return false;
	if (h->end == DNS_HEADER_LEN && q->end != DNS_HEADER_LEN)
		return h->rcode != DNS_NOERROR && h->rcode != DNS_NXDOMAIN;
	return h->end == q->end &&
	       dns_question_eq(msg + DNS_HEADER_LEN, dns_tab_msg(d->tab, q) + DNS_HEADER_LEN,
			       h->end - DNS_HEADER_LEN);
}

struct dns_out
dns_answer_in(struct dns *d, unsigned sock, const struct dns_addr *from, uint8_t *msg, size_t len,
	      struct mono now)
{
	struct dns_net *n;
	struct dns_query *q;
	struct dns_head h;
	struct dns_out out;
	int i;

	if (!dns_head_parse(&h, msg, len))
		return drop(d, DNS_NET_NONE, DNS_DROP_SHORT);
	if (!h.response)
		return drop(d, DNS_NET_NONE, DNS_DROP_NOT_ANSWER);
	q = dns_tab_find(d->tab, h.id);
	if (!q)
		return drop(d, DNS_NET_NONE, DNS_DROP_NO_ID);
	if (q->sock != sock)
		return drop(d, q->net, DNS_DROP_SOCKET);
	i = pick_asked(d->net[q->net], q, from);
	if (i < 0)
		return drop(d, q->net, DNS_DROP_SERVER);
	if (!answers_question(d, q, &h, msg))
		return drop(d, q->net, DNS_DROP_QUESTION);
	n = d->net[q->net];
	upstream_answered(pick_server(n, (unsigned)i));
	if (dns_is_refusal(h.rcode)) {
		q->gone |= (uint8_t)(1u << i);
		if ((q->at >= 0 && q->at != i) || still_waited(q))
			return drop(d, q->net, DNS_DROP_NEXT_SERVER);
		if (pick_has_fresh(n, q, now)) {
			move_on(d, q, now);
			return drop(d, q->net, DNS_DROP_NEXT_SERVER);
		}
	}
	known_keep(d, q->net, q->scope, dns_tab_msg(d->tab, q), q->len, msg, len, now);
	if (q->port != 0) {
		struct dns_asker asker = {q->net, q->client, q->port};

		len = known_guard(d, &asker, dns_tab_msg(d->tab, q), q->len, msg, len);
	}
	dns_set_id(msg, q->client_id);
	out = reply(q->net, q->client, q->port, msg, len);
	forget(d, q);
	if (out.port == 0)
		return drop(d, out.net, DNS_DROP_REFRESH);
	dns_count(d, out.net, DNS_COUNT_ANSWERS);
	return out;
}

void
dns_unreachable(struct dns *d, unsigned sock, const struct dns_addr *server, const uint8_t *msg,
		size_t len, struct mono now)
{
	struct dns_query *q = len < 2 ? NULL : dns_tab_find(d->tab, dns_get_id(msg));
	struct dns_net *n;
	int i;

	if (!q || q->sock != sock)
		return;
	if (memcmp(dns_tab_msg(d->tab, q), msg, len < q->len ? len : q->len) != 0)
		return;
	i = pick_asked(d->net[q->net], q, server);
	if (i < 0)
		return;
	n = d->net[q->net];
	dns_count(d, q->net, DNS_COUNT_UNREACHABLE);
	upstream_failed(pick_server(n, (unsigned)i), DNS_BAD_AFTER, now);
	q->gone |= (uint8_t)(1u << i);
	if (q->at == i && !still_waited(q))
		move_on(d, q, now);
}

/* Time. */

/* Nobody answered q: says so. */
static struct dns_out
give_up(struct dns *d, struct dns_query *q)
{
	uint8_t *msg = dns_tab_msg(d->tab, q);
	struct dns_head h;
	struct dns_out out;
	size_t len;

	dns_set_id(msg, q->client_id);
	dns_head_parse(&h, msg, q->len);
	len = dns_make_error(msg, q->len, &h, DNS_SERVFAIL);
	out = reply(q->net, q->client, q->port, msg, len);
	forget(d, q);
	if (out.port == 0)
		return drop(d, out.net, DNS_DROP_REFRESH);
	dns_count(d, out.net, DNS_COUNT_SERVFAIL);
	return out;
}

/* Those for which q waited did not answer. */
static void
note_timeout(struct dns *d, struct dns_query *q, struct mono now)
{
	for (unsigned i = 0; i < DNS_QUERY_SERVERS; i++) {
		if (!(still_waited(q) & 1u << i))
			continue;
		dns_count(d, q->net, DNS_COUNT_TIMEOUTS);
		upstream_failed(pick_server(d->net[q->net], i), 1, now);
	}
	q->waited = 0;
}

bool
dns_tick(struct dns *d, struct mono now, struct dns_out *out)
{
	struct dns_query *q = dns_tab_first_due(d->tab);
	int i;

	if (!q || mono_before(now, q->due))
		return false;
	if (q->at >= 0 && !q->more)
		note_timeout(d, q, now);
	i = pick_next(d->net[q->net], q, q->first, now);
	if (i < 0 || mono_diff(now, q->born) >= DNS_LIFE_MS)
		*out = give_up(d, q);
	else
		*out = ask(d, q, (unsigned)i, dns_tab_msg(d->tab, q), now);
	return true;
}

struct mono
dns_next_deadline(const struct dns *d)
{
	const struct dns_query *q = dns_tab_first_due(d->tab);

	return q ? q->due : MONO_NEVER;
}

/* Those that are known to be bad come in the second round. */
static const struct upstream *
nth_server(struct dns_net *n, unsigned k, struct mono now)
{
	for (unsigned i = 0; i < 2 * DNS_QUERY_SERVERS; i++) {
		const struct upstream *u = pick_server(n, i % DNS_QUERY_SERVERS);

		if (u && upstream_is_bad(u, now) == (i >= DNS_QUERY_SERVERS) && k-- == 0)
			return u;
	}
	return NULL;
}

bool
dns_server(struct dns *d, unsigned net, unsigned k, struct mono now, struct dns_addr *addr,
	   uint32_t *wait_ms)
{
	struct dns_net *n = net < DNS_NETS ? d->net[net] : NULL;
	const struct upstream *u = n ? nth_server(n, k, now) : NULL;
	uint32_t wait;

	if (!u)
		return false;
	/* What UDP makes of it by asking again. */
	wait = n->conf.timeout_ms * (nth_server(n, k + 1, now) ? 1 : n->conf.tries);
	*addr = u->addr;
	*wait_ms = wait < DNS_LIFE_MS ? wait : DNS_LIFE_MS;
	return true;
}

unsigned
dns_pending(const struct dns *d)
{
	return dns_tab_count(d->tab);
}

unsigned
dns_sock_pending(const struct dns *d, unsigned sock)
{
	return sock < DNS_SOCKS_MAX ? d->sock_pending[sock] : 0;
}

const char *
dns_drop_text(enum dns_drop why)
{
	static const char *const text[] = {
#define D(NAME, text) text,
	    DNS_DROP_LIST(D)
#undef D
	};

	static_assert(ARRAY_LEN(text) == DNS_DROP_N, "every reason has a text");
	return (unsigned)why < DNS_DROP_N ? text[why] : "?";
}
