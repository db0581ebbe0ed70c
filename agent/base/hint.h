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

#endif
