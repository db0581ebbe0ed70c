#include "capture/condemned.h"

#include <netinet/tcp.h>

#include "agent/base/time_units.h"

/* Places that a key may have. */
#define WAYS 8u

static void set(stat_counter *counter, uint64_t value)
{
	atomic_store_explicit(counter, value, memory_order_relaxed);
}

/* Of the keys of fragments. */
#define FRAGMENT (UINT64_C(1) << 63)

/* 0 stands for an empty place. */
uint64_t condemned_key(const struct stats_condemned *table, const struct flow_key *key)
{
	uint64_t hash = flow_key_hash(key, stat_get(&table->seed)) & ~FRAGMENT;

	return hash ? hash : 1;
}

uint64_t condemned_fragment_key(const struct stats_condemned *table, const struct frame *frame,
				uint32_t link)
{
	struct flow_key key;

	flow_key_of(frame, link, &key);
	key.port[0] = (uint16_t)frame->fragment_id;
	key.port[1] = (uint16_t)(frame->fragment_id >> 16);
	/* RFC 8200 section 4.5: only that of the first fragment counts. */
	key.zero[0] = frame->ip_version == 6 ? 0 : frame->fragment_proto;
	return condemned_key(table, &key) | FRAGMENT;
}

static struct stats_condemned_place *places_of(struct stats_condemned *table, uint64_t key)
{
	return &table->places[key % (STATS_CONDEMNED_MAX / WAYS) * WAYS];
}

/* Two workers may want the same place at once; false: it was another's in between. */
static bool give(struct stats_condemned_place *place, uint64_t from, uint64_t to)
{
	return atomic_compare_exchange_strong_explicit(&place->key, &from, to, memory_order_relaxed,
						       memory_order_relaxed);
}

static bool is_over(const struct stats_condemned_place *place, uint64_t now_s)
{
	const uint64_t most_s = stat_get(&place->key) & FRAGMENT ? CONDEMNED_FRAGMENTS_S
								 : CONDEMNED_S;

	return stat_get(&place->seen_s) + most_s < now_s;
}

bool condemned_has(struct stats_condemned *table, uint64_t key, uint64_t now_ns)
{
	struct stats_condemned_place *places = places_of(table, key);
	uint64_t now_s = now_ns / NS_PER_S;

	if (!stat_get(&table->n))
		return false;
	for (unsigned int i = 0; i < WAYS; i++) {
		if (stat_get(&places[i].key) != key)
			continue;
		if (is_over(&places[i], now_s))
			return false;
		set(&places[i].seen_s, now_s);
		return true;
	}
	return false;
}

/*
 * Who sent it, and from which side, which addresses do not tell; and which sequence number the
 * answer to it acknowledges (RFC 9293 section 3.5).
 */
static uint64_t syn_of(unsigned int end, bool from_guest, uint32_t acknowledged)
{
	return UINT64_C(1) << 34 | (uint64_t)from_guest << 33 | (uint64_t)end << 32 | acknowledged;
}

bool condemned_opens(struct stats_condemned *table, uint64_t key, const struct frame *segment,
		     unsigned int end, bool from_guest)
{
	struct stats_condemned_place *place = places_of(table, key);
	const uint8_t flags = segment->tcp_flags & (TH_SYN | TH_ACK | TH_RST | TH_FIN);

	if (segment->payload_wire_len)
		return false;
	if (flags & TH_RST)
		return true;
	for (unsigned int i = 0; i < WAYS; i++, place++) {
		if (stat_get(&place->key) != key)
			continue;
		if (flags == TH_SYN)
			set(&place->syn, syn_of(end, from_guest, segment->tcp_seq + 1));
		if (flags == TH_SYN || (flags == TH_ACK && stat_get(&place->syn)))
			return true;
		if (flags != (TH_SYN | TH_ACK) ||
		    stat_get(&place->syn) != syn_of(!end, !from_guest, segment->tcp_ack))
			return false;
		set(&place->syn, 0);
		/* Unless another worker has just given the place to another one. */
		(void)give(place, key, 0);
		return true;
	}
	return false;
}

/* The place of the key itself, or one that is free, or the one that was quiet for longest. */
static struct stats_condemned_place *place_for(struct stats_condemned_place *places, uint64_t key)
{
	struct stats_condemned_place *best = places;

	for (unsigned int i = 0; i < WAYS; i++) {
		if (stat_get(&places[i].key) == key)
			return &places[i];
		if (!stat_get(&best->key))
			continue;
		if (!stat_get(&places[i].key) ||
		    stat_get(&places[i].seen_s) < stat_get(&best->seen_s))
			best = &places[i];
	}
	return best;
}

void condemned_add(struct stats_condemned *table, uint64_t key, uint64_t now_ns)
{
	uint64_t now_s = now_ns / NS_PER_S, before;
	struct stats_condemned_place *place;
	bool was_over;

	do {
		place = place_for(places_of(table, key), key);
		before = stat_get(&place->key);
		was_over = is_over(place, now_s);
		set(&place->seen_s, now_s);
		set(&place->syn, 0);
	} while (!give(place, before, key));
	if (before != key)
		stat_add(&table->n, 1);
	if (before && before != key && !was_over)
		stat_add(&table->evicted, 1);
}
