/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_netns.c - opening network namespaces and setting a link up inside, by a child that enters.
 *
 * The child enters before vnetd is asked for a port, so that a caller who may not enter learns it
 * before anything was made.
 */
#include "vnetd/ctl_netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/fd.h"
#include "vnetd/ctl_args.h"

#define NETNS_DIR "/run/netns"

/* The path to open: *named is set when it came from NETNS_DIR or is a path of the user's. */
static void
path_of(struct strbuf *path, const char *what)
{
	struct stat st;
	unsigned pid;

	if (strchr(what, '/')) {
		strbuf_add(path, what);
		return;
	}
	strbuf_addf(path, NETNS_DIR "/%s", what);
	if (!path->bad && stat(path->s, &st) != 0 && ctl_parse_number(&pid, what, 1, INT32_MAX)) {
		strbuf_fini(path);
		strbuf_addf(path, "/proc/%u/ns/net", pid);
	}
}

int
netns_open(const char *what, struct strbuf *why)
{
	struct strbuf path;
	int fd;

	strbuf_init(&path);
	path_of(&path, what);
	fd = open(strbuf_str(&path), O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		strbuf_addf(why, "cannot open the network namespace \"%s\": %s", strbuf_str(&path),
			    strerror(errno));
		if (errno == ENOENT && !strchr(what, '/'))
			strbuf_add(why, ". Names: ip netns list. Or give a path or a process id");
	} else if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET) {
		strbuf_addf(why, "\"%s\" is not a network namespace", strbuf_str(&path));
		fd_close(&fd);
	}
	strbuf_fini(&path);
	return fd;
}

/* Enters; where that needs capabilities in the namespace's user namespace, enters that one first.
 * 0 or -errno. Single-threaded by construction: this is a fresh child. */
static int
enter(int netns)
{
	AUTO_FD userns = -1;

	if (setns(netns, CLONE_NEWNET) == 0)
		return 0;
	if (errno != EPERM)
		return -errno;
	userns = ioctl(netns, NS_GET_USERNS);
	if (userns < 0 || setns(userns, CLONE_NEWUSER) != 0)
		return -EPERM;
	return setns(netns, CLONE_NEWNET) == 0 ? 0 : -errno;
}

static int
link_up(const char *ifname)
{
	AUTO_FD sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = {0};

	if (sock < 0)
		return -errno;
	memcpy(ifr.ifr_name, ifname, strnlen(ifname, IFNAMSIZ - 1));
	if (ioctl(sock, SIOCGIFFLAGS, &ifr) != 0)
		return -errno;
	ifr.ifr_flags |= IFF_UP;
	return ioctl(sock, SIOCSIFFLAGS, &ifr) == 0 ? 0 : -errno;
}

static bool
report(int sock, int result)
{
	return send(sock, &result, sizeof(result), MSG_NOSIGNAL) == (ssize_t)sizeof(result);
}

/* The child's whole life. */
__attribute__((noreturn)) static void
visit(int sock, int netns)
{
	char ifname[IFNAMSIZ] = "";
	int r = enter(netns);

	if (!report(sock, r) || r < 0)
		_exit(1);
	while (recv(sock, ifname, sizeof(ifname) - 1, 0) > 0) {
		if (!report(sock, link_up(ifname)))
			_exit(1);
		memset(ifname, 0, sizeof(ifname));
	}
	_exit(0);
}

/* The child's answer, or -EPIPE when it has died. */
static int
answer(const struct netns_visitor *v)
{
	ssize_t n;
	int r;

	do {
		n = recv(v->sock, &r, sizeof(r), 0);
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(r) ? r : -EPIPE;
}

bool
netns_enter(struct netns_visitor *v, int netns, struct strbuf *why)
{
	int pair[2], r;

	*v = (struct netns_visitor){.pid = -1, .sock = -1};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		strbuf_addf(why, "cannot make a socket pair: %s", strerror(errno));
		return false;
	}
	v->pid = fork();
	if (v->pid == 0) {
		close(pair[0]);
		visit(pair[1], netns);
	}
	close(pair[1]);
	v->sock = pair[0];
	if (v->pid < 0) {
		strbuf_addf(why, "cannot start a process: %s", strerror(errno));
		fd_close(&v->sock);
		return false;
	}
	r = answer(v);
	if (r == 0)
		return true;
	netns_leave(v);
	if (r == -EPERM)
		strbuf_add(
		    why,
		    "no right to enter this network namespace: it needs root, or the owner of the "
		    "user namespace that it belongs to. Try it with sudo");
	else
		strbuf_addf(why, "cannot enter the network namespace: %s", strerror(-r));
	return false;
}

int
netns_link_up(struct netns_visitor *v, const char *ifname)
{
	if (send(v->sock, ifname, strlen(ifname), MSG_NOSIGNAL) < 0)
		return -errno;
	return answer(v);
}

void
netns_leave(struct netns_visitor *v)
{
	fd_close(&v->sock);
	if (v->pid > 0)
		waitpid(v->pid, NULL, 0);
	v->pid = -1;
}
