/*
 * Some frames of a pcapng file of ours: those of a link, of a rule's matches, or a single one.
 * Pure.
 *
 * What is picked is a file by itself: sections and interfaces stay, so that numbers go on to mean
 * the same. Further files are added to the last section of the first, with other numbers: some
 * readers (Wireshark 4.0) look for an interface among those of all sections. Files of ours are in
 * the machine's byte order (capture/pcapng.h).
 */
#ifndef TW_PCAPNG_PICK_H
#define TW_PCAPNG_PICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/base/buf.h"

/* Longer blocks are none of ours: a frame has 64 KiB and its comments less. */
#define PCAPNG_BLOCK_MAX (1u << 20)

/* Interfaces of a section; frames of further ones are of no link. */
#define PCAPNG_INTERFACES_MAX 65536u

struct pcapng_pick {
	const char *link, *rule; /* NULL: any; stay the caller's */
	bool has_packet;
	uint64_t packet; /* the frame with this number, as records have it in pcap_cnt */
	/* Nanoseconds of Unix time, as our files have them: not before, and before. */
	uint64_t since_ns, until_ns; /* 0: any */
	/* private */
	bool begun; /* a section was */
	bool joined; /* sections go on the one before */
	uint32_t base; /* number there of the first interface of the section that is read */
	uint32_t n_interfaces; /* of the section that is written, so far */
	uint8_t of_link[PCAPNG_INTERFACES_MAX / 8];
};

/*
 * Takes the whole blocks at the beginning of `data` and appends those that are wanted. Returns how
 * many bytes they were, which is 0 when not one is whole, or -EBADMSG for what is no block.
 */
ssize_t pcapng_pick(struct pcapng_pick *pick, const uint8_t *data, size_t len, struct buf *out);

/* What comes next is the beginning of another file. */
void pcapng_pick_next_file(struct pcapng_pick *pick);

#endif
