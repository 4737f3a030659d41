/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsrebind_fuzz.c - answers of any bytes, against the search for addresses that no name may have.
 *
 * Input: a DNS message. What must hold: an address that is found is private and stands in the message; the refusal is an
 * answer without records, no longer than the message was.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"
#include "natd/dnsrebind.h"
#include "tests/fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct prefix4 own[] = {{{0xcb007100}, 24}};

static void
refuse(uint8_t *msg, size_t len, const struct dns_head *h)
{
	struct dns_edns e = {.present = msg[0] & 1, .size = DNS_UDP_MIN};
	char name[DNS_TEXT_MAX];
	struct dns_head r;
	size_t n;

	if (dns_name_text(name, msg, h))
		rebind_is_local(name, "corp.example test");
	CHECK(strlen(name) < sizeof(name));
	n = dns_make_blocked(msg, len, h, &e);
	CHECK(n <= len && dns_head_parse(&r, msg, n));
	CHECK(r.response && r.rcode == DNS_REFUSED && !r.answers && r.end == h->end);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *msg = malloc(len ? len : 1), ip[16];
	struct dns_head h;

	CHECK(msg);
	if (len)
		memcpy(msg, data, len);
	if (dns_head_parse(&h, msg, len) && h.question_ok &&
	    rebind_find(ip, msg, len, &h, own, ARRAY_LEN(own))) {
		CHECK(rebind_is_private(ip, own, ARRAY_LEN(own)));
		CHECK(memmem(msg, len, ip + 12, 4));
		refuse(msg, len, &h);
	}
	free(msg);
	return 0;
}
