/* SPDX-License-Identifier: GPL-2.0-or-later
 * extcap.c - vnet-extcap: what Wireshark and tshark call to list networks and ports, and to capture there.
 *
 * Each call is one command line (see the extcap chapter of Wireshark's documentation); answers are lines on standard output. An interface is
 * called "vnet-" and the name of a network or of a port's link, so that it is not taken for the link itself. Without a
 * vnetd, or the right to ask it, there are none.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "lib/fd.h"
#include "paths.h"
#include "vnetd/ctl_filter.h"
#include "vnetd/ctl_session.h"
#include "vnetd/ctl_text.h"

#define PREFIX "vnet-"

struct call {
	const char *run_dir;
	bool interfaces, dlts, config, capture, drops, has_filter;
	const char *interface, *fifo, *filter;
	uint32_t snaplen;
};

/* --- what there is --- */

struct known {
	struct rows nets, ports;
};

static bool
look(struct known *k, const char *run_dir)
{
	struct msg nets = msg_make(MSG_NET_LIST, 0), ports = msg_make(MSG_PORT_LIST, 0);
	struct rows *want_nets[] = {&k->nets}, *want_ports[] = {&k->ports};
	struct client client;
	bool ok;

	k->nets = (struct rows)ROWS_INIT(NET_ROW, net_row);
	k->ports = (struct rows)ROWS_INIT(PORT_ROW, port_row);
	nets.u.net_list.net = ports.u.port_list.net = MSG_NET_ALL;
	ok = client_open(&client, run_dir) == CTL_OK &&
	     client_gather(&client, &nets, want_nets, 1) == CTL_OK &&
	     client_gather(&client, &ports, want_ports, 1) == CTL_OK;
	client_close(&client);
	return ok;
}

static void
known_fini(struct known *k)
{
	rows_fini(&k->nets);
	rows_fini(&k->ports);
}

/* A guest chooses its name: braces would end the sentence. */
static void
put_text(struct strbuf *out, const char *s)
{
	struct strbuf clean;

	strbuf_init(&clean);
	ctl_text_clean(&clean, s, false);
	for (const char *p = strbuf_str(&clean); *p; p++)
		strbuf_addc(out, *p == '{' ? '(' : *p == '}' ? ')' : *p);
	strbuf_fini(&clean);
}

static void
put_net(struct strbuf *out, const struct msg_net_row *n)
{
	unsigned own;

	strbuf_addf(out, "interface {value=" PREFIX "vmnet%u}{display=vmnet%u: ", n->net, n->net);
	if (n->label[0] && !conf_net_parse(&own, n->label)) {
		put_text(out, n->label);
		strbuf_add(out, ", ");
	}
	strbuf_addf(out, "%s network", net_kind_name((enum net_kind)n->kind));
	if (n->len)
		strbuf_addf(out, " %s", PREFIX4_STR(((struct prefix4){n->subnet, n->len})));
	strbuf_add(out, "}\n");
}

static void
put_port(struct strbuf *out, const struct msg_port_row *p)
{
	strbuf_addf(out, "interface {value=" PREFIX "%s}{display=vmnet%u port ", p->ifname, p->net);
	put_text(out, p->name);
	strbuf_add(out, ": ");
	if (p->guest[0])
		put_text(out, p->guest);
	else
		strbuf_add(out, mac_is_zero(p->mac) ? "no guest so far" : MAC_STR(p->mac));
	strbuf_add(out, "}\n");
}

static void
list_interfaces(const struct call *c)
{
	struct known k;
	struct strbuf out;

	strbuf_init(&out);
	strbuf_add(&out, "extcap {version=" VNET_VERSION "}{help=man:vnet-capture(8)}\n");
	if (look(&k, c->run_dir)) {
		for (size_t i = 0; i < k.nets.n; i++)
			put_net(&out, (const struct msg_net_row *)k.nets.v + i);
		for (size_t i = 0; i < k.ports.n; i++)
			put_port(&out, (const struct msg_port_row *)k.ports.v + i);
	}
	fputs(strbuf_str(&out), stdout);
	strbuf_fini(&out);
	known_fini(&k);
}

/* "vnet-vmnet8", or of a port "vnet-vmnet8p1": which network, and *port its link; NULL: the whole network. */
static bool
find(const struct call *c, uint16_t *net, const char **port)
{
	const char *name = c->interface;
	struct known k;
	bool found;
	unsigned n;

	if (!name || strncmp(name, PREFIX, sizeof(PREFIX) - 1) != 0)
		return false;
	name += sizeof(PREFIX) - 1;
	*port = NULL;
	if (conf_net_parse(&n, name)) {
		*net = (uint16_t)n;
		return true;
	}
	found = false;
	look(&k, c->run_dir);
	for (size_t i = 0; i < k.ports.n && !found; i++) {
		const struct msg_port_row *p = (const struct msg_port_row *)k.ports.v + i;

		found = !strcmp(p->ifname, name);
		*net = p->net;
	}
	known_fini(&k);
	*port = name;
	return found;
}

static bool
is_port(const struct call *c)
{
	unsigned n;

	return c->interface && !strncmp(c->interface, PREFIX, sizeof(PREFIX) - 1) &&
	       !conf_net_parse(&n, c->interface + sizeof(PREFIX) - 1);
}

static void
list_config(const struct call *c)
{
	printf("arg {number=0}{call=--snaplen}{display=Bytes of each packet}{type=unsigned}"
	       "{range=14,%d}{default=%d}\n",
	       SESSION_SNAPLEN, SESSION_SNAPLEN);
	if (is_port(c))
		puts("arg {number=1}{call=--with-drops}{display=Also what the port's gate refuses}"
		     "{type=boolflag}{default=false}");
}

/* --- capturing --- */

/* What is said here is what Wireshark shows. */
static int
check_filter(const struct call *c)
{
	static struct filter f;
	char why[FILTER_WHY_MAX];

	if (ctl_filter(&f, c->filter, why) == CTL_OK)
		return CTL_OK;
	puts(why);
	return CTL_FAILED;
}

static enum ctl_exit
run(struct session_want *want)
{
	struct session s;
	enum ctl_exit r = session_open(&s, want);

	if (r == CTL_OK)
		r = session_wait(&s, NULL);
	/* Wireshark has closed it. */
	if (s.client.err == EPIPE)
		r = CTL_OK;
	if (r != CTL_OK)
		fprintf(stderr, "%s\n", strbuf_str(&s.client.why));
	session_close(&s);
	return r;
}

static enum ctl_exit
capture(const struct call *c)
{
	struct session_want want = {.run_dir = c->run_dir,
				    .snaplen = c->snaplen,
				    .filter = c->filter,
				    .drops = c->drops && is_port(c),
				    .nfds = 1};
	enum ctl_exit r;
	int fd;

	if (!find(c, &want.net, &want.port)) {
		fprintf(stderr, "there is no network or port \"%s\" any more\n",
			c->interface ? c->interface : "");
		return CTL_FAILED;
	}
	fd = open(c->fifo, O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "cannot write to \"%s\": %s\n", c->fifo, strerror(errno));
		return CTL_FAILED;
	}
	want.fd = &fd;
	session_catch_signals();
	r = run(&want);
	fd_close(&fd);
	return r;
}

/* --- the command line --- */

static const char usage[] =
    "usage: vnet-extcap --extcap-interfaces\n"
    "   or: vnet-extcap --extcap-interface NAME --extcap-dlts|--extcap-config\n"
    "   or: vnet-extcap --extcap-interface NAME --capture --fifo FILE [--extcap-capture-filter "
    "EXPR]\n"
    "                   [--snaplen N] [--with-drops]\n"
    "\n"
    "Wireshark and tshark call it to list the networks and ports of vnetd(8), and to capture "
    "there.\n"
    "See vnet-capture(8).\n"
    "\n"
    "example:\n"
    "  tshark -i vnet-vmnet8\n";

enum {
	INTERFACES = 256,
	VERSION_OF,
	DLTS,
	CONFIG,
	INTERFACE,
	CAPTURE,
	FIFO,
	FILTER,
	SNAPLEN,
	DROPS,
	RUN_DIR
};

static bool
take(struct call *c, int option, const char *value)
{
	char *end;

	switch (option) {
	case INTERFACES:
		c->interfaces = true;
		return true;
	case VERSION_OF:
		return true; /* of Wireshark's */
	case DLTS:
		c->dlts = true;
		return true;
	case CONFIG:
		c->config = true;
		return true;
	case INTERFACE:
		c->interface = value;
		return true;
	case CAPTURE:
		c->capture = true;
		return true;
	case FIFO:
		c->fifo = value;
		return true;
	case FILTER:
		c->has_filter = true;
		c->filter = value;
		return true;
	case SNAPLEN:
		c->snaplen = (uint32_t)strtoul(value, &end, 10);
		return !*end && c->snaplen >= 14 && c->snaplen <= SESSION_SNAPLEN;
	case DROPS:
		c->drops = true;
		return true;
	case RUN_DIR:
		c->run_dir = value;
		return true;
	default: /* getopt has complained */
		return false;
	}
}

int
main(int argc, char **argv)
{
	static const struct option longopts[] = {
	    {"extcap-interfaces", no_argument, NULL, INTERFACES},
	    {"extcap-version", optional_argument, NULL, VERSION_OF},
	    {"extcap-dlts", no_argument, NULL, DLTS},
	    {"extcap-config", no_argument, NULL, CONFIG},
	    {"extcap-interface", required_argument, NULL, INTERFACE},
	    {"extcap-capture-filter", required_argument, NULL, FILTER},
	    {"capture", no_argument, NULL, CAPTURE},
	    {"fifo", required_argument, NULL, FIFO},
	    {"snaplen", required_argument, NULL, SNAPLEN},
	    {"with-drops", no_argument, NULL, DROPS},
	    {"run-dir", required_argument, NULL, RUN_DIR},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},
	    {NULL, 0, NULL, 0},
	};
	const char *run_dir = getenv("VNET_RUN_DIR");
	struct call c = {.run_dir = run_dir ? run_dir : VNET_RUN_DIR, .snaplen = SESSION_SNAPLEN};
	int option;

	ctl_text_init();
	while ((option = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			return CTL_OK;
		}
		if (option == 'V') {
			puts("vnet-extcap " VNET_VERSION);
			return CTL_OK;
		}
		if (!take(&c, option, optarg)) {
			fputs(usage, stderr);
			return CTL_USAGE;
		}
	}
	if (c.interfaces)
		list_interfaces(&c);
	else if (c.dlts)
		puts("dlt {number=1}{name=EN10MB}{display=Ethernet}");
	else if (c.config)
		list_config(&c);
	else if (c.capture && c.fifo)
		return (int)capture(&c);
	else if (c.has_filter)
		return check_filter(&c);
	else {
		fputs(usage, stderr);
		return CTL_USAGE;
	}
	return CTL_OK;
}
