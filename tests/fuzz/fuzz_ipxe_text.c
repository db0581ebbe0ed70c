/* links: web/ipxe_san.c */
/* links: web/ipxe_lint*.c web/ipxe_run.c web/ipxe_effect.c web/ipxe_reader.c web/ipxe_command.c */
/* links: web/ipxe_call.c */
/* links: web/ipxe_setting.c web/ipxe_type.c web/boot_decode.c web/decode_san.c web/decode_line.c */
/* links: web/san_uri.c web/ipxe_error.c web/finding.c agent/base/hint.c agent/base/parse.c */
/* links: agent/base/buf.c agent/base/err.c */
/*
 * Any bytes as a script that is read, checked and run, and as a text that is decoded. What was read
 * is the text itself: words in their order, each found behind the one before.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "web/boot_decode.h"
#include "web/ipxe_lint.h"
#include "web/ipxe_reader.h"
#include "web/ipxe_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_script(const char *text, size_t len)
{
	struct ipxe_text script;
	size_t bytes = 0, commands = 0;

	if (ipxe_read(text, len, &script, NULL))
		abort();
	for (size_t i = 0; i < script.n; i++) {
		for (size_t c = 0; c < script.lines[i].n; c++) {
			const struct ipxe_command *command = &script.lines[i].commands[c];

			commands++;
			for (size_t w = 0; w < command->n; w++)
				bytes += strlen(command->words[w]);
		}
	}
	if (bytes > len || commands > len + script.n)
		abort();
	ipxe_text_done(&script);
}

/* Whatever is chained to is the script itself. */
static int fetch(void *user, const char *uri, struct buf *out)
{
	const struct buf *script = user;

	if (!*uri)
		return -1;
	buf_add(out, script->data, script->len);
	return 0;
}

static void run_script(const char *text, size_t len)
{
	struct buf script = { .data = (char *)text, .len = len };
	struct ipxe_machine machine = { .fetch = fetch, .user = &script, .choice = "a" };
	struct ipxe_end end;

	ipxe_setting_set(&machine.settings, "net0/mac", "52:54:00:12:34:56", NULL);
	if (ipxe_run(&machine, "fuzz", text, len, &end, NULL) == 0 &&
	    (end.kind >= IPXE_ENDS || !end.text[0]))
		abort();
	ipxe_settings_done(&machine.settings);
}

static void decode(const char *text)
{
	struct decoded decoded;

	if (boot_decode(text, &decoded, NULL) == 0)
		decoded_done(&decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct findings findings = { 0 };
	char *text;

	if (size > 4096)
		return 0;
	text = malloc(size + 8);
	memcpy(text, "#!ipxe\n", 7);
	if (size)
		memcpy(text + 7, data, size);
	text[size + 7] = '\0';
	read_script(text, size + 7);
	if (ipxe_lint(text, size + 7, 0, &findings, NULL))
		abort();
	findings_done(&findings);
	run_script(text, size + 7);
	decode(text + 7);
	free(text);
	return 0;
}
