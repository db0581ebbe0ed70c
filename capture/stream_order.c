#include "capture/stream_order.h"

#include "capture/stream_kept.h"
#include "capture/stream_piece.h"

static void advance(struct stream_side *s, uint64_t len)
{
	s->half->offset += len;
	s->half->seq += (uint32_t)len;
}

static void tell_gap(struct stream_side *s, uint64_t len)
{
	struct streams *streams = s->streams;

	streams->counts.gaps++;
	streams->counts.gap_bytes += len;
	streams->ops->gap(streams->data, s->flow, s->end, s->half->offset, len, streams->now_ns);
	advance(s, len);
}

/* The first byte of `part` is the next of the stream. */
static void deliver(struct stream_side *s, const struct stream_part *part)
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
	if (streams->in_path)
		stream_kept_add(&streams->flows, s->flow, s->end, part->bytes, part->len);
	streams->ops->data(streams->data, s->flow, s->end, &chunk);
}

/* A gap as long as was cut off, unless what is behind it came by another segment. */
static void deliver_missing(struct stream_side *s, uint32_t missing)
{
	uint64_t len = missing;

	if (s->half->pending && s->half->pending->offset - s->half->offset < len)
		len = s->half->pending->offset - s->half->offset;
	if (len)
		tell_gap(s, len);
}

/* The first one that waits is next; a gap before it was told. */
static void deliver_pending(struct stream_side *s)
{
	struct stream_segment *segment = s->half->pending;
	struct stream_part part = {
		.bytes = segment->bytes,
		.offset = segment->offset,
		.packet = segment->packet,
		.len = segment->len,
	};

	s->half->pending = segment->next;
	deliver(s, &part);
	deliver_missing(s, segment->missing);
	stream_segment_free(s, segment);
}

/* Whether nobody will send the bytes of the hole before the first segment that waits. */
static bool hole_is_lost(const struct stream_side *s)
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

void stream_order_settle(struct stream_side *s, bool force)
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

void stream_order_end(struct stream_side *s)
{
	const struct stream_half *half = s->half, *other = &s->flow->half[!s->end];
	int32_t missing = 0;

	if (half->has_fin)
		missing = (int32_t)(half->fin_seq - half->seq);
	else if (other->acked)
		missing = (int32_t)(other->ack - half->seq);
	if (missing > 0 && missing <= STREAM_WINDOW_MAX)
		tell_gap(s, (uint32_t)missing);
}

/* More waits than may: the hole is given up where that is all that can be done. */
static void make_room(struct stream_side *s, uint32_t len)
{
	while (!stream_pending_fits(s, len) && s->half->pending && !s->flow->half[!s->end].acked) {
		uint64_t hole = s->half->pending->offset - s->half->offset;

		if (hole)
			tell_gap(s, hole);
		deliver_pending(s);
	}
}

/* `part` begins with the next byte: hands it over together with what waited for it. */
static void take_next(struct stream_side *s, struct stream_part part)
{
	do {
		const struct stream_segment *pending = s->half->pending;
		struct stream_part head = part;

		if (pending && pending->offset - part.offset < part.len)
			head.len = (uint32_t)(pending->offset - part.offset);
		if (head.len)
			deliver(s, &head);
		stream_part_skip(&part, head.len);
		if (!part.len)
			deliver_missing(s, part.missing);
		stream_order_settle(s, false);
		if (part.len)
			stream_part_skip_to(s, &part, s->half->offset);
	} while (part.len);
}

static void wait_behind_hole(struct stream_side *s, struct stream_part part)
{
	struct streams *streams = s->streams;

	streams->waits = true;
	if (streams->ops->wait)
		streams->ops->wait(streams->data, s->flow, s->end, streams->now_ns);
	stream_pending_add(s, part);
}

void stream_order_take(struct stream_side *s, struct stream_part part)
{
	s->streams->counts.conflicts += stream_pending_differs(s, &part);
	if (part.offset > s->half->offset)
		make_room(s, part.len);
	/* Giving up holes may have made it the next, or old. */
	if (part.offset < s->half->offset)
		stream_part_skip_to(s, &part, s->half->offset);
	if (!part.len && !part.missing)
		return;
	if (part.offset == s->half->offset)
		take_next(s, part);
	else if (part.len)
		wait_behind_hole(s, part);
	stream_order_settle(s, false);
}
