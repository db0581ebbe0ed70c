/* links: capture/stream.c capture/stream_pending.c capture/stream_piece.c capture/stream_kept.c */
/* links: capture/stream_order.c */
/* links: capture/flow.c */
/*
 * Segments as hostile ends may send them, eight bytes each: which of four flows and direction,
 * flags, sequence, acknowledgement, length, time. Every byte handed over has to be one that was
 * sent for its place, offsets have no hole that was not told, and memory stays inside its bound.
 */
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "capture/stream.h"

#define STEP   8u
#define MEMORY 65536u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reader {
	uint64_t offset; /* of the next byte */
	uint32_t base; /* sequence number of offset 0 */
};

/* The two versions that are ever sent for a sequence number. */
static uint8_t byte_at(uint32_t seq, unsigned int version)
{
	return (uint8_t)(seq * 7u + version * 128u);
}

static struct reader *reader_of(struct flow *flow, unsigned int end)
{
	struct stream_half *half = &flow->half[end];

	if (!half->user) {
		half->user = calloc(1, sizeof(struct reader));
		if (!half->user)
			abort();
		((struct reader *)half->user)->base = half->seq - (uint32_t)half->offset;
	}
	return half->user;
}

static void on_data(void *data, struct flow *flow, unsigned int end,
		    const struct stream_chunk *chunk)
{
	struct reader *reader = reader_of(flow, end);
	struct stream_span span;

	(void)data;
	if (chunk->offset != reader->offset || !chunk->len)
		abort();
	for (size_t i = 0; i < chunk->len; i++) {
		uint32_t seq = reader->base + (uint32_t)(chunk->offset + i);

		if (chunk->bytes[i] != byte_at(seq, 0) && chunk->bytes[i] != byte_at(seq, 1))
			abort();
	}
	reader->offset += chunk->len;
	if (stream_spans(&flow->half[end], chunk->offset, chunk->len, &span, 1) &&
	    span.packet != chunk->packet)
		abort();
	if (chunk->len % 2)
		stream_forget(&flow->half[end], chunk->offset);
}

static void on_gap(void *data, struct flow *flow, unsigned int end, uint64_t offset, uint64_t len,
		   uint64_t now_ns)
{
	struct reader *reader = reader_of(flow, end);

	(void)data;
	(void)now_ns;
	if (offset != reader->offset || !len)
		abort();
	reader->offset += len;
}

static void on_end(void *data, struct flow *flow, unsigned int end, enum stream_end why,
		   uint64_t now_ns)
{
	(void)data;
	(void)now_ns;
	if ((unsigned int)why >= STREAM_ENDS)
		abort();
	free(flow->half[end].user);
	flow->half[end].user = NULL;
}

static void run_step(struct streams *streams, const uint8_t *p, uint64_t packet, uint64_t *now_ns)
{
	static const uint8_t ips[2][4] = { { 10, 0, 0, 1 }, { 10, 0, 0, 2 } };
	static uint8_t bytes[2048];
	unsigned int answer = p[0] & 1, version = p[0] >> 1 & 1;
	size_t len = p[4] * (p[0] & 0x80 ? 8u : 1u);
	struct frame frame = {
		.ip_version = 4,
		.src_ip = ips[answer],
		.dst_ip = ips[!answer],
		.src_port = (uint16_t)(answer ? 80 : p[0] >> 2 & 3),
		.dst_port = (uint16_t)(answer ? p[0] >> 2 & 3 : 80),
		.has_tcp = true,
		.tcp_flags = p[1] & (TH_FIN | TH_SYN | TH_RST | TH_ACK),
		.tcp_seq = 0xffffff00u + (uint32_t)(p[2] << 8 | p[3]),
		.tcp_ack = 0xffffff00u + (uint32_t)(p[5] << 8 | p[6]),
		.payload = bytes,
		.payload_len = len,
		.payload_wire_len = len + (p[1] & 0x40 ? p[7] : 0u),
	};

	*now_ns += (uint64_t)p[7] << (p[1] & 0x80 ? 30 : 20);
	for (size_t i = 0; i < len; i++)
		bytes[i] = byte_at(frame.tcp_seq + ((frame.tcp_flags & TH_SYN) != 0) + (uint32_t)i,
				   version);
	if (p[0] & 0x40)
		streams_tick(streams, *now_ns);
	else
		streams_frame(streams, &frame, 0, packet, *now_ns);
	if (streams->flows.memory > streams->flows.memory_max)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct stream_ops ops = { .data = on_data, .gap = on_gap, .end = on_end };
	const struct stream_conf conf = { .memory = MEMORY, .pending = 8192, .seed = 1 };
	struct streams streams;
	uint64_t now_ns = 1;

	if (streams_init(&streams, &conf, &ops, NULL))
		abort();
	for (size_t at = 0; at + STEP <= size; at += STEP)
		run_step(&streams, data + at, at / STEP, &now_ns);
	streams_done(&streams);
	if (streams.flows.memory != streams.flows.n_buckets * sizeof(void *))
		abort();
	return 0;
}
