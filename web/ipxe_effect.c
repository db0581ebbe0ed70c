#include "web/ipxe_effect.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/ipxe_san.h"

void ipxe_note(struct ipxe_runner *run, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(run->note, sizeof(run->note), fmt, ap);
	va_end(ap);
}

void ipxe_end_run(struct ipxe_runner *run, enum ipxe_end_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(run->end.text, sizeof(run->end.text), fmt, ap);
	va_end(ap);
	run->end.kind = kind;
	snprintf(run->end.script, sizeof(run->end.script), "%s", run->script);
	run->end.line = run->line;
	run->stop = IPXE_STOP_ALL;
}

/* Words as iPXE joins them: single blanks. */
void ipxe_join(struct buf *out, char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "%s%s", i ? " " : "", words[i]);
}

static const char *text_of(const struct buf *buf)
{
	return buf->data ? buf->data : "";
}

static int do_echo(struct ipxe_runner *run, const struct ipxe_call *call)
{
	struct buf text;

	buf_init(&text, IPXE_VALUE_MAX);
	ipxe_join(&text, call->args, call->n_args);
	ipxe_note(run, "prints: %s", text_of(&text));
	buf_done(&text);
	return 0;
}

static int set(struct ipxe_runner *run, const char *name, const char *text)
{
	struct err err;
	int code = ipxe_setting_is_settable(name) || !*text ? 0 : -ENOTSUP;

	if (code)
		err_set(&err, code, "%s has no type that a script can set", name);
	else
		code = ipxe_setting_set(&run->machine->settings, name, text, &err);
	if (code)
		ipxe_note(run, "%s", err.text);
	return code;
}

static int do_set(struct ipxe_runner *run, const struct ipxe_call *call)
{
	struct buf text;
	int code;

	buf_init(&text, IPXE_VALUE_MAX);
	ipxe_join(&text, call->args + 1, call->n_args - 1);
	code = set(run, call->args[0], text_of(&text));
	buf_done(&text);
	return code;
}

static int do_clear(struct ipxe_runner *run, const struct ipxe_call *call)
{
	return set(run, call->args[0], "");
}

static int do_inc(struct ipxe_runner *run, const struct ipxe_call *call)
{
	struct err err;
	long step = call->n_args > 1 ? strtol(call->args[1], NULL, 0) : 1;
	int code = ipxe_setting_inc(&run->machine->settings, call->args[0], step, &err);

	if (code)
		ipxe_note(run, "%s", err.text);
	return code;
}

static int do_isset(struct ipxe_runner *run, const struct ipxe_call *call)
{
	ipxe_note(run, call->args[0][0] ? "it is" : "it is not");
	return call->args[0][0] ? 0 : -ENOENT;
}

static int do_iseq(struct ipxe_runner *run, const struct ipxe_call *call)
{
	bool equal = strcmp(call->args[0], call->args[1]) == 0;

	ipxe_note(run, equal ? "they are equal" : "they differ");
	return equal ? 0 : -ERANGE;
}

static int do_goto(struct ipxe_runner *run, const struct ipxe_call *call)
{
	const struct ipxe_line *line = ipxe_find_label(run->text, call->args[0]);

	if (!line) {
		ipxe_note(run, "no label :%s", call->args[0]);
		return -ENOENT;
	}
	run->next = (size_t)(line - run->text->lines);
	run->stop = IPXE_STOP_LINE;
	return 0;
}

static int do_exit(struct ipxe_runner *run, const struct ipxe_call *call)
{
	run->stop = IPXE_STOP_SCRIPT;
	return call->n_args ? (int)strtol(call->args[0], NULL, 0) : 0;
}

static int do_sleep(struct ipxe_runner *run, const struct ipxe_call *call)
{
	char *rest;
	unsigned long long seconds = strtoull(call->args[0], &rest, 0);

	if (*rest || !*call->args[0]) {
		ipxe_note(run, "\"%s\" is no number of seconds", call->args[0]);
		return -EINVAL;
	}
	run->end.milliseconds += seconds * 1000;
	return 0;
}

/* Whether the command has a timeout that is not 0; then its time passes. */
static bool timeout_passes(struct ipxe_runner *run, const struct ipxe_call *call)
{
	const char *timeout = ipxe_call_option(call, "timeout");
	unsigned long long ms = timeout ? strtoull(timeout, NULL, 0) : 0;

	run->end.milliseconds += ms;
	return ms > 0;
}

static int do_prompt(struct ipxe_runner *run, const struct ipxe_call *call)
{
	if (!timeout_passes(run, call)) {
		ipxe_end_run(run, IPXE_END_WAITS, "waits for a key, for ever");
		return 0;
	}
	ipxe_note(run, "nobody pressed a key");
	return -ETIMEDOUT;
}

void ipxe_menu_done(struct ipxe_menu *menu)
{
	free(menu->first);
	free(menu->standard);
	*menu = (struct ipxe_menu){ 0 };
}

static int do_menu(struct ipxe_runner *run, const struct ipxe_call *call)
{
	(void)call;
	ipxe_menu_done(&run->menu);
	return 0;
}

static int keep_name(struct ipxe_runner *run, char **place, const char *name)
{
	free(*place);
	*place = strdup(name);
	if (!*place)
		run->code = -ENOMEM;
	return *place ? 0 : -ENOMEM;
}

static void add_offer(struct buf *items, const char *name)
{
	const size_t len = strlen(name);
	const char *at = items->len ? items->data : "";

	for (; *at; at += strcspn(at, ",")) {
		at += strspn(at, ", ");
		if (strncmp(at, name, len) == 0 && strchr(",", at[len]))
			return;
	}
	buf_addf(items, "%s%s", items->len ? ", " : "", name);
}

static int do_item(struct ipxe_runner *run, const struct ipxe_call *call)
{
	int code = 0;

	if (!call->n_args || ipxe_call_option(call, "gap"))
		return 0;
	if (!run->menu.first)
		code = keep_name(run, &run->menu.first, call->args[0]);
	if (!code && ipxe_call_option(call, "default"))
		code = keep_name(run, &run->menu.standard, call->args[0]);
	if (run->machine->choice) {
		add_offer(&run->offers.items, call->args[0]);
		if (strcmp(run->machine->choice, call->args[0]) == 0)
			run->menu.has_choice = run->offers.has_choice = true;
	}
	return code;
}

static int do_choose(struct ipxe_runner *run, const struct ipxe_call *call)
{
	const char *chosen = ipxe_call_option(call, "default");
	int code;

	if (run->menu.has_choice) {
		chosen = run->machine->choice;
	} else if (!timeout_passes(run, call)) {
		ipxe_end_run(run, IPXE_END_WAITS, "shows a menu and waits for a choice, for ever");
		return 0;
	}
	if (!chosen)
		chosen = run->menu.standard ? run->menu.standard : run->menu.first;
	if (!chosen) {
		ipxe_note(run, "the menu has no item");
		return -ENOENT;
	}
	ipxe_note(run, "chooses %s", chosen);
	code = call->n_args ? set(run, call->args[0], chosen) : 0;
	if (!ipxe_call_option(call, "keep"))
		ipxe_menu_done(&run->menu);
	return code;
}

static int do_wait(struct ipxe_runner *run, const struct ipxe_call *call)
{
	ipxe_end_run(run, IPXE_END_WAITS, "%s waits for somebody at the keyboard, for ever",
		     call->kind->name);
	return 0;
}

static int do_fetch(struct ipxe_runner *run, const struct ipxe_call *call)
{
	buf_adds(&run->images, run->images.len ? " and " : "");
	buf_addf(&run->images, "%s ", call->kind->name);
	ipxe_join(&run->images, call->args, call->n_args);
	return 0;
}

static int do_kernel(struct ipxe_runner *run, const struct ipxe_call *call)
{
	buf_reset(&run->kernel);
	ipxe_join(&run->kernel, call->args, call->n_args);
	return 0;
}

static int do_imgfree(struct ipxe_runner *run, const struct ipxe_call *call)
{
	if (call->n_args)
		return 0;
	buf_reset(&run->kernel);
	buf_reset(&run->images);
	return 0;
}

/* A script that is known here runs; anything else ends the run. */
static int chain_to(struct ipxe_runner *run, const struct ipxe_call *call)
{
	const char *uri = call->args[0];
	struct buf script;
	int code;

	buf_init(&script, IPXE_TEXT_MAX);
	code = run->machine->fetch ? run->machine->fetch(run->machine->user, uri, &script)
				   : -ENOENT;
	if (code) {
		ipxe_end_run(run, IPXE_END_ELSEWHERE, "runs %s, which is not known here", uri);
	} else if (ipxe_call_option(call, "replace")) {
		free(run->replacement);
		run->replacement = NULL;
		code = keep_name(run, &run->replacement, uri);
		buf_done(&run->replacement_text);
		run->replacement_text = script;
		run->stop = IPXE_STOP_SCRIPT;
		return code;
	} else if (run->depth == IPXE_DEPTH_MAX) {
		ipxe_end_run(run, IPXE_END_LOOP, "chains to %s: %d scripts are running already",
			     uri, IPXE_DEPTH_MAX);
	} else {
		code = ipxe_run_script(run, uri, &script);
	}
	buf_done(&script);
	return run->stop == IPXE_STOP_ALL ? 0 : code;
}

static int do_chain(struct ipxe_runner *run, const struct ipxe_call *call)
{
	bool is_chain = strcmp(call->kind->name, "chain") == 0;

	if (is_chain || (call->n_args && strstr(call->args[0], "://")))
		return chain_to(run, call);
	if (call->n_args) {
		ipxe_end_run(run, IPXE_END_KERNEL, "boots the image %s", call->args[0]);
		return 0;
	}
	if (!run->kernel.len) {
		ipxe_note(run, "nothing is selected to boot");
		return -ENOENT;
	}
	ipxe_end_run(run, IPXE_END_KERNEL, "boots the kernel %s%s%s%s", text_of(&run->kernel),
		     run->images.len ? ", with " : "", text_of(&run->images),
		     run->has_san ? ", its SAN disk attached" : "");
	return 0;
}

static int do_reboot(struct ipxe_runner *run, const struct ipxe_call *call)
{
	(void)call;
	ipxe_end_run(run, IPXE_END_POWER, "starts the machine again");
	return 0;
}

static int do_poweroff(struct ipxe_runner *run, const struct ipxe_call *call)
{
	(void)call;
	ipxe_end_run(run, IPXE_END_POWER, "switches the machine off");
	return 0;
}

static int do_nothing(struct ipxe_runner *run, const struct ipxe_call *call)
{
	(void)run;
	(void)call;
	return 0;
}

static const struct {
	int (*run)(struct ipxe_runner *run, const struct ipxe_call *call);
	bool asks; /* its success is an assumption */
} effects[] = {
	[IPXE_DOES_ITS_WORK] = { do_nothing, false },
	[IPXE_ASKS_NETWORK] = { do_nothing, true },
	[IPXE_ECHO] = { do_echo, false },
	[IPXE_SET] = { do_set, false },
	[IPXE_CLEAR] = { do_clear, false },
	[IPXE_INC] = { do_inc, false },
	[IPXE_READ] = { do_wait, false },
	[IPXE_ISSET] = { do_isset, false },
	[IPXE_ISEQ] = { do_iseq, false },
	[IPXE_GOTO] = { do_goto, false },
	[IPXE_EXIT] = { do_exit, false },
	[IPXE_SLEEP] = { do_sleep, false },
	[IPXE_PROMPT] = { do_prompt, false },
	[IPXE_MENU] = { do_menu, false },
	[IPXE_ITEM] = { do_item, false },
	[IPXE_CHOOSE] = { do_choose, false },
	[IPXE_LOGIN] = { do_wait, false },
	[IPXE_FETCH] = { do_fetch, true },
	[IPXE_KERNEL] = { do_kernel, true },
	[IPXE_CHAIN] = { do_chain, true },
	[IPXE_IMGFREE] = { do_imgfree, false },
	[IPXE_SANBOOT] = { ipxe_sanboot, true },
	[IPXE_SANHOOK] = { ipxe_sanhook, true },
	[IPXE_SANUNHOOK] = { ipxe_sanunhook, false },
	[IPXE_SHELL] = { do_wait, false },
	[IPXE_REBOOT] = { do_reboot, false },
	[IPXE_POWEROFF] = { do_poweroff, false },
};

int ipxe_effect(struct ipxe_runner *run, const struct ipxe_call *call, bool *ret_asks)
{
	*ret_asks = effects[call->kind->effect].asks;
	return effects[call->kind->effect].run(run, call);
}
