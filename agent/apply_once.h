/* What `apply` and `down` share: one plan, carried out without an agent. */
#ifndef TW_APPLY_ONCE_H
#define TW_APPLY_ONCE_H

#include "agent/cli.h"
#include "agent/reconcile.h"

/*
 * Refuses while an agent runs on the configuration. Prints each step and what became of it on
 * stdout (with options->json one value at the end), and why a step failed on stderr. Returns
 * CLI_DONE, or CLI_BAD when a step is not done.
 */
int apply_once(const struct cli_options *options, enum reconcile_goal goal);

#endif
