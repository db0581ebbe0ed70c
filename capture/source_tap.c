#include "capture/source_tap.h"

#include <time.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/counter_file.h"

/* The longest MTU of the lower devices that there are, and room for headers and tags. */
#define FRAME_MAX (65536u + 4096u)

/* A source is read by one thread, and a frame is done with before the next. */
static uint8_t frame_bytes[FRAME_MAX];

void source_tap_open(struct source_tap *source, int fd, uint32_t ifindex, struct stats_link *stats)
{
	*source = (struct source_tap){
		.fd = fd, .dropped_fd = -1, .ifindex = ifindex, .stats = stats
	};
}

void source_tap_close(struct source_tap *source)
{
	if (source->fd >= 0)
		close(source->fd);
	if (source->dropped_fd >= 0)
		close(source->dropped_fd);
	source->fd = source->dropped_fd = -1;
}

static void set(stat_counter *counter, uint64_t value)
{
	atomic_store_explicit(counter, value, memory_order_relaxed);
}

void source_tap_count(struct source_tap *source, int fd, uint64_t dropped)
{
	if (source->dropped_fd >= 0)
		close(source->dropped_fd);
	source->dropped_fd = fd;
	/* A reader before this one may have told more. */
	if (stat_get(&source->stats->tap_ifindex) == source->ifindex &&
	    stat_get(&source->stats->tap_dropped) >= dropped)
		return;
	set(&source->stats->tap_ifindex, source->ifindex);
	set(&source->stats->tap_dropped, dropped);
}

size_t source_tap_read(struct source_tap *source, size_t max, source_frame_cb cb, void *data)
{
	struct source_frame frame = { .direction = STATS_TO_GUEST };
	size_t n = 0;

	while (n < max) {
		ssize_t len = read(source->fd, frame_bytes, sizeof(frame_bytes));

		if (len < 0)
			break;
		frame.time_ns = clock_ns(CLOCK_REALTIME);
		frame.in = (struct decode_input){
			.bytes = frame_bytes,
			.len = (uint32_t)len,
			.wire_len = (uint32_t)len,
		};
		cb(data, &frame);
		n++;
	}
	return n;
}

int source_tap_losses(struct source_tap *source, struct source_losses *ret)
{
	uint64_t dropped;
	int code;

	*ret = (struct source_losses){ 0 };
	if (source->dropped_fd < 0)
		return 0;
	code = counter_file_read(source->dropped_fd, &dropped);
	if (code)
		return code;
	ret->tap_full = dropped - stat_get(&source->stats->tap_dropped);
	set(&source->stats->tap_dropped, dropped);
	return 0;
}
