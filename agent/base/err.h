/* What was not possible, and why: the error text that travels with a negative errno. */
#ifndef TW_ERR_H
#define TW_ERR_H

#include <stdarg.h>

/*
 * A function that can fail for a reason worth telling takes `struct err *` last and returns 0 or a
 * negative errno. The caller owns the struct; the text is whole and NUL-terminated even when cut.
 * Every function here accepts NULL and then only passes the code through.
 */
struct err {
	char text[1024];
};

/* Replaces the text; returns `code`, so that `return err_set(err, -EINVAL, ...)` reads well. */
int err_set(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* As err_set(), then ": " and strerror(-code). */
int err_errno(struct err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "fmt: " in front of the text that is there. */
int err_prefix(struct err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
