/* libpcap, which filters and live captures need and most starts of the program do not. Edge. */
#ifndef TW_PCAP_LIB_H
#define TW_PCAP_LIB_H

#include <pcap.h>

#include "agent/base/err.h"

#define PCAP_LIB_FUNCTIONS(F)   \
	F(activate)             \
	F(close)                \
	F(compile)              \
	F(create)               \
	F(datalink)             \
	F(dispatch)             \
	F(fopen_offline)        \
	F(freecode)             \
	F(get_selectable_fd)    \
	F(geterr)               \
	F(offline_filter)       \
	F(open_dead)            \
	F(set_buffer_size)      \
	F(set_snaplen)          \
	F(set_timeout)          \
	F(set_tstamp_precision) \
	F(setfilter)            \
	F(setnonblock)          \
	F(stats)                \
	F(statustostr)

/* Its functions, without their prefix pcap_. */
struct pcap_lib {
#define PCAP_LIB_FIELD(name) __typeof__(&pcap_##name) name;
	PCAP_LIB_FUNCTIONS(PCAP_LIB_FIELD)
#undef PCAP_LIB_FIELD
};

extern struct pcap_lib pcap_lib;

/* Before each use that may be the first, and before a sandbox in which there is one. */
int pcap_lib_load(struct err *err);

#endif
