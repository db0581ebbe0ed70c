#include "capture/sink_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often a file that is moved away while it is being opened is opened again. */
#define OPEN_TRIES 8

void sink_file_init(struct sink_file *sink, const struct sink_file_conf *conf)
{
	*sink = (struct sink_file){ .conf = *conf, .fd = -1, .cut_to = -1 };
	buf_init(&sink->pending, conf->pending_max);
}

static void sink_close(struct sink_file *sink)
{
	if (sink->fd >= 0)
		close(sink->fd);
	sink->fd = -1;
	sink->cut_to = -1;
}

void sink_file_done(struct sink_file *sink)
{
	sink_close(sink);
	buf_done(&sink->pending);
	sink->n_pending = 0;
}

ssize_t sink_file_tail(const struct sink_file *sink, void *out, size_t size)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = openat(sink->conf.dir_fd, sink->conf.name, flags);
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	n = pread(fd, out, size, st.st_size > (off_t)size ? st.st_size - (off_t)size : 0);
	if (n < 0)
		n = -errno;
	close(fd);
	return n;
}

int sink_file_put(struct sink_file *sink, const void *entry, size_t len)
{
	if (len > sink->pending.max - sink->pending.len)
		return -ENOBUFS;
	buf_add(&sink->pending, entry, len);
	if (sink->pending.failed) {
		/* No memory: what is there is whole, since buf_add() adds all or nothing. */
		sink->pending.failed = false;
		return -ENOBUFS;
	}
	sink->n_pending++;
	return 0;
}

/* Whether the name in the directory still stands for the open file, whose state is `ret`. */
static bool still_named(const struct sink_file *sink, struct stat *ret)
{
	struct stat named;

	if (fstat(sink->fd, ret) < 0 ||
	    fstatat(sink->conf.dir_fd, sink->conf.name, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	return named.st_ino == ret->st_ino && named.st_dev == ret->st_dev;
}

static void rotated_name(const struct sink_file *sink, uint32_t n, char out[NAME_MAX + 1])
{
	if (n)
		snprintf(out, NAME_MAX + 1, "%s.%u", sink->conf.name, n);
	else
		snprintf(out, NAME_MAX + 1, "%s", sink->conf.name);
}

/* NAME.2 to NAME.3, NAME.1 to NAME.2, NAME to NAME.1; the one above `keep` is replaced. */
static int move_away(const struct sink_file *sink, uint32_t keep)
{
	char from[NAME_MAX + 1], to[NAME_MAX + 1];
	int dir = sink->conf.dir_fd;

	for (uint32_t n = keep; n > 0; n--) {
		rotated_name(sink, n - 1, from);
		rotated_name(sink, n, to);
		if (renameat(dir, from, dir, to) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

/*
 * Cuts off what a writer that was killed left of its last entry. -EUCLEAN when there is more than
 * that behind the whole ones: nothing is cut then.
 */
static int repair(int fd, size_t size, const struct sink_file_conf *conf)
{
	size_t good;
	void *data;

	if (!size)
		return 0;
	/* Under the lock nobody else cuts the file, so the mapping cannot lose its pages. */
	data = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	good = conf->whole(data, size, NULL);
	munmap(data, size);
	if (size - good >= conf->entry_max)
		return -EUCLEAN;
	if (good < size && ftruncate(fd, (off_t)good) < 0)
		return -errno;
	return 0;
}

/* What can be read of a damaged file is for a person to say. */
static int set_aside(struct sink_file *sink)
{
	int err = move_away(sink, sink->conf.keep ? sink->conf.keep : 1);

	if (err)
		return err;
	sink->n_set_aside++;
	return -ESTALE;
}

/* Returns -ESTALE when the file was moved away meanwhile. */
static int open_once(struct sink_file *sink)
{
	/* O_NONBLOCK: a FIFO of that name must not stop the worker; it is refused below. */
	const int flags = O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
			  O_CLOEXEC;
	struct stat st;
	int err;

	sink->fd = openat(sink->conf.dir_fd, sink->conf.name, flags, 0640);
	if (sink->fd < 0)
		return -errno;
	if (flock(sink->fd, LOCK_EX | LOCK_NB) < 0)
		err = -errno;
	else if (!still_named(sink, &st))
		err = -ESTALE;
	else if (!S_ISREG(st.st_mode))
		err = -EINVAL;
	else
		err = repair(sink->fd, (size_t)st.st_size, &sink->conf);
	if (err == -EUCLEAN)
		err = set_aside(sink);
	if (err)
		sink_close(sink);
	return err;
}

static int sink_open(struct sink_file *sink)
{
	int err = -ESTALE;

	for (int i = 0; i < OPEN_TRIES && err == -ESTALE; i++)
		err = open_once(sink);
	return err;
}

/* Opens the file if need be and tells its size. */
static int sink_ready(struct sink_file *sink, off_t *ret_size)
{
	struct stat st;

	if (sink->fd >= 0 && !still_named(sink, &st))
		sink_close(sink);
	if (sink->fd < 0) {
		int err = sink_open(sink);

		if (err)
			return err;
		if (fstat(sink->fd, &st) < 0)
			return -errno;
	}
	if (sink->cut_to >= 0) {
		if (ftruncate(sink->fd, sink->cut_to) < 0)
			return -errno;
		st.st_size = sink->cut_to;
		sink->cut_to = -1;
	}
	*ret_size = st.st_size;
	return 0;
}

static int rotate(struct sink_file *sink)
{
	int err = 0;

	if (sink->conf.keep)
		err = move_away(sink, sink->conf.keep);
	else if (unlinkat(sink->conf.dir_fd, sink->conf.name, 0) < 0)
		err = -errno;
	if (!err)
		sink_close(sink);
	return err;
}

static bool too_large(const struct sink_file *sink, off_t size)
{
	return sink->conf.rotate_bytes && size > 0 &&
	       (uint64_t)size + sink->pending.len > sink->conf.rotate_bytes;
}

/* Removes the first `len` bytes, which are `entries` entries. */
static void pending_drop(struct sink_file *sink, size_t len, uint64_t entries)
{
	sink->pending.len -= len;
	sink->n_pending -= entries;
	memmove(sink->pending.data, sink->pending.data + len, sink->pending.len);
	sink->pending.data[sink->pending.len] = '\0';
}

static int write_pending(struct sink_file *sink, off_t size, uint64_t *ret_written)
{
	const struct buf *pending = &sink->pending;
	uint64_t entries = sink->n_pending;
	size_t done = 0, whole = pending->len;
	int err = 0;

	while (done < pending->len && !err) {
		ssize_t n = write(sink->fd, pending->data + done, pending->len - done);

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			err = n == 0 ? -ENOSPC : -errno;
	}
	if (done < pending->len) {
		whole = sink->conf.whole(pending->data, done, &entries);
		if (whole < done && ftruncate(sink->fd, size + (off_t)whole) < 0)
			sink->cut_to = size + (off_t)whole;
	}
	pending_drop(sink, whole, entries);
	*ret_written = entries;
	return err;
}

int sink_file_flush(struct sink_file *sink, uint64_t *ret_written)
{
	int err, rotate_err = 0;
	off_t size = 0;

	*ret_written = 0;
	if (!sink->pending.len)
		return 0;
	err = sink_ready(sink, &size);
	if (err)
		return err;
	if (too_large(sink, size)) {
		/* A file that cannot be rotated is better too long than without its records. */
		rotate_err = rotate(sink);
		err = sink_ready(sink, &size);
		if (err)
			return err;
	}
	err = write_pending(sink, size, ret_written);
	return err ? err : rotate_err;
}
