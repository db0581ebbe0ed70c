#include "agent/libvirt_xml.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "web/encode.h"

int libvirt_xml(const struct libvirt_nic *nic, struct buf *out, struct err *err)
{
	char mac[MAC_TEXT_MAX];
	int code;

	format_mac(mac, nic->mac);
	buf_addf(out,
		 "<interface type='ethernet'>\n"
		 "  <mac address='%s'/>\n"
		 "  <target dev='",
		 mac);
	code = encode_xml(out, "link", nic->link, strlen(nic->link), err);
	buf_adds(out, "' managed='no'/>\n  <model type='virtio'/>\n");
	if (nic->queues > 1)
		buf_addf(out, "  <driver queues='%" PRIu32 "'/>\n", nic->queues);
	buf_adds(out, "</interface>\n");
	return code;
}

int libvirt_check(const struct libvirt_nic *nic, const char *mac, uint64_t queues, struct err *err)
{
	uint8_t asked[MAC_LEN];
	char own[MAC_TEXT_MAX];
	int code = parse_mac(mac, asked, err);

	if (code)
		return code;
	format_mac(own, nic->mac);
	if (memcmp(asked, nic->mac, MAC_LEN) != 0)
		return err_set(err, -EINVAL,
			       "the guest's MAC address is %s and the link's %s: no frame would "
			       "reach it",
			       mac, own);
	if (queues > nic->queues)
		return err_set(err, -EINVAL,
			       "the guest opens %" PRIu64 " queues and the link has %" PRIu32
			       ": set queues",
			       queues, nic->queues);
	return 0;
}
