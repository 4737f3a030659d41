/* SPDX-License-Identifier: GPL-2.0-or-later
 * msg_test.c - the DHCP codec: golden bytes, overload, long options, limits, and what is refused.
 */
#include "../lib/t.h"

#include "dhcpd/msg.h"

static const struct dhcp_head head = {
    .xid = 0x01020304,
    .secs = 0,
    .broadcast = true,
    .ciaddr = {0x0a000001},
    .yiaddr = {0x0a000002},
    .siaddr = {0x0a000003},
    .giaddr = {0x0a000004},
    .chaddr = {{0x00, 0x0c, 0x29, 0x01, 0x02, 0x03}},
};

/* A request with the given option bytes behind the cookie. */
static size_t
raw_request(uint8_t *buf, const void *options, size_t len)
{
	struct dhcp_build b;

	dhcp_build_begin_request(&b, buf, DHCP_MSG_DEFAULT, &head);
	memset(buf + DHCP_OPTIONS_AT, 0, DHCP_MSG_DEFAULT - DHCP_OPTIONS_AT);
	memcpy(buf + DHCP_OPTIONS_AT, options, len);
	return DHCP_OPTIONS_AT + len;
}

static enum dhcp_decode
decode(struct dhcp_msg *m, const void *options, size_t len)
{
	uint8_t buf[DHCP_MSG_DEFAULT];
	size_t n = raw_request(buf, options, len);
	uint8_t *exact = t_exact(buf, n);
	enum dhcp_decode d = dhcp_msg_decode(m, exact, n);

	free(exact);
	return d;
}

static void
fixed_header_is_golden(void **state UNUSED)
{
	static const uint8_t want[] = {
	    2, 1, 6,  0, 1, 2, 3,    4,    0,    0,    0x80, 0,    10, 0, 0, 1, 10, 0, 0, 2, 10, 0,
	    0, 3, 10, 0, 0, 4, 0x00, 0x0c, 0x29, 0x01, 0x02, 0x03, 0,  0, 0, 0, 0,  0, 0, 0, 0,  0,
	};
	static const uint8_t tail[] = {0x63, 0x82, 0x53, 0x63, 53, 1, 5, 51, 4, 0, 0, 7, 8, 255, 0};
	uint8_t buf[DHCP_MSG_DEFAULT];
	struct dhcp_build b;

	memset(buf, 0xaa, sizeof(buf));
	dhcp_build_begin(&b, buf, sizeof(buf), &head);
	assert_true(dhcp_build_u8(&b, OPT_TYPE, DHCP_ACK));
	assert_true(dhcp_build_u32(&b, OPT_LEASE_TIME, 1800));
	assert_int_equal(dhcp_build_end(&b), DHCP_MSG_MIN);
	assert_memory_equal(buf, want, sizeof(want));
	for (size_t i = sizeof(want); i < 236; i++)
		assert_int_equal(buf[i], 0);
	assert_memory_equal(buf + 236, tail, sizeof(tail));
	for (size_t i = 236 + sizeof(tail); i < DHCP_MSG_MIN; i++)
		assert_int_equal(buf[i], 0);
}

static void
what_is_built_is_read_back(void **state UNUSED)
{
	uint8_t buf[DHCP_MSG_DEFAULT];
	struct dhcp_build b;
	struct dhcp_msg m;

	dhcp_build_begin_request(&b, buf, sizeof(buf), &head);
	dhcp_build_u8(&b, OPT_TYPE, DHCP_REQUEST);
	dhcp_build_ip4(&b, OPT_REQUESTED_IP, (struct ip4){0xc0a80880});
	dhcp_build_ip4(&b, OPT_SERVER_ID, (struct ip4){0xc0a808fe});
	dhcp_build_u32(&b, OPT_LEASE_TIME, 3600);
	dhcp_build_u16(&b, OPT_MAX_SIZE, 1400);
	dhcp_build_opt(&b, OPT_CLIENT_ID, "\1abcdef", 7);
	dhcp_build_opt(&b, OPT_PARAM_LIST, "\1\3\6", 3);
	dhcp_build_opt(&b, OPT_HOST_NAME, "web1", 4);
	dhcp_build_opt(&b, OPT_RELAY_INFO, "\1\1x", 3);
	assert_int_equal(dhcp_msg_decode(&m, buf, dhcp_build_end(&b)), DHCP_DECODE_OK);
	assert_int_equal(m.op, BOOTP_REQUEST);
	assert_int_equal(m.type, DHCP_REQUEST);
	assert_int_equal(m.xid, 0x01020304);
	assert_true(m.broadcast);
	assert_int_equal(m.ciaddr.h, head.ciaddr.h);
	assert_int_equal(m.yiaddr.h, head.yiaddr.h);
	assert_int_equal(m.siaddr.h, head.siaddr.h);
	assert_int_equal(m.giaddr.h, head.giaddr.h);
	assert_true(mac_eq(m.chaddr, head.chaddr));
	assert_int_equal(m.requested.h, 0xc0a80880);
	assert_int_equal(m.server_id.h, 0xc0a808fe);
	assert_true(m.has_lease_s);
	assert_int_equal(m.lease_s, 3600);
	assert_int_equal(m.max_size, 1400);
	assert_int_equal(m.client_id.len, 7);
	assert_memory_equal(m.client_id.b, "\1abcdef", 7);
	assert_int_equal(m.params.len, 3);
	assert_string_equal(m.hostname, "web1");
	assert_true(m.has_relay_info);
}

static void
missing_end_and_padding_are_fine(void **state UNUSED)
{
	struct dhcp_msg m;

	assert_int_equal(decode(&m, "\0\0\x35\1\1\0\0", 7), DHCP_DECODE_OK);
	assert_int_equal(m.type, DHCP_DISCOVER);
	assert_int_equal(decode(&m, "\x35\1\3", 3), DHCP_DECODE_OK);
	assert_int_equal(m.type, DHCP_REQUEST);
	assert_int_equal(decode(&m, "", 0), DHCP_DECODE_OK);
	assert_int_equal(m.type, DHCP_NONE);
	/* Nothing behind END counts. */
	assert_int_equal(decode(&m, "\x35\1\1\xff\x35\1\3", 7), DHCP_DECODE_OK);
	assert_int_equal(m.type, DHCP_DISCOVER);
}

static void
malformed_options_are_refused(void **state UNUSED)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {
	    {"\x35", 1},             /* no length */
	    {"\x35\1", 2},           /* no value */
	    {"\x35\2\1\1", 4},       /* message type of two bytes */
	    {"\x35\0", 2},           /* message type of none */
	    {"\x35\1\0", 3},         /* type 0 */
	    {"\x35\1\x9", 3},        /* type 9 */
	    {"\x32\3\1\2\3", 5},     /* short address */
	    {"\x32\5\1\2\3\4\5", 7}, /* long address */
	    {"\x33\0", 2},           /* lease time without value */
	    {"\x39\1\5", 3},         /* one-byte size */
	    {"\x34\1\0\xff", 4},     /* overload 0 */
	    {"\x34\1\4\xff", 4},     /* overload 4 */
	    {"\x34\2\1\1\xff", 5},   /* long overload */
	    {"\x3d\xff\1\2", 4},     /* client id over the end */
	};
	struct dhcp_msg m;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(decode(&m, bad[i].bytes, bad[i].len), DHCP_DECODE_OPTION);
}

static void
other_faults_have_their_own_reason(void **state UNUSED)
{
	uint8_t buf[DHCP_MSG_DEFAULT];
	size_t len = raw_request(buf, "\x35\1\1\xff", 4);
	struct dhcp_msg m;
	uint8_t *p;

	for (size_t n = 0; n < DHCP_OPTIONS_AT; n++) {
		p = t_exact(buf, n);
		assert_int_equal(dhcp_msg_decode(&m, p, n), DHCP_DECODE_SHORT);
		free(p);
	}
	p = t_exact(buf, len);
	p[0] = 3;
	assert_int_equal(dhcp_msg_decode(&m, p, len), DHCP_DECODE_OP);
	p[0] = 1;
	p[236] ^= 1;
	assert_int_equal(dhcp_msg_decode(&m, p, len), DHCP_DECODE_COOKIE);
	p[236] ^= 1;
	p[1] = 6;
	assert_int_equal(dhcp_msg_decode(&m, p, len), DHCP_DECODE_HARDWARE);
	p[1] = 1;
	p[2] = 8;
	assert_int_equal(dhcp_msg_decode(&m, p, len), DHCP_DECODE_HARDWARE);
	p[2] = 6;
	p[28] = 1; /* group address */
	assert_int_equal(dhcp_msg_decode(&m, p, len), DHCP_DECODE_HARDWARE);
	memset(p + 28, 0, 6);
	assert_int_equal(dhcp_msg_decode(&m, p, len), DHCP_DECODE_HARDWARE);
	free(p);
}

/* RFC 3396: a client id in two instances is one value, and order is options, file, sname. */
static void
split_options_are_joined(void **state UNUSED)
{
	uint8_t buf[DHCP_MSG_DEFAULT], got[16];
	size_t len = raw_request(buf, "\x35\1\1\x3d\2ab\x34\1\3\x3d\1c\xff", 14);
	struct dhcp_msg m;

	memcpy(buf + 108, "\x3d\1d\xff\x3d\1X", 7); /* file */
	memcpy(buf + 44, "\0\x3d\1e", 4);           /* sname, ended by its border */
	assert_int_equal(dhcp_msg_decode(&m, buf, len), DHCP_DECODE_OK);
	assert_int_equal(m.client_id.len, 5);
	assert_memory_equal(m.client_id.b, "abcde", 5);
	assert_int_equal(dhcp_opt_get(buf, len, OPT_CLIENT_ID, got, sizeof(got)), 5);
	assert_memory_equal(got, "abcde", 5);
	assert_int_equal(dhcp_opt_get(buf, len, OPT_CLIENT_ID, got, 4), -1);
	assert_int_equal(dhcp_opt_get(buf, len, OPT_DNS, got, sizeof(got)), 0);
	assert_int_equal(dhcp_opt_get(buf, len, OPT_OVERLOAD, got, sizeof(got)), 0);
}

static void
fields_are_options_only_when_overloaded(void **state UNUSED)
{
	uint8_t buf[DHCP_MSG_DEFAULT];
	size_t len = raw_request(buf, "\x35\1\1\xff", 4);
	struct dhcp_msg m;

	memset(buf + 44, 'x', DHCP_SNAME_LEN + DHCP_FILE_LEN);
	assert_int_equal(dhcp_msg_decode(&m, buf, len), DHCP_DECODE_OK);
	len = raw_request(buf, "\x35\1\1\x34\1\1\xff", 7);
	memset(buf + 108, 'x', DHCP_FILE_LEN);
	assert_int_equal(dhcp_msg_decode(&m, buf, len), DHCP_DECODE_OPTION);
	/* Overload inside an overloaded field has no meaning. */
	memset(buf + 108, 0, DHCP_FILE_LEN);
	memcpy(buf + 108, "\x34\1\3\xff", 4);
	memset(buf + 44, 'x', DHCP_SNAME_LEN);
	assert_int_equal(dhcp_msg_decode(&m, buf, len), DHCP_DECODE_OK);
}

static void
joined_value_over_255_bytes_is_refused(void **state UNUSED)
{
	uint8_t opts[300], *p = opts;
	struct dhcp_msg m;

	*p++ = OPT_CLIENT_ID;
	*p++ = 200;
	memset(p, 1, 200);
	p += 200;
	*p++ = OPT_CLIENT_ID;
	*p++ = 55;
	memset(p, 2, 55);
	p += 55;
	assert_int_equal(decode(&m, opts, (size_t)(p - opts)), DHCP_DECODE_OK);
	assert_int_equal(m.client_id.len, 255);
	*p++ = OPT_CLIENT_ID;
	*p++ = 1;
	*p++ = 3;
	assert_int_equal(decode(&m, opts, (size_t)(p - opts)), DHCP_DECODE_OPTION);
}

static void
long_values_are_split(void **state UNUSED)
{
	uint8_t buf[1400], big[600], got[600];
	struct dhcp_build b;
	size_t len;

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)i;
	dhcp_build_begin(&b, buf, sizeof(buf), &head);
	assert_true(dhcp_build_opt(&b, 119, big, sizeof(big)));
	len = dhcp_build_end(&b);
	assert_int_equal(len, DHCP_OPTIONS_AT + 600 + 3 * 2 + 1);
	assert_int_equal(buf[DHCP_OPTIONS_AT + 1], 255);
	assert_int_equal(dhcp_opt_get(buf, len, 119, got, sizeof(got)), 600);
	assert_memory_equal(got, big, sizeof(big));
}

static void
empty_value_is_an_option_too(void **state UNUSED)
{
	uint8_t buf[DHCP_MSG_DEFAULT];
	struct dhcp_build b;

	dhcp_build_begin(&b, buf, sizeof(buf), &head);
	assert_true(dhcp_build_opt(&b, 80, NULL, 0));
	dhcp_build_end(&b);
	assert_memory_equal(buf + DHCP_OPTIONS_AT, "\x50\0\xff", 3);
}

/* Fills a message of every size and checks that what was accepted is read back and the limit
 * holds. */
static void
overload_begins_when_the_options_field_is_full(void **state UNUSED)
{
	for (size_t max = DHCP_MSG_MIN; max <= DHCP_MSG_DEFAULT; max++) {
		uint8_t *buf = malloc(max);
		struct dhcp_build b;
		unsigned accepted = 0, found = 0;
		struct dhcp_opt_iter it;
		struct rd val;
		uint8_t code;
		size_t len;

		assert_non_null(buf);
		dhcp_build_begin(&b, buf, max, &head);
		for (unsigned i = 0; i < 60; i++)
			accepted += dhcp_build_opt(&b, (uint8_t)(128 + i), "0123456789", 10);
		assert_true(b.full == (accepted < 60));
		len = dhcp_build_end(&b);
		assert_true(len <= max);
		dhcp_opt_iter_init(&it, buf, len);
		while (dhcp_opt_iter_next(&it, &code, &val)) {
			assert_int_equal(rd_left(&val), 10);
			assert_memory_equal(val.p, "0123456789", 10);
			found++;
		}
		assert_false(it.bad);
		assert_int_equal(found, accepted);
		/* All three fields are used: file takes 10 such options, sname 5. */
		if (accepted < 60)
			assert_int_equal(accepted, (max - DHCP_OPTIONS_AT - 4) / 12 + 10 + 5);
		free(buf);
	}
}

static void
host_names_are_sanitised(void **state UNUSED)
{
	static const struct {
		const char *in;
		size_t len;
		const char *out;
	} v[] = {
	    {"web1", 4, "web1"},
	    {"web1\0junk", 9, "web1"},
	    {"Alice's PC", 10, "Alice-s-PC"},
	    {"a\"; } lease", 11, "a-----lease"},
	    {"\n{}", 3, ""},
	    {"..a..", 5, "a"},
	    {"-a-", 3, "a"},
	    {"a_b.c-d", 7, "a_b.c-d"},
	    {"m\xc3\xbcller", 7, "m--ller"},
	    {"", 0, ""},
	};
	char out[DHCP_HOSTNAME_MAX + 1], big[200];

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		char *p = t_exact(v[i].in, v[i].len);

		dhcp_hostname_sanitise(out, p, v[i].len);
		assert_string_equal(out, v[i].out);
		free(p);
	}
	memset(big, 'a', sizeof(big));
	dhcp_hostname_sanitise(out, big, sizeof(big));
	assert_int_equal(strlen(out), DHCP_HOSTNAME_MAX);
}

static void
names_exist_for_all_types(void **state UNUSED)
{
	for (int i = 0; i < DHCP_TYPE_N; i++)
		assert_string_not_equal(dhcp_type_name((enum dhcp_type)i), "?");
	assert_string_equal(dhcp_type_name(DHCP_TYPE_N), "?");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fixed_header_is_golden),
	    cmocka_unit_test(what_is_built_is_read_back),
	    cmocka_unit_test(missing_end_and_padding_are_fine),
	    cmocka_unit_test(malformed_options_are_refused),
	    cmocka_unit_test(other_faults_have_their_own_reason),
	    cmocka_unit_test(split_options_are_joined),
	    cmocka_unit_test(fields_are_options_only_when_overloaded),
	    cmocka_unit_test(joined_value_over_255_bytes_is_refused),
	    cmocka_unit_test(long_values_are_split),
	    cmocka_unit_test(empty_value_is_an_option_too),
	    cmocka_unit_test(overload_begins_when_the_options_field_is_full),
	    cmocka_unit_test(host_names_are_sanitised),
	    cmocka_unit_test(names_exist_for_all_types),
	};

	return T_RUN(tests);
}
