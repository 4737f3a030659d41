/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect.h - redirect.d: TCP redirections in xinetd's grammar -> the services to run.
 *
 * Pure: files and the text of /etc/services in, model and diagnostics out; no file, name or
 * interface is looked up. The meaning is that of xinetd.conf(5) as far as it is about redirection;
 * vnet-redirect.conf(5) is the manual. What xinetd reads and drops is an error here when the
 * service would do something else than its author meant, else a warning.
 *
 * Where the manual of xinetd is silent the program was asked (2.3.15):
 *   - `=` on a list replaces it in a service and adds to it in `defaults`; `+=` and `-=` in a
 *     service work on the list of `defaults`.
 *   - a second value of an attribute that is no list is dropped with a warning, the first counts.
 *   - a factorized address is as long as it is written: 10.1.{0,2} are two /24, 10.1.0.{0} one host.
 *   - 0.0.0.0 is every IPv4 address, ::/0 every address.
 *   - a list that `-=` made empty is an empty list: `only_from` then admits nobody.
 *   - a limit of 0 connections admits nobody, 0 connections per second is no limit.
 */
#ifndef VNET_CONF_REDIRECT_H
#define VNET_CONF_REDIRECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/arena.h"
#include "conf/diag.h"
#include "lib/kinds.h"

struct strbuf;

#define REDIRECT_DIR           "redirect.d"
#define REDIRECT_SERVICES_MAX  1024 /* service sections that are read */
#define REDIRECT_RULES_MAX     1024 /* entries of one only_from or no_access list */
#define REDIRECT_TIMES_MAX     64   /* intervals of one access_times */
#define REDIRECT_INCLUDE_DEPTH 16
#define REDIRECT_NAME_MAX      63  /* bytes of a service's name and id */
#define REDIRECT_HOST_MAX      253 /* bytes of a host name */
#define REDIRECT_LOG_PATH_MAX  255 /* bytes of the path of a log */

/* --- addresses --- */

/* An IPv6 address, or an IPv4 address as ::ffff:a.b.c.d: what a socket of both families reports, so
 * that one comparison serves both. */
struct redirect_ip {
	uint8_t b[16];
};
#define REDIRECT_IP_STRLEN 46

bool redirect_ip_is4(struct redirect_ip ip);
bool redirect_ip_eq(struct redirect_ip a, struct redirect_ip b);
bool redirect_ip_is_any(struct redirect_ip ip); /* 0.0.0.0 or :: */
bool redirect_ip_is_loopback(struct redirect_ip ip);

/* The first `len` (0-128) bits of the two are the same. */
bool redirect_ip_in(struct redirect_ip ip, struct redirect_ip net, unsigned len);

/* Dotted quad without leading zeros, or IPv6 text without zone. */
bool redirect_ip_parse(struct redirect_ip *out, const char *s);
char *redirect_ip_str(struct redirect_ip ip, char buf[REDIRECT_IP_STRLEN]);

/* Where to listen or to connect: an address, or a name that somebody else resolves. */
struct redirect_host {
	struct redirect_ip ip;
	const char *name;   /* not NULL: a name, in lower case; ip is not set */
	const char *ifname; /* not NULL: the zone of a link-local address, fe80::1%eth0 */
};

/* --- who may connect --- */

enum redirect_rule_kind {
	REDIRECT_NET,    /* the client's address is in ip/len */
	REDIRECT_NAME,   /* the client's address has this name */
	REDIRECT_DOMAIN, /* the client's address has a name that ends like this (".example.com") */
};

struct redirect_rule {
	enum redirect_rule_kind kind;
	uint8_t len; /* REDIRECT_NET: 0-128, of IPv4 96-128; bits of ip behind it are 0 */
	struct redirect_ip ip;
	const char *name; /* the other kinds, in lower case */
};

/* An empty list that is set is something else than no list: only_from admits nobody then. */
struct redirect_rules {
	bool set;
	struct redirect_rule *v; /* may be shared between services: read only */
	size_t n;
};

/* Of only_from and no_access the longer match decides (a name counts as 128, a domain as 0), and
 * no_access when both are equally long. Neither set: everybody. Only no_access: all others. */

/* Minutes of the day, both included: 9:00-17:00 ends at 17:00:59. 1440 is the end of the day. */
struct redirect_time {
	uint16_t from, to;
};

/* --- limits and logs --- */

#define REDIRECT_UNLIMITED UINT32_MAX
#define REDIRECT_FOREVER   UINT32_MAX

struct redirect_cps {
	uint32_t rate;   /* connections per second, 0: no limit */
	uint32_t wait_s; /* seconds that the service is off when there were more */
};

enum redirect_log_kind {
	REDIRECT_LOG_DEFAULT, /* not said: where vnetd logs */
	REDIRECT_LOG_SYSLOG,
	REDIRECT_LOG_FILE,
};

struct redirect_log {
	enum redirect_log_kind kind;
	uint8_t facility;    /* syslog(3)'s number without the shift: 3 is daemon, 16 local0 */
	uint8_t level;       /* 0 emerg - 7 debug */
	const char *file;    /* as written; redirect_log_path_ok() */
	uint64_t soft, hard; /* bytes, 0: no limit */
};

/* A whole path without empty parts, "." and "..", control characters, and not below /proc, /sys or /dev. */
bool redirect_log_path_ok(const char *path);

/* log_on_success and log_on_failure. */
enum redirect_log_word {
	REDIRECT_LOG_PID = 1 << 0,
	REDIRECT_LOG_HOST = 1 << 1,
	REDIRECT_LOG_USERID = 1 << 2,
	REDIRECT_LOG_EXIT = 1 << 3,
	REDIRECT_LOG_DURATION = 1 << 4,
	REDIRECT_LOG_TRAFFIC = 1 << 5,
	REDIRECT_LOG_ATTEMPT = 1 << 6,
};

/* Flags that act; the others are accepted with a notice. */
enum redirect_flag {
	REDIRECT_NODELAY = 1 << 0,
	REDIRECT_KEEPALIVE = 1 << 1,
	REDIRECT_IDONLY = 1 << 2, /* needs USERID in a log_on list, else it does nothing */
	REDIRECT_SENSOR = 1 << 3, /* no target: who connects is denied everywhere for deny_s */
};

/* --- the model --- */

/* A file below the configuration folder. Names and texts stay the caller's and have to live as long
 * as the model. */
struct redirect_file {
	const char *name; /* "redirect.d/ssh" */
	const char *text;
	size_t len;
};

struct redirect_sources {
	const struct redirect_file *file; /* everything below redirect.d, in any order */
	size_t nfiles;
	const char *folder;       /* the configuration folder's path, NULL: /etc/vnet */
	const char *etc_services; /* text of /etc/services, NULL: none */
	size_t etc_services_len;
};

struct redirect_service {
	const char *name, *id; /* id is unique among the services that are not bad */
	struct conf_pos pos;   /* of the name */
	bool bad;      /* has an error, which is in the diagnostics; fields may be incomplete */
	bool disabled; /* disable = yes, or by `disabled`/`enabled` of the defaults */

	uint16_t port;
	bool has_bind;
	struct redirect_host bind;
	struct conf_pos bind_pos;
	enum redirect_family family;
	bool listen_alias;        /* the bind address is ours to add and remove */
	const char *alias_ifname; /* to this interface; NULL: the one whose network it is in */
	uint16_t capture_port;    /* 0: none */

	struct redirect_host target; /* not set with REDIRECT_SENSOR */
	uint16_t target_port;
	struct conf_pos target_pos;

	struct redirect_rules only_from, no_access;
	struct redirect_time *times; /* none: always */
	size_t ntimes;
	uint32_t instances, per_source; /* REDIRECT_UNLIMITED */
	struct redirect_cps cps;
	uint32_t max_load_c;                        /* hundredths, 0: no limit */
	uint32_t deny_s;                            /* seconds, 0: never, REDIRECT_FOREVER */
	uint32_t timeout_idle_s, timeout_connect_s; /* 0: none */

	unsigned flags; /* enum redirect_flag */
	struct redirect_log log;
	unsigned log_success, log_failure; /* enum redirect_log_word */
	/* Sent as they are: always, when granted, when refused. NULL: nothing. */
	const struct redirect_file *banner, *banner_success, *banner_fail;
};

struct redirect {
	struct redirect_service *v; /* in the order in which they were read */
	size_t n;
};

/* Reads every file directly in redirect.d whose name has no dot (or ends in .conf) and no `~` at
 * the end, in the order of strcmp(), and what these include; a file is read once. Errors concern
 * one service (`bad`) where they stand in one; a file's other services are read on.
 * Everything is in the arena or the sources; out of memory is the arena's `bad`. */
void redirect_parse(struct redirect *r, struct arena *a, const struct redirect_sources *src,
		    struct diags *d);

/* The service with that id that is not bad, or NULL. */
const struct redirect_service *redirect_find(const struct redirect *r, const char *id);

/* Every service that is not bad, complete, in the grammar of the files and with banners by their
 * name. parse(print(x)) == x, given the same banner files. */
void redirect_print(struct strbuf *out, const struct redirect *r);

/* The two do the same: nothing has to change when one becomes the other. Positions do not count,
 * the banners' contents do. */
bool redirect_service_eq(const struct redirect_service *a, const struct redirect_service *b);

/* "daemon", "info", or NULL. */
const char *redirect_facility_str(unsigned facility);
const char *redirect_level_str(unsigned level);

#endif
