/* read(2) and write(2) until all is there: they may stop early, and do on a signal. Edge. */
#ifndef TW_FD_IO_H
#define TW_FD_IO_H

#include <stddef.h>
#include <sys/types.h>

/* Until the end of the file or `size` bytes: how many there were, or a negative errno. */
ssize_t fd_read_all(int fd, void *out, size_t size);

/* 0, or a negative errno: a part may be written then. */
int fd_write_all(int fd, const void *data, size_t len);

/* The same at a place of the file, whose position stays. */
ssize_t fd_read_at(int fd, void *out, size_t size, off_t at);
int fd_write_all_at(int fd, const void *data, size_t len, off_t at);

/* `len` bytes, or -EBADMSG when the file ends before; another negative errno. */
int fd_read_all_at(int fd, void *out, size_t len, off_t at);

#endif
