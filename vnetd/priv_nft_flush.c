/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_flush.c - see priv_nft_flush.h. Pure apart from the heap.
 */
#include "priv_nft_flush.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

static int
compare(const void *a, const void *b)
{
	const struct msg_nat_flush_forward *x = a, *y = b;

	if (x->proto != y->proto)
		return x->proto < y->proto ? -1 : 1;
	return (x->port > y->port) - (x->port < y->port);
}

static int
keep(struct nft_flush *f, int err)
{
	if (f->err == 0)
		f->err = err;
	return err;
}

int
nft_flush_add(struct nft_flush *f, const struct msg_nat_flush_forward *m)
{
	if (m->proto >= PROTO_N)
		return keep(f, -EINVAL);
	if (f->n >= NAT_FLUSHES_MAX)
		return keep(f, -ENOSPC);
	if (f->n == f->cap) {
		size_t cap = f->cap ? 2 * f->cap : 16;
		struct msg_nat_flush_forward *v = reallocarray(f->v, cap, sizeof(*v));

		if (!v)
			return keep(f, -ENOMEM);
		f->v = v;
		f->cap = cap;
	}
	f->v[f->n++] = *m;
	return 0;
}

int
nft_flush_ready(struct nft_flush *f)
{
	if (f->n)
		qsort(f->v, f->n, sizeof(*f->v), compare);
	return f->err;
}

/* The first row of this protocol and port, or one behind it. */
static size_t
place_of(const struct nft_flush *f, const struct msg_nat_flush_forward *key)
{
	size_t lo = 0, hi = f->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare(&f->v[mid], key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool
nft_flush_has(const struct nft_flush *f, const struct nft_ct_tuple *orig,
	      const struct nft_ct_tuple *reply)
{
	const struct msg_nat_flush_forward key = {
	    .proto = orig->proto == IPPROTO_TCP ? PROTO_TCP : PROTO_UDP, .port = orig->dport};

	if (orig->proto != IPPROTO_TCP && orig->proto != IPPROTO_UDP)
		return false;
	for (size_t i = place_of(f, &key); i < f->n && compare(&f->v[i], &key) == 0; i++) {
		const struct msg_nat_flush_forward *m = &f->v[i];

		/* Whoever asks the guest itself does not come by a forward. */
		if (ip4_eq(reply->src, m->guest) && reply->sport == m->guest_port &&
		    (m->host.h ? ip4_eq(orig->dst, m->host) : !ip4_eq(orig->dst, m->guest)))
			return true;
	}
	return false;
}

void
nft_flush_fini(struct nft_flush *f)
{
	free(f->v);
	*f = (struct nft_flush){0};
}
