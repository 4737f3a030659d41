/* SPDX-License-Identifier: GPL-2.0-or-later
 * job.c - the client's messages to a capture that is to be.
 */
#include "capture/job.h"

#include <string.h>

#include "capture/code.h"
#include "lib/fd.h"

enum { SNAPLEN_MIN = 14, FILE_MIN = 4096 };

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
		return code_take(&j->filter, m->u.capture_filter.code.b,
				 m->u.capture_filter.code.len)
			   ? NULL
			   : "the filter is too long";
	if (m->type == MSG_CAPTURE_OUT && nfds == 1)
		return out_add(&j->out, fd_take(&fds[0])) ? NULL : "there are too many files";
	if (m->type == MSG_CAPTURE_GO)
		return go(j);
	return "it is no message about a capture";
}
