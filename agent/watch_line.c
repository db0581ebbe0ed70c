#include "agent/watch_line.h"

#include <errno.h>
#include <string.h>
#include <jansson.h>

/* "2026-11-22T16:20:01.123": milliseconds are enough to read. */
#define TIME_SHOWN 23

static const char *text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

static void add_escaped(struct buf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '"' || c == '\\')
			buf_addf(out, "\\%c", c);
		else if (c >= ' ' && c <= '~')
			buf_addc(out, (char)c);
		else
			buf_addf(out, "\\x%02x", c);
	}
}

static void add_quoted(struct buf *out, const char *s, size_t len)
{
	buf_addc(out, '"');
	add_escaped(out, s, len < WATCH_TEXT_MAX ? len : WATCH_TEXT_MAX);
	buf_adds(out, len > WATCH_TEXT_MAX ? "\"..." : "\"");
}

static void add_word(struct buf *out, const char *s)
{
	buf_addc(out, ' ');
	if (*s)
		add_escaped(out, s, strlen(s));
	else
		buf_addc(out, '-');
}

/* A span of a record: {"text"} or, when that is not UTF-8, {"b64"}. */
static void add_span(struct buf *out, const json_t *span)
{
	const json_t *value = json_object_get(span, "text");

	if (value) {
		add_quoted(out, json_string_value(value), json_string_length(value));
	} else if ((value = json_object_get(span, "b64"))) {
		buf_adds(out, "base64:");
		add_quoted(out, json_string_value(value), json_string_length(value));
	} else {
		buf_addc(out, '-');
	}
}

static void add_address(struct buf *out, const json_t *record, const char *ip, const char *port)
{
	const char *address = text(record, ip);
	bool ipv6 = strchr(address, ':') != NULL;

	buf_adds(out, ipv6 ? " [" : " ");
	add_escaped(out, address, strlen(address));
	buf_addf(out, "%s:%" JSON_INTEGER_FORMAT, ipv6 ? "]" : "",
		 json_integer_value(json_object_get(record, port)));
}

static void add_flow(struct buf *out, const json_t *record, const json_t *own)
{
	add_word(out, text(own, "flow_dir"));
	add_address(out, record, "src_ip", "src_port");
	buf_adds(out, " >");
	add_address(out, record, "dest_ip", "dest_port");
	add_word(out, text(record, "proto"));
}

static void add_alert(struct buf *out, const json_t *record)
{
	const json_t *own = json_object_get(record, "tapwarden");
	json_t *groups = json_object_get(own, "groups"), *group;
	const char *name;

	add_word(out, text(own, "rule"));
	if (strcmp(text(json_object_get(record, "alert"), "action"), "blocked") == 0)
		add_word(out, "blocked");
	if (json_object_get(own, "log")) {
		add_word(out, text(own, "log"));
		add_word(out, text(own, "file"));
	} else {
		add_flow(out, record, own);
	}
	buf_addc(out, ' ');
	add_span(out, json_object_get(own, "match"));
	json_object_foreach(groups, name, group) {
		add_word(out, name);
		buf_addc(out, '=');
		add_span(out, group);
	}
}

static void add_event(struct buf *out, const json_t *record, const char *type)
{
	const json_t *body = json_object_get(record, type);
	const char *detail = text(body, "detail");

	add_word(out, type);
	add_word(out, text(body, "action"));
	if (!*detail)
		return;
	buf_adds(out, ": ");
	add_escaped(out, detail, strlen(detail));
}

static void add_gap(struct buf *out, const json_t *record)
{
	const json_t *gap = json_object_get(record, "gap");
	const json_int_t lost = json_integer_value(json_object_get(gap, "lost"));
	const char *unit = text(gap, "unit");
	const size_t len = strlen(unit);

	buf_addf(out, " gap: %" JSON_INTEGER_FORMAT " ", lost);
	/* Units are plurals: "frames". */
	add_escaped(out, unit, lost == 1 && len && unit[len - 1] == 's' ? len - 1 : len);
	buf_adds(out, " lost:");
	add_word(out, text(gap, "reason"));
}

static void read_seq(const json_t *record, struct watch_seq *ret)
{
	const json_t *seq = json_object_get(json_object_get(record, "tapwarden"), "seq");
	const json_t *gap = json_object_get(record, "gap");
	json_int_t covers = 1;

	if (strcmp(text(gap, "unit"), "records") == 0)
		covers = json_integer_value(json_object_get(gap, "lost"));
	if (!json_is_integer(seq) || json_integer_value(seq) < 0 || covers < 1)
		return;
	ret->known = true;
	ret->seq = (uint64_t)json_integer_value(seq);
	ret->next = ret->seq + (uint64_t)covers;
}

int watch_line(const char *record, size_t len, struct buf *out, struct watch_seq *ret_seq)
{
	json_t *object = json_loadb(record, len, JSON_ALLOW_NUL, NULL);
	const char *type = text(object, "event_type");
	const char *time = text(object, "timestamp");

	*ret_seq = (struct watch_seq){ 0 };
	if (!json_is_object(object) || !*type) {
		json_decref(object);
		return -EBADMSG;
	}
	read_seq(object, ret_seq);
	add_escaped(out, time, strnlen(time, TIME_SHOWN));
	buf_addc(out, 'Z');
	add_word(out, text(object, "in_iface"));
	if (strcmp(type, "alert") == 0)
		add_alert(out, object);
	else if (strcmp(type, "gap") == 0)
		add_gap(out, object);
	else
		add_event(out, object, type);
	json_decref(object);
	return 0;
}

static bool is_one(const char *s, char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (*s && strcmp(s, names[i]) == 0)
			return true;
	}
	return false;
}

bool watch_is_of(const char *record, size_t len, char *const *names, size_t n)
{
	static const char *const keys[] = { "set", "rule", "log" };
	json_t *object = json_loadb(record, len, JSON_ALLOW_NUL, NULL);
	const json_t *own = json_object_get(object, "tapwarden");
	bool is = strcmp(text(object, "event_type"), "gap") == 0 ||
		  is_one(text(object, "in_iface"), names, n);

	for (size_t i = 0; !is && i < sizeof(keys) / sizeof(keys[0]); i++)
		is = is_one(text(own, keys[i]), names, n);
	json_decref(object);
	return is;
}
