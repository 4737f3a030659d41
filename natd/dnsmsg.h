/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsmsg.h - as much of a DNS message (RFC 1035 4.1, RFC 6891) as a proxy must understand: the header,
 * the question, and how to say no.
 *
 * Pure. What a proxy passes on it does not look at behind the question; who keeps an answer, or makes one,
 * reads records (RFC 1035 4.1.3) without caring what is in them.
 */
#ifndef VNET_NATD_DNSMSG_H
#define VNET_NATD_DNSMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_HEADER_LEN   12
#define DNS_QUESTION_MAX 259 /* the longest name, type and class */
#define DNS_UDP_MIN      512 /* what everybody takes over UDP (RFC 1035 4.2.1) */
#define DNS_OPT_LEN      11  /* an OPT record without options */
#define DNS_TEXT_MAX     254 /* a name with dots, and NUL */

/* The second 16 bits of a header. */
#define DNS_FLAG_QR 0x8000
#define DNS_OPCODE  0x7800
#define DNS_FLAG_AA 0x0400
#define DNS_FLAG_TC 0x0200
#define DNS_FLAG_RD 0x0100
#define DNS_FLAG_RA 0x0080
#define DNS_FLAG_AD 0x0020
#define DNS_FLAG_CD 0x0010

enum dns_type {
	DNS_TYPE_A = 1,
	DNS_TYPE_SOA = 6,
	DNS_TYPE_PTR = 12,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_OPT = 41,
	DNS_TYPE_SVCB = 64,
	DNS_TYPE_HTTPS = 65,
	DNS_TYPE_ANY = 255,
};

enum { DNS_CLASS_IN = 1 };

enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
};

struct dns_head {
	uint16_t id;
	bool response;
	uint8_t opcode, rcode;
	uint16_t questions, answers, authorities, additional;
	bool question_ok; /* at most one question, and it is whole */
	size_t end;       /* where header and question end; DNS_HEADER_LEN unless question_ok */
};

/* Reads header and question. False: shorter than a header. */
bool dns_head_parse(struct dns_head *h, const uint8_t *msg, size_t len);

/* The same question (name, type, class), upper and lower case being the same in names. Both are whole:
 * `len` bytes from behind the header. */
bool dns_question_eq(const uint8_t *a, const uint8_t *b, size_t len);

/* Writes the bytes with the names' capitals made small; type and class (the last four) stay. */
void dns_question_fold(uint8_t *out, const uint8_t *question, size_t len);

/* The name of the question as text, in small letters. False: it is the root, there is none, or it holds a character that
 * no name of a host does; that is then '?' in the text. */
bool dns_name_text(char out[DNS_TEXT_MAX], const uint8_t *msg, const struct dns_head *h);

/* The query asks for a whole zone (AXFR, IXFR), which is many messages. */
bool dns_is_transfer(const uint8_t *msg, const struct dns_head *h);

/* The rcode says that this server cannot or will not say. */
static inline bool
dns_is_refusal(uint8_t rcode)
{
	return rcode == DNS_SERVFAIL || rcode == DNS_NOTIMP || rcode == DNS_REFUSED;
}

/* msg has query's id and question and is no refusal. */
bool dns_is_answer(const uint8_t *msg, size_t len, const uint8_t *query, size_t query_len);

/* A query's OPT record (RFC 6891). */
struct dns_edns {
	bool present;
	bool dnssec_ok;
	bool
	    special; /* an option that makes the answer the asker's own (client subnet and the like) */
	uint16_t
	    size; /* what the asker takes over UDP, never below DNS_UDP_MIN; without OPT DNS_UDP_MIN */
};

/* Reads what follows the question of a query. False: it is not plain: something else than one OPT record of
 * version 0 is there. */
bool dns_edns_parse(struct dns_edns *e, const uint8_t *msg, size_t len, const struct dns_head *h);

enum dns_section { DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL, DNS_SECTIONS };

/* One record: offsets in the message. */
struct dns_rr {
	enum dns_section section;
	uint16_t type, class;
	uint32_t ttl; /* seconds; RFC 2181 8: what would be negative is 0 */
	size_t start, ttl_at, data, len;
};

/* Goes through the records of a message. */
struct dns_walk {
	const uint8_t *msg;
	size_t len, at;
	uint16_t left[DNS_SECTIONS];
	bool bad; /* a record was not whole, or something is behind the last one */
};

/* From the record behind the question on; h from dns_head_parse(), question_ok. */
void dns_walk_init(struct dns_walk *w, const uint8_t *msg, size_t len, const struct dns_head *h);
/* False: no more, or `bad`. */
bool dns_walk_next(struct dns_walk *w, struct dns_rr *rr);

/* Passes over a name, compressed or not: where it points to does not matter. */
struct rd;
void dns_skip_name(struct rd *r);

/* Writes an OPT record without options. */
struct wr;
void dns_put_opt(struct wr *w, bool dnssec_ok);

static inline uint16_t
dns_get_id(const uint8_t *msg)
{
	return (uint16_t)(msg[0] << 8 | msg[1]);
}

static inline void
dns_set_id(uint8_t *msg, uint16_t id)
{
	msg[0] = (uint8_t)(id >> 8);
	msg[1] = (uint8_t)id;
}

/* Turns the query msg (len bytes, h from dns_head_parse()) into our own answer with this rcode, in place:
 * its header, its question if it was whole, and an empty OPT record if it had one (RFC 6891 6.1.1).
 * Returns the answer's length, never more than len. */
size_t dns_make_error(uint8_t *msg, size_t len, const struct dns_head *h, enum dns_rcode rcode);

/* The same with the TC bit and no error, since the answer is too long for UDP, with room for cap bytes. */
size_t dns_make_truncated(uint8_t *msg, size_t cap, const struct dns_head *h,
			  const struct dns_edns *e);

/* Turns the answer msg (len bytes, h its own) to a query whose OPT record was e into a refusal, in place; where there is
 * room it says that it was blocked (RFC 8914, 4.16). */
size_t dns_make_blocked(uint8_t *msg, size_t len, const struct dns_head *h,
			const struct dns_edns *e);

#endif
