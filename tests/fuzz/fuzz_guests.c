/* links: capture/neighbours.c capture/neighbours_dhcp.c capture/dhcp.c capture/talkers.c */
/* links: capture/decode.c agent/base/stats_guest.c agent/base/stats_traffic.c agent/base/parse.c */
/* links: capture/decode_link.c */
/* links: agent/base/err.c */
/*
 * Frames of two guests on one network: what is learned of them stays within its bounds and is what
 * a host can have. Of each frame the first three bytes say whose it is, which way it went, how much
 * later it came and how long it is; the rest of the input is split by that.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "capture/decode.h"
#include "capture/neighbours.h"
#include "capture/talkers.h"

#define GUESTS 2
#define HEAD   3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct guest {
	struct neighbours neighbours;
	struct talkers talkers;
	struct stats_guest told;
	struct stats_talkers list;
	struct stats_link counters;
};

static void on_event(void *data, const struct neighbours *neighbours,
		     const struct neighbours_event *event)
{
	const struct stats_address *a = &event->address;
	unsigned int *events = data;

	++*events;
	if (event->kind == NEIGHBOURS_FOREIGN) {
		if (memcmp(event->mac, neighbours->mac, MAC_LEN) == 0)
			abort();
		return;
	}
	if ((a->version != 4 && a->version != 6) || a->learned >= STATS_LEARNED)
		abort();
	if (a->version == 4 ? a->ip[0] == 0 || a->ip[0] == 127 || a->ip[0] >= 224
			    : a->ip[0] == 0xff)
		abort();
	if (event->kind == NEIGHBOURS_LEASED && (!event->seconds || !event->server || !a->until_ns))
		abort();
	if (event->kind == NEIGHBOURS_CONFLICT && (!event->other || event->other == neighbours))
		abort();
}

/* What was never added to cannot be in the list more than once, and its sums hold together. */
static void check(const struct guest *g)
{
	uint64_t bytes = stat_get(&g->list.bytes), sum = 0;

	if (g->told.n > STATS_ADDRESSES_MAX || stat_get(&g->counters.addresses) != g->told.n ||
	    (g->told.seq & 1) || (g->list.seq & 1) || g->list.n > STATS_TALKERS_MAX)
		abort();
	if (memchr(g->told.hostname, '\0', sizeof(g->told.hostname)) == NULL)
		abort();
	for (uint32_t i = 0; i < g->told.n; i++) {
		for (uint32_t k = 0; k < i; k++) {
			const struct stats_address *a = &g->told.addresses[i];
			const struct stats_address *b = &g->told.addresses[k];

			if (a->version == b->version && a->vlan == b->vlan &&
			    memcmp(a->ip, b->ip, sizeof(a->ip)) == 0)
				abort();
		}
	}
	for (uint32_t i = 0; i < g->list.n; i++) {
		const struct stats_talker *t = &g->list.list[i];

		sum += stat_get(&t->bytes) - t->error;
		if (t->error > stat_get(&t->bytes) || stat_get(&t->bytes) > bytes)
			abort();
	}
	if (sum > bytes)
		abort();
}

/* Of exactly its size, so that a sanitizer sees one byte too far. */
static void give(struct guest *g, enum stats_direction direction, const uint8_t *bytes, size_t len,
		 uint64_t now_ns)
{
	uint8_t *exact = malloc(len ? len : 1);
	struct decode_input in = { .bytes = exact, .len = len, .wire_len = len };
	struct frame frame;

	if (!exact)
		return;
	memcpy(exact, bytes, len);
	decode_ethernet(&in, &frame);
	neighbours_frame(&g->neighbours, &frame, direction, now_ns);
	talkers_frame(&g->talkers, &frame, direction, len, now_ns);
	talkers_tick(&g->talkers, now_ns);
	free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t macs[GUESTS][MAC_LEN] = { { 0x52, 0x54, 0, 0, 0, 1 },
						       { 0x52, 0x54, 0, 0, 0, 2 } };
	unsigned int events = 0;
	struct neighbourhood hood = { .cb = on_event, .data = &events };
	struct guest *guests = calloc(GUESTS, sizeof(*guests));
	uint64_t now = UINT64_C(1000000000000);

	if (!guests)
		return 0;
	for (uint32_t i = 0; i < GUESTS; i++) {
		neighbours_init(&guests[i].neighbours, &hood, &guests[i].told, &guests[i].counters,
				i, 1, macs[i]);
		talkers_init(&guests[i].talkers, &guests[i].list, &guests[i].counters);
	}
	while (size > HEAD) {
		struct guest *g = &guests[data[0] & 1];
		size_t len = (size_t)data[1] << 3 | (data[0] >> 2 & 7);

		if (len > size - HEAD)
			len = size - HEAD;
		now += (uint64_t)data[2] * 1000000000u;
		give(g, data[0] & 2 ? STATS_TO_GUEST : STATS_FROM_GUEST, data + HEAD, len, now);
		data += HEAD + len;
		size -= HEAD + len;
	}
	for (uint32_t i = 0; i < GUESTS; i++) {
		check(&guests[i]);
		neighbours_done(&guests[i].neighbours);
	}
	free(guests);
	return 0;
}
