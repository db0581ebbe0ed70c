#include "agent/plan_notes.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/api_client.h"
#include "agent/guest_dir.h"

/* Some thousand links. */
#define LINKS_MAX (64u << 20)

static const char *text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

static void note(const struct link_wish *wish, const json_t *link, struct buf *out)
{
	const bool wants = wish->keys->monitor == MONITOR_INLINE;
	const bool is = strcmp(text(link, "monitor"), "inline") == 0;
	const json_t *holder = json_object_get(json_object_get(link, "tap"), "holder");

	if (wants && !is && json_is_object(holder))
		buf_addf(
			out,
			"! %s: it becomes inline only when its guest is attached anew: %s (pid %d) "
			"holds its tap now\n",
			wish->name, text(holder, "comm"),
			(int)json_integer_value(json_object_get(holder, "pid")));
	else if (!wants && is &&
		 json_is_true(json_object_get(json_object_get(link, "relay"), "attached")))
		buf_addf(out, "! %s: it stays inline until its guest is attached anew\n",
			 wish->name);
}

/*
 * The agent tells of links in the order of its configuration, which is as a rule that of this one.
 */
static const json_t *link_of(const json_t *links, size_t near, const char *name)
{
	const size_t n = json_array_size(links);

	for (size_t i = 0; i < n; i++) {
		const json_t *link = json_array_get(links, (near + i) % n);

		if (strcmp(text(link, "name"), name) == 0)
			return link;
	}
	return NULL;
}

/* Whether a link is to be inline, or one may be: for each that was the agent made a folder. */
static bool any_inline(const struct config *config)
{
	const struct guest_dir above = { .run_dir = config->agent.run_dir, .link = "" };
	char path[GUEST_PATH_SIZE];

	for (size_t i = 0; i < config->n_sets; i++) {
		if (config->sets[i].keys.monitor == MONITOR_INLINE)
			return true;
	}
	for (size_t i = 0; i < config->n_links; i++) {
		if (config->links[i].keys.monitor == MONITOR_INLINE)
			return true;
	}
	return guest_dir_name(&above, path, NULL) == 0 && access(path, F_OK) == 0;
}

void plan_notes(const struct config *config, struct buf *out)
{
	struct link_wish *wishes = NULL;
	json_t *links = NULL;
	struct buf answer;
	size_t n = 0;
	struct err err;

	buf_init(&answer, LINKS_MAX);
	if (any_inline(config) && config_links(config, &wishes, &n, &err) == 0 &&
	    api_get(config->agent.run_dir, "/v1/links", &answer, &err) == 0)
		links = json_loadb(answer.data, answer.len, 0, NULL);
	for (size_t i = 0; links && i < n; i++) {
		const json_t *link = link_of(links, i, wishes[i].name);

		if (link)
			note(&wishes[i], link, out);
	}
	free(wishes);
	json_decref(links);
	buf_done(&answer);
}
