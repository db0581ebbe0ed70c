/* The near miss: which of the words that exist was meant by one that does not. Pure. */
#ifndef TW_HINT_H
#define TW_HINT_H

struct hint {
	const char *word;
	const char *best; /* NULL: nothing near enough */
	unsigned int distance;
};

static inline struct hint hint_for(const char *word)
{
	return (struct hint){ .word = word };
}

/* `candidate` must outlive the hint. */
void hint_try(struct hint *hint, const char *candidate);

/* Room for the name of whatever has one. */
#define HINT_TEXT_MAX 128

/* What goes behind a complaint, in `text`: ': did you mean "BEST"?', or nothing. */
const char *hint_text(const char *best, char text[HINT_TEXT_MAX]);

/* Optimal string alignment distance; texts longer than 64 give 64. */
unsigned int edit_distance(const char *a, const char *b);

#endif
