/* The sets and links of a status. */
#ifndef TW_STATUS_LINKS_H
#define TW_STATUS_LINKS_H

#include "agent/status.h"

/* Both lists, see status_make(). */
void status_links_write(struct status_text *text, const struct status_input *in);

#endif
