#include "agent/tap_look.h"

/* In a thread of the pool: touches nothing but the look. */
static void walk(uv_work_t *work)
{
	struct tap_look *look = work->data;

	look->error = held_taps_find(&look->held, &look->taps, look->agent);
}

static void on_walked(uv_work_t *work, int status)
{
	struct tap_look *look = work->data;
	struct held_taps held = look->held;

	link_table_done(&look->taps);
	look->busy = false;
	/* Which may free the look. */
	look->found(look, &held, status < 0 ? status : look->error);
	held_taps_done(&held);
}

int tap_look_start(struct tap_look *look, uv_loop_t *loop, struct link_table *taps, pid_t agent,
		   void (*found)(struct tap_look *look, struct held_taps *held, int error))
{
	int code;

	*look = (struct tap_look){
		.data = look->data, .taps = *taps, .agent = agent, .found = found
	};
	look->work.data = look;
	code = uv_queue_work(loop, &look->work, walk, on_walked);
	if (code)
		link_table_done(&look->taps);
	look->busy = code == 0;
	*taps = (struct link_table){ 0 };
	return code;
}
