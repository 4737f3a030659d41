/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsname_fuzz.c - host names of guests, /etc/hosts and queries, against the table of names.
 *
 * Input: u16 length of a query, the query, a guest's name ended by NUL, and the text of /etc/hosts. What must hold: an
 * answer fits, repeats the question and is whole; the query is untouched when there is none.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/wire.h"
#include "natd/dnsname.h"
#include "tests/fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { NET = 8, QUERY_MAX = 600 };

static void
ask(const struct dnsname *t, const uint8_t *query, size_t len, size_t room)
{
	uint8_t *msg = malloc(len + room);
	struct dns_head h, a;
	struct dns_edns e;
	struct dns_walk w;
	struct dns_rr rr;
	size_t n;

	CHECK(msg);
	memcpy(msg, query, len);
	if (dns_head_parse(&h, msg, len) && dns_edns_parse(&e, msg, len, &h)) {
		n = dnsname_answer(t, NET, msg, len + room, &h, &e);
		CHECK(n <= len + room && (n || memcmp(msg, query, len) == 0));
		if (n) {
			CHECK(dns_head_parse(&a, msg, n) && a.response && a.end == h.end);
			CHECK(memcmp(msg + DNS_HEADER_LEN, query + DNS_HEADER_LEN,
				     a.end - DNS_HEADER_LEN) == 0);
			dns_walk_init(&w, msg, n, &a);
			while (dns_walk_next(&w, &rr))
				CHECK(rr.type == DNS_TYPE_OPT || rr.ttl == 0);
			CHECK(!w.bad);
		}
	}
	free(msg);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct hash_key key;
	struct dnsname *t = dnsname_new(&key);
	struct rd r = rd_init(data, len);
	size_t n = rd_be16(&r) % QUERY_MAX;
	const uint8_t *query = rd_bytes(&r, n);
	const uint8_t *nul = query ? memchr(r.p, 0, rd_left(&r)) : NULL;

	CHECK(t);
	dnsname_set_net(t, NET, (struct prefix4){{0xc0a80800}, 24}, (struct ip4){0xc0a80801});
	if (nul) {
		dnsname_set_guest(t, NET, (struct ip4){0xc0a80880}, (const char *)r.p);
		rd_bytes(&r, (size_t)(nul - r.p) + 1);
		dnsname_set_hosts(t, (const char *)r.p, rd_left(&r));
	}
	if (query && n) {
		ask(t, query, n, 0);
		ask(t, query, n, 700);
	}
	dnsname_free(t);
	return 0;
}
