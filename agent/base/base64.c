#include "agent/base/base64.h"

#include <errno.h>
#include <string.h>

static int value_of(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

int base64_decode(const char *text, uint8_t *out, size_t max, size_t *ret_len)
{
	unsigned int bits = 0, n_bits = 0;
	const char *at = text;
	size_t n = 0;

	for (; value_of(*at) >= 0; at++) {
		bits = (bits << 6 | (unsigned int)value_of(*at)) & 0xffffff;
		n_bits += 6;
		if (n_bits < 8)
			continue;
		n_bits -= 8;
		if (n == max)
			return -ENOSPC;
		out[n++] = (uint8_t)(bits >> n_bits & 0xff);
	}
	if (at[strspn(at, "=")] != '\0' || strlen(at) > 2 || (at - text) % 4 == 1)
		return -EINVAL;
	*ret_len = n;
	return 0;
}
