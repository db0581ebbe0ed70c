#include "capture/decode.h"

#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

#include "agent/base/cursor.h"

/* IEEE 802.1Q-in-Q before it was standardised; still seen from switches. */
#define ETHERTYPE_QINQ_OLD 0x9100
#define ETHERTYPE_8021AD   0x88a8

/* Below it, the field is a length: IEEE 802.3 section 3.2.6. */
#define ETHERTYPE_MIN 0x0600

/* RFC 7401, RFC 5533, RFC 4727; the C library has no names for them. */
#define IPPROTO_HIP	     139
#define IPPROTO_SHIM6	     140
#define IPPROTO_EXPERIMENT_1 253
#define IPPROTO_EXPERIMENT_2 254

struct decoder {
	struct cursor c;
	struct frame *frame;
	bool cut; /* the capture kept less than was on the wire */
	size_t missing; /* bytes of the packet that it did not keep */
};

struct ether_step {
	uint16_t type;
	bool tag; /* another EtherType follows */
	enum decode_reason (*decode)(struct decoder *d);
};

struct upper_step {
	uint8_t ip_version; /* 0: either */
	enum decode_reason (*extension)(struct decoder *d, uint8_t *ret_next);
	enum decode_reason (*payload)(struct decoder *d); /* the last header */
};

static const char *const reason_names[DECODE_REASONS] = {
	[DECODE_OK] = "ok",
	[DECODE_ETHERNET_SHORT] = "ethernet-short",
	[DECODE_VLAN_SHORT] = "vlan-short",
	[DECODE_VLAN_DEPTH] = "vlan-depth",
	[DECODE_IP4_SHORT] = "ip4-short",
	[DECODE_IP4_VERSION] = "ip4-version",
	[DECODE_IP4_HEADER_LENGTH] = "ip4-header-length",
	[DECODE_IP4_TOTAL_LENGTH] = "ip4-total-length",
	[DECODE_IP4_FRAGMENT] = "ip4-fragment",
	[DECODE_IP6_SHORT] = "ip6-short",
	[DECODE_IP6_VERSION] = "ip6-version",
	[DECODE_IP6_PAYLOAD_LENGTH] = "ip6-payload-length",
	[DECODE_IP6_FRAGMENT] = "ip6-fragment",
	[DECODE_EXTENSION_SHORT] = "extension-short",
	[DECODE_EXTENSION_COUNT] = "extension-count",
	[DECODE_TCP_SHORT] = "tcp-short",
	[DECODE_TCP_HEADER_LENGTH] = "tcp-header-length",
	[DECODE_UDP_SHORT] = "udp-short",
	[DECODE_UDP_LENGTH] = "udp-length",
	[DECODE_ICMP_SHORT] = "icmp-short",
	[DECODE_ARP_SHORT] = "arp-short",
	[DECODE_LINK_TYPE] = "link-type",
};

const char *decode_reason_name(enum decode_reason reason)
{
	return reason_names[reason];
}

/* `claimed` bytes should be left; those behind them are padding. */
static bool limit(struct decoder *d, size_t claimed)
{
	if (claimed > cursor_left(&d->c)) {
		d->missing = claimed - cursor_left(&d->c);
		return d->cut;
	}
	d->missing = 0;
	cursor_limit(&d->c, claimed);
	return true;
}

static void take_payload(struct decoder *d)
{
	d->frame->payload_offset = cursor_offset(&d->c);
	d->frame->payload_len = cursor_left(&d->c);
	d->frame->payload_wire_len = cursor_left(&d->c) + d->missing;
	d->frame->payload = d->c.data;
}

/* Of a packet that came in parts. */
static void take_part(struct decoder *d)
{
	if (!d->frame->fragment)
		return;
	d->frame->fragment_proto = d->frame->proto;
	d->frame->part = d->c.data;
	d->frame->part_len = cursor_left(&d->c);
}

static void take_ports(struct decoder *d, const uint8_t *p)
{
	d->frame->src_port = be16(p);
	d->frame->dst_port = be16(p + 2);
	d->frame->has_ports = true;
}

static enum decode_reason decode_tcp(struct decoder *d)
{
	const uint8_t *p = cursor_pull(&d->c, 20);
	size_t header;

	if (!p)
		return DECODE_TCP_SHORT;
	take_ports(d, p);
	d->frame->has_tcp = true;
	d->frame->tcp = p;
	d->frame->tcp_seq = be32(p + 4);
	d->frame->tcp_ack = be32(p + 8);
	d->frame->tcp_flags = p[13];
	header = (size_t)(p[12] >> 4) * 4;
	if (header < 20 || !cursor_pull(&d->c, header - 20))
		return DECODE_TCP_HEADER_LENGTH;
	take_payload(d);
	return DECODE_OK;
}

static enum decode_reason decode_udp(struct decoder *d)
{
	const uint8_t *p = cursor_pull(&d->c, 8);
	size_t len;

	if (!p)
		return DECODE_UDP_SHORT;
	take_ports(d, p);
	len = be16(p + 4);
	/*
	 * RFC 2675 section 4; receivers take it of shorter datagrams, too (udpv6_rcv() of
	 * net/ipv6/udp.c).
	 */
	if (!len && d->frame->ip_version == 6)
		len = cursor_left(&d->c) + d->missing + 8;
	/* In a first fragment the length is that of the whole datagram (RFC 768, RFC 791). */
	if (len < 8 || (!limit(d, len - 8) && !d->frame->fragment))
		return DECODE_UDP_LENGTH;
	take_payload(d);
	return DECODE_OK;
}

/* Both versions: type, code, checksum, and four bytes that are the type's own. */
static enum decode_reason decode_icmp(struct decoder *d)
{
	const uint8_t *p = cursor_pull(&d->c, 8);

	if (!p)
		return DECODE_ICMP_SHORT;
	d->frame->has_icmp = true;
	d->frame->icmp_type = p[0];
	d->frame->icmp_code = p[1];
	take_payload(d);
	return DECODE_OK;
}

/*
 * RFC 6564 section 4: length in 8 bytes, not counting the first 8; all but fragment header and AH
 * have it.
 */
static enum decode_reason decode_options(struct decoder *d, uint8_t *ret_next)
{
	const uint8_t *p = cursor_pull(&d->c, 8);

	if (!p || !cursor_pull(&d->c, (size_t)p[1] * 8))
		return DECODE_EXTENSION_SHORT;
	*ret_next = p[0];
	return DECODE_OK;
}

/* RFC 4302 section 2.2: length in 4 bytes, minus 2. */
static enum decode_reason decode_ah(struct decoder *d, uint8_t *ret_next)
{
	const uint8_t *p = cursor_pull(&d->c, 8);

	if (!p || !cursor_pull(&d->c, (size_t)p[1] * 4))
		return DECODE_EXTENSION_SHORT;
	*ret_next = p[0];
	return DECODE_OK;
}

static enum decode_reason decode_ip6_fragment(struct decoder *d, uint8_t *ret_next)
{
	const uint8_t *p = cursor_pull(&d->c, 8);
	uint16_t field;

	if (!p)
		return DECODE_EXTENSION_SHORT;
	/* One in another: what is in it is known when that is whole. */
	if (d->frame->fragment)
		return DECODE_IP6_FRAGMENT;
	field = be16(p + 2);
	d->frame->fragment_offset = field & 0xfff8u;
	/* Neither offset nor more: an atomic fragment is a whole packet (RFC 6946). */
	d->frame->fragment_more = field & 1;
	d->frame->fragment = d->frame->fragment_offset || d->frame->fragment_more;
	d->frame->fragment_id = be32(p + 4);
	d->frame->proto = p[0];
	take_part(d);
	if (d->frame->fragment_offset)
		return DECODE_IP6_FRAGMENT;
	*ret_next = p[0];
	return DECODE_OK;
}

/* The extension headers are those that RFC 7045 section 4 has the registry name, but ESP. */
static const struct upper_step upper_steps[256] = {
	[IPPROTO_HOPOPTS] = { .ip_version = 6, .extension = decode_options },
	[IPPROTO_ICMP] = { .ip_version = 4, .payload = decode_icmp },
	[IPPROTO_TCP] = { .payload = decode_tcp },
	[IPPROTO_UDP] = { .payload = decode_udp },
	[IPPROTO_ROUTING] = { .ip_version = 6, .extension = decode_options },
	[IPPROTO_FRAGMENT] = { .ip_version = 6, .extension = decode_ip6_fragment },
	[IPPROTO_AH] = { .extension = decode_ah },
	[IPPROTO_ICMPV6] = { .ip_version = 6, .payload = decode_icmp },
	[IPPROTO_DSTOPTS] = { .ip_version = 6, .extension = decode_options },
	[IPPROTO_MH] = { .ip_version = 6, .extension = decode_options },
	[IPPROTO_HIP] = { .ip_version = 6, .extension = decode_options },
	[IPPROTO_SHIM6] = { .ip_version = 6, .extension = decode_options },
	[IPPROTO_EXPERIMENT_1] = { .ip_version = 6, .extension = decode_options },
	[IPPROTO_EXPERIMENT_2] = { .ip_version = 6, .extension = decode_options },
};

static enum decode_reason decode_upper(struct decoder *d, uint8_t proto)
{
	for (unsigned int n = 0;; n++) {
		const struct upper_step *step = &upper_steps[proto];
		enum decode_reason reason;

		d->frame->proto = proto;
		if (step->ip_version && step->ip_version != d->frame->ip_version)
			return DECODE_OK;
		if (step->payload)
			return step->payload(d);
		if (!step->extension)
			return DECODE_OK;
		if (n >= DECODE_EXTENSIONS_MAX)
			return DECODE_EXTENSION_COUNT;
		reason = step->extension(d, &proto);
		if (reason != DECODE_OK)
			return reason;
	}
}

static enum decode_reason decode_ip4(struct decoder *d)
{
	const uint8_t *p = cursor_pull(&d->c, 20);
	size_t header, total;
	uint16_t field;

	if (!p)
		return DECODE_IP4_SHORT;
	if (p[0] >> 4 != 4)
		return DECODE_IP4_VERSION;
	header = (size_t)(p[0] & 0x0f) * 4;
	total = be16(p + 2);
	field = be16(p + 6);
	d->frame->ip_version = 4;
	d->frame->proto = p[9];
	d->frame->src_ip = p + 12;
	d->frame->dst_ip = p + 16;
	d->frame->fragment_offset = (field & 0x1fffu) * 8;
	d->frame->fragment_more = field & 0x2000;
	d->frame->fragment = d->frame->fragment_offset || d->frame->fragment_more;
	d->frame->fragment_id = be16(p + 4);
	if (header < 20 || !cursor_pull(&d->c, header - 20))
		return DECODE_IP4_HEADER_LENGTH;
	/*
	 * 0 is what the kernel writes where the length of a GSO frame does not fit (BIG TCP), and
	 * what some drivers leave to the hardware: the frame is the packet.
	 */
	if (total && (total < header || !limit(d, total - header)))
		return DECODE_IP4_TOTAL_LENGTH;
	take_part(d);
	if (d->frame->fragment_offset)
		return DECODE_IP4_FRAGMENT;
	return decode_upper(d, p[9]);
}

static bool is_jumbo(const struct decoder *d, uint8_t next)
{
	return next == IPPROTO_HOPOPTS || cursor_left(&d->c) > UINT16_MAX;
}

static enum decode_reason decode_ip6(struct decoder *d)
{
	const uint8_t *p = cursor_pull(&d->c, 40);

	if (!p)
		return DECODE_IP6_SHORT;
	if (p[0] >> 4 != 6)
		return DECODE_IP6_VERSION;
	d->frame->ip_version = 6;
	d->frame->proto = p[6];
	d->frame->hop_limit = p[7];
	d->frame->src_ip = p + 8;
	d->frame->dst_ip = p + 24;
	/* A jumbogram (RFC 2675), or a GSO frame that is larger than the field. */
	if (be16(p + 4) == 0 && cursor_left(&d->c) > 0 && is_jumbo(d, p[6]))
		return decode_upper(d, p[6]);
	if (!limit(d, be16(p + 4)))
		return DECODE_IP6_PAYLOAD_LENGTH;
	return decode_upper(d, p[6]);
}

enum decode_reason decode_ip_payload(struct frame *frame, uint8_t proto, const uint8_t *bytes,
				     size_t len, bool cut)
{
	struct decoder d = { .c = cursor_init(bytes, len), .frame = frame, .cut = cut };

	frame->truncated = cut;
	return decode_upper(&d, proto);
}

/* RFC 826, of the one kind that there is on Ethernet; another one is not looked into. */
static enum decode_reason decode_arp(struct decoder *d)
{
	static const uint8_t ethernet_ip4[6] = { 0, 1, 8, 0, 6, 4 };
	const uint8_t *p = cursor_pull(&d->c, 28);

	if (!p)
		return DECODE_ARP_SHORT;
	if (memcmp(p, ethernet_ip4, sizeof(ethernet_ip4)) == 0)
		d->frame->arp = p;
	return DECODE_OK;
}

static enum decode_reason decode_vlan(struct decoder *d)
{
	const uint8_t *p = cursor_pull(&d->c, 4);

	if (!p)
		return DECODE_VLAN_SHORT;
	if (d->frame->n_vlans == FRAME_VLANS_MAX)
		return DECODE_VLAN_DEPTH;
	d->frame->vlan[d->frame->n_vlans++] = FRAME_VLAN_ID(be16(p));
	d->frame->ether_type = be16(p + 2);
	return DECODE_OK;
}

static const struct ether_step ether_steps[] = {
	{ .type = ETHERTYPE_IP, .decode = decode_ip4 },
	{ .type = ETHERTYPE_IPV6, .decode = decode_ip6 },
	{ .type = ETHERTYPE_ARP, .decode = decode_arp },
	{ .type = ETHERTYPE_VLAN, .tag = true, .decode = decode_vlan },
	{ .type = ETHERTYPE_8021AD, .tag = true, .decode = decode_vlan },
	{ .type = ETHERTYPE_QINQ_OLD, .tag = true, .decode = decode_vlan },
};

static const struct ether_step *ether_step(uint16_t type)
{
	for (size_t i = 0; i < sizeof(ether_steps) / sizeof(ether_steps[0]); i++) {
		if (ether_steps[i].type == type)
			return &ether_steps[i];
	}
	return NULL;
}

static struct decoder decoder_begin(const struct decode_input *in, struct frame *ret)
{
	struct decoder d = {
		.c = cursor_init(in->bytes, in->len),
		.frame = ret,
		.cut = in->wire_len > in->len,
	};

	*ret = (struct frame){ .truncated = d.cut };
	return d;
}

static enum decode_reason decode_ether_type(struct decoder *d)
{
	enum decode_reason reason;
	const struct ether_step *step;

	do {
		step = ether_step(d->frame->ether_type);
		reason = step ? step->decode(d) : DECODE_OK;
	} while (step && step->tag && reason == DECODE_OK);
	if (d->frame->ether_type < ETHERTYPE_MIN)
		d->frame->ether_type = 0;
	return reason;
}

enum decode_reason decode_ethernet(const struct decode_input *in, struct frame *ret)
{
	struct decoder d = decoder_begin(in, ret);
	const uint8_t *p = cursor_pull(&d.c, ETHER_HDR_LEN);

	if (!p)
		return DECODE_ETHERNET_SHORT;
	ret->dst_mac = p;
	ret->src_mac = p + ETHER_ADDR_LEN;
	ret->ether_type = be16(p + 12);
	return decode_ether_type(&d);
}

enum decode_reason decode_packet(const struct decode_input *in, size_t offset, uint16_t ether_type,
				 struct frame *ret)
{
	struct decoder d = decoder_begin(in, ret);

	if (!cursor_pull(&d.c, offset))
		return DECODE_ETHERNET_SHORT;
	ret->ether_type = ether_type;
	return decode_ether_type(&d);
}
