/* The body of an API error: application/problem+json (RFC 9457). Pure. */
#ifndef TW_PROBLEM_H
#define TW_PROBLEM_H

#include <jansson.h>

#include "agent/base/buf.h"

#define PROBLEM_TYPE "application/problem+json"

struct problem {
	unsigned int status; /* HTTP status */
	const char *code; /* stable, documented: "path.unknown" */
	const char *detail; /* also given as `message`, which many clients look for */
	const char *instance; /* the path asked for; NULL: none */
	const json_t *members; /* an object whose other members are told too; NULL: none */
	const char *hint; /* what to do next; NULL: none */
};

/* Bytes that are not UTF-8 are replaced. Sets out->failed when memory or room is short. */
void problem_write(struct buf *out, const struct problem *problem);

/* The reason phrase of the statuses in use, "Error" for others. */
const char *problem_title(unsigned int status);

#endif
