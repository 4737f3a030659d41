/* SPDX-License-Identifier: GPL-2.0-or-later
 * start.h - what vnetd does while it is still root.
 */
#ifndef VNET_VNETD_START_H
#define VNET_VNETD_START_H

#include "lib/log.h"
#include "vnetd/priv.h"

struct start_options {
	const struct dirs *dirs;
	enum log_level level;
	bool level_fixed; /* the configuration does not change it */
	bool foreground;
};

/* Checks what vnetd needs of this host, makes its folders, takes the lock of the run folder, opens what
 * only root can open and gives root up. 0: this process is priv and *s is filled. Else the reason, and
 * what to do about it, has been logged.
 * Without `foreground` and without a service manager the caller's process does not return: it waits until
 * vnetd is ready, and exits 0 then, or 1. */
int start_up(struct start *s, const struct start_options *o);

/* start_check.c: this host can do what we need. 0, or the cure has been logged. */
int start_check(void);

/* start_tun.c: a descriptor of a folder with a node `tun` that `uid` can open; -1: logged. */
int start_tun(uid_t uid, gid_t gid);

/* start_gate.c: loads the port gate, see bpf/gate_load.h and hook.h. 0, or -1: logged. */
int start_gate(struct gate_fds *fds, bool *adopted, struct hooks *hooks);

/* start_dirs.c: the folders, by absolute paths. Each returns a descriptor, or -1: logged. */
int start_config_dir(const char *path, uid_t uid, gid_t gid);
int start_state_dir(const char *path, uid_t uid, gid_t gid);
int start_run_dir(const char *path); /* with `empty` in it */

/* The lock on <run-dir>/vnetd.pid; *holder is the process that has it. Descriptor, -EWOULDBLOCK when
 * somebody holds it, -errno. With `write` our process id becomes the contents. */
int start_lock(const char *run_dir, bool write, pid_t *holder);

/* Somebody listens on the AF_UNIX socket bound to `path`. */
bool start_is_listening(const char *path);

#endif
