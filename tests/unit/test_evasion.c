/* links: capture/sift.c capture/sift_judge.c capture/condemned.c capture/tcp_sum.c */
/* links: capture/sift_stream.c capture/sift_half.c capture/stream.c capture/stream_pending.c */
/* links: capture/stream_order.c */
/* links: capture/stream_piece.c capture/stream_kept.c capture/stream_save.c capture/sift_save.c */
/* links: capture/stream_match.c capture/flow.c capture/defrag.c capture/decode.c */
/* links: capture/decode_link.c */
/* links: capture/stream_sleep.c capture/stream_window.c */
/* links: capture/ruleset.c capture/shape.c capture/set_reader.c capture/range_stream.c */
/* links: capture/regex_match.c */
/* links: capture/rule_stream.c capture/extract.c capture/pattern.c capture/regex.c */
/* links: capture/pattern_compose.c */
/* links: capture/literal.c capture/literal_find.c capture/literal_reader.c */
/* links: capture/literal_part.c agent/base/config.c agent/base/config_cross.c */
/* links: agent/base/config_wishes.c */
/* links: agent/base/config_range.c agent/base/config_lowers.c agent/base/config_boot.c */
/* links: agent/base/config_schema*.c agent/base/range_types.c agent/base/fault.c */
/* links: agent/base/hint.c agent/base/ini.c agent/base/ini_load.c agent/base/ini_scan.c */
/* links: agent/base/link_types.c agent/base/name_template.c agent/base/schema.c */
/* links: agent/base/schema_walk.c */
/* links: agent/base/schema_fill.c */
/* links: agent/base/schema_print.c agent/base/schema_type.c agent/base/parse_boot.c */
/* links: agent/base/schema_text.c */
/* links: agent/base/schema_list.c agent/base/buf.c agent/base/err.c agent/base/parse.c */
/* links: capture/prefilter.c capture/gram_index.c capture/quarantine.c agent/base/utf8.c */
#include "tests/unit/judged.h"

#include "capture/condemned.h"

#define TEXT	    "nothing before a secret-1, nothing after"
#define PACKET_MAX  1200
#define OPTIONS_MAX 200

/* ---- how a packet is wrapped: none may carry the text past a rule ---------------------------- */

/*
 * Headers as letters: h hop-by-hop, d destination options, r routing, a authentication, f a
 * fragment header of a whole packet, g one of a first part; m mobility, i HIP, s shim6, e
 * experiment; in IPv4 n is a word of no-operation options.
 */
static const struct wrapping {
	const char *name;
	const char *tags; /* before the EtherType of IP */
	const char *outer; /* headers of each fragment */
	const char *inner; /* headers that are cut with the rest */
	unsigned int split; /* where the packet is cut in two, a multiple of 8; 0: nowhere */
	uint8_t version; /* of IP */
	bool no_length; /* the field of UDP is 0 */
} wrappings[] = {
	{ "IPv4", "", "", "", 0, 4, false },
	{ "IPv4, options", "", "nnn", "", 0, 4, false },
	{ "IPv4, as many options as there can be", "", "nnnnnnnnnn", "", 0, 4, false },
	{ "IPv4, authenticated", "", "", "a", 0, 4, false },
	{ "IPv4, fragments", "", "", "", 8, 4, false },
	{ "IPv4, fragments, cut in the text of UDP", "", "", "", 32, 4, false },
	{ "IPv4, fragments, cut in the text of TCP", "", "", "", 40, 4, false },
	{ "IPv4, fragments with options", "", "nn", "", 16, 4, false },
	{ "IPv4, fragments, authenticated", "", "", "a", 24, 4, false },
	{ "VLAN", "81000005", "", "", 0, 4, false },
	{ "VLAN, fragments", "81000005", "", "", 24, 4, false },
	{ "QinQ", "88a8000581000006", "", "", 0, 4, false },
	{ "old QinQ", "9100000581000006", "", "", 24, 4, false },
	{ "eight tags", "8100000181000002810000038100000481000005810000068100000781000008", "", "",
	  0, 6, false },
	{ "nine tags", "810000018100000281000003810000048100000581000006810000078100000881000009",
	  "", "", 0, 6, false },
	{ "priority", "8100e000", "", "", 24, 6, false },
	{ "IPv6", "", "", "", 0, 6, false },
	{ "IPv6, hop-by-hop", "", "h", "", 0, 6, false },
	{ "IPv6, destination options", "", "d", "", 0, 6, false },
	{ "IPv6, every header", "", "hdrfad", "", 0, 6, false },
	{ "IPv6, headers twice", "", "ddrrdd", "", 0, 6, false },
	{ "IPv6, mobility", "", "m", "", 0, 6, false },
	{ "IPv6, HIP", "", "i", "", 0, 6, false },
	{ "IPv6, shim6", "", "s", "", 0, 6, false },
	{ "IPv6, experiment", "", "e", "", 0, 6, false },
	{ "IPv6, sixteen headers", "", "dddddddddddddddd", "", 0, 6, false },
	{ "IPv6, seventeen headers", "", "ddddddddddddddddd", "", 0, 6, false },
	{ "IPv6, whole in a fragment", "", "f", "", 0, 6, false },
	{ "IPv6, fragments", "", "", "", 8, 6, false },
	{ "IPv6, fragments, cut in the text of UDP", "", "", "", 32, 6, false },
	{ "IPv6, fragments, cut in the text of TCP", "", "", "", 40, 6, false },
	{ "IPv6, fragments behind headers", "", "hdr", "", 16, 6, false },
	{ "IPv6, headers in fragments", "", "", "dad", 8, 6, false },
	{ "IPv6, headers in fragments, cut behind them", "", "h", "d", 16, 6, false },
	{ "IPv6, seventeen headers in fragments", "", "", "ddddddddddddddddd", 8, 6, false },
	{ "IPv6, a whole fragment in fragments", "", "", "f", 8, 6, false },
	{ "IPv6, a whole fragment in fragments, cut behind it", "", "", "f", 16, 6, false },
	{ "IPv6, a fragment in fragments", "", "", "g", 16, 6, false },
	{ "IPv6, UDP without its length", "", "", "", 0, 6, true },
	{ "IPv6, UDP without its length in fragments", "", "", "", 16, 6, true },
	{ "IPv4, UDP without its length", "", "", "", 0, 4, true },
	{ "IPv4, UDP without its length in fragments", "", "", "", 16, 4, true },
};

static const struct {
	char letter;
	uint8_t type, len;
} headers[] = {
	{ 'h', IPPROTO_HOPOPTS, 8 },
	{ 'd', IPPROTO_DSTOPTS, 16 },
	{ 'r', IPPROTO_ROUTING, 8 },
	{ 'a', IPPROTO_AH, 24 },
	{ 'f', IPPROTO_FRAGMENT, 8 },
	{ 'g', IPPROTO_FRAGMENT, 8 },
	{ 'm', IPPROTO_MH, 8 },
	{ 'i', 139, 8 },
	{ 's', 140, 8 },
	{ 'e', 253, 8 },
};

static size_t header_of(char letter)
{
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		if (headers[i].letter == letter)
			return i;
	}
	fail_msg("no header %c", letter);
	return 0;
}

static uint8_t type_of(const char *letters, uint8_t last)
{
	return *letters ? headers[header_of(*letters)].type : last;
}

/* Returns how many bytes the headers have. */
static size_t put_headers(uint8_t *at, const char *letters, uint8_t last)
{
	const uint8_t *begin = at;

	for (; *letters; letters++) {
		size_t i = header_of(*letters);

		memset(at, 0, headers[i].len);
		at[0] = type_of(letters + 1, last);
		if (headers[i].type == IPPROTO_AH)
			at[1] = 4;
		else if (headers[i].type != IPPROTO_FRAGMENT)
			at[1] = (uint8_t)(headers[i].len / 8 - 1);
		if (headers[i].type == IPPROTO_HOPOPTS || headers[i].type == IPPROTO_DSTOPTS)
			put16(at + 2, 0x0100u + headers[i].len - 4u);
		at[3] = *letters == 'g' ? 1 : at[3];
		at += headers[i].len;
	}
	return (size_t)(at - begin);
}

/* TCP that opens a connection and has data (RFC 7413), or UDP, with the text. */
static size_t put_upper(uint8_t *at, uint8_t proto, const uint8_t *ends, size_t ends_len)
{
	size_t head = proto == IPPROTO_TCP ? 20 : 8, len = head + sizeof(TEXT) - 1;

	memset(at, 0, head);
	put16(at, 1024);
	put16(at + 2, 80);
	memcpy(at + head, TEXT, sizeof(TEXT) - 1);
	if (proto == IPPROTO_UDP) {
		put16(at + 4, (uint32_t)len);
		return len;
	}
	put32(at + 4, 99);
	at[12] = 0x50;
	at[13] = TH_SYN;
	put16(at + 16, fold(sum(sum((uint32_t)len + proto, ends, ends_len), at, len)));
	return len;
}

static size_t put_hex(uint8_t *at, const char *hex)
{
	size_t n = 0;

	for (; *hex; hex += 2) {
		const char byte[] = { hex[0], hex[1], '\0' };

		at[n++] = (uint8_t)strtoul(byte, NULL, 16);
	}
	return n;
}

static size_t put_ip4_head(uint8_t *at, const char *options, uint8_t proto)
{
	size_t words = strlen(options);

	memset(at, 0, 20);
	at[0] = (uint8_t)(0x45 + words);
	put16(at + 4, 4711);
	at[8] = 64;
	at[9] = proto;
	put32(at + 12, 0xc000020a);
	put32(at + 16, 0xc0000202);
	memset(at + 20, 1, 4 * words);
	return 20 + 4 * words;
}

static size_t put_ip6_head(uint8_t *at, uint8_t next)
{
	memset(at, 0, 40);
	at[0] = 0x60;
	at[6] = next;
	at[7] = 64;
	put32(at + 8, 0x20010db8);
	at[23] = 10;
	put32(at + 24, 0x20010db8);
	at[39] = 2;
	return 40;
}

/* `whole` is what the fragments are of: a part of it as a frame. */
static size_t put_part(const struct wrapping *w, uint8_t *frame, uint8_t proto,
		       const uint8_t *whole, size_t from, size_t to, size_t len)
{
	const bool is_part = to - from < len;
	uint8_t *ip, *at = frame + 12, first = type_of(w->inner, proto);

	memset(frame, 2, 12);
	at += put_hex(at, w->tags);
	put16(at, w->version == 6 ? 0x86dd : 0x0800);
	ip = at += 2;
	if (w->version == 4) {
		at += put_ip4_head(at, w->outer, first);
		put16(ip + 2, (uint32_t)((size_t)(at - ip) + (to - from)));
		put16(ip + 6, (uint32_t)(from / 8) | (to < len ? 0x2000u : 0));
		put16(ip + 10, fold(sum(0, ip, (size_t)(at - ip))));
	} else {
		at += put_ip6_head(at, type_of(w->outer, is_part ? IPPROTO_FRAGMENT : first));
		at += put_headers(at, w->outer, is_part ? IPPROTO_FRAGMENT : first);
		if (is_part) {
			at += put_headers(at, "f", first);
			put16(at - 6, (uint32_t)from | (to < len));
			put32(at - 4, 4711);
		}
		put16(ip + 4, (uint32_t)((size_t)(at - ip) - 40 + (to - from)));
	}
	memcpy(at, whole + from, to - from);
	return (size_t)(at - frame) + (to - from);
}

/* What the packet has behind the headers of each of its fragments; returns how many bytes. */
static size_t put_whole(const struct wrapping *w, uint8_t *whole, uint8_t proto)
{
	size_t len = put_headers(whole, w->inner, proto), upper = len;
	uint8_t ends[40];

	if (w->version == 6)
		put_ip6_head(ends, 0);
	else
		put_ip4_head(ends, "", 0);
	len += put_upper(whole + upper, proto, ends + (w->version == 6 ? 8 : 12),
			 w->version == 6 ? 32 : 8);
	if (proto == IPPROTO_UDP && w->no_length)
		put16(whole + upper + 4, 0);
	return len;
}

/* Whether any frame of the packet was kept from passing. */
static bool is_stopped(struct fixture *f, const struct wrapping *w, uint8_t proto, bool back_first)
{
	uint8_t whole[PACKET_MAX], frame[PACKET_MAX + OPTIONS_MAX];
	size_t len = put_whole(w, whole, proto), cut = w->split ? w->split : len;
	bool stopped = false;

	for (unsigned int i = 0; i < (w->split ? 2 : 1); i++) {
		bool second = w->split && (i == 1) != back_first;
		size_t size =
			put_part(w, frame, proto, whole, second ? cut : 0, second ? len : cut, len);

		stopped |= judge(f, frame, size) != ACTION_LOG;
	}
	return stopped;
}

static void no_wrapping_carries_a_text_past_a_rule(void **state)
{
	unsigned int passed = 0;

	for (size_t i = 0; i < sizeof(wrappings) / sizeof(wrappings[0]); i++) {
		for (unsigned int way = 0; way < 4; way++) {
			uint8_t proto = way & 1 ? IPPROTO_TCP : IPPROTO_UDP;

			/* None is dropped for what another was. */
			tear_down(state);
			set_up(state);
			if (is_stopped(*state, &wrappings[i], proto, way & 2))
				continue;
			print_error("passed: %s, protocol %u, order %u\n", wrappings[i].name, proto,
				    way / 2);
			passed++;
		}
	}
	assert_int_equal(passed, 0);
}

/* ---- fragments ------------------------------------------------------------------------------ */

struct part {
	uint8_t version;
	size_t from, to; /* to SIZE_MAX: the end */
	bool junk; /* other bytes */
	bool damaged; /* the checksum of the IP header is wrong */
	uint8_t next; /* in the fragment header, in place of UDP; 0: none */
};

static enum pattern_action give_part(struct fixture *f, struct part p)
{
	const struct wrapping w = { .version = p.version, .tags = "", .outer = "", .inner = "" };
	uint8_t whole[PACKET_MAX], frame[PACKET_MAX + OPTIONS_MAX];
	size_t len = put_whole(&w, whole, IPPROTO_UDP), to = p.to < len ? p.to : len;

	if (p.junk)
		memset(whole + p.from, '#', to - p.from);
	len = put_part(&w, frame, IPPROTO_UDP, whole, p.from, to, len);
	frame[24] ^= p.damaged;
	if (p.next)
		frame[54] = p.next;
	return judge(f, frame, len);
}

static void a_fragment_by_another_name_is_the_same(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(give_part(f, (struct part){ .version = 6, .to = 16 }), ACTION_LOG);
	assert_int_equal(give_part(f, (struct part){ .version = 6, .from = 16, .to = SIZE_MAX }),
			 ACTION_DROP);
	/* Receivers read the type in the first fragment alone. */
	assert_int_equal(give_part(f, (struct part){ .version = 6,
						     .from = 16,
						     .to = SIZE_MAX,
						     .next = IPPROTO_TCP }),
			 ACTION_DROP);
	assert_int_equal(give_part(f, (struct part){ .version = 6,
						     .from = 16,
						     .to = SIZE_MAX,
						     .next = IPPROTO_NONE }),
			 ACTION_DROP);
}

/* Which of two copies receivers take differs among them. */
static void fragments_that_contradict_do_not_pass(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(give_part(f, (struct part){ .version = 4, .to = 8 }), ACTION_LOG);
	assert_int_equal(
		give_part(f, (struct part){ .version = 4, .from = 8, .to = 16, .junk = true }),
		ACTION_LOG);
	assert_int_equal(give_part(f, (struct part){ .version = 4, .from = 8, .to = 16 }),
			 ACTION_DROP);
	assert_true(f->failed);
	assert_int_equal(give_part(f, (struct part){ .version = 4, .from = 16, .to = SIZE_MAX }),
			 ACTION_DROP);
}

/* A receiver does not take it, and waits for another. */
static void a_damaged_fragment_makes_nothing_whole(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		give_part(f, (struct part){ .version = 4, .to = 8, .junk = true, .damaged = true }),
		ACTION_DROP);
	assert_true(f->failed);
	assert_int_equal(give_part(f, (struct part){ .version = 4, .from = 8, .to = SIZE_MAX }),
			 ACTION_LOG);
	assert_int_equal(give_part(f, (struct part){ .version = 4, .to = 8 }), ACTION_DROP);
}

static void push_out(struct fixture *f)
{
	for (uint64_t key = 1; key <= 4 * STATS_CONDEMNED_MAX; key++)
		condemned_add(&f->condemned, key, f->now_ns + SECOND);
	assert_true(stat_get(&f->condemned.evicted) > 0);
}

static void what_is_pushed_out_is_not_welcome_again(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(give_part(f, (struct part){ .version = 4, .to = 8 }), ACTION_LOG);
	assert_int_equal(give_part(f, (struct part){ .version = 4, .from = 8, .to = SIZE_MAX }),
			 ACTION_DROP);
	open_connection(f, 1024);
	assert_int_equal(say(f, 1024, 100, "secret-"), ACTION_LOG);
	assert_int_equal(say(f, 1024, 107, "7"), ACTION_DROP);
	push_out(f);
	assert_int_equal(give_part(f, (struct part){ .version = 4, .from = 8, .to = SIZE_MAX }),
			 ACTION_DROP);
	assert_int_equal(say(f, 1024, 107, "7"), ACTION_DROP);
	assert_int_equal(say(f, 1025, 107, "7"), ACTION_DROP);
	assert_true(f->failed);
	open_connection(f, 1026);
	assert_int_equal(say(f, 1026, 100, "all is well"), ACTION_LOG);
	assert_int_equal(say(f, 1026, 111, " and stays so"), ACTION_LOG);
}

static void a_fragment_twice_does_no_harm(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(give_part(f, (struct part){ .version = 4, .to = 8 }), ACTION_LOG);
	assert_int_equal(give_part(f, (struct part){ .version = 4, .to = 8 }), ACTION_LOG);
	assert_int_equal(
		give_part(f,
			  (struct part){ .version = 4, .from = 8, .to = SIZE_MAX, .junk = true }),
		ACTION_LOG);
	assert_false(f->failed);
}

/* ---- streams -------------------------------------------------------------------------------- */

static void wait_for(struct fixture *f, uint64_t seconds)
{
	for (; seconds > 0; seconds--) {
		f->now_ns += SECOND;
		sift_tick(&f->sift, f->now_ns);
	}
}

/* The other end takes all that it gets, but what the guest has not sent it as it should. */
static void begin_text(struct fixture *f)
{
	open_connection(f, 1024);
	assert_int_equal(
		give(f,
		     (struct segment){
			     .port = 1024, .seq = 499, .ack = 100, .flags = TH_SYN, .back = true }),
		ACTION_LOG);
	assert_int_equal(say(f, 1024, 100, "secret-"), ACTION_LOG);
	assert_int_equal(answer(f, 1024, 500, 107), ACTION_LOG);
}

/*
 * A receiver takes a RST at the next byte alone (RFC 5961 section 3.2), and answers a SYN by an
 * ACK.
 */
static void a_reset_that_nobody_takes_ends_nothing(void **state)
{
	static const uint64_t waits[] = { 0, 40, 400, 4000 };

	for (size_t i = 0; i < 2 * sizeof(waits) / sizeof(waits[0]); i++) {
		struct fixture *f;

		tear_down(state);
		set_up(state);
		f = *state;
		begin_text(f);
		assert_int_equal(
			give(f, (struct segment){ .port = 1024, .seq = 300, .flags = TH_RST }),
			ACTION_LOG);
		wait_for(f, waits[i / 2]);
		if (i % 2)
			(void)give(f,
				   (struct segment){ .port = 1024, .seq = 106, .flags = TH_SYN });
		assert_int_equal(say(f, 1024, 107, "7"), ACTION_DROP);
	}
}

static void a_fin_that_nobody_takes_ends_nothing(void **state)
{
	struct fixture *f = *state;

	begin_text(f);
	assert_int_equal(give(f, (struct segment){ .port = 1024, .seq = 107, .flags = TH_FIN }),
			 ACTION_LOG);
	wait_for(f, 400);
	assert_int_equal(say(f, 1024, 107, "7"), ACTION_DROP);
	assert_int_equal(give(f, (struct segment){ .port = 1024, .seq = 106, .flags = TH_SYN }),
			 ACTION_LOG);
	assert_int_equal(say(f, 1024, 107, "7"), ACTION_DROP);
}

/* The same ports again, as soon as programs do that: with what both said before, and without. */
static void a_new_connection_passes_at_once(void **state)
{
	struct fixture *f = *state;

	begin_text(f);
	for (unsigned int i = 0; i < 3; i++) {
		uint32_t seq = 1000 * (i + 1);

		if (i == 0) {
			(void)give(f,
				   (struct segment){
					   .port = 1024, .seq = 107, .ack = 500, .flags = TH_FIN });
			(void)give(f, (struct segment){ .port = 1024,
							.seq = 500,
							.ack = 108,
							.flags = TH_FIN,
							.back = true });
			(void)give(f, (struct segment){ .port = 1024, .seq = 108, .ack = 501 });
		} else {
			(void)give(f, (struct segment){
					      .port = 1024, .seq = seq - 993, .flags = TH_RST });
			wait_for(f, i == 1 ? 1 : 100);
		}
		assert_int_equal(
			give(f, (struct segment){ .port = 1024, .seq = seq - 1, .flags = TH_SYN }),
			ACTION_LOG);
		assert_int_equal(give(f, (struct segment){ .port = 1024,
							   .seq = 499,
							   .ack = seq,
							   .flags = TH_SYN,
							   .back = true }),
				 ACTION_LOG);
		assert_int_equal(say(f, 1024, seq, "all is "), ACTION_LOG);
		assert_int_equal(answer(f, 1024, 500, seq + 7), ACTION_LOG);
		/* What was well and truly closed condemns nothing. */
		assert_int_equal(stat_get(&f->condemned.n), i);
	}
}

static void silence_ends_nothing(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct fixture *f;

		tear_down(state);
		set_up(state);
		f = *state;
		begin_text(f);
		wait_for(f, 4000);
		if (i)
			(void)give(f,
				   (struct segment){ .port = 1024, .seq = 106, .flags = TH_SYN });
		assert_int_equal(say(f, 1024, 107, "7"), ACTION_DROP);
	}
}

static void silence_forgives_nothing(void **state)
{
	struct fixture *f = *state;

	begin_text(f);
	assert_int_equal(say(f, 1024, 107, "7"), ACTION_DROP);
	wait_for(f, 4000);
	assert_int_equal(say(f, 1024, 107, "7"), ACTION_DROP);
}

/* The probe is a byte that the receiver has no room for: what it reads there later is another. */
static void a_window_probe_is_a_byte_like_others(void **state)
{
	struct fixture *f = *state;

	begin_text(f);
	assert_int_equal(say(f, 1024, 107, "X"), ACTION_LOG);
	assert_int_equal(say(f, 1024, 107, "X"), ACTION_LOG);
	assert_int_equal(say(f, 1024, 107, "7"), ACTION_DROP);
	assert_true(f->failed);
	assert_int_equal(say(f, 1024, 107, "7 and more"), ACTION_DROP);
}

/*
 * A byte that the receiver has (RFC 1122 section 4.2.3.6): what it is does not matter, and it adds
 * nothing.
 */
static void a_keep_alive_is_no_byte(void **state)
{
	struct fixture *f = *state;

	begin_text(f);
	assert_int_equal(say(f, 1024, 106, "7"), ACTION_LOG);
	assert_int_equal(say(f, 1024, 106, "X"), ACTION_LOG);
	assert_int_equal(say(f, 1024, 107, "7"), ACTION_DROP);
	/* Where it has not said that it has it, it is a repetition. */
	open_connection(f, 1025);
	assert_int_equal(say(f, 1025, 100, "secret_"), ACTION_LOG);
	assert_int_equal(say(f, 1025, 106, "_"), ACTION_LOG);
	assert_int_equal(say(f, 1025, 106, "-"), ACTION_DROP);
	assert_int_equal(say(f, 1025, 106, "-7"), ACTION_DROP);
}

/*
 * Beyond any window, and below: no receiver has room for it, so nothing is known of what it reads
 * there.
 */
static void what_is_out_of_the_window_is_not_of_the_stream(void **state)
{
	struct fixture *f = *state;

	begin_text(f);
	assert_int_equal(say(f, 1024, 107 + (UINT32_C(1) << 31), "7"), ACTION_DROP);
	assert_true(f->failed);
	assert_int_equal(say(f, 1024, 5000, "here it goes on"), ACTION_LOG);
	assert_int_equal(say(f, 1024, 5000, "her3"), ACTION_DROP);
	assert_int_equal(say(f, 1024, 107, "7"), ACTION_DROP);
}

/*
 * The worker before could not tell what it knew: of what it saw, and others did not, nothing is
 * known.
 */
static void what_nobody_knows_the_beginning_of_goes_by_on_error(void **state)
{
	struct fixture *f = *state;

	f->link.lost = true;
	assert_int_equal(say(f, 1024, 107, "7"), ACTION_DROP);
	assert_true(f->failed);
	assert_int_equal(say(f, 1024, 107, "all is well"), ACTION_DROP);
	assert_int_equal(answer(f, 1024, 500, 107), ACTION_DROP);
	begin_text(f);
	assert_int_equal(say(f, 1024, 107, "7"), ACTION_DROP);
	open_connection(f, 1025);
	assert_int_equal(say(f, 1025, 100, "all is well"), ACTION_LOG);
	/* Where nothing was lost, connections from before are welcome. */
	f->link.lost = false;
	assert_int_equal(say(f, 1026, 100, "all is well"), ACTION_LOG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_wrapping_carries_a_text_past_a_rule),
		TEST(a_fragment_by_another_name_is_the_same),
		TEST(fragments_that_contradict_do_not_pass),
		TEST(a_damaged_fragment_makes_nothing_whole),
		TEST(what_is_pushed_out_is_not_welcome_again),
		TEST(a_fragment_twice_does_no_harm),
		TEST(a_reset_that_nobody_takes_ends_nothing),
		TEST(a_fin_that_nobody_takes_ends_nothing),
		TEST(a_new_connection_passes_at_once),
		TEST(silence_ends_nothing),
		TEST(silence_forgives_nothing),
		TEST(a_window_probe_is_a_byte_like_others),
		TEST(a_keep_alive_is_no_byte),
		TEST(what_is_out_of_the_window_is_not_of_the_stream),
		TEST(what_nobody_knows_the_beginning_of_goes_by_on_error),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
