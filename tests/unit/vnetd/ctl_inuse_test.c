/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_inuse_test.c - which socket has a port, by tables as Linux prints them, and of this host.
 */
#include "../lib/t.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vnetd/ctl_inuse.h"

enum { LISTEN = 0x0a, ESTABLISHED = 1, UNCONNECTED = 7 };

struct row {
	const char *addr;
	unsigned port, state, uid;
	unsigned long inode;
};

#define PORT(n) ((struct host_ports){.first = (n)})

static const struct row tcp[] = {
    {"0.0.0.0", 22, LISTEN, 0, 1059},           {"127.0.0.1", 631, LISTEN, 116, 2000},
    {"127.0.0.53", 53, LISTEN, 101, 2001},      {"10.10.10.2", 8080, ESTABLISHED, 1000, 2002},
    {"192.168.1.10", 8081, LISTEN, 1000, 2003},
};

static const struct row tcp6[] = {
    {"::", 80, LISTEN, 33, 3000},
    {"::1", 5000, LISTEN, 33, 3001},
    {"::ffff:127.0.0.1", 5001, LISTEN, 33, 3002},
};

static const struct row udp[] = {
    {"0.0.0.0", 68, UNCONNECTED, 0, 4000},
    {"10.10.10.2", 8080, ESTABLISHED, 1000, 4001},
};

/* The table as the kernel prints it: addresses as words of this machine. */
static const char *
table(const struct row *r, size_t n)
{
	static char text[2048];
	size_t len = (size_t)snprintf(text, sizeof(text), "  sl  local_address rem_address   st\n");

	for (size_t i = 0; i < n; i++) {
		bool v6 = strchr(r[i].addr, ':');
		uint32_t word[4];

		assert_int_equal(inet_pton(v6 ? AF_INET6 : AF_INET, r[i].addr, word), 1);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%4zu: ", i);
		for (unsigned k = 0; k < (v6 ? 4 : 1); k++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%08X", word[k]);
		len +=
		    (size_t)snprintf(text + len, sizeof(text) - len,
				     ":%04X 00000000:0050 %02X 00000000:00000000 02:000A7214 "
				     "00000000 %5u        0 %lu 1 0000000000000000 100 0 0 10 0\n",
				     r[i].port, r[i].state, r[i].uid, r[i].inode);
	}
	return text;
}

#define TABLE(rows) table(rows, ARRAY_LEN(rows))

static void
listeners_are_found(void **state UNUSED)
{
	struct inuse u;

	assert_true(inuse_in_table(&u, TABLE(tcp), PROTO_TCP, PORT(22), MSG_UID_NONE));
	assert_string_equal(u.addr, "0.0.0.0");
	assert_int_equal(u.uid, 0);
	assert_int_equal(u.inode, 1059);
	assert_true(inuse_in_table(&u, TABLE(tcp), PROTO_TCP, PORT(631), MSG_UID_NONE));
	assert_string_equal(u.addr, "127.0.0.1");
	assert_int_equal(u.uid, 116);
	assert_true(inuse_in_table(&u, TABLE(tcp), PROTO_TCP, PORT(8081), MSG_UID_NONE));
	assert_string_equal(u.addr, "192.168.1.10");
	assert_true(inuse_in_table(&u, TABLE(tcp6), PROTO_TCP, PORT(80), MSG_UID_NONE));
	assert_string_equal(u.addr, "::");
	assert_true(inuse_in_table(&u, TABLE(tcp6), PROTO_TCP, PORT(5001), MSG_UID_NONE));
	assert_string_equal(u.addr, "127.0.0.1");
	assert_true(inuse_in_table(&u, TABLE(udp), PROTO_UDP, PORT(68), MSG_UID_NONE));
	assert_int_equal(u.inode, 4000);
}

/* A connection is no service; forwards leave other loopback addresses and IPv6 alone. */
static void
what_a_forward_leaves_alone_is_not_in_its_way(void **state UNUSED)
{
	struct inuse u;

	assert_false(inuse_in_table(&u, TABLE(tcp), PROTO_TCP, PORT(53), MSG_UID_NONE));
	assert_false(inuse_in_table(&u, TABLE(tcp), PROTO_TCP, PORT(8080), MSG_UID_NONE));
	assert_false(inuse_in_table(&u, TABLE(tcp), PROTO_TCP, PORT(23), MSG_UID_NONE));
	assert_false(inuse_in_table(&u, TABLE(tcp6), PROTO_TCP, PORT(5000), MSG_UID_NONE));
	assert_false(inuse_in_table(&u, TABLE(udp), PROTO_UDP, PORT(8080), MSG_UID_NONE));
	/* A port that vnetd holds is free for another forward; one where it listens is not. */
	assert_false(inuse_in_table(&u, TABLE(udp), PROTO_UDP, PORT(68), 0));
	assert_true(inuse_in_table(&u, TABLE(tcp), PROTO_TCP, PORT(22), 0));
	assert_false(inuse_in_table(&u, "", PROTO_UDP, PORT(8080), MSG_UID_NONE));
	assert_false(
	    inuse_in_table(&u, "   0: 0000:0016 0:0 0A\n\n", PROTO_TCP, PORT(22), MSG_UID_NONE));
}

static void
our_own_socket_is_ours(void **state UNUSED)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(a);
	struct inuse u;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	assert_false(inuse_on_host(&u, PROTO_TCP, PORT(ntohs(a.sin_port))));
	assert_int_equal(listen(fd, 1), 0);
	assert_true(inuse_on_host(&u, PROTO_TCP, PORT(ntohs(a.sin_port))));
	assert_int_equal(u.pid, getpid());
	assert_int_equal(u.uid, geteuid());
	assert_string_equal(u.addr, "127.0.0.1");
	assert_non_null(strstr("vnetd-ctl_inuse-test", u.name));
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(listeners_are_found),
	    cmocka_unit_test(what_a_forward_leaves_alone_is_not_in_its_way),
	    cmocka_unit_test(our_own_socket_is_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
