/* SPDX-License-Identifier: GPL-2.0-or-later
 * pcap.c - see pcap.h.
 */
#include "capture/pcap.h"

#include <string.h>

enum { MAGIC_NS = 0xa1b23c4d, VERSION_MAJOR = 2, VERSION_MINOR = 4, LINK_ETHERNET = 1 };

#define NS_PER_S 1000000000u

struct head {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t reserved[2], snaplen, link;
};
_Static_assert(sizeof(struct head) == PCAP_HEADER, "the format's header");

struct record {
	uint32_t s, ns, caplen, len;
};
_Static_assert(sizeof(struct record) == PCAP_RECORD_HEAD, "the format's record");

size_t
pcap_header(uint8_t buf[PCAP_HEADER], uint32_t snaplen)
{
	const struct head h = {.magic = MAGIC_NS,
			       .major = VERSION_MAJOR,
			       .minor = VERSION_MINOR,
			       .snaplen = snaplen,
			       .link = LINK_ETHERNET};

	memcpy(buf, &h, sizeof(h));
	return sizeof(h);
}

size_t
pcap_frame(uint8_t *buf, const struct pcapng_frame *f)
{
	const struct record r = {(uint32_t)(f->ns / NS_PER_S), (uint32_t)(f->ns % NS_PER_S),
				 f->caplen, f->len};

	memcpy(buf, &r, sizeof(r));
	return (size_t)(pcapng_bytes(buf + sizeof(r), f) - buf);
}

uint32_t
pcap_record_len(const uint8_t head[PCAP_RECORD_HEAD])
{
	struct record r;

	memcpy(&r, head, sizeof(r));
	return r.ns < NS_PER_S && r.caplen <= PCAPNG_SNAPLEN_MAX ? PCAP_RECORD_HEAD + r.caplen : 0;
}

size_t
pcap_whole(const uint8_t *buf, size_t len)
{
	return pcapng_whole_of(buf, len, PCAP_RECORD_HEAD, pcap_record_len);
}
