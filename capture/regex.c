#include "capture/regex.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/buf.h"
#include "agent/base/parse.h"
#include "capture/regex_code.h"

/* Deeper nesting than any author means; PCRE2's own default is 250. */
#define NEST_LIMIT 100

/* Of the text before and behind the place of a fault, in its message. */
#define FAULT_CONTEXT 30

/*
 * Where `.*` cannot match, PCRE2 goes on behind the next newline, as if only that could stop a dot:
 * but invalid UTF-8 does too, and what is behind it on the same line would be missed.
 */
#define UTF_OPTIONS (PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NO_DOTSTAR_ANCHOR)

static uint32_t compile_options(unsigned int options)
{
	uint32_t bits = 0;

	bits |= options & REGEX_UTF ? UTF_OPTIONS : PCRE2_NEVER_UTF;
	bits |= options & REGEX_CASELESS ? PCRE2_CASELESS : 0;
	bits |= options & REGEX_MULTILINE ? PCRE2_MULTILINE : 0;
	bits |= options & REGEX_DOTALL ? PCRE2_DOTALL : 0;
	bits |= options & REGEX_LINE_AT_END ? PCRE2_ALT_CIRCUMFLEX : 0;
	return bits | PCRE2_NEVER_BACKSLASH_C;
}

static void add_printable(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = (uint8_t)text[i];

		if (byte < 0x20 || byte == 0x7f)
			buf_addf(out, "\\x%02x", byte);
		else
			buf_addc(out, text[i]);
	}
}

static void say_fault(struct err *err, const char *what, int error, const char *text, size_t len,
		      size_t offset)
{
	size_t before = offset < FAULT_CONTEXT ? offset : FAULT_CONTEXT;
	size_t behind = len - offset < FAULT_CONTEXT ? len - offset : FAULT_CONTEXT;
	PCRE2_UCHAR why[256];
	struct buf place;

	pcre2_get_error_message(error, why, sizeof(why));
	buf_init(&place, 16 * FAULT_CONTEXT);
	buf_adds(&place, before < offset ? "..." : "");
	add_printable(&place, text + (offset - before), before);
	buf_adds(&place, "<HERE>");
	add_printable(&place, text + offset, behind);
	buf_adds(&place, behind < len - offset ? "..." : "");
	err_set(err, 0, "%s: %s at offset %zu: %s", what, (const char *)why, offset,
		place.data ? place.data : "");
	buf_done(&place);
}

/*
 * PCRE2 10.42 takes the first byte of a match from a lookahead at its start, and looks for the last
 * required byte behind that one: /(?=b)(?:ab|b)/ does not match "b". Where the two may be the same
 * byte it must not be clever.
 */
static bool outwits_itself(const pcre2_code *code, const char *text)
{
	uint32_t first_type = 0, last_type = 0, first = 0, last = 0;

	if (!strstr(text, "(?=") && !strstr(text, "(*"))
		return false;
	pcre2_pattern_info(code, PCRE2_INFO_FIRSTCODETYPE, &first_type);
	pcre2_pattern_info(code, PCRE2_INFO_LASTCODETYPE, &last_type);
	pcre2_pattern_info(code, PCRE2_INFO_FIRSTCODEUNIT, &first);
	pcre2_pattern_info(code, PCRE2_INFO_LASTCODEUNIT, &last);
	return first_type == 1 && last_type == 1 && tolower((int)first) == tolower((int)last);
}

bool regex_is_multiline(const char *text, unsigned int options)
{
	if (options & REGEX_MULTILINE)
		return true;
	while ((text = strstr(text, "(?"))) {
		text += 2;
		/* Letters behind a '-' are unset. */
		if (memchr(text, 'm', strspn(text, "imsxnJU^")))
			return true;
	}
	return false;
}

/*
 * PCRE2 begins no match between CR and LF, but where machine code jumps there it does all the same:
 * what is found would depend on where the search began. A text with a CR in it, also one that is
 * never matched, may begin anywhere; only where ^ is of lines would that be felt.
 */
static const char anywhere[] = "\\r{0}";

static int compile_code(const char *text, size_t len, uint32_t options, const char *what,
			pcre2_code **ret, struct err *err);

static int compile_anywhere(const char *text, size_t len, uint32_t options, const char *what,
			    pcre2_code **ret, struct err *err)
{
	const size_t n = sizeof(anywhere) - 1;
	char *prefixed = malloc(n + len + 1);
	struct err unused;
	int error;

	if (!prefixed) {
		err_set(err, 0, "%s: out of memory", what);
		return PCRE2_ERROR_NOMEMORY;
	}
	memcpy(prefixed, anywhere, n);
	memcpy(prefixed + n, text, len);
	prefixed[n + len] = '\0';
	error = compile_code(prefixed, n + len, options, what, ret, &unused);
	free(prefixed);
	/* A fault is told with its place in the author's text. */
	return error ? compile_code(text, len, options, what, ret, err) : 0;
}

/* Returns PCRE2's error number, positive for faults of the pattern. */
static int compile_code(const char *text, size_t len, uint32_t options, const char *what,
			pcre2_code **ret, struct err *err)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	PCRE2_SIZE offset;
	pcre2_code *code;
	int error;

	if (!context) {
		err_set(err, 0, "%s: out of memory", what);
		return PCRE2_ERROR_NOMEMORY;
	}
	pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
	pcre2_set_parens_nest_limit(context, NEST_LIMIT);
	pcre2_set_max_pattern_length(context, REGEX_TEXT_MAX);
	code = pcre2_compile((PCRE2_SPTR)text, len, options, &error, &offset, context);
	if (code && outwits_itself(code, text)) {
		pcre2_code_free(code);
		code = pcre2_compile((PCRE2_SPTR)text, len, options | PCRE2_NO_START_OPTIMIZE,
				     &error, &offset, context);
	}
	pcre2_compile_context_free(context);
	if (code) {
		*ret = code;
		return 0;
	}
	say_fault(err, what, error, text, len, offset < len ? offset : len);
	return error;
}

/* As its author wrote it, and as it is compiled. */
struct spelling {
	const char *text;
	size_t at; /* before it all is spelt */
	struct buf *out;
};

static int on_type(pcre2_callout_enumerate_block *block, void *data)
{
	struct spelling *spelling = data;
	const size_t place = block->pattern_position;
	const char *item = spelling->text + place;

	/* Of length 1: a backslash between \Q and \E. What is in a repeated group comes again. */
	if (block->next_item_length < 2 || item[0] != '\\' || !strchr("DSW", item[1]) ||
	    place < spelling->at)
		return 0;
	buf_add(spelling->out, spelling->text + spelling->at, place - spelling->at);
	buf_addf(spelling->out, "[^\\%c]", tolower(item[1]));
	spelling->at = place + 2;
	return 0;
}

/*
 * With PCRE2_MATCH_INVALID_UTF the machine code of PCRE2 10.42 finds no character of several bytes
 * by \D, \S and \W (fixed in 10.43), but does by [^\d]. PCRE2 itself says where the items of the
 * text are: callouts stand before each. Nothing is added where there is none, or the text has a
 * fault.
 */
static int spell_types(const char *text, size_t len, uint32_t options, struct buf *out)
{
	struct spelling spelling = { .text = text, .out = out };
	pcre2_code *code = NULL;

	if (!strstr(text, "\\D") && !strstr(text, "\\S") && !strstr(text, "\\W"))
		return 0;
	if (compile_code(text, len, options | PCRE2_AUTO_CALLOUT, "", &code, NULL))
		return 0;
	pcre2_callout_enumerate(code, on_type, &spelling);
	pcre2_code_free(code);
	buf_add(out, text + spelling.at, len - spelling.at);
	return out->failed ? PCRE2_ERROR_NOMEMORY : 0;
}

static int compile_spelt(const char *text, size_t len, unsigned int options, const char *what,
			 pcre2_code **ret, struct err *err)
{
	const uint32_t bits = compile_options(options);
	struct buf spelt;
	int error = 0;

	buf_init(&spelt, 4 * (size_t)REGEX_TEXT_MAX);
	if (options & REGEX_UTF)
		error = spell_types(text, len, bits, &spelt);
	if (spelt.len) {
		text = spelt.data;
		len = spelt.len;
	}
	/* Verbs stand first. */
	if (error)
		err_set(err, 0, "%s: out of memory", what);
	else if (regex_is_multiline(text, options) || strncmp(text, "(*", 2) == 0)
		error = compile_code(text, len, bits, what, ret, err);
	else
		error = compile_anywhere(text, len, bits, what, ret, err);
	buf_done(&spelt);
	return error;
}

static int error_code(int error)
{
	if (error == PCRE2_ERROR_NOMEMORY || error == PCRE2_ERROR_HEAP_FAILED)
		return -ENOMEM;
	return -EINVAL;
}

static bool is_lookbehind_fault(int error)
{
	return error == PCRE2_ERROR_LOOKBEHIND_NOT_FIXED_LENGTH ||
	       error == PCRE2_ERROR_LOOKBEHIND_TOO_COMPLICATED ||
	       error == PCRE2_ERROR_LOOKBEHIND_TOO_LONG;
}

/*
 * Whether there is machine code is known only from the result: pcre2_config() says yes also where
 * the process may not map executable memory.
 */
static void compile_jit(struct regex *regex)
{
	int error = pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE | PCRE2_JIT_PARTIAL_HARD);
	PCRE2_UCHAR why[sizeof(regex->jit_reason)] = "the pattern forbids it";
	size_t size = 0;

	pcre2_pattern_info(regex->code, PCRE2_INFO_JITSIZE, &size);
	regex->jit = !error && size;
	if (error)
		pcre2_get_error_message(error, why, sizeof(why));
	memcpy(regex->jit_reason, why, sizeof(why));
}

/*
 * Of a text without a CR, as `anywhere` gives it one: where no match started at a CR, PCRE2 goes on
 * behind the LF that follows, if newline is CRLF or may be (pcre2api(3)). So it does where matches
 * start at lines alone, whatever is in the text. \G is where the search begins, and such a one
 * cannot begin anew.
 */
static bool skips_crlf(const pcre2_code *code, const char *text, size_t len)
{
	uint32_t newline = 0, named = 0, first_type = 0;

	pcre2_pattern_info(code, PCRE2_INFO_NEWLINE, &newline);
	pcre2_pattern_info(code, PCRE2_INFO_HASCRORLF, &named);
	pcre2_pattern_info(code, PCRE2_INFO_FIRSTCODETYPE, &first_type);
	return (!named || first_type == 2) && !memmem(text, len, "\\G", 2) &&
	       (newline == PCRE2_NEWLINE_CRLF || newline == PCRE2_NEWLINE_ANYCRLF ||
		newline == PCRE2_NEWLINE_ANY);
}

/* Whether a group is called, somewhere in the text; it may say so of one where none is. */
static bool calls_groups(const char *text)
{
	if (strstr(text, "\\g<") || strstr(text, "\\g'"))
		return true;
	while ((text = strstr(text, "(?"))) {
		text += 2;
		if (*text == 'R' || *text == '&' || strncmp(text, "P>", 2) == 0 ||
		    isdigit((unsigned char)text[strspn(text, "+-")]))
			return true;
	}
	return false;
}

int regex_compile(const char *text, size_t len, unsigned int options, const char *what,
		  struct regex **ret, bool *ret_lookbehind, struct err *err)
{
	struct regex *regex = calloc(1, sizeof(*regex));
	int error;

	if (!regex)
		return err_set(err, -ENOMEM, "%s: out of memory", what);
	error = compile_spelt(text, len, options, what, &regex->code, err);
	if (error) {
		if (ret_lookbehind)
			*ret_lookbehind = is_lookbehind_fault(error);
		free(regex);
		return error_code(error);
	}
	regex->utf = options & REGEX_UTF;
	regex->calls = calls_groups(text);
	regex->skips_crlf = skips_crlf(regex->code, text, len);
	pcre2_pattern_info(regex->code, PCRE2_INFO_NAMEENTRYSIZE, &regex->name_entry_size);
	compile_jit(regex);
	*ret = regex;
	return 0;
}

void regex_free(struct regex *regex)
{
	if (!regex)
		return;
	pcre2_code_free(regex->code);
	free(regex);
}

bool regex_jit(const struct regex *regex, const char **ret_reason)
{
	if (!regex->jit && ret_reason)
		*ret_reason = regex->jit_reason;
	return regex->jit;
}

size_t regex_jit_size(const struct regex *regex)
{
	size_t size = 0;

	pcre2_pattern_info(regex->code, PCRE2_INFO_JITSIZE, &size);
	return size;
}

void regex_engine(char *ret, size_t size)
{
	char version[40] = "?"; /* 24 bytes would do: pcre2api(3) */

	if (pcre2_config(PCRE2_CONFIG_VERSION, NULL) <= (int)sizeof(version))
		pcre2_config(PCRE2_CONFIG_VERSION, version);
	snprintf(ret, size, "PCRE2 %s", version);
}

uint32_t regex_captures(const struct regex *regex)
{
	uint32_t count = 0;

	pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &count);
	return count;
}

uint32_t regex_lookbehind(const struct regex *regex)
{
	uint32_t count = 0;

	pcre2_pattern_info(regex->code, PCRE2_INFO_MAXLOOKBEHIND, &count);
	return count;
}

/* Without them a text is not compiled once more for the search. */
static const char *const recursion_words[] = { "(?R)", "(?0", "\\g<0", "\\g'0" };

/* (?R), (?0), \g<0> or \g'0', with as many zeroes as one likes. */
static bool is_whole_recursion(const char *item)
{
	size_t zeroes;

	if (strncmp(item, "(?R)", 4) == 0)
		return true;
	if (strncmp(item, "(?", 2) == 0) {
		zeroes = strspn(item + 2, "0");
		return zeroes && item[2 + zeroes] == ')';
	}
	if (strncmp(item, "\\g<", 3) != 0 && strncmp(item, "\\g'", 3) != 0)
		return false;
	zeroes = strspn(item + 3, "0");
	return zeroes && item[3 + zeroes] == (item[2] == '<' ? '>' : '\'');
}

static int on_item(pcre2_callout_enumerate_block *block, void *data)
{
	const char *text = data;

	/* Of length 1: a parenthesis between \Q and \E. */
	return block->next_item_length > 1 && is_whole_recursion(text + block->pattern_position);
}

/* PCRE2 itself says where the items of the text are: callouts stand before each. */
int regex_finds_recursion(const char *text, unsigned int options, const char *what, bool *ret,
			  struct err *err)
{
	pcre2_code *code = NULL;
	bool maybe = false;
	int error;

	for (size_t i = 0; i < sizeof(recursion_words) / sizeof(recursion_words[0]); i++)
		maybe = maybe || strstr(text, recursion_words[i]);
	if (!maybe) {
		*ret = false;
		return 0;
	}
	error = compile_code(text, strlen(text), compile_options(options) | PCRE2_AUTO_CALLOUT,
			     what, &code, err);
	if (error)
		return error_code(error);
	*ret = pcre2_callout_enumerate(code, on_item, (void *)text) == 1;
	pcre2_code_free(code);
	return 0;
}

int regex_find_group(const struct regex *regex, const char *name, struct regex_group *ret)
{
	struct regex_group group = { 0 };
	PCRE2_SPTR first, last;
	uint64_t number;

	if (name[strspn(name, "0123456789")] == '\0') {
		if (parse_u64(name, 0, regex_captures(regex), &number, NULL))
			return -ENOENT;
		group.number = (uint32_t)number;
	} else {
		if (pcre2_substring_nametable_scan(regex->code, (PCRE2_SPTR)name, &first, &last) <
		    0)
			return -ENOENT;
		group.first = first;
		group.last = last;
	}
	*ret = group;
	return 0;
}
