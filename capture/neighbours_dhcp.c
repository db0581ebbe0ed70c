#include "capture/neighbours_parts.h"

#include <string.h>

#include "agent/base/time_units.h"
#include "capture/dhcp.h"

enum dhcp_version {
	DHCP_4,
	DHCP_6,
};

static void remember_xid(struct neighbours *n, enum dhcp_version version, uint32_t xid)
{
	n->guest->dhcp_xid[version] = xid;
	n->guest->has_xid |= 1u << version;
}

/* Only an answer to a request that was seen, and only the first. */
static bool answers(struct neighbours *n, enum dhcp_version version, uint32_t xid)
{
	if (!(n->guest->has_xid & 1u << version) || n->guest->dhcp_xid[version] != xid)
		return false;
	n->guest->has_xid &= ~(1u << version);
	return true;
}

static void release(struct neighbours *n, const struct neighbours_claim *claim, uint64_t now_ns)
{
	struct stats_address *known = neighbours_find(n->guest, claim);

	if (known)
		neighbours_forget(n, known, NEIGHBOURS_GONE, NULL, now_ns);
}

/* A client has one lease of each version: the one before is over. */
static void end_others(struct neighbours *n, const struct neighbours_claim *claim, uint64_t now_ns)
{
	for (uint32_t i = 0; i < n->guest->n;) {
		struct stats_address *a = &n->guest->addresses[i];

		if (a->version != claim->version || !a->until_ns || a->vlan != claim->vlan ||
		    memcmp(a->ip, claim->ip, sizeof(a->ip)) == 0) {
			i++;
			continue;
		}
		neighbours_forget(n, a, NEIGHBOURS_GONE, NULL, now_ns);
	}
}

static void take_lease(struct neighbours *n, const struct frame *frame,
		       struct neighbours_claim *claim, uint32_t seconds, uint64_t now_ns)
{
	struct neighbours_event event = {
		.kind = NEIGHBOURS_LEASED,
		.mac = frame->src_mac,
		.server = frame->src_ip,
		.seconds = seconds,
		.time_ns = now_ns,
	};
	const struct stats_address *known;

	if (!seconds) {
		release(n, claim, now_ns);
		return;
	}
	claim->until_ns = seconds == DHCP_FOREVER ? UINT64_MAX : now_ns + seconds * NS_PER_S;
	end_others(n, claim, now_ns);
	neighbours_learn(n, claim, &n->leases, now_ns);
	known = neighbours_find(n->guest, claim);
	if (!known)
		return;
	event.address = *known;
	n->hood->cb(n->hood->data, n, &event);
}

static void take_hostname(struct neighbours *n, const struct dhcp4 *dhcp)
{
	char name[STATS_HOSTNAME_MAX];

	if (!dhcp->hostname)
		return;
	stats_hostname_set(name, dhcp->hostname, dhcp->hostname_len);
	if (strcmp(name, n->guest->hostname) == 0)
		return;
	stats_write_begin(&n->guest->seq);
	memcpy(n->guest->hostname, name, sizeof(name));
	stats_write_end(&n->guest->seq);
}

static void take_dhcp4_request(struct neighbours *n, const struct frame *frame,
			       const struct dhcp4 *dhcp, uint64_t now_ns)
{
	struct neighbours_claim claim;

	if (dhcp->type == DHCP4_RELEASE) {
		claim = neighbours_claim(frame, 4, dhcp->client, STATS_BY_DHCP4);
		release(n, &claim, now_ns);
	} else if (dhcp->type == DHCP4_DISCOVER || dhcp->type == DHCP4_REQUEST) {
		remember_xid(n, DHCP_4, dhcp->xid);
		take_hostname(n, dhcp);
	}
}

static void take_dhcp4(struct neighbours *n, const struct frame *frame,
		       enum stats_direction direction, uint64_t now_ns)
{
	struct dhcp4 dhcp;
	struct neighbours_claim claim;

	if (!dhcp4_parse(frame->payload, frame->payload_len, &dhcp) || !dhcp.mac ||
	    memcmp(dhcp.mac, n->mac, MAC_LEN) != 0 || dhcp.reply != (direction == STATS_TO_GUEST))
		return;
	if (!dhcp.reply) {
		take_dhcp4_request(n, frame, &dhcp, now_ns);
		return;
	}
	/* An ACK of an INFORM gives no address (RFC 2131 section 4.3.5). */
	if (dhcp.type != DHCP4_ACK || !dhcp.lease || !neighbours_is_host(4, dhcp.yours) ||
	    !answers(n, DHCP_4, dhcp.xid))
		return;
	claim = neighbours_claim(frame, 4, dhcp.yours, STATS_BY_DHCP4);
	take_lease(n, frame, &claim, dhcp.lease, now_ns);
}

static void take_dhcp6_request(struct neighbours *n, const struct frame *frame,
			       const struct dhcp6 *dhcp, uint64_t now_ns)
{
	struct neighbours_claim claim;

	if (dhcp->type == DHCP6_RELEASE && dhcp->address) {
		claim = neighbours_claim(frame, 6, dhcp->address, STATS_BY_DHCP6);
		release(n, &claim, now_ns);
	} else if (dhcp->type == DHCP6_SOLICIT || dhcp->type == DHCP6_REQUEST ||
		   dhcp->type == DHCP6_RENEW || dhcp->type == DHCP6_REBIND) {
		remember_xid(n, DHCP_6, dhcp->xid);
	}
}

static void take_dhcp6(struct neighbours *n, const struct frame *frame,
		       enum stats_direction direction, uint64_t now_ns)
{
	struct dhcp6 dhcp;
	struct neighbours_claim claim;

	if (!dhcp6_parse(frame->payload, frame->payload_len, &dhcp) ||
	    (dhcp.type == DHCP6_REPLY) != (direction == STATS_TO_GUEST))
		return;
	if (direction == STATS_FROM_GUEST) {
		take_dhcp6_request(n, frame, &dhcp, now_ns);
		return;
	}
	/* It has no hardware address in it: the frame has to be the guest's own. */
	if (!dhcp.address || memcmp(frame->dst_mac, n->mac, MAC_LEN) != 0 ||
	    !neighbours_is_host(6, dhcp.address) || !answers(n, DHCP_6, dhcp.xid))
		return;
	claim = neighbours_claim(frame, 6, dhcp.address, STATS_BY_DHCP6);
	take_lease(n, frame, &claim, dhcp.valid, now_ns);
}

static bool has_ports(const struct frame *frame, enum stats_direction direction, uint16_t client,
		      uint16_t server)
{
	return direction == STATS_FROM_GUEST
		       ? frame->src_port == client && frame->dst_port == server
		       : frame->src_port == server && frame->dst_port == client;
}

void neighbours_dhcp(struct neighbours *n, const struct frame *frame,
		     enum stats_direction direction, uint64_t now_ns)
{
	if (frame->ip_version == 4 &&
	    has_ports(frame, direction, DHCP4_CLIENT_PORT, DHCP4_SERVER_PORT))
		take_dhcp4(n, frame, direction, now_ns);
	else if (frame->ip_version == 6 &&
		 has_ports(frame, direction, DHCP6_CLIENT_PORT, DHCP6_SERVER_PORT))
		take_dhcp6(n, frame, direction, now_ns);
}
