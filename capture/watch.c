#include "capture/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "capture/search_time.h"
#include "capture/watch_relay.h"

/* Frames of one link before the others get their turn: what a few blocks have of usual ones. */
#define FRAMES_PER_TURN 1024u

/* The clock is that of ticks: to look at it costs no more than a frame does. */
static bool begin_turn(struct watch *watch)
{
	return turn_begin(&watch->turn, watch->poll.loop, clock_ns(CLOCK_MONOTONIC_COARSE));
}

static void read_turn(struct watch *watch)
{
	const size_t max = turn_frames(&watch->turn);
	size_t left = FRAMES_PER_TURN, n;

	search_time_until(watch->turn.end_ns + TURN_GRACE_NS);
	do {
		n = source_read(&watch->source, max, inspect_frame, &watch->inspected);
		left -= n;
	} while (!turn_look(&watch->turn) && n == max && left);
	search_time_until(0);
}

static void on_frames(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;

	(void)events;
	/*
	 * The link went down or away. What the source still holds is read by the tick, which also
	 * polls again, since a link that comes up again uses the same socket.
	 */
	if (status < 0) {
		uv_poll_stop(poll);
		watch->quiet = true;
		log_debug("%s: %s", watch->link.name, strerror(-source_error(&watch->source)));
		watch->batch_end(watch->data);
		return;
	}
	if (!begin_turn(watch))
		return;
	read_turn(watch);
	watch->batch_end(watch->data);
	/*
	 * Who took long goes behind the others: uv_poll_start() takes it from epoll, which puts
	 * what is added behind what had no turn in this round (ep_insert()).
	 */
	if (watch->turn.slow)
		uv_poll_start(&watch->poll, UV_READABLE, on_frames);
}

static int start_reading(uv_loop_t *loop, struct watch *watch, struct err *err)
{
	int code = uv_poll_init(loop, &watch->poll, source_fd(&watch->source));

	if (code)
		return err_set(err, code, "cannot poll: %s", uv_strerror(code));
	watch->poll.data = watch;
	uv_poll_start(&watch->poll, UV_READABLE, on_frames);
	return 0;
}

int watch_open(uv_loop_t *loop, const struct ipc_link *link, int fd, const struct watch_conf *conf,
	       struct watch **ret, struct err *err)
{
	const bool in_path = link->source == IPC_SOURCE_INLINE;
	struct watch *watch = calloc(1, sizeof(*watch));
	struct source source;
	int code;

	code = source_open(&source, link, fd, &conf->inspector->stats->links[link->slot], err);
	if (code) {
		free(watch);
		return code;
	}
	if (!watch) {
		source_close(&source);
		if (in_path)
			close(fd);
		return err_errno(err, -ENOMEM, "cannot watch a link more");
	}
	watch->link = *link;
	watch->source = source;
	watch->rest_fd = -1;
	watch->batch_end = conf->batch_end;
	watch->peer_lost = conf->peer_lost;
	watch->data = conf->data;
	code = inspect_begin(&watch->inspected, conf->inspector, &watch->link, &conf->mask);
	if (code) {
		err_errno(err, code, "cannot search");
		if (in_path)
			close(fd);
		goto fail;
	}
	code = in_path ? watch_relay_open(loop, watch, fd, conf, err)
		       : start_reading(loop, watch, err);
	if (code) {
		guests_end(&watch->inspected.guest);
		sift_link_done(&watch->inspected.sift);
		goto fail;
	}
	conf->inspector->emitter->n_in_path += in_path;
	*ret = watch;
	return 0;
fail:
	source_close(&watch->source);
	free(watch);
	return code;
}

int watch_take_fd(struct watch *watch, const struct ipc_link_fd *what, int fd, struct err *err)
{
	if (watch->relay && what->kind != IPC_LINK_FD_DROPPED)
		return watch_relay_take(watch, what, fd, err);
	source_take_fd(&watch->source, what, fd);
	return 0;
}

bool watch_renew(struct watch *watch, const struct ipc_link *link)
{
	if (!watch->relay || link->source != IPC_SOURCE_INLINE ||
	    link->ifindex != watch->link.ifindex)
		return false;
	watch->link = *link;
	return true;
}

static void watch_free(struct watch *watch)
{
	source_close(&watch->source);
	free(watch);
}

static void on_closed(uv_handle_t *handle)
{
	watch_free(handle->data);
}

void watch_close(struct watch *watch)
{
	watch->inspected.inspector->emitter->n_in_path -= watch->relay != NULL;
	inspect_end(&watch->inspected);
	if (!watch->relay) {
		uv_close((uv_handle_t *)&watch->poll, on_closed);
		return;
	}
	relay_close(watch->relay);
	egress_filter_done(&watch->filter);
	if (watch->rest_fd >= 0)
		close(watch->rest_fd);
	watch_free(watch);
}

static void tell_losses(struct watch *watch, uint64_t now_ns)
{
	struct source_losses losses;

	if (source_losses(&watch->source, &losses) == 0)
		inspect_losses(&watch->inspected, &losses, now_ns);
}

/* What is read from `until_ns` on is not searched: it counts as what a search was given up on. */
static void read_all(struct watch *watch, uint64_t until_ns)
{
	size_t left = source_frames_max(&watch->source), n;

	search_time_until(until_ns);
	/* The tick that would say so is yet to come. */
	if (clock_ns(CLOCK_MONOTONIC) >= until_ns)
		search_time_end();
	do {
		size_t max = left < FRAMES_PER_TURN ? left : FRAMES_PER_TURN;

		n = source_read(&watch->source, max, inspect_frame, &watch->inspected);
		left -= n;
		watch->batch_end(watch->data);
	} while (n && left);
	search_time_until(0);
}

void watch_drain(struct watch *watch, uint64_t until_ns, uint64_t now_ns)
{
	read_all(watch, until_ns);
	tell_losses(watch, now_ns);
}

void watch_settle(struct watch *watch, uint64_t until_ns, uint64_t now_ns)
{
	const struct source_losses losses = {
		.unread = source_settle(&watch->source, until_ns),
	};

	inspect_losses(&watch->inspected, &losses, now_ns);
}

void watch_tick(struct watch *watch, uint64_t now_ns)
{
	if (watch->quiet && !watch->relay && begin_turn(watch)) {
		watch->quiet = false;
		read_all(watch, watch->turn.end_ns + TURN_GRACE_NS);
		uv_poll_start(&watch->poll, UV_READABLE, on_frames);
	}
	tell_losses(watch, now_ns);
}
