#include "web/boot_spec.h"

#include <errno.h>
#include <string.h>

static int check_names(const struct boot_spec *spec, const struct target_conf *target,
		       struct err *err)
{
	int code = parse_iscsi_name(spec->initiator, err);

	if (code)
		return err_prefix(err, code, "[guest %s] initiator", spec->guest);
	code = parse_iscsi_name(spec->target, err);
	if (code)
		return err_prefix(err, code, "[target %s] name", target->head.name);
	return 0;
}

static int check_portals(const struct target_conf *target, struct err *err)
{
	const char *name = target->head.name;

	if (target->n_portals == 0)
		return err_set(err, -EINVAL, "[target %s] portal: none is given", name);
	if (target->n_portals > BOOT_PORTALS_MAX)
		return err_set(err, -EINVAL, "[target %s] portal: %zu are given: %d are the most",
			       name, target->n_portals, BOOT_PORTALS_MAX);
	for (size_t i = 0; i < target->n_portals; i++) {
		const struct host_port *a = &target->portals[i];

		for (size_t j = 0; j < i; j++) {
			const struct host_port *b = &target->portals[j];

			if (a->port == b->port && strcmp(a->host, b->host) == 0)
				return err_set(err, -EINVAL,
					       "[target %s] portal: %s port %u is given twice",
					       name, a->host, a->port);
		}
	}
	return 0;
}

/* iPXE fails a login that has only one half of the pair ("bad credential mix"). */
static int check_chap(const struct target_conf *target, struct err *err)
{
	const char *name = target->head.name;
	size_t len;

	if (!target->chap_user && !target->chap_secret && !target->chap_secret_file)
		return 0;
	if (!target->chap_user)
		return err_set(err, -EINVAL, "[target %s] chap-user: missing beside the secret",
			       name);
	if (!target->chap_secret)
		return err_set(err, -EINVAL,
			       "[target %s] chap-secret-file: the secret of user \"%s\" is missing",
			       name, target->chap_user);
	len = strlen(target->chap_user);
	if (len < 1 || len > CHAP_USER_MAX)
		return err_set(err, -EINVAL,
			       "[target %s] chap-user: %zu bytes long: 1 to %d can be", name, len,
			       CHAP_USER_MAX);
	len = strlen(target->chap_secret);
	if (len < CHAP_SECRET_MIN || len > CHAP_SECRET_MAX)
		return err_set(err, -EINVAL,
			       "[target %s] chap-secret: %zu bytes long: %d to %d can be", name,
			       len, CHAP_SECRET_MIN, CHAP_SECRET_MAX);
	return 0;
}

int boot_spec_init(struct boot_spec *ret, const struct config *config,
		   const struct guest_conf *guest, struct err *err)
{
	const struct target_conf *target;
	struct boot_spec spec = { .guest = guest->head.name, .initiator = guest->initiator };
	int code;

	target = guest->target ? config_find_target(config, guest->target) : NULL;
	if (!target)
		return err_set(err, -EINVAL, "[guest %s] target: %s%s", spec.guest,
			       guest->target ? "there is no target " : "none is given",
			       guest->target ? guest->target : "");
	if (!guest->initiator)
		return err_set(err, -EINVAL, "[guest %s] initiator: none is given", spec.guest);
	spec.target = target->name;
	spec.portals = target->portals;
	spec.n_portals = target->n_portals;
	spec.lun = target->lun;
	spec.chap_user = target->chap_user;
	spec.chap_secret = target->chap_secret;
	code = check_names(&spec, target, err);
	if (!code)
		code = check_portals(target, err);
	if (!code)
		code = check_chap(target, err);
	if (code)
		return code;
	if (spec.lun > BOOT_LUN_MAX)
		return err_set(err, -EINVAL, "[target %s] lun: %u is above %d", target->head.name,
			       spec.lun, BOOT_LUN_MAX);
	*ret = spec;
	return 0;
}
