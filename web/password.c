#include "web/password.h"

#include <crypt.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/constant_time.h"

_Static_assert(PASSWORD_HASH_SIZE == CRYPT_OUTPUT_SIZE, "crypt.h has another size");
_Static_assert(PASSWORD_MAX == CRYPT_MAX_PASSPHRASE_SIZE - 1, "crypt.h has another size");

/* bigcrypt is told from descrypt by a setting that is longer than one block's hash. */
#define BIG_FILLER "......................"

/* crypt_gensalt(3) refuses $2x$, whose salts are as those of $2b$. */
static const char *salt_prefix(const struct password_method *m)
{
	return strcmp(m->prefix, "$2x$") == 0 ? "$2b$" : m->prefix;
}

/* A shorter buffer cuts the salt or ends the process, so it is always of this size. */
static int gensalt(const struct password_method *m, uint64_t count,
		   char ret[CRYPT_GENSALT_OUTPUT_SIZE], struct err *err)
{
	char text[CRYPT_GENSALT_OUTPUT_SIZE];

	if (!crypt_gensalt_rn(salt_prefix(m), count, NULL, 0, text, sizeof(text)))
		return err_set(err, -EINVAL, "this libcrypt makes no salt for %s", m->name);
	memcpy(ret, text, sizeof(text));
	return 0;
}

/* The salt within what crypt_gensalt(3) made. */
static int random_salt(const struct password_method *m, char ret[CRYPT_GENSALT_OUTPUT_SIZE],
		       struct err *err)
{
	char made[CRYPT_GENSALT_OUTPUT_SIZE];
	struct password_info info;
	int code = gensalt(m, 0, made, err);

	if (code == 0)
		code = password_identify(made, &info, err);
	if (code)
		return code;
	memcpy(ret, made + info.salt, info.salt_length);
	ret[info.salt_length] = '\0';
	return 0;
}

/* Everything before the salt, for the methods whose cost is no plain number: made by gensalt. */
static int head_made(const struct password_method *m, uint64_t rounds, char *ret, size_t size,
		     struct err *err)
{
	char made[CRYPT_GENSALT_OUTPUT_SIZE];
	struct password_info info;
	int code = gensalt(m, rounds, made, err);

	if (code == 0)
		code = password_identify(made, &info, err);
	if (code == 0)
		snprintf(ret, size, "%.*s", (int)info.salt, made);
	return code;
}

static void head_bsdi(uint64_t rounds, char *ret, size_t size)
{
	static const char digits[] =
		"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	snprintf(ret, size, "_%c%c%c%c", digits[rounds & 63], digits[(rounds >> 6) & 63],
		 digits[(rounds >> 12) & 63], digits[(rounds >> 18) & 63]);
}

static int setting_head(const struct password_method *m, uint64_t rounds, char *ret, size_t size,
			struct err *err)
{
	uint64_t cost = rounds ? rounds : m->cost.def;

	switch (m->shape) {
	case SHAPE_PLAIN:
	case SHAPE_DES:
		snprintf(ret, size, "%s", m->prefix);
		return 0;
	case SHAPE_ROUNDS:
		if (rounds)
			snprintf(ret, size, "%srounds=%" PRIu64 "$", m->prefix, rounds);
		else
			snprintf(ret, size, "%s", m->prefix);
		return 0;
	case SHAPE_SUNMD5:
		if (rounds)
			snprintf(ret, size, "%s,rounds=%" PRIu64 "$", m->prefix, rounds);
		else
			snprintf(ret, size, "%s$", m->prefix);
		return 0;
	case SHAPE_BCRYPT:
		snprintf(ret, size, "%s%02" PRIu64 "$", m->prefix, cost);
		return 0;
	case SHAPE_SHA1:
		snprintf(ret, size, "%s%" PRIu64 "$", m->prefix, cost);
		return 0;
	case SHAPE_BSDI:
		head_bsdi(cost, ret, size);
		return 0;
	case SHAPE_YESCRYPT:
	case SHAPE_SCRYPT:
		return head_made(m, rounds, ret, size, err);
	}
	return -EINVAL;
}

int password_setting(const struct password_method *method, const char *salt, uint64_t rounds,
		     char ret[PASSWORD_HASH_SIZE], struct err *err)
{
	char head[CRYPT_GENSALT_OUTPUT_SIZE], random[CRYPT_GENSALT_OUTPUT_SIZE] = "";
	bool big = strcmp(method->name, "bigcrypt") == 0;
	int code = 0;

	if (rounds)
		code = password_check_rounds(method, rounds, err);
	if (code == 0 && salt)
		code = password_check_salt(method, salt, err);
	else if (code == 0 && method->salt_max)
		code = random_salt(method, random, err);
	if (code == 0)
		code = setting_head(method, rounds, head, sizeof(head), err);
	if (code == 0)
		snprintf(ret, PASSWORD_HASH_SIZE, "%s%s%s", head, salt ? salt : random,
			 big ? BIG_FILLER : "");
	return code;
}

int password_hash(const char *password, const char *setting, char ret[PASSWORD_HASH_SIZE],
		  struct err *err)
{
	struct crypt_data *data;
	const char *hash;
	int code = 0;

	if (strnlen(password, PASSWORD_MAX + 1) > PASSWORD_MAX)
		return err_set(err, -ERANGE, "a password has at most %d bytes", PASSWORD_MAX);
	data = calloc(1, sizeof(*data));
	if (!data)
		return err_errno(err, -ENOMEM, "cannot hash");
	/* errno is no sign of failure: it is set by some methods that succeed. */
	hash = crypt_rn(password, setting, data, (int)sizeof(*data));
	if (!hash || hash[0] == '*')
		code = err_set(err, -EINVAL,
			       "crypt(3) refuses the setting, or has no memory for it");
	else
		snprintf(ret, PASSWORD_HASH_SIZE, "%s", hash);
	explicit_bzero(data, sizeof(*data));
	free(data);
	return code;
}

int password_verify(const char *password, const char *hash, struct err *err)
{
	char made[PASSWORD_HASH_SIZE] = "";
	size_t len = strlen(hash);
	int code = password_hash(password, hash, made, err);

	if (code == 0)
		code = len == strlen(made) && constant_time_equal(made, hash, len);
	explicit_bzero(made, sizeof(made));
	return code;
}

bool password_method_works(const struct password_method *method)
{
	char setting[PASSWORD_HASH_SIZE], hash[PASSWORD_HASH_SIZE];

	return password_setting(method, NULL, method->cost.min, setting, NULL) == 0 &&
	       password_hash("", setting, hash, NULL) == 0;
}
