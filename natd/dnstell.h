/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnstell.h - what the log is told of the DNS proxy's decisions.
 */
#ifndef VNET_NATD_DNSTELL_H
#define VNET_NATD_DNSTELL_H

#include "natd/dns.h"

/* The refusal that is to be told now, if there is one. Cheap: it is asked after each answer. */
void dnstell_refusal(struct dns *d, struct mono now);

#endif
