#include "capture/prefilter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Texts of at least as many bytes have a lane of their own, where three bytes of four are stepped
 * over: one short text among them would take that from all.
 */
#define LONG_MIN 7

/* Bytes that a lane looks at in one go; less where they have more hits than there is room for. */
#define GO_MAX 8192u
#define GO_MIN 8u

/* At one place begins at most one text of each length, and one of either case. */
_Static_assert(GO_MIN * 2 * LITERAL_BYTES_MAX <= PREFILTER_LANE_MAX, "GO_MIN always fits");

struct lane {
	struct gram_index index;
	uint32_t first, n; /* of the texts */
};

/* The rules that need a text. */
struct text_rules {
	uint32_t first, n;
};

struct prefilter {
	size_t n_rules;
	struct gram_text *texts; /* each once, the long ones first */
	struct text_rules *text_rules; /* of each */
	size_t n_texts;
	uint32_t *rules;
	size_t n_needs; /* pairs of a text and a rule */
	uint32_t *always;
	size_t n_always;
	struct lane lanes[PREFILTER_LANES];
	size_t n_lanes;
};

/* ---- building ------------------------------------------------------------------------------- */

struct need {
	struct gram_text text;
	uint32_t rule;
};

static bool is_long(const struct gram_text *text)
{
	return text->literal.len >= LONG_MIN;
}

static int compare_texts(const struct gram_text *a, const struct gram_text *b)
{
	if (is_long(a) != is_long(b))
		return is_long(a) ? -1 : 1;
	if (a->literal.len != b->literal.len)
		return a->literal.len - b->literal.len;
	if (a->caseless != b->caseless)
		return a->caseless ? -1 : 1;
	return memcmp(a->literal.bytes, b->literal.bytes, a->literal.len);
}

static int compare_needs(const void *x, const void *y)
{
	const struct need *a = x, *b = y;
	int order = compare_texts(&a->text, &b->text);

	if (order)
		return order;
	return a->rule < b->rule ? -1 : a->rule > b->rule;
}

static struct need *list_needs(const struct literal_set *const *sets, size_t n_rules, size_t n)
{
	struct need *needs = calloc(n + 1, sizeof(*needs)), *need = needs;

	for (size_t i = 0; needs && i < n_rules; i++) {
		for (size_t k = 0; k < sets[i]->n; k++, need++) {
			need->text.literal = sets[i]->v[k];
			need->text.caseless = sets[i]->caseless;
			need->rule = (uint32_t)i;
		}
	}
	if (needs)
		qsort(needs, n, sizeof(*needs), compare_needs);
	return needs;
}

/* `needs` are in order: equal texts are neighbours. */
static void take_needs(struct prefilter *pf, const struct need *needs)
{
	for (size_t i = 0; i < pf->n_needs; i++) {
		if (!i || compare_texts(&needs[i].text, &needs[i - 1].text)) {
			pf->texts[pf->n_texts] = needs[i].text;
			pf->text_rules[pf->n_texts++].first = (uint32_t)i;
		}
		pf->rules[i] = needs[i].rule;
		pf->text_rules[pf->n_texts - 1].n++;
	}
}

static int add_lane(struct prefilter *pf, size_t first, size_t n, bool simd)
{
	struct lane *lane = &pf->lanes[pf->n_lanes];
	int code;

	if (!n)
		return 0;
	lane->first = (uint32_t)first;
	lane->n = (uint32_t)n;
	code = gram_index_init(&lane->index, pf->texts + first, n, simd);
	if (!code)
		pf->n_lanes++;
	return code;
}

static int add_lanes(struct prefilter *pf, bool simd)
{
	size_t n_long = 0;
	int code;

	while (n_long < pf->n_texts && is_long(&pf->texts[n_long]))
		n_long++;
	code = add_lane(pf, 0, n_long, simd);
	return code ? code : add_lane(pf, n_long, pf->n_texts - n_long, simd);
}

static int build(struct prefilter *pf, const struct literal_set *const *sets, bool simd)
{
	struct need *needs;
	int code = -ENOMEM;

	pf->always = calloc(pf->n_rules + 1, sizeof(*pf->always));
	if (!pf->always)
		return -ENOMEM;
	for (size_t i = 0; i < pf->n_rules; i++) {
		pf->n_needs += sets[i]->n;
		if (!sets[i]->n)
			pf->always[pf->n_always++] = (uint32_t)i;
	}
	needs = list_needs(sets, pf->n_rules, pf->n_needs);
	pf->texts = calloc(pf->n_needs + 1, sizeof(*pf->texts));
	pf->text_rules = calloc(pf->n_needs + 1, sizeof(*pf->text_rules));
	pf->rules = calloc(pf->n_needs + 1, sizeof(*pf->rules));
	if (needs && pf->texts && pf->text_rules && pf->rules) {
		take_needs(pf, needs);
		code = add_lanes(pf, simd);
	}
	free(needs);
	return code;
}

int prefilter_new(const struct literal_set *const *sets, size_t n_rules, bool simd,
		  struct prefilter **ret)
{
	struct prefilter *pf = calloc(1, sizeof(*pf));
	int code;

	if (!pf)
		return -ENOMEM;
	pf->n_rules = n_rules;
	code = build(pf, sets, simd);
	if (code)
		prefilter_free(pf);
	else
		*ret = pf;
	return code;
}

void prefilter_free(struct prefilter *pf)
{
	if (!pf)
		return;
	for (size_t i = 0; i < pf->n_lanes; i++)
		gram_index_done(&pf->lanes[i].index);
	free(pf->texts);
	free(pf->text_rules);
	free(pf->rules);
	free(pf->always);
	free(pf);
}

const uint32_t *prefilter_always(const struct prefilter *pf, size_t *ret_n)
{
	*ret_n = pf->n_always;
	return pf->always;
}

/* ---- which rules ---------------------------------------------------------------------------- */

static void add(uint64_t *set, size_t i)
{
	set[i / 64] |= UINT64_C(1) << i % 64;
}

static bool has(const uint64_t *set, size_t i)
{
	return set[i / 64] >> i % 64 & 1;
}

int prefilter_choice_init(struct prefilter_choice *choice, const struct prefilter *pf)
{
	*choice = (struct prefilter_choice){ .words = pf->n_rules / 64 + 1 };
	choice->rules = calloc(choice->words, sizeof(*choice->rules));
	choice->texts = calloc(pf->n_texts / 64 + 1, sizeof(*choice->texts));
	if (choice->rules && choice->texts)
		return 0;
	prefilter_choice_done(choice);
	return -ENOMEM;
}

void prefilter_choice_done(struct prefilter_choice *choice)
{
	free(choice->rules);
	free(choice->texts);
	*choice = (struct prefilter_choice){ 0 };
}

void prefilter_clear(const struct prefilter *pf, const struct prefilter_choice *choice)
{
	memset(choice->rules, 0, choice->words * sizeof(*choice->rules));
	memset(choice->texts, 0, (pf->n_texts / 64 + 1) * sizeof(*choice->texts));
	for (size_t i = 0; i < pf->n_always; i++)
		add(choice->rules, pf->always[i]);
}

/* A text that is there many times is the same as one that is there once. */
static void choose_text(const struct prefilter *pf, uint32_t text,
			const struct prefilter_choice *choice)
{
	const struct text_rules *of = &pf->text_rules[text];

	if (has(choice->texts, text))
		return;
	add(choice->texts, text);
	for (uint32_t i = 0; i < of->n; i++)
		add(choice->rules, pf->rules[of->first + i]);
}

void prefilter_choose(const struct prefilter *pf, const uint8_t *data, size_t len,
		      const struct prefilter_choice *choice)
{
	struct gram_hit hits[PREFILTER_LANE_MAX];

	for (size_t l = 0; l < pf->n_lanes; l++) {
		const struct lane *lane = &pf->lanes[l];
		size_t from = 0, go = GO_MAX;

		while (from < len) {
			size_t to = len - from < go ? len : from + go;
			size_t n = gram_index_find(&lane->index, data, len, from, to, hits,
						   PREFILTER_LANE_MAX);

			if (n == GRAM_HITS_FULL) {
				go = (to - from) / 2;
				continue;
			}
			for (size_t i = 0; i < n; i++)
				choose_text(pf, lane->first + hits[i].text, choice);
			from = to;
		}
	}
}

/* ---- and where ------------------------------------------------------------------------------ */

void prefilter_walk_begin(struct prefilter_walk *walk, const struct prefilter *pf,
			  const uint8_t *data, size_t len)
{
	walk->pf = pf;
	walk->data = data;
	walk->len = len;
	for (size_t l = 0; l < pf->n_lanes; l++) {
		walk->lanes[l].from = 0;
		walk->lanes[l].go = GO_MAX;
		walk->lanes[l].n = walk->lanes[l].next = 0;
	}
}

/* The next hits of a lane, if it has none; false when there are no more. */
static bool refill(struct prefilter_walk *walk, size_t l)
{
	const struct lane *lane = &walk->pf->lanes[l];
	struct prefilter_lane *at = &walk->lanes[l];

	while (at->next == at->n && at->from < walk->len) {
		size_t left = walk->len - at->from, to = at->from + (left < at->go ? left : at->go);
		size_t n = gram_index_find(&lane->index, walk->data, walk->len, at->from, to,
					   at->hits, PREFILTER_LANE_MAX);

		if (n == GRAM_HITS_FULL) {
			at->go = (to - at->from) / 2;
			continue;
		}
		if (n < PREFILTER_LANE_MAX / 4 && at->go < GO_MAX)
			at->go *= 2;
		at->from = to;
		at->n = n;
		at->next = 0;
	}
	return at->next < at->n;
}

bool prefilter_walk_next(struct prefilter_walk *walk, struct prefilter_hit *ret)
{
	const struct prefilter *pf = walk->pf;
	const struct text_rules *rules;
	struct gram_hit first = { NULL, 0 };
	size_t of = 0;

	for (size_t l = 0; l < pf->n_lanes; l++) {
		const struct gram_hit *hit;

		if (!refill(walk, l))
			continue;
		hit = &walk->lanes[l].hits[walk->lanes[l].next];
		if (!first.at || hit->at < first.at) {
			first = *hit;
			of = l;
		}
	}
	if (!first.at)
		return false;
	walk->lanes[of].next++;
	rules = &pf->text_rules[pf->lanes[of].first + first.text];
	*ret = (struct prefilter_hit){ first.at, pf->rules + rules->first, rules->n };
	return true;
}
