#include "agent/base/pcap_live.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "agent/base/bpf_compile.h"
#include "agent/base/pcap_lib.h"
#include "agent/base/pcapng_format.h"
#include "agent/base/time_units.h"

/* A GSO frame of the kernel is no longer. */
#define SNAPLEN 262144

#define FRAMES_AT_ONCE 4096

struct pcap_live {
	pcap_t *pcap;
	int fd;
	unsigned int drops; /* as last told: a counter of 32 bits that wraps */
	pcap_live_cb cb; /* of the read in hand */
	void *data;
};

static int open_error(pcap_t *pcap, int status, const char *interface, struct err *err)
{
	const char *why = pcap_lib.geterr(pcap);
	int code = status == PCAP_ERROR_NO_SUCH_DEVICE ? -ENODEV
		   : status == PCAP_ERROR_PERM_DENIED  ? -EPERM
						       : -EIO;

	return err_set(err, code, "cannot listen at %s: %s", interface,
		       *why ? why : pcap_lib.statustostr(status));
}

/* Checked before, since libpcap would ask a name server. */
static int set_filter(struct pcap_live *live, const char *bpf, struct err *err)
{
	struct bpf_program program;
	int code = bpf_check_words(bpf, err);

	if (code)
		return code;
	if (pcap_lib.compile(live->pcap, &program, bpf, 1, PCAP_NETMASK_UNKNOWN))
		return err_set(err, -EINVAL, "%s", pcap_lib.geterr(live->pcap));
	if (pcap_lib.setfilter(live->pcap, &program))
		code = err_set(err, -EINVAL, "%s", pcap_lib.geterr(live->pcap));
	pcap_lib.freecode(&program);
	return code;
}

static int activate(struct pcap_live *live, const char *interface, size_t buffer, struct err *err)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	int status;

	if (pcap_lib.set_snaplen(live->pcap, SNAPLEN) ||
	    pcap_lib.set_timeout(live->pcap, PCAP_LIVE_TIMEOUT_MS) ||
	    pcap_lib.set_buffer_size(live->pcap, (int)buffer) ||
	    pcap_lib.set_tstamp_precision(live->pcap, PCAP_TSTAMP_PRECISION_NANO))
		return err_set(err, -EINVAL, "cannot listen at %s: %s", interface,
			       pcap_lib.geterr(live->pcap));
	status = pcap_lib.activate(live->pcap);
	if (status < 0)
		return open_error(live->pcap, status, interface, err);
	if (pcap_lib.setnonblock(live->pcap, 1, text))
		return err_set(err, -EIO, "cannot listen at %s: %s", interface, text);
	live->fd = pcap_lib.get_selectable_fd(live->pcap);
	return 0;
}

int pcap_live_open(const char *interface, const char *bpf, size_t buffer, struct pcap_live **ret,
		   struct err *err)
{
	struct pcap_live *live = calloc(1, sizeof(*live));
	char text[PCAP_ERRBUF_SIZE] = "";
	int code;

	if (!live)
		return err_set(err, -ENOMEM, "out of memory");
	code = pcap_lib_load(err);
	if (code) {
		free(live);
		return code;
	}
	live->pcap = pcap_lib.create(interface, text);
	if (!live->pcap) {
		free(live);
		return err_set(err, -EIO, "cannot listen at %s: %s", interface, text);
	}
	code = activate(live, interface, buffer, err);
	if (!code && bpf)
		code = set_filter(live, bpf, err);
	if (code) {
		pcap_live_close(live);
		return code;
	}
	*ret = live;
	return 0;
}

void pcap_live_close(struct pcap_live *live)
{
	pcap_lib.close(live->pcap);
	free(live);
}

uint32_t pcap_live_link_type(const struct pcap_live *live)
{
	int dlt = pcap_lib.datalink(live->pcap);

	return dlt == DLT_RAW ? LINKTYPE_RAW : (uint32_t)dlt;
}

static void on_frame(u_char *data, const struct pcap_pkthdr *head, const u_char *bytes)
{
	const struct pcap_live *live = (const struct pcap_live *)data;

	/* With PCAP_TSTAMP_PRECISION_NANO tv_usec counts nanoseconds. */
	live->cb(live->data, &(struct pcap_live_frame){
				     .bytes = bytes,
				     .len = head->caplen,
				     .wire_len = head->len,
				     .time_ns = (uint64_t)head->ts.tv_sec * NS_PER_S +
						(uint64_t)head->ts.tv_usec,
			     });
}

int pcap_live_read(struct pcap_live *live, int timeout_ms, pcap_live_cb cb, void *data,
		   struct err *err)
{
	struct pollfd fd = { .fd = live->fd, .events = POLLIN };
	int n;

	live->cb = cb;
	live->data = data;
	if (poll(&fd, 1, timeout_ms) < 0)
		return errno == EINTR ? 0 : err_errno(err, -errno, "cannot wait for frames");
	n = pcap_lib.dispatch(live->pcap, FRAMES_AT_ONCE, on_frame, (u_char *)live);
	return n >= 0 ? n : err_set(err, -EIO, "%s", pcap_lib.geterr(live->pcap));
}

uint64_t pcap_live_drops(struct pcap_live *live)
{
	struct pcap_stat stat;
	unsigned int before = live->drops;

	if (pcap_lib.stats(live->pcap, &stat))
		return 0;
	live->drops = stat.ps_drop;
	return stat.ps_drop - before;
}
