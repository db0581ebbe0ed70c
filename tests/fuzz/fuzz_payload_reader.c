/* links: capture/payload_reader.c agent/base/parse.c agent/base/err.c */
/*
 * A payload log of whoever wrote it: what is read lies in the bytes that there are, and an entry is
 * the same with more bytes behind it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "capture/payload_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct payload_entry entry, alone;
	size_t at = 0, used, used_alone;

	while (at < size && payload_read(data + at, size - at, &entry, &used) == PAYLOAD_ENTRY) {
		require(used > 0 && used <= size - at);
		require(entry.frame.payload >= data + at &&
			entry.frame.payload + entry.frame.payload_len < data + at + used);
		require(payload_read(data + at, used, &alone, &used_alone) == PAYLOAD_ENTRY);
		require(used_alone == used && alone.frame.payload_len == entry.frame.payload_len);
		require(payload_read(data + at, used - 1, &alone, &used_alone) == PAYLOAD_MORE);
		at += used;
	}
	return 0;
}
