#include "web/metrics_text.h"

#include <string.h>

const char *metrics_text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

double metrics_number(const json_t *object, const char *path)
{
	char key[64];

	for (;;) {
		size_t len = strcspn(path, ".");

		if (len >= sizeof(key))
			return 0;
		memcpy(key, path, len);
		key[len] = '\0';
		object = json_object_get(object, key);
		if (path[len] == '\0')
			return json_number_value(object);
		path += len + 1;
	}
}

void metrics_add_number(struct buf *out, double n)
{
	/* Counters are whole below 2^53, and have no exponent then. */
	buf_addf(out, "%.15g\n", n);
}

void metrics_add_type(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_addf(out, "# TYPE %s %s\n# HELP %s %s\n", name, type, name, help);
}

void metrics_add_label(struct buf *out, bool first, const char *name, const char *value)
{
	buf_addf(out, "%c%s=\"", first ? '{' : ',', name);
	for (; *value; value++) {
		if (*value == '\n') {
			buf_adds(out, "\\n");
			continue;
		}
		if (*value == '"' || *value == '\\')
			buf_addc(out, '\\');
		buf_addc(out, *value);
	}
	buf_addc(out, '"');
}
