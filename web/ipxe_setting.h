/*
 * The settings of a machine in iPXE, and what "${...}" in a word becomes.
 *
 * Pure. Follows iPXE's core/settings.c: a name is [BLOCK/]NAME[:TYPE]; a value is kept as bytes and
 * shown as its type says: the one asked for, else that of a name that iPXE knows, else that which
 * it was set with.
 */
#ifndef TW_IPXE_SETTING_H
#define TW_IPXE_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"

/* The longest value, and the longest word that expansion may give, in bytes. */
#define IPXE_VALUE_MAX 65536

struct ipxe_setting;

/* Zero it before the first use. */
struct ipxe_settings {
	struct ipxe_setting *v;
	size_t n;
};

void ipxe_settings_done(struct ipxe_settings *settings);

/*
 * Sets `name` to what `text` says in the type of the name; "" takes the setting away. "netX" is
 * net0. Returns 0, -EINVAL when the text is no such value, -ENOTSUP when there is no such type.
 */
int ipxe_setting_set(struct ipxe_settings *settings, const char *name, const char *text,
		     struct err *err);

/* Adds to a number, which is 0 when it is not set. -ERANGE when it is none. */
int ipxe_setting_inc(struct ipxe_settings *settings, const char *name, int64_t step,
		     struct err *err);

/*
 * Appends the value of `name` as text. Returns whether there is one; without, and when the type
 * cannot show it, nothing is appended.
 */
bool ipxe_setting_get(const struct ipxe_settings *settings, const char *name, struct buf *out);

/* Whether its name has a type that a script can set (ipxe_type_is_settable()). */
bool ipxe_setting_is_settable(const char *name);

/*
 * Appends `word` with every "${NAME}" replaced, innermost first and again in what came out of it.
 * 0, or -ELOOP when that would never end, which hangs iPXE; -ENOMEM when the word grows too long.
 */
int ipxe_expand(const struct ipxe_settings *settings, const char *word, struct buf *out,
		struct err *err);

/*
 * The place of the first "${NAME}" in `word` that iPXE would expand next: *ret_name is NAME, of
 * *ret_len bytes. NULL when there is none.
 */
const char *ipxe_find_setting(const char *word, const char **ret_name, size_t *ret_len);

#endif
