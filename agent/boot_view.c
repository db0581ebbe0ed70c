#include "agent/boot_view.h"

#include <stdio.h>

#include "agent/base/buf.h"
#include "agent/cli.h"

#define TEXT_MAX (1u << 22)

/* Scripts are somebody else's text: nothing of it may reach a terminal as a control. */
static void escape(const char *text, struct buf *out)
{
	for (const unsigned char *s = (const unsigned char *)text; *s; s++)
		buf_addf(out, *s < 0x20 || *s > 0x7e ? "\\x%02x" : "%c", *s);
}

void boot_print_text(const char *text)
{
	struct buf out;

	buf_init(&out, TEXT_MAX);
	escape(text, &out);
	fputs(out.data ? out.data : "", stdout);
	buf_done(&out);
}

json_t *boot_json_text(const char *text)
{
	json_t *json = json_string(text);
	struct buf out;

	if (json)
		return json;
	buf_init(&out, TEXT_MAX);
	escape(text, &out);
	json = json_string(out.data ? out.data : "");
	buf_done(&out);
	return json;
}

void findings_print(const struct findings *findings, const char *name)
{
	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *finding = &findings->v[i];

		fputs(name, stdout);
		if (finding->line)
			printf(":%u", finding->line);
		printf(": %s: ", finding_level_name(finding->level));
		boot_print_text(finding->text);
		putchar('\n');
	}
	if (findings->left_out)
		printf("%s: %zu more were left out\n", name, findings->left_out);
}

json_t *findings_json(const struct findings *findings)
{
	json_t *list = json_array();

	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *finding = &findings->v[i];

		json_array_append_new(list, json_pack("{s:i, s:s, s:o}", "line", (int)finding->line,
						      "level", finding_level_name(finding->level),
						      "text", boot_json_text(finding->text)));
	}
	return list;
}

int findings_code(const struct findings *findings)
{
	return findings_count(findings, FINDING_ERROR) || findings_count(findings, FINDING_WARNING)
		       ? CLI_NO
		       : CLI_DONE;
}
