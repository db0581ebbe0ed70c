/*
 * Everything that can be told of a configuration without acting on it: check, run and reload ask
 * it.
 */
#ifndef TW_CONFIG_CHECK_H
#define TW_CONFIG_CHECK_H

#include <stdio.h>

#include "agent/base/config.h"

/*
 * config_load(), and every pattern is compiled, every owner looked up. All faults, sorted, are in
 * `faults`; returns 0, or -EINVAL with at least one of them.
 */
int config_check(const char *path, struct config **ret, struct faults *faults);

/*
 * The packet rings of the watched links, all of one size: blocks and their bytes. -ENOSPC when
 * ring-memory is too small for so many, which config_check() tells as a fault.
 */
int config_rings(const struct config *config, uint32_t *ret_block_size, uint32_t *ret_blocks,
		 struct err *err);

/* The faults, one a line, as FILE:LINE: [section] key: text. */
void config_print_faults(const struct faults *faults, FILE *out);

#endif
