#include "web/page.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "web/reply.h"

#define PAGE_NAME "index.html"

/* Nothing of the page is elsewhere, inline or in a frame (CSP level 3). */
#define PAGE_POLICY                                                \
	"default-src 'self'; object-src 'none'; base-uri 'none'; " \
	"form-action 'none'; frame-ancestors 'none'"

#define FOR_EVER "public, max-age=31536000, immutable"

static const struct page_file *find(const char *name)
{
	for (size_t i = 0; i < page_n_files; i++) {
		if (strcmp(page_files[i].name, name) == 0)
			return &page_files[i];
	}
	return NULL;
}

/* Every browser says gzip by this word; one that weighs it with q=0 does not exist. */
static bool takes_gzip(const struct http_request *request)
{
	const char *accept = http_header(request, "Accept-Encoding");

	return accept && strstr(accept, "gzip");
}

static void serve(struct http_request *request, const struct page_file *file, const char *cache)
{
	char etag[32];
	const char *known = http_header(request, "If-None-Match");
	bool packed = takes_gzip(request);
	const struct http_field fields[] = {
		{ "ETag", etag },
		{ "Content-Security-Policy", PAGE_POLICY },
		{ "X-Frame-Options", "DENY" },
		{ "Referrer-Policy", "no-referrer" },
		{ "Cross-Origin-Opener-Policy", "same-origin" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
		{ "Vary", "Accept-Encoding" },
		{ packed ? "Content-Encoding" : NULL, "gzip" },
		{ 0 },
	};
	struct http_answer answer = {
		.status = 200,
		.type = file->type,
		.cache = cache,
		.fields = fields,
		.body = packed ? file->packed : file->plain,
		.length = packed ? file->packed_length : file->plain_length,
	};

	snprintf(etag, sizeof(etag), "\"%s%s\"", page_hash, packed ? "-gz" : "");
	if (known && strstr(known, etag)) {
		answer.status = 304;
		answer.length = 0;
	}
	http_reply(request, &answer);
}

void page_serve(struct http_request *request)
{
	serve(request, find(PAGE_NAME), "no-cache");
}

void page_serve_file(struct http_request *request, const char *name)
{
	size_t hash = strlen(page_hash);
	const struct page_file *file = NULL;

	if (strncmp(name, page_hash, hash) == 0 && name[hash] == '-')
		file = find(name + hash + 1);
	if (file && strcmp(file->name, PAGE_NAME) != 0)
		serve(request, file, FOR_EVER);
	else
		reply_problem(request, 404, "path.unknown", "the page has no such file",
			      "reload the page");
}
