/*
 * The methods of crypt(5) as a table, and what may be asked of each. Pure: nothing is hashed.
 *
 * Facts are of libxcrypt 4.4: crypt(5), and what its functions were seen to do.
 */
#ifndef TW_PASSWORD_METHOD_H
#define TW_PASSWORD_METHOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"

/* CRYPT_MAX_PASSPHRASE_SIZE without its NUL. */
#define PASSWORD_MAX 511

/* How a setting is laid out; "salt" is what comes before the hash's last part. */
enum password_shape {
	SHAPE_PLAIN, /* PREFIX salt */
	SHAPE_ROUNDS, /* PREFIX [rounds=N$] salt */
	SHAPE_BCRYPT, /* PREFIX NN$ salt */
	SHAPE_YESCRYPT, /* PREFIX parameters $ salt */
	SHAPE_SCRYPT, /* PREFIX N r r r r r p p p p p salt */
	SHAPE_SHA1, /* PREFIX N$ salt */
	SHAPE_SUNMD5, /* $md5[,rounds=N]$ salt */
	SHAPE_BSDI, /* _ N N N N salt */
	SHAPE_DES, /* salt */
};

struct password_method {
	const char *name; /* as mkpasswd(1) calls it, where it knows the method */
	const char *aliases[4];
	const char *prefix;
	enum password_shape shape;
	struct {
		uint64_t min, max; /* 0, 0: the method has no cost */
		uint64_t def; /* what crypt(3) itself does when nothing is said */
		uint64_t enough; /* less is weaker than policy */
		uint64_t cap; /* more is a denial of service */
	} cost;
	unsigned int salt_min, salt_max; /* characters that the user may give */
	bool salt_any; /* printable characters beside ./0-9A-Za-z too */
	unsigned int digest; /* characters of the last part */
	unsigned int password_max; /* bytes that count; 0: all */
	bool legacy; /* weaker than policy at any cost */
	unsigned int since; /* libxcrypt's version as major * 100 + minor; 0: older libcs have it */
};

extern const struct password_method password_methods[];
extern const size_t password_n_methods;

/* By name, alias or the letters between the '$' of its prefix, in any case; NULL for no method. */
const struct password_method *password_method_find(const char *name);

/* The place of `c` among the 64 digits of crypt(5); -1 for no digit. */
int password_digit(char c);

/* Whether `salt` may stand in a setting of the method: 0, or -EINVAL with the reason. */
int password_check_salt(const struct password_method *method, const char *salt, struct err *err);

/*
 * Whether `rounds` is a cost of the method. Outside the range crypt(3) and crypt_gensalt(3) behave
 * differently; the text says what each would do.
 */
int password_check_rounds(const struct password_method *method, uint64_t rounds, struct err *err);

#endif
