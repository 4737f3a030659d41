/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolv.c - the name servers of resolv.conf(5). Pure; the text comes through a cursor.
 */
#include <arpa/inet.h>
#include <string.h>

#include "lib/wire.h"
#include "natd/resolv.h"

/* Longest word that can be a server: an IPv6 address, '%', a scope. */
#define WORD_MAX (INET6_ADDRSTRLEN + RESOLV_SCOPE_MAX)

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The line's bytes, without its end. */
static struct rd
take_line(struct rd *text)
{
	const uint8_t *nl = memchr(text->p, '\n', rd_left(text));
	struct rd line = rd_sub(text, nl ? (size_t)(nl - text->p) : rd_left(text));

	if (nl)
		rd_u8(text);
	return line;
}

/* The line says "nameserver"; its cursor is then at the value. */
static bool
take_keyword(struct rd *line)
{
	static const char keyword[] = "nameserver";
	const size_t n = sizeof(keyword) - 1;

	if (rd_left(line) <= n || memcmp(line->p, keyword, n) != 0 || !is_blank(line->p[n]))
		return false;
	rd_bytes(line, n);
	while (rd_left(line) && is_blank(*line->p))
		rd_u8(line);
	return true;
}

/* The value as a string; "" when it is too long or holds a NUL, which no address is or does. */
static void
take_word(struct rd *line, char word[WORD_MAX])
{
	size_t n = 0;

	while (rd_left(line) && !is_blank(*line->p) && *line->p != '#' && *line->p != ';') {
		char c = (char)rd_u8(line);

		if (c == '\0' || n + 1 == WORD_MAX) {
			n = 0;
			break;
		}
		word[n++] = c;
	}
	word[n] = '\0';
}

/* What the C library makes of an address of all zeros: this host. */
static void
any_is_loopback(struct dns_addr *a)
{
	static const uint8_t any6[16];

	if (dns_addr_is_ip4(a) && dns_addr_ip4(a).h == INADDR_ANY)
		*a = dns_addr_from_ip4((struct ip4){INADDR_LOOPBACK}, DNS_PORT);
	else if (memcmp(a->ip, any6, sizeof(any6)) == 0)
		a->ip[15] = 1;
}

static bool
parse_server(struct resolv_server *s, char *word)
{
	struct ip4 ip4;
	char *scope;

	memset(s, 0, sizeof(*s));
	if (ip4_parse(&ip4, word)) {
		s->addr = dns_addr_from_ip4(ip4, DNS_PORT);
		any_is_loopback(&s->addr);
		return true;
	}
	scope = strchr(word, '%');
	if (scope) {
		*scope++ = '\0';
		if (*scope == '\0' || strlen(scope) >= sizeof(s->scope))
			return false;
		memcpy(s->scope, scope, strlen(scope) + 1);
	}
	if (inet_pton(AF_INET6, word, s->addr.ip) != 1)
		return false;
	s->addr.port = DNS_PORT;
	any_is_loopback(&s->addr);
	/* Only an address that exists once per link has a use for a scope. */
	if (s->addr.ip[0] != 0xfe || (s->addr.ip[1] & 0xc0) != 0x80)
		s->scope[0] = '\0';
	return true;
}

static bool
is_own(const struct dns_addr *a, const struct ip4 *own, size_t n_own)
{
	for (size_t i = 0; i < n_own && dns_addr_is_ip4(a); i++) {
		if (ip4_eq(dns_addr_ip4(a), own[i]))
			return true;
	}
	return false;
}

static bool
is_known(const struct resolv *out, const struct resolv_server *s)
{
	for (unsigned i = 0; i < out->n; i++) {
		if (dns_addr_eq(&out->server[i].addr, &s->addr) &&
		    strcmp(out->server[i].scope, s->scope) == 0)
			return true;
	}
	return false;
}

void
resolv_parse(struct resolv *out, const char *text, size_t len, const struct ip4 *own, size_t n_own)
{
	struct rd r = rd_init(text, len);

	memset(out, 0, sizeof(*out));
	while (rd_left(&r)) {
		struct rd line = take_line(&r);
		struct resolv_server s;
		char word[WORD_MAX];

		if (!take_keyword(&line))
			continue;
		out->lines++;
		take_word(&line, word);
		if (!parse_server(&s, word))
			out->bad++;
		else if (is_own(&s.addr, own, n_own))
			out->own++;
		else if (is_known(out, &s))
			continue;
		else if (out->n == RESOLV_SERVERS_MAX)
			out->excess++;
		else
			out->server[out->n++] = s;
	}
	if (out->lines == 0)
		out->server[out->n++].addr =
		    dns_addr_from_ip4((struct ip4){INADDR_LOOPBACK}, DNS_PORT);
}
