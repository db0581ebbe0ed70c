/* A decoded frame as plain data: where the parts of a frame lie in its bytes. Pure. */
#ifndef TW_FRAME_H
#define TW_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_VLANS_MAX 8

/* IEEE 802.1Q: the low 12 bits of a tag. */
#define FRAME_VLAN_ID(tci) ((uint16_t)((tci)&0x0fff))

/* Pointers go into the bytes that were decoded, or are NULL for what the frame does not have. */
struct frame {
	const uint8_t *dst_mac;
	const uint8_t *src_mac;
	uint16_t vlan[FRAME_VLANS_MAX]; /* VLAN ids, outermost first */
	unsigned int n_vlans;
	uint16_t ether_type; /* after the tags; 0 for an IEEE 802.3 length field */

	uint8_t ip_version; /* 4, 6, or 0: not IP */
	const uint8_t *src_ip; /* 4 or 16 bytes */
	const uint8_t *dst_ip;
	uint8_t hop_limit; /* of IPv6; 0 where fragments were put together */
	uint8_t proto; /* of the last header read, IPPROTO_*; meaningful when ip_version is set */
	bool fragment; /* a part of a larger packet: payload, if any, is that of the part */
	bool fragment_more; /* not the last part */
	uint32_t fragment_offset; /* bytes */
	uint32_t fragment_id;
	uint8_t fragment_proto; /* what the part is of; IPv6 may have further headers in it */
	const uint8_t *part; /* bytes of the larger packet's IP payload, from fragment_offset on */
	size_t part_len;

	bool has_ports;
	uint16_t src_port;
	uint16_t dst_port;
	bool has_tcp;
	const uint8_t *tcp; /* its header */
	uint32_t tcp_seq;
	uint32_t tcp_ack;
	uint8_t tcp_flags; /* TH_FIN ... of netinet/tcp.h */
	bool has_icmp; /* ICMP or ICMPv6; the payload is what follows the first 8 bytes */
	uint8_t icmp_type;
	uint8_t icmp_code;
	const uint8_t *arp; /* of Ethernet and IPv4, the 28 bytes of RFC 826; or NULL */
	const uint8_t *payload; /* of TCP, UDP or ICMP; may have length 0 */
	size_t payload_len; /* captured */
	size_t payload_wire_len; /* as the headers say; more when the capture cut the frame */
	size_t payload_offset; /* from the first byte of the frame as captured */

	bool truncated; /* the capture kept less than was on the wire */
};

#endif
