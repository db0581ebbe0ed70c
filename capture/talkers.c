#include "capture/talkers.h"

#include <endian.h>
#include <string.h>

/* Odd, with half its bits set: the multiplier of MurmurHash3's finalizer. */
#define MIX UINT64_C(0xff51afd7ed558ccd)

/*
 * The address in two words, as it is in memory: the bytes of one are stored in parts and read
 * whole.
 */
struct key {
	uint64_t ip[2];
	uint8_t version;
	uint8_t protocol;
	uint16_t port;
};

static uint32_t print_of(const struct key *key)
{
	uint64_t c = (uint64_t)key->port << 16 | (uint64_t)key->protocol << 8 | key->version;
	uint64_t a = (key->ip[0] ^ c) * MIX;

	a = (a ^ a >> 32 ^ key->ip[1]) * MIX;
	return (uint32_t)(a >> 32);
}

static bool is_of(const struct stats_talker *talker, const struct key *key)
{
	return memcmp(talker->ip, key->ip, sizeof(key->ip)) == 0 && talker->port == key->port &&
	       talker->protocol == key->protocol && talker->version == key->version;
}

static struct key key_of(const struct frame *frame, enum stats_direction direction)
{
	const uint8_t *remote = direction == STATS_FROM_GUEST ? frame->dst_ip : frame->src_ip;
	struct key key = { .version = frame->ip_version, .protocol = frame->proto };
	uint32_t ip4;

	if (frame->ip_version == 4) {
		memcpy(&ip4, remote, sizeof(ip4));
		key.ip[0] = htole64(le32toh(ip4));
	} else {
		memcpy(key.ip, remote, sizeof(key.ip));
	}
	if (frame->has_ports)
		key.port = frame->src_port < frame->dst_port ? frame->src_port : frame->dst_port;
	return key;
}

static struct key key_in(const struct stats_talker *talker)
{
	struct key key = { .version = talker->version,
			   .protocol = talker->protocol,
			   .port = talker->port };

	memcpy(key.ip, talker->ip, sizeof(key.ip));
	return key;
}

static struct stats_talker *find(struct talkers *t, const struct key *key, uint32_t print)
{
	struct stats_talkers *list = t->list;

	if (t->last < list->n && t->prints[t->last] == print && is_of(&list->list[t->last], key))
		return &list->list[t->last];
	for (uint32_t i = 0; i < list->n; i++) {
		if (t->prints[i] == print && is_of(&list->list[i], key)) {
			t->last = i;
			return &list->list[i];
		}
	}
	return NULL;
}

static uint32_t least(const struct stats_talkers *list)
{
	uint32_t at = 0;
	uint64_t min = UINT64_MAX;

	for (uint32_t i = 0; i < list->n; i++) {
		uint64_t bytes = atomic_load_explicit(&list->list[i].bytes, memory_order_relaxed);

		if (bytes < min) {
			min = bytes;
			at = i;
		}
	}
	return at;
}

/* The newcomer may have had all that the least one has. */
static struct stats_talker *take_place(struct talkers *t, const struct key *key, uint32_t print,
				       uint64_t time_ns)
{
	struct stats_talkers *list = t->list;
	bool full = list->n == STATS_TALKERS_MAX;
	uint32_t at = full ? least(list) : list->n;
	struct stats_talker *talker = &list->list[at];
	uint64_t had = full ? talker->bytes : 0;

	stats_write_begin(&list->seq);
	if (!list->n)
		list->since_ns = time_ns;
	list->n += !full;
	memcpy(talker->ip, key->ip, sizeof(talker->ip));
	talker->version = key->version;
	talker->protocol = key->protocol;
	talker->port = key->port;
	talker->error = had;
	atomic_store_explicit(&talker->bytes, had, memory_order_relaxed);
	atomic_store_explicit(&talker->frames, 0, memory_order_relaxed);
	stats_write_end(&list->seq);
	atomic_store_explicit(&t->counters->talkers, list->n, memory_order_relaxed);
	t->prints[at] = print;
	t->last = at;
	return talker;
}

void talkers_frame(struct talkers *t, const struct frame *frame, enum stats_direction direction,
		   size_t bytes, uint64_t time_ns)
{
	struct stats_talker *talker;
	struct key key;
	uint32_t print;

	if (!frame->ip_version || !frame->dst_mac || (frame->dst_mac[0] & 1))
		return;
	key = key_of(frame, direction);
	print = print_of(&key);
	talker = find(t, &key, print);
	if (!talker)
		talker = take_place(t, &key, print, time_ns);
	stat_count(&talker->bytes, bytes);
	stat_count(&talker->frames, 1);
	stat_count(&t->list->bytes, bytes);
}

void talkers_clear(struct stats_talkers *list, struct stats_link *counters)
{
	stats_write_begin(&list->seq);
	list->n = 0;
	list->since_ns = 0;
	atomic_store_explicit(&list->bytes, 0, memory_order_relaxed);
	stats_write_end(&list->seq);
	atomic_store_explicit(&counters->talkers, 0, memory_order_relaxed);
}

void talkers_tick(struct talkers *t, uint64_t now_ns)
{
	if (stat_get(&t->counters->talkers) && t->list->since_ns + TALKERS_NS < now_ns)
		talkers_clear(t->list, t->counters);
}

void talkers_init(struct talkers *t, struct stats_talkers *list, struct stats_link *counters)
{
	*t = (struct talkers){ .list = list, .counters = counters };
	if (!stat_get(&counters->talkers))
		return;
	/* Its writer died in it. */
	if ((list->seq & 1) || list->n > STATS_TALKERS_MAX)
		talkers_clear(list, counters);
	for (uint32_t i = 0; i < list->n; i++) {
		struct key key = key_in(&list->list[i]);

		t->prints[i] = print_of(&key);
	}
}
