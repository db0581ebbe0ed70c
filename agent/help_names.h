/* The names that a word of a usage stands for: what completion offers, what there is to mean. */
#ifndef TW_HELP_NAMES_H
#define TW_HELP_NAMES_H

/*
 * Hands to `each` what may stand for `word` ("LINK", "VERB") of a usage: verbs, topics and states,
 * or what the configuration at `path` has. Nothing for other words, and for a configuration with
 * faults, of which nobody is told here. A name is good for the call alone.
 */
void help_names(const char *word, const char *path, void (*each)(const char *name, void *data),
		void *data);

#endif
