/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_doctor_look.c - see ctl_doctor_look.h. Reads /proc, /sys, files and sockets; decides nothing.
 */
#include "vnetd/ctl_doctor_look.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "conf/conf.h"
#include "conf/diag.h"
#include "lib/fd.h"
#include "natd/resolv.h"
#include "vnetd/conf_folder.h"
#include "vnetd/ctl_bridge_nf.h"

enum { LEGACY_SIZE_MAX = 16 * 1024 * 1024, FILE_SIZE_MAX = 4 * 1024 * 1024 };

/* -- small files -- */

/* The number in a file; -1: it cannot be read. */
PRINTF_LIKE(1, 2)
static int
read_number(const char *fmt, ...)
{
	char path[128];
	int v = -1;
	va_list ap;
	FILE *f;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	f = fopen(path, "re");
	if (!f)
		return -1;
	if (fscanf(f, "%d", &v) != 1)
		v = -1;
	fclose(f);
	return v;
}

/* Appends a file. 0 or -errno. */
static int
read_file(struct strbuf *out, const char *path)
{
	FILE *f = fopen(path, "re");
	char buf[4096];
	size_t n;

	if (!f)
		return -errno;
	while (out->len < FILE_SIZE_MAX && (n = fread(buf, 1, sizeof(buf), f)) > 0)
		strbuf_addn(out, buf, n);
	fclose(f);
	return out->bad ? -ENOMEM : 0;
}

/* -- vnetd -- */

static enum ctl_exit
ask_vnetd(struct doctor_look *l)
{
	struct rows *want[] = {&l->status, &l->warnings, &l->nets};
	struct msg q = msg_make(MSG_STATUS_GET, 0);

	return client_gather(&l->client, &q, want, ARRAY_LEN(want));
}

static void
look_at_vnetd(struct doctor_look *l, const struct ctl *c)
{
	struct doctor_facts *f = &l->facts;
	enum ctl_exit r = client_open(&l->client, c->run_dir);

	f->vnetd = r == CTL_FAILED ? DOCTOR_VNETD_CLOSED : DOCTOR_VNETD_DOWN;
	if (r == CTL_OK)
		r = ask_vnetd(l);
	if (r == CTL_OK && l->status.n == 1) {
		f->vnetd = DOCTOR_VNETD_ANSWERS;
		f->version = ((struct msg_status_row *)l->status.v)->version;
	}
	f->vnetd_why =
	    l->client.why.len ? strbuf_str(&l->client.why) : "vnetd answers without its status";
	f->net = l->nets.v;
	f->nnets = l->nets.n;
	f->warning = l->warnings.v;
	f->nwarnings = l->warnings.n;
}

static bool
look_at_conf(struct doctor_look *l, const char *dir)
{
	struct conf_folder folder;
	struct conf *conf = NULL;
	struct diags d;
	bool ok = true;

	diags_init(&d);
	if (!conf_folder_read(&folder, dir, &l->conf_why)) {
		l->facts.conf_why = strbuf_str(&l->conf_why);
	} else {
		conf = conf_build(&folder.src, &d);
		ok = conf && conf_folder_redirects(&folder, dir, &d);
		l->facts.conf_errors = d.count[DIAG_ERROR];
		l->facts.foreign_allowed = ok && conf->foreign_allow;
	}
	conf_free(conf);
	conf_folder_fini(&folder);
	diags_fini(&d);
	return ok;
}

/* -- the kernel -- */

static void
look_at_switches(struct doctor_facts *f)
{
	f->ip_forward = read_number("/proc/sys/net/ipv4/ip_forward");
	f->rp_filter_all = read_number("/proc/sys/net/ipv4/conf/all/rp_filter");
	f->bridge_nf = ctl_bridge_nf_host();
	for (unsigned n = 0; n < 256; n++)
		f->net_forwarding[n] = -1;
	for (size_t i = 0; i < f->nnets; i++) {
		unsigned n = f->net[i].net;

		if (n >= 256)
			continue;
		f->net_forwarding[n] =
		    (int8_t)read_number("/proc/sys/net/ipv4/conf/vmnet%u/forwarding", n);
		f->net_bridge_nf[n] = ctl_bridge_nf_of(n);
	}
}

/* A module that is there: loaded, built in, or to be loaded. */
static enum doctor_tri
find_module(const char *name, const char *release)
{
	static const char *const lists[] = {"modules.builtin", "modules.dep"};
	char path[256], want[64];
	bool any = false, found = false;

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	if (access(path, F_OK) == 0)
		return DOCTOR_YES;
	snprintf(want, sizeof(want), "/%s.ko", name);
	for (size_t i = 0; i < ARRAY_LEN(lists) && !found; i++) {
		struct strbuf text;

		strbuf_init(&text);
		snprintf(path, sizeof(path), "/lib/modules/%.128s/%s", release, lists[i]);
		if (read_file(&text, path) == 0) {
			any = true;
			found = strstr(strbuf_str(&text), want) != NULL;
		}
		strbuf_fini(&text);
	}
	return found ? DOCTOR_YES : any ? DOCTOR_NO : DOCTOR_UNKNOWN;
}

static void
look_at_kernel(struct doctor_look *l)
{
	struct utsname u;

	if (uname(&u) == 0)
		snprintf(l->release, sizeof(l->release), "%s", u.release);
	l->facts.release = l->release;
	l->facts.tun =
	    access("/dev/net/tun", F_OK) == 0 ? DOCTOR_YES : find_module("tun", l->release);
	l->facts.nf_tables = find_module("nf_tables", l->release);
}

/* Interfaces with a default route of IPv4, each once. */
static void
look_at_uplinks(struct doctor_facts *f)
{
	char line[256], name[16];
	unsigned dst, mask;
	FILE *t = fopen("/proc/net/route", "re");

	while (t && fgets(line, sizeof(line), t)) {
		bool known = false;

		if (sscanf(line, "%15s %x %*x %*x %*d %*d %*d %x", name, &dst, &mask) != 3 || dst ||
		    mask)
			continue;
		for (size_t i = 0; i < f->nuplinks; i++)
			known |= !strcmp(f->uplink[i].name, name);
		if (known || f->nuplinks == DOCTOR_UPLINKS_MAX)
			continue;
		snprintf(f->uplink[f->nuplinks].name, sizeof(f->uplink[0].name), "%s", name);
		f->uplink[f->nuplinks++].rp_filter =
		    read_number("/proc/sys/net/ipv4/conf/%s/rp_filter", name);
	}
	if (t)
		fclose(t);
}

/* -- iptables-legacy -- */

/* Reads table filter by the socket `fd`. False: it cannot be read, or is not understood. */
static bool
read_legacy(struct legacy_rules *out, int fd, const struct legacy_net net[256])
{
	struct ipt_getinfo info = {.name = "filter"};
	struct ipt_get_entries *e;
	struct legacy_hooks hooks;
	socklen_t len = sizeof(info);
	bool ok;

	if (getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, &info, &len) < 0 ||
	    info.size > LEGACY_SIZE_MAX)
		return false;
	len = (socklen_t)(sizeof(*e) + info.size);
	e = calloc(1, len);
	if (!e)
		return false;
	memcpy(e->name, info.name, sizeof(e->name));
	e->size = info.size;
	hooks = (struct legacy_hooks){.input = info.hook_entry[NF_INET_LOCAL_IN],
				      .input_policy = info.underflow[NF_INET_LOCAL_IN],
				      .forward = info.hook_entry[NF_INET_FORWARD],
				      .forward_policy = info.underflow[NF_INET_FORWARD]};
	ok = getsockopt(fd, IPPROTO_IP, IPT_SO_GET_ENTRIES, e, &len) == 0 &&
	     legacy_read(out, e->entrytable, info.size, &hooks, net);
	free(e);
	return ok;
}

static void
note_net(struct legacy_net net[256], const struct msg_net_row *n)
{
	if (n->net < 256)
		net[n->net] = (struct legacy_net){{n->subnet, n->len}, n->dns};
}

/* Only tables that there are: asking for another one would make it. */
static void
look_at_legacy(struct doctor_facts *f)
{
	struct legacy_net net[256] = {0};
	struct strbuf names;
	int r;

	strbuf_init(&names);
	r = read_file(&names, "/proc/net/ip_tables_names");
	f->legacy = r == 0 || r == -ENOENT ? DOCTOR_NO : DOCTOR_UNKNOWN;
	if (r == 0 && strstr(strbuf_str(&names), "filter\n")) {
		AUTO_FD fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

		for (size_t i = 0; i < f->nnets; i++)
			note_net(net, &f->net[i]);
		f->legacy =
		    fd >= 0 && read_legacy(&f->legacy_rules, fd, net) ? DOCTOR_YES : DOCTOR_UNKNOWN;
	}
	strbuf_fini(&names);
}

/* -- resolv.conf -- */

/* Somebody takes UDP to 127.0.0.1:53, as the address of his socket has it or any. */
static bool
is_asked_locally(void)
{
	FILE *f = fopen("/proc/net/udp", "re");
	unsigned addr, port;
	char line[256];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, " %*u: %8x:%4x", &addr, &port) == 2 && port == 53 &&
			(addr == htonl(INADDR_LOOPBACK) || addr == INADDR_ANY);
	if (f)
		fclose(f);
	return found;
}

/* Without any server the C library asks 127.0.0.1, and so do we: whether somebody is there counts. */
static void
look_at_resolver(struct doctor_facts *f)
{
	struct strbuf text;
	struct resolv r;

	strbuf_init(&text);
	f->servers = -1;
	if (read_file(&text, "/etc/resolv.conf") == 0) {
		resolv_parse(&r, strbuf_str(&text), text.len, NULL, 0);
		f->servers = r.lines ? (int)r.n : is_asked_locally();
	}
	strbuf_fini(&text);
}

enum ctl_exit
doctor_look(struct doctor_look *l, const struct ctl *c)
{
	memset(l, 0, sizeof(*l));
	l->status = (struct rows)ROWS_INIT(STATUS_ROW, status_row);
	l->warnings = (struct rows)ROWS_INIT(WARNING_ROW, warning_row);
	l->nets = (struct rows)ROWS_INIT(NET_ROW, net_row);
	strbuf_init(&l->conf_why);
	l->facts.root = geteuid() == 0;
	l->facts.config_dir = c->config_dir;
	look_at_vnetd(l, c);
	look_at_switches(&l->facts);
	look_at_kernel(l);
	look_at_uplinks(&l->facts);
	look_at_legacy(&l->facts);
	look_at_resolver(&l->facts);
	return look_at_conf(l, c->config_dir) ? CTL_OK : CTL_FAILED;
}

void
doctor_look_fini(struct doctor_look *l)
{
	client_close(&l->client);
	rows_fini(&l->status);
	rows_fini(&l->warnings);
	rows_fini(&l->nets);
	strbuf_fini(&l->conf_why);
}
