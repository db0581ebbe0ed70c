#include "agent/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/fd_io.h"
#include "agent/base/hash.h"

#define END_LEN 21 /* bytes of the last line */

static void write_end(char out[END_LEN + 1], const char *data, size_t len)
{
	snprintf(out, END_LEN + 1, "end %016" PRIx64 "\n", hash_bytes(HASH_INIT, data, len));
}

static int open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int read_all(int fd, struct buf *text)
{
	char *room;
	ssize_t n;

	do {
		room = buf_reserve(text, 4096);
		n = room ? fd_read_all(fd, room, 4096) : 0;
		if (n > 0)
			text->len += (size_t)n;
	} while (n > 0);
	if (text->failed)
		return -EFBIG;
	return (int)n;
}

/* Takes the last line away from what was added behind `start`. */
static int take_end(struct buf *text, size_t start)
{
	const size_t len = text->len - start;
	char end[END_LEN + 1];

	if (len < END_LEN)
		return -EBADMSG;
	write_end(end, text->data + start, len - END_LEN);
	if (memcmp(text->data + text->len - END_LEN, end, END_LEN) != 0)
		return -EBADMSG;
	text->len -= END_LEN;
	return 0;
}

/*
 * 0, or a negative errno: -ENOENT without a file, -EFBIG beyond the bound, -EBADMSG when it is not
 * as it was written.
 */
static int read_state(const char *path, const char *name, struct buf *out)
{
	const size_t start = out->len;
	int dir = open_dir(path), fd, code;

	if (dir < 0)
		return dir;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	code = fd < 0 ? -errno : read_all(fd, out);
	if (code == 0)
		code = take_end(out, start);
	if (fd >= 0)
		close(fd);
	close(dir);
	return code;
}

int state_file_load(const char *path, const char *name, struct buf *out, struct err *err)
{
	int code = read_state(path, name, out);

	if (code == -EBADMSG)
		return err_set(err, code, "it is cut or changed");
	return code && code != -ENOENT ? err_errno(err, code, "cannot read it") : code;
}

int state_file_set_aside(const char *path, const char *name)
{
	char bad[64];
	int dir = open_dir(path), code = 0;

	if (dir < 0)
		return dir;
	snprintf(bad, sizeof(bad), "%s.bad", name);
	if (renameat(dir, name, dir, bad) < 0)
		code = -errno;
	close(dir);
	return code;
}

int state_file_write(const char *path, const char *name, const struct buf *text)
{
	char temporary[64], end[END_LEN + 1];
	int dir, fd, code;

	if (text->failed)
		return -ENOMEM;
	write_end(end, text->data, text->len);
	snprintf(temporary, sizeof(temporary), "%s.new", name);
	dir = open_dir(path);
	if (dir < 0)
		return dir;
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	code = fd < 0 ? -errno : fd_write_all(fd, text->data, text->len);
	if (code == 0)
		code = fd_write_all(fd, end, END_LEN);
	if (code == 0 && fdatasync(fd) < 0)
		code = -errno;
	if (fd >= 0)
		close(fd);
	if (code == 0 && renameat(dir, temporary, dir, name) < 0)
		code = -errno;
	if (code)
		unlinkat(dir, temporary, 0);
	close(dir);
	return code;
}

bool state_file_dirs_are_one(const char *a, const char *b)
{
	struct stat one, other;

	return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino;
}

int state_file_remove(const char *path, const char *name)
{
	int dir = open_dir(path), code = 0;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		code = -errno;
	close(dir);
	return code;
}
