/*
 * Blocks of a pcapng file, as we write them: sections, interfaces, packets, statistics.
 *
 * Pure. Format: draft-ietf-opsawg-pcapng. Blocks are in the machine's byte order, which the section
 * header tells; times are in nanoseconds. Whether all fitted is asked once, of the buffer.
 */
#ifndef TW_PCAPNG_H
#define TW_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/buf.h"

/* One comment of a packet; what is longer is cut. Options have a length of 16 bits. */
#define PCAPNG_COMMENT_MAX 1024u

/* A packet block beside the packet's bytes: header, trailer, options. */
#define PCAPNG_OVERHEAD_MAX (128u + PCAPNG_COMMENTS_MAX * (PCAPNG_COMMENT_MAX + 8u))
#define PCAPNG_COMMENTS_MAX 16u

/*
 * Bytes of a file that are written at once. The kernel puts them into folios as large, and large
 * ones come from memory that nobody has touched lately, or that a virtual machine has given back to
 * its host: the copy into those was seen to take ten times as long as into folios of this size.
 * Smaller ones cost more calls than they save.
 */
#define PCAPNG_WRITE_SIZE (64u << 10)

enum pcapng_direction {
	PCAPNG_UNKNOWN,
	PCAPNG_INBOUND,
	PCAPNG_OUTBOUND,
};

enum pcapng_verdict {
	PCAPNG_NO_VERDICT,
	PCAPNG_PASSED,
	PCAPNG_DROPPED,
};

struct pcapng_interface {
	const char *name;
	const char *description; /* may be NULL */
	uint16_t link_type; /* LINKTYPE_ of tcpdump.org, 1: Ethernet */
	uint32_t snaplen; /* 0: whole packets */
};

struct pcapng_packet {
	uint32_t interface; /* number of the section's interface, from 0 */
	uint64_t time_ns; /* CLOCK_REALTIME */
	const uint8_t *bytes;
	size_t len;
	size_t wire_len;
	enum pcapng_direction direction;
	bool checksum_partial; /* epb_flags bit 9: the sender left the checksum to the hardware */
	bool gso; /* epb_flags bit 11: larger than the segments on the wire */
	bool has_drops;
	uint64_t drops; /* lost between this packet and the one before it on the interface */
	bool has_id;
	uint64_t id; /* the same packet has the same number in other files of ours */
	enum pcapng_verdict verdict;
	const char *const *comments;
	size_t n_comments; /* more than PCAPNG_COMMENTS_MAX are left out */
};

struct pcapng_statistics {
	uint32_t interface;
	uint64_t time_ns; /* of the block */
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t received;
	uint64_t dropped; /* also those that packets told */
};

void pcapng_section(struct buf *out, const char *application, const char *host);
void pcapng_interface(struct buf *out, const struct pcapng_interface *interface);
void pcapng_packet(struct buf *out, const struct pcapng_packet *packet);
void pcapng_statistics(struct buf *out, const struct pcapng_statistics *statistics);

/*
 * The length of the longest prefix of `data` that consists of whole blocks of ours; `ret_packets`
 * (may be NULL) is how many of them are packets.
 */
size_t pcapng_whole(const void *data, size_t len, uint64_t *ret_packets);

/* Appends the blocks in `data`, all of ours, that describe the interfaces of its first section. */
void pcapng_first_interfaces(const void *data, size_t len, struct buf *out);

/* What a packet block says beside its bytes. */
struct pcapng_told {
	uint32_t interface;
	uint64_t time_ns;
	uint64_t drops;
};

/* Calls back for each packet in `data`, which pcapng_packet() made. */
void pcapng_each_packet(const void *data, size_t len,
			void (*cb)(void *context, const struct pcapng_told *told), void *context);

#endif
