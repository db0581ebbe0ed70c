#include "web/kit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct kit_file *const areas[] = {
	kit_guest_files, kit_net_files,	 kit_script_files, kit_target_files,
	kit_host_files,	 kit_seed_files, kit_check_files,
};

static bool belongs(const struct kit *kit, const struct kit_file *file)
{
	const struct boot_spec *spec = kit->spec;

	if (!(file->ways & (1u << spec->kind)))
		return false;
	if ((file->needs & KIT_NEEDS_PATHS) && spec->n_portals < 2)
		return false;
	if ((file->needs & KIT_NEEDS_SWAP) && spec->swap == 0)
		return false;
	if ((file->needs & KIT_NEEDS_UEFI) && spec->firmware != FIRMWARE_UEFI)
		return false;
	return true;
}

static void make_path(const struct kit *kit, const char *template, char out[FILE_PATH_MAX])
{
	const char *place = strstr(template, "{mac}");
	char mac[MAC_TEXT_MAX];

	kit_mac_path(kit, mac);
	if (place)
		snprintf(out, FILE_PATH_MAX, "%.*s01-%s%s", (int)(place - template), template, mac,
			 place + strlen("{mac}"));
	else
		snprintf(out, FILE_PATH_MAX, "%s", template);
}

static int add_file(struct kit *kit, const struct kit_file *file, struct file_set *set,
		    struct err *err)
{
	struct text_out out = { .err = err };
	char path[FILE_PATH_MAX];
	struct file *made;

	make_path(kit, file->path, path);
	if ((file->needs & KIT_NEEDS_LISTEN) && !kit->listen) {
		buf_addf(&kit->notes, "%s: [web] boot-listen is missing\n", path);
		return 0;
	}
	made = file_set_add(set, path, file->mode);
	if (!made)
		return err_set(err, -ENOMEM, "no memory for a kit");
	out.buf = &made->content;
	file->write(kit, &out);
	if (out.code == -EINVAL && (file->needs & KIT_OPTIONAL)) {
		buf_addf(&kit->notes, "%s: %s\n", path, err->text);
		file_set_drop(set);
		return 0;
	}
	return out.code ? err_prefix(err, out.code, "%s", path) : 0;
}

int kit_files(struct kit *kit, struct file_set *set, struct err *err)
{
	buf_init(&kit->notes, KIT_NOTES_MAX);
	if (!mac_is_unicast(kit->spec->mac))
		return err_set(err, -EINVAL, "[guest %s] link: it has no MAC address",
			       kit->spec->guest);
	for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++) {
		for (const struct kit_file *file = areas[i]; file->path; file++) {
			int code = belongs(kit, file) ? add_file(kit, file, set, err) : 0;

			if (code)
				return code;
		}
	}
	file_set_sort(set);
	return 0;
}
