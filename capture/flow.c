#include "capture/flow.h"

#include <errno.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* One bucket for so many bytes of the account: a flow with what it holds takes about that. */
#define BYTES_PER_BUCKET 512u
#define BUCKETS_MIN	 64u

/* Any odd number with half its bits set: multiplication mixes with it. */
#define MIX UINT64_C(0x9e3779b97f4a7c15)

static uint64_t mix(uint64_t h, uint64_t word)
{
	unsigned __int128 product = (unsigned __int128)(h ^ word) * MIX;

	return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

uint64_t flow_key_hash(const struct flow_key *key, uint64_t seed)
{
	uint64_t words[sizeof(*key) / sizeof(uint64_t)], h = seed;

	_Static_assert(sizeof(*key) % sizeof(uint64_t) == 0, "a key is whole words");
	memcpy(words, key, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		h = mix(h + MIX, words[i]);
	return h;
}

static size_t bucket_of(const struct flow_table *table, const struct flow_key *key)
{
	return (size_t)flow_key_hash(key, table->seed) & (table->n_buckets - 1);
}

int flow_table_init(struct flow_table *table, size_t memory_max, uint64_t seed,
		    void (*evict)(void *data, struct flow *flow), void *data)
{
	size_t n = BUCKETS_MIN;

	while (n < memory_max / BYTES_PER_BUCKET)
		n *= 2;
	*table = (struct flow_table){
		.n_buckets = n,
		.seed = seed,
		.memory = n * sizeof(struct flow *),
		.memory_max = memory_max,
		.evict = evict,
		.data = data,
	};
	table->buckets = calloc(n, sizeof(struct flow *));
	return table->buckets ? 0 : -ENOMEM;
}

void flow_table_done(struct flow_table *table)
{
	free(table->buckets);
	table->buckets = NULL;
}

unsigned int flow_key_of(const struct frame *frame, uint32_t link, struct flow_key *ret)
{
	size_t len = frame->ip_version == 6 ? 16 : 4;
	int order = memcmp(frame->src_ip, frame->dst_ip, len);
	unsigned int end = order > 0 || (order == 0 && frame->src_port > frame->dst_port);

	*ret = (struct flow_key){
		.link = link,
		.ip_version = frame->ip_version,
	};
	memcpy(ret->ip[end], frame->src_ip, len);
	memcpy(ret->ip[!end], frame->dst_ip, len);
	ret->port[end] = frame->src_port;
	ret->port[!end] = frame->dst_port;
	/* A tag of VLAN 0 has a priority alone: receivers take it for none (IEEE Std 802.1Q). */
	for (unsigned int i = 0; i < frame->n_vlans; i++) {
		if (frame->vlan[i] && ret->n_vlans < 2)
			ret->vlan[ret->n_vlans] = frame->vlan[i];
		if (frame->vlan[i])
			ret->n_vlans++;
	}
	return end;
}

struct flow *flow_find(const struct flow_table *table, const struct flow_key *key)
{
	struct flow *flow = table->buckets[bucket_of(table, key)];

	while (flow && memcmp(&flow->key, key, sizeof(*key)) != 0)
		flow = flow->chain;
	return flow;
}

/* Few are in the path, and many are followed: those have no place for what they do not keep. */
static size_t flow_size(bool in_path)
{
	return sizeof(struct flow) + (in_path ? sizeof(struct stream_kept *) : 0);
}

static struct flow_list *list_of(struct flow_table *table, const struct flow *flow)
{
	if (!flow->has_data || flow->closed)
		return &table->lists[FLOW_YOUNG];
	return &table->lists[flow->strict ? FLOW_STRICT : FLOW_LIVE];
}

static void list_remove(struct flow_list *list, struct flow *flow)
{
	*(flow->older ? &flow->older->newer : &list->oldest) = flow->newer;
	*(flow->newer ? &flow->newer->older : &list->newest) = flow->older;
	list->n--;
}

static void list_append(struct flow_list *list, struct flow *flow)
{
	flow->older = list->newest;
	flow->newer = NULL;
	*(flow->older ? &flow->older->newer : &list->oldest) = flow;
	list->newest = flow;
	list->n++;
}

static void unlink_flow(struct flow_table *table, struct flow *flow)
{
	struct flow **at = &table->buckets[bucket_of(table, &flow->key)];

	while (*at != flow)
		at = &(*at)->chain;
	*at = flow->chain;
	list_remove(list_of(table, flow), flow);
}

static struct flow *oldest_but(const struct flow_list *list, const struct flow *keep)
{
	return list->oldest && list->oldest == keep ? keep->newer : list->oldest;
}

/* The first to go that is not `keep`. */
static struct flow *victim(const struct flow_table *table, const struct flow *keep)
{
	struct flow *young = oldest_but(&table->lists[FLOW_YOUNG], keep);
	struct flow *live = oldest_but(&table->lists[FLOW_LIVE], keep);
	struct flow *strict = oldest_but(&table->lists[FLOW_STRICT], keep);

	if (young)
		return young;
	return !live || (strict && strict->last_ns < live->last_ns) ? strict : live;
}

bool flow_charge(struct flow_table *table, const struct flow *keep, size_t size)
{
	while (size > table->memory_max - table->memory) {
		struct flow *flow = table->walked ? NULL : victim(table, keep);

		if (!flow)
			return false;
		/* Out of the table first: what is done about it may need room itself. */
		unlink_flow(table, flow);
		table->evict(table->data, flow);
		flow_free(table, flow, flow_size(flow->in_path));
	}
	table->memory += size;
	return true;
}

void flow_uncharge(struct flow_table *table, size_t size)
{
	table->memory -= size;
}

void *flow_alloc(struct flow_table *table, const struct flow *keep, size_t size)
{
	void *memory;

	if (!flow_charge(table, keep, size))
		return NULL;
	memory = malloc(size);
	if (!memory)
		flow_uncharge(table, size);
	return memory;
}

void flow_free(struct flow_table *table, void *memory, size_t size)
{
	if (memory)
		flow_uncharge(table, size);
	free(memory);
}

struct flow *flow_add(struct flow_table *table, const struct flow_key *key,
		      const struct frame *frame, unsigned int end, struct flow_place place)
{
	struct flow *flow = flow_alloc(table, NULL, flow_size(place.in_path)), **bucket;

	if (!flow)
		return NULL;
	bucket = &table->buckets[bucket_of(table, key)];
	*flow = (struct flow){
		.key = *key,
		.chain = *bucket,
		.ether_type = frame->ether_type,
		.in_path = place.in_path,
		.strict = place.in_path && place.strict,
	};
	if (place.in_path)
		flow->kept[0] = NULL;
	if (frame->src_mac) {
		memcpy(flow->mac[end], frame->src_mac, sizeof(flow->mac[0]));
		memcpy(flow->mac[!end], frame->dst_mac, sizeof(flow->mac[0]));
	}
	*bucket = flow;
	list_append(list_of(table, flow), flow);
	return flow;
}

void flow_remove(struct flow_table *table, struct flow *flow)
{
	unlink_flow(table, flow);
	flow_free(table, flow, flow_size(flow->in_path));
}

void flow_mark(struct flow_table *table, struct flow *flow, bool has_data, bool closed)
{
	if (flow->has_data == has_data && flow->closed == closed)
		return;
	list_remove(list_of(table, flow), flow);
	flow->has_data = has_data;
	flow->closed = closed;
	list_append(list_of(table, flow), flow);
}

void flow_touch(struct flow_table *table, struct flow *flow, uint64_t now_ns)
{
	struct flow_list *list = list_of(table, flow);

	flow->last_ns = now_ns;
	if (list->newest == flow)
		return;
	list_remove(list, flow);
	list_append(list, flow);
}

struct flow *flow_oldest(const struct flow_table *table, enum flow_list_id list)
{
	return table->lists[list].oldest;
}

size_t flow_count(const struct flow_table *table)
{
	return table->lists[FLOW_YOUNG].n + table->lists[FLOW_LIVE].n + table->lists[FLOW_STRICT].n;
}

void flow_frame(const struct flow *flow, unsigned int end, struct frame *ret)
{
	*ret = (struct frame){
		.src_mac = flow->mac[end],
		.dst_mac = flow->mac[!end],
		.ether_type = flow->ether_type,
		.ip_version = flow->key.ip_version,
		.src_ip = flow->key.ip[end],
		.dst_ip = flow->key.ip[!end],
		.proto = IPPROTO_TCP,
		.has_ports = true,
		.src_port = flow->key.port[end],
		.dst_port = flow->key.port[!end],
	};
	ret->n_vlans = flow->key.n_vlans < 2 ? flow->key.n_vlans : 2;
	for (unsigned int i = 0; i < ret->n_vlans; i++)
		ret->vlan[i] = flow->key.vlan[i];
}
