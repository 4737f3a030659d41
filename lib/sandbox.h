/* SPDX-License-Identifier: GPL-2.0-or-later
 * sandbox.h - how our processes lose their powers, in stages.
 *
 * root start-up --sandbox_drop_root()--> priv: uid _vnet, four capabilities, no_new_privs, bounding set
 * empty. A child is forked, gets SYS_CHROOT ambient (sandbox_child_prepare()), is executed, and calls
 * sandbox_enter() first thing in main: chroot to the empty folder, all capabilities dropped, dumpable 0,
 * no_new_privs; then sandbox_seccomp() with its role's list once it has what it needs.
 */
#ifndef VNET_LIB_SANDBOX_H
#define VNET_LIB_SANDBOX_H

#include <stdint.h>
#include <sys/types.h>

/* Root -> uid/gid with NET_ADMIN, NET_RAW, NET_BIND_SERVICE, SYS_CHROOT permitted and effective,
 * SYS_CHROOT inheritable too; bounding set and supplementary groups cleared; no_new_privs; dumpable 0.
 * 0 or -errno; after an error the process must exit. */
int sandbox_drop_root(uid_t uid, gid_t gid);

/* In a forked child of priv before exec: raises SYS_CHROOT ambient, everything else goes at exec.
 * Async-signal-safe. 0 or -errno. */
int sandbox_child_prepare(void);

/* First thing of a re-executed child: chroot to the directory `empty` (an absolute path) and chdir to /,
 * drop every capability of every set, dumpable 0, no_new_privs, die with the parent is NOT set.
 * 0 or -errno; after an error the process must exit. */
int sandbox_enter(const char *empty);

/* What a role may call beyond the base set (read, write, epoll, timerfd, memory, time, sendmsg,
 * recvmsg, send, recv, getsockopt, dup, fstat, exit, futex, close, signals ...). */
enum sandbox_extra {
	/* socket(AF_NETLINK, ..., NETLINK_ROUTE), bind, setsockopt */
	SANDBOX_SOCKET_NETLINK = 1 << 0,
	/* socket(AF_INET|AF_INET6, SOCK_DGRAM), bind (IPv4), connect, setsockopt */
	SANDBOX_SOCKET_INET_UDP = 1 << 1,
	/* accept4 on a listener */
	SANDBOX_SOCKET_ACCEPT = 1 << 2,
	/* openat, renameat, unlinkat, fdatasync, fsync, ftruncate, getdents64, mkdirat ... below
	 * descriptors that were passed in. A filter cannot see "..": for a name that comes from
	 * outside use openat2() and RESOLVE_BENEATH */
	SANDBOX_OPENAT_BENEATH = 1 << 3,
	/* memfd_create, ftruncate, fcntl seals */
	SANDBOX_MEMFD = 1 << 4,
	/* socket(AF_INET|AF_INET6, SOCK_STREAM), bind (IPv4), connect, setsockopt */
	SANDBOX_SOCKET_INET_TCP = 1 << 5,
	/* ioctl: what kind a namespace is, which user owns it */
	SANDBOX_NSFS = 1 << 6,
	/* bpf: what a map is like, of which the descriptor was passed in (BPF_OBJ_GET_INFO_BY_FD) */
	SANDBOX_BPF_INFO = 1 << 7,
	/* socket(AF_INET|AF_INET6, SOCK_STREAM), connect, accept4, setsockopt, splice, sizes of pipes;
	 * neither bind nor listen: listening sockets are passed in */
	SANDBOX_TCP_RELAY = 1 << 8,
	/* setsockopt: a packet socket that was passed in gets filter and ring; ftruncate; and seccomp,
	 * since sandbox_seccomp_capture() is to follow */
	SANDBOX_PACKET_RING = 1 << 9,
};

/* Loads the allow-list (libseccomp): base | extra; everything else is EPERM for the known and
 * harmless probes (kill, ptrace, prlimit with a pid, open), and kills the process for the rest when
 * built with the `seccomp-kill` option, EPERM otherwise. 0 or -errno. */
int sandbox_seccomp(unsigned extra);

/* The number that the packet socket of a capture has by then. Everything else is below it. */
#define SANDBOX_PACKET_FD 512

/* For vnet-capture once its ring is there: read, write, poll, what cuts a file, memory and time, and nothing else.
 * What could send on the packet socket, set it up anew or give it to somebody else is not among it: it can be polled
 * and asked for its counts. 0 or -errno. */
int sandbox_seccomp_capture(void);

/* priv's own filter: a deny list (ptrace, process_vm_*, bpf program loading, mount, module, kexec,
 * keyctl, userfaultfd, unshare, setns, personality, reboot, swapon, perf_event_open): priv runs
 * libraries whose calls are not ours to list. 0 or -errno. */
int sandbox_seccomp_priv(void);

#endif
