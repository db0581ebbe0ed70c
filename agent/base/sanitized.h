/*
 * Whether this is a build with AddressSanitizer: its runtime maps terabytes of shadow memory, and
 * looks for leaks at the end by a process that traces this one and reads its /proc. What forbids
 * that is left out, and tests of the sandbox are for a build without it. Pure.
 */
#ifndef TW_SANITIZED_H
#define TW_SANITIZED_H

#include <stdbool.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define SANITIZED true
#else
#define SANITIZED false
#endif

#endif
