#include "agent/boot_states.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "agent/base/buf.h"
#include "agent/base/parse.h"
#include "agent/base/parse_boot.h"
#include "agent/state_file.h"

/* "GUEST STATE TOKEN", the token "-" for none. */
#define LINE_MAX_LEN 128
#define GUESTS_MAX   65536
#define FILE_MAX     ((size_t)GUESTS_MAX * LINE_MAX_LEN)

void boot_states_done(struct boot_states *states)
{
	free(states->list);
	*states = (struct boot_states){ 0 };
}

const struct boot_guest *boot_states_find(const struct boot_states *states, const char *name)
{
	for (size_t i = 0; i < states->n; i++) {
		if (strcmp(states->list[i].name, name) == 0)
			return &states->list[i];
	}
	return NULL;
}

struct boot_guest *boot_states_of(struct boot_states *states, const char *name)
{
	const struct boot_guest *known = boot_states_find(states, name);
	struct boot_guest *list;

	if (known)
		return &states->list[known - states->list];
	if (states->n == GUESTS_MAX)
		return NULL;
	list = reallocarray(states->list, states->n + 1, sizeof(*list));
	if (!list)
		return NULL;
	states->list = list;
	list[states->n] = (struct boot_guest){ .state = BOOT_STATE_RUN };
	snprintf(list[states->n].name, sizeof(list->name), "%s", name);
	return &list[states->n++];
}

int boot_guest_set(struct boot_guest *guest, enum boot_state state)
{
	uint8_t bytes[(BOOT_TOKEN_SIZE - 1) / 2];

	if (state == BOOT_STATE_INSTALL && getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return -EIO;
	guest->state = state;
	memset(guest->token, 0, sizeof(guest->token));
	for (size_t i = 0; state == BOOT_STATE_INSTALL && i < sizeof(bytes); i++)
		snprintf(guest->token + 2 * i, 3, "%02x", bytes[i]);
	memset(guest->steps, 0, sizeof(guest->steps));
	return 0;
}

bool boot_guest_step(struct boot_guest *guest, enum boot_step step, const char *token,
		     int64_t now_ms)
{
	struct boot_seen *seen = &guest->steps[step];
	enum boot_state next = guest->state;

	if (step == BOOT_STEP_MENU ||
	    (step == BOOT_STEP_SCRIPT &&
	     (!guest->steps[BOOT_STEP_MENU].n || guest->steps[BOOT_STEP_SCRIPT].n)))
		memset(guest->steps, 0, sizeof(guest->steps));
	seen->time_ms = now_ms;
	seen->n++;
	if (step == BOOT_STEP_SCRIPT && next == BOOT_STATE_ONCE)
		next = BOOT_STATE_LOCAL;
	else if (step == BOOT_STEP_HOME && next == BOOT_STATE_INSTALL && token[0] &&
		 strcmp(token, guest->token) == 0)
		next = BOOT_STATE_RUN;
	if (next == guest->state)
		return false;
	/* The steps of this boot stay to be seen. */
	guest->state = next;
	memset(guest->token, 0, sizeof(guest->token));
	return true;
}

static bool is_served(const char *source)
{
	return source && !boot_source_is_url(source);
}

/* What of this host the guest fetches in its state. */
static unsigned int expected(enum boot_state state, const struct guest_conf *conf)
{
	const char *kernel = conf->kernel, *initrd = conf->initrd;
	unsigned int steps = 0;

	if (state == BOOT_STATE_LOCAL)
		return 0;
	if (state == BOOT_STATE_INSTALL) {
		kernel = conf->install_kernel;
		initrd = conf->install_initrd;
		steps |= 1u << BOOT_STEP_HOME;
	} else if (state == BOOT_STATE_RESCUE) {
		kernel = conf->rescue_kernel;
		initrd = conf->rescue_initrd;
	} else if (conf->boot != BOOT_KERNEL) {
		kernel = initrd = NULL;
	}
	steps |= is_served(kernel) ? 1u << BOOT_STEP_KERNEL : 0;
	steps |= is_served(initrd) ? 1u << BOOT_STEP_INITRD : 0;
	return steps;
}

enum boot_step boot_guest_missing(const struct boot_guest *guest, const struct guest_conf *conf)
{
	unsigned int steps, step = 0;

	if (!guest || (!guest->steps[BOOT_STEP_SCRIPT].n && !guest->steps[BOOT_STEP_MENU].n))
		return BOOT_STEPS;
	if (!guest->steps[BOOT_STEP_SCRIPT].n)
		return BOOT_STEP_SCRIPT;
	steps = expected(guest->booting, conf);
	while (step < BOOT_STEPS && (!(steps & (1u << step)) || guest->steps[step].n))
		step++;
	return (enum boot_step)step;
}

/* ---- the file ------------------------------------------------------------------------------- */

static bool is_token(const char *word)
{
	return strlen(word) == BOOT_TOKEN_SIZE - 1 &&
	       strspn(word, "0123456789abcdef") == BOOT_TOKEN_SIZE - 1;
}

static int parse_line(struct boot_states *states, char *line, struct err *err)
{
	char *rest = line, *name = strsep(&rest, " "), *word = strsep(&rest, " ");
	const char *token = strsep(&rest, " ");
	struct boot_guest *guest;
	enum boot_state state;

	if (!token || rest || parse_name(name, NULL) ||
	    (strcmp(token, "-") != 0 && !is_token(token)))
		return err_set(err, -EINVAL, "a line is GUEST STATE TOKEN");
	state = boot_state_find(word);
	if (state == BOOT_STATES)
		return err_set(err, -EINVAL, "there is no state \"%s\"", word);
	guest = boot_states_of(states, name);
	if (!guest)
		return err_set(err, -ENOMEM, "no room for them");
	guest->state = state;
	if (is_token(token))
		memcpy(guest->token, token, BOOT_TOKEN_SIZE);
	return 0;
}

int boot_states_load(struct boot_states *states, const char *dir, struct err *err)
{
	struct boot_states read = { 0 };
	struct buf text;
	char *rest, *line;
	int code;

	buf_init(&text, FILE_MAX);
	code = state_file_load(dir, BOOT_STATES_NAME, &text, err);
	buf_addc(&text, '\0');
	rest = code || text.failed ? NULL : text.data;
	while ((line = strsep(&rest, "\n")) && code == 0)
		code = *line ? parse_line(&read, line, err) : 0;
	buf_done(&text);
	if (code && code != -ENOENT) {
		boot_states_done(&read);
		return err_prefix(err, code, "%s/" BOOT_STATES_NAME, dir);
	}
	boot_states_done(states);
	*states = read;
	return code ? 1 : 0;
}

int boot_states_save(const struct boot_states *states, const char *dir, struct err *err)
{
	struct buf text;
	int code;

	buf_init(&text, FILE_MAX);
	for (size_t i = 0; i < states->n; i++) {
		const struct boot_guest *guest = &states->list[i];

		if (guest->state != BOOT_STATE_RUN)
			buf_addf(&text, "%s %s %s\n", guest->name, boot_state_names[guest->state],
				 guest->token[0] ? guest->token : "-");
	}
	code = state_file_write(dir, BOOT_STATES_NAME, &text);
	buf_done(&text);
	return code ? err_errno(err, code, "cannot write %s/" BOOT_STATES_NAME, dir) : 0;
}

int boot_states_move(const struct boot_states *states, const char *from, const char *to,
		     struct err *err)
{
	int code = boot_states_save(states, to, err);

	if (code || state_file_dirs_are_one(from, to))
		return code;
	code = state_file_remove(from, BOOT_STATES_NAME);
	return code ? err_errno(err, code, "cannot remove %s/" BOOT_STATES_NAME, from) : 0;
}
