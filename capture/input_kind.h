/*
 * What an input of `extract` is, by how it begins: a capture, a payload log, what is compressed, or
 * a text.
 *
 * Pure. A text is whatever is nothing else.
 */
#ifndef TW_INPUT_KIND_H
#define TW_INPUT_KIND_H

#include <stddef.h>
#include <stdint.h>

/* With so many bytes the kind is certain. */
#define INPUT_HEAD_MAX 33u

enum input_kind {
	INPUT_UNDECIDED, /* more bytes would tell */
	INPUT_TEXT,
	INPUT_CAPTURE, /* pcap or pcapng */
	INPUT_PAYLOADS, /* a payload log: payload_log.h */
	INPUT_COMPRESSED, /* whatever it is of: gzip, zstd, xz, bzip2, lz4 */
};

/* Never INPUT_UNDECIDED for INPUT_HEAD_MAX bytes. At the end of an input, that is a text. */
enum input_kind input_kind_of(const uint8_t *head, size_t len);

#endif
