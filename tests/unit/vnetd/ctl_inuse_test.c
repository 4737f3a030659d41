/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_inuse_test.c - who has a port of this host: sockets of this process, as the kernel tells of them.
 */
#include "../lib/t.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vnetd/ctl_inuse.h"

/* A socket on this address, with a port of the kernel's choice. */
static int
bound(const char *address, int type, uint16_t *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(a);

	assert_int_equal(inet_pton(AF_INET, address, &a.sin_addr), 1);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static bool
in_use(struct inuse *u, enum ip_proto proto, uint16_t first, uint16_t more)
{
	return inuse_on_host(u, proto, (struct host_ports){.first = first, .more = more});
}

static void
a_listener_is_named_with_its_process(void **state UNUSED)
{
	struct inuse u;
	uint16_t port;
	int fd = bound("127.0.0.1", SOCK_STREAM, &port);

	assert_false(in_use(&u, PROTO_TCP, port, 0));
	assert_int_equal(listen(fd, 1), 0);
	assert_true(in_use(&u, PROTO_TCP, port, 0));
	assert_int_equal(u.port, port);
	assert_int_equal(u.pid, getpid());
	assert_int_equal(u.uid, geteuid());
	assert_string_equal(u.addr, "127.0.0.1");
	assert_non_null(strstr("vnetd-ctl_inuse-test", u.name));
	assert_false(in_use(&u, PROTO_UDP, port, 0));
	close(fd);
	assert_false(in_use(&u, PROTO_TCP, port, 0));
}

static void
a_port_in_a_range_is_found(void **state UNUSED)
{
	struct inuse u;
	uint16_t port;
	int fd = bound("0.0.0.0", SOCK_STREAM, &port);

	assert_int_equal(listen(fd, 1), 0);
	assert_true(in_use(&u, PROTO_TCP, (uint16_t)(port - 1), 1));
	assert_true(in_use(&u, PROTO_TCP, port, 0));
	assert_int_equal(u.port, port);
	assert_string_equal(u.addr, "0.0.0.0");
	close(fd);
}

/* A socket of UDP is a service until it has a peer; forwards leave other loopback addresses alone. */
static void
what_a_forward_leaves_alone_is_not_in_its_way(void **state UNUSED)
{
	struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(9)};
	struct inuse u;
	uint16_t port, other;
	int udp = bound("127.0.0.1", SOCK_DGRAM, &port);
	int tcp = bound("127.0.0.53", SOCK_STREAM, &other);

	assert_true(in_use(&u, PROTO_UDP, port, 0));
	assert_int_equal(u.pid, getpid());
	peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(udp, (struct sockaddr *)&peer, sizeof(peer)), 0);
	assert_false(in_use(&u, PROTO_UDP, port, 0));
	assert_int_equal(listen(tcp, 1), 0);
	assert_false(in_use(&u, PROTO_TCP, other, 0));
	close(udp);
	close(tcp);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_listener_is_named_with_its_process),
	    cmocka_unit_test(a_port_in_a_range_is_found),
	    cmocka_unit_test(what_a_forward_leaves_alone_is_not_in_its_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
