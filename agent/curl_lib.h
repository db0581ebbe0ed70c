/* libcurl, which the verbs that ask the agent need and no other. Edge. */
#ifndef TW_CURL_LIB_H
#define TW_CURL_LIB_H

#include <curl/curl.h>

#include "agent/base/err.h"

#define CURL_LIB_FUNCTIONS(F)  \
	F(global_init)         \
	F(easy_init)           \
	F(easy_setopt)         \
	F(easy_getinfo)        \
	F(easy_perform)        \
	F(easy_strerror)       \
	F(easy_cleanup)        \
	F(multi_init)          \
	F(multi_add_handle)    \
	F(multi_perform)       \
	F(multi_info_read)     \
	F(multi_poll)          \
	F(multi_remove_handle) \
	F(multi_cleanup)       \
	F(slist_append)        \
	F(slist_free_all)

/* Its functions, without their prefix curl_. */
struct curl_lib {
#define CURL_LIB_FIELD(name) __typeof__(&curl_##name) name;
	CURL_LIB_FUNCTIONS(CURL_LIB_FIELD)
#undef CURL_LIB_FIELD
};

extern struct curl_lib curl_lib;

/* Before the first use of `curl_lib`; as late_lib_load(). */
int curl_lib_load(struct err *err);

#endif
