/*
 * A text that several threads search, part by part. Edge.
 */
#ifndef TW_EXTRACT_PARTS_H
#define TW_EXTRACT_PARTS_H

#include "capture/extract_source.h"

/* Bytes of a part; a text of less than two is not shared. */
uint64_t extract_part_size(const struct extract_job *job);

/* The text is seekable, and its part_size is set. */
void extract_in_parts(struct extract_source *source);

#endif
