/* libmicrohttpd, which the web worker needs and no other process. Edge. */
#ifndef TW_MHD_LIB_H
#define TW_MHD_LIB_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <microhttpd.h>

#include "agent/base/err.h"

#define MHD_LIB_FUNCTIONS(F)                   \
	F(add_response_header)                 \
	F(create_response_from_buffer)         \
	F(create_response_from_callback)       \
	F(create_response_from_fd_at_offset64) \
	F(destroy_response)                    \
	F(get_connection_info)                 \
	F(get_connection_values_n)             \
	F(get_daemon_info)                     \
	F(get_timeout)                         \
	F(lookup_connection_value)             \
	F(queue_response)                      \
	F(quiesce_daemon)                      \
	F(resume_connection)                   \
	F(run)                                 \
	F(start_daemon)                        \
	F(stop_daemon)                         \
	F(suspend_connection)

/* Its functions, without their prefix MHD_. */
struct mhd_lib {
#define MHD_LIB_FIELD(name) __typeof__(&MHD_##name) name;
	MHD_LIB_FUNCTIONS(MHD_LIB_FIELD)
#undef MHD_LIB_FIELD
};

extern struct mhd_lib mhd_lib;

/* Before the first server; as late_lib_load(). */
int mhd_lib_load(struct err *err);

#endif
