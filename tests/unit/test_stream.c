/* links: capture/stream.c capture/stream_pending.c capture/stream_piece.c capture/stream_kept.c */
/* links: capture/stream_order.c */
/* links: capture/flow.c agent/base/buf.c */
#include "capture/stream.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "agent/base/buf.h"

#define MS	 UINT64_C(1000000)
#define TEXT_MAX (1u << 20)
#define CLIENT	 40000
#define SERVER	 80
#define MEMORY	 (1u << 20)
#define PENDING	 4096u

/*
 * A case is a script of segments, separated by '|':
 *
 *   DIRECTION FLAGS SEQ [/ACK] [ TEXT] [~CUT] [@MS]
 *
 * ">S99" is the client's SYN; "<A7/105" the server's acknowledgement; "> 100 hello" data without
 * ACK; "~3": three more bytes that the capture cut off; "@200" moves the clock on before; "T@1000"
 * is a tick. Packets are numbered from 1. Expected is what the reader is told: ">0:hello#2" are
 * bytes at offset 0 that came in packet 2, ">gap5+3", ">end fin", then the counters that are not 0.
 */
struct stream_case {
	const char *name;
	const char *script;
	const char *expect;
};

static const struct stream_case cases[] = {
	{ "a whole connection",
	  ">S99|<SA499/100|>A100/500 hello|<A500/105 world|>FA105/505|<FA505/106|>A106/506",
	  ">0:hello#3 <0:world#4 >end fin <end fin" },
	{ "picked up in the middle", ">A1000/1 abc|>A1003/1 def", ">0:abc#1 >3:def#2" },
	{ "an acknowledgement alone picks nothing up", ">A999/1|>A1000/1 abc", ">0:abc#2" },
	{ "two segments the wrong way round", ">S99|>A103/1 def|>A100/1 abc|>A106/1 ghi",
	  ">0:abc#3 >3:def#2 >6:ghi#4" },
	{ "three, the last first", ">S99|>A106/1 ghi|>A103/1 def|>A100/1 abc",
	  ">0:abc#4 >3:def#3 >6:ghi#2" },
	{ "the sequence wraps", ">S4294967293|>A4294967294/1 abcd|>A2/1 efg",
	  ">0:abcd#2 >4:efg#3" },
	{ "the sequence wraps behind a hole", ">S4294967293|>A2/1 efg|>A4294967294/1 abcd",
	  ">0:abcd#3 >4:efg#2" },
	{ "a SYN again, stamped before what came first", ">S99|>A100/1 abc|>S99@-1|>A103/1 def",
	  ">0:abc#2 >3:def#4" },
	{ "a retransmission", ">S99|>A100/1 abc|>A100/1 abc|>A103/1 def",
	  ">0:abc#2 >3:def#4 repeated=3" },
	{ "a retransmission with other bytes", ">S99|>A100/1 abc|>A100/1 aXc|>A103/1 def",
	  ">0:abc#2 >3:def#4 repeated=3 conflicts=1" },
	{ "a keep-alive", ">S99|>A100/1 abc|>A102/1 X|>A103/1 def",
	  ">0:abc#2 >3:def#4 repeated=1" },
	{ "an overlap at the front", ">S99|>A100/1 abc|>A101/1 bcde",
	  ">0:abc#2 >3:de#3 repeated=2" },
	{ "an overlap while waiting: the first wins", ">S99|>A103/1 DEF|>A102/1 cdefg|>A100/1 ab",
	  ">0:ab#4 >2:c#3 >3:DEF#2 >6:g#3 repeated=3 conflicts=1" },
	{ "an overlap over two that wait", ">S99|>A102/1 c|>A104/1 e|>A101/1 bcdef|>A100/1 a",
	  ">0:a#5 >1:b#4 >2:c#2 >3:d#4 >4:e#3 >5:f#4 repeated=2" },
	{ "what fills the hole says otherwise", ">S99|>A102/1 cd|>A100/1 abCDe",
	  ">0:ab#3 >2:cd#2 >4:e#3 repeated=2 conflicts=1" },
	{ "inside what waits", ">S99|>A102/1 cdef|>A103/1 de|>A100/1 ab",
	  ">0:ab#4 >2:cdef#2 repeated=2" },
	{ "a hole that the other end has",
	  ">S99|<SA499/100|>A103/500 def|<A500/106|>A106/500 g@200",
	  ">gap0+3 >3:def#3 >6:g#5 gaps=1" },
	{ "a hole that it acknowledged, but only just",
	  ">S99|<SA499/100|>A103/500 def|<A500/106|>A106/500 g@50|>A100/500 abc",
	  ">0:abc#6 >3:def#3 >6:g#5" },
	{ "a hole that it did not acknowledge", ">S99|<SA499/100|>A103/500 def|>A106/500 g@5000",
	  "" },
	{ "data of the other end alone proves nothing",
	  ">S99|<SA499/100|>A103/500 def|<A500/100 data@5000", "<0:data#4" },
	{ "a hole where only one end is seen", ">S99|>A103/1 def|>A106/1 g@900|>A107/1 h@200",
	  ">gap0+3 >3:def#2 >6:g#3 >7:h#4 gaps=1" },
	{ "a hole that a tick finds", ">S99|>A103/1 def|T@900|T@200", ">gap0+3 >3:def#2 gaps=1" },
	{ "two holes", ">S99|>A103/1 d|>A107/1 h|T@1100|T@1100",
	  ">gap0+3 >3:d#2 >gap4+3 >7:h#3 gaps=2" },
	{ "cut by the capture", ">S99|>A100/1 abc~4|>A107/1 hij",
	  ">0:abc#2 >gap3+4 >7:hij#3 gaps=1" },
	{ "cut, and sent again", ">S99|>A100/1 abc~4|>A100/1 abcdefg|>A107/1 h",
	  ">0:abc#2 >gap3+4 >7:h#4 gaps=1 repeated=7" },
	{ "the FIN tells of what was lost before it",
	  ">S99|<SA499/100|>A100/500 abc|<A500/107|>FA107/500|<FA500/108|>A108/501|T@300001",
	  ">0:abc#3 <end fin >gap3+4 >end idle gaps=1" },
	{ "the acknowledgement does", ">S99|<SA499/100|>A100/500 abc|<A500/107|T@300001",
	  ">0:abc#3 >gap3+4 >end idle <end idle gaps=1" },
	{ "no window is as large", ">S99|<SA499/100|>A100/500 abc|<A500/2000000000|T@300001",
	  ">0:abc#3 >end idle <end idle" },
	{ "cut while waiting", ">S99|>A103/1 de~2|>A105/1 f|>A100/1 abc",
	  ">0:abc#4 >3:de#2 >5:f#3" },
	{ "all of it cut", ">S99|>A100/1 ~4|>A104/1 e", ">gap0+4 >4:e#3 gaps=1" },
	{ "data behind the FIN of a hole", ">S99|>FA103/1 def|>A100/1 abc",
	  ">0:abc#3 >3:def#2 >end fin" },
	{ "data after the FIN", ">S99|>FA100/1 abc|>A104/1 late|>A103/1 x",
	  ">0:abc#2 >end fin dropped=2" },
	{ "the FIN is waited for", ">S99|>FA103/1|>A100/1 abc", ">0:abc#3 >end fin" },
	{ "a reset", ">S99|<SA499/100|>A100/500 abc|>R103", ">0:abc#3 >end rst <end rst" },
	{ "a reset that was guessed", ">S99|<SA499/100|>A100/500 abc|>R90000000|>A103/500 d",
	  ">0:abc#3 >3:d#5" },
	{ "a reset of data that waits", ">S99|>A103/1 def|>R106",
	  ">gap0+3 >3:def#2 >end rst <end rst gaps=1" },
	{ "refused", ">S99|<RA0/100|>A100/1 x", ">end rst <end rst dropped=1" },
	{ "the same ends again", ">S99|>FA100/1 a|<FA9/102|>S777|>A778/1 bc",
	  ">0:a#2 >end fin <end fin >0:bc#5" },
	{ "a retransmission after the end is no new flow",
	  ">S99|>FA100/1 abc|<FA9/104|>FA100/1 abc", ">0:abc#2 >end fin <end fin dropped=1" },
	{ "a SYN inside a connection", ">S99|>A100/1 abc|>S5000|>A103/1 def", ">0:abc#2 >3:def#4" },
	{ "the other end was restarted", ">S99|>A100/1 abc|>S5000@60000|>A5001/1 def",
	  ">0:abc#2 >end reused <end reused >0:def#4" },
	{ "far outside", ">S99|>A100/1 abc|>A2000000000/1 x|>A103/1 d", ">0:abc#2 >3:d#4 odd=1" },
	{ "before the pick-up", ">A1000/1 abc|>A990/1 0123456789ab", ">0:abc#1 repeated=12" },
	{ "data in the SYN", ">S99 early|>A105/1 late", ">0:early#1 >5:late#2" },
	{ "quiet for long", ">S99|>A100/1 abc|T@300001", ">0:abc#2 >end idle <end idle" },
	{ "quiet without data", ">S99|T@30001", ">end idle <end idle" },
};

static const struct stream_case patient_cases[] = {
	{ "quiet for days", ">S99|>A100/1 abc|T@400000000|>A103/1 def", ">0:abc#2 >3:def#3" },
	{ "quiet for longer than that", ">S99|>A100/1 abc|T@432000001",
	  ">0:abc#2 >end idle <end idle" },
	{ "the same ends after a day", ">S99|>A100/1 abc|T@86400000|>A5000000/1 def",
	  ">0:abc#2 >end reused <end reused >0:def#3" },
	{ "far ahead after a while", ">S99|>A100/1 abc|T@200000|>A5000000/1 def|T@1001",
	  ">0:abc#2 >gap3+4999897 >4999900:def#3 gaps=1" },
};

struct told {
	struct buf text;
	struct streams streams;
	uint64_t packet;
	uint64_t now_ns;
};

static void on_data(void *data, struct flow *flow, unsigned int end,
		    const struct stream_chunk *chunk)
{
	struct told *told = data;
	struct stream_span span[2];

	buf_addf(&told->text, "%c%llu:%.*s#%llu ", flow->key.port[end] == SERVER ? '<' : '>',
		 (unsigned long long)chunk->offset, (int)chunk->len, (const char *)chunk->bytes,
		 (unsigned long long)chunk->packet);
	/* The map knows the chunk, as the one packet that it is. */
	if (stream_spans(&flow->half[end], chunk->offset, chunk->len, span, 2) == 1) {
		assert_int_equal(span[0].offset, chunk->offset);
		assert_int_equal(span[0].len, chunk->len);
		assert_int_equal(span[0].packet, chunk->packet);
	} else {
		assert_int_equal(told->streams.flows.memory_max, told->streams.flows.memory);
	}
	stream_forget(&flow->half[end], chunk->offset);
}

static void on_gap(void *data, struct flow *flow, unsigned int end, uint64_t offset, uint64_t len,
		   uint64_t now_ns)
{
	struct told *told = data;

	(void)now_ns;
	buf_addf(&told->text, "%cgap%llu+%llu ", flow->key.port[end] == SERVER ? '<' : '>',
		 (unsigned long long)offset, (unsigned long long)len);
}

static void on_end(void *data, struct flow *flow, unsigned int end, enum stream_end why,
		   uint64_t now_ns)
{
	static const char *const names[STREAM_ENDS] = {
		[STREAM_FIN] = "fin",	    [STREAM_RST] = "rst",
		[STREAM_IDLE] = "idle",	    [STREAM_EVICTED] = "evicted",
		[STREAM_REUSED] = "reused", [STREAM_FINISHED] = "finished",
		[STREAM_HANDED] = "handed",
	};
	struct told *told = data;

	(void)now_ns;
	if (why != STREAM_FINISHED)
		buf_addf(&told->text, "%cend %s ", flow->key.port[end] == SERVER ? '<' : '>',
			 names[why]);
}

static const struct stream_ops ops = { .data = on_data, .gap = on_gap, .end = on_end };

static void begin(struct told *told, size_t memory, size_t pending)
{
	const struct stream_conf conf = { .memory = memory, .pending = pending, .seed = 1 };

	*told = (struct told){ .now_ns = 1000 * MS };
	buf_init(&told->text, TEXT_MAX);
	assert_int_equal(streams_init(&told->streams, &conf, &ops, told), 0);
}

static void add_counts(struct told *told)
{
	const struct stream_counts *c = &told->streams.counts;
	const struct {
		const char *name;
		uint64_t value;
	} named[] = {
		{ "gaps", c->gaps },
		{ "repeated", c->repeated },
		{ "conflicts", c->conflicts },
		{ "dropped", c->dropped },
		{ "odd", c->odd },
		{ "refused", c->refused },
	};

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		if (named[i].value)
			buf_addf(&told->text, "%s=%llu ", named[i].name,
				 (unsigned long long)named[i].value);
	}
	if (told->text.len)
		told->text.data[--told->text.len] = '\0';
}

static void end(struct told *told)
{
	streams_done(&told->streams);
	assert_int_equal(told->streams.flows.memory,
			 told->streams.flows.n_buckets * sizeof(void *));
	assert_false(told->text.failed);
}

/* From the client, "client" numbers several of them, or to it. */
static void send_segment(struct told *told, unsigned int client, bool answer, uint8_t flags,
			 uint32_t seq, uint32_t ack, const char *text, size_t len, size_t cut)
{
	uint8_t ip[2][4] = { { 10, (uint8_t)(client >> 16), (uint8_t)(client >> 8),
			       (uint8_t)client },
			     { 192, 0, 2, 1 } };
	struct frame frame = {
		.ip_version = 4,
		.src_ip = ip[answer],
		.dst_ip = ip[!answer],
		.has_ports = true,
		.src_port = answer ? SERVER : CLIENT,
		.dst_port = answer ? CLIENT : SERVER,
		.proto = IPPROTO_TCP,
		.has_tcp = true,
		.tcp_flags = flags,
		.tcp_seq = seq,
		.tcp_ack = ack,
		.payload = (const uint8_t *)text,
		.payload_len = len,
		.payload_wire_len = len + cut,
	};

	streams_frame(&told->streams, &frame, 0, ++told->packet, told->now_ns);
}

static uint8_t flag_of(char c)
{
	switch (c) {
	case 'S':
		return TH_SYN;
	case 'A':
		return TH_ACK;
	case 'F':
		return TH_FIN;
	case 'R':
		return TH_RST;
	default:
		return 0;
	}
}

static void run_step(struct told *told, char *step)
{
	char *at = strchr(step, '@'), *cut = strchr(step, '~'), *text = strchr(step, ' ');
	uint8_t flags = 0;
	uint32_t seq, ack = 0;
	char *p = step + 1;

	if (at)
		told->now_ns += strtoul(at + 1, NULL, 10) * MS;
	if (*step == 'T') {
		streams_tick(&told->streams, told->now_ns);
		return;
	}
	while (flag_of(*p))
		flags |= flag_of(*p++);
	seq = (uint32_t)strtoul(p, &p, 10);
	if (*p == '/')
		ack = (uint32_t)strtoul(p + 1, NULL, 10);
	text = text ? text + 1 : "";
	send_segment(told, 1, *step == '<', flags, seq, ack, text, strcspn(text, "~@"),
		     cut ? strtoul(cut + 1, NULL, 10) : 0);
}

static void run_script(struct told *told, const char *script)
{
	char *copy = strdup(script), *rest = copy, *step;

	while ((step = strsep(&rest, "|")))
		run_step(told, step);
	free(copy);
}

static void run_case(const struct stream_case *c, bool patient)
{
	struct told told;

	begin(&told, MEMORY, PENDING);
	told.streams.conf.patient = patient;
	run_script(&told, c->script);
	add_counts(&told);
	if (strcmp(told.text.data ? told.text.data : "", c->expect) != 0)
		fail_msg("%s:\n%s\nnot\n%s", c->name, told.text.data, c->expect);
	end(&told);
	buf_done(&told.text);
}

static void scripts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		run_case(&cases[i], false);
	for (size_t i = 0; i < sizeof(patient_cases) / sizeof(patient_cases[0]); i++)
		run_case(&patient_cases[i], true);
}

/* ---- any order, any cut --------------------------------------------------------------------- */

struct joined {
	struct buf bytes;
	size_t gaps;
};

static void join_data(void *data, struct flow *flow, unsigned int end,
		      const struct stream_chunk *chunk)
{
	struct joined *joined = data;

	(void)flow;
	(void)end;
	assert_int_equal(chunk->offset, joined->bytes.len);
	buf_add(&joined->bytes, chunk->bytes, chunk->len);
}

static void join_gap(void *data, struct flow *flow, unsigned int end, uint64_t offset, uint64_t len,
		     uint64_t now_ns)
{
	struct joined *joined = data;

	(void)flow;
	(void)end;
	(void)offset;
	(void)len;
	(void)now_ns;
	joined->gaps++;
}

static void join_end(void *data, struct flow *flow, unsigned int end, enum stream_end why,
		     uint64_t now_ns)
{
	(void)data;
	(void)flow;
	(void)end;
	(void)why;
	(void)now_ns;
}

static const struct stream_ops join_ops = { .data = join_data, .gap = join_gap, .end = join_end };

static uint64_t random_state;

static uint32_t draw(uint32_t below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(random_state >> 33) % below;
}

#define STREAM_LEN 3000u

/* Every byte at least once, in pieces of 1 to 200 bytes that overlap and come in any order. */
static void shuffled(void **state)
{
	const char *seed = getenv("SEED");
	uint8_t stream[STREAM_LEN];

	(void)state;
	random_state = seed ? strtoull(seed, NULL, 10) : 1;
	print_message("# SEED=%llu\n", (unsigned long long)random_state);
	for (unsigned int run = 0; run < 200; run++) {
		const struct stream_conf conf = { .memory = MEMORY, .pending = 2 * STREAM_LEN };
		struct {
			uint32_t from, len;
		} cuts[1000];
		struct joined joined = { .gaps = 0 };
		struct streams streams;
		uint32_t at = 0, isn = draw(UINT32_MAX);
		size_t n = 0;

		for (size_t i = 0; i < STREAM_LEN; i++)
			stream[i] = (uint8_t)draw(256);
		while (at < STREAM_LEN) {
			uint32_t len = 1 + draw(200),
				 from = at - (at ? draw(at < 50 ? at : 50) : 0);

			len = from + len > STREAM_LEN ? STREAM_LEN - from : len;
			if (from + len <= at)
				continue;
			cuts[n].from = from;
			cuts[n++].len = len;
			at = from + len;
		}
		for (size_t i = n; i > 1; i--) {
			size_t j = draw((uint32_t)i);
			uint32_t from = cuts[j].from, len = cuts[j].len;

			cuts[j] = cuts[i - 1];
			cuts[i - 1].from = from;
			cuts[i - 1].len = len;
		}
		buf_init(&joined.bytes, TEXT_MAX);
		assert_int_equal(streams_init(&streams, &conf, &join_ops, &joined), 0);
		for (size_t i = 0; i <= n; i++) {
			static const uint8_t ips[2][4] = { { 10, 0, 0, 1 }, { 10, 0, 0, 2 } };
			struct frame frame = {
				.ip_version = 4,
				.src_ip = ips[0],
				.dst_ip = ips[1],
				.src_port = 1,
				.dst_port = 2,
				.has_tcp = true,
				.tcp_flags = i ? 0 : TH_SYN,
				.tcp_seq = i ? isn + 1 + cuts[i - 1].from : isn,
				.payload = i ? stream + cuts[i - 1].from : NULL,
				.payload_len = i ? cuts[i - 1].len : 0,
				.payload_wire_len = i ? cuts[i - 1].len : 0,
			};

			streams_frame(&streams, &frame, 0, i, 1);
		}
		assert_int_equal(joined.bytes.len, STREAM_LEN);
		assert_memory_equal(joined.bytes.data, stream, STREAM_LEN);
		assert_int_equal(joined.gaps, 0);
		assert_int_equal(streams.counts.conflicts, 0);
		assert_int_equal(streams.counts.dropped, 0);
		streams_done(&streams);
		buf_done(&joined.bytes);
	}
}

/* ---- bounds --------------------------------------------------------------------------------- */

/* More flows than fit: those without data go first, nothing is above the account. */
static void a_flood_of_flows(void **state)
{
	struct told told;

	(void)state;
	begin(&told, MEMORY, PENDING);
	send_segment(&told, 0, false, TH_ACK, 100, 1, "abc", 3, 0);
	for (unsigned int i = 1; i < 20000; i++) {
		told.now_ns++;
		send_segment(&told, i, false, TH_SYN, 5, 0, "", 0, 0);
		assert_true(told.streams.flows.memory <= told.streams.flows.memory_max);
	}
	assert_true(flow_count(&told.streams.flows) > 2000);
	/* The one that carried data, although the oldest, is still there. */
	buf_reset(&told.text);
	send_segment(&told, 0, false, TH_ACK, 103, 1, "def", 3, 0);
	assert_string_equal(told.text.data, ">3:def#20001 ");
	/* Flows with data push out the oldest of their own. */
	for (unsigned int i = 1; i < 20000; i++) {
		told.now_ns++;
		send_segment(&told, i, false, TH_ACK, 5, 0, "x", 1, 0);
		assert_true(told.streams.flows.memory <= told.streams.flows.memory_max);
	}
	assert_true(told.streams.counts.ends[STREAM_EVICTED] > 10000);
	end(&told);
	buf_done(&told.text);
}

/* Half of the memory is for what is not quiet. */
static void quiet_ones_make_room(void **state)
{
	struct told told;
	size_t n;

	(void)state;
	begin(&told, MEMORY, PENDING);
	told.streams.conf.patient = true;
	for (n = 0; told.streams.flows.memory < MEMORY / 4 * 3; n++)
		send_segment(&told, (unsigned int)n, false, TH_ACK, 5, 0, "x", 1, 0);
	told.now_ns += STREAM_IDLE_NS;
	streams_tick(&told.streams, told.now_ns);
	assert_int_equal(flow_count(&told.streams.flows), n);
	streams_tick(&told.streams, ++told.now_ns);
	assert_in_range(flow_count(&told.streams.flows), n / 2, n * 3 / 4);
	assert_true(told.streams.flows.memory < MEMORY / 2);
	assert_int_equal(told.streams.counts.ends[STREAM_EVICTED], 0);
	end(&told);
	buf_done(&told.text);
}

/* Bytes that wait are bounded for each direction; without the other end the hole is given up. */
static void too_much_waits(void **state)
{
	char text[1000];
	struct told told;

	(void)state;
	memset(text, 'x', sizeof(text));
	begin(&told, MEMORY, PENDING);
	send_segment(&told, 1, false, TH_SYN, 99, 0, "", 0, 0);
	for (uint32_t i = 0; i < 4; i++)
		send_segment(&told, 1, false, TH_ACK, 110 + i * 1000, 1, text, 1000, 0);
	assert_int_equal(told.streams.counts.gaps, 0);
	/* Its ack is that of a client that saw the server; the server itself was not seen. */
	send_segment(&told, 1, false, TH_ACK, 110 + 4000, 1, text, 1000, 0);
	assert_int_equal(told.streams.counts.gaps, 1);
	assert_int_equal(told.streams.counts.bytes, 5000);
	end(&told);
	buf_done(&told.text);
	/* With the other end, which still asks for the hole, the newest is dropped. */
	begin(&told, MEMORY, PENDING);
	send_segment(&told, 1, false, TH_SYN, 99, 0, "", 0, 0);
	send_segment(&told, 1, true, TH_SYN | TH_ACK, 0, 100, "", 0, 0);
	for (uint32_t i = 0; i < 6; i++)
		send_segment(&told, 1, false, TH_ACK, 110 + i * 1000, 1, text, 1000, 0);
	assert_int_equal(told.streams.counts.gaps, 0);
	assert_int_equal(told.streams.counts.dropped, 2);
	/* The hole is filled, and what was dropped is a hole in its turn. */
	send_segment(&told, 1, false, TH_ACK, 100, 1, text, 10, 0);
	assert_int_equal(told.streams.counts.bytes, 4010);
	end(&told);
	buf_done(&told.text);
}

/* Segments of one byte with holes between them: their number is bounded too. */
static void many_small_ones_wait(void **state)
{
	struct told told;

	(void)state;
	begin(&told, MEMORY, PENDING);
	send_segment(&told, 1, true, TH_ACK, 0, 100, "", 0, 0);
	send_segment(&told, 1, false, TH_SYN, 99, 0, "", 0, 0);
	for (uint32_t i = 0; i < 2 * STREAM_PENDING_SEGMENTS; i++)
		send_segment(&told, 1, false, TH_ACK, 110 + 2 * i, 1, "y", 1, 0);
	assert_int_equal(told.streams.counts.dropped, STREAM_PENDING_SEGMENTS);
	end(&told);
	buf_done(&told.text);
}

/* What waits counts as memory of all flows together. */
static void all_flows_wait(void **state)
{
	char text[1000];
	struct told told;

	(void)state;
	memset(text, 'z', sizeof(text));
	begin(&told, MEMORY, PENDING);
	for (unsigned int i = 0; i < 5000; i++) {
		told.now_ns++;
		send_segment(&told, i, false, TH_SYN, 99, 0, "", 0, 0);
		send_segment(&told, i, false, TH_ACK, 110, 1, text, 1000, 0);
		assert_true(told.streams.flows.memory <= told.streams.flows.memory_max);
	}
	assert_true(flow_count(&told.streams.flows) > 500);
	assert_true(told.streams.counts.ends[STREAM_EVICTED] > 3000);
	end(&told);
	buf_done(&told.text);
}

/* Which packets a part of the stream came in, also when its first are forgotten. */
static void spans(void **state)
{
	const struct stream_conf conf = { .memory = MEMORY, .pending = PENDING };
	struct joined joined = { .gaps = 0 };
	struct stream_span span[8];
	struct told told = { .now_ns = MS };
	struct stream_half *half;

	(void)state;
	buf_init(&joined.bytes, TEXT_MAX);
	assert_int_equal(streams_init(&told.streams, &conf, &join_ops, &joined), 0);
	for (uint32_t i = 0; i < 1000; i++)
		send_segment(&told, 1, false, TH_ACK, 5 + 3 * i, 1, "abc", 3, 0);
	half = &told.streams.flows.lists[FLOW_LIVE].newest->half[0];
	assert_int_equal(stream_spans(half, 2995, 5, span, 8), 2);
	assert_int_equal(span[0].packet, 999);
	assert_int_equal(span[0].offset, 2995);
	assert_int_equal(span[0].len, 2);
	assert_int_equal(span[1].packet, 1000);
	assert_int_equal(span[1].len, 3);
	assert_int_equal(stream_spans(half, 2991, 9, span, 2), 2);
	assert_int_equal(stream_spans(half, 0, 9, span, 8), 0);
	assert_int_equal(half->n_pieces, STREAM_PIECES_MAX);
	stream_forget(half, 2999);
	assert_int_equal(half->n_pieces, STREAM_PIECES_BEHIND);
	assert_int_equal(stream_spans(half, 2980, 20, span, 8), 4);
	streams_done(&told.streams);
	buf_done(&joined.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scripts),	    cmocka_unit_test(shuffled),
		cmocka_unit_test(a_flood_of_flows), cmocka_unit_test(quiet_ones_make_room),
		cmocka_unit_test(too_much_waits),   cmocka_unit_test(many_small_ones_wait),
		cmocka_unit_test(all_flows_wait),   cmocka_unit_test(spans),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
