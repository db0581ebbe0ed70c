/* links: web/pcapng_pick.c agent/base/buf.c */
/*
 * Any bytes as a file of kept frames, read in one piece and in small ones: what is picked is the
 * same, and is made of blocks of the file in their order.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "web/pcapng_pick.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void pick(const uint8_t *data, size_t size, size_t piece, struct buf *out)
{
	struct pcapng_pick *picker = calloc(1, sizeof(*picker));
	size_t at = 0, have = 0;

	picker->link = "web01";
	picker->rule = "order";
	while (at < size && (have < size - at || piece == size)) {
		ssize_t used;

		have = have + piece < size - at ? have + piece : size - at;
		used = pcapng_pick(picker, data + at, have, out);
		if (used < 0 || (piece == size && used == 0))
			break;
		if ((size_t)used > have)
			abort();
		at += (size_t)used;
		have -= (size_t)used;
	}
	free(picker);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole, pieces;

	if (size == 0 || size > 65536)
		return 0;
	buf_init(&whole, 1u << 20);
	buf_init(&pieces, 1u << 20);
	pick(data, size, size, &whole);
	pick(data, size, 13, &pieces);
	if (whole.len > size || whole.len != pieces.len ||
	    (whole.len && memcmp(whole.data, pieces.data, whole.len) != 0))
		abort();
	buf_done(&whole);
	buf_done(&pieces);
	return 0;
}
