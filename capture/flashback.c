#include "capture/flashback.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RING_MIN 4096u

/* Frames of one flow that one match can have. */
#define CHAIN_MAX 4096u

/* In the ring, in front of each frame's bytes. */
struct entry {
	struct flashback_frame frame;
	uint64_t before; /* position of the flow's frame before, plus 1; 0: none */
	uint64_t room; /* bytes that it takes in the ring, with what is left unused behind it */
	bool taken;
};

static size_t power_of_two(size_t n, size_t least)
{
	size_t power = least;

	while (power < n)
		power *= 2;
	return power;
}

int flashback_init(struct flashback *flashback, size_t bytes, size_t flows)
{
	*flashback = (struct flashback){
		.size = power_of_two(bytes, RING_MIN),
		.n_flows = power_of_two(flows, 1),
	};
	flashback->ring = malloc(flashback->size);
	flashback->flows = calloc(flashback->n_flows, sizeof(*flashback->flows));
	if (flashback->ring && flashback->flows)
		return 0;
	flashback_done(flashback);
	return -ENOMEM;
}

void flashback_done(struct flashback *flashback)
{
	free(flashback->ring);
	free(flashback->flows);
	*flashback = (struct flashback){ 0 };
}

static struct entry *entry_at(const struct flashback *flashback, uint64_t position)
{
	return (struct entry *)(flashback->ring + (position & (flashback->size - 1)));
}

/* Room of so many bytes in one piece; what is in the way goes. Returns its position. */
static uint64_t make_room(struct flashback *flashback, size_t room)
{
	size_t to_end = flashback->size - (flashback->head & (flashback->size - 1));
	uint64_t skip = to_end < room ? to_end : 0, end = flashback->head + skip + room;

	while (flashback->tail != flashback->head && end - flashback->tail > flashback->size)
		flashback->tail += entry_at(flashback, flashback->tail)->room;
	if (flashback->tail == flashback->head)
		flashback->tail += skip;
	else
		entry_at(flashback, flashback->newest)->room += skip;
	flashback->newest = flashback->head + skip;
	flashback->head = end;
	return flashback->newest;
}

static struct flashback_flow *flow_at(const struct flashback *flashback, uint64_t flow)
{
	return &flashback->flows[(flow * UINT64_C(0x9e3779b97f4a7c15) >> 20) &
				 (flashback->n_flows - 1)];
}

/* The entry of a link backwards; NULL when it is gone. */
static struct entry *entry_of(const struct flashback *flashback, uint64_t link)
{
	return link && link - 1 >= flashback->tail ? entry_at(flashback, link - 1) : NULL;
}

bool flashback_add(struct flashback *flashback, const struct flashback_frame *frame)
{
	size_t room = (sizeof(struct entry) + frame->len + 7) / 8 * 8;
	struct flashback_flow *flow = flow_at(flashback, frame->flow);
	struct entry *entry;
	uint64_t position;
	bool wanted;

	if (flow->flow != frame->flow)
		*flow = (struct flashback_flow){ .flow = frame->flow };
	wanted = flow->after > 0;
	flow->after -= wanted;
	if (room > flashback->size)
		return wanted;
	position = make_room(flashback, room);
	entry = entry_at(flashback, position);
	*entry = (struct entry){
		.frame = *frame,
		.before = flow->last,
		.room = room,
		.taken = wanted,
	};
	entry->frame.bytes = (const uint8_t *)(entry + 1);
	if (frame->len)
		memcpy(entry + 1, frame->bytes, frame->len);
	flow->last = position + 1;
	return wanted;
}

bool flashback_match(struct flashback *flashback, uint64_t flow_id, uint64_t first, uint32_t before,
		     uint32_t after, flashback_cb cb, void *data)
{
	struct flashback_flow *flow = flow_at(flashback, flow_id);
	struct entry *chain[CHAIN_MAX], *entry;
	uint64_t link = flow->last;
	size_t n = 0, n_before = 0;
	bool reaches = false;

	if (flow->flow != flow_id)
		return false;
	if (after > flow->after)
		flow->after = after;
	while (n < CHAIN_MAX && (entry = entry_of(flashback, link))) {
		reaches = reaches || entry->frame.number <= first;
		if (entry->frame.number < first && n_before++ == before)
			break;
		if (!entry->taken)
			chain[n++] = entry;
		link = entry->before;
	}
	while (n > 0) {
		n--;
		chain[n]->taken = cb(data, &chain[n]->frame);
	}
	return reaches;
}
