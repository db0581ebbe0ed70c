#include "capture/watch.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"

/* Frames of one link before the others get their turn. */
#define FRAMES_PER_TURN 256u

static void on_frames(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;

	(void)events;
	/*
	 * The link went down or away. What the source still holds is read by the tick, which also polls
	 * again, since a link that comes up again uses the same socket.
	 */
	if (status < 0) {
		uv_poll_stop(poll);
		watch->quiet = true;
		log_debug("%s: %s", watch->link.name, strerror(-source_error(&watch->source)));
		watch->batch_end(watch->data);
		return;
	}
	source_read(&watch->source, FRAMES_PER_TURN, inspect_frame, &watch->inspected);
	watch->batch_end(watch->data);
}

int watch_open(uv_loop_t *loop, const struct ipc_link *link, int fd, const struct watch_conf *conf,
	       struct watch **ret, struct err *err)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	struct source source;
	int code;

	code = source_open(&source, link, fd, &conf->inspector->stats->links[link->slot], err);
	if (code) {
		free(watch);
		return code;
	}
	if (watch)
		watch->link = *link;
	code = watch ? inspect_begin(&watch->inspected, conf->inspector, &watch->link, &conf->mask)
		     : UV_ENOMEM;
	if (!code)
		code = uv_poll_init(loop, &watch->poll, source_fd(&source));
	if (code) {
		if (watch) {
			guests_end(&watch->inspected.guest);
			sift_link_done(&watch->inspected.sift);
		}
		source_close(&source);
		free(watch);
		return err_set(err, code, "cannot poll: %s", uv_strerror(code));
	}
	watch->source = source;
	watch->poll.data = watch;
	watch->batch_end = conf->batch_end;
	watch->data = conf->data;
	uv_poll_start(&watch->poll, UV_READABLE, on_frames);
	*ret = watch;
	return 0;
}

void watch_take_fd(struct watch *watch, const struct ipc_link_fd *what, int fd)
{
	source_take_fd(&watch->source, what, fd);
}

static void on_closed(uv_handle_t *handle)
{
	struct watch *watch = handle->data;

	source_close(&watch->source);
	free(watch);
}

void watch_close(struct watch *watch)
{
	inspect_end(&watch->inspected);
	uv_close((uv_handle_t *)&watch->poll, on_closed);
}

static void tell_losses(struct watch *watch, uint64_t now_ns)
{
	struct source_losses losses;

	if (source_losses(&watch->source, &losses) == 0)
		inspect_losses(&watch->inspected, &losses, now_ns);
}

static void read_all(struct watch *watch)
{
	size_t left = source_frames_max(&watch->source), n;

	do {
		size_t max = left < FRAMES_PER_TURN ? left : FRAMES_PER_TURN;

		n = source_read(&watch->source, max, inspect_frame, &watch->inspected);
		left -= n;
		watch->batch_end(watch->data);
	} while (n && left);
}

void watch_drain(struct watch *watch, uint64_t now_ns)
{
	read_all(watch);
	tell_losses(watch, now_ns);
}

void watch_tick(struct watch *watch, uint64_t now_ns)
{
	if (watch->quiet) {
		watch->quiet = false;
		read_all(watch);
		uv_poll_start(&watch->poll, UV_READABLE, on_frames);
	}
	tell_losses(watch, now_ns);
}
