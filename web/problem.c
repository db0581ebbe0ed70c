#include "web/problem.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	unsigned int status;
	const char *title;
} titles[] = {
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 409, "Conflict" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 422, "Unprocessable Content" },
	{ 429, "Too Many Requests" },
	{ 500, "Internal Server Error" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
};

const char *problem_title(unsigned int status)
{
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
		if (titles[i].status == status)
			return titles[i].title;
	}
	return "Error";
}

/* Texts are ours except the path that was asked for, which may hold any byte. */
static json_t *text(const char *s)
{
	json_t *value = json_string(s);

	return value ? value : json_string("(not UTF-8)");
}

void problem_write(struct buf *out, const struct problem *problem)
{
	json_t *object = json_object();
	char *dump;

	json_object_set_new(object, "type", json_string("about:blank"));
	json_object_set_new(object, "title", json_string(problem_title(problem->status)));
	json_object_set_new(object, "status", json_integer(problem->status));
	json_object_set_new(object, "detail", text(problem->detail));
	if (problem->instance)
		json_object_set_new(object, "instance", text(problem->instance));
	json_object_set_new(object, "code", json_string(problem->code));
	json_object_set_new(object, "message", text(problem->detail));
	if (problem->hint)
		json_object_set_new(object, "hint", text(problem->hint));
	if (problem->members)
		json_object_update_missing(object, (json_t *)problem->members);
	dump = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER);
	json_decref(object);
	if (dump) {
		buf_adds(out, dump);
		buf_addc(out, '\n');
	} else {
		out->failed = true;
	}
	free(dump);
}
