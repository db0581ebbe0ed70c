#include "web/ipxe_command.h"

#include <errno.h>
#include <string.h>

#include "agent/base/hint.h"
#include "agent/base/plural.h"

#define ANY UINT8_MAX

#define IMAGE_OPTIONS                                                             \
	{ "name", 'n', true }, { "timeout", 't', true }, { "quiet", 'q', false }, \
		{ "autofree", 'a', false },                                       \
	{                                                                         \
		"replace", 'r', false                                             \
	}

#define SAN_OPTIONS                       \
	{ "drive", 'd', true },           \
	{                                 \
		"no-describe", 'n', false \
	}

#define DIGEST(command)                                                                           \
	{                                                                                         \
		.name = (command), .min = 1, .max = ANY, .presence = IPXE_ELSEWHERE, .options = { \
			{ "set", 's', true }                                                      \
		}                                                                                 \
	}

static const struct ipxe_command_kind kinds[] = {
	{ .name = "autoboot", .effect = IPXE_ASKS_NETWORK, .max = ANY },
	{ .name = "boot", .effect = IPXE_CHAIN, .max = ANY, .options = { IMAGE_OPTIONS } },
	{ .name = "certfree", .presence = IPXE_ELSEWHERE, .options = { { "subject", 's', true } } },
	{ .name = "certstat", .presence = IPXE_ELSEWHERE, .options = { { "subject", 's', true } } },
	{ .name = "certstore",
	  .max = 1,
	  .presence = IPXE_ELSEWHERE,
	  .options = { { "subject", 's', true }, { "keep", 'k', false } } },
	{ .name = "chain",
	  .effect = IPXE_CHAIN,
	  .min = 1,
	  .max = ANY,
	  .options = { IMAGE_OPTIONS } },
	{ .name = "choose",
	  .effect = IPXE_CHOOSE,
	  .min = 1,
	  .max = 1,
	  .options = { { "menu", 'm', true },
		       { "default", 'd', true },
		       { "timeout", 't', true },
		       { "retimeout", 'r', true },
		       { "keep", 'k', false } } },
	{ .name = "clear", .effect = IPXE_CLEAR, .min = 1, .max = 1 },
	{ .name = "colour",
	  .min = 1,
	  .max = 1,
	  .presence = IPXE_ELSEWHERE,
	  .options = { { "basic", 'b', true }, { "rgb", 'r', true } } },
	{ .name = "config", .effect = IPXE_SHELL, .max = 1 },
	{ .name = "console",
	  .presence = IPXE_ELSEWHERE,
	  .options = { { "x", 'x', true },
		       { "y", 'y', true },
		       { "left", 'l', true },
		       { "right", 'r', true },
		       { "top", 't', true },
		       { "bottom", 'b', true },
		       { "depth", 'd', true },
		       { "picture", 'p', true },
		       { "keep", 'k', false } } },
	{ .name = "cpair",
	  .min = 1,
	  .max = 1,
	  .presence = IPXE_ELSEWHERE,
	  .options = { { "foreground", 'f', true }, { "background", 'b', true } } },
	{ .name = "cpuid",
	  .min = 1,
	  .max = 1,
	  .options = { { "ext", 'e', false }, { "amd", 'a', false }, { "ecx", 'c', false } } },
	{ .name = "dhcp",
	  .effect = IPXE_ASKS_NETWORK,
	  .max = ANY,
	  .options = { { "configurator", 'c', true }, { "timeout", 't', true } } },
	{ .name = "echo", .effect = IPXE_ECHO, .max = ANY, .options = { { "n", 'n', false } } },
	{ .name = "exit", .effect = IPXE_EXIT, .max = 1 },
	{ .name = "fdt",
	  .max = 1,
	  .presence = IPXE_ELSEWHERE,
	  .options = { { "timeout", 't', true }, { "quiet", 'q', false } } },
	{ .name = "fcels",
	  .min = 1,
	  .max = 1,
	  .presence = IPXE_ELSEWHERE,
	  .options = { { "port", 'p', true }, { "id", 'i', true } } },
	{ .name = "fcstat", .presence = IPXE_ELSEWHERE },
	{ .name = "form",
	  .effect = IPXE_MENU,
	  .max = ANY,
	  .presence = IPXE_ELSEWHERE,
	  .options = { { "name", 'n', true }, { "delete", 'd', false } } },
	{ .name = "gdbstub", .min = 1, .max = ANY, .presence = IPXE_ELSEWHERE },
	{ .name = "goto", .effect = IPXE_GOTO, .min = 1, .max = 1 },
	{ .name = "help" },
	{ .name = "ibstat", .presence = IPXE_ELSEWHERE },
	{ .name = "ifclose", .max = ANY },
	{ .name = "ifconf",
	  .effect = IPXE_ASKS_NETWORK,
	  .max = ANY,
	  .options = { { "configurator", 'c', true }, { "timeout", 't', true } } },
	{ .name = "iflinkwait",
	  .effect = IPXE_ASKS_NETWORK,
	  .max = ANY,
	  .presence = IPXE_ELSEWHERE,
	  .options = { { "timeout", 't', true } } },
	{ .name = "ifopen", .max = ANY },
	{ .name = "ifstat", .max = ANY },
	{ .name = "imgargs",
	  .effect = IPXE_KERNEL,
	  .min = 1,
	  .max = ANY,
	  .options = { IMAGE_OPTIONS } },
	{ .name = "imgdecrypt",
	  .min = 2,
	  .max = 2,
	  .presence = IPXE_ELSEWHERE,
	  .options = { { "name", 'n', true },
		       { "keep", 'k', false },
		       { "timeout", 't', true },
		       { "quiet", 'q', false } } },
	{ .name = "imgexec", .effect = IPXE_CHAIN, .max = ANY, .options = { IMAGE_OPTIONS } },
	{ .name = "imgextract",
	  .min = 1,
	  .max = 1,
	  .presence = IPXE_ELSEWHERE,
	  .options = { { "name", 'n', true },
		       { "keep", 'k', false },
		       { "timeout", 't', true },
		       { "quiet", 'q', false } } },
	{ .name = "imgfetch",
	  .effect = IPXE_FETCH,
	  .min = 1,
	  .max = ANY,
	  .options = { IMAGE_OPTIONS } },
	{ .name = "imgfree", .effect = IPXE_IMGFREE, .max = ANY },
	{ .name = "imgload",
	  .effect = IPXE_KERNEL,
	  .min = 1,
	  .max = ANY,
	  .options = { IMAGE_OPTIONS } },
	{ .name = "imgmem",
	  .min = 2,
	  .max = 2,
	  .presence = IPXE_ELSEWHERE,
	  .options = { { "name", 'n', true } } },
	{ .name = "imgselect",
	  .effect = IPXE_KERNEL,
	  .min = 1,
	  .max = ANY,
	  .options = { IMAGE_OPTIONS } },
	{ .name = "imgset",
	  .min = 2,
	  .max = 2,
	  .presence = IPXE_ELSEWHERE,
	  .options = { { "keep", 'k', false },
		       { "timeout", 't', true },
		       { "quiet", 'q', false } } },
	{ .name = "imgstat", .max = ANY },
	{ .name = "imgtrust",
	  .presence = IPXE_BY_CAP,
	  .cap = IPXE_CAP_IMGVERIFY,
	  .options = { { "allow", 'a', false }, { "permanent", 'p', false } } },
	{ .name = "imgverify",
	  .effect = IPXE_ASKS_NETWORK,
	  .min = 2,
	  .max = 2,
	  .presence = IPXE_BY_CAP,
	  .cap = IPXE_CAP_IMGVERIFY,
	  .options = { { "signer", 's', true },
		       { "keep", 'k', false },
		       { "timeout", 't', true },
		       { "quiet", 'q', false } } },
	{ .name = "inc", .effect = IPXE_INC, .min = 1, .max = 2 },
	{ .name = "initrd",
	  .effect = IPXE_FETCH,
	  .min = 1,
	  .max = ANY,
	  .options = { IMAGE_OPTIONS } },
	{ .name = "ipstat", .presence = IPXE_ELSEWHERE },
	{ .name = "iseq", .effect = IPXE_ISEQ, .min = 2, .max = 2 },
	{ .name = "isset", .effect = IPXE_ISSET, .min = 1, .max = 1 },
	{ .name = "item",
	  .effect = IPXE_ITEM,
	  .max = ANY,
	  .options = { { "menu", 'm', true },
		       { "form", 'f', true },
		       { "key", 'k', true },
		       { "default", 'd', false },
		       { "secret", 's', false },
		       { "gap", 'g', false } } },
	{ .name = "kernel",
	  .effect = IPXE_KERNEL,
	  .min = 1,
	  .max = ANY,
	  .options = { IMAGE_OPTIONS } },
	{ .name = "iwlist", .max = ANY, .presence = IPXE_ELSEWHERE },
	{ .name = "iwstat", .max = ANY, .presence = IPXE_ELSEWHERE },
	{ .name = "login", .effect = IPXE_LOGIN },
	{ .name = "lotest",
	  .min = 2,
	  .max = 2,
	  .presence = IPXE_ELSEWHERE,
	  .options = { { "mtu", 'm', true }, { "broadcast", 'b', false } } },
	DIGEST("md4sum"),
	DIGEST("md5sum"),
	{ .name = "menu",
	  .effect = IPXE_MENU,
	  .max = ANY,
	  .options = { { "name", 'n', true }, { "delete", 'd', false } } },
	{ .name = "module",
	  .effect = IPXE_FETCH,
	  .min = 1,
	  .max = ANY,
	  .options = { IMAGE_OPTIONS } },
	{ .name = "nslookup",
	  .effect = IPXE_ASKS_NETWORK,
	  .min = 2,
	  .max = 2,
	  .presence = IPXE_ELSEWHERE },
	{ .name = "nstat", .presence = IPXE_ELSEWHERE },
	{ .name = "ntp",
	  .effect = IPXE_ASKS_NETWORK,
	  .min = 1,
	  .max = 1,
	  .presence = IPXE_ELSEWHERE },
	{ .name = "param",
	  .min = 1,
	  .max = ANY,
	  .presence = IPXE_ELSEWHERE,
	  .options = { { "params", 'p', true }, { "header", 'H', false } } },
	{ .name = "params",
	  .presence = IPXE_ELSEWHERE,
	  .options = { { "name", 'n', true }, { "method", 'm', true }, { "delete", 'd', false } } },
	{ .name = "pciscan", .min = 1, .max = 1, .presence = IPXE_ELSEWHERE },
	{ .name = "ping",
	  .effect = IPXE_ASKS_NETWORK,
	  .min = 1,
	  .max = 1,
	  .presence = IPXE_ELSEWHERE,
	  .options = { { "size", 's', true },
		       { "timeout", 't', true },
		       { "count", 'c', true },
		       { "quiet", 'q', false } } },
	{ .name = "poweroff",
	  .effect = IPXE_POWEROFF,
	  .presence = IPXE_BY_CAP,
	  .cap = IPXE_CAP_POWEROFF },
	{ .name = "present",
	  .effect = IPXE_CHOOSE,
	  .presence = IPXE_ELSEWHERE,
	  .options = { { "form", 'f', true }, { "keep", 'k', false } } },
	{ .name = "profstat", .presence = IPXE_ELSEWHERE },
	{ .name = "prompt",
	  .effect = IPXE_PROMPT,
	  .max = ANY,
	  .options = { { "key", 'k', true }, { "timeout", 't', true } } },
	{ .name = "pxebs", .effect = IPXE_ASKS_NETWORK, .min = 2, .max = 2 },
	{ .name = "read", .effect = IPXE_READ, .min = 1, .max = 1 },
	{ .name = "reboot",
	  .effect = IPXE_REBOOT,
	  .options = { { "warm", 'w', false }, { "setup", 's', false } } },
	{ .name = "route" },
	{ .name = "sanboot",
	  .effect = IPXE_SANBOOT,
	  .max = ANY,
	  .options = { SAN_OPTIONS,
		       { "keep", 'k', false },
		       { "filename", 'f', true },
		       { "extra", 'e', true },
		       { "label", 'l', true },
		       { "uuid", 'u', true } } },
	{ .name = "sanhook",
	  .effect = IPXE_SANHOOK,
	  .min = 1,
	  .max = ANY,
	  .options = { SAN_OPTIONS } },
	{ .name = "sanunhook", .effect = IPXE_SANUNHOOK, .options = { SAN_OPTIONS } },
	{ .name = "set",
	  .effect = IPXE_SET,
	  .min = 1,
	  .max = ANY,
	  .options = { { "timeout", 't', true } } },
	DIGEST("sha1sum"),
	DIGEST("sha224sum"),
	DIGEST("sha256sum"),
	DIGEST("sha384sum"),
	DIGEST("sha512sum"),
	{ .name = "shell", .effect = IPXE_SHELL },
	{ .name = "shim",
	  .effect = IPXE_ASKS_NETWORK,
	  .max = 1,
	  .presence = IPXE_ELSEWHERE,
	  .options = { { "timeout", 't', true },
		       { "quiet", 'q', false },
		       { "require-loader", 'l', false },
		       { "allow-pxe", 'p', false },
		       { "allow-sbat", 's', false } } },
	{ .name = "show", .min = 1, .max = 1, .options = { { "quiet", 'q', false } } },
	{ .name = "sleep", .effect = IPXE_SLEEP, .min = 1, .max = 1 },
	{ .name = "startpxe", .max = ANY, .presence = IPXE_ELSEWHERE },
	{ .name = "stoppxe", .presence = IPXE_ELSEWHERE },
	{ .name = "sync", .options = { { "timeout", 't', true } } },
	{ .name = "time", .min = 1, .max = ANY, .presence = IPXE_ELSEWHERE },
	{ .name = "usbscan", .min = 1, .max = 1, .presence = IPXE_ELSEWHERE },
	{ .name = "vcreate",
	  .min = 1,
	  .max = 1,
	  .presence = IPXE_ELSEWHERE,
	  .options = { { "tag", 't', true }, { "priority", 'p', true } } },
	{ .name = "vdestroy", .min = 1, .max = 1, .presence = IPXE_ELSEWHERE },
};

const struct ipxe_command_kind *ipxe_command_find(const char *name, const char **ret_near)
{
	struct hint hint = hint_for(name);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
		hint_try(&hint, kinds[i].name);
	}
	*ret_near = hint.best;
	return NULL;
}

bool ipxe_command_is_there(const struct ipxe_command_kind *kind, uint32_t caps)
{
	return kind->presence == IPXE_ALWAYS ||
	       (kind->presence == IPXE_BY_CAP && (caps & (1u << kind->cap)));
}

/*
 * Which option "--name", "--name=value", "-n" or "-nvalue" is; *ret_value is what follows, or NULL.
 */
static const struct ipxe_option *find_option(const struct ipxe_command_kind *kind, const char *word,
					     const char **ret_value)
{
	for (size_t i = 0; i < IPXE_OPTIONS_MAX && kind->options[i].name; i++) {
		const struct ipxe_option *option = &kind->options[i];
		size_t len = strlen(option->name);

		*ret_value = NULL;
		if (word[1] != '-') {
			if (word[1] != option->letter)
				continue;
			if (word[2])
				*ret_value = word + 2;
			return option;
		}
		if (strncmp(word + 2, option->name, len) != 0)
			continue;
		if (word[2 + len] == '=')
			*ret_value = word + 3 + len;
		else if (word[2 + len])
			continue;
		return option;
	}
	return NULL;
}

/* Takes the option at words[*i] and moves on behind it. */
static int take_option(struct ipxe_call *call, char *const *words, size_t n, size_t *i,
		       struct err *err)
{
	const char *value;
	const struct ipxe_option *option = find_option(call->kind, words[*i], &value);

	if (!option)
		return err_set(err, -EINVAL, "%s has no option \"%s\"", call->kind->name,
			       words[*i]);
	++*i;
	if (!option->has_value) {
		if (value)
			return err_set(err, -EINVAL, "option --%s of %s takes no value",
				       option->name, call->kind->name);
		value = "";
	} else if (!value) {
		if (*i == n)
			return err_set(err, -EINVAL, "option --%s of %s lacks its value",
				       option->name, call->kind->name);
		value = words[(*i)++];
	}
	call->values[option - call->kind->options] = value;
	return 0;
}

int ipxe_call_parse(const struct ipxe_command_kind *kind, char *const *words, size_t n,
		    struct ipxe_call *ret, struct err *err)
{
	struct ipxe_call call = { .kind = kind };
	size_t i = 1;
	int code = 0;

	/* As getopt without permutation: a word that begins no option ends them, as "--" does. */
	while (i < n && words[i][0] == '-' && words[i][1] && !code) {
		if (strcmp(words[i], "--") == 0) {
			i++;
			break;
		}
		code = take_option(&call, words, n, &i, err);
	}
	if (code)
		return code;
	call.args = words + i;
	call.n_args = n - i;
	if (call.n_args < kind->min)
		return err_set(err, -ERANGE, "%s needs %u more word%s", kind->name,
			       (unsigned int)(kind->min - call.n_args),
			       plural(kind->min - call.n_args, "", "s"));
	if (kind->max != ANY && call.n_args > kind->max)
		return err_set(err, -ERANGE, "\"%s\" is a word too many for %s",
			       call.args[kind->max], kind->name);
	*ret = call;
	return 0;
}

const char *ipxe_call_option(const struct ipxe_call *call, const char *name)
{
	for (size_t i = 0; i < IPXE_OPTIONS_MAX && call->kind->options[i].name; i++) {
		if (strcmp(call->kind->options[i].name, name) == 0)
			return call->values[i];
	}
	return NULL;
}
