#include "capture/extract_order.h"

#include <stdlib.h>

/* Bytes of records that were taken are left in the buffer until they are more than this. */
#define TAKEN_MIN ((size_t)64 << 10)

void extract_order_init(struct extract_order *order, size_t max)
{
	*order = (struct extract_order){ .n = 0 };
	buf_init(&order->buf, max);
}

void extract_order_done(struct extract_order *order)
{
	free(order->v);
	buf_done(&order->buf);
	extract_order_init(order, order->buf.max);
}

size_t extract_order_size(const struct extract_order *order)
{
	return order->bytes + order->n * sizeof(*order->v);
}

/* ---- the heap -------------------------------------------------------------------------------- */

static bool is_before(const struct ordered *a, const struct ordered *b)
{
	if (a->place != b->place)
		return a->place < b->place;
	return a->rule != b->rule ? a->rule < b->rule : a->number < b->number;
}

static void sift_up(struct extract_order *order, size_t i, struct ordered record)
{
	for (; i && is_before(&record, &order->v[(i - 1) / 2]); i = (i - 1) / 2)
		order->v[i] = order->v[(i - 1) / 2];
	order->v[i] = record;
}

static void sift_down(struct extract_order *order, struct ordered record)
{
	struct ordered *v = order->v;
	size_t i = 0, child;

	while ((child = 2 * i + 1) < order->n) {
		if (child + 1 < order->n && is_before(&v[child + 1], &v[child]))
			child++;
		if (!is_before(&v[child], &record))
			break;
		v[i] = v[child];
		i = child;
	}
	v[i] = record;
}

static bool grow(struct extract_order *order)
{
	size_t cap = order->cap ? 2 * order->cap : 64;
	struct ordered *v = realloc(order->v, cap * sizeof(*v));

	if (!v)
		return false;
	order->v = v;
	order->cap = cap;
	return true;
}

/* ---- the bytes ------------------------------------------------------------------------------- */

/* Without the records that were taken; for want of memory they stay a while. */
static void compact(struct extract_order *order)
{
	struct buf kept;

	buf_init(&kept, order->buf.max);
	if (!buf_reserve(&kept, order->bytes))
		return;
	for (size_t i = 0; i < order->n; i++) {
		struct ordered *record = &order->v[i];
		size_t at = kept.len;

		buf_add(&kept, order->buf.data + record->at, record->len);
		record->at = at;
	}
	buf_done(&order->buf);
	order->buf = kept;
}

static void drop_taken(struct extract_order *order)
{
	if (!order->n && order->buf.cap > EXTRACT_ORDER_MAX)
		buf_done(&order->buf);
	else if (!order->n)
		buf_reset(&order->buf);
	else if (order->buf.len - order->bytes > order->bytes + TAKEN_MIN)
		compact(order);
	order->ended = order->buf.len;
}

bool extract_order_add(struct extract_order *order, uint64_t place, size_t rule)
{
	struct buf *buf = &order->buf;
	struct ordered record = {
		.place = place,
		.number = order->added++,
		.rule = rule,
		.at = order->ended,
		.len = buf->len - order->ended,
	};

	if (buf->failed || (order->n == order->cap && !grow(order))) {
		buf->len = order->ended;
		buf->failed = false;
		return false;
	}
	order->ended = buf->len;
	order->bytes += record.len;
	sift_up(order, order->n++, record);
	return true;
}

bool extract_order_take(struct extract_order *order, uint64_t before, struct buf *out)
{
	const struct ordered *first = order->v;

	if (!order->n || first->place >= before)
		return false;
	buf_add(out, order->buf.data + first->at, first->len);
	order->bytes -= first->len;
	order->n--;
	if (order->n)
		sift_down(order, order->v[order->n]);
	drop_taken(order);
	return true;
}
