/* SPDX-License-Identifier: GPL-2.0-or-later
 * watch_test.c - `vnetctl watch` and what `vnetctl attach` makes of it, between a stand-in for QEMU and one
 * for vnetd.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_qemu.h"
#include "fake_vnetd.h"
#include "lib/util.h"
#include "tool_run.h"

/* What the sample says of the port vmnet8p1. */
#define PORT     "vmnet8p1"
#define PORT_MAC "52:54:00:12:34:56"
#define OTHER    "52:54:00:00:00:02"

static const struct qemu_card quiet = {"net0", PORT_MAC, .groups = 2},
			      eager = {"net0", PORT_MAC, .promisc = true, .groups = 2};

static struct fake vnetd;
static struct tool t;
static char sock[128];
static int listener = -1;
static pid_t machine;

/* In the child the dialogue is played. */
#define MACHINE() ((machine = fork()) == 0)

#define WATCH(...) TOOL(&t, "vnetctl", "--run-dir", vnetd.dir, "watch", "--qmp", sock, __VA_ARGS__)

/* For the machine: waits until vnetd was told so often. */
static void
await_reports(unsigned n)
{
	char reports[65536];

	for (unsigned i = 0; i < 1000; i++) {
		unsigned lines = 0;

		fake_reports(&vnetd, reports, sizeof(reports));
		for (const char *p = reports; (p = strchr(p, '\n')); p++)
			lines++;
		if (lines >= n)
			return;
		usleep(10000);
	}
	_exit(2);
}

static int
start(void **state UNUSED)
{
	/* Orphans come to us, so that their end is seen. Those of the last test are dead or about to be. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	while (waitpid(-1, NULL, 0) > 0)
		;
	fake_start(&vnetd, FAKE_ANSWERS);
	snprintf(sock, sizeof(sock), "%s/vnet-qmp", vnetd.dir);
	listener = qemu_listen(sock);
	assert_true(listener >= 0);
	return 0;
}

static int
stop(void **state UNUSED)
{
	if (listener >= 0)
		close(listener);
	unlink(sock);
	fake_stop(&vnetd);
	return 0;
}

/* The dialogue went as it is written down, and vnetd was told this. */
static void
was_told(const char *want)
{
	char reports[4096];
	int status;

	assert_int_equal(waitpid(machine, &status, 0), machine);
	if (status != 0)
		fail_msg("the machine ended with %d; watch said \"%s\"", status, t.err);
	fake_reports(&vnetd, reports, sizeof(reports));
	assert_string_equal(reports, want);
}

static void
each_change_is_told_once(void **state UNUSED)
{
	if (MACHINE()) {
		struct qemu q = qemu_meet(listener);

		qemu_answer(&q, &quiet, 1);
		await_reports(1);
		qemu_change(&q, &eager, 1);
		await_reports(2);
		/* Nothing new. */
		qemu_change(&q, &eager, 1);
		qemu_event(&q, "RESUME");
		usleep(300000);
		qemu_event(&q, "RESET");
		qemu_answer(&q, &quiet, 1);
		await_reports(3);
		qemu_end(&q);
	}
	WATCH("--port", PORT);
	assert_string_equal(t.err, "");
	assert_string_equal(t.out, PORT ": " PORT_MAC ", 2 multicast groups, promiscuous off\n" PORT
					": " PORT_MAC
					", 2 multicast groups, promiscuous on (granted)\n" PORT
					": " PORT_MAC ", 2 multicast groups, promiscuous off\n");
	assert_int_equal(t.status, 0);
	was_told(PORT " " PORT_MAC " - unicasts 0 multicasts 2+2\n" PORT " " PORT_MAC
		      " promisc unicasts 0 multicasts 2+2\n" PORT " " PORT_MAC
		      " - unicasts 0 multicasts 2+2\n");
}

/* For the machine: waits until the last that vnetd was told is promiscuous mode, for good. */
static void
await_promisc(void)
{
	char reports[65536];
	const char *last = reports;

	/* One more may be under way. */
	usleep(500000);
	for (unsigned i = 0; i < 1000; i++) {
		fake_reports(&vnetd, reports, sizeof(reports));
		for (const char *p = reports; (p = strchr(p, '\n')) && p[1]; p++)
			last = p + 1;
		if (strstr(last, " promisc "))
			return;
		usleep(10000);
	}
	_exit(2);
}

/* A guest that toggles its filter all day costs vnetd a few messages a second, and the last one counts. */
static void
a_guest_that_toggles_is_told_in_its_last_state(void **state UNUSED)
{
	char reports[65536];
	unsigned n = 0;
	int status;

	if (MACHINE()) {
		struct qemu q = qemu_meet(listener);

		qemu_answer(&q, &quiet, 1);
		for (unsigned i = 0; i < 1000; i++)
			qemu_change(&q, i % 2 ? &quiet : &eager, 1);
		qemu_change(&q, &eager, 1);
		await_promisc();
		qemu_end(&q);
	}
	WATCH("--port", PORT, "--quiet");
	assert_string_equal(t.err, "");
	assert_string_equal(t.out, "");
	assert_int_equal(waitpid(machine, &status, 0), machine);
	assert_int_equal(status, 0);
	fake_reports(&vnetd, reports, sizeof(reports));
	for (const char *p = reports; (p = strchr(p, '\n')); p++)
		n++;
	/* Without a pace it would be a thousand; how long the toggling takes is the machine's business. */
	assert_in_range(n, 2, 500);
}

static void
many_groups_are_counted_and_cut(void **state UNUSED)
{
	static const struct qemu_card card = {"net0", PORT_MAC, .all_multicast = true,
					      .groups = 70};

	if (MACHINE()) {
		struct qemu q = qemu_meet(listener);

		qemu_answer(&q, &card, 1);
		await_reports(1);
		qemu_end(&q);
	}
	WATCH("--port", PORT);
	assert_string_equal(t.out, PORT ": " PORT_MAC ", every multicast, promiscuous off\n");
	was_told(PORT " " PORT_MAC " - unicasts 0 multicasts 70+64 all\n");
}

static void
the_card_is_found_by_the_ports_address_or_by_name(void **state UNUSED)
{
	static const struct qemu_card cards[] = {
	    {"net1", OTHER, .promisc = true},
	    {"net0", PORT_MAC, .groups = 1},
	};

	for (int by_name = 0; by_name < 2; by_name++) {
		if (MACHINE()) {
			struct qemu q = qemu_meet(listener);

			qemu_answer(&q, cards, 2);
			await_reports(by_name ? 3 : 1);
			/* It is unplugged: it asks for nothing any more. */
			qemu_event(&q, "DEVICE_DELETED");
			qemu_answer(&q, by_name ? cards + 1 : cards, 1);
			await_reports(by_name ? 4 : 2);
			qemu_end(&q);
		}
		if (by_name)
			WATCH("--port", "build", "--nic", "net1");
		else
			WATCH("--port", PORT);
		assert_string_equal(t.err, "");
		assert_int_equal(t.status, 0);
		if (!by_name)
			assert_string_equal(
			    t.out, PORT ": " PORT_MAC ", 1 multicast group, promiscuous off\n" PORT
					": no card, 0 multicast groups, promiscuous "
					"off\n");
		else
			assert_string_equal(t.out,
					    "build: " OTHER
					    ", 0 multicast groups, promiscuous on (granted)\n"
					    "build: no card, 0 multicast groups, promiscuous "
					    "off\n");
		assert_int_equal(waitpid(machine, NULL, 0), machine);
	}
}

static void
several_cards_and_no_address_wait(void **state UNUSED)
{
	static const struct qemu_card cards[] = {{"net0", OTHER, .groups = 1},
						 {"a b", "52:54:00:00:00:03", .groups = 1}};

	if (MACHINE()) {
		struct qemu q = qemu_meet(listener);

		qemu_answer(&q, cards, 2);
		usleep(2500000);
		qemu_end(&q);
	}
	WATCH("--port", "eth1");
	/* Once, although it is looked for all the time. */
	assert_string_equal(t.err,
			    "vnetctl: several network cards report their filters. Which one is the "
			    "port's shows its first frame, or say --nic: net0 (" OTHER
			    ") a\\x20b (52:54:00:00:00:03)\n");
	assert_string_equal(t.out, "");
	assert_int_equal(t.status, 0);
	was_told("");
}

/* {what is given, cards of the machine, message} */
static void
what_cannot_work_is_said(void **state UNUSED)
{
	static const struct {
		const char *argv[4], *err;
		size_t ncards;
	} rows[] = {
	    {{"--port", PORT},
	     "no network card of this machine reports its filter, only virtio-net does. Ask by "
	     "hand: "
	     "vnetctl promisc request " PORT,
	     0},
	    {{"--port", PORT, "--nic", "net7"},
	     "the network card \"net7\" does not report its filter, but these do: net0 (" PORT_MAC
	     ")",
	     1},
	    {{"--port", "nobody"}, "there is no port \"nobody\". All ports: vnetctl ports", 1},
	};
	char want[512];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (MACHINE()) {
			struct qemu q = qemu_meet(listener);

			qemu_answer(&q, &quiet, rows[i].ncards);
			qemu_await_end(&q);
			qemu_end(&q);
		}
		WATCH(rows[i].argv[0], rows[i].argv[1], rows[i].argv[2], rows[i].argv[3]);
		snprintf(want, sizeof(want), "vnetctl: %s\n", rows[i].err);
		assert_string_equal(t.err, want);
		assert_int_equal(t.status, 1);
		was_told("");
	}
}

static void
a_monitor_that_is_none_is_left(void **state UNUSED)
{
	static char much[2 * 1024 * 1024];
	static const struct {
		const char *text, *err;
	} rows[] = {
	    {"SSH-2.0-OpenSSH_9.2\r\n", "QEMU's monitor says what is not JSON (near byte 3)"},
	    {"{\"error\": {\"desc\": \"\\u001b[2J\"}}\r\n",
	     "QEMU refuses query-rx-filter: \\x1b[2J"},
	    {much, "QEMU's monitor sends a line of more than 1048576 bytes"},
	};
	char want[512];

	memset(much, 'x', sizeof(much) - 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (MACHINE()) {
			struct qemu q = qemu_meet(listener);

			fputs(rows[i].text, q.out);
			fflush(q.out);
			_exit(0);
		}
		WATCH("--port", PORT);
		snprintf(want, sizeof(want), "vnetctl: %s\n", rows[i].err);
		assert_string_equal(t.err, want);
		assert_int_equal(t.status, 1);
		was_told("");
	}
}

static void
a_machine_that_starts_later_is_waited_for(void **state UNUSED)
{
	close(listener);
	listener = -1;
	unlink(sock);
	if (MACHINE()) {
		struct qemu q;

		usleep(500000);
		q = qemu_meet(qemu_listen(sock));
		qemu_answer(&q, &quiet, 1);
		await_reports(1);
		qemu_end(&q);
	}
	WATCH("--port", PORT);
	assert_string_equal(t.err, "");
	was_told(PORT " " PORT_MAC " - unicasts 0 multicasts 2+2\n");
	/* The file is still there, but nobody listens. */
	WATCH("--port", PORT, "--wait", "0");
	assert_non_null(strstr(t.err, "vnetctl: nobody listens on "));
	assert_non_null(strstr(t.err, " after 0 s. QEMU needs: -qmp unix:"));
	assert_int_equal(t.status, 1);
	TOOL(&t, "vnetctl", "--run-dir", vnetd.dir, "watch", "--qmp", "/dev/null/x", "--port",
	     PORT);
	assert_non_null(
	    strstr(t.err, "vnetctl: cannot connect to QEMU's monitor \"/dev/null/x\": "));
	assert_int_equal(t.status, 1);
}

static void
a_monitor_that_somebody_else_has_is_not_waited_for(void **state UNUSED)
{
	/* It listens, and never answers. */
	WATCH("--port", PORT, "--wait", "0");
	assert_non_null(strstr(t.err, "does not answer: it serves one client at a time"));
	assert_int_equal(t.status, 1);
}

static void
a_vnetd_that_comes_back_is_told_what_it_missed(void **state UNUSED)
{
	if (MACHINE()) {
		struct qemu q = qemu_meet(listener);

		qemu_answer(&q, &quiet, 1);
		await_reports(1);
		fake_kill(&vnetd);
		qemu_change(&q, &eager, 1);
		usleep(1200000);
		fake_listen(&vnetd, FAKE_ANSWERS);
		await_reports(2);
		/* The watcher, which ends with the machine, is to have read the answer. */
		usleep(1000000);
		qemu_end(&q);
	}
	WATCH("--port", PORT);
	assert_string_equal(t.err, "");
	assert_non_null(strstr(t.out, "promiscuous on (granted)\n"));
	assert_int_equal(t.status, 0);
	was_told(PORT " " PORT_MAC " - unicasts 0 multicasts 2+2\n" PORT " " PORT_MAC
		      " promisc unicasts 0 multicasts 2+2\n");
}

static void
vnetd_is_told_again_as_it_may_have_forgotten(void **state UNUSED)
{
	char reports[4096];

	if (MACHINE()) {
		struct qemu q = qemu_meet(listener);

		qemu_answer(&q, &eager, 1);
		await_reports(3);
		qemu_end(&q);
	}
	WATCH("--port", PORT, "--repeat", "1");
	assert_string_equal(t.err, "");
	/* For people there is nothing new. */
	assert_string_equal(t.out,
			    PORT ": " PORT_MAC ", 2 multicast groups, promiscuous on (granted)\n");
	assert_int_equal(waitpid(machine, NULL, 0), machine);
	fake_reports(&vnetd, reports, sizeof(reports));
	assert_non_null(strchr(strchr(reports, '\n') + 1, '\n'));
}

/* Its port has another owner: that is no reason to try again. */
static void
a_port_of_somebody_else_is_refused(void **state UNUSED)
{
	struct fake mute;

	if (MACHINE()) {
		struct qemu q = qemu_meet(listener);

		qemu_answer(&q, &quiet, 1);
		qemu_await_end(&q);
		qemu_end(&q);
	}
	WATCH("--port", "tap-evil");
	assert_string_equal(t.err, "vnetctl: the port is not yours\n");
	assert_int_equal(t.status, 1);
	was_told("");
	fake_absent(&mute);
	TOOL(&t, "vnetctl", "--run-dir", mute.dir, "watch", "--qmp", sock, "--port", PORT);
	assert_int_equal(t.status, 3);
	assert_non_null(strstr(t.err, "vnetd does not run"));
	fake_stop(&mute);
}

static void
watch_wants_the_right_words(void **state UNUSED)
{
	static const char *const wrong[][4] = {
	    {NULL},
	    {"--port="},
	    {"--port", PORT, "--wait", "soon"},
	    {"--port", PORT, "--repeat", "0"},
	    {"--port", PORT, "--pid", "0"},
	    {"--port", PORT, "--nic="},
	    {"--port", PORT, "web1"},
	    {"--port",
	     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
	};
	char path[109];

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		WATCH(wrong[i][0], wrong[i][1], wrong[i][2], wrong[i][3]);
		if (t.status != 2)
			fail_msg("row %zu: exit %d, \"%s\"", i, t.status, t.err);
	}
	TOOL(&t, "vnetctl", "--run-dir", vnetd.dir, "watch", "--port", PORT);
	assert_int_equal(t.status, 2);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	TOOL(&t, "vnetctl", "--run-dir", vnetd.dir, "watch", "--port", PORT, "--qmp", path);
	assert_non_null(strstr(t.err, "is too long for a socket's path"));
	assert_int_equal(t.status, 2);
}

/* --- attach --- */

/* The machine listens itself. */
static void
leave_socket(void)
{
	close(listener);
	listener = -1;
}

/* A process that was left to us ends (-1: any; the stand-in for vnetd does not); its exit status. */
static int
await_orphan(pid_t pid)
{
	int status;

	/* It is told by the socket and the process; a loaded machine takes its time. */
	for (unsigned i = 0; i < 1000; i++) {
		if (waitpid(pid, &status, WNOHANG) > 0)
			return status;
		usleep(10000);
	}
	fail_msg("the watcher does not end");
	return -1;
}

/* This program as the command of attach: the machine. Prints the watcher's process id. */
static int
play_qemu(const char *path, const char *how)
{
	static const struct qemu_card two[][2] = {
	    {{"net0", PORT_MAC, .groups = 1}, {"net1", OTHER, .groups = 1}},
	    {{"net0", PORT_MAC, .groups = 1}, {"net1", OTHER, .promisc = true, .groups = 1}},
	};
	bool one = strcmp(how, "two cards") != 0;
	struct qemu q;

	/* The socket is in the folder of the stand-in for vnetd. */
	snprintf(vnetd.dir, sizeof(vnetd.dir), "%.*s", (int)(strrchr(path, '/') - path), path);
	if (strcmp(how, "late") == 0)
		usleep(600000);
	q = qemu_meet(qemu_listen(path));
	if (getsid(q.client) == getsid(0) || getppid() == q.client)
		return 1;
	qemu_answer(&q, one ? &quiet : two[0], one ? 1 : 2);
	await_reports(1);
	qemu_change(&q, one ? &eager : two[1], one ? 1 : 2);
	await_reports(2);
	printf("%d", (int)q.client);
	fflush(stdout);
	qemu_end(&q);
}

static char *
self(char *buf, size_t cap)
{
	ssize_t n = readlink("/proc/self/exe", buf, cap - 1);

	assert_true(n > 0);
	buf[n] = '\0';
	return buf;
}

static void
attach_starts_a_watcher_that_ends_with_the_machine(void **state UNUSED)
{
	char qmp[160], exe[512], reports[1024];
	int watcher;

	leave_socket();
	snprintf(qmp, sizeof(qmp), "unix:%s,server=on,wait=off", sock);
	TOOL(&t, "vnetctl", "--run-dir", vnetd.dir, "attach", "vmnet8", "--",
	     self(exe, sizeof(exe)), "one card", sock, "-qmp", qmp);
	assert_string_equal(t.err, "");
	assert_int_equal(t.status, 0);
	assert_int_equal(sscanf(t.out, "%d", &watcher), 1);
	assert_int_equal(await_orphan(watcher), 0);
	fake_reports(&vnetd, reports, sizeof(reports));
	assert_string_equal(reports, PORT " " PORT_MAC " - unicasts 0 multicasts 2+2\n" PORT
					  " " PORT_MAC " promisc unicasts 0 multicasts 2+2\n");
}

/* By its id, although the other one has the port's address. */
static void
attach_finds_the_card_of_its_tap(void **state UNUSED)
{
	char qmp[160], exe[512], reports[1024];
	int watcher;

	leave_socket();
	snprintf(qmp, sizeof(qmp), "unix:%s,server=on,wait=off", sock);
	TOOL(&t, "vnetctl", "--run-dir", vnetd.dir, "attach", "vmnet8", "--fd", "5", "--",
	     self(exe, sizeof(exe)), "two cards", sock, "-qmp", qmp, "-netdev", "tap,id=n0,fd=5",
	     "-device", "virtio-net-pci,netdev=n0,id=net1");
	assert_string_equal(t.err, "");
	assert_int_equal(t.status, 0);
	assert_int_equal(sscanf(t.out, "%d", &watcher), 1);
	assert_int_equal(await_orphan(watcher), 0);
	fake_reports(&vnetd, reports, sizeof(reports));
	assert_string_equal(reports, PORT " " OTHER " - unicasts 0 multicasts 1+1\n" PORT " " OTHER
					  " promisc unicasts 0 multicasts 1+1\n");
}

/* Another machine's monitor, which still listens at the same path, is not the end of it. */
static void
a_machine_that_ends_just_now_is_not_ours(void **state UNUSED)
{
	char qmp[160], exe[512], reports[1024];
	int watcher;

	if (MACHINE()) {
		struct qemu q = qemu_meet(listener);

		usleep(200000);
		qemu_end(&q);
	}
	leave_socket();
	snprintf(qmp, sizeof(qmp), "unix:%s,server=on,wait=off", sock);
	TOOL(&t, "vnetctl", "--run-dir", vnetd.dir, "attach", "vmnet8", "--",
	     self(exe, sizeof(exe)), "late", sock, "-qmp", qmp);
	assert_string_equal(t.err, "");
	assert_int_equal(sscanf(t.out, "%d", &watcher), 1);
	assert_int_equal(await_orphan(watcher), 0);
	assert_int_equal(waitpid(machine, NULL, 0), machine);
	fake_reports(&vnetd, reports, sizeof(reports));
	assert_non_null(strstr(reports, " promisc "));
}

static void
a_watcher_of_a_command_that_never_listens_ends_with_it(void **state UNUSED)
{
	char qmp[160];

	leave_socket();
	snprintf(qmp, sizeof(qmp), "unix:%s,server=on,wait=off", sock);
	TOOL(&t, "vnetctl", "--run-dir", vnetd.dir, "attach", "vmnet8", "--", "sh", "-c",
	     "sleep 0.3; echo done", "-qmp", qmp);
	assert_string_equal(t.err, "");
	assert_string_equal(t.out, "done\n");
	assert_int_equal(t.status, 0);
	assert_int_equal(await_orphan(-1), 0);
	/* One that does not even start. */
	TOOL(&t, "vnetctl", "--run-dir", vnetd.dir, "attach", "vmnet8", "--", "/no/such/qemu",
	     "-qmp", qmp);
	assert_int_equal(t.status, 127);
	assert_string_equal(t.err,
			    "vnetctl: cannot run \"/no/such/qemu\": No such file or directory\n");
	assert_int_equal(await_orphan(-1), 0);
}

static void
a_monitor_of_somebody_else_is_left_alone(void **state UNUSED)
{
	char qmp[160];

	snprintf(qmp, sizeof(qmp), "unix:%s-of-libvirt/mon,server=on,wait=off", vnetd.dir);
	TOOL(&t, "vnetctl", "--run-dir", vnetd.dir, "attach", "vmnet8", "--", "true", "-qmp", qmp);
	assert_string_equal(t.err, "");
	assert_int_equal(t.status, 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG),
			 0); /* no orphan, only the stand-in for vnetd */
}

int
main(int argc, char **argv)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, start, stop)
	const struct CMUnitTest tests[] = {
	    ROW(each_change_is_told_once),
	    ROW(a_guest_that_toggles_is_told_in_its_last_state),
	    ROW(many_groups_are_counted_and_cut),
	    ROW(the_card_is_found_by_the_ports_address_or_by_name),
	    ROW(several_cards_and_no_address_wait),
	    ROW(what_cannot_work_is_said),
	    ROW(a_monitor_that_is_none_is_left),
	    ROW(a_machine_that_starts_later_is_waited_for),
	    ROW(a_monitor_that_somebody_else_has_is_not_waited_for),
	    ROW(a_vnetd_that_comes_back_is_told_what_it_missed),
	    ROW(vnetd_is_told_again_as_it_may_have_forgotten),
	    ROW(a_port_of_somebody_else_is_refused),
	    ROW(watch_wants_the_right_words),
	    ROW(attach_starts_a_watcher_that_ends_with_the_machine),
	    ROW(attach_finds_the_card_of_its_tap),
	    ROW(a_machine_that_ends_just_now_is_not_ours),
	    ROW(a_watcher_of_a_command_that_never_listens_ends_with_it),
	    ROW(a_monitor_of_somebody_else_is_left_alone),
	};

	if (argc > 2)
		return play_qemu(argv[2], argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
