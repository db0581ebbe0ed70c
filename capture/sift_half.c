#include "capture/sift_half.h"

#include <string.h>

#include "capture/sift_judge.h"

static void frame_of(const struct tried_half *half, struct frame *ret)
{
	const struct stream_chunk *chunk = half->sift->chunk;

	flow_frame(half->flow, half->end, ret);
	if (!chunk)
		return;
	ret->payload = chunk->bytes;
	ret->payload_len = ret->payload_wire_len = chunk->len;
}

static size_t spans_of(const struct tried_half *half, const struct hit *hit,
		       struct record_span *ret)
{
	struct stream_span spans[SIFT_SPANS_MAX];
	struct span whole = hit->match->whole;
	size_t n = stream_spans(&half->flow->half[half->end], hit->offset + whole.start,
				whole.end - whole.start, spans, SIFT_SPANS_MAX);

	for (size_t i = 0; i < n; i++)
		ret[i] = (struct record_span){ spans[i].packet, spans[i].offset, spans[i].len };
	return n;
}

static void on_match(void *data, const struct hit *hit)
{
	const struct tried_rule *rule = data;
	const struct tried_half *half = rule->half;
	struct sift *sift = half->sift;
	struct frame frame;
	struct sift_match told = {
		.link = half->link,
		.rule = rule->rule,
		.hit = hit,
		.frame = &frame,
		.stream = true,
		.gap = half->gap || hit->gap,
		.direction = (enum sift_direction)half->direction,
		.number = sift->chunk ? sift->chunk->packet : 0,
		.time_ns = half->sift->stream_ns,
		.spans = sift->spans,
		.n_spans = spans_of(half, hit, sift->spans),
	};

	frame_of(half, &frame);
	if (told.n_spans)
		told.number = told.spans[told.n_spans - 1].frame;
	told.whole_frame = sift->input && sift->chunk && sift->chunk->packet == told.number &&
			   told.number == sift->input->number;
	sift->matches++;
	stat_add(&sift->conf.stats[number_of(sift, rule->rule)].matches, 1);
	judge_match(sift, half->link, half->flow, rule->rule);
	sift->ops->match(sift->data, &told);
}

void half_tell_loss(const struct tried_half *half, const struct rule *rule, const char *why,
		    uint64_t offset, uint64_t bytes)
{
	struct frame frame;

	judge_stream_failure(half->sift, half->link, half->flow, rule);
	frame_of(half, &frame);
	half->sift->ops->loss(half->sift->data,
			      &(struct sift_loss){
				      .link = half->link,
				      .frame = &frame,
				      .direction = (enum sift_direction)half->direction,
				      .rule = rule,
				      .why = why,
				      .offset = offset,
				      .bytes = bytes,
				      .time_ns = half->sift->stream_ns,
			      });
}

static void on_loss(void *data, enum stream_loss why, uint64_t from, uint64_t to)
{
	const struct tried_rule *rule = data;
	struct sift *sift = rule->half->sift;

	stat_add(&sift->conf.stats[number_of(sift, rule->rule)].limited, 1);
	if (why == STREAM_LOSS_LIMIT || why == STREAM_LOSS_ERROR)
		sift_strike(sift, rule->half->link, rule->rule, sift->stream_ns);
	half_tell_loss(rule->half, rule->rule, stream_loss_name(why), from, to - from);
}

static const struct stream_match_ops match_ops = { .match = on_match, .loss = on_loss };

static size_t half_size(const struct sift_link *link)
{
	return sizeof(struct tried_half) + link->tail;
}

struct tried_half *half_new(struct sift *sift, const struct sift_link *link, struct flow *flow,
			    unsigned int end, enum sift_direction direction)
{
	struct tried_half *half = flow_alloc(&sift->streams.flows, flow, half_size(link));

	if (!half)
		return NULL;
	*half = (struct tried_half){
		.sift = sift,
		.link = link,
		.flow = flow,
		.end = (uint8_t)end,
		.direction = (uint8_t)direction,
	};
	flow->half[end].user = half;
	return half;
}

void half_not_late(struct tried_half *half)
{
	if (!half->late_link)
		return;
	*half->late_link = half->next_late;
	if (half->next_late)
		half->next_late->late_link = half->late_link;
	half->late_link = NULL;
}

void half_late(struct tried_half *half)
{
	if (half->late_link)
		return;
	half->next_late = half->sift->late;
	half->late_link = &half->sift->late;
	if (half->next_late)
		half->next_late->late_link = &half->next_late;
	half->sift->late = half;
}

void half_free(struct tried_half *half)
{
	struct flow_table *flows = &half->sift->streams.flows;
	struct tried_rule *tried, *next;

	half_not_late(half);
	half->flow->half[half->end].user = NULL;
	for (tried = half->rules; tried; tried = next) {
		next = tried->next;
		rule_stream_done(&tried->stream);
		flow_free(flows, tried, sizeof(*tried));
	}
	flow_uncharge(flows, half->windows);
	flow_free(flows, half, half_size(half->link));
}

bool half_charge(struct tried_half *half)
{
	struct flow_table *flows = &half->sift->streams.flows;
	size_t windows = 0;

	for (const struct tried_rule *tried = half->rules; tried; tried = tried->next)
		windows += rule_stream_memory(&tried->stream);
	if (windows > half->windows && !flow_charge(flows, half->flow, windows - half->windows))
		return false;
	if (windows < half->windows)
		flow_uncharge(flows, half->windows - windows);
	half->windows = windows;
	return true;
}

/* ---- rules that sleep ----------------------------------------------------------------------- */

struct stream_tail half_tail(const struct tried_half *half)
{
	return (struct stream_tail){
		.bytes = half->tail,
		.len = half->tail_len,
		.offset = half->end_offset - half->tail_len,
		.start = (enum stream_tail_start)half->tail_start,
	};
}

void half_keep(struct tried_half *half, const struct stream_chunk *chunk)
{
	size_t max = half->link->tail, n = chunk->len < max ? chunk->len : max;
	size_t keep = half->tail_len < max - n ? half->tail_len : max - n;

	if (keep < half->tail_len || n < chunk->len)
		half->tail_start = STREAM_TAIL_CUT;
	memmove(half->tail, half->tail + half->tail_len - keep, keep);
	memcpy(half->tail + keep, chunk->bytes + (chunk->len - n), n);
	half->tail_len = (uint16_t)(keep + n);
	half->end_offset = chunk->offset + chunk->len;
}

void half_keep_gap(struct tried_half *half, uint64_t offset)
{
	half->end_offset = offset;
	half->tail_start = STREAM_TAIL_GAP;
	half->tail[0] = 0;
	half->tail_len = 1;
}

/* Which rules have a text in the chunk, or in what of it is joined to the bytes before. */
static void choose(const struct tried_half *half, const struct stream_chunk *chunk)
{
	const struct ruleset *rules = half->sift->conf.rules;
	size_t before = half->tail_len, behind = chunk->len;
	uint8_t seam[2 * LITERAL_BYTES_MAX];

	before = before < LITERAL_BYTES_MAX - 1 ? before : LITERAL_BYTES_MAX - 1;
	behind = behind < LITERAL_BYTES_MAX - 1 ? behind : LITERAL_BYTES_MAX - 1;
	memcpy(seam, half->tail + half->tail_len - before, before);
	memcpy(seam + before, chunk->bytes, behind);
	prefilter_clear(rules->prefilter, &rules->choice);
	if (before)
		prefilter_choose(rules->prefilter, seam, before + behind, &rules->choice);
	prefilter_choose(rules->prefilter, chunk->bytes, chunk->len, &rules->choice);
}

struct tried_rule *half_rule(struct tried_half *half, size_t number)
{
	struct sift *sift = half->sift;
	const struct rule *rule = &sift->conf.rules->rules[number];
	struct tried_rule **at = &half->rules, *tried;

	while (*at && (*at)->rule < rule)
		at = &(*at)->next;
	if (*at && (*at)->rule == rule)
		return *at;
	tried = flow_alloc(&sift->streams.flows, half->flow, sizeof(*tried));
	if (!tried)
		return NULL;
	*tried = (struct tried_rule){ .half = half, .rule = rule, .next = *at, .asleep = true };
	if (rule_stream_init(&tried->stream, rule, sift->conf.policy, sift->conf.match_max,
			     &match_ops, tried)) {
		flow_free(&sift->streams.flows, tried, sizeof(*tried));
		return NULL;
	}
	*at = tried;
	return tried;
}

void half_wake(struct tried_half *half, size_t number)
{
	const struct stream_tail tail = half_tail(half);
	struct tried_rule *tried;

	if (half_is_parked(half, number)) {
		stat_add(&half->sift->conf.stats[number].skipped, 1);
		return;
	}
	tried = half_rule(half, number);
	if (!tried) {
		half_tell_loss(half, &half->sift->conf.rules->rules[number], "memory",
			       half->end_offset, half->sift->chunk ? half->sift->chunk->len : 0);
		return;
	}
	if (!tried->asleep)
		return;
	tried->asleep = false;
	rule_stream_wake(&tried->stream, &tail);
}

void half_wake_restless(struct tried_half *half)
{
	const struct sift_link *link = half->link;

	for (size_t i = 0; i < link->n_stream; i++) {
		if (!mask_has(&link->sleepers, link->stream[i]))
			half_wake(half, link->stream[i]);
	}
}

void half_wake_chosen(struct tried_half *half, const struct stream_chunk *chunk)
{
	const struct prefilter_choice *choice = &half->sift->conf.rules->choice;
	size_t words = sizeof(half->link->sleepers.bits) / sizeof(half->link->sleepers.bits[0]);

	choose(half, chunk);
	for (size_t word = 0; word < words && word < choice->words; word++) {
		uint64_t bits = half->link->sleepers.bits[word] & choice->rules[word];

		for (; bits; bits &= bits - 1)
			half_wake(half, word * 64 + (size_t)__builtin_ctzll(bits));
	}
}

void half_put_to_sleep(struct tried_half *half)
{
	const struct stream_tail tail = half_tail(half);
	uint64_t needs = tail.offset;

	for (struct tried_rule *tried = half->rules; tried; tried = tried->next) {
		if (tried->asleep)
			continue;
		tried->asleep =
			mask_has(&half->link->sleepers, number_of(half->sift, tried->rule)) &&
			rule_stream_sleep(&tried->stream, &tail);
		if (!tried->asleep && rule_stream_needs(&tried->stream) < needs)
			needs = rule_stream_needs(&tried->stream);
	}
	stream_forget(&half->flow->half[half->end], needs);
}
