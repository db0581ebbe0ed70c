/* The credentials of HTTP Basic (RFC 7617). Pure. */
#ifndef TW_BASIC_H
#define TW_BASIC_H

/* A name, a password and their colon, with room to see that either is too long. */
#define BASIC_MAX 700

/*
 * Decodes "Basic BASE64" into `out`: the name, NUL, and the password, NUL. Returns the password, or
 * NULL for another scheme, bad base64, no colon, a NUL byte, or more than fits.
 */
char *basic_decode(const char *header, char out[BASIC_MAX]);

#endif
