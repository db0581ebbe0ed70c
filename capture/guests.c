#include "capture/guests.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/log.h"

#define DETAIL_MAX 256

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
		 guest_of(event->other)->link->name);
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

void guests_init(struct guests *guests, const struct config *config, struct stats_page *stats,
		 struct emitter *emitter)
{
	*guests = (struct guests){ .config = config, .stats = stats, .emitter = emitter };
	guests->hood.cb = on_event;
	guests->hood.data = guests;
}

void guests_begin(struct guests *guests, struct guest_link *guest, const struct ipc_link *link)
{
	struct stats_link *counters = &guests->stats->links[link->slot];
	struct stats_guest *told = &guests->stats->guests[link->slot];
	uint64_t tag = stats_tag(link->name, link->mac);

	if (stat_get(&counters->tag) != tag) {
		/* A place that was never used stays untouched memory. */
		if (stat_get(&counters->tag))
			neighbours_clear(told, counters);
		atomic_store_explicit(&counters->tag, tag, memory_order_relaxed);
	}
	guest->link = link;
	neighbours_init(&guest->neighbours, &guests->hood, told, counters, link->slot,
			network_of(guests->config, link), link->mac);
}

void guests_end(struct guest_link *guest)
{
	neighbours_done(&guest->neighbours);
}

void guests_frame(struct guest_link *guest, const struct frame *frame,
		  enum stats_direction direction, uint64_t time_ns)
{
	neighbours_frame(&guest->neighbours, frame, direction, time_ns);
}
