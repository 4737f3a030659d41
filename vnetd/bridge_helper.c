/* SPDX-License-Identifier: GPL-2.0-or-later
 * bridge_helper.c - vnet-bridge-helper: gives a QEMU that has no privilege a tap on a network.
 *
 * QEMU starts its helper as `helper --use-vnet --fd=N --br=vmnet8` and expects one byte on the UNIX
 * stream socket N with the tap's descriptor beside it. This helper is not setuid: it asks vnetd, which
 * knows from the socket who asks. vnetd keeps no copy, so the tap goes when QEMU goes.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "conf/conf.h"
#include "paths.h"
#include "vnetd/ctl_args.h"
#include "vnetd/ctl_client.h"

static const struct ctl_opt opts[] = {
    {"br", 0, "vmnetN", "the network"},
    {"fd", 0, "N", "the UNIX stream socket on which QEMU waits"},
    {"use-vnet", 0, NULL, "virtio-net headers on (QEMU says so where it can)"},
    {"mac", 0, "MAC", "the guest's MAC address, since QEMU does not tell it"},
    {"name", 0, "PORT", "the port's name (default: its interface)"},
    CTL_OPTS_UNUSED_DIRS,
    CTL_OPT_RUN_DIR,
    CTL_OPT_HELP,
    CTL_OPT_VERSION,
    {0},
};

PRINTF_LIKE(1, 2) static void complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("vnet-bridge-helper: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

static void
help(void)
{
	puts("usage: vnet-bridge-helper --br=vmnetN --fd=N [option...]\n\n"
	     "QEMU runs this program; put it into QEMU's command line:\n"
	     "  -netdev bridge,id=n0,br=vmnet8,helper=" VNET_LIBEXECDIR "/vnet-bridge-helper\n"
	     "or, with the guest's address:\n"
	     "  -netdev 'bridge,id=n0,br=vmnet8,helper=" VNET_LIBEXECDIR
	     "/vnet-bridge-helper --mac=52:54:00:12:34:56'\n\noptions:");
	for (const struct ctl_opt *o = opts; o->name; o++)
		printf("  --%s%s%-*s  %s\n", o->name, o->value ? "=" : "",
		       (int)(17 - strlen(o->name)), o->value ? o->value : "", o->help);
}

/* What the caller wants; the socket towards QEMU in *sock. */
static bool
fill(struct msg_attach *m, int *sock, const struct ctl_args *a)
{
	const char *br = ctl_args_get(a, "br"), *fd = ctl_args_get(a, "fd");
	const char *mac = ctl_args_get(a, "mac"), *name = ctl_args_get(a, "name");
	unsigned net, number;
	struct stat st;

	if (!br || !fd) {
		complain(
		    "--br and --fd are missing. It is QEMU that runs this program: see --help");
		return false;
	}
	if (!conf_net_parse(&net, br)) {
		complain(
		    "\"%s\" is not a network: networks are called vmnet0 to vmnet255 (br=vmnet8)",
		    br);
		return false;
	}
	if (!ctl_parse_number(&number, fd, 0, INT32_MAX) || fstat((int)number, &st) != 0 ||
	    !S_ISSOCK(st.st_mode)) {
		complain(
		    "--fd=%s is not an open socket. It is QEMU that runs this program: see --help",
		    fd);
		return false;
	}
	if (mac && !ctl_parse_mac(&m->mac, mac)) {
		complain("\"%s\" is not the MAC address of one guest", mac);
		return false;
	}
	if (name && strlen(name) >= sizeof(m->name)) {
		complain("the port's name \"%s\" is longer than %zu characters", name,
			 sizeof(m->name) - 1);
		return false;
	}
	if (name)
		MSG_SET_STR(m->name, name);
	*sock = (int)number;
	m->net = (uint16_t)net;
	m->kind = PORT_HELPER;
	m->queues = 1;
	m->vnet_hdr = ctl_args_get(a, "use-vnet") != NULL;
	return true;
}

static void
take_tap(const struct msg *row, int *fds, size_t nfds, void *arg)
{
	int *tap = arg;

	if (row->type == MSG_ATTACHED && nfds == 1 && *tap < 0)
		*tap = fd_take(&fds[0]);
}

/* One byte and the descriptor, as QEMU's own helper sends them. 0 or -errno. */
static int
hand_over(int sock, int tap)
{
	const char byte = 0;

	return fd_sendmsg(sock, &byte, sizeof(byte), &tap, 1);
}

static enum ctl_exit
serve(const struct ctl_args *a)
{
	const char *run_dir = ctl_args_get(a, "run-dir");
	struct msg request = msg_make(MSG_ATTACH, 0);
	struct client client;
	AUTO_FD tap = -1;
	enum ctl_exit r;
	int sock, err;

	if (!fill(&request.u.attach, &sock, a))
		return CTL_USAGE;
	r = client_open(&client, run_dir ? run_dir : VNET_RUN_DIR);
	if (r == CTL_OK)
		r = client_call(&client, &request, -1, CLIENT_CHANGE_MS, take_tap, &tap);
	if (r != CTL_OK) {
		complain("%s", strbuf_str(&client.why));
	} else if (tap < 0) {
		complain("vnetd answered without a tap");
		r = CTL_FAILED;
	} else if ((err = hand_over(sock, tap)) < 0) {
		complain("cannot hand the tap to QEMU on descriptor %d: %s", sock, strerror(-err));
		r = CTL_FAILED;
	}
	client_close(&client);
	return r;
}

int
main(UNUSED int argc, char **argv)
{
	enum ctl_exit r = CTL_OK;
	struct ctl_args a;
	struct strbuf why;

	strbuf_init(&why);
	if (!ctl_args_parse(&a, opts, argv + 1, CTL_ARGS_ALL, &why)) {
		complain("%s", strbuf_str(&why));
		r = CTL_USAGE;
	} else if (ctl_args_get(&a, "help")) {
		help();
	} else if (ctl_args_get(&a, "version")) {
		puts("vnet-bridge-helper " VNET_VERSION);
	} else if (a.npos || a.rest) {
		complain("it takes options only, not \"%s\"", a.npos ? a.pos[0] : "--");
		r = CTL_USAGE;
	} else {
		r = serve(&a);
	}
	strbuf_fini(&why);
	return (int)r;
}
