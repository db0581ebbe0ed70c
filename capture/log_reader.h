/*
 * The lines of a file that grows, through rotation and truncation. Edge.
 *
 * It is read by fd, and looked at again and again: no notification tells of every file system. The
 * files that follow each other in its place are handed over by whoever sees the folder. One is read
 * to its end, and until nothing was added to it for LOG_QUIET_NS, before the next one is begun: so
 * what its writer still had in hand when it was renamed comes first. A last line without its
 * newline waits for it, or for the file to be left.
 */
#ifndef TW_LOG_READER_H
#define TW_LOG_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/time_units.h"

#define LOG_FILES_MAX 8u
#define LOG_QUIET_NS  (2 * NS_PER_S)

/* Of a longer line the rest is passed over. */
#define LOG_LINE_MAX ((size_t)1 << 20)

/* Bytes before the place that is read next: a file that was cut and has grown again has others. */
#define LOG_MARK_MAX 64u

struct log_reader_ops {
	/* Whole lines, or one without its newline; `offset` is that of the first byte. */
	void (*lines)(void *data, const uint8_t *block, size_t len, uint64_t offset);
	/*
	 * The file was cut before `offset`, up to which it had been read, and goes on from its
	 * beginning.
	 */
	void (*cut)(void *data, uint64_t offset);
	/* The file was left for the next one. */
	void (*left)(void *data);
	/* The rest of a line that is too long. */
	void (*skipped)(void *data, uint64_t bytes);
	void (*failed)(void *data, int error); /* negative errno; it is tried again */
};

struct log_reader_file {
	int fd;
	uint64_t file; /* struct ipc_log */
	uint64_t offset; /* to begin at */
	bool partial; /* that may be in the middle of a line, which is passed over */
};

struct log_reader {
	const struct log_reader_ops *ops;
	void *data;
	struct log_reader_file files[LOG_FILES_MAX]; /* the first is read */
	size_t n_files;
	uint8_t *buf; /* from the beginning of a line on */
	size_t len, cap;
	uint64_t base; /* offset of buf[0] in the file */
	bool begun; /* the first file is being read */
	bool passing; /* what comes up to the next newline is passed over, */
	bool too_long; /* being the rest of a line that was told */
	uint8_t mark[LOG_MARK_MAX];
	size_t mark_len;
	uint64_t quiet_ns; /* when something was read last, or a next file came */
};

void log_reader_init(struct log_reader *reader, const struct log_reader_ops *ops, void *data);
void log_reader_done(struct log_reader *reader);

/* Takes file->fd. -ENOBUFS when LOG_FILES_MAX wait already; then the fd is closed. */
int log_reader_add(struct log_reader *reader, const struct log_reader_file *file, uint64_t now_ns);

/* Reads at most about `budget` bytes; true when there may be more at once. */
bool log_reader_poll(struct log_reader *reader, uint64_t now_ns, size_t budget);

/* Which file, and where in it what was told ends; 0 for no file. */
uint64_t log_reader_place(const struct log_reader *reader, uint64_t *ret_offset);

#endif
