#pragma once
/*
 * Shell: the API: who may ask what, and which family answers. main opens it and
 * tells it when the picture or the journal changed; it never waits for
 * anything but what a client asked it to wait for.
 */
#include <uv.h>

#include "common/nodefile.h"
#include "control/hub.h"
#include "control/journal.h"
#include "control/keeper.h"
#include "control/picture.h"

struct api;

/* Everything the API reads from and writes to; all kept. */
struct api_site {
	uv_loop_t *loop;
	const struct nodefile *nodefile;
	struct picture *picture;
	struct journal *journal;
	struct keeper *keeper;
	struct hub *hub;
	int (*inherit)(void *user, const char *name); /* see server.h */
	void *inherit_user;
};

/* 0 and the API, listening; or a negative errno after logging why. */
int api_open(const struct api_site *site, struct api **ret);
/* Before a re-execution: shows each listening socket, to be kept for the next image. */
void api_each_socket(
	const struct api *a, void (*visit)(void *user, const char *name, int fd), void *user);

/* Before the end: those who wait are answered as things are, and nothing new is begun. Then the
 * keeper is closed, which answers the rest, and then api_close() may be called. */
void api_leave(struct api *a);
/* closed(user) is called from the loop when the memory is gone. */
void api_close(struct api *a, void (*closed)(void *user), void *user);

/* The picture changed: those who wait for it look again. */
void api_changed(struct api *a);
/* The journal has new events. */
void api_events(struct api *a);
