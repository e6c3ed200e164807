/* See row.h. */
#include "common/row.h"

#include <errno.h>
#include <string.h>

#include "common/wall.h"

#define TEXT_MAX 4096 /* longer ones are repaired only up to here */

static bool is_absent(const json_t *value)
{
	return !value || json_is_null(value);
}

bool row_get_text(const json_t *row, const char *key, char *ret, size_t size)
{
	const json_t *value = json_object_get(row, key);
	const char *text = is_absent(value) ? "" : json_string_value(value);
	size_t len;

	if (!text)
		return false;
	len = strlen(text);
	if (len >= size) {
		len = size - 1;
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(ret, text, len);
	ret[len] = '\0';
	return true;
}

bool row_get_integer(const json_t *row, const char *key, int64_t minimum, int64_t *ret)
{
	const json_t *value = json_object_get(row, key);

	if (!json_is_integer(value) || json_integer_value(value) < minimum)
		return false;
	*ret = json_integer_value(value);
	return true;
}

bool row_get_wall(const json_t *row, const char *key, struct wall *ret)
{
	const json_t *value = json_object_get(row, key);

	if (is_absent(value)) {
		ret->ms = 0;
		return true;
	}
	return json_is_string(value) && wall_parse(json_string_value(value), ret) == 0;
}

int row_word_parse(const char *const *words, size_t count, const char *text, int *ret)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(words[i], text) == 0) {
			*ret = (int)i;
			return 0;
		}
	return -EINVAL;
}

bool row_get_word(
	const json_t *row, const char *key, const char *const *words, size_t count, int *ret)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text && row_word_parse(words, count, text, ret) == 0;
}

void row_set_text(json_t *row, const char *key, const char *text)
{
	char clean[TEXT_MAX];
	size_t len;

	if (json_object_set_new(row, key, json_string(text)) == 0)
		return;
	len = strnlen(text, sizeof clean - 1);
	for (size_t i = 0; i < len; i++)
		clean[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
	clean[len] = '\0';
	json_object_set_new(row, key, json_string(clean));
}

void row_set_integer(json_t *row, const char *key, int64_t n)
{
	json_object_set_new(row, key, json_integer(n));
}

void row_set_wall(json_t *row, const char *key, struct wall t)
{
	char text[WALL_TEXT_SIZE];

	json_object_set_new(row, key, t.ms == 0 ? json_null() : json_string(wall_print(t, text)));
}
