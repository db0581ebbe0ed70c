#include "agent/base/bpf_code.h"

#include <errno.h>
#include <stdlib.h>

void bpf_code_add(struct bpf_code *code, struct bpf_op op)
{
	struct bpf_op *ops;
	size_t cap;

	if (code->error)
		return;
	if (code->n == BPF_CODE_MAX) {
		code->error = -E2BIG;
		return;
	}
	if (code->n == code->cap) {
		cap = code->cap ? 2 * code->cap : 64;
		ops = reallocarray(code->ops, cap, sizeof(*ops));
		if (!ops) {
			code->error = -ENOMEM;
			return;
		}
		code->ops = ops;
		code->cap = cap;
	}
	code->ops[code->n++] = op;
}

void bpf_code_reset(struct bpf_code *code)
{
	code->n = 0;
	code->error = 0;
}

void bpf_code_done(struct bpf_code *code)
{
	free(code->ops);
	*code = (struct bpf_code){ 0 };
}
