#include "web/pcap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/config.h"
#include "agent/base/stats.h"
#include "web/pcapng_pick.h"
#include "web/reply.h"
#include "web/routes.h"

/* Read at once; a block fits whole. */
#define CHUNK (2u * PCAPNG_BLOCK_MAX)

/* One download: each capture worker has a file of its own. */
struct pcap {
	struct http_request *request;
	struct api *api;
	uv_loop_t *loop;
	uv_timer_t timer; /* goes on after others had their turn */
	struct pcapng_pick pick;
	char link[NAME_MAX_LEN + 1], rule[NAME_MAX_LEN + 1];
	struct {
		int fd;
		uint64_t end; /* as it was when it was opened */
	} files[STATS_CAPTURES_MAX];
	unsigned int n_files, file; /* `file` is read now, */
	uint64_t at; /* from here on */
	struct buf out; /* picked and not sent */
	size_t sent; /* of `out` */
	uint8_t chunk[CHUNK];
};

static void pcap_free(struct pcap *pcap)
{
	for (unsigned int i = 0; i < pcap->n_files; i++)
		close(pcap->files[i].fd);
	buf_done(&pcap->out);
	free(pcap);
}

static void on_timer_closed(uv_handle_t *handle)
{
	pcap_free(handle->data);
}

static void on_turn(uv_timer_t *timer)
{
	struct pcap *pcap = timer->data;

	http_stream_wake(pcap->request);
}

/* The next blocks of the file into `out`; false when there are none any more. */
static bool read_file(struct pcap *pcap)
{
	uint64_t left = pcap->files[pcap->file].end - pcap->at;
	size_t size = left < CHUNK ? (size_t)left : CHUNK;
	ssize_t n = pread(pcap->files[pcap->file].fd, pcap->chunk, size, (off_t)pcap->at), used;

	if (n <= 0)
		return false;
	used = pcapng_pick(&pcap->pick, pcap->chunk, (size_t)n, &pcap->out);
	if (used <= 0 || pcap->out.failed)
		return false;
	pcap->at += (uint64_t)used;
	return true;
}

static bool read_more(struct pcap *pcap)
{
	while (!read_file(pcap)) {
		if (pcap->file + 1 >= pcap->n_files)
			return false;
		pcap->file++;
		pcap->at = 0;
		pcapng_pick_next_file(&pcap->pick);
	}
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

static struct pcap *pcap_new(struct api *api, uv_loop_t *loop, const struct route_match *match)
{
	struct pcap *pcap = calloc(1, sizeof(*pcap));

	if (!pcap)
		return NULL;
	pcap->api = api;
	pcap->loop = loop;
	buf_init(&pcap->out, CHUNK);
	memcpy(pcap->link, match->names[ROUTE_PARAM_LINK], sizeof(pcap->link));
	memcpy(pcap->rule, match->names[ROUTE_PARAM_RULE], sizeof(pcap->rule));
	pcap->pick.link = (match->has & ROUTE_TAKES(LINK)) ? pcap->link : NULL;
	pcap->pick.rule = (match->has & ROUTE_TAKES(RULE)) ? pcap->rule : NULL;
	pcap->pick.has_packet = match->has & ROUTE_TAKES(PACKET);
	pcap->pick.packet = match->numbers[ROUTE_PARAM_PACKET];
	pcap->pick.since_ns = match->numbers[ROUTE_PARAM_SINCE];
	pcap->pick.until_ns = match->numbers[ROUTE_PARAM_UNTIL];
	return pcap;
}

static void pcap_start(struct pcap *pcap, struct http_request *request)
{
	uv_timer_init(pcap->loop, &pcap->timer);
	pcap->timer.data = pcap;
	pcap->request = request;
	http_stream(request, "application/x-pcapng", &ops, pcap);
}

static void reply_failed(struct http_request *request)
{
	reply_problem(request, 503, "pcap.failed", "the frames cannot be read now", "try again");
}

static void on_file(void *data, struct http_request *request, int error, int fd, size_t length);

static void ask_for_file(struct pcap *pcap, struct http_request *request)
{
	struct ipc_request ask = { .op = IPC_OP_PCAP, .role = ROLE_OPERATOR };

	(void)snprintf(ask.name, sizeof(ask.name), "%u", pcap->n_files);
	api_ask_for(pcap->api, request, &ask, on_file, pcap);
}

static int take_file(struct pcap *pcap, int fd, size_t length)
{
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (own < 0)
		return -errno;
	pcap->files[pcap->n_files].fd = own;
	pcap->files[pcap->n_files++].end = length;
	return 0;
}

/* All of them are asked for before the first byte is sent. */
static void on_file(void *data, struct http_request *request, int error, int fd, size_t length)
{
	struct pcap *pcap = data;

	if (request && !error)
		error = take_file(pcap, fd, length);
	if (request && !error && pcap->n_files < STATS_CAPTURES_MAX) {
		ask_for_file(pcap, request);
		return;
	}
	if (request && pcap->n_files && (!error || error == -ENOENT)) {
		pcap_start(pcap, request);
		return;
	}
	if (request && error == -ENOENT)
		reply_problem(request, 404, "pcap.none", "no frames are kept",
			      "[record] pcap = matches or all keeps them");
	else if (request)
		reply_failed(request);
	pcap_free(pcap);
}

void pcap_serve(struct api *api, uv_loop_t *loop, struct http_request *request)
{
	struct route_match match;
	struct pcap *pcap = NULL;

	/* It was understood before. */
	if (route_match(IPC_LISTEN_API, request->method, request->target, &match, NULL) == 0)
		pcap = pcap_new(api, loop, &match);
	if (pcap)
		ask_for_file(pcap, request);
	else
		reply_failed(request);
}
