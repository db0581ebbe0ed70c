/*
 * One capture that is being searched: packets in, records and frames out.
 *
 * Edge. What sift.h finds in the packets of a file, or of an interface, is told as the agent tells
 * it of a link, or as a text's matches are: the number of a packet then stands for a line's, and
 * offsets are those in the payload or the stream.
 */
#ifndef TW_CAPTURE_SCAN_H
#define TW_CAPTURE_SCAN_H

#include "capture/capture_search.h"
#include "capture/extract_worker.h"
#include "capture/keeper.h"
#include "capture/pcap_reader.h"
#include "capture/scan_links.h"
#include "capture/sift.h"

/* What of the capture could not be searched. */
struct scan_losses {
	uint64_t cut; /* frames that were cut when they were captured */
	uint64_t lost; /* frames that the capture says it lacks */
	uint64_t gaps, gap_bytes; /* in streams and in packets that came in fragments */
	uint64_t beginless; /* packets in fragments of which the first bytes never came */
	uint64_t evicted; /* directions of streams for which there was no memory any more */
	uint64_t unfiltered; /* frames of a link type that the filter cannot be tried on */
	uint64_t unknown; /* frames of a link type that is not known here */
	uint64_t unnoted; /* matches of which not all comments or frames are kept */
};

struct capture_scan {
	struct capture_search *search;
	const struct extract_plan *plan;
	struct extract_outlet *outlet;
	const char *source; /* as the input is called */
	const char *filename; /* as records name the capture; NULL: live, and filtered before */
	struct sift sift;
	struct keeper keeper;
	struct scan_links links;
	uint64_t tick_ns; /* time of the last look at the clock */
	uint64_t now_ns; /* of the last packet */
	uint64_t number; /* of the last packet */
	uint64_t hits;
	struct scan_losses losses;
	struct buf line;
	/* Of the frame in hand. */
	bool payload_told;
	uint64_t payload_seq;
};

/* The search is ready. `live`: `source` is an interface. 0 or -ENOMEM. */
int capture_scan_init(struct capture_scan *scan, struct capture_search *search,
		      const struct extract_plan *plan, struct extract_outlet *outlet,
		      const char *source, bool live);

/* Ends all streams, which may tell matches. */
void capture_scan_end(struct capture_scan *scan);
void capture_scan_done(struct capture_scan *scan);

/* What packets said of their interfaces holds no more. */
void capture_scan_section(struct capture_scan *scan);

/*
 * The next packet, of that interface; without bytes it only tells of drops. `guest` says that what
 * is outbound was sent by a guest. 0, -ENOMEM, or -E2BIG: there are too many interfaces.
 */
int capture_scan_packet(struct capture_scan *scan, const struct pcap_packet *packet,
			const struct pcap_interface *interface, bool guest);

/* A payload of a payload log, with the frame that it came in. The same errors. */
int capture_scan_payload(struct capture_scan *scan, const char *link_name, uint64_t time_ns,
			 enum sift_direction direction, const struct frame *frame);

/* Frames of the interface that were lost, and why. The same errors. */
int capture_scan_lost(struct capture_scan *scan, const struct pcap_interface *interface, uint64_t n,
		      const char *why, uint64_t now_ns);

/* Time goes on although nothing comes. */
void capture_scan_tick(struct capture_scan *scan, uint64_t now_ns);

#endif
