/*
 * Frames to matches: decoded, fragments and streams put together, rules tried on what comes out.
 *
 * Pure, and the same for a live link and for a capture file: so both give the same matches. Rules
 * of scope `stream` see what a TCP connection carries and, since nothing else has streams, the
 * payload of every other frame; rules of scope `packet` see each payload by itself. An IP packet
 * that came in fragments is searched once it is whole, or, as far as it came, when it is given up.
 */
#ifndef TW_SIFT_H
#define TW_SIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/decode.h"
#include "capture/defrag.h"
#include "capture/hit.h"
#include "capture/quarantine.h"
#include "capture/record.h"
#include "capture/ruleset.h"
#include "capture/stream.h"

/* Frames that one match is said to have come in; of more, the first. */
#define SIFT_SPANS_MAX 64u

/* A match in a stream may be as long as this; more is told as a loss. */
#define SIFT_MATCH_MAX (256u << 10)

/* Which side of a link sent, where that is known. */
enum sift_direction {
	SIFT_NOBODY_KNOWS,
	SIFT_FROM_GUEST,
	SIFT_TO_GUEST,
};

struct sift_conf {
	const struct ruleset *rules;
	struct stats_pattern *stats; /* by number of the rule */
	const struct extract_policy *policy;
	size_t stream_memory, stream_pending, fragment_memory; /* bytes */
	size_t match_max; /* bytes that a match in a stream may have */
	struct stats_condemned *condemned; /* NULL where no link is judged */
	uint64_t seed; /* random where frames are hostile */
	bool patient; /* see stream.h: who reads files has no use for the memory later */
};

/* What is searched in common: the frames of a link, or of a file. Filled by sift_link_init(). */
struct sift_link {
	uint32_t id; /* the same addresses on two links are two flows */
	struct rule_mask packet; /* of TCP */
	struct rule_mask all; /* of every other payload */
	uint16_t *stream; /* numbers of the rules that see streams */
	size_t n_stream;
	struct rule_mask sleepers; /* of these, those that wait until a text of theirs is there */
	struct quarantine *quarantine;
	size_t tail; /* bytes of each stream that are kept for them, at least one */
	struct rule_mask streams; /* those of `stream` */
	bool judged; /* its frames wait for a verdict, and some rule has an action */
	/* streams of it: of one that is not seen from its beginning, text may be gone by */
	bool lost;
	bool strict; /* one of those says that what cannot be searched does not pass */
};

struct sift_input {
	struct decode_input in;
	uint32_t link_type; /* LINKTYPE_ */
	uint64_t number; /* of the frame, from 1 */
	uint64_t time_ns;
	enum sift_direction direction;
	const struct sift_link *link;
};

struct sift_match {
	const struct sift_link *link;
	const struct rule *rule;
	const struct hit *hit;
	const struct frame *frame; /* addresses; the payload of the frame that completed it */
	bool stream;
	bool gap; /* the stream had one before, or ends at one */
	bool whole_frame; /* the payload is that of the frame which is being searched */
	enum sift_direction direction;
	uint64_t number; /* of that frame */
	uint64_t time_ns;
	const struct record_span *spans; /* of a stream or of fragments: what the match came in */
	size_t n_spans;
};

/* Bytes of a stream that are missing, or were not searched: `why` as a record's reason. */
struct sift_loss {
	const struct sift_link *link;
	const struct frame *frame; /* addresses */
	enum sift_direction direction;
	const struct rule *rule; /* NULL: of the stream itself */
	const char *why;
	uint64_t offset;
	uint64_t bytes;
	uint64_t time_ns;
};

/* A rule that is not tried on a link any more, or again. */
struct sift_parked {
	const struct sift_link *link;
	const struct rule *rule;
	bool parked;
	uint64_t time_ns;
};

struct sift_ops {
	void (*match)(void *data, const struct sift_match *match);
	void (*loss)(void *data, const struct sift_loss *loss);
	void (*parked)(void *data, const struct sift_parked *parked); /* NULL: no quarantine */
};

struct tried_half;

/* On the frame in hand, of a judged link: sift_judge.h. */
struct sift_judgement {
	enum pattern_action verdict;
	const struct rule *rule; /* that decided; NULL: none by itself */
	bool failed;
	struct flow_key flow; /* of a TCP segment, */
	uint64_t segment, fragment; /* and keys of condemned.h; 0: it is none */
};

struct sift {
	struct sift_conf conf;
	const struct sift_ops *ops;
	void *data;
	struct streams streams;
	struct defrag defrag;
	struct tried_half *late; /* not fully tried until more comes, or the next tick */
	bool ending; /* streams end because nobody looks any more: nothing is concluded from that */
	/* The frame in hand. */
	const struct sift_input *input; /* NULL: none */
	struct frame frame;
	size_t matches; /* in streams */
	struct sift_judgement judgement;
	const struct stream_chunk *chunk; /* of a stream that is being searched */
	uint64_t stream_ns; /* when what is told of a stream was seen */
	uint64_t unsearched; /* bytes of streams for whose rules there was no memory */
	struct record_span spans[SIFT_SPANS_MAX];
};

/* What became of a frame. */
struct sift_result {
	enum decode_reason reason;
	/* decoded; put together where its last fragment came; valid until the next call */
	const struct frame *frame;
	size_t matches; /* in its payload, or completed by it */
	bool searched; /* it had a payload, and rules to try on it */
	/* ACTION_LOG: it may go on; so does every frame of a link that is not judged */
	enum pattern_action verdict;
	bool failed; /* it was not fully searched, and on-error decided */
};

/* Nothing of `conf` is copied deeply. 0 or -ENOMEM. */
int sift_init(struct sift *sift, const struct sift_conf *conf, const struct sift_ops *ops,
	      void *data);

/* Ends all streams, which may tell matches, and gives up fragments. */
void sift_done(struct sift *sift);

/* The rules of `mask`, by their scope; `in_path`: its frames wait for verdicts. 0 or -ENOMEM. */
int sift_link_init(struct sift_link *link, uint32_t id, const struct ruleset *rules,
		   const struct rule_mask *mask, bool in_path);

/* After sift_done(), or when nothing is held for the link any more: sift_end_link(). */
void sift_link_done(struct sift_link *link);

/* Ends the streams of a link, and gives up its fragments. */
void sift_end_link(struct sift *sift, const struct sift_link *link);

void sift_frame(struct sift *sift, const struct sift_input *input, struct sift_result *ret);

/* A search of the rule was given up: enough of that puts it into quarantine. */
void sift_strike(struct sift *sift, const struct sift_link *link, const struct rule *rule,
		 uint64_t time_ns);

/*
 * sift_frame() for a payload without its frame: of `input`, bytes and link type are not read. Rules
 * of either scope see it by itself. Returns the number of matches.
 */
size_t sift_payload(struct sift *sift, const struct sift_input *input, const struct frame *frame);

/* Every second or so, with the time of the frames. */
void sift_tick(struct sift *sift, uint64_t now_ns);

#endif
