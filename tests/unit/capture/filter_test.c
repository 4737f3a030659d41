/* SPDX-License-Identifier: GPL-2.0-or-later
 * filter_test.c - expressions, and programs that come from elsewhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "capture/code.h"
#include "capture/filter.h"
#include "capture/job.h"
#include "lib/util.h"

static struct filter f;
static char why[FILTER_WHY_MAX];

static void
expressions(void **state UNUSED)
{
	uint8_t arp[60] = {[12] = 0x08, [13] = 0x06},
		tagged[64] = {[12] = 0x81, [15] = 7, [16] = 0x08, [17] = 0x06};

	assert_true(filter_compile(&f, "  ", why) && f.n == 0);
	assert_true(filter_run(&f, arp, sizeof(arp), sizeof(arp)));
	assert_true(filter_compile(&f, "arp", why) && f.n > 0 && filter_valid(&f));
	assert_true(filter_run(&f, arp, sizeof(arp), sizeof(arp)));
	assert_false(filter_run(&f, tagged, sizeof(tagged), sizeof(tagged)));
	assert_true(filter_compile(&f, "vlan 7 and arp", why) && !filter_needs_kernel(&f));
	assert_true(filter_run(&f, tagged, sizeof(tagged), sizeof(tagged)));
	assert_true(filter_compile(&f, "inbound", why) && filter_needs_kernel(&f));
}

static void
mistakes_are_told_in_libpcaps_words(void **state UNUSED)
{
	char *long_one = calloc(1, FILTER_EXPR_MAX + 10);

	assert_false(filter_compile(&f, "tcp prot 80", why));
	assert_non_null(strstr(why, "syntax error"));
	memset(long_one, 'x', FILTER_EXPR_MAX + 1);
	assert_false(filter_compile(&f, long_one, why));
	assert_non_null(strstr(why, "too long"));
	free(long_one);
}

static void
programs_that_do_not_end_are_refused(void **state UNUSED)
{
	f = (struct filter){.n = 1, .code = {{BPF_LD | BPF_B | BPF_ABS, 0, 0, 0}}};
	assert_false(filter_valid(&f));
	f = (struct filter){.n = 2,
			    .code = {{BPF_JMP | BPF_JA, 0, 0, 5}, {BPF_RET | BPF_K, 0, 0, 1}}};
	assert_false(filter_valid(&f));
	/* Back by one, for ever: libpcap's own check lets it pass. */
	f = (struct filter){
	    .n = 2, .code = {{BPF_JMP | BPF_JA, 0, 0, UINT32_MAX}, {BPF_RET | BPF_K, 0, 0, 1}}};
	assert_false(filter_valid(&f));
	f.code[0].k = 0;
	assert_true(filter_valid(&f));
	f = (struct filter){.n = 2, .code = {{BPF_ST, 0, 0, 99}, {BPF_RET | BPF_K, 0, 0, 1}}};
	assert_false(filter_valid(&f));
	f.n = FILTER_MAX + 1;
	assert_false(filter_valid(&f));
}

static void
the_socket_gets_its_scope_first(void **state UNUSED)
{
	static struct sock_filter code[FILTER_MAX + FILTER_EXTRA];
	const struct filter_scope scope = {
	    .ifindex = 7, .tag = 0xc0010000, .mask = 0xffff7fff, .snaplen = 96};
	size_t n;

	f.n = 0;
	n = filter_for_socket(code, &f, &scope);
	assert_int_equal(code[1].k, 7);
	assert_true(code[2].code == (BPF_RET | BPF_K) && code[2].k == 0);
	assert_true(code[4].k == scope.mask && code[5].k == scope.tag);
	assert_true(code[n - 1].code == (BPF_RET | BPF_K) && code[n - 1].k == 96);
	assert_true(filter_compile(&f, "arp", why));
	n = filter_for_socket(code, &f, &scope);
	assert_true(n <= f.n + FILTER_EXTRA);
	/* What passes is cut to the length that was asked for, but for what user space is to look at first. */
	for (size_t i = 0; i < n; i++) {
		bool tagged =
		    i > 1 && code[i - 2].k == (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT);

		if (code[i].code == (BPF_RET | BPF_K))
			assert_true(code[i].k == 0 ||
				    code[i].k == (tagged ? PCAPNG_SNAPLEN_MAX : 96));
	}
}

static void
a_job_takes_a_program_apart_and_puts_it_together(void **state UNUSED)
{
	static struct job job;
	struct msg m = msg_make(MSG_CAPTURE_FILTER, 0), go = msg_make(MSG_CAPTURE_GO, 0);

	assert_true(filter_compile(&f, "tcp port 80", why));
	assert_true(job_init(&job));
	m.u.capture_filter.code.len = (uint16_t)code_put(m.u.capture_filter.code.b, f.code, f.n);
	assert_null(job_take(&job, &m, NULL, 0));
	assert_int_equal(job.filter.n, f.n);
	assert_memory_equal(job.filter.code, f.code, f.n * sizeof(f.code[0]));
	/* Neither what nor where to. */
	assert_non_null(job_take(&job, &go, NULL, 0));
	m.u.capture_filter.code.len--;
	assert_non_null(job_take(&job, &m, NULL, 0));
	m = msg_make(MSG_CAPTURE_SETUP, 0);
	assert_non_null(job_take(&job, &m, NULL, 0));
	m.u.capture_setup.snaplen = 96;
	assert_null(job_take(&job, &m, NULL, 0));
	job_fini(&job);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(expressions),
	    cmocka_unit_test(mistakes_are_told_in_libpcaps_words),
	    cmocka_unit_test(programs_that_do_not_end_are_refused),
	    cmocka_unit_test(the_socket_gets_its_scope_first),
	    cmocka_unit_test(a_job_takes_a_program_apart_and_puts_it_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
