/*
 * The network that carries the root: it is up before any manager starts and stays up after the last
 * ended, or shutdown waits for a disk that is gone. A file for each manager; those that are not
 * installed do not read theirs.
 */
#include "web/kit.h"

static void write_interfaces(const struct kit *kit, struct text_out *out)
{
	kit_header(kit, out, "the initrd configured the NIC; ifupdown leaves it alone");
	text_add(out, "auto lo\niface lo inet loopback\n\n");
	text_add(out, "iface %s inet manual\n", kit->spec->interface);
}

static void add_addresses(const struct boot_spec *spec, struct text_out *out)
{
	if (!spec->address.text[0]) {
		text_add(out, "DHCP=ipv4\n");
		return;
	}
	text_add(out, "Address=%s/%u\n", spec->address.text, spec->address.bits);
	if (spec->gateway)
		text_add(out, "Gateway=%s\n", spec->gateway);
}

static void write_networkd(const struct kit *kit, struct text_out *out)
{
	const struct boot_spec *spec = kit->spec;
	char mac[MAC_TEXT_MAX];

	format_mac(mac, spec->mac);
	kit_header(kit, out, "for systemd-networkd, which would take the address away at its end");
	text_add(out, "[Match]\nMACAddress=%s\n\n[Network]\n", mac);
	add_addresses(spec, out);
	for (size_t i = 0; i < spec->dns->n; i++)
		text_add(out, "DNS=%s\n", spec->dns->v[i]);
	text_add(out, "KeepConfiguration=yes\n");
}

static void write_manager(const struct kit *kit, struct text_out *out)
{
	char mac[MAC_TEXT_MAX];

	format_mac(mac, kit->spec->mac);
	kit_header(kit, out, "for NetworkManager, which leaves the NIC alone");
	text_add(out, "[keyfile]\nunmanaged-devices=mac:%s\n", mac);
}

static void write_netplan(const struct kit *kit, struct text_out *out)
{
	const struct boot_spec *spec = kit->spec;
	char mac[MAC_TEXT_MAX];

	format_mac(mac, spec->mac);
	kit_header(kit, out, "for netplan, which must not take the address away");
	text_add(out,
		 "network:\n  version: 2\n  ethernets:\n    boot:\n      match:\n"
		 "        macaddress: \"%s\"\n      critical: true\n",
		 mac);
	if (spec->address.text[0])
		text_add(out, "      addresses: [\"%s/%u\"]\n", spec->address.text,
			 spec->address.bits);
	else
		text_add(out, "      dhcp4: true\n");
	if (spec->gateway)
		text_add(out, "      routes: [{to: default, via: \"%s\"}]\n", spec->gateway);
	for (size_t i = 0; i < spec->dns->n; i++)
		text_add(out, "%s\"%s\"%s", i ? ", " : "      nameservers: {addresses: [",
			 spec->dns->v[i], i + 1 == spec->dns->n ? "]}\n" : "");
}

const struct kit_file kit_net_files[] = {
	{ "guest/etc/network/interfaces", 0644, KIT_LUN, 0, write_interfaces },
	{ "guest/etc/systemd/network/10-boot.network", 0644, KIT_LUN, 0, write_networkd },
	{ "guest/etc/NetworkManager/conf.d/10-boot.conf", 0644, KIT_LUN, 0, write_manager },
	{ "guest/etc/netplan/10-boot.yaml", 0600, KIT_LUN, 0, write_netplan },
	{ 0 },
};
