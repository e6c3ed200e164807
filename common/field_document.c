/* The whole document of a stack, and the kinds that only name things: secrets, certificates. See
 * field.h. */
#include "common/field.h"

#define INSTANCES_MAX 64
#define VIPS_MAX 4096
#define PEM_MAX 262144 /* bytes */

/* clang-format off */
static const struct field secret_fields[] = {
	{"name", FIELD_NAME, .is_required = true, .help = "Its name; unique among the secrets."},
	{"value", FIELD_LINES,
		.help = "The secret itself; never shown again. Absent on an existing name: kept."},
	{0}
};

static const struct field certificate_fields[] = {
	{"name", FIELD_NAME, FIELD_AT(conf_certificate, name), .is_required = true,
		.help = "Its name; unique among the certificates."},
	{"certificate_pem", FIELD_LINES, FIELD_AT(conf_certificate, certificate_pem), .maximum = PEM_MAX, .is_required = true,
		.help = "The certificate and its chain, PEM."},
	{"key_pem", FIELD_LINES, FIELD_AT(conf_certificate, key_pem), .maximum = PEM_MAX,
		.help = "The private key, PEM; absent for a CA; never shown again."},
	{"ocsp_file", FIELD_PATH, FIELD_AT(conf_certificate, ocsp_file), .help = "A file with the OCSP response to staple."},
	{0}
};

static const struct field document_fields[] = {
	{"stack", FIELD_NAME, FIELD_AT(conf, stack), .is_required = true, .example = "shop",
		.help = "The stack's name: a tenant and a cluster."},
	{"description", FIELD_TEXT, FIELD_AT(conf, description), .example = "the web shop",
		.help = "What it is for, for people."},
	{"store_through_self", FIELD_BOOL, FIELD_AT(conf, store_through_self), .initial = "false",
		.help = "The store may be reached through one of the stack's own VIPs."},
	{"instances", FIELD_OBJECT, FIELD_LIST(conf, instances), .kind = &field_instance,
		.most = INSTANCES_MAX,
		.help = "The nodes of this cluster; none: any node that no stack lists serves it."},
	{"vips", FIELD_OBJECT, FIELD_LIST(conf, vips), .kind = &field_vip, .most = VIPS_MAX,
		.help = "Addresses that move between the instances (RFC 9568)."},
	{"pools", FIELD_OBJECT, FIELD_LIST(conf, pools), .kind = &field_pool, .most = CONF_OBJECTS_MAX,
		.help = "Groups of servers that do the same work."},
	{"listeners", FIELD_OBJECT, FIELD_LIST(conf, listeners), .kind = &field_listener,
		.most = CONF_OBJECTS_MAX, .help = "Where clients connect."},
	{"secrets", FIELD_OBJECT, .is_list = true, .kind = &field_secret, .most = CONF_OBJECTS_MAX,
		.is_later = true, .help = "Values used as {secret: NAME}; write-only."},
	{"certificates", FIELD_OBJECT, FIELD_LIST(conf, certificates), .kind = &field_certificate,
		.most = CONF_OBJECTS_MAX, .help = "Certificates and their keys, and CAs to verify others by."},
	{"checks", FIELD_OBJECT, FIELD_LIST(conf, checks), .kind = &field_standing_check,
		.most = CONF_OBJECTS_MAX,
		.help = "Standing checks, for track and alerts."},
	{0}
};
/* clang-format on */

const struct field_kind field_secret = {
	"secret", "secrets", "A value that documents use and nobody reads back.", 0, secret_fields};
const struct field_kind field_certificate = {"certificate", "certificates",
	"A certificate, with its key unless it is a CA.", sizeof(struct conf_certificate),
	certificate_fields};
const struct field_kind field_document = {"document", NULL,
	"One stack: its nodes, addresses, pools and listeners under one generation number.",
	sizeof(struct conf), document_fields};
