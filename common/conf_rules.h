#pragma once
/* What must fit together in a document beyond its single fields. Private to conf. */
#include "common/conf.h"
#include "common/field.h"

/*
 * Adds a problem for each rule that c breaks: names used twice, references
 * that lead nowhere, addresses bound twice, virtual routers that clash. c may
 * have gaps where fields were refused; what is missing is not reported again.
 */
void conf_rules(const struct conf *c, struct field_reader *r);
/* The part of it about instances and VIPs (conf_rules_vip.c). */
void conf_rules_vips(const struct conf *c, struct field_reader *r);
/* The part of it about links, flaps and bypass (conf_rules_links.c). */
void conf_rules_links(const struct conf *c, struct field_reader *r);
/* The part of it about tracks, standing checks and sync groups (conf_rules_track.c). */
void conf_rules_tracks(const struct conf *c, struct field_reader *r);
/* The part of it about certificates and who uses them (conf_rules_tls.c). */
void conf_rules_tls(const struct conf *c, struct field_reader *r);
/* The part of it about tcp, udp and tls, and the PROXY protocol (conf_rules_l4.c). */
void conf_rules_l4(const struct conf *c, struct field_reader *r);
/* The part of it about compression (conf_rules_compress.c). */
void conf_rules_compress(const struct conf *c, struct field_reader *r);
/* The part of it about how a pool's servers are chosen (conf_rules_pool.c): of pool number n. */
void conf_rules_pool(const struct conf *c, struct field_reader *r, size_t n);

/*
 * Adds a problem at LIST[NAME] for each item whose text was seen before; items
 * are count structs of stride bytes that begin with a name (NULL is passed over).
 */
void conf_rules_unique(
	struct field_reader *r, const char *list, const void *items, size_t count, size_t stride);

/* The rules about the routes of one listener, by its number (conf_rules_route.c). */
void conf_rules_routes(const struct conf *c, struct field_reader *r, size_t listener);
/*
 * What a route matches, as a text: two routes of a listener that have the same can never be told
 * apart. Appended to out.
 */
struct buf;
void conf_rules_match_text(
	struct field_reader *r, const struct conf_match *m, struct buf *out);
/* Adds that there is no such pool, and which one may be meant. */
void conf_rules_unknown_pool(const struct conf *c, struct field_reader *r, const char *name,
	const struct field_place *at);

/* The rules about a listener's own limit and error pages (conf_rules_answer.c); about any limit. */
void conf_rules_answers(const struct conf *c, struct field_reader *r, size_t listener);
void conf_rules_limit(
	struct field_reader *r, const struct field_place *at, const struct conf_limit *l);
/* The same of a list anywhere in the document. */
void conf_rules_unique_below(struct field_reader *r, const struct field_place *list,
	const void *items, size_t count, size_t stride);
