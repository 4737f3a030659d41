/* SPDX-License-Identifier: GPL-2.0-or-later
 * sniffer.c - vnet-sniffer: VMware's command line for a capture. Everything else is `vnetctl capture`.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "lib/fd.h"
#include "paths.h"
#include "vnetd/ctl_lines.h"
#include "vnetd/ctl_session.h"

static const char usage[] =
    "usage: vnet-sniffer [-e] [-w FILE] vmnetN\n"
    "\n"
    "Prints the packets of a network until ^C; /dev/vmnetN means the same network.\n"
    "  -e        with the Ethernet header\n"
    "  -w FILE   write them to a file for tcpdump and Wireshark (pcap) instead\n"
    "Filters, ports, rings of files: vnetctl capture --help. Manual: vnet-sniffer(1).\n"
    "\n"
    "example:\n"
    "  vnet-sniffer -e vmnet8\n";

PRINTF_LIKE(1, 2)
static void
complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("vnet-sniffer: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

static enum ctl_exit
write_file(struct session_want *want, const char *name)
{
	struct session s;
	struct strbuf why;
	enum ctl_exit r;
	int fd;

	strbuf_init(&why);
	fd = session_file(name, &why);
	if (fd < 0)
		complain("%s", strbuf_str(&why));
	strbuf_fini(&why);
	if (fd < 0)
		return CTL_FAILED;
	want->fd = &fd;
	want->nfds = 1;
	want->anew = strcmp(name, "-") != 0;
	want->pcap = true;
	r = session_open(&s, want);
	if (r == CTL_OK) {
		fprintf(stderr, "capturing on %s\n", s.name);
		r = session_wait(&s, NULL);
		session_repair(&s, &fd, 1);
		fprintf(stderr, "%s, %" PRIu64 " packets, %" PRIu64 " dropped\n", s.name, s.frames,
			s.dropped);
	}
	if (s.client.err == EPIPE)
		r = CTL_OK;
	if (r != CTL_OK)
		complain("%s", strbuf_str(&s.client.why));
	session_close(&s);
	fd_close(&fd);
	return r;
}

static enum ctl_exit
print_lines(struct session_want *want, bool ethernet)
{
	struct strbuf why;
	enum ctl_exit r;

	strbuf_init(&why);
	r = lines_capture(want, false, ethernet, &why);
	if (r != CTL_OK)
		complain("%s", strbuf_str(&why));
	strbuf_fini(&why);
	return r;
}

/* "vmnet8", "/dev/vmnet8" */
static bool
parse_net(uint16_t *net, const char *name)
{
	static const char dev[] = "/dev/";
	unsigned n;

	if (!strncmp(name, dev, sizeof(dev) - 1))
		name += sizeof(dev) - 1;
	if (!conf_net_parse(&n, name))
		return false;
	*net = (uint16_t)n;
	return true;
}

int
main(int argc, char **argv)
{
	static const struct option longopts[] = {
	    {"config-dir", required_argument, NULL, 'C'},
	    {"state-dir", required_argument, NULL, 'C'},
	    {"run-dir", required_argument, NULL, 'R'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},
	    {NULL, 0, NULL, 0},
	};
	struct session_want want = {.run_dir = VNET_RUN_DIR, .snaplen = SESSION_SNAPLEN};
	const char *file = NULL;
	bool ethernet = false;
	int c;

	/* "+": like VMware's, options stand before the network. */
	while ((c = getopt_long(argc, argv, "+ew:h", longopts, NULL)) != -1) {
		switch (c) {
		case 'e':
			ethernet = true;
			break;
		case 'w':
			file = optarg;
			break;
		case 'C':
			break;
		case 'R':
			want.run_dir = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return CTL_OK;
		case 'V':
			puts("vnet-sniffer " VNET_VERSION);
			return CTL_OK;
		default:
			fputs(usage, stderr);
			return CTL_USAGE;
		}
	}
	if (argc - optind != 1) {
		complain(argc == optind ? "which network? %s"
					: "options stand before the network, which "
					  "is the last word: %s",
			 "vnet-sniffer [-e] [-w FILE] vmnetN");
		return CTL_USAGE;
	}
	if (!parse_net(&want.net, argv[optind])) {
		complain("\"%s\" is not a network: vmnet0 to vmnet255, or /dev/vmnet0 and so on",
			 argv[optind]);
		return CTL_USAGE;
	}
	session_catch_signals();
	return (int)(file ? write_file(&want, file) : print_lines(&want, ethernet));
}
