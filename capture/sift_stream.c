#include "capture/sift_stream.h"

#include <string.h>

#include "capture/sift_judge.h"
#include "capture/rule_stream.h"

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

static size_t half_size(const struct sift_link *link)
{
	return sizeof(struct tried_half) + link->tail;
}

static size_t number_of(const struct sift *sift, const struct rule *rule)
{
	return (size_t)(rule - sift->conf.rules->rules);
}

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

static void tell_loss(const struct tried_half *half, const struct rule *rule, const char *why,
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
	tell_loss(rule->half, rule->rule, stream_loss_name(why), from, to - from);
}

static const struct stream_match_ops match_ops = { .match = on_match, .loss = on_loss };

/* ---- rules that sleep ----------------------------------------------------------------------- */

static struct stream_tail tail_of(const struct tried_half *half)
{
	return (struct stream_tail){
		.bytes = half->tail,
		.len = half->tail_len,
		.offset = half->end_offset - half->tail_len,
		.start = (enum stream_tail_start)half->tail_start,
	};
}

/* What was seen goes on with `chunk`: the last bytes of both are kept. */
static void tail_add(struct tried_half *half, const struct stream_chunk *chunk)
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

/* The byte that stands for what is missing before `offset`. */
static void tail_gap(struct tried_half *half, uint64_t offset)
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

/* The rule, which is begun if it was not there; NULL: there is no room for it. */
static struct tried_rule *rule_begin(struct tried_half *half, size_t number)
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

static bool is_parked(const struct tried_half *half, size_t number)
{
	return mask_has(&half->link->quarantine->parked, number);
}

static void wake(struct tried_half *half, size_t number)
{
	const struct stream_tail tail = tail_of(half);
	struct tried_rule *tried;

	if (is_parked(half, number)) {
		stat_add(&half->sift->conf.stats[number].skipped, 1);
		return;
	}
	tried = rule_begin(half, number);
	if (!tried) {
		tell_loss(half, &half->sift->conf.rules->rules[number], "memory", half->end_offset,
			  half->sift->chunk ? half->sift->chunk->len : 0);
		return;
	}
	if (!tried->asleep)
		return;
	tried->asleep = false;
	rule_stream_wake(&tried->stream, &tail);
}

static void wake_chosen(struct tried_half *half)
{
	const struct prefilter_choice *choice = &half->sift->conf.rules->choice;
	size_t words = sizeof(half->link->sleepers.bits) / sizeof(half->link->sleepers.bits[0]);

	for (size_t word = 0; word < words && word < choice->words; word++) {
		uint64_t bits = half->link->sleepers.bits[word] & choice->rules[word];

		for (; bits; bits &= bits - 1)
			wake(half, word * 64 + (size_t)__builtin_ctzll(bits));
	}
}

/* ---- directions of flows -------------------------------------------------------------------- */

/* Both directions of a flow have the link of the frame that is in hand. */
static struct tried_half *half_new(struct sift *sift, struct flow *flow, unsigned int end,
				   uint64_t offset)
{
	const struct sift_link *link = sift->input->link;
	struct tried_half *half = flow_alloc(&sift->streams.flows, flow, half_size(link));

	if (!half)
		return NULL;
	*half = (struct tried_half){
		.sift = sift,
		.link = link,
		.flow = flow,
		.end = (uint8_t)end,
		.direction = (uint8_t)sift->input->direction,
	};
	/* There was no memory for what came before. */
	if (offset)
		tail_gap(half, offset);
	for (size_t i = 0; i < link->n_stream; i++) {
		if (!mask_has(&link->sleepers, link->stream[i]))
			wake(half, link->stream[i]);
	}
	return half;
}

static void half_unlink(struct tried_half *half)
{
	if (!half->late_link)
		return;
	*half->late_link = half->next_late;
	if (half->next_late)
		half->next_late->late_link = half->late_link;
	half->late_link = NULL;
}

static void half_link(struct tried_half *half)
{
	if (half->late_link)
		return;
	half->next_late = half->sift->late;
	half->late_link = &half->sift->late;
	if (half->next_late)
		half->next_late->late_link = &half->next_late;
	half->sift->late = half;
}

static void half_free(struct tried_half *half)
{
	struct flow_table *flows = &half->sift->streams.flows;
	struct tried_rule *tried, *next;

	half_unlink(half);
	half->flow->half[half->end].user = NULL;
	for (tried = half->rules; tried; tried = next) {
		next = tried->next;
		rule_stream_done(&tried->stream);
		flow_free(flows, tried, sizeof(*tried));
	}
	flow_uncharge(flows, half->windows);
	flow_free(flows, half, half_size(half->link));
}

/* Brings the account up to date; without room for what the rules keep, they see no more of it. */
static bool half_charge(struct tried_half *half)
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

/* A rule that was parked sees no more of a stream that it is in: it could not go on from where it was. */
static void leave(struct tried_rule *tried, const struct stream_chunk *chunk)
{
	uint64_t needs = rule_stream_needs(&tried->stream);

	tried->asleep = true;
	rule_stream_stop(&tried->stream);
	tell_loss(tried->half, tried->rule, "quarantine", needs,
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
		if (is_parked(half, number)) {
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
		half_link(half);
}

/*
 * Those that may sleep do, and the stream need not tell any more which frames bytes came in that no
 * match can have.
 */
static void put_to_sleep(struct tried_half *half)
{
	const struct stream_tail tail = tail_of(half);
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

static void half_feed(struct tried_half *half, const struct stream_chunk *chunk)
{
	half->sift->chunk = chunk;
	half->sift->stream_ns = chunk->now_ns;
	if (half->link->sleepers.any) {
		choose(half, chunk);
		wake_chosen(half);
	}
	feed_awake(half, chunk);
	tail_add(half, chunk);
	half->sift->chunk = NULL;
	put_to_sleep(half);
}

void sift_stream_tick(struct sift *sift)
{
	while (sift->late) {
		struct tried_half *half = sift->late;

		half_unlink(half);
		sift->stream_ns = half->flow->last_ns;
		for (struct tried_rule *tried = half->rules; tried; tried = tried->next) {
			if (!tried->asleep)
				rule_stream_flush(&tried->stream, sift->conf.rules->scratch);
		}
		put_to_sleep(half);
	}
}

static void on_data(void *data, struct flow *flow, unsigned int end,
		    const struct stream_chunk *chunk)
{
	struct sift *sift = data;
	struct tried_half *half = flow->half[end].user;

	/* Data that waited is handed over without a frame only where there was data before it. */
	if (!half && sift->input) {
		sift->stream_ns = chunk->now_ns;
		half = half_new(sift, flow, end, chunk->offset);
		flow->half[end].user = half;
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
	tell_loss(half, NULL, "memory", chunk->offset, chunk->len);
	half_free(half);
}

static void on_gap(void *data, struct flow *flow, unsigned int end, uint64_t offset, uint64_t len,
		   uint64_t now_ns)
{
	struct tried_half *half = flow->half[end].user;
	struct sift *sift = data;

	sift->stream_ns = now_ns;
	if (!half && sift->input) {
		half = half_new(sift, flow, end, offset);
		flow->half[end].user = half;
	}
	if (!half)
		return;
	for (struct tried_rule *tried = half->rules; tried; tried = tried->next) {
		if (!tried->asleep)
			rule_stream_gap(&tried->stream, sift->conf.rules->scratch, len);
	}
	tail_gap(half, offset + len);
	half->gap = true;
	tell_loss(half, NULL, "stream-gap", offset, len);
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
	/* What comes of it will not be known for the rest of what was. */
	if (why == STREAM_EVICTED && half->link->judged && half->link->strict)
		judge_evicted(sift, flow);
	/* It may be pushed out in the middle of another stream's chunk. */
	sift->chunk = NULL;
	sift->stream_ns = now_ns;
	for (struct tried_rule *tried = half->rules; tried; tried = tried->next) {
		if (tried->asleep)
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

const struct stream_ops sift_stream_ops = { .data = on_data, .gap = on_gap, .end = on_end };
