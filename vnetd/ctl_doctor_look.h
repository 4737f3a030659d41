/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_doctor_look.h - gathers the facts of `vnetctl doctor`, with the rights of who typed it.
 *
 * Nothing is changed. Only iptables-legacy needs root; what vnetd knows needs access to its socket.
 */
#ifndef VNET_VNETD_CTL_DOCTOR_LOOK_H
#define VNET_VNETD_CTL_DOCTOR_LOOK_H

#include "vnetd/ctl.h"
#include "vnetd/doctor.h"

/* The facts, and what they point to. */
struct doctor_look {
	struct doctor_facts facts;
	struct client client;
	struct rows status, warnings, nets;
	struct strbuf conf_why;
	char release[128];
};

/* CTL_FAILED only without memory. doctor_look_fini() in every case. */
enum ctl_exit doctor_look(struct doctor_look *l, const struct ctl *c);
void doctor_look_fini(struct doctor_look *l);

#endif
