#include "capture/egress_filter.h"

#include <errno.h>
#include <linux/pkt_cls.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/base/bpf_run.h"

int egress_filter_read(struct egress_filter *filter, int fd)
{
	const size_t size = BPF_CODE_MAX * sizeof(struct bpf_op);
	struct bpf_op *ops = malloc(size);
	ssize_t n = ops ? pread(fd, ops, size, 0) : -1;

	if (n < 0 || (size_t)n % sizeof(*ops)) {
		int code = n >= 0 ? -EBADMSG : ops ? -errno : -ENOMEM;

		free(ops);
		return code;
	}
	free(filter->ops);
	filter->ops = ops;
	filter->n = (size_t)n / sizeof(*ops);
	return 0;
}

void egress_filter_done(struct egress_filter *filter)
{
	free(filter->ops);
	*filter = (struct egress_filter){ 0 };
}

bool egress_filter_passes(const struct egress_filter *filter, const uint8_t *frame, size_t len)
{
	/* tap_get_user() leaves VLAN tags where they are. */
	const struct bpf_frame seen = { .data = frame, .len = len };

	return !filter->n || bpf_run(filter->ops, filter->n, &seen) != TC_ACT_SHOT;
}
