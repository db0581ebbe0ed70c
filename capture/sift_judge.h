/*
 * The verdict on a frame of an inline link, from what sift.c and sift_stream.c find. Pure.
 *
 * The heaviest action of the rules that match decides. What could not be searched goes by on-error:
 * of the rule that gave up, or, where nothing was searched at all, of the strictest rule of the
 * link. A TCP connection whose frame did not pass, or of which bytes went by unsearched, is
 * condemned: its ends would send the same again.
 */
#ifndef TW_SIFT_JUDGE_H
#define TW_SIFT_JUDGE_H

#include "capture/sift.h"

/* Sets what the link's rules say of its verdicts. */
void judge_link(struct sift_link *link, const struct ruleset *rules, const struct rule_mask *mask,
		bool in_path);

/* The frame in hand is of a judged link: called first, and last. */
void judge_begin(struct sift *sift);
void judge_end(struct sift *sift, struct sift_result *result);

/*
 * Whether the frame in hand, an IP packet whose header is there, a fragment, a TCP segment, can be
 * searched: else the verdict is there.
 */
bool judge_admits_packet(struct sift *sift);
bool judge_admits_fragment(struct sift *sift);
bool judge_admits_segment(struct sift *sift);

/* A match; `flow` is that of the stream, NULL for the payload in hand. */
void judge_match(struct sift *sift, const struct sift_link *link, const struct flow *flow,
		 const struct rule *rule);

/* Something of the frame in hand was not searched, or not by `rule`. */
void judge_failure(struct sift *sift, const struct rule *rule);

/* The same of a stream, from where on it cannot be searched as a whole. */
void judge_stream_failure(struct sift *sift, const struct sift_link *link, const struct flow *flow,
			  const struct rule *rule);

/*
 * A stream is not known any more, and may go on: it is condemned where something is strict. Of one
 * that the SYN in hand begins anew, `reused`, the answer to that tells whether it does
 * (condemned.h).
 */
void judge_lost(struct sift *sift, const struct sift_link *link, const struct flow_key *flow);
void judge_lost_flow(struct sift *sift, const struct flow *flow, bool reused);

/* What streams_frame() counted of the frame in hand, whose counts were `before`. */
void judge_counts(struct sift *sift, const struct stream_counts *before);

/* The same of defrag_add(), and a fragment. */
void judge_fragment(struct sift *sift, const struct defrag_counts *before);

/* The packet that a fragment is of was given up. */
void judge_incomplete(struct sift *sift, const struct sift_link *link, const struct frame *frame);

#endif
