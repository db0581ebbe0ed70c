/* What a guest is given: its script, its kernel and initrd, its seeds. */
#include "web/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "web/ipxe_menu.h"
#include "web/ipxe_script.h"
#include "web/kit.h"
#include "web/reply.h"

static int script_for(const struct boot *boot, const struct guest_conf *guest,
		      const struct boot_entry *entry, const struct ipxe_serving *serving,
		      struct buf *out, uint32_t *ret_caps, struct err *err)
{
	struct boot_spec spec;
	int code = boot_spec_init(&spec, boot->config, guest, err);

	if (!code && entry)
		memcpy(spec.mac, entry->mac, MAC_LEN);
	if (!code)
		code = ipxe_script_of(&spec, serving, out, err);
	if (!code)
		*ret_caps = spec.caps;
	return code;
}

static struct ipxe_serving serving_of(const struct boot *boot, enum boot_state state, bool chosen)
{
	return (struct ipxe_serving){
		.state = state,
		.chosen = chosen,
		.listen = boot->config->web.n_boot_listen ? &boot->config->web.boot_listen[0]
							  : NULL,
	};
}

int boot_script_of(const struct boot *boot, const struct guest_conf *guest,
		   const struct boot_entry *entry, struct buf *out, uint32_t *ret_caps,
		   struct err *err)
{
	const struct ipxe_serving serving =
		serving_of(boot, entry ? entry->state : BOOT_STATE_RUN, false);

	return script_for(boot, guest, entry, &serving, out, ret_caps, err);
}

/* NULL when it cannot be made; freed by the caller. */
static char *make_script(const struct boot *boot, const struct guest_conf *guest,
			 const struct boot_entry *entry, const struct ipxe_serving *serving)
{
	struct buf script;
	uint32_t caps;
	struct err err;
	int code;

	buf_init(&script, IPXE_SCRIPT_MAX);
	code = script_for(boot, guest, entry, serving, &script, &caps, &err);
	if (code)
		log_debug("no script for guest %s: %s", guest->head.name, err.text);
	else
		return buf_take(&script);
	buf_done(&script);
	return NULL;
}

static void reply_script(struct boot *boot, struct http_request *request, const char *script)
{
	if (script) {
		boot->scripts++;
		reply_text(request, 200, script);
	} else {
		boot->failed++;
		reply_text(request, 500, "the boot script of this guest cannot be made\n");
	}
}

/*
 * Besides what is served a script depends on the configuration alone, and another has another
 * worker.
 */
static void reply_own(struct boot *boot, struct http_request *request, struct boot_entry *entry,
		      const struct ipxe_serving *serving)
{
	if (!entry->script || entry->script_state != serving->state ||
	    entry->script_chosen != serving->chosen) {
		free(entry->script);
		entry->script = make_script(boot, entry->guest, entry, serving);
		entry->script_state = serving->state;
		entry->script_chosen = serving->chosen;
	}
	reply_script(boot, request, entry->script);
}

void boot_serve_guest(struct boot *boot, struct http_request *request,
		      const struct guest_conf *guest)
{
	const struct boot_entry *entry = boot_entry_of(boot, guest);
	const struct ipxe_serving serving =
		serving_of(boot, entry ? entry->state : BOOT_STATE_RUN, false);
	char *script = make_script(boot, guest, entry, &serving);

	reply_script(boot, request, script);
	free(script);
}

/* The script of a state. One that ends the state is told each time, and is given once. */
static void serve_state(struct boot *boot, struct http_request *request, struct boot_entry *entry,
			enum boot_state state)
{
	const struct ipxe_serving serving = serving_of(boot, state, true);
	const bool ends = entry->state == BOOT_STATE_ONCE &&
			  ipxe_menu_default(state) == BOOT_STATE_RUN;

	entry->booting = state;
	boot_tell(boot, request, entry, BOOT_STEP_SCRIPT, ends);
	/* Before the agent says so: the next request may be here already. */
	if (ends && !http_is_head(request))
		entry->state = BOOT_STATE_LOCAL;
	reply_own(boot, request, entry, &serving);
}

void boot_serve_script(struct boot *boot, struct http_request *request, struct boot_entry *entry)
{
	const struct ipxe_serving serving = serving_of(boot, entry->state, false);

	if (!entry->guest->menu) {
		serve_state(boot, request, entry, entry->state);
		return;
	}
	boot_tell(boot, request, entry, BOOT_STEP_MENU, false);
	reply_own(boot, request, entry, &serving);
}

/* Whether `name` is a state of its menu, which is served then. */
static bool serve_choice(struct boot *boot, struct http_request *request, struct boot_entry *entry,
			 const char *name)
{
	enum boot_state state = boot_state_find(name);

	if (state == BOOT_STATES ||
	    !(ipxe_menu_offers(entry->guest->menu, entry->state) & 1u << state))
		return false;
	serve_state(boot, request, entry, state);
	return true;
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
	int own = error || !request ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (!request)
		return;
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

static void ask_file(struct boot *boot, struct http_request *request,
		     const struct boot_entry *entry, const char *name)
{
	struct ipc_request ask = { .op = IPC_OP_BOOT_FILE, .role = ROLE_VIEWER, .user = "guest" };

	snprintf(ask.name, sizeof(ask.name), "%s", entry->guest->head.name);
	snprintf(ask.link, sizeof(ask.link), "%.15s", name);
	api_ask_for(boot->api, request, &ask, on_file, boot);
}

static void serve_seed(struct boot *boot, struct http_request *request,
		       const struct boot_entry *entry, const char *path)
{
	struct http_answer answer = { .status = 200, .type = "text/plain; charset=utf-8" };
	struct boot_spec spec;
	struct kit kit = { .spec = &spec, .token = entry->token[0] ? entry->token : NULL };
	struct buf text;
	struct err err;
	int code = boot_spec_init(&spec, boot->config, entry->guest, &err);

	if (code == 0)
		memcpy(spec.mac, entry->mac, MAC_LEN);
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

/* Every byte is looked at, whatever the first says. */
static bool is_token(const char *given, const char *token)
{
	unsigned char differs = 0;

	if (strlen(given) != strlen(token))
		return false;
	for (size_t i = 0; token[i]; i++)
		differs |= (unsigned char)(given[i] ^ token[i]);
	return differs == 0;
}

/* With the token that its seed was given, the guest says that it is installed. */
static void serve_home(struct boot *boot, struct http_request *request, struct boot_entry *entry)
{
	static const char name[] = "?token=";
	const char *given = strstr(request->target, name);
	bool good = entry->token[0] && given && is_token(given + strlen(name), entry->token);

	if (entry->token[0] && !good) {
		boot->homes_refused++;
		reply_text(request, 403, "this is not the token that was given out\n");
		return;
	}
	boot_tell(boot, request, entry, BOOT_STEP_HOME, good);
	/* It is good once. */
	if (!http_is_head(request))
		memset(entry->token, 0, sizeof(entry->token));
	reply_text(request, 200, "welcome\n");
}

static const struct {
	const char *name;
	enum boot_step step;
} files[] = {
	{ IPXE_PATH_KERNEL, BOOT_STEP_KERNEL },
	{ IPXE_PATH_INITRD, BOOT_STEP_INITRD },
	{ IPXE_PATH_INSTALL_KERNEL, BOOT_STEP_KERNEL },
	{ IPXE_PATH_INSTALL_INITRD, BOOT_STEP_INITRD },
	{ IPXE_PATH_RESCUE_KERNEL, BOOT_STEP_KERNEL },
	{ IPXE_PATH_RESCUE_INITRD, BOOT_STEP_INITRD },
};

void boot_serve_file(struct boot *boot, struct http_request *request, struct boot_entry *entry,
		     const struct route_match *match)
{
	char path[FILE_PATH_MAX];

	if (match->id != ROUTE_BOOT_FILE) {
		snprintf(path, sizeof(path), "%s%s",
			 match->id == ROUTE_BOOT_SEED ? "seed/" : "seed/autoinstall/", match->name);
		boot_tell(boot, request, entry, BOOT_STEP_SEED, false);
		serve_seed(boot, request, entry, path);
		return;
	}
	if (strcmp(match->name, "phone-home") == 0) {
		serve_home(boot, request, entry);
		return;
	}
	if (serve_choice(boot, request, entry, match->name))
		return;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (strcmp(files[i].name, match->name) != 0)
			continue;
		boot_tell(boot, request, entry, files[i].step, false);
		ask_file(boot, request, entry, match->name);
		return;
	}
	nothing_there(request);
}
