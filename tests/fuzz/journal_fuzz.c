/* SPDX-License-Identifier: GPL-2.0-or-later
 * journal_fuzz.c - any bytes as a lease file: read, replayed, written, read again.
 *
 * What must hold: the reader ends, never counts more blocks than journal_blocks_max(), and what it
 * understood survives being written and read back; a server made from it writes a file that reads
 * without a fault, with one block per address and no MAC active twice. Newlines behind it change nothing, and
 * where a sector of what was written is newlines, every block that is read is one that was written.
 */
#include <stdlib.h>
#include <string.h>

#include "dhcpd/server.h"
#include "tests/fuzz/check.h"

#define NET 0xc0a80000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check_round_trip(const struct journal_rec *rec)
{
	char text[JOURNAL_REC_MAX];
	size_t n = journal_encode(text, sizeof(text), rec);
	struct journal_reader r;
	struct journal_rec back;

	CHECK(n > 0);
	journal_reader_init(&r, text, n);
	CHECK(journal_next(&r, &back) == JOURNAL_REC && r.good_end == n);
	CHECK(ip4_eq(back.ip, rec->ip) && mac_eq(back.mac, rec->mac));
	CHECK(back.starts == rec->starts && back.ends == rec->ends);
	CHECK(back.abandoned == rec->abandoned);
	if (!rec->abandoned) {
		CHECK(back.uid_len == rec->uid_len && !memcmp(back.uid, rec->uid, rec->uid_len));
		CHECK(strcmp(back.hostname, rec->hostname) == 0);
	}
	CHECK(journal_next(&r, &back) == JOURNAL_END);
}

enum { BLOCKS = 24, SECTOR = 512 };

/* The first blocks, as we write them; their length. */
static size_t
write_anew(char *out, const char *text, size_t len)
{
	struct journal_reader r;
	struct journal_rec rec;
	enum journal_next next;
	size_t n = 0;
	unsigned blocks = 0;

	journal_reader_init(&r, text, len);
	while (blocks < BLOCKS &&
	       ((next = journal_next(&r, &rec)) == JOURNAL_REC || next == JOURNAL_BAD)) {
		if (next == JOURNAL_REC) {
			n += journal_encode(out + n, JOURNAL_REC_MAX, &rec);
			blocks++;
		}
	}
	return n;
}

static void
lose_sector(const char *whole, size_t n, size_t at)
{
	char left[BLOCKS * JOURNAL_REC_MAX], block[JOURNAL_REC_MAX];
	struct journal_reader r;
	struct journal_rec rec;
	enum journal_next next;

	memcpy(left, whole, n);
	memset(left + at, '\n', SECTOR);
	journal_reader_init(&r, left, n);
	while ((next = journal_next(&r, &rec)) == JOURNAL_REC || next == JOURNAL_BAD)
		if (next == JOURNAL_REC)
			CHECK(memmem(whole, n, block, journal_encode(block, sizeof(block), &rec)));
}

/* Where a line ends, for there a block goes on most easily; the length says at which. */
static void
check_lost_sectors(const char *text, size_t len)
{
	char whole[BLOCKS * JOURNAL_REC_MAX];
	size_t n = write_anew(whole, text, len), lines = len;

	for (size_t at = 0; at + SECTOR < n; at++)
		if (whole[at] == '\n' && lines++ % 8 == 0)
			lose_sector(whole, n, at);
}

static size_t
count(const char *text, size_t len)
{
	struct journal_reader r;
	struct journal_rec rec;
	enum journal_next next;
	size_t n = 0;

	journal_reader_init(&r, text, len);
	while ((next = journal_next(&r, &rec)) == JOURNAL_REC || next == JOURNAL_BAD)
		n += next == JOURNAL_REC;
	return n;
}

static void
check_room(const char *text, size_t len)
{
	char *padded = malloc(len + SECTOR);

	CHECK(padded);
	if (len)
		memcpy(padded, text, len);
	memset(padded + len, '\n', SECTOR);
	CHECK(count(padded, len + SECTOR) == count(text, len));
	free(padded);
}

static size_t
replay(struct dhcp_server *s, const char *text, size_t len, struct dhcp_clock clk)
{
	size_t blocks = journal_blocks_max(text, len), n = 0;
	struct journal_reader r;
	struct journal_rec rec;
	enum journal_next next;

	CHECK(dhcp_server_replay_begin(s, blocks) == 0);
	journal_reader_init(&r, text, len);
	while ((next = journal_next(&r, &rec)) == JOURNAL_REC || next == JOURNAL_BAD) {
		CHECK(r.good_end <= len);
		if (next == JOURNAL_BAD)
			continue;
		check_round_trip(&rec);
		dhcp_server_replay(s, &rec, clk);
		n++;
	}
	CHECK(n <= blocks);
	CHECK(r.p == r.end);
	CHECK(dhcp_server_replay_end(s, clk, &(bool){false}) >= 0);
	return n;
}

static void
check_table(const struct dhcp_server *s)
{
	const struct lease_table *t = dhcp_server_leases(s);

	for (struct lease *l = lease_each(t, NULL); l; l = lease_each(t, l)) {
		unsigned active = 0;

		CHECK(lease_find_ip(t, l->ip) == l);
		if (mac_is_zero(l->mac))
			continue;
		for (struct lease *o = lease_each_mac(t, l->mac, NULL); o;
		     o = lease_each_mac(t, l->mac, o))
			active += o->state == LEASE_ACTIVE;
		CHECK(active <= 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct hash_key key = {{9}};
	struct netconf *c = netconf_new(8);
	struct dhcp_clock clk = {{1000}, INT64_C(1379290000000)};
	struct dhcp_server *s;
	struct journal_rec rec;
	struct lease *at = NULL;
	struct dhcp_change ch;

	CHECK(c);
	c->subnet = (struct prefix4){{NET}, 16};
	c->server.h = NET + 0xfffe;
	CHECK(netconf_add_range(c, (struct ip4){NET + 1}, (struct ip4){NET + 0x7fff}, false) == 0);
	CHECK(netconf_seal(c) == 0);
	c->pool = 16; /* a small table is enough, and faster */
	s = dhcp_server_new(c, (struct mac){{2}}, &key);
	CHECK(s);
	replay(s, (const char *)data, len, clk);
	check_lost_sectors((const char *)data, len);
	check_room((const char *)data, len);
	check_table(s);
	while (dhcp_server_each_rec(s, &at, clk, &rec))
		check_round_trip(&rec);
	clk.now.ms += 3600000;
	clk.wall_ms += 3600000;
	while (dhcp_server_expire(s, clk, &ch))
		;
	check_table(s);
	dhcp_server_free(s);
	return 0;
}
