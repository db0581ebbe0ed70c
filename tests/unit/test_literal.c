/* links: capture/literal.c capture/literal_reader.c capture/literal_part.c */
/* links: capture/literal_find.c */
#include "capture/literal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "capture/literal_find.h"

/* ---- what is read from a pattern ------------------------------------------------------------- */

struct literal_case {
	const char *regex;
	const char *options; /* "i": caseless, "u": utf */
	const char *expect; /* texts with "|" between, "~" in front when caseless; "": none */
};

static const struct literal_case cases[] = {
	{ "foobar[0-9]+", "", "foobar" },
	{ "(?<=^|#)foobar[0-9]+(?=#|$)", "", "foobar" },
	{ "Host: \\K\\S+", "", "Host: " },
	{ "foobar", "i", "~foobar" },
	{ "FooBar", "i", "~foobar" },
	{ "12:34", "i", "12:34" },
	{ "^(?<method>GET|POST) (?<path>\\S+) HTTP/1", "", " HTTP/1" },
	{ "(?:foo|bar|baz)=\\d", "", "foo=|bar=|baz=" },
	{ "colou?rful", "", "colorful|colourful" },
	{ "x?https?://", "", "http://|https://|xhttp://|xhttps://" },
	{ "ab+cde+f", "", "bcde" },
	{ "(?i)error(?-i)X", "", "~errorx" },
	{ "(?i:err)no", "", "~errno" },
	{ "warn(?=ing: disk)", "", "ing: disk" },
	{ "(?<=user=)\\w+", "", "user=" },
	{ "(?<!user=)\\w+", "", "" },
	{ "(?!foo)\\w+", "", "" },
	{ "foo|\\d+", "", "" },
	{ "foo|", "", "" },
	{ "(foo)?\\d+", "", "" },
	{ "(foo)+\\d+", "", "foo" },
	{ "(ab){3}c", "", "abababc" },
	{ "(\\d+ms){2,}", "", "ms" },
	{ "\\Qa.b*c\\E+z", "", "a.b*c" },
	{ "a\\.b\\[c\\]", "", "a.b[c]" },
	{ "\\x41\\x{42}\\103?\\0103", "", "AB" },
	{ "\\tTAB\\x0a", "", "\tTAB\n" },
	{ "(?x) f o o # comment \n bar", "", "foobar" },
	{ "a(?#comment)bc+", "", "abc" },
	{ "[f]oo[b]ar", "", "foobar" },
	{ "gr[ae]y", "", "gray|grey" },
	{ "gr[a-e]y1", "", "y1" },
	{ "[^x]yz", "", "yz" },
	{ "[]x]yz", "", "]yz|xyz" },
	{ "[[:alpha:]]yz=", "", "yz=" },
	{ "(a)\\1bcd", "", "bcd" },
	{ "(?(?=a)b|c)def", "", "def" },
	{ "(?1)bcd(x)", "", "bcdx" },
	{ "foo(*SKIP)bar", "", "" },
	{ "(*UTF)foo", "", "" },
	{ "foo(?C1)bar", "", "" },
	{ "foo{,3}bar", "", "" },
	{ "foo{x}bar", "", "foo{x}bar" },
	/* U+212A and U+017F are a k and an s in the other case. */
	{ "token=ask", "iu", "~en=a" },
	{ "token=ask", "i", "~token=ask" },
	{ "stra\303\237e", "u", "stra\303\237e" },
	{ "stra\303\237e", "iu", "~tra" },
	{ "\\x{20ac}5", "u", "\342\202\2545" },
	{ "a.c", "", "" },
	{ "", "", "" },
	/* Of what is too long for one text, the better half. */
	{ "abcdefghijklmnopqrstuvwxyz", "", "abcdefghijklmnopqrstuvwx" },
};

static void format_set(const struct literal_set *set, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < set->n; i++)
		len += (size_t)snprintf(out + len, size - len, "%s%.*s",
					i		? "|"
					: set->caseless ? "~"
							: "",
					(int)set->v[i].len, (const char *)set->v[i].bytes);
}

static void test_cases(void **state)
{
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct literal_case *c = &cases[i];
		struct literal_options options = { .utf = strchr(c->options, 'u') != NULL,
						   .caseless = strchr(c->options, 'i') != NULL };
		struct literal_set set;

		literal_required(c->regex, strlen(c->regex), &options, &set);
		format_set(&set, text, sizeof(text));
		if (strcmp(text, c->expect) != 0)
			fail_msg("%s: \"%s\" and not \"%s\"", c->regex, text, c->expect);
	}
}

/* ---- the proof: what PCRE2 matches holds the literal, and where it is said to be ------------- */

static uint64_t seed = 20260402;

static uint32_t dice(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 16) % n);
}

/* A pattern as it grows, and beside it a text that it may match. */
struct growth {
	char regex[1024];
	size_t len;
	char sample[512];
	size_t sample_len;
	unsigned int depth;
	bool mute; /* what is written here is not to be in the text */
};

static void grow(struct growth *g, const char *text)
{
	size_t len = strlen(text);

	if (g->len + len < sizeof(g->regex)) {
		memcpy(g->regex + g->len, text, len);
		g->len += len;
	}
}

static void sample(struct growth *g, const char *text)
{
	size_t len = strlen(text);

	if (!g->mute && g->sample_len + len < sizeof(g->sample)) {
		memcpy(g->sample + g->sample_len, text, len);
		g->sample_len += len;
	}
}

/* An item and what it may match. */
static const char *const atoms[][2] = {
	{ "a", "a" },
	{ "b", "b" },
	{ "c", "c" },
	{ "k", "k" },
	{ "s", "s" },
	{ "K", "K" },
	{ "S", "S" },
	{ "ab", "ab" },
	{ "abc", "abc" },
	{ "ba", "ba" },
	{ "x", "x" },
	{ "1", "1" },
	{ " ", " " },
	{ "{", "{" },
	{ "}", "}" },
	{ "]", "]" },
	{ "-", "-" },
	{ ",", "," },
	{ "#", "#" },
	{ "=", "=" },
	{ ".", "b" },
	{ "\\d", "1" },
	{ "\\w", "a" },
	{ "\\s", " " },
	{ "\\S", "x" },
	{ "\\W", "-" },
	{ "\\D", "b" },
	{ "\\N", "a" },
	{ "\\h", " " },
	{ "\\R", "\n" },
	{ "\\X", "a" },
	{ "[ab]", "b" },
	{ "[abc]", "c" },
	{ "[a]", "a" },
	{ "[^a]", "b" },
	{ "[a-c]", "b" },
	{ "[]a]", "]" },
	{ "[^]a]", "b" },
	{ "[\\]a]", "]" },
	{ "[[:alpha:]]", "a" },
	{ "[[a]", "[" },
	{ "[a-]", "-" },
	{ "[ks]", "s" },
	{ "[\\x61b]", "a" },
	{ "[\\b]", "\b" },
	{ "[\\d]", "1" },
	{ "[a b]", " " },
	{ "\\x61", "a" },
	{ "\\x{62}", "b" },
	{ "\\141", "a" },
	{ "\\0141", "\0141" },
	{ "\\o{142}", "b" },
	{ "\\.", "." },
	{ "\\\\", "\\" },
	{ "\\cA", "\001" },
	{ "\\t", "\t" },
	{ "\\n", "\n" },
	{ "\\Qa+\\E", "a+" },
	{ "\\Qb\\E", "b" },
	{ "\\Q(|\\E", "(|" },
	{ "\\E", "" },
	{ "^", "" },
	{ "$", "" },
	{ "\\b", "" },
	{ "\\B", "" },
	{ "\\A", "" },
	{ "\\z", "" },
	{ "\\G", "" },
	{ "\\K", "" },
	{ "(?#x)", "" },
	{ "\\1", "a" },
	{ "\\2", "" },
	{ "\\g1", "a" },
	{ "\\g{1}", "b" },
	{ "\\g{-1}", "a" },
	{ "\\k<n>", "a" },
	{ "(?1)", "ab" },
	{ "(?R)?", "" },
	{ "(?&n)", "a" },
	{ "(?i)", "" },
	{ "(?-i)", "" },
	{ "(?x)", "" },
	{ "(?-x)", "" },
	{ "(?s)", "" },
	{ "(?^)", "" },
	{ "(?xx)", "" },
	{ "(?n)", "" },
	{ "\303\251", "\303\251" },
	{ "\\p{L}", "a" },
	{ "\\pL", "b" },
	{ "(*SKIP)", "" },
	{ "(*ACCEPT)", "" },
	{ "(*F)", "" },
	{ "\\10", "" },
	{ "{1}", "" },
	{ "{,2}", "" },
	{ "[[:^digit:]x]", "x" },
	{ "[x\\Qa]\\E]", "]" },
	{ "\\x", "" },
	{ "  ", "  " },
	{ "#a\n", "#a\n" },
	{ "[:a:]", "a" },
	{ "[a\\-c]", "-" },
	{ "\\N{2}", "ab" },
	{ "[\\N{U+61}]", "a" },
};

static void grow_alternatives(struct growth *g);

static const struct {
	const char *open, *close;
	bool counts; /* what is in it is in the text, too */
} groups[] = {
	{ "(", ")", true },	   { "(?:", ")", true },
	{ "(?>", ")", true },	   { "(?|", ")", true },
	{ "(?<n>", ")", true },	   { "(?P<n>", ")", true },
	{ "(?'n'", ")", true },	   { "(?i:", ")", true },
	{ "(?x-i:", ")", true },   { "(?=", ")", true },
	{ "(?!", ")", false },	   { "(?<=", ")", true },
	{ "(?<!", ")", false },	   { "(?(1)", ")", true },
	{ "(?(<n>)", ")", true },  { "(?(?=a)", ")", true },
	{ "(?(?<!a)", ")", true }, { "(?*", ")", true },
	{ "(?s-m:", ")", true },   { "(?(DEFINE)(?<n>", "))", false },
};

static const char *const quantifiers[] = {
	"?",	 "*",  "+",  "{2}", "{1,}", "{0,1}", "{1,3}", "{0}",
	"{3,4}", "??", "*?", "+?",  "*+",   "++",    "{2}?",  " +",
};

static void grow_item(struct growth *g)
{
	if (g->depth < 4 && dice(4) == 0) {
		size_t i = dice(sizeof(groups) / sizeof(groups[0]));
		bool mute = g->mute;

		g->mute = g->mute || !groups[i].counts;
		g->depth++;
		grow(g, groups[i].open);
		grow_alternatives(g);
		grow(g, groups[i].close);
		g->depth--;
		g->mute = mute;
	} else {
		/* The plain ones at the front are most of every pattern, or hardly any matches. */
		size_t i = dice(2) ? dice(20) : dice(sizeof(atoms) / sizeof(atoms[0]));

		grow(g, atoms[i][0]);
		sample(g, atoms[i][1]);
	}
	if (dice(4) == 0)
		grow(g, quantifiers[dice(sizeof(quantifiers) / sizeof(quantifiers[0]))]);
}

static void grow_alternatives(struct growth *g)
{
	bool mute = g->mute;

	for (uint32_t n = 1 + dice(5); n; n--)
		grow_item(g);
	while (dice(3) == 0) {
		grow(g, "|");
		g->mute = true;
		for (uint32_t n = dice(4); n; n--)
			grow_item(g);
	}
	g->mute = mute;
}

/* The text, with bytes changed, doubled, left out or in the other case, and something around it. */
static size_t make_subject(const struct growth *g, char *out, size_t size)
{
	static const char bytes[] = "abcksKSx1 -#\n\303\251\305\277\342\204\252]{}=";
	size_t len = 0;

	for (uint32_t n = dice(4); n; n--)
		out[len++] = bytes[dice(sizeof(bytes) - 1)];
	for (size_t i = 0; i < g->sample_len && len + 8 < size; i++) {
		char c = g->sample[i];

		switch (dice(24)) {
		case 0:
			c = bytes[dice(sizeof(bytes) - 1)];
			break;
		case 1:
			c ^= (c | 0x20) >= 'a' && (c | 0x20) <= 'z' ? 0x20 : 0;
			break;
		case 2:
			out[len++] = c;
			break;
		case 3:
			continue;
		}
		if ((c | 0x20) == 'k' && dice(8) == 0) {
			memcpy(out + len, "\342\204\252", 3);
			len += 3;
			continue;
		}
		out[len++] = c;
	}
	for (uint32_t n = dice(4); n; n--)
		out[len++] = bytes[dice(sizeof(bytes) - 1)];
	return len;
}

static bool begins_at(const struct literal_set *set, const char *subject, size_t len, size_t at)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct literal *text = &set->v[i];
		bool same = at + text->len <= len;

		for (size_t j = 0; same && j < text->len; j++) {
			char c = subject[at + j];

			if (set->caseless && c >= 'A' && c <= 'Z')
				c |= 0x20;
			same = c == (char)text->bytes[j];
		}
		if (same)
			return true;
	}
	return false;
}

static bool within_reach(const struct literal_set *set, const char *subject, size_t len,
			 size_t start)
{
	for (size_t at = 0; at < len; at++) {
		int64_t behind = (int64_t)at - (int64_t)start;

		if (behind >= set->before_min && behind <= set->before_max &&
		    begins_at(set, subject, len, at))
			return true;
	}
	return false;
}

struct tally {
	size_t compiled, with_literal, matched;
};

static void try_subjects(const struct growth *g, const pcre2_code *code,
			 const struct literal_set *set, pcre2_match_data *data,
			 pcre2_match_context *context, struct tally *tally)
{
	struct literal_finder finder;

	literal_finder_init(&finder, set);
	for (int i = 0; i < 6; i++) {
		char subject[1024];
		size_t len = make_subject(g, subject, sizeof(subject)), start;
		const uint8_t *found;
		char text[1024];

		if (pcre2_match(code, (PCRE2_SPTR)subject, len, 0, 0, data, context) <= 0)
			continue;
		tally->matched++;
		start = pcre2_get_startchar(data);
		found = literal_find(&finder, subject, len);
		format_set(set, text, sizeof(text));
		if (!found)
			fail_msg("/%.*s/ matches \"%.*s\", which has no \"%s\"", (int)g->len,
				 g->regex, (int)len, subject, text);
		if (!within_reach(set, subject, len, start))
			fail_msg(
				"/%.*s/ matches \"%.*s\" at %zu, \"%s\" is not %lld to %lld behind",
				(int)g->len, g->regex, (int)len, subject, start, text,
				(long long)set->before_min, (long long)set->before_max);
	}
}

static void test_proof(void **state)
{
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	pcre2_match_context *context = pcre2_match_context_create(NULL);
	struct tally tally = { 0 };
	uint32_t patterns = getenv("PATTERNS") ? (uint32_t)atoi(getenv("PATTERNS")) : 200000;

	(void)state;
	pcre2_set_match_limit(context, 10000);
	pcre2_set_depth_limit(context, 1000);
	for (uint32_t i = 0; i < patterns; i++) {
		struct growth g = { .len = 0 };
		struct literal_options options = { .utf = dice(3) == 0, .caseless = dice(3) == 0 };
		uint32_t flags =
			(options.utf ? PCRE2_UTF | PCRE2_MATCH_INVALID_UTF : PCRE2_NEVER_UTF) |
			(options.caseless ? PCRE2_CASELESS : 0) | (dice(4) ? 0 : PCRE2_MULTILINE) |
			(dice(4) ? 0 : PCRE2_DOTALL) | PCRE2_NEVER_BACKSLASH_C;
		struct literal_set set;
		pcre2_code *code;
		PCRE2_SIZE offset;
		int error;

		grow_alternatives(&g);
		code = pcre2_compile((PCRE2_SPTR)g.regex, g.len, flags, &error, &offset, NULL);
		literal_required(g.regex, g.len, &options, &set);
		if (!code)
			continue;
		tally.compiled++;
		tally.with_literal += set.n > 0;
		if (set.n)
			try_subjects(&g, code, &set, data, context, &tally);
		pcre2_code_free(code);
	}
	pcre2_match_context_free(context);
	pcre2_match_data_free(data);
	if (getenv("PATTERNS"))
		print_message("%zu compiled, %zu with literal, %zu matched\n", tally.compiled,
			      tally.with_literal, tally.matched);
	/* Or it would prove nothing. */
	assert_true(tally.with_literal > tally.compiled / 4);
	assert_true(tally.matched > tally.with_literal / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_proof),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("literal", tests, NULL, NULL);
}
