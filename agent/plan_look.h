/* What applying a configuration file would change, without doing it: for the API. */
#ifndef TW_PLAN_LOOK_H
#define TW_PLAN_LOOK_H

#include <jansson.h>

#include "agent/base/config.h"
#include "agent/base/err.h"
#include "agent/reconcile.h"

/*
 * {"hash", "file", "steps": [...], "ports": [...], "summary": {...}} as `plan --json`, and the hash
 * of it all and of the file's text. Returns 0; -EBADMSG for a file with faults: then `ret` is
 * {"detail", "errors": [{"line", "section", "key", "message", "file"}]}; another negative errno.
 * The caller frees `ret`.
 */
int plan_look(const char *path, json_t **ret, struct err *err);

/* The same of a plan that `reconcile` made, without the hash; NULL when there is no memory. */
json_t *plan_json(const struct reconcile *reconcile, const struct link_plan *plan);

/* {"detail", "errors"}, as above. */
json_t *plan_faults_json(const struct faults *faults, const char *detail);

/* Who can talk to whom once `config` is applied, as `reach --json`. */
int reach_look(const struct config *config, json_t **ret, struct err *err);

#endif
