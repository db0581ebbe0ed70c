/*
 * A link whose frames wait for verdicts, and five rules of it, without sockets or processes. For
 * tests that link what LINKS in their first lines say.
 */
#ifndef TW_JUDGED_H
#define TW_JUDGED_H

#include "capture/sift_judge.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/pcapng_format.h"
#include "capture/sift_save.h"

#define RULES	5
#define MEMORY	(1u << 20)
#define SECOND	UINT64_C(1000000000)
#define HEADERS (14 + 20 + 20)

enum {
	STREAM,
	PACKET,
	TELLS,
	SLOW,
	LENIENT
};

struct fixture {
	struct config config;
	struct pattern_conf patterns[RULES];
	struct ruleset rules;
	struct stats_pattern stats[RULES];
	struct stats_condemned condemned;
	struct sift_link link;
	struct sift sift;
	uint64_t number, now_ns;
	size_t matches;
	bool failed;
	bool handed; /* each frame is of another worker */
};

static inline void on_match(void *data, const struct sift_match *match)
{
	struct fixture *f = data;

	(void)match;
	f->matches++;
}

static inline void on_loss(void *data, const struct sift_loss *loss)
{
	(void)data;
	(void)loss;
}

static const struct sift_ops ops = { .match = on_match, .loss = on_loss };

static inline void begin(struct fixture *f)
{
	const struct sift_conf conf = {
		.rules = &f->rules,
		.stats = f->stats,
		.policy = &extract_live,
		.stream_memory = MEMORY,
		.stream_pending = 65536,
		.fragment_memory = 1 << 17,
		.match_max = 4096,
		.condemned = &f->condemned,
	};

	assert_int_equal(sift_init(&f->sift, &conf, &ops, f), 0);
}

static inline int set_up(void **state)
{
	static const struct pattern_conf patterns[RULES] = {
		[STREAM] = { .head.name = "stream",
			     .regex = "secret-\\d+",
			     .scope = SCOPE_STREAM,
			     .action = ACTION_DROP,
			     .on_error = ON_ERROR_DROP },
		[PACKET] = { .head.name = "packet",
			     .regex = "end-it",
			     .action = ACTION_RESET,
			     .on_error = ON_ERROR_DROP },
		[TELLS] = { .head.name = "tells", .regex = "hello" },
		[SLOW] = { .head.name = "slow",
			   .regex = "slow(a|aa)+$",
			   .match_limit = 50,
			   .action = ACTION_DROP,
			   .on_error = ON_ERROR_DROP },
		[LENIENT] = { .head.name = "lenient",
			      .regex = "idle(a|aa)+$",
			      .match_limit = 50,
			      .action = ACTION_DROP,
			      .on_error = ON_ERROR_PASS },
	};
	struct fixture *f = calloc(1, sizeof(*f));
	struct rule_mask mask = { 0 };
	struct err err;

	assert_non_null(f);
	memcpy(f->patterns, patterns, sizeof(patterns));
	for (size_t i = 0; i < RULES; i++) {
		if (!f->patterns[i].match_limit)
			f->patterns[i].match_limit = 100000;
		mask_add(&mask, i);
	}
	f->config.patterns = f->patterns;
	f->config.n_patterns = RULES;
	f->now_ns = 1000 * SECOND;
	assert_int_equal(ruleset_init(&f->rules, &f->config, &err), 0);
	assert_int_equal(sift_link_init(&f->link, 1, &f->rules, &mask, true), 0);
	begin(f);
	*state = f;
	return 0;
}

static inline int set_up_handed(void **state)
{
	int code = set_up(state);

	((struct fixture *)*state)->handed = true;
	return code;
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;

	sift_done(&f->sift);
	sift_link_done(&f->link);
	ruleset_done(&f->rules);
	free(f);
	return 0;
}

static inline void put16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static inline void put32(uint8_t *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p + 2, value);
}

static inline uint32_t sum(uint32_t before, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		before += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return before;
}

static inline uint32_t fold(uint32_t value)
{
	while (value >> 16)
		value = (value & 0xffff) + (value >> 16);
	return ~value & 0xffff;
}

/* Another worker goes on with the link: what it knows is what it is told. */
static inline void hand_over(struct fixture *f)
{
	struct buf told;

	buf_init(&told, 2 * MEMORY);
	sift_save_link(&f->sift, &f->link, &told);
	assert_int_equal(flow_count(&f->sift.streams.flows), 0);
	sift_done(&f->sift);
	begin(f);
	assert_int_equal(sift_restore_link(&f->sift, &f->link, told.data, told.len, f->now_ns), 0);
	buf_done(&told);
}

static inline enum pattern_action judge_from(struct fixture *f, enum sift_direction direction,
					     const uint8_t *frame, size_t len)
{
	const struct sift_input input = {
		.in = { .bytes = frame, .len = len, .wire_len = len },
		.link_type = LINKTYPE_ETHERNET,
		.number = ++f->number,
		.time_ns = f->now_ns,
		.direction = direction,
		.link = &f->link,
	};
	struct sift_result result;

	if (f->handed)
		hand_over(f);
	sift_frame(&f->sift, &input, &result);
	f->failed = result.failed;
	return result.verdict;
}

static inline enum pattern_action judge(struct fixture *f, const uint8_t *frame, size_t len)
{
	return judge_from(f, SIFT_FROM_GUEST, frame, len);
}

static inline size_t make_ip(uint8_t *frame, uint8_t proto, bool back, size_t len)
{
	uint8_t *ip = frame + 14;

	memset(frame, 2, 12);
	put16(frame + 12, 0x0800);
	memset(ip, 0, 20);
	ip[0] = 0x45;
	put16(ip + 2, (uint32_t)(20 + len));
	ip[8] = 64;
	ip[9] = proto;
	put32(ip + 12, back ? 0xc0000202 : 0xc000020a);
	put32(ip + 16, back ? 0xc000020a : 0xc0000202);
	put16(ip + 10, fold(sum(0, ip, 20)));
	return 34 + len;
}

struct segment {
	uint32_t port, seq, ack;
	uint8_t flags;
	bool back, damaged, tagged;
	bool forged; /* the guest sends it as if it were from the other end */
	const char *text;
};

static inline enum pattern_action give(struct fixture *f, struct segment s)
{
	uint8_t frame[1500], *tcp = frame + 34;
	size_t n = s.text ? strlen(s.text) : 0, len;

	memset(tcp, 0, 20);
	put16(tcp, s.back ? 80 : s.port);
	put16(tcp + 2, s.back ? s.port : 80);
	put32(tcp + 4, s.seq);
	put32(tcp + 8, s.ack);
	tcp[12] = 0x50;
	tcp[13] = (uint8_t)(s.flags | (s.ack ? TH_ACK : 0));
	if (n)
		memcpy(tcp + 20, s.text, n);
	len = make_ip(frame, IPPROTO_TCP, s.back, 20 + n);
	put16(tcp + 16,
	      fold(sum(sum((uint32_t)(20 + n) + IPPROTO_TCP, frame + 26, 8), tcp, 20 + n)));
	tcp[16] ^= s.damaged;
	if (s.tagged) {
		memmove(frame + 16, frame + 12, len - 12);
		memcpy(frame + 12, "\x81\0\x60\0", 4);
		len += 4;
	}
	return judge_from(f, s.back && !s.forged ? SIFT_TO_GUEST : SIFT_FROM_GUEST, frame, len);
}

/* A connection that is open at sequence number 100. */
static inline void open_connection(struct fixture *f, uint32_t port)
{
	assert_int_equal(give(f, (struct segment){ .port = port, .seq = 99, .flags = TH_SYN }),
			 ACTION_LOG);
}

static inline enum pattern_action say(struct fixture *f, uint32_t port, uint32_t seq,
				      const char *text)
{
	return give(f, (struct segment){ .port = port, .seq = seq, .text = text });
}

static inline enum pattern_action answer(struct fixture *f, uint32_t port, uint32_t seq,
					 uint32_t ack)
{
	return give(f, (struct segment){ .port = port, .seq = seq, .ack = ack, .back = true });
}

#endif
