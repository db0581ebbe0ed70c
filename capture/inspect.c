#include "capture/inspect.h"

struct inspection {
	const struct inspected_link *inspected;
	const struct source_frame *source;
	struct frame frame;
	bool payload_told; /* one record of the frame was made, and its seq: */
	uint64_t payload_seq;
};

static struct record_head record_head_of(const struct inspected_link *inspected, uint64_t time_ns)
{
	return (struct record_head){
		.time_ns = time_ns,
		.link = inspected->link->name,
		.set = inspected->link->set,
		.guest = inspected->link->guest,
	};
}

static void on_match(void *data, const struct rule *rule, const struct extract_match *match)
{
	struct inspection *inspection = data;
	const struct inspector *inspector = inspection->inspected->inspector;
	struct record_alert alert = {
		.frame = &inspection->frame,
		.direction = inspection->source->direction,
		.rule = rule->conf->head.name,
		.signature_id = rule->signature_id,
		.category = rule->conf->category,
		.severity = rule->conf->severity,
		.pattern = rule->pattern,
		.match = match,
		.payload_bytes = (size_t)inspector->conf->payload_bytes,
		.payload_told = inspection->payload_told,
		.payload_seq = inspection->payload_seq,
	};
	uint64_t seq = emitter_alert(
		inspector->emitter,
		record_head_of(inspection->inspected, inspection->source->time_ns), &alert);

	if (!inspection->payload_told)
		inspection->payload_seq = seq;
	inspection->payload_told = true;
}

static void count_frame(struct stats_link *stats, const struct source_frame *frame)
{
	stat_add(&stats->frames[frame->direction], 1);
	stat_add(&stats->bytes[frame->direction], frame->in.wire_len);
	if (frame->in.wire_len > frame->in.len)
		stat_add(&stats->truncated, 1);
}

static size_t run_rules(struct inspection *inspection, struct stats_link *stats)
{
	const struct inspected_link *inspected = inspection->inspected;
	const struct inspector *inspector = inspected->inspector;
	size_t n;

	if (!inspected->mask.any)
		return 0;
	n = ruleset_run(inspector->rules, &inspected->mask, inspector->stats->patterns,
			inspection->frame.payload, inspection->frame.payload_len, on_match,
			inspection);
	stat_add(&stats->payloads, 1);
	stat_add(&stats->matches, n);
	return n;
}

static bool wants_payload(const struct record_conf *conf, size_t matches)
{
	switch (conf->payload_log) {
	case PAYLOAD_LOG_OFF:
		return false;
	case PAYLOAD_LOG_MATCHES:
		return matches > 0;
	case PAYLOAD_LOG_ALL:
		return true;
	}
	return false;
}

void inspect_frame(void *data, const struct source_frame *frame)
{
	const struct inspected_link *inspected = data;
	const struct inspector *inspector = inspected->inspector;
	struct stats_link *stats = &inspector->stats->links[inspected->link->slot];
	struct inspection inspection = { .inspected = inspected, .source = frame };
	enum decode_reason reason;
	size_t matches;

	count_frame(stats, frame);
	reason = decode_ethernet(&frame->in, &inspection.frame);
	if (reason != DECODE_OK) {
		stat_add(&stats->malformed, 1);
		stat_add(&inspector->stats->capture.malformed[reason], 1);
		return;
	}
	/* Most TCP segments without data are bare acknowledgements: nothing was sent. */
	if (!inspection.frame.payload_len)
		return;
	matches = run_rules(&inspection, stats);
	if (wants_payload(inspector->conf, matches))
		emitter_payload(inspector->emitter, frame->time_ns, inspected->link->name,
				frame->direction, &inspection.frame);
}

void inspect_losses(const struct inspected_link *inspected, const struct source_losses *losses,
		    uint64_t now_ns)
{
	const struct inspector *inspector = inspected->inspector;
	struct stats_link *stats = &inspector->stats->links[inspected->link->slot];
	const struct record_gap gaps[] = {
		{ .lost = losses->ring_full, .reason = "ring-full" },
		{ .lost = losses->died, .reason = "worker-died" },
		{ .lost = losses->corrupt, .reason = "ring-corrupt" },
	};

	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
		if (!gaps[i].lost)
			continue;
		stat_add(&stats->drops, gaps[i].lost);
		emitter_gap(inspector->emitter, record_head_of(inspected, now_ns), &gaps[i]);
	}
}
