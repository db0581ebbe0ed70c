/*
 * Which frames a pcapng file gets, and what it says about them.
 *
 * Pure. All frames, or those of matches with some of the same flow before and after them; each
 * frame of a match says in a comment which rule it was and which bytes.
 */
#ifndef TW_KEEPER_H
#define TW_KEEPER_H

#include "agent/base/config.h"
#include "capture/flashback.h"
#include "capture/pcapng.h"
#include "capture/sift.h"

/* Comments, and flows, that one frame's matches may give; of more, the first: keeper_match(). */
#define KEEPER_NOTES_MAX 64u
#define KEEPER_FLOWS_MAX 8u

struct keeper_conf {
	enum pcap_mode mode;
	uint32_t before, after; /* frames of the same flow */
	bool bare; /* of the flow's frames between those of a match, none */
	size_t memory; /* bytes for the last frames of all flows */
	/* `packet` has its id, comments and direction; its interface is not set. */
	void (*write)(void *data, uint32_t link, const struct pcapng_packet *packet);
	void *data;
};

struct keeper_note {
	uint64_t frame; /* number of the frame that it is about */
	char text[160];
};

struct keeper_flow {
	uint64_t flow;
	uint64_t first; /* number of its first frame in a match */
	uint32_t link;
	bool stream; /* the match is of a stream: all of its frames are of this flow */
};

struct keeper {
	struct keeper_conf conf;
	struct flashback flashback; /* in mode PCAP_MATCHES alone */
	struct keeper_note notes[KEEPER_NOTES_MAX];
	size_t n_notes;
	struct keeper_flow flows[KEEPER_FLOWS_MAX];
	size_t n_flows;
	uint64_t missed; /* streams' matches whose first frame was not held any more */
};

/* 0 or -ENOMEM. */
int keeper_init(struct keeper *keeper, const struct keeper_conf *conf);
void keeper_done(struct keeper *keeper);

/*
 * A match, before keeper_frame() of the frame that completed it. False: a frame of it will have no
 * comment on it, or none is kept for it, since there are too many others.
 */
bool keeper_match(struct keeper *keeper, const struct sift_match *match);

/* A frame, with its number as id; `frame` is what sift_frame() made of it. */
void keeper_frame(struct keeper *keeper, uint32_t link, const struct pcapng_packet *packet,
		  const struct frame *frame);

/* Where matches were told without a frame. */
void keeper_settle(struct keeper *keeper);

#endif
