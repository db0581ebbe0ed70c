#include "agent/boot_track.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/state_file.h"

static int64_t now_ms(void)
{
	return (int64_t)(clock_ns(CLOCK_REALTIME) / NS_PER_MS);
}

static const char *dir_of(const struct config *config)
{
	return config->agent.state_dir ? config->agent.state_dir : config->agent.run_dir;
}

static const char *state_dir(const struct agent *a)
{
	return dir_of(a->setup.config);
}

/* Two agents would each write a file without the other's guests. */
static void own_state_dir(struct agent *a)
{
	const char *dir = state_dir(a);
	int fd = -1;
	struct err err;

	a->boot_owned = state_file_dirs_are_one(dir, a->setup.config->agent.run_dir);
	if (!a->boot_owned) {
		(void)mkdir(dir, 0700); /* or what follows tells why not */
		fd = agent_lock_dir(dir, &err);
		a->boot_owned = fd != -EWOULDBLOCK;
		if (fd < 0)
			log_err("%s: %s", err.text,
				a->boot_owned ? "state-dir is used without a lock"
					      : "what guests boot next is not kept");
	}
	if (a->boot_lock >= 0)
		close(a->boot_lock);
	a->boot_lock = fd;
}

static int save(const struct agent *a, struct err *err)
{
	if (!a->boot_owned)
		return err_set(err, -EBUSY, "%s is not this agent's", state_dir(a));
	return boot_states_save(&a->boot, state_dir(a), err);
}

static void move_from(struct agent *a, const char *from)
{
	struct err err;

	if (a->boot_owned && boot_states_move(&a->boot, from, state_dir(a), &err))
		log_err("%s: what guests boot next may be lost with the agent", err.text);
}

/* The next state of any guest would be written over what may still be read of the others. */
static void set_aside(const char *dir)
{
	int code = state_file_set_aside(dir, BOOT_STATES_NAME);

	if (code)
		log_err("cannot rename %s/" BOOT_STATES_NAME ": %s: the next state of a guest is "
			"written over it",
			dir, strerror(-code));
	else
		log_warning("%s/" BOOT_STATES_NAME ".bad is what it was", dir);
}

/* Those that are kept; none when that is not for this agent to do. */
static void read_states(struct agent *a)
{
	const char *before = a->setup.config->agent.run_dir, *damaged = state_dir(a);
	struct err err;
	int code;

	if (!a->boot_owned)
		return;
	code = boot_states_load(&a->boot, state_dir(a), &err);
	/* state-dir is new: what the agent before kept is where it was. */
	if (code > 0 && strcmp(state_dir(a), before) != 0) {
		damaged = before;
		code = boot_states_load(&a->boot, before, &err);
		if (code == 0)
			move_from(a, before);
	}
	if (code < 0)
		log_err("%s: every guest boots as it is configured", err.text);
	if (code == -EINVAL || code == -EBADMSG)
		set_aside(damaged);
}

void boot_track_start(struct agent *a)
{
	own_state_dir(a);
	read_states(a);
}

void boot_track_reload(struct agent *a, const struct config *old)
{
	const bool owned = a->boot_owned;

	if (strcmp(dir_of(old), state_dir(a)) == 0)
		return;
	own_state_dir(a);
	/* The other folder's are another agent's. */
	if (owned)
		move_from(a, dir_of(old));
	else
		read_states(a);
}

void boot_track_done(struct agent *a)
{
	boot_states_done(&a->boot);
	if (a->boot_lock >= 0)
		close(a->boot_lock);
}

static void tell(struct ipc_channel *web, const struct boot_guest *guest)
{
	struct ipc_boot_state message = { .state = guest->state };

	memcpy(message.guest, guest->name, sizeof(message.guest));
	memcpy(message.token, guest->token, sizeof(message.token));
	ipc_send(web, IPC_BOOT_STATE, &message, -1);
}

void boot_track_hand_over(const struct agent *a, struct ipc_channel *web)
{
	for (size_t i = 0; i < a->boot.n; i++) {
		if (a->boot.list[i].state != BOOT_STATE_RUN &&
		    config_find_guest(a->setup.config, a->boot.list[i].name))
			tell(web, &a->boot.list[i]);
	}
}

static void emit(struct agent *a, const struct guest_conf *conf, const char *action,
		 const char *what)
{
	const struct event_about about = { .kind = IPC_EVENT_LINK,
					   .link = conf->link,
					   .action = action };

	agent_forget_status(a);
	events_emit(&a->events, worker_channel(&a->captures[0]), LOG_LEVEL_INFO, &about,
		    "guest %s: %s", conf->head.name, what);
}

/* The new state reaches the web worker and the records. */
static void changed(struct agent *a, const struct boot_guest *guest, const struct guest_conf *conf)
{
	struct ipc_channel *web = worker_channel(&a->web);

	if (web)
		tell(web, guest);
	emit(a, conf, "boot-state", boot_state_names[guest->state]);
}

void boot_track_step(struct agent *a, const struct ipc_boot_step *message)
{
	const struct guest_conf *conf = config_find_guest(a->setup.config, message->guest);
	struct boot_guest *guest = conf ? boot_states_of(&a->boot, message->guest) : NULL;
	struct err err;

	if (!guest)
		return;
	if (message->step == BOOT_STEP_SCRIPT)
		guest->booting = (enum boot_state)message->booting;
	emit(a, conf, "boot-step", boot_step_names[message->step]);
	if (!boot_guest_step(guest, (enum boot_step)message->step, message->token, now_ms()))
		return;
	if (save(a, &err))
		log_err("%s: the state of guest %s is lost with the agent", err.text, guest->name);
	changed(a, guest, conf);
}

static int check_state(const struct guest_conf *conf, enum boot_state state, struct err *err)
{
	if (state == BOOT_STATE_INSTALL && (!conf->install_kernel || !conf->install_initrd))
		return err_set(err, -EINVAL,
			       "[guest %s] has no install-kernel and install-initrd to boot",
			       conf->head.name);
	if (state == BOOT_STATE_RESCUE && (!conf->rescue_kernel || !conf->rescue_initrd))
		return err_set(err, -EINVAL,
			       "[guest %s] has no rescue-kernel and rescue-initrd to boot",
			       conf->head.name);
	return 0;
}

int boot_track_set(struct agent *a, const char *name, const char *word, struct err *err)
{
	const struct guest_conf *conf = config_find_guest(a->setup.config, name);
	enum boot_state state = boot_state_find(word);
	struct boot_guest *guest, before;
	int code;

	if (!conf)
		return err_set(err, -ENOENT, "there is no [guest %s]", name);
	if (state == BOOT_STATES)
		return err_set(err, -EINVAL,
			       "\"%s\" is no state: run, install, rescue, local and once are",
			       word);
	code = check_state(conf, state, err);
	if (code)
		return code;
	guest = boot_states_of(&a->boot, name);
	if (!guest)
		return err_errno(err, -ENOMEM, "the state of guest %s stays as it is", name);
	before = *guest;
	code = boot_guest_set(guest, state);
	if (code)
		return err_errno(err, code, "the state of guest %s stays as it is", name);
	/*
	 * An older file would send the guest where its next agent was told not to, as into an
	 * installer.
	 */
	code = save(a, err);
	if (code) {
		*guest = before;
		return err_prefix(err, code, "the state of guest %s stays as it is", name);
	}
	changed(a, guest, conf);
	return 0;
}

/* ---- for status ------------------------------------------------------------------------------ */

static json_t *time_json(int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	char text[40];
	size_t len;

	gmtime_r(&seconds, &tm);
	len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + len, sizeof(text) - len, ".%03dZ", (int)(ms % 1000));
	return json_string(text);
}

static json_t *steps_json(const struct boot_guest *guest)
{
	json_t *steps = json_object();

	for (unsigned int i = 0; guest && i < BOOT_STEPS; i++) {
		const struct boot_seen *seen = &guest->steps[i];

		if (seen->n)
			json_object_set_new(steps, boot_step_names[i],
					    json_pack("{s:o, s:I}", "time",
						      time_json(seen->time_ms), "count",
						      (json_int_t)seen->n));
	}
	return steps;
}

static json_t *mac_json(const struct agent *a, const char *link)
{
	size_t n;
	const struct reconcile_link *links = reconcile_links(a->supervisor.reconcile, &n);
	char mac[MAC_TEXT_MAX];

	for (size_t i = 0; i < n; i++) {
		if (strcmp(links[i].spec->name, link) != 0)
			continue;
		format_mac(mac, links[i].spec->mac);
		return json_string(mac);
	}
	return json_null();
}

static json_t *guest_json(const struct agent *a, const struct guest_conf *conf)
{
	static const char *const ways[] = {
		[BOOT_SAN] = "san",
		[BOOT_KERNEL] = "kernel",
		[BOOT_LOCAL] = "local",
		[BOOT_DISK] = "disk",
	};
	const struct boot_guest *guest = boot_states_find(&a->boot, conf->head.name);
	enum boot_step missing = boot_guest_missing(guest, conf);

	return json_pack(
		"{s:s, s:s, s:o, s:s, s:s?, s:s, s:s, s:s?, s:o, s:s?}", "name", conf->head.name,
		"link", conf->link, "mac", mac_json(a, conf->link), "boot", ways[conf->boot],
		"target", conf->target, "hostname",
		conf->hostname ? conf->hostname : conf->head.name, "state",
		boot_state_names[guest ? guest->state : BOOT_STATE_RUN], "booting",
		guest && guest->steps[BOOT_STEP_SCRIPT].n ? boot_state_names[guest->booting] : NULL,
		"steps", steps_json(guest), "waits_for",
		missing < BOOT_STEPS ? boot_step_names[missing] : NULL);
}

json_t *boot_track_json(const struct agent *a)
{
	const struct config *config = a->setup.config;
	json_t *list = json_array();

	for (size_t i = 0; i < config->n_guests; i++)
		json_array_append_new(list, guest_json(a, &config->guests[i]));
	return list;
}
