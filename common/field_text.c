/*
 * What counts as a well-formed text of each type: names, hosts, interfaces,
 * paths, request targets. Pure predicates; field_value.c asks them.
 */
#include "common/field_text.h"

#include <string.h>

#include "common/addr.h"

#define HOST_MAX 253
#define INTERFACE_MAX 15

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char digits[] = "0123456789";

bool field_text_is_line(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p < 0x20 || *p == 0x7f)
			return false;
	return *text != '\0';
}

bool field_text_is_any(const char *text)
{
	(void)text;
	return true;
}

static bool is_letter_or(const char *others, char c)
{
	return strchr(letters, c) || strchr(digits, c) || strchr(others, c);
}

/* A host name whose last label is digits would be taken for a broken IPv4 address. */
static bool is_host_name(const char *text)
{
	const char *last = strrchr(text, '.');
	size_t len = strlen(text);

	if (len == 0 || len > HOST_MAX || *text == '.' || *text == '-' || strstr(text, ".."))
		return false;
	for (const char *p = text; *p; p++)
		if (!is_letter_or("-_.", *p))
			return false;
	last = last ? last + 1 : text;
	return strspn(last, digits) < strlen(last);
}

bool field_text_is_host(const char *text)
{
	struct addr a;

	return addr_parse_ip(text, &a) == 0 || is_host_name(text);
}

bool field_text_is_host_port(const char *text)
{
	char host[HOST_MAX + 3];
	struct addr a;
	uint16_t port;

	if (addr_split_port(text, host, sizeof host, &port) < 0)
		return false;
	if (*text == '[')
		return addr_parse_ip(host, &a) == 0 && addr_family(&a) == AF_INET6;
	return field_text_is_host(host);
}

bool field_text_is_interface(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > INTERFACE_MAX || strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return false;
	for (const char *p = text; *p; p++)
		if (*p <= 0x20 || *p >= 0x7f || *p == '/' || *p == ':')
			return false;
	return true;
}

bool field_text_is_path(const char *text)
{
	return *text == '/' && field_text_is_line(text);
}

bool field_text_is_target(const char *text)
{
	if (*text != '/')
		return false;
	for (const char *p = text; *p; p++)
		if (*p <= 0x20 || *p >= 0x7f)
			return false;
	return true;
}

bool field_text_is_token(const char *text)
{
	for (const char *p = text; *p; p++)
		if (!is_letter_or("!#$%&'*+-.^_`|~", *p))
			return false;
	return *text != '\0';
}
