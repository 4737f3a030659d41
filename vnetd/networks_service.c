/* SPDX-License-Identifier: GPL-2.0-or-later
 * networks_service.c - the life of vnetd as vnet-networks manages it.
 */
#include "vnetd/networks_service.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf/conf.h"
#include "paths.h"

#define UNIT        "vnetd.service"
#define SOCKET_UNIT "vnetd.socket"

/* Runs a program to its end. quiet: without its output. Its exit status, or -1. */
static int
run(const char *const *argv, bool quiet)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (quiet) {
			int null = open("/dev/null", O_RDWR | O_CLOEXEC);

			dup2(null, STDOUT_FILENO);
			dup2(null, STDERR_FILENO);
		}
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* systemd runs here and knows our unit, which serves the usual folders only. */
static bool
under_systemd(const struct service_dirs *dirs)
{
	static const char *const cat[] = {"systemctl", "cat", UNIT, NULL};

	return access("/run/systemd/system", F_OK) == 0 && strcmp(dirs->run, VNET_RUN_DIR) == 0 &&
	       strcmp(dirs->config, VNET_CONFIG_DIR) == 0 && run(cat, true) == 0;
}

static bool
unit_is_active(void)
{
	static const char *const ask[] = {"systemctl", "is-active", "--quiet", UNIT, NULL};

	return run(ask, true) == 0;
}

/* Where the rows of an answer go. */
struct taken {
	struct net_services *net;
	size_t *n;
};

static void
take_net(const struct msg *row, UNUSED int *fds, UNUSED size_t nfds, void *arg)
{
	const struct taken *a = arg;

	if (row->type == MSG_NET_ROW && *a->n < CONF_NETS)
		a->net[(*a->n)++] = net_services_of_row(&row->u.net_row);
}

/* Asks over a socket that somebody listens on. */
static enum ctl_exit
ask(const struct service_dirs *dirs, struct net_services *net, size_t *n, struct strbuf *why)
{
	struct taken into = {net, n};
	struct msg request = msg_make(MSG_NET_LIST, 0);
	struct client client;
	enum ctl_exit r = client_open(&client, dirs->run);

	*n = 0;
	request.u.net_list.net = MSG_NET_ALL;
	if (r == CTL_OK)
		r = client_call(&client, &request, -1, CLIENT_TIMEOUT_MS, take_net, &into);
	if (r != CTL_OK)
		strbuf_add(why, strbuf_str(&client.why));
	client_close(&client);
	return r;
}

enum ctl_exit
service_ask(const struct service_dirs *dirs, struct net_services *net, size_t *n,
	    struct strbuf *why)
{
	*n = 0;
	if (under_systemd(dirs) && !unit_is_active()) {
		strbuf_add(why, "vnetd does not run. Try: sudo vnet-networks --start");
		return CTL_NO_ANSWER;
	}
	return ask(dirs, net, n, why);
}

static bool
answers(const struct service_dirs *dirs)
{
	struct net_services net[CONF_NETS];
	struct strbuf why;
	size_t n;
	bool ok;

	strbuf_init(&why);
	ok = ask(dirs, net, &n, &why) == CTL_OK;
	strbuf_fini(&why);
	return ok;
}

static void
print_diag(const struct msg *row, UNUSED int *fds, UNUSED size_t nfds, UNUSED void *arg)
{
	if (row->type == MSG_DIAG_ROW && row->u.diag_row.level != DIAG_NOTICE)
		fprintf(stderr, "%s\n", row->u.diag_row.text);
}

static bool
reload(const struct service_dirs *dirs, struct strbuf *why)
{
	struct msg request = msg_make(MSG_RELOAD_ASK, 0);
	struct client client;
	enum ctl_exit r = client_open(&client, dirs->run);

	if (r == CTL_OK)
		r = client_call(&client, &request, -1, CLIENT_CHANGE_MS, print_diag, NULL);
	if (r != CTL_OK)
		strbuf_add(why, strbuf_str(&client.why));
	client_close(&client);
	return r == CTL_OK;
}

/* Runs vnetd itself with our folders. */
static int
run_vnetd(const struct service_dirs *dirs, const char *verb)
{
	const char *const argv[] = {
	    VNET_SBINDIR "/vnetd", "--config-dir", dirs->config, "--state-dir", dirs->state,
	    "--run-dir",           dirs->run,      verb,         NULL,
	};

	return run(argv, false);
}

bool
service_start(const struct service_dirs *dirs, struct strbuf *why)
{
	static const char *const start[] = {"systemctl", "start", UNIT, NULL};
	bool systemd = under_systemd(dirs);

	if ((!systemd || unit_is_active()) && answers(dirs))
		return reload(dirs, why);
	/* Both return once all networks were dealt with. */
	if ((systemd ? run(start, false) : run_vnetd(dirs, NULL)) == 0)
		return true;
	if (systemd)
		strbuf_add(why, "systemd could not start vnetd. Its log: journalctl -u vnetd");
	else
		strbuf_add(why, "vnetd was not started");
	return false;
}

bool
service_stop(const struct service_dirs *dirs, struct strbuf *why)
{
	static const char *const stop[] = {"systemctl", "stop", SOCKET_UNIT, UNIT, NULL};

	if (under_systemd(dirs) && run(stop, false) != 0) {
		strbuf_add(why, "systemd could not stop vnetd. Its log: journalctl -u vnetd");
		return false;
	}
	/* Ends one that was started by hand, too. */
	if (run_vnetd(dirs, "--teardown") == 0)
		return true;
	strbuf_add(why, "not everything that vnetd made could be removed");
	return false;
}
