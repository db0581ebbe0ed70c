#include "agent/base/ini_scan.h"

#include <errno.h>
#include <string.h>

#include "agent/base/utf8.h"

/* Bytes of a line that are part of it: a pointer and a length. */
struct text {
	const char *p;
	size_t len;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct text strip(struct text t)
{
	while (t.len && is_blank(t.p[0])) {
		t.p++;
		t.len--;
	}
	while (t.len && is_blank(t.p[t.len - 1]))
		t.len--;
	return t;
}

/* Fits a "%.*s" of an error text. */
static int shown(struct text t)
{
	return (int)(t.len > 80 ? 80 : t.len);
}

/* What iniparser would cut (a long line), join (a backslash at the end) or misread. */
static int check_bytes(struct text t, struct err *err)
{
	if (t.len > INI_LINE_MAX)
		return err_set(err, -EINVAL, "the line has %zu bytes: at most %d are possible",
			       t.len, INI_LINE_MAX);
	for (size_t i = 0; i < t.len; i++) {
		unsigned char c = (unsigned char)t.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return err_set(err, -EINVAL,
				       "byte %zu of the line is the control character 0x%02x",
				       i + 1, c);
	}
	t = strip(t);
	if (t.len && t.p[t.len - 1] == '\\')
		return err_set(err, -EINVAL,
			       "a line cannot be continued: put quotes around a value that ends "
			       "in a backslash");
	return 0;
}

/* Bytes of the character at `at`; of what is none, the byte. */
static int character_len(struct text t, size_t at)
{
	const size_t len = utf8_length((const unsigned char *)t.p + at, t.len - at);

	return len ? (int)len : 1;
}

/* Copies a word in lower case, as iniparser does; `folded` is set when that changed it. */
static int copy_word(struct text t, const char *what, const char *allowed,
		     char ret[NAME_MAX_LEN + 1], bool *folded, struct err *err)
{
	char word[NAME_MAX_LEN + 1];

	if (t.len > NAME_MAX_LEN)
		return err_set(err, -EINVAL, "\"%.*s...\" is too long for %s", shown(t), t.p, what);
	for (size_t i = 0; i < t.len; i++) {
		bool upper = t.p[i] >= 'A' && t.p[i] <= 'Z';

		word[i] = (char)(upper ? t.p[i] + ('a' - 'A') : t.p[i]);
		*folded |= upper;
		if (!strchr(allowed, word[i]))
			return err_set(err, -EINVAL, "\"%.*s\" is not %s: \"%.*s\" cannot be in it",
				       shown(t), t.p, what, character_len(t, i), t.p + i);
	}
	word[t.len] = '\0';
	memcpy(ret, word, t.len + 1);
	return 0;
}

static int scan_section(struct text t, struct ini_line *line, struct err *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
	const char *close = memchr(t.p, ']', t.len);
	struct text inner, kind, name = { "", 0 };
	const char *gap;
	int code;

	if (!close)
		return err_set(err, -EINVAL, "the ] of the section is missing");
	if (close + 1 != t.p + t.len)
		return err_set(err, -EINVAL,
			       "a section stands alone on its line: \"%.*s\" is too much",
			       shown((struct text){ close + 1, (size_t)(t.p + t.len - close - 1) }),
			       close + 1);
	inner = strip((struct text){ t.p + 1, (size_t)(close - t.p - 1) });
	if (inner.len == 0)
		return err_set(err, -EINVAL, "the section has no name");
	kind = inner;
	gap = memchr(inner.p, ' ', inner.len);
	if (gap) {
		kind.len = (size_t)(gap - inner.p);
		name = (struct text){ gap + 1, inner.len - kind.len - 1 };
	}
	code = copy_word(kind, "a kind of section", allowed, line->name, &line->folded, err);
	if (code)
		return code;
	return copy_word(name, "a name", allowed, line->section_name, &line->folded, err);
}

/* Text behind a value would be lost; only a comment may stand there. */
static int check_rest(struct text rest, struct err *err)
{
	rest = strip(rest);
	if (rest.len == 0 || rest.p[0] == ';' || rest.p[0] == '#')
		return 0;
	return err_set(err, -EINVAL, "the text behind the closing quote is too much: %.*s",
		       shown(rest), rest.p);
}

static int check_value(struct text v, struct err *err)
{
	const char *end;

	if (v.len && (v.p[0] == '"' || v.p[0] == '\'')) {
		end = memchr(v.p + 1, v.p[0], v.len - 1);
		if (!end)
			return err_set(err, -EINVAL, "the closing quote %c is missing", v.p[0]);
		return check_rest((struct text){ end + 1, (size_t)(v.p + v.len - end - 1) }, err);
	}
	if (v.len && (v.p[0] == ';' || v.p[0] == '#'))
		return 0;
	for (size_t i = 1; i < v.len; i++) {
		if (v.p[i] != ';' && v.p[i] != '#')
			continue;
		if (is_blank(v.p[i - 1]))
			return 0;
		return err_set(err, -EINVAL,
			       "%c begins a comment and the value would end before it: put quotes "
			       "around the value, or a blank before the comment",
			       v.p[i]);
	}
	return 0;
}

static int scan_key(struct text t, struct ini_line *line, struct err *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	const char *equals = memchr(t.p, '=', t.len);
	struct text key, value;
	int code;

	if (!equals)
		return err_set(err, -EINVAL, "neither [section] nor key = value: \"%.*s\"",
			       shown(t), t.p);
	key = strip((struct text){ t.p, (size_t)(equals - t.p) });
	value = strip((struct text){ equals + 1, (size_t)(t.p + t.len - equals - 1) });
	if (key.len == 0)
		return err_set(err, -EINVAL, "the key before = is missing");
	code = copy_word(key, "a key", allowed, line->name, &line->folded, err);
	if (code)
		return code;
	return check_value(value, err);
}

int ini_scan_line(const char *line, size_t len, struct ini_line *ret, struct err *err)
{
	struct text t = { line, len };
	struct ini_line scanned = { .kind = INI_LINE_EMPTY };
	int code;

	if (t.len && t.p[t.len - 1] == '\r')
		t.len--;
	*ret = scanned;
	code = check_bytes(t, err);
	if (code)
		return code;
	t = strip(t);
	if (t.len && t.p[0] == '[') {
		scanned.kind = INI_LINE_SECTION;
		code = scan_section(t, &scanned, err);
	} else if (t.len && t.p[0] != '#' && t.p[0] != ';') {
		scanned.kind = INI_LINE_KEY;
		code = scan_key(t, &scanned, err);
	}
	*ret = scanned;
	return code;
}

bool ini_carries(const char *value, const char *quotes)
{
	size_t len = strlen(value);

	for (const char *p = value; *p; p++) {
		if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
			return false;
	}
	if (*quotes)
		return !strchr(value, *quotes);
	return len && !strpbrk(value, ";#") && !strchr("\"'", value[0]) && !is_blank(value[0]) &&
	       !is_blank(value[len - 1]) && value[len - 1] != '\\';
}
