/* SPDX-License-Identifier: GPL-2.0-or-later
 * logline.h - the lines that xinetd writes about a service, word for word (xinetd.log(5)), for tools that read them.
 *
 *     START: ssh pid=0 from=192.168.8.20
 *     EXIT: ssh status=0 pid=0 duration=12(sec)
 *     TRAFFIC: ssh in=3120(bytes) out=48200(bytes)
 *     FAIL: ssh per_source_limit from=192.168.8.20
 *
 * Pure. The process id is 0, as xinetd logs it for what it does "without forking another process". "in" is what the
 * client sent and the target got. A mapped IPv4 address is written as plain IPv4.
 */
#ifndef VNET_REDIRD_LOGLINE_H
#define VNET_REDIRD_LOGLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "redird/access.h"

/* log_on_success */
enum {
	LOG_SUCCESS_PID = 1 << 0,
	LOG_SUCCESS_HOST = 1 << 1,
	LOG_SUCCESS_EXIT = 1 << 2,
	LOG_SUCCESS_DURATION = 1 << 3,
	LOG_SUCCESS_TRAFFIC = 1 << 4,
};

/* log_on_failure; ATTEMPT is implied by HOST */
enum {
	LOG_FAILURE_HOST = 1 << 0,
	LOG_FAILURE_ATTEMPT = 1 << 1,
};

#define LOGLINE_MAX 256

/* A line that always fits: a longer service name is cut. */
struct logline {
	char text[LOGLINE_MAX];
};

/* Each is false, and writes nothing, when the service's options do not ask for such a line. `status` is 0 for a
 * connection that ended in order and 1 for one that was cut. */
bool logline_start(struct logline *l, const char *service, unsigned on_success,
		   const struct ip6 *from);
bool logline_exit(struct logline *l, const char *service, unsigned on_success, int status,
		  int64_t duration_s);
bool logline_traffic(struct logline *l, const char *service, unsigned on_success, uint64_t in,
		     uint64_t out);
bool logline_fail(struct logline *l, const char *service, unsigned on_failure, enum verdict why,
		  const struct ip6 *from);

/* What xinetd says beside its entries, whatever the options are. */
void logline_cps_off(struct logline *l, const char *service, uint32_t wait_s);
void logline_cps_on(struct logline *l, const char *service);
void logline_sensor(struct logline *l, const struct ip6 *from, int32_t deny_min);
void logline_no_target(struct logline *l, const struct ip6 *target, const char *why);

#endif
