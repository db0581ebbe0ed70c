/* What sift.c does with streams: a stream_match for each rule and direction. Pure. */
#ifndef TW_SIFT_STREAM_H
#define TW_SIFT_STREAM_H

#include "capture/sift.h"

/* Their data is a struct sift. */
extern const struct stream_ops sift_stream_ops;

/* Tries what waited for more bytes to be tried with. */
void sift_stream_tick(struct sift *sift);

#endif
