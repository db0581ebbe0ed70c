#include "capture/separators.h"

#include <stdlib.h>
#include <string.h>

int separator_search_init(struct stream_match *sm, const struct pattern *separator,
			  struct literal_finder *finder, const struct stream_match_ops *ops,
			  void *data)
{
	static const struct extract_policy policy = { .max = SIZE_MAX };
	const struct literal_set *required = pattern_required(separator);

	if (required->n)
		literal_finder_init(finder, required);
	return stream_match_init(sm, separator, required->n ? finder : NULL, &policy, SEPARATOR_MAX,
				 ops, data);
}

const char *separators_alone(const struct pattern *separator)
{
	if (!pattern_may_restart(separator))
		return "--rs has \\G or verbs, which look at where the search began";
	if (strstr(pattern_text(separator), "\\K"))
		return "--rs has \\K: what separates may overlap";
	if (pattern_is_utf(separator))
		return "--rs is of characters, which a part of a text may begin within";
	return NULL;
}

/* ---- lists ----------------------------------------------------------------------------------- */

static bool make_room(struct separator_list *list, size_t n)
{
	size_t cap = list->cap ? list->cap : 256;
	struct separator *v;

	while (cap < list->n + n)
		cap *= 2;
	if (cap == list->cap)
		return true;
	v = realloc(list->v, cap * sizeof(*v));
	if (!v) {
		list->failed = true;
		return false;
	}
	list->v = v;
	list->cap = cap;
	return true;
}

static void add(struct separator_list *list, const struct separator *v, size_t n)
{
	if (!n || list->failed || !make_room(list, n))
		return;
	memcpy(list->v + list->n, v, n * sizeof(*v));
	list->n += n;
}

/* ---- a part ---------------------------------------------------------------------------------- */

/* From a place on that was found before, the rest is as it was. */
static bool joins_guessed(struct separators *s, const struct separator *found)
{
	const struct separator_list *guessed = &s->guessed;

	while (s->next < guessed->n && guessed->v[s->next].at < found->at)
		s->next++;
	if (s->next == guessed->n || guessed->v[s->next].at != found->at ||
	    guessed->v[s->next].len != found->len)
		return false;
	add(&s->list, guessed->v + s->next, guessed->n - s->next);
	s->list.failed |= guessed->failed;
	return true;
}

static void on_separator(void *data, const struct hit *hit)
{
	const struct span whole = hit->match->whole;
	const uint64_t at = hit->offset + whole.start;
	struct separators *s = data;
	struct separator separator = { .len = (uint32_t)(whole.end - whole.start) };

	if (s->over || at < s->begin)
		return;
	separator.at = (uint32_t)(at - s->begin);
	s->over = at >= s->stop || joins_guessed(s, &separator);
	if (!s->over && s->again && s->list.n == SEPARATORS_APART_MAX)
		s->over = s->unsure = true;
	if (!s->over)
		add(&s->list, &separator, 1);
	s->search.over = s->over;
}

static void on_loss(void *data, enum stream_loss why, uint64_t from, uint64_t to)
{
	struct separators *s = data;

	(void)why;
	(void)to;
	s->unsure = !s->over && from < s->stop;
	s->over = s->search.over = true;
}

static const struct stream_match_ops ops = { .match = on_separator, .loss = on_loss };

int separators_init(struct separators *s, const struct pattern *separator)
{
	*s = (struct separators){ .over = false };
	return separator_search_init(&s->search, separator, &s->finder, &ops, s);
}

void separators_done(struct separators *s)
{
	stream_match_done(&s->search);
	free(s->list.v);
	free(s->guessed.v);
}

static void search_from(struct separators *s, uint64_t from, const uint8_t *before, size_t len)
{
	s->from = from;
	s->over = s->unsure = false;
	stream_match_resume(&s->search, before, len, from - len, from > len);
}

void separators_begin(struct separators *s, uint64_t begin, uint64_t stop, uint64_t from,
		      const uint8_t *before, size_t len)
{
	s->begin = begin;
	s->stop = stop;
	s->again = false;
	s->list.n = s->guessed.n = s->next = 0;
	s->list.failed = s->guessed.failed = false;
	search_from(s, from, before, len);
}

void separators_again(struct separators *s, uint64_t from, const uint8_t *before, size_t len)
{
	const struct separator_list guessed = s->list;

	s->list = s->guessed;
	s->list.n = s->next = 0;
	s->list.failed = false;
	s->guessed = guessed;
	s->again = true;
	search_from(s, from, before, len);
}

bool separators_feed(struct separators *s, struct regex_scratch *scratch, const uint8_t *bytes,
		     size_t len)
{
	stream_match_feed(&s->search, scratch, bytes, len);
	s->over = s->over || stream_match_needs(&s->search) >= s->stop;
	return s->over;
}
