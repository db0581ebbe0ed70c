/* Other links than Ethernet: captures of other tools have them. Pure. */
#include "capture/decode.h"

#include <net/ethernet.h>

#include "agent/base/cursor.h"
#include "agent/base/pcapng_format.h"

/* Where the EtherType is: there is none, and the IP version is all that there is to go by. */
#define BY_VERSION SIZE_MAX

/*
 * Headers by pcap-linktype(7). Those of LINKTYPE_NULL and LINKTYPE_LOOP are an address family, and
 * each system has its own for IPv6; the cooked ones are of `any` devices.
 */
static const struct link_step {
	uint32_t link_type;
	size_t header; /* bytes */
	size_t type_at;
} link_steps[] = {
	{ LINKTYPE_NULL, 4, BY_VERSION }, { LINKTYPE_LOOP, 4, BY_VERSION },
	{ LINKTYPE_RAW, 0, BY_VERSION },  { LINKTYPE_DLT_RAW, 0, BY_VERSION },
	{ LINKTYPE_IPV4, 0, BY_VERSION }, { LINKTYPE_IPV6, 0, BY_VERSION },
	{ LINKTYPE_SLL, 16, 14 },	  { LINKTYPE_SLL2, 20, 0 },
};

static uint16_t type_of(const struct link_step *step, const uint8_t *bytes)
{
	if (step->type_at != BY_VERSION)
		return be16(bytes + step->type_at);
	return bytes[step->header] >> 4 == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP;
}

/* One of which nothing is known. */
static enum decode_reason refuse(const struct decode_input *in, enum decode_reason reason,
				 struct frame *ret)
{
	*ret = (struct frame){ .truncated = in->wire_len > in->len };
	return reason;
}

enum decode_reason decode_link(uint32_t link_type, const struct decode_input *in, struct frame *ret)
{
	if (link_type == LINKTYPE_ETHERNET)
		return decode_ethernet(in, ret);
	for (size_t i = 0; i < sizeof(link_steps) / sizeof(link_steps[0]); i++) {
		const struct link_step *step = &link_steps[i];

		if (step->link_type != link_type)
			continue;
		if (in->len < step->header + (step->type_at == BY_VERSION))
			return refuse(in, DECODE_ETHERNET_SHORT, ret);
		return decode_packet(in, step->header, type_of(step, in->bytes), ret);
	}
	return refuse(in, DECODE_LINK_TYPE, ret);
}
