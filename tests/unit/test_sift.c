/* links: capture/sift.c capture/sift_judge.c capture/condemned.c capture/tcp_sum.c */
/* links: capture/sift_stream.c capture/sift_half.c capture/stream.c capture/stream_pending.c */
/* links: capture/stream_order.c */
/* links: capture/stream_piece.c capture/stream_kept.c capture/stream_match.c capture/flow.c */
/* links: capture/stream_sleep.c capture/stream_window.c */
/* links: capture/defrag.c capture/decode.c capture/ruleset.c capture/shape.c */
/* links: capture/decode_link.c */
/* links: capture/set_reader.c capture/range_stream.c capture/rule_stream.c capture/extract.c */
/* links: capture/regex_match.c */
/* links: capture/pattern.c capture/regex.c capture/literal.c capture/literal_find.c */
/* links: capture/pattern_compose.c */
/* links: capture/literal_reader.c capture/literal_part.c agent/base/config.c */
/* links: agent/base/config_cross.c agent/base/config_range.c agent/base/config_lowers.c */
/* links: agent/base/config_wishes.c */
/* links: agent/base/config_boot.c agent/base/config_schema*.c agent/base/range_types.c */
/* links: agent/base/fault.c agent/base/hint.c agent/base/ini.c agent/base/ini_load.c */
/* links: agent/base/ini_scan.c agent/base/link_types.c agent/base/name_template.c */
/* links: agent/base/schema.c agent/base/schema_print.c agent/base/schema_type.c */
/* links: agent/base/schema_walk.c */
/* links: agent/base/schema_fill.c */
/* links: agent/base/schema_text.c */
/* links: agent/base/parse_boot.c agent/base/schema_list.c agent/base/buf.c agent/base/err.c */
/* links: agent/base/parse.c capture/prefilter.c capture/gram_index.c capture/quarantine.c */
/* links: agent/base/utf8.c */
#include "capture/sift.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "agent/base/buf.h"
#include "agent/base/pcapng_format.h"

#define RULES	 4
#define STATS	 18
#define TEXT_MAX (1u << 16)
#define MEMORY	 (1u << 20)

struct fixture {
	struct pattern_conf patterns[RULES];
	struct config config;
	struct ruleset rules;
	struct stats_pattern stats[STATS];
	struct rule_mask mask;
	struct sift_link link;
	struct sift sift;
	struct buf text; /* what was told */
	uint64_t number;
	uint16_t ip_id;
	bool with_spans;
	bool answers; /* the other end sends */
};

static void on_match(void *data, const struct sift_match *match)
{
	struct fixture *f = data;
	struct span whole = match->hit->match->whole;
	uint64_t offset = match->hit->offset + whole.start, sum = 0;

	assert_ptr_equal(match->link, &f->link);
	buf_addf(&f->text, "%s@%llu:%.*s%s", match->rule->conf->head.name,
		 (unsigned long long)offset, (int)(whole.end - whole.start),
		 (const char *)match->hit->subject + whole.start, match->gap ? "!" : "");
	/* The frames of a match in a stream have all of it, one after the other. */
	for (size_t i = 0; i < match->n_spans; i++) {
		assert_int_equal(match->spans[i].offset, offset + sum);
		sum += match->spans[i].len;
		if (f->with_spans)
			buf_addf(&f->text, "#%llu+%llu", (unsigned long long)match->spans[i].frame,
				 (unsigned long long)match->spans[i].len);
	}
	if ((match->stream || match->n_spans) && match->n_spans < SIFT_SPANS_MAX)
		assert_int_equal(sum, whole.end - whole.start);
	buf_adds(&f->text, " ");
}

static void on_loss(void *data, const struct sift_loss *loss)
{
	struct fixture *f = data;

	buf_addf(&f->text, "(%s %llu+%llu) ", loss->why, (unsigned long long)loss->offset,
		 (unsigned long long)loss->bytes);
}

static void on_parked(void *data, const struct sift_parked *parked)
{
	struct fixture *f = data;

	buf_addf(&f->text, "(%s %s) ", parked->parked ? "parked" : "released",
		 parked->rule->conf->head.name);
}

static const struct sift_ops ops = {
	.match = on_match,
	.loss = on_loss,
	.parked = on_parked,
};

static void begin(struct fixture *f, size_t memory)
{
	const struct sift_conf conf = {
		.rules = &f->rules,
		.stats = f->stats,
		.policy = &extract_live,
		.stream_memory = memory,
		.stream_pending = 65536,
		.fragment_memory = 1 << 17,
		.match_max = 4096,
	};

	buf_init(&f->text, TEXT_MAX);
	buf_adds(&f->text, "");
	f->number = 0;
	assert_int_equal(sift_init(&f->sift, &conf, &ops, f), 0);
}

static void check(struct fixture *f, const char *expect)
{
	sift_done(&f->sift);
	if (f->text.len)
		f->text.data[--f->text.len] = '\0';
	assert_string_equal(f->text.data ? f->text.data : "", expect);
	buf_done(&f->text);
}

static int set_up(void **state)
{
	static const struct pattern_conf patterns[RULES] = {
		{ .head.name = "word", .regex = "secret-\\d+", .scope = SCOPE_STREAM },
		{ .head.name = "lines",
		  .regex = "^k=.*$",
		  .scope = SCOPE_STREAM,
		  .multiline = true },
		{ .head.name = "packet", .regex = "secret-\\d+", .scope = SCOPE_PACKET },
		{ .head.name = "end", .regex = "bye\\z", .scope = SCOPE_STREAM },
	};
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	memcpy(f->patterns, patterns, sizeof(patterns));
	for (size_t i = 0; i < RULES; i++)
		f->patterns[i].match_limit = 10000;
	f->config = (struct config){ .patterns = f->patterns, .n_patterns = RULES };
	assert_int_equal(ruleset_init(&f->rules, &f->config, NULL), 0);
	/* All but the third, which each frame has by itself. */
	f->mask = (struct rule_mask){ .bits = { 0xb }, .any = true };
	assert_int_equal(sift_link_init(&f->link, 1, &f->rules, &f->mask, false), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	sift_link_done(&f->link);
	ruleset_done(&f->rules);
	free(f);
	return 0;
}

static void put16(uint8_t *p, size_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void send_ip(struct fixture *f, uint8_t proto, uint16_t fragment, const uint8_t *payload,
		    size_t len)
{
	uint8_t bytes[4096] = { 0x45, [8] = 64, [12] = 192, 0, 2, 1, 192, 0, 2, 2 };
	struct sift_input input = {
		.in = { .bytes = bytes, .len = 20 + len, .wire_len = 20 + len },
		.link_type = LINKTYPE_RAW,
		.number = ++f->number,
		.time_ns = f->number * 1000,
		.link = &f->link,
	};
	struct sift_result result;

	put16(bytes + 2, 20 + len);
	put16(bytes + 4, f->ip_id);
	put16(bytes + 6, fragment);
	bytes[9] = proto;
	bytes[15] = f->answers ? 2 : 1;
	bytes[19] = f->answers ? 1 : 2;
	memcpy(bytes + 20, payload, len);
	sift_frame(&f->sift, &input, &result);
	assert_int_equal(result.reason, DECODE_OK);
}

static void send_tcp(struct fixture *f, uint8_t flags, uint32_t seq, const char *text, size_t len)
{
	uint8_t bytes[4000] = { 0x12, 0x34, 0, 80, [12] = 0x50, flags };

	put16(bytes + 4, seq >> 16);
	put16(bytes + 6, seq & 0xffff);
	memcpy(bytes + 20, text, len);
	send_ip(f, IPPROTO_TCP, 0, bytes, 20 + len);
}

static void send_udp(struct fixture *f, const char *text)
{
	uint8_t bytes[1000] = { 0x12, 0x34, 0, 80 };

	put16(bytes + 4, 8 + strlen(text));
	memcpy(bytes + 8, text, strlen(text));
	send_ip(f, IPPROTO_UDP, 0, bytes, 8 + strlen(text));
}

static const char dialogue[] = "a secret-12 b\r\nk=v1\r\nk=\r\nsecret-345secret-6\nnok=x\nk=z bye";
static const char expected[] = "word@2:secret-12 lines@15:k=v1 lines@21:k= word@25:secret-345 "
			       "word@35:secret-6 lines@50:k=z bye end@54:bye";

/* What is told, sorted by place: rules that end later tell later. */
static int by_place(const void *a, const void *b)
{
	const char *p = strchr(*(char *const *)a, '@'), *q = strchr(*(char *const *)b, '@');
	long n = strtol(p + 1, NULL, 10) - strtol(q + 1, NULL, 10);

	return n ? (n > 0 ? 1 : -1) : strcmp(*(char *const *)a, *(char *const *)b);
}

/* Matches have blanks in them: "word@", "lines@" and "end@" begin them. */
static void sort_told(struct fixture *f)
{
	static const char *const names[] = { "word@", "lines@", "end@" };
	char *copy = strdup(f->text.data), *items[32];
	size_t n = 0;

	for (char *p = copy; *p; p++) {
		for (size_t i = 0; i < 3; i++) {
			if ((p == copy || p[-1] == ' ') &&
			    strncmp(p, names[i], strlen(names[i])) == 0) {
				if (p > copy)
					p[-1] = '\0';
				items[n++] = p;
			}
		}
	}
	qsort(items, n, sizeof(items[0]), by_place);
	buf_reset(&f->text);
	for (size_t i = 0; i < n; i++)
		buf_addf(&f->text, "%s ", items[i]);
	/* The last one had a blank behind it already. */
	free(copy);
}

static void squeeze(struct fixture *f)
{
	size_t out = 0;

	sort_told(f);
	for (size_t i = 0; i < f->text.len; i++) {
		if (f->text.data[i] == ' ' && out && f->text.data[out - 1] == ' ')
			continue;
		f->text.data[out++] = f->text.data[i];
	}
	f->text.len = out;
	f->text.data[out] = '\0';
}

static void end_and_check(struct fixture *f, const char *expect)
{
	sift_done(&f->sift);
	squeeze(f);
	if (f->text.len)
		f->text.data[--f->text.len] = '\0';
	assert_string_equal(f->text.data, expect);
	buf_done(&f->text);
}

/* In one segment, in two at every place, in three at every pair of places, in single bytes. */
static void cut_everywhere(void **state)
{
	const size_t len = sizeof(dialogue) - 1;
	struct fixture *f = *state;

	for (size_t a = 0; a <= len; a++) {
		for (size_t b = a; b <= len; b++) {
			begin(f, MEMORY);
			send_tcp(f, TH_SYN, 99, "", 0);
			if (a)
				send_tcp(f, TH_ACK, 100, dialogue, a);
			if (b > a)
				send_tcp(f, TH_ACK, 100 + (uint32_t)a, dialogue + a, b - a);
			send_tcp(f, TH_ACK | TH_FIN, 100 + (uint32_t)b, dialogue + b, len - b);
			end_and_check(f, expected);
		}
	}
	begin(f, MEMORY);
	for (size_t i = 0; i < len; i++)
		send_tcp(f, TH_ACK, 100 + (uint32_t)i, dialogue + i, 1);
	end_and_check(f, expected);
}

/* The same from the last byte to the first. */
static void backwards(void **state)
{
	const size_t len = sizeof(dialogue) - 1;
	struct fixture *f = *state;

	begin(f, MEMORY);
	send_tcp(f, TH_SYN, 99, "", 0);
	for (size_t i = len; i-- > 0;)
		send_tcp(f, TH_ACK, 100 + (uint32_t)i, dialogue + i, 1);
	end_and_check(f, expected);
}

static void names_its_frames(void **state)
{
	struct fixture *f = *state;

	f->with_spans = true;
	begin(f, MEMORY);
	send_tcp(f, TH_SYN, 99, "", 0);
	send_tcp(f, TH_ACK, 100, "xx sec", 6);
	send_tcp(f, TH_ACK, 108, "t-7 ", 4);
	send_tcp(f, TH_ACK, 106, "re", 2);
	check(f, "word@3:secret-7#2+3#4+2#3+3");
	f->with_spans = false;
}

/* Nothing spans a gap, and what ends at one says so. */
static void gaps(void **state)
{
	struct fixture *f = *state;

	begin(f, MEMORY);
	send_tcp(f, TH_SYN, 99, "", 0);
	send_tcp(f, TH_ACK, 100, "secret-1", 8);
	send_tcp(f, TH_ACK, 110, "3 secret-4 ", 11);
	check(f, "word@0:secret-1! (stream-gap 8+2) word@12:secret-4!");
	/* Also where the first bytes are lost, and the clock gives them up. */
	begin(f, MEMORY);
	send_tcp(f, TH_SYN, 99, "", 0);
	send_tcp(f, TH_ACK, 103, " secret-5 ", 10);
	sift_tick(&f->sift, f->number * 1000 + 2 * STREAM_HOLD_ALONE_NS);
	check(f, "(stream-gap 0+3) word@4:secret-5!");
}

/* What has no stream is seen by itself, by rules of either scope. */
static void datagrams(void **state)
{
	struct fixture *f = *state;

	begin(f, MEMORY);
	send_udp(f, "secret-1 bye");
	send_udp(f, "sec");
	send_udp(f, "ret-2");
	check(f, "word@0:secret-1 end@9:bye");
}

static void packet_scope(void **state)
{
	struct fixture *f = *state;

	sift_link_done(&f->link);
	assert_int_equal(sift_link_init(&f->link, 1, &f->rules,
					&(struct rule_mask){ .bits = { 4 }, .any = true }, false),
			 0);
	begin(f, MEMORY);
	send_tcp(f, TH_ACK, 100, "secret-1 sec", 12);
	send_tcp(f, TH_ACK, 112, "ret-2 secret-3", 14);
	send_tcp(f, TH_ACK, 112, "ret-2 secret-3", 14);
	check(f, "packet@0:secret-1 packet@6:secret-3 packet@6:secret-3");
	assert_int_equal(f->stats[2].matches, 3);
}

static void fragments(void **state)
{
	uint8_t udp[40] = { 0x12, 0x34, 0, 80, 0, 40, 0, 0 };
	struct fixture *f = *state;

	memcpy(udp + 8, "0123456secret-9 and some more...", 32);
	f->with_spans = true;
	begin(f, MEMORY);
	f->ip_id = 1;
	send_ip(f, IPPROTO_UDP, 0x2000, udp, 24);
	send_ip(f, IPPROTO_UDP, 3, udp + 24, 16);
	f->ip_id = 2;
	send_ip(f, IPPROTO_UDP, 2, udp + 16, 24);
	send_ip(f, IPPROTO_UDP, 0x2000, udp, 16);
	f->ip_id = 3;
	send_ip(f, IPPROTO_UDP, 0x2000, udp, 32);
	check(f, "word@7:secret-9#1+8 word@7:secret-9#4+1#3+7 word@7:secret-9#5+8 "
		 "(fragments-missing 24+8)");
	f->with_spans = false;
}

static uint64_t seed = 20260419;

static uint32_t dice(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 16) % n);
}

/* Rules that look ahead and back, at ends and newlines, and over characters; most may sleep. */
static const char *const various[] = {
	"secret-\\d+",	   "(?<=ab)cd+",  "cd.{0,5}ab",	      "^ab(?=c)",  "(?m)^k=.*$",
	"abcd\n$",	   "\\bab\\b",	  "(?<!a)bcd",	      "\\Aab.?cd", "cd\\z",
	"(?:abc|bcd)\\K.", "\xc3\xa9+ab", "ab\\R?cd",	      "d{4}",	   "(?s)ab.{3,40}dd",
	"(?<=(?<!b)a)bc",  "y{2,60}abcd", "(?<=[^y]y{40})dd",
};
#define VARIOUS (sizeof(various) / sizeof(various[0]))

struct piece {
	size_t at, len;
	bool lost;
};

static size_t random_pieces(size_t len, struct piece *pieces)
{
	size_t n = 0, largest = 1 + dice(dice(2) ? 4 : 200);

	for (size_t at = 0; at < len; at += pieces[n++].len) {
		size_t want = 1 + dice((uint32_t)largest);

		pieces[n] = (struct piece){ at, want < len - at ? want : len - at, dice(30) == 0 };
	}
	return n;
}

/* Those that are lost are gaps: the other end acknowledges them. */
static char *told_of(struct fixture *f, const char *text, const struct piece *pieces, size_t n)
{
	char *told;

	begin(f, MEMORY);
	send_tcp(f, TH_SYN, 99, "", 0);
	for (size_t i = 0; i < n; i++) {
		if (!pieces[i].lost)
			send_tcp(f, TH_ACK, 100 + (uint32_t)pieces[i].at, text + pieces[i].at,
				 pieces[i].len);
		if (i % 16 == 15)
			sift_tick(&f->sift, f->number * 1000 + 2 * STREAM_HOLD_ALONE_NS);
	}
	sift_done(&f->sift);
	told = strdup(f->text.data);
	assert_non_null(told);
	buf_done(&f->text);
	return told;
}

/* A rule that sleeps while its texts are not there finds what one does that sees every byte. */
static void sleepers(void **state)
{
	static const char *const words[] = { "ab",	 "cd",	 "abc", "bcd", "abcd", "dd",
					     "secret-",	 "1",	 "\n",	"\r",  "\r\n", "k=",
					     "\xc3\xa9", "\xc3", " ",	"x",   "k" };
	const size_t n_words = sizeof(words) / sizeof(words[0]);
	struct fixture *f = *state;
	struct pattern_conf patterns[VARIOUS] = { 0 };
	struct config config = { .patterns = patterns, .n_patterns = VARIOUS };
	struct ruleset mine = f->rules;
	size_t found = 0, slept = 0;

	for (size_t i = 0; i < VARIOUS; i++) {
		patterns[i] = (struct pattern_conf){
			.head.name = various[i],
			.regex = (char *)various[i],
			.scope = SCOPE_STREAM,
			.match_limit = 10000,
			.utf = i % 3 == 2,
		};
	}
	assert_int_equal(ruleset_init(&f->rules, &config, NULL), 0);
	sift_link_done(&f->link);
	for (int round = 0; round < 3000; round++) {
		char text[600], *told[2];
		struct piece pieces[600];
		/* Often one alone: what is kept is what the rule that needs most asks for. */
		struct rule_mask mask = { .bits = { UINT64_C(1) << dice(VARIOUS) }, .any = true };
		size_t len = 0, n;

		if (dice(3) == 0)
			mask.bits[0] = (UINT64_C(1) << VARIOUS) - 1;

		while (len < 500 && dice(150)) {
			const char *word = words[dice((uint32_t)n_words)];

			for (uint32_t k = dice(9) ? 0 : dice(2) ? 40 : dice(61); k; k--)
				text[len++] = 'y';
			memcpy(text + len, word, strlen(word));
			len += strlen(word);
		}
		n = random_pieces(len, pieces);
		for (int k = 0; k < 2; k++) {
			f->rules.try_all = k;
			assert_int_equal(sift_link_init(&f->link, 1, &f->rules, &mask, false), 0);
			assert_true(!k || !f->link.sleepers.any);
			told[k] = told_of(f, text, pieces, n);
			slept += f->link.sleepers.any;
			sift_link_done(&f->link);
		}
		assert_string_equal(told[0], told[1]);
		found += strlen(told[0]);
		free(told[0]);
		free(told[1]);
	}
	assert_true(found > 50000 && slept > 2000);
	ruleset_done(&f->rules);
	f->rules = mine;
	assert_int_equal(sift_link_init(&f->link, 1, &f->rules, &f->mask, false), 0);
}

/* Frames come at each microsecond of their number; `seconds` pass before the next. */
static void wait_for(struct fixture *f, uint64_t seconds)
{
	f->number += seconds * 1000000;
}

/*
 * A rule that gives up again and again is left out for a while; the others go on, and so does it
 * later.
 */
static void quarantine(void **state)
{
	struct pattern_conf patterns[] = {
		{ .head.name = "evil", .regex = "(?:a|aa)+b", .scope = SCOPE_STREAM },
		{ .head.name = "word", .regex = "\\d+-", .scope = SCOPE_STREAM },
	};
	struct config config = { .patterns = patterns, .n_patterns = 2 };
	struct rule_mask mask = { .bits = { 3 }, .any = true };
	struct fixture *f = *state;
	struct ruleset mine = f->rules;
	char evil[65] = "7-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaacb";

	for (size_t i = 0; i < 2; i++) {
		patterns[i].match_limit = 1000;
		patterns[i].quarantine_after = 3;
		patterns[i].quarantine_seconds = 10;
	}
	assert_int_equal(ruleset_init(&f->rules, &config, NULL), 0);
	f->rules.try_all = true;
	sift_link_done(&f->link);
	assert_int_equal(sift_link_init(&f->link, 1, &f->rules, &mask, false), 0);
	memset(f->stats, 0, sizeof(f->stats));
	begin(f, MEMORY);
	send_udp(f, evil);
	send_udp(f, "ab 5-");
	/* More than a minute apart, they do not add up. */
	wait_for(f, 61);
	send_udp(f, evil);
	send_udp(f, evil);
	/* The third is of a stream, which it leaves. */
	send_tcp(f, TH_ACK, 100, evil, 64);
	assert_int_equal(stat_get(&f->stats[0].parked), 1);
	send_tcp(f, TH_ACK, 164, "ab 6-", 5);
	send_udp(f, "ab 6-");
	assert_int_equal(stat_get(&f->stats[0].skipped), 2);
	wait_for(f, 11);
	send_udp(f, "ab 8-");
	assert_int_equal(stat_get(&f->stats[0].parked), 0);
	send_tcp(f, TH_ACK, 169, "ab 9-", 5);
	check(f, "(limit 0+64) word@0:7- evil@0:ab word@3:5- "
		 "(limit 0+64) word@0:7- (limit 0+64) word@0:7- "
		 "(parked evil) (limit 0+64) word@0:7- (quarantine 64+5) word@67:6- word@3:6- "
		 "(released evil) evil@0:ab word@3:8- word@72:9-");
	assert_int_equal(stat_get(&f->stats[0].limited), 4);
	assert_int_equal(stat_get(&f->stats[1].limited), 0);
	sift_link_done(&f->link);
	ruleset_done(&f->rules);
	f->rules = mine;
	assert_int_equal(sift_link_init(&f->link, 1, &f->rules, &f->mask, false), 0);
}

/* The same ranges in one payload and over segments: END of the second is cut, the third is open. */
static void ranges(void **state)
{
	struct pattern_conf patterns[] = {
		{ .head.name = "inside",
		  .regex = "\\w+",
		  .begin = "<<",
		  .end = ">>",
		  .range = { .include = RANGE_NONE },
		  .scope = SCOPE_STREAM,
		  .match_limit = 1000 },
	};
	static const char text[] = "no <<one>> no <<two two>> no <<three";
	static const char expected_ranges[] =
		"inside@5:one inside@16:two inside@20:two inside@31:three";
	struct config config = { .patterns = patterns, .n_patterns = 1 };
	struct rule_mask mask = { .bits = { 1 }, .any = true };
	struct fixture *f = *state;
	struct ruleset mine = f->rules;

	assert_int_equal(ruleset_init(&f->rules, &config, NULL), 0);
	sift_link_done(&f->link);
	assert_int_equal(sift_link_init(&f->link, 1, &f->rules, &mask, false), 0);
	begin(f, MEMORY);
	send_udp(f, text);
	check(f, expected_ranges);
	for (size_t step = 1; step < sizeof(text); step++) {
		begin(f, MEMORY);
		send_tcp(f, TH_SYN, 99, "", 0);
		for (size_t at = 0; at < sizeof(text) - 1; at += step)
			send_tcp(f, TH_ACK, 100 + (uint32_t)at, text + at,
				 step < sizeof(text) - 1 - at ? step : sizeof(text) - 1 - at);
		send_tcp(f, TH_ACK | TH_FIN, 100 + (uint32_t)(sizeof(text) - 1), "", 0);
		check(f, expected_ranges);
	}
	/* Nothing is tried where there is no BEGIN. */
	f->stats[0].tried = 0;
	begin(f, MEMORY);
	send_udp(f, "no one >> two");
	check(f, "");
	assert_int_equal(stat_get(&f->stats[0].tried), 0);
	sift_link_done(&f->link);
	ruleset_done(&f->rules);
	f->rules = mine;
	assert_int_equal(sift_link_init(&f->link, 1, &f->rules, &f->mask, false), 0);
}

/* Many flows and a small account: memory holds, and all that is given up is told or counted. */
static void small_memory(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[64] = { 0x12, 0x34, 0, 80, [12] = 0x50, TH_ACK };

	begin(f, 256 << 10);
	memcpy(bytes + 20, "k=unfinished", 12);
	for (uint32_t i = 0; i < 3000; i++) {
		put16(bytes, 1024 + i);
		send_ip(f, IPPROTO_TCP, 0, bytes, 32);
		assert_true(f->sift.streams.flows.memory <= f->sift.streams.flows.memory_max);
	}
	assert_true(f->sift.streams.counts.ends[STREAM_EVICTED] > 1000);
	buf_done(&f->text);
	buf_init(&f->text, 1 << 20);
	sift_done(&f->sift);
	buf_done(&f->text);
}

/*
 * What all but completes a long match is not tried by itself; when nothing follows, the clock does.
 */
static void late(void **state)
{
	static char text[6000] = "k=";
	struct fixture *f = *state;
	uint32_t at = 0;

	memset(text + 2, 'v', sizeof(text) - 3);
	text[5000] = '\n';
	begin(f, MEMORY);
	f->sift.conf.match_max = sizeof(text);
	send_tcp(f, TH_SYN, 99, "", 0);
	for (; at < 4500; at += 1500)
		send_tcp(f, TH_ACK, 100 + at, text + at, 1500);
	send_tcp(f, TH_ACK, 100 + at, text + at, 502);
	assert_string_equal(f->text.data, "");
	sift_tick(&f->sift, 1000000);
	assert_int_equal(strncmp(f->text.data, "lines@0:k=vvv", 13), 0);
	assert_int_equal(f->text.len, strlen("lines@0: ") + 5000);
	/* Told once. */
	sift_tick(&f->sift, 2000000);
	sift_done(&f->sift);
	assert_int_equal(f->text.len, strlen("lines@0: ") + 5000);
	buf_done(&f->text);
}

/* What waits for a text takes a few bytes of each flow, not a window for each rule. */
static void many_flows(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[64] = { [12] = 0x50, TH_ACK };

	begin(f, 64 << 20);
	memcpy(bytes + 20, "nothing that a rule wants to see", 32);
	for (uint32_t i = 0; i < 100000; i++) {
		for (uint32_t end = 0; end < 2; end++) {
			put16(bytes + 2 * end, 1024 + i % 50000);
			put16(bytes + 2 * !end, 80 + i / 50000);
			f->answers = end;
			send_ip(f, IPPROTO_TCP, 0, bytes, 52);
		}
	}
	assert_int_equal(flow_count(&f->sift.streams.flows), 100000);
	assert_int_equal(f->sift.streams.counts.ends[STREAM_EVICTED], 0);
	assert_true(f->sift.streams.flows.memory <= 64 << 20);
	check(f, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cut_everywhere), TEST(backwards),	  TEST(names_its_frames),
		TEST(gaps),	      TEST(datagrams),	  TEST(packet_scope),
		TEST(fragments),      TEST(small_memory), TEST(late),
		TEST(sleepers),	      TEST(many_flows),	  TEST(quarantine),
		TEST(ranges),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
