/* SPDX-License-Identifier: GPL-2.0-or-later
 * msg_fuzz.c - any bytes as a message: what is accepted encodes to the very same bytes, so that no two
 * encodings mean one thing.
 */
#include <stdlib.h>

#include "lib/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* Rows that came together can be put together again. */
static void
unpack(const struct msg *m)
{
	const struct msg_rows *rows = &m->u.rows;
	struct msg_rows again = {.rows.len = 0};
	size_t at = 0;
	struct msg row;

	if (m->type != MSG_ROWS)
		return;
	while (msg_unpack(&row, rows, &at))
		must(msg_pack(&again, &row));
	must(again.rows.len == at && memcmp(again.rows.b, rows->rows.b, at) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct msg m;
	uint8_t buf[MSG_MAX];
	size_t n;

	if (!msg_decode(&m, data, len))
		return 0;
	unpack(&m);
	must(m.type > MSG_NONE && m.type < MSG_N && strcmp(msg_name(m.type), "?") != 0);
	n = msg_encode(&m, buf, sizeof(buf));
	must(n == len && memcmp(buf, data, len) == 0);
	/* A byte less of room, and it must not fit. */
	must(msg_encode(&m, buf, len - 1) == 0);
	/* A byte less or more is another message or none. */
	must(!msg_decode(&m, data, len - 1));
	return 0;
}
