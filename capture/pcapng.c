/* SPDX-License-Identifier: GPL-2.0-or-later
 * pcapng.c - blocks of a capture file. Pure: no allocation, no file, no clock.
 *
 * A block is type, length, body padded to 4 bytes, options, length once more. An option is code, length, value
 * padded to 4 bytes; code 0 ends them.
 */
#include "capture/pcapng.h"

#include <string.h>

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_STATS = 5,
	BLOCK_FRAME = 6,
};

enum {
	OPT_END = 0,
	OPT_COMMENT = 1,
	OPT_SECTION_OS = 3,
	OPT_SECTION_APPLICATION = 4,
	OPT_IF_NAME = 2,
	OPT_IF_DESCRIPTION = 3,
	OPT_IF_TSRESOL = 9,
	OPT_IF_FILTER = 11,
	OPT_IF_OS = 12,
	OPT_FRAME_FLAGS = 2,
	OPT_STATS_START = 2,
	OPT_STATS_END = 3,
	OPT_STATS_RECEIVED = 4,
	OPT_STATS_DROPPED = 5,
};

#define MAGIC         0x1a2b3c4du
#define LINK_ETHERNET 1
#define TSRESOL_NS    9
#define FRAME_HEAD    28
#define FRAME_LEN_MIN (FRAME_HEAD + 4)
#define BLOCK_LEN_MAX (16u << 20) /* readers refuse longer ones */
#define TAG_AT        12
#define VLAN_TAG      4

static uint32_t
padded(uint32_t n)
{
	return (n + 3) & ~3u;
}

static uint8_t *
put16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static uint8_t *
put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static uint32_t
get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint8_t *
put_padding(uint8_t *p, uint32_t len)
{
	for (uint32_t i = len; i < padded(len); i++)
		*p++ = 0;
	return p;
}

static uint8_t *
put_option(uint8_t *p, uint16_t code, const void *value, uint16_t len)
{
	p = put16(put16(p, code), len);
	memcpy(p, value, len);
	return put_padding(p + len, len);
}

/* Not within a UTF-8 sequence. */
static uint16_t
text_len(const char *s, size_t max)
{
	size_t len = strlen(s);

	if (len > max)
		for (len = max; len > 0 && ((unsigned char)s[len] & 0xc0) == 0x80; len--)
			;
	return (uint16_t)len;
}

static uint8_t *
put_text(uint8_t *p, uint16_t code, const char *s, size_t max)
{
	return s && *s ? put_option(p, code, s, text_len(s, max)) : p;
}

static uint8_t *
put_end(uint8_t *p)
{
	return put32(p, OPT_END);
}

/* Both lengths of the block that begins at `start`, of which everything but the last one is there. */
static uint8_t *
close_block(uint8_t *start, uint8_t *p)
{
	uint32_t len = (uint32_t)(p - start) + 4;

	put32(start + 4, len);
	return put32(p, len);
}

static uint8_t *
put_section(uint8_t *start, const struct pcapng_section *s)
{
	uint8_t *p = put32(put32(start, BLOCK_SECTION), 0);

	p = put32(p, MAGIC);
	p = put16(put16(p, 1), 0);                   /* version */
	p = put32(put32(p, UINT32_MAX), UINT32_MAX); /* how long the section will be: unknown */
	p = put_text(p, OPT_COMMENT, s->comment, PCAPNG_TEXT_MAX);
	p = put_text(p, OPT_SECTION_OS, s->os, PCAPNG_TEXT_MAX);
	p = put_text(p, OPT_SECTION_APPLICATION, s->application, PCAPNG_TEXT_MAX);
	return close_block(start, put_end(p));
}

/* The first byte tells that a text for libpcap follows (and no compiled program). */
static uint8_t *
put_filter(uint8_t *p, const char *filter)
{
	uint8_t value[1 + PCAPNG_TEXT_MAX];
	uint16_t len;

	if (!filter || !*filter)
		return p;
	len = text_len(filter, PCAPNG_TEXT_MAX);
	value[0] = 0;
	memcpy(value + 1, filter, len);
	return put_option(p, OPT_IF_FILTER, value, (uint16_t)(len + 1));
}

static uint8_t *
put_interface(uint8_t *start, const struct pcapng_section *s)
{
	uint8_t *p = put32(put32(start, BLOCK_INTERFACE), 0);
	const uint8_t ns = TSRESOL_NS;

	p = put16(put16(p, LINK_ETHERNET), 0);
	p = put32(p, s->snaplen);
	p = put_text(p, OPT_IF_NAME, s->ifname, PCAPNG_TEXT_MAX);
	p = put_text(p, OPT_IF_DESCRIPTION, s->description, PCAPNG_TEXT_MAX);
	p = put_option(p, OPT_IF_TSRESOL, &ns, 1);
	p = put_filter(p, s->filter);
	p = put_text(p, OPT_IF_OS, s->os, PCAPNG_TEXT_MAX);
	return close_block(start, put_end(p));
}

size_t
pcapng_header(uint8_t *buf, const struct pcapng_section *s)
{
	return (size_t)(put_interface(put_section(buf, s), s) - buf);
}

uint8_t *
pcapng_bytes(uint8_t *p, const struct pcapng_frame *f)
{
	uint32_t rest = f->caplen;

	if (f->tagged && f->caplen >= TAG_AT + VLAN_TAG) {
		const uint8_t tag[VLAN_TAG] = {(uint8_t)(f->tpid >> 8), (uint8_t)f->tpid,
					       (uint8_t)(f->tci >> 8), (uint8_t)f->tci};

		memcpy(p, f->data, TAG_AT);
		memcpy(p + TAG_AT, tag, VLAN_TAG);
		p += TAG_AT + VLAN_TAG;
		rest = f->caplen - TAG_AT - VLAN_TAG;
		memcpy(p, f->data + TAG_AT, rest);
	} else {
		memcpy(p, f->data, rest);
	}
	return p + rest;
}

size_t
pcapng_frame(uint8_t *buf, const struct pcapng_frame *f)
{
	uint32_t flags = (uint32_t)f->way | (uint32_t)f->cast << 2;
	uint8_t *p = put32(put32(buf, BLOCK_FRAME), 0);

	p = put32(p, 0); /* the only interface */
	p = put32(put32(p, (uint32_t)(f->ns >> 32)), (uint32_t)f->ns);
	p = put32(put32(p, f->caplen), f->len);
	p = put_padding(pcapng_bytes(p, f), f->caplen);
	p = put_text(p, OPT_COMMENT, f->comment, PCAPNG_COMMENT_MAX);
	p = put_option(p, OPT_FRAME_FLAGS, &flags, sizeof(flags));
	return (size_t)(close_block(buf, put_end(p)) - buf);
}

static uint8_t *
put_time(uint8_t *p, uint16_t code, uint64_t ns)
{
	const uint32_t value[2] = {(uint32_t)(ns >> 32), (uint32_t)ns};

	return put_option(p, code, value, sizeof(value));
}

size_t
pcapng_stats(uint8_t *buf, const struct pcapng_stats *s)
{
	uint8_t *p = put32(put32(buf, BLOCK_STATS), 0);

	p = put32(p, 0);
	p = put32(put32(p, (uint32_t)(s->last_ns >> 32)), (uint32_t)s->last_ns);
	p = put_time(p, OPT_STATS_START, s->first_ns);
	p = put_time(p, OPT_STATS_END, s->last_ns);
	p = put_option(p, OPT_STATS_RECEIVED, &s->received, sizeof(s->received));
	p = put_option(p, OPT_STATS_DROPPED, &s->dropped, sizeof(s->dropped));
	return (size_t)(close_block(buf, put_end(p)) - buf);
}

uint32_t
pcapng_block_len(const uint8_t head[PCAPNG_BLOCK_HEAD])
{
	uint32_t type = get32(head), len = get32(head + 4);
	bool known = type == BLOCK_SECTION || type == BLOCK_INTERFACE || type == BLOCK_STATS ||
		     type == BLOCK_FRAME;

	return known && len % 4 == 0 && len >= PCAPNG_BLOCK_HEAD + 4 && len <= BLOCK_LEN_MAX ? len
											     : 0;
}

size_t
pcapng_whole_of(const uint8_t *buf, size_t len, size_t head,
		uint32_t (*len_of)(const uint8_t *head))
{
	size_t done = 0;

	while (len - done >= head) {
		uint32_t n = len_of(buf + done);

		if (n == 0 || n > len - done)
			break;
		done += n;
	}
	return done;
}

size_t
pcapng_whole(const uint8_t *buf, size_t len)
{
	return pcapng_whole_of(buf, len, PCAPNG_BLOCK_HEAD, pcapng_block_len);
}

static uint32_t
flags_of(const uint8_t *p, const uint8_t *end)
{
	while (end - p >= 4) {
		uint16_t code, len;

		memcpy(&code, p, sizeof(code));
		memcpy(&len, p + 2, sizeof(len));
		p += 4;
		if (code == OPT_END || padded(len) > (size_t)(end - p))
			break;
		if (code == OPT_FRAME_FLAGS && len == 4)
			return get32(p);
		p += padded(len);
	}
	return 0;
}

static bool
read_frame(const uint8_t *buf, uint32_t len, struct pcapng_frame *f)
{
	uint32_t flags;

	if (len < FRAME_LEN_MIN)
		return false;
	memset(f, 0, sizeof(*f));
	f->ns = (uint64_t)get32(buf + 12) << 32 | get32(buf + 16);
	f->caplen = get32(buf + 20);
	f->len = get32(buf + 24);
	f->data = buf + FRAME_HEAD;
	if (f->caplen > len - FRAME_LEN_MIN || padded(f->caplen) > len - FRAME_LEN_MIN)
		return false;
	flags = flags_of(f->data + padded(f->caplen), buf + len - 4);
	f->way = (flags & 3) <= PCAPNG_OUT ? (enum pcapng_way)(flags & 3) : PCAPNG_WAY_UNKNOWN;
	f->cast = (flags >> 2 & 7) <= PCAPNG_PROMISC ? (enum pcapng_cast)(flags >> 2 & 7)
						     : PCAPNG_CAST_UNKNOWN;
	return true;
}

enum pcapng_what
pcapng_next(const uint8_t *buf, size_t len, size_t *used, struct pcapng_frame *f)
{
	uint32_t n;

	*used = 0;
	if (len < PCAPNG_BLOCK_HEAD)
		return PCAPNG_MORE;
	n = pcapng_block_len(buf);
	if (n == 0)
		return PCAPNG_BAD;
	if (n > len)
		return PCAPNG_MORE;
	if (get32(buf + n - 4) != n)
		return PCAPNG_BAD;
	*used = n;
	if (get32(buf) != BLOCK_FRAME)
		return PCAPNG_OTHER;
	return read_frame(buf, n, f) ? PCAPNG_FRAME : PCAPNG_BAD;
}
