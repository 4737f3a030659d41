/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolved_plan.c - see resolved_plan.h. Pure.
 */
#include "vnetd/resolved_plan.h"

#include <stdio.h>

#include "lib/msg_kinds.h"

bool
resolved_wants(const struct msg_net_row *row)
{
	bool up = row->state == NET_STATE_OK || row->state == NET_STATE_DEGRADED;

	return up && row->dns.h && row->net < RESOLVED_NETS &&
	       !(row->services_down & 1u << SERVICE_DNS);
}

size_t
resolved_domains(char out[RESOLVED_DOMAINS_MAX][RESOLVED_DOMAIN_LEN], const struct resolved_link *l)
{
	uint32_t a = l->subnet.addr.h;

	snprintf(out[0], RESOLVED_DOMAIN_LEN, "vmnet%u", l->net);
	if (l->subnet.len == 24)
		snprintf(out[1], RESOLVED_DOMAIN_LEN, "%u.%u.%u.in-addr.arpa", a >> 8 & 255,
			 a >> 16 & 255, a >> 24);
	else if (l->subnet.len == 16)
		snprintf(out[1], RESOLVED_DOMAIN_LEN, "%u.%u.in-addr.arpa", a >> 16 & 255, a >> 24);
	else if (l->subnet.len == 8)
		snprintf(out[1], RESOLVED_DOMAIN_LEN, "%u.in-addr.arpa", a >> 24);
	else
		return 1;
	return 2;
}

bool
resolved_link_eq(const struct resolved_link *a, const struct resolved_link *b)
{
	return a->net == b->net && a->ifindex == b->ifindex && ip4_eq(a->dns, b->dns) &&
	       prefix4_eq(a->subnet, b->subnet);
}

/* The place of the link with this index, or n. */
static size_t
find(const struct resolved_links *list, int ifindex)
{
	size_t i = 0;

	while (i < list->n && list->v[i].ifindex != ifindex)
		i++;
	return i;
}

const struct resolved_link *
resolved_next(const struct resolved_links *done, const struct resolved_links *wanted, bool *forget)
{
	size_t at;

	*forget = true;
	for (size_t i = 0; i < done->n; i++)
		if (find(wanted, done->v[i].ifindex) == wanted->n)
			return &done->v[i];
	*forget = false;
	for (size_t i = 0; i < wanted->n; i++) {
		at = find(done, wanted->v[i].ifindex);
		if (at == done->n || !resolved_link_eq(&done->v[at], &wanted->v[i]))
			return &wanted->v[i];
	}
	return NULL;
}

void
resolved_note(struct resolved_links *done, const struct resolved_link *l, bool forget)
{
	struct resolved_link copy = *l; /* it may be in `done` */
	size_t at = find(done, copy.ifindex);

	if (forget) {
		if (at < done->n)
			done->v[at] = done->v[--done->n];
	} else if (at < done->n) {
		done->v[at] = copy;
	} else if (done->n < RESOLVED_NETS) {
		done->v[done->n++] = copy;
	}
}
