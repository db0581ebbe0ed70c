#include "web/password_method.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "agent/base/plural.h"

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

int password_digit(char c)
{
	static const char digits[] =
		"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

int password_check_salt(const struct password_method *m, const char *salt, struct err *err)
{
	size_t len = strlen(salt);

	if (m->salt_max == 0)
		return err_set(err, -EINVAL, "%s has no salt", m->name);
	if (len < m->salt_min)
		return err_set(err, -EINVAL, "a salt of %s has %u character%s or more", m->name,
			       m->salt_min, plural(m->salt_min, "", "s"));
	if (len > m->salt_max)
		return err_set(err, -EINVAL,
			       "a salt of %s has at most %u characters, and this has %zu: crypt(3) "
			       "would use a part of it",
			       m->name, m->salt_max, len);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)salt[i];

		if (password_digit(salt[i]) >= 0)
			continue;
		if (!m->salt_any || c <= ' ' || c > '~' || strchr("$:;*!\\", c))
			return err_set(
				err, -EINVAL,
				"a salt of %s has no such character as the one at offset %zu",
				m->name, i);
	}
	if (m->shape == SHAPE_ROUNDS && strncmp(salt, "rounds=", 7) == 0)
		return err_set(err, -EINVAL, "crypt(3) would take this salt for a cost");
	/* 22 characters are 132 bits, and bcrypt has 128: these four end in four zeroes. */
	if (strncmp(m->prefix, "$2", 2) == 0 && !strchr(".Oeu", salt[len - 1]))
		return err_set(err, -EINVAL,
			       "a salt of %s ends in one of . O e u: crypt(3) would make one of "
			       "them of the last character",
			       m->name);
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
			       "%" PRIu64 " round%s: %s takes %" PRIu64 " to %" PRIu64
			       ": %s, and crypt(3) such a setting",
			       rounds, plural(rounds, "", "s"), m->name, m->cost.min, m->cost.max,
			       lead);
	return err_set(err, -EINVAL,
		       "%" PRIu64 " round%s: %s takes %" PRIu64 " to %" PRIu64
		       ": crypt(3) refuses such a setting, crypt_gensalt(3) would use %" PRIu64,
		       rounds, plural(rounds, "", "s"), m->name, m->cost.min, m->cost.max, clamped);
}
