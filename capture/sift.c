#include "capture/sift.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/sift_judge.h"
#include "capture/sift_stream.h"
#include "capture/rule_stream.h"

/* ---- links ---------------------------------------------------------------------------------- */

/* More would be kept of every stream for the sake of one rule, which sees all instead. */
#define TAIL_MAX 512

static void add_stream_rule(struct sift_link *link, const struct ruleset *rules, size_t rule)
{
	size_t tail = rule_stream_tail(&rules->rules[rule]);

	link->stream[link->n_stream++] = (uint16_t)rule;
	mask_add(&link->streams, rule);
	if (!tail || tail > TAIL_MAX || rules->try_all)
		return;
	mask_add(&link->sleepers, rule);
	link->tail = tail > link->tail ? tail : link->tail;
}

int sift_link_init(struct sift_link *link, uint32_t id, const struct ruleset *rules,
		   const struct rule_mask *mask, bool in_path)
{
	*link = (struct sift_link){ .id = id, .all = *mask, .tail = 1 };
	judge_link(link, rules, mask, in_path);
	link->stream = calloc(rules->n + 1, sizeof(*link->stream));
	link->quarantine = calloc(1, sizeof(*link->quarantine));
	if (!link->stream || !link->quarantine) {
		sift_link_done(link);
		return -ENOMEM;
	}
	for (size_t i = 0; i < rules->n; i++) {
		if (!mask_has(mask, i))
			continue;
		if (rules->rules[i].conf->scope == SCOPE_STREAM)
			add_stream_rule(link, rules, i);
		else
			mask_add(&link->packet, i);
	}
	return 0;
}

void sift_link_done(struct sift_link *link)
{
	free(link->stream);
	link->stream = NULL;
	if (link->quarantine)
		quarantine_done(link->quarantine);
	free(link->quarantine);
	link->quarantine = NULL;
}

static void tell_parked(struct sift *sift, const struct sift_link *link, size_t rule, bool parked,
			uint64_t time_ns)
{
	stat_counter *counter = &sift->conf.stats[rule].parked;

	/* The counter began anew with the worker; another may still be ending. */
	if (parked || stat_get(counter))
		stat_add(counter, parked ? 1 : UINT64_MAX);
	sift->ops->parked(sift->data, &(struct sift_parked){
					      .link = link,
					      .rule = &sift->conf.rules->rules[rule],
					      .parked = parked,
					      .time_ns = time_ns,
				      });
}

void sift_strike(struct sift *sift, const struct sift_link *link, const struct rule *rule,
		 uint64_t time_ns)
{
	size_t number = (size_t)(rule - sift->conf.rules->rules);

	/* It was not to blame for the time that others took. */
	if (regex_was_skipped(sift->conf.rules->scratch))
		return;
	/* What decides on frames is not left out: on-error does for those that it gives up on. */
	if (link->judged && rule->conf->action != ACTION_LOG)
		return;
	if (sift->ops->parked && quarantine_strike(link->quarantine, number, rule->conf, time_ns))
		tell_parked(sift, link, number, true, time_ns);
}

static void release(struct sift *sift, const struct sift_link *link, uint64_t time_ns)
{
	size_t rule;

	while (quarantine_release(link->quarantine, time_ns, &rule))
		tell_parked(sift, link, rule, false, time_ns);
}

/* ---- payloads ------------------------------------------------------------------------------- */

/* What is tried now, for the callback of the rules. */
struct attempt {
	struct sift *sift;
	const struct sift_link *link;
	const struct frame *frame;
	enum sift_direction direction;
	uint64_t number;
	uint64_t time_ns;
	size_t joined_offset; /* of the payload in what was put together; SIZE_MAX: nothing was */
};

/* Which fragments the span of a payload came in. */
static size_t fragment_spans(const struct attempt *a, struct span span, struct record_span *ret)
{
	const struct defrag *defrag = &a->sift->defrag;
	size_t from = a->joined_offset + span.start, to = a->joined_offset + span.end, n = 0;

	for (size_t i = 0; i < defrag->n_spans && n < SIFT_SPANS_MAX; i++) {
		const struct defrag_span *f = &defrag->spans[i];
		size_t begin = f->offset > from ? f->offset : from;
		size_t end = f->offset + f->len < to ? f->offset + f->len : to;

		if (begin < end)
			ret[n++] = (struct record_span){ f->packet, begin - a->joined_offset,
							 end - begin };
	}
	return n;
}

static void on_match(void *data, const struct rule *rule, const struct extract_match *match)
{
	const struct attempt *a = data;
	const struct hit hit = { .match = match, .subject = a->frame->payload };
	struct sift_match told = {
		.link = a->link,
		.rule = rule,
		.hit = &hit,
		.frame = a->frame,
		.whole_frame = true,
		.direction = a->direction,
		.number = a->number,
		.time_ns = a->time_ns,
		.spans = a->sift->spans,
	};

	if (a->joined_offset != SIZE_MAX)
		told.n_spans = fragment_spans(a, match->whole, a->sift->spans);
	judge_match(a->sift, a->link, NULL, rule);
	a->sift->ops->match(a->sift->data, &told);
}

static void on_gave_up(void *data, const struct rule *rule, enum extract_result why)
{
	static const char *const reasons[] = {
		[EXTRACT_TOO_MANY] = "too-many",
		[EXTRACT_LIMIT] = "limit",
		[EXTRACT_ERROR] = "error",
	};
	const struct attempt *a = data;

	judge_failure(a->sift, rule);
	a->sift->ops->loss(a->sift->data, &(struct sift_loss){
						  .link = a->link,
						  .frame = a->frame,
						  .direction = a->direction,
						  .rule = rule,
						  .why = reasons[why],
						  .bytes = a->frame->payload_len,
						  .time_ns = a->time_ns,
					  });
	if (why != EXTRACT_TOO_MANY)
		sift_strike(a->sift, a->link, rule, a->time_ns);
}

static const struct ruleset_ops payload_ops = { .match = on_match, .gave_up = on_gave_up };

/* TCP has its streams beside it. */
static const struct rule_mask *mask_of(const struct attempt *a)
{
	return a->frame->has_tcp ? &a->link->packet : &a->link->all;
}

static size_t try_payload(struct sift *sift, struct attempt *a, const struct rule_mask *mask)
{
	if (!a->frame->payload_len || !mask->any)
		return 0;
	return ruleset_run(sift->conf.rules, mask, &a->link->quarantine->parked, sift->conf.stats,
			   a->frame->payload, a->frame->payload_len, &payload_ops, a);
}

/* An IP packet that was given up: it is searched as far as it came. */
static void on_incomplete(void *data, const struct frame *frame, const void *owner, uint64_t number,
			  uint64_t first_ns)
{
	struct sift *sift = data;
	struct attempt a = {
		.sift = sift,
		.link = owner,
		.frame = frame,
		.number = number,
		.time_ns = first_ns,
		.joined_offset = 0,
	};

	if (frame->payload)
		a.joined_offset = (size_t)(frame->payload - sift->defrag.joined);
	try_payload(sift, &a, mask_of(&a));
	judge_incomplete(sift, a.link, frame);
	sift->ops->loss(sift->data,
			&(struct sift_loss){
				.link = owner,
				.frame = frame,
				.why = "fragments-missing",
				.offset = frame->payload_len,
				.bytes = frame->payload_wire_len > frame->payload_len
						 ? frame->payload_wire_len - frame->payload_len
						 : 0,
				.time_ns = first_ns,
			});
}

/* ---- frames --------------------------------------------------------------------------------- */

int sift_init(struct sift *sift, const struct sift_conf *conf, const struct sift_ops *ops,
	      void *data)
{
	const struct stream_conf stream = {
		.memory = conf->stream_memory,
		.pending = conf->stream_pending,
		.seed = conf->seed,
		.patient = conf->patient,
	};
	int code;

	*sift = (struct sift){ .conf = *conf, .ops = ops, .data = data };
	code = streams_init(&sift->streams, &stream, &sift_stream_ops, sift);
	if (code)
		return code;
	code = defrag_init(&sift->defrag, conf->fragment_memory, conf->seed, on_incomplete, sift);
	if (code)
		streams_done(&sift->streams);
	return code;
}

void sift_done(struct sift *sift)
{
	sift->input = NULL;
	sift->ending = true;
	defrag_done(&sift->defrag);
	streams_done(&sift->streams);
}

void sift_end_link(struct sift *sift, const struct sift_link *link)
{
	sift->input = NULL;
	sift->ending = true;
	defrag_end_link(&sift->defrag, link->id);
	streams_end_link(&sift->streams, link->id);
	sift->ending = false;
}

/*
 * Replaces a fragment by the packet that it made whole; false when there is nothing to search yet.
 */
static bool put_together(struct sift *sift, const struct sift_input *input, struct sift_result *ret)
{
	const struct defrag_counts before = sift->defrag.counts;
	enum defrag_result result;
	struct frame whole;

	result = defrag_add(&sift->defrag, &sift->frame, input->link->id, input->link,
			    input->number, input->time_ns, &whole);
	judge_fragment(sift, &before);
	switch (result) {
	case DEFRAG_WAITS:
		ret->reason = DECODE_OK;
		return false;
	case DEFRAG_DROPPED:
		ret->reason = sift->frame.ip_version == 6 ? DECODE_IP6_FRAGMENT
							  : DECODE_IP4_FRAGMENT;
		return false;
	case DEFRAG_WHOLE:
		break;
	}
	sift->frame = whole;
	ret->reason = sift->defrag.reason;
	return true;
}

/* What the frame has to be searched for; `ret` is filled in. */
static void search_frame(struct sift *sift, const struct sift_input *input, struct sift_result *ret)
{
	const bool judged = input->link->judged;
	struct attempt a = {
		.sift = sift,
		.link = input->link,
		.frame = &sift->frame,
		.direction = input->direction,
		.number = input->number,
		.time_ns = input->time_ns,
		.joined_offset = SIZE_MAX,
	};
	struct stream_counts before;

	ret->reason = decode_link(input->link_type, &input->in, &sift->frame);
	if (judged && (ret->reason == DECODE_OK || sift->frame.part) && !judge_admits_packet(sift))
		return;
	if (sift->frame.part) {
		if (judged && !judge_admits_fragment(sift))
			return;
		if (!put_together(sift, input, ret))
			return;
		if (sift->frame.payload)
			a.joined_offset = (size_t)(sift->frame.payload - sift->defrag.joined);
	}
	if (ret->reason != DECODE_OK)
		return;
	if (judged && sift->frame.has_tcp && !judge_admits_segment(sift))
		return;
	ret->searched = sift->frame.payload_len > 0 && input->link->all.any;
	ret->matches = try_payload(sift, &a, mask_of(&a));
	if (!sift->frame.has_tcp || !input->link->n_stream)
		return;
	before = sift->streams.counts;
	sift->streams.in_path = judged;
	sift->streams.strict = input->link->strict;
	sift->streams.from_guest = input->direction == SIFT_FROM_GUEST;
	streams_frame(&sift->streams, &sift->frame, input->link->id, input->number, input->time_ns);
	ret->matches += sift->matches;
	if (!judged)
		return;
	judge_counts(sift, &before);
	/*
	 * What waits behind a hole goes on before its stream can be searched: it is by itself, too.
	 */
	if (sift->streams.waits)
		ret->matches += try_payload(sift, &a, &input->link->streams);
}

void sift_frame(struct sift *sift, const struct sift_input *input, struct sift_result *ret)
{
	*ret = (struct sift_result){ .frame = &sift->frame };
	sift->input = input;
	sift->matches = 0;
	release(sift, input->link, input->time_ns);
	if (input->link->judged)
		judge_begin(sift);
	search_frame(sift, input, ret);
	if (input->link->judged)
		judge_end(sift, ret);
}

size_t sift_payload(struct sift *sift, const struct sift_input *input, const struct frame *frame)
{
	struct attempt a = {
		.sift = sift,
		.link = input->link,
		.frame = frame,
		.direction = input->direction,
		.number = input->number,
		.time_ns = input->time_ns,
		.joined_offset = SIZE_MAX,
	};

	sift->input = input;
	return try_payload(sift, &a, &input->link->all);
}

void sift_tick(struct sift *sift, uint64_t now_ns)
{
	sift->input = NULL;
	sift_stream_tick(sift);
	streams_tick(&sift->streams, now_ns);
	defrag_tick(&sift->defrag, now_ns);
}
