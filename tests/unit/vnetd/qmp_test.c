/* SPDX-License-Identifier: GPL-2.0-or-later
 * qmp_test.c - the dialogue with QEMU's monitor, and what its answers say of network cards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/strbuf.h"
#include "lib/util.h"
#include "vnetd/qmp.h"

/* As QEMU 7.2 writes them. */
#define GREETING                                                                                   \
	"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, "         \
	"\"package\": \"Debian 1:7.2\"}, \"capabilities\": [\"oob\"]}}"
#define CHANGED                                                                                    \
	"{\"timestamp\": {\"seconds\": 1795881134, \"microseconds\": 542251}, "                    \
	"\"event\": \"NIC_RX_FILTER_CHANGED\", \"data\": {\"name\": \"net0\", "                    \
	"\"path\": \"/machine/peripheral/net0/virtio-backend\"}}"
#define RESET                                                                                      \
	"{\"timestamp\": {\"seconds\": 1795881134, \"microseconds\": 542251}, "                    \
	"\"event\": \"RESET\", \"data\": {\"guest\": false, \"reason\": "                          \
	"\"host-qmp-system-reset\"}}"
#define GROUPS "\"01:00:5e:00:00:01\", \"33:33:00:00:00:01\""

static struct qmp_session session;
static struct qmp_filters filters;
static struct qmp_step step;

static void
say(const char *line)
{
	struct strbuf why;

	strbuf_init(&why);
	if (!qmp_input(&session, line, strlen(line), &step, &filters, &why))
		fail_msg("refused: %s", strbuf_str(&why));
	assert_int_equal(why.len, 0);
	strbuf_fini(&why);
}

static void
refuse(const char *line, const char *sentence)
{
	struct strbuf why;

	strbuf_init(&why);
	assert_false(qmp_input(&session, line, strlen(line), &step, &filters, &why));
	assert_string_equal(strbuf_str(&why), sentence);
	assert_string_equal(step.send, "");
	assert_false(step.filters);
	strbuf_fini(&why);
}

/* A card as query-rx-filter describes it. */
struct card {
	const char *name, *mac, *promisc, *vlan, *unicast, *groups;
};

static const struct card quiet = {"net0", "52:54:00:12:34:56", "false", "normal", "normal", GROUPS};
static const struct card eager = {"net0", "52:54:00:12:34:56", "true", "normal", "normal", GROUPS};

/* Says the answer to question `id`. */
static void
tell(unsigned id, const struct card *card, size_t n)
{
	struct strbuf b;

	strbuf_init(&b);
	strbuf_add(&b, "{\"return\": [");
	for (size_t i = 0; i < n; i++)
		strbuf_addf(&b,
			    "%s{\"promiscuous\": %s, \"name\": \"%s\", \"main-mac\": \"%s\", "
			    "\"unicast\": \"%s\", \"vlan\": \"%s\", \"vlan-table\": [4095, 0], "
			    "\"unicast-table\": [], \"multicast\": \"normal\", "
			    "\"multicast-overflow\": false, \"unicast-overflow\": false, "
			    "\"multicast-table\": [%s], \"broadcast-allowed\": true}",
			    i ? ", " : "", card[i].promisc, card[i].name, card[i].mac,
			    card[i].unicast, card[i].vlan, card[i].groups);
	strbuf_addf(&b, "], \"id\": %u}", id);
	say(strbuf_str(&b));
	strbuf_fini(&b);
}

static int
fresh(void **state UNUSED)
{
	memset(&session, 0, sizeof(session));
	memset(&filters, 0, sizeof(filters));
	return 0;
}

/* Up to the first question about filters. */
static void
negotiate(void)
{
	say(GREETING);
	assert_string_equal(step.send, "{\"execute\": \"qmp_capabilities\", \"id\": 1}\n");
	say("{\"return\": {}, \"id\": 1}");
	assert_string_equal(step.send, "{\"execute\": \"query-rx-filter\", \"id\": 2}\n");
	assert_int_equal(session.state, QMP_ASKING);
}

static void
a_change_is_asked_about(void **state UNUSED)
{
	negotiate();
	assert_false(step.filters);
	tell(2, &quiet, 1);
	assert_true(step.filters);
	assert_string_equal(step.send, "");
	assert_int_equal(filters.n, 1);
	assert_string_equal(filters.nic[0].name, "net0");
	assert_string_equal(MAC_STR(filters.nic[0].mac), "52:54:00:12:34:56");
	assert_false(filters.nic[0].promisc);
	assert_int_equal(filters.nic[0].multicasts, 2);
	assert_int_equal(filters.nic[0].ngroups, 2);
	assert_string_equal(MAC_STR(filters.nic[0].multicast[1]), "33:33:00:00:00:01");
	say(CHANGED);
	assert_string_equal(step.send, "{\"execute\": \"query-rx-filter\", \"id\": 3}\n");
	tell(3, &eager, 1);
	assert_true(step.filters);
	assert_true(filters.nic[0].promisc);
	assert_int_equal(session.state, QMP_IDLE);
}

/* The event comes once until the next question: one that falls between question and answer must not be
 * lost. */
static void
a_change_while_an_answer_is_under_way_is_asked_about_after_it(void **state UNUSED)
{
	negotiate();
	say(CHANGED);
	assert_string_equal(step.send, "");
	say(CHANGED);
	assert_string_equal(step.send, "");
	tell(2, &quiet, 1);
	assert_true(step.filters);
	assert_string_equal(step.send, "{\"execute\": \"query-rx-filter\", \"id\": 3}\n");
	tell(3, &eager, 1);
	assert_string_equal(step.send, "");
	assert_true(filters.nic[0].promisc);
}

static void
only_events_that_may_change_a_filter_lead_to_a_question(void **state UNUSED)
{
	negotiate();
	say("{\"return\": [], \"id\": 2}");
	assert_int_equal(filters.n, 0);
	say("{\"event\": \"RTC_CHANGE\", \"data\": {\"offset\": 0}}");
	assert_string_equal(step.send, "");
	say("");
	assert_string_equal(step.send, "");
	say(RESET);
	assert_string_equal(step.send, "{\"execute\": \"query-rx-filter\", \"id\": 3}\n");
	say("{\"return\": [], \"id\": 3}");
	say("{\"event\": \"DEVICE_DELETED\", \"data\": {\"path\": \"/machine\"}}");
	assert_string_equal(step.send, "{\"execute\": \"query-rx-filter\", \"id\": 4}\n");
	assert_false(step.filters);
}

/* What virtio-net says before a driver has spoken to it: SeaBIOS, iPXE, a machine that was reset. */
static void
a_card_without_a_driver_asks_for_nothing(void **state UNUSED)
{
	static const struct card cards[] = {
	    {"untouched", "52:54:00:00:00:01", "true", "all", "normal", ""},
	    {"driven", "52:54:00:00:00:02", "true", "normal", "normal", ""},
	    {"no-vlan-filter", "52:54:00:00:00:03", "true", "all", "normal", GROUPS},
	    {"all-unicast", "52:54:00:00:00:04", "false", "normal", "all", GROUPS},
	};

	negotiate();
	tell(2, cards, ARRAY_LEN(cards));
	assert_int_equal(filters.n, 4);
	assert_false(filters.nic[0].promisc);
	assert_true(filters.nic[1].promisc);
	assert_true(filters.nic[2].promisc);
	assert_true(filters.nic[3].promisc);
}

static void
more_than_there_is_room_for_is_left_out(void **state UNUSED)
{
	struct card many[QMP_NICS_MAX + 3];
	struct strbuf groups, name;

	strbuf_init(&groups);
	strbuf_init(&name);
	for (unsigned i = 0; i < QMP_GROUPS_MAX + 9; i++)
		strbuf_addf(&groups, "%s\"33:33:00:00:00:%02x\"", i ? "," : "", i);
	for (unsigned i = 0; i < QMP_NAME_MAX + 9; i++)
		strbuf_addc(&name, 'n');
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		many[i] = quiet;
		many[i].groups = strbuf_str(&groups);
		many[i].name = strbuf_str(&name);
	}
	negotiate();
	tell(2, many, ARRAY_LEN(many));
	assert_int_equal(filters.n, QMP_NICS_MAX);
	assert_int_equal(filters.nic[0].multicasts, QMP_GROUPS_MAX + 9);
	assert_int_equal(filters.nic[0].ngroups, QMP_GROUPS_MAX);
	assert_int_equal(strlen(filters.nic[QMP_NICS_MAX - 1].name), QMP_NAME_MAX - 1);
	strbuf_fini(&groups);
	strbuf_fini(&name);
}

static void
what_is_no_monitor_is_named(void **state UNUSED)
{
	char deep[QMP_DEPTH_MAX + 2];

	refuse("SSH-2.0-OpenSSH_9.2", "QEMU's monitor says what is not JSON (near byte 3)");
	refuse("{}", "what answers is not QEMU's monitor (QMP)");
	refuse("[1]", "QEMU's monitor says what is no JSON object");
	refuse("{\"QMP\": 7}", "what answers is not QEMU's monitor (QMP)");
	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	refuse(deep, "QEMU's monitor nests its values deeper than 32 levels");
	/* Brackets in a text nest nothing. */
	say("{\"QMP\": {\"x\": \"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}}");
}

static void
somebody_else_at_the_monitor_is_named(void **state UNUSED)
{
	negotiate();
	refuse("{\"return\": {}, \"id\": 1}",
	       "QEMU answers what was not asked: somebody else uses its monitor");
	refuse("{\"return\": []}",
	       "QEMU answers what was not asked: somebody else uses its monitor");
	refuse("{\"hello\": 1}", "QEMU's monitor says what is neither an answer nor an event");
}

static void
a_refusal_is_passed_on(void **state UNUSED)
{
	say(GREETING);
	refuse("{\"id\": 1, \"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}",
	       "QEMU refuses to talk: no");
	fresh(NULL);
	negotiate();
	refuse("{\"id\": 2, \"error\": {\"class\": \"CommandNotFound\"}}",
	       "QEMU refuses query-rx-filter: it does not say why");
}

static void
an_answer_of_another_form_is_refused(void **state UNUSED)
{
	static const char *const wrong[] = {
	    "7",
	    "{}",
	    "[7]",
	    "[{}]",
	    "[{\"name\": 7, \"main-mac\": \"52:54:00:00:00:01\", \"promiscuous\": true, "
	    "\"unicast-table\": [], \"multicast-table\": []}]",
	    "[{\"name\": \"a\", \"main-mac\": \"52:54\", \"promiscuous\": true, "
	    "\"unicast-table\": [], \"multicast-table\": []}]",
	    "[{\"name\": \"a\", \"main-mac\": \"52:54:00:00:00:01\", \"promiscuous\": 1, "
	    "\"unicast-table\": [], \"multicast-table\": []}]",
	    "[{\"name\": \"a\", \"main-mac\": \"52:54:00:00:00:01\", \"promiscuous\": true, "
	    "\"unicast-table\": 7, \"multicast-table\": []}]",
	    "[{\"name\": \"a\", \"main-mac\": \"52:54:00:00:00:01\", \"promiscuous\": true, "
	    "\"unicast-table\": [], \"multicast-table\": [\"x\"]}]",
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		char line[512];

		fresh(NULL);
		negotiate();
		snprintf(line, sizeof(line), "{\"return\": %s, \"id\": 2}", wrong[i]);
		refuse(line, "QEMU's answer to query-rx-filter has another form than expected");
	}
}

static void
a_stream_is_cut_into_lines(void **state UNUSED)
{
	struct qmp_lines l = {0};
	const char *line;
	size_t len;

	assert_null(qmp_lines_next(&l, &len));
	assert_true(qmp_lines_add(&l, "one\r\ntw", 7));
	line = qmp_lines_next(&l, &len);
	assert_non_null(line);
	assert_int_equal(len, 3);
	assert_memory_equal(line, "one", 3);
	assert_null(qmp_lines_next(&l, &len));
	assert_null(qmp_lines_next(&l, &len));
	assert_true(qmp_lines_add(&l, "", 0));
	assert_true(qmp_lines_add(&l, "o\n\n", 3));
	line = qmp_lines_next(&l, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(line, "two", 3);
	assert_non_null(qmp_lines_next(&l, &len));
	assert_int_equal(len, 0);
	assert_null(qmp_lines_next(&l, &len));
	qmp_lines_fini(&l);
}

static void
a_line_without_end_is_too_long(void **state UNUSED)
{
	static char much[65536];
	struct qmp_lines l = {0};
	const char *line;
	size_t len, n = 0;

	memset(much, 'x', sizeof(much));
	while (qmp_lines_add(&l, much, sizeof(much))) {
		assert_null(qmp_lines_next(&l, &len));
		n += sizeof(much);
	}
	assert_int_equal(n, QMP_LINE_MAX);
	qmp_lines_fini(&l);
	/* The longest that is none too long, and what follows it. */
	for (n = 0; n < QMP_LINE_MAX; n += sizeof(much))
		assert_true(qmp_lines_add(&l, much, n ? sizeof(much) : sizeof(much) - 1));
	assert_true(qmp_lines_add(&l, "\nrest", 5));
	line = qmp_lines_next(&l, &len);
	assert_non_null(line);
	assert_int_equal(len, QMP_LINE_MAX - 1);
	assert_null(qmp_lines_next(&l, &len));
	qmp_lines_fini(&l);
}

static void
the_ports_card_is_chosen(void **state UNUSED)
{
	static const struct card cards[] = {
	    {"net0", "52:54:00:00:00:01", "false", "normal", "normal", ""},
	    {"net1", "52:54:00:00:00:02", "false", "normal", "normal", ""},
	};
	const struct mac none = {0}, second = {{0x52, 0x54, 0, 0, 0, 2}},
			 stranger = {{0x52, 0x54, 0, 0, 0, 9}};
	size_t i = 7;

	assert_int_equal(qmp_choose(&filters, NULL, none, &i), QMP_CHOICE_NOBODY);
	assert_int_equal(qmp_choose(&filters, "net0", none, &i), QMP_CHOICE_NOBODY);
	negotiate();
	tell(2, cards, 1);
	/* The only one is it, whatever address its guest uses. */
	assert_int_equal(qmp_choose(&filters, NULL, none, &i), QMP_CHOICE_ONE);
	assert_int_equal(i, 0);
	assert_int_equal(qmp_choose(&filters, NULL, stranger, &i), QMP_CHOICE_ONE);
	assert_int_equal(qmp_choose(&filters, "net1", none, &i), QMP_CHOICE_UNKNOWN);
	say(CHANGED);
	tell(3, cards, 2);
	assert_int_equal(qmp_choose(&filters, NULL, none, &i), QMP_CHOICE_SEVERAL);
	assert_int_equal(qmp_choose(&filters, NULL, stranger, &i), QMP_CHOICE_SEVERAL);
	assert_int_equal(i, 0);
	assert_int_equal(qmp_choose(&filters, NULL, second, &i), QMP_CHOICE_ONE);
	assert_int_equal(i, 1);
	assert_int_equal(qmp_choose(&filters, "net0", second, &i), QMP_CHOICE_ONE);
	assert_int_equal(i, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(a_change_is_asked_about, fresh),
	    cmocka_unit_test_setup(a_change_while_an_answer_is_under_way_is_asked_about_after_it,
				   fresh),
	    cmocka_unit_test_setup(only_events_that_may_change_a_filter_lead_to_a_question, fresh),
	    cmocka_unit_test_setup(a_card_without_a_driver_asks_for_nothing, fresh),
	    cmocka_unit_test_setup(more_than_there_is_room_for_is_left_out, fresh),
	    cmocka_unit_test_setup(what_is_no_monitor_is_named, fresh),
	    cmocka_unit_test_setup(somebody_else_at_the_monitor_is_named, fresh),
	    cmocka_unit_test_setup(a_refusal_is_passed_on, fresh),
	    cmocka_unit_test_setup(an_answer_of_another_form_is_refused, fresh),
	    cmocka_unit_test_setup(a_stream_is_cut_into_lines, fresh),
	    cmocka_unit_test_setup(a_line_without_end_is_too_long, fresh),
	    cmocka_unit_test_setup(the_ports_card_is_chosen, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
