/* SPDX-License-Identifier: GPL-2.0-or-later
 * journal_test.c - the lease file: golden text, round trip, foreign files, damage and torn ends.
 */
#include "../lib/t.h"

#include <stdio.h>
#include <time.h>

#include "dhcpd/journal.h"

static const struct journal_rec precise = {
    .ip = {0xc0a87e81},
    .starts = 1379289531, /* 2013-09-15 23:58:51 */
    .ends = 1379291331,
    .mac = {{0x00, 0x0c, 0x29, 0x59, 0x91, 0x02}},
    .uid_len = 7,
    .uid = {1, 0x00, 0x0c, 0x29, 0x59, 0x91, 0x02},
    .hostname = "precise64",
};

static const char precise_text[] = "lease 192.168.126.129 {\n"
				   "\tstarts 0 2013/09/15 23:58:51;\n"
				   "\tends 1 2013/09/16 00:28:51;\n"
				   "\thardware ethernet 00:0c:29:59:91:02;\n"
				   "\tuid 01:00:0c:29:59:91:02;\n"
				   "\tclient-hostname \"precise64\";\n"
				   "}\n";

static size_t
encode(char *buf, const struct journal_rec *r)
{
	size_t n = journal_encode(buf, JOURNAL_REC_MAX, r);

	assert_true(n > 0 && n < JOURNAL_REC_MAX);
	buf[n] = '\0';
	return n;
}

static void
assert_rec_equal(const struct journal_rec *a, const struct journal_rec *b)
{
	assert_int_equal(a->ip.h, b->ip.h);
	assert_int_equal(a->starts, b->starts);
	assert_int_equal(a->ends, b->ends);
	assert_int_equal(a->abandoned, b->abandoned);
	assert_memory_equal(a->mac.b, b->mac.b, 6);
	assert_int_equal(a->uid_len, b->uid_len);
	assert_memory_equal(a->uid, b->uid, a->uid_len);
	assert_string_equal(a->hostname, b->hostname);
}

/* The only item of a text. */
static enum journal_next
read_one(const char *text, struct journal_rec *rec)
{
	struct journal_reader r;

	journal_reader_init(&r, text, strlen(text));
	return journal_next(&r, rec);
}

static void
vmware_block_is_written_exactly(void **state UNUSED)
{
	char buf[JOURNAL_REC_MAX + 1];

	encode(buf, &precise);
	assert_string_equal(buf, precise_text);
}

static void
vmware_block_is_read(void **state UNUSED)
{
	struct journal_rec rec;

	assert_int_equal(read_one(precise_text, &rec), JOURNAL_REC);
	assert_rec_equal(&rec, &precise);
}

static void
optional_statements_are_left_out(void **state UNUSED)
{
	struct journal_rec rec = precise, back;
	char buf[JOURNAL_REC_MAX + 1];

	rec.uid_len = 0;
	rec.hostname[0] = '\0';
	encode(buf, &rec);
	assert_null(strstr(buf, "uid"));
	assert_null(strstr(buf, "client-hostname"));
	assert_int_equal(read_one(buf, &back), JOURNAL_REC);
	assert_rec_equal(&back, &rec);
}

static void
abandoned_block_has_no_hardware(void **state UNUSED)
{
	struct journal_rec rec = precise, back;
	char buf[JOURNAL_REC_MAX + 1];

	rec.abandoned = true;
	encode(buf, &rec);
	assert_non_null(strstr(buf, "\tabandoned;\n"));
	assert_null(strstr(buf, "hardware"));
	assert_int_equal(read_one(buf, &back), JOURNAL_REC);
	assert_true(back.abandoned);
	assert_true(mac_is_zero(back.mac));
	assert_int_equal(back.ends, rec.ends);
}

static void
longest_block_fits(void **state UNUSED)
{
	struct journal_rec rec = precise, back;
	char buf[JOURNAL_REC_MAX + 1];

	rec.ip.h = UINT32_MAX;
	rec.uid_len = LEASE_UID_MAX;
	memset(rec.uid, 0xff, sizeof(rec.uid));
	memset(rec.hostname, 'h', DHCP_HOSTNAME_MAX);
	encode(buf, &rec);
	assert_int_equal(read_one(buf, &back), JOURNAL_REC);
	assert_rec_equal(&back, &rec);
	assert_int_equal(journal_encode(buf, 40, &rec), 0);
}

/* Every day of four centuries and some, against libc. */
static void
dates_agree_with_libc(void **state UNUSED)
{
	struct journal_rec rec = precise, back;
	char buf[JOURNAL_REC_MAX + 1], want[64];

	for (int64_t day = 0; day < 146097; day += 13) {
		time_t t = (time_t)(day * 86400 + day * 7919 % 86400);
		struct tm tm;

		gmtime_r(&t, &tm);
		rec.starts = rec.ends = t;
		encode(buf, &rec);
		snprintf(want, sizeof(want), "\tends %d %04d/%02d/%02d %02d:%02d:%02d;\n",
			 tm.tm_wday, tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
			 tm.tm_min, tm.tm_sec);
		assert_non_null(strstr(buf, want));
		assert_int_equal(read_one(buf, &back), JOURNAL_REC);
		assert_int_equal(back.ends, t);
	}
}

static void
times_beyond_the_format_are_clamped(void **state UNUSED)
{
	struct journal_rec rec = precise, back;
	char buf[JOURNAL_REC_MAX + 1];

	rec.starts = -5;
	rec.ends = INT64_MAX - 1;
	encode(buf, &rec);
	assert_non_null(strstr(buf, "\tstarts 4 1970/01/01 00:00:00;\n"));
	assert_non_null(strstr(buf, "\tends 5 9999/12/31 23:59:59;\n"));
	rec.ends = JOURNAL_NEVER;
	encode(buf, &rec);
	assert_non_null(strstr(buf, "\tends never;\n"));
	assert_int_equal(read_one(buf, &back), JOURNAL_REC);
	assert_int_equal(back.ends, JOURNAL_NEVER);
}

/* What ISC's and VMware's servers and editors leave in such files. */
static void
foreign_forms_are_read(void **state UNUSED)
{
	static const char *const texts[] = {
	    "lease 1.2.3.4{starts 0 2013/09/15 23:58:51;ends never;hardware ethernet "
	    "0:C:29:1:2:3;}",
	    "  lease 1.2.3.4\r\n{\r\n  starts 0 2013/09/15 23:58:51; # c\r\n  ends 1 2013/09/16 "
	    "00:28:51;\r\n  hardware ethernet 00:0C:29:01:02:03;\r\n}\r\n",
	    "lease 1.2.3.4 {\n\tbinding state active;\n\tset x = \"y\";\n\toption host-name "
	    "\"{;}\";\n"
	    "\tstarts 0 2013/09/15 23:58:51;\n\tends 1 2013/09/16 00:28:51;\n"
	    "\thardware ethernet 00:0c:29:01:02:03;\n\tuid \"\\001\\000\\014\";\n}\n",
	};
	struct journal_rec rec;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(read_one(texts[i], &rec), JOURNAL_REC);
		assert_int_equal(rec.ip.h, 0x01020304);
		assert_int_equal(rec.starts, 1379289531);
		assert_memory_equal(rec.mac.b, "\x00\x0c\x29\x01\x02\x03", 6);
		assert_int_equal(rec.uid_len, 0);
	}
}

static void
host_names_from_files_are_sanitised(void **state UNUSED)
{
	struct journal_rec rec;

	assert_int_equal(
	    read_one("lease 1.2.3.4 {\n\tstarts 0 2013/09/15 23:58:51;\n\tends never;\n"
		     "\thardware ethernet 00:0c:29:01:02:03;\n"
		     "\tclient-hostname \"a b{;#\";\n}\n",
		     &rec),
	    JOURNAL_REC);
	assert_string_equal(rec.hostname, "a-b");
}

static void
long_client_id_is_dropped_not_the_lease(void **state UNUSED)
{
	char text[2048];
	struct journal_rec rec;
	size_t n;

	n = (size_t)snprintf(text, sizeof(text),
			     "lease 1.2.3.4 {\n\tstarts 0 2013/09/15 23:58:51;\n\tends never;\n"
			     "\thardware ethernet 00:0c:29:01:02:03;\n\tuid 00");
	for (int i = 0; i < 254; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, ":%02x", i);
	snprintf(text + n, sizeof(text) - n, ";\n}\n");
	assert_int_equal(read_one(text, &rec), JOURNAL_REC);
	assert_int_equal(rec.uid_len, 0);
}

static void
damaged_blocks_are_skipped(void **state UNUSED)
{
	static const char *const bad[] = {
	    "lease 1.2.3 {\n}\n",
	    "lease 1.2.3.4 {\n\tstarts 0 2013/13/15 23:58:51;\n}\n",
	    "lease 1.2.3.4 {\n\tstarts 0 2013/02/30 23:58:51;\n}\n",
	    "lease 1.2.3.4 {\n\tstarts 0 2013/09/15 24:58:51;\n}\n",
	    "lease 1.2.3.4 {\n\tstarts 7 2013/09/15 23:58:51;\n}\n",
	    "lease 1.2.3.4 {\n\tstarts 0 13/09/15 23:58:51;\n}\n",
	    "lease 1.2.3.4 {\n\tstarts never;\n\tends never;\n\thardware ethernet 0:1:2:3:4:5;}\n",
	    "lease 1.2.3.4 {\n\tends never;\n\thardware ethernet 0:1:2:3:4:5;\n}\n",
	    "lease 1.2.3.4 {\n\tstarts 0 2013/09/15 23:58:51;\n\tends never;\n}\n",
	    "lease 1.2.3.4 {\n\thardware ethernet 00:00:00:00:00:00;\n}\n",
	    "lease 1.2.3.4 {\n\thardware ethernet 01:00:00:00:00:00;\n}\n",
	    "lease 1.2.3.4 {\n\thardware ethernet xx;\n}\n",
	    "lease 1.2.3.4 {\n\tclient-hostname \"abc\n;\n}\n",
	    "lease 1.2.3.4 ;\n",
	    "garbage\n",
	    "}\n",
	    "\001\002\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char text[1024];
		struct journal_reader r;
		struct journal_rec rec;
		int n = snprintf(text, sizeof(text), "# head\n%s%s", bad[i], precise_text);

		journal_reader_init(&r, text, (size_t)n);
		assert_int_equal(journal_next(&r, &rec), JOURNAL_BAD);
		assert_int_equal(r.line, 2);
		assert_int_equal(journal_next(&r, &rec), JOURNAL_REC);
		assert_rec_equal(&rec, &precise);
		assert_int_equal(journal_next(&r, &rec), JOURNAL_END);
		assert_int_equal(r.good_end, n);
	}
}

/* Cut after every byte: whole blocks are read, the rest is torn, never anything else. */
static void
torn_end_loses_only_itself(void **state UNUSED)
{
	char text[2 * sizeof(precise_text)];
	size_t one = strlen(precise_text), len = 2 * one;

	snprintf(text, sizeof(text), "%s%s", precise_text, precise_text);
	for (size_t cut = 0; cut <= len; cut++) {
		char *exact = t_exact(text, cut);
		struct journal_reader r;
		struct journal_rec rec;
		enum journal_next last;
		unsigned n = 0;

		journal_reader_init(&r, exact, cut);
		while ((last = journal_next(&r, &rec)) == JOURNAL_REC) {
			assert_rec_equal(&rec, &precise);
			n++;
		}
		/* A block counts from its brace on, with or without the newline behind it. */
		assert_int_equal(n, (cut >= one - 1) + (cut >= len - 1));
		assert_int_equal(r.good_end, (cut >= one ? one : 0) + (cut >= len ? one : 0));
		if (cut == 0 || cut == one || cut == one - 1 || cut >= len - 1)
			assert_int_equal(last, JOURNAL_END);
		else
			assert_int_equal(last, JOURNAL_TORN);
		free(exact);
	}
}

/* Some file systems leave zeros where data was not written before the power went. */
static void
zeros_at_the_end_are_damage(void **state UNUSED)
{
	char text[sizeof(precise_text) + 100] = {0};
	struct journal_reader r;
	struct journal_rec rec;

	memcpy(text, precise_text, strlen(precise_text));
	journal_reader_init(&r, text, sizeof(text));
	assert_int_equal(journal_next(&r, &rec), JOURNAL_REC);
	assert_int_equal(journal_next(&r, &rec), JOURNAL_BAD);
	assert_int_equal(journal_next(&r, &rec), JOURNAL_END);
	assert_int_equal(r.good_end, strlen(precise_text));
}

/* A block whose sync had failed, and that the disk never saw, before one that it did: wherever the zeros begin,
 * the lease behind them is not lost. */
static void
lease_behind_zeros_is_found(void **state UNUSED)
{
	static const char before[] = "# head\nlease 10.0.0.1 {\n\tstarts 0 2013/09/15 23:58:51;\n"
				     "\tends never;\n\thardware ethernet 0:1:2:3:4:5;\n"
				     "\tclient-hostname \"abc\";\n}\n";

	for (size_t cut = 1; cut < sizeof(before) - 1; cut++) {
		char text[2048] = {0};
		struct journal_reader r;
		struct journal_rec rec;
		enum journal_next next;

		memcpy(text, before, cut);
		strcpy(text + sizeof(before) - 1, precise_text);
		journal_reader_init(&r, text, sizeof(before) - 1 + strlen(precise_text));
		while ((next = journal_next(&r, &rec)) == JOURNAL_BAD)
			;
		assert_int_equal(next, JOURNAL_REC);
		if (ip4_eq(rec.ip, (struct ip4){0x0a000001})) /* only its newline was lost */
			while ((next = journal_next(&r, &rec)) == JOURNAL_BAD)
				;
		assert_int_equal(next, JOURNAL_REC);
		assert_rec_equal(&rec, &precise);
		assert_int_equal(journal_next(&r, &rec), JOURNAL_END);
	}
}

/* Blocks as different guests have them; `n` may be any. */
static struct journal_rec
guest_rec(unsigned n)
{
	struct journal_rec rec = precise;

	rec.ip.h += n;
	rec.mac.b[5] = (uint8_t)n;
	rec.starts += n;
	rec.uid_len = n % 3 ? 0 : 7;
	snprintf(rec.hostname, sizeof(rec.hostname), "%.*s", (int)(n % 5 * 3), "abcdefghijklmn");
	return rec;
}

enum { SECTOR = 512, GROUP = 16 };

/* Wherever sectors of a group of blocks begin: what is left of it are blocks that were written so. */
static void
lost_sector_mixes_no_leases(void **state UNUSED)
{
	char text[GROUP * JOURNAL_REC_MAX];
	size_t len = 0;
	unsigned whole = 0;

	for (unsigned i = 0; i < GROUP; i++) {
		struct journal_rec rec = guest_rec(i);

		len += journal_encode(text + len, JOURNAL_REC_MAX, &rec);
	}
	for (size_t at = 0; at + SECTOR < len; at++) {
		char *torn = t_exact(text, len);
		struct journal_reader r;
		struct journal_rec rec;
		enum journal_next next;

		memset(torn + at, '\n', SECTOR);
		journal_reader_init(&r, torn, len);
		while ((next = journal_next(&r, &rec)) == JOURNAL_REC || next == JOURNAL_BAD) {
			struct journal_rec want = guest_rec(rec.ip.h - precise.ip.h);

			if (next == JOURNAL_REC)
				assert_rec_equal(&rec, &want);
			whole += next == JOURNAL_REC;
		}
		free(torn);
	}
	assert_true(whole > (len - SECTOR) * (GROUP - 6));
}

static void
blank_lines_in_a_block_are_few(void **state UNUSED)
{
	static const char head[] =
	    "lease 1.2.3.4 {\n\tstarts 0 2013/09/15 23:58:51;\n\tends never;";
	static const char tail[] = "\thardware ethernet 00:0c:29:01:02:03;\n}\n";

	for (unsigned n = 1; n < 600; n++) {
		char text[1024];
		struct journal_reader r;
		struct journal_rec rec;

		memset(text, '\n', sizeof(text));
		memcpy(text, head, sizeof(head) - 1);
		memcpy(text + sizeof(head) - 1 + n, tail, sizeof(tail));
		journal_reader_init(&r, text, sizeof(head) - 1 + n + sizeof(tail) - 1);
		assert_int_equal(journal_next(&r, &rec), n < 64 ? JOURNAL_REC : JOURNAL_BAD);
		assert_int_equal(journal_next(&r, &rec), JOURNAL_END);
	}
}

/* Between blocks and at the end; there they are no trace of anything. */
static void
blank_lines_outside_of_blocks_are_many(void **state UNUSED)
{
	char text[4096];
	struct journal_reader r;
	struct journal_rec rec;
	size_t one = strlen(precise_text), at = 1000;

	memset(text, '\n', sizeof(text));
	memcpy(text, precise_text, one);
	memcpy(text + at, precise_text, one);
	journal_reader_init(&r, text, sizeof(text));
	assert_int_equal(journal_next(&r, &rec), JOURNAL_REC);
	assert_int_equal(r.good_end, one);
	assert_int_equal(journal_next(&r, &rec), JOURNAL_REC);
	assert_int_equal(r.good_end, at + one);
	assert_int_equal(journal_next(&r, &rec), JOURNAL_END);
	assert_true(journal_is_room(text + at + one, sizeof(text) - at - one));
	assert_true(journal_is_room(text, 0));
	assert_false(journal_is_room(text + one, sizeof(text) - one));
	assert_false(journal_is_room("\n\n\0", 3));
}

/* Of the write that made the file longer, or into its room, only the beginning is there. */
static void
torn_block_before_room_is_torn(void **state UNUSED)
{
	size_t one = strlen(precise_text);

	for (size_t cut = 1; cut < one - 2; cut++) {
		char text[2048];
		struct journal_reader r;
		struct journal_rec rec;

		memset(text, '\n', sizeof(text));
		memcpy(text, precise_text, one);
		memcpy(text + one, precise_text, cut);
		journal_reader_init(&r, text, sizeof(text));
		assert_int_equal(journal_next(&r, &rec), JOURNAL_REC);
		assert_int_equal(journal_next(&r, &rec), JOURNAL_TORN);
		assert_int_equal(r.good_end, one);
	}
}

static void
header_is_a_comment(void **state UNUSED)
{
	struct journal_reader r;
	struct journal_rec rec;

	journal_reader_init(&r, journal_header, strlen(journal_header));
	assert_int_equal(journal_next(&r, &rec), JOURNAL_END);
}

static void
small_files_are_rewritten_sooner(void **state UNUSED)
{
	assert_false(journal_wants_rewrite(1000, 10, 10));
	assert_true(journal_wants_rewrite(1000, 11, 10));
	assert_false(journal_wants_rewrite(1 << 20, 1001, 1000));
	assert_true(journal_wants_rewrite(1 << 20, 2001, 1000));
	assert_false(journal_wants_rewrite(1 << 20, 10, 11));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vmware_block_is_written_exactly),
	    cmocka_unit_test(vmware_block_is_read),
	    cmocka_unit_test(optional_statements_are_left_out),
	    cmocka_unit_test(abandoned_block_has_no_hardware),
	    cmocka_unit_test(longest_block_fits),
	    cmocka_unit_test(dates_agree_with_libc),
	    cmocka_unit_test(times_beyond_the_format_are_clamped),
	    cmocka_unit_test(foreign_forms_are_read),
	    cmocka_unit_test(host_names_from_files_are_sanitised),
	    cmocka_unit_test(long_client_id_is_dropped_not_the_lease),
	    cmocka_unit_test(damaged_blocks_are_skipped),
	    cmocka_unit_test(torn_end_loses_only_itself),
	    cmocka_unit_test(zeros_at_the_end_are_damage),
	    cmocka_unit_test(lease_behind_zeros_is_found),
	    cmocka_unit_test(lost_sector_mixes_no_leases),
	    cmocka_unit_test(blank_lines_in_a_block_are_few),
	    cmocka_unit_test(blank_lines_outside_of_blocks_are_many),
	    cmocka_unit_test(torn_block_before_room_is_torn),
	    cmocka_unit_test(header_is_a_comment),
	    cmocka_unit_test(small_files_are_rewritten_sooner),
	};

	return T_RUN(tests);
}
