/* links: capture/extract_job.c capture/extract_source.c capture/extract_parts.c */
/* links: capture/extract_worker.c capture/extract_range.c */
/* links: capture/extract_order.c capture/extract_subject.c */
/* links: capture/extract_relay.c capture/extract_records.c capture/extract_out.c */
/* links: capture/extract_records_part.c capture/separators.c agent/base/fd_io.c */
/* links: capture/text_input.c capture/text_map.c capture/text_scan.c capture/hit_kept.c */
/* links: capture/hit_format.c capture/hit_template.c capture/json_writer.c */
/* links: capture/stream_match.c capture/search.c capture/extract.c capture/range_text.c */
/* links: capture/stream_sleep.c capture/stream_window.c */
/* links: capture/range_places.c capture/range.c capture/lines.c capture/pattern.c */
/* links: capture/pattern_compose.c */
/* links: capture/regex_match.c */
/* links: capture/regex.c capture/literal.c capture/literal_reader.c capture/literal_part.c */
/* links: capture/literal_find.c capture/straight.c capture/set_reader.c capture/straight_find.c */
/* links: capture/prefilter.c capture/gram_index.c capture/shape.c agent/base/buf.c */
/* links: agent/base/parse.c agent/base/err.c agent/base/utf8.c */
#include "capture/extract_job.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/extract_capture.h"
#include "capture/extract_range.h"
#include "capture/input_kind.h"

/* Everything is text here. */
enum input_kind input_kind_of(const uint8_t *head, size_t len)
{
	(void)head;
	(void)len;
	return INPUT_TEXT;
}

uint64_t extract_capture_file(const struct extract_capture *capture)
{
	(void)capture;
	return 0;
}

uint64_t extract_capture_payloads(const struct extract_capture *capture)
{
	(void)capture;
	return 0;
}

uint64_t extract_capture_live(const struct extract_capture *capture,
			      const volatile sig_atomic_t *stop)
{
	(void)capture;
	(void)stop;
	return 0;
}

/* ---- one extraction -------------------------------------------------------------------------- */

struct task {
	const char *begin, *end; /* NULL: no range */
	const char *separator; /* NULL: there are lines */
	const char *patterns[3];
	size_t n;
	struct range_conf range;
	enum extract_show show;
	bool json, lines;
};

struct outcome {
	char *records;
	size_t len;
	char complaints[4096];
	struct extract_totals totals;
};

static void complain(void *data, const char *text)
{
	struct outcome *outcome = data;
	size_t len = strlen(outcome->complaints);

	snprintf(outcome->complaints + len, sizeof(outcome->complaints) - len, "%s\n", text);
}

static void searched(void *data, const char *source, uint64_t bytes)
{
	(void)data;
	(void)source;
	(void)bytes;
}

static int file_of(const char *text, size_t len, char *ret_path, size_t size)
{
	int fd = memfd_create("text", MFD_CLOEXEC);

	assert_int_equal(write(fd, text, len), len);
	snprintf(ret_path, size, "/proc/self/fd/%d", fd);
	return fd;
}

static void read_back(int fd, char **ret, size_t *ret_len)
{
	off_t len = lseek(fd, 0, SEEK_END);

	*ret = malloc((size_t)len + 1);
	assert_int_equal(pread(fd, *ret, (size_t)len, 0), len);
	(*ret)[len] = '\0';
	*ret_len = (size_t)len;
}

static void run(const struct task *task, const char *path, unsigned int threads, uint64_t part_size,
		struct outcome *ret)
{
	const struct extract_policy policy = { .max = SIZE_MAX };
	const struct pattern_conf delimiters = {
		.begin = (char *)task->begin,
		.end = (char *)task->end,
		.range = task->range,
		.match_limit = 500,
	};
	struct pattern_conf confs[3] = { 0 };
	const struct pattern_conf separating = { .regex = (char *)task->separator,
						 .match_limit = 100000 };
	struct extract_range_rule range = { .begin = NULL };
	struct pattern *separator = NULL;
	struct search search;
	struct err err = { "" };
	size_t faulty;
	struct extract_job job = { .threads = threads, .part_size = part_size };
	int out = memfd_create("out", MFD_CLOEXEC);

	for (size_t i = 0; i < task->n; i++) {
		confs[i] = (struct pattern_conf){
			.head.name = task->patterns[i],
			.regex = (char *)task->patterns[i],
			.match_limit = 100000,
		};
	}
	assert_int_equal(search_init(&search, confs, task->n, &policy, &faulty, &err), 0);
	if (task->begin)
		assert_int_equal(extract_range_compile(&delimiters, &range, &err), 0);
	if (task->separator)
		assert_int_equal(pattern_compile(&separating, &separator, &err), 0);
	*ret = (struct outcome){ .records = NULL };
	job.plan = (struct extract_plan){
		.search = &search,
		.show = task->show,
		.range = task->begin ? &range : NULL,
		.separator = separator,
		.complain = complain,
		.searched = searched,
		.data = ret,
		.format = { .search = &search,
			    .json = task->json,
			    .lines = task->lines,
			    .offsets = task->lines,
			    .end = '\n',
			    .sep = "",
			    .unset = "" },
	};
	assert_int_equal(extract_job_init(&job, out), 0);
	extract_job_file(&job, path);
	read_back(out, &ret->records, &ret->len);
	ret->totals = job.totals;
	ret->totals.counts = NULL;
	extract_job_done(&job);
	search_done(&search);
	extract_range_rule_done(&range);
	pattern_free(separator);
	close(out);
}

static void assert_same(const struct outcome *a, const struct outcome *b)
{
	assert_string_equal(a->records, b->records);
	assert_int_equal(a->len, b->len);
	assert_string_equal(a->complaints, b->complaints);
	assert_memory_equal(&a->totals, &b->totals, sizeof(a->totals));
}

/* ---- random ones ----------------------------------------------------------------------------- */

static uint32_t state = 1;

static uint32_t below(uint32_t n)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % n;
}

/* Some seldom have a delimiter, some have little else. */
static size_t random_text(char *text, size_t max)
{
	static const char *const words[] = { "B",
					     "E",
					     "x",
					     "y",
					     "\n",
					     "\n",
					     "B\n",
					     "E\n",
					     "\r\n",
					     "xBE\n",
					     "xxxxxxxxxxxxxxxxxxxxyB\n" };
	uint32_t n_words = below(400), dull = below(4) ? below(8) : 100;
	size_t len = 0;

	while (n_words-- && len + 32 < max) {
		const char *word = below(dull + 4) >= 4 ? (below(3) ? "xyx" : "\n")
							: words[below(11)];

		while (*word)
			text[len++] = *word++;
	}
	return len;
}

static struct task random_task(void)
{
	static const char *const delimiters[] = { "B",	"E", "^B",   "E$",	 "[BE]",
						  "^$", "x", "xB|E", "^(x+x+)+B" };
	struct task task = {
		.begin = delimiters[below(9)],
		.end = delimiters[below(9)],
		.patterns = { "x+", "[BE]$", "y" },
		.n = below(3) ? 0 : 1 + below(3),
		.range = {
			.include = (enum range_include)below(4),
			.end_test = (enum range_end_test)below(3),
			.outside = below(5) == 0,
		},
		.show = below(5) ? EXTRACT_RECORDS : EXTRACT_COUNT,
		.json = below(3) == 0,
		.lines = below(2) == 0,
	};

	if (below(8) == 0)
		task.begin = task.end = NULL;
	if (below(16) == 0)
		task.range.nest = RANGE_COUNT;
	if (!task.begin && !task.n)
		task.n = 1;
	return task;
}

/* Some may span several parts, overlap themselves, look back, or be empty. */
static struct task random_records(void)
{
	static const char *const separators[] = {
		"x",
		"B|E",
		"\n+",
		"\r?\n",
		"\r\n|\n",
		"xy|yx",
		"xx",
		"[^B]+",
		"(?<=x)y",
		"(?<![Ex]{2})\n",
		"x*",
		"B?\n(?=x)",
		"[^y]",
		"(?:xyx)+",
		"x\b",
		"^B",
		"E$",
		"(?m)^",
		"(?m)$\n",
		"\r",
		"[\r\n]",
		"\\Ax|E",
		"x(?=[^z]{40})",
		"(?s).(?=x)",
		"(?ms).(?=x)",
		"(?m)^B|(?s).(?=[xy])",
		"[^B](?=[xy\r])",
		"(?s)B.*E|\n",
	};
	struct task task = random_task();

	task.begin = task.end = NULL;
	task.range = (struct range_conf){ 0 };
	task.separator = separators[below(sizeof(separators) / sizeof(separators[0]))];
	return task;
}

static void several_threads_find_what_one_does(void **unused)
{
	uint64_t rests = 0;

	(void)unused;
	for (int i = 0; i < 8000; i++) {
		struct task task = i % 2 ? random_task() : random_records();
		struct outcome alone, shared;
		char text[4096], path[64];
		size_t len = random_text(text, sizeof(text));
		int fd = file_of(text, len, path, sizeof(path));

		run(&task, path, 1, 0, &alone);
		run(&task, path, 1 + below(4), 1 + below(below(2) ? 8 : 64), &shared);
		/* How they were found may differ. */
		rests += shared.totals.rests;
		shared.totals.rests = 0;
		assert_same(&alone, &shared);
		free(alone.records);
		free(shared.records);
		close(fd);
	}
	assert_in_range(rests, 100, 2000);
}

/* ---- as sed does ----------------------------------------------------------------------------- */

static void by_sed(const char *begin, const char *end, const char *path, char **ret,
		   size_t *ret_len)
{
	char command[256];
	FILE *sed;
	size_t len;

	snprintf(command, sizeof(command), "sed -n -E '/%s/,/%s/p' %s", begin, end, path);
	sed = popen(command, "r");
	*ret = malloc(65536);
	len = fread(*ret, 1, 65535, sed);
	assert_int_equal(pclose(sed), 0);
	/* Ours ends the last line. */
	if (len && (*ret)[len - 1] != '\n')
		(*ret)[len++] = '\n';
	(*ret)[len] = '\0';
	*ret_len = len;
}

static void several_threads_print_what_sed_does(void **unused)
{
	static const char *const delimiters[] = { "B", "E", "^B", "[BE]", "^$", "x", "xB|E" };

	(void)unused;
	for (int i = 0; i < 400; i++) {
		struct task task = {
			.begin = delimiters[below(7)],
			.end = delimiters[below(7)],
			.range = { .include = RANGE_BOTH },
		};
		struct outcome shared;
		char text[4096], path[64], *expected;
		size_t len = random_text(text, sizeof(text)), expected_len;
		int fd;

		/* sed sees the CR. */
		for (size_t at = 0; at < len; at++)
			text[at] = text[at] == '\r' ? 'x' : text[at];
		fd = file_of(text, len, path, sizeof(path));
		/* The child opens our file, not one of its own. */
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), fd);
		run(&task, path, 3, 1 + below(64), &shared);
		by_sed(task.begin, task.end, path, &expected, &expected_len);
		assert_string_equal(expected, shared.records);
		assert_int_equal(expected_len, shared.len);
		free(expected);
		free(shared.records);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_threads_find_what_one_does),
		cmocka_unit_test(several_threads_print_what_sed_does),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("extract_job", tests, NULL, NULL);
}
