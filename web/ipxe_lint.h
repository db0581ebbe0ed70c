/* What is wrong with an iPXE script, without running it. Pure. */
#ifndef TW_IPXE_LINT_H
#define TW_IPXE_LINT_H

#include <stdint.h>

#include "agent/base/err.h"
#include "web/finding.h"

/*
 * Appends to `findings`, by line. `caps` is what the iPXE can do that is to run it, as a mask of
 * 1 << enum ipxe_cap. 0, or a negative errno when the script could not be read at all.
 */
int ipxe_lint(const char *script, size_t len, uint32_t caps, struct findings *findings,
	      struct err *err);

#endif
