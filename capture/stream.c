#include "capture/stream.h"

#include <netinet/tcp.h>

#include "capture/stream_kept.h"
#include "capture/stream_order.h"
#include "capture/stream_pending.h"
#include "capture/stream_piece.h"

/* A RST so far ahead of what is waited for is believed; a blind one would have to guess it. */
#define RST_WINDOW (1 << 20)

/* What was sent when a connection went quiet: so far from it at most it goes on. */
#define QUIET_WINDOW (1 << 20)

/*
 * A flow that is looked at by a tick because it may have a hole was heard of so long ago at most.
 */
#define RECENT_NS (3 * STREAM_HOLD_ALONE_NS)

#define FLAGS_SYN_ACK (TH_SYN | TH_ACK)

static struct stream_side side_of(struct streams *streams, struct flow *flow, unsigned int end)
{
	return (struct stream_side){ streams, flow, &flow->half[end], end };
}

/* ---- a segment ------------------------------------------------------------------------------ */

/*
 * Whether what is missing at the end was lost by the capture. In the path nothing is: what went by
 * somewhere else is told of where the flow begins.
 */
static bool tells_tail(const struct flow *flow, enum stream_end why)
{
	return !flow->in_path && why != STREAM_EVICTED && why != STREAM_HANDED;
}

static void finish(struct stream_side *s, enum stream_end why)
{
	struct streams *streams = s->streams;

	if (s->half->ended)
		return;
	stream_order_settle(s, true);
	if (s->half->started && tells_tail(s->flow, why))
		stream_order_end(s);
	s->half->ended = true;
	if (s->half->started)
		streams->counts.ends[why]++;
	streams->ops->end(streams->data, s->flow, s->end, why, streams->now_ns);
	stream_pieces_free(&streams->flows, s->half);
}

/* Until then its last bytes may come again. */
static void flow_forget(struct streams *streams, struct flow *flow)
{
	stream_kept_free(&streams->flows, flow);
	flow_remove(&streams->flows, flow);
}

static void finish_both(struct streams *streams, struct flow *flow, enum stream_end why)
{
	for (unsigned int end = 0; end < 2; end++) {
		struct stream_side s = side_of(streams, flow, end);

		finish(&s, why);
	}
	flow_mark(&streams->flows, flow, flow->has_data, true);
}

/* What an end acknowledged beyond the other's FIN, it will not take anything behind. */
static bool is_over(const struct flow *flow)
{
	for (unsigned int end = 0; end < 2; end++) {
		const struct stream_half *half = &flow->half[end], *other = &flow->half[!end];

		if (!half->has_fin || !other->acked || (int32_t)(other->ack - half->fin_seq) <= 0)
			return false;
	}
	return true;
}

static void tell_lost(struct streams *streams, const struct flow *flow, enum stream_end why)
{
	if (flow->strict && flow->has_data && !is_over(flow))
		streams->ops->lost(streams->data, flow, why);
}

static void cut(struct streams *streams, struct flow *flow, enum stream_end why)
{
	if (why == STREAM_EVICTED)
		tell_lost(streams, flow, why);
	for (unsigned int end = 0; end < 2; end++) {
		struct stream_side s = side_of(streams, flow, end);

		stream_pending_drop(&s);
		finish(&s, why);
	}
	stream_kept_free(&streams->flows, flow);
}

/* To make room: what waits is not worth a reader's memory any more. */
static void on_evict(void *data, struct flow *flow)
{
	cut(data, flow, STREAM_EVICTED);
}

/* Whether a segment that begins before what is next may be taken for what was seen there. */
static bool compare_repeat(struct stream_side *s, const struct stream_part *part)
{
	struct stream_counts *counts = &s->streams->counts;

	if (!s->streams->in_path) {
		counts->conflicts +=
			stream_piece_differs(s->half, part->bytes, part->len, part->offset);
		return true;
	}
	switch (stream_kept_compare(s->flow, s->end, part->bytes, part->len, part->offset)) {
	case STREAM_REPEAT_SAME:
		return true;
	case STREAM_REPEAT_OTHER:
		counts->conflicts++;
		return false;
	case STREAM_REPEAT_UNKNOWN:
		counts->unknown++;
		return false;
	}
	return false;
}

static void take_data(struct stream_side *s, const struct frame *frame, uint32_t seq,
		      uint64_t packet)
{
	struct stream_part part = {
		.bytes = frame->payload,
		.len = (uint32_t)frame->payload_len,
		.missing = (uint32_t)(frame->payload_wire_len - frame->payload_len),
		.packet = packet,
	};
	int32_t ahead = (int32_t)(seq - s->half->seq);

	if (ahead > STREAM_WINDOW_MAX || ahead < -STREAM_WINDOW_MAX) {
		s->streams->counts.odd++;
		return;
	}
	/*
	 * Of bytes from before the pick-up the offset is below 0: the sums wrap, as those of seq
	 * do.
	 */
	part.offset = s->half->offset + (uint64_t)(int64_t)ahead;
	/* In the path nothing of it goes on when the beginning may not. */
	if (ahead < 0 && !compare_repeat(s, &part))
		return;
	if (s->streams->in_path && ahead < 0 && (int64_t)ahead + part.len + part.missing <= 0)
		return;
	/* RFC 9293 section 3.10.7.4: a FIN is the last of its direction. */
	if (s->half->ended || (s->half->has_fin && (int32_t)(seq - s->half->fin_seq) >= 0)) {
		s->streams->counts.dropped++;
		return;
	}
	flow_mark(&s->streams->flows, s->flow, true, s->flow->closed);
	if (ahead < 0)
		stream_part_skip_to(s, &part, s->half->offset);
	stream_order_take(s, part);
}

static void take_fin(struct stream_side *s, uint32_t seq)
{
	int32_t ahead = (int32_t)(seq - s->half->seq);

	if (!s->half->has_fin && ahead >= 0 && ahead <= STREAM_WINDOW_MAX) {
		s->half->has_fin = true;
		s->half->fin_seq = seq;
	}
}

static void take_ack(struct stream_half *half, const struct frame *frame)
{
	if (!(frame->tcp_flags & TH_ACK))
		return;
	if (!half->acked || (int32_t)(frame->tcp_ack - half->ack) > 0)
		half->ack = frame->tcp_ack;
	half->acked = true;
}

static bool rst_is_believed(const struct stream_half *half, uint32_t seq)
{
	int32_t ahead = (int32_t)(seq - half->seq);

	return !half->started || (ahead >= 0 && ahead < RST_WINDOW);
}

/* Data that is not where its direction, which was quiet for long, goes on. */
static bool is_elsewhere(const struct stream_half *half, const struct frame *frame)
{
	int32_t ahead = (int32_t)(frame->tcp_seq - half->seq);

	return half->started && frame->payload_wire_len &&
	       (ahead > QUIET_WINDOW || ahead < -QUIET_WINDOW);
}

/*
 * A new connection between ends whose old one is over, or forgotten by one of them. One whose SYN
 * was not seen is known by what no connection does that was quiet.
 */
static bool is_reuse(const struct streams *streams, const struct flow *flow,
		     const struct frame *frame, unsigned int end)
{
	uint64_t quiet_ns = 0;

	/* Where the clock was set back, nobody knows. */
	if (streams->now_ns > flow->last_ns)
		quiet_ns = streams->now_ns - flow->last_ns;
	if ((frame->tcp_flags & FLAGS_SYN_ACK) == TH_SYN)
		return flow->closed || quiet_ns >= STREAM_YOUNG_NS;
	return !flow->strict && quiet_ns > STREAM_IDLE_NS && is_elsewhere(&flow->half[end], frame);
}

static struct flow *flow_of(struct streams *streams, const struct frame *frame, uint32_t link,
			    unsigned int *ret_end)
{
	struct flow_key key;
	struct flow *flow;

	*ret_end = flow_key_of(frame, link, &key);
	flow = flow_find(&streams->flows, &key);
	if (flow && is_reuse(streams, flow, frame, *ret_end)) {
		tell_lost(streams, flow, STREAM_REUSED);
		finish_both(streams, flow, STREAM_REUSED);
		flow_forget(streams, flow);
		flow = NULL;
	}
	if (flow || (frame->tcp_flags & TH_RST))
		return flow;
	flow = flow_add(&streams->flows, &key, frame, *ret_end,
			(struct flow_place){ streams->in_path, streams->strict });
	if (flow)
		streams->counts.flows++;
	else
		streams->counts.refused++;
	return flow;
}

/* A half is picked up at its SYN or, later, at its first data. */
static void pick_up(struct streams *streams, struct stream_half *half, const struct frame *frame,
		    uint32_t seq)
{
	if (half->started || !(frame->payload_wire_len || (frame->tcp_flags & (TH_SYN | TH_FIN))))
		return;
	half->started = true;
	half->seq = seq;
	streams->counts.midway += !(frame->tcp_flags & TH_SYN);
}

/* Addresses can be made up; which side of the link a frame came from cannot. */
static bool is_of_its_side(const struct streams *streams, struct flow *flow, unsigned int end)
{
	if (!flow->has_side)
		flow->from_guest = streams->from_guest == (end == 0);
	flow->has_side = true;
	return flow->from_guest == (streams->from_guest == (end == 0));
}

void streams_frame(struct streams *streams, const struct frame *frame, uint32_t link,
		   uint64_t packet, uint64_t now_ns)
{
	uint32_t seq = frame->tcp_seq + ((frame->tcp_flags & TH_SYN) != 0);
	struct flow *flow;
	struct stream_side s, other;
	unsigned int end;

	if (!frame->has_tcp)
		return;
	streams->now_ns = now_ns;
	streams->waits = false;
	flow = flow_of(streams, frame, link, &end);
	if (!flow)
		return;
	if (streams->in_path && !is_of_its_side(streams, flow, end)) {
		streams->counts.odd++;
		return;
	}
	s = side_of(streams, flow, end);
	other = side_of(streams, flow, !end);
	if (frame->tcp_flags & TH_RST) {
		if (rst_is_believed(s.half, seq)) {
			finish_both(streams, flow, STREAM_RST);
			stream_kept_free(&streams->flows, flow);
		}
		flow_touch(&streams->flows, flow, now_ns);
		return;
	}
	take_ack(s.half, frame);
	stream_kept_trim(&streams->flows, flow, other.end);
	pick_up(streams, s.half, frame, seq);
	if (frame->payload_wire_len)
		take_data(&s, frame, seq, packet);
	if (frame->tcp_flags & TH_FIN)
		take_fin(&s, seq + (uint32_t)frame->payload_wire_len);
	/* This frame may have acknowledged what the other end waits for. */
	if (other.half->pending)
		stream_order_settle(&other, false);
	if (s.half->has_fin && s.half->seq == s.half->fin_seq)
		finish(&s, STREAM_FIN);
	if (other.half->has_fin && other.half->seq == other.half->fin_seq)
		finish(&other, STREAM_FIN);
	if (s.half->ended && other.half->ended)
		flow_mark(&streams->flows, flow, flow->has_data, true);
	flow_touch(&streams->flows, flow, now_ns);
}

/* ---- all flows ------------------------------------------------------------------------------ */

int streams_init(struct streams *streams, const struct stream_conf *conf,
		 const struct stream_ops *ops, void *data)
{
	*streams = (struct streams){ .conf = *conf, .ops = ops, .data = data };
	return flow_table_init(&streams->flows, conf->memory, conf->seed, on_evict, streams);
}

static void end_oldest(struct streams *streams, enum flow_list_id list, enum stream_end why)
{
	struct flow *flow = flow_oldest(&streams->flows, list);

	if (why == STREAM_IDLE)
		tell_lost(streams, flow, why);
	finish_both(streams, flow, why);
	flow_forget(streams, flow);
}

void streams_done(struct streams *streams)
{
	for (enum flow_list_id list = 0; list < FLOW_LISTS; list++) {
		while (flow_oldest(&streams->flows, list))
			end_oldest(streams, list, STREAM_FINISHED);
	}
	flow_table_done(&streams->flows);
}

void streams_end_flow(struct streams *streams, const struct flow_key *key)
{
	struct flow *flow = flow_find(&streams->flows, key);

	if (!flow)
		return;
	finish_both(streams, flow, STREAM_FINISHED);
	flow_forget(streams, flow);
}

void streams_end_link(struct streams *streams, uint32_t link)
{
	streams->flows.walked = true;
	for (enum flow_list_id list = 0; list < FLOW_LISTS; list++) {
		struct flow *flow = flow_oldest(&streams->flows, list), *next;

		for (; flow; flow = next) {
			next = flow->newer;
			if (flow->key.link != link)
				continue;
			finish_both(streams, flow, STREAM_FINISHED);
			flow_forget(streams, flow);
		}
	}
	streams->flows.walked = false;
}

void streams_cut_flow(struct streams *streams, struct flow *flow, enum stream_end why)
{
	cut(streams, flow, why);
	flow_remove(&streams->flows, flow);
}

void streams_take_link(struct streams *streams, uint32_t link,
		       bool (*take)(void *data, struct flow *flow), void *data)
{
	streams->flows.walked = true;
	for (enum flow_list_id list = 0; list < FLOW_LISTS; list++) {
		struct flow *flow = flow_oldest(&streams->flows, list), *next;

		for (; flow; flow = next) {
			next = flow->newer;
			if (flow->key.link == link)
				streams_cut_flow(streams, flow,
						 take(data, flow) ? STREAM_HANDED : STREAM_EVICTED);
		}
	}
	streams->flows.walked = false;
}

/* Only those that were heard of lately can have a hole that nobody looked at since. */
static void settle_recent(struct streams *streams, enum flow_list_id list)
{
	struct flow *flow = streams->flows.lists[list].newest;

	streams->flows.walked = true;
	while (flow && streams->now_ns - flow->last_ns < RECENT_NS) {
		struct flow *older = flow->older;

		for (unsigned int end = 0; end < 2; end++) {
			struct stream_side s = side_of(streams, flow, end);

			if (s.half->pending)
				stream_order_settle(&s, false);
		}
		flow = older;
	}
	streams->flows.walked = false;
}

static uint64_t idle_ns(const struct streams *streams, enum flow_list_id list)
{
	static const uint64_t bounds[FLOW_LISTS] = {
		[FLOW_YOUNG] = STREAM_YOUNG_NS,
		[FLOW_LIVE] = STREAM_IDLE_NS,
		[FLOW_STRICT] = STREAM_STRICT_IDLE_NS,
	};

	if (list == FLOW_LIVE && streams->conf.patient &&
	    streams->flows.memory < streams->flows.memory_max / 2)
		return STREAM_STRICT_IDLE_NS;
	return bounds[list];
}

void streams_tick(struct streams *streams, uint64_t now_ns)
{
	/* Frames may be stamped a little ahead of a clock that was set back. */
	if (now_ns < streams->now_ns)
		return;
	streams->now_ns = now_ns;
	settle_recent(streams, FLOW_LIVE);
	settle_recent(streams, FLOW_STRICT);
	for (enum flow_list_id list = 0; list < FLOW_LISTS; list++) {
		const struct flow *flow;

		while ((flow = flow_oldest(&streams->flows, list)) && now_ns > flow->last_ns &&
		       now_ns - flow->last_ns > idle_ns(streams, list))
			end_oldest(streams, list, STREAM_IDLE);
	}
}
