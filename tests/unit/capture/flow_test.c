/* SPDX-License-Identifier: GPL-2.0-or-later
 * flow_test.c - lines about frames.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "capture/flow.h"
#include "lib/util.h"

#define MACS "525400000002525400000001"
#define IP4                                                                                        \
	"450000280001000040060000"                                                                 \
	"0a000001"                                                                                 \
	"0a000002"

static const struct {
	const char *hex, *line;
} cases[] = {
    {MACS "0800" IP4 "005012670000000000000000"
	  "50120000"
	  "00000000",
     "tcp 10.0.0.1:80 > 10.0.0.2:4711 [S.] 0 bytes"},
    {MACS "8100"
	  "0007"
	  "0800"
	  "4500002a00010000401100000a0000010a000002"
	  "0035fff000160000",
     "vlan 7 udp 10.0.0.1:53 > 10.0.0.2:65520 14 bytes"},
    {MACS "0800"
	  "4500001c000100004001000000000a000001" /* too short */,
     "0x0800 52:54:00:00:00:01 > "
     "52:54:00:00:00:02 60 bytes"},
    {MACS "0800"
	  "4500001c00010000400100000a0000010a000002"
	  "0800",
     "icmp 10.0.0.1 > 10.0.0.2 type 8 code 0"},
    {MACS "0800"
	  "4500001c00010064400600000a0000010a000002"
	  "00501267",
     "tcp 10.0.0.1 > 10.0.0.2 60 bytes"},
    {MACS "0806"
	  "00010800060400015254000000010a0000010000000000000a000002",
     "arp who has 10.0.0.2, tell 10.0.0.1"},
    {MACS "0806"
	  "00010800060400025254000000010a0000015254000000020a000002",
     "arp 10.0.0.1 is at 52:54:00:00:00:01"},
    {MACS "86dd"
	  "6000000000101140"
	  "fe800000000000000000000000000001"
	  "fe800000000000000000000000000002"
	  "0222"
	  "0223"
	  "0010"
	  "0000",
     "udp [fe80::1]:546 > [fe80::2]:547 8 bytes"},
    {MACS "86dd"
	  "6000000000100040"
	  "fe800000000000000000000000000001"
	  "ff020000000000000000000000000001"
	  "3a00000000000000"
	  "8600",
     "icmp6 fe80::1 > ff02::1 type 134 code 0"},
    {MACS "88cc", "0x88cc 52:54:00:00:00:01 > 52:54:00:00:00:02 60 bytes"},
    {MACS "0026", "802.3 52:54:00:00:00:01 > 52:54:00:00:00:02 60 bytes"},
};

static size_t
unhex(uint8_t *out, const char *hex)
{
	size_t n = 0;

	for (; hex[0] && hex[1]; hex += 2) {
		const char two[] = {hex[0], hex[1], 0};

		out[n++] = (uint8_t)strtoul(two, NULL, 16);
	}
	return n;
}

static void
lines(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t buf[256];
		size_t len = unhex(buf, cases[i].hex);
		struct strbuf line;
		struct flow f;

		strbuf_init(&line);
		assert_true(flow_read(&f, buf, len));
		flow_line(&line, &f, 60);
		assert_string_equal(strbuf_str(&line), cases[i].line);
		strbuf_fini(&line);
		/* Cut anywhere it is still read, without a sanitizer's complaint. */
		for (size_t cut = 0; cut <= len; cut++) {
			uint8_t *exact = malloc(cut ? cut : 1);

			memcpy(exact, buf, cut);
			assert_int_equal(flow_read(&f, exact, cut), cut >= 14);
			free(exact);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(lines)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
