#include "agent/status_text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/parse.h"
#include "agent/base/utf8.h"

/* Of one reply (struct ipc_reply). */
#define STATUS_TEXT_MAX UINT32_MAX

static const char *const list_names[STATUS_LISTS] = {
	[STATUS_SETS] = "sets",
	[STATUS_LINKS] = "links",
	[STATUS_PATTERNS] = "patterns",
};

void status_text_done(struct status_text *text)
{
	for (int list = 0; list < STATUS_LISTS; list++)
		free(text->items[list]);
	buf_done(&text->buf);
	*text = (struct status_text){ 0 };
}

void status_text_reset(struct status_text *text)
{
	status_text_done(text);
	buf_init(&text->buf, STATUS_TEXT_MAX);
	text->json.out = &text->buf;
}

void status_text_list(struct status_text *text, enum status_list list, size_t max)
{
	text->items[list] = calloc(max + 1, sizeof(*text->items[list]));
	if (!text->items[list])
		text->buf.failed = true;
	jw_array(&text->json, list_names[list]);
	text->lists[list].at = text->buf.len - 1;
}

void status_text_list_end(struct status_text *text, enum status_list list)
{
	jw_array_end(&text->json);
	text->lists[list].len = text->buf.len - text->lists[list].at;
}

void status_text_item(struct status_text *text, enum status_list list, const char *name)
{
	jw_object(&text->json, NULL);
	if (!text->buf.failed)
		text->items[list][text->n[list]].at = text->buf.len - 1;
	jw_text(&text->json, "name", name);
}

void status_text_item_end(struct status_text *text, enum status_list list)
{
	struct status_part *item;

	jw_object_end(&text->json);
	if (text->buf.failed)
		return;
	item = &text->items[list][text->n[list]++];
	item->len = text->buf.len - item->at;
}

void status_text_foreign(struct json_writer *w, const char *key, const char *s)
{
	struct buf escaped;

	if (utf8_valid(s, strlen(s))) {
		jw_text(w, key, s);
		return;
	}
	buf_init(&escaped, 1 << 16);
	for (; *s; s++) {
		if ((unsigned char)*s < 0x80)
			buf_addc(&escaped, *s);
		else
			buf_addf(&escaped, "\\x%02x", (unsigned char)*s);
	}
	jw_text(w, key, escaped.data ? escaped.data : "");
	buf_done(&escaped);
}

bool status_text_find(const struct status_text *text, enum status_list list, const char *name,
		      struct status_part *ret)
{
	char head[NAME_MAX_LEN + 16];
	const size_t len =
		(size_t)snprintf(head, sizeof(head), "{\"name\":\"%.*s\",", NAME_MAX_LEN, name);

	/* A quote would end the name, and what follows be compared with other members. */
	for (size_t i = 0; !strchr(name, '"') && i < text->n[list]; i++) {
		const struct status_part *item = &text->items[list][i];

		if (item->len <= len || memcmp(text->buf.data + item->at, head, len) != 0)
			continue;
		*ret = *item;
		return true;
	}
	return false;
}
