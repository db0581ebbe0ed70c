#include "agent/base/bpf_run.h"

#include <linux/filter.h>

struct machine {
	const struct bpf_frame *frame;
	uint32_t a, x;
	uint32_t memory[BPF_MEMWORDS];
};

static bool load_beside(struct machine *m, uint32_t what)
{
	const struct bpf_frame *frame = m->frame;

	if (what == SKF_AD_VLAN_TAG_PRESENT)
		m->a = frame->has_tag;
	else if (what == SKF_AD_VLAN_TAG)
		m->a = frame->has_tag ? frame->tci : 0;
	else if (what == SKF_AD_VLAN_TPID)
		m->a = frame->has_tag ? frame->tpid : 0;
	else
		return false;
	return true;
}

/* `size` bytes at `at` in network order; false outside the frame. */
static bool load_bytes(const struct machine *m, uint64_t at, unsigned int size, uint32_t *ret)
{
	uint32_t value = 0;

	if (at + size > m->frame->len)
		return false;
	for (unsigned int i = 0; i < size; i++)
		value = value << 8 | m->frame->data[at + i];
	*ret = value;
	return true;
}

static unsigned int size_of(uint16_t code)
{
	if (BPF_SIZE(code) == BPF_W)
		return 4;
	return BPF_SIZE(code) == BPF_H ? 2 : 1;
}

static bool load(struct machine *m, const struct bpf_op *op)
{
	const uint32_t beside = (uint32_t)SKF_AD_OFF;

	switch (BPF_MODE(op->code)) {
	case BPF_IMM:
		m->a = op->k;
		return true;
	case BPF_LEN:
		m->a = (uint32_t)m->frame->len;
		return true;
	case BPF_MEM:
		m->a = m->memory[op->k % BPF_MEMWORDS];
		return true;
	case BPF_ABS:
		if (op->k >= beside)
			return load_beside(m, op->k - beside);
		return load_bytes(m, op->k, size_of(op->code), &m->a);
	case BPF_IND:
		return load_bytes(m, (uint32_t)(op->k + m->x), size_of(op->code), &m->a);
	}
	return false;
}

static bool load_x(struct machine *m, const struct bpf_op *op)
{
	uint32_t byte;

	switch (BPF_MODE(op->code)) {
	case BPF_IMM:
		m->x = op->k;
		return true;
	case BPF_LEN:
		m->x = (uint32_t)m->frame->len;
		return true;
	case BPF_MEM:
		m->x = m->memory[op->k % BPF_MEMWORDS];
		return true;
	case BPF_MSH:
		if (!load_bytes(m, op->k, 1, &byte))
			return false;
		m->x = (byte & 0xf) << 2;
		return true;
	}
	return false;
}

static bool compute(struct machine *m, const struct bpf_op *op)
{
	const uint32_t operand = BPF_SRC(op->code) == BPF_X ? m->x : op->k;
	const bool divides = BPF_OP(op->code) == BPF_DIV || BPF_OP(op->code) == BPF_MOD;

	if (divides && !operand)
		return false;
	switch (BPF_OP(op->code)) {
	case BPF_ADD:
		m->a += operand;
		return true;
	case BPF_SUB:
		m->a -= operand;
		return true;
	case BPF_MUL:
		m->a *= operand;
		return true;
	case BPF_DIV:
		m->a /= operand;
		return true;
	case BPF_MOD:
		m->a %= operand;
		return true;
	case BPF_AND:
		m->a &= operand;
		return true;
	case BPF_OR:
		m->a |= operand;
		return true;
	case BPF_XOR:
		m->a ^= operand;
		return true;
	case BPF_LSH:
		m->a <<= operand & 31;
		return true;
	case BPF_RSH:
		m->a >>= operand & 31;
		return true;
	case BPF_NEG:
		m->a = -m->a;
		return true;
	}
	return false;
}

/* How many instructions to skip. */
static size_t jump(const struct machine *m, const struct bpf_op *op)
{
	const uint32_t operand = BPF_SRC(op->code) == BPF_X ? m->x : op->k;

	switch (BPF_OP(op->code)) {
	case BPF_JA:
		return op->k;
	case BPF_JEQ:
		return m->a == operand ? op->jt : op->jf;
	case BPF_JGT:
		return m->a > operand ? op->jt : op->jf;
	case BPF_JGE:
		return m->a >= operand ? op->jt : op->jf;
	}
	return (m->a & operand) ? op->jt : op->jf;
}

static bool step(struct machine *m, const struct bpf_op *op, size_t *at)
{
	switch (BPF_CLASS(op->code)) {
	case BPF_LD:
		return load(m, op);
	case BPF_LDX:
		return load_x(m, op);
	case BPF_ST:
		m->memory[op->k % BPF_MEMWORDS] = m->a;
		return true;
	case BPF_STX:
		m->memory[op->k % BPF_MEMWORDS] = m->x;
		return true;
	case BPF_ALU:
		return compute(m, op);
	case BPF_JMP:
		*at += jump(m, op);
		return true;
	case BPF_MISC:
		if (BPF_MISCOP(op->code) == BPF_TAX)
			m->x = m->a;
		else
			m->a = m->x;
		return true;
	}
	return false;
}

uint32_t bpf_run(const struct bpf_op *ops, size_t n, const struct bpf_frame *frame)
{
	struct machine m = { .frame = frame };

	/* Jumps go forward only, so this ends. */
	for (size_t at = 0; at < n; at++) {
		if (BPF_CLASS(ops[at].code) == BPF_RET)
			return BPF_RVAL(ops[at].code) == BPF_A ? m.a : ops[at].k;
		if (!step(&m, &ops[at], &at))
			return 0;
	}
	return 0;
}
