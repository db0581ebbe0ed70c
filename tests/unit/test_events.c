/* links: web/event_ring.c web/records.c agent/base/buf.c agent/base/parse_time.c */
/* links: agent/base/parse.c agent/base/err.c */
#include "web/records.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t now_ns = UINT64_C(1795000000000000005);

#define GAP(lost)                                                                      \
	"{\"timestamp\":\"2026-11-18T11:06:40.000000005Z\",\"event_type\":\"gap\","    \
	"\"gap\":{\"lost\":" lost ",\"unit\":\"records\",\"reason\":\"slow-reader\"}," \
	"\"tapwarden\":{\"v\":1}}"

static void add(struct event_ring *ring, const char *line)
{
	assert_int_equal(event_ring_add(ring, line, strlen(line)), 0);
}

/* Everything that the reader has not seen, read in pieces of `piece` bytes. */
static void read_all(struct event_reader *reader, struct event_ring *ring, size_t piece,
		     struct buf *out)
{
	char part[4096];
	ssize_t n;

	while ((n = event_reader_read(reader, ring, now_ns, part, piece)) > 0)
		buf_add(out, part, (size_t)n);
	assert_int_equal(n, 0);
}

static void expect(struct event_reader *reader, struct event_ring *ring, const char *text)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	read_all(reader, ring, 4096, &out);
	assert_string_equal(out.data ? out.data : "", text);
	buf_done(&out);
}

static void takes_one_line_objects_only(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {
		{ "", 0 },     { "{", 1 },    { "x", 1 },  { "{}\n", 3 }, { "{\n}", 3 },
		{ "{\r}", 3 }, { "{\0}", 3 }, { "[]", 2 }, { "{} ", 3 },  { "data: {}", 8 },
	};
	struct event_ring ring;
	char *large = malloc(EVENT_LINE_MAX + 1);

	(void)state;
	assert_int_equal(event_ring_init(&ring), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(event_ring_add(&ring, bad[i].bytes, bad[i].len), -EBADMSG);
	memset(large, 'a', EVENT_LINE_MAX + 1);
	large[0] = '{';
	large[EVENT_LINE_MAX] = '}';
	assert_int_equal(event_ring_add(&ring, large, EVENT_LINE_MAX + 1), -EBADMSG);
	assert_int_equal(ring.rejected, sizeof(bad) / sizeof(bad[0]) + 1);
	assert_int_equal(ring.next, 0);
	large[EVENT_LINE_MAX - 1] = '}';
	assert_int_equal(event_ring_add(&ring, large, EVENT_LINE_MAX), 0);
	free(large);
	event_ring_done(&ring);
}

static void backlog_and_order(void **state)
{
	struct event_ring ring;
	struct event_reader all, two, none;

	(void)state;
	assert_int_equal(event_ring_init(&ring), 0);
	add(&ring, "{\"a\":1}");
	add(&ring, "{\"a\":2}");
	add(&ring, "{\"a\":3}");
	event_reader_init(&all, &ring, EVENT_NDJSON, 1000);
	event_reader_init(&two, &ring, EVENT_NDJSON, 2);
	event_reader_init(&none, &ring, EVENT_NDJSON, 0);
	expect(&all, &ring, "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
	expect(&two, &ring, "{\"a\":2}\n{\"a\":3}\n");
	expect(&none, &ring, "");
	add(&ring, "{\"a\":4}");
	expect(&all, &ring, "{\"a\":4}\n");
	expect(&none, &ring, "{\"a\":4}\n");
	expect(&none, &ring, "");
	event_reader_done(&all);
	event_reader_done(&two);
	event_reader_done(&none);
	event_ring_done(&ring);
}

static const struct {
	const char *line;
	const char *event;
} sse[] = {
	{ "{\"tapwarden\":{\"v\":1,\"seq\":88123,\"set\":\"web\"}}", "id: 88123\n" },
	{ "{\"tapwarden\":{\"v\":1,\"seq\":7}}", "id: 7\n" },
	{ "{\"tapwarden\":{\"v\":1}}", "" },
	{ "{\"seq\":5}", "" },
	{ "{\"tapwarden\":{\"seq\":\"5\"}}", "" },
	{ "{\"tapwarden\":{\"seq\":-5}}", "" },
	{ "{\"tapwarden\":{\"seq\":1234567890123456789}}", "" },
	{ "{\"tapwarden\":{\"seq\":}", "" },
	{ "{\"tapwarden\":{\"seq\":12}", "id: 12\n" },
	/* What a guest sent is inside a string, where every quote has a backslash. */
	{ "{\"payload\":\"\\\"tapwarden\\\":{\\\"seq\\\":1}\",\"tapwarden\":{\"v\":1,\"seq\":9}}",
	  "id: 9\n" },
	/* Too far into the object to be its own key. */
	{ "{\"tapwarden\":{\"x\":\"0123456789012345678901234567890123456789012345678901234\","
	  "\"seq\":1}}",
	  "" },
};

static void server_sent_events(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sse) / sizeof(sse[0]); i++) {
		struct event_ring ring;
		struct event_reader reader;
		char text[512];

		assert_int_equal(event_ring_init(&ring), 0);
		event_reader_init(&reader, &ring, EVENT_SSE, 0);
		add(&ring, sse[i].line);
		snprintf(text, sizeof(text), "%sdata: %s\n\n", sse[i].event, sse[i].line);
		expect(&reader, &ring, text);
		event_reader_done(&reader);
		event_ring_done(&ring);
	}
}

#define ALL_THREE "{\"tapwarden\":{\"seq\":3}}\n{\"x\":0}\n{\"tapwarden\":{\"seq\":5}}\n"

static void comes_back_after_an_id(void **state)
{
	static const struct {
		uint64_t seq;
		const char *text;
	} cases[] = {
		{ 0, ALL_THREE },
		{ 2, ALL_THREE },
		{ 3, "{\"x\":0}\n{\"tapwarden\":{\"seq\":5}}\n" },
		{ 4, "{\"x\":0}\n{\"tapwarden\":{\"seq\":5}}\n" },
		{ 5, "" },
		/* Never given here: of an agent that ran before. */
		{ 6, ALL_THREE },
		{ UINT64_MAX, ALL_THREE },
	};
	struct event_ring ring;

	(void)state;
	assert_int_equal(event_ring_init(&ring), 0);
	add(&ring, "{\"tapwarden\":{\"seq\":3}}");
	add(&ring, "{\"x\":0}");
	add(&ring, "{\"tapwarden\":{\"seq\":5}}");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct event_reader reader;

		event_reader_init(&reader, &ring, EVENT_NDJSON, 0);
		event_reader_resume(&reader, &ring, cases[i].seq, false);
		expect(&reader, &ring, cases[i].text);
		event_reader_done(&reader);
	}
	event_ring_done(&ring);
}

/* A line that is half sent is finished from the reader's own copy, whatever becomes of the ring. */
#define RECORD(seq) "{\"event_type\":\"alert\",\"tapwarden\":{\"v\":1,\"seq\":" seq "}}"
#define LOST(n, unit, seq)                                                                     \
	"{\"timestamp\":\"x\",\"event_type\":\"gap\",\"gap\":{\"lost\":" n ",\"unit\":\"" unit \
	"\",\"reason\":\"y\"},\"tapwarden\":{\"v\":1,\"seq\":" seq "}}"

/* After a gap of records come as many seqs later; of anything else that is lost, the next. */
static void knows_which_seq_comes_next(void **state)
{
	static const struct {
		const char *line;
		uint64_t next;
	} cases[] = {
		{ RECORD("7"), 8 },
		{ LOST("5", "records", "8"), 13 },
		{ LOST("5", "frames", "13"), 14 },
		{ LOST("0", "records", "14"), 15 },
		{ "{\"event_type\":\"gap\"}", 15 },
		/* What a guest sent is no gap, whatever it says. */
		{ "{\"payload\":\"\\\"event_type\\\":\\\"gap\\\",\\\"gap\\\":{\\\"lost\\\":9\","
		  "\"tapwarden\":{\"v\":1,\"seq\":15}}",
		  16 },
		/* Of the worker that this one's relieves. */
		{ RECORD("3"), 16 },
	};
	struct event_ring ring;

	(void)state;
	assert_int_equal(event_ring_init(&ring), 0);
	assert_int_equal(ring.expected, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		add(&ring, cases[i].line);
		assert_int_equal(ring.expected, cases[i].next);
	}
	event_ring_done(&ring);
}

static void knows_a_line_again(void **state)
{
	static const char same[] = RECORD("7"), other[] = "{\"tapwarden\":{\"v\":1,\"seq\":7}}",
			  none[] = "{\"a\":1}";
	struct event_ring ring;

	(void)state;
	assert_int_equal(event_ring_init(&ring), 0);
	assert_false(event_ring_has(&ring, same, strlen(same)));
	add(&ring, RECORD("6"));
	add(&ring, same);
	add(&ring, none);
	assert_true(event_ring_has(&ring, same, strlen(same)));
	/* The seq of another time. */
	assert_false(event_ring_has(&ring, other, strlen(other)));
	assert_false(event_ring_has(&ring, none, strlen(none)));
	event_ring_done(&ring);
}

static void page(const struct event_ring *ring, uint64_t limit, uint64_t before, const char *want)
{
	const struct records_filter filter = { .limit = limit,
					       .before = before,
					       .until_ns = UINT64_MAX };
	struct buf out;

	buf_init(&out, 1 << 16);
	records_page(ring, &filter, &out);
	assert_string_equal(out.data, want);
	buf_done(&out);
}

/*
 * By seq, which the ring of another worker has, too: whether the record itself is still there or
 * not.
 */
static void pages_go_on_before_a_seq(void **state)
{
	struct event_ring ring;

	(void)state;
	assert_int_equal(event_ring_init(&ring), 0);
	add(&ring, RECORD("5"));
	add(&ring, "{\"a\":1}");
	add(&ring, RECORD("7"));
	add(&ring, RECORD("8"));
	page(&ring, 1, UINT64_MAX, "{\"records\":[" RECORD("8") "],\"next\":8}\n");
	page(&ring, 1, 8, "{\"records\":[" RECORD("7") "],\"next\":7}\n");
	page(&ring, 1, 7, "{\"records\":[{\"a\":1}," RECORD("5") "],\"next\":null}\n");
	page(&ring, 9, 6, "{\"records\":[" RECORD("5") "],\"next\":null}\n");
	page(&ring, 9, 5, "{\"records\":[],\"next\":null}\n");
	page(&ring, 9, 3, "{\"records\":[],\"next\":null}\n");
	page(&ring, 1, 99, "{\"records\":[" RECORD("8") "],\"next\":8}\n");
	event_ring_done(&ring);
}

static void within(const struct event_ring *ring, uint64_t since_ns, uint64_t until_ns,
		   const char *want)
{
	const struct records_filter filter = {
		.limit = 9, .before = UINT64_MAX, .since_ns = since_ns, .until_ns = until_ns
	};
	struct buf out;

	buf_init(&out, 1 << 16);
	records_page(ring, &filter, &out);
	assert_string_equal(out.data, want);
	buf_done(&out);
}

/* Their times need not be in the order of their numbers: a worker matches when it gets to it. */
static void pages_are_of_a_time(void **state)
{
	static const char five[] = "{\"timestamp\":\"1970-01-01T00:00:05.000000000Z\",\"n\":5}",
			  seven[] = "{\"timestamp\":\"1970-01-01T00:00:07.000000001Z\",\"n\":7}",
			  six[] = "{\"timestamp\":\"1970-01-01T00:00:06.999999999Z\",\"n\":6}";
	struct event_ring ring;

	(void)state;
	assert_int_equal(event_ring_init(&ring), 0);
	add(&ring, five);
	add(&ring, "{\"x\":\"\",\"timestamp\":\"1970-01-01T00:00:06.000000000Z\"}");
	add(&ring, "{\"timestamp\":\"1970-01-01T00:00:06}");
	add(&ring, "{\"timestamp\":\"}");
	add(&ring, seven);
	add(&ring, six);
	within(&ring, 5000000001, UINT64_MAX,
	       "{\"records\":[{\"timestamp\":\"1970-01-01T00:00:06.999999999Z\",\"n\":6},"
	       "{\"timestamp\":\"1970-01-01T00:00:07.000000001Z\",\"n\":7}],\"next\":null}\n");
	within(&ring, 5000000000, 7000000000,
	       "{\"records\":[{\"timestamp\":\"1970-01-01T00:00:06.999999999Z\",\"n\":6},"
	       "{\"timestamp\":\"1970-01-01T00:00:05.000000000Z\",\"n\":5}],\"next\":null}\n");
	within(&ring, 0, 5000000000, "{\"records\":[],\"next\":null}\n");
	within(&ring, 7000000000, 7000000002,
	       "{\"records\":[{\"timestamp\":\"1970-01-01T00:00:07.000000001Z\",\"n\":7}],"
	       "\"next\":null}\n");
	event_ring_done(&ring);
}

static void slow_reader_gets_a_gap(void **state)
{
	struct event_ring ring;
	struct event_reader reader;
	char line[1025], part[8];
	struct buf out, expected;
	uint64_t n = 0;

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "{\"n\":0,\"", 8);
	memcpy(line + 1022, "}", 2);
	line[1021] = '"';
	assert_int_equal(event_ring_init(&ring), 0);
	event_reader_init(&reader, &ring, EVENT_NDJSON, 0);
	add(&ring, "{\"first\":1}");
	assert_int_equal(event_reader_read(&reader, &ring, now_ns, part, 8), 8);
	while (ring.first < 1000) {
		assert_int_equal(event_ring_add(&ring, line, 1023), 0);
		n++;
		assert_true(ring.bytes <= EVENT_RING_BYTES);
		assert_true(ring.next - ring.first <= EVENT_RING_ENTRIES);
	}
	buf_init(&out, 8 << 20);
	buf_init(&expected, 8 << 20);
	read_all(&reader, &ring, 4096, &out);
	buf_adds(&expected, ":1}\n" GAP("999") "\n");
	for (uint64_t i = ring.first; i < ring.next; i++)
		buf_addf(&expected, "%.1023s\n", line);
	assert_false(expected.failed);
	assert_int_equal(out.len, expected.len);
	assert_string_equal(out.data, expected.data);
	assert_int_equal(ring.skipped, 999);
	assert_int_equal(n, ring.next - 1);
	buf_done(&out);
	buf_done(&expected);
	event_reader_done(&reader);
	event_ring_done(&ring);
}

static void many_small_records_are_bounded(void **state)
{
	struct event_ring ring;

	(void)state;
	assert_int_equal(event_ring_init(&ring), 0);
	for (uint64_t i = 0; i < 3 * (uint64_t)EVENT_RING_ENTRIES; i++)
		add(&ring, "{}");
	assert_int_equal(ring.next - ring.first, EVENT_RING_ENTRIES);
	assert_int_equal(ring.bytes, 2 * EVENT_RING_ENTRIES);
	event_ring_done(&ring);
}

/* The bytes are the same however small the pieces are in which they are read. */
static void any_piece_size(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < 40; piece++) {
		struct event_ring ring;
		struct event_reader reader;
		struct buf out;

		assert_int_equal(event_ring_init(&ring), 0);
		event_reader_init(&reader, &ring, EVENT_SSE, 0);
		add(&ring, "{\"tapwarden\":{\"seq\":1}}");
		add(&ring, "{}");
		buf_init(&out, 4096);
		read_all(&reader, &ring, piece, &out);
		assert_string_equal(out.data,
				    "id: 1\ndata: {\"tapwarden\":{\"seq\":1}}\n\ndata: {}\n\n");
		buf_done(&out);
		event_reader_done(&reader);
		event_ring_done(&ring);
	}
}

static void comments_only_between_events(void **state)
{
	struct event_ring ring;
	struct event_reader reader, lines;
	char part[4];

	(void)state;
	assert_int_equal(event_ring_init(&ring), 0);
	event_reader_init(&reader, &ring, EVENT_SSE, 0);
	event_reader_init(&lines, &ring, EVENT_NDJSON, 0);
	event_reader_comment(&lines, &ring);
	expect(&lines, &ring, "");
	event_reader_comment(&reader, &ring);
	expect(&reader, &ring, ":\n\n");
	add(&ring, "{}");
	event_reader_comment(&reader, &ring);
	assert_int_equal(event_reader_read(&reader, &ring, now_ns, part, 4), 4);
	event_reader_comment(&reader, &ring);
	expect(&reader, &ring, ": {}\n\n");
	event_reader_done(&reader);
	event_reader_done(&lines);
	event_ring_done(&ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_one_line_objects_only),
		cmocka_unit_test(backlog_and_order),
		cmocka_unit_test(server_sent_events),
		cmocka_unit_test(comes_back_after_an_id),
		cmocka_unit_test(knows_which_seq_comes_next),
		cmocka_unit_test(knows_a_line_again),
		cmocka_unit_test(pages_go_on_before_a_seq),
		cmocka_unit_test(pages_are_of_a_time),
		cmocka_unit_test(slow_reader_gets_a_gap),
		cmocka_unit_test(many_small_records_are_bounded),
		cmocka_unit_test(any_piece_size),
		cmocka_unit_test(comments_only_between_events),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
