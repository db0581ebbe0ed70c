#include "capture/sift_save.h"

#include <errno.h>
#include <string.h>

#include "agent/base/cursor.h"
#include "agent/base/hash.h"
#include "capture/sift_half.h"
#include "capture/sift_judge.h"
#include "capture/stream_save.h"

enum saved_kind {
	SAVED_FLOW,
	SAVED_FRAGMENT,
};

struct saved_head {
	uint32_t kind; /* enum saved_kind */
	uint32_t len; /* bytes that follow */
};

/*
 * A direction: bytes of the stream, the last that were seen, then marks of rules that are at work.
 */
struct saved_tail {
	uint64_t end_offset;
	uint32_t len;
	uint32_t n_rules;
	uint8_t start; /* enum stream_tail_start */
	uint8_t direction; /* enum sift_direction */
	uint8_t gap;
	uint8_t zero[5];
};

struct saved_rule {
	uint64_t id; /* id_of() */
	uint64_t at, after;
	uint64_t not_empty_here;
};

/* Without its bytes, which follow. */
struct saved_fragment {
	uint8_t mac[2][6];
	uint8_t ip[2][16];
	uint16_t vlan[FRAME_VLANS_MAX];
	uint16_t ether_type;
	uint8_t n_vlans, ip_version, proto, more;
	uint32_t offset, id, len;
	uint64_t packet, first_ns;
};

struct saving {
	struct sift *sift;
	const struct sift_link *link;
	struct buf *out;
};

/* ---- rules ---------------------------------------------------------------------------------- */

static uint64_t add_text(uint64_t hash, const char *text)
{
	return text ? hash_text(hash, text) : hash_bytes(hash, "\1", 1);
}

/* The same for a rule that finds the same matches. */
static uint64_t id_of(const struct rule *rule)
{
	const struct pattern_conf *conf = rule->conf;
	const uint8_t flags[] = { conf->caseless, conf->multiline, conf->dotall, conf->utf,
				  (uint8_t)conf->scope };
	uint64_t hash = HASH_INIT;

	hash = add_text(hash, conf->head.name);
	hash = add_text(hash, conf->regex);
	hash = add_text(hash, conf->preceded_by);
	hash = add_text(hash, conf->followed_by);
	return hash_bytes(hash, flags, sizeof(flags));
}

/* SIZE_MAX: the link has none. */
static size_t rule_of(const struct tried_half *half, uint64_t id)
{
	const struct sift_link *link = half->link;

	for (size_t i = 0; i < link->n_stream; i++) {
		if (id_of(&half->sift->conf.rules->rules[link->stream[i]]) == id)
			return link->stream[i];
	}
	return SIZE_MAX;
}

/* ---- saved ---------------------------------------------------------------------------------- */

/*
 * What reaches back furthest of all that is kept up to the last byte; and how many rules are at
 * work.
 */
static struct stream_tail longest(const struct tried_half *half, uint32_t *ret_rules)
{
	struct stream_tail longest = half_tail(half), kept;
	struct stream_match_mark mark;

	*ret_rules = 0;
	for (const struct tried_rule *tried = half->rules; tried; tried = tried->next) {
		if (tried->asleep || !rule_stream_mark(&tried->stream, &mark, &kept))
			continue;
		++*ret_rules;
		if (kept.len > longest.len && kept.offset + kept.len == half->end_offset)
			longest = kept;
	}
	return longest;
}

static void save_half(void *data, const struct flow *flow, unsigned int end, struct buf *out)
{
	const struct tried_half *half = flow->half[end].user;
	struct saved_tail saved = {
		.end_offset = half->end_offset,
		.direction = half->direction,
		.gap = half->gap,
	};
	const struct stream_tail tail = longest(half, &saved.n_rules);
	struct stream_match_mark mark;
	struct stream_tail kept;

	(void)data;
	saved.len = (uint32_t)tail.len;
	saved.start = (uint8_t)tail.start;
	buf_add(out, &saved, sizeof(saved));
	buf_add(out, tail.bytes, tail.len);
	for (const struct tried_rule *tried = half->rules; tried; tried = tried->next) {
		if (tried->asleep || !rule_stream_mark(&tried->stream, &mark, &kept))
			continue;
		const struct saved_rule rule = { id_of(tried->rule), mark.at, mark.after,
						 mark.not_empty_here };

		buf_add(out, &rule, sizeof(rule));
	}
}

/* The head has its length once what follows is there. */
static void add_record(struct buf *out, size_t at, enum saved_kind kind)
{
	const struct saved_head head = { kind, (uint32_t)(out->len - at - sizeof(head)) };

	memcpy(out->data + at, &head, sizeof(head));
}

static const struct stream_save_ops save_ops;

static bool take_flow(void *data, struct flow *flow)
{
	struct saving *saving = data;
	struct buf *out = saving->out;
	const size_t at = out->len;
	const struct saved_head head = { 0 };

	buf_add(out, &head, sizeof(head));
	if (out->failed || !stream_save(flow, &save_ops, saving, out)) {
		out->len = at;
		out->failed = false;
		return false;
	}
	add_record(out, at, SAVED_FLOW);
	return true;
}

static void take_fragment(void *data, const struct frame *frame, uint64_t packet, uint64_t first_ns)
{
	const struct saving *saving = data;
	struct buf *out = saving->out;
	const size_t at = out->len, address_len = frame->ip_version == 6 ? 16 : 4;
	const struct saved_head head = { 0 };
	struct saved_fragment saved = {
		.ether_type = frame->ether_type,
		.n_vlans = (uint8_t)frame->n_vlans,
		.ip_version = frame->ip_version,
		.proto = frame->fragment_proto,
		.more = frame->fragment_more,
		.offset = frame->fragment_offset,
		.id = frame->fragment_id,
		.len = (uint32_t)frame->part_len,
		.packet = packet,
		.first_ns = first_ns,
	};

	memcpy(saved.mac[0], frame->src_mac, sizeof(saved.mac[0]));
	memcpy(saved.mac[1], frame->dst_mac, sizeof(saved.mac[1]));
	memcpy(saved.ip[0], frame->src_ip, address_len);
	memcpy(saved.ip[1], frame->dst_ip, address_len);
	memcpy(saved.vlan, frame->vlan, sizeof(saved.vlan));
	buf_add(out, &head, sizeof(head));
	buf_add(out, &saved, sizeof(saved));
	buf_add(out, frame->part, frame->part_len);
	if (!out->failed) {
		add_record(out, at, SAVED_FRAGMENT);
		return;
	}
	out->len = at;
	out->failed = false;
	judge_incomplete(saving->sift, saving->link, frame);
}

void sift_save_link(struct sift *sift, const struct sift_link *link, struct buf *out)
{
	struct saving saving = { sift, link, out };

	sift->input = NULL;
	streams_take_link(&sift->streams, link->id, take_flow, &saving);
	defrag_take_link(&sift->defrag, link->id, take_fragment, &saving);
}

/* ---- restored ------------------------------------------------------------------------------- */

struct restoring {
	struct sift *sift;
	const struct sift_link *link;
};

/* What rules are woken with later. One that was kept for others may be too short for these. */
static void set_tail(struct tried_half *half, const struct stream_tail *tail)
{
	const size_t max = half->link->tail, n = tail->len < max ? tail->len : max;

	half->end_offset = tail->offset + tail->len;
	if (!n && half->end_offset) {
		half_keep_gap(half, half->end_offset);
		return;
	}
	if (n)
		memcpy(half->tail, tail->bytes + (tail->len - n), n);
	half->tail_len = (uint16_t)n;
	half->tail_start = (uint8_t)(n < tail->len ? STREAM_TAIL_CUT : tail->start);
	if (half->tail_start != STREAM_TAIL_CUT || n == max)
		return;
	half->tail_start = STREAM_TAIL_GAP;
	half->tail[0] = 0;
}

static int restore_rule(struct tried_half *half, const struct stream_tail *tail, struct cursor *in)
{
	struct sift *sift = half->sift;
	struct stream_match_mark mark;
	struct saved_rule saved;
	struct tried_rule *tried;
	size_t number;

	if (!cursor_read(in, &saved, sizeof(saved)) || saved.at > half->end_offset)
		return -EBADMSG;
	number = rule_of(half, saved.id);
	if (number == SIZE_MAX)
		return 0;
	tried = half_rule(half, number);
	if (!tried) {
		half_tell_loss(half, &sift->conf.rules->rules[number], "memory", half->end_offset,
			       0);
		return 0;
	}
	if (!tried->asleep)
		return -EBADMSG;
	tried->asleep = false;
	mark = (struct stream_match_mark){
		.at = saved.at > tail->offset ? saved.at : tail->offset,
		.after = saved.after,
		.not_empty_here = saved.not_empty_here,
	};
	rule_stream_go_on(&tried->stream, sift->conf.rules->scratch, tail, &mark);
	if (rule_stream_is_late(&tried->stream))
		half_late(half);
	return 0;
}

/* Rules that see everything, and are new or were in a range, begin with what there is. */
static void wake_others(struct tried_half *half, const struct stream_tail *tail)
{
	const struct stream_match_mark begin = { .at = tail->offset };
	const struct sift_link *link = half->link;

	for (size_t i = 0; i < link->n_stream; i++) {
		struct tried_rule *tried = half->rules;

		while (tried && number_of(half->sift, tried->rule) != link->stream[i])
			tried = tried->next;
		if (tried || mask_has(&link->sleepers, link->stream[i]))
			continue;
		half_wake(half, link->stream[i]);
		tried = half_rule(half, link->stream[i]);
		if (tried && !tried->asleep)
			rule_stream_go_on(&tried->stream, half->sift->conf.rules->scratch, tail,
					  &begin);
	}
}

static int restore_half(void *data, struct flow *flow, unsigned int end, struct cursor *in)
{
	const struct restoring *restoring = data;
	struct stream_tail tail;
	struct saved_tail saved;
	struct tried_half *half;
	int code = 0;

	if (!cursor_read(in, &saved, sizeof(saved)) || saved.end_offset != flow->half[end].offset ||
	    saved.len > saved.end_offset || saved.start > STREAM_TAIL_CUT ||
	    saved.direction > SIFT_TO_GUEST)
		return -EBADMSG;
	tail = (struct stream_tail){
		.bytes = cursor_pull(in, saved.len),
		.len = saved.len,
		.offset = saved.end_offset - saved.len,
		.start = (enum stream_tail_start)saved.start,
	};
	if (!tail.bytes)
		return -EBADMSG;
	half = half_new(restoring->sift, restoring->link, flow, end,
			(enum sift_direction)saved.direction);
	if (!half)
		return -ENOMEM;
	half->gap = saved.gap;
	set_tail(half, &tail);
	for (uint32_t i = 0; code == 0 && i < saved.n_rules; i++)
		code = restore_rule(half, &tail, in);
	if (code)
		return code;
	wake_others(half, &tail);
	return half_charge(half) ? 0 : -ENOMEM;
}

static const struct stream_save_ops save_ops = { .save = save_half, .restore = restore_half };

static int restore_flow(struct restoring *restoring, struct cursor *in)
{
	struct sift *sift = restoring->sift;
	struct flow_key key;
	int code =
		stream_restore(&sift->streams, restoring->link->id, &save_ops, restoring, in, &key);

	if (code != -ENOMEM)
		return code;
	/* What comes of it will not be known for the rest of what was. */
	judge_lost(sift, restoring->link, &key);
	return 0;
}

static int restore_fragment(const struct restoring *restoring, struct cursor *in)
{
	struct saved_fragment saved;
	struct frame frame, whole;

	if (!cursor_read(in, &saved, sizeof(saved)) || saved.n_vlans > FRAME_VLANS_MAX ||
	    (saved.ip_version != 4 && saved.ip_version != 6))
		return -EBADMSG;
	frame = (struct frame){
		.src_mac = saved.mac[0],
		.dst_mac = saved.mac[1],
		.n_vlans = saved.n_vlans,
		.ether_type = saved.ether_type,
		.ip_version = saved.ip_version,
		.src_ip = saved.ip[0],
		.dst_ip = saved.ip[1],
		.fragment = true,
		.fragment_more = saved.more,
		.fragment_offset = saved.offset,
		.fragment_id = saved.id,
		.fragment_proto = saved.proto,
		.part = cursor_pull(in, saved.len),
		.part_len = saved.len,
	};
	if (!frame.part)
		return -EBADMSG;
	memcpy(frame.vlan, saved.vlan, sizeof(frame.vlan));
	/* One packet too many gives up an older one, which judges that itself. */
	if (defrag_add(&restoring->sift->defrag, &frame, restoring->link->id, restoring->link,
		       saved.packet, saved.first_ns, &whole) == DEFRAG_DROPPED)
		judge_incomplete(restoring->sift, restoring->link, &frame);
	return 0;
}

static int restore_record(struct restoring *restoring, struct cursor *in)
{
	struct saved_head head;
	struct cursor record;

	if (!cursor_read(in, &head, sizeof(head)) || head.len > cursor_left(in))
		return -EBADMSG;
	record = cursor_init(cursor_pull(in, head.len), head.len);
	switch (head.kind) {
	case SAVED_FLOW:
		return restore_flow(restoring, &record);
	case SAVED_FRAGMENT:
		return restore_fragment(restoring, &record);
	}
	return -EBADMSG;
}

int sift_restore_link(struct sift *sift, const struct sift_link *link, const void *bytes,
		      size_t len, uint64_t now_ns)
{
	struct restoring restoring = { sift, link };
	struct cursor in = cursor_init(bytes, len);
	int code = 0;

	sift->input = NULL;
	sift->stream_ns = sift->streams.now_ns = now_ns;
	sift->streams.strict = link->strict;
	while (code == 0 && cursor_left(&in))
		code = restore_record(&restoring, &in);
	return code;
}
