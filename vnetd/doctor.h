/* SPDX-License-Identifier: GPL-2.0-or-later
 * doctor.h - what usually goes wrong on a host with virtual networks: facts in, findings out.
 *
 * Pure. The facts are what the asking user may see (ctl_doctor_look.c); what he may not is said.
 */
#ifndef VNET_VNETD_DOCTOR_H
#define VNET_VNETD_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/msg.h"
#include "vnetd/legacy.h"

struct strbuf;

#define DOCTOR_FINDINGS_MAX 128 /* more are counted */
#define DOCTOR_UPLINKS_MAX  8

enum doctor_level {
	DOCTOR_FAIL,   /* something does not work */
	DOCTOR_WARN,   /* something may not */
	DOCTOR_UNSEEN, /* not looked at: the text says why, the cure how it would be */
	DOCTOR_OK,
	DOCTOR_LEVEL_N
};

/* Each fact belongs to one; the words are in doctor_topic_name(). */
enum doctor_topic {
	DOCTOR_VNETD,
	DOCTOR_CONFIGURATION,
	DOCTOR_NETWORKS,
	DOCTOR_FIREWALL,
	DOCTOR_LEGACY,
	DOCTOR_BRIDGE_NF,
	DOCTOR_FORWARDING,
	DOCTOR_RP_FILTER,
	DOCTOR_KERNEL,
	DOCTOR_RESOLVER,
	DOCTOR_TOPIC_N
};

enum doctor_vnetd { DOCTOR_VNETD_ANSWERS, DOCTOR_VNETD_CLOSED, DOCTOR_VNETD_DOWN };
enum doctor_tri { DOCTOR_NO, DOCTOR_YES, DOCTOR_UNKNOWN };

/* An interface with a default route. */
struct doctor_uplink {
	char name[16];
	int rp_filter; /* its own; -1: not known */
};

/* Numbers are -1 where they could not be read. Arrays are borrowed. */
struct doctor_facts {
	bool root;
	const char *config_dir;
	/* vnetd */
	enum doctor_vnetd vnetd;
	const char *vnetd_why; /* the client's sentence */
	const char *version;
	const struct msg_net_row *net;
	size_t nnets;
	const struct msg_warning_row *warning;
	size_t nwarnings;
	/* the configuration folder; conf_why: why it cannot be read, NULL: it was */
	const char *conf_why;
	size_t conf_errors;
	bool foreign_allowed; /* foreign-rules = allow */
	/* the kernel */
	const char *release;
	enum doctor_tri tun, nf_tables;
	int ip_forward;
	int bridge_nf;           /* of the host, for IPv4 */
	bool net_bridge_nf[256]; /* of the bridge */
	int8_t net_forwarding[256];
	int rp_filter_all;
	struct doctor_uplink uplink[DOCTOR_UPLINKS_MAX];
	size_t nuplinks;
	/* rules of iptables-legacy, which netlink does not show */
	enum doctor_tri legacy; /* there are some; unknown: only root may ask */
	struct legacy_rules legacy_rules;
	/* resolv.conf */
	int servers;
};

struct doctor_finding {
	enum doctor_level level;
	enum doctor_topic topic;
	int net; /* -1: none in particular */
	char *text;
	char *cure;     /* commands joined by &&, or NULL */
	char *other[2]; /* other ways, or NULL */
};

struct doctor_report {
	struct doctor_finding v[DOCTOR_FINDINGS_MAX];
	size_t n, more;
	bool bad; /* no memory: it is not complete */
};

/* In the order of their level. doctor_report_fini() in every case. */
void doctor_judge(struct doctor_report *out, const struct doctor_facts *f);
void doctor_report_fini(struct doctor_report *r);

/* How many say that something is wrong. */
size_t doctor_count(const struct doctor_report *r);

/* "FAIL", "warn", "?", "ok" */
const char *doctor_level_name(enum doctor_level l);
/* "vnetd", "configuration", "networks", "firewall", "iptables-legacy", "bridge-nf", "ip-forward",
 * "rp-filter", "kernel", "resolver" */
const char *doctor_topic_name(enum doctor_topic t);

/* The report for people; `all`: what is well by name, instead of a number. */
void doctor_render(struct strbuf *out, const struct doctor_report *r, bool all, bool colour);

#endif
