/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_attach.c - the verb `attach`: a tap for a command, or a link into a network namespace.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "vnetd/ctl.h"
#include "vnetd/ctl_exec.h"
#include "vnetd/ctl_netns.h"
#include "vnetd/ctl_qemu.h"

static const struct ctl_opt opts[] = {
    {"netns", 0, "NS", "the namespace: its name, path, or the id of a process in it"},
    {"ifname", 0, "IF", "name of the link in the namespace (default eth0)"},
    {"fd", 0, "N", "give the command its tap as descriptor N (default 3)"},
    {"queues", 0, "N", "so many queues, in descriptors that follow each other (default 1)"},
    {"mac", 0, "MAC", "the guest's MAC address"},
    {"name", 0, "PORT", "the port's name (default: its interface)"},
    {"promisc", 0, NULL, "ask for promiscuous mode at once; see vnetctl promisc"},
    CTL_OPT_QUIET,
    CTL_OPT_HELP,
    {0},
};

/* What ATTACHED brought. */
struct attached {
	struct msg_attached row;
	bool seen;
	int fds[FD_PASS_MAX];
	size_t nfds;
};

static void
take_attached(const struct msg *row, int *fds, size_t nfds, void *arg)
{
	struct attached *a = arg;

	if (row->type != MSG_ATTACHED || a->seen)
		return;
	a->seen = true;
	a->row = row->u.attached;
	for (size_t i = 0; i < nfds; i++)
		a->fds[a->nfds++] = fd_take(&fds[i]);
}

static void
attached_fini(struct attached *a)
{
	for (size_t i = 0; i < a->nfds; i++)
		fd_close(&a->fds[i]);
	a->nfds = 0;
}

/* A STR field from an option's text. */
static bool
fits(const char *what, const char *text, size_t cap)
{
	if (strlen(text) < cap)
		return true;
	ctl_complain("the %s \"%s\" is longer than %zu characters", what, text, cap - 1);
	return false;
}

/* The options that both forms share. */
static bool
fill_request(struct msg_attach *m, const struct ctl_args *a)
{
	const char *mac = ctl_args_get(a, "mac"), *name = ctl_args_get(a, "name");

	if (!ctl_parse_net(&m->net, a->pos[0]))
		return false;
	if (mac && !ctl_parse_mac(&m->mac, mac)) {
		ctl_complain("\"%s\" is not the MAC address of one guest", mac);
		return false;
	}
	if (name) {
		if (!fits("port's name", name, sizeof(m->name)))
			return false;
		MSG_SET_STR(m->name, name);
	}
	m->queues = 1;
	m->promisc = ctl_args_get(a, "promisc") != NULL;
	return true;
}

static bool
parse_queues(unsigned *queues, unsigned *first, const struct ctl_args *a)
{
	const char *q = ctl_args_get(a, "queues"), *fd = ctl_args_get(a, "fd");
	int busy;

	*queues = 1;
	*first = EXEC_FIRST_FD;
	if (q && !ctl_parse_number(queues, q, 1, FD_PASS_MAX)) {
		ctl_complain("--queues takes a number from 1 to %d, not \"%s\"", FD_PASS_MAX, q);
		return false;
	}
	if (fd && !ctl_parse_number(first, fd, EXEC_FIRST_FD, EXEC_LAST_FD)) {
		ctl_complain("--fd takes a number from %d to %d, not \"%s\"", EXEC_FIRST_FD,
			     EXEC_LAST_FD, fd);
		return false;
	}
	busy = exec_busy_fd((int)*first, *queues);
	if (busy >= 0) {
		ctl_complain("descriptor %d is open already. Choose another one, such as --fd %d",
			     busy, busy + 10);
		return false;
	}
	return true;
}

/* Runs the command; does not return when that works. 127 and 126 as shells use them. */
static int
execute(char **command)
{
	int err;

	execvp(command[0], command);
	err = errno;
	ctl_complain("cannot run \"%s\": %s", command[0], strerror(err));
	return err == ENOENT ? 127 : 126;
}

/* A command that is a QEMU with a monitor for us gets somebody who listens to it. */
static void
watch(const struct ctl *c, char *const *command, const char *port, unsigned fd)
{
	struct strbuf path, nic;
	int r;

	strbuf_init(&path);
	strbuf_init(&nic);
	if (qmp_socket_of(&path, command)) {
		r = ctl_watch_start(c, strbuf_str(&path), port,
				    qmp_nic_of(&nic, command, fd) ? strbuf_str(&nic) : NULL);
		if (r < 0)
			ctl_complain("cannot watch what the guest's network card lets in: %s. By "
				     "hand: vnetctl promisc request %s",
				     strerror(-r), port);
	}
	strbuf_fini(&path);
	strbuf_fini(&nic);
}

static enum ctl_exit
attach_command(struct ctl *c, const struct ctl_args *a)
{
	struct msg request = msg_make(MSG_ATTACH, 0);
	struct msg_attach *m = &request.u.attach;
	struct attached got = {0};
	unsigned queues, first;
	struct client client;
	enum ctl_exit r;
	int err;

	if (!fill_request(m, a) || !parse_queues(&queues, &first, a))
		return CTL_USAGE;
	m->kind = PORT_ATTACH;
	m->queues = (uint8_t)queues;
	m->vnet_hdr = true;
	r = client_open(&client, c->run_dir);
	if (r == CTL_OK)
		r = client_call(&client, &request, -1, CLIENT_CHANGE_MS, take_attached, &got);
	ctl_explain(r, &client);
	client_close(&client);
	if (r == CTL_OK && got.nfds != queues) {
		ctl_complain("vnetd gave %zu taps instead of %u", got.nfds, queues);
		r = CTL_FAILED;
	}
	if (r != CTL_OK) {
		attached_fini(&got);
		return r;
	}
	err = exec_place_fds(got.fds, got.nfds, (int)first);
	if (err < 0) {
		ctl_complain("cannot make the tap descriptor %u: %s", first, strerror(-err));
		return CTL_FAILED;
	}
	watch(c, a->rest, got.row.name[0] ? got.row.name : got.row.ifname, first);
	return (enum ctl_exit)execute(a->rest);
}

/* Undoes an attachment whose link could not be brought up. */
static void
undo(struct client *client, const struct msg_attached *row)
{
	struct msg request = msg_make(MSG_DETACH, 0);

	MSG_SET_STR(request.u.detach.port, row->ifname);
	client_call(client, &request, -1, CLIENT_CHANGE_MS, NULL, NULL);
}

static enum ctl_exit
print_attached(const struct ctl *c, const struct msg_attach *m, const struct msg_attached *row,
	       const char *netns)
{
	struct strbuf text;

	strbuf_init(&text);
	strbuf_addf(&text, "%s: %s in %s on vmnet%u", row->name[0] ? row->name : row->ifname,
		    m->ifname, netns, m->net);
	if (!mac_is_zero(row->mac))
		strbuf_addf(&text, ", %s", MAC_STR(row->mac));
	strbuf_addc(&text, '\n');
	return ctl_print(c, &text);
}

/* With a visitor inside the namespace. */
static enum ctl_exit
plug(struct ctl *c, struct msg *request, int netns, struct netns_visitor *visitor, const char *what)
{
	const struct msg_attach m = request->u.attach;
	struct attached got = {0};
	struct client client;
	enum ctl_exit r = client_open(&client, c->run_dir);
	int err = 0;

	if (r == CTL_OK)
		r = client_call(&client, request, netns, CLIENT_CHANGE_MS, take_attached, &got);
	ctl_explain(r, &client);
	if (r == CTL_OK && !got.seen) {
		ctl_complain("vnetd answered without the new port");
		r = CTL_FAILED;
	}
	if (r == CTL_OK)
		err = netns_link_up(visitor, m.ifname);
	if (err < 0) {
		ctl_complain("cannot bring \"%s\" up in \"%s\": %s; it is detached again", m.ifname,
			     what, strerror(-err));
		undo(&client, &got.row);
		r = CTL_FAILED;
	}
	if (r == CTL_OK)
		r = print_attached(c, &m, &got.row, what);
	attached_fini(&got);
	client_close(&client);
	return r;
}

static enum ctl_exit
attach_netns(struct ctl *c, const struct ctl_args *a, const char *what)
{
	const char *ifname = ctl_args_get(a, "ifname") ? ctl_args_get(a, "ifname") : "eth0";
	struct msg request = msg_make(MSG_ATTACH, 0);
	struct msg_attach *m = &request.u.attach;
	struct netns_visitor visitor;
	AUTO_FD netns = -1;
	struct strbuf why;
	enum ctl_exit r = CTL_FAILED;

	if (!fill_request(m, a))
		return CTL_USAGE;
	if (!conf_ifname_ok(ifname)) {
		ctl_complain("\"%s\" is not an interface name (1-15 characters without '/' or ':')",
			     ifname);
		return CTL_USAGE;
	}
	m->kind = PORT_NETNS;
	MSG_SET_STR(m->ifname, ifname);
	MSG_SET_STR(m->peer, what);
	strbuf_init(&why);
	netns = netns_open(what, &why);
	if (netns >= 0 && netns_enter(&visitor, netns, &why)) {
		r = plug(c, &request, netns, &visitor, what);
		netns_leave(&visitor);
	} else {
		ctl_complain("%s", strbuf_str(&why));
	}
	strbuf_fini(&why);
	return r;
}

static enum ctl_exit
run(struct ctl *c, const struct ctl_args *a)
{
	const char *netns = ctl_args_get(a, "netns");
	bool command = a->rest && a->rest[0];

	if (netns && a->rest)
		return ctl_misuse(&ctl_verb_attach, "--netns and a command do not go together");
	if (netns && (ctl_args_get(a, "fd") || ctl_args_get(a, "queues")))
		return ctl_misuse(&ctl_verb_attach,
				  "--fd and --queues are for a command, not for --netns");
	if (netns)
		return attach_netns(c, a, netns);
	if (ctl_args_get(a, "ifname"))
		return ctl_misuse(&ctl_verb_attach, "--ifname goes with --netns");
	if (!command)
		return ctl_misuse(&ctl_verb_attach,
				  "attach needs --netns NS, or a command behind \"--\"");
	return attach_command(c, a);
}

const struct ctl_verb ctl_verb_attach = {
    .name = "attach",
    .synopsis =
	"vmnetN [option...] -- COMMAND...\n   or: vnetctl attach vmnetN --netns NS [option...]",
    .summary = "Plugs a command's virtual machine or a namespace into a network",
    .detail =
	"COMMAND gets a tap as open descriptor 3 (or --fd), with virtio-net headers on. Nothing "
	"in\n"
	"the command line is replaced; the environment has VNET_TAP_FD=3 and, for several queues,\n"
	"VNET_TAP_FDS=3:4:5:6. The tap disappears with the command.\n"
	"When the command is a QEMU with a QMP socket whose file name (or chardev id) begins with\n"
	"\"vnet\", a guest that turns promiscuous mode on asks for it: vnetctl watch is started.\n"
	"A namespace gets a link called eth0 (or --ifname), up, without an address. It stays "
	"until\n"
	"vnetctl detach, or until the namespace ends. This needs root, or the owner of the\n"
	"namespace's user namespace.",
    .example =
	"  vnetctl attach vmnet8 -- qemu-system-x86_64 -m 1G disk.qcow2 \\\n"
	"      -netdev tap,id=n0,fd=3 -device virtio-net-pci,netdev=n0\n"
	"  vnetctl attach vmnet8 --queues 2 -- qemu-system-x86_64 -m 1G -smp 2 disk.qcow2 \\\n"
	"      -netdev tap,id=n0,fds=3:4 -device virtio-net-pci,netdev=n0,mq=on,vectors=6\n"
	"  vnetctl attach vmnet8 -- qemu-system-x86_64 -m 1G disk.qcow2 \\\n"
	"      -netdev tap,id=n0,fd=3 -device virtio-net-pci,netdev=n0 \\\n"
	"      -qmp unix:$XDG_RUNTIME_DIR/vnet-web1.sock,server=on,wait=off\n"
	"  sudo ip netns add web && sudo vnetctl attach vmnet8 --netns web --name web",
    .opts = opts,
    .min_pos = 1,
    .max_pos = 1,
    .command = true,
    .run = run,
};
