/*
 * When to try again with one link: back-off for what the kernel refuses, and an end to the
 * tug-of-war with whoever keeps deleting it. Pure: the time is an argument, in milliseconds of any
 * clock that only goes forward.
 */
#ifndef TW_LINK_TRACK_H
#define TW_LINK_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#define LINK_TRACK_LOSSES_MAX 10 /* in a row: then the link is failed until a reload */
#define LINK_TRACK_ALIVE_MS   60000 /* a link that lived so long was not lost in a row */
#define LINK_TRACK_WAIT_MAX   60000

/* Zero-initialise. */
struct link_track {
	bool present;
	uint64_t since_ms; /* present: since when */
	unsigned int losses; /* in a row */
	unsigned int refusals; /* in a row */
	uint64_t changed_ms; /* when it was last set right */
	unsigned int changes; /* in a row */
	uint64_t next_ms; /* not before */
};

/*
 * What a dump saw. A link that was there and is not is a loss: at once the first time, then after
 * 1, 2, 4 ... 60 seconds it may be made again. `excused` losses are not counted: the lower device
 * went and took it along. Returns true when this is the moment of a loss.
 */
bool link_track_seen(struct link_track *track, bool present, bool excused, uint64_t now_ms);

/* What became of a step on the link: refused by the kernel, or done. Same waiting times. */
void link_track_refused(struct link_track *track, uint64_t now_ms);
void link_track_done(struct link_track *track);

/*
 * The link was there and had to be set right. Whoever keeps setting it otherwise is answered at
 * once the first time, then after 1, 2, 4 ... 60 seconds; there is no end to it, as nothing is
 * lost.
 */
void link_track_changed(struct link_track *track, uint64_t now_ms);

/* Lost too often: nothing is tried any more. */
bool link_track_failed(const struct link_track *track);

/* Whether a step may be tried now. */
bool link_track_ready(const struct link_track *track, uint64_t now_ms);

/* When the next try is due; 0: nothing is waiting, or it is failed. */
uint64_t link_track_due(const struct link_track *track, uint64_t now_ms);

#endif
