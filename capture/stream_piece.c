#include "capture/stream_piece.h"

#include <string.h>

#include "capture/stream.h"

#define PIECES_FIRST 4u

struct stream_piece {
	uint64_t offset;
	uint64_t packet;
	uint32_t len;
	uint32_t sum;
};

/* Not against an adversary: one that can choose bytes with equal sums stays unnoticed. */
static uint32_t sum_of(const uint8_t *bytes, size_t len)
{
	uint64_t h = len, word;

	for (; len >= sizeof(word); len -= sizeof(word), bytes += sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
	}
	word = 0;
	memcpy(&word, bytes, len);
	h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(h >> 32);
}

static struct stream_piece *piece_at(const struct stream_half *half, unsigned int i)
{
	return &half->pieces[(half->first_piece + i) % half->cap_pieces];
}

static void drop_first(struct stream_half *half)
{
	half->first_piece = (uint16_t)((half->first_piece + 1u) % half->cap_pieces);
	half->n_pieces--;
}

void stream_pieces_free(struct flow_table *table, struct stream_half *half)
{
	flow_free(table, half->pieces, half->cap_pieces * sizeof(*half->pieces));
	half->pieces = NULL;
	half->n_pieces = half->cap_pieces = half->first_piece = 0;
}

static void grow(struct flow_table *table, const struct flow *flow, struct stream_half *half)
{
	unsigned int cap = half->cap_pieces ? half->cap_pieces * 2u : PIECES_FIRST;
	unsigned int n = half->n_pieces;
	struct stream_piece *pieces;

	if (cap > STREAM_PIECES_MAX)
		return;
	pieces = flow_alloc(table, flow, cap * sizeof(*pieces));
	if (!pieces)
		return;
	for (unsigned int i = 0; i < n; i++)
		pieces[i] = *piece_at(half, i);
	stream_pieces_free(table, half);
	half->pieces = pieces;
	half->cap_pieces = (uint16_t)cap;
	half->n_pieces = (uint16_t)n;
}

void stream_piece_add(struct flow_table *table, const struct flow *flow, struct stream_half *half,
		      const uint8_t *bytes, size_t len, uint64_t packet)
{
	if (half->n_pieces == half->cap_pieces)
		grow(table, flow, half);
	if (!half->cap_pieces)
		return;
	if (half->n_pieces == half->cap_pieces)
		drop_first(half);
	half->n_pieces++;
	*piece_at(half, half->n_pieces - 1u) = (struct stream_piece){
		.offset = half->offset,
		.packet = packet,
		.len = (uint32_t)len,
		.sum = sum_of(bytes, len),
	};
}

bool stream_piece_differs(const struct stream_half *half, const uint8_t *bytes, size_t len,
			  uint64_t offset)
{
	for (unsigned int i = half->n_pieces; i-- > 0;) {
		const struct stream_piece *piece = piece_at(half, i);

		if (piece->offset == offset)
			/*
			 * A keep-alive repeats one byte, which need not be the one that was sent.
			 */
			return piece->len == len && len > 1 && piece->sum != sum_of(bytes, len);
		if (piece->offset < offset)
			return false;
	}
	return false;
}

void stream_forget(struct stream_half *half, uint64_t offset)
{
	while (half->n_pieces > STREAM_PIECES_BEHIND &&
	       piece_at(half, 0)->offset + piece_at(half, 0)->len <= offset)
		drop_first(half);
}

size_t stream_spans(const struct stream_half *half, uint64_t offset, uint64_t len,
		    struct stream_span *ret, size_t max)
{
	uint64_t end = offset + len;
	size_t n = 0;

	for (unsigned int i = 0; i < half->n_pieces && n < max; i++) {
		const struct stream_piece *piece = piece_at(half, i);
		uint64_t from = piece->offset > offset ? piece->offset : offset;
		uint64_t to = piece->offset + piece->len < end ? piece->offset + piece->len : end;

		if (from < to)
			ret[n++] = (struct stream_span){ from, to - from, piece->packet };
	}
	return n;
}
