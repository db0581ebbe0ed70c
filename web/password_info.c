#include "web/password_info.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* A decimal number without leading zeros, as crypt(3) wants it; NULL when there is none. */
static const char *read_decimal(const char *s, uint64_t *ret)
{
	uint64_t n = 0;

	if (*s < '1' || *s > '9')
		return NULL;
	for (; *s >= '0' && *s <= '9'; s++) {
		n = n * 10 + (uint64_t)(*s - '0');
		if (n > UINT32_MAX)
			return NULL;
	}
	*ret = n;
	return s;
}

/* `n` digits, the lowest first. */
static const char *read_digits(const char *s, unsigned int n, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < n; i++) {
		int digit = password_digit(s[i]);

		if (digit < 0)
			return NULL;
		value |= (uint64_t)digit << (6 * i);
	}
	*ret = value;
	return s + n;
}

/* What `128 * r * N` blocks of scrypt take. */
static uint64_t scrypt_memory(uint64_t log2_n, uint64_t r)
{
	return (UINT64_C(128) * r) << log2_n;
}

/*
 * "j", N and r as one digit each: all that crypt_gensalt(3) writes. N is 2^(digit + 1) and r is
 * digit + 1; anything else is some parameter that it never sets.
 */
static const char *read_yescrypt(const char *s, struct password_info *info)
{
	const char *end = strchr(s, '$');
	int n, r;

	if (!end)
		return NULL;
	n = end - s == 3 ? password_digit(s[1]) : -1;
	r = end - s == 3 ? password_digit(s[2]) : -1;
	/* gensalt: r is 8 for costs 1 and 2, from there 32. */
	if (s[0] == 'j' && n >= 0 && n + 1 <= 18 && (r == 7 || r == 31)) {
		info->cost = (uint64_t)(r == 7 ? n - 8 : n - 6);
		info->memory = scrypt_memory((uint64_t)n + 1, (uint64_t)r + 1);
		info->unusual = n < 9 || (r == 7 && n > 10) || (r == 31 && n < 9);
	} else {
		info->unusual = true;
	}
	return end + 1;
}

static const char *read_scrypt(const char *s, struct password_info *info)
{
	uint64_t r, p;
	int n = password_digit(s[0]);

	if (n < 0)
		return NULL;
	s = read_digits(s + 1, 5, &r);
	s = s ? read_digits(s, 5, &p) : NULL;
	if (!s)
		return NULL;
	info->cost = n > 7 ? (uint64_t)n - 7 : 0;
	info->unusual = r != 32 || p != 1 || n < 13 || n > 18;
	if (!info->unusual)
		info->memory = scrypt_memory((uint64_t)n, r);
	return s;
}

static const char *read_rounds(const char *s, struct password_info *info)
{
	if (strncmp(s, "rounds=", 7) != 0)
		return s;
	s = read_decimal(s + 7, &info->cost);
	return s && *s == '$' ? s + 1 : NULL;
}

static const char *read_cost(const char *s, struct password_info *info)
{
	switch (info->method->shape) {
	case SHAPE_PLAIN:
	case SHAPE_DES:
		return s;
	case SHAPE_ROUNDS:
		return read_rounds(s, info);
	case SHAPE_BCRYPT:
		if (s[0] < '0' || s[0] > '3' || s[1] < '0' || s[1] > '9' || s[2] != '$')
			return NULL;
		info->cost = (uint64_t)(s[0] - '0') * 10 + (uint64_t)(s[1] - '0');
		return s + 3;
	case SHAPE_YESCRYPT:
		return read_yescrypt(s, info);
	case SHAPE_SCRYPT:
		return read_scrypt(s, info);
	case SHAPE_SHA1:
		s = read_decimal(s, &info->cost);
		return s && *s == '$' ? s + 1 : NULL;
	case SHAPE_SUNMD5:
		if (*s == ',')
			return read_rounds(s + 1, info);
		return *s == '$' ? s + 1 : NULL;
	case SHAPE_BSDI:
		return read_digits(s, 4, &info->cost);
	}
	return NULL;
}

static size_t span_digits(const char *s)
{
	size_t n = 0;

	while (password_digit(s[n]) >= 0)
		n++;
	return n;
}

/* Where there is no '$' between salt and digest, their lengths say where the one ends. */
static bool read_fixed(const char *s, size_t salt, struct password_info *info)
{
	size_t n = span_digits(s);

	info->salt_length = salt;
	info->whole = n == salt + info->method->digest;
	return s[n] == '\0' && (info->whole || n == salt);
}

/* What follows the cost: the salt, then '$' and the digest. */
static bool read_rest(const char *s, struct password_info *info)
{
	const char *end = s + strcspn(s, "$");

	info->salt_length = (size_t)(end - s);
	if (*end == '\0')
		return true;
	/* Sun's crypt writes one '$' or two, and both are part of what is hashed. */
	if (info->method->shape == SHAPE_SUNMD5 && end[1] == '$')
		end++;
	end++;
	if (*end == '\0')
		return true;
	info->whole = span_digits(end) == info->method->digest && end[info->method->digest] == '\0';
	return info->whole;
}

static bool read_salt(const char *s, struct password_info *info)
{
	const struct password_method *m = info->method;

	if (m->shape == SHAPE_BCRYPT || m->shape == SHAPE_BSDI)
		return read_fixed(s, m->salt_max, info);
	return read_rest(s, info);
}

/* The oldest hashes have no prefix: two of salt, then 11 for each eight bytes of password. */
static bool read_des(const char *text, struct password_info *info)
{
	size_t n = span_digits(text);
	bool big = n > 13;

	info->method = password_method_find(big ? "bigcrypt" : "descrypt");
	info->salt_length = 2;
	info->whole = n > 2;
	return text[n] == '\0' && (n == 2 || (n - 2) % 11 == 0) && n <= 2 + 16 * 11;
}

static const struct password_method *method_of(const char *text)
{
	for (size_t i = 0; i < password_n_methods; i++) {
		const struct password_method *m = &password_methods[i];
		size_t len = strlen(m->prefix);

		if (!len || strncmp(text, m->prefix, len) != 0)
			continue;
		if (m->shape != SHAPE_SUNMD5 || text[len] == '$' || text[len] == ',')
			return m;
	}
	return NULL;
}

int password_identify(const char *text, struct password_info *ret, struct err *err)
{
	struct password_info info = { 0 };
	const char *at;

	if (!*text)
		return err_set(err, -EINVAL, "an empty hash: whoever comes needs no password");
	if (*text == '!' || *text == '*')
		return err_set(err, -EINVAL, "a locked account: it begins with \"%c\"", *text);
	if (strnlen(text, PASSWORD_HASH_SIZE) >= PASSWORD_HASH_SIZE)
		return err_set(err, -EINVAL, "a hash has at most %d characters",
			       PASSWORD_HASH_SIZE - 1);
	for (at = text; *at; at++) {
		if ((unsigned char)*at <= ' ' || (unsigned char)*at > '~' || strchr(":;*!\\", *at))
			return err_set(err, -EINVAL,
				       "crypt(5) allows no such character as the one at offset %zu",
				       (size_t)(at - text));
	}
	info.method = method_of(text);
	if (!info.method) {
		if (*text == '$' || !read_des(text, &info))
			return err_set(err, -EINVAL, "no method of crypt(5) writes this");
		*ret = info;
		return 0;
	}
	info.cost = info.method->cost.def;
	at = read_cost(text + strlen(info.method->prefix), &info);
	if (!at)
		return err_set(err, -EINVAL, "%s: the cost cannot be read", info.method->name);
	info.salt = (size_t)(at - text);
	/* nt has '$' twice and no salt. */
	if (info.method->prefix[1] == '3' && at[0] == '$' && span_digits(at + 1) == 32)
		info.whole = at[33] == '\0';
	else if (!read_salt(at, &info))
		return err_set(err, -EINVAL, "%s: salt and digest do not have its lengths",
			       info.method->name);
	if (!info.unusual && info.method->cost.max &&
	    (info.cost < info.method->cost.min || info.cost > info.method->cost.max) &&
	    info.method->shape != SHAPE_SUNMD5)
		return err_set(err, -EINVAL, "%s: the cost %" PRIu64 " is out of its range",
			       info.method->name, info.cost);
	*ret = info;
	return 0;
}

const char *password_weakness(const struct password_info *info)
{
	if (info->method->legacy)
		return "a method of old times";
	if (info->unusual)
		return "unusual parameters";
	return info->cost < info->method->cost.enough ? "a cost that is too low" : NULL;
}

int password_check_cap(const struct password_info *info, struct err *err)
{
	const struct password_method *m = info->method;

	if (info->unusual)
		return err_set(err, -EDOM,
			       "%s: parameters that no cost makes: what they take is unknown",
			       m->name);
	if (m->cost.max && info->cost > m->cost.cap)
		return err_set(err, -EDOM,
			       "%s: the cost %" PRIu64 " is above the cap of %" PRIu64
			       ", and each login would take as long",
			       m->name, info->cost, m->cost.cap);
	return 0;
}
