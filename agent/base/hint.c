#include "agent/base/hint.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/parse.h"

void hint_try(struct hint *hint, const char *candidate)
{
	/* A short word has many neighbours that mean something else: "up" is not a slip of "id". */
	unsigned int limit = 1 + (unsigned int)strlen(candidate) / 4;
	unsigned int distance = edit_distance(hint->word, candidate);

	if (distance > limit || (hint->best && distance >= hint->distance))
		return;
	hint->best = candidate;
	hint->distance = distance;
}

const char *hint_text(const char *best, char text[HINT_TEXT_MAX])
{
	text[0] = '\0';
	if (best)
		snprintf(text, HINT_TEXT_MAX, ": did you mean \"%s\"?", best);
	return text;
}
