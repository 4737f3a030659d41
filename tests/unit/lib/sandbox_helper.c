/* SPDX-License-Identifier: GPL-2.0-or-later
 * sandbox_helper.c - the life of priv and its workers, cut to what lib/sandbox.h does, for
 * tests/net/test_sandbox.py.
 *
 *     sandbox-helper UID GID EMPTY DIR      as root
 *
 * Becomes priv, starts one worker that only waits and then, for each row of the table `tries`, a worker
 * that is prepared, executed, entered, filtered, and tries one thing. Prints a line "NAME: OUTCOME" each:
 * "ok", an errno's name, or "killed by SIGNAL". Ends when its input ends.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/chan.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/rtnl.h"
#include "lib/sandbox.h"
#include "lib/util.h"
#include "tests/unit/lib/sandbox_inet.h"

/* Descriptors that every worker inherits. */
enum { FD_DIR = 3, FD_PACKET = 4, FD_LISTEN = 5, FD_SELF = 6, FD_END = 7 };

enum { NO_FILTER = -1, ALL_EXTRAS = 0xffff };

/* 0 or the errno of what failed. */
static int
result(long r)
{
	return r < 0 ? errno : 0;
}

/* -- what a worker must be able to do -- */

static int
by_name(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static int
do_memory(pid_t other UNUSED)
{
	enum { N = 1 << 20 };
	int *v = malloc(16 << 20), *w;

	if (!v || !(w = realloc(v, 64 << 20)))
		return ENOMEM;
	for (int i = 0; i < N; i++)
		w[i] = N - i;
	qsort(w, N, sizeof(*w), by_name);
	if (w[0] != 1)
		return EINVAL;
	free(w);
	for (size_t n = 1; n < 100000; n += 997)
		free(calloc(1, n));
	return 0;
}

static int
do_stdio_and_log(pid_t other UNUSED)
{
	struct timespec ts = {.tv_nsec = 1000000};
	time_t now = time(NULL);
	struct tm tm;

	if (printf("stdio\n") < 0 || fflush(stdout) != 0)
		return EIO;
	log_open("sandbox-helper", LOG_LEVEL_INFO);
	log_info("log");
	if (!localtime_r(&now, &tm))
		return EINVAL;
	return result(nanosleep(&ts, NULL));
}

static void
on_timer(void *arg)
{
	loop_stop(arg);
}

static void
on_signal(int signo UNUSED, void *arg)
{
	++*(int *)arg;
}

static void
on_event(int fd, void *arg)
{
	eventfd_t v;

	eventfd_read(fd, &v);
	++*(int *)arg;
}

static int
do_loop(pid_t other UNUSED)
{
	struct loop *l = loop_new();
	struct loop_timer *t;
	int seen = 0, ev = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (!l || ev < 0 || loop_add_signal(l, SIGUSR1, on_signal, &seen) < 0)
		return EINVAL;
	t = loop_timer_new(l, on_timer, l);
	if (!t || !loop_add_read(l, ev, on_event, &seen) || eventfd_write(ev, 1) < 0)
		return EINVAL;
	loop_timer_set(t, mono_add(mono_now(), 20));
	if (raise(SIGUSR1) != 0)
		return errno;
	loop_run(l);
	return seen == 2 ? 0 : ETIME;
}

/* Needs a pair: made in the worker before its filter, see main(). */
static int pair[2];

static void
on_msg(struct chan *c UNUSED, const struct msg *m UNUSED, int *fds UNUSED, size_t nfds, void *arg)
{
	if (nfds == 1)
		loop_stop(arg);
}

static void
on_gone(struct chan *c UNUSED, const char *why UNUSED, void *arg)
{
	loop_stop(arg);
}

static int
do_channel(pid_t other UNUSED)
{
	static const struct chan_handler h = {.msg = on_msg, .gone = on_gone};
	struct loop *l = loop_new();
	struct chan *a, *b;
	struct msg m = msg_reply(1, 0, "hello");
	int fd = FD_DIR;

	if (!l || !(a = chan_new(l, pair[0], "a", &h, l)) ||
	    !(b = chan_new(l, pair[1], "b", &h, l)))
		return ENOMEM;
	/* Enough to fill the socket, so that descriptors are duplicated and queued too. */
	for (int i = 0; i < 1000; i++)
		if (chan_send(a, &m, &fd, i == 999 ? 1 : 0) < 0)
			return EPIPE;
	loop_run(l);
	if (chan_queued(a) != 0)
		return EBUSY;
	chan_free(a);
	chan_free(b);
	loop_free(l);
	return 0;
}

static int
do_many_messages(pid_t other UNUSED)
{
	char b[2] = "x";
	struct iovec iov = {b, 1};
	struct mmsghdr mm[1] = {{.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}}};

	if (sendmmsg(pair[0], mm, 1, 0) != 1 || recvmmsg(pair[1], mm, 1, 0, NULL) != 1)
		return errno;
	return send(pair[0], b, 1, 0) == 1 && recv(pair[1], b, 1, 0) == 1 ? 0 : errno;
}

static int
do_abort(pid_t other UNUSED)
{
	abort();
}

static int
do_memfd(pid_t other UNUSED)
{
	int fd = fd_memfd("x", "abc", 3);

	return fd < 0 ? -fd : 0;
}

static int
do_files(pid_t other UNUSED)
{
	AUTO_FD fd = openat(FD_DIR, "new", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct stat st;
	char b[3];

	if (fd < 0 || write(fd, "abc", 3) != 3 || fdatasync(fd) < 0 || fsync(fd) < 0 ||
	    ftruncate(fd, 2) < 0 || pread(fd, b, 3, 0) != 2 || fstat(fd, &st) < 0 ||
	    st.st_size != 2)
		return errno ? errno : EINVAL;
	if (mkdirat(FD_DIR, "sub", 0700) < 0 || renameat(FD_DIR, "new", FD_DIR, "sub/old") < 0 ||
	    fstatat(FD_DIR, "sub/old", &st, 0) < 0 || unlinkat(FD_DIR, "sub/old", 0) < 0 ||
	    unlinkat(FD_DIR, "sub", AT_REMOVEDIR) < 0)
		return errno;
	return 0;
}

static void
count_link(const struct rtnl_link *l UNUSED, void *arg)
{
	++*(int *)arg;
}

static int
do_rtnl(pid_t other UNUSED)
{
	const struct rtnl_events ev = {0};
	struct rtnl *r = rtnl_new(&ev, NULL);
	int n = 0, err;

	if (!r)
		return errno;
	err = rtnl_links(r, count_link, &n);
	rtnl_dispatch(r);
	rtnl_free(r);
	return err < 0 ? -err : n > 0 ? 0 : ENODATA;
}

/* The listener is non-blocking and nobody calls. */
static int
do_accept(pid_t other UNUSED)
{
	return accept4(FD_LISTEN, NULL, NULL, SOCK_CLOEXEC) < 0 && errno != EAGAIN ? errno : 0;
}

/* Nothing is there: not even dumps of cores or a place for them. */
static int
look_at_root(pid_t other UNUSED)
{
	DIR *d = opendir("/");
	struct dirent *e;
	int n = 0;

	if (!d)
		return errno;
	while ((e = readdir(d)))
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	if (n > 0)
		return ENOTEMPTY;
	if (open("/new", O_CREAT | O_WRONLY, 0600) >= 0)
		return EEXIST;
	return prctl(PR_GET_DUMPABLE) == 0 ? 0 : EINVAL;
}

/* -- what it must not -- */

static int
try_kill(pid_t other)
{
	return result(kill(other, 0));
}

static int
try_kill_priv(pid_t other UNUSED)
{
	return result(kill(getppid(), 0));
}

static int
try_tgkill(pid_t other)
{
	return result(syscall(SYS_tgkill, other, other, 0));
}

static int
try_pidfd(pid_t other)
{
	return result(syscall(SYS_pidfd_open, other, 0));
}

static int
try_ptrace(pid_t other)
{
	return result(ptrace(PTRACE_SEIZE, other, NULL, NULL));
}

static int
try_ptrace_priv(pid_t other UNUSED)
{
	return result(ptrace(PTRACE_SEIZE, getppid(), NULL, NULL));
}

static int
try_vm_read(pid_t other)
{
	char b;
	struct iovec iov = {&b, 1};

	return result(process_vm_readv(other, &iov, 1, &iov, 1, 0));
}

static int
try_prlimit(pid_t other)
{
	struct rlimit lim;

	return result(prlimit(other, RLIMIT_CORE, NULL, &lim));
}

static int
try_own_limit(pid_t other UNUSED)
{
	struct rlimit lim;

	return result(getrlimit(RLIMIT_NOFILE, &lim));
}

static int
try_open(pid_t other UNUSED)
{
	return result(open("/", O_RDONLY));
}

static int
try_openat_dir(pid_t other UNUSED)
{
	return result(openat(FD_DIR, ".", O_RDONLY));
}

static int
try_socket_inet(pid_t other UNUSED)
{
	return result(socket(AF_INET, SOCK_DGRAM, 0));
}

static int
try_socket_unix(pid_t other UNUSED)
{
	return result(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int
try_socket_packet(pid_t other UNUSED)
{
	return result(socket(AF_PACKET, SOCK_RAW, 0));
}

static int
try_socket_netfilter(pid_t other UNUSED)
{
	return result(socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER));
}

static int
try_ping_socket(pid_t other UNUSED)
{
	return result(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
}

/* The address of a packet socket may not be made to look like another family's by its length. */
static int
try_rebind_packet(pid_t other UNUSED)
{
	static const socklen_t lens[] = {sizeof(struct sockaddr_ll), sizeof(struct sockaddr_in6),
					 128};
	union {
		struct sockaddr_ll ll;
		struct sockaddr sa;
		char room[128];
	} a = {.ll = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = 1}};

	for (size_t i = 0; i < ARRAY_LEN(lens); i++)
		if (bind(FD_PACKET, &a.sa, lens[i]) == 0 || errno != EPERM)
			return EBADE;
	return bind(FD_PACKET, &a.sa, sizeof(struct sockaddr_in)) == 0 ? EBADE : EPERM;
}

static int
try_set_owner(pid_t other)
{
	return result(fcntl(FD_PACKET, F_SETOWN, other));
}

static int
try_set_owner_ioctl(pid_t other)
{
	return result(ioctl(FD_PACKET, FIOSETOWN, &other));
}

static int
try_mmap_exec(pid_t other UNUSED)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? errno : 0;
}

static int
try_mprotect_exec(pid_t other UNUSED)
{
	void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? EBADE : result(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int
try_chroot(pid_t other UNUSED)
{
	return result(chroot("/"));
}

static int
try_mount(pid_t other UNUSED)
{
	return result(mount("x", "/", "tmpfs", 0, NULL));
}

static int
try_unshare(pid_t other UNUSED)
{
	return result(unshare(CLONE_NEWUSER));
}

static int
try_fork(pid_t other UNUSED)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return result(pid);
}

static int
try_exec(pid_t other UNUSED)
{
	char *argv[] = {NULL};

	return result(fexecve(FD_SELF, argv, argv));
}

static int
try_bpf(pid_t other UNUSED)
{
	union bpf_attr attr = {
	    .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};

	return result(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)));
}

static int
try_setuid(pid_t other UNUSED)
{
	return result(setuid(0));
}

static int
try_ambient(pid_t other UNUSED)
{
	return result(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_CHROOT, 0, 0));
}

struct attempt {
	const char *name;
	int extra; /* NO_FILTER: entered, but not filtered */
	int (*run)(pid_t other);
};

/* Outcomes are expected by tests/net/test_sandbox.py. */
static const struct attempt tries[] = {
    {"memory", 0, do_memory},
    {"stdio and log", 0, do_stdio_and_log},
    {"loop", 0, do_loop},
    {"channel", 0, do_channel},
    {"many messages", 0, do_many_messages},
    {"own limit", 0, try_own_limit},
    {"abort", 0, do_abort},
    {"memfd allowed", SANDBOX_MEMFD, do_memfd},
    {"files allowed", SANDBOX_OPENAT_BENEATH, do_files},
    {"rtnl allowed", SANDBOX_SOCKET_NETLINK, do_rtnl},
    {"udp allowed", SANDBOX_SOCKET_INET_UDP, sandbox_do_udp},
    {"tcp allowed", SANDBOX_SOCKET_INET_TCP, sandbox_do_tcp},
    {"accept allowed", SANDBOX_SOCKET_ACCEPT, do_accept},
    {"relay allowed", SANDBOX_TCP_RELAY, sandbox_do_relay},
    {"memfd", ALL_EXTRAS & ~SANDBOX_MEMFD, do_memfd},
    {"files", ALL_EXTRAS & ~SANDBOX_OPENAT_BENEATH, try_openat_dir},
    {"rtnl", ALL_EXTRAS & ~SANDBOX_SOCKET_NETLINK, do_rtnl},
    {"udp", ALL_EXTRAS & ~SANDBOX_SOCKET_INET_UDP, sandbox_do_udp},
    {"tcp", ALL_EXTRAS & ~(SANDBOX_SOCKET_INET_TCP | SANDBOX_TCP_RELAY), sandbox_do_tcp},
    {"accept", ALL_EXTRAS & ~(SANDBOX_SOCKET_ACCEPT | SANDBOX_TCP_RELAY), do_accept},
    {"relay", ALL_EXTRAS & ~SANDBOX_TCP_RELAY, sandbox_try_splice},
    {"relay listens", SANDBOX_TCP_RELAY, sandbox_try_listen},
    {"root, unfiltered", NO_FILTER, look_at_root},
    {"ptrace, unfiltered", NO_FILTER, try_ptrace},
    {"ptrace priv, unfiltered", NO_FILTER, try_ptrace_priv},
    {"vm read, unfiltered", NO_FILTER, try_vm_read},
    {"chroot, unfiltered", NO_FILTER, try_chroot},
    {"mount, unfiltered", NO_FILTER, try_mount},
    {"ambient, unfiltered", NO_FILTER, try_ambient},
    {"packet socket, unfiltered", NO_FILTER, try_socket_packet},
    {"kill, unfiltered", NO_FILTER, try_kill},
    {"kill", ALL_EXTRAS, try_kill},
    {"kill priv", ALL_EXTRAS, try_kill_priv},
    {"tgkill", ALL_EXTRAS, try_tgkill},
    {"pidfd", ALL_EXTRAS, try_pidfd},
    {"ptrace", ALL_EXTRAS, try_ptrace},
    {"vm read", ALL_EXTRAS, try_vm_read},
    {"prlimit", ALL_EXTRAS, try_prlimit},
    {"open", 0, try_open},
    {"socket inet", 0, try_socket_inet},
    {"socket unix", ALL_EXTRAS, try_socket_unix},
    {"socket packet", ALL_EXTRAS, try_socket_packet},
    {"socket netfilter", ALL_EXTRAS, try_socket_netfilter},
    {"socket ping", ALL_EXTRAS, try_ping_socket},
    {"rebind packet socket", ALL_EXTRAS, try_rebind_packet},
    {"set owner", ALL_EXTRAS, try_set_owner},
    {"set owner by ioctl", ALL_EXTRAS, try_set_owner_ioctl},
    {"mmap exec", ALL_EXTRAS, try_mmap_exec},
    {"mprotect exec", ALL_EXTRAS, try_mprotect_exec},
    {"chroot", ALL_EXTRAS, try_chroot},
    {"mount", ALL_EXTRAS, try_mount},
    {"unshare", ALL_EXTRAS, try_unshare},
    {"fork", ALL_EXTRAS, try_fork},
    {"exec", ALL_EXTRAS, try_exec},
    {"bpf", ALL_EXTRAS, try_bpf},
    {"setuid", ALL_EXTRAS, try_setuid},
};

/* priv's own, under its own filter. */

/* Longer than the kernel takes, which says E2BIG before it looks at rights: EPERM is the filter's. */
static int
bpf_too_long(int cmd)
{
	return result(syscall(SYS_bpf, cmd, NULL, 1u << 20));
}

static int
try_bpf_map(pid_t other UNUSED)
{
	return bpf_too_long(BPF_MAP_CREATE);
}

static int
try_bpf_program(pid_t other UNUSED)
{
	return bpf_too_long(BPF_PROG_LOAD);
}

static int
try_bpf_types(pid_t other UNUSED)
{
	return bpf_too_long(BPF_BTF_LOAD);
}

static int
try_bpf_update(pid_t other UNUSED)
{
	return bpf_too_long(BPF_MAP_UPDATE_ELEM) == E2BIG ? 0 : EPERM;
}

static int
try_personality(pid_t other UNUSED)
{
	return result(personality(ADDR_NO_RANDOMIZE));
}

static int
try_spawn(pid_t other UNUSED)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(7);
	if (pid < 0)
		return errno;
	return waitpid(pid, NULL, 0) == pid ? 0 : errno;
}

static const struct attempt priv_tries[] = {
    {"priv ptrace", 0, try_ptrace},
    {"priv vm read", 0, try_vm_read},
    {"priv unshare", 0, try_unshare},
    {"priv mount", 0, try_mount},
    {"priv bpf", 0, try_bpf},
    {"priv bpf map", 0, try_bpf_map},
    {"priv bpf program", 0, try_bpf_program},
    {"priv bpf types", 0, try_bpf_types},
    {"priv bpf update", 0, try_bpf_update},
    {"priv personality", 0, try_personality},
    {"priv setuid", 0, try_setuid},
    {"priv kill", 0, try_kill},
    {"priv packet socket", 0, try_socket_packet},
    {"priv spawn", 0, try_spawn},
};

static void
say(const char *name, const char *outcome)
{
	printf("%s: %s\n", name, outcome);
	fflush(stdout);
}

static void
say_errno(const char *name, int err)
{
	say(name, err ? strerrorname_np(err) : "ok");
}

/* A worker: enters, filters itself, and tries one thing, or waits for the end of its input. */
static int
worker(const char *empty, int index, pid_t other)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	int r, err;

	if (fd_seqpacket_pair(pair) < 0 || (r = sandbox_enter(empty)) < 0)
		return 200;
	if (index < 0 || tries[index].extra != NO_FILTER)
		if (sandbox_seccomp(index < 0 ? 0 : (unsigned)tries[index].extra) < 0)
			return 201;
	if (index >= 0) {
		err = tries[index].run(other);
		return err < 200 ? err : 199;
	}
	while (poll(&in, 1, -1) <= 0)
		;
	return 0;
}

static pid_t
start_worker(const char *empty, int index, pid_t other, bool prepare)
{
	char index_text[16], other_text[16];
	char name[] = "sandbox-worker", role[] = "worker", where[256];
	char *argv[] = {name, role, where, index_text, other_text, NULL};
	char *envp[] = {NULL};
	pid_t pid;

	snprintf(index_text, sizeof(index_text), "%d", index);
	snprintf(other_text, sizeof(other_text), "%d", (int)other);
	snprintf(where, sizeof(where), "%s", empty);
	pid = fork();
	if (pid == 0) {
		if (prepare && sandbox_child_prepare() < 0)
			_exit(202);
		fd_close_from(FD_END);
		fexecve(FD_SELF, argv, envp);
		_exit(203);
	}
	return pid;
}

static void
report_exit(const char *name, pid_t pid)
{
	char text[64];
	int status;

	if (waitpid(pid, &status, 0) != pid)
		say(name, "lost");
	else if (WIFSIGNALED(status)) {
		snprintf(text, sizeof(text), "killed by SIG%s", sigabbrev_np(WTERMSIG(status)));
		say(name, text);
	} else if (WEXITSTATUS(status) >= 199) {
		snprintf(text, sizeof(text), "exit %d", WEXITSTATUS(status));
		say(name, text);
	} else {
		say_errno(name, WEXITSTATUS(status));
	}
}

/* Puts fd at its number for the children, not close-on-exec. */
static bool
place(int fd, int number)
{
	if (fd == number)
		return fcntl(fd, F_SETFD, 0) == 0;
	return fd >= 0 && dup2(fd, number) == number && close(fd) == 0;
}

static bool
open_inherited(const char *dir)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX}; /* autobind */
	int fd;

	if (!place(open(dir, O_RDONLY | O_DIRECTORY), FD_DIR) ||
	    !place(socket(AF_PACKET, SOCK_RAW, 0), FD_PACKET))
		return false;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof(sa_family_t)) < 0 ||
	    listen(fd, 1) < 0)
		return false;
	return place(fd, FD_LISTEN) && place(open("/proc/self/exe", O_RDONLY), FD_SELF);
}

static void
run_tries(const char *empty, pid_t waiting, bool filtered)
{
	for (size_t i = 0; i < ARRAY_LEN(tries); i++)
		if ((tries[i].extra != NO_FILTER) == filtered)
			report_exit(tries[i].name, start_worker(empty, (int)i, waiting, true));
}

static int
priv(uid_t uid, gid_t gid, const char *empty, const char *dir)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	char text[32];
	pid_t waiting;

	if (!open_inherited(dir)) {
		say("setup", strerrorname_np(errno));
		return 1;
	}
	say_errno("drop root", -sandbox_drop_root(uid, gid));
	waiting = start_worker(empty, -1, 0, true);
	snprintf(text, sizeof(text), "%d", (int)waiting);
	say("waiting worker", text);
	/* The worker is through when it is not dumpable: give it the time that an exec takes. */
	usleep(200 * 1000);

	/* priv's filter is its children's too, so what dumpable and capabilities refuse is seen first. */
	report_exit("unprepared", start_worker(empty, 0, waiting, false));
	run_tries(empty, waiting, false);
	say_errno("filter priv", -sandbox_seccomp_priv());
	run_tries(empty, waiting, true);
	for (size_t i = 0; i < ARRAY_LEN(priv_tries); i++)
		say_errno(priv_tries[i].name, priv_tries[i].run(waiting));
	say("ready", "ok");
	while (poll(&in, 1, -1) <= 0)
		;
	report_exit("waiting", waiting);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "worker") == 0)
		_exit(worker(argv[2], atoi(argv[3]), atoi(argv[4])));
	if (argc != 5) {
		fprintf(stderr, "usage: sandbox-helper UID GID EMPTY DIR\n");
		return 2;
	}
	return priv((uid_t)atoi(argv[1]), (gid_t)atoi(argv[2]), argv[3], argv[4]);
}
