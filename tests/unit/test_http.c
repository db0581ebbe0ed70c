/* links: web/http_server.c web/http_conn.c web/http_request.c web/http_head.c web/http_file.c */
/* links: agent/base/buf.c agent/base/err.c web/mhd_lib.c agent/base/late_lib.c web/problem.c */
#include "web/http_server.h"
#include "web/mhd_lib.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "tests/unit/http_client.h"

/* Long for everything but what a test of deadlines makes short. */
static const struct http_limits patient = {
	.connections = 128, .per_peer = 0, .request_ms = 60000, .reply_ms = 60000, .memory = 16384
};

struct fixture {
	uv_loop_t loop;
	struct http_server *server;
	struct sockaddr_in addr;
	int listener; /* a second fd of the same socket, as the agent keeps one */
	struct http_request *waiting;
	struct http_request *stream;
	const char *chunk; /* what the stream has to say */
	bool stream_ends;
	int streams_closed;
	int gone;
	char *large;
};

#define LARGE_SIZE (64u << 20)

static void reply_with(struct http_request *request, unsigned int status, const char *text,
		       size_t len)
{
	const struct http_answer answer = {
		.status = status, .type = "text/plain", .body = text, .length = len
	};

	http_reply(request, &answer);
}

static void on_gone(struct http_request *request)
{
	struct fixture *f = request->data;

	f->gone++;
	f->waiting = NULL;
}

static ssize_t stream_read(void *data, char *out, size_t max)
{
	struct fixture *f = data;
	size_t len = f->chunk ? strlen(f->chunk) : 0;

	if (len == 0)
		return f->stream_ends ? -1 : 0;
	assert_true(len <= max);
	memcpy(out, f->chunk, len);
	f->chunk = NULL;
	return (ssize_t)len;
}

static void stream_closed(void *data)
{
	struct fixture *f = data;

	f->streams_closed++;
	f->stream = NULL;
}

static const struct http_stream_ops stream_ops = { stream_read, stream_closed };

static int memfd_with(const char *text)
{
	int fd = memfd_create("file", MFD_CLOEXEC);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static void on_request(struct http_request *request, void *data)
{
	struct fixture *f = data;
	char text[HTTP_TARGET_MAX + 64];

	if (strcmp(request->target, "/later") == 0) {
		f->waiting = request;
		request->data = f;
		request->gone = on_gone;
	} else if (strcmp(request->target, "/stream") == 0) {
		f->stream = request;
		http_stream(request, "application/x-ndjson", &stream_ops, f);
	} else if (strcmp(request->target, "/large") == 0) {
		reply_with(request, 200, f->large, LARGE_SIZE);
	} else if (strcmp(request->target, "/file") == 0) {
		http_reply_file(request, memfd_with("0123456789"), 10, "application/octet-stream");
	} else if (strcmp(request->target, "/large-file") == 0) {
		int fd = memfd_create("large", MFD_CLOEXEC);

		assert_int_equal(ftruncate(fd, LARGE_SIZE), 0);
		http_reply_file(request, fd, LARGE_SIZE, "application/octet-stream");
	} else if (request->body_length) {
		reply_with(request, 200, request->body, request->body_length);
	} else {
		const char *header = http_header(request, "X-Test");

		snprintf(text, sizeof(text), "%s %s %s\n", request->method, request->target,
			 header ? header : "-");
		reply_with(request, 200, text, strlen(text));
	}
}

static const struct {
	const char *range; /* NULL: none is asked for */
	int status;
	const char *content_range; /* NULL: none is told */
	const char *body;
} ranges[] = {
	{ NULL, 200, NULL, "0123456789" },
	{ "bytes=0-", 206, "bytes 0-9/10", "0123456789" },
	{ "bytes=3-", 206, "bytes 3-9/10", "3456789" },
	{ "bytes=3-5", 206, "bytes 3-5/10", "345" },
	{ "bytes=9-9", 206, "bytes 9-9/10", "9" },
	{ "bytes=3-99", 206, "bytes 3-9/10", "3456789" },
	{ "bytes=-4", 206, "bytes 6-9/10", "6789" },
	{ "bytes=-99", 206, "bytes 0-9/10", "0123456789" },
	{ "bytes=3-5\r\nIf-Range: \"of before\"", 200, NULL, "0123456789" },
	{ "bytes=3-5\r\nIf-Range: Sat, 28 Nov 2026 00:00:00 GMT", 200, NULL, "0123456789" },
	{ "bytes=10-", 416, "bytes */10", "" },
	{ "bytes=-0", 416, "bytes */10", "" },
	/* RFC 9110 section 14.2: what is not understood is ignored. */
	{ "bytes=5-3", 200, NULL, "0123456789" },
	{ "bytes=-", 200, NULL, "0123456789" },
	{ "bytes=0-1,3-4", 200, NULL, "0123456789" },
	{ "lines=1-2", 200, NULL, "0123456789" },
	{ "bytes=a-b", 200, NULL, "0123456789" },
	{ "bytes=99999999999999999999-", 200, NULL, "0123456789" },
};

static void start(struct fixture *f, const struct http_limits *limits)
{
	struct err err = { "" };
	int fd;

	*f = (struct fixture){ 0 };
	assert_int_equal(uv_loop_init(&f->loop), 0);
	fd = listen_on_loopback(&f->addr);
	f->listener = dup(fd);
	assert_int_equal(mhd_lib_load(&err), 0);
	http_server_open(&f->server, &f->loop, fd, limits, NULL, on_request, f, &err);
	assert_string_equal(err.text, "");
}

static void on_closed(void *data)
{
	*(bool *)data = true;
}

/* Nothing may be left: no handle, no connection. */
static void stop(struct fixture *f)
{
	bool closed = false;

	http_server_close(f->server, on_closed, &closed);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_true(closed);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	close(f->listener);
	free(f->large);
}

static const struct http_counters *counters(struct fixture *f)
{
	return http_server_counters(f->server);
}

static void exchange(struct fixture *f, const char *request, const char *status, const char *body)
{
	char *answer = client_exchange(&f->loop, &f->addr, request, strlen(request));
	const char *end;

	assert_non_null(answer);
	if (strncmp(answer, status, strlen(status)) != 0)
		print_error("asked %s\nanswered %s\n", request, answer);
	assert_memory_equal(answer, status, strlen(status));
	end = strstr(answer, "\r\n\r\n");
	assert_non_null(end);
	if (body)
		assert_string_equal(end + 4, body);
	free(answer);
}

#define CLOSE "Host: x\r\nConnection: close\r\n"

static void answers(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, &patient);
	exchange(&f, "GET /a?b=%41 HTTP/1.1\r\n" CLOSE "\r\n", "HTTP/1.1 200 ", "GET /a?b=%41 -\n");
	exchange(&f, "GET /a HTTP/1.1\r\nx-test: v\r\n" CLOSE "\r\n", "HTTP/1.1 200 ",
		 "GET /a v\n");
	exchange(&f, "HEAD /a HTTP/1.1\r\n" CLOSE "\r\n", "HTTP/1.1 200 ", "");
	exchange(&f, "POST /a HTTP/1.1\r\nContent-Length: 0\r\n" CLOSE "\r\n", "HTTP/1.1 200 ",
		 "POST /a -\n");
	exchange(&f, "GET /a HTTP/1.0\r\n\r\n", "HTTP/1.1 200 ", "GET /a -\n");
	/* Not a byte of the path is decoded or made shorter. */
	exchange(&f, "GET //a/../%2e%00/ HTTP/1.1\r\n" CLOSE "\r\n", "HTTP/1.1 200 ",
		 "GET //a/../%2e%00/ -\n");
	assert_int_equal(counters(&f)->requests, 6);
	stop(&f);
}

static void ranges_of_a_file(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, &patient);
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		char text[256];
		char *answer;
		int len = snprintf(
			text, sizeof(text),
			"GET /file HTTP/1.1\r\nHost: x\r\n%s%s%sConnection: close\r\n\r\n",
			ranges[i].range ? "Range: " : "", ranges[i].range ? ranges[i].range : "",
			ranges[i].range ? "\r\n" : "");

		answer = client_exchange(&f.loop, &f.addr, text, (size_t)len);
		assert_non_null(answer);
		snprintf(text, sizeof(text), "HTTP/1.1 %d ", ranges[i].status);
		assert_memory_equal(answer, text, strlen(text));
		assert_non_null(strstr(answer, "Accept-Ranges: bytes\r\n"));
		if (ranges[i].content_range) {
			snprintf(text, sizeof(text), "Content-Range: %s\r\n",
				 ranges[i].content_range);
			assert_non_null(strstr(answer, text));
		} else {
			assert_null(strstr(answer, "Content-Range"));
		}
		assert_string_equal(strstr(answer, "\r\n\r\n") + 4, ranges[i].body);
		free(answer);
	}
	stop(&f);
}

static void keeps_alive(void **state)
{
	static const char two[] = "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
				  "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n";
	struct fixture f;
	struct buf out;
	int fd;

	(void)state;
	start(&f, &patient);
	fd = client_connect(&f.addr);
	buf_init(&out, 65536);
	client_send(fd, two, sizeof(two) - 1);
	client_read_until(&f.loop, fd, &out, "GET /2 -\n");
	client_send(fd, two, sizeof(two) - 1);
	client_read_until(&f.loop, fd, &out, "GET /2 -\n");
	assert_int_equal(counters(&f)->connections, 1);
	close(fd);
	buf_done(&out);
	stop(&f);
}

static void answers_later(void **state)
{
	static const char get[] = "GET /later HTTP/1.1\r\n" CLOSE "\r\n";
	struct fixture f;
	struct buf out;
	int fd;

	(void)state;
	start(&f, &patient);
	fd = client_connect(&f.addr);
	client_send(fd, get, sizeof(get) - 1);
	while (!f.waiting)
		loop_turn(&f.loop);
	/* Another client is served meanwhile. */
	exchange(&f, "GET /a HTTP/1.1\r\n" CLOSE "\r\n", "HTTP/1.1 200 ", "GET /a -\n");
	reply_with(f.waiting, 503, "busy\n", 5);
	buf_init(&out, 65536);
	client_read_all(&f.loop, fd, &out);
	assert_memory_equal(out.data, "HTTP/1.1 503 ", 13);
	assert_non_null(strstr(out.data, "\r\n\r\nbusy\n"));
	assert_int_equal(f.gone, 0);
	close(fd);
	buf_done(&out);
	stop(&f);
}

static void streams(void **state)
{
	static const char get[] = "GET /stream HTTP/1.1\r\n" CLOSE "\r\n";
	struct fixture f;
	struct buf out;
	int fd;

	(void)state;
	start(&f, &patient);
	fd = client_connect(&f.addr);
	client_send(fd, get, sizeof(get) - 1);
	buf_init(&out, 65536);
	/* The head comes before there is anything to say. */
	client_read_until(&f.loop, fd, &out, "\r\n\r\n");
	assert_non_null(strstr(out.data, "application/x-ndjson"));
	for (int i = 0; i < 3; i++) {
		http_stream_wake(f.stream);
		loop_turn(&f.loop);
		f.chunk = i == 0 ? "{\"a\":0}\n" : i == 1 ? "{\"a\":1}\n" : "{\"a\":2}\n";
		http_stream_wake(f.stream);
		client_read_until(&f.loop, fd, &out,
				  i == 0   ? "{\"a\":0}\n\r\n"
				  : i == 1 ? "{\"a\":1}\n\r\n"
					   : "{\"a\":2}\n\r\n");
	}
	f.stream_ends = true;
	http_stream_wake(f.stream);
	client_read_all(&f.loop, fd, &out);
	assert_string_equal(out.data + out.len - 7, "\r\n0\r\n\r\n");
	assert_int_equal(f.streams_closed, 1);
	assert_null(f.stream);
	close(fd);
	buf_done(&out);
	stop(&f);
}

/* A client that leaves while there is nothing to say is noticed all the same. */
static void streams_end_with_their_client(void **state)
{
	static const char get[] = "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n";
	struct http_limits limits = patient;
	struct fixture f;
	struct buf out;
	int fd;

	(void)state;
	limits.request_ms = 100;
	start(&f, &limits);
	fd = client_connect(&f.addr);
	client_send(fd, get, sizeof(get) - 1);
	buf_init(&out, 65536);
	client_read_until(&f.loop, fd, &out, "\r\n\r\n");
	close(fd);
	while (!f.streams_closed)
		loop_turn(&f.loop);
	while (!http_server_idle(f.server))
		loop_turn(&f.loop);
	assert_int_equal(counters(&f)->cut, 0);
	buf_done(&out);
	stop(&f);
}

static void head_of_a_stream(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, &patient);
	exchange(&f, "HEAD /stream HTTP/1.1\r\n" CLOSE "\r\n", "HTTP/1.1 200 ", "");
	while (!http_server_idle(f.server))
		loop_turn(&f.loop);
	assert_int_equal(f.streams_closed, 1);
	stop(&f);
}

#define TEN	"0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define KILO	HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED

/* `status` "": closed without an answer. Everything ends in a closed connection. */
static const struct {
	const char *bytes;
	size_t len;
	const char *status;
} hostile[] = {
#define BYTES(s) (s), sizeof(s) - 1
	{ BYTES("\x16\x03\x01\0\r\n\r\n"), "" },
	{ BYTES("GET\r\n\r\n"), "" },
	{ BYTES("GET / HTTP/9.9\r\nHost: x\r\n\r\n"), "HTTP/1.1 505 " },
	{ BYTES("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 400 " }, /* no Host: RFC 9112 section 3.2 */
	{ BYTES("GET / HTTP/1.1\r\n" CLOSE "no colon\r\n\r\n"), "HTTP/1.1 400 " },
	{ BYTES("GET /" KILO " HTTP/1.1\r\n" CLOSE "\r\n"), "HTTP/1.1 200 " },
	{ BYTES("GET /" KILO HUNDRED " HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 414 " },
	{ BYTES("GET /" KILO KILO KILO KILO KILO KILO KILO KILO KILO KILO KILO KILO KILO KILO KILO
			KILO KILO " HTTP/1.1\r\nHost: x\r\n\r\n"),
	  "HTTP/1.1 414 " },
	{ BYTES("GET / HTTP/1.1\r\nHost: x\r\nA: " KILO KILO KILO KILO KILO KILO KILO KILO KILO KILO
			KILO KILO KILO KILO KILO KILO KILO "\r\n\r\n"),
	  "HTTP/1.1 431 " },
	/* Content is refused and never taken for the next request. */
	{ BYTES("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 33\r\n\r\n"
		"GET /next HTTP/1.1\r\nHost: x\r\n\r\n...."),
	  "HTTP/1.1 413 " },
	{ BYTES("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 33\r\n\r\n"
		"GET /next HTTP/1.1\r\nHost: x\r\n\r\n...."),
	  "HTTP/1.1 413 " },
	{ BYTES("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
		"1\r\na\r\n0\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n"),
	  "HTTP/1.1 413 " },
	{ BYTES("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 33\r\n\r\n"
		"GET /next HTTP/1.1\r\nHost: x\r\n\r\n...."),
	  "HTTP/1.1 400 " },
	{ BYTES("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"),
	  "HTTP/1.1 413 " },
	{ BYTES("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"), "HTTP/1.1 4" },
	{ BYTES("PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"),
	  "HTTP/1.1 413 " },
};

static void hostile_requests(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, &patient);
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		uint64_t before = counters(&f)->requests;
		char *answer = client_exchange(&f.loop, &f.addr, hostile[i].bytes, hostile[i].len);

		assert_non_null(answer);
		if (strncmp(answer, hostile[i].status, strlen(hostile[i].status)) != 0)
			print_error("case %zu: %.200s\n", i, answer);
		assert_memory_equal(answer, hostile[i].status, strlen(hostile[i].status));
		assert_null(strstr(answer, "/next"));
		assert_true(counters(&f)->requests <= before + 1);
		free(answer);
	}
	exchange(&f, "GET /a HTTP/1.1\r\n" CLOSE "\r\n", "HTTP/1.1 200 ", "GET /a -\n");
	stop(&f);
}

#define TOO_MUCH                                                                    \
	"{\"type\":\"about:blank\",\"title\":\"Content Too Large\",\"status\":413," \
	"\"detail\":\"a request has at most 8 bytes of content here\","             \
	"\"code\":\"body.refused\","                                                \
	"\"message\":\"a request has at most 8 bytes of content here\"}\n"

/* On a server that takes content: as it was sent, and not a byte more than its bound. */
static void bodies(void **state)
{
	static const struct {
		const char *request, *status, *body;
	} cases[] = {
		{ "POST / HTTP/1.1\r\n" CLOSE "Content-Length: 8\r\n\r\n12345678", "HTTP/1.1 200 ",
		  "12345678" },
		{ "POST / HTTP/1.1\r\n" CLOSE "Content-Length: 9\r\n\r\n123456789", "HTTP/1.1 413 ",
		  TOO_MUCH },
		{ "POST / HTTP/1.1\r\n" CLOSE "Transfer-Encoding: chunked\r\n\r\n"
		  "3\r\nabc\r\n5\r\ndefgh\r\n0\r\n\r\n",
		  "HTTP/1.1 200 ", "abcdefgh" },
		{ "POST / HTTP/1.1\r\n" CLOSE "Transfer-Encoding: chunked\r\n\r\n"
		  "3\r\nabc\r\n6\r\ndefghi\r\n0\r\n\r\n",
		  "HTTP/1.1 413 ", TOO_MUCH },
		{ "POST /b HTTP/1.1\r\n" CLOSE "Content-Length: 0\r\n\r\n", "HTTP/1.1 200 ",
		  "POST /b -\n" },
		/* The next request of the connection is read where the content ends. */
		{ "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
		  "GET /next HTTP/1.1\r\n" CLOSE "\r\n",
		  "HTTP/1.1 200 ", "GET /next -\n" },
	};
	struct http_limits limits = patient;
	struct fixture f;

	(void)state;
	limits.body = 8;
	start(&f, &limits);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *answer = client_exchange(&f.loop, &f.addr, cases[i].request,
					       strlen(cases[i].request));

		assert_memory_equal(answer, cases[i].status, strlen(cases[i].status));
		if (cases[i].body)
			assert_string_equal(answer + strlen(answer) - strlen(cases[i].body),
					    cases[i].body);
		free(answer);
	}
	stop(&f);
}

/* libmicrohttpd hands targets over as C strings: a NUL ends one, and nobody sees what follows. */
static void nul_in_the_target(void **state)
{
	static const char get[] = "GET /a\0/later HTTP/1.1\r\n" CLOSE "\r\n";
	struct fixture f;
	char *answer;

	(void)state;
	start(&f, &patient);
	answer = client_exchange(&f.loop, &f.addr, get, sizeof(get) - 1);
	assert_non_null(strstr(answer, "\r\n\r\nGET /a -\n"));
	assert_null(f.waiting);
	free(answer);
	stop(&f);
}

/* One byte at a time, never idle for long, and still cut. */
static void cuts_who_trickles(void **state)
{
	struct http_limits limits = patient;
	struct fixture f;
	struct buf out;
	int fd, sent = 0;

	(void)state;
	limits.request_ms = 200;
	start(&f, &limits);
	fd = client_connect(&f.addr);
	buf_init(&out, 65536);
	client_send(fd, "GET /", 5);
	while (client_take(fd, &out)) {
		assert_true(send(fd, "a", 1, MSG_NOSIGNAL) == 1 || errno == EPIPE ||
			    errno == ECONNRESET);
		assert_true(++sent < 1000);
		for (int i = 0; i < 5; i++)
			loop_turn(&f.loop);
	}
	assert_int_equal(counters(&f)->cut, 1);
	assert_int_equal(counters(&f)->requests, 0);
	close(fd);
	buf_done(&out);
	stop(&f);
}

static void cuts_who_says_nothing(void **state)
{
	struct http_limits limits = patient;
	struct fixture f;
	struct buf out;
	int fd;

	(void)state;
	limits.request_ms = 100;
	start(&f, &limits);
	fd = client_connect(&f.addr);
	buf_init(&out, 65536);
	client_read_all(&f.loop, fd, &out);
	assert_int_equal(out.len, 0);
	assert_int_equal(counters(&f)->cut, 1);
	close(fd);
	/* The same between two requests. */
	fd = client_connect(&f.addr);
	client_send(fd, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", 28);
	client_read_all(&f.loop, fd, &out);
	assert_non_null(strstr(out.data, "GET /a -\n"));
	assert_int_equal(counters(&f)->cut, 2);
	close(fd);
	buf_done(&out);
	stop(&f);
}

static void cuts_who_does_not_read(void **state)
{
	static const char get[] = "GET /large HTTP/1.1\r\n" CLOSE "\r\n";
	struct http_limits limits = patient;
	struct fixture f;
	int fd;

	(void)state;
	limits.request_ms = 100; /* sets how often deadlines are looked at */
	limits.reply_ms = 200;
	start(&f, &limits);
	f.large = calloc(1, LARGE_SIZE);
	fd = client_connect(&f.addr);
	client_send(fd, get, sizeof(get) - 1);
	while (counters(&f)->cut == 0 || !http_server_idle(f.server))
		loop_turn(&f.loop);
	assert_int_equal(counters(&f)->requests, 1);
	close(fd);
	stop(&f);
}

static void many_at_once(void **state)
{
	static const char get[] = "GET /a HTTP/1.1\r\n" CLOSE "\r\n";
	struct fixture f;
	int fds[100];

	(void)state;
	start(&f, &patient);
	for (int i = 0; i < 100; i++) {
		fds[i] = client_connect(&f.addr);
		client_send(fds[i], get, sizeof(get) - 1);
	}
	for (int i = 0; i < 100; i++) {
		struct buf out;

		buf_init(&out, 65536);
		client_read_all(&f.loop, fds[i], &out);
		assert_memory_equal(out.data, "HTTP/1.1 200 ", 13);
		assert_non_null(strstr(out.data, "\r\n\r\nGET /a -\n"));
		buf_done(&out);
		close(fds[i]);
	}
	assert_int_equal(counters(&f)->requests, 100);
	assert_int_equal(counters(&f)->refused_busy, 0);
	stop(&f);
}

static void accept_all(struct fixture *f, uint64_t n)
{
	while (counters(f)->connections + counters(f)->refused_busy + counters(f)->refused_peer < n)
		loop_turn(&f->loop);
}

static bool is_open(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EWOULDBLOCK;
}

static void wait_until_closed(struct fixture *f, int fd)
{
	struct buf out;

	buf_init(&out, 65536);
	client_read_all(&f->loop, fd, &out);
	assert_int_equal(out.len, 0);
	buf_done(&out);
}

/*
 * Who holds all that its address may have makes room with one of its own, and takes no other's
 * place.
 */
static void bounds_connections_of_an_address(void **state)
{
	static const char get[] = "GET /a HTTP/1.1\r\n" CLOSE "\r\n";
	struct http_limits limits = patient;
	struct fixture f;
	int fds[10], other;

	(void)state;
	limits.connections = 4;
	limits.per_peer = 3;
	start(&f, &limits);
	other = client_connect_from(&f.addr, "127.0.0.2");
	accept_all(&f, 1);
	for (int i = 0; i < 10; i++)
		fds[i] = client_connect(&f.addr);
	accept_all(&f, 11);
	/* The oldest went. */
	for (int i = 0; i < 7; i++)
		wait_until_closed(&f, fds[i]);
	for (int i = 7; i < 10; i++)
		assert_true(is_open(fds[i]));
	assert_true(is_open(other));
	assert_int_equal(counters(&f)->evicted, 7);
	exchange(&f, get, "HTTP/1.1 200 ", "GET /a -\n");
	assert_true(is_open(other));
	assert_int_equal(counters(&f)->refused_peer, 0);
	assert_int_equal(counters(&f)->refused_busy, 0);
	close(other);
	for (int i = 0; i < 10; i++)
		close(fds[i]);
	stop(&f);
}

/* What has a request in hand is no room for another of its address. */
static void refuses_an_address_that_is_busy(void **state)
{
	struct http_limits limits = patient;
	struct fixture f;
	struct buf out;
	int later, more;

	(void)state;
	limits.per_peer = 1;
	start(&f, &limits);
	later = client_connect(&f.addr);
	client_send(later, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n", 32);
	while (!f.waiting)
		loop_turn(&f.loop);
	more = client_connect(&f.addr);
	wait_until_closed(&f, more);
	assert_int_equal(counters(&f)->refused_peer, 1);
	assert_int_equal(counters(&f)->evicted, 0);
	reply_with(f.waiting, 200, "done\n", 5);
	buf_init(&out, 65536);
	client_read_until(&f.loop, later, &out, "done\n");
	buf_done(&out);
	close(later);
	close(more);
	stop(&f);
}

/* Many more than libmicrohttpd accepts in a round, whose own limit must not be reached either. */
static void idle_connections_make_room(void **state)
{
	static const char get[] = "GET /a HTTP/1.1\r\n" CLOSE "\r\n";
	struct http_limits limits = patient;
	struct fixture f;
	int fds[250];

	(void)state;
	limits.connections = 4;
	start(&f, &limits);
	for (int i = 0; i < 250; i++) {
		fds[i] = client_connect(&f.addr);
		if (i % 2)
			client_send(fds[i], "GET /a HT", 9);
	}
	exchange(&f, get, "HTTP/1.1 200 ", "GET /a -\n");
	assert_int_equal(counters(&f)->connections, 251);
	assert_int_equal(counters(&f)->evicted, 247);
	assert_int_equal(counters(&f)->refused_busy, 0);
	assert_int_equal(counters(&f)->requests, 1);
	/* The oldest went. */
	for (int i = 0; i < 247; i++)
		wait_until_closed(&f, fds[i]);
	for (int i = 247; i < 250; i++)
		assert_true(is_open(fds[i]));
	for (int i = 0; i < 250; i++)
		close(fds[i]);
	while (!http_server_idle(f.server))
		loop_turn(&f.loop);
	stop(&f);
}

/* Between two requests a connection counts from the end of the last answer, not from its accept. */
static void who_was_just_answered_stays(void **state)
{
	static const char get[] = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
	struct http_limits limits = patient;
	struct fixture f;
	struct buf out;
	int used, idle, newcomer;

	(void)state;
	limits.connections = 2;
	start(&f, &limits);
	used = client_connect(&f.addr);
	accept_all(&f, 1);
	idle = client_connect(&f.addr);
	accept_all(&f, 2);
	for (int i = 0; i < 5; i++)
		loop_turn(&f.loop);
	client_send(used, get, sizeof(get) - 1);
	buf_init(&out, 65536);
	client_read_until(&f.loop, used, &out, "GET /a -\n");
	newcomer = client_connect(&f.addr);
	wait_until_closed(&f, idle);
	assert_true(is_open(used));
	assert_true(is_open(newcomer));
	buf_done(&out);
	close(used);
	close(idle);
	close(newcomer);
	stop(&f);
}

/* Nobody is refused or evicted for a place that is free as soon as libmicrohttpd runs. */
static void who_was_cut_takes_no_place(void **state)
{
	struct http_limits limits = patient;
	struct fixture f;
	int old[2], newcomers[2];

	(void)state;
	limits.connections = 2;
	limits.request_ms = 100;
	start(&f, &limits);
	for (int i = 0; i < 2; i++)
		old[i] = client_connect(&f.addr);
	accept_all(&f, 2);
	/* At the next turn the deadlines come first, then the newcomers. */
	usleep(200000);
	for (int i = 0; i < 2; i++)
		newcomers[i] = client_connect(&f.addr);
	accept_all(&f, 4);
	assert_int_equal(counters(&f)->cut, 2);
	assert_int_equal(counters(&f)->refused_busy, 0);
	assert_int_equal(counters(&f)->evicted, 0);
	for (int i = 0; i < 2; i++) {
		close(old[i]);
		close(newcomers[i]);
	}
	stop(&f);
}

/* A request in hand is never given up for a newcomer. */
static void requests_in_hand_stay(void **state)
{
	struct http_limits limits = patient;
	struct fixture f;
	struct buf out;
	int later, stream, newcomer;

	(void)state;
	limits.connections = 2;
	start(&f, &limits);
	later = client_connect(&f.addr);
	client_send(later, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n", 32);
	stream = client_connect(&f.addr);
	client_send(stream, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n", 33);
	while (!f.waiting || !f.stream)
		loop_turn(&f.loop);
	newcomer = client_connect(&f.addr);
	wait_until_closed(&f, newcomer);
	assert_int_equal(counters(&f)->refused_busy, 1);
	assert_int_equal(counters(&f)->evicted, 0);
	assert_non_null(f.stream);
	reply_with(f.waiting, 200, "done\n", 5);
	buf_init(&out, 65536);
	client_read_until(&f.loop, later, &out, "done\n");
	/* Now there is one that can go. */
	exchange(&f, "GET /a HTTP/1.1\r\n" CLOSE "\r\n", "HTTP/1.1 200 ", "GET /a -\n");
	assert_int_equal(counters(&f)->evicted, 1);
	assert_int_equal(f.streams_closed, 0);
	buf_done(&out);
	close(later);
	close(stream);
	close(newcomer);
	stop(&f);
}

/* Everything a connection can be doing, at the moment the server closes. */
static void closes_in_any_state(void **state)
{
	static const char *const requests[] = {
		"",
		"GET /a HT",
		"GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /later HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /large HTTP/1.1\r\nHost: x\r\n\r\n",
	};
	enum {
		N = sizeof(requests) / sizeof(requests[0])
	};
	struct fixture f;
	int fds[N];

	(void)state;
	start(&f, &patient);
	f.large = calloc(1, LARGE_SIZE);
	for (int i = 0; i < N; i++) {
		fds[i] = client_connect(&f.addr);
		client_send(fds[i], requests[i], strlen(requests[i]));
	}
	while (counters(&f)->requests < 4 || counters(&f)->connections < N)
		loop_turn(&f.loop);
	stop(&f);
	assert_int_equal(f.gone, 1);
	assert_int_equal(f.streams_closed, 1);
	for (int i = 0; i < N; i++)
		close(fds[i]);
}

static void drains(void **state)
{
	struct fixture f;
	struct buf out;
	int idle, later, first, stranger;

	(void)state;
	start(&f, &patient);
	buf_init(&out, 65536);
	first = client_connect(&f.addr);
	idle = client_connect(&f.addr);
	later = client_connect(&f.addr);
	client_send(later, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n", 32);
	while (!f.waiting || counters(&f)->connections < 3)
		loop_turn(&f.loop);
	http_server_drain(f.server);
	/* It had connected before; who says nothing then is not waited for. */
	client_send(first, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", 28);
	client_read_all(&f.loop, first, &out);
	assert_non_null(strstr(out.data, "Connection: close"));
	assert_non_null(strstr(out.data, "\r\n\r\nGET /a -\n"));
	buf_reset(&out);
	client_read_all(&f.loop, idle, &out);
	assert_int_equal(out.len, 0);
	assert_false(http_server_idle(f.server));
	reply_with(f.waiting, 200, "done\n", 5);
	client_read_all(&f.loop, later, &out);
	assert_non_null(strstr(out.data, "Connection: close"));
	assert_non_null(strstr(out.data, "\r\n\r\ndone\n"));
	while (!http_server_idle(f.server))
		loop_turn(&f.loop);
	/* The socket lives on for whoever else has it. */
	stranger = client_connect(&f.addr);
	for (int i = 0; i < 20; i++)
		loop_turn(&f.loop);
	assert_int_equal(counters(&f)->connections, 3);
	close(stranger);
	close(first);
	close(idle);
	close(later);
	buf_done(&out);
	stop(&f);
}

/* Whoever asked for a file gets all of it, and nothing that was asked for behind it. */
static void goes_on_with_files_alone(void **state)
{
	static const char asks[] = "GET /large-file HTTP/1.1\r\nHost: x\r\n\r\n"
				   "GET /behind HTTP/1.1\r\nHost: x\r\n\r\n";
	struct http_left left = { 0 };
	struct fixture f;
	struct buf out;
	int file, stream;

	(void)state;
	start(&f, &patient);
	buf_init(&out, LARGE_SIZE + 65536);
	file = client_connect(&f.addr);
	stream = client_connect(&f.addr);
	client_send(file, asks, sizeof(asks) - 1);
	client_send(stream, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n", 33);
	while (!f.stream || counters(&f)->requests < 2)
		loop_turn(&f.loop);
	http_server_drain(f.server);
	http_server_count(f.server, &left);
	assert_int_equal(left.files, 1);
	assert_int_equal(left.others, 1);
	http_server_keep_files(f.server);
	while (!f.streams_closed)
		loop_turn(&f.loop);
	client_read_all(&f.loop, file, &out);
	assert_memory_equal(out.data, "HTTP/1.1 200 ", 13);
	assert_non_null(memmem(out.data, out.len, "\r\n\r\n", 4));
	assert_int_equal(out.len, (const char *)memmem(out.data, out.len, "\r\n\r\n", 4) + 4 -
					  out.data + LARGE_SIZE);
	assert_int_equal(counters(&f)->requests, 2);
	close(file);
	close(stream);
	buf_done(&out);
	stop(&f);
}

static void leaves_a_shared_socket_alone(void **state)
{
	struct fixture f;
	struct sockaddr_in addr;
	int listener, client, accepted;

	(void)state;
	start(&f, &patient);
	listener = dup(f.listener);
	addr = f.addr;
	stop(&f);
	client = client_connect(&addr);
	accepted = accept(listener, NULL, NULL);
	assert_true(accepted >= 0);
	close(accepted);
	close(client);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(ranges_of_a_file),
		cmocka_unit_test(keeps_alive),
		cmocka_unit_test(answers_later),
		cmocka_unit_test(streams),
		cmocka_unit_test(streams_end_with_their_client),
		cmocka_unit_test(head_of_a_stream),
		cmocka_unit_test(hostile_requests),
		cmocka_unit_test(bodies),
		cmocka_unit_test(nul_in_the_target),
		cmocka_unit_test(cuts_who_trickles),
		cmocka_unit_test(cuts_who_says_nothing),
		cmocka_unit_test(cuts_who_does_not_read),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(bounds_connections_of_an_address),
		cmocka_unit_test(refuses_an_address_that_is_busy),
		cmocka_unit_test(idle_connections_make_room),
		cmocka_unit_test(who_was_just_answered_stays),
		cmocka_unit_test(who_was_cut_takes_no_place),
		cmocka_unit_test(requests_in_hand_stay),
		cmocka_unit_test(closes_in_any_state),
		cmocka_unit_test(drains),
		cmocka_unit_test(goes_on_with_files_alone),
		cmocka_unit_test(leaves_a_shared_socket_alone),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
