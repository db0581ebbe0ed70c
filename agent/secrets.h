/* Secrets that the configuration names by file, read with the agent's rights. */
#ifndef TW_SECRETS_H
#define TW_SECRETS_H

#include "agent/base/config.h"
#include "agent/base/err.h"

/*
 * Reads `chap-secret-file` of one target, if it has one, into chap_secret, replacing what is there.
 * The file must be a regular file that others cannot read or write, with one line of 12 to 255
 * bytes without control characters. Returns 0, or a negative errno with a text that names section,
 * key and file, never a byte of the secret.
 */
int secrets_load_target(struct target_conf *target, struct err *err);

/* The same for every target; ends at the first that fails. */
int secrets_load(struct config *config, struct err *err);

/*
 * Reads the PEM texts of [web] tls-cert and tls-key into a memfd, the certificate first. -1 in
 * `ret_fd` when there are none. The key's file is held to the rules of a secret's.
 */
int secrets_load_tls(const struct web_conf *web, int *ret_fd, struct err *err);

#endif
