#include "agent/passwd_options.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "agent/base/parse.h"
#include "agent/cli.h"

static const char *const given_names[] = { "-m",    "-S",	"-R",	   "-s",
					   "--for", "--shadow", "--force", "--json" };

enum {
	OPTION_VERIFY = 256,
	OPTION_IDENTIFY,
	OPTION_METHODS,
	OPTION_COST,
	OPTION_FOR,
	OPTION_SHADOW,
	OPTION_FORCE,
	OPTION_JSON,
};

static const struct option longs[] = {
	{ "method", required_argument, NULL, 'm' },
	{ "salt", required_argument, NULL, 'S' },
	{ "rounds", required_argument, NULL, 'R' },
	{ "stdin", no_argument, NULL, 's' },
	{ "verify", required_argument, NULL, OPTION_VERIFY },
	{ "identify", required_argument, NULL, OPTION_IDENTIFY },
	{ "methods", no_argument, NULL, OPTION_METHODS },
	{ "cost", no_argument, NULL, OPTION_COST },
	{ "for", required_argument, NULL, OPTION_FOR },
	{ "shadow", required_argument, NULL, OPTION_SHADOW },
	{ "force", no_argument, NULL, OPTION_FORCE },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ 0 },
};

static int set_method(struct passwd_options *o, const char *name, struct err *err)
{
	o->method = password_method_find(name);
	if (o->method)
		return 0;
	return err_set(err, -EINVAL, "there is no method \"%s\": --methods lists them", name);
}

static int set_rounds(struct passwd_options *o, const char *text, struct err *err)
{
	/* 0 is a number like others here, and stays apart from "not given". */
	int code = parse_u64(text, 0, UINT64_MAX, &o->rounds, err);

	if (code)
		return err_prefix(err, code, "-R");
	if (o->rounds == 0)
		return err_set(err, -EINVAL,
			       "-R 0: crypt(3) refuses 0 rounds, crypt_gensalt(3) would use the "
			       "default: leave -R out for that");
	return 0;
}

static int set_system(struct passwd_options *o, const char *name, struct err *err)
{
	o->system = passwd_system_find(name);
	if (o->system)
		return 0;
	return err_set(err, -EINVAL, "--for \"%s\" is not known: %s are", name,
		       passwd_system_names());
}

/* passwd(5) and what tools of Debian and Red Hat allow as a name. */
static int set_user(struct passwd_options *o, const char *name, struct err *err)
{
	size_t len = strlen(name);
	size_t good = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.-");

	if (len == 0 || good != len || len > 32 || strchr("0123456789.-", name[0]))
		return err_set(err, -EINVAL,
			       "\"%s\" is no name for an account: a-z, 0-9, _ . and -, a letter "
			       "or _ first, at most 32",
			       name);
	o->user = name;
	return 0;
}

static int set_option(struct passwd_options *o, int c, const char *value, struct err *err)
{
	switch (c) {
	case 'm':
		o->given |= PASSWD_GIVEN_METHOD;
		return set_method(o, value, err);
	case 'S':
		o->given |= PASSWD_GIVEN_SALT;
		o->salt = value;
		return 0;
	case 'R':
		o->given |= PASSWD_GIVEN_ROUNDS;
		return set_rounds(o, value, err);
	case 's':
		o->given |= PASSWD_GIVEN_STDIN;
		o->from_stdin = true;
		return 0;
	case OPTION_VERIFY:
		o->verify = value;
		return 0;
	case OPTION_IDENTIFY:
		o->identify = value;
		return 0;
	case OPTION_METHODS:
		o->methods = true;
		return 0;
	case OPTION_COST:
		o->costs = true;
		return 0;
	case OPTION_FOR:
		o->given |= PASSWD_GIVEN_FOR;
		return set_system(o, value, err);
	case OPTION_SHADOW:
		o->given |= PASSWD_GIVEN_SHADOW;
		return set_user(o, value, err);
	case OPTION_FORCE:
		o->given |= PASSWD_GIVEN_FORCE;
		o->force = true;
		return 0;
	default:
		o->given |= PASSWD_GIVEN_JSON;
		o->json = true;
		return 0;
	}
}

int passwd_options_read(int argc, char **argv, struct passwd_options *ret, struct err *err)
{
	int c, code = 0;

	*ret = (struct passwd_options){ 0 };
	optind = 1;
	while (!code && (c = getopt_long(argc, argv, ":m:S:R:s", longs, NULL)) != -1) {
		if (c == '?' || c == ':')
			return cli_usage_option(argv, c);
		code = set_option(ret, c, optarg, err);
	}
	if (code || optind == argc)
		return code;
	/* Not repeated: it may well be the password. */
	return err_set(err, -EINVAL,
		       "a word too many: a password is no argument, where everybody sees it in "
		       "ps(1): it is asked for, or read by -s");
}

const char *passwd_given_name(unsigned int given)
{
	return given_names[__builtin_ctz(given)];
}
