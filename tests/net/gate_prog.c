/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate_prog.c - the gate's programs in the kernel: frames through gate_in, case by case.
 *
 *     gate-prog          every case, a line "ok NAME" or "FAIL NAME: what" each; needs root, and makes a
 *                        network namespace of its own
 *     gate-prog cost     nanoseconds per frame
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "lib/util.h"
#include "tests/net/gate_prog.h"

#define RANDOM_FRAMES 100000
#define SPINS         100000                      /* then the other one has no processor */
#define LEARNED(i)    (OWN | (uint64_t)(i) << 44) /* a nested guest's address */

static bool failed;

/* --- frames ----------------------------------------------------------------------------------- */

void
put(struct made *m, const void *p, size_t n)
{
	memcpy(m->b + m->n, p, n);
	m->n += n;
}

void
put8(struct made *m, unsigned v)
{
	m->b[m->n++] = (uint8_t)v;
}

void
put16(struct made *m, unsigned v)
{
	put8(m, v >> 8);
	put8(m, v);
}

void
put32(struct made *m, uint32_t v)
{
	put16(m, v >> 16);
	put16(m, v);
}

void
put_mac(struct made *m, uint64_t mac)
{
	for (int i = 0; i < 6; i++)
		put8(m, (unsigned)(mac >> 8 * i));
}

void
put_zero(struct made *m, size_t n)
{
	memset(m->b + m->n, 0, n);
	m->n += n;
}

void
make_plain(struct made *m, uint64_t dst, uint64_t src)
{
	m->n = 0;
	put_mac(m, dst);
	put_mac(m, src);
	put16(m, 0x88b5); /* IEEE local experiments */
	put_zero(m, 46);
}

/* --- maps and runs ---------------------------------------------------------------------------- */

void
result(bool ok, const char *name, const char *fmt, ...)
{
	va_list ap;

	if (ok) {
		printf("ok %s\n", name);
		return;
	}
	failed = true;
	printf("FAIL %s: ", name);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void
expect(const char *name, int got, int want)
{
	result(got == want, name, "%d instead of %d (-1: passes, else enum drop_reason)", got,
	       want);
}

struct gate_policy
sticky(void)
{
	return (struct gate_policy){
	    .ifindex = RUN_IFINDEX, .mac_policy = MAC_POLICY_STICKY, .net = OWN_NET};
}

static void
update(int map, const void *key, const void *value)
{
	if (bpf_map_update_elem(map, key, value, BPF_ANY) < 0) {
		printf("FAIL map-update: %s\n", strerror(errno));
		exit(1);
	}
}

void
set_policy(const struct gate_fds *g, uint32_t slot, const struct gate_policy *p)
{
	update(g->policy, &slot, p);
	if (p->ifindex && slot != GATE_HOME(p->ifindex))
		update(g->elsewhere, &p->ifindex, &slot);
}

void
set_state(const struct gate_fds *g, uint32_t slot, const struct gate_state *s)
{
	update(g->state, &slot, s);
}

struct gate_state
get_state(const struct gate_fds *g, uint32_t slot)
{
	struct gate_state s = {0};

	bpf_map_lookup_elem(g->state, &slot, &s);
	return s;
}

struct gate_drops
get_drops(const struct gate_fds *g, uint32_t slot)
{
	struct gate_drops d = {{0}};

	bpf_map_lookup_elem(g->drops, &slot, &d);
	return d;
}

void
forget_drops(const struct gate_fds *g, uint32_t slot)
{
	update(g->drops, &slot, &(struct gate_drops){{0}});
}

static int
run_raw(int prog, const struct made *m, uint32_t *verdict)
{
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = m->b, .data_size_in = (uint32_t)m->n,
		    .repeat = 1);
	int r = bpf_prog_test_run_opts(prog, &o);

	*verdict = o.retval;
	return r;
}

int
run_in(const struct gate_fds *g, const struct made *m)
{
	struct gate_drops before = get_drops(g, RUN_SLOT), after;
	int reason = PASSES, more = 0, r;
	uint32_t verdict = 0;

	r = run_raw(g->in, m, &verdict);
	if (r < 0) {
		printf("the frame of %zu bytes could not be run: %s\n", m->n, strerror(-r));
		return -2;
	}
	after = get_drops(g, RUN_SLOT);
	for (int i = 0; i < DROP_REASON_N; i++) {
		if (after.n[i] == before.n[i])
			continue;
		more += (int)(after.n[i] - before.n[i]);
		reason = i;
	}
	if (more != (verdict == 2 /* TC_ACT_SHOT */) || (verdict != 2 && verdict != UINT32_MAX)) {
		printf("verdict %u and %d drops counted\n", verdict, more);
		return -2;
	}
	return reason;
}

int
send_from(const struct gate_fds *g, uint64_t dst, uint64_t src)
{
	static struct made m;

	make_plain(&m, dst, src);
	return run_in(g, &m);
}

/* --- who owns an address ---------------------------------------------------------------------- */

static void
own(const struct gate_fds *g, uint64_t mac, uint32_t slot)
{
	uint64_t key = GATE_OWNER(OWN_NET, mac);

	update(g->owners, &key, &slot);
}

unsigned
disown_all(const struct gate_fds *g, uint32_t slot)
{
	uint64_t key;
	unsigned n = 0;

	while (!bpf_map_get_next_key(g->owners, NULL, &key)) {
		uint32_t owner = ~0u;

		bpf_map_lookup_elem(g->owners, &key, &owner);
		n += slot == ANYBODY || (owner == slot && key >> 48 == OWN_NET);
		bpf_map_delete_elem(g->owners, &key);
	}
	return n;
}

void
fresh(const struct gate_fds *g, struct gate_policy p)
{
	const struct gate_state none = {0};

	disown_all(g, ANYBODY);
	set_policy(g, RUN_SLOT, &p);
	set_state(g, RUN_SLOT, &none);
	forget_drops(g, RUN_SLOT);
}

void
fresh_given(const struct gate_fds *g, unsigned flags)
{
	struct gate_policy p = sticky();
	const struct gate_state s = {.mac = OWN};

	p.mac_policy = MAC_POLICY_GIVEN;
	p.flags = flags;
	fresh(g, p);
	set_state(g, RUN_SLOT, &s);
}

static void
given_cases(const struct gate_fds *g)
{
	fresh_given(g, 0);
	expect("given-own", send_from(g, OTHER, OWN), PASSES);
	expect("given-own-broadcast", send_from(g, ALL, OWN), PASSES);
	expect("given-forged", send_from(g, HOST, OTHER), DROP_FORGED);
	expect("given-forged-broadcast", send_from(g, ALL, OTHER), DROP_FORGED);
	expect("given-zero-source", send_from(g, HOST, 0), DROP_SOURCE);
	expect("given-group-source", send_from(g, HOST, 0x010000005e0001ull & ALL), DROP_SOURCE);
	expect("given-broadcast-source", send_from(g, HOST, ALL), DROP_SOURCE);
	fresh_given(g, GATE_FORGED);
	expect("given-forged-allowed", send_from(g, HOST, OTHER), PASSES);
	expect("given-forged-allowed-zero-source", send_from(g, HOST, 0), DROP_SOURCE);
	fresh(g, (struct gate_policy){.ifindex = 1, .mac_policy = MAC_POLICY_GIVEN});
	expect("given-nothing-yet", send_from(g, HOST, OWN), DROP_FORGED);
	fresh(g, (struct gate_policy){.ifindex = 1, .mac_policy = MAC_POLICY_ANY});
	expect("any", send_from(g, HOST, OTHER), PASSES);
	expect("any-zero-source", send_from(g, HOST, 0), DROP_SOURCE);
	result(!get_state(g, RUN_SLOT).mac, "any-pins-nothing", "an address was pinned");
}

static void
sticky_cases(const struct gate_fds *g)
{
	struct gate_policy p = sticky();

	fresh(g, p);
	expect("sticky-group-source", send_from(g, ALL, OWN | 1), DROP_SOURCE);
	expect("sticky-first", send_from(g, ALL, OWN), PASSES);
	result(get_state(g, RUN_SLOT).mac == OWN, "sticky-pinned", "state.mac is not the source");
	expect("sticky-again", send_from(g, HOST, OWN), PASSES);
	expect("sticky-second", send_from(g, HOST, OTHER), DROP_FORGED);
	result(disown_all(g, RUN_SLOT) == 1, "sticky-one-owner-entry", "not one entry");

	fresh(g, p);
	own(g, OTHER, 7);
	own(g, HOST, 8);
	expect("sticky-taken", send_from(g, ALL, OTHER), DROP_TAKEN);
	expect("sticky-host", send_from(g, ALL, HOST), DROP_TAKEN);
	result(!get_state(g, RUN_SLOT).mac, "sticky-taken-pins-nothing", "it was pinned");
	expect("sticky-own-after-taken", send_from(g, ALL, OWN), PASSES);

	fresh(g, p);
	own(g, OWN, RUN_SLOT);
	expect("sticky-owned-already", send_from(g, ALL, OWN), PASSES);

	p.flags = GATE_FORGED;
	fresh(g, p);
	own(g, OTHER, 7);
	expect("sticky-forged-allowed-taken", send_from(g, ALL, OTHER), PASSES);
	result(!get_state(g, RUN_SLOT).mac, "sticky-forged-allowed-taken-pins-nothing",
	       "it was pinned");
	expect("sticky-forged-allowed-first", send_from(g, ALL, OWN), PASSES);
	result(get_state(g, RUN_SLOT).mac == OWN, "sticky-forged-allowed-pinned",
	       "it was not pinned");
	expect("sticky-forged-allowed-second", send_from(g, ALL, OWN + (5ull << 40)), PASSES);
	result(disown_all(g, RUN_SLOT) == 1, "sticky-forged-allowed-one-owner-entry",
	       "not one entry");
}

static void
learn_cases(const struct gate_fds *g)
{
	struct gate_policy p = sticky();
	unsigned passed = 0;

	p.mac_policy = MAC_POLICY_LEARN;
	p.learn = 4;
	fresh(g, p);
	own(g, OTHER, 7);
	expect("learn-taken", send_from(g, HOST, OTHER), DROP_TAKEN);
	/* Its own and four more. */
	for (uint64_t i = 1; i <= 5; i++)
		passed += send_from(g, HOST, LEARNED(i)) == PASSES;
	result(passed == 5, "learn-up-to-n", "%u of 5 addresses", passed);
	expect("learn-n-and-one", send_from(g, HOST, LEARNED(6)), DROP_FULL);
	expect("learn-known", send_from(g, HOST, LEARNED(3)), PASSES);
	expect("learn-first", send_from(g, HOST, LEARNED(1)), PASSES);
	result(get_state(g, RUN_SLOT).learned == 4, "learn-count", "%u learned",
	       get_state(g, RUN_SLOT).learned);
	result(get_state(g, RUN_SLOT).mac == LEARNED(1), "learn-own-is-the-first", "no");
	result(disown_all(g, RUN_SLOT) == 5, "learn-owner-entries", "not five entries");
}

/* --- processors against each other ------------------------------------------------------------ */

struct racer {
	const struct gate_fds *g;
	pthread_barrier_t *start;
	unsigned *ready; /* how many spin: a barrier alone wakes one long after the other */
	uint64_t first;  /* its addresses */
	unsigned passed;
};

static void *
race(void *arg)
{
	struct racer *r = arg;
	struct made *m = calloc(1, sizeof(*m));

	pthread_barrier_wait(r->start);
	__atomic_add_fetch(r->ready, 1, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; __atomic_load_n(r->ready, __ATOMIC_SEQ_CST) < 2; i++)
		if (i > SPINS)
			sched_yield();
	for (uint64_t i = 0; m && i < 8; i++) {
		uint32_t verdict = 2;

		make_plain(m, ALL, r->first + (i << 16));
		r->passed += !run_raw(r->g->in, m, &verdict) && verdict != 2;
	}
	free(m);
	return NULL;
}

/* Two threads with addresses of their own, or both with the same ones. */
static unsigned
race_once(const struct gate_fds *g, bool same)
{
	pthread_barrier_t start;
	unsigned ready = 0;
	struct racer r[2] = {{g, &start, &ready, OWN, 0},
			     {g, &start, &ready, same ? OWN : OTHER, 0}};
	pthread_t t;

	pthread_barrier_init(&start, NULL, 2);
	pthread_create(&t, NULL, race, &r[0]);
	race(&r[1]);
	pthread_join(t, NULL);
	pthread_barrier_destroy(&start);
	return r[0].passed + r[1].passed;
}

static void
race_cases(const struct gate_fds *g)
{
	unsigned pin_wrong = 0, learn_wrong = 0;

	for (int i = 0; i < 2000; i++) {
		struct gate_policy p = sticky();
		unsigned passed;
		uint64_t mac;

		fresh(g, p);
		passed = race_once(g, i % 2);
		mac = GATE_OWNER(OWN_NET, get_state(g, RUN_SLOT).mac);
		pin_wrong += passed < 1 || passed > 2 ||
			     bpf_map_lookup_elem(g->owners, &mac, &(uint32_t){0}) ||
			     disown_all(g, RUN_SLOT) != 1;

		p.mac_policy = MAC_POLICY_LEARN;
		p.learn = 5;
		fresh(g, p);
		race_once(g, i % 2);
		learn_wrong += get_state(g, RUN_SLOT).learned != 5 || disown_all(g, RUN_SLOT) != 6;
	}
	result(!pin_wrong, "race-for-the-pin", "%u of 2000 races went wrong", pin_wrong);
	result(!learn_wrong, "race-while-learning", "%u of 2000 races went wrong", learn_wrong);
}

/* --- odd frames ------------------------------------------------------------------------------- */

static void
odd_cases(const struct gate_fds *g)
{
	static const uint8_t llc[] = {0x42, 0x42, 0x03, 0, 0, 0, 0x08, 0x00};
	static struct made m;

	fresh_given(g, GATE_FLAGS_ALL & ~GATE_FORGED);
	make_plain(&m, HOST, OWN);
	m.n = 12;
	put16(&m, 38);
	put(&m, llc, sizeof(llc));
	put_zero(&m, 30);
	expect("odd-llc", run_in(g, &m), PASSES);
	m.n = 15;
	expect("odd-llc-of-one-byte", run_in(g, &m), PASSES);
	make_plain(&m, HOST, OTHER);
	m.b[12] = 0;
	expect("odd-llc-forged", run_in(g, &m), DROP_FORGED);
	make_plain(&m, HOST, OWN);
	m.n = 15;
	expect("odd-one-byte", run_in(g, &m), PASSES);
	m.n = 12;
	put16(&m, 0x8100);
	put16(&m, 5);
	expect("odd-tag-without-a-type", run_in(g, &m), DROP_RA);
	m.n = 12;
	put16(&m, 0x0800);
	put8(&m, 0x44);
	put_zero(&m, 40);
	expect("odd-ip-header-too-short", run_in(g, &m), DROP_DHCP);
}

/* --- many random ones ------------------------------------------------------------------------- */

static uint32_t
next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return (uint32_t)(*x >> 16);
}

/* A frame that a guard knows, with some bytes changed, and the end perhaps cut. */
static void
make_mutated(struct made *m, uint64_t *x)
{
	struct guarded_frame f;

	while (!guarded_frame(next_random(x) % 1024, &f, m))
		;
	for (uint32_t i = next_random(x) % 4; i > 0; i--)
		m->b[next_random(x) % (m->n < 80 ? m->n : 80)] ^=
		    (uint8_t)(1u << next_random(x) % 8);
	if (next_random(x) % 4 == 0)
		m->n -= next_random(x) % (m->n / 2);
	if (m->n < 54)
		put_zero(m, 54 - m->n);
}

/* Plausible at the start, then anything: some headers, bytes changed, the end cut. */
static void
make_random(struct made *m, uint64_t *x)
{
	static const uint16_t types[] = {0x0800, 0x86dd, 0x0806, 0x8100, 0x88a8, 0x0040, 0x88cc};
	static const uint8_t protos[] = {17, 58, 6, 0, 43, 44, 51, 60, 59, 253};

	m->n = 0;
	put_mac(m, next_random(x) % 2 ? ALL : HOST);
	put_mac(m, next_random(x) % 8 ? OWN : next_random(x));
	for (uint32_t i = next_random(x) % 4; i > 0; i--) {
		put16(m, types[3 + i % 2]);
		put16(m, next_random(x));
	}
	put16(m, types[next_random(x) % ARRAY_LEN(types)]);
	put8(m, next_random(x) % 2 ? 0x45 + next_random(x) % 11 : 0x60);
	for (uint32_t i = next_random(x) % 300; i > 0; i--)
		put8(m, next_random(x) % 2 ? protos[next_random(x) % ARRAY_LEN(protos)]
					   : next_random(x));
	for (uint32_t i = next_random(x) % 3; i > 0; i--)
		m->b[next_random(x) % m->n] = (uint8_t)next_random(x);
	if (m->n > 16 && next_random(x) % 4 == 0)
		m->n = 15 + next_random(x) % (m->n - 15);
	/* Newer kernels do not run a frame whose first header is cut; behind a tag they do. */
	if (m->n < 54)
		put_zero(m, m->b[12] == 0x08 || m->b[12] == 0x86 ? 54 - m->n : 1);
}

static uint64_t
source_of(const struct made *m)
{
	uint64_t mac = 0;

	for (int i = 0; i < 6; i++)
		mac |= (uint64_t)m->b[6 + i] << 8 * i;
	return mac;
}

static void
random_cases(const struct gate_fds *g)
{
	static struct made m;
	uint64_t x = 0x9e3779b97f4a7c15ull, dropped = 0, passed = 0;
	struct gate_drops d;
	unsigned errors = 0, n_forged = 0, forged_passed = 0;
	bool is_forged;

	fresh_given(g, (GATE_FLAGS_ALL & ~GATE_FORGED) | GATE_REQUESTS);
	for (unsigned i = 0; i < RANDOM_FRAMES; i++) {
		uint32_t in = 0, other = 0;

		if (i % 2)
			make_mutated(&m, &x);
		else
			make_random(&m, &x);
		is_forged = source_of(&m) != OWN;
		n_forged += is_forged;
		if (run_raw(g->in, &m, &in) < 0 || (in != 2 && in != UINT32_MAX) ||
		    run_raw(g->out, &m, &other) < 0 || other != UINT32_MAX ||
		    run_raw(g->host, &m, &other) < 0 || other != UINT32_MAX)
			errors++;
		passed += in == UINT32_MAX;
		forged_passed += in == UINT32_MAX && is_forged;
	}
	d = get_drops(g, RUN_SLOT);
	for (int i = 0; i < DROP_REASON_N; i++)
		dropped += d.n[i];
	result(!errors, "random-no-errors", "%u frames gave an error", errors);
	result(n_forged > RANDOM_FRAMES / 100 && !forged_passed, "random-no-forged-frame",
	       "%u of %u passed", forged_passed, n_forged);
	result(d.n[DROP_FORGED] + d.n[DROP_SOURCE] == n_forged, "random-forged-counted",
	       "%llu of %u", (unsigned long long)d.n[DROP_FORGED], n_forged);
	result(passed + dropped == RANDOM_FRAMES && passed && dropped, "random-adds-up",
	       "%llu passed and %llu dropped of %u", (unsigned long long)passed,
	       (unsigned long long)dropped, RANDOM_FRAMES);
}

/* --- cost ------------------------------------------------------------------------------------- */

static void
make_udp(struct made *m)
{
	make_plain(m, HOST, OWN);
	m->n = 12;
	put16(m, 0x0800);
	put32(m, 0x4500002e);
	put32(m, 0);
	put32(m, 0x40110000);
	put32(m, OWN_IP);
	put32(m, OWN_IP + 1);
	put16(m, 40000);
	put16(m, 5000);
	put_zero(m, 22);
}

static void
cost(const struct gate_fds *g, const char *what)
{
	static struct made m;

	make_udp(&m);
	for (int i = 0; i < 5; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = m.b, .data_size_in = (uint32_t)m.n,
			    .repeat = 1000000);

		if (bpf_prog_test_run_opts(g->in, &o) < 0)
			perror("gate-prog: a program cannot be run");
		else
			printf("%s: %u ns\n", what, o.duration);
	}
}

static void
costs(const struct gate_fds *g)
{
	struct gate_policy p = sticky();

	fresh_given(g, 0);
	p.mac_policy = MAC_POLICY_GIVEN;
	cost(g, "source address only");
	p.flags = GATE_CONTROL | GATE_DHCP | GATE_RA | GATE_REQUESTS;
	p.flood_ns = 100000;
	p.flood_burst_ns = 1000000000;
	set_policy(g, RUN_SLOT, &p);
	cost(g, "defaults of a NAT network");
	p.flags |= GATE_IP;
	p.ip = htonl(OWN_IP);
	p.out_ns = 1;
	p.out_burst_ns = 1000000000;
	set_policy(g, RUN_SLOT, &p);
	cost(g, "all guards and a rate");
}

int
main(int argc, char **argv)
{
	struct gate_fds g;
	bool adopted;
	char why[512];

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (unshare(CLONE_NEWNET) < 0) {
		perror("gate-prog: a network namespace cannot be made");
		return 1;
	}
	if (gate_load(&g, 0, &adopted, why, sizeof(why)) < 0) {
		printf("FAIL load: %s\n", why);
		return 1;
	}
	printf("ok load\n");
	if (argc > 1 && !strcmp(argv[1], "cost")) {
		costs(&g);
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "clsact")) {
		wire_cases(&g, false);
		return failed;
	}
	given_cases(&g);
	sticky_cases(&g);
	learn_cases(&g);
	race_cases(&g);
	limit_cases(&g);
	odd_cases(&g);
	fresh_given(&g, 0);
	guard_cases(&g);
	random_cases(&g);
	load_cases(&g);
	wire_cases(&g, true);
	gate_fds_close(&g);
	return failed;
}
