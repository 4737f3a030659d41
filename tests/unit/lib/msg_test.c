/* SPDX-License-Identifier: GPL-2.0-or-later
 * msg_test.c - every message of the vocabulary survives the wire, filled to the brim too; each way of
 * being malformed is refused.
 */
#include "t.h"

#include "lib/msg.h"
#include "lib/wire.h"

/* Fills every field of every message: with small things, or with the greatest that fit. */
#define FILL_U8(f, cap)    x->f = 0x5a;
#define FILL_U16(f, cap)   x->f = 0x1234;
#define FILL_U32(f, cap)   x->f = 0x12345678;
#define FILL_U64(f, cap)   x->f = 0x123456789abcdef0;
#define FILL_BOOL(f, cap)  x->f = true;
#define FILL_IP4(f, cap)   x->f.h = 0xc0a80801;
#define FILL_MAC(f, cap)   memcpy(x->f.b, "\x00\x50\x56\x01\x02\x03", 6);
#define FILL_STR(f, cap)   memset(x->f, 's', brim ? (cap)-1 : 1);
#define FILL_BYTES(f, cap) memset(x->f.b, 0xbb, x->f.len = (uint16_t)(brim ? (cap) : 1));
#define FILL(kind, f, cap) FILL_##kind(f, cap)

#define M(NAME, name, fdmin, fdmax)                                                                \
	static void fill_##name(UNUSED struct msg_##name *x, UNUSED bool brim)                     \
	{                                                                                          \
		FIELDS_##name(FILL)                                                                \
	}
MSG_LIST(M)
#undef M

static struct msg
filled(enum msg_type type, bool brim)
{
	struct msg m = msg_make(type, 0xfedcba98);

	switch (type) {
#define M(NAME, name, fdmin, fdmax)                                                                \
	case MSG_##NAME:                                                                           \
		fill_##name(&m.u.name, brim);                                                      \
		break;
		MSG_LIST(M)
#undef M
	case MSG_NONE:
	case MSG_N:
		fail();
	}
	return m;
}

static bool
decode_exact(struct msg *m, const uint8_t *buf, size_t len)
{
	uint8_t *copy = t_exact(buf, len);
	bool ok = msg_decode(m, copy, len);

	free(copy);
	return ok;
}

static void
every_message_survives(void **state UNUSED)
{
	for (int t = MSG_NONE + 1; t < MSG_N; t++) {
		for (int brim = 0; brim < 2; brim++) {
			struct msg m = filled((enum msg_type)t, brim), got;
			uint8_t buf[MSG_MAX + 1];
			size_t len = msg_encode(&m, buf, MSG_MAX);

			/* Of the union, decoding touches the fields of this type alone. */
			memset(&got, 0, sizeof(got));
			assert_true(len >= MSG_HEADER);
			assert_true(decode_exact(&got, buf, len));
			assert_memory_equal(&got, &m, sizeof(m));
			for (size_t n = 0; n < len; n++) {
				assert_false(decode_exact(&got, buf, n));
				assert_int_equal(msg_encode(&m, buf, n), 0);
			}
			assert_int_equal(msg_encode(&m, buf, MSG_MAX), len);
			buf[len] = 0;
			assert_false(decode_exact(&got, buf, len + 1));
		}
	}
}

static void
names_and_descriptor_counts(void **state UNUSED)
{
	for (int t = MSG_NONE + 1; t < MSG_N; t++)
		assert_string_not_equal(msg_name((enum msg_type)t), "?");
	assert_string_equal(msg_name(MSG_CONF_REPLACE), "CONF_REPLACE");
	assert_string_equal(msg_name(MSG_NONE), "?");
	assert_string_equal(msg_name(MSG_N), "?");
	assert_string_equal(msg_name((enum msg_type)9999), "?");
	assert_true(msg_fds_ok(MSG_REPLY, 0));
	assert_true(msg_fds_ok(MSG_REPLY, 16));
	assert_false(msg_fds_ok(MSG_REPLY, 17));
	assert_true(msg_fds_ok(MSG_CONF_REPLACE, 1));
	assert_false(msg_fds_ok(MSG_CONF_REPLACE, 0));
	assert_false(msg_fds_ok(MSG_CONF_REPLACE, 2));
	assert_false(msg_fds_ok(MSG_STATUS_GET, 1));
	assert_false(msg_fds_ok((enum msg_type)9999, 0));
	assert_string_equal(role_name(ROLE_NATD), "natd");
	assert_string_equal(role_name((enum role)77), "?");
	assert_string_equal(net_state_name(NET_STATE_NO_UPLINK), "no uplink");
	assert_string_equal(ip_proto_name(PROTO_UDP), "udp");
}

/* These words are read by programs: --json and the events. */
static void
words_of_the_gate(void **state UNUSED)
{
	assert_string_equal(mac_policy_name(MAC_POLICY_ANY), "any");
	assert_string_equal(mac_policy_name(MAC_POLICY_GIVEN), "given");
	assert_string_equal(mac_policy_name(MAC_POLICY_STICKY), "sticky");
	assert_string_equal(mac_policy_name(MAC_POLICY_LEARN), "learn");
	assert_string_equal(promisc_state_name(PROMISC_NO), "no");
	assert_string_equal(promisc_state_name(PROMISC_PENDING), "pending");
	assert_string_equal(promisc_state_name(PROMISC_GRANTED), "granted");
	assert_string_equal(promisc_state_name(PROMISC_REFUSED), "refused");
	assert_string_equal(promisc_by_name(PROMISC_BY_NOBODY), "nobody");
	assert_string_equal(promisc_by_name(PROMISC_BY_USER), "user");
	assert_string_equal(promisc_by_name(PROMISC_BY_GUEST), "guest");
	assert_string_equal(promisc_by_name(PROMISC_BY_CONFIG), "configuration");
	assert_string_equal(drop_reason_name(DROP_FORGED), "forged");
	assert_string_equal(drop_reason_name(DROP_ARP), "arp");
	assert_string_equal(drop_reason_name(DROP_FLOOD), "broadcast");
	assert_string_equal(drop_reason_name(DROP_RATE_OUT), "rate-out");
	for (int r = 0; r < DROP_REASON_N; r++)
		assert_string_not_equal(drop_reason_name((enum drop_reason)r), "?");
	assert_string_equal(mac_policy_name((enum mac_policy)MAC_POLICY_N), "?");
	assert_string_equal(promisc_state_name((enum promisc_state)PROMISC_STATE_N), "?");
	assert_string_equal(promisc_by_name((enum promisc_by)PROMISC_BY_N), "?");
	assert_string_equal(drop_reason_name((enum drop_reason)DROP_REASON_N), "?");
}

/* A REPLY by hand: header, err, text. */
static size_t
reply_bytes(uint8_t *buf, size_t cap, uint16_t type, uint16_t reserved, const char *text,
	    size_t len)
{
	struct wr w = wr_init(buf, cap);

	wr_be16(&w, type);
	wr_be16(&w, reserved);
	wr_be32(&w, 5);
	wr_be32(&w, 2);
	wr_be16(&w, (uint16_t)len);
	wr_bytes(&w, text, len);
	assert_false(w.bad);
	return wr_len(&w);
}

static void
layout_is_as_documented(void **state UNUSED)
{
	struct msg m;
	uint8_t buf[1024];
	size_t len = reply_bytes(buf, sizeof(buf), MSG_REPLY, 0, "gone", 4);

	assert_true(msg_decode(&m, buf, len));
	assert_int_equal(m.type, MSG_REPLY);
	assert_int_equal(m.id, 5);
	assert_int_equal(m.u.reply.err, 2);
	assert_string_equal(m.u.reply.text, "gone");
}

static void
malformed_is_refused(void **state UNUSED)
{
	static const uint16_t types[] = {MSG_NONE, MSG_N, MSG_N + 1, 0xffff};
	struct msg m;
	uint8_t buf[MSG_MAX + 64];
	char text[512];
	size_t len;

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		len = reply_bytes(buf, sizeof(buf), types[i], 0, "x", 1);
		assert_false(msg_decode(&m, buf, len));
	}
	len = reply_bytes(buf, sizeof(buf), MSG_REPLY, 1, "x", 1);
	assert_false(msg_decode(&m, buf, len));
	len = reply_bytes(buf, sizeof(buf), MSG_REPLY, 0, "a\0b", 3);
	assert_false(msg_decode(&m, buf, len));
	len = reply_bytes(buf, sizeof(buf), MSG_REPLY, 0, "\0", 1);
	assert_false(msg_decode(&m, buf, len));
	memset(text, 'x', sizeof(text));
	len = reply_bytes(buf, sizeof(buf), MSG_REPLY, 0, text, 511);
	assert_true(msg_decode(&m, buf, len));
	assert_int_equal(strlen(m.u.reply.text), 511);
	len = reply_bytes(buf, sizeof(buf), MSG_REPLY, 0, text, 512);
	assert_false(msg_decode(&m, buf, len));
	memset(buf, 0, sizeof(buf));
	assert_false(msg_decode(&m, buf, sizeof(buf)));
}

static void
bool_is_zero_or_one(void **state UNUSED)
{
	struct msg m = msg_make(MSG_NAT_BEGIN, 1);
	uint8_t buf[64];
	size_t len = msg_encode(&m, buf, sizeof(buf));

	for (int v = 0; v < 256; v++) {
		buf[len - 1] = (uint8_t)v;
		assert_int_equal(msg_decode(&m, buf, len), v < 2);
	}
}

static void
unencodable_is_refused(void **state UNUSED)
{
	struct msg m = msg_make(MSG_REPLY, 1);
	uint8_t buf[MSG_MAX];

	memset(m.u.reply.text, 'x', sizeof(m.u.reply.text)); /* no NUL */
	assert_int_equal(msg_encode(&m, buf, sizeof(buf)), 0);
	m = msg_make(MSG_DHCP_OPTION, 1);
	m.u.dhcp_option.data.len = sizeof(m.u.dhcp_option.data.b) + 1;
	assert_int_equal(msg_encode(&m, buf, sizeof(buf)), 0);
	m = msg_make(MSG_NONE, 1);
	assert_int_equal(msg_encode(&m, buf, sizeof(buf)), 0);
	m = msg_make((enum msg_type)9999, 1);
	assert_int_equal(msg_encode(&m, buf, sizeof(buf)), 0);
}

static void
text_is_cut_at_a_character(void **state UNUSED)
{
	char s[6];

	msg_str(s, sizeof(s), "ab");
	assert_memory_equal(s, "ab\0\0\0\0", 6);
	msg_str(s, sizeof(s), "abcde");
	assert_string_equal(s, "abcde");
	msg_str(s, sizeof(s), "abcdef");
	assert_string_equal(s, "abcde");
	msg_str(s, sizeof(s), "abcd\xc3\xa9"); /* é would be cut in two */
	assert_string_equal(s, "abcd");
	msg_str(s, sizeof(s), "abc\xe2\x82\xac");
	assert_string_equal(s, "abc");
	msg_str(s, sizeof(s), "ab\xe2\x82\xacz");
	assert_string_equal(s, "ab\xe2\x82\xac");
	msg_str(s, sizeof(s), "\x80\x80\x80\x80\x80\x80\x80");
	assert_string_equal(s, "");
}

static void
reply_helper(void **state UNUSED)
{
	struct msg m = msg_reply(3, 0, NULL);

	assert_int_equal(m.type, MSG_REPLY);
	assert_int_equal(m.id, 3);
	assert_string_equal(m.u.reply.text, "");
	m = msg_reply(4, 17, "vmnet8 is taken");
	assert_int_equal(m.u.reply.err, 17);
	assert_string_equal(m.u.reply.text, "vmnet8 is taken");
}

static void
rows_travel_together(void **state UNUSED)
{
	struct msg row = msg_make(MSG_FORWARD_ROW, 7), got;
	struct msg_rows rows = {.rows.len = 0};
	unsigned n = 0;
	size_t at = 0;

	MSG_SET_STR(row.u.forward_row.text, "web");
	for (row.u.forward_row.port = 1; msg_pack(&rows, &row); row.u.forward_row.port++)
		;
	assert_true(rows.rows.len <= sizeof(rows.rows.b) && row.u.forward_row.port > 90);
	while (msg_unpack(&got, &rows, &at)) {
		assert_int_equal(got.type, MSG_FORWARD_ROW);
		assert_int_equal(got.id, 7);
		assert_int_equal(got.u.forward_row.port, ++n);
		assert_string_equal(got.u.forward_row.text, "web");
	}
	assert_int_equal(n, row.u.forward_row.port - 1);
	assert_int_equal(at, rows.rows.len);
}

static void
what_is_no_row_ends_them(void **state UNUSED)
{
	struct msg reply = msg_reply(7, 0, "x"), row = msg_make(MSG_FORWARD_ROW, 7), got;
	struct msg attached = msg_make(MSG_CAPTURE_OUT, 7), inner = msg_make(MSG_ROWS, 7);
	const struct msg *bad[] = {&reply, &attached, &inner};
	size_t at;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct msg_rows rows = {.rows.len = 0};

		assert_true(msg_pack(&rows, &row) && msg_pack(&rows, bad[i]));
		at = 0;
		assert_true(msg_unpack(&got, &rows, &at));
		assert_false(msg_unpack(&got, &rows, &at));
		assert_true(at < rows.rows.len);
	}
}

static void
rows_that_are_cut_short(void **state UNUSED)
{
	struct msg row = msg_make(MSG_FORWARD_ROW, 7), got;
	struct msg_rows rows = {.rows.len = 0};
	size_t at;

	assert_true(msg_pack(&rows, &row));
	for (rows.rows.len--; rows.rows.len; rows.rows.len--) {
		at = 0;
		assert_false(msg_unpack(&got, &rows, &at));
		assert_int_equal(at, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_message_survives),
	    cmocka_unit_test(names_and_descriptor_counts),
	    cmocka_unit_test(words_of_the_gate),
	    cmocka_unit_test(layout_is_as_documented),
	    cmocka_unit_test(malformed_is_refused),
	    cmocka_unit_test(bool_is_zero_or_one),
	    cmocka_unit_test(unencodable_is_refused),
	    cmocka_unit_test(text_is_cut_at_a_character),
	    cmocka_unit_test(reply_helper),
	    cmocka_unit_test(rows_travel_together),
	    cmocka_unit_test(what_is_no_row_ends_them),
	    cmocka_unit_test(rows_that_are_cut_short),
	};

	return T_RUN(tests);
}
