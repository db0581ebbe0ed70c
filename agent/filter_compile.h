/* From the filter keys of links to the programs of their specs. */
#ifndef TW_FILTER_COMPILE_H
#define TW_FILTER_COMPILE_H

#include "agent/base/bpf_code.h"
#include "agent/base/config.h"
#include "agent/base/err.h"

/*
 * What must match at the hook: `filter` and the key of the direction. Replaces the content of
 * `ret`, which is empty when neither is given. Returns 0, -EINVAL with the reason, or -ENOMEM;
 * `ret_key` is the key at fault.
 */
int filter_compile(const struct link_keys *keys, enum link_hook hook, struct bpf_code *ret,
		   const char **ret_key, struct err *err);

#endif
