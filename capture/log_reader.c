#include "capture/log_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_FIRST ((size_t)64 << 10)

void log_reader_init(struct log_reader *r, const struct log_reader_ops *ops, void *data)
{
	*r = (struct log_reader){ .ops = ops, .data = data };
}

void log_reader_done(struct log_reader *r)
{
	for (size_t i = 0; i < r->n_files; i++)
		close(r->files[i].fd);
	free(r->buf);
	*r = (struct log_reader){ 0 };
}

int log_reader_add(struct log_reader *r, const struct log_reader_file *file, uint64_t now_ns)
{
	if (r->n_files == LOG_FILES_MAX) {
		close(file->fd);
		return -ENOBUFS;
	}
	r->files[r->n_files++] = *file;
	r->quiet_ns = now_ns;
	return 0;
}

uint64_t log_reader_place(const struct log_reader *r, uint64_t *ret_offset)
{
	if (!r->n_files)
		return 0;
	*ret_offset = r->begun ? r->base : r->files[0].offset;
	return r->files[0].file;
}

static void begin_at(struct log_reader *r, uint64_t offset, bool partial)
{
	r->begun = true;
	r->base = offset;
	r->len = 0;
	r->mark_len = 0;
	r->passing = partial;
	r->too_long = false;
}

static void drop(struct log_reader *r, size_t n)
{
	memmove(r->buf, r->buf + n, r->len - n);
	r->len -= n;
	r->base += n;
}

/* What is left without a newline is a line all the same: nothing more comes to it. */
static void tell_rest(struct log_reader *r)
{
	if (r->len && !r->passing)
		r->ops->lines(r->data, r->buf, r->len, r->base);
	drop(r, r->len);
}

/* Passes over what belongs to a line of which the beginning is not here, or was told. */
static void pass_over(struct log_reader *r)
{
	const uint8_t *newline = r->len ? memchr(r->buf, '\n', r->len) : NULL;
	size_t n = newline ? (size_t)(newline - r->buf) + 1 : r->len;

	if (r->too_long && n)
		r->ops->skipped(r->data, n);
	drop(r, n);
	r->passing = !newline;
	r->too_long = r->too_long && !newline;
}

static void take_lines(struct log_reader *r)
{
	const uint8_t *newline;
	size_t n;

	if (r->passing)
		pass_over(r);
	newline = r->len ? memrchr(r->buf, '\n', r->len) : NULL;
	n = newline ? (size_t)(newline - r->buf) + 1 : 0;
	if (n)
		r->ops->lines(r->data, r->buf, n, r->base);
	drop(r, n);
	if (r->len < LOG_LINE_MAX)
		return;
	tell_rest(r);
	r->passing = r->too_long = true;
}

/* Room for more: false without memory, and then the line is as long as may be. */
static bool make_room(struct log_reader *r)
{
	size_t cap = r->cap ? 2 * r->cap : BUFFER_FIRST;
	uint8_t *buf;

	if (r->len < r->cap)
		return true;
	buf = realloc(r->buf, cap);
	if (!buf)
		return false;
	r->buf = buf;
	r->cap = cap;
	return true;
}

static void set_mark(struct log_reader *r)
{
	r->mark_len = r->len < LOG_MARK_MAX ? r->len : LOG_MARK_MAX;
	memcpy(r->mark, r->buf + (r->len - r->mark_len), r->mark_len);
}

/* Whether the file still has what was read of it. */
static bool is_cut(const struct log_reader *r, uint64_t size)
{
	uint64_t end = r->base + r->len;
	uint8_t now[LOG_MARK_MAX];

	if (size < end)
		return true;
	if (size == end || !r->mark_len)
		return false;
	return pread(r->files[0].fd, now, r->mark_len, (off_t)(end - r->mark_len)) !=
		       (ssize_t)r->mark_len ||
	       memcmp(now, r->mark, r->mark_len) != 0;
}

/* Bytes read; 0 at the end, also when there was an error. */
static size_t read_more(struct log_reader *r, uint64_t now_ns)
{
	struct stat st;
	ssize_t n;

	if (fstat(r->files[0].fd, &st) == 0 && is_cut(r, (uint64_t)st.st_size)) {
		uint64_t end = r->base + r->len;

		tell_rest(r);
		begin_at(r, 0, false);
		r->ops->cut(r->data, end);
	}
	if (!make_room(r)) {
		r->ops->failed(r->data, -ENOMEM);
		return 0;
	}
	n = pread(r->files[0].fd, r->buf + r->len, r->cap - r->len, (off_t)(r->base + r->len));
	if (n < 0)
		r->ops->failed(r->data, -errno);
	if (n <= 0)
		return 0;
	r->len += (size_t)n;
	r->quiet_ns = now_ns;
	set_mark(r);
	take_lines(r);
	return (size_t)n;
}

/* The file is left for the next one; false while it may still be written to. */
static bool leave(struct log_reader *r, uint64_t now_ns)
{
	if (r->n_files < 2 || now_ns - r->quiet_ns < LOG_QUIET_NS)
		return false;
	tell_rest(r);
	r->ops->left(r->data);
	close(r->files[0].fd);
	r->n_files--;
	memmove(r->files, r->files + 1, r->n_files * sizeof(r->files[0]));
	r->begun = false;
	return true;
}

bool log_reader_poll(struct log_reader *r, uint64_t now_ns, size_t budget)
{
	size_t done = 0;

	while (r->n_files && done < budget) {
		size_t n;

		if (!r->begun)
			begin_at(r, r->files[0].offset, r->files[0].partial);
		n = read_more(r, now_ns);
		done += n;
		if (!n && !leave(r, now_ns))
			return false;
	}
	return r->n_files > 0;
}
