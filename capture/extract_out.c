#include "capture/extract_out.h"

#include "agent/base/fd_io.h"

/* Kept by a worker whose part has to wait. */
#define KEPT_MAX (1u << 20)

/* One record: a match and what JSON makes of it. */
#define RECORD_SIZE_MAX ((size_t)8 << 30)

void extract_out_init(struct extract_out *out, int fd)
{
	*out = (struct extract_out){ .fd = fd };
	for (size_t i = 0; i < EXTRACT_OUT_KEPT; i++)
		buf_init(&out->kept[i].buf, RECORD_SIZE_MAX);
	pthread_mutex_init(&out->lock, NULL);
	pthread_cond_init(&out->moved, NULL);
}

void extract_out_done(struct extract_out *out)
{
	for (size_t i = 0; i < EXTRACT_OUT_KEPT; i++)
		buf_done(&out->kept[i].buf);
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
static void put(struct extract_out *out, struct buf *buf)
{
	int error = -fd_write_all(out->fd, buf->data, buf->len);

	buf_reset(buf);
	if (!error)
		return;
	pthread_mutex_lock(&out->lock);
	out->error = error;
	pthread_mutex_unlock(&out->lock);
	extract_out_stop(out);
}

static void put_records(struct extract_outlet *outlet)
{
	outlet->full = outlet->full || outlet->buf.failed;
	put(outlet->out, &outlet->buf);
}

void extract_outlet_record(struct extract_outlet *outlet)
{
	if (!extract_outlet_due(outlet))
		return;
	if (has_turn(outlet, outlet->buf.len >= KEPT_MAX || outlet->buf.failed))
		put_records(outlet);
	else if (extract_out_stopped(outlet->out))
		buf_reset(&outlet->buf);
}

void extract_outlet_flush(struct extract_outlet *outlet)
{
	if (outlet->buf.len && has_turn(outlet, false))
		put_records(outlet);
}

/* A large buffer would stay large. */
static bool may_leave(const struct extract_outlet *outlet)
{
	return outlet->part - outlet->out->turn < EXTRACT_OUT_KEPT && !outlet->buf.failed &&
	       outlet->buf.cap <= KEPT_MAX;
}

/* Leaves the records for whoever completes the part before, where its turn has not come. */
static bool leave(struct extract_outlet *outlet)
{
	struct extract_out *out = outlet->out;
	struct extract_kept *kept = &out->kept[outlet->part % EXTRACT_OUT_KEPT];
	bool left;

	pthread_mutex_lock(&out->lock);
	while (out->turn != outlet->part && !out->stopped && !may_leave(outlet))
		pthread_cond_wait(&out->moved, &out->lock);
	left = out->turn != outlet->part && !out->stopped;
	if (left) {
		struct buf empty = kept->buf;

		kept->buf = outlet->buf;
		kept->complete = true;
		outlet->buf = empty;
	}
	pthread_mutex_unlock(&out->lock);
	return left;
}

/* The turn is that of the next part, and of those behind it that are complete. */
static void pass_turn(struct extract_out *out, uint64_t part)
{
	pthread_mutex_lock(&out->lock);
	while (out->turn == part) {
		struct extract_kept *next = &out->kept[++out->turn % EXTRACT_OUT_KEPT];

		pthread_cond_broadcast(&out->moved);
		if (!next->complete)
			break;
		next->complete = false;
		part++;
		if (out->stopped)
			continue;
		pthread_mutex_unlock(&out->lock);
		put(out, &next->buf);
		pthread_mutex_lock(&out->lock);
	}
	pthread_mutex_unlock(&out->lock);
}

void extract_outlet_complete(struct extract_outlet *outlet, uint64_t next)
{
	if (!leave(outlet)) {
		if (has_turn(outlet, false))
			put_records(outlet);
		buf_reset(&outlet->buf);
		pass_turn(outlet->out, outlet->part);
	}
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
