/*
 * What the web worker knows of itself: its listeners, and what each part of it has counted.
 *
 * Edge, as the parts are that it looks at.
 */
#ifndef TW_HEALTH_H
#define TW_HEALTH_H

#include <jansson.h>

#include "web/site.h"

/* A new value, or NULL without memory. */
json_t *health_json(const struct site *site);

#endif
