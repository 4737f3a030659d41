/* SPDX-License-Identifier: GPL-2.0-or-later
 * promisc_test.c - which marker files count, and who is granted promiscuous mode.
 */
#include "../lib/t.h"

#include "vnetd/promisc.h"

/* --- marker files --- */

static void
which_marker_files_count(void **state UNUSED)
{
	static const struct {
		struct msg_marker_row m;
		const char *why; /* NULL: it counts */
	} rows[] = {
	    {{.regular = true, .links = 1, .mode = 0100644}, NULL},
	    {{.regular = true, .links = 1, .mode = 0100600}, NULL},
	    {{.regular = true, .links = 1, .mode = 0100000}, NULL},
	    {{.regular = true, .links = 1, .mode = 0104755}, NULL},
	    {{.net = MSG_NET_ALL, .regular = true, .links = 1, .mode = 0100644}, NULL},
	    {{.regular = false, .links = 1, .mode = 0120777},
	     "it is a symbolic link, not a regular file"},
	    {{.regular = false, .links = 2, .mode = 040755}, "it is a folder, not a regular file"},
	    {{.linked = true, .regular = true, .links = 1, .mode = 0100644},
	     "its folder is a symbolic link"},
	    {{.regular = true, .links = 2, .mode = 0100644}, "it has 2 names (hard links)"},
	    {{.regular = true, .links = 0, .mode = 0100644}, "it has 0 names (hard links)"},
	    {{.regular = true, .links = 1, .uid = 1000, .mode = 0100600},
	     "it belongs to uid 1000, not to root"},
	    {{.regular = true, .links = 1, .uid = UINT32_MAX, .mode = 0100600},
	     "it belongs to uid 4294967295, not to root"},
	    {{.regular = true, .links = 1, .mode = 0100664},
	     "others than root may write to it (mode 0664)"},
	    {{.regular = true, .links = 1, .mode = 0100646},
	     "others than root may write to it (mode 0646)"},
	    {{.regular = true, .links = 1, .mode = 0100020},
	     "others than root may write to it (mode 0020)"},
	    {{.regular = true, .links = 1, .mode = 0100002},
	     "others than root may write to it (mode 0002)"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char why[PROMISC_WHY_MAX] = "left over";

		assert_int_equal(marker_counts(why, &rows[i].m), rows[i].why == NULL);
		assert_string_equal(why, rows[i].why ? rows[i].why : "");
	}
}

/* --- the decision --- */

enum {
	NONE = -1,
	ASK = CONF_PROMISC_ASK,
	ALLOW = CONF_PROMISC_ALLOW,
	DENY = CONF_PROMISC_DENY,
};

#define NOW 1000

struct row {
	enum promisc_by by;
	enum promisc_word word;
	uint64_t until_s;
	int port, net;
	bool marker;
	enum promisc_state state;
};

static struct promisc_answer
judge(const struct row *r, bool milder)
{
	const struct promisc p = {.by = r->by, .word = r->word, .until_s = r->until_s};
	const struct promisc_case c = {.port = &p,
				       .port_key = r->port,
				       .net_key = r->net,
				       .milder = milder,
				       .marker = r->marker ? "promiscAuthorized" : "",
				       .now_s = NOW};

	return promisc_judge(&c);
}

static void
expect(const struct row *rows, size_t n, bool milder)
{
	for (size_t i = 0; i < n; i++) {
		struct promisc_answer a = judge(&rows[i], milder);

		if (a.state != rows[i].state)
			fail_msg("row %zu: %s, not %s (%s)", i, promisc_state_name(a.state),
				 promisc_state_name(rows[i].state), a.why);
		assert_non_null(a.why);
		assert_true(a.why[0]);
		assert_int_equal(a.state == PROMISC_NO, a.by == PROMISC_BY_NOBODY);
		if (a.by_marker)
			assert_true(rows[i].marker && a.state == PROMISC_GRANTED);
		if (a.until_s)
			assert_int_equal(a.state, PROMISC_GRANTED);
	}
}

#define NOBODY PROMISC_BY_NOBODY
#define GUEST  PROMISC_BY_GUEST
#define USER   PROMISC_BY_USER

/* An answer alone makes nobody promiscuous: it has to be asked for, or said of this very port. */
static void
nobody_gets_it_without_asking(void **state UNUSED)
{
	static const struct row rows[] = {
	    {NOBODY, WORD_NONE, 0, NONE, NONE, false, PROMISC_NO},
	    {NOBODY, WORD_NONE, 0, NONE, NONE, true, PROMISC_NO},
	    {NOBODY, WORD_NONE, 0, NONE, ALLOW, true, PROMISC_NO},
	    {NOBODY, WORD_NONE, 0, NONE, DENY, false, PROMISC_NO},
	    {NOBODY, WORD_NONE, 0, ASK, ALLOW, true, PROMISC_NO},
	    {NOBODY, WORD_NONE, 0, DENY, ALLOW, true, PROMISC_NO},
	    {NOBODY, WORD_DENY, 0, NONE, ALLOW, true, PROMISC_NO},
	    {NOBODY, WORD_FOR, NOW, NONE, ALLOW, true, PROMISC_NO}, /* over */
	    /* of this very port */
	    {NOBODY, WORD_NONE, 0, ALLOW, DENY, false, PROMISC_GRANTED},
	    {NOBODY, WORD_ONCE, 0, NONE, DENY, false, PROMISC_GRANTED},
	    {NOBODY, WORD_FOR, NOW + 1, NONE, DENY, false, PROMISC_GRANTED},
	};

	expect(rows, ARRAY_LEN(rows), false);
}

/* The port's key, then the word, then the network's key, then the marker. */
static void
the_nearer_answer_counts(void **state UNUSED)
{
	static const struct row rows[] = {
	    /* nothing but the marker */
	    {GUEST, WORD_NONE, 0, NONE, NONE, false, PROMISC_PENDING},
	    {GUEST, WORD_NONE, 0, NONE, NONE, true, PROMISC_GRANTED},
	    {GUEST, WORD_NONE, 0, NONE, ASK, false, PROMISC_PENDING},
	    {GUEST, WORD_NONE, 0, NONE, ASK, true, PROMISC_GRANTED},
	    {GUEST, WORD_NONE, 0, ASK, ASK, false, PROMISC_PENDING},
	    {GUEST, WORD_NONE, 0, ASK, NONE, true, PROMISC_GRANTED},
	    /* the network's key before it */
	    {GUEST, WORD_NONE, 0, NONE, ALLOW, false, PROMISC_GRANTED},
	    {GUEST, WORD_NONE, 0, NONE, DENY, true, PROMISC_REFUSED},
	    /* a word before both */
	    {GUEST, WORD_DENY, 0, NONE, ALLOW, true, PROMISC_REFUSED},
	    {GUEST, WORD_DENY, 0, NONE, NONE, true, PROMISC_REFUSED},
	    {GUEST, WORD_ONCE, 0, NONE, DENY, false, PROMISC_GRANTED},
	    {GUEST, WORD_FOR, NOW + 1, NONE, DENY, false, PROMISC_GRANTED},
	    {GUEST, WORD_FOR, UINT64_MAX, NONE, DENY, false, PROMISC_GRANTED},
	    /* one that is over */
	    {GUEST, WORD_FOR, NOW, NONE, NONE, false, PROMISC_PENDING},
	    {GUEST, WORD_FOR, NOW, NONE, NONE, true, PROMISC_GRANTED},
	    {GUEST, WORD_FOR, 0, NONE, DENY, true, PROMISC_REFUSED},
	    {GUEST, WORD_FOR, NOW - 1, NONE, ALLOW, false, PROMISC_GRANTED},
	    /* the port's key before all */
	    {GUEST, WORD_NONE, 0, DENY, ALLOW, true, PROMISC_REFUSED},
	    {GUEST, WORD_ONCE, 0, DENY, ALLOW, true, PROMISC_REFUSED},
	    {GUEST, WORD_FOR, NOW + 1, DENY, ALLOW, true, PROMISC_REFUSED},
	    {NOBODY, WORD_ONCE, 0, DENY, ALLOW, true, PROMISC_REFUSED},
	    {GUEST, WORD_DENY, 0, ALLOW, DENY, false, PROMISC_GRANTED},
	    {GUEST, WORD_NONE, 0, ALLOW, DENY, false, PROMISC_GRANTED},
	    /* its "ask" says nothing more than the network does not: both may answer */
	    {GUEST, WORD_ONCE, 0, ASK, DENY, false, PROMISC_GRANTED},
	    {GUEST, WORD_DENY, 0, ASK, ALLOW, true, PROMISC_REFUSED},
	    /* a user's request is worth as much */
	    {USER, WORD_NONE, 0, NONE, NONE, false, PROMISC_PENDING},
	    {USER, WORD_NONE, 0, NONE, NONE, true, PROMISC_GRANTED},
	    {USER, WORD_NONE, 0, NONE, DENY, true, PROMISC_REFUSED},
	    {USER, WORD_FOR, NOW, NONE, NONE, false, PROMISC_PENDING},
	};

	expect(rows, ARRAY_LEN(rows), false);
}

/* With mac-learning a port asks by configuration, and needs the same answers. */
static void
mac_learning_asks_and_is_not_granted_by_itself(void **state UNUSED)
{
	static const struct row rows[] = {
	    {NOBODY, WORD_NONE, 0, NONE, NONE, false, PROMISC_PENDING},
	    {NOBODY, WORD_NONE, 0, NONE, NONE, true, PROMISC_GRANTED},
	    {NOBODY, WORD_NONE, 0, NONE, ALLOW, false, PROMISC_GRANTED},
	    {NOBODY, WORD_NONE, 0, NONE, DENY, true, PROMISC_REFUSED},
	    {NOBODY, WORD_NONE, 0, DENY, ALLOW, true, PROMISC_REFUSED},
	    {NOBODY, WORD_NONE, 0, ALLOW, DENY, false, PROMISC_GRANTED},
	    {NOBODY, WORD_ONCE, 0, NONE, NONE, false, PROMISC_GRANTED},
	    {NOBODY, WORD_DENY, 0, NONE, ALLOW, true, PROMISC_REFUSED},
	    {NOBODY, WORD_FOR, NOW, NONE, NONE, false, PROMISC_PENDING},
	};

	expect(rows, ARRAY_LEN(rows), true);
	assert_int_equal(judge(&rows[0], true).by, PROMISC_BY_CONFIG);
}

static void
who_asked_and_until_when(void **state UNUSED)
{
	static const struct {
		struct row r;
		bool milder;
		enum promisc_by by;
		uint64_t until_s;
		bool by_marker;
	} rows[] = {
	    {{GUEST, WORD_NONE, 0, ALLOW, NONE, true, 0}, true, PROMISC_BY_GUEST, 0, false},
	    {{USER, WORD_NONE, 0, NONE, NONE, true, 0}, false, PROMISC_BY_USER, 0, true},
	    {{NOBODY, WORD_NONE, 0, ALLOW, NONE, true, 0}, false, PROMISC_BY_CONFIG, 0, false},
	    {{NOBODY, WORD_NONE, 0, NONE, NONE, true, 0}, true, PROMISC_BY_CONFIG, 0, true},
	    {{NOBODY, WORD_ONCE, 0, NONE, NONE, true, 0}, false, PROMISC_BY_USER, 0, false},
	    {{NOBODY, WORD_ONCE, 0, NONE, NONE, false, 0}, true, PROMISC_BY_CONFIG, 0, false},
	    {{GUEST, WORD_FOR, NOW + 60, NONE, NONE, true, 0}, false, GUEST, NOW + 60, false},
	    {{GUEST, WORD_FOR, NOW + 60, ALLOW, NONE, true, 0}, false, GUEST, 0, false},
	    {{GUEST, WORD_FOR, NOW, NONE, NONE, true, 0}, false, GUEST, 0, true},
	    {{GUEST, WORD_NONE, 0, NONE, ALLOW, true, 0}, false, GUEST, 0, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct promisc_answer a = judge(&rows[i].r, rows[i].milder);

		assert_int_equal(a.state, PROMISC_GRANTED);
		if (a.by != rows[i].by || a.until_s != rows[i].until_s ||
		    a.by_marker != rows[i].by_marker)
			fail_msg("row %zu: by %s until %llu marker %d", i, promisc_by_name(a.by),
				 (unsigned long long)a.until_s, a.by_marker);
	}
}

/* --- what is kept with the port --- */

static void
comes_back(const struct promisc *p)
{
	uint8_t memo[GATE_MEMO_MAX];
	size_t len = promisc_pack(memo, p);
	struct promisc back;

	assert_in_range(len, 1, GATE_MEMO_MAX);
	assert_true(promisc_unpack(&back, memo, len));
	assert_int_equal(back.by, p->by);
	assert_int_equal(back.word, p->word);
	assert_true(back.asked_s == p->asked_s);
	assert_true(back.until_s == p->until_s);
	assert_int_equal(back.blocked, p->blocked);
	assert_int_equal(back.unpinned, p->unpinned);
}

static void
a_record_comes_back_as_it_was(void **state UNUSED)
{
	for (unsigned by = 0; by < PROMISC_BY_N; by++)
		for (unsigned word = 0; word < PROMISC_WORD_N; word++)
			for (unsigned bits = 0; bits < 4; bits++)
				comes_back(&(struct promisc){.by = (enum promisc_by)by,
							     .word = (enum promisc_word)word,
							     .asked_s = 0x0102030405060708 + by,
							     .until_s = UINT64_MAX - word,
							     .blocked = bits & 1,
							     .unpinned = bits & 2});
}

static void
is_refused(const uint8_t *memo, size_t len)
{
	uint8_t *exact = t_exact(memo, len);
	struct promisc p;

	memset(&p, 0xff, sizeof(p));
	assert_false(promisc_unpack(&p, exact, len));
	free(exact);
	/* What is not ours asks for nothing and allows nothing. */
	assert_int_equal(p.by, PROMISC_BY_NOBODY);
	assert_int_equal(p.word, WORD_NONE);
	assert_true(p.asked_s == 0 && p.until_s == 0);
	assert_false(p.blocked || p.unpinned);
}

static void
other_bytes_are_no_record(void **state UNUSED)
{
	const struct promisc p = {.by = PROMISC_BY_GUEST, .word = WORD_ONCE, .asked_s = 1};
	uint8_t memo[GATE_MEMO_MAX], bad[GATE_MEMO_MAX];
	size_t len = promisc_pack(memo, &p);
	/* version, by, word, blocked, unpinned: the least that is out of range */
	const uint8_t beyond[] = {memo[0] + 1, PROMISC_BY_N, PROMISC_WORD_N, 2, 2};
	struct promisc back;

	for (size_t short_len = 0; short_len < len; short_len++)
		is_refused(memo, short_len);
	for (size_t i = 0; i < ARRAY_LEN(beyond); i++) {
		memcpy(bad, memo, len);
		bad[i] = beyond[i];
		is_refused(bad, len);
		bad[i] = 0xff;
		is_refused(bad, len);
	}
	memset(bad, 0, sizeof(bad));
	is_refused(bad, len);
	is_refused(bad, sizeof(bad));
	/* The kernel's entry is longer than the record: zeros behind it. */
	memcpy(bad, memo, len);
	assert_true(promisc_unpack(&back, bad, sizeof(bad)));
	assert_int_equal(back.by, PROMISC_BY_GUEST);
	assert_int_equal(back.word, WORD_ONCE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(which_marker_files_count),
	    cmocka_unit_test(nobody_gets_it_without_asking),
	    cmocka_unit_test(the_nearer_answer_counts),
	    cmocka_unit_test(mac_learning_asks_and_is_not_granted_by_itself),
	    cmocka_unit_test(who_asked_and_until_when),
	    cmocka_unit_test(a_record_comes_back_as_it_was),
	    cmocka_unit_test(other_bytes_are_no_record),
	};

	return T_RUN(tests);
}
