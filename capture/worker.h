/*
 * The capture worker's process: frames in through packet rings that it is handed, records out.
 *
 * Edge. Its life: IPC_CONFIG, IPC_STATS, IPC_LOG_DIR, then it compiles its rules, seals itself and
 * says IPC_READY; IPC_FEED, IPC_RECORDS_IN or IPC_RECORDS_OUT, IPC_LINK_ADD, IPC_LINK_DEL,
 * IPC_EVENT, IPC_PING at any time after; on IPC_DRAIN it reads what the rings hold, writes
 * everything out and ends with 0.
 *
 * A ring has one reader at a time, and so has the log: a worker that takes over gets its feed and
 * links after the one before it has exited. The place in a ring is kept in the ring itself, so a
 * frame is neither read twice nor skipped by a change of workers; the one frame that a worker died
 * of is skipped and told as a gap. A log file is locked by its writer, so a worker that is early
 * keeps its records in memory until the file is free.
 *
 * Several workers share the links, a process each: what a guest's frame does to one leaves the
 * guests of the others alone, each seals its own code, and no counter or table of one is another's
 * to wait for. Threads of one process would share the death of one and, in PCRE2 and the allocator,
 * locks. What has to be one of all is one process's: the first worker numbers every record, and
 * owns the log, the feed to the web worker and the logs that are followed. Another one hands its
 * records to it (record_feed.h) and has payload log and frames in files of its own. The memory of
 * streams, fragments and frames before a match is divided by the number of workers.
 */
#ifndef TW_CAPTURE_WORKER_H
#define TW_CAPTURE_WORKER_H

/*
 * Takes `ipc_fd`. Returns the exit code: 0 after a drain, 1 on a fault or when the agent is gone.
 */
int capture_worker_main(int ipc_fd);

#endif
