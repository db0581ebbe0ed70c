#include "web/ipxe_setting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "web/ipxe_type.h"

/* Beyond this many replacements in a word they are taken to have no end. */
#define EXPANSIONS_MAX 1000

#define NAME_SIZE 128

struct ipxe_setting {
	char block[NAME_SIZE], name[NAME_SIZE];
	const struct ipxe_type *type; /* NULL: it was set without one */
	uint8_t *data;
	size_t len; /* at least 1 */
};

/* A name taken apart. */
struct path {
	char block[NAME_SIZE], name[NAME_SIZE];
	const struct ipxe_type *type; /* that which the path names, or NULL */
};

static int parse_path(const char *text, struct path *ret, struct err *err)
{
	const char *slash = strchr(text, '/');
	const char *name = slash ? slash + 1 : text;
	const char *colon = strchr(name, ':');
	size_t name_len = colon ? (size_t)(colon - name) : strlen(name);
	size_t block_len = slash ? (size_t)(slash - text) : 0;
	struct path path = { .type = NULL };

	if (name_len >= NAME_SIZE || block_len >= NAME_SIZE)
		return err_set(err, -EINVAL, "the name of a setting is longer than %d bytes",
			       NAME_SIZE - 1);
	memcpy(path.block, text, block_len);
	if (strcmp(path.block, "netX") == 0)
		path.block[3] = '0';
	memcpy(path.name, name, name_len);
	if (colon) {
		path.type = ipxe_type_find(colon + 1);
		if (!path.type)
			return err_set(err, -ENOTSUP, "there is no type \"%s\"", colon + 1);
	}
	*ret = path;
	return 0;
}

static const struct ipxe_type *type_of(const struct path *path, const struct ipxe_setting *setting)
{
	const struct ipxe_type *type = path->type;

	if (!type)
		type = ipxe_type_of_known(path->name);
	if (!type && setting)
		type = setting->type;
	return type ? type : ipxe_type_find("string");
}

bool ipxe_setting_is_settable(const char *name)
{
	struct path path = { .type = NULL };

	return parse_path(name, &path, NULL) == 0 && ipxe_type_is_settable(type_of(&path, NULL));
}

static struct ipxe_setting *find(const struct ipxe_settings *settings, const char *block,
				 const char *name)
{
	for (size_t i = 0; i < settings->n; i++) {
		struct ipxe_setting *setting = &settings->v[i];

		if (strcmp(setting->name, name) == 0 && strcmp(setting->block, block) == 0)
			return setting;
	}
	return NULL;
}

/* Without a block the root is asked first, then every block of its own. */
static const struct ipxe_setting *look_up(const struct ipxe_settings *settings,
					  const struct path *path)
{
	const struct ipxe_setting *setting = find(settings, path->block, path->name);

	for (size_t i = 0; i < settings->n && !setting && !path->block[0]; i++) {
		if (strcmp(settings->v[i].name, path->name) == 0)
			setting = &settings->v[i];
	}
	return setting;
}

static void take_away(struct ipxe_settings *settings, const struct path *path)
{
	struct ipxe_setting *setting = find(settings, path->block, path->name);

	if (!setting)
		return;
	free(setting->data);
	*setting = settings->v[--settings->n];
}

/* Takes `data`. */
static int put(struct ipxe_settings *settings, const struct path *path, uint8_t *data, size_t len,
	       struct err *err)
{
	struct ipxe_setting *setting = find(settings, path->block, path->name);

	if (!setting) {
		struct ipxe_setting *v =
			realloc(settings->v, (settings->n + 1) * sizeof(*settings->v));

		if (!v) {
			free(data);
			return err_set(err, -ENOMEM, "out of memory");
		}
		settings->v = v;
		setting = &v[settings->n++];
		*setting = (struct ipxe_setting){ 0 };
		memcpy(setting->block, path->block, sizeof(setting->block));
		memcpy(setting->name, path->name, sizeof(setting->name));
	}
	free(setting->data);
	setting->data = data;
	setting->len = len;
	setting->type = path->type;
	return 0;
}

void ipxe_settings_done(struct ipxe_settings *settings)
{
	for (size_t i = 0; i < settings->n; i++)
		free(settings->v[i].data);
	free(settings->v);
	*settings = (struct ipxe_settings){ 0 };
}

int ipxe_setting_set(struct ipxe_settings *settings, const char *name, const char *text,
		     struct err *err)
{
	const struct ipxe_type *type;
	struct path path = { .type = NULL };
	struct buf data;
	int code = parse_path(name, &path, err);

	if (code)
		return code;
	if (!*text) {
		take_away(settings, &path);
		return 0;
	}
	type = type_of(&path, NULL);
	buf_init(&data, IPXE_VALUE_MAX);
	code = type->parse(text, &data);
	if (!code && data.failed)
		code = -ENOMEM;
	if (!code && !data.len)
		code = -EINVAL;
	if (code)
		err_set(err, code, "\"%s\" is no %s", text, type->name);
	else
		code = put(settings, &path, (uint8_t *)data.data, data.len, err);
	if (code)
		buf_done(&data);
	return code;
}

int ipxe_setting_inc(struct ipxe_settings *settings, const char *name, int64_t step,
		     struct err *err)
{
	const struct ipxe_setting *setting;
	struct path path = { .type = NULL };
	struct buf data;
	int64_t value = 0;
	int code = parse_path(name, &path, err);

	if (code)
		return code;
	setting = look_up(settings, &path);
	if (setting && !ipxe_number(setting->data, setting->len, true, &value))
		return err_set(err, -ERANGE, "%s is no number", name);
	if (setting && !path.type)
		path.type = setting->type;
	if (!path.type && !ipxe_type_of_known(path.name))
		path.type = ipxe_type_find("int32");
	buf_init(&data, 8);
	value += step;
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_addc(&data, (char)((uint64_t)value >> shift));
	return put(settings, &path, (uint8_t *)data.data, data.len, err);
}

bool ipxe_setting_get(const struct ipxe_settings *settings, const char *name, struct buf *out)
{
	const struct ipxe_setting *setting;
	struct path path = { .type = NULL };

	if (parse_path(name, &path, NULL))
		return false;
	setting = look_up(settings, &path);
	return setting && type_of(&path, setting)->format(setting->data, setting->len, out);
}

const char *ipxe_find_setting(const char *word, const char **ret_name, size_t *ret_len)
{
	const char *start = NULL;

	for (const char *s = word; *s; s++) {
		if (s[0] == '$' && s[1] == '{')
			start = s;
		if (!start || *s != '}')
			continue;
		*ret_name = start + 2;
		*ret_len = (size_t)(s - start) - 2;
		return start;
	}
	return NULL;
}

/* Replaces the next one in `word`, into `out`; false when there is none. */
static bool expand_one(const struct ipxe_settings *settings, const char *word, struct buf *out)
{
	const char *name;
	size_t len;
	const char *start = ipxe_find_setting(word, &name, &len);
	char path[2 * NAME_SIZE];

	if (!start)
		return false;
	buf_add(out, word, (size_t)(start - word));
	if (len < sizeof(path)) {
		memcpy(path, name, len);
		path[len] = '\0';
		ipxe_setting_get(settings, path, out);
	}
	buf_adds(out, name + len + 1);
	return true;
}

int ipxe_expand(const struct ipxe_settings *settings, const char *word, struct buf *out,
		struct err *err)
{
	struct buf now, next;
	unsigned int n = 0;
	int code = 0;

	buf_init(&now, IPXE_VALUE_MAX);
	buf_init(&next, IPXE_VALUE_MAX);
	buf_adds(&now, word);
	while (!now.failed && now.len && expand_one(settings, now.data, &next)) {
		struct buf swap = now;

		now = next;
		next = swap;
		buf_reset(&next);
		if (++n == EXPANSIONS_MAX) {
			code = err_set(err, -ELOOP, "%s expands to itself: iPXE would hang", word);
			break;
		}
	}
	if (!code && (now.failed || out->failed))
		code = err_set(err, -ENOMEM, "%s expands to more than %d bytes", word,
			       IPXE_VALUE_MAX);
	if (!code)
		buf_add(out, now.data, now.len);
	buf_done(&now);
	buf_done(&next);
	return code;
}
