/* What the agent alone can answer: asked over the channel, passed on to the client. Edge. */
#ifndef TW_API_H
#define TW_API_H

#include <stdint.h>
#include <uv.h>

#include "agent/base/buf.h"
#include "agent/base/ipc.h"
#include "web/http_server.h"

/* Requests that wait for the agent; one more is answered 503 at once. */
#define API_PENDING_MAX 64

/* The agent answers from memory and a netlink dump; after so long it does not answer at all. */
#define API_DEADLINE_MS 5000

struct api_pending;

struct api {
	uint64_t asked;
	uint64_t refused; /* above API_PENDING_MAX, or the channel is gone */
	uint64_t expired; /* not answered within the deadline */
	uint64_t strays; /* replies to requests that are not waiting any more */

	uint64_t last_id; /* of the last question; set it to begin elsewhere than at 1 */

	/* private */
	struct ipc_channel *channel;
	unsigned int deadline_ms;
	uv_timer_t timer;
	struct api_pending *first, **end; /* oldest first, hence the next to expire */
	unsigned int n_pending;
};

/* `channel` outlives the api. */
void api_init(struct api *api, uv_loop_t *loop, struct ipc_channel *channel,
	      unsigned int deadline_ms);

/* What becomes of a good answer, instead of passing it on as it is; `body` is JSON. */
typedef void (*api_view)(void *data, struct http_request *request, const struct buf *body);

/*
 * Asks the agent; the answer, 503 or 504 follows. `ask` needs no id. `view` may be NULL; `data` is
 * for it.
 */
void api_ask(struct api *api, struct http_request *request, const struct ipc_request *ask,
	     api_view view, void *data);

/* Has what the request holds tried, by a process that does nothing else; `role` is who asks. */
void api_try(struct api *api, struct http_request *request, enum ipc_try_kind kind, uint32_t role);

/*
 * What becomes of any answer. `request` is NULL when the client has gone: then there is nobody to
 * answer, and only what belongs to `data` is let go. `error` is 0, the agent's, -EBUSY when it
 * could not be asked, or -ETIMEDOUT. `fd` has `length` bytes and stays the caller's; -1 when the
 * agent did not answer.
 */
typedef void (*api_answer)(void *data, struct http_request *request, int error, int fd,
			   size_t length);

/* As api_ask(), for who answers in another way than with JSON and problems. */
void api_ask_for(struct api *api, struct http_request *request, const struct ipc_request *ask,
		 api_answer answer, void *data);

/* IPC_REPLY came. The fd stays the caller's. */
void api_replied(struct api *api, const struct ipc_reply *reply, int fd);

/* No answer is waited for any more: who waits is answered 503. */
void api_give_up(struct api *api);

/* After every server is closed. The memory must stay until the loop has run. */
void api_close(struct api *api);

#endif
