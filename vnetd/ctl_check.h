/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_check.h - the closing line of `vnetctl check`: what the errors mean for what runs. Pure.
 */
#ifndef VNET_VNETD_CTL_CHECK_H
#define VNET_VNETD_CTL_CHECK_H

#include <stdbool.h>

#include "conf/conf.h"

struct diags;
struct strbuf;

/* What runs now, as far as vnetd answered. */
struct check_running {
	bool vnetd;
	bool net[CONF_NETS];
};

/* "3 errors. vmnet8 keeps its running configuration; vmnet1 is not affected.\n" */
void check_summary(struct strbuf *out, const struct conf *conf, const struct diags *d,
		   const struct check_running *running);

#endif
