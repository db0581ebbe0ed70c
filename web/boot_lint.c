#include "web/boot_lint.h"

#include "web/finding.h"
#include "web/ipxe_lint.h"
#include "web/ipxe_script.h"
#include "web/reply.h"

static json_t *findings_json(const struct findings *findings)
{
	json_t *list = json_array();

	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *f = &findings->v[i];

		json_array_append_new(list,
				      json_pack("{s:i, s:s, s:s}", "line", (int)f->line, "level",
						finding_level_name(f->level), "text", f->text));
	}
	return list;
}

void boot_lint_serve(const struct boot *boot, struct http_request *request,
		     const struct guest_conf *guest)
{
	struct findings findings = { 0 };
	struct buf script;
	struct err err;
	uint32_t caps;
	int code;

	buf_init(&script, IPXE_SCRIPT_MAX);
	code = boot_script_of(boot, guest, boot_entry_of(boot, guest), &script, &caps, &err);
	if (!code)
		code = ipxe_lint(script.data, script.len, caps, &findings, &err);
	if (code)
		reply_problem(request, 500, "script.failed", err.text, NULL);
	else
		reply_object(request, json_pack("{s:o}", "findings", findings_json(&findings)),
			     NULL);
	findings_done(&findings);
	buf_done(&script);
}
