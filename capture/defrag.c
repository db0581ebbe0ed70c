#include "capture/defrag.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024u

struct fragment {
	struct fragment *next;
	uint64_t packet;
	uint32_t offset;
	uint32_t len;
	uint8_t bytes[];
};

struct defrag_packet {
	struct defrag_key key;
	struct defrag_packet *chain, *newer, *older;
	struct fragment *first; /* by offset, not overlapping */
	uint32_t n, bytes;
	uint32_t end; /* of the payload, known with the last fragment; of what came, before */
	uint8_t proto; /* of the payload, as the first fragment says */
	bool has_last;
	const void *owner; /* of the last fragment */
	uint64_t first_ns, last_number;
	uint8_t mac[2][6];
	uint16_t ether_type;
	uint16_t vlan[FRAME_VLANS_MAX];
	uint8_t n_vlans;
};

int defrag_init(struct defrag *defrag, size_t memory_max, uint64_t seed,
		defrag_incomplete incomplete, void *data)
{
	*defrag = (struct defrag){
		.n_buckets = BUCKETS,
		.seed = seed,
		.memory_max = memory_max,
		.incomplete = incomplete,
		.data = data,
	};
	defrag->buckets = calloc(BUCKETS, sizeof(struct defrag_packet *));
	defrag->joined = malloc(DEFRAG_PAYLOAD_MAX);
	if (defrag->buckets && defrag->joined)
		return 0;
	free(defrag->buckets);
	free(defrag->joined);
	return -ENOMEM;
}

static struct defrag_packet **bucket_of(const struct defrag *defrag, const struct defrag_key *key)
{
	uint64_t words[sizeof(*key) / sizeof(uint64_t)], h = defrag->seed;

	_Static_assert(sizeof(*key) % sizeof(uint64_t) == 0, "a key is whole words");
	memcpy(words, key, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		h = (h ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return &defrag->buckets[h % defrag->n_buckets];
}

/* As in flow_key_of(), a tag of VLAN 0 is none. */
static uint16_t vlan_of(const struct frame *frame)
{
	for (unsigned int i = 0; i < frame->n_vlans; i++) {
		if (frame->vlan[i])
			return frame->vlan[i];
	}
	return 0;
}

static struct defrag_key key_of(const struct frame *frame, uint32_t link)
{
	size_t len = frame->ip_version == 6 ? 16 : 4;
	struct defrag_key key = {
		.id = frame->fragment_id,
		.link = link,
		.vlan = vlan_of(frame),
		.version = frame->ip_version,
		.proto = frame->ip_version == 6 ? 0 : frame->fragment_proto,
	};

	memcpy(key.ip[0], frame->src_ip, len);
	memcpy(key.ip[1], frame->dst_ip, len);
	return key;
}

static struct defrag_packet *find(const struct defrag *defrag, const struct defrag_key *key)
{
	struct defrag_packet *packet = *bucket_of(defrag, key);

	while (packet && memcmp(&packet->key, key, sizeof(*key)) != 0)
		packet = packet->chain;
	return packet;
}

static void packet_free(struct defrag *defrag, struct defrag_packet *packet)
{
	while (packet && packet->first) {
		struct fragment *fragment = packet->first;

		packet->first = fragment->next;
		defrag->memory -= sizeof(*fragment) + fragment->len;
		free(fragment);
	}
	if (packet)
		defrag->memory -= sizeof(*packet);
	free(packet);
}

static void packet_unlink(struct defrag *defrag, struct defrag_packet *packet)
{
	struct defrag_packet **at = bucket_of(defrag, &packet->key);

	while (*at != packet)
		at = &(*at)->chain;
	*at = packet->chain;
	*(packet->older ? &packet->older->newer : &defrag->oldest) = packet->newer;
	*(packet->newer ? &packet->newer->older : &defrag->newest) = packet->older;
}

/* Copies the bytes from the first on that are there; returns how many. */
static uint32_t join(struct defrag *defrag, const struct defrag_packet *packet)
{
	uint32_t len = 0;

	defrag->n_spans = 0;
	for (const struct fragment *f = packet->first; f && f->offset == len; f = f->next) {
		memcpy(defrag->joined + len, f->bytes, f->len);
		defrag->spans[defrag->n_spans++] =
			(struct defrag_span){ f->offset, f->len, f->packet };
		len += f->len;
	}
	return len;
}

/* What is the same of each of the packet's fragments; its pointers go into `packet`. */
static struct frame head_of(const struct defrag_packet *packet)
{
	struct frame frame = {
		.src_mac = packet->mac[0],
		.dst_mac = packet->mac[1],
		.n_vlans = packet->n_vlans,
		.ether_type = packet->ether_type,
		.ip_version = packet->key.version,
		.src_ip = packet->key.ip[0],
		.dst_ip = packet->key.ip[1],
	};

	memcpy(frame.vlan, packet->vlan, sizeof(frame.vlan));
	return frame;
}

/* The packet as a frame whose pointers go into `packet` and `joined`. */
static enum decode_reason frame_of(struct defrag *defrag, const struct defrag_packet *packet,
				   uint32_t len, bool cut, struct frame *ret)
{
	enum decode_reason reason;

	*ret = head_of(packet);
	reason = decode_ip_payload(ret, packet->proto, defrag->joined, len, cut);
	/*
	 * Fragments of a fragment: receivers do not take them (ipv6_frag_rcv() of
	 * net/ipv6/reassembly.c).
	 */
	return reason == DECODE_OK && ret->fragment ? DECODE_IP6_FRAGMENT : reason;
}

/* A capture that has each frame twice has fragments left over that nothing is missing of. */
static bool was_whole(const struct defrag *defrag, const struct defrag_key *key)
{
	for (size_t i = 0; i < DEFRAG_WHOLE_KEPT && i < defrag->counts.whole; i++) {
		if (memcmp(&defrag->whole[i], key, sizeof(*key)) == 0)
			return true;
	}
	return false;
}

/* Takes the packet out, and hands over what it begins with. */
static void give_up(struct defrag *defrag, struct defrag_packet *packet)
{
	struct frame frame;
	uint32_t len;

	packet_unlink(defrag, packet);
	defrag->counts.incomplete++;
	len = join(defrag, packet);
	if (len) {
		(void)frame_of(defrag, packet, len, true, &frame);
		defrag->incomplete(defrag->data, &frame, packet->owner, packet->last_number,
				   packet->first_ns);
	} else if (packet->first) {
		defrag->counts.beginless += !was_whole(defrag, &packet->key);
	}
	packet_free(defrag, packet);
}

void defrag_done(struct defrag *defrag)
{
	while (defrag->oldest)
		give_up(defrag, defrag->oldest);
	packet_free(defrag, defrag->last);
	free(defrag->buckets);
	free(defrag->joined);
	*defrag = (struct defrag){ .counts = defrag->counts };
}

/* Memory on the account; other packets than `keep` go to make room. */
static void *take(struct defrag *defrag, const struct defrag_packet *keep, size_t size)
{
	void *memory;

	while (size > defrag->memory_max - defrag->memory) {
		struct defrag_packet *victim = defrag->oldest;

		if (victim && victim == keep)
			victim = victim->newer;
		if (!victim)
			return NULL;
		give_up(defrag, victim);
	}
	memory = malloc(size);
	if (memory)
		defrag->memory += size;
	return memory;
}

static struct defrag_packet *packet_add(struct defrag *defrag, const struct defrag_key *key,
					const struct frame *frame, uint64_t now_ns)
{
	struct defrag_packet *packet = take(defrag, NULL, sizeof(*packet)), **bucket;

	if (!packet)
		return NULL;
	bucket = bucket_of(defrag, key);
	*packet = (struct defrag_packet){
		.key = *key,
		.chain = *bucket,
		.older = defrag->newest,
		.first_ns = now_ns,
		.ether_type = frame->ether_type,
		.n_vlans = (uint8_t)frame->n_vlans,
	};
	if (frame->src_mac) {
		memcpy(packet->mac[0], frame->src_mac, sizeof(packet->mac[0]));
		memcpy(packet->mac[1], frame->dst_mac, sizeof(packet->mac[1]));
	}
	memcpy(packet->vlan, frame->vlan, sizeof(packet->vlan));
	*bucket = packet;
	*(packet->older ? &packet->older->newer : &defrag->oldest) = packet;
	defrag->newest = packet;
	return packet;
}

/* Bytes that are not there yet, behind *at. */
static bool insert(struct defrag *defrag, struct defrag_packet *packet, struct fragment **at,
		   const struct fragment *piece, const uint8_t *bytes)
{
	struct fragment *fragment = NULL;

	if (packet->n < DEFRAG_FRAGMENTS_MAX)
		fragment = take(defrag, packet, sizeof(*fragment) + piece->len);
	if (!fragment)
		return false;
	*fragment = *piece;
	fragment->next = *at;
	memcpy(fragment->bytes, bytes, piece->len);
	*at = fragment;
	packet->n++;
	packet->bytes += piece->len;
	return true;
}

enum overlap {
	OVERLAP_NONE,
	OVERLAP_SAME, /* a fragment that is there, once more */
	OVERLAP_OTHER,
};

static enum overlap overlap_of(struct defrag *defrag, const struct defrag_packet *packet,
			       const struct frame *frame)
{
	uint32_t offset = frame->fragment_offset, end = offset + (uint32_t)frame->part_len;
	enum overlap overlap = OVERLAP_NONE;
	bool conflict = false;

	for (const struct fragment *f = packet->first; f && f->offset < end; f = f->next) {
		uint32_t from = f->offset > offset ? f->offset : offset;
		uint32_t to = f->offset + f->len < end ? f->offset + f->len : end;

		if (from >= to)
			continue;
		overlap = f->offset == offset && f->len == end - offset ? OVERLAP_SAME
									: OVERLAP_OTHER;
		conflict = conflict || memcmp(f->bytes + (from - f->offset),
					      frame->part + (from - offset), to - from) != 0;
	}
	defrag->counts.conflicts += conflict;
	return conflict ? OVERLAP_OTHER : overlap;
}

/* Adds what of the fragment is not there yet; false when there is no room for it. */
static bool fill(struct defrag *defrag, struct defrag_packet *packet, const struct frame *frame,
		 uint64_t number)
{
	uint32_t offset = frame->fragment_offset, end = offset + (uint32_t)frame->part_len;
	struct fragment **at = &packet->first;

	while (offset < end) {
		struct fragment piece = { .packet = number, .offset = offset, .len = end - offset };

		while (*at && (*at)->offset + (*at)->len <= offset)
			at = &(*at)->next;
		if (*at && (*at)->offset <= offset) {
			offset = (*at)->offset + (*at)->len;
			continue;
		}
		if (*at && (*at)->offset < end)
			piece.len = (*at)->offset - offset;
		if (!insert(defrag, packet, at, &piece,
			    frame->part + (offset - frame->fragment_offset)))
			return false;
		offset += piece.len;
	}
	return true;
}

/* RFC 791, RFC 8200: all but the last are multiples of 8 long, and none goes beyond the last. */
static bool is_possible(const struct defrag_packet *packet, const struct frame *frame)
{
	uint64_t end = (uint64_t)frame->fragment_offset + frame->part_len;

	if (!frame->part_len || end > DEFRAG_PAYLOAD_MAX)
		return false;
	if (frame->fragment_more)
		return frame->part_len % 8 == 0 && (!packet->has_last || end <= packet->end);
	return packet->has_last ? end == packet->end : end >= packet->end;
}

static void drop(struct defrag *defrag, struct defrag_packet *packet)
{
	packet_unlink(defrag, packet);
	packet_free(defrag, packet);
}

static enum defrag_result take_fragment(struct defrag *defrag, struct defrag_packet *packet,
					const struct frame *frame, uint64_t number)
{
	enum overlap overlap = overlap_of(defrag, packet, frame);

	if (overlap == OVERLAP_SAME)
		return DEFRAG_WAITS;
	if (overlap == OVERLAP_OTHER && frame->ip_version == 6) {
		drop(defrag, packet);
		return DEFRAG_DROPPED;
	}
	if (!fill(defrag, packet, frame, number))
		return DEFRAG_DROPPED;
	packet->last_number = number;
	if (!frame->fragment_offset)
		packet->proto = frame->fragment_proto;
	if (frame->fragment_offset + frame->part_len > packet->end)
		packet->end = frame->fragment_offset + (uint32_t)frame->part_len;
	packet->has_last = packet->has_last || !frame->fragment_more;
	return packet->has_last && packet->bytes >= packet->end ? DEFRAG_WHOLE : DEFRAG_WAITS;
}

enum defrag_result defrag_add(struct defrag *defrag, const struct frame *frame, uint32_t link,
			      const void *owner, uint64_t packet_number, uint64_t now_ns,
			      struct frame *ret)
{
	struct defrag_key key = key_of(frame, link);
	struct defrag_packet *packet;
	enum defrag_result result = DEFRAG_DROPPED;

	packet_free(defrag, defrag->last);
	defrag->last = NULL;
	defrag->counts.fragments++;
	defrag_tick(defrag, now_ns);
	packet = find(defrag, &key);
	if (!packet) {
		packet = packet_add(defrag, &key, frame, now_ns);
		defrag->counts.headless += frame->fragment_offset > 0;
	}
	if (packet)
		packet->owner = owner;
	if (packet && is_possible(packet, frame))
		result = take_fragment(defrag, packet, frame, packet_number);
	if (result == DEFRAG_DROPPED)
		defrag->counts.dropped++;
	if (result != DEFRAG_WHOLE)
		return result;
	defrag->whole[defrag->counts.whole++ % DEFRAG_WHOLE_KEPT] = packet->key;
	packet_unlink(defrag, packet);
	defrag->last = packet;
	defrag->reason = frame_of(defrag, packet, join(defrag, packet), false, ret);
	return DEFRAG_WHOLE;
}

void defrag_tick(struct defrag *defrag, uint64_t now_ns)
{
	while (defrag->oldest && now_ns > defrag->oldest->first_ns &&
	       now_ns - defrag->oldest->first_ns > DEFRAG_TIMEOUT_NS)
		give_up(defrag, defrag->oldest);
}

void defrag_end_link(struct defrag *defrag, uint32_t link)
{
	struct defrag_packet *next;

	for (struct defrag_packet *packet = defrag->oldest; packet; packet = next) {
		next = packet->newer;
		if (packet->key.link == link)
			give_up(defrag, packet);
	}
}

static void take_fragments(const struct defrag_packet *packet, defrag_fragment told, void *data)
{
	struct frame frame = head_of(packet);

	frame.fragment_id = packet->key.id;
	frame.fragment_proto = packet->proto ? packet->proto : packet->key.proto;
	for (const struct fragment *f = packet->first; f; f = f->next) {
		frame.fragment_offset = f->offset;
		frame.fragment_more = !packet->has_last || f->offset + f->len < packet->end;
		frame.part = f->bytes;
		frame.part_len = f->len;
		told(data, &frame, f->packet, packet->first_ns);
	}
}

void defrag_take_link(struct defrag *defrag, uint32_t link, defrag_fragment told, void *data)
{
	struct defrag_packet *next;

	for (struct defrag_packet *packet = defrag->oldest; packet; packet = next) {
		next = packet->newer;
		if (packet->key.link != link)
			continue;
		take_fragments(packet, told, data);
		drop(defrag, packet);
	}
}
