/* SPDX-License-Identifier: GPL-2.0-or-later
 * legacy.c - reads the entries of an ip_tables table.
 *
 * Only what tells of a firewall that knows nothing of us is looked for: a policy or an unconditional rule
 * that drops, and rules anywhere that accept by the name of our interfaces. When in doubt no alarm.
 */
#include "vnetd/legacy.h"

#include <limits.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The verdict of a standard target, as the table has it. */
#define VERDICT(v) (-(v)-1)

struct entry {
	char target[XT_EXTENSION_MAXNAMELEN];
	int verdict;        /* of a standard target */
	bool plain;         /* no condition at all */
	struct ipt_entry e; /* last: the kernel's declaration ends with an array of any length */
};

/* False: it does not fit. The blob need not be aligned. */
static bool
read_entry(struct entry *out, const uint8_t *at, size_t left)
{
	struct xt_entry_target t;
	const struct ipt_ip any = {0};

	if (left < sizeof(out->e))
		return false;
	memcpy(&out->e, at, sizeof(out->e));
	if (out->e.next_offset > left || out->e.target_offset < sizeof(out->e) ||
	    out->e.target_offset + sizeof(t) > out->e.next_offset)
		return false;
	memcpy(&t, at + out->e.target_offset, sizeof(t));
	memcpy(out->target, t.u.user.name, sizeof(out->target) - 1);
	out->target[sizeof(out->target) - 1] = '\0';
	out->verdict = 0;
	if (!out->target[0]) {
		if (out->e.target_offset + sizeof(t) + sizeof(out->verdict) > out->e.next_offset)
			return false;
		memcpy(&out->verdict, at + out->e.target_offset + sizeof(t), sizeof(out->verdict));
	}
	out->plain =
	    out->e.target_offset == sizeof(out->e) && memcmp(&out->e.ip, &any, sizeof(any)) == 0;
	return true;
}

static bool
is_drop(const struct entry *e)
{
	return e->target[0] ? !strcmp(e->target, "REJECT") : e->verdict == VERDICT(NF_DROP);
}

/* A condition on an interface, as the kernel compares it. */
struct iface {
	const char *name;
	const unsigned char *mask;
	bool inverted;
};

static bool
is_any(const struct iface *f)
{
	return !f->mask[0];
}

static bool
names(const struct iface *f, const char vmnet[IFNAMSIZ])
{
	if (f->inverted || is_any(f))
		return false;
	for (size_t i = 0; i < IFNAMSIZ; i++)
		if ((f->name[i] ^ vmnet[i]) & f->mask[i])
			return false;
	return true;
}

static void
take_accept(struct legacy_rules *out, const struct entry *e)
{
	const struct ipt_ip *ip = &e->e.ip;
	const struct iface in = {ip->iniface, ip->iniface_mask, ip->invflags & IPT_INV_VIA_IN};
	const struct iface to = {ip->outiface, ip->outiface_mask, ip->invflags & IPT_INV_VIA_OUT};

	if (is_any(&in) && is_any(&to))
		return;
	for (unsigned n = 0; n < 256; n++) {
		char vmnet[IFNAMSIZ] = "";
		bool from, goes;

		snprintf(vmnet, sizeof(vmnet), "vmnet%u", n);
		from = names(&in, vmnet);
		goes = names(&to, vmnet);
		out->forward.inside[n] |= from && goes;
		out->forward.in[n] |= from && !goes;
		out->forward.out[n] |= goes && !from;
		out->input.in[n] |= from && is_any(&to);
	}
}

static void
take_drop(struct legacy_chain *c, const struct entry *e, size_t at, uint32_t first, uint32_t policy)
{
	bool verdict = e->target[0] ? is_drop(e) : e->verdict < 0 && e->verdict != XT_RETURN;

	if (at < first || at > policy || c->settled || !e->plain || !verdict)
		return;
	c->settled = true;
	c->drops = is_drop(e);
}

bool
legacy_read(struct legacy_rules *out, const void *entries, size_t len,
	    const struct legacy_hooks *hooks)
{
	size_t at = 0;

	*out = (struct legacy_rules){0};
	while (at < len) {
		struct entry e;

		if (!read_entry(&e, (const uint8_t *)entries + at, len - at))
			return false;
		take_drop(&out->input, &e, at, hooks->input, hooks->input_policy);
		take_drop(&out->forward, &e, at, hooks->forward, hooks->forward_policy);
		if (!e.target[0] && e.verdict == VERDICT(NF_ACCEPT))
			take_accept(out, &e);
		at += e.e.next_offset;
	}
	return true;
}
