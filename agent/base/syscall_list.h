/*
 * The lists of syscall_filter.h, by names; those that an architecture does not have are passed
 * over.
 */
#ifndef TW_SYSCALL_LIST_H
#define TW_SYSCALL_LIST_H

/* All end by NULL. */
extern const char *const syscall_list_both[];
extern const char *const syscall_list_capture[];
extern const char *const syscall_list_web[];

extern const char *const syscall_list_plan[];

/* What no worker does: it is ended by them. */
extern const char *const syscall_list_fatal[];

/* Of those, what libc tries when it looks for the number of a user, and does without (nscd). */
extern const char *const syscall_list_in_vain[];

/* Of those, what a sanitizer does itself to find leaks and to name functions. */
extern const char *const syscall_list_sanitizer[];

#endif
