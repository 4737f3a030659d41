/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_hosts.c - see redirect_hosts.h.
 */
#include "vnetd/redirect_hosts.h"

#include <string.h>
#include <strings.h>

#define BLANKS " \t\r"

/* The next word of a line that ends at `end`; NULL: none. */
static const char *
word(const char **at, const char *end, size_t *len)
{
	const char *p = *at;

	while (p < end && strchr(BLANKS, *p))
		p++;
	*len = 0;
	while (p + *len < end && !strchr(BLANKS, p[*len]))
		(*len)++;
	*at = p + *len;
	return *len ? p : NULL;
}

static bool
line_has(const char *at, const char *end, const char *name)
{
	const char *w;
	size_t len;

	while ((w = word(&at, end, &len)))
		if (len == strlen(name) && !strncasecmp(w, name, len))
			return true;
	return false;
}

size_t
redirect_hosts_find(const char *text, const char *name, struct redirect_ip *out, size_t max)
{
	size_t n = 0, len;

	while (*text && n < max) {
		const char *next = text + strcspn(text, "\n"), *at = text;
		const char *end = text + strcspn(text, "\n#"), *w = word(&at, end, &len);
		char addr[REDIRECT_IP_STRLEN];

		if (w && len < sizeof(addr)) {
			memcpy(addr, w, len);
			addr[len] = '\0';
			if (redirect_ip_parse(&out[n], addr) && line_has(at, end, name))
				n++;
		}
		text = *next ? next + 1 : next;
	}
	return n;
}
