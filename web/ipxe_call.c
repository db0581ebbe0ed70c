#include "web/ipxe_call.h"

#include <errno.h>
#include <string.h>

#include "agent/base/plural.h"

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
	if (kind->max != IPXE_WORDS_ANY && call.n_args > kind->max)
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
