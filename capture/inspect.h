/*
 * What happens to the frames of watched links: counted, searched, recorded, kept. Edge.
 *
 * sift.h finds the matches; here they become records, payloads in the payload log and frames in
 * the pcapng file (keeper.h).
 */
#ifndef TW_INSPECT_H
#define TW_INSPECT_H

#include "agent/base/config.h"
#include "agent/base/ipc_msg.h"
#include "agent/base/stats.h"
#include "capture/emitter.h"
#include "capture/guests.h"
#include "capture/keeper.h"
#include "capture/sift.h"
#include "capture/source_frame.h"

/* The same for all links of a worker; only sift and keeper are owned. */
struct inspector {
	const struct ruleset *rules;
	const struct record_conf *conf;
	struct stats_page *stats;
	struct emitter *emitter;
	struct sift sift;
	struct keeper keeper;
	struct guests guests;
	/* Of the frame in hand. */
	bool payload_told; /* one record of the frame was made, and its seq: */
	uint64_t payload_seq;
};

struct inspected_link {
	struct inspector *inspector;
	const struct ipc_link *link;
	struct guest_link guest;
	struct sift_link sift;
	uint64_t deadline_ns; /* of an inline link, for one frame that waits for a verdict */
	uint64_t until_ns; /* of that, when no rule has one: searches end, of CLOCK_MONOTONIC */
	uint64_t cut; /* frames that the ring has in part, not told yet */
};

/*
 * Rules, configuration, counters and emitter are the caller's and outlive the inspector, which has
 * its share of the memory for all `n_workers`. `seed` is random. 0 or -ENOMEM.
 */
int inspector_init(struct inspector *inspector, const struct ruleset *rules,
		   const struct config *config, struct stats_page *stats, struct emitter *emitter,
		   unsigned int n_workers, uint64_t seed);

/* Ends all streams; what they still tell is recorded. */
void inspector_done(struct inspector *inspector);

/*
 * 0 or -ENOMEM. `link` is the caller's; `mask` has the rules that it wants. `inspected` does not
 * move until inspect_end().
 */
int inspect_begin(struct inspected_link *inspected, struct inspector *inspector,
		  const struct ipc_link *link, const struct rule_mask *mask);
void inspect_end(struct inspected_link *inspected);

/*
 * For the worker that goes on with an inline link, see sift_save.h: the link is ended after
 * inspect_save(), and has had no frame before inspect_restore(), which returns 0 or -EBADMSG.
 */
void inspect_save(struct inspected_link *inspected, struct buf *out);
int inspect_restore(struct inspected_link *inspected, const void *bytes, size_t len,
		    uint64_t now_ns);

/* A source_frame_cb; `data` is a struct inspected_link. */
void inspect_frame(void *data, const struct source_frame *frame);

/*
 * The same for a frame of an inline link, which waits: ACTION_LOG when it may go on. `ret` (valid
 * until the next frame) is the frame as it was decoded. The deadline is that of the link.
 */
enum pattern_action inspect_judge(struct inspected_link *inspected,
				  const struct source_frame *frame, const struct frame **ret);

/* Counts what a link's source lost and records each kind as a gap. */
void inspect_losses(struct inspected_link *inspected, const struct source_losses *losses,
		    uint64_t now_ns);

/* Every second while streams or fragments are held: inspect_is_waiting(). */
void inspect_tick(struct inspector *inspector, uint64_t now_ns);
bool inspect_is_waiting(const struct inspector *inspector);

#endif
