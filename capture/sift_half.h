/*
 * A direction of a flow as sift.c has it, and the rules that are tried on it. Pure.
 *
 * sift_stream.c begins and ends them; here they sleep and wake, and tell.
 */
#ifndef TW_SIFT_HALF_H
#define TW_SIFT_HALF_H

#include "capture/rule_stream.h"
#include "capture/sift.h"

/*
 * One rule in one direction of a flow. Most are not there: a rule that waits for a text of its own
 * begins with the first one that comes, and sleeps when there is none any more.
 */
struct tried_rule {
	struct rule_stream stream;
	struct tried_half *half;
	const struct rule *rule;
	struct tried_rule *next; /* by number of the rule */
	bool asleep;
};

/* All rules in one direction of a flow; charged to the flow's account. */
struct tried_half {
	struct sift *sift;
	const struct sift_link *link;
	struct flow *flow;
	struct tried_rule *rules;
	uint64_t end_offset; /* behind what was seen */
	size_t windows; /* bytes charged for what the rules keep */
	struct tried_half *next_late, **late_link; /* in the sift's list; NULL: not in it */
	uint16_t tail_len;
	uint8_t end; /* of the flow: who sends */
	uint8_t tail_start; /* enum stream_tail_start */
	uint8_t direction; /* enum sift_direction */
	bool gap; /* there was one */
	uint8_t tail[]; /* link->tail: the last bytes, for rules that sleep or are not there */
};

static inline size_t number_of(const struct sift *sift, const struct rule *rule)
{
	return (size_t)(rule - sift->conf.rules->rules);
}

static inline bool half_is_parked(const struct tried_half *half, size_t number)
{
	return mask_has(&half->link->quarantine->parked, number);
}

/*
 * A direction of the flow, whose half->user it is then; no rule is tried on it. NULL: there is no
 * memory.
 */
struct tried_half *half_new(struct sift *sift, const struct sift_link *link, struct flow *flow,
			    unsigned int end, enum sift_direction direction);
void half_free(struct tried_half *half);

/*
 * Brings the account up to date; without room for what the rules keep, they see no more of it:
 * false.
 */
bool half_charge(struct tried_half *half);

/* It waits for the next tick to be tried, or not any more. */
void half_late(struct tried_half *half);
void half_not_late(struct tried_half *half);

/* The bytes that are kept for rules that sleep or are not there. */
struct stream_tail half_tail(const struct tried_half *half);

/* The rule, which is begun, asleep, if it was not there; NULL: there is no room for it. */
struct tried_rule *half_rule(struct tried_half *half, size_t number);

/* A loss in the stream; `rule` NULL: of all rules. */
void half_tell_loss(const struct tried_half *half, const struct rule *rule, const char *why,
		    uint64_t offset, uint64_t bytes);

/* What was seen goes on with `chunk`: the last bytes of both are kept. */
void half_keep(struct tried_half *half, const struct stream_chunk *chunk);

/* Of what was seen before `offset`, there is but a byte that stands for what is missing. */
void half_keep_gap(struct tried_half *half, uint64_t offset);

/*
 * The rule sees what comes from here on, and what is kept; it is counted where it is in quarantine.
 */
void half_wake(struct tried_half *half, size_t number);

/* Wakes the rules that wait for no text. */
void half_wake_restless(struct tried_half *half);

/* Wakes the rules that wait for a text, and have it in the chunk or at its beginning. */
void half_wake_chosen(struct tried_half *half, const struct stream_chunk *chunk);

/*
 * Those that may sleep do, and the stream need not tell any more which frames bytes came in that no
 * match can have.
 */
void half_put_to_sleep(struct tried_half *half);

#endif
