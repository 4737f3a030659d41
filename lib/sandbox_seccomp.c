/* SPDX-License-Identifier: GPL-2.0-or-later
 * sandbox_seccomp.c - system-call filters: an allow-list for workers, a deny list for priv.
 *
 * The lists are tables; the code below only feeds them to libseccomp. A filter cannot look behind
 * a pointer, so what may be opened is decided by the empty root and by file permissions, not here.
 */
#include "sandbox.h"

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util.h"

/* For every worker, whatever the arguments. */
static const int base_calls[] = {
    /* bytes */
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(preadv), SCMP_SYS(write),
    SCMP_SYS(writev), SCMP_SYS(pwrite64), SCMP_SYS(pwritev), SCMP_SYS(lseek), SCMP_SYS(_llseek),
    /* sockets that exist already, the channels above all */
    SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg), SCMP_SYS(recvmsg), SCMP_SYS(recvmmsg),
    SCMP_SYS(recvmmsg_time64), SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(send), SCMP_SYS(recv),
    SCMP_SYS(shutdown), SCMP_SYS(getsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
    /* descriptors */
    SCMP_SYS(close), SCMP_SYS(close_range), SCMP_SYS(dup), SCMP_SYS(dup3), SCMP_SYS(pipe2),
    SCMP_SYS(fstat), SCMP_SYS(fstat64), SCMP_SYS(newfstatat), SCMP_SYS(fstatat64),
    /* the loop: libevent's epoll, timers, signals */
    SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(ppoll_time64),
    SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime), SCMP_SYS(timerfd_settime64),
    SCMP_SYS(timerfd_gettime), SCMP_SYS(timerfd_gettime64), SCMP_SYS(eventfd2), SCMP_SYS(signalfd4),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigreturn),
    SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall),
    /* memory; mmap and mprotect are below */
    SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk), SCMP_SYS(madvise),
    /* glibc's run time: locks, threads' bookkeeping, qsort(), malloc() arenas, sysconf() */
    SCMP_SYS(futex), SCMP_SYS(futex_time64), SCMP_SYS(rseq), SCMP_SYS(set_robust_list),
    SCMP_SYS(set_tid_address), SCMP_SYS(getrandom), SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_yield), SCMP_SYS(sysinfo), SCMP_SYS(getrusage), SCMP_SYS(membarrier),
    /* time, where the vDSO cannot tell it */
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64), SCMP_SYS(clock_getres),
    SCMP_SYS(clock_getres_time64), SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_nanosleep_time64),
    SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time),
    /* who we are */
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
    SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getuid32), SCMP_SYS(geteuid32),
    SCMP_SYS(getgid32), SCMP_SYS(getegid32), SCMP_SYS(exit), SCMP_SYS(exit_group)};

/* SANDBOX_OPENAT_BENEATH. */
static const int openat_calls[] = {
    SCMP_SYS(openat),    SCMP_SYS(openat2),     SCMP_SYS(renameat),   SCMP_SYS(renameat2),
    SCMP_SYS(unlinkat),  SCMP_SYS(mkdirat),     SCMP_SYS(fdatasync),  SCMP_SYS(fsync),
    SCMP_SYS(ftruncate), SCMP_SYS(ftruncate64), SCMP_SYS(fallocate),  SCMP_SYS(fchmod),
    SCMP_SYS(flock),     SCMP_SYS(getdents64),  SCMP_SYS(readlinkat), SCMP_SYS(statx),
    SCMP_SYS(umask)};

/* One condition on one argument: (arg & mask) == value. */
struct arg_rule {
	int call;
	unsigned arg;
	uint64_t mask, value;
};

#define U32_MASK UINT32_MAX /* the kernel ignores the upper half of an int argument */

static const struct arg_rule base_rules[] = {
    /* No memory that can be executed, so that injected code has no place. */
    {SCMP_SYS(mmap), 2, PROT_EXEC, 0},
    {SCMP_SYS(mmap2), 2, PROT_EXEC, 0},
    {SCMP_SYS(mprotect), 2, PROT_EXEC, 0},
    /* Not F_SETOWN, F_SETSIG and their kin: they send signals to other processes. */
    {SCMP_SYS(fcntl), 1, U32_MASK, F_GETFD},
    {SCMP_SYS(fcntl), 1, U32_MASK, F_SETFD},
    {SCMP_SYS(fcntl), 1, U32_MASK, F_GETFL},
    {SCMP_SYS(fcntl), 1, U32_MASK, F_SETFL},
    {SCMP_SYS(fcntl), 1, U32_MASK, F_DUPFD},
    {SCMP_SYS(fcntl), 1, U32_MASK, F_DUPFD_CLOEXEC},
    {SCMP_SYS(fcntl), 1, U32_MASK, F_GET_SEALS},
    {SCMP_SYS(fcntl64), 1, U32_MASK, F_GETFD},
    {SCMP_SYS(fcntl64), 1, U32_MASK, F_SETFD},
    {SCMP_SYS(fcntl64), 1, U32_MASK, F_GETFL},
    {SCMP_SYS(fcntl64), 1, U32_MASK, F_SETFL},
    {SCMP_SYS(fcntl64), 1, U32_MASK, F_DUPFD},
    {SCMP_SYS(fcntl64), 1, U32_MASK, F_DUPFD_CLOEXEC},
    {SCMP_SYS(fcntl64), 1, U32_MASK, F_GET_SEALS},
    /* stdio asks whether it writes to a terminal. */
    {SCMP_SYS(ioctl), 1, U32_MASK, TCGETS},
    {SCMP_SYS(ioctl), 1, U32_MASK, FIONREAD},
    {SCMP_SYS(ioctl), 1, U32_MASK, FIONBIO},
    /* Our own limits; those of other processes of the same user are not ours. */
    {SCMP_SYS(prlimit64), 0, U32_MASK, 0},
};

static const int netlink_calls[] = {SCMP_SYS(setsockopt)};
static const int inet_calls[] = {SCMP_SYS(connect), SCMP_SYS(setsockopt)};
static const int accept_calls[] = {SCMP_SYS(accept4)};
static const int memfd_calls[] = {SCMP_SYS(memfd_create), SCMP_SYS(ftruncate),
				  SCMP_SYS(ftruncate64)};

/* bind() is told apart by the size of its address: a packet socket, which could otherwise be moved
 * to another interface, takes no less than 20 bytes. So IPv6 sockets (28) are connected, not bound. */
static const struct arg_rule netlink_rules[] = {
    {SCMP_SYS(bind), 2, U32_MASK, sizeof(struct sockaddr_nl)},
};
static const struct arg_rule inet_rules[] = {
    {SCMP_SYS(bind), 2, U32_MASK, sizeof(struct sockaddr_in)},
};

static const struct arg_rule memfd_rules[] = {
    {SCMP_SYS(fcntl), 1, U32_MASK, F_ADD_SEALS},
    {SCMP_SYS(fcntl64), 1, U32_MASK, F_ADD_SEALS},
};

static const int nsfs_calls[] = {SCMP_SYS(fstatfs), SCMP_SYS(fstatfs64)};
static const struct arg_rule nsfs_rules[] = {
    {SCMP_SYS(ioctl), 1, U32_MASK, NS_GET_NSTYPE},
    {SCMP_SYS(ioctl), 1, U32_MASK, NS_GET_USERNS},
    {SCMP_SYS(ioctl), 1, U32_MASK, NS_GET_OWNER_UID},
};

static const int relay_calls[] = {SCMP_SYS(connect), SCMP_SYS(accept4), SCMP_SYS(setsockopt),
				  SCMP_SYS(splice)};
static const struct arg_rule relay_rules[] = {
    {SCMP_SYS(fcntl), 1, U32_MASK, F_SETPIPE_SZ},
    {SCMP_SYS(fcntl), 1, U32_MASK, F_GETPIPE_SZ},
    {SCMP_SYS(fcntl64), 1, U32_MASK, F_SETPIPE_SZ},
    {SCMP_SYS(fcntl64), 1, U32_MASK, F_GETPIPE_SZ},
};

static const int ring_calls[] = {SCMP_SYS(setsockopt), SCMP_SYS(seccomp), SCMP_SYS(ftruncate),
				 SCMP_SYS(ftruncate64)};

/* Neither sendmsg() nor dup(): a descriptor could leave, or get another number, by them. */
static const int capture_calls[] = {SCMP_SYS(poll),
				    SCMP_SYS(ppoll),
				    SCMP_SYS(ppoll_time64),
				    SCMP_SYS(restart_syscall),
				    SCMP_SYS(lseek),
				    SCMP_SYS(_llseek),
				    SCMP_SYS(ftruncate),
				    SCMP_SYS(ftruncate64),
				    SCMP_SYS(close),
				    SCMP_SYS(munmap),
				    SCMP_SYS(mremap),
				    SCMP_SYS(brk),
				    SCMP_SYS(madvise),
				    SCMP_SYS(futex),
				    SCMP_SYS(futex_time64),
				    SCMP_SYS(getrandom),
				    SCMP_SYS(rt_sigreturn),
				    SCMP_SYS(sigreturn),
				    SCMP_SYS(sigaltstack),
				    SCMP_SYS(clock_gettime),
				    SCMP_SYS(clock_gettime64),
				    SCMP_SYS(gettimeofday),
				    SCMP_SYS(exit),
				    SCMP_SYS(exit_group)};

static const struct arg_rule capture_rules[] = {
    {SCMP_SYS(mmap), 2, PROT_EXEC, 0},
    {SCMP_SYS(mmap2), 2, PROT_EXEC, 0},
    /* A write to the packet socket would send. */
    {SCMP_SYS(read), 0, SANDBOX_PACKET_FD, 0},
    {SCMP_SYS(write), 0, SANDBOX_PACKET_FD, 0},
    {SCMP_SYS(getsockopt), 0, U32_MASK, SANDBOX_PACKET_FD},
};

static const struct arg_rule bpf_info_rules[] = {
    {SCMP_SYS(bpf), 0, U32_MASK, BPF_OBJ_GET_INFO_BY_FD},
};

#ifdef VNET_SECCOMP_KILL
static const int bpf_calls[] = {SCMP_SYS(bpf)};

/* What libraries try on their own, and what our tests and an intruder try first: refused with EPERM
 * and survived, where any other call outside the lists kills. */
static const int probe_calls[] = {SCMP_SYS(kill),
				  SCMP_SYS(tkill),
				  SCMP_SYS(tgkill),
				  SCMP_SYS(rt_sigqueueinfo),
				  SCMP_SYS(rt_tgsigqueueinfo),
				  SCMP_SYS(pidfd_open),
				  SCMP_SYS(pidfd_send_signal),
				  SCMP_SYS(ptrace),
				  SCMP_SYS(process_vm_readv),
				  SCMP_SYS(process_vm_writev),
				  SCMP_SYS(setrlimit),
				  SCMP_SYS(prlimit64),
				  SCMP_SYS(open),
				  SCMP_SYS(openat),
				  SCMP_SYS(openat2),
				  SCMP_SYS(stat),
				  SCMP_SYS(lstat),
				  SCMP_SYS(statx),
				  SCMP_SYS(access),
				  SCMP_SYS(faccessat),
				  SCMP_SYS(faccessat2),
				  SCMP_SYS(readlink),
				  SCMP_SYS(readlinkat),
				  SCMP_SYS(getcwd),
				  SCMP_SYS(uname),
				  SCMP_SYS(socket),
				  SCMP_SYS(connect),
				  SCMP_SYS(bind),
				  SCMP_SYS(setsockopt),
				  SCMP_SYS(ioctl),
				  SCMP_SYS(fcntl),
				  SCMP_SYS(fcntl64),
				  SCMP_SYS(mmap),
				  SCMP_SYS(mmap2),
				  SCMP_SYS(mprotect),
				  SCMP_SYS(prctl),
				  SCMP_SYS(seccomp)};
#endif

/* priv: never needed by us or our libraries, each a way to more power or to others' memory. */
static const int priv_denied[] = {
    /* other processes */
    SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
    SCMP_SYS(process_madvise), SCMP_SYS(pidfd_getfd), SCMP_SYS(kcmp),
    /* namespaces and mounts */
    SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(mount), SCMP_SYS(umount), SCMP_SYS(umount2),
    SCMP_SYS(pivot_root), SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen),
    SCMP_SYS(fsconfig), SCMP_SYS(fsmount), SCMP_SYS(fspick), SCMP_SYS(mount_setattr),
    SCMP_SYS(open_by_handle_at),
    /* the kernel itself */
    SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load), SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(swapoff),
    SCMP_SYS(acct), SCMP_SYS(quotactl), SCMP_SYS(quotactl_fd), SCMP_SYS(syslog), SCMP_SYS(iopl),
    SCMP_SYS(ioperm), SCMP_SYS(modify_ldt), SCMP_SYS(vhangup), SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime), SCMP_SYS(clock_settime64), SCMP_SYS(adjtimex), SCMP_SYS(clock_adjtime),
    SCMP_SYS(clock_adjtime64), SCMP_SYS(sethostname), SCMP_SYS(setdomainname),
    /* large and rarely audited */
    SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register), SCMP_SYS(keyctl), SCMP_SYS(add_key),
    SCMP_SYS(request_key), SCMP_SYS(personality)};

/* A filter under construction: the first error sticks. */
struct filter {
	scmp_filter_ctx ctx;
	int err;
};

static void
filter_init(struct filter *f, uint32_t action)
{
	f->err = 0;
	f->ctx = seccomp_init(action);
	if (!f->ctx) {
		f->err = -ENOMEM;
		return;
	}
	/* no_new_privs is set already, and must have been: we are not root. */
	f->err = seccomp_attr_set(f->ctx, SCMP_FLTATR_CTL_NNP, 0);
}

static void
filter_add(struct filter *f, uint32_t action, const int *calls, size_t n)
{
	for (size_t i = 0; i < n && f->err == 0; i++)
		f->err = seccomp_rule_add_array(f->ctx, action, calls[i], 0, NULL);
}

static void
filter_add_rules(struct filter *f, uint32_t action, const struct arg_rule *rules, size_t n)
{
	for (size_t i = 0; i < n && f->err == 0; i++) {
		struct scmp_arg_cmp cmp =
		    SCMP_CMP64(rules[i].arg, SCMP_CMP_MASKED_EQ, rules[i].mask, rules[i].value);

		f->err = seccomp_rule_add_array(f->ctx, action, rules[i].call, 1, &cmp);
	}
}

/* socket(domain, type, protocol); type may carry SOCK_CLOEXEC and SOCK_NONBLOCK. */
static void
filter_add_socket(struct filter *f, int domain, int type, int protocol)
{
	struct scmp_arg_cmp cmp[] = {
	    SCMP_CMP64(0, SCMP_CMP_MASKED_EQ, U32_MASK, (uint64_t)domain),
	    SCMP_CMP64(1, SCMP_CMP_MASKED_EQ, ~(uint64_t)(SOCK_CLOEXEC | SOCK_NONBLOCK) & U32_MASK,
		       (uint64_t)type),
	    SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, U32_MASK, (uint64_t)protocol),
	};

	if (f->err == 0)
		f->err = seccomp_rule_add_array(f->ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket),
						ARRAY_LEN(cmp), cmp);
}

static int
filter_load(struct filter *f)
{
	int r = f->err;

	if (r == 0)
		r = seccomp_load(f->ctx);
	if (f->ctx)
		seccomp_release(f->ctx);
	return r;
}

#define ALLOW(f, calls)       filter_add((f), SCMP_ACT_ALLOW, (calls), ARRAY_LEN(calls))
#define ALLOW_RULES(f, rules) filter_add_rules((f), SCMP_ACT_ALLOW, (rules), ARRAY_LEN(rules))

static void
allow_extra(struct filter *f, unsigned extra)
{
	if (extra & SANDBOX_SOCKET_NETLINK) {
		filter_add_socket(f, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
		filter_add_socket(f, AF_NETLINK, SOCK_DGRAM, NETLINK_ROUTE);
		ALLOW(f, netlink_calls);
		ALLOW_RULES(f, netlink_rules);
	}
	if (extra & (SANDBOX_SOCKET_INET_UDP | SANDBOX_SOCKET_INET_TCP)) {
		ALLOW(f, inet_calls);
		ALLOW_RULES(f, inet_rules);
	}
	if (extra & SANDBOX_SOCKET_INET_UDP) {
		filter_add_socket(f, AF_INET, SOCK_DGRAM, 0);
		filter_add_socket(f, AF_INET, SOCK_DGRAM, IPPROTO_UDP);
		filter_add_socket(f, AF_INET6, SOCK_DGRAM, 0);
		filter_add_socket(f, AF_INET6, SOCK_DGRAM, IPPROTO_UDP);
	}
	if (extra & (SANDBOX_SOCKET_INET_TCP | SANDBOX_TCP_RELAY)) {
		filter_add_socket(f, AF_INET, SOCK_STREAM, 0);
		filter_add_socket(f, AF_INET, SOCK_STREAM, IPPROTO_TCP);
		filter_add_socket(f, AF_INET6, SOCK_STREAM, 0);
		filter_add_socket(f, AF_INET6, SOCK_STREAM, IPPROTO_TCP);
	}
	if (extra & SANDBOX_TCP_RELAY) {
		ALLOW(f, relay_calls);
		ALLOW_RULES(f, relay_rules);
	}
	if (extra & SANDBOX_SOCKET_ACCEPT)
		ALLOW(f, accept_calls);
	if (extra & SANDBOX_OPENAT_BENEATH)
		ALLOW(f, openat_calls);
	if (extra & SANDBOX_MEMFD) {
		ALLOW(f, memfd_calls);
		ALLOW_RULES(f, memfd_rules);
	}
	if (extra & SANDBOX_BPF_INFO)
		ALLOW_RULES(f, bpf_info_rules);
	if (extra & SANDBOX_NSFS) {
		ALLOW(f, nsfs_calls);
		ALLOW_RULES(f, nsfs_rules);
	}
	if (extra & SANDBOX_PACKET_RING)
		ALLOW(f, ring_calls);
}

#ifdef VNET_SECCOMP_KILL
/* A first, coarser filter: of two filters the kernel takes the stricter verdict, so every call that
 * the second one may want to judge by its arguments passes here, and all others kill. */
static int
load_kill_filter(unsigned extra)
{
	struct filter f;

	filter_init(&f, SCMP_ACT_KILL_PROCESS);
	ALLOW(&f, base_calls);
	ALLOW(&f, probe_calls);
	if (extra & SANDBOX_SOCKET_ACCEPT)
		ALLOW(&f, accept_calls);
	if (extra & SANDBOX_TCP_RELAY)
		ALLOW(&f, relay_calls);
	if (extra & SANDBOX_OPENAT_BENEATH)
		ALLOW(&f, openat_calls);
	if (extra & SANDBOX_MEMFD)
		ALLOW(&f, memfd_calls);
	if (extra & SANDBOX_NSFS)
		ALLOW(&f, nsfs_calls);
	if (extra & SANDBOX_BPF_INFO)
		ALLOW(&f, bpf_calls);
	return filter_load(&f);
}
#else
static int
load_kill_filter(unsigned extra UNUSED)
{
	return 0;
}
#endif

int
sandbox_seccomp(unsigned extra)
{
	/* abort() signals itself by this number; an assertion should die as one. */
	const struct arg_rule self = {SCMP_SYS(tgkill), 0, U32_MASK, (uint64_t)getpid()};
	struct filter f;
	int r = load_kill_filter(extra);

	if (r < 0)
		return r;
	filter_init(&f, SCMP_ACT_ERRNO(EPERM));
	ALLOW(&f, base_calls);
	ALLOW_RULES(&f, base_rules);
	filter_add_rules(&f, SCMP_ACT_ALLOW, &self, 1);
	allow_extra(&f, extra);
	return filter_load(&f);
}

#ifdef VNET_SECCOMP_KILL
#define CAPTURE_DENIED SCMP_ACT_KILL_PROCESS
#else
#define CAPTURE_DENIED SCMP_ACT_ERRNO(EPERM)
#endif

int
sandbox_seccomp_capture(void)
{
	const struct arg_rule self = {SCMP_SYS(tgkill), 0, U32_MASK, (uint64_t)getpid()};
	struct filter f;

	filter_init(&f, CAPTURE_DENIED);
	ALLOW(&f, capture_calls);
	ALLOW_RULES(&f, capture_rules);
	filter_add_rules(&f, SCMP_ACT_ALLOW, &self, 1);
	return filter_load(&f);
}

int
sandbox_seccomp_priv(void)
{
	static const struct arg_rule denied[] = {
	    /* Programs and maps are loaded while root and only attached afterwards. */
	    {SCMP_SYS(bpf), 0, U32_MASK, BPF_PROG_LOAD},
	    {SCMP_SYS(bpf), 0, U32_MASK, BPF_BTF_LOAD},
	    {SCMP_SYS(bpf), 0, U32_MASK, BPF_MAP_CREATE},
	    {SCMP_SYS(clone), 0, CLONE_NEWUSER, CLONE_NEWUSER},
	};
	static const int hidden[] = {
	    /* Its flags are in memory, out of a filter's sight; libc falls back to clone(). */
	    SCMP_SYS(clone3),
	};
	struct filter f;

	filter_init(&f, SCMP_ACT_ALLOW);
	filter_add(&f, SCMP_ACT_ERRNO(EPERM), priv_denied, ARRAY_LEN(priv_denied));
	filter_add_rules(&f, SCMP_ACT_ERRNO(EPERM), denied, ARRAY_LEN(denied));
	filter_add(&f, SCMP_ACT_ERRNO(ENOSYS), hidden, ARRAY_LEN(hidden));
	return filter_load(&f);
}
