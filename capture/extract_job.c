#include "capture/extract_job.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/extract_capture.h"
#include "capture/extract_range.h"
#include "capture/extract_records_part.h"
#include "capture/input_kind.h"

/*
 * A file is cut in parts of this for several threads; a smaller one is not worth their start. Those
 * of ranges and of records are read, so they stay in the cache between the two looks at them.
 */
#define PART_SIZE      ((uint64_t)2 << 20)
#define READ_PART_SIZE ((uint64_t)512 << 10)

/* A smaller file is not worth a mapping. */
#define MAP_MIN ((uint64_t)1 << 20)

int extract_job_init(struct extract_job *job, int fd)
{
	job->totals = (struct extract_totals){ 0 };
	job->totals.counts = calloc(job->plan.search->n + 1, sizeof(*job->totals.counts));
	if (!job->totals.counts)
		return -ENOMEM;
	extract_out_init(&job->out, fd);
	return 0;
}

void extract_job_done(struct extract_job *job)
{
	free(job->totals.counts);
	extract_out_done(&job->out);
}

int extract_job_write_error(const struct extract_job *job)
{
	return job->out.error;
}

/* One file that is being searched. */
struct source {
	struct extract_job *job;
	const char *name;
	int fd;
	bool seekable;
	uint64_t size; /* when it was opened */
	uint8_t head[INPUT_HEAD_MAX]; /* of what is not seekable, read to see what it is */
	size_t head_len;
	uint64_t part_size, n_parts;
	uint64_t first_turn; /* of the outlet, for part 0 */
	uint64_t next; /* part that no thread has taken */
	uint64_t ended; /* the highest offset that was read to */
	int error; /* errno of the first read that failed */
	uint64_t hits;
	uint64_t *given_up; /* of each rule, by all threads */
	/* Lines before each part are counted by the threads, in order. */
	uint64_t counted, lines;
	struct extract_range_losses range_losses;
	struct extract_relay relay; /* of a plan with a range */
	pthread_mutex_t lock;
	pthread_cond_t moved;
};

static void complain(struct source *source, int error, const char *what)
{
	const struct extract_plan *plan = &source->job->plan;
	struct err text;

	source->job->totals.gaps++;
	if (error)
		err_errno(&text, -error, "%s: %s", source->name, what);
	else
		err_set(&text, 0, "%s: %s", source->name, what);
	plan->complain(plan->data, text.text);
}

static bool by_line(const struct extract_plan *plan)
{
	return !plan->whole && !plan->separator;
}

/*
 * The text of a mapped file may change while it is looked at. To PCRE2 that is the same as any
 * other text, but not where it has found it to be valid UTF-8. What ranges and whole texts keep
 * cannot be taken back.
 */
static bool may_map(const struct source *source)
{
	const struct extract_plan *plan = &source->job->plan;

	for (size_t i = 0; i < plan->search->n; i++) {
		if (pattern_is_utf(plan->search->rules[i].pattern))
			return false;
	}
	return source->seekable && source->size >= MAP_MIN && by_line(plan) && !plan->range;
}

/* ---- several threads ------------------------------------------------------------------------- */

static bool take_part(struct source *source, uint64_t *ret_part)
{
	bool taken;

	pthread_mutex_lock(&source->lock);
	taken = source->next < source->n_parts;
	if (taken)
		*ret_part = source->next++;
	pthread_mutex_unlock(&source->lock);
	return taken;
}

static int count_part(const struct source *source, uint64_t from, uint64_t to, uint64_t *ret_lines)
{
	uint8_t *buffer = malloc(TEXT_INPUT_BLOCK);
	uint64_t lines = 0;
	ssize_t n = 1;

	if (!buffer)
		return -ENOMEM;
	while (from < to && n > 0) {
		size_t wanted = to - from < TEXT_INPUT_BLOCK ? (size_t)(to - from)
							     : TEXT_INPUT_BLOCK;

		n = pread(source->fd, buffer, wanted, (off_t)from);
		if (n > 0)
			lines += lines_count(buffer, (size_t)n);
		from += n > 0 ? (uint64_t)n : 0;
	}
	free(buffer);
	if (n < 0)
		return -errno;
	*ret_lines = lines;
	return 0;
}

/* How many LFs are before the part; waits for whoever counts the one before. */
static int lines_before(struct source *source, uint64_t part, uint64_t *ret_lines)
{
	uint64_t lines = 0;
	int code = count_part(source, part * source->part_size, (part + 1) * source->part_size,
			      &lines);

	pthread_mutex_lock(&source->lock);
	while (source->counted != part)
		pthread_cond_wait(&source->moved, &source->lock);
	*ret_lines = source->lines;
	source->lines += lines;
	source->counted++;
	pthread_cond_broadcast(&source->moved);
	pthread_mutex_unlock(&source->lock);
	return code;
}

/* Where lines of text begin; and those of ranges count by themselves. */
static int open_part(struct source *source, struct extract_worker *worker, uint64_t part,
		     uint64_t stop, struct text_input *input)
{
	const struct extract_range_rule *range = source->job->plan.range;
	int code = 0;

	if (range)
		extract_range_part_begin(worker->range, &source->relay, part, stop,
					 stop == UINT64_MAX);
	else if (worker->scan.count_lines)
		code = lines_before(source, part, &worker->scan.lines);
	if (code)
		return code;
	code = text_input_open(input, source->fd, true, part * source->part_size, stop);
	if (code)
		return code;
	if (may_map(source))
		text_input_map(input);
	if (!range)
		return 0;
	input->line_max = extract_range_line_max(range);
	return text_input_room(input, source->part_size);
}

static void ended_at(struct source *source, uint64_t at)
{
	pthread_mutex_lock(&source->lock);
	source->ended = at > source->ended ? at : source->ended;
	pthread_mutex_unlock(&source->lock);
}

static int search_lines(struct source *source, struct extract_worker *worker, uint64_t part,
			uint64_t stop)
{
	struct text_input input = { .buffer = NULL };
	int code = open_part(source, worker, part, stop, &input);

	/* The LF that ends the line before ours may be in our part. */
	if (!code)
		code = text_input_skip(&input);
	if (!code && part && input.offset > part * source->part_size)
		worker->scan.lines++;
	if (!code)
		code = extract_worker_run(worker, &input);
	else if (worker->range)
		extract_range_end(worker->range, RANGE_CLOSED_GAP);
	ended_at(source, input.at);
	text_input_close(&input);
	return code;
}

/* Of a part that cannot be searched the next one hears what it waits for. */
static void pass_part(struct source *source, struct extract_worker *worker, uint64_t part)
{
	const struct extract_plan *plan = &source->job->plan;
	union extract_carry carry;

	if (plan->separator) {
		extract_relay_take(&source->relay, part, &carry);
		carry.record.begin = RECORD_NOWHERE;
		extract_relay_give(&source->relay, &carry);
	} else if (plan->range) {
		extract_relay_take(&source->relay, part, &carry);
		carry.range = (struct range_carry){ .before = carry.range.before };
		extract_relay_give(&source->relay, &carry);
	} else if (worker->scan.count_lines) {
		(void)lines_before(source, part, &worker->scan.lines);
	}
}

static int search_records(struct source *source, struct extract_worker *worker, uint64_t part,
			  uint64_t stop)
{
	uint64_t bytes = worker->bytes, ended = 0;
	int code = 0;

	if (!worker->separated_part)
		code = extract_records_part_new(worker, &worker->separated_part);
	if (code) {
		pass_part(source, worker, part);
		return code;
	}
	code = extract_records_part(worker->separated_part, &source->relay, source->fd, part,
				    part * source->part_size, stop, &ended);
	ended_at(source, ended);
	worker->plan->searched(worker->plan->data, worker->source, worker->bytes - bytes);
	return code;
}

static int search_part(struct source *source, struct extract_worker *worker, uint64_t part)
{
	uint64_t stop = part + 1 < source->n_parts ? (part + 1) * source->part_size : UINT64_MAX;

	return source->job->plan.separator ? search_records(source, worker, part, stop)
					   : search_lines(source, worker, part, stop);
}

static void fail(struct source *source, int code)
{
	pthread_mutex_lock(&source->lock);
	if (!source->error)
		source->error = -code;
	pthread_mutex_unlock(&source->lock);
}

/* What a worker found is added to the totals. */
static void settle(struct source *source, struct extract_worker *worker)
{
	struct extract_totals *totals = &source->job->totals;

	pthread_mutex_lock(&source->lock);
	totals->bytes += worker->bytes;
	totals->gaps += worker->gaps + worker->outlet.full;
	totals->ranges += worker->ranges;
	totals->dropped += worker->dropped;
	source->range_losses.limited += worker->range_limited;
	source->range_losses.overrun += worker->range_overrun;
	totals->records += worker->records;
	totals->rests += worker->rests;
	source->hits += worker->scan.hits;
	for (size_t i = 0; i < source->job->plan.search->n; i++)
		search_count_add(&totals->counts[i], &worker->scan.counts[i]);
	pthread_mutex_unlock(&source->lock);
}

static void *thread_main(void *data)
{
	struct source *source = data;
	struct extract_worker worker;
	uint64_t part;
	int code;

	code = extract_worker_init(&worker, &source->job->plan, &source->job->out);
	worker.source = source->name;
	worker.scan.given_up = source->given_up;
	while (take_part(source, &part)) {
		worker.outlet.part = source->first_turn + part;
		if (!code)
			code = search_part(source, &worker, part);
		else
			pass_part(source, &worker, part);
		if (code)
			fail(source, code);
		extract_outlet_complete(&worker.outlet, 0);
	}
	if (worker.scan.counts)
		settle(source, &worker);
	extract_worker_done(&worker);
	return NULL;
}

/* Threads that cannot be started are done without: this one works too. */
static void search_parallel(struct source *source)
{
	pthread_t threads[EXTRACT_THREADS_MAX];
	unsigned int n = 0;

	source->n_parts = (source->size + source->part_size - 1) / source->part_size;
	while (n + 1 < source->job->threads && n + 1 < source->n_parts) {
		if (pthread_create(&threads[n], NULL, thread_main, source))
			break;
		n++;
	}
	thread_main(source);
	while (n)
		pthread_join(threads[--n], NULL);
}

static void search_alone(struct source *source)
{
	const struct extract_plan *plan = &source->job->plan;
	struct extract_worker worker;
	struct text_input input;
	int code = extract_worker_init(&worker, plan, &source->job->out);

	worker.source = source->name;
	worker.outlet.part = source->first_turn;
	source->n_parts = 1;
	if (!code)
		code = text_input_open(&input, source->fd, source->seekable, 0, UINT64_MAX);
	if (!code) {
		if (may_map(source))
			text_input_map(&input);
		input.whole = !by_line(plan);
		if (plan->range)
			input.line_max = extract_range_line_max(plan->range);
		text_input_unread(&input, source->head, source->head_len);
		code = extract_worker_run(&worker, &input);
		source->ended = input.at;
		text_input_close(&input);
	}
	if (code)
		fail(source, code);
	extract_outlet_complete(&worker.outlet, 0);
	if (worker.scan.counts)
		settle(source, &worker);
	extract_worker_done(&worker);
}

/* ---- files ----------------------------------------------------------------------------------- */

static void show_count(struct source *source)
{
	const struct extract_plan *plan = &source->job->plan;
	struct extract_outlet outlet;

	extract_outlet_init(&outlet, &source->job->out, source->job->out.turn);
	hit_format_count(&plan->format, source->name, source->hits, &outlet.buf);
	extract_outlet_complete(&outlet, 0);
	extract_outlet_done(&outlet);
}

/*
 * A file of sysfs has the size of a page and fewer bytes: what ended early is shorter now than it
 * was, or has bytes again where there were none.
 */
static bool is_shortened(const struct source *source)
{
	struct stat st;
	uint8_t byte;

	return source->ended < source->size &&
	       (fstat(source->fd, &st) || (uint64_t)st.st_size < source->size ||
		pread(source->fd, &byte, 1, (off_t)source->ended) != 0);
}

const char *extract_job_alone(const struct extract_job *job)
{
	const struct extract_plan *plan = &job->plan;

	if (plan->whole)
		return "the text is one subject";
	if (plan->separator)
		return separators_alone(plan->separator);
	if (plan->range && !range_text_splits(&plan->range->conf))
		return "a range with limits, --nest or --open-end drop depends on all lines before";
	return NULL;
}

static uint64_t part_size(const struct extract_job *job)
{
	if (job->part_size)
		return job->part_size;
	return job->plan.range || job->plan.separator ? READ_PART_SIZE : PART_SIZE;
}

static void search_text(struct source *source)
{
	struct extract_job *job = source->job;

	pthread_mutex_init(&source->lock, NULL);
	pthread_cond_init(&source->moved, NULL);
	extract_relay_init(&source->relay);
	source->first_turn = job->out.turn;
	source->part_size = part_size(job);
	source->given_up = calloc(job->plan.search->n + 1, sizeof(*source->given_up));
	if (!source->given_up)
		fail(source, -ENOMEM);
	else if (source->seekable && job->threads > 1 && !extract_job_alone(job) &&
		 source->size >= 2 * source->part_size)
		search_parallel(source);
	else
		search_alone(source);
	job->totals.gaps += extract_range_tell(&job->plan, source->name, &source->range_losses);
	if (source->error)
		complain(source, source->error, "cannot be read to its end");
	else if (source->seekable && !extract_out_stopped(&job->out) && is_shortened(source))
		complain(source, 0,
			 "it became shorter while it was read: the rest was not searched");
	free(source->given_up);
	extract_relay_done(&source->relay);
	pthread_cond_destroy(&source->moved);
	pthread_mutex_destroy(&source->lock);
}

/*
 * Reads as much as tells what the source is; of one that is seekable it is read again. What it
 * begins with may be a while in coming: it is not waited for longer than it takes.
 */
static enum input_kind kind_of(struct source *source)
{
	enum input_kind kind = input_kind_of(source->head, 0);
	ssize_t n = 1;

	while (kind == INPUT_UNDECIDED && n > 0) {
		uint8_t *to = source->head + source->head_len;
		size_t room = sizeof(source->head) - source->head_len;

		do {
			n = source->seekable ? pread(source->fd, to, room, (off_t)source->head_len)
					     : read(source->fd, to, room);
		} while (n < 0 && errno == EINTR);
		/* An error comes again. */
		source->head_len += n > 0 ? (size_t)n : 0;
		kind = input_kind_of(source->head, source->head_len);
	}
	if (source->seekable)
		source->head_len = 0;
	return kind;
}

static void search_source(struct source *source)
{
	struct extract_job *job = source->job;
	enum input_kind kind = job->captures ? kind_of(source) : INPUT_TEXT;
	const struct extract_capture capture = {
		.job = job,
		.name = source->name,
		.fd = source->fd,
		.head = source->head,
		.head_len = source->head_len,
	};

	switch (kind) {
	case INPUT_UNDECIDED:
	case INPUT_TEXT:
		if (!job->plan.search->n && !job->plan.range && !job->plan.separator)
			complain(source, 0, "is a text, and no pattern was given to search it for");
		else
			search_text(source);
		break;
	case INPUT_PAYLOADS:
		source->hits = extract_capture_payloads(&capture);
		break;
	case INPUT_CAPTURE:
		source->hits = extract_capture_file(&capture);
		break;
	}
}

void extract_job_file(struct extract_job *job, const char *path)
{
	bool is_stdin = strcmp(path, EXTRACT_STDIN) == 0;
	struct source source = {
		.job = job,
		.name = is_stdin ? EXTRACT_STDIN_NAME : path,
		.fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY),
	};
	struct stat st;

	if (source.fd < 0 || fstat(source.fd, &st)) {
		complain(&source, errno, "cannot be opened");
	} else if (S_ISDIR(st.st_mode)) {
		complain(&source, EISDIR, "cannot be read");
	} else {
		/* Of a file on stdin, somebody may have read a part. */
		source.seekable = S_ISREG(st.st_mode) && !is_stdin;
		source.size = source.seekable ? (uint64_t)st.st_size : 0;
		search_source(&source);
		job->totals.hits += source.hits;
		if (job->plan.show == EXTRACT_COUNT)
			show_count(&source);
	}
	if (source.fd >= 0 && !is_stdin)
		close(source.fd);
}

void extract_job_live(struct extract_job *job, const char *interface,
		      const volatile sig_atomic_t *stop)
{
	struct source source = { .job = job, .name = interface };
	const struct extract_capture capture = { .job = job, .name = interface, .fd = -1 };

	source.hits = extract_capture_live(&capture, stop);
	job->totals.hits += source.hits;
	if (job->plan.show == EXTRACT_COUNT)
		show_count(&source);
}
