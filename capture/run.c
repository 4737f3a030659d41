/* SPDX-License-Identifier: GPL-2.0-or-later
 * run.c - the loop of vnet-capture. Calls what sandbox_seccomp_capture() allows and nothing else.
 */
#include "capture/run.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bpf/gate_maps.h"
#include "lib/mono.h"
#include "paths.h"

enum {
	STATS_MS = 1000,
	/* Frames after which somebody may want to end it, or to hear of it: a slow reader takes long for them. */
	TURN = 256,
	/* A client that does not read its last message. */
	LAST_WORD_MS = 2000,
	TAG_BYTES = 4,
};

static uint64_t
utc_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* --- to the client --- */

/* By write(), since sendmsg() could carry descriptors away. */
static bool
send_once(int client, const struct msg *m)
{
	uint8_t buf[MSG_MAX];
	size_t len = msg_encode(m, buf, sizeof(buf));

	return write(client, buf, len) >= 0 || errno != EAGAIN;
}

void
run_tell(int client, const struct msg *m)
{
	struct pollfd p = {.fd = client, .events = POLLOUT};

	if (!send_once(client, m) && poll(&p, 1, LAST_WORD_MS) > 0)
		send_once(client, m);
}

/* One that is not read is no loss: the next one tells more. */
static void
tell_stats(struct run *r)
{
	struct msg m = msg_make(MSG_CAPTURE_STATS, 0);

	ring_count(r->ring);
	m.u.capture_stats.frames = r->frames;
	m.u.capture_stats.dropped = r->ring->dropped;
	m.u.capture_stats.file = r->job->out.at;
	m.u.capture_stats.file_bytes = r->job->out.file_done;
	send_once(r->client, &m);
}

/* --- frames --- */

static void
judge_tag(struct pcapng_frame *f, uint32_t hash, char comment[PCAPNG_COMMENT_MAX])
{
	unsigned how = GATE_TAG_HOW(hash);

	f->way = GATE_TAG_TO_GUEST(hash) ? PCAPNG_OUT : PCAPNG_IN;
	/* The copy was sent to nobody. */
	f->cast = (f->data[0] & 1) == 0                            ? PCAPNG_UNICAST
		  : memcmp(f->data, "\xff\xff\xff\xff\xff\xff", 6) ? PCAPNG_MULTICAST
								   : PCAPNG_BROADCAST;
	if (how == 0)
		return;
	snprintf(comment, PCAPNG_COMMENT_MAX, "the port's gate refused it: %s",
		 how <= DROP_REASON_N ? drop_reason_name((enum drop_reason)(how - 1)) : "?");
	f->comment = comment;
}

/* The kernel passes every tagged frame, since the program does not see the tag there. */
static bool
passes_tagged(const struct run *r, const struct pcapng_frame *f, const uint8_t *data)
{
	return !f->tagged || filter_needs_kernel(&r->job->filter) ||
	       filter_run(&r->job->filter, data, f->caplen, f->len);
}

/* The frame with its tag in place, to run a filter on. */
static const uint8_t *
with_tag(const struct pcapng_frame *f, uint8_t *to)
{
	const uint8_t tag[TAG_BYTES] = {(uint8_t)(f->tpid >> 8), (uint8_t)f->tpid,
					(uint8_t)(f->tci >> 8), (uint8_t)f->tci};

	memcpy(to, f->data, 12);
	memcpy(to + 12, tag, sizeof(tag));
	memcpy(to + 12 + sizeof(tag), f->data + 12, f->caplen - 12 - sizeof(tag));
	return to;
}

static void
write_frame(struct run *r, struct ring_frame *in)
{
	char comment[PCAPNG_COMMENT_MAX];
	struct pcapng_frame *f = &in->f;
	uint32_t snaplen = r->job->setup.snaplen;
	uint8_t *room;

	if (r->port)
		judge_tag(f, in->hash, comment);
	if (f->caplen > PCAPNG_SNAPLEN_MAX)
		f->caplen = PCAPNG_SNAPLEN_MAX;
	room = out_room(&r->job->out, f->caplen);
	if (!room)
		return;
	if (f->tagged && r->job->filter.n && !passes_tagged(r, f, with_tag(f, room)))
		return;
	if (f->caplen > snaplen)
		f->caplen = snaplen;
	out_frame(&r->job->out, f);
	r->frames++;
}

static struct pcapng_stats
stats(struct run *r)
{
	ring_count(r->ring);
	return (struct pcapng_stats){.first_ns = r->begun_ns,
				     .last_ns = utc_ns(),
				     .received = r->ring->received,
				     .dropped = r->ring->dropped};
}

/* What is in the ring, or a turn of it. True: there is more. */
static bool
take_frames(struct run *r)
{
	const uint64_t count = r->job->setup.count;
	struct out *out = &r->job->out;
	struct ring_frame in;

	for (unsigned i = 0; i < TURN; i++) {
		if (out->err || (count && r->frames == count))
			return false;
		if (out_is_full(out)) {
			struct pcapng_stats s = stats(r);

			out_next(out, &s);
			tell_stats(r);
		}
		if (!ring_next(r->ring, &in))
			return false;
		write_frame(r, &in);
	}
	return true;
}

/* What waits in the ring, and no more than it holds: what comes meanwhile may fill it as fast as it is read. */
static void
take_rest(struct run *r)
{
	const uint64_t end = r->ring->given_back + r->ring->blocks;

	/* The client waits: it hears that there is still somebody. */
	do
		tell_stats(r);
	while (take_frames(r) && r->ring->given_back < end);
}

/* --- the loop --- */

static void
section_of(const struct run *r, struct pcapng_section *s)
{
	const struct msg_capture_setup *setup = &r->job->setup;

	*s = (struct pcapng_section){.comment = setup->comment,
				     .os = setup->os,
				     .application = "vnetd " VNET_VERSION,
				     .ifname = setup->ifname,
				     .description = setup->description,
				     .filter = setup->filter,
				     .snaplen = setup->snaplen};
}

static bool
is_over(const struct run *r)
{
	return r->job->out.err || (r->job->setup.count && r->frames == r->job->setup.count);
}

/* Waits for frames, at most until stats are due. True: somebody wants it to end; *err: the link is gone. */
static bool
wait(const struct run *r, int timeout_ms, int *err)
{
	struct pollfd p[] = {{.fd = r->priv, .events = POLLIN},
			     {.fd = r->client, .events = POLLIN},
			     {.fd = r->ring->sock, .events = POLLIN}};

	if (poll(p, 3, timeout_ms) <= 0)
		return false;
	if (p[2].revents & POLLERR)
		*err = ring_error(r->ring);
	/* Neither says anything but that. */
	if (p[0].revents)
		*err = -ECANCELED;
	return p[1].revents || *err < 0;
}

static int
run_loop(struct run *r)
{
	struct mono next = mono_add(mono_now(), STATS_MS);
	int err = 0;

	for (;;) {
		bool more = take_frames(r);
		int64_t left;

		if (!more)
			out_flush(&r->job->out);
		if (is_over(r))
			return r->job->out.err;
		left = mono_diff(next, mono_now());
		if (left <= 0) {
			tell_stats(r);
			next = mono_add(mono_now(), STATS_MS);
			left = STATS_MS;
		}
		if (wait(r, more ? 0 : (int)left, &err))
			break;
	}
	/* What has come until then belongs to it, unless nobody may see it any more. */
	if (err != -ECANCELED)
		take_rest(r);
	return err;
}

int
run_capture(struct run *r)
{
	struct pcapng_section section;
	struct pcapng_stats s;
	int err;

	section_of(r, &section);
	r->begun_ns = utc_ns();
	if (!out_begin(&r->job->out, &section))
		return r->job->out.err;
	tell_stats(r);
	err = run_loop(r);
	s = stats(r);
	out_end(&r->job->out, &s);
	tell_stats(r);
	return err ? err : r->job->out.err;
}
