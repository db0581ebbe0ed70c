#include "capture/stream_kept.h"

#include <stdbool.h>
#include <string.h>

#define KEPT_FIRST 64u

/* What stays when it is empty: the next segment comes to as much. */
#define KEPT_STAYS 2048u

/* No window is larger; the account of the table is the bound that counts. */
#define KEPT_MAX (1u << 30)

struct kept_bytes {
	uint8_t *bytes; /* before half->offset; NULL: none, or there was no memory for them */
	uint32_t from, len, cap;
};

struct stream_kept {
	struct kept_bytes half[2]; /* by the end that sends */
};

static void bytes_free(struct flow_table *table, struct kept_bytes *kept)
{
	flow_free(table, kept->bytes, kept->cap);
	*kept = (struct kept_bytes){ 0 };
}

static struct stream_kept *kept_in(const struct flow *flow)
{
	return flow->in_path ? flow->kept[0] : NULL;
}

void stream_kept_free(struct flow_table *table, struct flow *flow)
{
	struct stream_kept *kept = kept_in(flow);

	if (!kept)
		return;
	bytes_free(table, &kept->half[0]);
	bytes_free(table, &kept->half[1]);
	flow_free(table, kept, sizeof(*kept));
	flow->kept[0] = NULL;
}

static struct kept_bytes *kept_of(struct flow_table *table, struct flow *flow, unsigned int end)
{
	struct stream_kept *kept = kept_in(flow);

	if (!kept) {
		kept = flow_alloc(table, flow, sizeof(*kept));
		if (!kept)
			return NULL;
		*kept = (struct stream_kept){ 0 };
		flow->kept[0] = kept;
	}
	return &kept->half[end];
}

/* Room for `len` bytes more; the memory is another one after it. */
static bool grow(struct flow_table *table, const struct flow *flow, struct kept_bytes *kept,
		 size_t len)
{
	size_t cap = kept->cap ? kept->cap : KEPT_FIRST;
	uint8_t *bytes;

	while (cap < kept->len + len && cap < KEPT_MAX)
		cap *= 2;
	bytes = cap < kept->len + len ? NULL : flow_alloc(table, flow, cap);
	if (!bytes)
		return false;
	if (kept->bytes && kept->len)
		memcpy(bytes, kept->bytes + kept->from, kept->len);
	flow_free(table, kept->bytes, kept->cap);
	kept->bytes = bytes;
	kept->cap = (uint32_t)cap;
	kept->from = 0;
	return true;
}

void stream_kept_add(struct flow_table *table, struct flow *flow, unsigned int end,
		     const uint8_t *bytes, size_t len)
{
	struct kept_bytes *kept = kept_of(table, flow, end);

	if (!kept || !len)
		return;
	if (!kept->bytes || kept->len + len > kept->cap) {
		/* What is not kept is not known when it comes again. */
		if (!grow(table, flow, kept, len)) {
			bytes_free(table, kept);
			return;
		}
	} else if (kept->from + kept->len + len > kept->cap) {
		memmove(kept->bytes, kept->bytes + kept->from, kept->len);
		kept->from = 0;
	}
	memcpy(kept->bytes + kept->from + kept->len, bytes, len);
	kept->len += (uint32_t)len;
}

void stream_kept_trim(struct flow_table *table, struct flow *flow, unsigned int end)
{
	struct stream_kept *both = kept_in(flow);
	struct kept_bytes *kept = both ? &both->half[end] : NULL;
	int32_t open = (int32_t)(flow->half[end].seq - flow->half[!end].ack);

	/* Of what was not seen yet, or long ago, it tells nothing. */
	if (!kept || !flow->half[!end].acked || open < 0 || (uint32_t)open >= kept->len)
		return;
	kept->from += kept->len - (uint32_t)open;
	kept->len = (uint32_t)open;
	if (kept->len)
		return;
	kept->from = 0;
	if (kept->cap > KEPT_STAYS)
		bytes_free(table, kept);
}

const uint8_t *stream_kept_bytes(const struct flow *flow, unsigned int end, size_t *ret_len)
{
	const struct stream_kept *both = kept_in(flow);
	const struct kept_bytes *kept = both ? &both->half[end] : NULL;

	*ret_len = kept && kept->bytes ? kept->len : 0;
	return *ret_len ? kept->bytes + kept->from : NULL;
}

enum stream_repeat stream_kept_compare(const struct flow *flow, unsigned int end,
				       const uint8_t *bytes, size_t len, uint64_t offset)
{
	static const struct kept_bytes none;
	const struct stream_kept *both = kept_in(flow);
	const struct kept_bytes *kept = both ? &both->half[end] : &none;
	const struct stream_half *half = &flow->half[end], *other = &flow->half[!end];
	const int64_t begin = (int64_t)(offset - half->offset);
	int64_t from = begin, to = begin + (int64_t)len, first = -(int64_t)kept->len;

	/* All places are counted from half->offset: what was seen is before 0. */
	if (other->acked && from < (int32_t)(other->ack - half->seq))
		from = (int32_t)(other->ack - half->seq);
	to = to < 0 ? to : 0;
	if (from >= to)
		return STREAM_REPEAT_SAME;
	if (from < first || !kept->bytes)
		return STREAM_REPEAT_UNKNOWN;
	if (memcmp(kept->bytes + kept->from + (from - first), bytes + (from - begin),
		   (size_t)(to - from)) != 0)
		return STREAM_REPEAT_OTHER;
	return STREAM_REPEAT_SAME;
}
