/*
 * Frames of an interface by libpcap, for whoever has no agent beside them. Edge.
 *
 * The interface is not made promiscuous: what it shows is what comes by anyway. The kernel hands
 * frames over in blocks, so that one may be some PCAP_LIVE_TIMEOUT_MS old when it is read.
 */
#ifndef TW_PCAP_LIVE_H
#define TW_PCAP_LIVE_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"

#define PCAP_LIVE_TIMEOUT_MS 100

struct pcap_live;

struct pcap_live_frame {
	const uint8_t *bytes;
	size_t len;
	size_t wire_len;
	uint64_t time_ns; /* CLOCK_REALTIME */
};

/* `frame` is valid during the call. */
typedef void (*pcap_live_cb)(void *data, const struct pcap_live_frame *frame);

/*
 * `bpf` may be NULL: the kernel then hands all frames over. `buffer` is the ring's size in bytes.
 * 0, or a negative errno with the reason.
 */
int pcap_live_open(const char *interface, const char *bpf, size_t buffer, struct pcap_live **ret,
		   struct err *err);
void pcap_live_close(struct pcap_live *live);

/* The LINKTYPE_ that a file of its frames would have. */
uint32_t pcap_live_link_type(const struct pcap_live *live);

/*
 * Waits for frames, at most `timeout_ms` and until a signal comes, and hands over those that are
 * there, some thousand at once at most. How many, or a negative errno with the reason.
 */
int pcap_live_read(struct pcap_live *live, int timeout_ms, pcap_live_cb cb, void *data,
		   struct err *err);

/* Frames that the kernel had no room for since the last call. */
uint64_t pcap_live_drops(struct pcap_live *live);

#endif
