/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsmsg.h - as much of a DNS message (RFC 1035 4.1, RFC 6891) as a proxy must understand: the header,
 * the question, and how to say no.
 *
 * Pure. Everything behind the question is somebody else's business and is never looked at, but for
 * one thing: whether a query carries an OPT record right behind its question.
 */
#ifndef VNET_NATD_DNSMSG_H
#define VNET_NATD_DNSMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_HEADER_LEN 12

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

#endif
