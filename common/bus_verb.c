/*
 * Requests from others: who may ask what, the handlers, and the replies.
 */
#include "common/bus_inside.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/now.h"

void bus_serve(struct bus *b, const char *verb, unsigned callers, bus_handler *handler, void *user)
{
	struct bus_verb *v = calloc(1, sizeof *v);

	assert(v && strlen(verb) <= BUS_NAME_MAX);
	snprintf(v->name, sizeof v->name, "%s", verb);
	v->callers = callers;
	v->handler = handler;
	v->user = user;
	list_push_back(&b->verbs, &v->link);
}

static struct bus_verb *bus_verb_find(struct bus *b, const char *name)
{
	list_for_each(it, &b->verbs)
	{
		struct bus_verb *v = list_entry(it, struct bus_verb, link);

		if (!strcmp(v->name, name))
			return v;
	}
	return NULL;
}

/*
 * Decision B1: who says that he is a daemon must have the uid of that daemon's
 * own socket, which nobody else can make in this folder; root and our own user
 * need no proof.
 */
static bool bus_verb_is_genuine(struct bus *b, uid_t uid, enum bus_daemon claimed)
{
	char path[BUS_PATH_SIZE];
	struct stat st;

	if (uid == 0 || uid == geteuid())
		return true;
	return !bus_path(b, claimed, "req", path) && !lstat(path, &st) && st.st_uid == uid;
}

static void bus_verb_reply(struct bus_guest *guest, struct bus_frame *reply)
{
	size_t len;
	char *text;
	int rc = bus_frame_encode(reply, &text, &len);

	if (rc == -EMSGSIZE) {
		reply->status = rc;
		reply->why = "the answer is larger than a message may be";
		reply->body = NULL;
		rc = bus_frame_encode(reply, &text, &len);
	}
	if (rc)
		return;
	bus_guest_reply(guest, text, len);
	free(text);
}

static int bus_verb_run(
	struct bus *b, const struct bus_frame *request, json_t **ret_reply, char why[BUS_WHY_SIZE])
{
	struct bus_verb *v;

	if (!strcmp(request->verb, BUS_VERB_PING))
		return 0;
	if (!strcmp(request->verb, BUS_VERB_TABLE))
		return bus_table_answer(b, request->from, request->body, ret_reply, why);
	v = bus_verb_find(b, request->verb);
	if (!v) {
		snprintf(why, BUS_WHY_SIZE, "%s has no verb %s", bus_daemon_name(b->self),
			request->verb);
		return -ENOSYS;
	}
	if (!(v->callers & BUS_BIT(request->from))) {
		snprintf(why, BUS_WHY_SIZE, "%s may not ask %s for %s",
			bus_daemon_name(request->from), bus_daemon_name(b->self), v->name);
		return -EACCES;
	}
	return v->handler(v->user, request->body, ret_reply, why);
}

static void bus_verb_answer(struct bus *b, struct bus_guest *guest, const struct bus_frame *request)
{
	struct bus_frame reply = {.kind = BUS_REPLY, .id = request->id};
	char why[BUS_WHY_SIZE] = "", who[64];
	json_t *body = NULL;

	if (bus_verb_is_genuine(b, bus_guest_uid(guest), request->from)) {
		reply.status = bus_verb_run(b, request, &body, why);
	} else {
		snprintf(why, sizeof why, "uid %d is not %s's", (int)bus_guest_uid(guest),
			bus_daemon_name(request->from));
		reply.status = -EACCES;
	}
	assert(reply.status <= 0);
	if (reply.status == -EACCES) {
		b->counters.refused++;
		snprintf(who, sizeof who, "pid %d", (int)bus_guest_pid(guest));
		bus_complain(b, &b->stranger_limit, why, who);
	} else if (strcmp(request->verb, BUS_VERB_PING)) {
		b->counters.requests_served++;
	}
	reply.why = why;
	reply.body = body;
	bus_verb_reply(guest, &reply);
	json_decref(body);
}

void bus_verb_on_message(void *user, struct bus_guest *guest, const void *data, size_t len)
{
	struct bus *b = user;
	struct bus_frame request;
	char who[64];

	if (bus_frame_decode(data, len, &request)) {
		b->counters.malformed++;
		snprintf(who, sizeof who, "pid %d uid %d", (int)bus_guest_pid(guest),
			(int)bus_guest_uid(guest));
		bus_complain(b, &b->stranger_limit, "an unreadable request", who);
		return;
	}
	/* One that came too late has been given up by its sender: carrying it out would surprise
	 * him. */
	if (request.kind == BUS_REQUEST && !mono_reached(request.until, mono_now()))
		bus_verb_answer(b, guest, &request);
	bus_frame_fini(&request);
}

void bus_verb_free_all(struct bus *b)
{
	list_for_each(it, &b->verbs) free(list_entry(it, struct bus_verb, link));
}
