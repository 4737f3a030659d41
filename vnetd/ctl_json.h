/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_json.h - what vnetctl prints for programs: rows from vnetd in, JSON values out.
 *
 * Pure. Times are absolute (RFC 3339, UTC). What is not there is null, never a missing member. A
 * function returns NULL only without memory; the value is the caller's (json_decref()).
 */
#ifndef VNET_VNETD_CTL_JSON_H
#define VNET_VNETD_CTL_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "vnetd/ctl_render.h"

/* {"version", "started", "generation", "guests", "warnings": [...], "networks": [...]};
 * now_ms: UTC, for "started". */
json_t *json_of_status(const struct facts *f, uint64_t now_ms);

/* {"networks": [...]}, {"ports": [...]}, {"leases": [...]} */
json_t *json_of_networks(const struct facts *f);
json_t *json_of_ports(const struct facts *f);
json_t *json_of_leases(const struct facts *f);

/* {"forwards": [...]} as text: there may be thousands, so one after another is made, written and freed. out->bad: no
 * memory. */
void json_write_forwards(struct strbuf *out, const struct facts *f);

/* {"network": net[0] as in "networks", "warnings": [...], "ports": [...], "forwards": [...]} */
json_t *json_of_show(const struct facts *f);

/* {"port": port[0] as in "ports", "request": promisc[0] as in "requests", or null} */
json_t *json_of_one_port(const struct facts *f);

/* {"requests": [...]}: who asks for promiscuous mode, or was answered. */
json_t *json_of_promisc(const struct facts *f);

/* One row, for streams. */
json_t *json_of_promisc_row(const struct msg_promisc_row *p);
json_t *json_of_lease(const struct msg_lease_row *l);
json_t *json_of_event(const struct msg_event_row *e);

/* A string, or null when it is empty; bytes that are not UTF-8 as \xNN. */
json_t *json_of_text(const char *s);

#endif
