#include "capture/pattern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "agent/base/buf.h"

_Static_assert(PATTERN_UNSET == PCRE2_UNSET, "an unset group is told as PCRE2 does");
_Static_assert(sizeof(struct span) == 2 * sizeof(PCRE2_SIZE), "a span is a pair of the ovector");

/* Deeper nesting than any author means; PCRE2's own default is 250. */
#define NEST_LIMIT 100

/*
 * The interpreter's memory, KiB: the default of 20 GB would let a guest's payload grow the worker.
 * Machine code takes its stack instead: 32 KiB at first, PCRE2's own size, up to the second bound.
 */
#define HEAP_LIMIT_KIB 16384
#define JIT_STACK_MIN  (32u << 10)
#define JIT_STACK_MAX  (1024u << 10)

/* What a selected group is: its number, or a range of the table of names (duplicates by (?J)). */
struct group {
	char *name;
	uint32_t number;
	PCRE2_SPTR first, last; /* NULL: by number */
};

struct pattern {
	pcre2_code *code;
	uint32_t match_limit;
	struct group *groups;
	size_t n_groups;
	uint32_t name_entry_size;
	bool jit;
	char jit_reason[128];
	const char *note;
	struct literal_set required;
};

struct pattern_scratch {
	pcre2_match_data *data;
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
};

static const char note_keep_out[] =
	"preceded-by is not of fixed length, so it is matched before the regex instead of looked "
	"back at: text that the match before took cannot be context of the next";

static uint32_t compile_options(const struct pattern_conf *conf)
{
	uint32_t options = PCRE2_NEVER_BACKSLASH_C;

	options |= conf->utf ? PCRE2_UTF | PCRE2_MATCH_INVALID_UTF : PCRE2_NEVER_UTF;
	options |= conf->caseless ? PCRE2_CASELESS : 0;
	options |= conf->multiline ? PCRE2_MULTILINE : 0;
	options |= conf->dotall ? PCRE2_DOTALL : 0;
	return options;
}

/*
 * Returns PCRE2's error number, positive for faults of the pattern; the text names `what`, the key
 * that the text is from.
 */
static int compile_with(const char *text, size_t len, uint32_t options, const char *what,
			pcre2_code **ret, struct err *err)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	PCRE2_UCHAR why[256];
	PCRE2_SIZE offset;
	pcre2_code *code;
	int error;

	if (!context) {
		err_set(err, 0, "%s: out of memory", what);
		return PCRE2_ERROR_NOMEMORY;
	}
	pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
	pcre2_set_parens_nest_limit(context, NEST_LIMIT);
	pcre2_set_max_pattern_length(context, PATTERN_REGEX_MAX);
	code = pcre2_compile((PCRE2_SPTR)text, len, options, &error, &offset, context);
	pcre2_compile_context_free(context);
	if (code) {
		*ret = code;
		return 0;
	}
	pcre2_get_error_message(error, why, sizeof(why));
	err_set(err, 0, "%s: %s at offset %zu", what, (const char *)why, offset);
	return error;
}

static int compile(const char *text, size_t len, const struct pattern_conf *conf, const char *what,
		   pcre2_code **ret, struct err *err)
{
	return compile_with(text, len, compile_options(conf), what, ret, err);
}

static int error_code(int pcre2_error)
{
	if (pcre2_error == PCRE2_ERROR_NOMEMORY || pcre2_error == PCRE2_ERROR_HEAP_FAILED)
		return -ENOMEM;
	return -EINVAL;
}

static uint32_t capture_count(const pcre2_code *code)
{
	uint32_t count = 0;

	pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &count);
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

/*
 * Whether the text recurses into the whole pattern, which is more than the text once there is
 * context. PCRE2 itself says where the items of the text are: callouts stand before each.
 */
static int find_whole_recursion(const char *text, const struct pattern_conf *conf, const char *what,
				bool *ret, struct err *err)
{
	pcre2_code *code = NULL;
	bool maybe = false;
	int error;

	*ret = false;
	for (size_t i = 0; i < sizeof(recursion_words) / sizeof(recursion_words[0]); i++)
		maybe = maybe || strstr(text, recursion_words[i]);
	if (!maybe)
		return 0;
	error = compile_with(text, strlen(text), compile_options(conf) | PCRE2_AUTO_CALLOUT, what,
			     &code, err);
	if (error)
		return error_code(error);
	*ret = pcre2_callout_enumerate(code, on_item, (void *)text) == 1;
	pcre2_code_free(code);
	return 0;
}

/*
 * Each part has to be a pattern by itself, so that "a)(b" is refused where it stands. A group of a
 * context would shift the numbers of the regex's own.
 */
static int check_part(const char *text, const struct pattern_conf *conf, const char *what,
		      bool context, struct err *err)
{
	pcre2_code *code = NULL;
	uint32_t captures;
	bool recurses;
	int error;

	if (!text)
		return 0;
	error = compile(text, strlen(text), conf, what, &code, err);
	if (error)
		return error_code(error);
	captures = capture_count(code);
	pcre2_code_free(code);
	if (context && captures)
		return err_set(err, -EINVAL,
			       "%s: a context has no groups of its own: write (?:...) for (...)",
			       what);
	if (!conf->preceded_by && !conf->followed_by)
		return 0;
	error = find_whole_recursion(text, conf, what, &recurses, err);
	if (error || !recurses)
		return error;
	return err_set(err, -EINVAL,
		       context ? "%s: recursion into the whole pattern would take the regex in too"
			       : "%s: recursion into the whole pattern would take its context in "
				 "too: name a group: (?<p>...(?&p)...)",
		       what);
}

/* Context becomes lookaround, so that neighbouring matches may share a delimiter. */
static void compose(const struct pattern_conf *conf, bool look_behind, struct buf *out)
{
	if (conf->preceded_by)
		buf_addf(out, look_behind ? "(?<=%s)" : "(?:%s)\\K", conf->preceded_by);
	buf_addf(out, "(?:%s)", conf->regex);
	if (conf->followed_by)
		buf_addf(out, "(?=%s)", conf->followed_by);
}

static void find_required(struct pattern *pattern, const char *text, size_t len,
			  const struct pattern_conf *conf)
{
	const struct literal_options options = { .utf = conf->utf, .caseless = conf->caseless };

	literal_required(text, len, &options, &pattern->required);
}

static int compile_composed(const struct pattern_conf *conf, bool look_behind,
			    struct pattern *pattern, struct err *err)
{
	struct buf text;
	int error;

	/* The parts were checked against PATTERN_REGEX_MAX, so this only has to hold all three. */
	buf_init(&text, 4 * (size_t)PATTERN_REGEX_MAX);
	compose(conf, look_behind, &text);
	if (text.failed) {
		buf_done(&text);
		err_set(err, 0, "regex: out of memory");
		return PCRE2_ERROR_NOMEMORY;
	}
	error = compile(text.data, text.len, conf, "regex with its context", &pattern->code, err);
	if (!error)
		find_required(pattern, text.data, text.len, conf);
	buf_done(&text);
	return error;
}

static bool look_behind_refused(int error)
{
	return error == PCRE2_ERROR_LOOKBEHIND_NOT_FIXED_LENGTH ||
	       error == PCRE2_ERROR_LOOKBEHIND_TOO_COMPLICATED ||
	       error == PCRE2_ERROR_LOOKBEHIND_TOO_LONG;
}

static int compile_code(const struct pattern_conf *conf, struct pattern *pattern, struct err *err)
{
	int code, error;

	code = check_part(conf->preceded_by, conf, "preceded-by", true, err);
	if (!code)
		code = check_part(conf->followed_by, conf, "followed-by", true, err);
	if (!code)
		code = check_part(conf->regex, conf, "regex", false, err);
	if (code)
		return code;
	if (!conf->preceded_by && !conf->followed_by) {
		error = compile(conf->regex, strlen(conf->regex), conf, "regex", &pattern->code,
				err);
		find_required(pattern, conf->regex, strlen(conf->regex), conf);
		return error ? error_code(error) : 0;
	}
	error = compile_composed(conf, true, pattern, err);
	if (look_behind_refused(error)) {
		error = compile_composed(conf, false, pattern, err);
		pattern->note = note_keep_out;
	}
	return error ? error_code(error) : 0;
}

static int find_group(const struct pattern *pattern, const char *name, struct group *group,
		      struct err *err)
{
	uint32_t captures = capture_count(pattern->code);
	uint64_t number;
	int entry_size;

	if (name[strspn(name, "0123456789")] == '\0') {
		if (parse_u64(name, 0, captures, &number, NULL))
			return err_set(err, -EINVAL,
				       "groups: there is no group %s: the regex has %u", name,
				       captures);
		group->number = (uint32_t)number;
		return 0;
	}
	entry_size = pcre2_substring_nametable_scan(pattern->code, (PCRE2_SPTR)name, &group->first,
						    &group->last);
	if (entry_size < 0)
		return err_set(err, -EINVAL, "groups: the regex has no group named \"%s\"", name);
	return 0;
}

static int add_group(struct pattern *pattern, const char *name, struct err *err)
{
	struct group *group = &pattern->groups[pattern->n_groups];
	int code = find_group(pattern, name, group, err);

	if (code)
		return code;
	for (size_t i = 0; i < pattern->n_groups; i++) {
		if (strcmp(pattern->groups[i].name, name) == 0)
			return err_set(err, -EINVAL, "groups: %s is named twice", name);
	}
	group->name = strdup(name);
	if (!group->name)
		return err_set(err, -ENOMEM, "groups: out of memory");
	pattern->n_groups++;
	return 0;
}

static int find_groups(const struct pattern_conf *conf, struct pattern *pattern, struct err *err)
{
	size_t n = conf->groups.n ? conf->groups.n : 1;
	int code = 0;

	if (capture_count(pattern->code) > PATTERN_CAPTURES_MAX)
		return err_set(err, -EINVAL, "regex: more than %d groups: use (?:...)",
			       PATTERN_CAPTURES_MAX);
	if (n > PATTERN_GROUPS_MAX)
		return err_set(err, -EINVAL, "groups: more than %d", PATTERN_GROUPS_MAX);
	pattern->groups = calloc(n, sizeof(*pattern->groups));
	if (!pattern->groups)
		return err_set(err, -ENOMEM, "groups: out of memory");
	pcre2_pattern_info(pattern->code, PCRE2_INFO_NAMEENTRYSIZE, &pattern->name_entry_size);
	if (!conf->groups.n)
		return add_group(pattern, "0", err);
	for (size_t i = 0; i < n && !code; i++)
		code = add_group(pattern, conf->groups.v[i], err);
	return code;
}

/*
 * Whether there is machine code is known only from the result: pcre2_config() says yes also where
 * the process may not map executable memory.
 */
static void compile_jit(struct pattern *pattern)
{
	int error = pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE);
	PCRE2_UCHAR why[sizeof(pattern->jit_reason)];
	size_t size = 0;

	if (!error && !pcre2_pattern_info(pattern->code, PCRE2_INFO_JITSIZE, &size) && size) {
		pattern->jit = true;
		return;
	}
	if (error)
		pcre2_get_error_message(error, why, sizeof(why));
	else
		memcpy(why, "the pattern forbids it", sizeof("the pattern forbids it"));
	memcpy(pattern->jit_reason, why, sizeof(why));
}

int pattern_compile(const struct pattern_conf *conf, struct pattern **ret, struct err *err)
{
	struct pattern *pattern = calloc(1, sizeof(*pattern));
	int code;

	if (!pattern)
		return err_set(err, -ENOMEM, "regex: out of memory");
	pattern->match_limit = conf->match_limit;
	code = compile_code(conf, pattern, err);
	if (!code)
		code = find_groups(conf, pattern, err);
	if (code) {
		pattern_free(pattern);
		return code;
	}
	compile_jit(pattern);
	*ret = pattern;
	return 0;
}

void pattern_free(struct pattern *pattern)
{
	if (!pattern)
		return;
	for (size_t i = 0; i < pattern->n_groups; i++)
		free(pattern->groups[i].name);
	free(pattern->groups);
	pcre2_code_free(pattern->code);
	free(pattern);
}

bool pattern_jit(const struct pattern *pattern, const char **ret_reason)
{
	if (!pattern->jit && ret_reason)
		*ret_reason = pattern->jit_reason;
	return pattern->jit;
}

const char *pattern_note(const struct pattern *pattern)
{
	return pattern->note;
}

const struct literal_set *pattern_required(const struct pattern *pattern)
{
	return &pattern->required;
}

size_t pattern_n_groups(const struct pattern *pattern)
{
	return pattern->n_groups;
}

const char *pattern_group_name(const struct pattern *pattern, size_t group)
{
	return pattern->groups[group].name;
}

int pattern_scratch_new(struct pattern_scratch **ret)
{
	struct pattern_scratch *scratch = calloc(1, sizeof(*scratch));

	if (!scratch)
		return -ENOMEM;
	scratch->data = pcre2_match_data_create(PATTERN_CAPTURES_MAX + 1, NULL);
	scratch->context = pcre2_match_context_create(NULL);
	scratch->stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, NULL);
	/* Without JIT in the library there is no stack, and none is needed. */
	if (!scratch->data || !scratch->context) {
		pattern_scratch_free(scratch);
		return -ENOMEM;
	}
	pcre2_set_heap_limit(scratch->context, HEAP_LIMIT_KIB);
	pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
	*ret = scratch;
	return 0;
}

void pattern_scratch_free(struct pattern_scratch *scratch)
{
	if (!scratch)
		return;
	pcre2_match_data_free(scratch->data);
	pcre2_match_context_free(scratch->context);
	pcre2_jit_stack_free(scratch->stack);
	free(scratch);
}

static enum pattern_result result_of(int rc)
{
	switch (rc) {
	case PCRE2_ERROR_NOMATCH:
		return PATTERN_NO_MATCH;
	case PCRE2_ERROR_MATCHLIMIT:
	case PCRE2_ERROR_DEPTHLIMIT:
	case PCRE2_ERROR_HEAPLIMIT:
	case PCRE2_ERROR_JIT_STACKLIMIT:
		return PATTERN_LIMIT;
	default:
		return rc > 0 ? PATTERN_MATCH : PATTERN_ERROR;
	}
}

static struct span span_at(const struct pattern_scratch *scratch, uint32_t number)
{
	const PCRE2_SIZE *ovector = pcre2_get_ovector_pointer(scratch->data);

	return (struct span){ ovector[2 * (size_t)number], ovector[2 * (size_t)number + 1] };
}

struct span pattern_whole(const struct pattern_scratch *scratch)
{
	return span_at(scratch, 0);
}

struct span pattern_group_span(const struct pattern *pattern, const struct pattern_scratch *scratch,
			       size_t group)
{
	const struct group *g = &pattern->groups[group];
	struct span span = span_at(scratch, g->number);

	if (!g->first)
		return span;
	/* An entry of the table of names begins with the group's number in two bytes: pcre2api(3). */
	for (PCRE2_SPTR entry = g->first;; entry += pattern->name_entry_size) {
		span = span_at(scratch, (uint32_t)(entry[0] << 8 | entry[1]));
		if (span_is_set(span) || entry == g->last)
			return span;
	}
}

/*
 * PCRE2 refuses \K in a lookaround, but not in a group that a lookaround calls: then the match may
 * start before `offset` or behind its own end (pcre2api(3)). Whoever reads a span takes its length.
 */
static bool spans_in_order(const struct pattern *pattern, const struct pattern_scratch *scratch,
			   size_t offset)
{
	struct span whole = pattern_whole(scratch);

	if (whole.start < offset || whole.start > whole.end)
		return false;
	for (size_t i = 0; i < pattern->n_groups; i++) {
		struct span span = pattern_group_span(pattern, scratch, i);

		if (span_is_set(span) && span.start > span.end)
			return false;
	}
	return true;
}

enum pattern_result pattern_match(const struct pattern *pattern, struct pattern_scratch *scratch,
				  const uint8_t *subject, size_t len, size_t offset,
				  bool not_empty_here)
{
	uint32_t options = not_empty_here ? PCRE2_NOTEMPTY_ATSTART : 0;
	int rc;

	pcre2_set_match_limit(scratch->context, pattern->match_limit);
	pcre2_set_depth_limit(scratch->context, pattern->match_limit);
	rc = pcre2_match(pattern->code, subject, len, offset, options, scratch->data,
			 scratch->context);
	/* The interpreter keeps its frames on the heap and may get further; its limits hold too. */
	if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
		rc = pcre2_match(pattern->code, subject, len, offset, options | PCRE2_NO_JIT,
				 scratch->data, scratch->context);
	if (rc > 0 && !spans_in_order(pattern, scratch, offset))
		return PATTERN_ERROR;
	return result_of(rc);
}
