#include "capture/stream.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "capture/stream_piece.h"

/* No window is larger: RFC 7323 section 2.3. */
#define WINDOW_MAX (1 << 30)

/* A RST so far ahead of what is waited for is believed; a blind one would have to guess it. */
#define RST_WINDOW (1 << 20)

/* A flow that is looked at by a tick because it may have a hole was heard of so long ago at most. */
#define RECENT_NS (3 * STREAM_HOLD_ALONE_NS)

#define FLAGS_SYN_ACK (TH_SYN | TH_ACK)

struct stream_segment {
	struct stream_segment *next;
	uint64_t offset;
	uint64_t packet;
	uint32_t len;
	uint32_t missing; /* bytes behind it that the capture cut off */
	uint8_t bytes[];
};

/* One direction of a flow, and who reads it. */
struct side {
	struct streams *streams;
	struct flow *flow;
	struct stream_half *half;
	unsigned int end;
};

/* Bytes of a segment that are not handed over yet. */
struct part {
	const uint8_t *bytes;
	uint64_t offset;
	uint64_t packet;
	uint32_t len;
	uint32_t missing;
};

static const char *const end_names[STREAM_ENDS] = {
	[STREAM_FIN] = "fin",	      [STREAM_RST] = "rst",	  [STREAM_IDLE] = "idle",
	[STREAM_EVICTED] = "evicted", [STREAM_REUSED] = "reused", [STREAM_FINISHED] = "finished",
};

const char *stream_end_name(enum stream_end why)
{
	return end_names[why];
}

static struct side side_of(struct streams *streams, struct flow *flow, unsigned int end)
{
	return (struct side){ streams, flow, &flow->half[end], end };
}

/* ---- handing over --------------------------------------------------------------------------- */

static void advance(struct side *s, uint64_t len)
{
	s->half->offset += len;
	s->half->seq += (uint32_t)len;
}

static void tell_gap(struct side *s, uint64_t len)
{
	struct streams *streams = s->streams;

	streams->counts.gaps++;
	streams->counts.gap_bytes += len;
	streams->ops->gap(streams->data, s->flow, s->end, s->half->offset, len, streams->now_ns);
	advance(s, len);
}

/* The first byte of `part` is the next of the stream. */
static void deliver(struct side *s, const struct part *part)
{
	struct streams *streams = s->streams;
	struct stream_chunk chunk = {
		.bytes = part->bytes,
		.len = part->len,
		.offset = part->offset,
		.packet = part->packet,
		.now_ns = streams->now_ns,
	};

	stream_piece_add(&streams->flows, s->flow, s->half, part->bytes, part->len, part->packet);
	streams->counts.bytes += part->len;
	advance(s, part->len);
	streams->ops->data(streams->data, s->flow, s->end, &chunk);
}

/* A gap as long as was cut off, unless what is behind it came by another segment. */
static void deliver_missing(struct side *s, uint32_t missing)
{
	uint64_t len = missing;

	if (s->half->pending && s->half->pending->offset - s->half->offset < len)
		len = s->half->pending->offset - s->half->offset;
	if (len)
		tell_gap(s, len);
}

static void segment_free(struct side *s, struct stream_segment *segment)
{
	s->half->pending_bytes -= segment->len;
	s->half->n_pending--;
	flow_free(&s->streams->flows, segment, sizeof(*segment) + segment->len);
}

/* The first one that waits is next; a gap before it was told. */
static void deliver_pending(struct side *s)
{
	struct stream_segment *segment = s->half->pending;
	struct part part = {
		.bytes = segment->bytes,
		.offset = segment->offset,
		.packet = segment->packet,
		.len = segment->len,
	};

	s->half->pending = segment->next;
	deliver(s, &part);
	deliver_missing(s, segment->missing);
	segment_free(s, segment);
}

/* Whether nobody will send the bytes of the hole before the first segment that waits. */
static bool hole_is_lost(const struct side *s)
{
	const struct stream_half *half = s->half, *other = &s->flow->half[!s->end];
	uint64_t waited = s->streams->now_ns - half->hole_ns;
	uint32_t behind = half->seq + (uint32_t)(half->pending->offset - half->offset);

	if (s->streams->now_ns < half->hole_ns)
		return false;
	if (other->acked)
		return (int32_t)(other->ack - behind) >= 0 && waited >= STREAM_HOLD_ACKED_NS;
	return waited >= STREAM_HOLD_ALONE_NS;
}

/* Hands over all that has no hole before it any more; `force` gives up the holes too. */
static void settle(struct side *s, bool force)
{
	struct stream_half *half = s->half;

	while (half->pending) {
		uint64_t hole = half->pending->offset - half->offset;

		if (hole && !force && !hole_is_lost(s))
			return;
		if (hole)
			tell_gap(s, hole);
		deliver_pending(s);
		if (half->pending && half->pending->offset > half->offset)
			half->hole_ns = s->streams->now_ns;
	}
}

/* ---- segments that wait --------------------------------------------------------------------- */

/* Frees what waits without handing it over; it is a gap. */
static void drop_pending(struct side *s)
{
	while (s->half->pending) {
		struct stream_segment *segment = s->half->pending;

		s->half->pending = segment->next;
		s->streams->counts.dropped++;
		segment_free(s, segment);
	}
}

static bool fits(const struct side *s, uint32_t len)
{
	return s->half->n_pending < STREAM_PENDING_SEGMENTS &&
	       s->half->pending_bytes + len <= s->streams->conf.pending;
}

/* Puts bytes that are not there into the list, behind *at. */
static struct stream_segment **insert(struct side *s, struct stream_segment **at,
				      const struct part *part)
{
	struct stream_segment *segment = NULL;

	if (fits(s, part->len))
		segment = flow_alloc(&s->streams->flows, s->flow, sizeof(*segment) + part->len);
	if (!segment) {
		s->streams->counts.dropped++;
		return at;
	}
	*segment = (struct stream_segment){
		.next = *at,
		.offset = part->offset,
		.packet = part->packet,
		.len = part->len,
		.missing = part->missing,
	};
	memcpy(segment->bytes, part->bytes, part->len);
	*at = segment;
	s->half->pending_bytes += part->len;
	s->half->n_pending++;
	return &segment->next;
}

static void part_skip(struct part *part, uint64_t n)
{
	uint32_t skip = n < part->len ? (uint32_t)n : part->len;

	part->bytes += skip;
	part->offset += skip;
	part->len -= skip;
}

/* Whether any byte that waits is another one than `part` has in its place. */
static bool differs(const struct side *s, const struct part *part)
{
	const struct stream_segment *segment = s->half->pending;

	for (; segment && segment->offset < part->offset + part->len; segment = segment->next) {
		uint64_t from = segment->offset > part->offset ? segment->offset : part->offset;
		uint64_t to = segment->offset + segment->len;

		if (to > part->offset + part->len)
			to = part->offset + part->len;
		if (from < to &&
		    memcmp(segment->bytes + (from - segment->offset),
			   part->bytes + (from - part->offset), (size_t)(to - from)) != 0)
			return true;
	}
	return false;
}

/* Passes over what is before `offset`, which came by another segment first. */
static void skip_to(struct side *s, struct part *part, uint64_t offset)
{
	uint64_t old = offset - part->offset, seen = old < part->len ? old : part->len;

	s->streams->counts.repeated += seen;
	part_skip(part, seen);
	/* Of a segment that was cut, only the part that is still to come is missing. */
	old -= seen;
	part->missing -= old < part->missing ? (uint32_t)old : part->missing;
	part->offset = offset;
}

/* Lets `part` wait, but for the bytes that another segment had first. */
static void wait_for_hole(struct side *s, struct part part)
{
	struct stream_segment **at = &s->half->pending;

	if (!*at)
		s->half->hole_ns = s->streams->now_ns;
	while (part.len) {
		struct part before = part;

		while (*at && (*at)->offset + (*at)->len <= part.offset)
			at = &(*at)->next;
		if (*at && (*at)->offset <= part.offset) {
			skip_to(s, &part, (*at)->offset + (*at)->len);
			continue;
		}
		if (*at && (*at)->offset - part.offset < part.len) {
			before.len = (uint32_t)((*at)->offset - part.offset);
			before.missing = 0;
		}
		at = insert(s, at, &before);
		part_skip(&part, before.len);
	}
}

/* More waits than may: the hole is given up where that is all that can be done. */
static void make_room(struct side *s, uint32_t len)
{
	while (!fits(s, len) && s->half->pending && !s->flow->half[!s->end].acked) {
		uint64_t hole = s->half->pending->offset - s->half->offset;

		if (hole)
			tell_gap(s, hole);
		deliver_pending(s);
	}
}

/* ---- a segment ------------------------------------------------------------------------------ */

static void finish(struct side *s, enum stream_end why)
{
	struct streams *streams = s->streams;

	if (s->half->ended)
		return;
	settle(s, true);
	s->half->ended = true;
	if (s->half->started)
		streams->counts.ends[why]++;
	streams->ops->end(streams->data, s->flow, s->end, why, streams->now_ns);
	stream_pieces_free(&streams->flows, s->half);
}

static void finish_both(struct streams *streams, struct flow *flow, enum stream_end why)
{
	for (unsigned int end = 0; end < 2; end++) {
		struct side s = side_of(streams, flow, end);

		finish(&s, why);
	}
	flow_mark(&streams->flows, flow, flow->has_data, true);
}

/* To make room: what waits is not worth a reader's memory any more. */
static void on_evict(void *data, struct flow *flow)
{
	struct streams *streams = data;

	for (unsigned int end = 0; end < 2; end++) {
		struct side s = side_of(streams, flow, end);

		drop_pending(&s);
		finish(&s, STREAM_EVICTED);
	}
}

/* `part` begins with the next byte: hands it over together with what waited for it. */
static void take_next(struct side *s, struct part part)
{
	do {
		const struct stream_segment *pending = s->half->pending;
		struct part head = part;

		if (pending && pending->offset - part.offset < part.len)
			head.len = (uint32_t)(pending->offset - part.offset);
		if (head.len)
			deliver(s, &head);
		part_skip(&part, head.len);
		if (!part.len)
			deliver_missing(s, part.missing);
		settle(s, false);
		if (part.len)
			skip_to(s, &part, s->half->offset);
	} while (part.len);
}

static void take_part(struct side *s, struct part part)
{
	s->streams->counts.conflicts += differs(s, &part);
	if (part.offset > s->half->offset)
		make_room(s, part.len);
	/* Giving up holes may have made it the next, or old. */
	if (part.offset < s->half->offset)
		skip_to(s, &part, s->half->offset);
	if (!part.len && !part.missing)
		return;
	if (part.offset == s->half->offset)
		take_next(s, part);
	else if (part.len)
		wait_for_hole(s, part);
	settle(s, false);
}

static void take_data(struct side *s, const struct frame *frame, uint32_t seq, uint64_t packet)
{
	struct part part = {
		.bytes = frame->payload,
		.len = (uint32_t)frame->payload_len,
		.missing = (uint32_t)(frame->payload_wire_len - frame->payload_len),
		.packet = packet,
	};
	int32_t ahead = (int32_t)(seq - s->half->seq);

	if (ahead > WINDOW_MAX || ahead < -WINDOW_MAX) {
		s->streams->counts.odd++;
		return;
	}
	/* RFC 9293 section 3.10.7.4: a FIN is the last of its direction. */
	if (s->half->ended || (s->half->has_fin && (int32_t)(seq - s->half->fin_seq) >= 0)) {
		s->streams->counts.dropped++;
		return;
	}
	flow_mark(&s->streams->flows, s->flow, true, s->flow->closed);
	/* Of bytes from before the pick-up the offset is below 0: the sums wrap, as those of seq do. */
	part.offset = s->half->offset + (uint64_t)(int64_t)ahead;
	if (ahead < 0) {
		s->streams->counts.conflicts +=
			stream_piece_differs(s->half, part.bytes, part.len, part.offset);
		skip_to(s, &part, s->half->offset);
	}
	take_part(s, part);
}

static void take_fin(struct side *s, uint32_t seq)
{
	int32_t ahead = (int32_t)(seq - s->half->seq);

	if (!s->half->has_fin && ahead >= 0 && ahead <= WINDOW_MAX) {
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

/* A new connection between ends whose old one is over, or forgotten by one of them. */
static bool is_reuse(const struct streams *streams, const struct flow *flow,
		     const struct frame *frame)
{
	if ((frame->tcp_flags & FLAGS_SYN_ACK) != TH_SYN)
		return false;
	return flow->closed || streams->now_ns - flow->last_ns >= STREAM_YOUNG_NS;
}

static struct flow *flow_of(struct streams *streams, const struct frame *frame, uint32_t link,
			    unsigned int *ret_end)
{
	struct flow_key key;
	struct flow *flow;

	*ret_end = flow_key_of(frame, link, &key);
	flow = flow_find(&streams->flows, &key);
	if (flow && is_reuse(streams, flow, frame)) {
		finish_both(streams, flow, STREAM_REUSED);
		flow_remove(&streams->flows, flow);
		flow = NULL;
	}
	if (flow || (frame->tcp_flags & TH_RST))
		return flow;
	flow = flow_add(&streams->flows, &key, frame, *ret_end);
	if (flow)
		streams->counts.flows++;
	else
		streams->counts.refused++;
	return flow;
}

/* A half is picked up at its SYN or, later, at its first data. */
static void pick_up(struct stream_half *half, const struct frame *frame, uint32_t seq)
{
	if (half->started || !(frame->payload_wire_len || (frame->tcp_flags & (TH_SYN | TH_FIN))))
		return;
	half->started = true;
	half->seq = seq;
}

void streams_frame(struct streams *streams, const struct frame *frame, uint32_t link,
		   uint64_t packet, uint64_t now_ns)
{
	uint32_t seq = frame->tcp_seq + ((frame->tcp_flags & TH_SYN) != 0);
	struct flow *flow;
	struct side s, other;
	unsigned int end;

	if (!frame->has_tcp)
		return;
	streams->now_ns = now_ns;
	flow = flow_of(streams, frame, link, &end);
	if (!flow)
		return;
	s = side_of(streams, flow, end);
	other = side_of(streams, flow, !end);
	if (frame->tcp_flags & TH_RST) {
		if (rst_is_believed(s.half, seq))
			finish_both(streams, flow, STREAM_RST);
		flow_touch(&streams->flows, flow, now_ns);
		return;
	}
	take_ack(s.half, frame);
	pick_up(s.half, frame, seq);
	if (frame->payload_wire_len)
		take_data(&s, frame, seq, packet);
	if (frame->tcp_flags & TH_FIN)
		take_fin(&s, seq + (uint32_t)frame->payload_wire_len);
	/* This frame may have acknowledged what the other end waits for. */
	if (other.half->pending)
		settle(&other, false);
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

	finish_both(streams, flow, why);
	flow_remove(&streams->flows, flow);
}

void streams_done(struct streams *streams)
{
	for (enum flow_list_id list = 0; list < FLOW_LISTS; list++) {
		while (flow_oldest(&streams->flows, list))
			end_oldest(streams, list, STREAM_FINISHED);
	}
	flow_table_done(&streams->flows);
}

/* Only those that were heard of lately can have a hole that nobody looked at since. */
static void settle_recent(struct streams *streams)
{
	struct flow *flow = streams->flows.lists[FLOW_LIVE].newest;

	while (flow && streams->now_ns - flow->last_ns < RECENT_NS) {
		struct flow *older = flow->older;

		for (unsigned int end = 0; end < 2; end++) {
			struct side s = side_of(streams, flow, end);

			if (s.half->pending)
				settle(&s, false);
		}
		flow = older;
	}
}

void streams_tick(struct streams *streams, uint64_t now_ns)
{
	static const uint64_t idle_ns[FLOW_LISTS] = {
		[FLOW_YOUNG] = STREAM_YOUNG_NS,
		[FLOW_LIVE] = STREAM_IDLE_NS,
	};

	/* Frames may be stamped a little ahead of a clock that was set back. */
	if (now_ns < streams->now_ns)
		return;
	streams->now_ns = now_ns;
	settle_recent(streams);
	for (enum flow_list_id list = 0; list < FLOW_LISTS; list++) {
		const struct flow *flow;

		while ((flow = flow_oldest(&streams->flows, list)) && now_ns > flow->last_ns &&
		       now_ns - flow->last_ns > idle_ns[list])
			end_oldest(streams, list, STREAM_IDLE);
	}
}
