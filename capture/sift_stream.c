#include "capture/sift_stream.h"

#include "capture/sift_judge.h"
#include "capture/sift_half.h"

/*
 * Of a flow on the link of the frame that is in hand, from `offset` on; NULL: there is no memory
 * for it.
 */
static struct tried_half *half_begin(struct sift *sift, struct flow *flow, unsigned int end,
				     uint64_t offset)
{
	struct tried_half *half =
		half_new(sift, sift->input->link, flow, end, sift->input->direction);

	if (!half)
		return NULL;
	/* There was no memory for what came before. */
	if (offset)
		half_keep_gap(half, offset);
	half_wake_restless(half);
	return half;
}

/*
 * A rule that was parked sees no more of a stream that it is in: it could not go on from where it
 * was.
 */
static void leave(struct tried_rule *tried, const struct stream_chunk *chunk)
{
	uint64_t needs = rule_stream_needs(&tried->stream);

	tried->asleep = true;
	rule_stream_stop(&tried->stream);
	half_tell_loss(tried->half, tried->rule, "quarantine", needs,
		       chunk->offset + chunk->len - needs);
}

/*
 * A match that could become another with more bytes is one all the same: the frame in hand does not
 * wait for them. Nothing of the connection passes after it, so there will be none.
 */
static void peek(struct tried_half *half, struct tried_rule *tried)
{
	struct sift *sift = half->sift;

	switch (rule_stream_peek(&tried->stream, sift->conf.rules->scratch)) {
	case REGEX_MATCH:
		judge_match(sift, half->link, half->flow, tried->rule);
		rule_stream_end(&tried->stream, sift->conf.rules->scratch, half->end_offset);
		break;
	case REGEX_LIMIT:
	case REGEX_ERROR:
		judge_stream_failure(sift, half->link, half->flow, tried->rule);
		break;
	case REGEX_PARTIAL:
	case REGEX_NO_MATCH:
		break;
	}
}

static void feed_awake(struct tried_half *half, const struct stream_chunk *chunk)
{
	struct sift *sift = half->sift;
	bool late = false;

	for (struct tried_rule *tried = half->rules; tried; tried = tried->next) {
		size_t number = number_of(sift, tried->rule);

		if (tried->asleep)
			continue;
		if (half_is_parked(half, number)) {
			stat_add(&sift->conf.stats[number].skipped, 1);
			leave(tried, chunk);
			continue;
		}
		stat_add(&sift->conf.stats[number].tried, 1);
		rule_stream_feed(&tried->stream, sift->conf.rules->scratch, chunk->bytes,
				 chunk->len);
		if (half->link->judged && tried->rule->conf->action != ACTION_LOG)
			peek(half, tried);
		late |= rule_stream_is_late(&tried->stream);
	}
	if (late)
		half_late(half);
}

static void half_feed(struct tried_half *half, const struct stream_chunk *chunk)
{
	half->sift->chunk = chunk;
	half->sift->stream_ns = chunk->now_ns;
	if (half->link->sleepers.any) {
		half_wake_chosen(half, chunk);
	}
	feed_awake(half, chunk);
	half_keep(half, chunk);
	half->sift->chunk = NULL;
	half_put_to_sleep(half);
}

void sift_stream_tick(struct sift *sift)
{
	while (sift->late) {
		struct tried_half *half = sift->late;

		half_not_late(half);
		sift->stream_ns = half->flow->last_ns;
		for (struct tried_rule *tried = half->rules; tried; tried = tried->next) {
			if (!tried->asleep)
				rule_stream_flush(&tried->stream, sift->conf.rules->scratch);
		}
		half_put_to_sleep(half);
	}
}

/* Of the frame in hand it is known which link and direction the stream is of. */
static void on_wait(void *data, struct flow *flow, unsigned int end, uint64_t now_ns)
{
	struct sift *sift = data;

	sift->stream_ns = now_ns;
	if (!flow->half[end].user)
		(void)half_begin(sift, flow, end, flow->half[end].offset);
}

static void on_data(void *data, struct flow *flow, unsigned int end,
		    const struct stream_chunk *chunk)
{
	struct sift *sift = data;
	struct tried_half *half = flow->half[end].user;

	/* Without a frame only data is handed over that waited. */
	if (!half && sift->input) {
		sift->stream_ns = chunk->now_ns;
		half = half_begin(sift, flow, end, chunk->offset);
	}
	if (!half) {
		sift->unsearched += chunk->len;
		if (sift->input)
			judge_stream_failure(sift, sift->input->link, flow, NULL);
		return;
	}
	half_feed(half, chunk);
	if (half_charge(half))
		return;
	half_tell_loss(half, NULL, "memory", chunk->offset, chunk->len);
	half_free(half);
}

static void on_gap(void *data, struct flow *flow, unsigned int end, uint64_t offset, uint64_t len,
		   uint64_t now_ns)
{
	struct tried_half *half = flow->half[end].user;
	struct sift *sift = data;

	sift->stream_ns = now_ns;
	if (!half && sift->input)
		half = half_begin(sift, flow, end, offset);
	if (!half)
		return;
	for (struct tried_rule *tried = half->rules; tried; tried = tried->next) {
		if (!tried->asleep)
			rule_stream_gap(&tried->stream, sift->conf.rules->scratch, len);
	}
	half_keep_gap(half, offset + len);
	half->gap = true;
	half_tell_loss(half, NULL, "stream-gap", offset, len);
}

static void on_end(void *data, struct flow *flow, unsigned int end, enum stream_end why,
		   uint64_t now_ns)
{
	struct tried_half *half = flow->half[end].user;
	struct sift *sift = data;
	const struct stream_chunk *chunk = sift->chunk;
	uint64_t stream_ns = sift->stream_ns;

	if (!half)
		return;
	/* It may be pushed out in the middle of another stream's chunk. */
	sift->chunk = NULL;
	sift->stream_ns = now_ns;
	for (struct tried_rule *tried = half->rules; tried; tried = tried->next) {
		if (tried->asleep || why == STREAM_HANDED)
			continue;
		/* What was pushed out goes on, but is not seen: it ends as at a gap. */
		if (why == STREAM_EVICTED)
			rule_stream_gap(&tried->stream, sift->conf.rules->scratch, 1);
		else
			rule_stream_end(&tried->stream, sift->conf.rules->scratch, 0);
	}
	half_free(half);
	sift->chunk = chunk;
	sift->stream_ns = stream_ns;
}

static void on_lost(void *data, const struct flow *flow, enum stream_end why)
{
	judge_lost_flow(data, flow, why == STREAM_REUSED);
}

const struct stream_ops sift_stream_ops = {
	.data = on_data, .wait = on_wait, .gap = on_gap, .end = on_end, .lost = on_lost
};
