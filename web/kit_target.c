/* The target's end of the same LUN: tgt by its own tool, LIO by the kernel's configfs. */
#include "web/kit.h"

static void add_names(const struct kit *kit, struct text_out *out)
{
	const struct boot_spec *spec = kit->spec;

	text_put(out, encode_sh, "target=", "target", spec->target, "\n");
	text_put(out, encode_sh, "initiator=", "initiator", spec->initiator, "\n");
	text_add(out, "lun=%u\n", spec->lun);
}

static void add_account(struct text_out *out, const struct chap_pair *pair, const char *option)
{
	if (!pair->user)
		return;
	text_put(out, encode_sh, "tgt --mode account --op new --user ", "the CHAP user", pair->user,
		 "");
	text_put(out, encode_sh, " --password ", "the CHAP secret", pair->secret, "\n");
	text_put(out, encode_sh, "tgt --mode account --op bind --tid \"$tid\" --user ",
		 "the CHAP user", pair->user, option);
}

static void write_tgt(const struct kit *kit, struct text_out *out)
{
	text_raw(out, "#!/bin/sh\n");
	kit_header(kit, out, "makes the target of tgt: tgt.sh FILE-OR-DEVICE [TID]");
	text_raw(out, "# TGTADM may be another tgtadm, as \"tgtadm -C 9\".\nset -eu\n");
	add_names(kit, out);
	text_raw(out, "store=${1:?which file or device is the LUN}\ntid=${2:-1}\n"
		      "tgt()\n{\n\t${TGTADM:-tgtadm} --lld iscsi \"$@\"\n}\n"
		      "tgt --mode target --op new --tid \"$tid\" -T \"$target\"\n");
	if (kit->spec->lun == 0)
		text_refuse(out, "tgt keeps LUN 0 for itself");
	text_raw(out,
		 "tgt --mode logicalunit --op new --tid \"$tid\" --lun \"$lun\" -b \"$store\"\n");
	add_account(out, &kit->spec->chap, "\n");
	add_account(out, &kit->spec->reverse, " --outgoing\n");
	text_raw(out,
		 "tgt --mode target --op bind --tid \"$tid\" --initiator-name \"$initiator\"\n");
}

static void add_auth(struct text_out *out, const struct chap_pair *pair, const char *prefix)
{
	if (!pair->user)
		return;
	text_put(out, encode_sh, "printf %s ", "the CHAP user", pair->user, "");
	text_add(out, " >\"$acl/auth/userid%s\"\n", prefix);
	text_put(out, encode_sh, "printf %s ", "the CHAP secret", pair->secret, "");
	text_add(out, " >\"$acl/auth/password%s\"\n", prefix);
}

/* Documentation/target/: every object is a folder, every setting a file. */
static void write_lio(const struct kit *kit, struct text_out *out)
{
	const struct boot_spec *spec = kit->spec;

	text_raw(out, "#!/bin/sh\n");
	kit_header(kit, out, "makes the target of LIO by configfs: lio.sh DEVICE");
	text_raw(out, "set -eu\n");
	add_names(kit, out);
	text_put(out, encode_sh, "name=", "guest", spec->guest, "\n");
	text_raw(out, "device=${1:?which device is the LUN}\n"
		      "config=/sys/kernel/config/target\n"
		      "modprobe -a target_core_mod target_core_iblock iscsi_target_mod\n"
		      "store=$config/core/iblock_0/$name\n"
		      "tpg=$config/iscsi/$target/tpgt_1\n"
		      "acl=$tpg/acls/$initiator\n"
		      "mkdir -p \"$store\"\n"
		      "echo \"udev_path=$device\" >\"$store/control\"\n"
		      "echo 1 >\"$store/enable\"\n"
		      "mkdir -p \"$tpg/lun/lun_$lun\"\n"
		      "ln -s \"$store\" \"$tpg/lun/lun_$lun/store\"\n"
		      "mkdir -p \"$acl/lun_$lun\"\n"
		      "ln -s \"$tpg/lun/lun_$lun\" \"$acl/lun_$lun/lun\"\n");
	text_add(out, "echo %d >\"$tpg/attrib/authentication\"\n", spec->chap.user ? 1 : 0);
	add_auth(out, &spec->chap, "");
	add_auth(out, &spec->reverse, "_mutual");
	for (size_t i = 0; i < spec->n_portals; i++) {
		const struct host_port *portal = &spec->portals[i];

		if (portal->name)
			text_refuse(out, "portal %s is a name, and LIO takes addresses",
				    portal->host);
		text_add(out, "mkdir -p \"$tpg/np/%s%s%s:%u\"\n", portal->ipv6 ? "[" : "",
			 portal->host, portal->ipv6 ? "]" : "", portal->port);
	}
	text_raw(out, "echo 1 >\"$tpg/enable\"\n");
}

const struct kit_file kit_target_files[] = {
	{ "target/tgt.sh", 0700, KIT_LUN, KIT_OPTIONAL, write_tgt },
	{ "target/lio.sh", 0700, KIT_LUN, KIT_OPTIONAL, write_lio },
	{ 0 },
};
