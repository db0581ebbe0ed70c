/*
 * The files that [log] sections name: opened for the capture worker, and again when they are
 * rotated.
 *
 * Edge. A path is looked at four times a second, with what the kernel noted of renames since; what
 * was renamed stays open until the worker has read it to its end. The agent reads no line of them.
 * Where the worker was is in the counters page, so a worker that follows another goes on there.
 */
#ifndef TW_LOG_FILES_H
#define TW_LOG_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "agent/base/config.h"
#include "agent/base/ipc.h"
#include "agent/base/stats.h"

/* A file and those that were in its place before it, of which the worker has not told the end. */
#define LOG_FILES_HELD 8u

struct log_held {
	int fd;
	uint64_t dev, ino;
	struct ipc_log message; /* as it was sent first */
};

struct log_file {
	char name[NAME_MAX_LEN + 1];
	char *path;
	uint32_t slot; /* in the counters page */
	struct log_held held[LOG_FILES_HELD]; /* the last is the one at the path */
	size_t n;
	bool wanted;
	int watch; /* of its folder, in `notes`; -1 */
	uint64_t notes_lost; /* times that the kernel let go of notes, which may have been of it */
	uint32_t moved; /* the inotify(7) cookie of what was renamed last */
	bool looked; /* what is found now was there before: it is followed from its end on */
	char error[128]; /* why it is not followed; "" */
};

struct log_files_ops {
	/* The worker that serves, or NULL. */
	struct ipc_channel *(*channel)(void *data);
	/* `action` "log-missing", "log-followed", "log-rotated" or "log-notes-lost". */
	void (*event)(void *data, const struct log_file *file, const char *action,
		      const char *detail);
};

struct log_files {
	struct log_file *list;
	size_t n;
	uint64_t next_file;
	const struct stats_page *stats;
	const struct log_files_ops *ops;
	void *data;
	int notes; /* inotify(7): what is renamed in the folders; -1 */
	uv_timer_t timer;
	bool open; /* the timer is to be closed */
};

void log_files_init(struct log_files *files, uv_loop_t *loop, const struct stats_page *stats,
		    const struct log_files_ops *ops, void *data);

/*
 * The logs of a configuration, in place of those before. Those with the same name and path go on;
 * nothing is sent to a worker.
 */
void log_files_set(struct log_files *files, const struct config *config);

/* Hands everything to a worker that has just become ready, and looks for rotation from here on. */
void log_files_hand_over(struct log_files *files, struct ipc_channel *channel);

/* Looks no more, so that the loop can end. */
void log_files_stop(struct log_files *files);
void log_files_done(struct log_files *files);

#endif
