/*
 * From an expression of pcap-filter(7) to classic BPF over an Ethernet frame as it is on the wire.
 * With pcap_live.h all that knows libpcap: the agent's filters in the kernel and captures read the
 * same language. Edge: libpcap is loaded when it is first needed. No name is looked up,
 * which it would do by DNS.
 */
#ifndef TW_BPF_COMPILE_H
#define TW_BPF_COMPILE_H

#include "agent/base/bpf_code.h"
#include "agent/base/err.h"

/* LINKTYPE_ of pcap files; raw IP is the one that has another number in libpcap. */
#define BPF_ETHERNET 1u
#define BPF_RAW	     101u

/*
 * Replaces the content of `ret`. The program returns 0 for a frame that the expression does not
 * match. Returns 0, -EINVAL with the reason, or -ENOMEM; `ret` is untouched on failure. Not by two
 * threads at once: so it is with pcap_compile(3PCAP) before libpcap 1.8.
 */
int bpf_compile(const char *expression, struct bpf_code *ret, struct err *err);

/* The same for frames of a LINKTYPE_ of pcap files: what there is none of is -EINVAL too. */
int bpf_compile_for(const char *expression, uint32_t link_type, struct bpf_code *ret,
		    struct err *err);

/*
 * Whether the program asks the kernel for what is not in a frame, as inbound, outbound and ifindex
 * do on Ethernet: bpf_matches() has no answer.
 */
bool bpf_asks_kernel(const struct bpf_code *code);

/* Whether a compiled expression matches the `len` bytes that there are of `wire_len`. */
bool bpf_matches(const struct bpf_code *code, const uint8_t *bytes, size_t len, size_t wire_len);

#endif
