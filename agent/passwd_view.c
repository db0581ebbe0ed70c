#include "agent/passwd_view.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <jansson.h>

#include "agent/base/plural.h"
#include "agent/cli.h"
#include "agent/cli_print.h"
#include "agent/table.h"
#include "web/password.h"

#define TEXT_MAX (1u << 20)

static const struct passwd_system systems[] = {
	{ "debian12", "yescrypt", 0, 404, "its libxcrypt 4.4 has yescrypt, and passwd(1) uses it",
	  "usermod -p HASH USER, or a line for chpasswd -e" },
	{ "rhel8", "sha512crypt", 100000, 401, "its libxcrypt 4.1 came before yescrypt",
	  "rootpw --iscrypted HASH in a kickstart file, or chpasswd -e" },
	{ "alpine", "sha512crypt", 100000, 0, "musl has no yescrypt", "a line for chpasswd -e" },
	{ "cloud-init", "sha512crypt", 100000, 0,
	  "an image of unknown age: every libc of Linux reads it", "passwd: HASH of a user" },
};

const struct passwd_system *passwd_system_find(const char *name)
{
	for (size_t i = 0; i < sizeof(systems) / sizeof(systems[0]); i++) {
		if (strcmp(systems[i].name, name) == 0)
			return &systems[i];
	}
	return NULL;
}

const char *passwd_system_names(void)
{
	return "debian12, rhel8, alpine and cloud-init";
}

bool passwd_system_reads(const struct passwd_system *system, const struct password_method *method)
{
	return method->since <= system->library;
}

static int print_table(struct table *table)
{
	struct buf text;

	buf_init(&text, TEXT_MAX);
	table_print(table, &text);
	table_done(table);
	return cli_print_text(&text, "the table");
}

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* ---- methods --------------------------------------------------------------------------------- */

static json_t *method_json(const struct password_method *m)
{
	json_t *aliases = json_array(), *json = json_object();

	for (size_t i = 0; i < 4 && m->aliases[i]; i++)
		json_array_append_new(aliases, json_string(m->aliases[i]));
	json_object_set_new(json, "method", json_string(m->name));
	json_object_set_new(json, "aliases", aliases);
	json_object_set_new(json, "prefix", json_string(m->prefix));
	json_object_set_new(json, "rounds_min", number(m->cost.min));
	json_object_set_new(json, "rounds_max", number(m->cost.max));
	json_object_set_new(json, "rounds_default", number(m->cost.def));
	json_object_set_new(json, "rounds_policy", number(m->cost.enough));
	json_object_set_new(json, "rounds_cap", number(m->cost.cap));
	json_object_set_new(json, "salt_max", number(m->salt_max));
	json_object_set_new(json, "password_max",
			    number(m->password_max ? m->password_max : PASSWORD_MAX));
	json_object_set_new(json, "legacy", json_boolean(m->legacy));
	json_object_set_new(json, "here", json_boolean(password_method_works(m)));
	return json;
}

static void aliases_text(const struct password_method *m, char *out, size_t size)
{
	int n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < 4 && m->aliases[i] && n >= 0 && (size_t)n < size; i++)
		n += snprintf(out + n, size - (size_t)n, "%s%s", i ? " " : "", m->aliases[i]);
}

static void method_row(struct table *table, const struct password_method *m)
{
	char aliases[64];

	aliases_text(m, aliases, sizeof(aliases));
	table_add(table, "%s", m->name);
	table_add(table, "%s", aliases);
	table_add(table, "%s", m->prefix);
	if (m->cost.max) {
		table_add(table, "%" PRIu64 "-%" PRIu64, m->cost.min, m->cost.max);
		table_add(table, "%" PRIu64, m->cost.def);
		table_add(table, "%" PRIu64, m->cost.cap);
	} else {
		for (int i = 0; i < 3; i++)
			table_add(table, "%s", "");
	}
	table_add(table, m->salt_max ? "%u" : "", m->salt_max);
	table_add(table, "%u", m->password_max ? m->password_max : PASSWORD_MAX);
	if (m->legacy)
		table_add(table, "%s", "old: weaker than policy");
	else
		table_add(table, "from %" PRIu64, m->cost.enough);
	table_add(table, "%s", password_method_works(m) ? "yes" : "no");
}

int passwd_print_methods(const struct passwd_system *system, bool json)
{
	static const char *const headline[] = { "METHOD",  "ALIASES", "PREFIX", "ROUNDS",
						"DEFAULT", "CAP",     "SALT",	"PASSWORD",
						"POLICY",  "HERE",    NULL };
	struct table table;
	json_t *list = json_array();

	table_init(&table, headline);
	for (size_t i = 0; i < password_n_methods; i++) {
		const struct password_method *m = &password_methods[i];

		if (system && !passwd_system_reads(system, m))
			continue;
		if (json)
			json_array_append_new(list, method_json(m));
		else
			method_row(&table, m);
	}
	if (json) {
		table_done(&table);
		return cli_print_json(list, "the methods");
	}
	json_decref(list);
	return print_table(&table);
}

/* ---- identity -------------------------------------------------------------------------------- */

static json_t *identity_json(const struct password_info *info, const char *weak)
{
	const struct password_method *m = info->method;

	return json_pack("{s:s, s:o, s:o, s:o, s:b, s:b, s:o}", "method", m->name, "rounds",
			 m->cost.max ? number(info->cost) : json_null(), "memory",
			 number(info->memory), "salt_length", number(info->salt_length), "hash",
			 info->whole, "weak", weak != NULL, "why",
			 weak ? json_string(weak) : json_null());
}

static void print_identity(const struct password_info *info, const char *weak)
{
	const struct password_method *m = info->method;
	const double mib = (double)info->memory / (1 << 20);

	printf("method  %s\n", m->name);
	if (info->unusual)
		printf("rounds  unknown: parameters that no cost of the method makes\n");
	else if (m->cost.max)
		printf("rounds  %" PRIu64 "%s\n", info->cost,
		       info->cost == m->cost.def ? " (the default)" : "");
	if (info->memory)
		printf("memory  %.0f MiB\n", mib);
	printf("salt    %zu character%s\n", info->salt_length, plural(info->salt_length, "", "s"));
	if (!info->whole)
		printf("digest  none: this is a setting, not a hash\n");
	if (weak)
		printf("policy  weaker: %s\n", weak);
	else
		printf("policy  good enough\n");
}

int passwd_print_identity(const struct password_info *info, bool json)
{
	const char *weak = password_weakness(info);
	int code = CLI_DONE;

	if (json)
		code = cli_print_json(identity_json(info, weak), "what the hash is");
	else
		print_identity(info, weak);
	return code == CLI_DONE && weak ? CLI_NO : code;
}

/* ---- costs ----------------------------------------------------------------------------------- */

struct figure {
	double seconds;
	uint64_t memory; /* bytes */
};

/* A child alone can tell what one hash takes at its peak. */
static int measure(const char *setting, struct figure *ret)
{
	char hash[PASSWORD_HASH_SIZE];
	struct rusage usage;
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		_exit(setting && password_hash("correct horse", setting, hash, NULL) != 0);
	while (wait4(pid, &status, 0, &usage) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return -ENOMEM;
	ret->seconds = (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 +
		       (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6;
	ret->memory = (uint64_t)usage.ru_maxrss * 1024;
	return 0;
}

static const struct {
	const char *method;
	uint64_t rounds;
} samples[] = {
	{ "yescrypt", 5 },	 { "yescrypt", 6 },	    { "yescrypt", 7 },
	{ "yescrypt", 8 },	 { "gost-yescrypt", 5 },    { "scrypt", 6 },
	{ "scrypt", 7 },	 { "scrypt", 8 },	    { "bcrypt", 5 },
	{ "bcrypt", 8 },	 { "bcrypt", 10 },	    { "bcrypt", 12 },
	{ "sha512crypt", 5000 }, { "sha512crypt", 100000 }, { "sha512crypt", 500000 },
	{ "sha256crypt", 5000 }, { "sha256crypt", 100000 }, { "sha256crypt", 500000 },
	{ "sha1crypt", 262144 }, { "sunmd5", 4096 },	    { "md5crypt", 0 },
	{ "bsdicrypt", 725 },	 { "descrypt", 0 },	    { "nt", 0 },
};

static void cost_add(struct table *table, json_t *list, const struct password_method *m,
		     uint64_t rounds, const struct figure *f)
{
	struct password_info info = { .method = m, .cost = rounds };
	const char *weak = password_weakness(&info);

	json_array_append_new(list, json_pack("{s:s, s:o, s:f, s:o, s:b}", "method", m->name,
					      "rounds", number(rounds), "seconds", f->seconds,
					      "memory", number(f->memory), "weak", weak != NULL));
	table_add(table, "%s", m->name);
	table_add(table, rounds ? "%" PRIu64 : "", rounds);
	table_add(table, "%.1f ms", f->seconds * 1e3);
	table_add(table, "%.0f MiB", (double)f->memory / (1 << 20));
	table_add(table, "%s", weak ? weak : "");
}

static int cost_rows(const struct password_method *only, struct table *table, json_t *list,
		     struct err *err)
{
	char setting[PASSWORD_HASH_SIZE];
	struct figure nothing = { 0 }, figure = { 0 };
	int code = measure(NULL, &nothing);

	for (size_t i = 0; code == 0 && i < sizeof(samples) / sizeof(samples[0]); i++) {
		const struct password_method *m = password_method_find(samples[i].method);

		if (only && only != m)
			continue;
		code = password_setting(m, NULL, samples[i].rounds, setting, err);
		if (code)
			return code;
		code = measure(setting, &figure);
		figure.memory -= figure.memory > nothing.memory ? nothing.memory : figure.memory;
		if (code == 0)
			cost_add(table, list, m, samples[i].rounds, &figure);
	}
	return code ? err_errno(err, code, "cannot measure") : 0;
}

int passwd_print_costs(const struct password_method *method, bool json, struct err *err)
{
	static const char *const headline[] = { "METHOD", "ROUNDS",	"TIME",
						"MEMORY", "WEAKER FOR", NULL };
	struct table table;
	json_t *list = json_array();
	int code;

	table_init(&table, headline);
	code = cost_rows(method, &table, list, err);
	if (!code && !json) {
		json_decref(list);
		return print_table(&table);
	}
	table_done(&table);
	if (!code)
		return cli_print_json(list, "the costs");
	json_decref(list);
	return code;
}
