#include "web/ipxe_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool ipxe_is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

bool ipxe_is_expanded(const char *word)
{
	return strstr(word, "${") != NULL;
}

/* Where the reader is, and where the next of each thing goes. */
struct reader {
	const char *at, *end; /* of what is still to be read */
	unsigned int number; /* of the line at `at` */
	char *text;
	char **word;
	struct ipxe_command *command;
	struct ipxe_line *line;
};

/*
 * Copies the next line, joined with those that go on it, to the reader's text. Returns its length,
 * or -1 when the file ends within it.
 */
static ssize_t next_text(struct reader *reader)
{
	size_t len = 0;

	while (reader->at < reader->end) {
		const char *eol = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
		size_t part = (size_t)((eol ? eol : reader->end) - reader->at);

		memcpy(reader->text + len, reader->at, part);
		len += part;
		reader->at += part + (eol ? 1 : 0);
		reader->number++;
		if (len && reader->text[len - 1] == '\r')
			len--;
		if (!len || reader->text[len - 1] != '\\')
			return (ssize_t)len;
		len--;
	}
	return -1;
}

static char *skip_blanks(char *s)
{
	while (ipxe_is_blank(*s))
		s++;
	return s;
}

/* The blanks-delimited word at `s`, which is none; returns what is behind it. */
static char *end_word(char *s)
{
	while (*s && !ipxe_is_blank(*s))
		s++;
	if (*s)
		*s++ = '\0';
	return s;
}

static enum ipxe_next operator_of(const char *word)
{
	if (strcmp(word, "||") == 0)
		return IPXE_NEXT_FAILED;
	if (strcmp(word, "&&") == 0)
		return IPXE_NEXT_DONE;
	return strcmp(word, ";") == 0 ? IPXE_NEXT_ALWAYS : IPXE_NEXT_NONE;
}

static void begin_command(struct reader *reader)
{
	struct ipxe_line *line = reader->line;

	*reader->command = (struct ipxe_command){ .words = reader->word };
	if (!line->n)
		line->commands = reader->command;
	line->n++;
}

static void end_command(struct reader *reader, enum ipxe_next next)
{
	*reader->word++ = NULL;
	reader->command->next = next;
	reader->command++;
}

static void read_commands(struct reader *reader, char *s)
{
	begin_command(reader);
	for (s = skip_blanks(s); *s; s = skip_blanks(s)) {
		char *word = s;
		enum ipxe_next next;

		if (*word == '#') {
			reader->line->comment = word;
			break;
		}
		s = end_word(s);
		next = operator_of(word);
		if (next == IPXE_NEXT_NONE) {
			*reader->word++ = word;
			reader->command->n++;
			continue;
		}
		end_command(reader, next);
		begin_command(reader);
	}
	end_command(reader, IPXE_NEXT_NONE);
}

static void read_line(struct reader *reader, unsigned int number, size_t len)
{
	char *s = reader->text;

	s[len] = '\0';
	*reader->line = (struct ipxe_line){ .number = number, .has_nul = strlen(s) < len };
	reader->text += len + 1;
	s = skip_blanks(s);
	if (*s == ':') {
		reader->line->label = s + 1;
		s = end_word(s + 1);
	}
	read_commands(reader, s);
	reader->line++;
}

static bool has_magic(const char *text, size_t len)
{
	return len > 6 && (memcmp(text, "#!ipxe", 6) == 0 || memcmp(text, "#!gpxe", 6) == 0) &&
	       ipxe_is_blank(text[6]);
}

static int by_label(const void *a, const void *b)
{
	const struct ipxe_line *x = *(const struct ipxe_line *const *)a;
	const struct ipxe_line *y = *(const struct ipxe_line *const *)b;
	int order = strcmp(x->label, y->label);

	return order ? order : (x->number > y->number) - (x->number < y->number);
}

static int index_labels(struct ipxe_text *script)
{
	size_t n = 0;

	for (size_t i = 0; i < script->n; i++)
		n += script->lines[i].label != NULL;
	script->labels = calloc(n + 1, sizeof(*script->labels));
	if (!script->labels)
		return -ENOMEM;
	for (size_t i = 0; i < script->n; i++) {
		if (script->lines[i].label)
			script->labels[script->n_labels++] = &script->lines[i];
	}
	qsort(script->labels, n, sizeof(*script->labels), by_label);
	return 0;
}

static size_t count_lines(const char *text, size_t len)
{
	size_t n = 1;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	return n;
}

int ipxe_read(const char *text, size_t len, struct ipxe_text *ret, struct err *err)
{
	struct ipxe_text script = { .has_magic = has_magic(text, len) };
	size_t n_lines = count_lines(text, len);
	struct reader reader = { .at = text, .end = text + len };

	if (len > IPXE_TEXT_MAX)
		return err_set(err, -EFBIG, "a script of %zu bytes: %u are the most", len,
			       IPXE_TEXT_MAX);
	/*
	 * A word has a byte and a blank, a command a line or an operator and a blank; each its
	 * NULL.
	 */
	script.text = malloc(len + n_lines + 1);
	script.words = calloc(len + 2 * n_lines, sizeof(*script.words));
	script.commands = calloc(len / 2 + 2 * n_lines, sizeof(*script.commands));
	script.lines = calloc(n_lines, sizeof(*script.lines));
	if (!script.text || !script.words || !script.commands || !script.lines) {
		ipxe_text_done(&script);
		return err_set(err, -ENOMEM, "out of memory for a script of %zu bytes", len);
	}
	reader.text = script.text;
	reader.word = script.words;
	reader.command = script.commands;
	reader.line = script.lines;
	while (reader.at < reader.end) {
		unsigned int number = reader.number + 1;
		ssize_t line_len = next_text(&reader);

		if (line_len < 0)
			script.unfinished = true;
		else
			read_line(&reader, number, (size_t)line_len);
	}
	script.n = (size_t)(reader.line - script.lines);
	if (index_labels(&script)) {
		ipxe_text_done(&script);
		return err_set(err, -ENOMEM, "out of memory for a script of %zu bytes", len);
	}
	*ret = script;
	return 0;
}

void ipxe_text_done(struct ipxe_text *script)
{
	free(script->text);
	free(script->words);
	free(script->commands);
	free(script->lines);
	free(script->labels);
	*script = (struct ipxe_text){ 0 };
}

const struct ipxe_line *ipxe_find_label(const struct ipxe_text *script, const char *label)
{
	size_t low = 0, high = script->n_labels;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(script->labels[middle]->label, label) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == script->n_labels || strcmp(script->labels[low]->label, label) != 0)
		return NULL;
	return script->labels[low];
}
