/* links: capture/pcap_reader.c capture/pcapng_reader.c */
/*
 * A capture file that someone sends: every step gives a packet inside the bytes, goes on, asks for
 * more than there is, or stops.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "capture/pcap_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct pcap_step *step, const uint8_t *data, size_t len)
{
	const struct pcap_packet *packet = &step->packet;

	switch (step->result) {
	case PCAP_PACKET:
		if (step->used == 0 || step->used > len || packet->bytes < data ||
		    packet->len > PCAP_PACKET_MAX ||
		    packet->len > (size_t)(data + len - packet->bytes))
			abort();
		break;
	case PCAP_LOSS:
		if (packet->bytes || !packet->drops)
			abort();
		__attribute__((fallthrough));
	case PCAP_NO_PACKET:
		if (step->used == 0)
			abort();
		break;
	case PCAP_MORE:
		if (step->used || step->need <= len || step->need > PCAP_NEED_MAX)
			abort();
		break;
	case PCAP_BAD:
		if (step->used || !step->why)
			abort();
		break;
	}
}

static uint64_t read_all(const uint8_t *data, size_t size)
{
	struct pcap_reader reader;
	struct pcap_step step;
	uint64_t sum = 0;
	size_t at = 0;

	pcap_reader_init(&reader);
	for (;;) {
		pcap_reader_next(&reader, data + at, size - at, &step);
		check(&step, data + at, size - at);
		if (step.result == PCAP_PACKET) {
			sum = sum * 31 + step.packet.time_ns + step.packet.len;
			for (size_t i = 0; i < step.packet.len; i++)
				sum += step.packet.bytes[i];
		}
		if (step.used == 0 || step.used >= size - at)
			break;
		at += (size_t)step.used;
	}
	pcap_reader_done(&reader);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of exactly its size, so that a sanitizer sees one byte too far. */
	uint8_t *exact = malloc(size ? size : 1);

	if (!exact)
		return 0;
	memcpy(exact, data, size);
	(void)read_all(exact, size);
	free(exact);
	return 0;
}
