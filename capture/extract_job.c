#include "capture/extract_job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/extract_capture.h"
#include "capture/extract_parts.h"
#include "capture/input_kind.h"
#include "capture/separators.h"

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

static void complain(struct extract_source *source, int error, const char *what)
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

static void search_alone(struct extract_source *source)
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
		if (extract_source_may_map(source))
			text_input_map(&input);
		input.whole = !extract_by_line(plan);
		if (plan->range)
			input.line_max = extract_range_line_max(plan->range);
		text_input_unread(&input, source->head, source->head_len);
		code = extract_worker_run(&worker, &input);
		source->ended = input.at;
		text_input_close(&input);
	}
	if (code)
		extract_source_fail(source, code);
	extract_outlet_complete(&worker.outlet, 0);
	if (worker.scan.counts)
		extract_source_settle(source, &worker);
	extract_worker_done(&worker);
}

/* ---- files ----------------------------------------------------------------------------------- */

static void show_count(struct extract_source *source)
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
static bool is_shortened(const struct extract_source *source)
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

static void search_text(struct extract_source *source)
{
	struct extract_job *job = source->job;

	pthread_mutex_init(&source->lock, NULL);
	pthread_cond_init(&source->moved, NULL);
	extract_relay_init(&source->relay);
	source->first_turn = job->out.turn;
	source->part_size = extract_part_size(job);
	source->given_up = calloc(job->plan.search->n + 1, sizeof(*source->given_up));
	if (!source->given_up)
		extract_source_fail(source, -ENOMEM);
	else if (source->seekable && job->threads > 1 && !extract_job_alone(job) &&
		 source->size >= 2 * source->part_size)
		extract_in_parts(source);
	else
		search_alone(source);
	job->totals.gaps += extract_range_tell(&job->plan, source->name, &source->range_losses);
	if (source->full)
		complain(source, 0, EXTRACT_OUT_OF_MEMORY);
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
static enum input_kind kind_of(struct extract_source *source)
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

static void search_source(struct extract_source *source)
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

	if (job->captures && job->captures->conf.bpf && kind != INPUT_CAPTURE &&
	    kind != INPUT_COMPRESSED) {
		complain(source, 0, "has no frames that --bpf could choose: it was not searched");
		return;
	}
	switch (kind) {
	case INPUT_UNDECIDED:
	case INPUT_TEXT:
		if (!job->plan.search->n && !job->plan.range && !job->plan.separator)
			complain(source, 0, "is a text, and no pattern was given to search it for");
		else
			search_text(source);
		break;
	case INPUT_COMPRESSED:
		complain(source, 0,
			 "is compressed: it was not searched; what zcat(1) or its like makes of it "
			 "can be, and with --text its bytes as they are");
		break;
	case INPUT_PAYLOADS:
		source->hits = extract_capture_payloads(&capture);
		break;
	case INPUT_CAPTURE:
		source->hits = extract_capture_file(&capture);
		break;
	}
}

/*
 * What is written to a file would be read from it, and so on without end; unless, of a file on
 * stdin, all was read before. A count is written when all is read.
 */
static bool is_output(const struct extract_job *job, int fd, const struct stat *st)
{
	struct stat out;

	return job->plan.show == EXTRACT_RECORDS && S_ISREG(st->st_mode) &&
	       fstat(job->out.fd, &out) == 0 && out.st_dev == st->st_dev &&
	       out.st_ino == st->st_ino && lseek(fd, 0, SEEK_CUR) < st->st_size;
}

void extract_job_file(struct extract_job *job, const char *path)
{
	bool is_stdin = strcmp(path, EXTRACT_STDIN) == 0;
	struct extract_source source = {
		.job = job,
		.name = is_stdin ? EXTRACT_STDIN_NAME : path,
		.fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY),
	};
	struct stat st;

	if (source.fd < 0 || fstat(source.fd, &st)) {
		complain(&source, errno, "cannot be opened");
	} else if (S_ISDIR(st.st_mode)) {
		complain(&source, EISDIR, "cannot be read");
	} else if (is_output(job, source.fd, &st)) {
		complain(&source, 0, "is the output too: it was not searched");
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
	struct extract_source source = { .job = job, .name = interface };
	const struct extract_capture capture = { .job = job, .name = interface, .fd = -1 };

	source.hits = extract_capture_live(&capture, stop);
	job->totals.hits += source.hits;
	if (job->plan.show == EXTRACT_COUNT)
		show_count(&source);
}
