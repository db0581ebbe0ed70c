#include "capture/guests.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/base/time_units.h"

#define DETAIL_MAX 256

/* From one guests_tick() to the next. */
#define TICK_NS NS_PER_S

static const struct guest_link *guest_of(const struct neighbours *neighbours)
{
	return (const struct guest_link *)((const char *)neighbours -
					   offsetof(struct guest_link, neighbours));
}

static const char *address_text(const struct stats_address *address, char out[INET6_ADDRSTRLEN])
{
	return inet_ntop(address->version == 4 ? AF_INET : AF_INET6, address->ip, out,
			 INET6_ADDRSTRLEN);
}

/* ---- what events say ------------------------------------------------------------------------ */

static void say_how(const struct stats_address *address, char *out, size_t size)
{
	static const char *const by[STATS_LEARNED] = {
		[STATS_BY_ARP] = "ARP",
		[STATS_BY_ND] = "neighbour discovery",
		[STATS_BY_DHCP4] = "DHCP",
		[STATS_BY_DHCP6] = "DHCPv6",
	};
	char text[INET6_ADDRSTRLEN], vlan[24] = "";

	if (address->vlan)
		snprintf(vlan, sizeof(vlan), " in VLAN %u", address->vlan - 1u);
	snprintf(out, size, "%s%s by %s%s", address_text(address, text), vlan, by[address->learned],
		 address->flags & STATS_ADDRESS_TENTATIVE ? ", if nobody else has it" : "");
}

static void say_new(const struct guest_link *guest, const struct neighbours_event *event, char *out)
{
	const char *name = guest->neighbours.guest->hostname;
	size_t len;

	say_how(&event->address, out, DETAIL_MAX);
	len = strlen(out);
	if (event->address.until_ns && *name)
		snprintf(out + len, DETAIL_MAX - len, ", called %s", name);
}

static void say_conflict(const struct guest_link *guest, const struct neighbours_event *event,
			 char *out)
{
	size_t len;

	say_new(guest, event, out);
	len = strlen(out);
	snprintf(out + len, DETAIL_MAX - len, ": the guest of %s has it",
		 event->other ? guest_of(event->other)->link->name : event->elsewhere);
}

static void say_duplicate(const struct guest_link *guest, const struct neighbours_event *event,
			  char *out)
{
	char text[INET6_ADDRSTRLEN], mac[MAC_TEXT_MAX];

	(void)guest;
	format_mac(mac, event->mac);
	snprintf(out, DETAIL_MAX, "%s is of %s already", address_text(&event->address, text), mac);
}

static void say_gone(const struct guest_link *guest, const struct neighbours_event *event,
		     char *out)
{
	char text[INET6_ADDRSTRLEN];

	(void)guest;
	snprintf(out, DETAIL_MAX, "%s", address_text(&event->address, text));
}

static void say_foreign(const struct guest_link *guest, const struct neighbours_event *event,
			char *out)
{
	char mac[MAC_TEXT_MAX], own[MAC_TEXT_MAX];

	format_mac(mac, event->mac);
	format_mac(own, guest->neighbours.mac);
	snprintf(out, DETAIL_MAX, "its guest sends as %s, and it has %s", mac, own);
}

static const struct {
	const char *action; /* NULL: no event of its own */
	void (*say)(const struct guest_link *guest, const struct neighbours_event *event,
		    char *out);
	enum log_level level;
} events[NEIGHBOURS_EVENTS] = {
	[NEIGHBOURS_NEW] = { "address-new", say_new, LOG_LEVEL_INFO },
	[NEIGHBOURS_CONFLICT] = { "address-conflict", say_conflict, LOG_LEVEL_WARNING },
	[NEIGHBOURS_DUPLICATE] = { "address-duplicate", say_duplicate, LOG_LEVEL_WARNING },
	[NEIGHBOURS_GONE] = { "address-gone", say_gone, LOG_LEVEL_INFO },
	[NEIGHBOURS_LEASED] = { .action = NULL },
	[NEIGHBOURS_FOREIGN] = { "mac-foreign", say_foreign, LOG_LEVEL_WARNING },
};

static void tell_lease(const struct guests *guests, const struct guest_link *guest,
		       const struct neighbours_event *event)
{
	const struct stats_address *address = &event->address;
	struct ipc_lease lease = { .slot = guest->link->slot, .version = address->version };
	size_t len = address->version == 4 ? 4 : 16;

	/* Of one network, to which the link is plugged in: behind a tag, addresses are others. */
	if (!guests->lease || address->vlan)
		return;
	memcpy(lease.address, address->ip, sizeof(lease.address));
	if (event->kind == NEIGHBOURS_LEASED) {
		lease.seconds = event->seconds;
		memcpy(lease.mac, event->mac, MAC_LEN);
		memcpy(lease.server, event->server, len);
	}
	guests->lease(guests->data, &lease);
}

static void on_event(void *data, const struct neighbours *neighbours,
		     const struct neighbours_event *event)
{
	const struct guests *guests = data;
	const struct guest_link *guest = guest_of(neighbours);
	const struct ipc_link *link = guest->link;
	struct record_head head = {
		.time_ns = event->time_ns,
		.link = link->name,
		.set = link->set,
		.guest = link->guest,
	};
	char detail[DETAIL_MAX];

	if (event->kind == NEIGHBOURS_LEASED ||
	    (event->kind == NEIGHBOURS_GONE && event->address.until_ns))
		tell_lease(guests, guest, event);
	if (!events[event->kind].action)
		return;
	events[event->kind].say(guest, event, detail);
	log_line(events[event->kind].level, "link %s %s: %s", link->name,
		 events[event->kind].action, detail);
	emitter_event(guests->emitter, head, IPC_EVENT_LINK, events[event->kind].action, detail);
}

/* ---- links ---------------------------------------------------------------------------------- */

static const char *lower_of(const struct config *config, const char *link, const char *set)
{
	const struct set_conf *conf = config_find_set(config, set);

	for (size_t i = 0; i < config->n_links; i++) {
		const struct link_conf *own = &config->links[i];

		if (strcmp(own->head.name, link) == 0 && own->keys.lower)
			return own->keys.lower;
	}
	return conf ? conf->keys.lower : NULL;
}

/* The guests on one lower device can meet; other networks may have the same addresses. */
static uint64_t network_of(const struct config *config, const struct ipc_link *link)
{
	static const uint8_t none[MAC_LEN];
	const char *lower = lower_of(config, link->name, link->set);

	return lower ? stats_tag(lower, none) : link->slot;
}

static void name_of(const struct stats_link *link, char ret[IFNAME_SIZE])
{
	for (size_t i = 0; i < IFNAME_SIZE / sizeof(uint64_t); i++) {
		uint64_t word = stat_get(&link->name[i]);

		memcpy(ret + i * sizeof(word), &word, sizeof(word));
	}
	ret[IFNAME_SIZE - 1] = '\0';
}

/* What others write is copied first. */
static bool on_elsewhere(void *data, const struct neighbours *neighbours,
			 const struct neighbours_claim *claim, uint64_t now_ns,
			 struct neighbours_owner *ret)
{
	const struct guests *guests = data;
	const struct stats_page *stats = guests->stats;
	uint64_t slots = stat_get(&stats->slots);
	struct stats_guest guest;

	for (uint32_t slot = 0; slot < slots && slot < STATS_LINKS_MAX; slot++) {
		const struct stats_link *link = &stats->links[slot];

		if (slot == neighbours->slot || stat_get(&link->network) != neighbours->network ||
		    !stat_get(&link->addresses) ||
		    !stats_snapshot(&stats->guests[slot], &guest, sizeof(guest)) ||
		    guest.n > STATS_ADDRESSES_MAX || !neighbours_owns(&guest, claim, now_ns))
			continue;
		ret->slot = slot;
		name_of(link, ret->link);
		return true;
	}
	return false;
}

/* So that other workers find it. */
static void tell_others(struct stats_page *stats, const struct ipc_link *link, uint64_t network)
{
	struct stats_link *told = &stats->links[link->slot];
	uint64_t slots = stat_get(&stats->slots);

	for (size_t i = 0; i < IFNAME_SIZE / sizeof(uint64_t); i++) {
		uint64_t word;

		memcpy(&word, link->name + i * sizeof(word), sizeof(word));
		atomic_store_explicit(&told->name[i], word, memory_order_relaxed);
	}
	atomic_store_explicit(&told->network, network, memory_order_relaxed);
	while (slots <= link->slot &&
	       !atomic_compare_exchange_weak_explicit(&stats->slots, &slots, link->slot + 1,
						      memory_order_relaxed, memory_order_relaxed))
		;
}

void guests_init(struct guests *guests, const struct config *config, struct stats_page *stats,
		 struct emitter *emitter, bool alone)
{
	*guests = (struct guests){ .config = config, .stats = stats, .emitter = emitter };
	guests->hood.cb = on_event;
	guests->hood.elsewhere = alone ? NULL : on_elsewhere;
	guests->hood.data = guests;
}

/* The place was another link's. What was never used stays untouched memory. */
static void begin_anew(struct guests *guests, uint32_t slot, uint64_t tag)
{
	struct stats_link *counters = &guests->stats->links[slot];

	if (stat_get(&counters->tag)) {
		neighbours_clear(&guests->stats->guests[slot], counters);
		talkers_clear(&guests->stats->talkers[slot], counters);
		memset(counters->protocols, 0, sizeof(counters->protocols));
		memset(counters->sizes, 0, sizeof(counters->sizes));
		memset(&counters->rates, 0, sizeof(counters->rates));
	}
	atomic_store_explicit(&counters->tag, tag, memory_order_relaxed);
}

static void read_counters(const struct stats_link *counters, uint64_t ret[STATS_RATES])
{
	ret[STATS_FRAMES_FROM] = stat_get(&counters->frames[STATS_FROM_GUEST]);
	ret[STATS_FRAMES_TO] = stat_get(&counters->frames[STATS_TO_GUEST]);
	ret[STATS_BYTES_FROM] = stat_get(&counters->bytes[STATS_FROM_GUEST]);
	ret[STATS_BYTES_TO] = stat_get(&counters->bytes[STATS_TO_GUEST]);
}

void guests_begin(struct guests *guests, struct guest_link *guest, const struct ipc_link *link)
{
	struct stats_link *counters = &guests->stats->links[link->slot];
	struct stats_guest *told = &guests->stats->guests[link->slot];
	uint64_t tag = stats_tag(link->name, link->mac), network = network_of(guests->config, link);

	if (stat_get(&counters->tag) != tag)
		begin_anew(guests, link->slot, tag);
	guest->link = link;
	neighbours_init(&guest->neighbours, &guests->hood, told, counters, link->slot, network,
			link->mac);
	tell_others(guests->stats, link, network);
	talkers_init(&guest->talkers, &guests->stats->talkers[link->slot], counters);
	read_counters(counters, guest->sampled);
}

void guests_end(struct guest_link *guest)
{
	if (guest->neighbours.counters)
		atomic_store_explicit(&guest->neighbours.counters->network, 0,
				      memory_order_relaxed);
	neighbours_done(&guest->neighbours);
}

/* ---- frames --------------------------------------------------------------------------------- */

static void count(struct stats_link *counters, enum stats_protocol protocol,
		  enum stats_direction direction, size_t bytes)
{
	stat_count(&counters->protocols[protocol].frames[direction], 1);
	stat_count(&counters->protocols[protocol].bytes[direction], bytes);
}

static void count_protocols(struct stats_link *counters, const struct frame *frame,
			    enum stats_direction direction, size_t bytes)
{
	static const uint8_t upper[256] = {
		[IPPROTO_TCP] = STATS_TCP,
		[IPPROTO_UDP] = STATS_UDP,
		[IPPROTO_ICMP] = STATS_ICMP,
		[IPPROTO_ICMPV6] = STATS_ICMP,
	};

	if (frame->ip_version)
		count(counters, frame->ip_version == 4 ? STATS_IPV4 : STATS_IPV6, direction, bytes);
	else
		count(counters, frame->ether_type == ETHERTYPE_ARP ? STATS_ARP : STATS_OTHER,
		      direction, bytes);
	if (frame->ip_version && upper[frame->proto])
		count(counters, (enum stats_protocol)upper[frame->proto], direction, bytes);
}

void guests_frame(struct guest_link *guest, const struct frame *frame,
		  enum stats_direction direction, size_t bytes, uint64_t time_ns)
{
	struct stats_link *counters = guest->neighbours.counters;

	count_protocols(counters, frame, direction, bytes);
	stat_count(&counters->sizes[stats_size_of((uint32_t)bytes)][direction], 1);
	talkers_frame(&guest->talkers, frame, direction, bytes, time_ns);
	neighbours_frame(&guest->neighbours, frame, direction, time_ns);
}

static struct guest_link *linked(struct neighbours *neighbours)
{
	return (struct guest_link *)guest_of(neighbours);
}

/* A link without traffic costs four loads. */
static void sample(struct guest_link *guest, uint64_t span_ns, uint64_t now_ns)
{
	struct stats_link *counters = guest->neighbours.counters;
	uint64_t now[STATS_RATES], added[STATS_RATES];

	read_counters(counters, now);
	if (memcmp(now, guest->sampled, sizeof(now)) == 0)
		return;
	for (int r = 0; r < STATS_RATES; r++)
		added[r] = now[r] - guest->sampled[r];
	memcpy(guest->sampled, now, sizeof(now));
	stats_rates_add(&counters->rates, added, span_ns, now_ns);
}

void guests_tick(struct guests *guests, uint64_t now_ns)
{
	uint64_t span = now_ns - guests->ticked_ns;

	/* Ticks began again just before the frames that are new, or the clock was set. */
	if (span < TICK_NS / 2 || span > 2 * TICK_NS)
		span = TICK_NS;
	guests->ticked_ns = now_ns;
	for (struct neighbours *n = guests->hood.first; n; n = n->next) {
		sample(linked(n), span, now_ns);
		talkers_tick(&linked(n)->talkers, now_ns);
	}
}
