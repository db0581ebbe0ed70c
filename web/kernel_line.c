#include "web/kernel_line.h"

#include <errno.h>
#include <string.h>

#include "web/encode.h"

static int add_word(struct buf *out, const char *name, const char *value, struct err *err)
{
	buf_addf(out, "%s=", name);
	return encode_cmdline(out, name, value, strlen(value), err);
}

/* Documentation/admin-guide/nfs/nfsroot.rst, as klibc's ipconfig and dracut read it. */
static int add_ip(const struct boot_spec *spec, struct buf *out, struct err *err)
{
	const char *interface = spec->interface;
	char mask[NETMASK_TEXT_MAX];
	int code;

	if (!spec->address.text[0]) {
		buf_adds(out, " ip=:::::");
		code = encode_cmdline(out, "interface", interface, strlen(interface), err);
		buf_adds(out, ":dhcp");
		return code;
	}
	format_netmask(mask, spec->address.bits);
	buf_addf(out, " ip=%s::%s:%s:%s:", spec->address.text, spec->gateway ? spec->gateway : "",
		 mask, spec->hostname);
	code = encode_cmdline(out, "interface", interface, strlen(interface), err);
	buf_adds(out, ":none");
	/* Two name servers have a place, and these of IPv4. */
	for (size_t i = 0; i < spec->dns->n && i < 2; i++) {
		if (!strchr(spec->dns->v[i], ':'))
			buf_addf(out, ":%s", spec->dns->v[i]);
	}
	return code;
}

/* "eth0" is the kernel's own name, which udev would change. */
static void add_interface(const struct boot_spec *spec, struct buf *out)
{
	if (strncmp(spec->interface, "eth", 3) == 0)
		buf_adds(out, " net.ifnames=0");
	if (mac_is_unicast(spec->mac))
		buf_addf(out, " BOOTIF=01-%02x-%02x-%02x-%02x-%02x-%02x", spec->mac[0],
			 spec->mac[1], spec->mac[2], spec->mac[3], spec->mac[4], spec->mac[5]);
}

static int check_portal(const struct host_port *portal, enum initrd initrd, struct err *err)
{
	if (portal->name)
		return err_set(err, -EINVAL,
			       "portal %s is a name: an initrd cannot ask for its address",
			       portal->host);
	if (portal->ipv6 && initrd == INITRD_DEBIAN)
		return err_set(err, -EINVAL,
			       "portal %s is of IPv6: initramfs-tools configures IPv4 alone",
			       portal->host);
	return 0;
}

/* README.Debian of open-iscsi: lower case; one address is all that the line can carry. */
static int add_debian(const struct boot_spec *spec, struct buf *out, struct err *err)
{
	const struct host_port *portal = &spec->portals[0];
	int code = check_portal(portal, INITRD_DEBIAN, err);

	if (!code)
		code = add_word(out, " iscsi_initiator", spec->initiator, err);
	if (!code)
		code = add_word(out, " iscsi_target_name", spec->target, err);
	if (!code)
		buf_addf(out, " iscsi_target_ip=%s iscsi_target_port=%u", portal->host,
			 portal->port);
	return code;
}

/* dracut.cmdline(7): once for each path; the protocol stays empty. */
static int add_dracut(const struct boot_spec *spec, struct buf *out, struct err *err)
{
	int code = add_word(out, " rd.iscsi.initiator", spec->initiator, err);

	for (size_t i = 0; i < spec->n_portals && !code; i++) {
		const struct host_port *portal = &spec->portals[i];

		code = check_portal(portal, INITRD_DRACUT, err);
		if (code)
			break;
		buf_addf(out, " netroot=iscsi:%s%s%s::", portal->ipv6 ? "[" : "", portal->host,
			 portal->ipv6 ? "]" : "");
		if (portal->port != ISCSI_PORT)
			buf_addf(out, "%u", portal->port);
		buf_addf(out, ":%u:", spec->lun);
		code = encode_cmdline(out, "target", spec->target, strlen(spec->target), err);
	}
	buf_adds(out, " rd.neednet=1");
	return code;
}

/* The firmware's table holds IPv4 addresses alone: iPXE copies an IPv6 one as such (ibft.c). */
static int add_ibft(const struct boot_spec *spec, enum initrd initrd, struct buf *out,
		    struct err *err)
{
	for (size_t i = 0; i < spec->n_portals; i++) {
		if (spec->portals[i].ipv6)
			return err_set(err, -EINVAL,
				       "portal %s is of IPv6: the table that iPXE leaves for the "
				       "initrd (iBFT) would be wrong",
				       spec->portals[i].host);
	}
	buf_adds(out,
		 initrd == INITRD_DEBIAN ? " iscsi_auto" : " rd.iscsi.firmware=1 rd.iscsi.ibft=1");
	return 0;
}

static int add_login(const struct boot_spec *spec, enum initrd initrd, enum line_login login,
		     struct buf *out, struct err *err)
{
	switch (login) {
	case LINE_LOGIN_NAMED:
		if (spec->chap.user)
			return err_set(err, -EINVAL,
				       "a CHAP secret on the kernel command line could be read by "
				       "every user of the guest");
		return initrd == INITRD_DEBIAN ? add_debian(spec, out, err)
					       : add_dracut(spec, out, err);
	case LINE_LOGIN_IBFT:
		return add_ibft(spec, initrd, out, err);
	case LINE_LOGIN_FILE:
		break;
	}
	return 0;
}

enum line_login kernel_line_login(const struct boot_spec *spec)
{
	return spec->chap.user ? LINE_LOGIN_IBFT : LINE_LOGIN_NAMED;
}

int kernel_line(const struct boot_spec *spec, enum initrd initrd, enum line_login login,
		struct buf *out, struct err *err)
{
	size_t before = out->len;
	int code;

	buf_addf(out, "root=UUID=%s", spec->ids.root);
	code = add_ip(spec, out, err);
	add_interface(spec, out);
	if (!code)
		code = add_login(spec, initrd, login, out, err);
	if (!code && spec->cmdline && *spec->cmdline) {
		code = parse_cmdline(spec->cmdline, err);
		if (code)
			err_prefix(err, code, "cmdline");
		buf_addf(out, " %s", spec->cmdline);
	}
	if (!code && out->len - before > CMDLINE_MAX)
		code = err_set(err, -EINVAL,
			       "the kernel command line has %zu bytes: %d are the most",
			       out->len - before, CMDLINE_MAX);
	if (!code && out->failed)
		code = err_set(err, -ENOMEM, "the kernel command line is too long");
	return code;
}
