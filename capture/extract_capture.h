/*
 * One capture of an extraction, from where it begins to its end: packets of a file, a pipe or an
 * interface to capture_scan.h, and what could not be searched of it to whoever asked. Edge.
 */
#ifndef TW_EXTRACT_CAPTURE_H
#define TW_EXTRACT_CAPTURE_H

#include <signal.h>

#include "capture/extract_job.h"

struct extract_capture {
	struct extract_job *job; /* with captures */
	const char *name;
	int fd;
	const uint8_t *head; /* what was read of it already */
	size_t head_len;
};

/* Each returns the number of matches; the rest is in the job's totals and was complained of. */
uint64_t extract_capture_file(const struct extract_capture *capture);

/* The same for a payload log: rules of either scope see each payload by itself. */
uint64_t extract_capture_payloads(const struct extract_capture *capture);

/*
 * `name` is an interface; fd and head are not used. Until `stop` is set by a signal, what is there
 * then being searched too, or until there is enough.
 */
uint64_t extract_capture_live(const struct extract_capture *capture,
			      const volatile sig_atomic_t *stop);

#endif
