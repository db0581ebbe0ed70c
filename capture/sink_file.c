#include "capture/sink_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "capture/rotated.h"

/* A header describes every link: its name, and some words. */
#define FRAME_MAX (4u << 20)

/* A writer whose agent was killed dies with it, but perhaps not at once. */
#define WRITER_WAIT_MS 5000
#define WRITER_TRIES   500

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
	sink->n_parts = 0;
	sink->renew = false;
}

static int write_all(int fd, const char *data, size_t len, size_t *ret_done)
{
	size_t done = 0;
	int err = 0;

	while (done < len && !err) {
		ssize_t n = write(fd, data + done, len - done);

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			err = n == 0 ? -ENOSPC : -errno;
	}
	*ret_done = done;
	return err;
}

/* Writes all or nothing, and takes `out` over. */
static int write_frame(struct sink_file *sink, struct buf *out)
{
	size_t done;
	int err = out->failed ? -ENOMEM : write_all(sink->fd, out->data, out->len, &done);

	if (!err)
		sink->size += (off_t)out->len;
	else if (!out->failed && done && ftruncate(sink->fd, sink->size) < 0)
		sink->cut_to = sink->size;
	buf_done(out);
	return err;
}

/* Whether the open file, whose state is `st`, ends with what was written last. */
static bool ends_here(const struct sink_file *sink, const struct stat *st)
{
	return sink->cut_to < 0 && st->st_size == sink->size;
}

/* A file without it is whole too: a full disk is no reason to keep it open. */
static void write_trailer(struct sink_file *sink)
{
	struct stat st;
	struct buf out;

	if (sink->fd < 0 || !sink->n_parts || !sink->conf.trailer || fstat(sink->fd, &st) < 0 ||
	    !ends_here(sink, &st))
		return;
	buf_init(&out, FRAME_MAX);
	sink->conf.trailer(sink->conf.data, sink->n_parts, &out);
	(void)write_frame(sink, &out);
}

void sink_file_done(struct sink_file *sink)
{
	write_trailer(sink);
	sink_close(sink);
	buf_done(&sink->pending);
	sink->n_pending = 0;
}

int sink_file_added(struct sink_file *sink)
{
	if (sink->pending.failed) {
		/* What is there is whole: all of an entry is added or nothing. */
		sink->pending.failed = false;
		return -ENOBUFS;
	}
	sink->n_pending++;
	return 0;
}

int sink_file_put(struct sink_file *sink, const void *entry, size_t len)
{
	buf_add(&sink->pending, entry, len);
	return sink_file_added(sink);
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

/* The lock of a file that is open; waits for a writer that is just ending. */
static int wait_for_writer(int fd)
{
	const struct timespec pause = { .tv_nsec = WRITER_WAIT_MS * 1000000L / WRITER_TRIES };

	for (int i = 0; i < WRITER_TRIES; i++) {
		if (flock(fd, LOCK_SH | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK)
			return -errno;
		nanosleep(&pause, NULL);
	}
	return -EWOULDBLOCK;
}

ssize_t sink_file_tail(const struct sink_file *sink, uint32_t number, void *out, size_t size)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	char name[NAME_MAX + 1];
	struct stat st;
	ssize_t n;
	int fd;

	rotated_name(sink->conf.name, number, name);
	fd = openat(sink->conf.dir_fd, name, flags);
	if (fd < 0)
		return -errno;
	n = wait_for_writer(fd);
	if (n == 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)))
		n = -EINVAL;
	if (n == 0)
		n = pread(fd, out, size, st.st_size > (off_t)size ? st.st_size - (off_t)size : 0);
	close(fd);
	return n;
}

/*
 * Cuts off what a writer that was killed left of its last entry. -EUCLEAN when there is more than
 * that behind the whole ones: nothing is cut then.
 */
static int repair(struct sink_file *sink, size_t size)
{
	const struct sink_file_conf *conf = &sink->conf;
	size_t good;
	void *data;

	if (!size) {
		sink->renew = conf->fits && !conf->fits(conf->data, "", 0);
		return 0;
	}
	/* Under the lock nobody else cuts the file, so the mapping cannot lose its pages. */
	data = mmap(NULL, size, PROT_READ, MAP_SHARED, sink->fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	good = conf->whole(data, size, NULL);
	sink->renew = conf->fits && !conf->fits(conf->data, data, good);
	munmap(data, size);
	if (size - good >= conf->entry_max)
		return -EUCLEAN;
	if (good < size && ftruncate(sink->fd, (off_t)good) < 0)
		return -errno;
	return 0;
}

/* What can be read of a damaged file is for a person to say. */
static int set_aside(struct sink_file *sink)
{
	const struct sink_file_conf *conf = &sink->conf;
	int err = rotated_move(conf->dir_fd, conf->name, conf->keep ? conf->keep : 1);

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
		err = repair(sink, (size_t)st.st_size);
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

static uint64_t period_of(const struct sink_file *sink, uint64_t seconds)
{
	return sink->conf.rotate_seconds ? seconds / sink->conf.rotate_seconds : 0;
}

/* Lets go of a file that is not as it was left; one that was moved away is whole. */
static void look_at_file(struct sink_file *sink)
{
	struct stat st;

	if (!still_named(sink, &st)) {
		write_trailer(sink);
		sink_close(sink);
	} else if (sink->cut_to < 0 && !ends_here(sink, &st)) {
		sink->n_changed++;
		sink_close(sink);
	}
}

/* Opens the file if need be, and `size` is where entries go. */
static int sink_ready(struct sink_file *sink)
{
	struct stat st;

	if (sink->fd >= 0)
		look_at_file(sink);
	if (sink->fd < 0) {
		int err = sink_open(sink);

		if (err)
			return err;
		if (fstat(sink->fd, &st) < 0)
			return -errno;
		sink->period = period_of(sink, (uint64_t)st.st_mtime);
		sink->size = st.st_size;
	}
	if (sink->cut_to >= 0) {
		if (ftruncate(sink->fd, sink->cut_to) < 0)
			return -errno;
		sink->size = sink->cut_to;
		sink->cut_to = -1;
	}
	return 0;
}

/* The rotated ones are within the quota with the file to come. */
static void keep_quota(const struct sink_file *sink)
{
	const struct sink_file_conf *conf = &sink->conf;
	uint64_t more = conf->rotate_bytes;

	if (conf->quota_bytes)
		rotated_bound(conf->dir_fd, conf->name, conf->keep,
			      conf->quota_bytes > more ? conf->quota_bytes - more : 0);
}

static int rotate(struct sink_file *sink)
{
	int err;

	write_trailer(sink);
	err = rotated_move(sink->conf.dir_fd, sink->conf.name, sink->conf.keep);
	if (!err) {
		keep_quota(sink);
		sink_close(sink);
	}
	return err;
}

static bool rotation_due(const struct sink_file *sink, uint64_t now_s)
{
	if (!sink->size)
		return false;
	if (period_of(sink, now_s) > sink->period || (sink->renew && sink->conf.keep))
		return true;
	return sink->conf.rotate_bytes &&
	       (uint64_t)sink->size + sink->pending.len > sink->conf.rotate_bytes;
}

/* Removes the first `len` bytes, which are `entries` entries. */
static void pending_drop(struct sink_file *sink, size_t len, uint64_t entries)
{
	sink->pending.len -= len;
	sink->n_pending -= entries;
	memmove(sink->pending.data, sink->pending.data + len, sink->pending.len);
	sink->pending.data[sink->pending.len] = '\0';
}

/* How much of what is pending the file gets: all that there is room for, and whole entries. */
static size_t portion(const struct sink_file *sink, uint64_t *ret_entries)
{
	const struct buf *pending = &sink->pending;
	const uint64_t bound = sink->conf.rotate_bytes;
	const uint64_t size = (uint64_t)sink->size;
	uint64_t room = bound > size ? bound - size : 0;
	size_t n;

	*ret_entries = sink->n_pending;
	if (room < SINK_FILE_WRITE)
		room = SINK_FILE_WRITE;
	if (!bound || pending->len <= room)
		return pending->len;
	n = sink->conf.whole(pending->data, (size_t)room, ret_entries);
	if (n)
		return n;
	*ret_entries = sink->n_pending;
	return pending->len;
}

static int write_pending(struct sink_file *sink, uint64_t *written)
{
	const struct buf *pending = &sink->pending;
	uint64_t entries;
	size_t done, whole = portion(sink, &entries);
	int err = write_all(sink->fd, pending->data, whole, &done);

	if (done < whole) {
		whole = sink->conf.whole(pending->data, done, &entries);
		if (whole < done && ftruncate(sink->fd, sink->size + (off_t)whole) < 0)
			sink->cut_to = sink->size + (off_t)whole;
	}
	sink->size += (off_t)whole;
	pending_drop(sink, whole, entries);
	*written += entries;
	return err;
}

void sink_file_extend(struct sink_file *sink)
{
	sink->more = true;
}

void sink_file_renew(struct sink_file *sink)
{
	sink->renew = true;
}

static int write_header(struct sink_file *sink)
{
	struct buf out;
	size_t n;
	int err;

	if (!sink->conf.header || (sink->n_parts && !sink->more))
		return 0;
	buf_init(&out, FRAME_MAX);
	n = sink->conf.header(sink->conf.data, sink->n_parts, &out);
	err = write_frame(sink, &out);
	if (err)
		return err;
	sink->n_parts = n;
	sink->more = false;
	return 0;
}

/* To the file that is there, or that is begun for it. `rotate_err`: of all files of a flush. */
static int flush_portion(struct sink_file *sink, uint64_t now_s, uint64_t *written, int *rotate_err)
{
	int err = sink_ready(sink);

	if (err)
		return err;
	if (!*rotate_err && rotation_due(sink, now_s)) {
		/* A file that cannot be rotated is better too long than without its records. */
		*rotate_err = rotate(sink);
		err = sink_ready(sink);
		if (err)
			return err;
	}
	sink->period = period_of(sink, now_s);
	err = write_header(sink);
	return err ? err : write_pending(sink, written);
}

int sink_file_flush(struct sink_file *sink, uint64_t now_s, uint64_t *ret_written)
{
	int err = 0, rotate_err = 0;

	*ret_written = 0;
	while (sink->pending.len && !err)
		err = flush_portion(sink, now_s, ret_written, &rotate_err);
	return err ? err : rotate_err;
}
