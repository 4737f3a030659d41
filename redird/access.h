/* SPDX-License-Identifier: GPL-2.0-or-later
 * access.h - who may use a redirected service: xinetd's rules and limits, as xinetd.conf(5) documents them.
 *
 * Pure: no clock, no sockets, no log; time and load are parameters. Addresses are 16 bytes, IPv4 in its mapped
 * form (::ffff:a.b.c.d), so that one list serves both kinds of listener; an IPv4 rule of length n has n + 96.
 *
 * The order: the address (sensor list, then no_access and only_from), the time, the load, connections per
 * second, instances, per source. The address comes first so that who is not let in anyway can neither use up
 * the rate of those who are, nor switch the service off for them.
 */
#ifndef VNET_REDIRD_ACCESS_H
#define VNET_REDIRD_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mono.h"

struct ip6 {
	uint8_t b[16];
};

#define IP6_STRLEN 46

/* a.b.c.d, given as its host-order number, in mapped form; and whether an address is in that form. */
struct ip6 ip6_mapped(uint32_t host_order);
bool ip6_is_mapped(const struct ip6 *a);
bool ip6_eq(const struct ip6 *a, const struct ip6 *b);
/* An IPv4 or IPv6 address; mapped ones as plain IPv4. Returns buf. */
const char *ip6_str(const struct ip6 *a, char buf[IP6_STRLEN]);

/* What became of a request to connect. */
enum verdict {
	VERDICT_OK,
	VERDICT_ADDRESS, /* no_access, only_from, the sensor list, or a sensor itself */
	VERDICT_TIME,
	VERDICT_LOAD,
	VERDICT_CPS,
	VERDICT_SERVICE_LIMIT,
	VERDICT_PER_SOURCE_LIMIT,
	VERDICT_N
};

/* xinetd's word for it, as in "FAIL: ssh per_source_limit"; "ok" for VERDICT_OK. */
const char *verdict_word(enum verdict v);

struct access_rule {
	struct ip6 addr;
	uint8_t len; /* leading bits that count: 0-128 */
};

/* Minutes since midnight, both bounds included. */
struct access_span {
	uint16_t from_min, to_min;
};

#define ACCESS_UNLIMITED    UINT32_MAX
#define ACCESS_DENY_NEVER   0
#define ACCESS_DENY_FOREVER (-1)

/* A service's rules; the arrays are the caller's. All zero admits nobody: see access_conf_init(). */
struct access_conf {
	const struct access_rule *only_from, *no_access;
	size_t n_only_from, n_no_access;
	bool only_from_set; /* given, even if empty: then for nobody */
	const struct access_span *times;
	size_t n_times;                 /* 0: at any time */
	uint32_t instances, per_source; /* or ACCESS_UNLIMITED */
	uint32_t cps,
	    cps_wait_s; /* connections per second, 0: any number; seconds off when there are more */
	uint32_t max_load_milli; /* 2500 is a load of 2.5; 0: any */
	bool sensor;             /* nobody gets in, and who tries is denied all services */
	int32_t deny_min;        /* for so many minutes, or one of the two constants above */
};

/* Anyone, at any time, as often as he likes. */
void access_conf_init(struct access_conf *c);

/* --- the sensor list, shared by all services ---------------------------------------------------- */

/* When full, the entry that ends first is overwritten: those who knock most recently matter most. */
#define SENSORS_MAX 1024

struct sensors {
	struct {
		struct ip6 addr;
		struct mono until;
	} e[SENSORS_MAX];
	size_t n;
};

/* Denies `addr` everything until then; a later end that is already there stays. */
void sensors_add(struct sensors *s, const struct ip6 *addr, struct mono until, struct mono now);
bool sensors_has(const struct sensors *s, const struct ip6 *addr, struct mono now);

/* --- a service's live numbers ------------------------------------------------------------------- */

struct access_source {
	struct ip6 addr;
	uint32_t n; /* connections; 0: the slot is free */
};

struct access_state {
	uint32_t running;
	struct mono window; /* when the second began in which `in_window` are counted */
	uint32_t in_window;
	struct mono off_until; /* cps: refused until then */
	bool off;
	/* Connections of each source: open addressing, a power of two, at most half full. */
	struct access_source *sources;
	size_t cap, used;
	uint64_t key[2]; /* secret, so that nobody can choose addresses that collide */
};

void access_state_init(struct access_state *st, const uint64_t key[2]);
void access_state_fini(struct access_state *st);

/* The moment of a request. */
struct access_now {
	struct mono now;
	unsigned minute;     /* of the local day */
	unsigned load_milli; /* one-minute load average */
};

/* Judges a request from `from`, counts it when it is admitted, and does what a sensor does. Each VERDICT_OK must
 * be followed by one access_leave(). */
enum verdict access_enter(const struct access_conf *c, struct access_state *st, struct sensors *s,
			  const struct ip6 *from, const struct access_now *at);
void access_leave(struct access_state *st, const struct ip6 *from);

/* How many connections a source has now. */
uint32_t access_source_count(const struct access_state *st, const struct ip6 *from);

#endif
