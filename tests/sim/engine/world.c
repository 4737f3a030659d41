/* SPDX-License-Identifier: GPL-2.0-or-later
 * world.c - clock, files, workers and clients of the simulation. The kernel is in kernel.c.
 */
#include "tests/sim/engine/world.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/fd.h"
#include "tests/sim/engine/gates.h"
#include "tests/sim/engine/kernel.h"
#include "tests/sim/engine/redirects.h"
#include "tests/unit/lib/t.h"
#include "vnetd/policy.h"

struct world_request {
	struct world_request *next;
	struct msg m;
	int fd; /* -1: none */
};

struct world_report {
	struct world_report *next;
	enum role role;
	struct msg m;
};

/* --- what the core does to the world --- */

static bool
is_step(enum msg_type t)
{
	return t == MSG_BRIDGE_SET || t == MSG_BRIDGE_DEL || t == MSG_ADDR_ADD ||
	       t == MSG_ADDR_DEL || t == MSG_ROUTE_ADD || t == MSG_ROUTE_DEL ||
	       t == MSG_NEIGH_SET || t == MSG_NEIGH_DEL || t == MSG_SYSCTL_SET ||
	       t == MSG_TAP_ADD || t == MSG_VETH_ADD || t == MSG_PORT_DEL ||
	       t == MSG_PORT_ENSLAVE || t == MSG_PORT_SET;
}

static void
to_priv(void *arg, const struct msg *m, const int *fds, size_t nfds)
{
	struct world *w = arg;
	struct world_request *r;
	uint8_t wire[MSG_MAX];
	const char *why;
	size_t len = msg_encode(m, wire, sizeof(wire));

	/* As the real channel and the real priv judge it. */
	assert_true(len > 0);
	assert_true(msg_fds_ok(m->type, nfds));
	if (policy_check(ROLE_ENGINE, m, &why) != POLICY_ALLOWED)
		fail_msg("priv would refuse %s: %s", msg_name(m->type), why);
	if (m->type == MSG_ENGINE_READY) {
		snprintf(w->ready, sizeof(w->ready), "%s", m->u.engine_ready.text);
		return;
	}
	if (redirects_told(w, m))
		return;
	if (m->type == MSG_CAPTURE_STOP) {
		w->captures_stopped++;
		return;
	}
	if (m->type == MSG_ENGINE_REFUSED) {
		snprintf(w->refused, sizeof(w->refused), "%s", m->u.engine_refused.text);
		return;
	}
	r = calloc(1, sizeof(*r));
	assert_non_null(r);
	assert_true(msg_decode(&r->m, wire, len));
	r->fd = nfds ? fcntl(fds[0], F_DUPFD_CLOEXEC, 0) : -1;
	*w->requests_end = r;
	w->requests_end = &r->next;
	if (is_step(m->type)) {
		w->nsteps++;
		strbuf_addf(&w->steps, "%s\n", msg_name(m->type));
	}
}

static struct redirect_ip
redirect_target(const struct msg *m)
{
	struct redirect_ip ip;

	memcpy(ip.b, m->u.redirect_target.addr.b, sizeof(ip.b));
	return ip;
}

static struct redirect_ip
redirect_alias(const struct msg *m)
{
	struct redirect_ip ip;

	memcpy(ip.b, m->u.redirect_alias.addr.b, sizeof(ip.b));
	return ip;
}

static struct redirect_ip
capture_addr(const struct msg *m)
{
	struct redirect_ip ip;

	memcpy(ip.b, m->u.natd_capture.addr.b, sizeof(ip.b));
	return ip;
}

static void
note_row(struct strbuf *b, const struct msg *m)
{
	char addr[REDIRECT_IP_STRLEN];

	if (m->type == MSG_DHCP_NET)
		strbuf_addf(b, "dhcp %u %s/%u mtu %u\n  min %u, next %s, booting %d\n",
			    m->u.dhcp_net.net, IP4_STR(m->u.dhcp_net.subnet), m->u.dhcp_net.len,
			    m->u.dhcp_net.mtu, m->u.dhcp_net.min_lease_s,
			    IP4_STR(m->u.dhcp_net.next_server), m->u.dhcp_net.booting);
	else if (m->type == MSG_NATD_NET)
		strbuf_addf(b, "nat %u %s/%u %s\n", m->u.natd_net.net,
			    IP4_STR(m->u.natd_net.subnet), m->u.natd_net.len,
			    m->u.natd_net.nat ? "yes" : "no");
	else if (m->type == MSG_NATD_GLOBAL)
		strbuf_addf(b, "others %d%s\n", m->u.natd_global.forward_others,
			    m->u.natd_global.flowtable ? "" : ", no flowtable");
	else if (m->type == MSG_NATD_CAPTURE)
		strbuf_addf(b, "capture %s %u %u\n", redirect_ip_str(capture_addr(m), addr),
			    m->u.natd_capture.port, m->u.natd_capture.to_port);
	else if (m->type == MSG_NATD_DNS)
		strbuf_addf(b, "dns %u policy %u timeout %u tries %u host %d%s%s\n",
			    m->u.natd_dns.net, m->u.natd_dns.policy, m->u.natd_dns.timeout_ms,
			    m->u.natd_dns.tries, m->u.natd_dns.host_servers,
			    m->u.natd_dns.rebind ? " guarded but " : "",
			    m->u.natd_dns.private_domains);
	else if (m->type == MSG_GUEST_NAMES)
		strbuf_addf(b, "guests %s\n", m->u.guest_names.begin ? "begin" : "end");
	else if (m->type == MSG_GUEST_NAME)
		strbuf_addf(b, "guest %u %s %s\n", m->u.guest_name.net,
			    IP4_STR(m->u.guest_name.addr), m->u.guest_name.name);
	else if (m->type == MSG_NATD_FORWARD)
		strbuf_addf(b, "forward %u %u%s\n", m->u.natd_forward.net, m->u.natd_forward.port,
			    m->u.natd_forward.shadow ? " shadow" : "");
	else if (m->type == MSG_NATD_CHANGE)
		strbuf_addf(b, "%s %u %s %u %s %u\n", m->u.natd_change.gone ? "gone" : "new",
			    m->u.natd_change.net,
			    ip_proto_name((enum ip_proto)m->u.natd_change.proto),
			    m->u.natd_change.port, IP4_STR(m->u.natd_change.guest),
			    m->u.natd_change.guest_port);
	else if (m->type == MSG_REDIRECT_SERVICE)
		strbuf_addf(b, "service %s socket %u cps %u%s%s\n", m->u.redirect_service.name,
			    m->u.redirect_service.listener, m->u.redirect_service.cps,
			    m->u.redirect_service.alias.len ? " alias" : "",
			    m->u.redirect_service.waits ? " waits" : "");
	else if (m->type == MSG_REDIRECT_ALIAS)
		strbuf_addf(b, "alias %s\n", redirect_ip_str(redirect_alias(m), addr));
	else if (m->type == MSG_REDIRECT_LOG)
		strbuf_addf(b, "log %u pri %u limits %llu %llu\n", m->u.redirect_log.log,
			    m->u.redirect_log.pri, (unsigned long long)m->u.redirect_log.soft,
			    (unsigned long long)m->u.redirect_log.hard);
	else if (m->type == MSG_REDIRECT_TARGET)
		strbuf_addf(b, "target %s %u\n", redirect_ip_str(redirect_target(m), addr),
			    m->u.redirect_target.port);
	else if (m->type == MSG_REDIRECT_RULES)
		strbuf_addf(b, "%s %u\n", m->u.redirect_rules.no_access ? "no_access" : "only_from",
			    m->u.redirect_rules.rules.len / 17);
	else if (m->type == MSG_REDIRECT_BANNER)
		strbuf_addf(b, "banner %u %.*s\n", m->u.redirect_banner.which,
			    m->u.redirect_banner.text.len,
			    (const char *)m->u.redirect_banner.text.b);
	else if (m->type == MSG_DHCP_HOST)
		strbuf_addf(b, "host %u %s\n  times %u %u %u, next %s, booting %d, bootp %d\n",
			    m->u.dhcp_host.net, m->u.dhcp_host.name, m->u.dhcp_host.default_lease_s,
			    m->u.dhcp_host.max_lease_s, m->u.dhcp_host.min_lease_s,
			    IP4_STR(m->u.dhcp_host.next_server), m->u.dhcp_host.booting,
			    m->u.dhcp_host.bootp);
	else if (m->type == MSG_DHCP_RANGE)
		strbuf_addf(b, "range %u %s%s\n", m->u.dhcp_range.net,
			    IP4_STR(m->u.dhcp_range.first), m->u.dhcp_range.known ? " known" : "");
}

static void
report(struct world *w, enum role role, const struct msg *m)
{
	struct world_report *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->role = role;
	r->m = *m;
	*w->reports_end = r;
	w->reports_end = &r->next;
}

static struct world_report *
take_report(struct world *w)
{
	struct world_report *r = w->reports;

	if (r) {
		w->reports = r->next;
		if (!w->reports)
			w->reports_end = &w->reports;
	}
	return r;
}

static bool
deliver_report(struct world *w)
{
	struct world_report *r = take_report(w);
	bool taken;

	if (!r)
		return false;
	taken = core_worker_msg(w->core, w->now, r->role, &r->m);
	assert_true(taken || w->worker_lies[r->role]);
	free(r);
	return true;
}

static void
answer_leases(struct world *w, const struct msg *m)
{
	struct msg reply = msg_reply(m->id, 0, NULL);

	for (size_t i = 0; i < w->nleases; i++) {
		w->lease[i].id = m->id;
		report(w, ROLE_DHCPD, &w->lease[i]);
	}
	report(w, ROLE_DHCPD, &reply);
}

/* natd looks so many names up at one time. */
static bool
is_busy(const struct world *w)
{
	unsigned n = 0;

	for (const struct world_report *r = w->reports; r; r = r->next)
		n += r->role == ROLE_NATD && r->m.type == MSG_REPLY;
	return n >= 64;
}

static void
answer_lookup(struct world *w, const struct msg *m)
{
	bool silent = w->dns_silent || is_busy(w);
	struct msg row = msg_make(MSG_LOOKUP_ADDR, m->id);
	struct msg reply = msg_reply(m->id, silent ? EAGAIN : 0, NULL);
	struct redirect_ip ip;

	w->lookups++;
	if (!silent && w->dns_name &&
	    (!strcmp(w->dns_name, "*") || !strcmp(m->u.lookup.name, w->dns_name))) {
		assert_true(redirect_ip_parse(&ip, w->dns_addr));
		row.u.lookup_addr.addr.len = 16;
		memcpy(row.u.lookup_addr.addr.b, ip.b, 16);
		report(w, ROLE_NATD, &row);
	}
	report(w, ROLE_NATD, &reply);
}

static void
to_worker(void *arg, enum role role, const struct msg *m)
{
	struct world *w = arg;
	struct msg ready = msg_make(MSG_CONF_READY, 0), reply;
	uint8_t wire[MSG_MAX];

	assert_true(msg_encode(m, wire, sizeof(wire)) > 0);
	if (m->type == MSG_CONF_BEGIN)
		strbuf_fini(&w->pushed[role]);
	note_row(&w->pushed[role], m);
	if (m->type == MSG_LEASE_LIST && !w->worker_mute[role]) {
		answer_leases(w, m);
	} else if ((m->type == MSG_DHCP_STATS || m->type == MSG_DNS_STATS) &&
		   !w->worker_mute[role]) {
		reply = msg_reply(m->id, 0, NULL); /* nothing has been counted */
		report(w, role, &reply);
	} else if (m->type == MSG_LOOKUP) {
		answer_lookup(w, m);
	} else if (role == ROLE_REDIRD && m->id) {
		reply =
		    msg_reply(m->id, 0, NULL); /* nothing has been counted, nobody is connected */
		report(w, role, &reply);
	} else if (m->type == MSG_NATD_CHANGE) {
		ready.u.conf_ready.generation = m->u.natd_change.generation;
		if (!w->worker_mute[role])
			report(w, role, &ready);
	} else if (m->type == MSG_CONF_COMMIT) {
		w->pushes[role]++;
		ready.u.conf_ready.generation = m->u.conf_commit.generation;
		if (!w->worker_mute[role])
			report(w, role, &ready);
	}
}

static void
to_client(void *arg UNUSED, void *peer, const struct msg *m, const int *fds UNUSED, size_t nfds)
{
	struct world_client *cl = peer;

	cl->nfds += nfds;
	if (m->type == MSG_REPLY) {
		cl->nreplies++;
		cl->err = (int)m->u.reply.err;
		snprintf(cl->text, sizeof(cl->text), "%s", m->u.reply.text);
		return;
	}
	cl->nrows++;
	cl->last_row = *m;
	if (m->type == MSG_DIAG_ROW)
		strbuf_addf(&cl->rows, "%s\n", m->u.diag_row.text);
	else if (m->type == MSG_WARNING_ROW)
		strbuf_addf(&cl->rows, "%s [%s]\n", m->u.warning_row.text, m->u.warning_row.cure);
	else if (m->type == MSG_EVENT_ROW)
		strbuf_addf(&cl->rows, "%s: %s\n", m->u.event_row.what, m->u.event_row.text);
	else if (m->type == MSG_PROMISC_ROW)
		strbuf_addf(
		    &cl->rows, "%s vmnet%u %s %s %s\n", m->u.promisc_row.port, m->u.promisc_row.net,
		    promisc_state_name((enum promisc_state)m->u.promisc_row.state),
		    promisc_by_name((enum promisc_by)m->u.promisc_row.by), m->u.promisc_row.marker);
	else if (m->type == MSG_PORT_ROW)
		strbuf_addf(&cl->rows, "%s vmnet%u %s %s %s %s %s\n", m->u.port_row.name,
			    m->u.port_row.net, port_kind_name((enum port_kind)m->u.port_row.kind),
			    MAC_STR(m->u.port_row.mac), IP4_STR(m->u.port_row.addr),
			    m->u.port_row.guest, m->u.port_row.owner_name);
}

static void
serve(void *arg)
{
	((struct world *)arg)->serving = true;
}

static int
snapshot(void *arg, struct snapshot *out)
{
	struct world *w = arg;

	w->snapshots++;
	kernel_deliver(w);
	for (size_t i = 0; i < w->nlinks; i++)
		snapshot_add_link(&w->link[i], out);
	for (size_t i = 0; i < w->naddrs; i++)
		snapshot_add_addr(&w->addr[i], out);
	for (size_t i = 0; i < w->nroutes; i++)
		snapshot_add_route(&w->route[i], out);
	for (size_t i = 0; i < w->nneighs; i++)
		snapshot_add_neigh(&w->neigh[i], out);
	snapshot_seal(out);
	return 0;
}

static int
fdb(void *arg, void (*cb)(const struct rtnl_fdb *f, void *arg), void *cb_arg)
{
	struct world *w = arg;

	w->fdb_dumps++;
	for (size_t i = 0; i < w->nfdb; i++)
		cb(&w->fdb[i], cb_arg);
	return 0;
}

static int
netns_owner(void *arg, int fd, uint32_t *uid)
{
	struct world *w = arg;

	if (fd < 0)
		return -EINVAL;
	*uid = w->netns_owner;
	return 0;
}

static void
wake_at(void *arg, struct mono when)
{
	((struct world *)arg)->wake = when;
}

static void
log_level(void *arg UNUSED, enum log_level level UNUSED)
{
}

static uint64_t
utc_ms(void *arg)
{
	struct world *w = arg;

	return 1700000000000u + (uint64_t)(w->now.ms + w->clock_step_ms);
}

static uint64_t
rnd(void *arg)
{
	struct world *w = arg;

	w->seed ^= w->seed << 13;
	w->seed ^= w->seed >> 7;
	w->seed ^= w->seed << 17;
	return w->seed;
}

static void
watch(void *arg UNUSED, enum watch what UNUSED, int *fd)
{
	fd_close(fd);
}

static const struct core_io io = {
    .to_priv = to_priv,
    .to_worker = to_worker,
    .row_to_worker = to_worker,
    .to_client = to_client,
    .serve = serve,
    .snapshot = snapshot,
    .fdb = fdb,
    .netns_owner = netns_owner,
    .wake_at = wake_at,
    .log_level = log_level,
    .watch = watch,
    .utc_ms = utc_ms,
    .random = rnd,
};

/* --- priv: files and the rest that is not the kernel's --- */

static int
reply_text(const char *text, int *fds, size_t *nfds)
{
	if (!text)
		return ENOENT;
	fds[0] = fd_memfd("sim", text, strlen(text));
	assert_true(fds[0] >= 0);
	*nfds = 1;
	return 0;
}

static int
replace(struct world *w, enum conf_file_id file, unsigned net, int fd, char *why, size_t cap)
{
	char *text;

	if (w->read_only) {
		snprintf(why, cap, "/etc/vnet/file: cannot write it: Read-only file system");
		return EROFS;
	}
	assert_true(fd_read_all(fd, &text, 1 << 20) >= 0);
	free(w->file[file][net]);
	w->file[file][net] = text;
	w->writes++;
	return 0;
}

static int
execute(struct world *w, const struct world_request *r, int *fds, size_t *nfds, char *why,
	size_t cap)
{
	const struct msg *m = &r->m;
	bool own;
	int err;

	if (m->type == w->fail_type && w->fail_times > 0) {
		w->fail_times--;
		snprintf(why, cap, "vmnet8: the kernel is in a bad mood");
		return EIO;
	}
	if (m->type == MSG_CONF_OPEN) {
		own = m->u.conf_open.file >= CONF_FILE_DHCPD;
		return reply_text(w->file[m->u.conf_open.file][own ? m->u.conf_open.net : 0], fds,
				  nfds);
	}
	if (redirects_execute(w, m, &err, why, cap))
		return err;
	if (m->type == MSG_CAPTURE_START) {
		w->capture = m->u.capture_start;
		w->captures_started++;
		return 0;
	}
	if (m->type == MSG_HOST_OPEN)
		return reply_text(w->host_file[m->u.host_open.file], fds, nfds);
	if (m->type == MSG_CONF_REPLACE)
		return replace(w, (enum conf_file_id)m->u.conf_replace.file,
			       m->u.conf_replace.file >= CONF_FILE_DHCPD ? m->u.conf_replace.net
									 : 0,
			       r->fd, why, cap);
	if (m->type == MSG_CONF_REMOVE) {
		free(w->file[m->u.conf_remove.file][m->u.conf_remove.net]);
		w->file[m->u.conf_remove.file][m->u.conf_remove.net] = NULL;
		return 0;
	}
	if (m->type == MSG_IP_FORWARD) {
		snprintf(why, cap, "%d", w->router);
		return 0;
	}
	if (gates_execute(w, m, &err, fds, nfds, why, cap))
		return err;
	return kernel_execute(w, m, fds, nfds, why, cap);
}

static bool
serve_priv(struct world *w)
{
	struct world_request *r = w->requests;
	char why[512] = "";
	int fds[FD_PASS_MAX];
	size_t nfds = 0;
	struct msg reply;
	int err;

	if (!r)
		return false;
	w->requests = r->next;
	if (!w->requests)
		w->requests_end = &w->requests;
	err = execute(w, r, fds, &nfds, why, sizeof(why));
	if (!w->replies_first)
		kernel_deliver(w);
	if (r->m.type == w->slow_type)
		world_engine_only(w, 20);
	reply = msg_reply(r->m.id, err, why);
	if (!core_priv_msg(w->core, w->now, &reply, fds, nfds))
		fail_msg("the core did not expect a reply to %s", msg_name(r->m.type));
	for (size_t i = 0; i < nfds; i++)
		fd_close(&fds[i]);
	fd_close(&r->fd);
	free(r);
	return true;
}

/* --- time --- */

static void
pump(struct world *w)
{
	do {
		while (serve_priv(w) || deliver_report(w) || redirects_start(w))
			;
		kernel_deliver(w);
	} while (w->requests || w->reports);
}

void
world_wait(struct world *w, int64_t ms)
{
	struct mono until = mono_add(w->now, ms);

	pump(w);
	for (unsigned turns = 0; !mono_before(until, w->wake); turns++) {
		/* An engine that wakes up all the time is broken. */
		assert_true(turns < 10000);
		if (mono_before(w->now, w->wake))
			w->now = w->wake;
		core_timer(w->core, w->now);
		pump(w);
	}
	w->now = until;
}

void
world_engine_only(struct world *w, int64_t ms)
{
	kernel_deliver(w);
	w->now = mono_add(w->now, ms);
	if (!mono_before(w->now, w->wake))
		core_timer(w->core, w->now);
}

void
world_run(struct world *w)
{
	world_wait(w, 100);
}

void
world_mark(struct world *w)
{
	w->nsteps = 0;
	strbuf_fini(&w->steps);
}

/* --- life --- */

static void
no_log(enum log_level level UNUSED, const char *line UNUSED, void *arg UNUSED)
{
	if (getenv("SIM_LOG"))
		fprintf(stderr, "# %s\n", line);
}

struct world *
world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	log_divert(no_log, NULL);
	w->now = (struct mono){1000};
	w->wake = MONO_NEVER;
	w->seed = 88172645463325252u;
	w->requests_end = &w->requests;
	w->events_end = &w->events;
	w->reports_end = &w->reports;
	w->fail_type = w->slow_type = MSG_NONE;
	w->host_file[HOST_FILE_PASSWD] =
	    strdup("root:x:0:0::/:/bin/sh\nalice:x:1000:1000::/:/bin/sh\n");
	w->host_file[HOST_FILE_GROUP] = strdup("root:x:0:\nvnet:x:500:alice\n");
	kernel_init(w);
	return w;
}

static void
drop_requests(struct world *w)
{
	while (w->requests) {
		struct world_request *r = w->requests;

		w->requests = r->next;
		fd_close(&r->fd);
		free(r);
	}
	w->requests_end = &w->requests;
	while (w->reports)
		free(take_report(w));
}

void
world_free(struct world *w)
{
	core_free(w->core);
	drop_requests(w);
	kernel_fini(w);
	world_redirects_fini(w);
	for (unsigned f = 0; f < 5; f++)
		for (unsigned n = 0; n < NAMES_NETS; n++)
			free(w->file[f][n]);
	for (unsigned f = 0; f < HOST_FILE_N; f++)
		free(w->host_file[f]);
	for (unsigned r = 0; r < ROLE_N; r++)
		strbuf_fini(&w->pushed[r]);
	for (unsigned i = 0; i < WORLD_CLIENTS; i++)
		strbuf_fini(&w->client[i].rows);
	strbuf_fini(&w->steps);
	log_divert(NULL, NULL);
	free(w);
}

static void
start(struct world *w, bool restarted)
{
	struct msg_engine_init init = {
	    .group_gid = 500, .started_mono_ms = 1000, .restarted = restarted};

	w->core = core_new(&io, w, LOG_LEVEL_INFO);
	assert_non_null(w->core);
	w->wake = MONO_NEVER;
	w->serving = false;
	w->ready[0] = w->refused[0] = '\0';
	core_start(w->core, w->now, &init);
	core_worker_up(w->core, w->now, ROLE_DHCPD);
	core_worker_up(w->core, w->now, ROLE_NATD);
	if (w->redird_wanted && restarted)
		core_worker_up(w->core, w->now, ROLE_REDIRD);
	world_run(w);
}

void
world_start(struct world *w)
{
	start(w, false);
}

void
world_restart(struct world *w)
{
	core_free(w->core);
	drop_requests(w);
	kernel_forget_events(w);
	for (unsigned i = 0; i < WORLD_CLIENTS; i++)
		w->client[i].serial = 0;
	start(w, true);
}

/* --- files --- */

void
world_write(struct world *w, enum conf_file_id file, unsigned net, const char *text)
{
	free(w->file[file][net]);
	w->file[file][net] = text ? strdup(text) : NULL;
}

void
world_add_net(struct world *w, unsigned net, const char *subnet, const char *more)
{
	const char *old = w->file[CONF_FILE_NETWORKING][0];
	struct strbuf b;

	strbuf_init(&b);
	strbuf_add(&b, old ? old : "VERSION=1,0\n");
	strbuf_addf(&b,
		    "answer VNET_%u_DHCP yes\nanswer VNET_%u_HOSTONLY_NETMASK 255.255.255.0\n"
		    "answer VNET_%u_HOSTONLY_SUBNET %s\nanswer VNET_%u_NAT yes\n"
		    "answer VNET_%u_VIRTUAL_ADAPTER yes\n%s",
		    net, net, net, subnet, net, net, more ? more : "");
	world_write(w, CONF_FILE_NETWORKING, 0, strbuf_str(&b));
	strbuf_fini(&b);
}

/* --- clients --- */

struct world_client *
world_client(struct world *w, uint32_t uid)
{
	uint32_t gid = 500;

	for (unsigned i = 0; i < WORLD_CLIENTS; i++) {
		struct world_client *cl = &w->client[i];

		if (cl->serial)
			continue;
		strbuf_fini(&cl->rows);
		memset(cl, 0, sizeof(*cl));
		/* Users below 2000 are members of group vnet. */
		cl->serial = core_client_new(w->core, w->now, cl, uid, &gid, uid < 2000);
		assert_true(cl->serial != 0);
		return cl;
	}
	fail_msg("too many clients");
	return NULL;
}

void
world_ask(struct world *w, struct world_client *cl, struct msg *m, int fd)
{
	strbuf_fini(&cl->rows);
	cl->nrows = cl->nreplies = 0;
	cl->err = -1;
	cl->text[0] = '\0';
	m->id = 77;
	assert_true(core_client_msg(w->core, w->now, cl->serial, m, &fd, fd >= 0 ? 1 : 0));
	fd_close(&fd);
	world_run(w);
}

static void
hang_up(struct world *w, struct world_client *cl)
{
	core_client_gone(w->core, w->now, cl->serial);
	cl->serial = 0;
}

enum net_state
world_state(struct world *w, unsigned net, char text[256])
{
	struct world_client *cl = world_client(w, 0);
	struct msg m = msg_make(MSG_NET_LIST, 1);
	enum net_state s = NET_STATE_N;

	m.u.net_list.net = (uint16_t)net;
	assert_true(core_client_msg(w->core, w->now, cl->serial, &m, NULL, 0));
	if (cl->nrows == 1) {
		s = (enum net_state)cl->last_row.u.net_row.state;
		if (text)
			snprintf(text, 256, "%s", cl->last_row.u.net_row.text);
	}
	hang_up(w, cl);
	return s;
}

const char *
world_warnings(struct world *w)
{
	struct world_client *cl = world_client(w, 0);
	struct msg m = msg_make(MSG_STATUS_GET, 1);

	assert_true(core_client_msg(w->core, w->now, cl->serial, &m, NULL, 0));
	hang_up(w, cl);
	return strbuf_str(&cl->rows);
}

void
world_report(struct world *w, enum role role, const struct msg *m)
{
	assert_true(core_worker_msg(w->core, w->now, role, m));
}
