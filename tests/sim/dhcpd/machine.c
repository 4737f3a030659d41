/* SPDX-License-Identifier: GPL-2.0-or-later
 * machine.c - the loop, the clocks, the socket and the channels of a played machine.
 */
#include "../../unit/lib/t.h"

#include "machine.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/loop.h"

enum { PACKET_FD = DISK_FOLDER + 1, HOLD_FD };

/* System calls have no context. */
static struct machine *machine;

/* Large, made once, used by all machines in turn. */
static struct served_work *work;

/* Frames in the ring. */
struct machine_inbox {
	uint8_t frame[MACHINE_INBOX][MACHINE_FRAME];
	size_t len[MACHINE_INBOX], in, out;
};

static void
use(struct machine *m)
{
	machine = m;
	disk_use(m->disk);
}

/* --- the loop: one timer, one descriptor --- */

struct loop_timer {
	struct loop *loop;
	struct mono when;
	void (*cb)(void *arg);
	void *arg;
};

struct loop_io {
	struct loop *loop;
	void (*cb)(int fd, void *arg);
	void *arg;
};

struct loop {
	struct loop_timer timer;
	struct loop_io io;
};

struct loop_timer *
loop_timer_new(struct loop *l, void (*cb)(void *arg), void *arg)
{
	assert_null(l->timer.cb);
	l->timer = (struct loop_timer){l, MONO_NEVER, cb, arg};
	return &l->timer;
}

void
loop_timer_free(struct loop_timer *t)
{
	if (t)
		t->cb = NULL;
}

void
loop_timer_set(struct loop_timer *t, struct mono when)
{
	t->when = when;
}

struct loop_io *
loop_add_read(struct loop *l, int fd, void (*cb)(int fd, void *arg), void *arg)
{
	assert_int_equal(fd, PACKET_FD);
	assert_null(l->io.cb);
	l->io = (struct loop_io){l, cb, arg};
	return &l->io;
}

void
loop_io_free(struct loop_io *io)
{
	if (io)
		io->cb = NULL;
}

/* --- system calls --- */

int __real_close(int fd);
int __real_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_close(int fd);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts);
ssize_t __wrap_getrandom(void *buf, size_t len, unsigned flags);
int __wrap_recvmmsg(int fd, struct mmsghdr *v, unsigned n, int flags, struct timespec *ts);
int __wrap_sendmmsg(int fd, struct mmsghdr *v, unsigned n, int flags);

int
__wrap_close(int fd)
{
	if (fd < DISK_FD)
		return __real_close(fd);
	if (fd <= DISK_FOLDER)
		disk_close(fd);
	return 0;
}

int
__wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	int64_t ms;

	if (id != CLOCK_REALTIME && id != CLOCK_BOOTTIME)
		return __real_clock_gettime(id, ts);
	ms = id == CLOCK_REALTIME ? machine->wall_ms : machine->boot_ms;
	*ts = (struct timespec){ms / 1000, ms % 1000 * 1000000};
	return 0;
}

/* Every run is the same. */
ssize_t
__wrap_getrandom(void *buf, size_t len, unsigned flags UNUSED)
{
	memset(buf, 7, len);
	return (ssize_t)len;
}

/* Nobody here answers a probe. */
int
__wrap_recvmmsg(int fd, struct mmsghdr *v UNUSED, unsigned n UNUSED, int flags UNUSED,
		struct timespec *ts UNUSED)
{
	assert_int_equal(fd, PACKET_FD);
	errno = EAGAIN;
	return -1;
}

int
__wrap_sendmmsg(int fd, struct mmsghdr *v, unsigned n, int flags UNUSED)
{
	assert_int_equal(fd, PACKET_FD);
	for (unsigned i = 0; i < n; i++)
		machine->sent(machine->arg, v[i].msg_hdr.msg_iov->iov_base,
			      v[i].msg_hdr.msg_iov->iov_len);
	return (int)n;
}

/* --- priv and the engine --- */

static uint32_t
ask(void *arg, struct msg *msg)
{
	struct machine *m = arg;

	m->last_id++;
	if (msg->type == MSG_SOCK_DHCP)
		m->sock_id = m->last_id;
	else if (msg->type == MSG_LEASE_DIR)
		m->dir_id = m->last_id;
	else
		fail_msg("asks priv for %s", msg_name(msg->type));
	return m->last_id;
}

static bool
report(void *arg, const struct msg *msg)
{
	struct machine *m = arg;

	if (msg->type == MSG_SERVICE_STATE)
		m->ok = msg->u.service_state.ok;
	return true;
}

/* What it has asked for. */
static void
answer(struct machine *m)
{
	const struct msg r = msg_reply(0, 0, NULL);

	if (m->sock_id) {
		int fds[] = {PACKET_FD, HOLD_FD};
		uint32_t id = m->sock_id;

		m->sock_id = 0;
		assert_true(served_take_reply(m->served, id, &r.u.reply, fds, 2));
	}
	if (m->dir_id) {
		int fds[] = {DISK_FOLDER};
		uint32_t id = m->dir_id;

		m->dir_id = 0;
		assert_true(served_take_reply(m->served, id, &r.u.reply, fds, 1));
	}
}

/* --- life --- */

void
machine_start(struct machine *m)
{
	struct served_env env = {.ask = ask, .report = report, .arg = m};

	use(m);
	m->loop = calloc(1, sizeof(*m->loop));
	m->inbox = malloc(sizeof(*m->inbox));
	work = work ? work : served_work_new();
	assert_non_null(m->loop);
	assert_non_null(m->inbox);
	assert_non_null(work);
	m->ok = false;
	m->inbox->in = m->inbox->out = 0;
	env.loop = m->loop;
	env.work = work;
	m->served = served_new(&env, m->conf(m->arg));
	assert_non_null(m->served);
	answer(m);
}

void
machine_stop(struct machine *m)
{
	use(m);
	m->disk->gone = true;
	served_free(m->served);
	m->disk->gone = false;
	free(m->inbox);
	free(m->loop);
	m->served = NULL;
	m->sock_id = m->dir_id = 0;
}

void
machine_boot(struct machine *m, struct disk *disk, int64_t off_ms)
{
	m->disk = disk;
	m->true_ms += off_ms;
	m->wall_ms += off_ms;
	m->boot_ms = 20000;
	machine_start(m);
}

void
machine_frame(struct machine *m, const uint8_t *frame, size_t len)
{
	struct machine_inbox *b = m->inbox;

	assert_true(b->in < MACHINE_INBOX && len <= MACHINE_FRAME);
	memcpy(b->frame[b->in], frame, len);
	b->len[b->in++] = len;
}

void
machine_turn(struct machine *m)
{
	use(m);
	while (m->inbox->out < m->inbox->in) {
		struct io_frame v[SERVED_BATCH];
		int n = 0;

		for (; n < SERVED_BATCH && m->inbox->out < m->inbox->in; n++, m->inbox->out++)
			v[n] = (struct io_frame){.p = m->inbox->frame[m->inbox->out],
						 .len = m->inbox->len[m->inbox->out]};
		served_input(m->served, v, n);
		answer(m);
	}
	m->inbox->in = m->inbox->out = 0;
}

/* Fires the timer if it is due. */
static bool
fire(struct machine *m)
{
	struct loop_timer *t = &m->loop->timer;

	if (mono_before((struct mono){m->boot_ms}, t->when))
		return false;
	t->when = MONO_NEVER;
	t->cb(t->arg);
	answer(m);
	return true;
}

static void
advance(struct machine *m, int64_t ms)
{
	m->true_ms += ms;
	m->boot_ms += ms;
	m->wall_ms += ms;
}

void
machine_pass(struct machine *m, int64_t ms)
{
	int64_t end = m->boot_ms + ms;
	unsigned fired = 0;

	use(m);
	while (m->loop->timer.when.ms <= end) {
		if (m->loop->timer.when.ms > m->boot_ms)
			advance(m, m->loop->timer.when.ms - m->boot_ms);
		assert_true(fire(m));
		assert_true(++fired < 100000); /* or it goes round and round */
	}
	advance(m, end - m->boot_ms);
}

void
machine_sleep(struct machine *m, int64_t ms)
{
	use(m);
	advance(m, ms);
	machine_pass(m, 0);
}

void
machine_set_clock(struct machine *m, int64_t ms)
{
	use(m);
	m->wall_ms += ms;
	served_clock_set(m->served);
}

void
machine_reload(struct machine *m)
{
	use(m);
	assert_int_equal(served_set_conf(m->served, m->conf(m->arg)), 0);
	answer(m);
}

/* --- looking --- */

bool
machine_lease(struct machine *m, struct ip4 ip, struct msg_lease_row *row)
{
	struct leaserows at = {0};

	use(m);
	while (served_next_row(m->served, &at, row))
		if (row->state == LEASE_ROW_ACTIVE && ip4_eq(row->addr, ip))
			return true;
	return false;
}

const char *
machine_doubles(struct machine *m)
{
	struct msg_lease_row a, b;
	struct leaserows i = {0}, k;

	use(m);
	while (served_next_row(m->served, &i, &a)) {
		k = i;
		while (a.state == LEASE_ROW_ACTIVE && served_next_row(m->served, &k, &b)) {
			if (b.state != LEASE_ROW_ACTIVE)
				continue;
			if (ip4_eq(a.addr, b.addr))
				return "an address has two leases";
			if (mac_eq(a.mac, b.mac))
				return "a client has two leases";
		}
	}
	return NULL;
}
