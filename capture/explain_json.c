#include "capture/explain_json.h"

void explain_add_text(struct buf *out, const struct literal *text)
{
	for (size_t i = 0; i < text->len; i++) {
		uint8_t c = text->bytes[i];

		if (c == '"' || c == '\\')
			buf_addf(out, "\\%c", c);
		else if (c < ' ' || c > '~')
			buf_addf(out, "\\x%02x", c);
		else
			buf_addc(out, (char)c);
	}
}

static json_t *required_json(const struct literal_set *required)
{
	json_t *list = json_array();

	for (size_t i = 0; i < required->n; i++) {
		struct buf text;

		buf_init(&text, 8 * LITERAL_BYTES_MAX);
		explain_add_text(&text, &required->v[i]);
		json_array_append_new(list, json_string(text.data));
		buf_done(&text);
	}
	return list;
}

static json_t *lints_json(const struct pattern_explained *ex)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ex->n_lints; i++)
		json_array_append_new(list, json_pack("{s:s, s:s}", "name", ex->lints[i].name,
						      "text", ex->lints[i].text));
	return list;
}

json_t *explain_json(const struct pattern_conf *conf, const struct pattern_explained *ex)
{
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:{s:b, s:s*, s:I}, s:I, s:{s:o, s:b, s:b}, s:b, s:I, s:{s:I, s:I}, s:I, "
		"s:o}",
		"name", conf->head.name, "scope", conf->scope == SCOPE_STREAM ? "stream" : "packet",
		"regex", ex->text, "engine", ex->engine, "jit", "on", ex->jit, "reason",
		ex->jit ? NULL : ex->jit_reason, "bytes", (json_int_t)ex->jit_bytes, "captures",
		(json_int_t)ex->captures, "prefilter", "texts", required_json(&ex->required),
		"caseless", ex->required.caseless, "shape", ex->shape, "straight", ex->straight,
		"lookback", (json_int_t)ex->lookback, "stream", "tail", (json_int_t)ex->tail,
		"worst", (json_int_t)ex->stream_max, "match_limit", (json_int_t)conf->match_limit,
		"lints", lints_json(ex));
}
