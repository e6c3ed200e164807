/* access: peers to roles, and whether a role suffices. Pure; called by the API for each request. */
#include "control/access.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char *const role_names[] = {
	[ACCESS_NOBODY] = "nobody",
	[ACCESS_VIEWER] = "viewer",
	[ACCESS_OPERATOR] = "operator",
	[ACCESS_EDITOR] = "editor",
	[ACCESS_ADMIN] = "admin",
};

int access_role_parse(const char *text, enum access_role *ret)
{
	for (size_t i = ACCESS_VIEWER; i < sizeof role_names / sizeof *role_names; i++) {
		if (strcmp(text, role_names[i]) == 0) {
			*ret = (enum access_role)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *access_role_name(enum access_role r)
{
	return role_names[r];
}

void access_from_peer(
	uint32_t uid, const char *name, enum access_role unix_role, struct access *ret)
{
	*ret = (struct access){.role = uid == 0 ? ACCESS_ADMIN : unix_role, .is_local = true};
	if (name)
		snprintf(ret->who, sizeof ret->who, "uid:%" PRIu32 "(%.64s)", uid, name);
	else
		snprintf(ret->who, sizeof ret->who, "uid:%" PRIu32, uid);
}

void access_from_network(bool is_loopback, struct access *ret)
{
	*ret = (struct access){.role = ACCESS_NOBODY, .is_loopback = is_loopback};
}

bool access_allows(enum access_role has, enum access_role needs)
{
	return has >= needs;
}
