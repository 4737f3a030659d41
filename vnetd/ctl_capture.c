/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_capture.c - the verb `capture`: frames of a network or port into files, or as lines.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/fd.h"
#include "vnetd/ctl.h"
#include "vnetd/ctl_lines.h"
#include "vnetd/ctl_session.h"

static const struct ctl_opt opts[] = {
    {"port", 0, "PORT", "capture what this port sends and gets: its name, interface or MAC"},
    {"filter", 'f', "EXPR", "only what this expression says, see pcap-filter(7)"},
    {"write", 'w', "FILE", "write pcapng there; - is standard output"},
    {"pcap", 0, NULL, "with -w: the older format, for programs that cannot read pcapng"},
    {"count", 'c', "N", "end after so many packets"},
    {"ring", 0, "FILES,SIZE", "with -w: go round so many files of this size: 5,100M"},
    {"snaplen", 's', "N", "keep the first N bytes of each packet"},
    {"with-drops", 0, NULL, "with --port: also what the port's gate refuses, with the reason"},
    CTL_OPT_QUIET,
    CTL_OPT_HELP,
    {0},
};

struct outputs {
	int fd[OUT_FILES_MAX];
	unsigned n;
};

static void
outputs_close(struct outputs *o)
{
	for (unsigned i = 0; i < o->n; i++)
		fd_close(&o->fd[i]);
}

/* --- the command line --- */

/* "100M": bytes, with a unit of 1024. */
static bool
parse_size(uint64_t *out, const char *s)
{
	static const char units[] = "KMG";
	char *end;
	const char *unit;

	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	*out = strtoull(s, &end, 10);
	unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
	if (unit) {
		unsigned shift = 10 * (unsigned)(unit - units + 1);

		if (*out > UINT64_MAX >> shift)
			return false;
		*out <<= shift;
		end++;
	}
	return errno == 0 && *end == '\0' && *out >= 4096 && *out <= 1ull << 50;
}

/* False after a complaint. */
static bool
parse_ring(unsigned *files, uint64_t *size, const char *text)
{
	const char *comma = strchr(text, ',');
	char number[8];

	if (comma && (size_t)(comma - text) < sizeof(number)) {
		memcpy(number, text, (size_t)(comma - text));
		number[comma - text] = '\0';
		if (ctl_parse_number(files, number, 2, OUT_FILES_MAX) &&
		    parse_size(size, comma + 1))
			return true;
	}
	ctl_misuse(
	    &ctl_verb_capture,
	    "\"%s\" is no ring: 2 to %d files, a comma, and their size in bytes or with K, M or "
	    "G behind it, at least 4K: 5,100M",
	    text, OUT_FILES_MAX);
	return false;
}

static bool
parse(struct session_want *want, unsigned *files, const struct ctl_args *a)
{
	const char *count = ctl_args_get(a, "count"), *snaplen = ctl_args_get(a, "snaplen"),
		   *ring = ctl_args_get(a, "ring"), *file = ctl_args_get(a, "write");
	unsigned n;

	*files = 1;
	want->port = ctl_args_get(a, "port");
	want->filter = ctl_args_get(a, "filter");
	want->drops = ctl_args_get(a, "with-drops") != NULL;
	want->pcap = ctl_args_get(a, "pcap") != NULL;
	if (count && !ctl_parse_number(&n, count, 1, INT32_MAX)) {
		ctl_misuse(&ctl_verb_capture, "\"%s\" is no number of packets", count);
		return false;
	}
	want->count = count ? n : 0;
	if (snaplen && !ctl_parse_number(&n, snaplen, 14, SESSION_SNAPLEN)) {
		ctl_misuse(&ctl_verb_capture, "\"%s\" is no snapshot length: 14 to %d bytes",
			   snaplen, SESSION_SNAPLEN);
		return false;
	}
	want->snaplen = snaplen ? n : SESSION_SNAPLEN;
	if (want->drops && !want->port) {
		ctl_misuse(&ctl_verb_capture, "--with-drops goes with --port: gates are at ports");
		return false;
	}
	if (want->pcap && !file) {
		ctl_misuse(&ctl_verb_capture, "--pcap is about a file: -w FILE");
		return false;
	}
	if (ring && (!file || !strcmp(file, "-"))) {
		ctl_misuse(&ctl_verb_capture, "--ring needs a file to write to: -w FILE");
		return false;
	}
	return !ring || parse_ring(files, &want->file_max, ring);
}

/* --- files --- */

/* Negative after a complaint. */
static int
open_one(const char *name)
{
	struct strbuf why;
	int fd;

	strbuf_init(&why);
	fd = session_file(name, &why);
	if (fd < 0)
		ctl_complain("%s", strbuf_str(&why));
	strbuf_fini(&why);
	return fd;
}

/* "web.pcapng" -> "web.001.pcapng" */
static char *
ring_name(const char *name, unsigned number)
{
	const char *dot = strrchr(name, '.'), *slash = strrchr(name, '/');
	char *out;

	if (!dot || dot == name || (slash && dot < slash + 2))
		dot = name + strlen(name);
	return asprintf(&out, "%.*s.%03u%s", (int)(dot - name), name, number, dot) < 0 ? NULL : out;
}

/* False after a complaint. */
static bool
open_files(struct outputs *o, const char *name, unsigned files)
{
	for (unsigned i = 0; i < files; i++) {
		char *one = files == 1 ? strdup(name) : ring_name(name, i + 1);
		int fd = one ? open_one(one) : -1;

		free(one);
		if (fd < 0)
			return false;
		o->fd[o->n++] = fd;
	}
	return true;
}

/* --- running --- */

static void
print_counts(const struct session *s, const char *before, const char *after)
{
	fprintf(stderr, "%s%s, %" PRIu64 " packets, %" PRIu64 " dropped%s", before, s->name,
		s->frames, s->dropped, after);
}

static void
print_progress(const struct session *s)
{
	print_counts(s, "\r", "");
}

static enum ctl_exit
wait_for_end(const struct ctl *c, struct session *s)
{
	bool progress = !c->quiet && isatty(STDERR_FILENO);
	enum ctl_exit r = session_wait(s, progress ? print_progress : NULL);

	if (progress)
		fputc('\r', stderr);
	return r;
}

static enum ctl_exit
capture_to_files(const struct ctl *c, struct session_want *want, const char *name, unsigned files)
{
	struct outputs o = {.n = 0};
	struct session s;
	enum ctl_exit r;

	if (!open_files(&o, name, files)) {
		outputs_close(&o);
		return CTL_FAILED;
	}
	want->fd = o.fd;
	want->nfds = o.n;
	want->anew = strcmp(name, "-") != 0;
	r = session_open(&s, want);
	if (r == CTL_OK) {
		if (!c->quiet && !isatty(STDERR_FILENO))
			fprintf(stderr, "capturing on %s\n", s.name);
		r = wait_for_end(c, &s);
		session_repair(&s, o.fd, o.n);
		if (!c->quiet)
			print_counts(&s, "", "\n");
	}
	/* A reader that has had enough is no failure. */
	if (s.client.err == EPIPE)
		r = CTL_OK;
	ctl_explain(r, &s.client);
	session_close(&s);
	outputs_close(&o);
	return r;
}

static enum ctl_exit
run(struct ctl *c, const struct ctl_args *a)
{
	struct session_want want = {.run_dir = c->run_dir};
	const char *file = ctl_args_get(a, "write");
	struct strbuf why;
	enum ctl_exit r;
	unsigned files;

	if (!ctl_parse_net(&want.net, a->pos[0]) || !parse(&want, &files, a))
		return CTL_USAGE;
	session_catch_signals();
	if (file)
		return capture_to_files(c, &want, file, files);
	strbuf_init(&why);
	r = lines_capture(&want, c->quiet, false, &why);
	if (r != CTL_OK)
		ctl_complain("%s", strbuf_str(&why));
	strbuf_fini(&why);
	return r;
}

const struct ctl_verb ctl_verb_capture = {
    .name = "capture",
    .synopsis = "vmnetN [--port PORT [--with-drops]] [--filter EXPR] [-w FILE|- [--pcap]]\n"
		"          [-c N] [--ring FILES,SIZE] [--snaplen N]",
    .summary = "Captures a network's packets, or those of one port, without being root",
    .detail =
	"Sees what tcpdump -i vmnetN sees: guest to guest, guest to host, and through NAT. With "
	"-w\n"
	"it writes pcapng, which Wireshark and tcpdump read; without, a line for each packet, by\n"
	"tcpdump where that is installed.\n"
	"Members of group vnet may, when a file promiscAuthorized allows promiscuous mode to the\n"
	"network's guests, or an administrator says: vnetctl promisc allow capture:USER.\n"
	"See vnet-capture(8).",
    .example = "  vnetctl capture vmnet8 --filter 'tcp port 80'\n"
	       "  vnetctl capture vmnet8 --filter 'tcp port 80' -w web.pcapng\n"
	       "  vnetctl capture vmnet8 --port web1 --with-drops -c 100\n"
	       "  vnetctl capture vmnet8 -w trace.pcapng --ring 10,100M\n"
	       "  vnetctl capture vmnet8 -w - | wireshark -k -i -",
    .opts = opts,
    .min_pos = 1,
    .max_pos = 1,
    .run = run,
};
