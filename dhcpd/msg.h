/* SPDX-License-Identifier: GPL-2.0-or-later
 * msg.h - DHCP messages over IPv4: decode a client's request, walk options, build a reply.
 *
 * Pure: no clock, no sockets, no log, no allocation. RFC 2131 (layout), 2132 (options), 3396 (long
 * options: several instances of one code are one value). Everything is total on bytes from outside.
 */
#ifndef VNET_DHCPD_MSG_H
#define VNET_DHCPD_MSG_H

#include "lib/inet.h"
#include "lib/wire.h"

enum {
	DHCP_SERVER_PORT = 67,
	DHCP_CLIENT_PORT = 68,
	DHCP_SNAME_LEN = 64,
	DHCP_FILE_LEN = 128,
	DHCP_OPTIONS_AT = 240, /* fixed header and magic cookie */
	DHCP_MSG_MIN = 300,    /* RFC 1542 2.1: old agents drop anything shorter */
	DHCP_MSG_DEFAULT =
	    548,             /* RFC 2131 2: what every client takes (576 with IP and UDP headers) */
	DHCP_MSG_MAX = 9216, /* largest message that is ever built */
	DHCP_IP_UDP_HLEN = 28, /* option 57 and the MTU count these too */
	DHCP_OPT_INSTANCE_MAX = 255,
	DHCP_HOSTNAME_MAX = 63,
};

enum dhcp_op { BOOTP_REQUEST = 1, BOOTP_REPLY = 2 };

/* Values of option 53. DHCP_NONE: the option is absent (a BOOTP request). */
enum dhcp_type {
	DHCP_NONE,
	DHCP_DISCOVER,
	DHCP_OFFER,
	DHCP_REQUEST,
	DHCP_DECLINE,
	DHCP_ACK,
	DHCP_NAK,
	DHCP_RELEASE,
	DHCP_INFORM,
	DHCP_TYPE_N
};

/* Only the options that the server itself reads or writes; configured ones are opaque bytes. */
enum dhcp_code {
	OPT_PAD = 0,
	OPT_SUBNET_MASK = 1,
	OPT_ROUTERS = 3,
	OPT_DNS = 6,
	OPT_HOST_NAME = 12,
	OPT_MTU = 26,
	OPT_BROADCAST = 28,
	OPT_STATIC_ROUTES = 33,
	OPT_NETBIOS_NS = 44,
	OPT_REQUESTED_IP = 50,
	OPT_LEASE_TIME = 51,
	OPT_OVERLOAD = 52,
	OPT_TYPE = 53,
	OPT_SERVER_ID = 54,
	OPT_PARAM_LIST = 55,
	OPT_MESSAGE = 56,
	OPT_MAX_SIZE = 57,
	OPT_T1 = 58,
	OPT_T2 = 59,
	OPT_CLIENT_ID = 61,
	OPT_RELAY_INFO = 82,
	OPT_SERVER_NAME = 66,
	OPT_FILE_NAME = 67,
	OPT_AUTO_CONFIG = 116,
	OPT_CLASSLESS_ROUTES = 121,
	OPT_END = 255,
};

/* The three places where options may stand, in the order in which RFC 3396 joins them. */
enum dhcp_area { AREA_OPTIONS, AREA_FILE, AREA_SNAME, AREA_N };

/* Walks options: PAD, END and overload are not seen by the caller. Borrows the message's bytes. */
struct dhcp_opt_iter {
	struct rd area[AREA_N];
	unsigned at;
	bool bad; /* an option runs over the end of its area */
};

/* Over the options of a whole message (from the fixed header on); bad at once when it is too short
 * for the cookie, when the cookie is another one, or when the overload option is not understood. */
void dhcp_opt_iter_init(struct dhcp_opt_iter *it, const void *msg, size_t len);

/* The next instance; *val reads its bytes. False at the end, or when it->bad. */
bool dhcp_opt_iter_next(struct dhcp_opt_iter *it, uint8_t *code, struct rd *val);

/* Joins all instances of `code` into buf. The length, 0 when absent; -1 when malformed or longer
 * than cap. */
int dhcp_opt_get(const void *msg, size_t len, uint8_t code, void *buf, size_t cap);

/* A value of at most 255 bytes, joined from its instances. */
struct dhcp_bytes {
	uint8_t len;
	uint8_t b[DHCP_OPT_INSTANCE_MAX];
};

/* A decoded message. Addresses that are absent are 0. */
struct dhcp_msg {
	enum dhcp_op op;
	enum dhcp_type type;
	uint8_t hops;
	uint32_t xid;
	uint16_t secs;
	bool broadcast; /* the client cannot take a unicast before it has its address */
	struct ip4 ciaddr, yiaddr, siaddr, giaddr;
	struct mac chaddr;
	struct ip4 requested; /* option 50 */
	struct ip4 server_id; /* option 54 */
	uint32_t lease_s;     /* option 51, seconds; has_lease_s says whether it was there */
	bool has_lease_s;
	bool has_relay_info;                  /* option 82, which is not interpreted */
	bool has_auto_config;                 /* option 116: it would take an address of its own */
	uint16_t max_size;                    /* option 57, with IP and UDP headers; 0 absent */
	struct dhcp_bytes client_id;          /* option 61; len 0 absent */
	struct dhcp_bytes params;             /* option 55, in the client's order */
	char hostname[DHCP_HOSTNAME_MAX + 1]; /* option 12, sanitised; "" absent */
};

enum dhcp_decode {
	DHCP_DECODE_OK,
	DHCP_DECODE_SHORT,    /* no room for the fixed header and the cookie */
	DHCP_DECODE_COOKIE,   /* not RFC 1497 options */
	DHCP_DECODE_OP,       /* neither a request nor a reply */
	DHCP_DECODE_HARDWARE, /* not Ethernet, or a group or zero address as chaddr */
	DHCP_DECODE_OPTION,   /* an option overruns its area or has an impossible length or value */
};

/* Decodes a request or reply. *m is complete only for DHCP_DECODE_OK. */
enum dhcp_decode dhcp_msg_decode(struct dhcp_msg *m, const void *buf, size_t len);

/* Makes a host name from a client's bytes: ends at the first NUL, at most 63 characters; what is
 * not a letter, digit, '.', '-' or '_' becomes '-' (the name goes into files that others parse,
 * and into DNS). Leading and trailing dots and hyphens go. "" when nothing is left. */
void dhcp_hostname_sanitise(char out[DHCP_HOSTNAME_MAX + 1], const void *src, size_t len);

/* "DISCOVER"; "BOOTP" for DHCP_NONE. */
const char *dhcp_type_name(enum dhcp_type type);

/* The fixed part of a reply. */
struct dhcp_head {
	uint32_t xid;
	uint16_t secs;
	bool broadcast;
	struct ip4 ciaddr, yiaddr, siaddr, giaddr;
	struct mac chaddr;
};

/* Builds a message; an option that finds no room in the options field goes, whole, to the unused
 * `file` and `sname` fields (option overload), and is left out if there is none either. */
struct dhcp_build {
	struct wr area[AREA_N];
	uint8_t *msg;
	bool full; /* at least one option was left out */
};

/* Starts a BOOTREPLY in buf, of at most `max` bytes (at least DHCP_MSG_MIN, and buf is that
 * long). */
void dhcp_build_begin(struct dhcp_build *b, void *buf, size_t max, const struct dhcp_head *h);
/* The same for a BOOTREQUEST (clients in tests). */
void dhcp_build_begin_request(struct dhcp_build *b, void *buf, size_t max,
			      const struct dhcp_head *h);

/* Appends one option, in several instances when len > 255. False when it was left out. */
bool dhcp_build_opt(struct dhcp_build *b, uint8_t code, const void *data, size_t len);
bool dhcp_build_u8(struct dhcp_build *b, uint8_t code, uint8_t v);
bool dhcp_build_u16(struct dhcp_build *b, uint8_t code, uint16_t v);
bool dhcp_build_u32(struct dhcp_build *b, uint8_t code, uint32_t v);
bool dhcp_build_ip4(struct dhcp_build *b, uint8_t code, struct ip4 a);

/* Writes a text into the `file` or `sname` field, which then holds no options; an empty one only keeps
 * options out. False, and nothing is done, when the text with its NUL is too long. Before the first
 * option. */
bool dhcp_build_field(struct dhcp_build *b, enum dhcp_area area, const void *text, size_t len);

/* Ends the message and returns its length (at least DHCP_MSG_MIN, zero-padded). */
size_t dhcp_build_end(struct dhcp_build *b);

#endif
