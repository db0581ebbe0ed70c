/* Files as answers, whole or a range of them. */
#include "web/http_conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* However slow a client is allowed to be: bytes in a millisecond, beyond the time of any answer. */
#define SLOWEST 128

struct range {
	size_t first, length;
};

/* Digits alone, up to `end`. */
static bool take_number(const char *s, const char *end, size_t *ret)
{
	char text[20];
	char *rest;
	size_t len = (size_t)(end - s);

	if (len == 0 || len >= sizeof(text) || strspn(s, "0123456789") < len)
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	*ret = strtoull(text, &rest, 10);
	return true;
}

/*
 * "bytes=FIRST-", "bytes=FIRST-LAST" or "bytes=-SUFFIX" of a file of `length` bytes. 0; -EINVAL for
 * anything else, several ranges too, which are answered as if nothing was asked; -ERANGE for one
 * that the file does not have.
 */
static int read_range(const char *text, size_t length, struct range *ret)
{
	const char *dash, *end;
	size_t first = 0, last = length;

	if (strncmp(text, "bytes=", 6) != 0)
		return -EINVAL;
	text += 6;
	dash = strchr(text, '-');
	end = text + strlen(text);
	if (!dash || (dash > text && !take_number(text, dash, &first)) ||
	    (dash + 1 < end && !take_number(dash + 1, end, &last)) ||
	    (dash == text && dash + 1 == end))
		return -EINVAL;
	if (dash == text) {
		first = last < length ? length - last : 0;
		if (last == 0)
			first = length;
		last = length;
	} else if (dash + 1 < end && last < first) {
		return -EINVAL;
	}
	if (first >= length)
		return -ERANGE;
	*ret = (struct range){ first, (last < length ? last + 1 : length) - first };
	return 0;
}

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
	mhd_lib.add_response_header(response, name, value);
}

void http_reply_file(struct http_request *request, int fd, size_t length, const char *type)
{
	struct conn *conn = http_conn_of(request);
	/* No validator is given out: one that is named is of another file (RFC 9110 13.1.5). */
	const char *asked = http_header(request, MHD_HTTP_HEADER_IF_RANGE)
				    ? NULL
				    : http_header(request, MHD_HTTP_HEADER_RANGE);
	struct range range = { 0, length };
	int code = asked ? read_range(asked, length, &range) : -EINVAL;
	struct MHD_Response *response;
	char text[80];

	if (code == -ERANGE)
		range = (struct range){ 0, 0 };
	response = mhd_lib.create_response_from_fd_at_offset64(range.length, fd, range.first);
	if (!response) {
		close(fd);
	} else {
		add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
		add_header(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
		add_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
		add_header(response, "X-Content-Type-Options", "nosniff");
	}
	if (response && code == 0) {
		snprintf(text, sizeof(text), "bytes %zu-%zu/%zu", range.first,
			 range.first + range.length - 1, length);
		add_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, text);
	} else if (response && code == -ERANGE) {
		snprintf(text, sizeof(text), "bytes */%zu", length);
		add_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, text);
	}
	conn->status = code == 0	 ? MHD_HTTP_PARTIAL_CONTENT
		       : code == -ERANGE ? MHD_HTTP_RANGE_NOT_SATISFIABLE
					 : MHD_HTTP_OK;
	conn->deadline = http_deadline_in(conn->server, conn->server->limits.reply_ms +
								(unsigned int)(length / SLOWEST));
	conn->file = true;
	http_answer_by(conn, response);
}
