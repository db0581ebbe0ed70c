#include "agent/base/schema_read.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/hex.h"
#include "agent/base/name_template.h"
#include "agent/base/parse_boot.h"

int schema_read_text(const struct schema_reader *reader, const char *text, void *field,
		     struct err *err)
{
	const struct schema_bounds *b = reader->bounds;
	size_t len = strlen(text);
	char *copy;
	int code;

	if (len < b->min)
		return err_set(err, -EINVAL, "a value is missing");
	if (b->max && len > b->max)
		return err_set(err, -EINVAL, "%zu bytes are too long: at most %llu", len,
			       (unsigned long long)b->max);
	code = reader->check ? reader->check(text, err) : 0;
	if (code)
		return code;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	memcpy(field, &copy, sizeof(copy));
	return 0;
}

void schema_done_text(void *field)
{
	char *text;

	memcpy(&text, field, sizeof(text));
	free(text);
}

bool schema_format_text(const void *field, struct buf *out)
{
	const char *text;

	memcpy(&text, field, sizeof(text));
	if (!text)
		return false;
	buf_adds(out, text);
	return true;
}

int schema_check_path(const char *text, struct err *err)
{
	if (text[0] != '/')
		return err_set(err, -EINVAL, "\"%s\" is not a path from the root, as /srv/x", text);
	return 0;
}

int schema_check_user(const char *text, struct err *err)
{
	size_t len = strlen(text);

	if (len == 0 || len > 32 || text[0] == '-')
		return err_set(err, -EINVAL, "\"%s\" is not a user's name or number", text);
	for (const char *p = text; *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr("_-.", *p))
			return err_set(err, -EINVAL, "\"%s\" is not a user's name or number", text);
	}
	return 0;
}

int schema_check_owner(const char *text, struct err *err)
{
	const char *colon = strchr(text, ':');
	char user[64];

	if (!colon)
		return schema_check_user(text, err);
	snprintf(user, sizeof(user), "%.*s", (int)(colon - text), text);
	if (schema_check_user(user, NULL) || schema_check_user(colon + 1, NULL))
		return err_set(err, -EINVAL, "\"%s\" is not USER or USER:GROUP", text);
	return 0;
}

int schema_check_template(const char *text, struct err *err)
{
	char name[IFNAME_SIZE];

	return name_template_format(text, 1, name, err);
}

int schema_check_regex(const char *text, struct err *err)
{
	return *text ? 0 : err_set(err, -EINVAL, "a regular expression is missing");
}

int schema_check_net_address(const char *text, struct err *err)
{
	struct net_address address;

	return parse_net_address(text, &address, err);
}

/* The text is never part of the error. */
int schema_read_secret(const struct schema_reader *reader, const char *text, void *field,
		       struct err *err)
{
	size_t len = strlen(text) / 2;
	char *secret;

	(void)reader;
	if (len == 0 || strlen(text) % 2)
		return err_set(err, -EINVAL, "not a secret in hex digits");
	secret = malloc(len + 1);
	if (!secret)
		return -ENOMEM;
	for (size_t i = 0; i < len; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		if (high >= 0 && low >= 0)
			secret[i] = (char)(high << 4 | low);
		/* A NUL would end the secret early. */
		if (high < 0 || low < 0 || !secret[i]) {
			explicit_bzero(secret, len);
			free(secret);
			return err_set(err, -EINVAL, "not a secret in hex digits");
		}
	}
	secret[len] = '\0';
	memcpy(field, &secret, sizeof(secret));
	return 0;
}

void schema_done_secret(void *field)
{
	char *secret;

	memcpy(&secret, field, sizeof(secret));
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

bool schema_format_secret(const void *field, struct buf *out)
{
	const char *secret;

	memcpy(&secret, field, sizeof(secret));
	if (!secret)
		return false;
	for (const char *p = secret; *p; p++)
		buf_addf(out, "%02x", (unsigned char)*p);
	return true;
}
