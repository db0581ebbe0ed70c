/* The agent: supervises links and workers until it is told to end. */
#ifndef TW_DAEMON_H
#define TW_DAEMON_H

/*
 * Runs the agent on the configuration at `path`, in the foreground. SIGHUP reloads, SIGTERM and
 * SIGINT end it; links stay. Returns the exit code: 0, or 2 when it could not start.
 */
int daemon_run(const char *path);

#endif
