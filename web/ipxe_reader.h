/*
 * An iPXE script as iPXE reads it: lines, labels, words and the operators between commands. Pure.
 *
 * Follows process_script() of iPXE's image/script.c and system() of its core/exec.c: a '\' at the
 * end joins lines, words are split at blanks, nothing quotes, a word that begins with '#' ends the
 * line, and "||", "&&" and ";" are operators only as words of their own.
 */
#ifndef TW_IPXE_READER_H
#define TW_IPXE_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/err.h"

/* The longest script that is read, in bytes. */
#define IPXE_TEXT_MAX (1u << 20)

/* When the next command of a line runs. */
enum ipxe_next {
	IPXE_NEXT_NONE, /* there is none */
	IPXE_NEXT_FAILED, /* "||": when this one failed */
	IPXE_NEXT_DONE, /* "&&": when this one succeeded */
	IPXE_NEXT_ALWAYS, /* ";" */
};

struct ipxe_command {
	char **words; /* not expanded; `n` of them, then NULL */
	size_t n; /* 0: an empty command, which does nothing and succeeds */
	enum ipxe_next next;
};

struct ipxe_line {
	unsigned int number; /* of its first line in the file, from 1 */
	bool has_nul; /* iPXE sees nothing of the line from its first NUL on */
	const char *label; /* or NULL */
	struct ipxe_command *commands;
	size_t n; /* at least 1 */
	const char *comment; /* the word with '#' that ended the line, or NULL */
};

struct ipxe_text {
	struct ipxe_line *lines; /* empty ones and comments too */
	size_t n;
	bool has_magic; /* "#!ipxe" and a blank: without it iPXE takes the file for no script */
	bool unfinished; /* the last line ends with '\', and iPXE runs nothing of it */
	/* what the above points into */
	char *text;
	char **words;
	struct ipxe_command *commands;
	const struct ipxe_line **labels; /* the lines that have one, by label, then by place */
	size_t n_labels;
};

/* The caller frees `ret` by ipxe_text_done(). Returns 0, -EFBIG above IPXE_TEXT_MAX, -ENOMEM. */
int ipxe_read(const char *text, size_t len, struct ipxe_text *ret, struct err *err);
void ipxe_text_done(struct ipxe_text *script);

/* The line with that label, the first when there are several, or NULL. */
const struct ipxe_line *ipxe_find_label(const struct ipxe_text *script, const char *label);

/* The blanks at which iPXE splits words: isspace() of C without a locale. */
bool ipxe_is_blank(char c);

/* Whether a setting is put into the word when it runs. */
bool ipxe_is_expanded(const char *word);

#endif
