/* journal: the ring of events. An event's place is its count modulo the ring's size; ids may have
 * gaps. */
#include "control/journal.h"

#include <stdlib.h>
#include <string.h>

#include "common/report.h"

struct journal_entry {
	uint64_t id;
	json_t *event; /* owned, with id and time */
};

struct journal {
	struct journal_entry entries[JOURNAL_EVENTS_MAX];
	uint64_t added; /* how many ever */
	uint64_t newest;
};

struct journal *journal_new(void)
{
	return calloc(1, sizeof(struct journal));
}

void journal_free(struct journal *j)
{
	if (!j)
		return;
	for (size_t i = 0; i < JOURNAL_EVENTS_MAX; i++)
		json_decref(j->entries[i].event);
	free(j);
}

uint64_t journal_newest(const struct journal *j)
{
	return j->newest;
}

void journal_begin_at(struct journal *j, uint64_t id)
{
	if (id > j->newest)
		j->newest = id;
}

uint64_t journal_add(struct journal *j, uint64_t id, struct wall time, const json_t *event)
{
	struct journal_entry *e = &j->entries[j->added % JOURNAL_EVENTS_MAX];
	char text[WALL_TEXT_SIZE];
	json_t *whole;

	if (!json_is_object(event))
		return 0;
	id = id > j->newest ? id : j->newest + 1;
	whole = json_pack("{s:I, s:s}", "id", (json_int_t)id, "time", wall_print(time, text));
	if (!whole || json_object_update_missing(whole, (json_t *)(uintptr_t)event) < 0) {
		json_decref(whole);
		return 0;
	}
	json_decref(e->event);
	*e = (struct journal_entry){id, whole};
	j->added++;
	j->newest = id;
	return id;
}

static const struct journal_entry *entry_at(const struct journal *j, uint64_t count)
{
	return &j->entries[count % JOURNAL_EVENTS_MAX];
}

/* The count of the first kept entry above an id. Binary search: ids grow with counts. */
static uint64_t first_above(const struct journal *j, uint64_t id)
{
	uint64_t low = j->added > JOURNAL_EVENTS_MAX ? j->added - JOURNAL_EVENTS_MAX : 0;
	uint64_t high = j->added;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (entry_at(j, middle)->id > id)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* The kind goes on a line of its own: only a plain word may stand there. */
static const char *kind_of(const json_t *event)
{
	const char *kind = json_string_value(json_object_get(event, "kind"));
	size_t len = kind ? strspn(kind, "abcdefghijklmnopqrstuvwxyz-") : 0;

	return len > 0 && len < JOURNAL_KIND_SIZE && !kind[len] ? kind : "event";
}

void journal_print_sse(const struct journal *j, uint64_t *cursor, struct buf *out)
{
	for (uint64_t i = first_above(j, *cursor); i < j->added; i++) {
		const struct journal_entry *e = entry_at(j, i);
		char *text = json_dumps(e->event, JSON_COMPACT);
		size_t len = text ? strlen(text) : 0;

		if (!text || out->len + len + JOURNAL_KIND_SIZE + 64 > out->maximum) {
			free(text);
			return;
		}
		buf_printf(out, "id: %llu\nevent: %s\ndata: %s\n\n", (unsigned long long)e->id,
			kind_of(e->event), text);
		free(text);
		*cursor = e->id;
	}
}

json_t *journal_list(const struct journal *j, uint64_t since, size_t limit)
{
	json_t *list = json_array();
	uint64_t first = first_above(j, since);

	if (j->added - first > limit)
		first = j->added - limit;
	for (; first < j->added; first++)
		json_array_append(list, entry_at(j, first)->event);
	return list;
}
