#include "capture/extract_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "capture/extract_range.h"
#include "capture/extract_records_part.h"

/*
 * A file is cut in parts of this for several threads; a smaller one is not worth their start. One
 * fits into a window with the rest of its last line. Those of ranges and of records are read, so
 * they stay in the cache between the two looks at them.
 */
#define PART_SIZE      (TEXT_INPUT_WINDOW - ((uint64_t)64 << 10))
#define READ_PART_SIZE ((uint64_t)512 << 10)

uint64_t extract_part_size(const struct extract_job *job)
{
	if (job->part_size)
		return job->part_size;
	return job->plan.range || job->plan.separator ? READ_PART_SIZE : PART_SIZE;
}

static bool take_part(struct extract_source *source, uint64_t *ret_part)
{
	bool taken;

	pthread_mutex_lock(&source->lock);
	taken = source->next < source->n_parts;
	if (taken)
		*ret_part = source->next++;
	pthread_mutex_unlock(&source->lock);
	return taken;
}

static int count_part(const struct extract_source *source, uint64_t from, uint64_t to,
		      uint64_t *ret_lines)
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
static int lines_before(struct extract_source *source, uint64_t part, uint64_t *ret_lines)
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
static int open_part(struct extract_source *source, struct extract_worker *worker, uint64_t part,
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
	if (extract_source_may_map(source))
		text_input_map(input);
	if (!range)
		return 0;
	input->line_max = extract_range_line_max(range);
	return text_input_room(input, source->part_size);
}

static void ended_at(struct extract_source *source, uint64_t at)
{
	pthread_mutex_lock(&source->lock);
	source->ended = at > source->ended ? at : source->ended;
	pthread_mutex_unlock(&source->lock);
}

static int search_lines(struct extract_source *source, struct extract_worker *worker, uint64_t part,
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
static void pass_part(struct extract_source *source, struct extract_worker *worker, uint64_t part)
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

static int search_records(struct extract_source *source, struct extract_worker *worker,
			  uint64_t part, uint64_t stop)
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

static int search_part(struct extract_source *source, struct extract_worker *worker, uint64_t part)
{
	uint64_t stop = part + 1 < source->n_parts ? (part + 1) * source->part_size : UINT64_MAX;

	return source->job->plan.separator ? search_records(source, worker, part, stop)
					   : search_lines(source, worker, part, stop);
}

static void *thread_main(void *data)
{
	struct extract_source *source = data;
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
			extract_source_fail(source, code);
		extract_outlet_complete(&worker.outlet, 0);
	}
	if (worker.scan.counts)
		extract_source_settle(source, &worker);
	extract_worker_done(&worker);
	return NULL;
}

/* Threads that cannot be started are done without: this one works too. */
void extract_in_parts(struct extract_source *source)
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
