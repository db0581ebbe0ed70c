/* What a guest is given: its script, its kernel and initrd, its seeds. */
#include "web/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "web/ipxe_script.h"
#include "web/kit.h"
#include "web/reply.h"

/* `mac` is NULL when it is not known here: then no file is served by it. */
static int make_spec(const struct boot *boot, const struct guest_conf *guest, const uint8_t *mac,
		     struct boot_spec *ret, struct err *err)
{
	int code = boot_spec_init(ret, boot->config, guest, err);

	if (code == 0 && mac)
		memcpy(ret->mac, mac, MAC_LEN);
	return code;
}

void boot_serve_guest(struct boot *boot, struct http_request *request,
		      const struct guest_conf *guest, const uint8_t *mac)
{
	struct boot_spec spec;
	struct buf script;
	struct err err;
	int code;

	buf_init(&script, IPXE_SCRIPT_MAX);
	code = make_spec(boot, guest, mac, &spec, &err);
	if (!code)
		code = ipxe_script(&spec, &script, &err);
	if (code) {
		boot->failed++;
		log_debug("no script for guest %s: %s", guest->head.name, err.text);
		reply_text(request, 500, "the boot script of this guest cannot be made\n");
	} else {
		boot->scripts++;
		reply_text(request, 200, script.data);
	}
	buf_done(&script);
}

void boot_serve_chain(struct boot *boot, struct http_request *request)
{
	boot->scripts++;
	reply_text(request, 200, ipxe_chain_script());
}

static void nothing_there(struct http_request *request)
{
	reply_text(request, 404, "the guest has nothing of this name\n");
}

/* The agent opened it: this process reads no file of the host. */
static void on_file(void *data, struct http_request *request, int error, int fd, size_t length)
{
	struct boot *boot = data;
	int own = error ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (own >= 0) {
		boot->files++;
		http_reply_file(request, own, length, "application/octet-stream");
	} else if (error == -ENOENT) {
		nothing_there(request);
	} else {
		boot->failed++;
		reply_text(request, 503, "the file cannot be read now\n");
	}
}

static void serve_source(struct boot *boot, struct http_request *request,
			 const struct boot_entry *entry, const char *name, const char *source)
{
	struct ipc_request ask = { .op = IPC_OP_BOOT_FILE, .role = ROLE_VIEWER, .user = "guest" };

	if (!source || boot_source_is_url(source)) {
		nothing_there(request);
		return;
	}
	snprintf(ask.name, sizeof(ask.name), "%s", entry->guest->head.name);
	snprintf(ask.link, sizeof(ask.link), "%s", name);
	api_ask_for(boot->api, request, &ask, on_file, boot);
}

static void serve_seed(struct boot *boot, struct http_request *request,
		       const struct boot_entry *entry, const char *path)
{
	struct http_answer answer = { .status = 200, .type = "text/plain; charset=utf-8" };
	struct boot_spec spec;
	struct kit kit = { .spec = &spec };
	struct buf text;
	struct err err;
	int code = make_spec(boot, entry->guest, entry->mac, &spec, &err);

	if (boot->config->web.n_boot_listen)
		kit.listen = &boot->config->web.boot_listen[0];
	buf_init(&text, FILE_SIZE_MAX);
	if (code == 0)
		code = kit_seed_file(&kit, path, &text, &err);
	if (code == -ENOENT) {
		nothing_there(request);
	} else if (code) {
		boot->failed++;
		log_debug("no %s for guest %s: %s", path, spec.guest, err.text);
		reply_text(request, 500, "this seed cannot be made\n");
	} else {
		boot->files++;
		answer.body = text.data ? text.data : "";
		answer.length = text.len;
		http_reply(request, &answer);
	}
	buf_done(&text);
}

void boot_serve_file(struct boot *boot, struct http_request *request,
		     const struct boot_entry *entry, const struct route_match *match)
{
	char path[FILE_PATH_MAX];

	if (match->id != ROUTE_BOOT_FILE) {
		snprintf(path, sizeof(path), "%s%s",
			 match->id == ROUTE_BOOT_SEED ? "seed/" : "seed/autoinstall/", match->name);
		serve_seed(boot, request, entry, path);
	} else if (strcmp(match->name, IPXE_PATH_KERNEL) == 0) {
		serve_source(boot, request, entry, match->name, entry->guest->kernel);
	} else if (strcmp(match->name, IPXE_PATH_INITRD) == 0) {
		serve_source(boot, request, entry, match->name, entry->guest->initrd);
	} else {
		nothing_there(request);
	}
}
