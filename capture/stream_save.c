#include "capture/stream_save.h"

#include <errno.h>
#include <string.h>

#include "capture/stream_kept.h"
#include "capture/stream_pending.h"

/* Offsets of a stream count from where it was picked up: none gets as far in a lifetime. */
#define OFFSET_MAX (UINT64_C(1) << 62)

struct saved_flow {
	struct flow_key key;
	uint8_t mac[2][6];
	uint16_t ether_type;
	uint8_t has_data, closed, has_side, from_guest;
	uint64_t last_ns;
};

struct saved_half {
	uint64_t offset, hole_ns;
	uint32_t seq, ack, fin_seq;
	uint32_t kept; /* bytes, which follow; */
	uint32_t n_pending; /* then so many segments, */
	uint8_t started, acked, has_fin, ended;
	uint32_t has_user; /* and what the reader has */
};

struct saved_segment {
	uint64_t offset, packet;
	uint32_t len, missing;
};

/* ---- saved ---------------------------------------------------------------------------------- */

static void save_half(const struct flow *flow, unsigned int end, const struct stream_save_ops *ops,
		      void *data, struct buf *out)
{
	const struct stream_half *half = &flow->half[end];
	struct saved_half saved = {
		.offset = half->offset,
		.hole_ns = half->hole_ns,
		.seq = half->seq,
		.ack = half->ack,
		.fin_seq = half->fin_seq,
		.n_pending = half->n_pending,
		.started = half->started,
		.acked = half->acked,
		.has_fin = half->has_fin,
		.ended = half->ended,
		.has_user = half->user != NULL,
	};
	size_t len;
	const uint8_t *kept = stream_kept_bytes(flow, end, &len);

	saved.kept = (uint32_t)len;
	buf_add(out, &saved, sizeof(saved));
	buf_add(out, kept, len);
	for (const struct stream_segment *s = half->pending; s; s = s->next) {
		const struct saved_segment segment = { s->offset, s->packet, s->len, s->missing };

		buf_add(out, &segment, sizeof(segment));
		buf_add(out, s->bytes, s->len);
	}
	if (half->user)
		ops->save(data, flow, end, out);
}

bool stream_save(const struct flow *flow, const struct stream_save_ops *ops, void *data,
		 struct buf *out)
{
	const size_t before = out->len;
	struct saved_flow saved = {
		.key = flow->key,
		.ether_type = flow->ether_type,
		.has_data = flow->has_data,
		.closed = flow->closed,
		.has_side = flow->has_side,
		.from_guest = flow->from_guest,
		.last_ns = flow->last_ns,
	};

	memcpy(saved.mac, flow->mac, sizeof(saved.mac));
	buf_add(out, &saved, sizeof(saved));
	for (unsigned int end = 0; end < 2; end++)
		save_half(flow, end, ops, data, out);
	if (!out->failed)
		return true;
	out->len = before;
	out->failed = false;
	return false;
}

/* ---- restored ------------------------------------------------------------------------------- */

static int restore_kept(struct streams *streams, struct flow *flow, unsigned int end, size_t len,
			struct cursor *in)
{
	const uint8_t *bytes = cursor_pull(in, len);

	if (!bytes)
		return -EBADMSG;
	stream_kept_add(&streams->flows, flow, end, bytes, len);
	return 0;
}

static int restore_pending(struct stream_side *s, struct cursor *in)
{
	struct saved_segment saved;
	struct stream_part part;

	if (!cursor_read(in, &saved, sizeof(saved)))
		return -EBADMSG;
	part = (struct stream_part){
		.bytes = cursor_pull(in, saved.len),
		.offset = saved.offset,
		.packet = saved.packet,
		.len = saved.len,
		.missing = saved.missing,
	};
	if (!part.bytes || saved.offset <= s->half->offset ||
	    saved.offset - s->half->offset > STREAM_WINDOW_MAX)
		return -EBADMSG;
	stream_pending_add(s, part);
	return 0;
}

static int restore_half(struct streams *streams, struct flow *flow, unsigned int end,
			const struct stream_save_ops *ops, void *data, struct cursor *in)
{
	struct stream_side s = { streams, flow, &flow->half[end], end };
	struct saved_half saved;
	int code;

	if (!cursor_read(in, &saved, sizeof(saved)) || saved.offset > OFFSET_MAX ||
	    saved.kept > STREAM_WINDOW_MAX || (saved.ended && saved.has_user))
		return -EBADMSG;
	s.half->offset = saved.offset;
	s.half->seq = saved.seq;
	s.half->ack = saved.ack;
	s.half->fin_seq = saved.fin_seq;
	s.half->started = saved.started;
	s.half->acked = saved.acked;
	s.half->has_fin = saved.has_fin;
	s.half->ended = saved.ended;
	code = restore_kept(streams, flow, end, saved.kept, in);
	for (uint32_t i = 0; code == 0 && i < saved.n_pending; i++)
		code = restore_pending(&s, in);
	s.half->hole_ns = saved.hole_ns;
	if (code == 0 && saved.has_user)
		code = ops->restore(data, flow, end, in);
	return code;
}

static struct flow *add(struct streams *streams, const struct flow_key *key,
			const struct saved_flow *saved)
{
	const struct frame frame = {
		.src_mac = saved->mac[0],
		.dst_mac = saved->mac[1],
		.ether_type = saved->ether_type,
	};
	struct flow *flow = flow_add(&streams->flows, key, &frame, 0,
				     (struct flow_place){ true, streams->strict });

	if (!flow) {
		streams->counts.refused++;
		return NULL;
	}
	flow->has_side = saved->has_side;
	flow->from_guest = saved->from_guest;
	flow_mark(&streams->flows, flow, saved->has_data, saved->closed);
	flow_touch(&streams->flows, flow, saved->last_ns);
	return flow;
}

int stream_restore(struct streams *streams, uint32_t link, const struct stream_save_ops *ops,
		   void *data, struct cursor *in, struct flow_key *ret_key)
{
	struct saved_flow saved;
	struct flow *flow;
	int code = 0;

	if (!cursor_read(in, &saved, sizeof(saved)) ||
	    (saved.key.ip_version != 4 && saved.key.ip_version != 6))
		return -EBADMSG;
	saved.key.link = link;
	memset(saved.key.zero, 0, sizeof(saved.key.zero));
	if (flow_find(&streams->flows, &saved.key))
		return -EBADMSG;
	*ret_key = saved.key;
	flow = add(streams, &saved.key, &saved);
	if (!flow)
		return -ENOMEM;
	for (unsigned int end = 0; code == 0 && end < 2; end++)
		code = restore_half(streams, flow, end, ops, data, in);
	if (code)
		streams_cut_flow(streams, flow, STREAM_EVICTED);
	return code;
}
