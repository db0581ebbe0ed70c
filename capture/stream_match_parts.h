/* What the files of stream_match.h share: the window. Pure. */
#ifndef TW_STREAM_MATCH_PARTS_H
#define TW_STREAM_MATCH_PARTS_H

#include "capture/stream_match.h"

/* Whether what has no text of those that a match needs can be left out. */
bool stream_match_by_texts(const struct pattern *pattern);

/* How much of the window can be searched before more comes. */
size_t stream_match_visible(const struct stream_match *sm);

/* False: there is no memory for it. */
bool stream_match_append(struct stream_match *sm, const uint8_t *bytes, size_t len);

/* Lets go of what no search looks at any more. */
void stream_match_drop(struct stream_match *sm);

/* Tells that from `from` to `to` of the window nothing was searched. */
void stream_match_lose(struct stream_match *sm, enum stream_loss why, size_t from, size_t to);

#endif
