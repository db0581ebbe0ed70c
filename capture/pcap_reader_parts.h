/* What the readers of pcap and of pcapng share. Pure. */
#ifndef TW_PCAP_READER_PARTS_H
#define TW_PCAP_READER_PARTS_H

#include <string.h>

#include "capture/pcap_reader.h"

static inline uint16_t pcap_get16(const struct pcap_reader *r, const uint8_t *p)
{
	uint16_t value;

	memcpy(&value, p, sizeof(value));
	return r->swapped ? __builtin_bswap16(value) : value;
}

static inline uint32_t pcap_get32(const struct pcap_reader *r, const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return r->swapped ? __builtin_bswap32(value) : value;
}

static inline uint64_t pcap_get64(const struct pcap_reader *r, const uint8_t *p)
{
	uint64_t value;

	memcpy(&value, p, sizeof(value));
	return r->swapped ? __builtin_bswap64(value) : value;
}

void pcap_step_bad(struct pcap_step *ret, const char *why);
void pcap_step_need(struct pcap_step *ret, size_t bytes);

/* Described by nothing yet. NULL: there can be no more, and `ret` says why. */
struct pcap_interface *pcap_interface_add(struct pcap_reader *r, struct pcap_step *ret);

/* One step over a pcapng file, a section header's among them. */
void pcapng_block(struct pcap_reader *r, const uint8_t *data, size_t len, struct pcap_step *ret);

#endif
