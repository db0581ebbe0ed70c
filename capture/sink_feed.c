#include "capture/sink_feed.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

void sink_feed_init(struct sink_feed *feed)
{
	feed->fd = -1;
}

void sink_feed_done(struct sink_feed *feed)
{
	if (feed->fd >= 0)
		close(feed->fd);
	feed->fd = -1;
}

void sink_feed_set(struct sink_feed *feed, int fd, int bound)
{
	sink_feed_done(feed);
	feed->fd = fd;
	/* A refusal leaves the default size, which works too. */
	if (bound)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bound, sizeof(bound));
}

int sink_feed_put(struct sink_feed *feed, const void *record, size_t len)
{
	ssize_t n;

	if (feed->fd < 0)
		return -ENOTCONN;
	do {
		n = send(feed->fd, record, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 0;
	switch (errno) {
	case EAGAIN:
	case ENOBUFS:
	case ENOMEM:
		return -EAGAIN;
	case EMSGSIZE:
		return -EMSGSIZE;
	default:
		sink_feed_done(feed);
		return -ENOTCONN;
	}
}
