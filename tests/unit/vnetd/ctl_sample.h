/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_sample.h - a small world for the tests of the tools: what a vnetd could answer.
 *
 * The golden files show it. tests/unit/vnetd/ctl_render_test.c renders it directly, the stand-in
 * server of vnetctl_test.c sends it through a socket.
 */
#ifndef VNET_TESTS_UNIT_VNETD_CTL_SAMPLE_H
#define VNET_TESTS_UNIT_VNETD_CTL_SAMPLE_H

#include "vnetd/ctl_render.h"

#define SAMPLE_NOW 1700000000 /* 2023-11-14T22:13:20Z */

/* Rows that live as long as the program; leases end, and requests were made, relative to `now` (UTC
 * seconds). */
struct facts sample(uint64_t now);

/* One event. */
struct msg_event_row sample_event(void);

#endif
