/*
 * From an expression of pcap-filter(7) to classic BPF over an Ethernet frame as it is on the wire.
 * The one file that knows libpcap: the agent's filters in the kernel and captures read the same
 * language. Pure: no name is looked up, which libpcap would do by DNS.
 */
#ifndef TW_BPF_COMPILE_H
#define TW_BPF_COMPILE_H

#include "agent/base/bpf_code.h"
#include "agent/base/err.h"

/*
 * Replaces the content of `ret`. The program returns 0 for a frame that the expression does not
 * match. Returns 0, -EINVAL with the reason, or -ENOMEM; `ret` is untouched on failure. Not by two
 * threads at once: so it is with pcap_compile(3PCAP) before libpcap 1.8.
 */
int bpf_compile(const char *expression, struct bpf_code *ret, struct err *err);

#endif
