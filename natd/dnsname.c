/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsname.c - a table of names, found by name and by address, and answers from it. Pure.
 */
#include "natd/dnsname.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/guestname.h"
#include "lib/util.h"
#include "lib/wire.h"
#include "natd/dnsaddr.h"

enum {
	CHAINS = 1024, /* a power of two */
	NETS = 256,
	HOSTS = NETS,   /* the number of /etc/hosts beside the networks */
	ADDRS_MAX = 16, /* in one answer */
	/* A guest's address may be another's soon. */
	TTL = 0,
};

#define GUEST_DOMAIN "localdomain"
#define HOST_NAME    "host.vmnet"

struct entry {
	struct entry *by_name, *by_addr; /* the next in the chain */
	uint16_t net;                    /* or HOSTS */
	bool stale;                      /* was not told again so far */
	uint8_t ip[16];                  /* IPv4 as in dnsaddr.h */
	char name[];                     /* in small letters */
};

struct dnsname {
	struct hash_key key;
	unsigned count;
	struct prefix4 subnet[NETS];
	struct ip4 host[NETS];
	struct entry *by_name[CHAINS], *by_addr[CHAINS];
};

struct dnsname *
dnsname_new(const struct hash_key *key)
{
	struct dnsname *t = calloc(1, sizeof(*t));

	if (t)
		t->key = *key;
	return t;
}

/* The table. */

static unsigned
name_chain(const struct dnsname *t, const char *name)
{
	return hash_bytes(&t->key, name, strlen(name)) % CHAINS;
}

static unsigned
addr_chain(const struct dnsname *t, const uint8_t ip[16])
{
	return hash_bytes(&t->key, ip, 16) % CHAINS;
}

static void
add(struct dnsname *t, unsigned net, const uint8_t ip[16], const char *name)
{
	size_t size = strlen(name) + 1;
	struct entry *n, **at;

	/* Without memory a name is missing, no more. */
	if (t->count == DNSNAME_MAX || !(n = calloc(1, sizeof(*n) + size)))
		return;
	n->net = (uint16_t)net;
	memcpy(n->ip, ip, sizeof(n->ip));
	memcpy(n->name, name, size);
	at = &t->by_name[name_chain(t, name)];
	/* The order of /etc/hosts is that of its answers; of guests the last counts. */
	while (net == HOSTS && *at)
		at = &(*at)->by_name;
	n->by_name = *at;
	*at = n;
	at = &t->by_addr[addr_chain(t, ip)];
	while (net == HOSTS && *at)
		at = &(*at)->by_addr;
	n->by_addr = *at;
	*at = n;
	t->count++;
}

static void
drop(struct dnsname *t, struct entry *n)
{
	struct entry **at = &t->by_name[name_chain(t, n->name)];

	while (*at != n)
		at = &(*at)->by_name;
	*at = n->by_name;
	at = &t->by_addr[addr_chain(t, n->ip)];
	while (*at != n)
		at = &(*at)->by_addr;
	*at = n->by_addr;
	t->count--;
	free(n);
}

/* Drops what a network has. */
static void
drop_all(struct dnsname *t, unsigned net)
{
	for (unsigned i = 0; i < CHAINS; i++) {
		struct entry *n = t->by_name[i], *next;

		for (; n; n = next) {
			next = n->by_name;
			if (n->net == net)
				drop(t, n);
		}
	}
}

void
dnsname_free(struct dnsname *t)
{
	for (unsigned i = 0; t && i < CHAINS; i++)
		while (t->by_name[i])
			drop(t, t->by_name[i]);
	free(t);
}

static struct entry *
find_name(const struct dnsname *t, unsigned net, const char *name)
{
	struct entry *n = t->by_name[name_chain(t, name)];

	while (n && (n->net != net || strcmp(n->name, name) != 0))
		n = n->by_name;
	return n;
}

static struct entry *
find_addr(const struct dnsname *t, unsigned net, const uint8_t ip[16])
{
	struct entry *n = t->by_addr[addr_chain(t, ip)];

	while (n && (n->net != net || memcmp(n->ip, ip, sizeof(n->ip)) != 0))
		n = n->by_addr;
	return n;
}

/* What is in it. */

static char
small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

void
dnsname_set_net(struct dnsname *t, unsigned net, struct prefix4 subnet, struct ip4 host)
{
	if (net >= NETS)
		return;
	if (!subnet.len && t->subnet[net].len)
		drop_all(t, net);
	t->subnet[net] = subnet;
	t->host[net] = host;
}

void
dnsname_set_guest(struct dnsname *t, unsigned net, struct ip4 addr, const char *name)
{
	struct dns_addr a = dns_addr_from_ip4(addr, 0);
	char label[GUESTNAME_MAX + 1];
	struct entry *n;

	if (net >= NETS || !t->subnet[net].len)
		return;
	n = find_addr(t, net, a.ip);
	if (!guestname_label(label, name)) {
		if (n)
			drop(t, n);
		return;
	}
	if (n && !strcmp(n->name, label)) {
		n->stale = false;
		return;
	}
	if (n)
		drop(t, n);
	add(t, net, a.ip, label);
}

void
dnsname_begin(struct dnsname *t)
{
	for (unsigned i = 0; i < CHAINS; i++)
		for (struct entry *n = t->by_name[i]; n; n = n->by_name)
			n->stale = n->net != HOSTS;
}

void
dnsname_end(struct dnsname *t)
{
	for (unsigned i = 0; i < CHAINS; i++) {
		struct entry *n = t->by_name[i], *next;

		for (; n; n = next) {
			next = n->by_name;
			if (n->stale)
				drop(t, n);
		}
	}
}

/* /etc/hosts. */

/* The next word of a line, in small letters; false: none. One that is too long is "". */
static bool
take_word(struct rd *line, char word[DNS_TEXT_MAX])
{
	size_t n = 0, len = 0;

	while (rd_left(line) && strchr(" \t\r", *line->p))
		rd_u8(line);
	for (; rd_left(line) && *line->p && !strchr(" \t\r#", *line->p); len++) {
		char c = small((char)rd_u8(line));

		if (n + 1 < DNS_TEXT_MAX)
			word[n++] = c;
	}
	word[len == n ? n : 0] = '\0';
	return len > 0;
}

/* An address that means the same to a guest. */
static bool
take_addr(uint8_t ip[16], const char *word)
{
	static const uint8_t loopback6[16] = {[15] = 1}, none[16];
	struct dns_addr a;
	struct ip4 ip4;

	if (ip4_parse(&ip4, word)) {
		a = dns_addr_from_ip4(ip4, 0);
		memcpy(ip, a.ip, sizeof(a.ip));
		return ip4.h != 0 && ip4.h >> 24 != 127;
	}
	return inet_pton(AF_INET6, word, ip) == 1 && memcmp(ip, loopback6, 16) != 0 &&
	       memcmp(ip, none, 16) != 0 && (ip[0] != 0xfe || (ip[1] & 0xc0) != 0x80);
}

/* It can be put into an answer. */
static bool
is_name(const char *name)
{
	do {
		size_t n = strcspn(name, ".");

		if (n == 0 || n > DNSNAME_LABEL_MAX)
			return false;
		name += n;
	} while (*name++);
	return true;
}

void
dnsname_set_hosts(struct dnsname *t, const char *text, size_t len)
{
	struct rd r = rd_init(text, len);

	drop_all(t, HOSTS);
	while (rd_left(&r)) {
		const uint8_t *nl = memchr(r.p, '\n', rd_left(&r));
		struct rd line = rd_sub(&r, nl ? (size_t)(nl - r.p) : rd_left(&r));
		char word[DNS_TEXT_MAX];
		uint8_t ip[16];

		rd_bytes(&r, nl != NULL);
		if (!take_word(&line, word) || !take_addr(ip, word))
			continue;
		while (take_word(&line, word))
			if (is_name(word))
				add(t, HOSTS, ip, word);
	}
}

/* Answers. */

struct answer {
	const struct dnsname *t;
	unsigned net;
	uint16_t type;
	char name[DNS_TEXT_MAX];
	const uint8_t *found[ADDRS_MAX]; /* addresses, 16 bytes each */
	unsigned nfound;
	uint8_t host[16];
};

enum verdict { FOUND, NO_DATA, NO_NAME, NOT_OURS };

static bool
is_addr_of(const struct entry *n, uint16_t type)
{
	struct dns_addr a = {.scope = 0};

	memcpy(a.ip, n->ip, sizeof(a.ip));
	return type == (dns_addr_is_ip4(&a) ? DNS_TYPE_A : DNS_TYPE_AAAA);
}

/* The part before `.domain`, cut off; false: the name is in another domain. */
static bool
is_in(const char *name, const char *domain)
{
	size_t n = strlen(name), d = strlen(domain);

	return n > d && !strcmp(name + n - d, domain) && name[n - d - 1] == '.';
}

static enum verdict
find_in_hosts(struct answer *a)
{
	const struct entry *n = find_name(a->t, HOSTS, a->name);

	if (!n)
		return NOT_OURS;
	/* The file tells of addresses only. */
	if (a->type != DNS_TYPE_A && a->type != DNS_TYPE_AAAA)
		return NOT_OURS;
	for (; n && a->nfound < ADDRS_MAX; n = n->by_name)
		if (n->net == HOSTS && is_addr_of(n, a->type) && !strcmp(n->name, a->name))
			a->found[a->nfound++] = n->ip;
	return a->nfound ? FOUND : NO_DATA;
}

static enum verdict
find_guest(struct answer *a)
{
	char label[GUESTNAME_MAX + 1];
	size_t n = strcspn(a->name, ".");
	const char *domain = a->name[n] ? a->name + n + 1 : "";
	const struct entry *found;

	if (n > GUESTNAME_MAX || !guestname_domain(domain, a->net))
		return NOT_OURS;
	memcpy(label, a->name, n);
	label[n] = '\0';
	found = find_name(a->t, a->net, label);
	if (!found)
		return NOT_OURS;
	if (!is_addr_of(found, a->type))
		return NO_DATA;
	a->found[a->nfound++] = found->ip;
	return FOUND;
}

static enum verdict
find_host(struct answer *a)
{
	struct dns_addr addr = dns_addr_from_ip4(a->t->host[a->net], 0);

	if (strcmp(a->name, HOST_NAME) != 0 || !a->t->host[a->net].h)
		return NOT_OURS;
	if (a->type != DNS_TYPE_A)
		return NO_DATA;
	memcpy(a->host, addr.ip, sizeof(addr.ip));
	a->found[a->nfound++] = a->host;
	return FOUND;
}

/* In vmnet and vmnetN: nobody else knows these. */
static bool
is_own_domain(const char *name)
{
	const char *last = strrchr(name, '.');
	const char *domain = last ? last + 1 : name;

	if (strncmp(domain, "vmnet", 5) != 0)
		return false;
	return strspn(domain + 5, "0123456789") == strlen(domain + 5);
}

/* The address of d.c.b.a.in-addr.arpa. */
static bool
reverse_addr(struct ip4 *out, const char *name)
{
	unsigned b[4];
	int end = 0;

	if (!is_in(name, "in-addr.arpa") ||
	    sscanf(name, "%3u.%3u.%3u.%3u.in-addr.arpa%n", &b[3], &b[2], &b[1], &b[0], &end) != 4 ||
	    end == 0 || name[end] || (b[0] | b[1] | b[2] | b[3]) > 255)
		return false;
	out->h = b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
	return true;
}

/* Finds the name of an address: into a->name. */
static enum verdict
find_reverse(struct answer *a)
{
	const struct entry *n;
	struct dns_addr addr;
	struct ip4 ip;

	if (!reverse_addr(&ip, a->name))
		return NOT_OURS;
	addr = dns_addr_from_ip4(ip, 0);
	if ((n = find_addr(a->t, HOSTS, addr.ip)))
		snprintf(a->name, sizeof(a->name), "%s", n->name);
	else if (!a->t->subnet[a->net].len || !prefix4_contains(a->t->subnet[a->net], ip))
		return NOT_OURS;
	else if ((n = find_addr(a->t, a->net, addr.ip)))
		snprintf(a->name, sizeof(a->name), "%s." GUEST_DOMAIN, n->name);
	else if (ip4_eq(ip, a->t->host[a->net]))
		snprintf(a->name, sizeof(a->name), HOST_NAME);
	else
		return NO_NAME;
	return a->type == DNS_TYPE_PTR ? FOUND : NO_DATA;
}

static void
put_name(struct wr *w, const char *name)
{
	while (*name) {
		size_t n = strcspn(name, ".");

		wr_u8(w, (uint8_t)n);
		wr_bytes(w, name, n);
		name += n + (name[n] == '.');
	}
	wr_u8(w, 0);
}

/* A record of the name that was asked for; its data is to follow. */
static void
put_record(struct wr *w, uint16_t type, size_t len)
{
	wr_be16(w, 0xc000 | DNS_HEADER_LEN);
	wr_be16(w, type);
	wr_be16(w, DNS_CLASS_IN);
	wr_be32(w, TTL);
	wr_be16(w, (uint16_t)len);
}

static size_t
write_answer(const struct answer *a, enum verdict v, uint8_t *msg, size_t limit,
	     const struct dns_head *h, const struct dns_edns *e)
{
	struct wr w = wr_init(msg, limit);
	uint16_t flags = (uint16_t)(msg[2] << 8 | msg[3]);
	bool ptr = v == FOUND && a->type == DNS_TYPE_PTR;

	wr_be16(&w, h->id);
	flags &= DNS_FLAG_RD | DNS_FLAG_CD;
	wr_be16(&w, (uint16_t)(DNS_FLAG_QR | DNS_FLAG_AA | DNS_FLAG_RA | flags |
			       (v == NO_NAME ? DNS_NXDOMAIN : DNS_NOERROR)));
	wr_be16(&w, 1);
	wr_be16(&w, ptr ? 1 : (uint16_t)a->nfound);
	wr_be16(&w, 0);
	wr_be16(&w, e->present);
	wr_space(&w, h->end - DNS_HEADER_LEN);
	if (ptr) {
		put_record(&w, DNS_TYPE_PTR, strlen(a->name) + 2);
		put_name(&w, a->name);
	}
	for (unsigned i = 0; i < a->nfound; i++) {
		size_t len = a->type == DNS_TYPE_A ? 4 : 16;

		put_record(&w, a->type, len);
		wr_bytes(&w, a->found[i] + 16 - len, len);
	}
	if (e->present)
		dns_put_opt(&w, e->dnssec_ok);
	return w.bad ? dns_make_truncated(msg, limit, h, e) : wr_len(&w);
}

size_t
dnsname_answer(const struct dnsname *t, unsigned net, uint8_t *msg, size_t limit,
	       const struct dns_head *h, const struct dns_edns *e)
{
	struct answer a = {.t = t, .net = net};
	enum verdict v;

	if (net >= NETS || h->opcode != 0 || h->questions != 1 || !h->question_ok ||
	    msg[h->end - 2] != 0 || msg[h->end - 1] != DNS_CLASS_IN ||
	    !dns_name_text(a.name, msg, h))
		return 0;
	a.type = (uint16_t)(msg[h->end - 4] << 8 | msg[h->end - 3]);
	v = find_in_hosts(&a);
	if (v == NOT_OURS)
		v = find_host(&a);
	if (v == NOT_OURS)
		v = find_guest(&a);
	if (v == NOT_OURS)
		v = find_reverse(&a);
	if (v == NOT_OURS && is_own_domain(a.name))
		v = NO_NAME;
	return v == NOT_OURS ? 0 : write_answer(&a, v, msg, limit, h, e);
}
