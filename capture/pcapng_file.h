/*
 * A pcapng file that one run writes from its beginning to its end: `extract -w`.
 *
 * Edge. Interfaces are described as they come; each has its statistics at the end. Every write is
 * checked, and after one that failed nothing more is written: the file then has whole frames but
 * for its last one.
 */
#ifndef TW_PCAPNG_FILE_H
#define TW_PCAPNG_FILE_H

#include <stdint.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "capture/pcapng.h"

struct pcapng_file_interface {
	uint64_t first_ns, last_ns;
	uint64_t frames, drops;
};

struct pcapng_file {
	int fd;
	int error; /* errno of the first write(2) that failed */
	struct buf buf;
	uint64_t frames;
	struct pcapng_file_interface *interfaces;
	uint32_t n_interfaces;
};

#define PCAPNG_FILE_STDOUT "-"

/*
 * Replaces what is at `path`, or writes to the standard output. -EINVAL: it is one of the `n`
 * inputs, which would be gone before it is read. Or a negative errno of open(2).
 */
int pcapng_file_open(struct pcapng_file *file, const char *path, char *const *inputs, size_t n,
		     const char *host, struct err *err);

/* Its number in `ret`. 0 or -ENOMEM. */
int pcapng_file_interface(struct pcapng_file *file, const struct pcapng_interface *interface,
			  uint32_t *ret);

/* `packet` has its interface. */
void pcapng_file_put(struct pcapng_file *file, const struct pcapng_packet *packet);

/* Of an interface, what was lost of its frames by then. */
void pcapng_file_drops(struct pcapng_file *file, uint32_t interface, uint64_t drops,
		       uint64_t time_ns);

/* Writes what is there now: before a wait. */
void pcapng_file_flush(struct pcapng_file *file);

/* Ends the file. 0, or the errno of the first write that failed. */
int pcapng_file_close(struct pcapng_file *file);

#endif
