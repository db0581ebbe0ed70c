#include "web/ipxe_lint_command.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/buf.h"
#include "web/boot_decode.h"
#include "web/ipxe_call.h"
#include "web/ipxe_setting.h"
#include "web/ipxe_type.h"

/* ---- words ----------------------------------------------------------------------------------- */

/*
 * Settings whose value the machine, its firmware or DHCP gives: whoever has those writes the word.
 */
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

static void check_setting(struct ipxe_lint *lint, const char *command, char *name)
{
	const char *type = cut_type(name);

	if (type && !ipxe_type_find(type))
		LINT_FAULT(lint, ERROR,
			   "${%s:%s}: Debian's iPXE has no type \"%s\" and puts nothing there",
			   name, type, type);
	if (!type && IS_ONE_OF(name, from_outside))
		LINT_FAULT(lint, WARNING,
			   "${%s} is what DHCP or the firmware says, and is expanded again: "
			   "${%s:uristring} is safe",
			   name, name);
	if (IS_ONE_OF(name, secrets) && strcmp(command, "set") != 0 &&
	    strcmp(command, "isset") != 0)
		LINT_FAULT(lint, WARNING, "%s shows the secret ${%s}", command, name);
}

/* Every "${NAME}" of a word, the inner ones too. */
static void check_settings(struct ipxe_lint *lint, const char *command, const char *word)
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
	if (!found && ipxe_is_expanded(word))
		LINT_FAULT(lint, WARNING,
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

static void check_word(struct ipxe_lint *lint, const char *command, const char *word)
{
	const char *operator= glued_operator(word);
	bool is_text = strcmp(command, "echo") == 0 || strcmp(command, "item") == 0 ||
		       strcmp(command, "menu") == 0 || strcmp(command, "prompt") == 0;

	check_settings(lint, command, word);
	if (is_text)
		return;
	if (operator)
		LINT_FAULT(lint, WARNING, "\"%s\": %s is an operator only between blanks",
			   word, operator);
	if (is_quoted(word))
		LINT_FAULT(lint, WARNING, "%s: iPXE has no quotes: they are part of the word",
			   word);
}

/* ---- commands -------------------------------------------------------------------------------- */

static void take_decoded(struct ipxe_lint *lint, struct decoded *decoded)
{
	for (size_t i = 0; i < decoded->findings.n; i++)
		findings_add(lint->findings, lint->line, decoded->findings.v[i].level, "%s",
			     decoded->findings.v[i].text);
	decoded_done(decoded);
}

static void check_goto(struct ipxe_lint *lint, const struct ipxe_call *call)
{
	if (!ipxe_is_expanded(call->args[0]) && !ipxe_find_label(lint->text, call->args[0]))
		LINT_FAULT(lint, ERROR, "there is no label :%s", call->args[0]);
}

static void check_set(struct ipxe_lint *lint, const struct ipxe_call *call)
{
	char *name = strdup(call->args[0]);
	const char *type;

	if (!name)
		return;
	type = cut_type(name);
	if (type && !ipxe_type_find(type))
		LINT_FAULT(lint, ERROR, "Debian's iPXE has no type \"%s\"", type);
	if (IS_ONE_OF(name, secrets)) {
		if (!type && call->n_args > 1 && !ipxe_is_expanded(call->args[1]))
			LINT_FAULT(
				lint, NOTE,
				"set %s:hexraw keeps every byte of a secret as it is: blanks, \"${\" "
				"and '#' are lost here",
				name);
	}
	if (strcmp(name, "initiator-iqn") == 0)
		lint->initiator_set = true;
	free(name);
}

static void check_san(struct ipxe_lint *lint, const struct ipxe_call *call, const char *behind)
{
	struct decoded decoded = { 0 };

	for (size_t i = 0; i < call->n_args; i++) {
		if (strncmp(call->args[i], "iscsi:", 6) == 0 && !ipxe_is_expanded(call->args[i]))
			decode_san_address(call->args[i], SAN_FOR_IPXE, lint->line, &decoded);
	}
	take_decoded(lint, &decoded);
	if (call->n_args && !lint->initiator_set)
		LINT_FAULT(
			lint, WARNING,
			"initiator-iqn is not set: the name is made of hostname or UUID, and the "
			"target's ACL may not know it");
	if (call->n_args > 1 && behind)
		LINT_FAULT(lint, NOTE,
			   "with several addresses iPXE tries them again for ever once one "
			   "was up: what is behind || may never run");
	lint->fetched = true;
}

/* The words behind a kernel's address are its command line. */
static void check_kernel(struct ipxe_lint *lint, const struct ipxe_call *call)
{
	struct decoded decoded = { 0 };
	struct buf line;

	lint->fetched = true;
	buf_init(&line, IPXE_TEXT_MAX);
	for (size_t i = 1; i < call->n_args; i++) {
		/* What is expanded is not known here; the rest of the line still is. */
		if (!ipxe_is_expanded(call->args[i]))
			buf_addf(&line, "%s ", call->args[i]);
	}
	if (line.len)
		decode_kernel_line(line.data, lint->line, &decoded);
	take_decoded(lint, &decoded);
	buf_done(&line);
}

/* iPXE takes an address apart at '#'. */
static void check_uri(struct ipxe_lint *lint, const struct ipxe_call *call)
{
	const char *uri = call->n_args ? call->args[0] : "";

	if (strchr(uri, '#') && !strstr(uri, "##"))
		LINT_FAULT(lint, WARNING, "%s: iPXE cuts an address at '#'", uri);
	if (strncmp(uri, "https:", 6) == 0 && !(lint->caps & (1u << IPXE_CAP_HTTPS)))
		LINT_FAULT(lint, ERROR, "%s: this iPXE has no https (ipxe-caps)", uri);
}

static void check_boot(struct ipxe_lint *lint, const struct ipxe_call *call)
{
	if (!call->n_args && !lint->fetched)
		LINT_FAULT(lint, ERROR, "%s: nothing was fetched to boot", call->kind->name);
}

static void check_call(struct ipxe_lint *lint, const struct ipxe_call *call, const char *behind)
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

static void check_presence(struct ipxe_lint *lint, const struct ipxe_command_kind *kind)
{
	if (ipxe_command_is_there(kind, lint->caps))
		return;
	if (kind->presence == IPXE_BY_CAP)
		LINT_FAULT(lint, WARNING, "%s: Debian's iPXE has no such command (ipxe-caps)",
			   kind->name);
	else
		LINT_FAULT(lint, WARNING, "%s: Debian's iPXE has no such command", kind->name);
}

/* Whose failure is likely, so that the script should say what then. */
static bool may_fail(enum ipxe_effect effect)
{
	return effect == IPXE_ASKS_NETWORK || effect == IPXE_FETCH || effect == IPXE_KERNEL ||
	       effect == IPXE_CHAIN || effect == IPXE_SANBOOT || effect == IPXE_SANHOOK ||
	       effect == IPXE_PROMPT || effect == IPXE_ISSET || effect == IPXE_ISEQ;
}

void ipxe_lint_command(struct ipxe_lint *lint, const struct ipxe_line *line, size_t i)
{
	const struct ipxe_command *command = &line->commands[i];
	const char *near = NULL, *behind = NULL;
	const struct ipxe_command_kind *kind;
	struct ipxe_call call;
	struct err err;

	if (!command->n) {
		if (line->n > 1)
			LINT_FAULT(lint, WARNING, "an operator with no command %s it",
				   i ? "behind" : "before");
		return;
	}
	for (size_t w = 0; w < command->n; w++)
		check_word(lint, command->words[0], command->words[w]);
	kind = ipxe_command_find(command->words[0], &near);
	if (!kind) {
		if (!ipxe_is_expanded(command->words[0]))
			LINT_FAULT(lint, ERROR, "%s: iPXE has no such command%s%s%s",
				   command->words[0], near ? ": did you mean " : "",
				   near ? near : "", near ? "?" : "");
		return;
	}
	check_presence(lint, kind);
	if (ipxe_call_parse(kind, command->words, command->n, &call, &err)) {
		LINT_FAULT(lint, ERROR, "%s", err.text);
		return;
	}
	if (command->next == IPXE_NEXT_FAILED)
		behind = "||";
	check_call(lint, &call, behind);
	if (may_fail(kind->effect) && command->next == IPXE_NEXT_NONE)
		LINT_FAULT(lint, NOTE, "when %s fails, the script ends here: || says what then",
			   kind->name);
}
