/*
 * An append-only file of entries in the log directory, rotated by size and by the clock. Edge.
 *
 * Entries are collected in memory and written by sink_file_flush(). A file only ever holds whole
 * entries: what a full disk or a killed process left of one is cut off before the next is written.
 * A file with more behind its whole entries than that can be is damaged, and is set aside as it is:
 * rotated, also when none are kept otherwise. What cannot be written stays in memory, up to a
 * bound, and is tried again with the next flush.
 *
 * The writer holds a lock (flock(2)) on the file, so that a worker which is replaced and the one
 * that replaces it do not write into each other's entries. A file that someone moved away is made
 * again by the next flush, and one that someone cut or wrote to is opened again, and repaired.
 */
#ifndef TW_SINK_FILE_H
#define TW_SINK_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/base/buf.h"

/* As record_whole() and payload_log_whole(). */
typedef size_t (*sink_whole)(const void *data, size_t len, uint64_t *ret_entries);

/*
 * Appends what an opened file gets before its entries, in parts, of which the file has the first
 * `have`. Returns how many there are, at least one.
 */
typedef size_t (*sink_header)(void *data, size_t have, struct buf *out);

/* Appends what a file that is left gets behind its entries; `have` as before. */
typedef void (*sink_trailer)(void *data, size_t have, struct buf *out);

/*
 * Whether the header may follow what is in an opened file, `len` bytes: else another file is begun,
 * unless none but the one that is written is kept.
 */
typedef bool (*sink_fits)(void *data, const void *bytes, size_t len);

/*
 * What is written at once, and by as much a file may be too long: what waited for a disk may be
 * many times as long as a file is to be.
 */
#define SINK_FILE_WRITE (64u << 10)

struct sink_file_conf {
	int dir_fd; /* stays the caller's */
	const char *name; /* rotated to name.1 ... name.keep */
	uint64_t rotate_bytes; /* of a file, but for SINK_FILE_WRITE; 0: no bound */
	/* of the clock: 3600 begins a file each full hour, UTC; 0: no bound */
	uint64_t rotate_seconds;
	/* of all files together; rotated ones go, the oldest first; 0: no bound */
	uint64_t quota_bytes;
	uint32_t keep;
	size_t pending_max; /* bytes that wait in memory */
	sink_whole whole;
	size_t entry_max; /* bytes; what is torn off is less */
	sink_header header; /* may be NULL, and then there is no trailer either */
	sink_trailer trailer; /* may be NULL */
	sink_fits fits; /* may be NULL */
	void *data; /* of these three */
};

struct sink_file {
	struct sink_file_conf conf;
	int fd; /* -1: not open */
	struct buf pending;
	uint64_t n_pending; /* entries */
	uint64_t period; /* of rotate_seconds, that the file belongs to */
	size_t n_parts; /* of the header, that were written since the file was opened */
	bool more; /* there are more now */
	bool renew; /* they do not fit the file */
	off_t size; /* of what is open, as it was left */
	off_t cut_to; /* -1, or where the last whole entry ends: the cut failed and is due */
	uint64_t n_set_aside; /* damaged files, now NAME.1 or rotated on */
	uint64_t n_changed; /* times that someone cut or wrote to the open file */
};

/* Opens nothing yet: the first flush does. */
void sink_file_init(struct sink_file *sink, const struct sink_file_conf *conf);

/* What is pending is dropped: ask n_pending before. The trailer is written if there is room. */
void sink_file_done(struct sink_file *sink);

/*
 * Reads at most the last `size` bytes of the file as it is, or of the rotated one of that `number`;
 * opens and repairs nothing. Another writer is waited for, so that these are its last bytes, too:
 * -EWOULDBLOCK when that takes too long. Returns how many, or another negative errno.
 */
ssize_t sink_file_tail(const struct sink_file *sink, uint32_t number, void *out, size_t size);

/* Takes one entry; -ENOBUFS when too much is pending already. */
int sink_file_put(struct sink_file *sink, const void *entry, size_t len);

/*
 * The same for an entry that was made where it waits: at once after all of it, or nothing, was
 * added to `pending`.
 */
int sink_file_added(struct sink_file *sink);

/* The header has more parts now, which have to be written before anything else is. */
void sink_file_extend(struct sink_file *sink);

/* What it has now does not fit the file. */
void sink_file_renew(struct sink_file *sink);

/*
 * Writes what is pending, at `now_s` of the clock. `ret_written` is the number of entries written,
 * also when some could not be. -EAGAIN: another process still writes to the file; -ENOSPC ...: why
 * not all was written or the file not rotated.
 */
int sink_file_flush(struct sink_file *sink, uint64_t now_s, uint64_t *ret_written);

#endif
