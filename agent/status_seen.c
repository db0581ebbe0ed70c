#include "agent/status_seen.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include "agent/base/time_units.h"

/* After this, nobody else has answered what a guest asked for: RFC 4862 section 5.4. */
#define TENTATIVE_NS (2 * NS_PER_S)

static const struct source *source_of_slot(const struct sources *sources, uint32_t slot)
{
	return slot < sources->n && sources->list[slot].known ? &sources->list[slot] : NULL;
}

static void write_conflict(struct json_writer *w, const struct status_input *in,
			   const struct stats_address *address)
{
	const struct source *other =
		address->conflict ? source_of_slot(in->sources, address->conflict - 1u) : NULL;

	if (other)
		jw_text(w, "conflict", other->message.name);
	else
		jw_null(w, "conflict");
}

/* From one time to another, in whole seconds; 0 when the other comes first. */
static uint64_t seconds(uint64_t from_ns, uint64_t to_ns)
{
	return to_ns > from_ns ? (to_ns - from_ns) / NS_PER_S : 0;
}

static void write_lease(struct json_writer *w, const struct status_input *in, uint64_t until_ns)
{
	if (!until_ns)
		jw_null(w, "lease");
	else if (until_ns == UINT64_MAX)
		jw_i64(w, "lease", -1);
	else
		jw_u64(w, "lease", seconds(in->now_ns, until_ns));
}

/* The worker that wrote it may have been taken over: nothing in it is trusted. */
static void write_address(struct json_writer *w, const struct status_input *in,
			  const struct stats_address *address)
{
	char text[INET6_ADDRSTRLEN];
	bool tentative = (address->flags & STATS_ADDRESS_TENTATIVE) &&
			 address->seen_ns + TENTATIVE_NS > in->now_ns;

	if ((address->version != 4 && address->version != 6) || address->learned >= STATS_LEARNED)
		return;
	inet_ntop(address->version == 4 ? AF_INET : AF_INET6, address->ip, text, sizeof(text));
	jw_object(w, NULL);
	jw_text(w, "address", text);
	if (address->vlan)
		jw_u64(w, "vlan", address->vlan - 1u);
	else
		jw_null(w, "vlan");
	jw_text(w, "by", stats_learned_names[address->learned]);
	jw_bool(w, "tentative", tentative);
	write_conflict(w, in, address);
	jw_u64(w, "since", address->first_ns / NS_PER_S);
	jw_u64(w, "age", seconds(address->seen_ns, in->now_ns));
	write_lease(w, in, address->until_ns);
	jw_object_end(w);
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

static bool take_guest(const struct status_input *in, const struct source *source,
		       struct stats_guest *ret)
{
	const uint32_t slot = source->message.slot;
	const struct stats_link *counters = &in->stats->links[slot];

	if (stat_get(&counters->tag) != stats_tag(source->message.name, source->message.mac))
		return false;
	if (stat_get(&counters->addresses) &&
	    !stats_snapshot(&in->stats->guests[slot], ret, sizeof(*ret)))
		return false;
	if (ret->n > STATS_ADDRESSES_MAX)
		ret->n = STATS_ADDRESSES_MAX;
	sort(ret);
	return true;
}

void status_seen_write(struct json_writer *w, const struct status_input *in,
		       const struct source *source)
{
	const struct stats_link *counters;
	struct stats_guest guest = { .n = 0 };
	char hostname[STATS_HOSTNAME_MAX];

	if (!source || !take_guest(in, source, &guest)) {
		jw_null(w, "seen");
		return;
	}
	counters = &in->stats->links[source->message.slot];
	stats_hostname_set(hostname, guest.hostname, sizeof(guest.hostname));
	jw_object(w, "seen");
	jw_text(w, "hostname", hostname);
	jw_array(w, "addresses");
	for (uint32_t i = 0; i < guest.n; i++)
		write_address(w, in, &guest.addresses[i]);
	jw_array_end(w);
	jw_u64(w, "refused", stat_get(&counters->claims_dropped));
	jw_u64(w, "foreign_macs", stat_get(&counters->foreign_macs));
	jw_object_end(w);
}
