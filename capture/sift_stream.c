#include "capture/sift_stream.h"

#include "capture/stream_match.h"

/* One rule in one direction of a flow. */
struct tried_rule {
	struct stream_match match;
	struct tried_half *half;
	const struct rule *rule;
};

/* All rules in one direction of a flow; charged to the flow's account. */
struct tried_half {
	struct sift *sift;
	const struct sift_link *link;
	struct flow *flow;
	unsigned int end;
	enum sift_direction direction;
	bool gap; /* there was one */
	const struct stream_chunk *chunk; /* that is being tried */
	uint64_t now_ns;
	size_t windows; /* bytes charged for what the rules keep */
	struct tried_half *next_late, **late_link; /* in the sift's list; NULL: not in it */
	size_t n;
	struct tried_rule rules[];
};

static size_t half_size(size_t n)
{
	return sizeof(struct tried_half) + n * sizeof(struct tried_rule);
}

static void frame_of(const struct tried_half *half, struct frame *ret)
{
	flow_frame(half->flow, half->end, ret);
	if (!half->chunk)
		return;
	ret->payload = half->chunk->bytes;
	ret->payload_len = ret->payload_wire_len = half->chunk->len;
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
		.direction = half->direction,
		.number = half->chunk ? half->chunk->packet : 0,
		.time_ns = half->now_ns,
		.spans = sift->spans,
		.n_spans = spans_of(half, hit, sift->spans),
	};

	frame_of(half, &frame);
	if (told.n_spans)
		told.number = told.spans[told.n_spans - 1].frame;
	told.whole_frame = sift->input && half->chunk && half->chunk->packet == told.number &&
			   told.number == sift->input->number;
	sift->matches++;
	stat_add(&sift->conf.stats[rule->rule - sift->conf.rules->rules].matches, 1);
	sift->ops->match(sift->data, &told);
}

static void tell_loss(const struct tried_half *half, const struct rule *rule, const char *why,
		      uint64_t offset, uint64_t bytes)
{
	struct frame frame;

	frame_of(half, &frame);
	half->sift->ops->loss(half->sift->data, &(struct sift_loss){
							.link = half->link,
							.frame = &frame,
							.direction = half->direction,
							.rule = rule,
							.why = why,
							.offset = offset,
							.bytes = bytes,
							.time_ns = half->now_ns,
						});
}

static void on_loss(void *data, enum stream_loss why, uint64_t from, uint64_t to)
{
	const struct tried_rule *rule = data;
	const struct sift *sift = rule->half->sift;

	stat_add(&sift->conf.stats[rule->rule - sift->conf.rules->rules].limited, 1);
	tell_loss(rule->half, rule->rule, stream_loss_name(why), from, to - from);
}

static const struct stream_match_ops match_ops = { .match = on_match, .loss = on_loss };

/* Both directions of a flow have the link of the frame that is in hand. */
static struct tried_half *half_new(struct sift *sift, struct flow *flow, unsigned int end)
{
	const struct sift_link *link = sift->input->link;
	struct tried_half *half = flow_alloc(&sift->streams.flows, flow, half_size(link->n_stream));

	if (!half)
		return NULL;
	*half = (struct tried_half){
		.sift = sift,
		.link = link,
		.flow = flow,
		.end = end,
		.direction = sift->input->direction,
	};
	for (size_t i = 0; i < link->n_stream; i++) {
		const struct rule *rule = &sift->conf.rules->rules[link->stream[i]];
		struct tried_rule *tried = &half->rules[half->n];

		/* A rule that looks back further than a match may be long was refused before. */
		if (stream_match_init(&tried->match, rule->pattern, sift->conf.policy,
				      sift->conf.match_max, &match_ops, tried))
			continue;
		tried->half = half;
		tried->rule = rule;
		half->n++;
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

	half_unlink(half);
	half->flow->half[half->end].user = NULL;
	for (size_t i = 0; i < half->n; i++)
		stream_match_done(&half->rules[i].match);
	flow_uncharge(flows, half->windows);
	flow_free(flows, half, half_size(half->link->n_stream));
}

/* Brings the account up to date; without room for what the rules keep, they see no more of it. */
static bool half_charge(struct tried_half *half)
{
	struct flow_table *flows = &half->sift->streams.flows;
	size_t windows = 0;

	for (size_t i = 0; i < half->n; i++)
		windows += half->rules[i].match.cap;
	if (windows > half->windows && !flow_charge(flows, half->flow, windows - half->windows))
		return false;
	if (windows < half->windows)
		flow_uncharge(flows, half->windows - windows);
	half->windows = windows;
	return true;
}

/* The stream need not tell any more which frames bytes came in that no match can have. */
static void half_forget(struct tried_half *half, uint64_t end)
{
	uint64_t needs = end;

	for (size_t i = 0; i < half->n; i++) {
		if (stream_match_needs(&half->rules[i].match) < needs)
			needs = stream_match_needs(&half->rules[i].match);
	}
	stream_forget(&half->flow->half[half->end], needs);
}

static void half_feed(struct tried_half *half, const struct stream_chunk *chunk)
{
	struct sift *sift = half->sift;
	bool late = false;

	half->chunk = chunk;
	half->now_ns = chunk->now_ns;
	for (size_t i = 0; i < half->n; i++) {
		struct tried_rule *tried = &half->rules[i];

		stat_add(&sift->conf.stats[tried->rule - sift->conf.rules->rules].tried, 1);
		stream_match_feed(&tried->match, sift->conf.rules->scratch, chunk->bytes,
				  chunk->len);
		late |= stream_match_is_late(&tried->match);
	}
	half->chunk = NULL;
	half_forget(half, chunk->offset + chunk->len);
	if (late)
		half_link(half);
}

void sift_stream_tick(struct sift *sift)
{
	while (sift->late) {
		struct tried_half *half = sift->late;

		half_unlink(half);
		for (size_t i = 0; i < half->n; i++)
			stream_match_flush(&half->rules[i].match, sift->conf.rules->scratch);
		half_forget(half, half->flow->half[half->end].offset);
	}
}

static void on_data(void *data, struct flow *flow, unsigned int end,
		    const struct stream_chunk *chunk)
{
	struct sift *sift = data;
	struct tried_half *half = flow->half[end].user;

	/* Data that waited is handed over without a frame only where there was data before it. */
	if (!half && sift->input) {
		half = half_new(sift, flow, end);
		flow->half[end].user = half;
	}
	if (!half) {
		sift->unsearched += chunk->len;
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

	if (!half && sift->input) {
		half = half_new(sift, flow, end);
		flow->half[end].user = half;
	}
	if (!half)
		return;
	half->now_ns = now_ns;
	for (size_t i = 0; i < half->n; i++)
		stream_match_gap(&half->rules[i].match, sift->conf.rules->scratch, len);
	half->gap = true;
	tell_loss(half, NULL, "stream-gap", offset, len);
}

static void on_end(void *data, struct flow *flow, unsigned int end, enum stream_end why,
		   uint64_t now_ns)
{
	struct tried_half *half = flow->half[end].user;
	struct sift *sift = data;

	if (!half)
		return;
	half->now_ns = now_ns;
	for (size_t i = 0; i < half->n; i++) {
		struct stream_match *match = &half->rules[i].match;

		/* What was pushed out goes on, but is not seen: it ends as at a gap. */
		if (why == STREAM_EVICTED)
			stream_match_gap(match, sift->conf.rules->scratch, 1);
		else
			stream_match_end(match, sift->conf.rules->scratch, 0);
	}
	half_free(half);
}

const struct stream_ops sift_stream_ops = { .data = on_data, .gap = on_gap, .end = on_end };
