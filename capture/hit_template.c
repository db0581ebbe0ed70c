#include "capture/hit_template.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A template is a word of a command line. */
#define TEMPLATE_MAX 65536

/* What stands behind a backslash, or -1. */
static int escaped(char c)
{
	static const char names[] = "nt0\\", bytes[] = "\n\t\0\\";
	const char *at = c ? strchr(names, c) : NULL;

	return at ? (unsigned char)bytes[at - names] : -1;
}

static int add_char(const char **p, struct buf *out, struct err *err)
{
	int byte = (unsigned char)**p;

	if (byte == '\\') {
		++*p;
		byte = escaped(**p);
		if (byte < 0)
			return err_set(err, -EINVAL,
				       "behind a backslash only n, t, 0 and a backslash are known");
	}
	++*p;
	buf_addc(out, (char)byte);
	return 0;
}

int hit_text_parse(const char *text, struct buf *out, struct err *err)
{
	int code = 0;

	while (*text && !code)
		code = add_char(&text, out, err);
	return code ? code : out->failed ? err_set(err, -ENOMEM, "out of memory") : 0;
}

static int name_group(struct hit_template *template, const char *name, size_t *ret_number)
{
	struct strv *groups = &template->groups;
	char **v;

	for (size_t i = 0; i < groups->n; i++) {
		if (strcmp(groups->v[i], name) == 0) {
			*ret_number = i;
			return 0;
		}
	}
	v = realloc(groups->v, (groups->n + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	groups->v = v;
	v[groups->n] = strdup(name);
	if (!v[groups->n])
		return -ENOMEM;
	*ret_number = groups->n++;
	return 0;
}

/* "name}" or "name:-text}" */
static int parse_group(struct hit_template *template, struct template_piece *piece, const char **p,
		       struct err *err)
{
	const char *end = strchr(*p, '}');
	const char *colon;
	size_t len;

	if (!end || end == *p)
		return err_set(err, -EINVAL, end ? "${} names no group" : "${ is not closed by }");
	colon = memmem(*p, (size_t)(end - *p), ":-", 2);
	len = (size_t)((colon ? colon : end) - *p);
	piece->group = strndup(*p, len);
	if (colon)
		piece->unset = strndup(colon + 2, (size_t)(end - colon) - 2);
	*p = end + 1;
	if (!piece->group || (colon && !piece->unset) ||
	    name_group(template, piece->group, &piece->number))
		return err_set(err, -ENOMEM, "out of memory");
	return 0;
}

static struct template_piece *add_piece(struct hit_template *template)
{
	struct template_piece *v = realloc(template->v, (template->n + 1) * sizeof(*v));

	if (!v)
		return NULL;
	template->v = v;
	v[template->n] = (struct template_piece){ 0 };
	return &v[template->n++];
}

static int parse_text(const char **p, struct buf *text, struct err *err)
{
	int code = 0;

	while (**p && !code && strncmp(*p, "${", 2) != 0) {
		if (strncmp(*p, "$$", 2) == 0)
			++*p;
		code = add_char(p, text, err);
	}
	return code;
}

static int parse_piece(struct hit_template *template, const char **p, struct err *err)
{
	struct template_piece *piece = add_piece(template);
	struct buf text;
	int code;

	if (!piece)
		return err_set(err, -ENOMEM, "out of memory");
	buf_init(&text, TEMPLATE_MAX);
	code = parse_text(p, &text, err);
	if (!code && text.failed)
		code = err_set(err, -E2BIG, "longer than %d bytes", TEMPLATE_MAX);
	piece->text_len = text.len;
	piece->text = buf_take(&text);
	buf_done(&text);
	if (code || !**p)
		return code;
	*p += 2;
	return parse_group(template, piece, p, err);
}

int hit_template_parse(const char *text, struct hit_template *template, struct err *err)
{
	int code = 0;

	*template = (struct hit_template){ 0 };
	while (*text && !code)
		code = parse_piece(template, &text, err);
	return code;
}

void hit_template_done(struct hit_template *template)
{
	for (size_t i = 0; i < template->n; i++) {
		free(template->v[i].text);
		free(template->v[i].group);
		free(template->v[i].unset);
	}
	free(template->v);
	for (size_t i = 0; i < template->groups.n; i++)
		free(template->groups.v[i]);
	free(template->groups.v);
	*template = (struct hit_template){ 0 };
}
