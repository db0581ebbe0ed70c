#include "capture/neighbours.h"

#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

#include "agent/base/cursor.h"
#include "agent/base/time_units.h"
#include "capture/neighbours_parts.h"

/* RFC 826: the fields of Ethernet and IPv4. */
#define ARP_OPERATION	  6
#define ARP_SENDER_MAC	  8
#define ARP_SENDER_IP	  14
#define ARP_REQUEST_REPLY 2 /* the highest operation that speaks of the sender */

/* RFC 4861 section 4 */
#define ND_ROUTER_SOLICIT   133
#define ND_NEIGHBOR_SOLICIT 135
#define ND_NEIGHBOR_ADVERT  136
#define ND_HOP_LIMIT	    255

/* ---- bounds --------------------------------------------------------------------------------- */

static bool bucket_take(struct neighbours_bucket *bucket, uint64_t now_ns)
{
	const uint64_t full = NEIGHBOURS_BURST * NS_PER_S;

	/* Also after the clock was set back. */
	if (bucket->empty_ns > now_ns || now_ns - bucket->empty_ns > full)
		bucket->empty_ns = now_ns > full ? now_ns - full : 0;
	if (now_ns - bucket->empty_ns < NS_PER_S)
		return false;
	bucket->empty_ns += NS_PER_S;
	return true;
}

static size_t ip_len(uint8_t version)
{
	return version == 4 ? 4 : 16;
}

bool neighbours_is_host(uint8_t version, const uint8_t *ip)
{
	static const uint8_t zero[15];

	if (version == 4)
		return ip[0] != 0 && ip[0] != 127 && ip[0] < 224;
	return ip[0] != 0xff && !(memcmp(ip, zero, 15) == 0 && ip[15] <= 1);
}

static bool is_unspecified(const uint8_t *ip)
{
	static const uint8_t zero[16];

	return memcmp(ip, zero, sizeof(zero)) == 0;
}

static uint16_t vlan_of(const struct frame *frame)
{
	return frame->n_vlans ? (uint16_t)(frame->vlan[0] + 1) : 0;
}

struct neighbours_claim neighbours_claim(const struct frame *frame, uint8_t version,
					 const uint8_t *ip, enum stats_learned learned)
{
	struct neighbours_claim claim = { .version = version,
					  .learned = learned,
					  .vlan = vlan_of(frame) };

	memcpy(claim.ip, ip, ip_len(version));
	return claim;
}

/* ---- the table ------------------------------------------------------------------------------ */

static void tell(struct neighbours *n, enum neighbours_event_kind kind,
		 const struct stats_address *address, const uint8_t *mac, uint64_t time_ns)
{
	struct neighbours_event event = { .kind = kind, .mac = mac, .time_ns = time_ns };

	if (address)
		event.address = *address;
	n->hood->cb(n->hood->data, n, &event);
}

struct stats_address *neighbours_find(struct stats_guest *guest,
				      const struct neighbours_claim *claim)
{
	for (uint32_t i = 0; i < guest->n; i++) {
		struct stats_address *a = &guest->addresses[i];

		if (memcmp(a->ip, claim->ip, sizeof(a->ip)) == 0 && a->version == claim->version &&
		    a->vlan == claim->vlan)
			return a;
	}
	return NULL;
}

static bool is_leased(const struct stats_address *a, uint64_t now_ns)
{
	return a->until_ns > now_ns;
}

/* What a guest claims cannot push out what a server gave it. */
static struct stats_address *victim(struct stats_guest *guest, uint64_t now_ns)
{
	struct stats_address *worst = &guest->addresses[0];

	for (uint32_t i = 1; i < guest->n; i++) {
		struct stats_address *a = &guest->addresses[i];
		bool leased = is_leased(a, now_ns), worst_leased = is_leased(worst, now_ns);

		if (leased != worst_leased ? worst_leased : a->seen_ns < worst->seen_ns)
			worst = a;
	}
	return worst;
}

static void count_addresses(struct neighbours *n)
{
	atomic_store_explicit(&n->counters->addresses, n->guest->n, memory_order_relaxed);
}

void neighbours_forget(struct neighbours *n, struct stats_address *a,
		       enum neighbours_event_kind kind, const uint8_t *mac, uint64_t now_ns)
{
	const struct stats_address address = *a;
	struct stats_guest *guest = n->guest;

	stats_write_begin(&guest->seq);
	*a = guest->addresses[guest->n - 1];
	guest->n--;
	stats_write_end(&guest->seq);
	count_addresses(n);
	tell(n, kind, &address, mac, now_ns);
}

bool neighbours_owns(struct stats_guest *guest, const struct neighbours_claim *claim,
		     uint64_t now_ns)
{
	const struct stats_address *a = neighbours_find(guest, claim);

	return a && !a->conflict && !(a->flags & STATS_ADDRESS_TENTATIVE) &&
	       (is_leased(a, now_ns) || a->seen_ns + NEIGHBOURS_OWNED_NS > now_ns);
}

/* The link of the same network that has the address and was heard of it. */
static const struct neighbours *owner_of(const struct neighbours *n,
					 const struct neighbours_claim *claim, uint64_t now_ns)
{
	for (const struct neighbours *other = n->hood->first; other; other = other->next) {
		if (other == n || other->network != n->network ||
		    !stat_get(&other->counters->addresses))
			continue;
		if (neighbours_owns(other->guest, claim, now_ns))
			return other;
	}
	return NULL;
}

static void add(struct neighbours *n, const struct neighbours_claim *claim, uint64_t now_ns)
{
	const struct neighbours *other = owner_of(n, claim, now_ns);
	const struct neighbourhood *hood = n->hood;
	struct neighbours_owner owner;
	bool elsewhere = !other && hood->elsewhere &&
			 hood->elsewhere(hood->data, n, claim, now_ns, &owner);
	uint32_t slot = other ? other->slot : elsewhere ? owner.slot : 0;
	struct stats_guest *guest = n->guest;
	struct stats_address *place = &guest->addresses[guest->n];
	struct stats_address address = {
		.version = claim->version,
		.learned = (uint8_t)claim->learned,
		.flags = claim->tentative ? STATS_ADDRESS_TENTATIVE : 0,
		.vlan = claim->vlan,
		.conflict = other || elsewhere ? (uint16_t)(slot + 1) : 0,
		.first_ns = now_ns,
		.seen_ns = now_ns,
		.until_ns = claim->until_ns,
	};
	struct neighbours_event event = {
		.kind = other || elsewhere ? NEIGHBOURS_CONFLICT : NEIGHBOURS_NEW,
		.other = other,
		.elsewhere = elsewhere ? owner.link : NULL,
		.time_ns = now_ns,
	};

	memcpy(address.ip, claim->ip, sizeof(address.ip));
	if (guest->n == STATS_ADDRESSES_MAX) {
		place = victim(guest, now_ns);
		stat_add(&n->counters->claims_dropped, 1);
	}
	stats_write_begin(&guest->seq);
	*place = address;
	guest->n += guest->n < STATS_ADDRESSES_MAX;
	stats_write_end(&guest->seq);
	count_addresses(n);
	event.address = address;
	hood->cb(hood->data, n, &event);
}

/* Heard of once more. */
static void refresh(struct neighbours *n, struct stats_address *a,
		    const struct neighbours_claim *claim, uint64_t now_ns)
{
	bool better = claim->learned > a->learned && !is_leased(a, now_ns);
	bool confirmed = (a->flags & STATS_ADDRESS_TENTATIVE) && !claim->tentative;

	stats_write_begin(&n->guest->seq);
	a->seen_ns = now_ns;
	if (better)
		a->learned = (uint8_t)claim->learned;
	if (confirmed)
		a->flags &= (uint8_t)~STATS_ADDRESS_TENTATIVE;
	if (claim->until_ns)
		a->until_ns = claim->until_ns;
	stats_write_end(&n->guest->seq);
}

void neighbours_learn(struct neighbours *n, const struct neighbours_claim *claim,
		      struct neighbours_bucket *bucket, uint64_t now_ns)
{
	struct stats_address *known;

	if (!neighbours_is_host(claim->version, claim->ip))
		return;
	known = neighbours_find(n->guest, claim);
	if (known)
		refresh(n, known, claim, now_ns);
	else if (bucket_take(bucket, now_ns))
		add(n, claim, now_ns);
	else
		stat_add(&n->counters->claims_dropped, 1);
}

/* ---- ARP and neighbour discovery ------------------------------------------------------------ */

static void tell_foreign(struct neighbours *n, const uint8_t *mac, uint64_t now_ns)
{
	stat_add(&n->counters->foreign_macs, 1);
	if (memcmp(n->foreign, mac, MAC_LEN) == 0 || !bucket_take(&n->foreigns, now_ns))
		return;
	memcpy(n->foreign, mac, MAC_LEN);
	tell(n, NEIGHBOURS_FOREIGN, NULL, mac, now_ns);
}

static void take_arp(struct neighbours *n, const struct frame *frame, uint64_t now_ns)
{
	const uint8_t *arp = frame->arp;
	struct neighbours_claim claim;

	if (be16(arp + ARP_OPERATION) > ARP_REQUEST_REPLY)
		return;
	if (memcmp(arp + ARP_SENDER_MAC, n->mac, MAC_LEN) != 0) {
		tell_foreign(n, arp + ARP_SENDER_MAC, now_ns);
		return;
	}
	/* From 0.0.0.0 it is a probe, which claims nothing yet (RFC 5227 section 1.1). */
	claim = neighbours_claim(frame, 4, arp + ARP_SENDER_IP, STATS_BY_ARP);
	neighbours_learn(n, &claim, &n->claims, now_ns);
}

static bool is_nd(const struct frame *frame)
{
	/* No router passed it on; in fragments it is not taken (RFC 6980). */
	return frame->has_icmp && frame->ip_version == 6 && !frame->fragment &&
	       frame->icmp_type >= ND_ROUTER_SOLICIT && frame->icmp_type <= ND_NEIGHBOR_ADVERT &&
	       frame->icmp_code == 0 && frame->hop_limit == ND_HOP_LIMIT;
}

static void take_nd(struct neighbours *n, const struct frame *frame, uint64_t now_ns)
{
	const uint8_t *target = frame->payload_len >= 16 ? frame->payload : NULL;
	const uint8_t *ip = frame->src_ip;
	struct neighbours_claim claim;

	if (frame->icmp_type == ND_NEIGHBOR_ADVERT ||
	    (frame->icmp_type == ND_NEIGHBOR_SOLICIT && is_unspecified(ip)))
		ip = target;
	if (!ip)
		return;
	claim = neighbours_claim(frame, 6, ip, STATS_BY_ND);
	claim.tentative = ip == target && frame->icmp_type == ND_NEIGHBOR_SOLICIT;
	neighbours_learn(n, &claim, &n->claims, now_ns);
}

/* Somebody answers what the guest asked for as its own: RFC 4862 section 5.4.4. */
static void take_defence(struct neighbours *n, const struct frame *frame, uint64_t now_ns)
{
	const uint8_t *target = frame->payload_len >= 16 ? frame->payload : NULL;
	struct stats_address *known;
	struct neighbours_claim claim;

	if (frame->icmp_type != ND_NEIGHBOR_ADVERT || !target)
		return;
	claim = neighbours_claim(frame, 6, target, STATS_BY_ND);
	known = neighbours_find(n->guest, &claim);
	if (!known || !(known->flags & STATS_ADDRESS_TENTATIVE) ||
	    known->seen_ns + NEIGHBOURS_DAD_NS < now_ns)
		return;
	neighbours_forget(n, known, NEIGHBOURS_DUPLICATE, frame->src_mac, now_ns);
}

/* ---- frames --------------------------------------------------------------------------------- */

void neighbours_frame(struct neighbours *n, const struct frame *frame,
		      enum stats_direction direction, uint64_t time_ns)
{
	bool sent = direction == STATS_FROM_GUEST;

	if (!frame->src_mac)
		return;
	if (sent && memcmp(frame->src_mac, n->mac, MAC_LEN) != 0) {
		tell_foreign(n, frame->src_mac, time_ns);
		return;
	}
	if (frame->has_ports && frame->payload && frame->proto == IPPROTO_UDP)
		neighbours_dhcp(n, frame, direction, time_ns);
	else if (sent && frame->arp)
		take_arp(n, frame, time_ns);
	else if (is_nd(frame))
		(sent ? take_nd : take_defence)(n, frame, time_ns);
}

/* ---- life ----------------------------------------------------------------------------------- */

void neighbours_clear(struct stats_guest *guest, struct stats_link *counters)
{
	stats_write_begin(&guest->seq);
	guest->n = 0;
	guest->has_xid = 0;
	memset(guest->hostname, 0, sizeof(guest->hostname));
	stats_write_end(&guest->seq);
	atomic_store_explicit(&counters->addresses, 0, memory_order_relaxed);
}

void neighbours_init(struct neighbours *n, struct neighbourhood *hood, struct stats_guest *guest,
		     struct stats_link *counters, uint32_t slot, uint64_t network,
		     const uint8_t mac[MAC_LEN])
{
	*n = (struct neighbours){
		.hood = hood,
		.next = hood->first,
		.self = &hood->first,
		.guest = guest,
		.counters = counters,
		.slot = slot,
		.network = network,
	};
	memcpy(n->mac, mac, MAC_LEN);
	if (hood->first)
		hood->first->self = &n->next;
	hood->first = n;
	if (stat_get(&counters->addresses) && ((guest->seq & 1) || guest->n > STATS_ADDRESSES_MAX))
		neighbours_clear(guest, counters);
}

void neighbours_done(struct neighbours *n)
{
	if (!n->self)
		return;
	*n->self = n->next;
	if (n->next)
		n->next->self = n->self;
	n->self = NULL;
}
