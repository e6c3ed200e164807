/* describe: /v1/openapi.json. A family of the API; openapi prints it. */
#include "control/api/family.h"
#include "control/api/openapi.h"

void family_openapi(struct api *a, struct exchange *x, const struct route_match *m)
{
	struct answer answer = {0};

	(void)a;
	(void)m;
	answer_json(&answer, 200, openapi_print(BALLAST_VERSION));
	exchange_answer(x, &answer);
}
