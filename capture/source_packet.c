#include "capture/source_packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/time_units.h"

/* V3_ALIGNMENT of net/packet/internal.h: frames in a block, and its private area. */
#define RING_ALIGNMENT 8

/* The kernel puts the address behind the header: TPACKET_ALIGN() in unsigned arithmetic. */
#define ADDRESS_OFFSET                                                               \
	((sizeof(struct tpacket3_hdr) + TPACKET_ALIGNMENT - 1) / TPACKET_ALIGNMENT * \
	 TPACKET_ALIGNMENT)

/* linux/if_packet.h has it since 6.2. */
#ifndef TP_STATUS_GSO_TCP
#define TP_STATUS_GSO_TCP (1 << 8)
#endif

/* Above it, block_size times blocks is a mistake: the agent's budget is far below. */
#define RING_MAX (UINT64_C(4) << 30)

/* TPID and TCI. */
#define VLAN_TAG_LEN 4u

/* While blocks are handed over, two looks at the ring may differ; the kernel is not that fast. */
#define SCANS_MAX 16

static struct tpacket_block_desc *block_at(const struct source_packet *source, uint32_t i)
{
	return (struct tpacket_block_desc *)(source->ring + (size_t)i * source->block_size);
}

/*
 * The kernel writes the status last and a reader gives it back last: both sides are ordered by it.
 */
static bool block_ready(struct tpacket_block_desc *block)
{
	return __atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER;
}

static uint64_t block_seq(struct tpacket_block_desc *block)
{
	return __atomic_load_n(&block->hdr.bh1.seq_num, __ATOMIC_RELAXED);
}

/*
 * The oldest block that is ready. Without one, the block that the kernel fills now: it gets its
 * number when it is opened, so that is the highest.
 */
static uint32_t find_oldest(const struct source_packet *source)
{
	uint32_t oldest = 0, newest = 0;
	bool any = false;

	for (uint32_t i = 0; i < source->blocks; i++) {
		uint64_t seq = block_seq(block_at(source, i));

		if (block_ready(block_at(source, i)) &&
		    (!any || seq < block_seq(block_at(source, oldest)))) {
			oldest = i;
			any = true;
		}
		if (seq > block_seq(block_at(source, newest)))
			newest = i;
	}
	return any ? oldest : newest;
}

void source_packet_close(struct source_packet *source)
{
	if (source->ring)
		munmap(source->ring, (size_t)source->block_size * source->blocks);
	source->ring = NULL;
	if (source->fd >= 0)
		close(source->fd);
	source->fd = -1;
}

static struct source_packet_mark *mark_of(struct tpacket_block_desc *block)
{
	return (struct source_packet_mark *)((uint8_t *)block + block->offset_to_priv);
}

/* Room for a frame's header and address, and the address of its bytes, inside the block. */
static struct tpacket3_hdr *frame_at(const struct source_packet *source, size_t offset)
{
	const size_t fixed = ADDRESS_OFFSET + sizeof(struct sockaddr_ll);
	struct tpacket3_hdr *hdr;

	if (offset % RING_ALIGNMENT || offset > source->block_size ||
	    fixed > source->block_size - offset)
		return NULL;
	hdr = (struct tpacket3_hdr *)((uint8_t *)block_at(source, source->block) + offset);
	if ((uint64_t)offset + hdr->tp_mac + hdr->tp_snaplen > source->block_size)
		return NULL;
	return hdr;
}

static void block_release(struct source_packet *source)
{
	struct tpacket_block_desc *block = block_at(source, source->block);

	source->frames_left = 0;
	__atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	source->block = (source->block + 1) % source->blocks;
}

static void block_refuse(struct source_packet *source)
{
	source->corrupt++;
	block_release(source);
}

static bool block_sane(const struct source_packet *source, const struct tpacket_block_desc *block)
{
	const struct tpacket_hdr_v1 *h = &block->hdr.bh1;
	uint64_t mark_end = (uint64_t)block->offset_to_priv + sizeof(struct source_packet_mark);

	return block->offset_to_priv >= sizeof(*block) &&
	       block->offset_to_priv % RING_ALIGNMENT == 0 && mark_end <= h->offset_to_first_pkt &&
	       h->offset_to_first_pkt < source->block_size;
}

/* Goes to the next frame; false when the block cannot be followed any further. */
static bool frame_next(struct source_packet *source, const struct tpacket3_hdr *hdr)
{
	source->frames_left--;
	source->frame_offset += hdr->tp_next_offset;
	return !source->frames_left || hdr->tp_next_offset > 0;
}

/* Passes over the frames that a reader before this one has begun. */
static bool block_resume(struct source_packet *source, struct source_packet_mark *mark)
{
	uint32_t begun = mark->begun < source->frames_left ? mark->begun : source->frames_left;

	source->died += mark->begun > mark->done;
	for (uint32_t i = 0; i < begun; i++) {
		const struct tpacket3_hdr *hdr = frame_at(source, source->frame_offset);

		if (!hdr || !frame_next(source, hdr))
			return false;
	}
	mark->done = mark->begun = begun;
	return true;
}

/* False when no block is ready. */
static bool block_begin(struct source_packet *source)
{
	struct tpacket_block_desc *block = block_at(source, source->block);
	struct source_packet_mark *mark;

	if (!block_ready(block))
		return false;
	if (!block_sane(source, block)) {
		block_refuse(source);
		return true;
	}
	source->frames_left = block->hdr.bh1.num_pkts;
	source->frame_offset = block->hdr.bh1.offset_to_first_pkt;
	mark = mark_of(block);
	if (mark->seq_num != block->hdr.bh1.seq_num)
		*mark = (struct source_packet_mark){ .seq_num = block->hdr.bh1.seq_num };
	else if (!block_resume(source, mark)) {
		block_refuse(source);
		return true;
	}
	if (!source->frames_left)
		block_release(source);
	return true;
}

int source_packet_open(struct source_packet *source, int fd, uint32_t block_size, uint32_t blocks,
		       struct err *err)
{
	uint64_t size = (uint64_t)block_size * blocks;
	void *ring = MAP_FAILED;

	*source = (struct source_packet){ .fd = fd, .block_size = block_size, .blocks = blocks };
	errno = EINVAL;
	if (size && size <= RING_MAX)
		ring = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ring == MAP_FAILED) {
		int code = err_errno(err, -errno, "cannot map a packet ring of %u x %u bytes",
				     blocks, block_size);

		source_packet_close(source);
		return code;
	}
	source->ring = ring;
	/* The kernel may hand blocks over during a scan; two scans that agree saw none of it. */
	source->block = find_oldest(source);
	for (int i = 0; i < SCANS_MAX; i++) {
		uint32_t before = source->block;

		source->block = find_oldest(source);
		if (source->block == before)
			break;
	}
	/* What a reader before this one died of is known before anything is read. */
	block_begin(source);
	return 0;
}

/*
 * The kernel takes the outermost tag out of what comes in and hands it over beside the frame
 * (skb_vlan_untag(), packet(7)): it goes back between the addresses and the type, as it was on the
 * wire. Before a frame there is room for that: tpacket_rcv() leaves as much as the longest header.
 */
static void put_tag_back(struct tpacket3_hdr *hdr, struct decode_input *in)
{
	const size_t before = ADDRESS_OFFSET + sizeof(struct sockaddr_ll) + VLAN_TAG_LEN;
	const uint16_t tag[] = {
		htons(hdr->tp_status & TP_STATUS_VLAN_TPID_VALID ? hdr->hv1.tp_vlan_tpid
								 : ETHERTYPE_VLAN),
		htons((uint16_t)hdr->hv1.tp_vlan_tci),
	};
	uint8_t *p;

	if (hdr->tp_mac < before || in->len < 2 * ETHER_ADDR_LEN)
		return;
	p = (uint8_t *)hdr + hdr->tp_mac - VLAN_TAG_LEN;
	memmove(p, in->bytes, 2 * ETHER_ADDR_LEN);
	memcpy(p + 2 * ETHER_ADDR_LEN, tag, VLAN_TAG_LEN);
	in->bytes = p;
	in->len += VLAN_TAG_LEN;
	in->wire_len += VLAN_TAG_LEN;
}

static void frame_fill(struct tpacket3_hdr *hdr, struct source_frame *frame)
{
	const uint8_t *p = (const uint8_t *)hdr;
	struct sockaddr_ll address;

	memcpy(&address, p + ADDRESS_OFFSET, sizeof(address));
	*frame = (struct source_frame){
		.in = {
			.bytes = p + hdr->tp_mac,
			.len = hdr->tp_snaplen,
			.wire_len = hdr->tp_len,
		},
		.checksum_partial = (hdr->tp_status & TP_STATUS_CSUMNOTREADY) != 0,
		.gso = (hdr->tp_status & TP_STATUS_GSO_TCP) != 0,
		.time_ns = (uint64_t)hdr->tp_sec * NS_PER_S + hdr->tp_nsec,
		/*
		 * What the guest writes to its tap leaves by the link: outgoing, seen from the
		 * host.
		 */
		.direction = address.sll_pkttype == PACKET_OUTGOING ? STATS_FROM_GUEST :
								      STATS_TO_GUEST,
	};
	if (hdr->tp_status & TP_STATUS_VLAN_VALID)
		put_tag_back(hdr, &frame->in);
}

/* Reads up to `max` frames of the block that was begun. */
static size_t block_read(struct source_packet *source, size_t max, source_frame_cb cb, void *data)
{
	struct source_packet_mark *mark = mark_of(block_at(source, source->block));
	size_t n = 0;

	while (n < max && source->frames_left) {
		struct tpacket3_hdr *hdr = frame_at(source, source->frame_offset);
		struct source_frame frame;

		if (!hdr) {
			block_refuse(source);
			return n;
		}
		frame_fill(hdr, &frame);
		/*
		 * Written before and after: SIGKILL in between leaves the difference to be found.
		 */
		mark->begun++;
		atomic_signal_fence(memory_order_seq_cst);
		cb(data, &frame);
		atomic_signal_fence(memory_order_seq_cst);
		mark->done++;
		n++;
		if (!frame_next(source, hdr)) {
			block_refuse(source);
			return n;
		}
	}
	if (!source->frames_left)
		block_release(source);
	return n;
}

size_t source_packet_read(struct source_packet *source, size_t max, source_frame_cb cb, void *data)
{
	size_t n = 0;

	while (n < max) {
		if (source->frames_left)
			n += block_read(source, max - n, cb, data);
		else if (!block_begin(source))
			break;
	}
	return n;
}

/* Frames of the block that the kernel fills: it counts them there as they come. */
static size_t unread(const struct source_packet *source)
{
	struct tpacket_block_desc *block = block_at(source, source->block);
	const struct source_packet_mark *mark;
	uint32_t n;

	/* One that was never filled is not sane; one that was read still has its numbers. */
	if (source->frames_left || block_ready(block) || !block_sane(source, block))
		return 0;
	n = __atomic_load_n(&block->hdr.bh1.num_pkts, __ATOMIC_RELAXED);
	mark = mark_of(block);
	if (mark->seq_num == block_seq(block))
		n -= mark->begun < n ? mark->begun : n;
	return n;
}

size_t source_packet_settle(struct source_packet *source, uint64_t until_ns)
{
	struct pollfd fd = { .fd = source->fd, .events = POLLIN };
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
	size_t n;

	while ((n = unread(source)) > 0 && now_ns < until_ns) {
		/* That the link went is told until it is taken off, and not what is waited for. */
		if (poll(&fd, 1, (int)((until_ns - now_ns) / NS_PER_MS) + 1) > 0 &&
		    (fd.revents & POLLERR))
			source_packet_error(source);
		now_ns = clock_ns(CLOCK_MONOTONIC);
	}
	return n;
}

int source_packet_losses(struct source_packet *source, struct source_losses *ret)
{
	struct tpacket_stats_v3 stats;
	socklen_t len = sizeof(stats);

	/* Reading sets the kernel's counters back to 0. */
	if (getsockopt(source->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) < 0)
		return -errno;
	*ret = (struct source_losses){
		.ring_full = stats.tp_drops,
		.died = source->died,
		.corrupt = source->corrupt,
	};
	source->died = 0;
	source->corrupt = 0;
	return 0;
}

int source_packet_error(struct source_packet *source)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(source->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	return -error;
}
