#include "web/pcap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/config.h"
#include "web/pcapng_pick.h"
#include "web/reply.h"
#include "web/routes.h"

/* Read at once; a block fits whole. */
#define CHUNK (2u * PCAPNG_BLOCK_MAX)

/* One download. */
struct pcap {
	struct http_request *request;
	uv_timer_t timer; /* goes on after others had their turn */
	struct pcapng_pick pick;
	char link[NAME_MAX_LEN + 1], rule[NAME_MAX_LEN + 1];
	int fd;
	uint64_t at, end; /* in the file; `end` as it was when it was opened */
	struct buf out; /* picked and not sent */
	size_t sent; /* of `out` */
	uint8_t chunk[CHUNK];
};

static void on_timer_closed(uv_handle_t *handle)
{
	struct pcap *pcap = handle->data;

	close(pcap->fd);
	buf_done(&pcap->out);
	free(pcap);
}

static void on_turn(uv_timer_t *timer)
{
	struct pcap *pcap = timer->data;

	http_stream_wake(pcap->request);
}

/* The next blocks into `out`; false when there are none any more. */
static bool read_more(struct pcap *pcap)
{
	size_t size = pcap->end - pcap->at < CHUNK ? (size_t)(pcap->end - pcap->at) : CHUNK;
	ssize_t n = pread(pcap->fd, pcap->chunk, size, (off_t)pcap->at), used;

	if (n <= 0)
		return false;
	used = pcapng_pick(&pcap->pick, pcap->chunk, (size_t)n, &pcap->out);
	if (used <= 0 || pcap->out.failed)
		return false;
	pcap->at += (uint64_t)used;
	return true;
}

static ssize_t on_read(void *data, char *out, size_t max)
{
	struct pcap *pcap = data;
	size_t n;

	if (pcap->sent == pcap->out.len) {
		buf_reset(&pcap->out);
		pcap->sent = 0;
	}
	/* A few chunks at most, so that one who picks little does not hold the others. */
	for (int turn = 0; pcap->sent == pcap->out.len && turn < 4; turn++) {
		if (!read_more(pcap))
			return -1;
	}
	n = pcap->out.len - pcap->sent;
	if (!n)
		uv_timer_start(&pcap->timer, on_turn, 0, 0);
	if (n > max)
		n = max;
	if (n)
		memcpy(out, pcap->out.data + pcap->sent, n);
	pcap->sent += n;
	return (ssize_t)n;
}

static void on_closed(void *data)
{
	struct pcap *pcap = data;

	uv_close((uv_handle_t *)&pcap->timer, on_timer_closed);
}

static const struct http_stream_ops ops = { on_read, on_closed };

static struct pcap *pcap_new(uv_loop_t *loop, const struct route_match *match, int fd,
			     size_t length)
{
	struct pcap *pcap = calloc(1, sizeof(*pcap));

	if (!pcap)
		return NULL;
	pcap->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (pcap->fd < 0) {
		free(pcap);
		return NULL;
	}
	uv_timer_init(loop, &pcap->timer);
	pcap->timer.data = pcap;
	pcap->end = length;
	buf_init(&pcap->out, CHUNK);
	memcpy(pcap->link, match->names[ROUTE_PARAM_LINK], sizeof(pcap->link));
	memcpy(pcap->rule, match->names[ROUTE_PARAM_RULE], sizeof(pcap->rule));
	pcap->pick.link = (match->has & ROUTE_TAKES(LINK)) ? pcap->link : NULL;
	pcap->pick.rule = (match->has & ROUTE_TAKES(RULE)) ? pcap->rule : NULL;
	pcap->pick.has_packet = match->has & ROUTE_TAKES(PACKET);
	pcap->pick.packet = match->numbers[ROUTE_PARAM_PACKET];
	return pcap;
}

static void on_file(void *data, struct http_request *request, int error, int fd, size_t length)
{
	struct route_match match;
	struct pcap *pcap = NULL;

	if (error == -ENOENT) {
		reply_problem(request, 404, "pcap.none", "no frames are kept",
			      "[record] pcap = matches or all keeps them");
		return;
	}
	/* It was understood before the agent was asked. */
	if (!error &&
	    route_match(IPC_LISTEN_API, request->method, request->target, &match, NULL) == 0)
		pcap = pcap_new(data, &match, fd, length);
	if (pcap) {
		pcap->request = request;
		http_stream(request, "application/x-pcapng", &ops, pcap);
		return;
	}
	reply_problem(request, 503, "pcap.failed", "the frames cannot be read now", "try again");
}

void pcap_serve(struct api *api, uv_loop_t *loop, struct http_request *request)
{
	const struct ipc_request ask = { .op = IPC_OP_PCAP, .role = ROLE_OPERATOR };

	api_ask_for(api, request, &ask, on_file, loop);
}
