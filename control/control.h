#pragma once
/*
 * Shell: the daemon: keeper (store), hub (bus) and api around one picture. What
 * they do is theirs; here they are joined. Called by main only.
 */
#include "common/daemon.h"
#include "control/api/api.h"
#include "control/hub.h"
#include "control/journal.h"
#include "control/keeper.h"
#include "control/picture.h"

struct control {
	struct daemon *daemon;
	struct picture picture;
	struct journal *journal;
	struct keeper *keeper;
	struct hub *hub;
	struct api *api;
	uv_idle_t again; /* one look at the picture after all changes of a turn of the loop */
	bool is_leaving;
};

/* As in struct daemon_spec; user is a zeroed struct control. */
int control_start(struct daemon *d, void *user);
void control_leave(struct daemon *d, void *user);
json_t *control_hand_over(struct daemon *d, void *user);
