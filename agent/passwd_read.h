/* How a password comes in: asked for on the terminal, or as a line of stdin; never as a word. */
#ifndef TW_PASSWD_READ_H
#define TW_PASSWD_READ_H

#include <stdbool.h>

#include "agent/base/err.h"
#include "web/password_method.h"

struct passwd_text {
	char text[PASSWORD_MAX + 1];
};

/*
 * Asks on the terminal without echo, `twice` to see that both are the same. Returns 0 or -errno:
 * -ENOTTY without a terminal, -EINTR when it was interrupted (the echo is back on then).
 */
int passwd_ask(bool twice, struct passwd_text *ret, struct err *err);

/*
 * Reads the one line that stdin has. More than a line, a NUL byte or more than PASSWORD_MAX bytes
 * are refused: crypt(3) would look at a part of it.
 */
int passwd_read_stdin(struct passwd_text *ret, struct err *err);

#endif
