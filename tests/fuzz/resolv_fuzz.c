/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolv_fuzz.c - any bytes as resolv.conf.
 *
 * What must hold: no more servers than there is room for, none of them our own or named twice, every
 * line accounted for; and what was understood, written down again, is understood the same.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "lib/util.h"
#include "natd/resolv.h"
#include "tests/fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct ip4 own[] = {{0xc0a80802}, {0x7f000001}};

static bool
same_server(const struct resolv_server *a, const struct resolv_server *b)
{
	return dns_addr_eq(&a->addr, &b->addr) && strcmp(a->scope, b->scope) == 0;
}

static void
check_servers(const struct resolv *r)
{
	CHECK(r->n <= RESOLV_SERVERS_MAX);
	CHECK(r->n + r->own + r->bad + r->excess <= (r->lines ? r->lines : 1));
	for (unsigned i = 0; i < r->n; i++) {
		const struct resolv_server *s = &r->server[i];

		CHECK(s->addr.port == DNS_PORT && s->addr.scope == 0);
		CHECK(memchr(s->scope, '\0', sizeof(s->scope)));
		for (unsigned j = 0; j < ARRAY_LEN(own) && r->lines; j++)
			CHECK(!dns_addr_is_ip4(&s->addr) ||
			      !ip4_eq(dns_addr_ip4(&s->addr), own[j]));
		for (unsigned j = 0; j < i; j++)
			CHECK(!same_server(s, &r->server[j]));
	}
}

static size_t
print(char *out, size_t cap, const struct resolv *r)
{
	size_t n = 0;

	for (unsigned i = 0; i < r->n; i++) {
		char addr[INET6_ADDRSTRLEN];

		CHECK(inet_ntop(AF_INET6, r->server[i].addr.ip, addr, sizeof(addr)));
		n += (size_t)snprintf(out + n, cap - n, "nameserver %s%s%s\n", addr,
				      r->server[i].scope[0] ? "%" : "", r->server[i].scope);
		CHECK(n < cap);
	}
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct resolv r, back;
	char text[512];
	size_t n;

	resolv_parse(&r, len ? (const char *)data : "", len, own, ARRAY_LEN(own));
	check_servers(&r);
	if (r.lines == 0)
		return 0;
	n = print(text, sizeof(text), &r);
	resolv_parse(&back, text, n, own, ARRAY_LEN(own));
	if (r.n == 0)
		return 0;
	CHECK(back.n == r.n && back.lines == r.n && back.bad == 0);
	for (unsigned i = 0; i < r.n; i++)
		CHECK(same_server(&r.server[i], &back.server[i]));
	return 0;
}
