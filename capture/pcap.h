/* SPDX-License-Identifier: GPL-2.0-or-later
 * pcap.h - the older capture file format (draft-ietf-opsawg-pcap), which vnet-sniffer and old programs write and read. Pure.
 *
 * In the host's byte order with times in nanoseconds, both of which the magic number tells. It has no place for
 * names, comments, directions and counts.
 */
#ifndef VNET_CAPTURE_PCAP_H
#define VNET_CAPTURE_PCAP_H

#include <stddef.h>
#include <stdint.h>

#include "capture/pcapng.h"

#define PCAP_HEADER      24 /* bytes of the file's header */
#define PCAP_RECORD_HEAD 16 /* bytes before those of a frame */

/* The file's header for Ethernet frames. Returns PCAP_HEADER. */
size_t pcap_header(uint8_t buf[PCAP_HEADER], uint32_t snaplen);

/* One frame. Length, at most caplen + PCAP_RECORD_HEAD. */
size_t pcap_frame(uint8_t *buf, const struct pcapng_frame *f);

/* Length of the record that begins so, in bytes; 0: it is none of ours. */
uint32_t pcap_record_len(const uint8_t head[PCAP_RECORD_HEAD]);

/* How many of these bytes are whole records; they begin with one. */
size_t pcap_whole(const uint8_t *buf, size_t len);

#endif
