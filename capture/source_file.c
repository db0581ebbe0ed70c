#include "capture/source_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/plural.h"

/* Read at once: what is copied is still in the processor's cache when it is looked at. */
#define READ_SIZE (128u << 10)

/* Twice what one step may need, so that leftovers are moved seldom. */
#define BUFFER_SIZE (2u * PCAP_NEED_MAX)

int source_file_open(struct source_file *source, int fd, const uint8_t *head, size_t head_len)
{
	uint8_t *buffer = malloc(BUFFER_SIZE);

	if (!buffer)
		return -ENOMEM;
	*source = (struct source_file){ .fd = fd, .buffer = buffer, .end = head_len };
	if (head_len)
		memcpy(buffer, head, head_len);
	pcap_reader_init(&source->reader);
	return 0;
}

void source_file_close(struct source_file *source)
{
	pcap_reader_done(&source->reader);
	free(source->buffer);
	source->buffer = NULL;
}

/* Reads once; 0 also at the end. */
static int fill(struct source_file *source)
{
	size_t room;
	ssize_t n;

	if (source->begin) {
		source->end -= source->begin;
		memmove(source->buffer, source->buffer + source->begin, source->end);
		source->begin = 0;
	}
	if (source->before_read)
		source->before_read(source->data);
	room = BUFFER_SIZE - source->end;
	do {
		n = read(source->fd, source->buffer + source->end,
			 room < READ_SIZE ? room : READ_SIZE);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	source->at_end = n == 0;
	source->end += (size_t)n;
	return 0;
}

/* Leaves `used` bytes behind, which may not all have been read yet. */
static int skip(struct source_file *source, uint64_t used)
{
	while (used > source->end - source->begin && !source->at_end) {
		size_t there = source->end - source->begin;
		int code;

		used -= there;
		source->offset += there;
		source->begin = source->end = 0;
		code = fill(source);
		if (code)
			return code;
	}
	if (used > source->end - source->begin)
		return -ENODATA;
	source->begin += (size_t)used;
	source->offset += used;
	return 0;
}

static int fail(const struct source_file *source, int code, const char *why, struct err *err)
{
	unsigned long long at = (unsigned long long)source->offset;

	if (code == -ENODATA)
		return err_set(err, code, "the capture is cut at byte %llu, after %llu %s", at,
			       (unsigned long long)source->packets,
			       plural(source->packets, "packet", "packets"));
	if (code == -EBADMSG)
		return err_set(err, code, "the capture is damaged at byte %llu: %s", at, why);
	return err_errno(err, code, "cannot read on at byte %llu", at);
}

/* Waits for `need` bytes. 0 also when the file ends before: then `at_end` is set. */
static int gather(struct source_file *source, size_t need)
{
	while (source->end - source->begin < need && !source->at_end) {
		int code = fill(source);

		if (code)
			return code;
	}
	return 0;
}

int source_file_next(struct source_file *source, struct pcap_packet *ret, struct err *err)
{
	struct pcap_step step;

	for (;;) {
		size_t left = source->end - source->begin;
		int code = 0;

		if (!left && source->at_end)
			return 0;
		pcap_reader_next(&source->reader, source->buffer + source->begin, left, &step);
		switch (step.result) {
		case PCAP_PACKET:
		case PCAP_LOSS:
			source->begin += (size_t)step.used;
			source->offset += step.used;
			source->packets += step.result == PCAP_PACKET;
			*ret = step.packet;
			return 1;
		case PCAP_NO_PACKET:
			code = skip(source, step.used);
			break;
		case PCAP_MORE:
			if (source->at_end)
				code = -ENODATA;
			else
				code = gather(source, step.need);
			break;
		case PCAP_BAD:
			code = -EBADMSG;
			break;
		}
		if (code)
			return fail(source, code, step.why, err);
	}
}

const struct pcap_interface *source_file_interface(const struct source_file *source,
						   const struct pcap_packet *packet)
{
	return &source->reader.interfaces[packet->interface];
}
