/* SPDX-License-Identifier: GPL-2.0-or-later
 * listeners_test.c - dumps of sockets, whole and broken, and the one that this host gives.
 */
#include "t.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/listeners.h"

enum { OWN = 900 };

struct dump {
	uint8_t b[4096];
	size_t len;
};

static void
add(struct dump *d, const char *addr, uint16_t port, uint32_t uid, int only6)
{
	bool v6 = strchr(addr, ':');
	struct inet_diag_msg m = {
	    .idiag_family = v6 ? AF_INET6 : AF_INET, .idiag_uid = uid, .idiag_inode = 1000u + port};
	struct nlattr other = {.nla_len = sizeof(other) + 1, .nla_type = INET_DIAG_SHUTDOWN};
	struct nlattr a = {.nla_len = sizeof(a) + 1, .nla_type = INET_DIAG_SKV6ONLY};
	struct nlmsghdr nlh = {.nlmsg_type = SOCK_DIAG_BY_FAMILY};
	uint8_t *at = d->b + d->len + sizeof(nlh);

	m.id.idiag_sport = htons(port);
	assert_int_equal(inet_pton(m.idiag_family, addr, m.id.idiag_src), 1);
	memset(at, 0, 128);
	memcpy(at, &m, sizeof(m));
	at += sizeof(m);
	memcpy(at, &other, sizeof(other));
	at += 8;
	if (only6 >= 0) {
		memcpy(at, &a, sizeof(a));
		at[sizeof(a)] = (uint8_t)only6;
		at += 8;
	}
	nlh.nlmsg_len = (uint32_t)(at - (d->b + d->len));
	memcpy(d->b + d->len, &nlh, sizeof(nlh));
	d->len += nlh.nlmsg_len;
}

static void
add_end(struct dump *d)
{
	struct nlmsghdr nlh = {.nlmsg_len = sizeof(nlh) + 4, .nlmsg_type = NLMSG_DONE};

	memcpy(d->b + d->len, &nlh, sizeof(nlh));
	memset(d->b + d->len + sizeof(nlh), 0, 4);
	d->len += nlh.nlmsg_len;
}

static void
services_that_a_forward_would_hide(void **state UNUSED)
{
	char addr[LISTENER_ADDR_LEN];
	struct dump d = {.len = 0};
	const struct listener *s;
	struct listeners l;

	add(&d, "0.0.0.0", 22, 0, -1);
	add(&d, "::", 80, 33, 0);
	add(&d, "::", 81, 33, 1);
	add(&d, "::1", 82, 33, -1);
	add(&d, "127.0.0.1", 631, 7, -1);
	add(&d, "127.0.0.53", 53, 8, -1);
	add(&d, "::ffff:10.0.0.5", 83, 9, 0);
	add(&d, "fe80::1", 84, 9, 0);
	listeners_init(&l);
	assert_false(listeners_decode(&l, PROTO_TCP, OWN, d.b, d.len));
	d.len = 0;
	add(&d, "0.0.0.0", 68, 0, -1);
	add_end(&d);
	assert_true(listeners_decode(&l, PROTO_UDP, OWN, d.b, d.len));
	assert_false(l.bad);
	assert_int_equal(l.n, 5);
	s = listeners_find(&l, PROTO_TCP, 22, (struct ip4){0});
	assert_non_null(s);
	assert_int_equal(s->uid, 0);
	s = listeners_find(&l, PROTO_TCP, 80, (struct ip4){0});
	assert_non_null(s);
	assert_int_equal(s->uid, 33);
	assert_int_equal(s->inode, 1080);
	assert_string_equal(listener_addr(s, addr), "::");
	assert_string_equal(
	    listener_addr(listeners_find(&l, PROTO_TCP, 631, (struct ip4){0}), addr), "127.0.0.1");
	assert_string_equal(listener_addr(listeners_find(&l, PROTO_TCP, 83, (struct ip4){0}), addr),
			    "10.0.0.5");
	assert_non_null(listeners_find(&l, PROTO_UDP, 68, (struct ip4){0}));
	assert_null(listeners_find(&l, PROTO_UDP, 22, (struct ip4){0}));
	for (uint16_t port = 81; port < 85; port++)
		assert_true((port == 83) ==
			    (listeners_find(&l, PROTO_TCP, port, (struct ip4){0}) != NULL));
	assert_null(listeners_find(&l, PROTO_TCP, 53, (struct ip4){0}));
	listeners_fini(&l);
}

/* Ports that we hold, and our proxy's. A redirection's is somebody's service like any other. */
static void
what_is_ours_is_in_nobodys_way(void **state UNUSED)
{
	struct dump d = {.len = 0};
	struct listeners l;

	add(&d, "0.0.0.0", 5000, OWN, -1);
	add(&d, "10.8.0.2", 53, OWN, -1);
	listeners_init(&l);
	listeners_decode(&l, PROTO_UDP, OWN, d.b, d.len);
	assert_int_equal(l.n, 0);
	listeners_decode(&l, PROTO_TCP, OWN, d.b, d.len);
	assert_int_equal(l.n, 1);
	assert_non_null(listeners_find(&l, PROTO_TCP, 5000, (struct ip4){0}));
	listeners_decode(&l, PROTO_UDP, OWN + 1, d.b, d.len);
	assert_int_equal(l.n, 3);
	listeners_fini(&l);
}

static void
broken_dumps_end_early(void **state UNUSED)
{
	struct nlmsghdr error = {.nlmsg_len = sizeof(error) + 4, .nlmsg_type = NLMSG_ERROR};
	struct dump d = {.len = 0};
	struct listeners l;

	add(&d, "0.0.0.0", 22, 0, -1);
	add(&d, "0.0.0.0", 23, 0, -1);
	for (size_t len = 0; len < d.len; len++) {
		listeners_init(&l);
		listeners_decode(&l, PROTO_TCP, OWN, d.b, len);
		assert_true(l.n < 2);
		listeners_fini(&l);
	}
	d.len = 0;
	add(&d, "0.0.0.0", 22, 0, -1);
	memcpy(d.b + d.len, &error, sizeof(error));
	memset(d.b + d.len + sizeof(error), 0, 4);
	listeners_init(&l);
	assert_true(listeners_decode(&l, PROTO_TCP, OWN, d.b, d.len + error.nlmsg_len));
	assert_true(l.bad);
	assert_int_equal(l.n, 1);
	listeners_fini(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(services_that_a_forward_would_hide),
	    cmocka_unit_test(what_is_ours_is_in_nobodys_way),
	    cmocka_unit_test(broken_dumps_end_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
