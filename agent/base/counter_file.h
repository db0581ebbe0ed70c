/* A file of one decimal number that is read again and again, as in /sys. Edge. */
#ifndef TW_COUNTER_FILE_H
#define TW_COUNTER_FILE_H

#include <stdint.h>

/* From the start of `fd`. 0, a negative errno of pread(2), or -EBADMSG for no number. */
int counter_file_read(int fd, uint64_t *ret);

#endif
