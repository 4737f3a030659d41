/* SPDX-License-Identifier: GPL-2.0-or-later
 * dhcp_option_fuzz.c - any bytes as the options of a DHCP message, with overload and long options.
 *
 * Input: a code, the number of bytes that there is room for, then the `sname` and `file` fields and all that follows the
 * cookie. What must hold: each option has the value that a second, plain reader of RFC 2132 and 3396 finds, by walking
 * and by decoding, and what was read is read again from a message that is built of it.
 */
#include <string.h>

#include "dhcpd/msg.h"
#include "tests/fuzz/check.h"

enum { SNAME_AT = 44, FILE_AT = 108, COOKIE_AT = 236, MESSAGE_MAX = 4096, SIDES = 192 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Values by code, joined. */
struct values {
	bool there[256];
	size_t len[256];
	uint8_t value[256][MESSAGE_MAX];
};

/* One field, by numbers and without the project's reader. False: it is malformed. */
static bool
plain_field(struct values *v, const uint8_t *field, size_t len)
{
	size_t at = 0;

	while (at < len && field[at] != 255) {
		uint8_t code = field[at++];
		size_t n;

		if (code == 0)
			continue;
		if (at == len || at + 1 + field[at] > len)
			return false;
		n = field[at++];
		memcpy(v->value[code] + v->len[code], field + at, n);
		v->len[code] += n;
		v->there[code] = true;
		at += n;
	}
	return true;
}

/* Option 52 counts in the options field alone; each time that it is there it is one byte of 1 to 3, the last one counts. */
static int
plain_overload(const uint8_t *field, size_t len)
{
	int found = 0;
	size_t at = 0;

	while (at < len && field[at] != 255) {
		if (field[at] == 0) {
			at++;
			continue;
		}
		if (field[at] == OPT_OVERLOAD) {
			if (field[at + 1] != 1 || field[at + 2] < 1 || field[at + 2] > 3)
				return -1;
			found = field[at + 2];
		}
		at += 2u + field[at + 1];
	}
	return found;
}

/* False: no receiver should take it. */
static bool
plain_read(struct values *v, const uint8_t *msg, size_t len)
{
	int overload;

	memset(v->there, 0, sizeof(v->there));
	memset(v->len, 0, sizeof(v->len));
	if (!plain_field(v, msg + DHCP_OPTIONS_AT, len - DHCP_OPTIONS_AT))
		return false;
	overload = plain_overload(msg + DHCP_OPTIONS_AT, len - DHCP_OPTIONS_AT);
	if (overload < 0)
		return false;
	if (overload & 1 && !plain_field(v, msg + FILE_AT, DHCP_FILE_LEN))
		return false;
	return !(overload & 2) || plain_field(v, msg + SNAME_AT, DHCP_SNAME_LEN);
}

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* What the decoder took agrees with the values; of a code that comes several times the last instance counts. */
static void
check_decoded(const struct values *v, const struct dhcp_msg *m)
{
	const struct {
		uint8_t code;
		uint32_t got;
	} addresses[] = {{OPT_REQUESTED_IP, m->requested.h},
			 {OPT_SERVER_ID, m->server_id.h},
			 {OPT_LEASE_TIME, m->lease_s}};

	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		uint8_t code = addresses[i].code;
		size_t n = v->len[code];

		CHECK(n % 4 == 0);
		CHECK(addresses[i].got == (n ? be32(v->value[code] + n - 4) : 0));
	}
	CHECK(m->type == (v->len[OPT_TYPE] ? v->value[OPT_TYPE][v->len[OPT_TYPE] - 1] : DHCP_NONE));
	CHECK(m->type < DHCP_TYPE_N);
	CHECK(m->has_lease_s == v->there[OPT_LEASE_TIME]);
	CHECK(m->has_relay_info == v->there[OPT_RELAY_INFO]);
	CHECK(m->client_id.len == v->len[OPT_CLIENT_ID]);
	CHECK(!memcmp(m->client_id.b, v->value[OPT_CLIENT_ID], m->client_id.len));
	CHECK(m->params.len == v->len[OPT_PARAM_LIST]);
	CHECK(!memcmp(m->params.b, v->value[OPT_PARAM_LIST], m->params.len));
	CHECK(strspn(m->hostname,
		     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
	      strlen(m->hostname));
}

/* All of them into a message of `max` bytes; what found room is there, whole. */
static void
check_built(const struct values *v, size_t max)
{
	static uint8_t msg[MESSAGE_MAX], got[MESSAGE_MAX];
	const struct dhcp_head head = {.chaddr = {{2, 0, 0, 0, 0, 1}}};
	struct dhcp_build b;
	bool in[256] = {false};
	size_t len;

	dhcp_build_begin(&b, msg, max, &head);
	for (unsigned code = 1; code < OPT_END; code++)
		if (v->there[code] && code != OPT_OVERLOAD)
			in[code] = dhcp_build_opt(&b, (uint8_t)code, v->value[code], v->len[code]);
	len = dhcp_build_end(&b);
	CHECK(len >= DHCP_MSG_MIN && len <= max);
	for (unsigned code = 1; code < OPT_END; code++) {
		int n = dhcp_opt_get(msg, len, (uint8_t)code, got, sizeof(got));

		CHECK(n == (in[code] ? (int)v->len[code] : 0));
		CHECK(!n || !memcmp(got, v->value[code], (size_t)n));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t msg[MESSAGE_MAX], got[MESSAGE_MAX];
	static struct values v;
	struct dhcp_msg m;
	enum dhcp_decode r;
	size_t room, total;
	uint8_t code;
	bool good;
	int n;

	if (len < 2 + SIDES || len > MESSAGE_MAX - COOKIE_AT)
		return 0;
	code = data[0];
	room = data[1] * 16u;
	data += 2;
	len -= 2;
	memset(msg, 0, DHCP_OPTIONS_AT);
	memcpy(msg, "\1\1\6", 3);
	memcpy(msg + 28, "\2\0\0\0\0\1", 6);
	memcpy(msg + SNAME_AT, data, SIDES);
	memcpy(msg + COOKIE_AT, "\x63\x82\x53\x63", 4);
	memcpy(msg + DHCP_OPTIONS_AT, data + SIDES, len - SIDES);
	total = DHCP_OPTIONS_AT + len - SIDES;

	good = plain_read(&v, msg, total);
	n = dhcp_opt_get(msg, total, code, got, room);
	if (code != OPT_PAD && code != OPT_END && code != OPT_OVERLOAD) {
		CHECK(n == (good && v.len[code] <= room ? (int)v.len[code] : -1));
		CHECK(n <= 0 || !memcmp(got, v.value[code], (size_t)n));
	}
	r = dhcp_msg_decode(&m, msg, total);
	CHECK(good || r != DHCP_DECODE_OK);
	CHECK(r == DHCP_DECODE_OK || r == DHCP_DECODE_OPTION);
	if (r == DHCP_DECODE_OK)
		check_decoded(&v, &m);
	if (good)
		check_built(&v, DHCP_MSG_MIN + room / 2);
	return 0;
}
