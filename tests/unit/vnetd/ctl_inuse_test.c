/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_inuse_test.c - which socket has a port, by tables as Linux prints them on little-endian machines,
 * and of this host.
 */
#include "../lib/t.h"

#include <arpa/inet.h>
#include <endian.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vnetd/ctl_inuse.h"

#define HEAD                                                                                       \
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "      \
	"timeout inode\n"

static const char tcp[] = HEAD
    "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
    "1059 1 00000000c67b2af3 100 0 0 10 0\n"
    "   1: 0100007F:0277 00000000:0000 0A 00000000:00000000 00:00000000 00000000   116        0 "
    "2000 1 0000000000000000 100 0 0 10 0\n"
    "   2: 3500007F:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0 "
    "2001 1 0000000000000000 100 0 0 10 5\n"
    "   3: 020A0A0A:1F90 01020304:0050 01 00000000:00000000 02:000A7214 00000000  1000        0 "
    "2002 2 0000000000000000 20 4 30 10 -1\n"
    "  12: 0A01A8C0:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 "
    "2003 1 0000000000000000 100 0 0 10 0\n";

static const char tcp6[] = HEAD
    "   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A "
    "00000000:00000000 00:00000000 00000000    33        0 3000 1 0000000000000000 100 0 0 10 0\n"
    "   1: 00000000000000000000000001000000:1388 00000000000000000000000000000000:0000 0A "
    "00000000:00000000 00:00000000 00000000    33        0 3001 1 0000000000000000 100 0 0 10 0\n"
    "   2: 0000000000000000FFFF00000100007F:1389 00000000000000000000000000000000:0000 0A "
    "00000000:00000000 00:00000000 00000000    33        0 3002 1 0000000000000000 100 0 0 10 0\n";

static const char udp[] = HEAD
    "  407: 00000000:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 "
    "4000 2 0000000000000000 0\n"
    "  408: 020A0A0A:1F90 01020304:0035 01 00000000:00000000 00:00000000 00000000  1000        0 "
    "4001 2 0000000000000000 0\n";

static void
listeners_are_found(void **state UNUSED)
{
	struct inuse u;

	if (BYTE_ORDER != LITTLE_ENDIAN)
		skip();
	assert_true(inuse_in_table(&u, tcp, PROTO_TCP, 22));
	assert_string_equal(u.addr, "0.0.0.0");
	assert_int_equal(u.uid, 0);
	assert_int_equal(u.inode, 1059);
	assert_true(inuse_in_table(&u, tcp, PROTO_TCP, 631));
	assert_string_equal(u.addr, "127.0.0.1");
	assert_int_equal(u.uid, 116);
	assert_true(inuse_in_table(&u, tcp, PROTO_TCP, 8081));
	assert_string_equal(u.addr, "192.168.1.10");
	assert_true(inuse_in_table(&u, tcp6, PROTO_TCP, 80));
	assert_string_equal(u.addr, "::");
	assert_true(inuse_in_table(&u, tcp6, PROTO_TCP, 5001));
	assert_string_equal(u.addr, "127.0.0.1");
	assert_true(inuse_in_table(&u, udp, PROTO_UDP, 68));
	assert_int_equal(u.inode, 4000);
}

/* A connection is no service; forwards leave other loopback addresses and IPv6 alone. */
static void
what_a_forward_leaves_alone_is_not_in_its_way(void **state UNUSED)
{
	struct inuse u;

	assert_false(inuse_in_table(&u, tcp, PROTO_TCP, 53));
	assert_false(inuse_in_table(&u, tcp, PROTO_TCP, 8080));
	assert_false(inuse_in_table(&u, tcp, PROTO_TCP, 23));
	assert_false(inuse_in_table(&u, tcp6, PROTO_TCP, 5000));
	assert_false(inuse_in_table(&u, udp, PROTO_UDP, 8080));
	assert_false(inuse_in_table(&u, "", PROTO_UDP, 8080));
	assert_false(inuse_in_table(&u, "   0: 0000:0016 0:0 0A\n\n", PROTO_TCP, 22));
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
	assert_false(inuse_on_host(&u, PROTO_TCP, ntohs(a.sin_port)));
	assert_int_equal(listen(fd, 1), 0);
	assert_true(inuse_on_host(&u, PROTO_TCP, ntohs(a.sin_port)));
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
