/*
 * Which packet the last bytes of a stream came in: a small ring for each direction of a flow.
 *
 * Pure. Of every piece a sum is kept beside its packet, so that a segment that is sent once more
 * with other bytes is noticed although the bytes are gone.
 */
#ifndef TW_STREAM_PIECE_H
#define TW_STREAM_PIECE_H

#include <stdbool.h>

#include "capture/flow.h"

/* The bytes come behind half->offset. Without memory the piece is not remembered. */
void stream_piece_add(struct flow_table *table, const struct flow *flow, struct stream_half *half,
		      const uint8_t *bytes, size_t len, uint64_t packet);

/* Whether a piece that began at `offset` and was as long is known to have had other bytes. */
bool stream_piece_differs(const struct stream_half *half, const uint8_t *bytes, size_t len,
			  uint64_t offset);

void stream_pieces_free(struct flow_table *table, struct stream_half *half);

#endif
