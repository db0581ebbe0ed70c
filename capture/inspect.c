#include "capture/inspect.h"

#include <stdio.h>
#include <time.h>

#include "agent/base/clock.h"
#include "agent/base/pcapng_format.h"
#include "capture/search_time.h"
#include "capture/sift_record.h"
#include "capture/sift_save.h"

static const enum sift_direction directions[STATS_DIRECTIONS] = {
	[STATS_FROM_GUEST] = SIFT_FROM_GUEST,
	[STATS_TO_GUEST] = SIFT_TO_GUEST,
};

static const struct inspected_link *inspected_of(const struct sift_link *link)
{
	return (const struct inspected_link *)((const char *)link -
					       offsetof(struct inspected_link, sift));
}

static struct record_head record_head_of(const struct inspected_link *inspected, uint64_t time_ns)
{
	return (struct record_head){
		.time_ns = time_ns,
		.link = inspected->link->name,
		.set = inspected->link->set,
		.guest = inspected->link->guest,
	};
}

/* ---- matches -------------------------------------------------------------------------------- */

static void on_match(void *data, const struct sift_match *match)
{
	struct inspector *inspector = data;
	const struct inspected_link *inspected = inspected_of(match->link);
	struct record_alert alert;
	uint64_t seq;

	sift_record_alert(match, &alert);
	if (inspector->conf->pcap != PCAP_OFF && inspector->emitter->index)
		alert.capture_file = inspector->emitter->names[EMITTER_FRAMES];
	alert.payload_bytes = (size_t)inspector->conf->payload_bytes;
	alert.payload_told = match->whole_frame && inspector->payload_told;
	alert.payload_seq = inspector->payload_seq;
	seq = emitter_alert(inspector->emitter, record_head_of(inspected, match->time_ns), &alert);
	stat_add(&inspector->stats->links[inspected->link->slot].matches, 1);
	if (!keeper_match(&inspector->keeper, match))
		stat_add(&inspector->sift.conf.stats[match->rule - inspector->rules->rules].unnoted,
			 1);
	if (!match->whole_frame || inspector->payload_told)
		return;
	inspector->payload_told = true;
	inspector->payload_seq = seq;
}

static void on_loss(void *data, const struct sift_loss *loss)
{
	struct inspector *inspector = data;
	struct record_gap gap;

	sift_record_gap(loss, &gap);
	emitter_gap(inspector->emitter, record_head_of(inspected_of(loss->link), loss->time_ns),
		    &gap);
}

static void on_parked(void *data, const struct sift_parked *parked)
{
	const struct pattern_conf *conf = parked->rule->conf;
	struct inspector *inspector = data;
	char detail[256];

	if (parked->parked)
		snprintf(
			detail, sizeof(detail),
			"pattern %s: %u searches were given up within %u s, by match-limit %u: it is "
			"not tried on this link for %u s",
			conf->head.name, conf->quarantine_after,
			(unsigned int)(QUARANTINE_WINDOW_NS / NS_PER_S), conf->match_limit,
			conf->quarantine_seconds);
	else
		snprintf(detail, sizeof(detail), "pattern %s: it is tried again", conf->head.name);
	emitter_event(inspector->emitter,
		      record_head_of(inspected_of(parked->link), parked->time_ns), IPC_EVENT_LINK,
		      parked->parked ? "pattern-quarantined" : "pattern-released", detail);
}

static const struct sift_ops sift_ops = {
	.match = on_match,
	.loss = on_loss,
	.parked = on_parked,
};

/* ---- frames that are kept ------------------------------------------------------------------- */

static void on_kept(void *data, uint32_t slot, const struct pcapng_packet *packet)
{
	struct inspector *inspector = data;

	emitter_packet(inspector->emitter, slot, packet);
}

static enum pcapng_verdict verdict_of(const struct inspected_link *inspected,
				      const struct sift_result *result)
{
	if (inspected->link->source != IPC_SOURCE_INLINE)
		return PCAPNG_NO_VERDICT;
	return result->verdict == ACTION_LOG ? PCAPNG_PASSED : PCAPNG_DROPPED;
}

static void keep(const struct inspected_link *inspected, const struct source_frame *source,
		 const struct sift_result *result, uint64_t number)
{
	const struct pcapng_packet packet = {
		.time_ns = source->time_ns,
		.bytes = source->in.bytes,
		.len = source->in.len,
		.wire_len = source->in.wire_len,
		.direction = source->direction == STATS_FROM_GUEST ? PCAPNG_OUTBOUND
								   : PCAPNG_INBOUND,
		.checksum_partial = source->checksum_partial,
		.gso = source->gso,
		.has_id = true,
		.id = number,
		.verdict = verdict_of(inspected, result),
	};

	keeper_frame(&inspected->inspector->keeper, inspected->link->slot, &packet, result->frame);
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

/* ---- frames --------------------------------------------------------------------------------- */

/* Returns the frame's number: it goes on where another worker was relieved. */
static uint64_t count_frame(struct stats_link *stats, const struct source_frame *frame)
{
	stat_count(&stats->frames[frame->direction], 1);
	stat_count(&stats->bytes[frame->direction], frame->in.wire_len);
	if (frame->in.wire_len > frame->in.len)
		stat_add(&stats->truncated, 1);
	return stat_get(&stats->frames[STATS_FROM_GUEST]) +
	       stat_get(&stats->frames[STATS_TO_GUEST]);
}

static void count_result(struct inspector *inspector, struct stats_link *stats,
			 const struct sift_result *result)
{
	if (result->reason != DECODE_OK) {
		stat_add(&stats->malformed, 1);
		stat_add(&inspector->emitter->stats->malformed[result->reason], 1);
	}
	if (result->searched)
		stat_count(&stats->payloads, 1);
}

static void inspect(struct inspected_link *inspected, const struct source_frame *frame,
		    struct sift_result *result)
{
	struct inspector *inspector = inspected->inspector;
	struct stats_link *stats = &inspector->stats->links[inspected->link->slot];
	struct sift_input input = {
		.in = frame->in,
		.link_type = LINKTYPE_ETHERNET,
		.number = count_frame(stats, frame),
		.time_ns = frame->time_ns,
		.direction = directions[frame->direction],
		.link = &inspected->sift,
	};

	inspected->cut += frame->in.wire_len > frame->in.len;
	inspector->payload_told = false;
	sift_frame(&inspector->sift, &input, result);
	count_result(inspector, stats, result);
	guests_frame(&inspected->guest, result->frame, frame->direction, frame->in.wire_len,
		     frame->time_ns);
	if (inspector->conf->pcap != PCAP_OFF)
		keep(inspected, frame, result, input.number);
	/* Most TCP segments without data are bare acknowledgements: nothing was sent. */
	if (result->frame->payload_len && !result->frame->part &&
	    wants_payload(inspector->conf, result->matches))
		emitter_payload(inspector->emitter, frame->time_ns, inspected->link->name,
				frame->direction, result->frame);
}

void inspect_frame(void *data, const struct source_frame *frame)
{
	struct sift_result result;

	inspect(data, frame, &result);
}

/*
 * A search that was left has gone by on-error of its rule. Of a frame that is late without that,
 * nobody knows for how long the next will be: the strictest rule decides.
 */
static void judge_late(const struct inspected_link *inspected, struct stats_relay *stats,
		       struct sift_result *result, uint64_t begun_ns)
{
	if (!result->searched || clock_ns(CLOCK_MONOTONIC) - begun_ns <= inspected->deadline_ns)
		return;
	stat_add(&stats->late, 1);
	if (!result->failed && result->verdict == ACTION_LOG && inspected->sift.strict)
		result->verdict = ACTION_DROP;
	result->failed = true;
}

enum pattern_action inspect_judge(struct inspected_link *inspected,
				  const struct source_frame *frame, const struct frame **ret)
{
	struct inspector *inspector = inspected->inspector;
	struct stats_relay *stats = &inspector->stats->relays[inspected->link->slot];
	uint64_t begun_ns = inspected->sift.judged ? clock_ns(CLOCK_MONOTONIC) : 0;
	struct sift_result result;

	search_time_until(begun_ns ? begun_ns + inspected->deadline_ns : inspected->until_ns);
	inspect(inspected, frame, &result);
	if (begun_ns)
		judge_late(inspected, stats, &result, begun_ns);
	search_time_until(0);
	if (result.failed)
		stat_add(&stats->failed, 1);
	*ret = result.frame;
	return result.verdict;
}

void inspect_losses(struct inspected_link *inspected, const struct source_losses *losses,
		    uint64_t now_ns)
{
	struct inspector *inspector = inspected->inspector;
	struct stats_link *stats = &inspector->stats->links[inspected->link->slot];
	const struct record_gap gaps[] = {
		{ .lost = losses->ring_full, .reason = "ring-full" },
		{ .lost = losses->tap_full, .reason = "tap-full" },
		{ .lost = losses->died, .reason = "worker-died" },
		{ .lost = losses->corrupt, .reason = "ring-corrupt" },
		{ .lost = losses->unread, .reason = "ring-closed" },
	};

	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
		if (!gaps[i].lost)
			continue;
		stat_add(&stats->drops, gaps[i].lost);
		emitter_drops(inspector->emitter, inspected->link->slot, gaps[i].lost);
		emitter_gap(inspector->emitter, record_head_of(inspected, now_ns), &gaps[i]);
	}
	if (!inspected->cut)
		return;
	/* Not lost as frames, but as what patterns see: the counter is that of the frames. */
	emitter_gap(inspector->emitter, record_head_of(inspected, now_ns),
		    &(struct record_gap){ .lost = inspected->cut, .reason = "cut" });
	inspected->cut = 0;
}

static void set(stat_counter *counter, uint64_t value)
{
	atomic_store_explicit(counter, value, memory_order_relaxed);
}

/* ---- life ----------------------------------------------------------------------------------- */

int inspector_init(struct inspector *inspector, const struct ruleset *rules,
		   const struct config *config, struct stats_page *stats, struct emitter *emitter,
		   unsigned int n_workers, uint64_t seed)
{
	const struct sift_conf conf = {
		.rules = rules,
		.stats = stats->patterns[emitter->index],
		.policy = &extract_live,
		.stream_memory = (size_t)config->stream.memory / n_workers,
		.stream_pending = (size_t)config->stream.pending,
		.fragment_memory = (size_t)config->stream.fragments / n_workers,
		.match_max = SIFT_MATCH_MAX,
		.condemned = &stats->condemned,
		.seed = seed,
	};
	const struct keeper_conf keeper = {
		.mode = config->record.pcap,
		.before = config->record.before,
		.after = config->record.after,
		.memory = (size_t)config->record.pcap_memory / n_workers,
		.write = on_kept,
		.data = inspector,
	};
	int code;

	*inspector = (struct inspector){
		.rules = rules,
		.conf = &config->record,
		.stats = stats,
		.emitter = emitter,
	};
	guests_init(&inspector->guests, config, stats, emitter, n_workers == 1);
	/* Quarantine ends with the worker that imposed it. */
	for (size_t i = 0; i < rules->n; i++)
		set(&stats->patterns[emitter->index][i].parked, 0);
	code = sift_init(&inspector->sift, &conf, &sift_ops, inspector);
	if (code)
		return code;
	code = keeper_init(&inspector->keeper, &keeper);
	if (code)
		sift_done(&inspector->sift);
	return code;
}

void inspector_done(struct inspector *inspector)
{
	sift_done(&inspector->sift);
	keeper_done(&inspector->keeper);
}

int inspect_begin(struct inspected_link *inspected, struct inspector *inspector,
		  const struct ipc_link *link, const struct rule_mask *mask)
{
	int code;

	*inspected = (struct inspected_link){ .inspector = inspector, .link = link };
	emitter_link(inspector->emitter, link->slot, link->name);
	code = sift_link_init(&inspected->sift, link->slot, inspector->rules, mask,
			      link->source == IPC_SOURCE_INLINE);
	if (code)
		return code;
	guests_begin(&inspector->guests, &inspected->guest, link);
	return 0;
}

void inspect_save(struct inspected_link *inspected, struct buf *out)
{
	sift_save_link(&inspected->inspector->sift, &inspected->sift, out);
}

int inspect_restore(struct inspected_link *inspected, const void *bytes, size_t len,
		    uint64_t now_ns)
{
	return sift_restore_link(&inspected->inspector->sift, &inspected->sift, bytes, len, now_ns);
}

static void tell_missed(struct inspector *inspector)
{
	stat_add(&inspector->emitter->stats->pcap_missed, inspector->keeper.missed);
	inspector->keeper.missed = 0;
}

void inspect_end(struct inspected_link *inspected)
{
	struct inspector *inspector = inspected->inspector;

	sift_end_link(&inspector->sift, &inspected->sift);
	guests_end(&inspected->guest);
	keeper_settle(&inspector->keeper);
	tell_missed(inspector);
	sift_link_done(&inspected->sift);
}

static void tell_counters(const struct inspector *inspector)
{
	const struct streams *streams = &inspector->sift.streams;
	struct stats_streams *stats = &inspector->emitter->stats->streams;

	set(&stats->flows, flow_count(&streams->flows));
	set(&stats->memory, streams->flows.memory);
	set(&stats->gaps, streams->counts.gaps);
	set(&stats->gap_bytes, streams->counts.gap_bytes);
	set(&stats->conflicts, streams->counts.conflicts);
	set(&stats->dropped, streams->counts.dropped + streams->counts.odd);
	set(&stats->evicted, streams->counts.ends[STREAM_EVICTED]);
	set(&stats->refused, streams->counts.refused);
	set(&stats->fragments_incomplete, inspector->sift.defrag.counts.incomplete);
	set(&stats->fragments_dropped, inspector->sift.defrag.counts.dropped);
}

void inspect_tick(struct inspector *inspector, uint64_t now_ns)
{
	sift_tick(&inspector->sift, now_ns);
	guests_tick(&inspector->guests, now_ns);
	keeper_settle(&inspector->keeper);
	tell_missed(inspector);
	tell_counters(inspector);
}

bool inspect_is_waiting(const struct inspector *inspector)
{
	return flow_count(&inspector->sift.streams.flows) > 0 || inspector->sift.defrag.oldest;
}
