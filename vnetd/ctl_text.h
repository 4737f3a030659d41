/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_text.h - small texts for people: times, plurals, columns on a screen.
 *
 * Pure. Strings that others chose (host names of guests, labels) are made harmless here before they
 * reach a terminal.
 */
#ifndef VNET_VNETD_CTL_TEXT_H
#define VNET_VNETD_CTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/inet.h"

struct strbuf;

#define TEXT_SPAN_LEN 32
#define TEXT_TIME_LEN 32

/* Columns that `s` takes on a terminal (UTF-8; wide characters take two). */
size_t ctl_text_width(const char *s);

/* Appends `s` with control characters, direction marks and bytes that are not UTF-8 as \xNN; with
 * `one_word` blanks too, so that a column stays one field for awk. */
void ctl_text_clean(struct strbuf *out, const char *s, bool one_word);

/* Makes the calls above know UTF-8 whatever the user's locale is; call it once in main(). */
void ctl_text_init(void);

/* "12 s", "27 min", "5 h", "3 days": rounded down to one unit. */
char *ctl_text_span(uint64_t seconds, char buf[TEXT_SPAN_LEN]);

/* "in 27 min", "5 min ago", "now"; both in seconds of the same clock. */
char *ctl_text_when(uint64_t when, uint64_t now, char buf[TEXT_SPAN_LEN + 8]);

/* "2024-05-06T07:08:09Z" (RFC 3339); with ms the milliseconds too. */
char *ctl_text_utc(uint64_t ms, bool with_ms, char buf[TEXT_TIME_LEN]);

/* The part of an address that the network does not determine: ".1" in a /24, ".0.1" in a /16. */
char *ctl_text_host_part(struct ip4 a, unsigned len, char buf[IP4_STRLEN + 1]);

/* "1 guest", "2 guests". */
void ctl_text_count(struct strbuf *out, uint64_t n, const char *one, const char *many);

#endif
