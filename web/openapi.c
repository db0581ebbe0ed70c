#include "web/openapi.h"

#include <stdio.h>
#include <string.h>

#include "web/problem.h"
#include "web/routes.h"

static const char *const method_keys[] = {
	[ROUTE_GET] = "get",
	[ROUTE_POST] = "post",
	[ROUTE_DELETE] = "delete",
};

static const char *const access_names[] = {
	[ROUTE_ANYBODY] = "anybody",
	[ROUTE_VIEWER] = "viewer",
	[ROUTE_OPERATOR] = "operator",
	[ROUTE_ADMIN] = "admin",
};

static json_t *parameter(const char *name, const char *in, const char *type, const char *summary)
{
	return json_pack("{s:s, s:s, s:b, s:s, s:{s:s}}", "name", name, "in", in, "required",
			 strcmp(in, "path") == 0, "description", summary, "schema", "type", type);
}

static const char *const kind_types[] = {
	[ROUTE_NAME] = "string",
	[ROUTE_NUMBER] = "integer",
	[ROUTE_TIME] = "string",
};

static json_t *parameters(const struct route *route)
{
	json_t *list = json_array();

	if (strstr(route->path, "{name}"))
		json_array_append_new(list, parameter("name", "path", "string", "its name"));
	for (unsigned int p = 0; p < ROUTE_PARAMS; p++) {
		const struct route_param_info *info = &route_params[p];

		if (route->takes & (1u << p))
			json_array_append_new(list,
					      parameter(info->name, "query", kind_types[info->kind],
							info->summary));
	}
	return list;
}

static json_t *problem_response(unsigned int status)
{
	return json_pack("{s:s, s:{s:{s:{s:s}}}}", "description", problem_title(status), "content",
			 PROBLEM_TYPE, "schema", "$ref", "#/components/schemas/Problem");
}

static json_t *responses(const struct route *route)
{
	json_t *object = json_pack("{s:{s:s}}", "200", "description", route->summary);
	char key[8];

	for (unsigned int status = 400; status < 600; status++) {
		snprintf(key, sizeof(key), "%u", status);
		if (route_gives(route, status))
			json_object_set_new(object, key, problem_response(status));
	}
	return object;
}

static json_t *operation(const struct route *route)
{
	json_t *object = json_pack("{s:s, s:s, s:o, s:o}", "summary", route->summary,
				   "x-tapwarden-role", access_names[route->access], "parameters",
				   parameters(route), "responses", responses(route));

	if (route->takes & ROUTE_TAKES_BODY)
		json_object_set_new(object, "requestBody",
				    json_pack("{s:b, s:{s:{}, s:{}}}", "required", 1, "content",
					      "application/json", "application/octet-stream"));
	if (route->access == ROUTE_ANYBODY)
		json_object_set_new(object, "security", json_array());
	return object;
}

static json_t *paths(void)
{
	const unsigned int api = 1u << IPC_LISTEN_API | 1u << IPC_LISTEN_OPERATORS;
	json_t *all = json_object();

	for (size_t i = 0; i < ROUTES; i++) {
		json_t *path = json_object_get(all, routes[i].path);

		if (!(routes[i].listeners & api))
			continue;
		if (!path) {
			path = json_object();
			json_object_set_new(all, routes[i].path, path);
		}
		json_object_set_new(path, method_keys[routes[i].method], operation(&routes[i]));
	}
	return all;
}

json_t *openapi_json(void)
{
	json_t *problem = json_pack(
		"{s:s, s:[s,s,s,s], s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}}}",
		"type", "object", "required", "title", "status", "detail", "code", "properties",
		"type", "type", "string", "title", "type", "string", "status", "type", "integer",
		"detail", "type", "string", "code", "type", "string", "hint", "type", "string");

	return json_pack("{s:s, s:{s:s, s:s, s:s}, s:[{s:[]}, {s:[]}], s:o, s:{s:{s:o}, s:{s:{s:s, "
			 "s:s, s:s}, s:{s:s, s:s}}}}",
			 "openapi", "3.0.3", "info", "title", "tapwarden", "version", "1",
			 "description", "Links of guests: state, traffic, matches, boot.",
			 "security", "session", "basic", "paths", paths(), "components", "schemas",
			 "Problem", problem, "securitySchemes", "session", "type", "apiKey", "in",
			 "cookie", "name", "tapwarden", "basic", "type", "http", "scheme", "basic");
}
