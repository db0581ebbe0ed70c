/*
 * Packets of a capture file, a pipe or stdin, one after the other. Edge.
 *
 * A file that ends inside a packet gives all packets before it; the error then says at which byte
 * of the file.
 */
#ifndef TW_SOURCE_FILE_H
#define TW_SOURCE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "capture/pcap_reader.h"

struct source_file {
	int fd; /* stays the caller's */
	struct pcap_reader reader;
	uint8_t *buffer;
	size_t begin, end; /* of what is read and not used */
	uint64_t offset; /* of `begin` in the file */
	bool at_end;
	uint64_t packets; /* handed over */
	/* NULL, or called before each read, which may have to wait. */
	void (*before_read)(void *data);
	void *data;
};

/*
 * `head` are bytes that the caller has already read from `fd` to see what it is: at most
 * PCAP_NEED_MAX. 0 or -ENOMEM.
 */
int source_file_open(struct source_file *source, int fd, const uint8_t *head, size_t head_len);
void source_file_close(struct source_file *source);

/*
 * The next packet: 1 and `ret`, whose bytes are valid until the next call, or are NULL where an
 * interface's statistics tell of its drops; 0 at the end. -ENODATA: the file ends inside a packet
 * or header; -EBADMSG: what follows is damaged; or read(2)'s error. The error text says at which
 * byte, and nothing more is read.
 */
int source_file_next(struct source_file *source, struct pcap_packet *ret, struct err *err);

/* What the file says of a packet's interface; valid until the next call. */
const struct pcap_interface *source_file_interface(const struct source_file *source,
						   const struct pcap_packet *packet);

#endif
