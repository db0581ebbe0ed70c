#include "web/basic.h"

#include <string.h>
#include <strings.h>

static int value_of(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

char *basic_decode(const char *header, char out[BASIC_MAX])
{
	unsigned int bits = 0, n_bits = 0;
	const char *at = header;
	size_t n = 0, digits = 0;
	char *colon;

	if (strncasecmp(at, "Basic ", 6) != 0)
		return NULL;
	at += 6 + strspn(at + 6, " ");
	for (; value_of(*at) >= 0; at++, digits++) {
		bits = (bits << 6 | (unsigned int)value_of(*at)) & 0xffffff;
		n_bits += 6;
		if (n_bits < 8)
			continue;
		n_bits -= 8;
		if (n == BASIC_MAX - 1)
			return NULL;
		out[n] = (char)(bits >> n_bits & 0xff);
		if (!out[n++])
			return NULL;
	}
	/* Padding to four digits is asked for by RFC 4648, and left out by some. */
	if (at[strspn(at, "=")] != '\0' || strlen(at) > 2 || digits % 4 == 1)
		return NULL;
	out[n] = '\0';
	colon = strchr(out, ':');
	if (!colon)
		return NULL;
	*colon = '\0';
	return colon + 1;
}
