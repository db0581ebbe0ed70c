/*
 * Frames to their parts: Ethernet, VLAN tags, ARP, IPv4, IPv6 and its extension headers, TCP, UDP,
 * ICMP.
 *
 * Pure. Every read goes through a cursor. Checksums are not judged: a frame that was seen before
 * offload has none. Padding after an IP packet is cut by the packet's own length.
 */
#ifndef TW_DECODE_H
#define TW_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/frame.h"

/* Headers between IPv6 and its payload: RFC 8200 names seven kinds, each once but one. */
#define DECODE_EXTENSIONS_MAX 16

/* Why a frame has no payload although it looked as if it should; the names are metric labels. */
enum decode_reason {
	DECODE_OK, /* also for what is not looked into: LLC, GRE ... */
	DECODE_ETHERNET_SHORT,
	DECODE_VLAN_SHORT,
	DECODE_VLAN_DEPTH, /* more than FRAME_VLANS_MAX tags */
	DECODE_IP4_SHORT,
	DECODE_IP4_VERSION,
	DECODE_IP4_HEADER_LENGTH,
	DECODE_IP4_TOTAL_LENGTH,
	DECODE_IP4_FRAGMENT, /* not the first: its ports are in another frame */
	DECODE_IP6_SHORT,
	DECODE_IP6_VERSION,
	DECODE_IP6_PAYLOAD_LENGTH,
	DECODE_IP6_FRAGMENT,
	DECODE_EXTENSION_SHORT,
	DECODE_EXTENSION_COUNT, /* more than DECODE_EXTENSIONS_MAX */
	DECODE_TCP_SHORT,
	DECODE_TCP_HEADER_LENGTH,
	DECODE_UDP_SHORT,
	DECODE_UDP_LENGTH,
	DECODE_ICMP_SHORT,
	DECODE_ARP_SHORT,
	DECODE_LINK_TYPE, /* none that is known here */
	DECODE_REASONS
};

struct decode_input {
	const uint8_t *bytes;
	size_t len; /* captured */
	size_t wire_len; /* on the wire; more than len when the capture cut the frame */
};

/*
 * Always fills `ret` as far as the frame could be understood. A field of the frame that claims more
 * bytes than there are is an error only when the capture did not cut the frame.
 */
enum decode_reason decode_ethernet(const struct decode_input *in, struct frame *ret);

/*
 * The same for what a capture file says is no Ethernet: LINKTYPE_ of pcapng_format.h. MACs are
 * NULL then. In decode_link.c.
 */
enum decode_reason decode_link(uint32_t link_type, const struct decode_input *in,
			       struct frame *ret);

/*
 * The same for what is behind `offset` bytes of a header that are not looked at, of which the
 * EtherType is known; DECODE_ETHERNET_SHORT when there are not as many.
 */
enum decode_reason decode_packet(const struct decode_input *in, size_t offset, uint16_t ether_type,
				 struct frame *ret);

/*
 * The payload of an IP packet that came in fragments, put together: `frame` has the addresses, the
 * rest is filled in. `cut` says that only its first bytes are there.
 */
enum decode_reason decode_ip_payload(struct frame *frame, uint8_t proto, const uint8_t *bytes,
				     size_t len, bool cut);

/* "ip4-total-length"; never NULL for a value of the enum. */
const char *decode_reason_name(enum decode_reason reason);

#endif
