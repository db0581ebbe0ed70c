/* links: web/password_*.c agent/base/err.c */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "web/password_info.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A hash of a configuration or of the command line: whatever it is, its parts lie within it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct password_info info;
	char *text = malloc(size + 1);
	struct err err;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (password_identify(text, &info, &err) == 0) {
		if (!info.method || info.salt + info.salt_length > strlen(text))
			abort();
		password_check_cap(&info, &err);
		password_weakness(&info);
	}
	for (size_t i = 0; i < password_n_methods; i++)
		password_check_salt(&password_methods[i], text, &err);
	password_method_find(text);
	free(text);
	return 0;
}
