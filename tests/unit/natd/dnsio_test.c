/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsio_test.c - the DNS proxy over real sockets on loopback: guests on one side, servers of all sorts on
 * the other.
 */
#include "dnskit.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/fd.h"
#include "natd/dnsio.h"

#define NET 8u

/* Enough for a slow machine, and still told from the proxy's own 2 seconds. */
enum { SOON_MS = 1000, BIG_ANSWER = 20000 };

enum mode { ANSWERS, REFUSES, SILENT, ANSWERS_BIG };

/* A server. */
struct fake {
	int fd;
	struct loop_io *watch;
	struct dns_addr addr;
	enum mode mode;
	unsigned queries, nports;
	uint16_t port[256]; /* that queries came from, each once */
};

struct fixture {
	struct loop *loop;
	struct loop_timer *end;
	struct dnsio *io;
	int guest; /* connected to the proxy */
	struct loop_io *guest_watch;
	unsigned answers, expected;
	uint8_t last[65536];
	size_t last_len;
	struct fake fake[2];
};

static int
udp_socket(const char *bind_to, struct dns_addr *bound)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	bool six = strchr(bind_to, ':');
	struct sockaddr *sa = six ? (struct sockaddr *)&in6 : (struct sockaddr *)&in;
	socklen_t len = six ? sizeof(in6) : sizeof(in);
	int fd = socket(sa->sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, sa, len), 0);
	assert_int_equal(getsockname(fd, sa, &len), 0);
	if (six) {
		memset(bound, 0, sizeof(*bound));
		memcpy(bound->ip, &in6.sin6_addr, sizeof(bound->ip));
		bound->port = ntohs(in6.sin6_port);
	} else {
		*bound = dns_addr_from_ip4((struct ip4){INADDR_LOOPBACK}, ntohs(in.sin_port));
	}
	return fd;
}

static void
note_port(struct fake *s, const struct sockaddr_storage *from)
{
	/* The port is at the same place in both families. */
	uint16_t port = ntohs(((const struct sockaddr_in *)from)->sin_port);

	for (unsigned i = 0; i < s->nports; i++) {
		if (s->port[i] == port)
			return;
	}
	assert_true(s->nports < ARRAY_LEN(s->port));
	s->port[s->nports++] = port;
}

static void
on_server(int fd, void *arg)
{
	struct fake *s = arg;
	static uint8_t buf[65536];
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	ssize_t n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &from_len);
	size_t len;

	if (n < 0)
		return;
	s->queries++;
	note_port(s, &from);
	if (s->mode == SILENT)
		return;
	len = kit_answer(buf, (size_t)n, sizeof(buf), s->mode == REFUSES ? DNS_REFUSED : 0);
	if (s->mode == ANSWERS_BIG) {
		memset(buf + len, 0x5a, BIG_ANSWER - len);
		len = BIG_ANSWER;
	}
	assert_int_equal(sendto(fd, buf, len, 0, (struct sockaddr *)&from, from_len), len);
}

static void
on_guest_answer(int fd, void *arg)
{
	struct fixture *f = arg;
	ssize_t n = recv(fd, f->last, sizeof(f->last), 0);

	assert_true(n >= DNS_HEADER_LEN);
	f->last_len = (size_t)n;
	if (++f->answers == f->expected)
		loop_stop(f->loop);
}

static void
on_end(void *arg)
{
	loop_stop(arg);
}

static void
fake_open(struct fixture *f, struct fake *s, const char *addr, enum mode mode)
{
	s->mode = mode;
	s->fd = udp_socket(addr, &s->addr);
	s->watch = loop_add_read(f->loop, s->fd, on_server, s);
	assert_non_null(s->watch);
}

static void
fake_close(struct fake *s)
{
	loop_io_free(s->watch);
	s->watch = NULL;
	fd_close(&s->fd);
}

static struct dns_net_conf
conf(const struct fixture *f, unsigned nservers)
{
	return (struct dns_net_conf){.server = {f->fake[0].addr, f->fake[1].addr},
				     .nservers = nservers,
				     .host_servers = true,
				     .timeout_ms = DNS_TIMEOUT_MS,
				     .tries = DNS_TRIES};
}

static void
setup(struct fixture *f, const char *addr, enum mode first, enum mode second)
{
	struct dns_addr proxy;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct dns_net_conf c;
	int fd = udp_socket("127.0.0.1", &proxy);

	memset(f, 0, sizeof(*f));
	f->loop = loop_new();
	assert_non_null(f->loop);
	f->end = loop_timer_new(f->loop, on_end, f->loop);
	fake_open(f, &f->fake[0], addr, first);
	fake_open(f, &f->fake[1], "127.0.0.1", second);
	f->io = dnsio_new(f->loop);
	assert_non_null(f->io);
	c = conf(f, 2);
	assert_int_equal(dnsio_set_net(f->io, NET, &fd, &c), 0);
	assert_int_equal(fd, -1);
	f->guest = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	to.sin_port = htons(proxy.port);
	assert_int_equal(connect(f->guest, (struct sockaddr *)&to, sizeof(to)), 0);
	f->guest_watch = loop_add_read(f->loop, f->guest, on_guest_answer, f);
	assert_non_null(f->guest_watch);
}

static void
teardown(struct fixture *f)
{
	dnsio_free(f->io);
	fake_close(&f->fake[0]);
	fake_close(&f->fake[1]);
	loop_io_free(f->guest_watch);
	fd_close(&f->guest);
	loop_free(f->loop);
}

static void
ask(struct fixture *f, uint16_t id)
{
	uint8_t buf[512];
	size_t len = kit_query(buf, sizeof(buf), id, "www.example.org", TYPE_A);

	assert_int_equal(send(f->guest, buf, len, 0), len);
}

/* Runs the loop until so many answers have come, or for so long; how long it took. */
static int64_t
run(struct fixture *f, unsigned answers, int64_t ms)
{
	struct mono start = mono_now();

	f->answers = 0;
	f->expected = answers;
	loop_timer_set(f->end, mono_add(start, ms));
	loop_run(f->loop);
	return mono_diff(mono_now(), start);
}

static void
assert_answer(const struct fixture *f, uint16_t id, uint8_t rcode)
{
	struct dns_head h;

	assert_int_equal(f->answers, 1);
	assert_true(dns_head_parse(&h, f->last, f->last_len));
	assert_true(h.response);
	assert_int_equal(h.id, id);
	assert_int_equal(h.rcode, rcode);
}

static void
queries_go_out_and_answers_come_back(void **state UNUSED)
{
	struct fixture f;

	setup(&f, "127.0.0.1", ANSWERS, ANSWERS);
	for (uint16_t i = 0; i < 100; i++) {
		ask(&f, i);
		assert_true(run(&f, 1, SOON_MS) < SOON_MS);
		assert_answer(&f, i, DNS_NOERROR);
		assert_int_equal(f.last[7], 1);
	}
	assert_int_equal(f.fake[0].queries, 100);
	assert_int_equal(f.fake[1].queries, 0);
	/* One of 16 sockets each time; fewer than 5 different ones come up once in 10^50 runs. */
	assert_true(f.fake[0].nports >= 5);
	assert_int_equal(dnsio_stats(f.io)->answers, 100);
	teardown(&f);
}

static void
a_burst_is_answered_in_full(void **state UNUSED)
{
	struct fixture f;

	setup(&f, "127.0.0.1", ANSWERS, ANSWERS);
	for (uint16_t i = 0; i < 200; i++)
		ask(&f, i);
	run(&f, 200, 4 * SOON_MS);
	assert_int_equal(f.answers, 200);
	teardown(&f);
}

static void
long_answers_arrive_whole(void **state UNUSED)
{
	struct fixture f;

	setup(&f, "127.0.0.1", ANSWERS_BIG, ANSWERS);
	ask(&f, 5);
	run(&f, 1, SOON_MS);
	assert_answer(&f, 5, DNS_NOERROR);
	assert_int_equal(f.last_len, BIG_ANSWER);
	for (size_t i = 512; i < BIG_ANSWER; i++)
		assert_int_equal(f.last[i], 0x5a);
	teardown(&f);
}

static void
servers_have_ipv6_addresses(void **state UNUSED)
{
	struct fixture f;

	setup(&f, "::1", ANSWERS, ANSWERS);
	ask(&f, 5);
	run(&f, 1, SOON_MS);
	assert_answer(&f, 5, DNS_NOERROR);
	assert_int_equal(f.fake[0].queries, 1);
	teardown(&f);
}

static void
check_closed(const char *addr)
{
	struct fixture f;

	setup(&f, addr, ANSWERS, ANSWERS);
	fake_close(&f.fake[0]);
	ask(&f, 5);
	/* Long before the timeout: ICMP tells. */
	assert_true(run(&f, 1, DNS_TIMEOUT_MS / 2) < DNS_TIMEOUT_MS / 2);
	assert_answer(&f, 5, DNS_NOERROR);
	assert_int_equal(dnsio_stats(f.io)->unreachable, 1);

	/* Nobody left. */
	fake_close(&f.fake[1]);
	ask(&f, 6);
	assert_true(run(&f, 1, DNS_TIMEOUT_MS / 2) < DNS_TIMEOUT_MS / 2);
	assert_answer(&f, 6, DNS_SERVFAIL);
	assert_int_equal(dnsio_stats(f.io)->timeouts, 0);
	teardown(&f);
}

static void
a_server_that_is_not_there_is_passed_over_at_once(void **state UNUSED)
{
	check_closed("127.0.0.1");
	check_closed("::1");
}

static void
a_silent_server_costs_one_timeout(void **state UNUSED)
{
	struct dns_net_conf c;
	struct fixture f;
	int none = -1;
	int64_t took;

	setup(&f, "127.0.0.1", SILENT, ANSWERS);
	c = conf(&f, 2);
	c.timeout_ms = 100;
	assert_int_equal(dnsio_set_net(f.io, NET, &none, &c), 0);
	ask(&f, 5);
	took = run(&f, 1, SOON_MS);
	assert_in_range(took, 100, SOON_MS - 1);
	assert_answer(&f, 5, DNS_NOERROR);
	assert_int_equal(f.fake[0].queries, 1);

	f.fake[1].mode = SILENT;
	ask(&f, 6);
	took = run(&f, 1, 4 * SOON_MS);
	assert_in_range(took, 600, 4 * SOON_MS - 1);
	assert_answer(&f, 6, DNS_SERVFAIL);
	assert_int_equal(f.fake[0].queries, 4);
	assert_int_equal(f.fake[1].queries, 4);
	teardown(&f);
}

static void
a_refusal_asks_the_next_server(void **state UNUSED)
{
	struct fixture f;

	setup(&f, "127.0.0.1", REFUSES, ANSWERS);
	ask(&f, 5);
	run(&f, 1, SOON_MS);
	assert_answer(&f, 5, DNS_NOERROR);
	assert_int_equal(f.fake[0].queries, 1);
	assert_int_equal(f.fake[1].queries, 1);
	teardown(&f);
}

static void
sockets_are_given_up_when_idle(void **state UNUSED)
{
	struct fixture f;
	unsigned ports;

	setup(&f, "127.0.0.1", ANSWERS, ANSWERS);
	for (uint16_t i = 0; i < 100; i++) {
		ask(&f, i);
		run(&f, 1, SOON_MS);
	}
	ports = f.fake[0].nports;
	assert_true(ports >= 5);
	run(&f, 1, SOON_MS + 100); /* nothing comes */
	/* The first use closes each, the second has a new port. */
	for (uint16_t i = 0; i < 100; i++) {
		ask(&f, i);
		run(&f, 1, SOON_MS);
	}
	assert_true(f.fake[0].nports >= ports + 5);
	teardown(&f);
}

static void
networks_come_and_go(void **state UNUSED)
{
	struct dns_net_conf c;
	struct fixture f;
	int none = -1, fd;

	setup(&f, "127.0.0.1", SILENT, ANSWERS);
	c = conf(&f, 1);
	assert_int_equal(dnsio_set_net(f.io, NET + 1, &none, &c), -EBADF);
	assert_int_equal(dnsio_set_net(f.io, DNS_NETS, &none, &c), -EINVAL);
	c.tries = 0;
	fd = dup(f.guest);
	assert_int_equal(dnsio_set_net(f.io, NET, &fd, &c), -EINVAL);
	assert_int_equal(fd, -1);

	/* A pending query follows the change of servers, the last of which was silent. */
	ask(&f, 5);
	run(&f, 1, 100);
	assert_int_equal(f.answers, 0);
	c = conf(&f, 2);
	c.server[0] = f.fake[1].addr;
	assert_int_equal(dnsio_set_net(f.io, NET, &none, &c), 0);
	run(&f, 1, SOON_MS);
	assert_answer(&f, 5, DNS_NOERROR);

	/* Its socket is closed with it; it is nobody's fault to drop it twice. */
	dnsio_drop_net(f.io, NET);
	dnsio_drop_net(f.io, NET);
	dnsio_drop_net(f.io, DNS_NETS);
	loop_io_free(f.guest_watch);
	f.guest_watch = NULL;
	ask(&f, 6);
	run(&f, 1, 100);
	errno = 0;
	assert_int_equal(recv(f.guest, f.last, sizeof(f.last), 0), -1);
	assert_int_equal(errno, ECONNREFUSED);
	dnsio_free(NULL);
	teardown(&f);
}

static void
the_hosts_servers_are_asked_last(void **state UNUSED)
{
	static const struct ip4 own = {0x7f000002};
	struct dns_net_conf c;
	struct resolv r;
	struct fixture f;
	int none = -1;

	setup(&f, "127.0.0.1", ANSWERS, ANSWERS);
	c = conf(&f, 0);
	assert_int_equal(dnsio_set_net(f.io, NET, &none, &c), 0);
	ask(&f, 4);
	run(&f, 1, SOON_MS);
	assert_answer(&f, 4, DNS_SERVFAIL);

	memset(&r, 0, sizeof(r));
	r.n = 1;
	r.server[0].addr = f.fake[1].addr;
	assert_int_equal(dnsio_set_host_servers(f.io, &r), 1);
	ask(&f, 5);
	run(&f, 1, SOON_MS);
	assert_answer(&f, 5, DNS_NOERROR);
	assert_int_equal(f.fake[1].queries, 1);
	c = conf(&f, 1);
	assert_int_equal(dnsio_set_net(f.io, NET, &none, &c), 0);
	ask(&f, 6);
	run(&f, 1, SOON_MS);
	assert_answer(&f, 6, DNS_NOERROR);
	assert_int_equal(f.fake[0].queries, 1);

	resolv_parse(&r, "nameserver 127.0.0.2\n", 21, &own, 1);
	assert_int_equal(dnsio_set_host_servers(f.io, &r), 0);
	teardown(&f);
}

static void
scopes_are_interfaces_that_exist(void **state UNUSED)
{
	static const char text[] = "nameserver fe80::1%lo\nnameserver fe80::1%nosuchlink0\n"
				   "nameserver fe80::1%1\n";
	struct resolv r;
	struct fixture f;

	setup(&f, "127.0.0.1", ANSWERS, ANSWERS);
	resolv_parse(&r, text, strlen(text), NULL, 0);
	assert_int_equal(r.n, 3);
	assert_int_equal(dnsio_set_host_servers(f.io, &r), 2);
	teardown(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(queries_go_out_and_answers_come_back),
	    cmocka_unit_test(a_burst_is_answered_in_full),
	    cmocka_unit_test(long_answers_arrive_whole),
	    cmocka_unit_test(servers_have_ipv6_addresses),
	    cmocka_unit_test(a_server_that_is_not_there_is_passed_over_at_once),
	    cmocka_unit_test(a_silent_server_costs_one_timeout),
	    cmocka_unit_test(a_refusal_asks_the_next_server),
	    cmocka_unit_test(sockets_are_given_up_when_idle),
	    cmocka_unit_test(networks_come_and_go),
	    cmocka_unit_test(the_hosts_servers_are_asked_last),
	    cmocka_unit_test(scopes_are_interfaces_that_exist),
	};

	return T_RUN(tests);
}
