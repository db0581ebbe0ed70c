#include "web/basic.h"

#include <string.h>
#include <strings.h>

#include "agent/base/base64.h"

char *basic_decode(const char *header, char out[BASIC_MAX])
{
	const char *at = header;
	char *colon;
	size_t n;

	if (strncasecmp(at, "Basic ", 6) != 0)
		return NULL;
	at += 6 + strspn(at + 6, " ");
	if (base64_decode(at, (uint8_t *)out, BASIC_MAX - 1, &n) != 0 || memchr(out, '\0', n))
		return NULL;
	out[n] = '\0';
	colon = strchr(out, ':');
	if (!colon)
		return NULL;
	*colon = '\0';
	return colon + 1;
}
