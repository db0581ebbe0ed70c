#include "agent/base/pcap_lib.h"

#include "agent/base/late_lib.h"

/* The Makefile knows which one is there. */
#ifndef PCAP_SONAME
#define PCAP_SONAME "libpcap.so.0.8"
#endif

LATE_LIB_NOTE(PCAP_SONAME, "required", "filters and live captures");

struct pcap_lib pcap_lib;

int pcap_lib_load(struct err *err)
{
#define PCAP_LIB_SYMBOL(name) { "pcap_" #name, &pcap_lib.name },
	static const struct late_symbol symbols[] = { PCAP_LIB_FUNCTIONS(PCAP_LIB_SYMBOL) };
#undef PCAP_LIB_SYMBOL

	if (pcap_lib.statustostr)
		return 0;
	return late_lib_load(PCAP_SONAME, symbols, sizeof(symbols) / sizeof(symbols[0]), err);
}
