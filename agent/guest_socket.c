#include "agent/guest_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * QEMU binds its socket before it listens (unix_listen_saddr()), so the first try may be too early.
 * The socket of a QEMU that died stays; it is tried ever more seldom until the folder changes.
 */
#define RETRY_MIN_MS 20
#define RETRY_MAX_MS 60000

struct guest_socket {
	uv_fs_event_t watch;
	uv_timer_t timer;
	struct guest_socket_conf conf;
	char run_dir[GUEST_PATH_SIZE], link[IFNAME_SIZE];
	uint64_t retry_ms;
	char refused[256]; /* as told last */
	unsigned int open;
};

static void on_timer(uv_timer_t *timer);

static void arm(struct guest_socket *s, uint64_t delay_ms)
{
	uv_timer_start(&s->timer, on_timer, delay_ms, 0);
}

static void tell_refused(struct guest_socket *s, const char *why)
{
	if (strncmp(s->refused, why, sizeof(s->refused) - 1) == 0)
		return;
	(void)snprintf(s->refused, sizeof(s->refused), "%.255s", why);
	s->conf.refused(s->conf.data, why);
}

static void on_timer(uv_timer_t *timer)
{
	struct guest_socket *s = timer->data;
	struct err err;
	int fd, code = guest_dir_dial(&s->conf.dir, s->conf.kind, &fd, &err);

	if (code == 0) {
		s->refused[0] = '\0';
		s->retry_ms = RETRY_MIN_MS;
		s->conf.connected(s->conf.data, fd);
		return;
	}
	if (code == -ENOENT)
		return; /* the watch tells when it comes */
	if (code != -ECONNREFUSED && code != -EAGAIN)
		tell_refused(s, err.text);
	arm(s, s->retry_ms);
	s->retry_ms = s->retry_ms * 2 < RETRY_MAX_MS ? s->retry_ms * 2 : RETRY_MAX_MS;
}

void guest_socket_dial(struct guest_socket *s)
{
	s->retry_ms = RETRY_MIN_MS;
	arm(s, 0);
}

static void on_change(uv_fs_event_t *watch, const char *name, int events, int status)
{
	struct guest_socket *s = watch->data;

	(void)events;
	if (status == 0 && name && strcmp(name, guest_end_name(GUEST_END_QEMU)) == 0)
		guest_socket_dial(s);
}

static void on_closed(uv_handle_t *handle)
{
	struct guest_socket *s = handle->data;

	if (--s->open == 0)
		free(s);
}

void guest_socket_close(struct guest_socket *s)
{
	uv_close((uv_handle_t *)&s->watch, on_closed);
	uv_close((uv_handle_t *)&s->timer, on_closed);
}

int guest_socket_open(uv_loop_t *loop, const struct guest_socket_conf *conf,
		      struct guest_socket **ret, struct err *err)
{
	struct guest_socket *s = calloc(1, sizeof(*s));
	char path[GUEST_PATH_SIZE];
	int code;

	if (!s)
		return err_errno(err, -ENOMEM, "cannot wait for the QEMU of %s", conf->dir.link);
	s->conf = *conf;
	(void)snprintf(s->run_dir, sizeof(s->run_dir), "%s", conf->dir.run_dir);
	(void)snprintf(s->link, sizeof(s->link), "%s", conf->dir.link);
	s->conf.dir.run_dir = s->run_dir;
	s->conf.dir.link = s->link;
	code = guest_dir_make(&conf->dir, err);
	if (code == 0)
		code = guest_dir_name(&conf->dir, path, err);
	if (code) {
		free(s);
		return code;
	}
	uv_fs_event_init(loop, &s->watch);
	uv_timer_init(loop, &s->timer);
	s->watch.data = s->timer.data = s;
	s->open = 2;
	code = uv_fs_event_start(&s->watch, on_change, path, 0);
	if (code) {
		guest_socket_close(s);
		return err_errno(err, code, "cannot watch %s", path);
	}
	guest_socket_dial(s);
	*ret = s;
	return 0;
}
