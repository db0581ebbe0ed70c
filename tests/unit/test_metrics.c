/* links: web/metrics*.c agent/base/buf.c agent/base/stats_traffic.c */
/* links: agent/base/err.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "agent/base/buf.h"
#include "web/metrics.h"

/* Whatever a name may be one day: no value of a label ends a line, or its own quotes. */
static void values_of_labels_are_escaped(void **state)
{
	json_t *status = json_pack("{s:{s:s}, s:[{s:s, s:s, s:s, s:s, s:s}], s:[], s:[]}", "agent",
				   "version", "1", "links", "name", "a\"b\\c\nd", "set", "v",
				   "lower", "eno1", "mode", "bridge", "guest",
				   "x\"} 1\ntapwarden_evil 1", "sets", "patterns");
	json_t *health = json_object();
	const char *line;
	struct buf out;

	(void)state;
	assert_non_null(status);
	buf_init(&out, 1 << 20);
	metrics_write(status, health, &out);
	assert_false(out.failed);
	assert_non_null(strstr(out.data, "link=\"a\\\"b\\\\c\\nd\""));
	assert_non_null(strstr(out.data, "guest=\"x\\\"} 1\\ntapwarden_evil 1\""));
	assert_null(strstr(out.data, "\ntapwarden_evil"));
	assert_string_equal(out.data + out.len - 6, "# EOF\n");
	/* Every line is a comment or a sample of ours. */
	for (line = out.data; *line; line = strchr(line, '\n') + 1)
		assert_true(line[0] == '#' || strncmp(line, "tapwarden_", 10) == 0 ||
			    strncmp(line, "process_", 8) == 0);
	buf_done(&out);
	json_decref(status);
	json_decref(health);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_of_labels_are_escaped),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
