/*
 * The process that plans what a user sent: the configuration comes by its standard input, who holds
 * the taps by fd 3, and the answer goes to its standard output. Edge.
 *
 * It may ask the kernel for links and read what everybody may read below /etc; it sees no secret
 * and changes nothing.
 */
#ifndef TW_PLAN_WORKER_H
#define TW_PLAN_WORKER_H

/* An enum trial_exit (trials.h). */
int plan_worker_main(void);

#endif
