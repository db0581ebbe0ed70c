#include "agent/status_seen.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#define NS_PER_S UINT64_C(1000000000)

/* After this, nobody else has answered what a guest asked for: RFC 4862 section 5.4. */
#define TENTATIVE_NS (2 * NS_PER_S)

static const struct source *source_of_slot(const struct sources *sources, uint32_t slot)
{
	return slot < sources->n && sources->list[slot].known ? &sources->list[slot] : NULL;
}

static json_t *conflict_json(const struct status_input *in, const struct stats_address *address)
{
	const struct source *other =
		address->conflict ? source_of_slot(in->sources, address->conflict - 1u) : NULL;

	return other ? json_string(other->message.name) : json_null();
}

static json_int_t seconds_since(const struct status_input *in, uint64_t ns)
{
	return in->now_ns > ns ? (json_int_t)((in->now_ns - ns) / NS_PER_S) : 0;
}

static json_t *lease_json(const struct status_input *in, uint64_t until_ns)
{
	if (!until_ns)
		return json_null();
	if (until_ns == UINT64_MAX)
		return json_integer(-1);
	return json_integer(until_ns > in->now_ns ? (json_int_t)((until_ns - in->now_ns) / NS_PER_S)
						  : 0);
}

/* The worker that wrote it may have been taken over: nothing in it is trusted. */
static json_t *address_json(const struct status_input *in, const struct stats_address *address)
{
	char text[INET6_ADDRSTRLEN];
	bool tentative = (address->flags & STATS_ADDRESS_TENTATIVE) &&
			 address->seen_ns + TENTATIVE_NS > in->now_ns;

	if ((address->version != 4 && address->version != 6) || address->learned >= STATS_LEARNED)
		return NULL;
	inet_ntop(address->version == 4 ? AF_INET : AF_INET6, address->ip, text, sizeof(text));
	return json_pack("{s:s, s:o, s:s, s:b, s:o, s:I, s:I, s:o}", "address", text, "vlan",
			 address->vlan ? json_integer(address->vlan - 1) : json_null(), "by",
			 stats_learned_names[address->learned], "tentative", tentative, "conflict",
			 conflict_json(in, address), "since",
			 (json_int_t)(address->first_ns / NS_PER_S), "age",
			 seconds_since(in, address->seen_ns), "lease",
			 lease_json(in, address->until_ns));
}

/* The one that was heard of last comes first. */
static void sort(struct stats_guest *guest)
{
	for (uint32_t i = 1; i < guest->n; i++) {
		struct stats_address a = guest->addresses[i];
		uint32_t at = i;

		for (; at && guest->addresses[at - 1].seen_ns < a.seen_ns; at--)
			guest->addresses[at] = guest->addresses[at - 1];
		guest->addresses[at] = a;
	}
}

json_t *status_seen_json(const struct status_input *in, const struct source *source)
{
	const struct stats_link *counters;
	struct stats_guest guest = { .n = 0 };
	char hostname[STATS_HOSTNAME_MAX];
	json_t *list;

	if (!source)
		return json_null();
	counters = &in->stats->links[source->message.slot];
	if (stat_get(&counters->tag) != stats_tag(source->message.name, source->message.mac))
		return json_null();
	if (stat_get(&counters->addresses) &&
	    !stats_snapshot(&in->stats->guests[source->message.slot], &guest, sizeof(guest)))
		return json_null();
	if (guest.n > STATS_ADDRESSES_MAX)
		guest.n = STATS_ADDRESSES_MAX;
	sort(&guest);
	list = json_array();
	for (uint32_t i = 0; i < guest.n; i++)
		json_array_append_new(list, address_json(in, &guest.addresses[i]));
	stats_hostname_set(hostname, guest.hostname, sizeof(guest.hostname));
	return json_pack("{s:s, s:o, s:I, s:I}", "hostname", hostname, "addresses", list, "refused",
			 (json_int_t)stat_get(&counters->claims_dropped), "foreign_macs",
			 (json_int_t)stat_get(&counters->foreign_macs));
}
