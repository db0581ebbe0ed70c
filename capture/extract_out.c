#include "capture/extract_out.h"

#include <errno.h>
#include <unistd.h>

/* Kept by a worker whose part has to wait. */
#define KEPT_MAX (1u << 20)

/* One record: a match and what JSON makes of it. */
#define RECORD_SIZE_MAX ((size_t)8 << 30)

void extract_out_init(struct extract_out *out, int fd)
{
	*out = (struct extract_out){ .fd = fd };
	pthread_mutex_init(&out->lock, NULL);
	pthread_cond_init(&out->moved, NULL);
}

void extract_out_done(struct extract_out *out)
{
	pthread_mutex_destroy(&out->lock);
	pthread_cond_destroy(&out->moved);
}

void extract_outlet_init(struct extract_outlet *outlet, struct extract_out *out, uint64_t part)
{
	*outlet = (struct extract_outlet){ .out = out, .part = part };
	buf_init(&outlet->buf, RECORD_SIZE_MAX);
}

void extract_outlet_done(struct extract_outlet *outlet)
{
	buf_done(&outlet->buf);
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static bool has_turn(struct extract_outlet *outlet, bool wait)
{
	struct extract_out *out = outlet->out;
	bool turn;

	pthread_mutex_lock(&out->lock);
	while (wait && out->turn != outlet->part && !out->stopped)
		pthread_cond_wait(&out->moved, &out->lock);
	turn = out->turn == outlet->part && !out->error;
	pthread_mutex_unlock(&out->lock);
	return turn;
}

/* It is the part's turn, so nobody else writes. */
static void put(struct extract_outlet *outlet)
{
	int error;

	outlet->full = outlet->full || outlet->buf.failed;
	error = write_all(outlet->out->fd, outlet->buf.data, outlet->buf.len);
	buf_reset(&outlet->buf);
	if (!error)
		return;
	pthread_mutex_lock(&outlet->out->lock);
	outlet->out->error = error;
	pthread_mutex_unlock(&outlet->out->lock);
	extract_out_stop(outlet->out);
}

void extract_outlet_record(struct extract_outlet *outlet)
{
	if (!extract_outlet_due(outlet))
		return;
	if (has_turn(outlet, outlet->buf.len >= KEPT_MAX || outlet->buf.failed))
		put(outlet);
	else if (extract_out_stopped(outlet->out))
		buf_reset(&outlet->buf);
}

void extract_outlet_flush(struct extract_outlet *outlet)
{
	if (outlet->buf.len && has_turn(outlet, false))
		put(outlet);
}

void extract_outlet_complete(struct extract_outlet *outlet, uint64_t next)
{
	struct extract_out *out = outlet->out;

	if (has_turn(outlet, true))
		put(outlet);
	buf_reset(&outlet->buf);
	pthread_mutex_lock(&out->lock);
	if (out->turn == outlet->part)
		out->turn++;
	pthread_cond_broadcast(&out->moved);
	pthread_mutex_unlock(&out->lock);
	outlet->part = next;
}

void extract_out_stop(struct extract_out *out)
{
	pthread_mutex_lock(&out->lock);
	__atomic_store_n(&out->stopped, true, __ATOMIC_RELAXED);
	pthread_cond_broadcast(&out->moved);
	pthread_mutex_unlock(&out->lock);
}

bool extract_out_stopped(struct extract_out *out)
{
	return __atomic_load_n(&out->stopped, __ATOMIC_RELAXED);
}
