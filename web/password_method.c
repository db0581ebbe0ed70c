#include "web/password_method.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#define COST(low, high, usual, least, most)                                                    \
	{                                                                                      \
		.min = (low), .max = (high), .def = (usual), .enough = (least), .cap = (most), \
	}

/*
 * The caps hold one hash to about a second on a small host, and to 128 MiB. sha1crypt, sunmd5 and
 * bsdicrypt are there to read what old systems left.
 */
const struct password_method password_methods[] = {
	{ "yescrypt",
	  { "y" },
	  "$y$",
	  SHAPE_YESCRYPT,
	  COST(1, 11, 5, 5, 8),
	  1,
	  86,
	  false,
	  43,
	  0,
	  false,
	  402 },
	{ "gost-yescrypt",
	  { "gy", "gostyescrypt" },
	  "$gy$",
	  SHAPE_YESCRYPT,
	  COST(1, 11, 5, 5, 8),
	  1,
	  86,
	  false,
	  43,
	  0,
	  false,
	  403 },
	{ "scrypt",
	  { "7" },
	  "$7$",
	  SHAPE_SCRYPT,
	  COST(6, 11, 7, 6, 8),
	  1,
	  86,
	  false,
	  43,
	  0,
	  false,
	  402 },
	{ "bcrypt",
	  { "2b", "blowfish" },
	  "$2b$",
	  SHAPE_BCRYPT,
	  COST(4, 31, 5, 10, 14),
	  22,
	  22,
	  false,
	  31,
	  72,
	  false,
	  400 },
	{ "bcrypt-a",
	  { "2a" },
	  "$2a$",
	  SHAPE_BCRYPT,
	  COST(4, 31, 5, 10, 14),
	  22,
	  22,
	  false,
	  31,
	  72,
	  false,
	  400 },
	{ "bcrypt-y",
	  { "2y" },
	  "$2y$",
	  SHAPE_BCRYPT,
	  COST(4, 31, 5, 10, 14),
	  22,
	  22,
	  false,
	  31,
	  72,
	  false,
	  400 },
	{ "bcrypt-x",
	  { "2x" },
	  "$2x$",
	  SHAPE_BCRYPT,
	  COST(4, 31, 5, 10, 14),
	  22,
	  22,
	  false,
	  31,
	  72,
	  true,
	  400 },
	{ "sha512crypt",
	  { "sha-512", "sha512", "6" },
	  "$6$",
	  SHAPE_ROUNDS,
	  COST(1000, 999999999, 5000, 100000, 5000000),
	  1,
	  16,
	  true,
	  86,
	  0,
	  false,
	  0 },
	{ "sha256crypt",
	  { "sha-256", "sha256", "5" },
	  "$5$",
	  SHAPE_ROUNDS,
	  COST(1000, 999999999, 5000, 100000, 5000000),
	  1,
	  16,
	  true,
	  43,
	  0,
	  false,
	  0 },
	{ "sha1crypt",
	  { "sha1", "sha-1" },
	  "$sha1$",
	  SHAPE_SHA1,
	  COST(4, 4294967295, 262144, 0, 2000000),
	  1,
	  64,
	  false,
	  28,
	  0,
	  true,
	  400 },
	{ "sunmd5",
	  { "md5-sun" },
	  "$md5",
	  SHAPE_SUNMD5,
	  COST(1, 4294963199, 0, 0, 200000),
	  1,
	  8,
	  false,
	  22,
	  0,
	  true,
	  400 },
	{ "md5crypt",
	  { "md5", "1" },
	  "$1$",
	  SHAPE_PLAIN,
	  COST(0, 0, 0, 0, 0),
	  1,
	  8,
	  true,
	  22,
	  0,
	  true,
	  0 },
	{ "nt",
	  { "3", "nthash" },
	  "$3$",
	  SHAPE_PLAIN,
	  COST(0, 0, 0, 0, 0),
	  0,
	  0,
	  false,
	  32,
	  0,
	  true,
	  400 },
	{ "bsdicrypt",
	  { "bsdi", "_" },
	  "_",
	  SHAPE_BSDI,
	  COST(1, 16777215, 725, 0, 2000000),
	  4,
	  4,
	  false,
	  11,
	  0,
	  true,
	  400 },
	{ "bigcrypt",
	  { "big" },
	  "",
	  SHAPE_DES,
	  COST(0, 0, 0, 0, 0),
	  2,
	  2,
	  false,
	  11,
	  128,
	  true,
	  400 },
	{ "descrypt", { "des" }, "", SHAPE_DES, COST(0, 0, 0, 0, 0), 2, 2, false, 11, 8, true, 0 },
};

const size_t password_n_methods = sizeof(password_methods) / sizeof(password_methods[0]);

const struct password_method *password_method_find(const char *name)
{
	for (size_t i = 0; i < password_n_methods; i++) {
		const struct password_method *m = &password_methods[i];

		if (strcasecmp(m->name, name) == 0)
			return m;
		for (size_t j = 0; j < 4 && m->aliases[j]; j++) {
			if (strcasecmp(m->aliases[j], name) == 0)
				return m;
		}
	}
	return NULL;
}

/* The 64 digits of crypt(5), in their order. */
static int digit_of(char c)
{
	static const char digits[] =
		"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

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
		int digit = digit_of(s[i]);

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
	n = end - s == 3 ? digit_of(s[1]) : -1;
	r = end - s == 3 ? digit_of(s[2]) : -1;
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
	int n = digit_of(s[0]);

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

	while (digit_of(s[n]) >= 0)
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

int password_check_salt(const struct password_method *m, const char *salt, struct err *err)
{
	size_t len = strlen(salt);

	if (m->salt_max == 0)
		return err_set(err, -EINVAL, "%s has no salt", m->name);
	if (len < m->salt_min)
		return err_set(err, -EINVAL, "a salt of %s has %u characters or more", m->name,
			       m->salt_min);
	if (len > m->salt_max)
		return err_set(err, -EINVAL,
			       "a salt of %s has at most %u characters, and this has %zu: crypt(3) "
			       "would use a part of it",
			       m->name, m->salt_max, len);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)salt[i];

		if (digit_of(salt[i]) >= 0)
			continue;
		if (!m->salt_any || c <= ' ' || c > '~' || strchr("$:;*!\\", c))
			return err_set(
				err, -EINVAL,
				"a salt of %s has no such character as the one at offset %zu",
				m->name, i);
	}
	if (m->shape == SHAPE_ROUNDS && strncmp(salt, "rounds=", 7) == 0)
		return err_set(err, -EINVAL, "crypt(3) would take this salt for a cost");
	return 0;
}

int password_check_rounds(const struct password_method *m, uint64_t rounds, struct err *err)
{
	uint64_t clamped = rounds < m->cost.min ? m->cost.min : m->cost.max;
	const char *lead = "crypt_gensalt(3) refuses it";

	if (m->cost.max == 0)
		return err_set(err, -EINVAL, "%s has no rounds", m->name);
	if (rounds >= m->cost.min && rounds <= m->cost.max)
		return 0;
	if (m->shape != SHAPE_ROUNDS && m->shape != SHAPE_BSDI)
		return err_set(err, -EINVAL,
			       "%" PRIu64 " rounds: %s takes %" PRIu64 " to %" PRIu64
			       ": %s, and crypt(3) such a setting",
			       rounds, m->name, m->cost.min, m->cost.max, lead);
	return err_set(err, -EINVAL,
		       "%" PRIu64 " rounds: %s takes %" PRIu64 " to %" PRIu64
		       ": crypt(3) refuses such a setting, crypt_gensalt(3) would use %" PRIu64,
		       rounds, m->name, m->cost.min, m->cost.max, clamped);
}
