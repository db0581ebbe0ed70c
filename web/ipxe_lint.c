#include "web/ipxe_lint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "web/ipxe_command.h"
#include "web/ipxe_lint_command.h"

/* Whether nothing behind this line runs but by its label. */
static bool ends_here(const struct ipxe_line *line)
{
	const char *near;
	const struct ipxe_command_kind *kind;

	if (line->n != 1 || !line->commands[0].n)
		return false;
	kind = ipxe_command_find(line->commands[0].words[0], &near);
	return kind && (kind->effect == IPXE_GOTO || kind->effect == IPXE_EXIT ||
			kind->effect == IPXE_REBOOT || kind->effect == IPXE_POWEROFF);
}

static bool is_empty(const struct ipxe_line *line)
{
	return !line->label && line->n == 1 && !line->commands[0].n;
}

static void check_unreachable(struct ipxe_lint *lint)
{
	bool ended = false;

	for (size_t i = 0; i < lint->text->n; i++) {
		const struct ipxe_line *line = &lint->text->lines[i];

		if (line->label)
			ended = false;
		if (ended && !is_empty(line)) {
			lint->line = line->number;
			LINT_FAULT(lint, WARNING,
				   "nothing leads here: the line before goes elsewhere, "
				   "and there is no label");
			ended = false;
		}
		ended = ended || ends_here(line);
	}
}

/* What a goto or a menu names: more often than not an item's name is a label. */
struct uses {
	const char **v;
	size_t n;
	bool any; /* a goto to what only the run knows */
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_uses(struct uses *uses, const struct ipxe_command *command)
{
	bool is_goto = command->n > 1 && strcmp(command->words[0], "goto") == 0;
	bool is_item = command->n > 1 && strcmp(command->words[0], "item") == 0;

	for (size_t w = 1; w < command->n && (is_goto || is_item); w++)
		uses->v[uses->n++] = command->words[w];
	uses->any = uses->any || (is_goto && ipxe_is_expanded(command->words[1]));
}

/* At most one for each word of the script. */
static int find_uses(const struct ipxe_text *text, struct uses *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < text->n; i++) {
		for (size_t c = 0; c < text->lines[i].n; c++)
			n += text->lines[i].commands[c].n;
	}
	*ret = (struct uses){ .v = calloc(n + 1, sizeof(*ret->v)) };
	if (!ret->v)
		return -ENOMEM;
	for (size_t i = 0; i < text->n; i++) {
		for (size_t c = 0; c < text->lines[i].n; c++)
			add_uses(ret, &text->lines[i].commands[c]);
	}
	qsort(ret->v, ret->n, sizeof(*ret->v), by_name);
	return 0;
}

static void check_label(struct ipxe_lint *lint, const struct ipxe_line *line,
			const struct uses *uses)
{
	const char *label = line->label;

	lint->line = line->number;
	if (!*label) {
		LINT_FAULT(lint, WARNING, "a label without a name");
		return;
	}
	if (ipxe_find_label(lint->text, label) != line)
		LINT_FAULT(lint, WARNING, "label :%s is there twice: goto always finds the first",
			   label);
	if (!uses->any && !bsearch(&label, uses->v, uses->n, sizeof(*uses->v), by_name))
		LINT_FAULT(lint, NOTE, "nothing goes to label :%s", label);
}

static int check_labels(struct ipxe_lint *lint)
{
	struct uses uses;
	int code = find_uses(lint->text, &uses);

	for (size_t i = 0; i < lint->text->n && !code; i++) {
		if (lint->text->lines[i].label)
			check_label(lint, &lint->text->lines[i], &uses);
	}
	free(uses.v);
	return code;
}

static bool rests(const struct ipxe_line *line)
{
	for (size_t i = 0; i < line->n; i++) {
		const char *near;
		const struct ipxe_command_kind *kind =
			line->commands[i].n ? ipxe_command_find(line->commands[i].words[0], &near)
					    : NULL;

		if (kind && (kind->effect == IPXE_SLEEP || kind->effect == IPXE_PROMPT ||
			     kind->effect == IPXE_CHOOSE || kind->effect == IPXE_READ ||
			     kind->effect == IPXE_LOGIN || kind->effect == IPXE_SHELL))
			return true;
	}
	return false;
}

/* A goto back over lines that never rest asks the network as fast as it can. */
static void check_loops(struct ipxe_lint *lint)
{
	size_t last_rest = 0; /* lines before this one: none behind them rested */

	for (size_t i = 0; i < lint->text->n; i++) {
		const struct ipxe_line *line = &lint->text->lines[i];

		if (rests(line))
			last_rest = i + 1;
		for (size_t c = 0; c < line->n; c++) {
			const struct ipxe_command *command = &line->commands[c];
			const struct ipxe_line *to = NULL;

			if (command->n > 1 && strcmp(command->words[0], "goto") == 0)
				to = ipxe_find_label(lint->text, command->words[1]);
			if (!to || to > line || to < lint->text->lines + last_rest)
				continue;
			lint->line = line->number;
			LINT_FAULT(lint, WARNING,
				   "goes back to :%s without a sleep between: a server "
				   "that is down is asked without a rest",
				   to->label);
		}
	}
}

static void check_line(struct ipxe_lint *lint, const struct ipxe_line *line)
{
	lint->line = line->number;
	if (line->has_nul)
		LINT_FAULT(lint, ERROR, "a NUL byte: iPXE sees nothing of the line behind it");
	if (line->comment && (line->n > 1 || line->commands[0].n) && line->comment[1] &&
	    !ipxe_is_blank(line->comment[1]))
		LINT_FAULT(lint, NOTE, "\"%s\" begins a comment: it is not read", line->comment);
	for (size_t i = 0; i < line->n; i++)
		ipxe_lint_command(lint, line, i);
}

static void check_bytes(struct ipxe_lint *lint, const char *script, size_t len)
{
	unsigned int line = 1;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)script[i];

		if (c == '\n')
			line++;
		if (c < 0x80)
			continue;
		findings_add(lint->findings, line, FINDING_NOTE,
			     "byte 0x%02x: iPXE passes it on as it is, and its console shows none "
			     "that is not ASCII",
			     c);
		while (i + 1 < len && script[i + 1] != '\n')
			i++;
	}
}

int ipxe_lint(const char *script, size_t len, uint32_t caps, struct findings *findings,
	      struct err *err)
{
	struct ipxe_text text;
	struct ipxe_lint lint = { .text = &text, .caps = caps, .findings = findings };
	int code = ipxe_read(script, len, &text, err);

	if (code)
		return code;
	lint.line = 1;
	if (!text.has_magic)
		LINT_FAULT(&lint, ERROR,
			   "iPXE takes this for no script: its first line is not #!ipxe");
	check_bytes(&lint, script, len);
	for (size_t i = 0; i < text.n; i++)
		check_line(&lint, &text.lines[i]);
	if (text.unfinished)
		findings_add(findings, 0, FINDING_ERROR,
			     "the last line ends with '\\': iPXE runs nothing of it");
	code = check_labels(&lint);
	check_unreachable(&lint);
	check_loops(&lint);
	findings_sort(findings);
	ipxe_text_done(&text);
	return code ? err_set(err, code, "out of memory") : 0;
}
