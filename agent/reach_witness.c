#include "agent/reach_witness.h"

#include <linux/filter.h>

/* Of no service: where a filter names no port this is one like others. */
#define ANY_PORT 49151 /* reserved (RFC 6335) */

static void add_port(struct reach_tries *tries, uint32_t number)
{
	if (!number || number > UINT16_MAX || tries->n_ports == REACH_TRIED_PORTS)
		return;
	for (size_t i = 0; i < tries->n_ports; i++) {
		if (tries->ports[i] == number)
			return;
	}
	tries->ports[tries->n_ports++] = (uint16_t)number;
}

static void add_numbers(struct reach_tries *tries, const struct bpf_code *code)
{
	for (size_t i = 0; i < code->n; i++) {
		const struct bpf_op *op = &code->ops[i];

		if (BPF_CLASS(op->code) != BPF_JMP || BPF_OP(op->code) == BPF_JA)
			continue;
		add_port(tries, op->k);
		if (BPF_OP(op->code) == BPF_JGT)
			add_port(tries, op->k + 1);
	}
}

void reach_tries_begin(struct reach_tries *tries, const struct bpf_code *one,
		       const struct bpf_code *other)
{
	*tries = (struct reach_tries){ .ports = { ANY_PORT }, .n_ports = 1 };
	add_numbers(tries, one);
	add_numbers(tries, other);
}

bool reach_tries_next(struct reach_tries *tries, enum reach_kind *ret_kind, uint16_t *ret_port)
{
	for (; tries->next < REACH_KINDS * tries->n_ports; tries->next++) {
		const enum reach_kind kind = (enum reach_kind)(tries->next / tries->n_ports);
		const size_t port = tries->next % tries->n_ports;

		if (kind == REACH_KIND_PLAIN || kind == REACH_KIND_FALSE ||
		    (port && !reach_kind_has_port(kind)))
			continue;
		*ret_kind = kind;
		*ret_port = reach_kind_has_port(kind) ? tries->ports[port] : 0;
		tries->next++;
		return true;
	}
	return false;
}
