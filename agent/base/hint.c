#include "agent/base/hint.h"

#include <stdio.h>
#include <string.h>

#define EDIT_MAX 64

unsigned int edit_distance(const char *a, const char *b)
{
	unsigned int rows[3][EDIT_MAX + 1];
	size_t la = strlen(a), lb = strlen(b);

	if (la > EDIT_MAX || lb > EDIT_MAX)
		return EDIT_MAX;
	for (unsigned int j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (unsigned int i = 1; i <= la; i++) {
		unsigned int *row = rows[i % 3], *up = rows[(i - 1) % 3];
		unsigned int *up2 = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned int best = up[j - 1] + (a[i - 1] != b[j - 1]);

			if (up[j] + 1 < best)
				best = up[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    up2[j - 2] + 1 < best)
				best = up2[j - 2] + 1;
			row[j] = best;
		}
	}
	return rows[la % 3][lb];
}

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
