/* links: capture/emitter.c capture/record.c capture/record_number.c capture/json_writer.c */
/* links: capture/emitter_files.c */
/* links: capture/payload_log.c capture/sink_file.c capture/sink_pcapng.c capture/pcapng.c */
/* links: capture/regex_match.c */
/* links: capture/sink_feed.c capture/pattern.c capture/regex.c agent/base/buf.c agent/base/err.c */
/* links: capture/pattern_compose.c */
/* links: agent/base/parse.c capture/literal.c capture/literal_reader.c capture/literal_part.c */
/* links: agent/base/utf8.c */
/* links: capture/rotated.c */
#include "capture/emitter.h"
#include "capture/pcapng.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

static const struct record_head nothing = { .time_ns = 1, .link = "", .set = "", .guest = "" };

struct fixture {
	char dir[64];
	int dir_fd;
	int feed[2];
	struct stats_capture stats;
	struct record_conf conf;
	struct emitter emitter;
};

static void make_emitter(struct fixture *f)
{
	assert_int_equal(emitter_init(&f->emitter, 0, f->dir_fd, "hv1", &f->conf, &f->stats), 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->dir, "/tmp/test_emitter.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->dir_fd = open(f->dir, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	assert_true(f->dir_fd >= 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, f->feed), 0);
	make_emitter(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	emitter_done(&f->emitter);
	unlinkat(f->dir_fd, EMITTER_RECORDS_NAME, 0);
	unlinkat(f->dir_fd, EMITTER_RECORDS_NAME ".1", 0);
	unlinkat(f->dir_fd, EMITTER_PAYLOADS_NAME, 0);
	unlinkat(f->dir_fd, EMITTER_PAYLOADS_NAME ".1", 0);
	close(f->feed[1]);
	close(f->dir_fd);
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static void emit(struct fixture *f, const char *action)
{
	emitter_event(&f->emitter, nothing, IPC_EVENT_SERVICE, action, "");
}

/* A record as "SEQ:ACTION", a gap as "SEQ+LOST:REASON". */
static void say(const char *line, size_t len, char *out, size_t size)
{
	json_error_t error;
	json_t *json = json_loadb(line, len, 0, &error), *gap, *service;
	long long seq;

	if (!json)
		fail_msg("%s in %.*s", error.text, (int)len, line);
	gap = json_object_get(json, "gap");
	service = json_object_get(json, "service");
	seq = json_integer_value(json_object_get(json_object_get(json, "tapwarden"), "seq"));
	if (gap)
		snprintf(out, size, "%lld+%lld %s:%s", seq,
			 (long long)json_integer_value(json_object_get(gap, "lost")),
			 json_string_value(json_object_get(gap, "unit")),
			 json_string_value(json_object_get(gap, "reason")));
	else
		snprintf(out, size, "%lld:%s", seq,
			 json_string_value(json_object_get(service, "action")));
	json_decref(json);
}

/* Every number is a record or inside a gap. */
struct audit {
	uint64_t next;
	uint64_t gaps;
	uint64_t lost;
};

static void audit(struct audit *a, const char *line, size_t len)
{
	unsigned long long seq, n = 0;
	char one[256];

	say(line, len, one, sizeof(one));
	assert_true(sscanf(one, "%llu+%llu", &seq, &n) >= 1);
	assert_int_equal(seq, a->next);
	a->next += n ? n : 1;
	a->gaps += n > 0;
	a->lost += n;
}

static void check_log(const struct fixture *f, const char *expect)
{
	int fd = openat(f->dir_fd, EMITTER_RECORDS_NAME, O_RDONLY);
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
	char *line = NULL, all[4096] = "", one[256];
	size_t cap = 0;
	ssize_t len;

	assert_non_null(file);
	while ((len = getline(&line, &cap, file)) > 0) {
		assert_int_equal(line[len - 1], '\n');
		say(line, (size_t)len - 1, one, sizeof(one));
		strcat(strcat(all, one), " ");
	}
	free(line);
	fclose(file);
	assert_string_equal(all, expect);
}

/* The next record of the feed; NULL: there is none. */
static void check_feed(const struct fixture *f, const char *expect)
{
	static char line[RECORD_MAX];
	ssize_t len = recv(f->feed[1], line, sizeof(line), MSG_DONTWAIT);
	char one[256];

	if (!expect) {
		assert_int_equal(len, -1);
		return;
	}
	assert_true(len > 0);
	say(line, (size_t)len, one, sizeof(one));
	assert_string_equal(one, expect);
}

static void both(void **state)
{
	struct fixture *f = *state;

	emitter_set_feed(&f->emitter, f->feed[0]);
	emit(f, "a");
	emit(f, "b");
	emitter_flush(&f->emitter);
	check_log(f, "0:a 1:b ");
	check_feed(f, "0:a");
	check_feed(f, "1:b");
	check_feed(f, NULL);
	assert_int_equal(stat_get(&f->stats.seq_next), 2);
	assert_int_equal(stat_get(&f->stats.records), 2);
	assert_int_equal(stat_get(&f->stats.log_next), 2);
	assert_int_equal(stat_get(&f->stats.log_lost) + stat_get(&f->stats.feed_lost), 0);
}

/* Nobody listens at first: what was missed is the first that is told. */
static void late_reader(void **state)
{
	struct fixture *f = *state;

	emit(f, "a");
	emit(f, "b");
	assert_int_equal(stat_get(&f->stats.feed_lost), 2);
	emitter_set_feed(&f->emitter, f->feed[0]);
	emit(f, "c");
	check_feed(f, "0+2 records:no-reader");
	check_feed(f, "2:c");
	emit(f, "d");
	check_feed(f, "3:d");
	emitter_flush(&f->emitter);
	check_log(f, "0:a 1:b 2:c 3:d ");
}

/* In the feed every number is a record or inside a gap, whatever the reader's pace. */
static void slow_reader(void **state)
{
	static char line[RECORD_MAX];
	struct fixture *f = *state;
	struct audit a = { 0 };
	bool ended = false;
	ssize_t len;

	emitter_set_feed(&f->emitter, f->feed[0]);
	for (unsigned int i = 0; i < 20000; i++) {
		emit(f, "x");
		len = i % 7 ? -1 : recv(f->feed[1], line, sizeof(line), MSG_DONTWAIT);
		if (len >= 0)
			audit(&a, line, (size_t)len);
	}
	/* The rest of it, and one more for the gap at the end. */
	for (;;) {
		len = recv(f->feed[1], line, sizeof(line), MSG_DONTWAIT);
		if (len >= 0) {
			audit(&a, line, (size_t)len);
		} else if (!ended) {
			emit(f, "end");
			ended = true;
		} else {
			break;
		}
	}
	assert_int_equal(a.next, stat_get(&f->stats.seq_next));
	assert_int_equal(a.lost, stat_get(&f->stats.feed_lost));
	assert_true(a.gaps > 0);
}

static void file_size_limit(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* All lines of the log, and how many of them say that the buffer was full. */
static size_t audit_log(const struct fixture *f, struct audit *a)
{
	FILE *file = fdopen(openat(f->dir_fd, EMITTER_RECORDS_NAME, O_RDONLY), "r");
	char *line = NULL;
	size_t cap = 0, full = 0;
	ssize_t len;

	assert_non_null(file);
	while ((len = getline(&line, &cap, file)) > 0) {
		audit(a, line, (size_t)len);
		full += strstr(line, "\"reason\":\"buffer-full\"") != NULL;
	}
	free(line);
	fclose(file);
	return full;
}

/* The log is full: records wait, then are lost, and the log says how many once it can. */
static void full_log(void **state)
{
	struct fixture *f = *state;
	struct audit a = { 0 };
	char text[4096];
	struct stat st;

	signal(SIGXFSZ, SIG_IGN);
	emitter_set_feed(&f->emitter, f->feed[0]);
	emit(f, "a");
	emitter_flush(&f->emitter);
	assert_int_equal(fstatat(f->dir_fd, EMITTER_RECORDS_NAME, &st, 0), 0);
	file_size_limit((rlim_t)st.st_size + 10);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	while (stat_get(&f->stats.log_lost) < 100) {
		emitter_event(&f->emitter, nothing, IPC_EVENT_SERVICE, "b", text);
		emitter_flush(&f->emitter);
		assert_int_equal(f->emitter.errors[EMITTER_RECORDS], -EFBIG);
	}
	assert_int_equal(fstatat(f->dir_fd, EMITTER_RECORDS_NAME, &st, 0), 0);
	assert_int_equal(stat_get(&f->stats.records), 1);
	file_size_limit(RLIM_INFINITY);
	emitter_flush(&f->emitter);
	assert_int_equal(f->emitter.errors[EMITTER_RECORDS], 0);
	emit(f, "c");
	emitter_flush(&f->emitter);
	assert_int_equal(audit_log(f, &a), 1);
	assert_int_equal(a.next, stat_get(&f->stats.seq_next));
	assert_int_equal(a.next, stat_get(&f->stats.log_next));
	assert_int_equal(a.lost, stat_get(&f->stats.log_lost));
	/* However small the room was for a gap, it waited for a record. */
	assert_int_equal(a.gaps, 1);
}

/* While the disk takes it nothing is lost, however much one batch makes. */
static void large_batch(void **state)
{
	struct fixture *f = *state;
	const struct buf *pending = &f->emitter.records.pending;
	struct audit a = { 0 };
	char text[4096];

	signal(SIGXFSZ, SIG_IGN);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (unsigned int i = 0; i < 5000; i++)
		emitter_event(&f->emitter, nothing, IPC_EVENT_SERVICE, "b", text);
	assert_true(stat_get(&f->stats.records) > 4000);
	/* The disk is full until there is no room for one more: then it is asked once again. */
	file_size_limit(1);
	while (pending->max - pending->len > 2 * sizeof(text))
		emitter_event(&f->emitter, nothing, IPC_EVENT_SERVICE, "b", text);
	assert_int_equal(f->emitter.errors[EMITTER_RECORDS], -EFBIG);
	file_size_limit(RLIM_INFINITY);
	for (unsigned int i = 0; i < 100; i++)
		emitter_event(&f->emitter, nothing, IPC_EVENT_SERVICE, "b", text);
	emitter_flush(&f->emitter);
	audit_log(f, &a);
	assert_int_equal(a.gaps, 0);
	assert_int_equal(a.next, stat_get(&f->stats.seq_next));
	assert_int_equal(a.next, stat_get(&f->stats.log_next));
	assert_int_equal(stat_get(&f->stats.log_lost), 0);
}

static void emit_long(struct fixture *f, size_t len)
{
	char *text = calloc(1, len + 1);

	assert_non_null(text);
	memset(text, 'x', len);
	emitter_event(&f->emitter, nothing, IPC_EVENT_SERVICE, "b", text);
	free(text);
}

/* Killed after a flush between a gap and its record: the gap is not told again. */
static void killed_behind_gap(void **state)
{
	struct fixture *f = *state;
	const struct buf *pending = &f->emitter.records.pending;
	const size_t flush_at = PCAPNG_WRITE_SIZE, most = flush_at * 2 / 5;
	struct audit a = { 0 };
	size_t rest;

	/* Two long ones and one that leaves less room before the flush than a gap takes. */
	emit_long(f, most);
	rest = pending->len - most;
	emit_long(f, most);
	emit_long(f, flush_at - 100 - pending->len - rest);
	assert_int_equal(flush_at - pending->len, 100);
	emit_long(f, RECORD_MAX);
	emit_long(f, 10);
	assert_int_equal(stat_get(&f->stats.records), 4);
	emitter_done(&f->emitter);
	make_emitter(f);
	emit(f, "c");
	emitter_flush(&f->emitter);
	audit_log(f, &a);
	assert_int_equal(a.gaps, 2);
	assert_int_equal(a.next, stat_get(&f->stats.seq_next));
	assert_int_equal(a.lost, stat_get(&f->stats.log_lost));
}

/* Killed between numbering and writing: the next one tells what the log lacks. */
static void killed_before(void **state)
{
	struct fixture *f = *state;

	emit(f, "a");
	emitter_flush(&f->emitter);
	emit(f, "b");
	emit(f, "c");
	emitter_done(&f->emitter);
	make_emitter(f);
	emit(f, "d");
	emit(f, "e");
	emitter_flush(&f->emitter);
	check_log(f, "0:a 1+2 records:worker-died 3:d 4:e ");
	assert_int_equal(stat_get(&f->stats.log_lost), 2);
	/* One that flushed leaves nothing to tell. */
	emitter_done(&f->emitter);
	make_emitter(f);
	emit(f, "f");
	emitter_flush(&f->emitter);
	check_log(f, "0:a 1+2 records:worker-died 3:d 4:e 5:f ");
}

/* The agent was started again: its counters are new, its log is not. */
static void new_counters(void **state)
{
	struct fixture *f = *state;
	int fd;

	emit(f, "a");
	emit(f, "b");
	emitter_flush(&f->emitter);
	emitter_done(&f->emitter);
	f->stats = (struct stats_capture){ 0 };
	/* What a killed one left of a line does not hide the one before. */
	fd = openat(f->dir_fd, EMITTER_RECORDS_NAME, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "{\"timest", 8), 8);
	make_emitter(f);
	emit(f, "c");
	emitter_flush(&f->emitter);
	check_log(f, "0:a 1:b 2:c ");
	assert_int_equal(stat_get(&f->stats.log_lost), 0);
	assert_int_equal(stat_get(&f->stats.log_next), 3);
	/* Behind a line of someone else it is anyone's guess: a new beginning. */
	emitter_done(&f->emitter);
	f->stats = (struct stats_capture){ 0 };
	assert_int_equal(write(fd, "\n", 1), 1);
	close(fd);
	make_emitter(f);
	assert_int_equal(stat_get(&f->stats.seq_next), 0);
}

struct beginner {
	struct fixture *f;
	pthread_barrier_t *start;
};

static void *begin_worker(void *data)
{
	const struct beginner *beginner = data;
	struct fixture *f = beginner->f;
	struct emitter emitter;

	pthread_barrier_wait(beginner->start);
	assert_int_equal(emitter_init(&emitter, 0, f->dir_fd, "hv1", &f->conf, &f->stats), 0);
	emitter_done(&emitter);
	return NULL;
}

/* A reload right after the start: two workers go on with the same counters. */
static void new_counters_of_two_at_once(void **state)
{
	struct fixture *f = *state;
	pthread_barrier_t start;
	struct beginner beginner = { f, &start };
	pthread_t other;

	emit(f, "a");
	emit(f, "b");
	emitter_flush(&f->emitter);
	emitter_done(&f->emitter);
	assert_int_equal(pthread_barrier_init(&start, NULL, 2), 0);
	for (int i = 0; i < 1000; i++) {
		f->stats = (struct stats_capture){ 0 };
		assert_int_equal(pthread_create(&other, NULL, begin_worker, &beginner), 0);
		begin_worker(&beginner);
		pthread_join(other, NULL);
		assert_int_equal(stat_get(&f->stats.seq_next), 2);
		assert_int_equal(stat_get(&f->stats.log_next), 2);
	}
	pthread_barrier_destroy(&start);
	make_emitter(f);
}

/* Killed when it had just begun another file, or within its first line. */
static void new_counters_behind_rotated_log(void **state)
{
	struct fixture *f = *state;
	int fd;

	emit(f, "a");
	emit(f, "b");
	emitter_flush(&f->emitter);
	for (int torn = 0; torn < 2; torn++) {
		emitter_done(&f->emitter);
		f->stats = (struct stats_capture){ 0 };
		if (torn) {
			fd = openat(f->dir_fd, EMITTER_RECORDS_NAME, O_WRONLY | O_CREAT, 0600);
			assert_int_equal(write(fd, "{\"timest", 8), 8);
			close(fd);
		} else {
			renameat(f->dir_fd, EMITTER_RECORDS_NAME, f->dir_fd,
				 EMITTER_RECORDS_NAME ".1");
		}
		make_emitter(f);
		assert_int_equal(stat_get(&f->stats.seq_next), 2);
	}
	emit(f, "c");
	emitter_flush(&f->emitter);
	check_log(f, "2:c ");
}

/* The worker of an agent that was killed, which has not yet noticed: it writes a last record. */
static _Noreturn void write_on(struct fixture *f, int ready)
{
	char byte = 0;

	emit(f, "b");
	emit(f, "c");
	/* The lock is taken with the first; what is written without it comes late. */
	emitter_flush(&f->emitter);
	emit(f, "d");
	if (write(ready, &byte, 1) != 1)
		_exit(1);
	usleep(200000);
	emitter_flush(&f->emitter);
	_exit(0);
}

static void new_counters_behind_a_late_writer(void **state)
{
	struct fixture *f = *state;
	int ready[2], status;
	pid_t pid;
	char byte;

	emit(f, "a");
	emitter_flush(&f->emitter);
	/* The lock goes with the last process that has the file open. */
	emitter_done(&f->emitter);
	make_emitter(f);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0)
		write_on(f, ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	emitter_done(&f->emitter);
	f->stats = (struct stats_capture){ 0 };
	make_emitter(f);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	emit(f, "e");
	emitter_flush(&f->emitter);
	check_log(f, "0:a 1:b 2:c 3:d 4:e ");
	close(ready[0]);
	close(ready[1]);
}

/* A log that ends in a gap goes on behind what that tells. */
static void new_counters_behind_gap(void **state)
{
	struct fixture *f = *state;

	emit(f, "a");
	emitter_flush(&f->emitter);
	emitter_gap(
		&f->emitter, nothing,
		&(struct record_gap){ .lost = 9, .unit = RECORD_UNIT_RECORDS, .reason = "test" });
	emitter_flush(&f->emitter);
	emitter_done(&f->emitter);
	f->stats = (struct stats_capture){ 0 };
	make_emitter(f);
	emit(f, "b");
	emitter_flush(&f->emitter);
	check_log(f, "0:a 1+9 records:test 10:b ");
}

static void begin_again(struct fixture *f)
{
	make_emitter(f);
	emitter_set_feed(&f->emitter, dup(f->feed[0]));
	emitter_begin(&f->emitter, 1);
}

static void lost_payloads(void **state)
{
	static char payload[60000];
	static const uint8_t ip[4] = { 192, 0, 2, 1 };
	struct frame frame = {
		.ip_version = 4,
		.src_ip = ip,
		.dst_ip = ip,
		.proto = IPPROTO_UDP,
		.payload = (const uint8_t *)payload,
		.payload_len = sizeof(payload),
	};
	struct fixture *f = *state;
	unsigned int n = 0;

	emitter_set_feed(&f->emitter, dup(f->feed[0]));
	emitter_tick(&f->emitter, 1);
	check_feed(f, NULL);
	/* Nothing can be written, so the memory for what waits runs out. */
	signal(SIGXFSZ, SIG_IGN);
	file_size_limit(1);
	while (stat_get(&f->stats.payloads.lost) < 3) {
		emitter_payload(&f->emitter, 1, "web01", STATS_FROM_GUEST, &frame);
		n++;
	}
	assert_true(n > 100);
	file_size_limit(RLIM_INFINITY);
	emitter_flush(&f->emitter);
	emitter_tick(&f->emitter, 1);
	check_feed(f, "0+3 payloads:buffer-full");
	emitter_tick(&f->emitter, 1);
	check_feed(f, NULL);
	/* What waits when the worker ends, and what one that is killed had, the next one tells. */
	file_size_limit(1);
	emitter_payload(&f->emitter, 1, "web01", STATS_FROM_GUEST, &frame);
	emitter_flush(&f->emitter);
	emitter_abandon(&f->emitter);
	emitter_done(&f->emitter);
	file_size_limit(RLIM_INFINITY);
	assert_int_equal(stat_get(&f->stats.payloads.lost), 4);
	begin_again(f);
	check_feed(f, "1+1 payloads:buffer-full");
	emitter_payload(&f->emitter, 1, "web01", STATS_FROM_GUEST, &frame);
	emitter_flush(&f->emitter);
	emitter_payload(&f->emitter, 1, "web01", STATS_FROM_GUEST, &frame);
	emitter_payload(&f->emitter, 1, "web01", STATS_FROM_GUEST, &frame);
	emitter_done(&f->emitter);
	begin_again(f);
	check_feed(f, "2+2 payloads:worker-died");
	check_feed(f, NULL);
	close(f->feed[0]);
	assert_int_equal(stat_get(&f->stats.payloads.taken), n + 4);
	assert_int_equal(stat_get(&f->stats.payloads.written), n - 3 + 1);
}

/* One bad byte at its start does not cost the payload log what is behind. */
static void damaged_payloads(void **state)
{
	static char payload[60000];
	static const uint8_t ip[4] = { 192, 0, 2, 1 };
	struct frame frame = {
		.ip_version = 4,
		.src_ip = ip,
		.dst_ip = ip,
		.proto = IPPROTO_UDP,
		.payload = (const uint8_t *)payload,
		.payload_len = sizeof(payload),
	};
	struct fixture *f = *state;
	struct stat st;
	int fd;

	for (int i = 0; i < 3; i++)
		emitter_payload(&f->emitter, 1, "web01", STATS_FROM_GUEST, &frame);
	emitter_flush(&f->emitter);
	emitter_done(&f->emitter);
	fd = openat(f->dir_fd, EMITTER_PAYLOADS_NAME, O_WRONLY);
	assert_int_equal(pwrite(fd, "#", 1, 0), 1);
	close(fd);
	make_emitter(f);
	emitter_set_feed(&f->emitter, f->feed[0]);
	emitter_payload(&f->emitter, 1, "web01", STATS_FROM_GUEST, &frame);
	emitter_flush(&f->emitter);
	assert_int_equal(fstatat(f->dir_fd, EMITTER_PAYLOADS_NAME ".1", &st, 0), 0);
	assert_true(st.st_size > 3 * (off_t)sizeof(payload));
	assert_int_equal(fstatat(f->dir_fd, EMITTER_PAYLOADS_NAME, &st, 0), 0);
	assert_true(st.st_size < 2 * (off_t)sizeof(payload));
	emitter_tick(&f->emitter, 1);
	check_feed(f, "0:log-damaged");
	emitter_tick(&f->emitter, 1);
	check_feed(f, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both),
		TEST(late_reader),
		TEST(slow_reader),
		TEST(full_log),
		TEST(killed_before),
		TEST(lost_payloads),
		TEST(large_batch),
		TEST(killed_behind_gap),
		TEST(new_counters),
		TEST(new_counters_of_two_at_once),
		TEST(damaged_payloads),
		TEST(new_counters_behind_gap),
		TEST(new_counters_behind_rotated_log),
		TEST(new_counters_behind_a_late_writer),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
