#include "agent/supervisor.h"

#include "agent/base/log.h"

/* Notifications of one cause come within this time: one pass for all of them. */
#define GATHER_MS 5
/* A storm of notifications costs at most one pass in this time. */
#define PASS_MIN_MS 500
/* When the kernel could not be asked, or would not give. */
#define RETRY_MS 1000

static void on_timer(uv_timer_t *timer);

static void arm(struct supervisor *s, uint64_t delay_ms)
{
	if (uv_is_active((uv_handle_t *)&s->timer) && uv_timer_get_due_in(&s->timer) <= delay_ms)
		return;
	uv_timer_start(&s->timer, on_timer, delay_ms, 0);
}

static void on_step(const struct link_result *result, void *data)
{
	struct supervisor *s = data;

	s->acted = s->acted || result->error == 0;
	s->ops->step(s, result);
}

static void on_lost(const struct reconcile_link *link, void *data)
{
	struct supervisor *s = data;

	s->ops->lost(s, link);
}

static void on_mac_changed(const struct reconcile_link *link, const char *who, void *data)
{
	struct supervisor *s = data;

	s->ops->mac_changed(s, link, who);
}

static void on_port(const struct port_result *result, void *data)
{
	struct supervisor *s = data;

	s->ops->port(s, result);
}

static void on_rising(const struct link_rising *links, size_t n, void *data)
{
	struct supervisor *s = data;

	s->ops->rising(s, links, n);
}

static void on_timer(uv_timer_t *timer)
{
	struct supervisor *s = timer->data;
	const struct reconcile_watch watch = { .step = on_step,
					       .lost = on_lost,
					       .mac_changed = on_mac_changed,
					       .port = on_port,
					       .data = s };
	int64_t wait_ms = RETRY_MS;
	struct err err;

	uv_update_time(timer->loop);
	s->last_pass_ms = uv_now(timer->loop);
	s->passed_once = true;
	s->acted = false;
	if (reconcile_pass(s->reconcile, s->last_pass_ms, &watch, &wait_ms, &err))
		log_err("%s: trying again in a second", err.text);
	s->ops->passed(s);
	/*
	 * What was made is looked at soon, to be watched; but whoever undoes it sets no faster
	 * pace.
	 */
	s->looking = s->acted && !s->looking;
	if (s->looking)
		arm(s, GATHER_MS);
	if (wait_ms >= 0)
		arm(s, (uint64_t)wait_ms);
}

static void on_notified(uv_poll_t *poll, int status, int events)
{
	struct supervisor *s = poll->data;
	uint64_t since = uv_now(poll->loop) - s->last_pass_ms;

	(void)events;
	/*
	 * An overrun of the socket's buffer is an error to poll(2), at which libuv stops the
	 * handle. It means that notifications were lost, so a pass is due; and the next ones are to
	 * be heard.
	 */
	if (status < 0)
		uv_poll_start(poll, UV_READABLE, on_notified);
	if (reconcile_drain(s->reconcile) != 0 || status < 0)
		arm(s, s->passed_once && since < PASS_MIN_MS ? PASS_MIN_MS - since : GATHER_MS);
}

int supervisor_start(struct supervisor *s, uv_loop_t *loop, const struct config *config,
		     const struct supervisor_ops *ops, struct err *err)
{
	const struct link_rising_watch rising = { .cb = on_rising, .data = s };
	int code = reconcile_open(config, &s->reconcile, err);

	if (code)
		return code;
	reconcile_watch_rising(s->reconcile, &rising);
	s->ops = ops;
	code = uv_poll_init(loop, &s->poll, reconcile_fd(s->reconcile));
	if (code)
		return err_errno(err, code, "cannot wait for link changes");
	uv_timer_init(loop, &s->timer);
	s->poll.data = s->timer.data = s;
	s->open = 2;
	uv_poll_start(&s->poll, UV_READABLE, on_notified);
	on_timer(&s->timer);
	return 0;
}

void supervisor_kick(struct supervisor *s)
{
	arm(s, 0);
}

void supervisor_retry(struct supervisor *s)
{
	arm(s, RETRY_MS);
}

static void on_closed(uv_handle_t *handle)
{
	struct supervisor *s = handle->data;

	if (--s->open > 0)
		return;
	reconcile_free(s->reconcile);
	s->reconcile = NULL;
	s->closed(s);
}

void supervisor_close(struct supervisor *s, void (*closed)(struct supervisor *supervisor))
{
	s->closed = closed;
	if (s->open == 0) {
		reconcile_free(s->reconcile);
		s->reconcile = NULL;
		closed(s);
		return;
	}
	uv_close((uv_handle_t *)&s->poll, on_closed);
	uv_close((uv_handle_t *)&s->timer, on_closed);
}
