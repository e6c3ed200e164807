/* See rewrite.h. */
#include "data/http/rewrite.h"

#include <assert.h>
#include <string.h>

#include "data/http/h1_word.h"

#define LENGTHS 64 /* of names; longer ones share a bit */

/* Compiling */

static struct rewrite_run run_of(const char *text)
{
	return (struct rewrite_run){text, text ? strlen(text) : 0};
}

static int compile_text(struct arena *a, const char *text, struct rewrite_text *ret)
{
	struct template_piece piece;
	const char *at = text;
	size_t count = 0;

	while (template_next(&at, &piece) == 0)
		count++;
	ret->pieces = arena_alloc(a, count, sizeof *ret->pieces);
	if (!ret->pieces)
		return -1;
	at = text;
	while (ret->count < count && template_next(&at, &piece) == 0)
		ret->pieces[ret->count++] = piece;
	return 0;
}

static int compile_lines(struct arena *a, const struct conf_texts *texts, struct rewrite_edit *e)
{
	for (size_t i = 0; i < texts->count; i++) {
		struct rewrite_line *line = &e->lines[e->lines_count++];

		line->name = run_of(texts->items[i].name);
		if (compile_text(a, texts->items[i].value, &line->value) < 0)
			return -1;
	}
	return 0;
}

static void drop(struct rewrite_edit *e, const char *name)
{
	struct rewrite_run run = run_of(name);

	e->dropped[e->dropped_count++] = run;
	e->drops |= UINT64_C(1) << (run.len < LENGTHS ? run.len : LENGTHS - 1);
}

static int compile_edit(struct arena *a, const struct conf_edit *from, struct rewrite_edit *e)
{
	e->dropped = arena_alloc(a, from->remove_count + from->set.count, sizeof *e->dropped);
	e->lines = arena_alloc(a, from->set.count + from->add.count, sizeof *e->lines);
	if (!e->dropped || !e->lines)
		return -1;
	for (size_t i = 0; i < from->remove_count; i++)
		drop(e, from->remove[i]);
	for (size_t i = 0; i < from->set.count; i++)
		drop(e, from->set.items[i].name);
	if (compile_lines(a, &from->set, e) < 0)
		return -1;
	return compile_lines(a, &from->add, e);
}

static bool is_edited(const struct conf_edit *e)
{
	return e->set.count || e->add.count || e->remove_count;
}

static bool wants_target(const struct rewrite_edit *e)
{
	for (size_t i = 0; i < e->lines_count; i++)
		for (size_t k = 0; k < e->lines[i].value.count; k++) {
			enum template_variable v = e->lines[i].value.pieces[k].variable;

			if (v == TEMPLATE_PATH || v == TEMPLATE_QUERY)
				return true;
		}
	return false;
}

int rewrite_new(struct arena *a, const struct conf_route *route, struct rewrite **ret)
{
	struct rewrite *w;

	*ret = NULL;
	if (!is_edited(&route->request_headers) && !is_edited(&route->response_headers) &&
		!route->rewrite && !route->redirect)
		return 0;
	w = arena_alloc(a, 1, sizeof *w);
	if (!w || compile_edit(a, &route->request_headers, &w->request) < 0 ||
		compile_edit(a, &route->response_headers, &w->response) < 0)
		return -1;
	w->wants_target = wants_target(&w->response);
	if (route->rewrite) {
		w->path_prefix = run_of(route->rewrite->path_prefix);
		w->host = run_of(route->rewrite->host);
	}
	if (route->redirect) {
		w->keeps_query = !strchr(route->redirect->to, '?') &&
				 !strstr(route->redirect->to, "${query}");
		if (compile_text(a, route->redirect->to, &w->location) < 0)
			return -1;
	}
	*ret = w;
	return 0;
}

/* Per request */

bool rewrite_drops(const struct rewrite_edit *e, const char *name, size_t len)
{
	if (!e || !(e->drops & UINT64_C(1) << (len < LENGTHS ? len : LENGTHS - 1)))
		return false;
	for (size_t i = 0; i < e->dropped_count; i++)
		if (e->dropped[i].len == len && h1_is_same(e->dropped[i].text, name, len))
			return true;
	return false;
}

static struct rewrite_run value_of(const struct template_piece *p, const struct rewrite_values *v)
{
	if (p->variable == TEMPLATE_TEXT)
		return (struct rewrite_run){p->text, p->len};
	return v->of[p->variable];
}

size_t rewrite_text_size(const struct rewrite_text *t, const struct rewrite_values *v)
{
	size_t size = 0;

	for (size_t i = 0; i < t->count; i++)
		size += value_of(&t->pieces[i], v).len;
	return size;
}

size_t rewrite_text_print(const struct rewrite_text *t, const struct rewrite_values *v, char *out)
{
	size_t len = 0;

	for (size_t i = 0; i < t->count; i++) {
		struct rewrite_run run = value_of(&t->pieces[i], v);

		for (size_t k = 0; k < run.len; k++)
			out[len++] = h1_is(run.text[k], H1_VALUE) ? run.text[k] : '_';
	}
	return len;
}

size_t rewrite_size(const struct rewrite_edit *e, const struct rewrite_values *v)
{
	size_t size = 0;

	for (size_t i = 0; i < e->lines_count; i++)
		size += e->lines[i].name.len + rewrite_text_size(&e->lines[i].value, v) + 4;
	return size;
}

size_t rewrite_print(const struct rewrite_edit *e, const struct rewrite_values *v, char *out)
{
	size_t len = 0;

	for (size_t i = 0; i < e->lines_count; i++) {
		const struct rewrite_line *line = &e->lines[i];

		memcpy(out + len, line->name.text, line->name.len);
		len += line->name.len;
		memcpy(out + len, ": ", 2);
		len += 2;
		len += rewrite_text_print(&line->value, v, out + len);
		memcpy(out + len, "\r\n", 2);
		len += 2;
	}
	return len;
}

/* "//host" and "/\host" would be another host to a browser. */
static size_t one_slash(char *out, size_t len)
{
	size_t extra = 0;

	if (len == 0 || (out[0] != '/' && out[0] != '\\'))
		return len;
	while (1 + extra < len && (out[1 + extra] == '/' || out[1 + extra] == '\\'))
		extra++;
	memmove(out + 1, out + 1 + extra, len - 1 - extra);
	return len - extra;
}

size_t rewrite_location(
	const struct rewrite *w, const struct rewrite_values *v, char *out, size_t size)
{
	struct rewrite_run query = v->of[TEMPLATE_QUERY];
	bool adds_query = w->keeps_query && query.len;
	size_t len = rewrite_text_size(&w->location, v);

	if (len + (adds_query ? query.len + 1 : 0) > size)
		return 0;
	len = one_slash(out, rewrite_text_print(&w->location, v, out));
	if (adds_query) {
		out[len++] = '?';
		memcpy(out + len, query.text, query.len);
		len += query.len;
	}
	return len;
}
