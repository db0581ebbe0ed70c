/* tapwarden passwd: makes, checks and explains hashes of crypt(3). */
#include "agent/cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/passwd_options.h"
#include "agent/passwd_read.h"
#include "agent/passwd_view.h"
#include "web/password.h"

#define SECONDS_OF_A_DAY 86400

static int fail(struct err *err)
{
	err_prefix(err, 0, "passwd");
	return cli_fail(err, "nothing was hashed");
}

/* ---- hashing --------------------------------------------------------------------------------- */

/* A salt may be a whole setting, as crypt(3) takes it: "$6$rounds=1000$salt$". */
static bool is_setting(const char *salt)
{
	return salt && (salt[0] == '$' || (salt[0] == '_' && strlen(salt) >= 9));
}

/* With its cost, "rounds=1000$salt", it is one that lacks the prefix, which -m then gives. */
static bool is_costed_salt(const struct passwd_options *o)
{
	return o->salt && o->method && o->method->shape == SHAPE_ROUNDS &&
	       strncmp(o->salt, "rounds=", 7) == 0 && strchr(o->salt, '$');
}

static int given_setting(const struct passwd_options *o, char ret[PASSWORD_HASH_SIZE],
			 struct password_info *ret_info, struct err *err)
{
	char setting[PASSWORD_HASH_SIZE];
	struct password_info info;
	int len, code;

	len = snprintf(setting, sizeof(setting), "%s%s", is_costed_salt(o) ? o->method->prefix : "",
		       o->salt);
	if (len >= (int)sizeof(setting))
		return err_set(err, -EINVAL, "-S is too long for a setting");
	code = password_identify(setting, &info, err);
	if (code)
		return err_prefix(err, code, "-S");
	if (o->method && o->method != info.method)
		return err_set(err, -EINVAL, "-S is a setting of %s, and -m names %s",
			       info.method->name, o->method->name);
	if (o->rounds)
		return err_set(err, -EINVAL, "-S is a whole setting, which has its rounds: no -R");
	memcpy(ret, setting, sizeof(setting));
	*ret_info = info;
	return 0;
}

static int made_setting(const struct passwd_options *o, char ret[PASSWORD_HASH_SIZE],
			struct password_info *ret_info, struct err *err)
{
	const struct password_method *m = o->method;
	uint64_t rounds = o->rounds;

	if (!m && o->system)
		m = password_method_find(o->system->method);
	if (!m)
		m = password_method_find("yescrypt");
	if (!rounds && o->system && strcmp(o->system->method, m->name) == 0)
		rounds = o->system->rounds;
	*ret_info = (struct password_info){ .method = m, .cost = rounds ? rounds : m->cost.def };
	return password_setting(m, o->salt, rounds, ret, err);
}

static int judge_setting(const struct passwd_options *o, const struct password_info *info,
			 struct err *err)
{
	struct err why;
	int code;

	if (o->system && !passwd_system_reads(o->system, info->method))
		return err_set(err, -EINVAL, "%s does not read %s: %s", o->system->name,
			       info->method->name, o->system->why);
	code = o->force ? 0 : password_check_cap(info, &why);
	return code ? err_set(err, code, "%s: --force takes it", why.text) : 0;
}

/* What crypt(3) would leave out of a password, in silence. */
static int judge_password(const struct passwd_options *o, const struct password_info *info,
			  const char *password, struct err *err)
{
	const struct password_method *m = info->method;

	if (o->force)
		return 0;
	if (!*password)
		return err_set(err, -EINVAL, "an empty password: --force takes it");
	if (m->password_max && strlen(password) > m->password_max)
		return err_set(err, -EINVAL,
			       "%s looks at the first %u bytes alone, and this has %zu: --force "
			       "takes it",
			       m->name, m->password_max, strlen(password));
	return 0;
}

static int get_password(const struct passwd_options *o, bool twice, struct passwd_text *ret,
			struct err *err)
{
	return o->from_stdin ? passwd_read_stdin(ret, err) : passwd_ask(twice, ret, err);
}

static void print_hash(const struct passwd_options *o, const char *hash)
{
	if (o->user)
		printf("%s:%s:%lld:0:99999:7:::\n", o->user, hash,
		       (long long)time(NULL) / SECONDS_OF_A_DAY);
	else
		puts(hash);
}

/* Advice goes beside the hash, not into it. */
static void advise(const struct passwd_options *o, const struct password_info *info)
{
	const char *weak = password_weakness(info);

	if (o->system)
		fprintf(stderr, "tapwarden: for %s: %s: it goes into %s\n", o->system->name,
			o->system->why, o->system->use);
	if (weak)
		fprintf(stderr,
			"tapwarden: this %s hash is weaker than policy: %s: made all the same\n",
			info->method->name, weak);
}

static int hash_one(const struct passwd_options *o)
{
	char setting[PASSWORD_HASH_SIZE], hash[PASSWORD_HASH_SIZE];
	struct passwd_text password = { "" };
	struct password_info info = { .method = &password_methods[0] };
	struct err err;
	int code = is_setting(o->salt) || is_costed_salt(o) ? given_setting(o, setting, &info, &err)
							    : made_setting(o, setting, &info, &err);

	if (code == 0)
		code = judge_setting(o, &info, &err);
	if (code == 0)
		code = get_password(o, true, &password, &err);
	if (code == 0)
		code = judge_password(o, &info, password.text, &err);
	if (code == 0)
		code = password_hash(password.text, setting, hash, &err);
	explicit_bzero(&password, sizeof(password));
	if (code)
		return fail(&err);
	advise(o, &info);
	print_hash(o, hash);
	return cli_flush(CLI_DONE);
}

/* ---- the other questions --------------------------------------------------------------------- */

static int verify(const struct passwd_options *o)
{
	struct passwd_text password = { "" };
	struct password_info info = { .method = &password_methods[0] };
	struct err err;
	int code = password_identify(o->verify, &info, &err);

	if (code == 0 && !info.whole)
		code = err_set(&err, -EINVAL, "--verify: this is a setting, not a hash");
	if (code == 0)
		code = judge_setting(o, &info, &err);
	if (code == 0)
		code = get_password(o, false, &password, &err);
	if (code == 0)
		code = password_verify(password.text, o->verify, &err);
	explicit_bzero(&password, sizeof(password));
	if (code < 0)
		return fail(&err);
	puts(code ? "yes: this password has the hash" : "no: another password has the hash");
	return cli_flush(code ? CLI_DONE : CLI_NO);
}

static int identify(const struct passwd_options *o)
{
	struct password_info info;
	struct err err;

	if (password_identify(o->identify, &info, &err) != 0)
		return fail(&err);
	return cli_flush(passwd_print_identity(&info, o->json));
}

static int costs(const struct passwd_options *o)
{
	struct err err;
	int code = passwd_print_costs(o->method, o->json, &err);

	return code < 0 ? fail(&err) : cli_flush(code);
}

static int methods(const struct passwd_options *o)
{
	return cli_flush(passwd_print_methods(o->system, o->json));
}

struct question {
	const char *name;
	int (*answer)(const struct passwd_options *o);
	unsigned int takes;
};

/* What is asked; -EINVAL for two things at once, and for what would have no effect. */
static int choose(const struct passwd_options *o, struct question *ret, struct err *err)
{
	const struct question questions[] = {
		{ o->verify ? "--verify" : NULL, verify,
		  PASSWD_GIVEN_STDIN | PASSWD_GIVEN_FOR | PASSWD_GIVEN_FORCE },
		{ o->identify ? "--identify" : NULL, identify, PASSWD_GIVEN_JSON },
		{ o->methods ? "--methods" : NULL, methods, PASSWD_GIVEN_FOR | PASSWD_GIVEN_JSON },
		{ o->costs ? "--cost" : NULL, costs, PASSWD_GIVEN_METHOD | PASSWD_GIVEN_JSON },
	};
	struct question asked = { "a hash", hash_one, ~(unsigned int)PASSWD_GIVEN_JSON };
	unsigned int n = 0, idle;

	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		if (questions[i].name && n++ == 0)
			asked = questions[i];
	}
	if (n > 1 || (n && o->user))
		return err_set(err, -EINVAL,
			       "one thing at a time: a hash, --verify, --identify, --methods or "
			       "--cost");
	idle = o->given & ~asked.takes;
	if (idle)
		return err_set(err, -EINVAL, "%s does not take %s", asked.name,
			       passwd_given_name(idle));
	*ret = asked;
	return 0;
}

int cmd_passwd(int argc, char **argv)
{
	struct passwd_options o;
	struct question asked = { NULL, hash_one, 0 };
	struct err err;
	int code = passwd_options_read(argc, argv, &o, &err);

	if (code > 0)
		return code;
	if (code < 0 || choose(&o, &asked, &err) != 0)
		return fail(&err);
	return asked.answer(&o);
}
