/*
 * The process of one trial: a pattern may be made to hold one up, and what a user sends is not for
 * a process that has secrets or somebody else's frames. Edge: standard input and output.
 */
#ifndef TW_TRIAL_WORKER_H
#define TW_TRIAL_WORKER_H

#define TRIAL_SECONDS 2 /* of processor time */

/*
 * Reads a request from its standard input and writes the answer, or what is wrong as text, to its
 * standard output. Returns the exit code: 0 for an answer, 1 for a text.
 */
int trial_worker_main(void);

#endif
