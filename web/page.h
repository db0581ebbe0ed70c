/* The page for people: its files, which lie in the program. Edge: through http_server. */
#ifndef TW_PAGE_H
#define TW_PAGE_H

#include <stddef.h>

#include "web/http_server.h"

struct page_file {
	const char *name, *type;
	const unsigned char *plain, *packed; /* as it is, and by gzip (RFC 1952) */
	size_t plain_length, packed_length;
};

/* Made from web/ui by scripts/embed-page when the program is built. */
extern const struct page_file page_files[];
extern const size_t page_n_files;

/* Of all files together. One is served as page_hash-NAME, which therefore never changes. */
extern const char page_hash[];

/* The page itself, which is asked for anew each time; 304 when it is what the browser has. */
void page_serve(struct http_request *request);

/* One of its files; `name` begins with the hash. */
void page_serve_file(struct http_request *request, const char *name);

#endif
