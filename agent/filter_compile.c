#include "agent/filter_compile.h"

#include <errno.h>
#include <stdlib.h>
#include <stdio.h>

#include "agent/base/bpf_compile.h"
#include "netlink/hook_filter.h"

/* The key that is for one direction alone. */
static const char *key_of(enum link_hook hook)
{
	return hook == LINK_HOOK_FROM_GUEST ? "filter-from-guest" : "filter-to-guest";
}

static const char *text_of(const struct link_keys *keys, enum link_hook hook)
{
	return hook == LINK_HOOK_FROM_GUEST ? keys->filter_from_guest : keys->filter_to_guest;
}

static bool is_given(const char *text)
{
	return text && *text;
}

static int compile(const char *text, struct bpf_code *ret, struct err *err)
{
	struct bpf_code hook = { 0 };
	int code = bpf_compile(text, ret, err);

	if (code == 0)
		code = hook_filter_add(&hook, ret->ops, ret->n, err);
	if (code == 0 && hook.error)
		code = err_set(err, -EINVAL, "it is too long for the kernel");
	bpf_code_done(&hook);
	return code;
}

/* Each was compiled by itself before, so no parenthesis of one closes in the other. */
static int compile_both(const char *one, const char *two, struct bpf_code *ret, struct err *err)
{
	char *text;
	int code;

	if (asprintf(&text, "(%s) and (%s)", one, two) < 0)
		return err_errno(err, -ENOMEM, "could not compile");
	code = compile(text, ret, err);
	free(text);
	return code;
}

int filter_compile(const struct link_keys *keys, enum link_hook hook, struct bpf_code *ret,
		   const char **ret_key, struct err *err)
{
	const char *both = keys->filter, *one = text_of(keys, hook);
	int code = 0;

	bpf_code_reset(ret);
	*ret_key = "filter";
	if (is_given(both))
		code = compile(both, ret, err);
	if (code || !is_given(one))
		return code;
	*ret_key = key_of(hook);
	code = compile(one, ret, err);
	if (code == 0 && is_given(both))
		code = compile_both(both, one, ret, err);
	return code;
}
