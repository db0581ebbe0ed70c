/* links: capture/record_feed.c capture/record_number.c capture/emitter.c capture/record.c */
/* links: capture/emitter_files.c */
/* links: capture/json_writer.c capture/payload_log.c capture/sink_file.c capture/sink_pcapng.c */
/* links: capture/regex_match.c */
/* links: capture/pcapng.c capture/sink_feed.c capture/pattern.c capture/regex.c */
/* links: capture/pattern_compose.c */
/* links: agent/base/buf.c agent/base/err.c agent/base/parse.c agent/base/log.c */
/* links: capture/literal.c capture/literal_reader.c capture/literal_part.c agent/base/utf8.c */
/* links: capture/rotated.c */
#include "capture/record_feed.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "agent/base/clock.h"

#define OTHER 3u

static const struct record_head nothing = { .time_ns = 1, .link = "", .set = "", .guest = "" };

struct fixture {
	uv_loop_t loop;
	char dir[64];
	int dir_fd;
	int out,
		/* where the other worker's records go, and where they are read: the agent's own */
		in;
	struct stats_page *stats;
	struct record_conf conf;
	struct emitter first, other;
	struct record_feeds feeds;
	unsigned int batches;
};

static void on_batch(void *data)
{
	struct fixture *f = data;

	f->batches++;
	emitter_flush(&f->first);
}

static void make_emitter(struct fixture *f, struct emitter *emitter, unsigned int index)
{
	assert_int_equal(emitter_init(emitter, index, f->dir_fd, "hv1", &f->conf,
				      &f->stats->capture[index]),
			 0);
}

static void make_feeds(struct fixture *f, int fd)
{
	struct err err;

	assert_int_equal(record_feeds_init(&f->feeds, &f->first, f->stats, on_batch, f), 0);
	assert_int_equal(record_feeds_add(&f->feeds, &f->loop, OTHER, fd, &err), 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fds[2];

	assert_non_null(f);
	f->stats = calloc(1, sizeof(*f->stats));
	assert_non_null(f->stats);
	strcpy(f->dir, "/tmp/test_record_feed.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->dir_fd = open(f->dir, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	assert_true(f->dir_fd >= 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(uv_loop_init(&f->loop), 0);
	make_emitter(f, &f->first, 0);
	make_emitter(f, &f->other, OTHER);
	f->out = fcntl(fds[0], F_DUPFD_CLOEXEC, 0);
	f->in = fcntl(fds[1], F_DUPFD_CLOEXEC, 0);
	emitter_set_feed(&f->other, fds[0]);
	make_feeds(f, fds[1]);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	record_feeds_close(&f->feeds);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	record_feeds_done(&f->feeds);
	emitter_done(&f->first);
	emitter_done(&f->other);
	unlinkat(f->dir_fd, "records.json", 0);
	close(f->out);
	close(f->in);
	close(f->dir_fd);
	assert_int_equal(rmdir(f->dir), 0);
	free(f->stats);
	free(f);
	return 0;
}

static void emit(struct emitter *emitter, const char *action)
{
	emitter_event(emitter, nothing, IPC_EVENT_SERVICE, action, "");
}

/* A line of the other worker's as it could be, or not. */
static void send_line(struct fixture *f, const char *line)
{
	assert_int_equal(send(f->out, line, strlen(line), MSG_DONTWAIT), strlen(line));
}

/* Once round the loop: what has come is read. */
static void turn(struct fixture *f)
{
	uv_run(&f->loop, UV_RUN_NOWAIT);
	emitter_flush(&f->first);
}

/* "SEQ:ACTION", of a gap "SEQ+LOST:REASON", of an alert "SEQ:alert" and "/" with what it names. */
static void say(const json_t *json, char *out, size_t size)
{
	const json_t *own = json_object_get(json, "tapwarden"), *gap = json_object_get(json, "gap");
	const json_t *names = json_object_get(own, "payload_seq");
	const json_t *service = json_object_get(json, "service");
	long long seq = json_integer_value(json_object_get(own, "seq"));

	if (gap)
		snprintf(out, size, "%lld+%lld:%s ", seq,
			 (long long)json_integer_value(json_object_get(gap, "lost")),
			 json_string_value(json_object_get(gap, "reason")));
	else if (service)
		snprintf(out, size, "%lld:%s ", seq,
			 json_string_value(json_object_get(service, "action")));
	else if (names)
		snprintf(out, size, "%lld:alert/%lld ", seq, (long long)json_integer_value(names));
	else
		snprintf(out, size, "%lld:alert ", seq);
}

static void check_log(const struct fixture *f, const char *expect)
{
	int fd = openat(f->dir_fd, "records.json", O_RDONLY);
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
	char *line = NULL, all[8192] = "", one[256];
	size_t cap = 0;

	assert_non_null(file);
	while (getline(&line, &cap, file) > 0) {
		json_t *json = json_loads(line, 0, NULL);

		assert_non_null(json);
		say(json, one, sizeof(one));
		strcat(all, one);
		json_decref(json);
	}
	free(line);
	fclose(file);
	assert_string_equal(all, expect);
}

static void one_row_of_numbers(void **state)
{
	struct fixture *f = *state;

	emit(&f->first, "a");
	emit(&f->other, "x");
	emit(&f->other, "y");
	turn(f);
	emit(&f->first, "b");
	emit(&f->other, "z");
	turn(f);
	check_log(f, "0:a 1:x 2:y 3:b 4:z ");
	assert_int_equal(stat_get(&f->stats->capture[OTHER].seq_next), 3);
	assert_int_equal(stat_get(&f->stats->capture[OTHER].log_next), 3);
	assert_int_equal(stat_get(&f->stats->capture[0].log_next), 5);
	assert_int_equal(f->batches, 2);
}

/* What waits in the socket outlives the one that reads it. */
static void another_reader_goes_on(void **state)
{
	struct fixture *f = *state;

	emit(&f->other, "x");
	turn(f);
	emit(&f->other, "y");
	record_feeds_close(&f->feeds);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	record_feeds_done(&f->feeds);
	emitter_done(&f->first);
	make_emitter(f, &f->first, 0);
	emit(&f->other, "z");
	make_feeds(f, fcntl(f->in, F_DUPFD_CLOEXEC, 0));
	record_feeds_drain(&f->feeds);
	check_log(f, "0:x 1:y 2:z ");
}

static void what_died_is_told(void **state)
{
	struct fixture *f = *state;

	emit(&f->other, "x");
	/* Numbered, and then its worker died. */
	stat_add(&f->stats->capture[OTHER].seq_next, 3);
	emit(&f->other, "y");
	turn(f);
	check_log(f, "0:x 1+3:worker-died 4:y ");
	assert_int_equal(stat_get(&f->stats->capture[0].log_lost), 3);
	assert_int_equal(stat_get(&f->stats->capture[0].log_next), 5);
}

static void what_does_not_fit_is_told(void **state)
{
	const int size = 4096;
	struct fixture *f = *state;
	struct stats_capture *other = &f->stats->capture[OTHER];
	char expect[256];
	uint64_t n, lost;

	assert_int_equal(setsockopt(f->out, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	for (n = 0; n < 100 && !stat_get(&other->log_lost); n++)
		emit(&f->other, "x");
	assert_true(n > 1 && n < 100);
	emit(&f->other, "x");
	lost = stat_get(&other->log_lost);
	assert_int_equal(lost, 2);
	assert_int_equal(stat_get(&other->feed_lost), 2);
	assert_true(emitter_is_waiting(&f->other));
	/* Still no room: it is told later, once. */
	emitter_tick(&f->other, 1);
	assert_true(emitter_is_waiting(&f->other));
	turn(f);
	emitter_tick(&f->other, 1);
	emitter_tick(&f->other, 1);
	assert_false(emitter_is_waiting(&f->other));
	emit(&f->first, "a");
	turn(f);
	emit(&f->first, "b");
	turn(f);
	assert_int_equal(stat_get(&f->stats->capture[0].log_lost), 0);
	assert_int_equal(stat_get(&f->stats->capture[0].seq_next), n + 1 + 2);
	expect[0] = '\0';
	for (uint64_t i = 0; i < n - 1; i++)
		sprintf(expect + strlen(expect), "%d:x ", (int)i);
	sprintf(expect + strlen(expect), "%d:a %d+2:reader-slow %d:b ", (int)n - 1, (int)n,
		(int)n + 2);
	check_log(f, expect);
}

/* Somebody reads: who makes records waits for room. Not where guests wait for their frames. */
static void who_is_faster_waits(void **state)
{
	const int size = 4096;
	struct fixture *f = *state;
	struct stats_capture *other = &f->stats->capture[OTHER];
	char line[4096];
	pid_t reader;

	assert_int_equal(setsockopt(f->out, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	reader = fork();
	assert_true(reader >= 0);
	if (reader == 0) {
		struct pollfd room = { .fd = f->in, .events = POLLIN };

		for (int i = 0; i < 200 && poll(&room, 1, 10000) > 0;)
			i += recv(f->in, line, sizeof(line), 0) > 0;
		_exit(0);
	}
	for (int i = 0; i < 200; i++)
		emit(&f->other, "x");
	assert_int_equal(waitpid(reader, NULL, 0), reader);
	assert_int_equal(stat_get(&other->log_lost), 0);
	assert_false(f->other.gave_up);
	f->other.n_in_path = 1;
	for (int i = 0; i < 100; i++)
		emit(&f->other, "x");
	assert_true(stat_get(&other->log_lost) > 50);
	assert_true(f->other.gave_up);
}

#define BEGIN "{\"timestamp\":\"2026-11-22T16:20:01.123456789Z\",\"event_type\":\"alert\","
#define OWN   "\"tapwarden\":{\"v\":1,\"seq\":"

/*
 * What a record names is numbered as that was, also when it was lost; and left out when nobody
 * knows.
 */
static void payloads_are_named(void **state)
{
	struct fixture *f = *state;

	emit(&f->first, "a");
	send_line(f, BEGIN OWN "0,\"set\":\"payload_seq\"}}");
	send_line(f, BEGIN OWN "1,\"payload_seq\":0,\"rule\":\"x\"}}");
	send_line(f, BEGIN OWN "2,\"payload_seq\":0,\"rule\":\"x\"}}");
	send_line(f, BEGIN OWN "7,\"payload_seq\":5,\"rule\":\"x\"}}");
	send_line(f, BEGIN OWN "8,\"payload_seq\":1,\"rule\":\"x\"}}");
	turn(f);
	check_log(f, "0:a 1:alert 2:alert/1 3:alert/1 4+4:worker-died 8:alert/6 9:alert ");
}

static void what_is_no_record_is_left_out(void **state)
{
	struct fixture *f = *state;

	send_line(f, "x");
	send_line(f, BEGIN OWN "}}");
	send_line(f, BEGIN OWN "9007199254740000}}");
	send_line(f, BEGIN OWN "0}}\n{}");
	send_line(f, BEGIN OWN "0}}");
	send_line(f, BEGIN OWN "0}}");
	send_line(f, BEGIN OWN "1}}");
	turn(f);
	check_log(f,
		  "0+1:corrupt 1+1:corrupt 2+1:corrupt 3+1:corrupt 4:alert 5+1:corrupt 6:alert ");
}

/* However much was lost by its word: seq stays below what JSON readers hold. */
static void nobody_uses_up_the_numbers(void **state)
{
	const uint64_t per_s = UINT64_C(1) << 22;
	struct fixture *f = *state;
	uint64_t seconds = clock_ns(CLOCK_MONOTONIC) / NS_PER_S, most = seconds * per_s;
	char line[256], expect[256];

	snprintf(line, sizeof(line), BEGIN OWN "%llu}}", (unsigned long long)most);
	send_line(f, line);
	for (uint64_t hours = 1; hours < 1000; hours *= 10) {
		snprintf(line, sizeof(line), BEGIN OWN "%llu}}",
			 (unsigned long long)(most + hours * 3600 * per_s));
		send_line(f, line);
	}
	turn(f);
	snprintf(expect, sizeof(expect),
		 "0+%llu:worker-died %llu:alert %llu+1:corrupt %llu+1:corrupt %llu+1:corrupt ",
		 (unsigned long long)most, (unsigned long long)most, (unsigned long long)most + 1,
		 (unsigned long long)most + 2, (unsigned long long)most + 3);
	check_log(f, expect);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_row_of_numbers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_reader_goes_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_died_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_does_not_fit_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_is_faster_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(payloads_are_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_record_is_left_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_uses_up_the_numbers, set_up, tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
