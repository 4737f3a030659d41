/* SPDX-License-Identifier: GPL-2.0-or-later
 * doctor.c - judges the facts. Each check adds its findings, or one that all is well.
 */
#include "vnetd/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"
#include "lib/util.h"
#include "vnetd/ctl_table.h"
#include "vnetd/ctl_text.h"

/* What a person is told who has to open a file. */
#define ALLOW_TEXT                                                                                 \
	"let vnetd add the rules: foreign-rules = allow in [global] of %s/vnetd.conf, then "       \
	"vnetctl reload"

/* What one who has allowed it is told. */
#define LOOK_TEXT                                                                                  \
	"look why vnetd has not, though foreign-rules = allow: journalctl -u vnetd -u "            \
	"vnet-firewalld"

static const char *const level_names[] = {"FAIL", "warn", "?", "ok"};
static const char *const topic_names[] = {
    "vnetd",     "configuration", "networks",  "firewall", "iptables-legacy",
    "bridge-nf", "ip-forward",    "rp-filter", "kernel",   "resolver"};

static_assert(ARRAY_LEN(level_names) == DOCTOR_LEVEL_N, "every level has a word");
static_assert(ARRAY_LEN(topic_names) == DOCTOR_TOPIC_N, "every topic has a word");

const char *
doctor_level_name(enum doctor_level l)
{
	return level_names[l];
}

const char *
doctor_topic_name(enum doctor_topic t)
{
	return topic_names[t];
}

/* -- findings -- */

PRINTF_LIKE(2, 0)
static char *
vtext(struct doctor_report *r, const char *fmt, va_list ap)
{
	struct strbuf b;
	char *s;

	strbuf_init(&b);
	strbuf_vaddf(&b, fmt, ap);
	s = strbuf_take(&b);
	r->bad |= !s;
	return s;
}

/* The new finding, for a cure to be added; NULL: there is no room. */
PRINTF_LIKE(4, 5)
static struct doctor_finding *
add(struct doctor_report *r, enum doctor_level level, enum doctor_topic topic, const char *fmt, ...)
{
	struct doctor_finding *d;
	va_list ap;

	if (r->n == DOCTOR_FINDINGS_MAX) {
		r->more++;
		return NULL;
	}
	d = &r->v[r->n++];
	*d = (struct doctor_finding){.level = level, .topic = topic, .net = -1};
	va_start(ap, fmt);
	d->text = vtext(r, fmt, ap);
	va_end(ap);
	return d;
}

PRINTF_LIKE(3, 4)
static void
cure(struct doctor_report *r, struct doctor_finding *d, const char *fmt, ...)
{
	va_list ap;

	if (!d)
		return;
	va_start(ap, fmt);
	d->cure = vtext(r, fmt, ap);
	va_end(ap);
}

PRINTF_LIKE(3, 4)
static void
other_way(struct doctor_report *r, struct doctor_finding *d, const char *fmt, ...)
{
	va_list ap;

	if (!d)
		return;
	va_start(ap, fmt);
	d->other[d->other[0] != NULL] = vtext(r, fmt, ap);
	va_end(ap);
}

static bool
has_topic(const struct doctor_report *r, enum doctor_topic topic)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].topic == topic)
			return true;
	return false;
}

/* -- vnetd, and what it says itself -- */

/* The client's sentence ends with what to try. */
static void
check_vnetd(struct doctor_report *r, const struct doctor_facts *f)
{
	static const char try[] = ". Try: ";
	const char *hint = strstr(f->vnetd_why ? f->vnetd_why : "", try);
	struct doctor_finding *d;

	if (f->vnetd == DOCTOR_VNETD_ANSWERS) {
		add(r, DOCTOR_OK, DOCTOR_VNETD, "vnetd %s answers", f->version);
		return;
	}
	d = add(r, DOCTOR_FAIL, DOCTOR_VNETD, "%.*s",
		hint ? (int)(hint - f->vnetd_why) : (int)strlen(f->vnetd_why), f->vnetd_why);
	if (hint)
		cure(r, d, "%s", hint + strlen(try));
}

static enum doctor_topic
topic_of(const struct msg_warning_row *w)
{
	static const enum doctor_topic topics[] = {DOCTOR_CONFIGURATION, DOCTOR_NETWORKS,
						   DOCTOR_FIREWALL, DOCTOR_BRIDGE_NF,
						   DOCTOR_NETWORKS};

	static_assert(ARRAY_LEN(topics) == WARNING_TOPIC_N, "every warning has its topic");
	return w->topic < WARNING_TOPIC_N ? topics[w->topic] : DOCTOR_NETWORKS;
}

/* NULL: there is no room. */
static struct doctor_finding *
add_warning(struct doctor_report *r, const struct doctor_facts *f, const struct msg_warning_row *w)
{
	struct doctor_finding *d = add(r, DOCTOR_FAIL, topic_of(w), "%s", w->text);

	if (d && w->net < 256)
		d->net = w->net;
	if (w->cure[0])
		cure(r, d, "%s", w->cure);
	if (w->can_cure && f->foreign_allowed)
		other_way(r, d, LOOK_TEXT);
	else if (w->can_cure)
		other_way(r, d, ALLOW_TEXT, f->config_dir);
	return d;
}

static void
check_warnings(struct doctor_report *r, const struct doctor_facts *f)
{
	for (size_t i = 0; i < f->nwarnings; i++)
		if (f->warning[i].topic != WARNING_INSIDE)
			add_warning(r, f, &f->warning[i]);
	if (f->vnetd != DOCTOR_VNETD_ANSWERS) {
		add(r, DOCTOR_UNSEEN, DOCTOR_FIREWALL,
		    "rule sets of nftables were not looked at: vnetd does that, and it does not "
		    "answer");
		return;
	}
	if (!has_topic(r, DOCTOR_NETWORKS))
		add(r, DOCTOR_OK, DOCTOR_NETWORKS, "%zu networks do what they should", f->nnets);
	if (!has_topic(r, DOCTOR_FIREWALL))
		add(r, DOCTOR_OK, DOCTOR_FIREWALL,
		    "no rule set of nftables drops what guests of NAT networks send");
}

static void
check_configuration(struct doctor_report *r, const struct doctor_facts *f)
{
	if (has_topic(r, DOCTOR_CONFIGURATION))
		return;
	if (f->conf_why)
		add(r, DOCTOR_UNSEEN, DOCTOR_CONFIGURATION,
		    "the configuration was not looked at: %s", f->conf_why);
	else if (f->conf_errors)
		cure(r,
		     add(r, DOCTOR_FAIL, DOCTOR_CONFIGURATION,
			 "the configuration in %s has %zu error%s", f->config_dir, f->conf_errors,
			 f->conf_errors > 1 ? "s" : ""),
		     "vnetctl check");
	else
		add(r, DOCTOR_OK, DOCTOR_CONFIGURATION, "the configuration has no errors");
}

/* -- iptables-legacy -- */

/* One command for each network that is dropped; "" when there is none. */
static void
add_legacy_cure(struct strbuf *b, const struct msg_net_row *n, const struct legacy_chain *c,
		bool forward)
{
	const char *chain = forward ? "FORWARD" : "INPUT";

	if (!(forward ? n->nat : n->dns.h != 0))
		return;
	if (legacy_is_dropped(c, c->in[n->net]))
		strbuf_addf(b, "%ssudo iptables-legacy -I %s -i vmnet%u -j ACCEPT",
			    b->len ? " && " : "", chain, n->net);
	if (forward && legacy_is_dropped(c, c->out[n->net]))
		strbuf_addf(b, "%ssudo iptables-legacy -I %s -o vmnet%u -j ACCEPT",
			    b->len ? " && " : "", chain, n->net);
}

static void
judge_legacy(struct doctor_report *r, const struct doctor_facts *f, const struct legacy_chain *c,
	     bool forward)
{
	struct strbuf b, who;

	strbuf_init(&b);
	strbuf_init(&who);
	for (size_t i = 0; i < f->nnets; i++) {
		size_t before = b.len;

		if (f->net[i].net < 256)
			add_legacy_cure(&b, &f->net[i], c, forward);
		if (b.len > before)
			strbuf_addf(&who, "%svmnet%u", who.len ? ", " : "", f->net[i].net);
	}
	if (b.len)
		cure(r,
		     add(r, DOCTOR_FAIL, DOCTOR_LEGACY,
			 "chain %s of iptables-legacy drops what guests of %s send to the %s; "
			 "`nft list ruleset` does not show it",
			 forward ? "FORWARD" : "INPUT", strbuf_str(&who),
			 forward ? "outside, or what comes back" : "name server"),
		     "%s", strbuf_str(&b));
	r->bad |= b.bad || who.bad;
	strbuf_fini(&b);
	strbuf_fini(&who);
}

static void
check_legacy(struct doctor_report *r, const struct doctor_facts *f)
{
	if (f->legacy == DOCTOR_UNKNOWN) {
		cure(r,
		     add(r, DOCTOR_UNSEEN, DOCTOR_LEGACY,
			 "rules of iptables-legacy were not looked at: only root may"),
		     "sudo vnetctl doctor");
		return;
	}
	if (f->legacy == DOCTOR_YES) {
		judge_legacy(r, f, &f->legacy_rules.forward, true);
		judge_legacy(r, f, &f->legacy_rules.input, false);
	}
	/* Whose packets they drop is not known without vnetd. */
	if (f->vnetd != DOCTOR_VNETD_ANSWERS &&
	    (f->legacy_rules.forward.drops || f->legacy_rules.input.drops))
		add(r, DOCTOR_WARN, DOCTOR_LEGACY,
		    "iptables-legacy drops packets that no rule of it names; `nft list ruleset` "
		    "does not "
		    "show it");
	if (!has_topic(r, DOCTOR_LEGACY))
		add(r, DOCTOR_OK, DOCTOR_LEGACY, "iptables-legacy has %s",
		    f->legacy == DOCTOR_YES ? "no rules that drop what guests send" : "no rules");
}

/* -- switches of the kernel -- */

/* The kernel adds the two up: a bridge's own switch does not turn the host's off. */
static bool
bridge_nf_on(const struct doctor_facts *f, unsigned net)
{
	return f->bridge_nf > 0 || (net < 256 && f->net_bridge_nf[net]);
}

static void
other_bridge_way(struct doctor_report *r, struct doctor_finding *d, const struct doctor_facts *f,
		 unsigned net)
{
	if (f->bridge_nf > 0)
		other_way(r, d,
			  "where nobody needs the switch (Docker and Kubernetes may):  "
			  "sudo sysctl -w net.bridge.bridge-nf-call-iptables=0");
	else
		other_way(
		    r, d,
		    "turn the switch of the bridge off:  sudo ip link set vmnet%u type bridge "
		    "nf_call_iptables 0",
		    net);
}

static bool
legacy_drops_inside(const struct doctor_facts *f, unsigned net)
{
	const struct legacy_chain *c = &f->legacy_rules.forward;

	return f->legacy == DOCTOR_YES && net < 256 && legacy_is_dropped(c, c->inside[net]);
}

static void
check_bridge_nf(struct doctor_report *r, const struct doctor_facts *f)
{
	for (size_t i = 0; i < f->nwarnings; i++) {
		const struct msg_warning_row *w = &f->warning[i];

		if (w->topic == WARNING_INSIDE && bridge_nf_on(f, w->net))
			other_bridge_way(r, add_warning(r, f, w), f, w->net);
	}
	for (size_t i = 0; i < f->nnets; i++) {
		unsigned n = f->net[i].net;
		struct doctor_finding *d;

		if (f->net[i].guests == 0 || !bridge_nf_on(f, n) || !legacy_drops_inside(f, n))
			continue;
		d = add(r, DOCTOR_FAIL, DOCTOR_BRIDGE_NF,
			"chain FORWARD of iptables-legacy drops frames between guests of vmnet%u, "
			"which "
			"bridge-nf-call-iptables hands to it",
			n);
		if (d)
			d->net = (int)n;
		cure(r, d, "sudo iptables-legacy -I FORWARD -i vmnet%u -o vmnet%u -j ACCEPT", n, n);
		other_bridge_way(r, d, f, n);
	}
	if (f->vnetd == DOCTOR_VNETD_ANSWERS && !has_topic(r, DOCTOR_BRIDGE_NF))
		add(r, DOCTOR_OK, DOCTOR_BRIDGE_NF,
		    f->bridge_nf > 0 ? "rules of the host see frames between guests "
				       "(bridge-nf-call-iptables=1), and nothing known drops them"
				     : "rules of the host do not see frames between guests");
}

static void
check_forwarding(struct doctor_report *r, const struct doctor_facts *f)
{
	size_t nat = 0;

	for (size_t i = 0; i < f->nnets; i++) {
		unsigned n = f->net[i].net;

		if (!f->net[i].nat || n >= 256)
			continue;
		nat++;
		if (f->ip_forward != 0 && f->net_forwarding[n] == 0) {
			struct doctor_finding *d =
			    add(r, DOCTOR_FAIL, DOCTOR_FORWARDING,
				"vmnet%u forwards nothing (net.ipv4.conf.vmnet%u.forwarding=0): "
				"its guests "
				"have no Internet",
				n, n);

			cure(r, d, "sudo sysctl -w net.ipv4.conf.vmnet%u.forwarding=1", n);
			if (d)
				d->net = (int)n;
		}
	}
	if (nat && f->ip_forward == 0)
		cure(
		    r,
		    add(r, DOCTOR_FAIL, DOCTOR_FORWARDING,
			"somebody has set net.ipv4.ip_forward to 0: guests of NAT networks have no "
			"Internet. Files that do: grep -rs ip_forward /etc/sysctl.d "
			"/etc/sysctl.conf"),
		    "sudo sysctl -w net.ipv4.ip_forward=1");
	if (nat && !has_topic(r, DOCTOR_FORWARDING))
		add(r, DOCTOR_OK, DOCTOR_FORWARDING, "the host forwards (ip_forward=1)");
}

/* Strict filtering asks whether an answer would go back the same way, and of two ways out only one does. */
static void
check_rp_filter(struct doctor_report *r, const struct doctor_facts *f)
{
	enum { STRICT = 1 };

	for (size_t i = 0; f->nuplinks > 1 && i < f->nuplinks; i++) {
		const struct doctor_uplink *u = &f->uplink[i];
		int v = u->rp_filter > f->rp_filter_all ? u->rp_filter : f->rp_filter_all;

		if (v == STRICT)
			cure(r,
			     add(r, DOCTOR_WARN, DOCTOR_RP_FILTER,
				 "the host has %zu ways out, and %s takes only what would be "
				 "answered by it "
				 "(rp_filter=1): what comes in by the other way is dropped",
				 f->nuplinks, u->name),
			     "sudo sysctl -w net.ipv4.conf.%s.rp_filter=2", u->name);
	}
	if (!has_topic(r, DOCTOR_RP_FILTER))
		add(r, DOCTOR_OK, DOCTOR_RP_FILTER, "rp_filter stands in nobody's way");
}

/* -- kernel, resolver -- */

static void
check_part(struct doctor_report *r, enum doctor_tri there, const char *module, const char *what)
{
	if (there == DOCTOR_NO)
		cure(
		    r,
		    add(r, DOCTOR_FAIL, DOCTOR_KERNEL, "the kernel has no %s, so %s", module, what),
		    "sudo modprobe %s", module);
	else if (there == DOCTOR_UNKNOWN)
		add(r, DOCTOR_UNSEEN, DOCTOR_KERNEL, "whether the kernel has %s is not to be seen",
		    module);
}

/* A vnetd that runs has found what it needs. */
static void
check_kernel(struct doctor_report *r, const struct doctor_facts *f)
{
	if (f->vnetd == DOCTOR_VNETD_DOWN) {
		check_part(r, f->tun, "tun", "guests cannot be attached");
		check_part(r, f->nf_tables, "nf_tables", "there is no NAT");
	}
	if (!has_topic(r, DOCTOR_KERNEL))
		add(r, DOCTOR_OK, DOCTOR_KERNEL, "kernel %s has what vnetd needs", f->release);
}

/* vnetd says by itself which networks have no resolver. */
static void
check_resolver(struct doctor_report *r, const struct doctor_facts *f)
{
	for (size_t i = 0; i < f->nwarnings; i++)
		if (strstr(f->warning[i].text, "resolv.conf"))
			return;
	if (f->servers > 0)
		add(r, DOCTOR_OK, DOCTOR_RESOLVER, "/etc/resolv.conf names servers");
	else
		cure(r,
		     add(r, DOCTOR_FAIL, DOCTOR_RESOLVER,
			 f->servers < 0
			     ? "/etc/resolv.conf cannot be read: neither host nor guests "
			       "resolve names"
			     : "/etc/resolv.conf names no server, and none answers on 127.0.0.1: "
			       "neither host nor guests resolve names"),
		     "echo nameserver 9.9.9.9 | sudo tee -a /etc/resolv.conf");
}

/* -- the report -- */

static void
sort(struct doctor_report *r)
{
	struct doctor_finding *v = calloc(r->n + 1, sizeof(*v));
	size_t n = 0;

	if (!v) {
		r->bad = true;
		return;
	}
	for (unsigned level = 0; level < DOCTOR_LEVEL_N; level++)
		for (size_t i = 0; i < r->n; i++)
			if (r->v[i].level == level)
				v[n++] = r->v[i];
	memcpy(r->v, v, n * sizeof(*v));
	free(v);
}

void
doctor_judge(struct doctor_report *out, const struct doctor_facts *f)
{
	static void (*const checks[])(struct doctor_report *, const struct doctor_facts *) = {
	    check_vnetd,      check_warnings,  check_configuration, check_legacy,  check_bridge_nf,
	    check_forwarding, check_rp_filter, check_kernel,        check_resolver};

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < ARRAY_LEN(checks); i++)
		checks[i](out, f);
	sort(out);
}

void
doctor_report_fini(struct doctor_report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].text);
		free(r->v[i].cure);
		free(r->v[i].other[0]);
		free(r->v[i].other[1]);
	}
	r->n = 0;
}

size_t
doctor_count(const struct doctor_report *r)
{
	size_t n = r->more;

	for (size_t i = 0; i < r->n; i++)
		n += r->v[i].level == DOCTOR_FAIL || r->v[i].level == DOCTOR_WARN;
	return n;
}

static void
render_one(struct strbuf *out, const struct doctor_finding *d, bool colour)
{
	static const enum tint tints[] = {TINT_BAD, TINT_WARN, TINT_NONE, TINT_GOOD};
	char word[8];

	static_assert(ARRAY_LEN(tints) == DOCTOR_LEVEL_N, "every level has its tint");
	snprintf(word, sizeof(word), "%-4s", doctor_level_name(d->level));
	tint_add(out, tints[d->level], colour, word);
	strbuf_add(out, "  ");
	ctl_text_clean(out, d->text ? d->text : "", false);
	strbuf_addc(out, '\n');
	if (d->cure) {
		strbuf_add(out, "      cure:  ");
		ctl_text_clean(out, d->cure, false);
		strbuf_addc(out, '\n');
	}
	for (size_t i = 0; i < ARRAY_LEN(d->other) && d->other[i]; i++) {
		strbuf_add(out, "      or ");
		ctl_text_clean(out, d->other[i], false);
		strbuf_addc(out, '\n');
	}
}

void
doctor_render(struct strbuf *out, const struct doctor_report *r, bool all, bool colour)
{
	size_t well = 0;

	for (size_t i = 0; i < r->n; i++) {
		if (r->v[i].level == DOCTOR_OK && !all)
			well++;
		else
			render_one(out, &r->v[i], colour);
	}
	if (r->more)
		strbuf_addf(out, "and %zu more\n", r->more);
	if (well) {
		tint_add(out, TINT_GOOD, colour, "ok  ");
		strbuf_addf(out, "  %zu check%s (vnetctl doctor -v names them)\n", well,
			    well == 1 ? "" : "s");
	}
}
