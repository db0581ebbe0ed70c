#include "web/ipxe_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/ipxe_effect.h"

static const char *text_of(const struct buf *buf)
{
	return buf->data ? buf->data : "";
}

static bool is_made_fail(const struct ipxe_runner *run, const char *name)
{
	const char *const *fails = run->machine->fails;

	while (fails && *fails) {
		if (strcmp(*fails++, name) == 0)
			return true;
	}
	return false;
}

/* The kind of a command that this iPXE has, or NULL with the note. */
static const struct ipxe_command_kind *kind_of(struct ipxe_runner *run, const char *name)
{
	const char *near = NULL;
	const struct ipxe_command_kind *kind = ipxe_command_find(name, &near);

	if (!kind)
		ipxe_note(run, "command not found%s%s%s", near ? ": did you mean " : "",
			  near ? near : "", near ? "?" : "");
	else if (!ipxe_command_is_there(kind, run->machine->caps))
		ipxe_note(run, "command not found: this iPXE was built without it");
	else
		return kind;
	return NULL;
}

static int run_words(struct ipxe_runner *run, char **words, size_t n, enum ipxe_result *ret_result)
{
	const struct ipxe_command_kind *kind = kind_of(run, words[0]);
	struct ipxe_call call;
	struct err err;
	bool asks;
	int status;

	*ret_result = IPXE_FAILED;
	if (!kind)
		return -ENOEXEC;
	status = ipxe_call_parse(kind, words, n, &call, &err);
	if (status) {
		ipxe_note(run, "%s", err.text);
		return status;
	}
	if (is_made_fail(run, kind->name)) {
		*ret_result = IPXE_MADE_FAIL;
		return -EIO;
	}
	status = ipxe_effect(run, &call, &asks);
	if (!status)
		*ret_result = asks ? IPXE_ASSUMED : IPXE_OK;
	return status;
}

static void report(struct ipxe_runner *run, const char *script, unsigned int line, const char *text,
		   enum ipxe_result result)
{
	const struct ipxe_step step = {
		.script = script, .line = line, .text = text, .result = result, .note = run->note
	};

	if (run->machine->step)
		run->machine->step(run->machine->user, &step);
}

/* Expands the words, each into memory of its own; `ret` has room for them. */
static int expand(struct ipxe_runner *run, const struct ipxe_command *command, char **ret)
{
	struct err err;

	for (size_t i = 0; i < command->n; i++) {
		struct buf word;
		int code;

		buf_init(&word, IPXE_VALUE_MAX);
		code = ipxe_expand(&run->machine->settings, command->words[i], &word, &err);
		if (!code && !buf_reserve(&word, 1))
			code = -ENOMEM;
		if (code == -ELOOP)
			ipxe_end_run(run, IPXE_END_LOOP, "%s", err.text);
		if (code) {
			buf_done(&word);
			return code;
		}
		word.data[word.len] = '\0';
		ret[i] = word.data;
	}
	return 0;
}

static int run_command(struct ipxe_runner *run, const struct ipxe_command *command)
{
	const char *script = run->script;
	unsigned int line = run->line;
	enum ipxe_result result;
	struct buf text;
	char **words;
	int status;

	if (!command->n)
		return 0;
	if (++run->steps > IPXE_STEPS_MAX) {
		ipxe_end_run(run, IPXE_END_LOOP, "has run %d commands and would go on",
			     IPXE_STEPS_MAX);
		return 0;
	}
	words = calloc(command->n, sizeof(*words));
	if (!words) {
		run->code = -ENOMEM;
		run->stop = IPXE_STOP_ALL;
		return -ENOMEM;
	}
	buf_init(&text, 2 * IPXE_TEXT_MAX);
	run->note[0] = '\0';
	status = expand(run, command, words);
	if (!status) {
		ipxe_join(&text, words, command->n);
		/* iPXE takes an empty first word for no command at all only when it is missing. */
		status = run_words(run, words, command->n, &result);
		report(run, script, line, text_of(&text), result);
	}
	buf_done(&text);
	for (size_t i = 0; i < command->n; i++)
		free(words[i]);
	free(words);
	return status;
}

static bool goes_on(enum ipxe_next next, int status)
{
	switch (next) {
	case IPXE_NEXT_FAILED:
		return status != 0;
	case IPXE_NEXT_DONE:
		return status == 0;
	case IPXE_NEXT_ALWAYS:
	case IPXE_NEXT_NONE:
		break;
	}
	return true;
}

static int run_line(struct ipxe_runner *run, const struct ipxe_line *line)
{
	bool process = true;
	int status = 0;

	for (size_t i = 0; i < line->n; i++) {
		if (process)
			status = run_command(run, &line->commands[i]);
		if (run->stop != IPXE_STOP_NOT)
			break;
		process = goes_on(line->commands[i].next, status);
	}
	if (run->stop == IPXE_STOP_LINE)
		run->stop = IPXE_STOP_NOT;
	return status;
}

static int run_lines(struct ipxe_runner *run)
{
	int status = 0;

	while (run->next < run->text->n && !status && run->stop == IPXE_STOP_NOT) {
		const struct ipxe_line *line = &run->text->lines[run->next++];

		run->line = line->number;
		status = run_line(run, line);
	}
	if (run->stop == IPXE_STOP_SCRIPT)
		run->stop = IPXE_STOP_NOT;
	return status;
}

/* Runs one script; one that takes its place is in run->replacement then. */
static int run_text(struct ipxe_runner *run, const char *name, const struct buf *script)
{
	struct ipxe_text text;
	int status;

	run->script = name;
	if (++run->scripts > IPXE_SCRIPTS_MAX) {
		ipxe_end_run(run, IPXE_END_LOOP, "has run %d scripts and would go on",
			     IPXE_SCRIPTS_MAX);
		return 0;
	}
	status = ipxe_read(text_of(script), script->len, &text, NULL);
	if (status) {
		run->code = status;
		run->stop = IPXE_STOP_ALL;
		return status;
	}
	run->text = &text;
	run->next = 0;
	if (text.has_magic) {
		status = run_lines(run);
	} else {
		ipxe_end_run(run, IPXE_END_ELSEWHERE,
			     "runs %s as a program: it is no script, which begins with #!ipxe",
			     name);
	}
	ipxe_text_done(&text);
	run->text = NULL;
	return status;
}

/* A first script, too. */
int ipxe_run_script(struct ipxe_runner *run, const char *name, const struct buf *script)
{
	const char *outer_script = run->script;
	const struct ipxe_text *outer_text = run->text;
	const size_t outer_next = run->next;
	const unsigned int outer_line = run->line;
	int status;

	run->depth++;
	status = run_text(run, name, script);
	while (run->replacement && run->stop != IPXE_STOP_ALL) {
		char *next = run->replacement;
		struct buf text = run->replacement_text;

		run->replacement = NULL;
		buf_init(&run->replacement_text, IPXE_TEXT_MAX);
		status = run_text(run, next, &text);
		run->script = outer_script;
		buf_done(&text);
		free(next);
	}
	if (--run->depth)
		ipxe_note(run, "%s ended", name);
	run->script = outer_script;
	run->text = outer_text;
	run->next = outer_next;
	run->line = outer_line;
	return status;
}

static void end_of_script(struct ipxe_runner *run, int status)
{
	run->end.kind = IPXE_END_EXIT;
	run->end.status = status;
	if (status && run->note[0])
		snprintf(run->end.text, sizeof(run->end.text),
			 "fails: %.1024s: the firmware's next device", run->note);
	else
		snprintf(run->end.text, sizeof(run->end.text), "%s: the firmware's next device",
			 status ? "fails" : "ends");
}

static int check_choice(const struct ipxe_runner *run, struct err *err)
{
	const char *choice = run->machine->choice;

	if (!choice || run->offers.has_choice)
		return 0;
	if (!run->offers.items.len)
		return err_set(err, -ENOENT, "there is no menu to choose \"%s\" in", choice);
	return err_set(err, -ENOENT, "no menu has \"%s\": choose one of %s", choice,
		       run->offers.items.data);
}

int ipxe_run(struct ipxe_machine *machine, const char *name, const char *script, size_t len,
	     struct ipxe_end *ret, struct err *err)
{
	struct ipxe_runner run = { .machine = machine };
	struct buf text;
	int status = 0;

	if (len > IPXE_TEXT_MAX)
		return err_set(err, -EFBIG, "%s has %zu bytes: %u are the most", name, len,
			       IPXE_TEXT_MAX);
	buf_init(&text, IPXE_TEXT_MAX);
	buf_init(&run.kernel, IPXE_VALUE_MAX);
	buf_init(&run.images, IPXE_VALUE_MAX);
	buf_init(&run.replacement_text, IPXE_TEXT_MAX);
	buf_init(&run.offers.items, IPXE_RUN_TEXT);
	buf_add(&text, script, len);
	if (text.failed)
		run.code = -ENOMEM;
	else
		status = ipxe_run_script(&run, name, &text);
	if (run.stop != IPXE_STOP_ALL)
		end_of_script(&run, status);
	buf_done(&text);
	buf_done(&run.kernel);
	buf_done(&run.images);
	buf_done(&run.replacement_text);
	free(run.replacement);
	ipxe_menu_done(&run.menu);
	if (run.code)
		err_errno(err, run.code, "%s cannot be run", name);
	else
		run.code = check_choice(&run, err);
	buf_done(&run.offers.items);
	if (!run.code)
		*ret = run.end;
	return run.code;
}
