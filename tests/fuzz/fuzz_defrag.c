/* links: capture/defrag.c capture/decode.c capture/decode_link.c */
/*
 * Fragments as hostile ends may send them, six bytes each: version, which of the bytes, flags; id;
 * offset; length; time. A packet that is put together has at every place a byte that was sent for
 * it, from a fragment that its spans name; memory stays inside its bound.
 */
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>

#include "capture/defrag.h"

#define STEP   6u
#define MEMORY 32768u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t byte_at(size_t offset, unsigned int version)
{
	return (uint8_t)(offset * 7u + version * 128u);
}

static void on_incomplete(void *data, const struct frame *frame, const void *owner, uint64_t packet,
			  uint64_t first_ns)
{
	(void)packet;
	(void)first_ns;
	if (owner != data || !frame->truncated || !data)
		abort();
}

static void check(const struct defrag *defrag, const struct frame *frame)
{
	size_t at = 0;

	for (size_t i = 0; i < defrag->n_spans; i++) {
		if (defrag->spans[i].offset != at || !defrag->spans[i].len)
			abort();
		at += defrag->spans[i].len;
	}
	for (size_t i = 0; i < at; i++) {
		if (defrag->joined[i] != byte_at(i, 0) && defrag->joined[i] != byte_at(i, 1))
			abort();
	}
	if (frame->payload && (frame->payload < defrag->joined ||
			       frame->payload + frame->payload_len > defrag->joined + at))
		abort();
}

static void run_step(struct defrag *defrag, const uint8_t *p, uint64_t number, uint64_t *now_ns)
{
	static const uint8_t ips[2][16] = { { 1 }, { 2 } };
	static uint8_t bytes[4096];
	struct frame frame = {
		.ip_version = p[0] & 1 ? 6 : 4,
		.src_ip = ips[0],
		.dst_ip = ips[1],
		.fragment = true,
		.fragment_more = p[0] & 4,
		.fragment_offset = (uint32_t)(p[2] << 8 | p[3]) & 0xfff8u,
		.fragment_id = p[1],
		.fragment_proto = p[0] & 8 ? IPPROTO_TCP : IPPROTO_UDP,
		.part = bytes,
		.part_len = p[4] * (p[0] & 16 ? 8u : 1u),
	};
	struct frame whole;

	*now_ns += (uint64_t)p[5] << 25;
	for (size_t i = 0; i < frame.part_len; i++)
		bytes[i] = byte_at(frame.fragment_offset + i, p[0] >> 1 & 1);
	if (defrag_add(defrag, &frame, 3, defrag, number, *now_ns, &whole) == DEFRAG_WHOLE)
		check(defrag, &whole);
	if (defrag->memory > defrag->memory_max)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct defrag *defrag = malloc(sizeof(*defrag));
	uint64_t now_ns = 1;

	if (!defrag || defrag_init(defrag, MEMORY, 1, on_incomplete, defrag))
		abort();
	for (size_t at = 0; at + STEP <= size; at += STEP)
		run_step(defrag, data + at, at / STEP, &now_ns);
	defrag_done(defrag);
	if (defrag->memory)
		abort();
	free(defrag);
	return 0;
}
