/* SPDX-License-Identifier: GPL-2.0-or-later
 * start.c - from root to priv: check, make, open, give up.
 *
 * Order matters. Checks that need nothing come first, so that a host on which vnetd cannot run is left as
 * it was; then the lock, so that two instances cannot disturb each other; root is given up last.
 */
#include "vnetd/start.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/sandbox.h"
#include "lib/sd.h"
#include "paths.h"
#include "vnetd/leftover.h"

#define STORED_MAX 1024 /* descriptors that the service manager kept */

enum {
	FILES_MAX = 16384, /* descriptors: two sockets per network and service, guests' channels */
	OLD_ENGINE_MS = 1000, /* how long a killed instance's engine may need to notice */
	WAITER_TEXT_MAX = 512,
	WAITER_MS = 60000, /* a start that takes longer goes on without somebody to wait for it */
};

static int
find_users(struct start *s)
{
	const struct passwd *pw = getpwnam(VNET_USER);
	const struct group *gr;

	if (!pw) {
		log_error(0,
			  "there is no user " VNET_USER ". Make it: useradd --system --user-group "
			  "--no-create-home --home-dir /nonexistent --shell "
			  "/usr/sbin/nologin " VNET_USER);
		return -1;
	}
	s->uid = pw->pw_uid;
	s->gid = pw->pw_gid;
	if (s->uid == 0 || s->gid == 0) {
		log_error(0, "user " VNET_USER " is root: it must be a user of its own");
		return -1;
	}
	gr = getgrnam(VNET_GROUP);
	if (!gr) {
		log_error(0, "there is no group " VNET_GROUP
			     ". Make it: groupadd --system " VNET_GROUP);
		return -1;
	}
	s->group = gr->gr_gid;
	return 0;
}

/* ------------------------------------------------------------------ in the background */

/* Reads what the daemon says until it closes the pipe, or until the time is over: false. */
static bool
listen_to_daemon(int fd, char *text, size_t cap)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	const struct mono end = mono_add(mono_now(), WAITER_MS);
	size_t len = 0;
	ssize_t n = 1;

	while (n > 0 && len < cap - 1) {
		int64_t left = mono_diff(end, mono_now());

		if (left <= 0 || poll(&p, 1, (int)left) == 0)
			return false;
		n = read(fd, text + len, cap - 1 - len);
		if (n > 0)
			len += (size_t)n;
		text[len] = '\0';
	}
	return true;
}

/* The process that the user started. The daemon says "." when its words no longer reach the terminal,
 * and then "ok" or a reason; it closes the pipe at its end at the latest. */
__attribute__((noreturn)) static void
wait_for_start(int fd, const char *run_dir)
{
	char text[WAITER_TEXT_MAX];

	if (!listen_to_daemon(fd, text, sizeof(text)))
		log_error(0, "not ready after %d s, but still trying. See %s/vnetd.log",
			  WAITER_MS / 1000, run_dir);
	else if (!strcmp(text, ".ok"))
		_exit(0);
	else if (!strcmp(text, "."))
		log_error(0, "ended before it was ready. See %s/vnetd.log", run_dir);
	else if (text[0] == '.')
		log_error(0, "not started: %s (%s/vnetd.log)", text + 1, run_dir);
	_exit(1);
}

static int
go_background(struct start *s)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		log_error(errno, "cannot start in the background");
		return -1;
	}
	if (pid > 0) {
		fd_close(&fds[1]);
		wait_for_start(fds[0], s->dirs->run);
	}
	fd_close(&fds[0]);
	s->waiter = fds[1];
	setsid();
	return 0;
}

/* Nobody reads our standard input or output; a child finds 0 to 2 taken. */
static int
redirect_stdio(const struct start *s)
{
	AUTO_FD null = open("/dev/null", O_RDWR | O_CLOEXEC);
	AUTO_FD logfile = -1;
	char path[4096];

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0) {
		log_error(errno, "/dev/null: cannot open it");
		return -1;
	}
	if (s->waiter < 0)
		return 0;
	snprintf(path, sizeof(path), "%s/vnetd.log", s->dirs->run);
	logfile = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (logfile < 0 || dup2(logfile, STDERR_FILENO) < 0) {
		log_error(errno, "%s: cannot open it", path);
		return -1;
	}
	return write(s->waiter, ".", 1) == 1 ? 0 : -1;
}

/* ------------------------------------------------------------------ the run folder */

static int
take_lock(struct start *s)
{
	pid_t holder = 0;
	int fd = start_lock(s->dirs->run, true, &holder);

	if (fd >= 0) {
		s->lock = fd;
		return 0;
	}
	if (fd == -EWOULDBLOCK)
		log_error(
		    0,
		    "vnetd runs already with this run folder (%s): process %d. See: vnetctl status",
		    s->dirs->run, (int)holder);
	else
		log_error(-fd, "%s/vnetd.pid: cannot lock it", s->dirs->run);
	return -1;
}

static int
open_record(struct start *s)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/ip_forward", s->dirs->run);
	s->record = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (s->record < 0) {
		log_error(errno, "%s: cannot open it", path);
		return -1;
	}
	return 0;
}

/* Sockets of a killed instance last as long as its engine, which ends as soon as it notices. */
static bool
somebody_listens(const char *path)
{
	const struct timespec tick = {.tv_nsec = 10 * 1000000};

	for (int ms = 0; ms < OLD_ENGINE_MS; ms += 10) {
		if (!start_is_listening(path))
			return false;
		nanosleep(&tick, NULL);
	}
	return true;
}

/* Made without permissions, so that nobody connects before owner and mode are right. */
static int
bind_listener(const char *path, gid_t group)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	AUTO_FD fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask;
	int r;

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	memcpy(sun.sun_path, path, strlen(path) + 1);
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	mask = umask(0777);
	r = bind(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0 ? -errno : 0;
	umask(mask);
	if (r < 0)
		return r;
	if (chown(path, 0, group) < 0 || chmod(path, 0660) < 0 || listen(fd, SOMAXCONN) < 0)
		return -errno;
	return fd_take(&fd);
}

static int
open_listener(struct start *s)
{
	char path[4096];

	if (s->listener >= 0)
		return 0;
	snprintf(path, sizeof(path), "%s/vnetd.sock", s->dirs->run);
	if (somebody_listens(path)) {
		log_error(0,
			  "%s: another program listens there. If it is systemd, start vnetd by it: "
			  "systemctl start vnetd",
			  path);
		return -1;
	}
	s->listener = bind_listener(path, s->group);
	if (s->listener < 0) {
		log_error(-s->listener, "%s: cannot listen there", path);
		return -1;
	}
	return 0;
}

/* ------------------------------------------------------------------ all of it */

/* Of the descriptors that came with us, the manager's listening socket and those that it stored for us are kept and
 * no other: they would stay open in priv for as long as it runs. */
static void
sort_inherited(struct start *s)
{
	char path[4096];
	int fd;

	/* What is opened later must not be taken for standard input, output or error. */
	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	snprintf(path, sizeof(path), "%s/vnetd.sock", s->dirs->run);
	s->stored = calloc(STORED_MAX, sizeof(*s->stored));
	if (s->stored)
		s->nstored = sd_take_stored(PRIV_LISTEN_PREFIX, s->stored, STORED_MAX);
	fd = sd_listen_seqpacket(path);
	if (fd > 3) {
		s->listener = dup3(fd, 3, O_CLOEXEC);
		fd_close(&fd);
	} else {
		s->listener = fd;
	}
	if (s->listener < 0)
		close(3);
	/* In one row behind it. Where they are now is beyond all places in the row. */
	for (size_t i = 0; i < s->nstored; i++)
		s->stored[i].fd = dup3(s->stored[i].fd, 4 + (int)i, O_CLOEXEC);
	fd_close_from(4 + (int)s->nstored);
}

static void
raise_file_limit(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) < 0 || lim.rlim_cur >= FILES_MAX)
		return;
	lim.rlim_cur = lim.rlim_max < FILES_MAX ? lim.rlim_max : FILES_MAX;
	setrlimit(RLIMIT_NOFILE, &lim);
}

static int
open_folders(struct start *s)
{
	AUTO_FD run = start_run_dir(s->dirs->run);

	if (run < 0 || take_lock(s) < 0 || open_record(s) < 0)
		return -1;
	s->config_dir = start_config_dir(s->dirs->config, s->uid, s->gid);
	s->state_dir = start_state_dir(s->dirs->state, s->uid, s->gid);
	s->sysctl_dir = open("/proc/sys/net", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->sysctl_dir < 0)
		log_error(errno, "/proc/sys/net: cannot open it");
	return s->config_dir < 0 || s->state_dir < 0 || s->sysctl_dir < 0 ? -1 : 0;
}

static int
give_up_root(const struct start *s)
{
	int r = sandbox_drop_root(s->uid, s->gid);

	if (r < 0)
		log_error(-r,
			  "cannot become user " VNET_USER " with only the capabilities NET_ADMIN, "
			  "NET_RAW, NET_BIND_SERVICE and SYS_CHROOT");
	return r;
}

int
start_up(struct start *s, const struct start_options *o)
{
	*s = (struct start){.dirs = o->dirs,
			    .level = o->level,
			    .level_fixed = o->level_fixed,
			    .started = mono_now(),
			    .config_dir = -1,
			    .state_dir = -1,
			    .tun_dir = -1,
			    .sysctl_dir = -1,
			    .record = -1,
			    .listener = -1,
			    .notify = -1,
			    .waiter = -1,
			    .lock = -1,
			    .gate = GATE_FDS_NONE};
	if (geteuid() != 0) {
		log_error(0,
			  "needs root to start (it drops to user " VNET_USER " at once). Try: sudo "
			  "systemctl start vnetd");
		return -1;
	}
	umask(022);
	sort_inherited(s);
	if (find_users(s) < 0 || start_check() < 0)
		return -1;
	if (!o->foreground && !getenv("NOTIFY_SOCKET") && go_background(s) < 0)
		return -1;
	s->notify = sd_notify_open();
	raise_file_limit();
	if (open_folders(s) < 0)
		return -1;
	leftover_end_captures();
	if (open_listener(s) < 0)
		return -1;
	s->tun_dir = start_tun(s->uid, s->gid);
	if (s->tun_dir < 0 || start_gate(&s->gate, &s->gate_adopted, &s->hooks) < 0 ||
	    redirect_stdio(s) < 0)
		return -1;
	return give_up_root(s);
}
