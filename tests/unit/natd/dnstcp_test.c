/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnstcp_test.c - guests' connections to the DNS proxy, over loopback: who has to go when there are too many.
 */
#include "dnskit.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/fd.h"
#include "natd/dnstcp.h"

/* Two networks, and what guests of the first hold. */
enum { NET = 8, OTHER = 9, FULL = DNSTCP_CONNS_MAX, TURN_MS = 100, SOON_MS = 5000 };

struct fixture {
	struct loop *loop;
	struct loop_timer *end;
	struct dns *dns;
	struct dnstcp *t;
	uint16_t port[DNS_NETS]; /* of the proxy */
	int server;              /* takes connections and says nothing; -1: there is none */
	int held[FULL];
};

static void
on_end(void *arg)
{
	loop_stop(arg);
}

static void
ignore_due(void *arg UNUSED)
{
}

static int
listen_at(uint16_t *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(fd, 2 * FULL), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

static void
setup(struct fixture *f, bool server)
{
	struct dns_net_conf c = {.timeout_ms = DNS_LIFE_MS, .tries = 1};
	uint16_t port;

	memset(f, 0, sizeof(*f));
	f->loop = loop_new();
	f->end = loop_timer_new(f->loop, on_end, f->loop);
	f->dns = dns_new(1, 77);
	f->t = dnstcp_new(f->loop, f->dns, ignore_due, NULL);
	assert_non_null(f->t);
	f->server = -1;
	if (server) {
		f->server = listen_at(&port);
		c.server[c.nservers++] = dns_addr_from_ip4((struct ip4){INADDR_LOOPBACK}, port);
	}
	for (unsigned net = NET; net <= OTHER; net++) {
		int fd = listen_at(&f->port[net]);

		assert_int_equal(dns_set_net(f->dns, net, &c, mono_now()), 0);
		assert_int_equal(dnstcp_set_net(f->t, net, &fd), 0);
	}
}

static void
teardown(struct fixture *f)
{
	for (unsigned i = 0; i < FULL; i++)
		fd_close(&f->held[i]);
	dnstcp_free(f->t);
	dns_free(f->dns);
	fd_close(&f->server);
	loop_free(f->loop);
}

/* Whatever there is to do. */
static void
turn(struct fixture *f)
{
	loop_timer_set(f->end, mono_add(mono_now(), TURN_MS));
	loop_run(f->loop);
}

/* The n-th address of a network's guests. */
static int
connect_to(const struct fixture *f, unsigned net, unsigned n)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr = {htonl(INADDR_LOOPBACK + 256 * net + n)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	at.sin_port = htons(f->port[net]);
	assert_true(connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 || errno == EINPROGRESS);
	return fd;
}

static void
ask(int fd)
{
	uint8_t buf[128];
	size_t len = kit_query(buf + 2, sizeof(buf) - 2, 5, "example.org", TYPE_A);

	buf[0] = 0;
	buf[1] = (uint8_t)len;
	assert_int_equal(send(fd, buf, len + 2, MSG_NOSIGNAL), len + 2);
}

static bool
is_closed(int fd)
{
	uint8_t b;
	ssize_t n = recv(fd, &b, 1, MSG_PEEK);

	return n == 0 || (n < 0 && errno == ECONNRESET);
}

/* All that there may be, by eight guests of the first network; one after the other. */
static void
fill(struct fixture *f, bool busy)
{
	struct mono start = mono_now();

	for (unsigned i = 0; i < FULL; i++)
		f->held[i] = connect_to(f, NET, i / DNSTCP_PER_CLIENT_MAX);
	turn(f);
	for (unsigned i = 0; i < FULL; i++) {
		assert_false(is_closed(f->held[i]));
		if (busy)
			ask(f->held[i]);
	}
	while (busy && dns_stats(f->dns)->sent < FULL && mono_diff(mono_now(), start) < SOON_MS)
		turn(f);
	assert_int_equal(dns_stats(f->dns)->closed, 0);
}

static unsigned
closed_of_held(const struct fixture *f)
{
	unsigned n = 0;

	for (unsigned i = 0; i < FULL; i++)
		n += is_closed(f->held[i]);
	return n;
}

static void
one_network_cannot_take_all_connections(void **state UNUSED)
{
	struct fixture f;
	int other;

	/* There is no server, and the guests are told so. */
	setup(&f, false);
	fill(&f, false);
	ask(f.held[0]);
	turn(&f);
	other = connect_to(&f, OTHER, 1);
	ask(other);
	turn(&f);
	assert_int_equal(dns_stats_of(f.dns, OTHER)->no_server, 1);
	assert_false(is_closed(other));
	/* The one that has asked last is not the one that goes. */
	assert_false(is_closed(f.held[0]));
	assert_int_equal(closed_of_held(&f), 1);
	assert_int_equal(dns_stats_of(f.dns, NET)->closed, 1);
	assert_int_equal(dns_stats_of(f.dns, OTHER)->closed, 0);
	fd_close(&other);
	teardown(&f);
}

static void
a_full_network_makes_room_among_its_own(void **state UNUSED)
{
	struct fixture f;
	int one, more[DNSTCP_PER_CLIENT_MAX];

	setup(&f, false);
	fill(&f, false);
	one = connect_to(&f, OTHER, 1);
	turn(&f);
	for (unsigned i = 0; i < ARRAY_LEN(more); i++)
		more[i] = connect_to(&f, NET, 100);
	turn(&f);
	assert_false(is_closed(one));
	for (unsigned i = 0; i < ARRAY_LEN(more); i++) {
		assert_false(is_closed(more[i]));
		fd_close(&more[i]);
	}
	assert_int_equal(closed_of_held(&f), 1 + ARRAY_LEN(more));
	assert_int_equal(dns_stats_of(f.dns, NET)->closed, 1 + ARRAY_LEN(more));
	fd_close(&one);
	teardown(&f);
}

/* Every connection waits for a server. */
static void
busy_connections_go_for_another_network_only(void **state UNUSED)
{
	struct fixture f;
	int same, other;

	setup(&f, true);
	fill(&f, true);
	same = connect_to(&f, NET, 100);
	turn(&f);
	assert_true(is_closed(same));
	assert_int_equal(closed_of_held(&f), 0);
	other = connect_to(&f, OTHER, 1);
	ask(other);
	turn(&f);
	assert_false(is_closed(other));
	assert_int_equal(closed_of_held(&f), 1);
	assert_int_equal(dns_stats_of(f.dns, OTHER)->sent, 1);
	assert_int_equal(dns_stats_of(f.dns, NET)->closed, 2);
	assert_int_equal(dns_stats_of(f.dns, OTHER)->closed, 0);
	fd_close(&same);
	fd_close(&other);
	teardown(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_network_cannot_take_all_connections),
	    cmocka_unit_test(a_full_network_makes_room_among_its_own),
	    cmocka_unit_test(busy_connections_go_for_another_network_only),
	};

	return T_RUN(tests);
}
