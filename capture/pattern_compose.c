#include "capture/pattern_compose.h"

#include <errno.h>
#include <string.h>

#include "agent/base/buf.h"

static const char note_keep_out[] =
	"preceded-by is not of fixed length, so it is matched before the regex instead of looked "
	"back at: text that the match before took cannot be context of the next";

unsigned int pattern_regex_options(const struct pattern_conf *conf)
{
	unsigned int options = 0;

	options |= conf->utf ? REGEX_UTF : 0;
	options |= conf->caseless ? REGEX_CASELESS : 0;
	options |= conf->multiline ? REGEX_MULTILINE : 0;
	options |= conf->dotall ? REGEX_DOTALL : 0;
	return options;
}

/* The texts of a pattern, and what each needs behind it to be closed. */
struct parts {
	const char *preceded_by, *regex, *followed_by;
	const char *ends[3];
};

/*
 * A part that is a pattern by itself may end in an open \Q, or in a comment of (?x): that would go
 * on in what is put behind it. Where nothing closes it, what is put together says why.
 */
static int close_part(const char *text, const struct pattern_conf *conf, const char **ret_end,
		      struct err *err)
{
	static const char *const ends[] = { "", "\\E", "\n" };
	const bool may_be_open = text && (strstr(text, "\\Q") || strchr(text, '#'));

	*ret_end = "";
	for (size_t i = 0; may_be_open && i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct regex *regex = NULL;
		struct buf closed;
		int code;

		buf_init(&closed, 2 * (size_t)REGEX_TEXT_MAX);
		buf_addf(&closed, "(?:%s%s)", text, ends[i]);
		code = closed.failed
			       ? -ENOMEM
			       : regex_compile(closed.data, closed.len, pattern_regex_options(conf),
					       "regex", &regex, NULL, NULL);
		buf_done(&closed);
		regex_free(regex);
		if (code == -ENOMEM)
			return err_set(err, code, "regex: out of memory");
		if (code)
			continue;
		*ret_end = ends[i];
		break;
	}
	return 0;
}

/*
 * Each part has to be a pattern by itself, so that "a)(b" is refused where it stands. A group of a
 * context would shift the numbers of the regex's own.
 */
static int check_part(const char *text, const struct pattern_conf *conf, const char *what,
		      bool context, struct err *err)
{
	struct regex *regex = NULL;
	uint32_t captures;
	bool recurses;
	int code;

	if (!text)
		return 0;
	code = regex_compile(text, strlen(text), pattern_regex_options(conf), what, &regex, NULL,
			     err);
	if (code)
		return code;
	captures = regex_captures(regex);
	regex_free(regex);
	if (context && captures)
		return err_set(err, -EINVAL,
			       "%s: a context has no groups of its own: write (?:...) for (...)",
			       what);
	code = regex_finds_recursion(text, pattern_regex_options(conf), what, &recurses, err);
	if (code || !recurses)
		return code;
	return err_set(err, -EINVAL,
		       context ? "%s: recursion into the whole pattern would take the regex in too"
			       : "%s: recursion into the whole pattern would take its context in "
				 "too: name a group: (?<p>...(?&p)...)",
		       what);
}

static int check_parts(const struct pattern_conf *conf, struct parts *ret, struct err *err)
{
	const char *const texts[] = { conf->preceded_by, conf->regex, conf->followed_by };
	static const char *const names[] = { "preceded-by", "regex", "followed-by" };
	int code = 0;

	*ret = (struct parts){ texts[0], texts[1], texts[2], { "", "", "" } };
	for (int i = 0; i < 3 && !code && (texts[0] || texts[2]); i++) {
		code = check_part(texts[i], conf, names[i], i != 1, err);
		if (!code)
			code = close_part(texts[i], conf, &ret->ends[i], err);
	}
	return code;
}

/* Context becomes lookaround, so that neighbouring matches may share a delimiter. */
static void compose(const struct parts *parts, bool look_behind, struct buf *out)
{
	if (!parts->preceded_by && !parts->followed_by) {
		buf_adds(out, parts->regex);
		return;
	}
	if (parts->preceded_by)
		buf_addf(out, look_behind ? "(?<=%s%s)" : "(?:%s%s)\\K", parts->preceded_by,
			 parts->ends[0]);
	buf_addf(out, "(?:%s%s)", parts->regex, parts->ends[1]);
	if (parts->followed_by)
		buf_addf(out, "(?=%s%s)", parts->followed_by, parts->ends[2]);
}

static int compile_composed(const struct pattern_conf *conf, const struct parts *parts,
			    bool look_behind, struct pattern_composed *composed,
			    bool *ret_lookbehind, struct err *err)
{
	bool context = parts->preceded_by || parts->followed_by;
	struct buf text;
	int code;

	/* The parts were checked against REGEX_TEXT_MAX; this only has to hold all three. */
	buf_init(&text, 4 * (size_t)REGEX_TEXT_MAX);
	compose(parts, look_behind, &text);
	if (text.failed || !text.data) {
		buf_done(&text);
		return err_set(err, -ENOMEM, "regex: out of memory");
	}
	code = regex_compile(text.data, text.len, pattern_regex_options(conf),
			     context ? "regex with its context" : "regex", &composed->regex,
			     ret_lookbehind, err);
	if (!code)
		composed->text = buf_take(&text);
	buf_done(&text);
	return code;
}

/* What stands before a match need not be of one length, only a lookbehind. */
static int say_preceded_by(int code, struct err *err)
{
	char why[sizeof(err->text)];

	if (!err)
		return code;
	memcpy(why, err->text, sizeof(why));
	return err_set(err, code, "%s: preceded-by takes a context of any length", why);
}

int pattern_compose(const struct pattern_conf *conf, struct pattern_composed *ret, struct err *err)
{
	struct pattern_composed composed = { 0 };
	struct parts parts;
	bool lookbehind = false;
	int code = check_parts(conf, &parts, err);

	if (code)
		return code;
	code = compile_composed(conf, &parts, true, &composed, &lookbehind, err);
	if (code && lookbehind && conf->preceded_by) {
		code = compile_composed(conf, &parts, false, &composed, NULL, err);
		composed.note = note_keep_out;
	} else if (code && lookbehind) {
		return say_preceded_by(code, err);
	}
	if (!code)
		*ret = composed;
	return code;
}
