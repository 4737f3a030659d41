/* SPDX-License-Identifier: GPL-2.0-or-later
 * code.c - see code.h.
 */
#include "capture/code.h"

#include "lib/wire.h"

size_t
code_put(uint8_t *out, const struct sock_filter *code, size_t n)
{
	struct wr w = wr_init(out, n * CODE_BYTES);

	for (size_t i = 0; i < n; i++) {
		wr_be16(&w, code[i].code);
		wr_u8(&w, code[i].jt);
		wr_u8(&w, code[i].jf);
		wr_be32(&w, code[i].k);
	}
	return wr_len(&w);
}

bool
code_take(struct filter *f, const uint8_t *p, size_t len)
{
	struct rd r = rd_init(p, len);

	if (len % CODE_BYTES || len / CODE_BYTES > FILTER_MAX - f->n)
		return false;
	while (rd_left(&r)) {
		struct sock_filter *s = &f->code[f->n++];

		s->code = rd_be16(&r);
		s->jt = rd_u8(&r);
		s->jf = rd_u8(&r);
		s->k = rd_be32(&r);
	}
	return true;
}
