/* SPDX-License-Identifier: GPL-2.0-or-later
 * nlread.c - see nlread.h.
 */
#include "lib/nlread.h"

/* Netlink pads to four bytes, but for the last. */
static void
skip_padding(struct rd *r, size_t len)
{
	size_t pad = -len & 3;

	rd_bytes(r, pad < rd_left(r) ? pad : rd_left(r));
}

bool
nlread_msg(struct rd *r, struct nlmsghdr *nlh, struct rd *body)
{
	if (rd_left(r) == 0)
		return false;
	rd_copy(r, nlh, sizeof(*nlh));
	if (r->bad || nlh->nlmsg_len < sizeof(*nlh))
		return false;
	*body = rd_sub(r, nlh->nlmsg_len - sizeof(*nlh));
	if (r->bad)
		return false;
	skip_padding(r, nlh->nlmsg_len);
	return true;
}

bool
nlread_attr(struct rd attrs, unsigned type, struct rd *value)
{
	while (rd_left(&attrs) > 0) {
		struct nlattr a;

		rd_copy(&attrs, &a, sizeof(a));
		if (attrs.bad || a.nla_len < sizeof(a))
			return false;
		*value = rd_sub(&attrs, a.nla_len - sizeof(a));
		if (attrs.bad)
			return false;
		if ((a.nla_type & NLA_TYPE_MASK) == type)
			return true;
		skip_padding(&attrs, a.nla_len);
	}
	return false;
}
