/*
 * The classic BPF that keeps a guest to its own addresses, for the hook that its frames pass. Pure.
 *
 * mac      The source MAC is the link's, and so is the sender's hardware address in ARP and RARP,
 *          which must be of IPv4 over Ethernet, also behind one or two VLAN tags.
 * mac+ip   Only IPv4, IPv6, ARP and RARP pass, behind at most two VLAN tags, and ethertype 0x88b5,
 *          IEEE 802's for experiments, which stacks ignore and `reach --probe` sends.
 *          IPv4 comes from a given address; from 0.0.0.0 only what a DHCP client sends.
 *          ARP tells a given address, or 0.0.0.0 (a probe, RFC 5227).
 *          IPv6 comes from a given address or the link-local address of the MAC (RFC 4291 appendix
 *          A); from :: only neighbour and router solicitations and multicast listener reports.
 *          A neighbour advertisement, and a solicitation from ::, is of such an address; in
 *          fragments neighbour discovery is dropped (RFC 6980), as is more than four extension
 *          headers.
 */
#ifndef TW_ANTI_SPOOF_H
#define TW_ANTI_SPOOF_H

#include "agent/base/bpf_code.h"
#include "agent/base/link_types.h"

/* Appends to `code`: returns a verdict for what is spoofed, and else goes on behind its end. */
void anti_spoof_add(struct bpf_code *code, enum anti_spoof anti_spoof, const uint8_t mac[MAC_LEN],
		    const struct guest_addrs *addresses);

#endif
