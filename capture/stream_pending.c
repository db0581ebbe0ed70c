#include "capture/stream_pending.h"

#include <string.h>

void stream_segment_free(struct stream_side *s, struct stream_segment *segment)
{
	s->half->pending_bytes -= segment->len;
	s->half->n_pending--;
	flow_free(&s->streams->flows, segment, sizeof(*segment) + segment->len);
}

void stream_pending_drop(struct stream_side *s)
{
	while (s->half->pending) {
		struct stream_segment *segment = s->half->pending;

		s->half->pending = segment->next;
		s->streams->counts.dropped++;
		stream_segment_free(s, segment);
	}
}

bool stream_pending_fits(const struct stream_side *s, uint32_t len)
{
	return s->half->n_pending < STREAM_PENDING_SEGMENTS &&
	       s->half->pending_bytes + len <= s->streams->conf.pending;
}

/* Puts bytes that are not there into the list, behind *at. */
static struct stream_segment **insert(struct stream_side *s, struct stream_segment **at,
				      const struct stream_part *part)
{
	struct stream_segment *segment = NULL;

	if (stream_pending_fits(s, part->len))
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

void stream_part_skip(struct stream_part *part, uint64_t n)
{
	uint32_t skip = n < part->len ? (uint32_t)n : part->len;

	part->bytes += skip;
	part->offset += skip;
	part->len -= skip;
}

bool stream_pending_differs(const struct stream_side *s, const struct stream_part *part)
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

void stream_part_skip_to(struct stream_side *s, struct stream_part *part, uint64_t offset)
{
	uint64_t old = offset - part->offset, seen = old < part->len ? old : part->len;

	s->streams->counts.repeated += seen;
	stream_part_skip(part, seen);
	/* Of a segment that was cut, only the part that is still to come is missing. */
	old -= seen;
	part->missing -= old < part->missing ? (uint32_t)old : part->missing;
	part->offset = offset;
}

void stream_pending_add(struct stream_side *s, struct stream_part part)
{
	struct stream_segment **at = &s->half->pending;

	if (!*at)
		s->half->hole_ns = s->streams->now_ns;
	while (part.len) {
		struct stream_part before = part;

		while (*at && (*at)->offset + (*at)->len <= part.offset)
			at = &(*at)->next;
		if (*at && (*at)->offset <= part.offset) {
			stream_part_skip_to(s, &part, (*at)->offset + (*at)->len);
			continue;
		}
		if (*at && (*at)->offset - part.offset < part.len) {
			before.len = (uint32_t)((*at)->offset - part.offset);
			before.missing = 0;
		}
		at = insert(s, at, &before);
		stream_part_skip(&part, before.len);
	}
}
