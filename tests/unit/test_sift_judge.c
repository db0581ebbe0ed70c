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
#include "capture/tcp_sum.h"

static void a_match_is_dropped_and_its_connection_with_it(void **state)
{
	struct fixture *f = *state;

	open_connection(f, 1024);
	open_connection(f, 1025);
	assert_int_equal(say(f, 1024, 100, "all is well"), ACTION_LOG);
	assert_int_equal(say(f, 1024, 111, "a secret-1 "), ACTION_DROP);
	assert_int_equal(f->matches, 1);
	assert_int_equal(say(f, 1024, 122, "all is well"), ACTION_DROP);
	assert_int_equal(answer(f, 1024, 500, 111), ACTION_DROP);
	assert_int_equal(say(f, 1025, 100, "all is well"), ACTION_LOG);
	assert_int_equal(stat_get(&f->stats[STREAM].dropped), 1);
	assert_false(f->failed);
}

static void a_match_that_is_cut_is_dropped_where_it_is_whole(void **state)
{
	struct fixture *f = *state;

	open_connection(f, 1024);
	assert_int_equal(say(f, 1024, 100, "sec"), ACTION_LOG);
	assert_int_equal(say(f, 1024, 103, "ret-"), ACTION_LOG);
	/* It could go on; nobody waits for that. */
	assert_int_equal(say(f, 1024, 107, "7"), ACTION_DROP);
	assert_int_equal(say(f, 1024, 107, "7"), ACTION_DROP);
	/* The next worker knows, too. */
	sift_done(&f->sift);
	begin(f);
	assert_int_equal(say(f, 1024, 107, "7"), ACTION_DROP);
	/* Long after its last frame the ends may meet again. */
	f->now_ns += (CONDEMNED_S + 2) * SECOND;
	assert_int_equal(say(f, 1024, 107, "7"), ACTION_LOG);
}

static void a_new_connection_takes_its_place_when_both_ends_open_it(void **state)
{
	struct fixture *f = *state;

	open_connection(f, 1024);
	assert_int_equal(say(f, 1024, 100, "a secret-1 "), ACTION_DROP);
	assert_int_equal(answer(f, 1024, 500, 100), ACTION_DROP);
	assert_int_equal(give(f, (struct segment){ .port = 1024, .seq = 100, .flags = TH_RST }),
			 ACTION_LOG);
	/* Nobody has answered yet: who has the old one still would take this. */
	open_connection(f, 1024);
	assert_int_equal(say(f, 1024, 100, "a "), ACTION_DROP);
	/* The old end asks what that was (RFC 5961 section 4). */
	assert_int_equal(answer(f, 1024, 500, 100), ACTION_LOG);
	assert_int_equal(
		give(f,
		     (struct segment){
			     .port = 1024, .seq = 500, .ack = 90, .flags = TH_SYN, .back = true }),
		ACTION_DROP);
	assert_int_equal(
		give(f,
		     (struct segment){
			     .port = 1024, .seq = 500, .ack = 100, .flags = TH_SYN, .back = true }),
		ACTION_LOG);
	assert_int_equal(say(f, 1024, 100, "all is well"), ACTION_LOG);
	assert_int_equal(say(f, 1024, 111, "secret-1"), ACTION_DROP);
}

static void what_repeats_passes_only_as_it_was(void **state)
{
	struct fixture *f = *state;

	open_connection(f, 1024);
	assert_int_equal(say(f, 1024, 100, "secXXX-"), ACTION_LOG);
	assert_int_equal(say(f, 1024, 100, "secXXX-"), ACTION_LOG);
	assert_int_equal(say(f, 1024, 103, "XXX-"), ACTION_LOG);
	assert_int_equal(say(f, 1024, 100, "secret-"), ACTION_DROP);
	assert_true(f->failed);
	assert_int_equal(say(f, 1024, 103, "ret-7"), ACTION_DROP);
	/* It is not condemned for that. */
	assert_int_equal(say(f, 1024, 107, "7"), ACTION_LOG);
	/* What the receiver has, it does not take again. */
	assert_int_equal(answer(f, 1024, 500, 107), ACTION_LOG);
	assert_int_equal(say(f, 1024, 100, "secret-"), ACTION_LOG);
	assert_int_equal(say(f, 1024, 107, "8"), ACTION_DROP);
}

static void a_guest_cannot_speak_for_the_other_end(void **state)
{
	struct fixture *f = *state;

	open_connection(f, 1024);
	assert_int_equal(say(f, 1024, 100, "secXXX-"), ACTION_LOG);
	/*
	 * Its receiver has not got that, and did not say so: what is sent again has to be the same.
	 */
	assert_int_equal(
		give(f,
		     (struct segment){
			     .port = 1024, .seq = 500, .ack = 107, .back = true, .forged = true }),
		ACTION_DROP);
	assert_int_equal(say(f, 1024, 100, "secret-"), ACTION_DROP);
	assert_int_equal(answer(f, 1024, 500, 107), ACTION_LOG);
	/* Nor open a connection by itself in the place of one that is condemned. */
	assert_int_equal(say(f, 1024, 107, "secret-7"), ACTION_DROP);
	assert_int_equal(give(f, (struct segment){ .port = 1024, .seq = 106, .flags = TH_SYN }),
			 ACTION_LOG);
	assert_int_equal(give(f, (struct segment){ .port = 1024,
						   .seq = 500,
						   .ack = 107,
						   .flags = TH_SYN,
						   .back = true,
						   .forged = true }),
			 ACTION_DROP);
	assert_int_equal(say(f, 1024, 107, "et-7"), ACTION_DROP);
	assert_int_equal(
		give(f,
		     (struct segment){
			     .port = 1024, .seq = 500, .ack = 107, .flags = TH_SYN, .back = true }),
		ACTION_LOG);
	assert_int_equal(say(f, 1024, 107, "all is well"), ACTION_LOG);
}

static void a_priority_makes_no_other_connection(void **state)
{
	struct fixture *f = *state;

	open_connection(f, 1024);
	assert_int_equal(say(f, 1024, 100, "secret-"), ACTION_LOG);
	assert_int_equal(
		give(f, (struct segment){ .port = 1024, .seq = 107, .text = "7", .tagged = true }),
		ACTION_DROP);
	assert_int_equal(say(f, 1024, 107, "7"), ACTION_DROP);
}

static void urgent_bytes_go_by_on_error(void **state)
{
	struct fixture *f = *state;

	open_connection(f, 1024);
	assert_int_equal(say(f, 1024, 100, "sec"), ACTION_LOG);
	assert_int_equal(
		give(f, (struct segment){ .port = 1024, .seq = 103, .text = "X", .flags = TH_URG }),
		ACTION_DROP);
	assert_true(f->failed);
	assert_int_equal(say(f, 1024, 103, "ret-"), ACTION_LOG);
	assert_int_equal(say(f, 1024, 107, "7"), ACTION_DROP);
}

static void what_overtakes_is_searched_by_itself(void **state)
{
	struct fixture *f = *state;

	open_connection(f, 1024);
	assert_int_equal(say(f, 1024, 200, "well"), ACTION_LOG);
	assert_int_equal(say(f, 1024, 300, "a secret-1 "), ACTION_DROP);
	open_connection(f, 1025);
	assert_int_equal(say(f, 1025, 104, "et-7 "), ACTION_LOG);
	assert_int_equal(say(f, 1025, 104, "et-8 "), ACTION_DROP);
	assert_int_equal(say(f, 1025, 100, "secr"), ACTION_DROP);
}

static void a_wrong_checksum_does_not_pass(void **state)
{
	struct fixture *f = *state;

	open_connection(f, 1024);
	assert_int_equal(
		give(f,
		     (struct segment){ .port = 1024, .seq = 100, .text = "odd", .damaged = true }),
		ACTION_DROP);
	assert_true(f->failed);
	assert_int_equal(say(f, 1024, 100, "odd"), ACTION_LOG);
	assert_int_equal(say(f, 1024, 103, "even"), ACTION_LOG);
}

static void the_heaviest_action_decides(void **state)
{
	struct fixture *f = *state;

	open_connection(f, 1024);
	assert_int_equal(say(f, 1024, 100, "hello"), ACTION_LOG);
	assert_int_equal(f->matches, 1);
	assert_int_equal(say(f, 1024, 105, "hello secret-1 end-it"), ACTION_RESET);
	assert_int_equal(stat_get(&f->stats[PACKET].dropped), 1);
}

static void what_cannot_be_searched_goes_by_on_error(void **state)
{
	static const char slow[] = "slowaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab";
	static const char idle[] = "idleaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab";
	struct fixture *f = *state;

	open_connection(f, 1024);
	assert_int_equal(say(f, 1024, 100, idle), ACTION_LOG);
	assert_true(f->failed);
	assert_int_equal(say(f, 1024, 100 + sizeof(idle) - 1, slow), ACTION_DROP);
	assert_true(f->failed);
	/* A frame that is none: nobody can say what is in it. */
	assert_int_equal(judge(f, (const uint8_t *)"\2\2\2\2\2\2\2\2\2\2\2\2\x08\0\x45", 15),
			 ACTION_DROP);
	assert_true(f->failed);
}

/* A datagram in two fragments, of which the second completes the match. */
static size_t fragment(uint8_t *frame, bool second)
{
	static const char head[] = "\4\0\0\x50\0\x16\0\0...aend-", rest[] = "it now";
	uint8_t *ip = frame + 14;

	if (second) {
		memcpy(ip + 20, rest, sizeof(rest) - 1);
		make_ip(frame, IPPROTO_UDP, false, sizeof(rest) - 1);
	} else {
		memcpy(ip + 20, head, sizeof(head) - 1);
		make_ip(frame, IPPROTO_UDP, false, sizeof(head) - 1);
	}
	put16(ip + 4, 4711);
	put16(ip + 6, second ? 2 : 0x2000);
	put16(ip + 10, 0);
	put16(ip + 10, fold(sum(0, ip, 20)));
	return second ? 40 : 50;
}

static void a_packet_in_fragments_stays_incomplete(void **state)
{
	struct fixture *f = *state;
	uint8_t first[64], second[64];
	size_t first_len = fragment(first, false), second_len = fragment(second, true);

	assert_int_equal(judge(f, first, first_len), ACTION_LOG);
	assert_int_equal(judge(f, second, second_len), ACTION_RESET);
	assert_int_equal(judge(f, second, second_len), ACTION_DROP);
	assert_int_equal(judge(f, first, first_len), ACTION_DROP);
}

static void what_goes_by_unsearched_condemns(void **state)
{
	struct fixture *f = *state;

	open_connection(f, 1024);
	assert_int_equal(say(f, 1024, 100, "a "), ACTION_LOG);
	assert_int_equal(say(f, 1024, 106, "et-7 "), ACTION_LOG);
	/* The hole is given up, as its other end is not seen. */
	f->now_ns += 2 * SECOND;
	sift_tick(&f->sift, f->now_ns);
	assert_int_equal(say(f, 1024, 102, "secr"), ACTION_DROP);
	assert_int_equal(say(f, 1024, 111, "all is well"), ACTION_DROP);
	assert_int_equal(stat_get(&f->condemned.n), 1);
}

static void the_end_of_a_worker_condemns_nothing(void **state)
{
	struct fixture *f = *state;
	uint8_t first[64];
	size_t first_len = fragment(first, false);

	open_connection(f, 1024);
	/* A hole, the beginning of a match, and half of a packet. */
	assert_int_equal(say(f, 1024, 100, "a secret-"), ACTION_LOG);
	assert_int_equal(say(f, 1024, 200, "behind"), ACTION_LOG);
	assert_int_equal(judge(f, first, first_len), ACTION_LOG);
	sift_end_link(&f->sift, &f->link);
	assert_int_equal(say(f, 1024, 206, "all is well"), ACTION_LOG);
	assert_int_equal(judge(f, first, first_len), ACTION_LOG);
	assert_int_equal(stat_get(&f->condemned.n), 0);
}

/*
 * More than there is memory for, and then more than can be condemned: nothing is forgotten
 * uncounted.
 */
static void what_is_pushed_out_is_condemned_and_counted(void **state)
{
	struct fixture *f = *state;
	const uint32_t few = 20000, many = 60000;
	uint32_t passed = 0;

	for (uint32_t port = 1024; port < 1024 + few; port++) {
		open_connection(f, port);
		assert_int_equal(say(f, port, 100, "secret-"), ACTION_LOG);
	}
	assert_true(f->sift.streams.counts.ends[STREAM_EVICTED] > 0);
	assert_true(f->sift.streams.flows.memory <= MEMORY);
	for (uint32_t port = 1024; port < 1024 + few; port++)
		passed += say(f, port, 107, "7") == ACTION_LOG;
	assert_int_equal(passed, 0);
	for (uint32_t port = 1024; port < 1024 + many; port++) {
		open_connection(f, port);
		(void)say(f, port, 100, "secret-");
	}
	for (uint32_t port = 1024; port < 1024 + many; port++)
		(void)say(f, port, 107, "7");
	assert_true(stat_get(&f->condemned.evicted) > 0);
}

static void a_full_table_forgets_the_quietest(void **state)
{
	struct fixture *f = *state;
	struct stats_condemned *table = &f->condemned;

	for (uint64_t key = 1; key <= 4 * STATS_CONDEMNED_MAX; key++)
		condemned_add(table, key, (1000 + key / STATS_CONDEMNED_MAX) * SECOND);
	assert_int_equal(stat_get(&table->n), 4 * STATS_CONDEMNED_MAX);
	assert_int_equal(stat_get(&table->evicted), 3 * STATS_CONDEMNED_MAX);
	assert_true(condemned_has(table, 4 * STATS_CONDEMNED_MAX, 1004 * SECOND));
	assert_false(condemned_has(table, 1, 1004 * SECOND));
	/* A frame of it is news of it. */
	assert_true(condemned_has(table, 4 * STATS_CONDEMNED_MAX, (1000 + CONDEMNED_S) * SECOND));
	assert_true(
		condemned_has(table, 4 * STATS_CONDEMNED_MAX, (990 + 2 * CONDEMNED_S) * SECOND));
	assert_false(
		condemned_has(table, 4 * STATS_CONDEMNED_MAX, (1000 + 3 * CONDEMNED_S) * SECOND));
}

/* tcp_sum.c against the plain sum of RFC 1071, which give() makes, for every length. */
static void checksums_of_all_lengths_are_right(void **state)
{
	struct fixture *f = *state;
	char text[300];

	open_connection(f, 1024);
	for (uint32_t n = 1, seq = 100; n < sizeof(text) - 1; seq += n++) {
		for (uint32_t i = 0; i < n; i++)
			text[i] = (char)('A' + (i * 7 + n) % 26);
		text[n] = '\0';
		assert_int_equal(say(f, 1024, seq, text), ACTION_LOG);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_HANDED(name)                                                   \
	{                                                                   \
#name ", handed over", name, set_up_handed, tear_down, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_match_is_dropped_and_its_connection_with_it),
		TEST(a_match_that_is_cut_is_dropped_where_it_is_whole),
		TEST(a_new_connection_takes_its_place_when_both_ends_open_it),
		TEST(what_repeats_passes_only_as_it_was),
		TEST(a_guest_cannot_speak_for_the_other_end),
		TEST(a_priority_makes_no_other_connection),
		TEST(urgent_bytes_go_by_on_error),
		TEST(what_overtakes_is_searched_by_itself),
		TEST(a_wrong_checksum_does_not_pass),
		TEST(the_heaviest_action_decides),
		TEST(what_cannot_be_searched_goes_by_on_error),
		TEST(a_packet_in_fragments_stays_incomplete),
		TEST(what_goes_by_unsearched_condemns),
		TEST(the_end_of_a_worker_condemns_nothing),
		TEST(what_is_pushed_out_is_condemned_and_counted),
		TEST(a_full_table_forgets_the_quietest),
		TEST(checksums_of_all_lengths_are_right),
		TEST_HANDED(a_match_is_dropped_and_its_connection_with_it),
		TEST_HANDED(a_match_that_is_cut_is_dropped_where_it_is_whole),
		TEST_HANDED(what_repeats_passes_only_as_it_was),
		TEST_HANDED(a_guest_cannot_speak_for_the_other_end),
		TEST_HANDED(what_overtakes_is_searched_by_itself),
		TEST_HANDED(what_cannot_be_searched_goes_by_on_error),
		TEST_HANDED(a_packet_in_fragments_stays_incomplete),
		TEST_HANDED(what_goes_by_unsearched_condemns),
		TEST_HANDED(checksums_of_all_lengths_are_right),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
