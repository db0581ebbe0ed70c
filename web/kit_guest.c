/*
 * What goes into the guest so that its initrd finds the LUN: settings of iSCSI, initrd and loader.
 */
#include "web/kit.h"

#include <stdio.h>
#include <string.h>

#include "web/kernel_line.h"

/* iPXE's table names one path alone; an initrd that is to know the others has a file. */
static bool initrd_takes_ibft(const struct boot_spec *spec)
{
	return spec->kind == BOOT_SAN && spec->n_portals == 1 && !spec->portals[0].ipv6;
}

static void write_hostname(const struct kit *kit, struct text_out *out)
{
	text_add(out, "%s\n", kit->spec->hostname);
}

static void write_hosts(const struct kit *kit, struct text_out *out)
{
	const char *name = kit->spec->hostname;
	size_t label = strcspn(name, ".");

	text_add(out, "127.0.0.1 localhost\n127.0.1.1 %s", name);
	if (name[label])
		text_add(out, " %.*s", (int)label, name);
	text_add(out, "\n::1 localhost ip6-localhost ip6-loopback\n");
}

/* The root is there before any network manager; what else is on the LUN waits for the network. */
static void write_fstab(const struct kit *kit, struct text_out *out)
{
	const struct boot_spec *spec = kit->spec;

	kit_header(kit, out, "by the UUIDs that install.sh makes file systems with");
	text_add(out, "UUID=%s / ext4 errors=remount-ro 0 1\n", spec->ids.root);
	if (spec->swap)
		text_add(out, "UUID=%s none swap sw,_netdev 0 0\n", spec->ids.swap);
	if (spec->firmware == FIRMWARE_UEFI && spec->kind == BOOT_SAN)
		text_add(out, "UUID=%s /boot/efi vfat umask=0077,_netdev 0 2\n", spec->ids.esp);
}

static void write_initiator(const struct kit *kit, struct text_out *out)
{
	text_put(out, encode_ini, "InitiatorName=", "initiator", kit->spec->initiator, "\n");
}

/* Sourced by a shell that uses some values without quotes: what a kernel's line carries, quoted. */
static int encode_initrd(struct buf *out, const char *what, const void *bytes, size_t len,
			 struct err *err)
{
	size_t before = out->len;
	int code;

	buf_addc(out, '\'');
	code = encode_cmdline(out, what, bytes, len, err);
	buf_addc(out, '\'');
	if (code) {
		out->len = before;
		out->data[before] = '\0';
	}
	return code ? code : encode_end(out, before, what, err);
}

static void add_pair(struct text_out *out, const char *prefix, const struct chap_pair *pair)
{
	char name[32];

	if (!pair->user)
		return;
	snprintf(name, sizeof(name), "ISCSI_%sUSERNAME=", prefix);
	text_put(out, encode_initrd, name, "the CHAP user", pair->user, "\n");
	snprintf(name, sizeof(name), "ISCSI_%sPASSWORD=", prefix);
	text_put(out, encode_initrd, name, "the CHAP secret", pair->secret, "\n");
}

static void write_initramfs(const struct kit *kit, struct text_out *out)
{
	const struct boot_spec *spec = kit->spec;

	kit_header(kit, out, "read by open-iscsi's script of initramfs-tools");
	if (initrd_takes_ibft(spec)) {
		text_add(out, "ISCSI_AUTO=true\n");
		return;
	}
	text_put(out, encode_initrd, "ISCSI_INITIATOR=", "initiator", spec->initiator, "\n");
	text_put(out, encode_initrd, "ISCSI_TARGET_NAME=", "target", spec->target, "\n");
	text_add(out, "ISCSI_TARGET_IP='");
	for (size_t i = 0; i < spec->n_portals; i++) {
		const struct host_port *portal = &spec->portals[i];

		if (portal->name || portal->ipv6)
			text_refuse(out,
				    "portal %s is %s: initramfs-tools reaches IPv4 addresses alone",
				    portal->host, portal->name ? "a name" : "of IPv6");
		if (portal->port != spec->portals[0].port)
			text_refuse(out,
				    "portal %s has port %u and another has %u: initramfs-tools has "
				    "one for all",
				    portal->host, portal->port, spec->portals[0].port);
		text_add(out, "%s%s", i ? " " : "", portal->host);
	}
	text_add(out, "'\nISCSI_TARGET_PORT=%u\nISCSI_ROOT_LUN=%u\n", spec->portals[0].port,
		 spec->lun);
	add_pair(out, "", &spec->chap);
	add_pair(out, "IN_", &spec->reverse);
}

static void write_initramfs_conf(const struct kit *kit, struct text_out *out)
{
	kit_header(kit, out, "the initrd holds secrets, and must know every network card");
	text_add(out, "UMASK=0077\nMODULES=most\n");
}

/*
 * initramfs.conf(5) takes no other value of DEVICE than a name; BOOTIF on the line finds it by MAC.
 */
static void write_dracut(const struct kit *kit, struct text_out *out)
{
	const struct boot_spec *spec = kit->spec;
	const struct {
		const char *name, *what, *value;
	} pairs[] = {
		{ " rd.iscsi.username=", "the CHAP user", spec->chap.user },
		{ " rd.iscsi.password=", "the CHAP secret", spec->chap.secret },
		{ " rd.iscsi.in.username=", "the CHAP user", spec->reverse.user },
		{ " rd.iscsi.in.password=", "the CHAP secret", spec->reverse.secret },
	};
	struct boot_spec named = *spec;
	struct buf line;

	kit_header(kit, out,
		   "for guests whose initrd dracut makes; mode 0600 as it may have secrets");
	text_add(out,
		 "add_dracutmodules+=\" network iscsi \"\nhostonly=\"no\"\nkernel_cmdline+=\" ");
	/* The line of a kernel may not carry these; that of the initrd's own file may. */
	named.chap = (struct chap_pair){ 0 };
	named.cmdline = NULL;
	buf_init(&line, 2 * CMDLINE_MAX);
	if (out->code == 0)
		out->code =
			kernel_line(&named, INITRD_DRACUT,
				    initrd_takes_ibft(spec) ? LINE_LOGIN_IBFT : LINE_LOGIN_NAMED,
				    &line, out->err);
	text_add(out, "%s", line.data ? line.data : "");
	buf_done(&line);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (pairs[i].value && !initrd_takes_ibft(spec))
			text_put(out, encode_cmdline, pairs[i].name, pairs[i].what, pairs[i].value,
				 "");
	}
	text_add(out, " \"\n");
}

/*
 * grub-mkconfig writes the variable as it is into GRUB's script: so each word is quoted for GRUB,
 * and all of them for the shell that reads this file. GRUB itself puts a backslash before each
 * quote and backslash that it hands to the kernel (grub-core/lib/cmdline.c).
 */
static void write_grub_default(const struct kit *kit, struct text_out *out)
{
	struct buf line, words;
	char *word, *rest = NULL;

	kit_header(kit, out, "the kernel's command line, quoted for GRUB and again for the shell");
	buf_init(&line, 2 * CMDLINE_MAX);
	buf_init(&words, 4 * CMDLINE_MAX);
	if (out->code == 0)
		out->code = kernel_line(kit->spec, INITRD_DEBIAN, LINE_LOGIN_FILE, &line, out->err);
	if (out->code == 0 && line.data[strcspn(line.data, "\"'\\")])
		text_refuse(out,
			    "cmdline has a quote or backslash, before which GRUB puts another");
	for (word = out->code ? NULL : strtok_r(line.data, " ", &rest); word && out->code == 0;
	     word = strtok_r(NULL, " ", &rest)) {
		bool plain =
			word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "0123456789-_=.,:/")] == '\0';

		buf_adds(&words, words.len ? " " : "");
		if (plain)
			buf_adds(&words, word);
		else
			out->code = encode_grub(&words, "cmdline", word, strlen(word), out->err);
	}
	text_put(out, encode_sh, "GRUB_CMDLINE_LINUX=", "cmdline", words.data ? words.data : "",
		 "\n");
	text_add(out, "GRUB_DISABLE_OS_PROBER=true\n");
	buf_done(&line);
	buf_done(&words);
}

static void write_multipath(const struct kit *kit, struct text_out *out)
{
	kit_header(kit, out, "one disk by several portals");
	text_add(out, "defaults {\n\tuser_friendly_names yes\n\tfind_multipaths yes\n"
		      "\tno_path_retry queue\n}\n");
}

/* A new kernel in the guest is of no use until the boot server has it. */
static void write_publish(const struct kit *kit, struct text_out *out)
{
	text_add(out, "#!/bin/sh\n");
	kit_header(kit, out, "after a kernel was installed: copies it to where iPXE loads it from");
	text_add(
		out,
		"# $1 is the version. PUBLISH in /etc/default/publish-boot is a command that takes "
		"two files.\n"
		"set -eu\n"
		"[ -r /etc/default/publish-boot ] || exit 0\n"
		". /etc/default/publish-boot\n"
		"[ -n \"${PUBLISH:-}\" ] || exit 0\n"
		"$PUBLISH \"/boot/vmlinuz-$1\" \"/boot/initrd.img-$1\"\n");
}

const struct kit_file kit_guest_files[] = {
	{ "guest/etc/hostname", 0644, KIT_ALL, 0, write_hostname },
	{ "guest/etc/hosts", 0644, KIT_ALL, 0, write_hosts },
	{ "guest/etc/fstab", 0644, KIT_LUN, 0, write_fstab },
	{ "guest/etc/iscsi/initiatorname.iscsi", 0600, KIT_LUN, 0, write_initiator },
	{ "guest/etc/iscsi/iscsi.initramfs", 0600, KIT_LUN, 0, write_initramfs },
	{ "guest/etc/initramfs-tools/conf.d/iscsi", 0644, KIT_LUN, 0, write_initramfs_conf },
	{ "guest/etc/dracut.conf.d/iscsi.conf", 0600, KIT_LUN, KIT_OPTIONAL, write_dracut },
	{ "guest/etc/default/grub.d/iscsi.cfg", 0644, KIT_SAN | KIT_LOCAL, 0, write_grub_default },
	{ "guest/etc/multipath.conf", 0644, KIT_LUN, KIT_NEEDS_PATHS, write_multipath },
	{ "guest/etc/kernel/postinst.d/zz-publish-boot", 0755, KIT_KERNEL, 0, write_publish },
	{ 0 },
};
