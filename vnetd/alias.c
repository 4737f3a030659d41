/* SPDX-License-Identifier: GPL-2.0-or-later
 * alias.c - the text of a port's link alias, both ways. Pure: no system call, no log.
 */
#include "vnetd/alias.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

#define QUEUES_MAX 16

/* The longest text: every word at its longest. */
static_assert(
    sizeof("kind=adopted name= mac=00:00:00:00:00:00 owner=4294967295 queues=16 netns= peer=") +
	    2 * (PORT_NAME_MAX - 1) + 15 <=
	MSG_ALIAS,
    "an alias holds every word");

/* Appends " key=value"; blanks and control characters cannot be part of a word. */
static void
put(char *text, size_t *len, const char *key, const char *value)
{
	int n;

	if (!*value)
		return;
	n = snprintf(text + *len, MSG_ALIAS - *len, "%s%s=%s", *len ? " " : "", key, value);
	for (char *p = text + *len + (*len ? 1 : 0); *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f)
			*p = '_';
	*len += (size_t)n;
}

void
alias_print(char text[MSG_ALIAS], const struct alias *a)
{
	char number[16];
	size_t len = 0;

	text[0] = '\0';
	put(text, &len, "kind", port_kind_name(a->kind));
	put(text, &len, "name", a->name);
	if (!mac_is_zero(a->mac))
		put(text, &len, "mac", MAC_STR(a->mac));
	if (a->owner != MSG_UID_NONE) {
		snprintf(number, sizeof(number), "%u", (unsigned)a->owner);
		put(text, &len, "owner", number);
	}
	if (a->queues > 1) {
		snprintf(number, sizeof(number), "%u", a->queues % (QUEUES_MAX + 1));
		put(text, &len, "queues", number);
	}
	put(text, &len, "netns", a->netns);
	put(text, &len, "peer", a->peer);
}

static bool
number(uint32_t *out, const char *s, uint32_t max)
{
	unsigned long long v;
	char *end;

	if (!isdigit((unsigned char)*s))
		return false;
	v = strtoull(s, &end, 10);
	if (*end || v > max)
		return false;
	*out = (uint32_t)v;
	return true;
}

static bool
kind_parse(enum port_kind *out, const char *s)
{
	for (unsigned k = 0; k < PORT_KIND_N; k++) {
		if (!strcmp(port_kind_name((enum port_kind)k), s)) {
			*out = (enum port_kind)k;
			return true;
		}
	}
	return false;
}

/* One word; *kind tells whether a usable kind was among them. */
static void
take(struct alias *a, bool *kind, const char *key, const char *value)
{
	uint32_t n;

	if (!strcmp(key, "kind"))
		*kind = kind_parse(&a->kind, value);
	else if (!strcmp(key, "name") && alias_name_ok(value))
		snprintf(a->name, sizeof(a->name), "%s", value);
	else if (!strcmp(key, "mac"))
		mac_parse(&a->mac, value);
	else if (!strcmp(key, "owner") && number(&n, value, MSG_UID_NONE - 1))
		a->owner = n;
	else if (!strcmp(key, "queues") && number(&n, value, QUEUES_MAX) && n > 0)
		a->queues = n;
	else if (!strcmp(key, "netns"))
		snprintf(a->netns, sizeof(a->netns), "%s", value);
	else if (!strcmp(key, "peer"))
		snprintf(a->peer, sizeof(a->peer), "%s", value);
}

bool
alias_parse(struct alias *a, const char *text)
{
	char copy[256], *save, *word, *eq;
	bool kind = false;

	memset(a, 0, sizeof(*a));
	a->owner = MSG_UID_NONE;
	a->queues = 1;
	if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
		return false;
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		eq = strchr(word, '=');
		if (!eq)
			continue;
		*eq = '\0';
		take(a, &kind, word, eq + 1);
	}
	return kind;
}

bool
alias_name_ok(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= PORT_NAME_MAX || name[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("._-", name[i]))
			return false;
	return true;
}
