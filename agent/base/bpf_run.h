/*
 * What a classic BPF program says of a frame, as the kernel has it at a clsact hook: a VLAN tag may
 * stand beside the bytes and not in them (linux/filter.h, SKF_AD_VLAN_TAG). Pure.
 */
#ifndef TW_BPF_RUN_H
#define TW_BPF_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/bpf_code.h"

struct bpf_frame {
	const uint8_t *data;
	size_t len;
	bool has_tag; /* beside the bytes */
	uint16_t tpid, tci;
};

/*
 * The value that the program returns; 0 when it reads outside the frame or divides by zero, as in
 * the kernel. A program that is not valid, by what bpf_check_classic() asks for, returns 0 too.
 */
uint32_t bpf_run(const struct bpf_op *ops, size_t n, const struct bpf_frame *frame);

#endif
