/* SPDX-License-Identifier: GPL-2.0-or-later
 * relayflow.c - see relayflow.h.
 */
#include "natd/relayflow.h"

#include <string.h>

void
relayflow_init(struct relayflow *f)
{
	memset(f, 0, offsetof(struct relayflow, b));
}

enum relayflow_step
relayflow_next(const struct relayflow *f)
{
	if (f->at < f->end)
		return RELAYFLOW_WRITE;
	if (!f->eof)
		return RELAYFLOW_READ;
	return f->done ? RELAYFLOW_DONE : RELAYFLOW_FIN;
}

void
relayflow_read(struct relayflow *f, size_t n)
{
	f->at = 0;
	f->end = n;
	f->eof = n == 0;
}

void
relayflow_written(struct relayflow *f, size_t n)
{
	f->at += n;
}

void
relayflow_finished(struct relayflow *f)
{
	f->done = true;
}

int64_t
relayflow_idle_ms(const struct relayflow *a, const struct relayflow *b)
{
	return a->eof || b->eof ? RELAYFLOW_HALF_MS : RELAYFLOW_IDLE_MS;
}

int64_t
relayflow_udp_idle_ms(uint32_t timeout_s)
{
	int64_t ms = (int64_t)timeout_s * 1000;

	if (timeout_s == 0)
		return INT64_MAX;
	return ms > RELAYFLOW_UDP_MS ? ms : RELAYFLOW_UDP_MS;
}
