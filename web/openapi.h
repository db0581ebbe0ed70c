/* The API as an OpenAPI 3.0 document, made from the table of routes. Pure. */
#ifndef TW_OPENAPI_H
#define TW_OPENAPI_H

#include <jansson.h>

/* NULL when there is no memory. */
json_t *openapi_json(void);

#endif
