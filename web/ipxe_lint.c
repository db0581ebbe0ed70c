#include "web/ipxe_lint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/buf.h"
#include "web/boot_decode.h"
#include "web/ipxe_command.h"
#include "web/ipxe_reader.h"
#include "web/ipxe_setting.h"
#include "web/ipxe_type.h"

struct lint {
	const struct ipxe_text *text;
	uint32_t caps;
	struct findings *findings;
	unsigned int line;
	bool initiator_set;
	bool fetched; /* an image was selected: there is something to boot */
};

#define FAULT(lint, level, ...) \
	findings_add((lint)->findings, (lint)->line, FINDING_##level, __VA_ARGS__)

/* ---- words ----------------------------------------------------------------------------------- */

/* Settings whose value the machine, its firmware or DHCP gives: whoever has those writes the word. */
static const char *const from_outside[] = { "hostname",	    "domain",	    "filename",
					    "root-path",    "asset",	    "serial",
					    "product",	    "manufacturer", "user-class",
					    "vendor-class", "scriptlet",    "board-serial" };

static const char *const secrets[] = { "password", "reverse-password" };

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
	const char *slash = strrchr(name, '/');

	for (size_t i = 0; i < n; i++) {
		if (strcmp(slash ? slash + 1 : name, names[i]) == 0)
			return true;
	}
	return false;
}

#define IS_ONE_OF(name, names) is_one_of(name, names, sizeof(names) / sizeof((names)[0]))

/* NAME[:TYPE] in place: cuts the type off and returns it, or NULL. */
static const char *cut_type(char *name)
{
	char *colon = strchr(name, ':');

	if (!colon)
		return NULL;
	*colon = '\0';
	return colon + 1;
}

static void check_setting(struct lint *lint, const char *command, char *name)
{
	const char *type = cut_type(name);

	if (type && !ipxe_type_find(type))
		FAULT(lint, ERROR,
		      "${%s:%s}: Debian's iPXE has no type \"%s\" and puts nothing there", name,
		      type, type);
	if (!type && IS_ONE_OF(name, from_outside))
		FAULT(lint, WARNING,
		      "${%s} is what DHCP or the firmware says, and is expanded again: "
		      "${%s:uristring} is safe",
		      name, name);
	if (IS_ONE_OF(name, secrets) && strcmp(command, "set") != 0 &&
	    strcmp(command, "isset") != 0)
		FAULT(lint, WARNING, "%s shows the secret ${%s}", command, name);
}

/* Every "${NAME}" of a word, the inner ones too. */
static void check_settings(struct lint *lint, const char *command, const char *word)
{
	const char *name;
	size_t len;
	const char *start = ipxe_find_setting(word, &name, &len);
	unsigned int found = 0;

	for (; start; start = ipxe_find_setting(name + len + 1, &name, &len)) {
		char *copy = strndup(name, len);

		found++;
		if (copy)
			check_setting(lint, command, copy);
		free(copy);
	}
	if (!found && strstr(word, "${"))
		FAULT(lint, WARNING,
		      "\"%s\": \"${\" is not closed in this word, so that it stays "
		      "as it is",
		      word);
}

static bool is_quoted(const char *word)
{
	size_t len = strlen(word);

	return len > 0 &&
	       (word[0] == '"' || word[0] == '\'' || word[len - 1] == '"' || word[len - 1] == '\'');
}

/* What would be an operator if it stood alone. */
static const char *glued_operator(const char *word)
{
	size_t len = strlen(word);

	if (strstr(word, "||"))
		return "||";
	if (strstr(word, "&&"))
		return "&&";
	return len > 1 && word[len - 1] == ';' ? ";" : NULL;
}

static void check_word(struct lint *lint, const char *command, const char *word)
{
	const char *operator= glued_operator(word);
	bool is_text = strcmp(command, "echo") == 0 || strcmp(command, "item") == 0 ||
		       strcmp(command, "menu") == 0 || strcmp(command, "prompt") == 0;

	check_settings(lint, command, word);
	if (is_text)
		return;
	if (operator)
		FAULT(lint, WARNING, "\"%s\": %s is an operator only between blanks",
		      word, operator);
	if (is_quoted(word))
		FAULT(lint, WARNING, "%s: iPXE has no quotes: they are part of the word", word);
}

/* ---- commands -------------------------------------------------------------------------------- */

static bool is_expanded(const char *word)
{
	return strstr(word, "${") != NULL;
}

static void take_decoded(struct lint *lint, struct decoded *decoded)
{
	for (size_t i = 0; i < decoded->findings.n; i++)
		findings_add(lint->findings, lint->line, decoded->findings.v[i].level, "%s",
			     decoded->findings.v[i].text);
	decoded_done(decoded);
}

static void check_goto(struct lint *lint, const struct ipxe_call *call)
{
	if (!is_expanded(call->args[0]) && !ipxe_find_label(lint->text, call->args[0]))
		FAULT(lint, ERROR, "there is no label :%s", call->args[0]);
}

static void check_set(struct lint *lint, const struct ipxe_call *call)
{
	char *name = strdup(call->args[0]);
	const char *type;

	if (!name)
		return;
	type = cut_type(name);
	if (type && !ipxe_type_find(type))
		FAULT(lint, ERROR, "Debian's iPXE has no type \"%s\"", type);
	if (IS_ONE_OF(name, secrets)) {
		if (!type && call->n_args > 1 && !is_expanded(call->args[1]))
			FAULT(lint, NOTE,
			      "set %s:hexraw keeps every byte of a secret as it is: blanks, \"${\" "
			      "and '#' are lost here",
			      name);
	}
	if (strcmp(name, "initiator-iqn") == 0)
		lint->initiator_set = true;
	free(name);
}

static void check_san(struct lint *lint, const struct ipxe_call *call, const char *behind)
{
	struct decoded decoded = { 0 };

	for (size_t i = 0; i < call->n_args; i++) {
		if (strncmp(call->args[i], "iscsi:", 6) == 0 && !is_expanded(call->args[i]))
			decode_san_address(call->args[i], SAN_FOR_IPXE, lint->line, &decoded);
	}
	take_decoded(lint, &decoded);
	if (call->n_args && !lint->initiator_set)
		FAULT(lint, WARNING,
		      "initiator-iqn is not set: the name is made of hostname or UUID, and the "
		      "target's ACL may not know it");
	if (call->n_args > 1 && behind)
		FAULT(lint, NOTE,
		      "with several addresses iPXE tries them again for ever once one "
		      "was up: what is behind || may never run");
	lint->fetched = true;
}

/* The words behind a kernel's address are its command line. */
static void check_kernel(struct lint *lint, const struct ipxe_call *call)
{
	struct decoded decoded = { 0 };
	struct buf line;

	lint->fetched = true;
	buf_init(&line, IPXE_TEXT_MAX);
	for (size_t i = 1; i < call->n_args; i++) {
		/* What is expanded is not known here; the rest of the line still is. */
		if (!is_expanded(call->args[i]))
			buf_addf(&line, "%s ", call->args[i]);
	}
	if (line.len)
		decode_kernel_line(line.data, lint->line, &decoded);
	take_decoded(lint, &decoded);
	buf_done(&line);
}

/* iPXE takes an address apart at '#'. */
static void check_uri(struct lint *lint, const struct ipxe_call *call)
{
	const char *uri = call->n_args ? call->args[0] : "";

	if (strchr(uri, '#') && !strstr(uri, "##"))
		FAULT(lint, WARNING, "%s: iPXE cuts an address at '#'", uri);
	if (strncmp(uri, "https:", 6) == 0 && !(lint->caps & (1u << IPXE_CAP_HTTPS)))
		FAULT(lint, ERROR, "%s: this iPXE has no https (ipxe-caps)", uri);
}

static void check_boot(struct lint *lint, const struct ipxe_call *call)
{
	if (!call->n_args && !lint->fetched)
		FAULT(lint, ERROR, "%s: nothing was fetched to boot", call->kind->name);
}

static void check_call(struct lint *lint, const struct ipxe_call *call, const char *behind)
{
	switch (call->kind->effect) {
	case IPXE_GOTO:
		check_goto(lint, call);
		break;
	case IPXE_SET:
		check_set(lint, call);
		break;
	case IPXE_SANBOOT:
	case IPXE_SANHOOK:
		check_san(lint, call, behind);
		break;
	case IPXE_KERNEL:
		check_uri(lint, call);
		check_kernel(lint, call);
		break;
	case IPXE_FETCH:
		check_uri(lint, call);
		break;
	case IPXE_CHAIN:
		check_uri(lint, call);
		check_boot(lint, call);
		break;
	default:
		break;
	}
}

static void check_presence(struct lint *lint, const struct ipxe_command_kind *kind)
{
	if (ipxe_command_is_there(kind, lint->caps))
		return;
	if (kind->presence == IPXE_BY_CAP)
		FAULT(lint, WARNING, "%s: Debian's iPXE has no such command (ipxe-caps)",
		      kind->name);
	else
		FAULT(lint, WARNING, "%s: Debian's iPXE has no such command", kind->name);
}

/* Whose failure is likely, so that the script should say what then. */
static bool may_fail(enum ipxe_effect effect)
{
	return effect == IPXE_ASKS_NETWORK || effect == IPXE_FETCH || effect == IPXE_KERNEL ||
	       effect == IPXE_CHAIN || effect == IPXE_SANBOOT || effect == IPXE_SANHOOK ||
	       effect == IPXE_PROMPT || effect == IPXE_ISSET || effect == IPXE_ISEQ;
}

static void check_command(struct lint *lint, const struct ipxe_line *line, size_t i)
{
	const struct ipxe_command *command = &line->commands[i];
	const char *near = NULL, *behind = NULL;
	const struct ipxe_command_kind *kind;
	struct ipxe_call call;
	struct err err;

	if (!command->n) {
		if (line->n > 1)
			FAULT(lint, WARNING, "an operator with no command %s it",
			      i ? "behind" : "before");
		return;
	}
	for (size_t w = 0; w < command->n; w++)
		check_word(lint, command->words[0], command->words[w]);
	kind = ipxe_command_find(command->words[0], &near);
	if (!kind) {
		if (!is_expanded(command->words[0]))
			FAULT(lint, ERROR, "%s: iPXE has no such command%s%s%s", command->words[0],
			      near ? ": did you mean " : "", near ? near : "", near ? "?" : "");
		return;
	}
	check_presence(lint, kind);
	if (ipxe_call_parse(kind, command->words, command->n, &call, &err)) {
		FAULT(lint, ERROR, "%s", err.text);
		return;
	}
	if (command->next == IPXE_NEXT_FAILED)
		behind = "||";
	check_call(lint, &call, behind);
	if (may_fail(kind->effect) && command->next == IPXE_NEXT_NONE)
		FAULT(lint, NOTE, "when %s fails, the script ends here: || says what then",
		      kind->name);
}

/* ---- lines ----------------------------------------------------------------------------------- */

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

static void check_unreachable(struct lint *lint)
{
	bool ended = false;

	for (size_t i = 0; i < lint->text->n; i++) {
		const struct ipxe_line *line = &lint->text->lines[i];

		if (line->label)
			ended = false;
		if (ended && !is_empty(line)) {
			lint->line = line->number;
			FAULT(lint, WARNING,
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
	uses->any = uses->any || (is_goto && is_expanded(command->words[1]));
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

static void check_label(struct lint *lint, const struct ipxe_line *line, const struct uses *uses)
{
	const char *label = line->label;

	lint->line = line->number;
	if (!*label) {
		FAULT(lint, WARNING, "a label without a name");
		return;
	}
	if (ipxe_find_label(lint->text, label) != line)
		FAULT(lint, WARNING, "label :%s is there twice: goto always finds the first",
		      label);
	if (!uses->any && !bsearch(&label, uses->v, uses->n, sizeof(*uses->v), by_name))
		FAULT(lint, NOTE, "nothing goes to label :%s", label);
}

static int check_labels(struct lint *lint)
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
static void check_loops(struct lint *lint)
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
			FAULT(lint, WARNING,
			      "goes back to :%s without a sleep between: a server "
			      "that is down is asked without a rest",
			      to->label);
		}
	}
}

static void check_line(struct lint *lint, const struct ipxe_line *line)
{
	lint->line = line->number;
	if (line->has_nul)
		FAULT(lint, ERROR, "a NUL byte: iPXE sees nothing of the line behind it");
	if (line->comment && (line->n > 1 || line->commands[0].n) && line->comment[1] &&
	    !ipxe_is_blank(line->comment[1]))
		FAULT(lint, NOTE, "\"%s\" begins a comment: it is not read", line->comment);
	for (size_t i = 0; i < line->n; i++)
		check_command(lint, line, i);
}

static void check_bytes(struct lint *lint, const char *script, size_t len)
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
	struct lint lint = { .text = &text, .caps = caps, .findings = findings };
	int code = ipxe_read(script, len, &text, err);

	if (code)
		return code;
	lint.line = 1;
	if (!text.has_magic)
		FAULT(&lint, ERROR, "iPXE takes this for no script: its first line is not #!ipxe");
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
