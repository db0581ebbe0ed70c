#include "agent/api_client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <jansson.h>

#include "agent/base/config.h"
#include "agent/curl_lib.h"

/* The web worker gives the agent 5 seconds and itself some more. */
#define GET_TIMEOUT_MS	   15000L
#define CONNECT_TIMEOUT_MS 5000L

/* What an answer that is no success may say. */
#define PROBLEM_MAX (64u << 10)

struct transfer {
	CURL *easy;
	char socket[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char failure[CURL_ERROR_SIZE];
	long status;
	struct buf problem;
	int (*take)(struct transfer *t, const char *data, size_t len);
	int taken; /* what `take` ended with: 1 enough, or -errno */
	/* api_get() */
	struct buf *out;
	/* api_stream() */
	struct buf line;
	api_line_cb cb;
	void *data;
};

static size_t on_body(char *data, size_t one, size_t len, void *user)
{
	struct transfer *t = user;

	(void)one;
	curl_lib.easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->status);
	if (t->status != 200) {
		buf_add(&t->problem, data, len);
		return len;
	}
	t->taken = t->take(t, data, len);
	return t->taken ? CURL_WRITEFUNC_ERROR : len;
}

static int take_all(struct transfer *t, const char *data, size_t len)
{
	buf_add(t->out, data, len);
	return t->out->failed ? -EMSGSIZE : 0;
}

static int take_lines(struct transfer *t, const char *data, size_t len)
{
	int code;

	while (len > 0) {
		const char *end = memchr(data, '\n', len);
		size_t n = end ? (size_t)(end - data) : len;

		buf_add(&t->line, data, n);
		if (t->line.failed)
			return -EMSGSIZE;
		if (!end)
			return 0;
		code = t->cb(t->line.data, t->line.len, t->data);
		if (code)
			return code;
		buf_reset(&t->line);
		data = end + 1;
		len -= n + 1;
	}
	return 0;
}

/* Why nobody answers. */
static int refused(const char *socket, int error, struct err *err)
{
	if (error == EACCES || error == EPERM)
		return err_set(err, -EACCES, "not allowed to ask the agent at %s: try as root",
			       socket);
	return err_set(err, error ? -error : -ECONNREFUSED,
		       "no agent answers at %s: is tapwarden running?", socket);
}

/*
 * libcurl, with all that it is linked to, takes longer to load than most verbs run: not for nobody.
 */
static int is_listening(const char *socket_path, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int code = 0;

	if (fd < 0)
		return err_errno(err, -errno, "cannot ask the agent");
	memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
	/* EAGAIN: so many wait that it has no room for more, but it is there. */
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 && errno != EAGAIN)
		code = refused(socket_path, errno, err);
	close(fd);
	return code;
}

static int transfer_init(struct transfer *t, const char *run_dir, const char *path, struct err *err)
{
	char url[256];
	int n = snprintf(t->socket, sizeof(t->socket), "%s/" API_SOCKET_NAME, run_dir);

	if (n < 0 || (size_t)n >= sizeof(t->socket))
		return err_set(err, -ENAMETOOLONG, "run-dir %s is too long for a socket: unix(7)",
			       run_dir);
	n = snprintf(url, sizeof(url), "http://localhost%s", path);
	if (n < 0 || (size_t)n >= sizeof(url))
		return err_set(err, -ENAMETOOLONG, "the path %s is too long", path);
	n = is_listening(t->socket, err);
	if (n == 0)
		n = curl_lib_load(err);
	if (n)
		return n;
	if (curl_lib.global_init(CURL_GLOBAL_NOTHING) != 0 || !(t->easy = curl_lib.easy_init()))
		return err_set(err, -ENOMEM, "cannot ask the agent: libcurl does not start");
	buf_init(&t->problem, PROBLEM_MAX);
	buf_init(&t->line, API_LINE_MAX);
	curl_lib.easy_setopt(t->easy, CURLOPT_URL, url);
	curl_lib.easy_setopt(t->easy, CURLOPT_UNIX_SOCKET_PATH, t->socket);
	curl_lib.easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "http");
	/* Whatever http_proxy says, the socket is the way. */
	curl_lib.easy_setopt(t->easy, CURLOPT_PROXY, "");
	curl_lib.easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
	curl_lib.easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	curl_lib.easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->failure);
	curl_lib.easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_lib.easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
	return 0;
}

static void transfer_done(struct transfer *t)
{
	curl_lib.easy_cleanup(t->easy);
	buf_done(&t->problem);
	buf_done(&t->line);
}

static int connect_error(struct transfer *t, struct err *err)
{
	long code = 0;

	curl_lib.easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &code);
	return refused(t->socket, (int)code, err);
}

/* The detail and hint of RFC 9457's object; else what HTTP itself says. */
static int problem_error(const struct transfer *t, struct err *err)
{
	json_t *problem =
		json_loadb(t->problem.data ? t->problem.data : "", t->problem.len, 0, NULL);
	const char *detail = json_string_value(json_object_get(problem, "detail"));
	const char *hint = json_string_value(json_object_get(problem, "hint"));

	if (detail)
		err_set(err, -EPROTO, "%s%s%s", detail, hint ? ": " : "", hint ? hint : "");
	else
		err_set(err, -EPROTO, "the agent answers with HTTP status %ld", t->status);
	json_decref(problem);
	return -EPROTO;
}

/* What a transfer that is over comes to. */
static int transfer_result(struct transfer *t, CURLcode result, struct err *err)
{
	if (t->taken > 0)
		return 0;
	if (t->taken < 0)
		return err_errno(err, t->taken, "cannot take the answer from %s", t->socket);
	if (result == CURLE_COULDNT_CONNECT)
		return connect_error(t, err);
	if (result == CURLE_OPERATION_TIMEDOUT)
		return err_set(err, -ETIMEDOUT, "the agent at %s did not answer in time",
			       t->socket);
	/* A worker that ended cuts the stream within a chunk, or before it answered at all. */
	if (result == CURLE_PARTIAL_FILE || result == CURLE_RECV_ERROR ||
	    result == CURLE_GOT_NOTHING)
		return err_set(err, -ECONNRESET, "the connection to %s was closed", t->socket);
	if (result != CURLE_OK)
		return err_set(err, -EPROTO, "the answer from %s cannot be read: %s", t->socket,
			       t->failure[0] ? t->failure : curl_lib.easy_strerror(result));
	curl_lib.easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->status);
	return t->status == 200 ? 0 : problem_error(t, err);
}

/* `json` NULL: GET. */
static int ask(const char *run_dir, const char *path, const char *json, struct buf *out,
	       struct err *err)
{
	struct transfer t = { .take = take_all, .out = out };
	struct curl_slist *headers = NULL;
	int code = transfer_init(&t, run_dir, path, err);

	if (code)
		return code;
	if (json) {
		headers = curl_lib.slist_append(NULL, "Content-Type: application/json");
		curl_lib.easy_setopt(t.easy, CURLOPT_HTTPHEADER, headers);
		curl_lib.easy_setopt(t.easy, CURLOPT_POSTFIELDS, json);
	}
	curl_lib.easy_setopt(t.easy, CURLOPT_TIMEOUT_MS, GET_TIMEOUT_MS);
	code = transfer_result(&t, curl_lib.easy_perform(t.easy), err);
	transfer_done(&t);
	curl_lib.slist_free_all(headers);
	return code;
}

int api_get(const char *run_dir, const char *path, struct buf *out, struct err *err)
{
	return ask(run_dir, path, NULL, out, err);
}

int api_post(const char *run_dir, const char *path, const char *json, struct buf *out,
	     struct err *err)
{
	return ask(run_dir, path, json, out, err);
}

/* True when the transfer is over, with its result. */
static bool multi_over(CURLM *multi, CURLcode *ret)
{
	CURLMsg *message;
	int left;

	while ((message = curl_lib.multi_info_read(multi, &left))) {
		if (message->msg == CURLMSG_DONE) {
			*ret = message->data.result;
			return true;
		}
	}
	return false;
}

/* Runs until the transfer is over (1), stop_fd is readable (0), or libcurl fails (-errno). */
static int multi_run(CURLM *multi, int stop_fd, CURLcode *ret_result)
{
	struct curl_waitfd stop = { .fd = stop_fd, .events = CURL_WAIT_POLLIN };
	int running;

	for (;;) {
		if (curl_lib.multi_perform(multi, &running) != CURLM_OK)
			return -EIO;
		if (multi_over(multi, ret_result))
			return 1;
		if (curl_lib.multi_poll(multi, &stop, stop_fd >= 0, 1000, NULL) != CURLM_OK)
			return -EIO;
		if (stop.revents)
			return 0;
	}
}

int api_stream(const char *run_dir, const char *path, const char *header, int stop_fd,
	       api_line_cb cb, void *data, struct err *err)
{
	struct transfer t = { .take = take_lines, .cb = cb, .data = data };
	struct curl_slist *headers = NULL;
	CURLcode result = CURLE_OK;
	CURLM *multi = NULL;
	int code = transfer_init(&t, run_dir, path, err);

	if (code)
		return code;
	headers = curl_lib.slist_append(NULL, header ? header : "Accept: application/x-ndjson");
	multi = curl_lib.multi_init();
	if (!multi || !headers) {
		code = err_errno(err, -ENOMEM, "cannot ask the agent");
		goto out;
	}
	curl_lib.easy_setopt(t.easy, CURLOPT_HTTPHEADER, headers);
	curl_lib.multi_add_handle(multi, t.easy);
	code = multi_run(multi, stop_fd, &result);
	if (code < 0)
		err_errno(err, code, "cannot ask the agent");
	if (code <= 0)
		goto out;
	code = transfer_result(&t, result, err);
	if (code == 0 && t.taken == 0)
		code = err_set(err, -ECONNRESET, "the stream from %s ended", t.socket);
out:
	if (multi)
		curl_lib.multi_remove_handle(multi, t.easy);
	transfer_done(&t);
	curl_lib.multi_cleanup(multi);
	curl_lib.slist_free_all(headers);
	return code;
}
