/* The web worker process: HTTP for operators and guests, on sockets from the agent. Edge. */
#ifndef TW_WEB_WORKER_H
#define TW_WEB_WORKER_H

/*
 * Runs the worker until the agent says IPC_DRAIN or closes the channel. `ipc_fd` is the worker's
 * end of the channel and belongs to the worker from here on. Returns the process's exit status: 0
 * when it was drained or the agent went away, 1 after a fault that was sent as IPC_FAULT.
 */
int web_worker_main(int ipc_fd);

#endif
