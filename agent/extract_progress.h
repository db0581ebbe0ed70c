/* How far an extraction is, on a terminal. Edge: writes to stderr, from any thread. */
#ifndef TW_EXTRACT_PROGRESS_H
#define TW_EXTRACT_PROGRESS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct extract_progress {
	bool on; /* stderr is a terminal, and what is found goes elsewhere */
	uint64_t total; /* bytes of the files that have a size */
	uint64_t done;
	uint64_t next_ms; /* when it is shown next, by the monotonic clock */
	bool shown;
	pthread_mutex_t lock;
};

void extract_progress_init(struct extract_progress *progress, char *const *files, size_t n);
void extract_progress_done(struct extract_progress *progress);

/* `bytes` more of `source` are searched; the first line comes when it has taken a while. */
void extract_progress_add(struct extract_progress *progress, const char *source, uint64_t bytes);

/* Takes the line away, for whoever has something to say. */
void extract_progress_clear(struct extract_progress *progress);

#endif
