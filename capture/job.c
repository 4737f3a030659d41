/* SPDX-License-Identifier: GPL-2.0-or-later
 * job.c - the client's messages to a capture that is to be.
 */
#include "capture/job.h"

#include <string.h>

#include "lib/fd.h"
#include "lib/wire.h"

enum { CODE_BYTES = 8, SNAPLEN_MIN = 14, FILE_MIN = 4096 };

bool
job_init(struct job *j)
{
	memset(&j->setup, 0, sizeof(j->setup));
	j->filter.n = 0;
	j->has_setup = j->complete = false;
	return out_init(&j->out);
}

void
job_fini(struct job *j)
{
	out_fini(&j->out);
}

static const char *
take_setup(struct job *j, const struct msg_capture_setup *m)
{
	if (m->snaplen < SNAPLEN_MIN || m->snaplen > PCAPNG_SNAPLEN_MAX)
		return "a snapshot length is 14 to 262144 bytes";
	if (m->file_max && m->file_max < FILE_MIN)
		return "a file of a ring has at least 4096 bytes";
	j->setup = *m;
	j->has_setup = true;
	return NULL;
}

static const char *
take_code(struct filter *f, const struct msg_capture_filter *m)
{
	struct rd r = rd_init(m->code.b, m->code.len);

	if (m->code.len % CODE_BYTES || m->code.len / CODE_BYTES > FILTER_MAX - f->n)
		return "the filter is too long";
	while (rd_left(&r)) {
		struct sock_filter *s = &f->code[f->n++];

		s->code = rd_be16(&r);
		s->jt = rd_u8(&r);
		s->jf = rd_u8(&r);
		s->k = rd_be32(&r);
	}
	return NULL;
}

static const char *
go(struct job *j)
{
	if (!j->has_setup || j->out.n == 0)
		return "it is not said what to capture";
	if (!filter_valid(&j->filter))
		return "the filter is no program that ends";
	j->out.file_max = j->setup.file_max;
	j->out.pcap = j->setup.pcap;
	j->complete = true;
	return NULL;
}

const char *
job_take(struct job *j, const struct msg *m, int *fds, size_t nfds)
{
	if (m->type == MSG_CAPTURE_SETUP)
		return take_setup(j, &m->u.capture_setup);
	if (m->type == MSG_CAPTURE_FILTER)
		return take_code(&j->filter, &m->u.capture_filter);
	if (m->type == MSG_CAPTURE_OUT && nfds == 1)
		return out_add(&j->out, fd_take(&fds[0])) ? NULL : "there are too many files";
	if (m->type == MSG_CAPTURE_GO)
		return go(j);
	return "it is no message about a capture";
}

void
job_put_code(struct msg_capture_filter *m, const struct sock_filter *code, size_t n)
{
	struct wr w = wr_init(m->code.b, sizeof(m->code.b));

	for (size_t i = 0; i < n; i++) {
		wr_be16(&w, code[i].code);
		wr_u8(&w, code[i].jt);
		wr_u8(&w, code[i].jf);
		wr_be32(&w, code[i].k);
	}
	m->code.len = (uint16_t)wr_len(&w);
}
