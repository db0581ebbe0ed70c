/*
 * What an error number of iPXE says ("https://ipxe.org/410d613c"). Pure.
 *
 * By include/errno.h and include/ipxe/errfile.h of iPXE: bits 30-24 a POSIX error, bits 23-13 the
 * source file, bits 12-8 which of its errors, bits 7-0 the platform's own code.
 */
#ifndef TW_IPXE_ERROR_H
#define TW_IPXE_ERROR_H

#include <stdint.h>

struct ipxe_error {
	const char *name; /* "EPERM"; NULL: none that iPXE has */
	const char *text; /* of that error in general */
	const char *part; /* of iPXE that gave up; NULL: one that is not known here */
	const char *cause; /* what exactly; NULL: the number does not say */
	const char *remedy; /* what to look at; NULL: nothing in particular */
};

struct ipxe_error ipxe_error_explain(uint32_t number);

#endif
