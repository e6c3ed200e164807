/*
 * lease: any bytes as an ownership record, as a file of the run directory may hold. Only one that
 * is whole, of this boot and young resumes; what does was sealed.
 */
#include "vrrpd/lease.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char boot_id[] = "0b0b0b0b-0000-4000-8000-000000000000";
	struct lease_record record, sealed;
	const char *why = NULL;

	memset(&record, 0, sizeof record);
	memcpy(&record, data, size < sizeof record ? size : sizeof record);
	sealed = record;
	assert(lease_judge(&record, boot_id, (struct mono){1000000000}, &why) <= VRRP_START_KEEP);
	assert(why && *why);
	lease_record_seal(&sealed);
	if (lease_judge(&record, boot_id, (struct mono){1000000000}, &why) != VRRP_START_FRESH)
		assert(record.checksum == sealed.checksum && record.is_active);
	/* The same with a seal: what follows the checksum is reached too. */
	lease_judge(&sealed, boot_id, (struct mono){1000000000}, &why);
	assert(why && *why);
	return 0;
}
