#include "agent/config_web.h"

#include <string.h>

#include "agent/base/schema.h"
#include "web/password_info.h"

/* Sessions and counters have a place for each. */
#define USERS_MAX 64

static bool is_loopback(const struct host_port *address)
{
	return address->ipv6 ? strcmp(address->host, "::1") == 0
			     : strncmp(address->host, "127.", 4) == 0;
}

static void check_tls(const struct web_conf *web, struct faults *faults)
{
	if (web->tls_cert && !web->tls_key)
		schema_fault(faults, &web->head, "tls-cert", "tls-key is missing beside it");
	if (web->tls_key && !web->tls_cert)
		schema_fault(faults, &web->head, "tls-key", "tls-cert is missing beside it");
	for (size_t i = 0; i < web->n_listen; i++) {
		if (!web->tls_cert && !is_loopback(&web->listen[i]))
			schema_fault(faults, &web->head, "listen",
				     "%s is no loopback address, and passwords would cross the "
				     "network in the clear: give tls-cert and tls-key",
				     web->listen[i].host);
	}
}

static const struct host_port *place(const struct web_conf *web, size_t i)
{
	return i < web->n_boot_listen ? &web->boot_listen[i] : &web->listen[i - web->n_boot_listen];
}

/* A second socket at an address would be refused when the agent starts. */
static void check_places(const struct web_conf *web, struct faults *faults)
{
	for (size_t i = 1; i < web->n_boot_listen + web->n_listen; i++) {
		const struct host_port *one = place(web, i);
		size_t k = 0;

		while (place(web, k)->port != one->port ||
		       strcmp(place(web, k)->host, one->host) != 0)
			k++;
		if (k < i)
			schema_fault(faults, &web->head,
				     i < web->n_boot_listen ? "boot-listen" : "listen",
				     "%s port %u is given twice", one->host, one->port);
	}
}

static void check_user(const struct user_conf *user, struct faults *faults)
{
	struct password_info info;
	struct err err;
	int code;

	if (!user->password)
		return;
	code = password_identify(user->password, &info, &err);
	if (code == 0 && !info.whole)
		code = err_set(&err, -1, "a setting of crypt(5), without a hash behind it");
	if (code == 0)
		code = password_check_cap(&info, &err);
	if (code)
		schema_fault(faults, &user->head, "password", "%s: `tapwarden passwd` makes one",
			     err.text);
}

void config_check_web(const struct config *config, struct faults *faults)
{
	const struct web_conf *web = &config->web;
	size_t n = web->n_listen + web->n_boot_listen;

	check_tls(web, faults);
	check_places(web, faults);
	if (n >= CONFIG_LISTENERS_MAX)
		schema_fault(faults, &web->head, web->n_boot_listen ? "boot-listen" : "listen",
			     "%zu addresses: the web worker serves at most %d", n,
			     CONFIG_LISTENERS_MAX - 1);
	if (web->n_listen && config->n_users == 0)
		schema_fault(faults, &web->head, "listen",
			     "nobody can log in there: no [user NAME] is in the file");
	if (config->n_users > USERS_MAX)
		schema_fault(faults, &config->users[USERS_MAX].head, NULL, "more than %d users",
			     USERS_MAX);
	for (size_t i = 0; i < config->n_users; i++)
		check_user(&config->users[i], faults);
}

void config_note_web(const struct config *config, struct faults *notes)
{
	for (size_t i = 0; i < config->n_users; i++) {
		const struct user_conf *user = &config->users[i];
		struct password_info info;
		const char *weak = NULL;

		if (user->password && password_identify(user->password, &info, NULL) == 0)
			weak = password_weakness(&info);
		if (weak)
			schema_fault(notes, &user->head, "password",
				     "a %s hash, weaker than policy: %s: it holds all the same",
				     info.method->name, weak);
	}
}
