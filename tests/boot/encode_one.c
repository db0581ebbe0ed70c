/* links: web/encode.c web/encode_cmdline.c web/encode_sh.c web/encode_grub.c web/encode_ini.c */
/* links: web/encode_yaml.c web/encode_json.c web/encode_xml.c agent/base/buf.c agent/base/err.c */
/* links: agent/base/utf8.c */
/*
 * encode_one LANGUAGE: the value of standard input as that language has it; 1, with the reason on
 * stderr, when it has not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/encode.h"

static const struct {
	const char *name;
	encoder encode;
} languages[] = {
	{ "cmdline", encode_cmdline }, { "sh", encode_sh },	{ "grub", encode_grub },
	{ "ini", encode_ini },	       { "yaml", encode_yaml }, { "json", encode_json },
	{ "xml", encode_xml },
};

int main(int argc, char **argv)
{
	char value[4096];
	size_t len = fread(value, 1, sizeof(value), stdin);
	struct err err = { "no such language" };
	struct buf out;
	int code = -1;

	buf_init(&out, 65536);
	for (size_t i = 0; argc == 2 && i < sizeof(languages) / sizeof(languages[0]); i++) {
		if (strcmp(languages[i].name, argv[1]) == 0)
			code = languages[i].encode(&out, "x", value, len, &err);
	}
	if (code == 0)
		fwrite(out.data ? out.data : "", 1, out.len, stdout);
	else
		fprintf(stderr, "%s\n", err.text);
	buf_done(&out);
	return code != 0;
}
