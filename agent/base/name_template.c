#include "agent/base/name_template.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Finds the one conversion; `ret_width` is 0 for a plain %d. */
static int find_number(const char *s, const char **ret_start, const char **ret_end, int *ret_width)
{
	const char *start = strchr(s, '%');
	const char *end = start;
	int width = 0;

	if (!start)
		return -EINVAL;
	end++;
	if (*end == '0') {
		if (!isdigit((unsigned char)end[1]) || end[1] == '0')
			return -EINVAL;
		width = end[1] - '0';
		end += 2;
	}
	if (*end != 'd' || strchr(end, '%'))
		return -EINVAL;
	*ret_start = start;
	*ret_end = end + 1;
	*ret_width = width;
	return 0;
}

int name_template_format(const char *name_template, uint32_t number, char ret_name[IFNAME_SIZE],
			 struct err *err)
{
	const char *start, *end;
	char name[64];
	int width, len, code;

	if (find_number(name_template, &start, &end, &width) < 0)
		return err_set(err, -EINVAL,
			       "\"%s\" must have one number, as in \"web%%d\" or \"web%%02d\"",
			       name_template);
	len = snprintf(name, sizeof(name), "%.*s%0*u%s", (int)(start - name_template),
		       name_template, width, number, end);
	if (len < 0 || (size_t)len >= sizeof(name))
		return err_set(err, -EINVAL, "\"%s\" is too long for an interface name",
			       name_template);
	code = parse_ifname(name, err);
	if (code)
		return code;
	code = parse_name(name, NULL);
	if (code)
		return err_set(err, code,
			       "\"%s\" could not be written as [link %s]: a name is of a-z, 0-9, "
			       "'.', '_' and '-' and begins with a letter or digit",
			       name, name);
	memcpy(ret_name, name, (size_t)len + 1);
	return 0;
}
