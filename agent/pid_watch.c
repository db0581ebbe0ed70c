#include "agent/pid_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

struct pid_watch {
	uv_poll_t poll;
	int fd;
	void (*ended)(void *data);
	void *data;
};

static void on_ended(uv_poll_t *poll, int status, int events)
{
	struct pid_watch *watch = poll->data;

	(void)status;
	(void)events;
	uv_poll_stop(poll);
	watch->ended(watch->data);
}

int pid_watch_start(uv_loop_t *loop, pid_t pid, void (*ended)(void *data), void *data,
		    struct pid_watch **ret)
{
	struct pid_watch *watch = calloc(1, sizeof(*watch));
	int code;

	if (!watch)
		return -ENOMEM;
	/* glibc has a function for it since 2.36, of which not every header tells. */
	watch->fd = (int)syscall(SYS_pidfd_open, pid, 0);
	code = watch->fd < 0 ? -errno : uv_poll_init(loop, &watch->poll, watch->fd);
	if (code) {
		if (watch->fd >= 0)
			close(watch->fd);
		free(watch);
		return code;
	}
	watch->poll.data = watch;
	watch->ended = ended;
	watch->data = data;
	uv_poll_start(&watch->poll, UV_READABLE, on_ended);
	*ret = watch;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct pid_watch *watch = handle->data;

	close(watch->fd);
	free(watch);
}

void pid_watch_stop(struct pid_watch *watch)
{
	if (watch)
		uv_close((uv_handle_t *)&watch->poll, on_closed);
}
