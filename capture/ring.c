/* SPDX-License-Identifier: GPL-2.0-or-later
 * ring.c - the ring of a packet socket. What the kernel writes there is trusted, but for the contents of frames.
 */
#include "capture/ring.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

enum {
	/* The largest frame that segmentation offload makes fits. It is a MiB, which rings are counted in. */
	BLOCK_BYTES = 1 << 20,
	MIB_MIN = 4,
	/* The kernel hands a block over when it is full, or after this. */
	RETIRE_MS = 50,
	VLAN_TAG = 4,
	NS_A_S = 1000000000,
};

static int
set_ring(int sock, unsigned blocks)
{
	const struct tpacket_req3 req = {
	    .tp_block_size = BLOCK_BYTES,
	    .tp_block_nr = blocks,
	    .tp_frame_size = 2048, /* not used by this version, but looked at */
	    .tp_frame_nr = BLOCK_BYTES / 2048 * blocks,
	    .tp_retire_blk_tov = RETIRE_MS,
	    .tp_feature_req_word = TP_FT_REQ_FILL_RXHASH,
	};

	return setsockopt(sock, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)) < 0 ? -errno : 0;
}

/* No larger than there is memory for. */
static int
make_ring(struct ring *r, unsigned mib)
{
	const int version = TPACKET_V3;
	int err;

	if (setsockopt(r->sock, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) < 0)
		return -errno;
	while ((err = set_ring(r->sock, mib)) == -ENOMEM && mib > MIB_MIN)
		mib /= 2;
	if (err < 0)
		return err;
	r->blocks = mib;
	r->block_bytes = BLOCK_BYTES;
	r->map =
	    mmap(NULL, r->blocks * r->block_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, r->sock, 0);
	if (r->map == MAP_FAILED) {
		r->map = NULL;
		return -errno;
	}
	return 0;
}

/* What came before the program was there is thrown away: the socket's first one lets nothing pass. */
int
ring_open(struct ring *r, int sock, unsigned mib, const struct sock_filter *code, size_t n)
{
	const struct sock_fprog prog = {(unsigned short)n, (struct sock_filter *)code};
	const int on = 1;
	int err;

	memset(r, 0, sizeof(*r));
	r->sock = sock;
	err = make_ring(r, mib);
	if (err < 0)
		return err;
	if (setsockopt(sock, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0 ||
	    setsockopt(sock, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)) < 0) {
		err = -errno;
		ring_close(r);
	}
	return err;
}

void
ring_close(struct ring *r)
{
	if (r->map)
		munmap(r->map, r->blocks * r->block_bytes);
	r->map = NULL;
}

static struct tpacket_block_desc *
block(const struct ring *r)
{
	return (struct tpacket_block_desc *)(void *)(r->map + r->at * r->block_bytes);
}

static enum pcapng_cast
cast_of(unsigned char pkttype)
{
	switch (pkttype) {
	case PACKET_BROADCAST:
		return PCAPNG_BROADCAST;
	case PACKET_MULTICAST:
		return PCAPNG_MULTICAST;
	case PACKET_OTHERHOST:
		return PCAPNG_PROMISC;
	case PACKET_HOST:
		return PCAPNG_UNICAST;
	default: /* the kernel's number */
		return PCAPNG_CAST_UNKNOWN;
	}
}

static void
fill(struct ring_frame *out, const uint8_t *at)
{
	const struct tpacket3_hdr *h = (const void *)at;
	const struct sockaddr_ll *from = (const void *)(at + TPACKET_ALIGN(sizeof(*h)));
	struct pcapng_frame *f = &out->f;

	f->ns = (uint64_t)h->tp_sec * NS_A_S + h->tp_nsec;
	f->caplen = h->tp_snaplen;
	f->len = h->tp_len;
	f->data = at + h->tp_mac;
	f->tagged = h->tp_status & TP_STATUS_VLAN_VALID && h->tp_snaplen >= 2 * ETH_ALEN;
	f->tci = (uint16_t)h->hv1.tp_vlan_tci;
	f->tpid = h->tp_status & TP_STATUS_VLAN_TPID_VALID ? h->hv1.tp_vlan_tpid : ETH_P_8021Q;
	if (f->tagged) {
		f->caplen += VLAN_TAG;
		f->len += VLAN_TAG;
	}
	f->way = from->sll_pkttype == PACKET_OUTGOING ? PCAPNG_OUT : PCAPNG_IN;
	f->cast = cast_of(from->sll_pkttype);
	f->comment = NULL;
	out->hash = h->hv1.tp_rxhash;
}

/* Gives the block that has been read back to the kernel. */
static void
give_back(struct ring *r)
{
	__atomic_store_n(&block(r)->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	r->at = (r->at + 1) % r->blocks;
	r->next = NULL;
	r->given_back++;
}

bool
ring_next(struct ring *r, struct ring_frame *out)
{
	while (r->left == 0) {
		struct tpacket_block_desc *b;

		if (r->next)
			give_back(r);
		b = block(r);
		if (!(__atomic_load_n(&b->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
			return false;
		r->left = b->hdr.bh1.num_pkts;
		r->next = (const uint8_t *)b + b->hdr.bh1.offset_to_first_pkt;
	}
	fill(out, r->next);
	r->left--;
	r->next += ((const struct tpacket3_hdr *)(const void *)r->next)->tp_next_offset;
	return true;
}

void
ring_count(struct ring *r)
{
	struct tpacket_stats_v3 s;
	socklen_t len = sizeof(s);

	/* Since the last time. */
	if (getsockopt(r->sock, SOL_PACKET, PACKET_STATISTICS, &s, &len) == 0) {
		r->received += s.tp_packets;
		r->dropped += s.tp_drops;
	}
}

int
ring_error(const struct ring *r)
{
	int err = 0;
	socklen_t len = sizeof(err);

	return getsockopt(r->sock, SOL_SOCKET, SO_ERROR, &err, &len) < 0 ? -errno : -err;
}
