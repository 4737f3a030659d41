/* SPDX-License-Identifier: GPL-2.0-or-later
 * nft_flush_test.c - which connections end with the forwards that are gone.
 */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/util.h"
#include "vnetd/priv_nft_flush.h"

#define IP(a, b, c, d) ((struct ip4){(uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d)})

static const struct ip4 client = {0xc6336401}, host = {0xc0000201};

static int
add(struct nft_flush *f, enum ip_proto proto, uint16_t port, struct ip4 guest, uint16_t guest_port,
    struct ip4 of)
{
	return nft_flush_add(f, &(struct msg_nat_flush_forward){.net = 8,
								.proto = (uint8_t)proto,
								.port = port,
								.guest = guest,
								.guest_port = guest_port,
								.host = of});
}

/* A connection that a client made to host:port, and that a guest answers. */
static bool
has(const struct nft_flush *f, uint8_t proto, uint16_t port, struct ip4 guest, uint16_t guest_port)
{
	const struct nft_ct_tuple orig = {
	    .proto = proto, .src = client, .dst = host, .sport = 50000, .dport = port};
	const struct nft_ct_tuple reply = {
	    .proto = proto, .src = guest, .dst = client, .sport = guest_port, .dport = 50000};

	return nft_flush_has(f, &orig, &reply);
}

static void
those_of_the_forwards_and_no_others(void **state UNUSED)
{
	const struct ip4 guest = IP(10, 8, 0, 130), other = IP(10, 8, 0, 131);
	struct nft_flush f = {0};

	assert_int_equal(nft_flush_ready(&f), 0);
	assert_false(has(&f, IPPROTO_TCP, 8080, guest, 80));
	assert_int_equal(add(&f, PROTO_UDP, 53, guest, 53, IP(0, 0, 0, 0)), 0);
	assert_int_equal(add(&f, PROTO_TCP, 8080, other, 81, IP(0, 0, 0, 0)), 0);
	assert_int_equal(add(&f, PROTO_TCP, 22, guest, 22, IP(0, 0, 0, 0)), 0);
	/* One port can have led to several guests, one after the other. */
	assert_int_equal(add(&f, PROTO_TCP, 8080, guest, 80, IP(0, 0, 0, 0)), 0);
	assert_int_equal(nft_flush_ready(&f), 0);
	assert_true(has(&f, IPPROTO_TCP, 8080, guest, 80));
	assert_true(has(&f, IPPROTO_TCP, 8080, other, 81));
	assert_true(has(&f, IPPROTO_TCP, 22, guest, 22));
	assert_true(has(&f, IPPROTO_UDP, 53, guest, 53));
	assert_false(has(&f, IPPROTO_TCP, 8080, other, 80));
	assert_false(has(&f, IPPROTO_TCP, 8081, guest, 80));
	assert_false(has(&f, IPPROTO_UDP, 8080, guest, 80));
	assert_false(has(&f, IPPROTO_UDP, 22, guest, 22));
	assert_false(has(&f, IPPROTO_ICMP, 53, guest, 53));
	assert_false(has(&f, IPPROTO_SCTP, 8080, guest, 80));
	nft_flush_fini(&f);
	assert_int_equal(f.n, 0);
}

static void
forwards_of_one_address_keep_to_it(void **state UNUSED)
{
	const struct ip4 guest = IP(10, 8, 0, 130);
	struct nft_flush f = {0};

	add(&f, PROTO_TCP, 8080, guest, 80, IP(192, 0, 2, 9));
	nft_flush_ready(&f);
	assert_false(has(&f, IPPROTO_TCP, 8080, guest, 80));
	add(&f, PROTO_TCP, 8080, guest, 80, host);
	nft_flush_ready(&f);
	assert_true(has(&f, IPPROTO_TCP, 8080, guest, 80));
	nft_flush_fini(&f);
}

/* The same port and guest, but nobody's forward. */
static void
who_asks_the_guest_itself_goes_on(void **state UNUSED)
{
	const struct ip4 guest = IP(10, 8, 0, 130);
	const struct nft_ct_tuple orig = {IPPROTO_TCP, client, guest, 50000, 22};
	const struct nft_ct_tuple reply = {IPPROTO_TCP, guest, client, 22, 50000};
	struct nft_flush f = {0};

	add(&f, PROTO_TCP, 22, guest, 22, IP(0, 0, 0, 0));
	nft_flush_ready(&f);
	assert_true(has(&f, IPPROTO_TCP, 22, guest, 22));
	assert_false(nft_flush_has(&f, &orig, &reply));
	nft_flush_fini(&f);
}

static void
as_many_as_there_may_be(void **state UNUSED)
{
	const struct ip4 guest = IP(10, 8, 0, 130), none = IP(0, 0, 0, 0);
	struct nft_flush f = {0};

	for (unsigned i = NAT_FLUSHES_MAX; i > 0; i--)
		assert_int_equal(add(&f, PROTO_TCP, (uint16_t)i, guest, 80, none), 0);
	assert_int_equal(nft_flush_ready(&f), 0);
	for (unsigned i = 1; i <= NAT_FLUSHES_MAX; i++)
		assert_true(has(&f, IPPROTO_TCP, (uint16_t)i, guest, 80));
	assert_false(has(&f, IPPROTO_TCP, NAT_FLUSHES_MAX + 1, guest, 80));
	/* A row too many, or one that cannot be, is not passed over in silence. */
	assert_int_equal(add(&f, PROTO_TCP, 1, guest, 80, none), -ENOSPC);
	assert_int_equal(nft_flush_ready(&f), -ENOSPC);
	nft_flush_fini(&f);
	assert_int_equal(add(&f, PROTO_N, 1, guest, 80, none), -EINVAL);
	assert_int_equal(nft_flush_ready(&f), -EINVAL);
	nft_flush_fini(&f);
	assert_int_equal(nft_flush_ready(&f), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(those_of_the_forwards_and_no_others),
	    cmocka_unit_test(forwards_of_one_address_keep_to_it),
	    cmocka_unit_test(who_asks_the_guest_itself_goes_on),
	    cmocka_unit_test(as_many_as_there_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
