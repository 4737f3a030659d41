/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_forward.c - the verb `forward`: list, add, remove.
 */
#include <string.h>

#include "lib/hostport.h"
#include "vnetd/ctl.h"
#include "vnetd/ctl_inuse.h"
#include "vnetd/ctl_json.h"

static const char *const words[] = {"list", "add", "remove", NULL};

static const struct ctl_opt opts[] = {
    {"shadow", 0, NULL, "add also where a process of this host has the port: it is asked no more"},
    CTL_OPT_JSON,
    CTL_OPT_QUIET,
    CTL_OPT_HELP,
    {0}};

/* The forwards, the connections by which they are counted, and which ports are held. */
static enum ctl_exit
gather(struct client *client, uint16_t net, struct rows *forwards, struct rows *conns,
       struct rows *holds, bool *holds_known)
{
	struct rows *want_forwards[] = {forwards}, *want_holds[] = {holds};
	struct msg q = msg_make(MSG_FORWARD_LIST, 0);
	enum ctl_exit r;

	q.u.forward_list.net = net;
	r = client_gather(client, &q, want_forwards, 1);
	if (r != CTL_OK)
		return r;
	r = ctl_gather_conns(client, net, conns);
	if (r != CTL_OK)
		return r;
	/* While natd is being started nobody knows. */
	q = msg_make(MSG_HOLD_LIST, 0);
	*holds_known = client_gather(client, &q, want_holds, 1) == CTL_OK;
	return CTL_OK;
}

static enum ctl_exit
list(struct ctl *c, uint16_t net)
{
	struct rows forwards = ROWS_INIT(FORWARD_ROW, forward_row);
	struct rows conns = ROWS_INIT(CONN_ROW, conn_row);
	struct rows holds = ROWS_INIT(HOLD_ROW, hold_row);
	struct view v = {.colour = c->colour};
	struct client client;
	struct strbuf text;
	bool holds_known = false;
	enum ctl_exit r = client_open(&client, c->run_dir);

	if (r == CTL_OK)
		r = gather(&client, net, &forwards, &conns, &holds, &holds_known);
	ctl_explain(r, &client);
	client_close(&client);
	if (r == CTL_OK) {
		struct facts f = {.forward = forwards.v,
				  .nforwards = forwards.n,
				  .conn = conns.v,
				  .nconns = conns.n,
				  .conns_known = true,
				  .hold = holds.v,
				  .nholds = holds.n,
				  .holds_known = holds_known};

		strbuf_init(&text);
		if (c->json)
			json_write_forwards(&text, &f);
		else
			render_forwards(&text, &f, &v);
		r = ctl_print(c, &text);
	}
	rows_fini(&forwards);
	rows_fini(&conns);
	rows_fini(&holds);
	return r;
}

/* The words that `add` and `remove` have in common. False after a complaint. */
static bool
parse_port(const struct ctl_args *a, uint16_t *net, uint8_t *proto, struct host_ports *ports)
{
	if (!ctl_parse_net(net, a->pos[1]))
		return false;
	for (*proto = 0; *proto < PROTO_N; ++*proto)
		if (!strcmp(a->pos[2], ip_proto_name((enum ip_proto) * proto)))
			break;
	if (*proto == PROTO_N) {
		ctl_misuse(&ctl_verb_forward, "\"%s\" is neither tcp nor udp", a->pos[2]);
		return false;
	}
	if (!host_ports_parse(ports, a->pos[3], strlen(a->pos[3]))) {
		ctl_misuse(&ctl_verb_forward,
			   "\"%s\" is not a port of this host (1 to 65535), nor like 8000-8010 or "
			   "192.0.2.1:8080",
			   a->pos[3]);
		return false;
	}
	return true;
}

/* Prints what vnetd has to say about a change, or the new fact. */
static enum ctl_exit
change(struct ctl *c, struct msg *request, struct strbuf *fact)
{
	struct strbuf text;
	enum ctl_exit r;

	strbuf_init(&text);
	r = ctl_change(c, request, NULL, NULL, &text);
	if (r == CTL_OK && text.len)
		strbuf_addc(&text, '\n');
	if (r == CTL_OK)
		r = ctl_print(c, text.len ? &text : fact);
	strbuf_fini(&text);
	return r;
}

/* A service of this host that nobody could reach any more. */
static bool
is_in_the_way(const struct ctl_args *a, const struct msg_forward_add *m)
{
	const char *proto = ip_proto_name((enum ip_proto)m->proto);
	const struct host_ports ports = {m->host, m->port, m->more};
	struct strbuf who;
	struct inuse u;

	if (ctl_args_get(a, "shadow") || !inuse_on_host(&u, (enum ip_proto)m->proto, ports))
		return false;
	strbuf_init(&who);
	if (u.pid)
		strbuf_addf(&who, "%s (pid %d)", u.name, u.pid);
	else if (u.inode)
		strbuf_addf(&who, "a process of uid %u", u.uid);
	else
		strbuf_add(&who, "the kernel");
	ctl_complain(
	    "%s port %u is in use by %s on %s. Choose another host port, or shadow it with "
	    "--shadow",
	    proto, u.port, strbuf_str(&who), u.addr);
	strbuf_fini(&who);
	return true;
}

static enum ctl_exit
add(struct ctl *c, const struct ctl_args *a)
{
	struct msg request = msg_make(MSG_FORWARD_ADD, 0);
	struct msg_forward_add *m = &request.u.forward_add;
	char from[HOST_PORTS_LEN], to[PORT_RANGE_LEN];
	struct host_ports ports;
	struct strbuf fact;
	enum ctl_exit r;
	uint16_t more;

	if (a->npos < 6)
		return ctl_misuse(&ctl_verb_forward,
				  "add needs a network, tcp or udp, a port, a guest and its port");
	if (!parse_port(a, &m->net, &m->proto, &ports))
		return CTL_USAGE;
	if (!ip4_parse(&m->guest, a->pos[4]))
		return ctl_misuse(&ctl_verb_forward, "\"%s\" is not an IPv4 address of a guest",
				  a->pos[4]);
	if (!port_range_parse(&m->guest_port, &more, a->pos[5], strlen(a->pos[5])))
		return ctl_misuse(&ctl_verb_forward, "\"%s\" is not a port of the guest",
				  a->pos[5]);
	if (more != ports.more)
		return ctl_misuse(&ctl_verb_forward,
				  "%s are %u ports and %s are %u: they must be as many", a->pos[3],
				  ports.more + 1u, a->pos[5], more + 1u);
	m->host = ports.host;
	m->port = ports.first;
	m->more = ports.more;
	if (a->npos == 7 && strlen(a->pos[6]) >= sizeof(m->text))
		return ctl_misuse(&ctl_verb_forward, "the description is too long (%zu bytes)",
				  strlen(a->pos[6]));
	if (a->npos == 7)
		MSG_SET_STR(m->text, a->pos[6]);
	if (is_in_the_way(a, m))
		return CTL_FAILED;
	m->shadow = ctl_args_get(a, "shadow") != NULL;
	strbuf_init(&fact);
	strbuf_addf(&fact, "%s %s -> %s:%s on vmnet%u%s\n", ip_proto_name((enum ip_proto)m->proto),
		    host_ports_str(ports, from), IP4_STR(m->guest),
		    port_range_str(m->guest_port, m->more, to), m->net,
		    m->host.h ? "" : " (from outside, this host, 127.0.0.1 and guests)");
	r = change(c, &request, &fact);
	strbuf_fini(&fact);
	return r;
}

static enum ctl_exit
drop(struct ctl *c, const struct ctl_args *a)
{
	struct msg request = msg_make(MSG_FORWARD_REMOVE, 0);
	struct msg_forward_remove *m = &request.u.forward_remove;
	char from[HOST_PORTS_LEN];
	struct host_ports ports;
	struct strbuf fact;
	enum ctl_exit r;

	if (a->npos != 4)
		return ctl_misuse(&ctl_verb_forward,
				  "remove needs a network, tcp or udp, and a port of this host");
	if (!parse_port(a, &m->net, &m->proto, &ports))
		return CTL_USAGE;
	m->host = ports.host;
	m->port = ports.first;
	m->more = ports.more;
	strbuf_init(&fact);
	strbuf_addf(&fact, "%s %s is no longer forwarded; its connections have ended\n",
		    ip_proto_name((enum ip_proto)m->proto), host_ports_str(ports, from));
	r = change(c, &request, &fact);
	strbuf_fini(&fact);
	return r;
}

static enum ctl_exit
run(struct ctl *c, const struct ctl_args *a)
{
	const char *word = a->pos[0], *meant = ctl_did_you_mean(word, words);
	uint16_t net = MSG_NET_ALL;

	if (strcmp(word, "list") == 0) {
		if (a->npos > 2)
			return ctl_misuse(&ctl_verb_forward, "list takes no \"%s\"", a->pos[2]);
		if (a->npos == 2 && !ctl_parse_net(&net, a->pos[1]))
			return CTL_USAGE;
		return list(c, net);
	}
	if (c->json)
		return ctl_misuse(&ctl_verb_forward, "--json is for the list");
	if (strcmp(word, "add") == 0)
		return add(c, a);
	if (strcmp(word, "remove") == 0)
		return drop(c, a);
	return ctl_misuse(&ctl_verb_forward, "unknown word \"%s\" behind \"forward\"%s%s%s", word,
			  meant ? ", did you mean \"" : "", meant ? meant : "", meant ? "\"?" : "");
}

const struct ctl_verb ctl_verb_forward = {
    .name = "forward",
    .synopsis =
	"list [vmnetN] [--json]\n"
	"   or: vnetctl forward add vmnetN tcp|udp PORT GUEST GUEST-PORT [DESCRIPTION] [--shadow]\n"
	"   or: vnetctl forward remove vmnetN tcp|udp PORT",
    .summary = "Lists, adds or removes ports of this host that lead to guests",
    .detail =
	"A forward is reached from other machines, from this host through any of its addresses,\n"
	"127.0.0.1 and ::1, and from guests. It is kept in the file networking (add_nat_portfwd);\n"
	"the list has those of vmnetN/nat/nat.conf ([incomingtcp], [incomingudp]) too. One that\n"
	"is removed, or leads elsewhere, ends its connections, and only those. A port that a\n"
	"process of this host listens on is refused, unless with --shadow (key shadow of\n"
	"vnetd.conf). PORT is a port, a range like 8000-8010 with as many guest ports, or\n"
	"either on one address of this host, like 192.0.2.1:8080. HELD: no process can take the "
	"port later (key hold-ports). CONNECTIONS,\n"
	"IN (to the guest) and OUT, in bytes, are of the connections that there are now.",
    .example = "  vnetctl forward list vmnet8\n"
	       "  sudo vnetctl forward add vmnet8 tcp 8080 192.168.8.128 80 \"web1's nginx\"\n"
	       "  sudo vnetctl forward add vmnet8 udp 192.0.2.1:6000-6010 192.168.8.128 7000-7010\n"
	       "  sudo vnetctl forward remove vmnet8 tcp 8080",
    .opts = opts,
    .min_pos = 1,
    .max_pos = 7,
    .run = run,
};
