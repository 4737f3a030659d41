/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsrows.c - see dnsrows.h.
 */
#include "natd/dnsrows.h"

#include <ctype.h>
#include <string.h>

static const struct {
	const char *name, *text;
	enum dns_stat_kind kind;
} counts[] = {
#define D(NAME, field, kind_, text_)                                                               \
	[DNS_COUNT_##NAME] = {.name = #NAME, .text = (text_), .kind = DNS_STAT_##kind_},
    DNS_COUNT_LIST(D)
#undef D
};

static const char *const drop_names[] = {
#define D(NAME, text) [DNS_DROP_##NAME] = #NAME,
    DNS_DROP_LIST(D)
#undef D
};

/* "NO_SERVER" -> "no-server" */
static void
set(struct msg_dns_stat *row, enum dns_stat_kind kind, const char *name, const char *text,
    uint64_t n)
{
	row->kind = (uint8_t)kind;
	row->n = n;
	MSG_SET_STR(row->name, name);
	for (char *p = row->name; *p; p++)
		*p = *p == '_' ? '-' : (char)tolower((unsigned char)*p);
	MSG_SET_STR(row->text, text);
}

bool
dnsrows_stat(struct msg_dns_stat *row, const struct dns_stats *s, unsigned i)
{
	if (i < DNS_COUNT_N) {
		set(row, counts[i].kind, counts[i].name, counts[i].text, s->n[i]);
		return true;
	}
	/* DNS_DROP_NONE counts nothing. */
	i -= DNS_COUNT_N - 1;
	if (i >= DNS_DROP_N)
		return false;
	set(row, DNS_STAT_DROPPED, drop_names[i], dns_drop_text((enum dns_drop)i), s->dropped[i]);
	return true;
}

void
dnsrows_server(struct msg_dns_server *row, const struct dns_server *s)
{
	memcpy(row->addr.b, s->addr.ip, sizeof(s->addr.ip));
	row->addr.len = sizeof(s->addr.ip);
	row->scope = s->addr.scope;
	row->host = s->host;
	row->state = (uint8_t)s->state;
	row->fails = s->fails;
	row->retry_ms = s->retry_ms;
}
