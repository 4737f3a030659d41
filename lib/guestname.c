/* SPDX-License-Identifier: GPL-2.0-or-later
 * guestname.c - see guestname.h.
 */
#include "lib/guestname.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/util.h"

static char
small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool
is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool
guestname_label(char label[GUESTNAME_MAX + 1], const char *told)
{
	static const char *const never[] = {"localhost", "wpad", "isatap"};
	size_t n = strcspn(told, ".");

	if (n == 0 || n > GUESTNAME_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		label[i] = small(told[i]);
		if (!is_letter_or_digit(label[i]) && (label[i] != '-' || i == 0 || i == n - 1))
			return false;
	}
	label[n] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		if (!strcmp(label, never[i]))
			return false;
	return true;
}

bool
guestname_domain(const char *domain, unsigned net)
{
	char own[16];

	snprintf(own, sizeof(own), "vmnet%u", net);
	return !*domain || !strcasecmp(domain, "localdomain") || !strcasecmp(domain, own);
}
