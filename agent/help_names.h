/* What a completion of the command line offers: the names that a word of a usage stands for. */
#ifndef TW_HELP_NAMES_H
#define TW_HELP_NAMES_H

/*
 * Prints, a line each, what may stand for `word` ("LINK", "VERB") of a usage: verbs, topics and
 * states, or what the configuration at `path` has. Nothing for other words, and for a configuration
 * with faults: whoever presses Tab is told of none.
 */
void help_names(const char *word, const char *path);

#endif
