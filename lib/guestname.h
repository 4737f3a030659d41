/* SPDX-License-Identifier: GPL-2.0-or-later
 * guestname.h - which names a guest can have, and how it is asked for by them. Pure.
 *
 * A guest says what it is called. So it gets no name that programs trust, and none in anybody's domain: of a name with
 * dots the first part counts.
 */
#ifndef VNET_LIB_GUESTNAME_H
#define VNET_LIB_GUESTNAME_H

#include <stdbool.h>

#define GUESTNAME_MAX 63

/* The first part, in small letters, of what a guest calls itself; false: it is not letters, digits and hyphens, or given
 * to nobody. */
bool guestname_label(char label[GUESTNAME_MAX + 1], const char *told);

/* Guests of that network are asked for in the domain: "", "localdomain", "vmnet8". */
bool guestname_domain(const char *domain, unsigned net);

#endif
