#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/regex_code.h"

_Static_assert(SPAN_UNSET == PCRE2_UNSET, "an unset group is told as PCRE2 does");
_Static_assert(sizeof(struct span) == 2 * sizeof(PCRE2_SIZE), "a span is a pair of the ovector");

/*
 * The interpreter's memory, KiB: the default of 20 GB would let a guest's payload grow the worker.
 * Machine code takes its stack instead: 32 KiB at first, PCRE2's own size, up to the second bound.
 */
#define HEAP_LIMIT_KIB 16384
#define JIT_STACK_MIN  (32u << 10)
#define JIT_STACK_MAX  (1024u << 10)

struct regex_scratch {
	pcre2_match_data *data;
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
	const struct regex_guard *guard; /* NULL: nobody */
	bool skipped;
};

int regex_scratch_new(struct regex_scratch **ret)
{
	struct regex_scratch *scratch = calloc(1, sizeof(*scratch));

	if (!scratch)
		return -ENOMEM;
	scratch->data = pcre2_match_data_create(REGEX_CAPTURES_MAX + 1, NULL);
	scratch->context = pcre2_match_context_create(NULL);
	scratch->stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, NULL);
	/* Without JIT in the library there is no stack, and none is needed. */
	if (!scratch->data || !scratch->context) {
		regex_scratch_free(scratch);
		return -ENOMEM;
	}
	pcre2_set_heap_limit(scratch->context, HEAP_LIMIT_KIB);
	pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
	*ret = scratch;
	return 0;
}

void regex_scratch_guard(struct regex_scratch *scratch, const struct regex_guard *guard)
{
	scratch->guard = guard;
}

bool regex_was_skipped(const struct regex_scratch *scratch)
{
	return scratch->skipped;
}

void regex_scratch_free(struct regex_scratch *scratch)
{
	if (!scratch)
		return;
	pcre2_match_data_free(scratch->data);
	pcre2_match_context_free(scratch->context);
	pcre2_jit_stack_free(scratch->stack);
	free(scratch);
}

static enum regex_result result_of(int rc)
{
	switch (rc) {
	case PCRE2_ERROR_NOMATCH:
		return REGEX_NO_MATCH;
	case PCRE2_ERROR_PARTIAL:
		return REGEX_PARTIAL;
	case PCRE2_ERROR_MATCHLIMIT:
	case PCRE2_ERROR_DEPTHLIMIT:
	case PCRE2_ERROR_HEAPLIMIT:
	case PCRE2_ERROR_JIT_STACKLIMIT:
		return REGEX_LIMIT;
	default:
		return rc > 0 ? REGEX_MATCH : REGEX_ERROR;
	}
}

static uint32_t match_options(unsigned int how)
{
	uint32_t bits = 0;

	bits |= how & REGEX_NOT_EMPTY_HERE ? PCRE2_NOTEMPTY_ATSTART : 0;
	bits |= how & REGEX_MORE ? PCRE2_PARTIAL_HARD : 0;
	bits |= how & REGEX_OPEN_END ? PCRE2_NOTEOL : 0;
	bits |= how & REGEX_NOT_BEGIN ? PCRE2_NOTBOL : 0;
	return bits;
}

/*
 * The interpreter's frames stay with the match data (since 10.41), and after a hard subject they
 * are megabytes. When there is no memory for another block, the old one does.
 */
static void shed_frames(struct regex_scratch *scratch)
{
	pcre2_match_data *data = pcre2_match_data_create(REGEX_CAPTURES_MAX + 1, NULL);

	if (!data)
		return;
	pcre2_match_data_free(scratch->data);
	scratch->data = data;
}

static int interpret(const struct regex *regex, struct regex_scratch *scratch,
		     const uint8_t *subject, size_t len, size_t offset, uint32_t options)
{
	int rc = pcre2_match(regex->code, subject, len, offset, options | PCRE2_NO_JIT,
			     scratch->data, scratch->context);

	if (result_of(rc) == REGEX_LIMIT)
		shed_frames(scratch);
	return rc;
}

/* Machine code, as an argument of regex_guard.run(). */
struct jit_search {
	const struct regex *regex;
	struct regex_scratch *scratch;
	const uint8_t *subject;
	size_t len, offset;
	uint32_t options;
	int rc;
};

static void search_jit(void *data)
{
	struct jit_search *s = data;

	/* pcre2_jit_match() looks at nothing first, and so not for bad UTF-8 either. */
	s->rc = (s->regex->utf ? pcre2_match : pcre2_jit_match)(s->regex->code, s->subject, s->len,
								s->offset, s->options,
								s->scratch->data,
								s->scratch->context);
}

/*
 * Where the stack of a search that was left ends, nobody knows. Without memory PCRE2 has a small
 * one.
 */
static void renew_stack(struct regex_scratch *scratch)
{
	pcre2_jit_stack_free(scratch->stack);
	scratch->stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, NULL);
	pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
}

static int run_jit(struct jit_search *search)
{
	const struct regex_guard *guard = search->scratch->guard;

	if (!guard)
		search_jit(search);
	else if (!guard->run(search_jit, search)) {
		renew_stack(search->scratch);
		return PCRE2_ERROR_MATCHLIMIT;
	}
	return search->rc;
}

/* Machine code that goes by bytes further on in the match does start between CR and LF. */
static bool starts_in_crlf(const struct jit_search *search)
{
	size_t start = pcre2_get_startchar(search->scratch->data);

	return search->regex->skips_crlf && start > search->offset && start < search->len &&
	       search->subject[start] == '\n' && search->subject[start - 1] == '\r';
}

static int run_jit_by_newlines(struct jit_search *search)
{
	int rc = run_jit(search);

	while (rc > 0 && starts_in_crlf(search)) {
		search->offset = pcre2_get_startchar(search->scratch->data) + 1;
		search->options &= ~(uint32_t)PCRE2_NOTEMPTY_ATSTART;
		rc = run_jit(search);
	}
	return rc;
}

/*
 * Machine code does not see a recursion that takes nothing, as of (||(?1)): it calls until its
 * stack is full, and goes back through all of it for each way out. On the 32 KiB that PCRE2 has
 * without another one that is soon over, and the interpreter, which sees it, has the last word.
 */
static void use_stack(struct regex_scratch *scratch, bool large)
{
	pcre2_jit_stack_assign(scratch->context, NULL, large ? scratch->stack : NULL);
}

enum regex_result regex_match(const struct regex *regex, struct regex_scratch *scratch,
			      const uint8_t *subject, size_t len, size_t offset, unsigned int how,
			      uint32_t limit)
{
	struct jit_search search = { regex, scratch, subject, len, offset, match_options(how), 0 };
	const uint32_t options = search.options;
	int rc;

	scratch->skipped = scratch->guard && scratch->guard->is_over();
	if (scratch->skipped)
		return REGEX_LIMIT;
	pcre2_set_match_limit(scratch->context, limit);
	pcre2_set_depth_limit(scratch->context, limit);
	if (!regex->jit)
		return result_of(interpret(regex, scratch, subject, len, offset, options));
	use_stack(scratch, !regex->calls);
	rc = run_jit_by_newlines(&search);
	use_stack(scratch, true);
	/* The interpreter keeps its frames on the heap and may get further; its limits hold too. */
	if (rc == PCRE2_ERROR_JIT_STACKLIMIT || rc == PCRE2_ERROR_JIT_BADOPTION)
		rc = interpret(regex, scratch, subject, len, offset, options);
	return result_of(rc);
}

struct span regex_span(const struct regex_scratch *scratch, uint32_t number)
{
	const PCRE2_SIZE *ovector = pcre2_get_ovector_pointer(scratch->data);

	return (struct span){ ovector[2 * (size_t)number], ovector[2 * (size_t)number + 1] };
}

struct span regex_group_span(const struct regex *regex, const struct regex_scratch *scratch,
			     const struct regex_group *group)
{
	struct span span;

	if (!group->first)
		return regex_span(scratch, group->number);
	/*
	 * An entry of the table of names begins with the group's number in two bytes: pcre2api(3).
	 */
	for (const uint8_t *entry = group->first;; entry += regex->name_entry_size) {
		span = regex_span(scratch, (uint32_t)(entry[0] << 8 | entry[1]));
		if (span_is_set(span) || entry == group->last)
			return span;
	}
}

size_t regex_start(const struct regex_scratch *scratch)
{
	return pcre2_get_startchar(scratch->data);
}
