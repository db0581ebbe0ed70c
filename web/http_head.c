/* What a request's head must not be: read in two ways, by us and by a proxy before us. */
#include "web/http_conn.h"

#include <string.h>

#include "web/problem.h"

struct head {
	unsigned int hosts, lengths, codings;
	bool chunked; /* the last coding is this and no other */
	bool malformed;
};

static const struct problem malformed = {
	.status = MHD_HTTP_BAD_REQUEST,
	.code = "head.invalid",
	.detail = "the head of the request is malformed, or can be read in two ways",
};

static const struct problem unknown_coding = {
	.status = MHD_HTTP_NOT_IMPLEMENTED,
	.code = "coding.unknown",
	.detail = "content comes with its length or in chunks",
};

/* RFC 9110 section 5.6.2. A blank before the colon would be in the name (RFC 9112 section 5.1). */
static bool is_token(const char *text, size_t len)
{
	static const char allowed[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return len > 0 && strspn(text, allowed) >= len;
}

/* RFC 9110 section 5.5: NUL, CR and LF are dangerous, other controls have no use. */
static bool is_field_value(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static enum MHD_Result on_field(void *cls, enum MHD_ValueKind kind, const char *name,
				size_t name_len, const char *value, size_t value_len)
{
	struct head *head = cls;

	(void)kind;
	/* A name without a colon has no value. */
	if (!value || !is_token(name, name_len) || !is_field_value(value, value_len)) {
		head->malformed = true;
		return MHD_NO;
	}
	head->hosts += strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0;
	head->lengths += strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0;
	if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
		head->codings++;
		head->chunked = strcasecmp(value, "chunked") == 0;
	}
	return MHD_YES;
}

const struct problem *http_head_fault(struct conn *conn, const char *version)
{
	struct head head = { 0 };

	mhd_lib.get_connection_values_n(conn->mhd, MHD_HEADER_KIND, on_field, &head);
	/* RFC 9112 sections 3.2, 6.1 and 6.3; a coding has no meaning before HTTP/1.1. */
	if (head.malformed || head.hosts > 1 || head.lengths > 1 ||
	    head.lengths + head.codings > 1 ||
	    (head.codings && strcmp(version, MHD_HTTP_VERSION_1_1) != 0))
		return &malformed;
	return head.codings && !head.chunked ? &unknown_coding : NULL;
}
