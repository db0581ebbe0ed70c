#include "agent/plan_notes.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "agent/api_client.h"

/* Some thousand links. */
#define STATUS_MAX (64u << 20)

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

static const json_t *link_of(const json_t *links, const char *name)
{
	const json_t *link;
	size_t i;

	json_array_foreach(links, i, link) {
		if (strcmp(text(link, "name"), name) == 0)
			return link;
	}
	return NULL;
}

void plan_notes(const struct config *config, struct buf *out)
{
	struct link_wish *wishes = NULL;
	json_t *status = NULL;
	struct buf answer;
	size_t n = 0;
	struct err err;

	buf_init(&answer, STATUS_MAX);
	if (api_get(config->agent.run_dir, "/v1/status", &answer, &err) == 0)
		status = json_loadb(answer.data, answer.len, 0, NULL);
	if (status && config_links(config, &wishes, &n, &err) == 0) {
		for (size_t i = 0; i < n; i++) {
			const json_t *link =
				link_of(json_object_get(status, "links"), wishes[i].name);

			if (link)
				note(&wishes[i], link, out);
		}
	}
	free(wishes);
	json_decref(status);
	buf_done(&answer);
}
