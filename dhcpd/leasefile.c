/* SPDX-License-Identifier: GPL-2.0-or-later
 * leasefile.c - when the lease file is read, appended to and written anew.
 */
#include "dhcpd/leasefile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

enum {
	/* After a failure: the first wait, doubled up to the second. */
	RETRY_MIN_MS = 500,
	RETRY_MAX_MS = 10000,
	/* A file with history in it is looked at this long after the history arose. */
	TIDY_AFTER_MS = 2000,
	/* Leases that come so soon one after the other get room in the file. More rarely they cost
	 * nothing that counts. */
	BUSY_MS = 250,
	/* It is cut off when none came for so long, for people who look at the file. */
	QUIET_MS = 2000,
	/* The wall clock was set when it moves this far against the other one. What ntpd does to the
	 * speed of one it does to the other. */
	CLOCK_STEP_MS = 50,
	/* Lines of a damaged file that are mentioned in the log. */
	DAMAGE_LINES_MAX = 10,
};

void
leasefile_init(struct leasefile *f, unsigned net)
{
	*f = (struct leasefile){
	    .net = net, .due = MONO_NEVER, .trim_at = MONO_NEVER, .retry_ms = RETRY_MIN_MS};
	store_init(&f->store, -1);
}

void
leasefile_fini(struct leasefile *f)
{
	store_fini(&f->store);
}

/* --- writing --- */

static void
worked(struct leasefile *f)
{
	f->err = 0;
	f->retry_ms = RETRY_MIN_MS;
}

static void
failed(struct leasefile *f, int err, struct dhcp_clock clk)
{
	if (f->err == 0)
		f->retry_ms = RETRY_MIN_MS;
	f->err = err;
	f->must_rewrite = true;
	/* Not put off by what fails meanwhile: guests ask all the time. */
	f->due = mono_min(f->due, mono_add(clk.now, f->retry_ms));
}

/* As long as the old file can be appended to, nothing is lost but time. */
static void
rewrite_failed(struct leasefile *f, int err, struct dhcp_clock clk)
{
	if (f->store.fd < 0 || f->err)
		f->err = err;
	f->due = mono_add(clk.now, f->retry_ms);
	f->retry_ms = f->retry_ms * 2 < RETRY_MAX_MS ? f->retry_ms * 2 : RETRY_MAX_MS;
}

struct walk {
	const struct dhcp_server *server;
	struct lease *at;
	struct dhcp_clock clk;
};

static bool
next_rec(void *arg, struct journal_rec *rec)
{
	struct walk *w = arg;

	return dhcp_server_each_rec(w->server, &w->at, w->clk, rec);
}

static void
rewrite(struct leasefile *f, const struct dhcp_server *s, struct dhcp_clock clk)
{
	struct walk w = {.server = s, .clk = clk};
	int r = store_rewrite(&f->store, next_rec, &w);

	if (r < 0) {
		rewrite_failed(f, -r, clk);
		return;
	}
	f->must_rewrite = false;
	f->due = f->trim_at = MONO_NEVER;
	f->wall_offset = clk.wall_ms - clk.now.ms;
	worked(f);
}

int
leasefile_append(struct leasefile *f, const char *text, size_t len, size_t blocks,
		 struct dhcp_clock clk)
{
	bool busy = mono_before(clk.now, f->busy_until);
	int r;

	/* Nothing can be appended until it is written anew, and why is known already. */
	if (f->store.fd < 0 && f->err)
		return -f->err;
	r = store_append(&f->store, text, len, blocks, busy ? STORE_ROOM_MAX : 0);
	f->busy_until = mono_add(clk.now, BUSY_MS);
	f->trim_at = mono_add(clk.now, QUIET_MS);
	if (r < 0) {
		failed(f, -r, clk);
		return r;
	}
	worked(f);
	if (f->due.ms == MONO_NEVER.ms)
		f->due = mono_add(clk.now, TIDY_AFTER_MS);
	return 0;
}

void
leasefile_outdate(struct leasefile *f, struct dhcp_clock clk)
{
	f->must_rewrite = true;
	if (f->err == 0)
		f->due = clk.now;
}

static size_t
count_recorded(const struct dhcp_server *s)
{
	const struct lease_table *t = dhcp_server_leases(s);
	size_t n = 0;

	for (struct lease *l = lease_each(t, NULL); l; l = lease_each(t, l))
		n += l->recorded;
	return n;
}

struct mono
leasefile_due(const struct leasefile *f)
{
	return mono_min(f->due, f->trim_at);
}

void
leasefile_tidy(struct leasefile *f, const struct dhcp_server *s, struct dhcp_clock clk)
{
	int64_t moved = clk.wall_ms - clk.now.ms - f->wall_offset;

	if (!f->loaded)
		return;
	if (moved > CLOCK_STEP_MS || moved < -CLOCK_STEP_MS) {
		f->wall_offset += moved;
		leasefile_outdate(f, clk);
	}
	if (!mono_before(clk.now, f->trim_at)) {
		f->trim_at = MONO_NEVER;
		store_trim(&f->store);
	}
	if (mono_before(clk.now, f->due))
		return;
	f->due = MONO_NEVER;
	if (f->must_rewrite ||
	    journal_wants_rewrite((size_t)f->store.size, f->store.blocks, count_recorded(s)))
		rewrite(f, s, clk);
}

/* --- reading --- */

struct found {
	size_t blocks;
	size_t good; /* bytes up to the end of the last block */
	unsigned damaged;
	bool whole; /* appending behind these is safe */
	bool doubles;
};

/* Nothing but our own header: no lease was ever recorded. */
static bool
is_new(const char *text, size_t len)
{
	return len == strlen(journal_header) && memcmp(text, journal_header, len) == 0;
}

static void
replay(const struct leasefile *f, struct dhcp_server *s, const char *text, size_t len,
       struct dhcp_clock clk, struct found *out)
{
	struct journal_reader r;
	struct journal_rec rec;
	enum journal_next next;

	journal_reader_init(&r, text, len);
	while ((next = journal_next(&r, &rec)) == JOURNAL_REC || next == JOURNAL_BAD) {
		if (next == JOURNAL_REC) {
			out->blocks++;
			dhcp_server_replay(s, &rec, clk);
		} else if (out->damaged++ < DAMAGE_LINES_MAX) {
			log_warn(0, "vmnet%u: " STORE_FILE ":%u: not a lease, left out", f->net,
				 r.line);
		}
	}
	if (next == JOURNAL_TORN)
		log_warn(0,
			 "vmnet%u: " STORE_FILE
			 ":%u: ends inside a lease that was never confirmed, "
			 "left out",
			 f->net, r.line);
	out->good = is_new(text, len) ? len : r.good_end;
	out->whole = out->damaged == 0 && out->good > 0 &&
		     journal_is_room(text + out->good, len - out->good);
}

/* The file is appended to as it is, or written anew. */
static void
settle(struct leasefile *f, const struct dhcp_server *s, const char *text, size_t len,
       const struct found *found, struct dhcp_clock clk)
{
	if (found->damaged && store_backup(&f->store, text, len) == 0)
		log_warn(0, "vmnet%u: the damaged lease file is kept as " STORE_FILE "~", f->net);
	f->wall_offset = clk.wall_ms - clk.now.ms;
	f->must_rewrite = found->whole ? store_adopt(&f->store, found->good, found->blocks) < 0
				       : len > 0 || store_create(&f->store) < 0;
	/* Whoever reads it must not find two leases of one guest. */
	f->must_rewrite |= found->doubles;
	f->due = clk.now;
	leasefile_tidy(f, s, clk);
}

int
leasefile_load(struct leasefile *f, int dir, struct dhcp_server *s, struct dhcp_clock clk)
{
	struct found found = {0};
	const char *text;
	ssize_t len;
	int r;

	store_fini(&f->store);
	store_init(&f->store, dir);
	len = store_read(&f->store, &text);
	if (len < 0)
		return (int)len;
	r = dhcp_server_replay_begin(s, journal_blocks_max(text, (size_t)len));
	if (r == 0) {
		replay(f, s, text, (size_t)len, clk, &found);
		r = dhcp_server_replay_end(s, clk, &found.doubles);
	}
	if (r >= 0) {
		log_debug("vmnet%u: %d leases from %zu records", f->net, r, found.blocks);
		f->loaded = true;
		settle(f, s, text, (size_t)len, &found, clk);
	}
	store_release(text, (size_t)len);
	return r < 0 ? r : 0;
}
