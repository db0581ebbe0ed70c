#include "web/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/fd_io.h"

/* At the end of a file, all that the ring can hold; a whole line fits, too. */
#define PIECE_MAX EVENT_RING_BYTES

void history_init(struct history *history)
{
	*history = (struct history){ .fd = -1 };
}

void history_done(struct history *history)
{
	if (history->fd >= 0)
		close(history->fd);
	history->fd = -1;
}

/* Whole lines, as far as there are; returns their bytes. */
static size_t add_lines(struct history *history, struct event_ring *ring, const char *text,
			size_t len)
{
	size_t done = 0;

	for (;;) {
		const char *line = text + done;
		const char *end = memchr(line, '\n', len - done);

		if (!end)
			return done;
		if (event_ring_add(ring, line, (size_t)(end - line)) == 0)
			history->recalled++;
		done = (size_t)(end - text) + 1;
	}
}

int history_more(struct history *history, struct event_ring *ring)
{
	struct stat st;
	size_t size;
	ssize_t n;
	char *text;

	if (history->fd < 0 || fstat(history->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EBADF;
	if (st.st_size <= history->at)
		return 0;
	size = st.st_size - history->at > PIECE_MAX ? PIECE_MAX
						    : (size_t)(st.st_size - history->at);
	text = malloc(size);
	if (!text)
		return -ENOMEM;
	n = fd_read_at(history->fd, text, size, history->at);
	if (n > 0)
		history->at += (off_t)add_lines(history, ring, text, (size_t)n);
	free(text);
	return n < 0 ? (int)n : 0;
}

/* The begin of the first whole line of those at the end, or the end if there is none. */
static int find_begin(int fd, off_t size, off_t *ret)
{
	off_t at = size > PIECE_MAX ? size - PIECE_MAX : 0;
	char part[4096];

	/* A byte before: there may be a line that begins just there. */
	while (at > 0) {
		ssize_t n = fd_read_at(fd, part, sizeof(part), at - 1);
		const char *end = n > 0 ? memchr(part, '\n', (size_t)n) : NULL;

		if (n < 0)
			return (int)n;
		if (end) {
			at += end - part;
			break;
		}
		if (n == 0)
			break;
		at += n;
	}
	*ret = at;
	return 0;
}

int history_take(struct history *history, struct event_ring *ring, int fd)
{
	struct stat st;
	int code;

	history_done(history);
	history->fd = fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADF;
	code = find_begin(fd, st.st_size, &history->at);
	return code ? code : history_more(history, ring);
}
