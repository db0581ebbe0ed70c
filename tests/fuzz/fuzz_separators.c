/* links: capture/extract_worker.c capture/extract_records.c capture/extract_records_part.c */
/* links: capture/extract_order.c capture/extract_subject.c */
/* links: capture/extract_relay.c capture/extract_range.c capture/extract_out.c */
/* links: capture/separators.c capture/text_input.c capture/text_map.c capture/text_scan.c */
/* links: capture/hit_kept.c capture/hit_format.c capture/hit_template.c capture/json_writer.c */
/* links: capture/stream_match.c capture/stream_sleep.c capture/stream_window.c */
/* links: capture/search.c capture/extract.c */
/* links: capture/range_text.c capture/range_places.c capture/range.c capture/lines.c */
/* links: capture/pattern.c capture/regex.c capture/regex_match.c capture/literal.c */
/* links: capture/pattern_compose.c */
/* links: capture/literal_reader.c capture/literal_part.c capture/literal_find.c */
/* links: capture/straight.c capture/set_reader.c capture/straight_find.c capture/prefilter.c */
/* links: capture/gram_index.c capture/shape.c agent/base/buf.c agent/base/parse.c */
/* links: agent/base/err.c agent/base/utf8.c agent/base/fd_io.c */
/*
 * What separates the records of a text: "FLAGS CUTS PART REPEAT REGEX\nTEXT", the text over and
 * over. Fed in pieces, as each bit of CUTS says whether there is a cut behind a byte, and searched
 * in parts of the size PART, it has to give the records that the separators of the whole text make.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/base/fd_io.h"
#include "capture/extract_records_part.h"
#include "tests/fuzz/pattern_case.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REPEAT_MAX 32u
#define PARTS_MAX  64u
#define TOLD_MAX   ((size_t)64 << 20)

struct text {
	uint8_t *bytes;
	size_t len;
	int fd; /* a file of it */
};

struct task {
	struct extract_plan plan;
	struct search search;
	struct text text;
	uint8_t cuts;
	size_t part_size;
	int out; /* what was told */
};

static void on_complaint(void *data, const char *text)
{
	(void)data;
	(void)text;
}

static void on_searched(void *data, const char *source, uint64_t bytes)
{
	(void)data;
	(void)source;
	(void)bytes;
}

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* ---- the whole text -------------------------------------------------------------------------- */

struct whole {
	const struct task *task;
	struct hit_line record;
	struct buf told;
};

static void add_record(struct whole *whole, size_t end, size_t rt_len)
{
	const uint8_t *bytes = whole->task->text.bytes;
	struct hit_line *record = &whole->record;

	record->text = bytes + record->offset;
	record->len = end - (size_t)record->offset;
	record->line++;
	record->rt = bytes + end;
	record->rt_len = rt_len;
	record->is_record = true;
	hit_format_line(&whole->task->plan.format, "text", record, &whole->told);
	record->offset = end + rt_len;
}

static void on_match(void *data, const struct extract_match *match)
{
	struct whole *whole = data;

	if (match->whole.start >= whole->record.offset)
		add_record(whole, match->whole.start, match->whole.end - match->whole.start);
}

/* False: what separates in it is not known. */
static bool search_whole(const struct task *task, struct buf *ret)
{
	static const struct extract_policy policy = { .max = SIZE_MAX };
	static struct regex_scratch *scratch; /* as in a worker: one for all */
	struct whole whole = { .task = task };
	enum extract_result result;

	must(scratch || regex_scratch_new(&scratch) == 0);
	buf_init(&whole.told, TOLD_MAX);
	result = extract(task->plan.separator, &policy, scratch, task->text.bytes, task->text.len,
			 on_match, &whole, NULL);
	if (whole.record.offset < task->text.len)
		add_record(&whole, task->text.len, 0);
	*ret = whole.told;
	return result == EXTRACT_DONE;
}

/* ---- in pieces, and in parts ----------------------------------------------------------------- */

static void feed_pieces(const struct task *task, struct extract_worker *worker)
{
	size_t from = 0;

	for (size_t i = 0; i < task->text.len; i++) {
		uint8_t *piece;

		if (!(task->cuts >> (i % 8) & 1) && i + 1 < task->text.len)
			continue;
		/* A piece of its own, so that nothing is read behind it. */
		piece = malloc(i + 1 - from);
		must(piece);
		memcpy(piece, task->text.bytes + from, i + 1 - from);
		extract_records_feed(worker->separated, piece, i + 1 - from);
		free(piece);
		from = i + 1;
	}
	extract_records_end(worker->separated);
}

static void search_parts(const struct task *task, struct extract_worker *worker)
{
	size_t n_parts = (task->text.len + task->part_size - 1) / task->part_size;
	struct extract_relay relay;

	extract_relay_init(&relay);
	must(extract_records_part_new(worker, &worker->separated_part) == 0);
	for (size_t i = 0; i < n_parts; i++) {
		uint64_t stop = i + 1 < n_parts ? (i + 1) * task->part_size : UINT64_MAX, ended;

		must(extract_records_part(worker->separated_part, &relay, task->text.fd, i,
					  i * task->part_size, stop, &ended) == 0);
	}
	extract_relay_done(&relay);
}

/* Searches by `how`, which has to give what is expected if nothing was given up. */
static void compare(const struct task *task, const struct buf *expected, const char *name,
		    void (*how)(const struct task *task, struct extract_worker *worker))
{
	struct extract_worker worker;
	struct extract_out out;
	struct buf told;
	ssize_t n;

	must(ftruncate(task->out, 0) == 0 && lseek(task->out, 0, SEEK_SET) == 0);
	extract_out_init(&out, task->out);
	must(extract_worker_init(&worker, &task->plan, &out) == 0);
	worker.source = "text";
	how(task, &worker);
	extract_outlet_complete(&worker.outlet, 1);
	buf_init(&told, TOLD_MAX);
	must(buf_reserve(&told, expected->len + 1));
	n = fd_read_at(task->out, told.data, expected->len + 1, 0);
	if (!worker.gaps && (n != (ssize_t)expected->len ||
			     (n && memcmp(told.data, expected->data, (size_t)n) != 0))) {
		fprintf(stderr, "/%s/ %s, cuts %02x, parts of %zu: whole\n%.*sthis\n%.*s\n",
			pattern_text(task->plan.separator), name, task->cuts, task->part_size,
			(int)expected->len, expected->data, (int)n, told.data);
		abort();
	}
	buf_done(&told);
	extract_worker_done(&worker);
	extract_out_done(&out);
}

/* ---- a task ---------------------------------------------------------------------------------- */

static void run(struct task *task)
{
	struct buf expected;

	task->plan.search = &task->search;
	task->plan.format = (struct hit_format){
		.search = &task->search,
		.json = true,
		.lines = true,
		.end = '\n',
	};
	task->plan.complain = on_complaint;
	task->plan.searched = on_searched;
	if (search_whole(task, &expected)) {
		compare(task, &expected, "in pieces", feed_pieces);
		if (!separators_alone(task->plan.separator))
			compare(task, &expected, "in parts", search_parts);
	}
	buf_done(&expected);
}

static struct text repeat(const uint8_t *bytes, size_t len, size_t times)
{
	struct text text = { .bytes = malloc(len * times), .fd = memfd_create("text", 0) };

	must(text.bytes && text.fd >= 0);
	for (; times; times--, text.len += len)
		memcpy(text.bytes + text.len, bytes, len);
	must(write(text.fd, text.bytes, text.len) == (ssize_t)text.len);
	return text;
}

/* At least `wanted`, so that there are not too many parts. */
static size_t part_size(size_t wanted, size_t len)
{
	return wanted < len / PARTS_MAX + 1 ? len / PARTS_MAX + 1 : wanted;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pattern_conf conf = { 0 };
	const struct extract_policy policy = { .max = SIZE_MAX };
	struct pattern *separator;
	static int out = -1;
	size_t len;
	const uint8_t *text = pattern_case(data, size, 4, &conf, &len);

	if (!text)
		return 0;
	must(conf.regex && (out >= 0 || (out = memfd_create("told", 0)) >= 0));
	if (len && pattern_compile(&conf, &separator, NULL) == 0) {
		struct task task = { .plan = { .separator = separator }, .out = out };
		size_t faulty;

		must(search_init(&task.search, NULL, 0, &policy, &faulty, NULL) == 0);
		task.text = repeat(text, len, 1 + data[3] % REPEAT_MAX);
		task.cuts = data[1];
		task.part_size = part_size((size_t)data[2] + 1, task.text.len);
		run(&task);
		free(task.text.bytes);
		close(task.text.fd);
		search_done(&task.search);
		pattern_free(separator);
	}
	free(conf.regex);
	return 0;
}
