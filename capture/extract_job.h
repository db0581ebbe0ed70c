/*
 * An extraction from files, on one thread or several. Edge.
 */
#ifndef TW_EXTRACT_JOB_H
#define TW_EXTRACT_JOB_H

#include <signal.h>

#include "capture/capture_search.h"
#include "capture/extract_worker.h"

#define EXTRACT_THREADS_MAX 64

/* What standard input is called, as a FILE and in records. */
#define EXTRACT_STDIN	   "-"
#define EXTRACT_STDIN_NAME "(standard input)"

struct extract_totals {
	uint64_t bytes; /* searched */
	uint64_t hits;
	uint64_t ranges, dropped; /* dropped: of them, those that END never closed */
	uint64_t gaps; /* places, files among them, that were not fully searched */
	uint64_t records; /* of a plan with a separator */
	uint64_t rests; /* of texts that one thread searched, as their parts were unsure */
	struct search_count *counts; /* of each rule */
};

struct extract_job {
	struct extract_plan plan;
	unsigned int threads; /* for one large file at a time */
	/* of a file that threads share; 0: a good one. No record depends on it. */
	uint64_t part_size;
	struct capture_search *captures; /* NULL: everything is text */
	struct extract_out out;
	struct extract_totals totals;
};

/* `fd` is where records go. -ENOMEM. The plan is filled in by the caller before. */
int extract_job_init(struct extract_job *job, int fd);
void extract_job_done(struct extract_job *job);

/*
 * Searches one file after the other, each as what it is (input_kind.h); what fails is complained of
 * and counted as a gap, and the next file is taken.
 */
void extract_job_file(struct extract_job *job, const char *path);

/* Captures from the interface until `stop` is set: extract_capture.h. */
void extract_job_live(struct extract_job *job, const char *interface,
		      const volatile sig_atomic_t *stop);

/* Why one thread searches each file, whatever `threads` says; NULL: they share large ones. */
const char *extract_job_alone(const struct extract_job *job);

/* errno of a record that could not be written, or 0. */
int extract_job_write_error(const struct extract_job *job);

#endif
