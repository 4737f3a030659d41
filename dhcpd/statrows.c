/* SPDX-License-Identifier: GPL-2.0-or-later
 * statrows.c - see statrows.h.
 */
#include "dhcpd/statrows.h"

#include <ctype.h>

#include "lib/util.h"

static const char *const drop_names[] = {
#define D(NAME, text) [DHCP_DROP_##NAME] = #NAME,
    DHCP_DROP_LIST(D)
#undef D
};

/* "NOT_FOR_US" -> "not-for-us" */
static void
set_name(struct msg_dhcp_stat *row, const char *name)
{
	MSG_SET_STR(row->name, name);
	for (char *p = row->name; *p; p++)
		*p = *p == '_' ? '-' : (char)tolower((unsigned char)*p);
}

static bool
of_type(struct msg_dhcp_stat *row, enum dhcp_stat_kind kind, const uint64_t *v, unsigned i)
{
	row->kind = (uint8_t)kind;
	row->n = v[i];
	set_name(row, dhcp_type_name((enum dhcp_type)i));
	row->text[0] = '\0';
	return true;
}

static bool
of_drop(struct msg_dhcp_stat *row, const uint64_t *v, unsigned i)
{
	row->kind = DHCP_STAT_DROPPED;
	row->n = v[i];
	set_name(row, drop_names[i]);
	MSG_SET_STR(row->text, dhcp_drop_text((enum dhcp_drop)i));
	return true;
}

static bool
of_note(struct msg_dhcp_stat *row, const struct dhcp_stats *s, unsigned i)
{
	const struct {
		const char *name, *text;
		uint64_t n;
	} notes[] = {
	    {"relay-info", "with an agent's option 82, which is not read", s->relay_info},
	    {"reply-full", "replies without an option that found no room", s->reply_full},
	    {"probes", "addresses offered for the first time and asked for by ARP", s->probes},
	    {"conflicts", "of these somebody had", s->conflicts},
	};

	if (i >= ARRAY_LEN(notes))
		return false;
	row->kind = DHCP_STAT_NOTED;
	row->n = notes[i].n;
	MSG_SET_STR(row->name, notes[i].name);
	MSG_SET_STR(row->text, notes[i].text);
	return true;
}

bool
statrows_at(struct msg_dhcp_stat *row, const struct dhcp_stats *s, unsigned i)
{
	if (i < DHCP_TYPE_N)
		return of_type(row, DHCP_STAT_RECEIVED, s->received, i);
	i -= DHCP_TYPE_N;
	if (i < DHCP_TYPE_N)
		return of_type(row, DHCP_STAT_SENT, s->sent, i);
	i -= DHCP_TYPE_N;
	/* DHCP_DROP_NONE counts nothing. */
	if (i + 1 < DHCP_DROP_N)
		return of_drop(row, s->dropped, i + 1);
	return of_note(row, s, i + 1 - DHCP_DROP_N);
}
