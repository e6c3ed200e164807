/* Which algorithm serves which word of the configuration. */
#include "data/pool/balance.h"

const struct balance *balance_of(int conf_balance)
{
	switch ((enum conf_balance)conf_balance) {
	case CONF_BALANCE_LEAST_CONNECTIONS:
		return &balance_least_connections;
	case CONF_BALANCE_ROUND_ROBIN:
	case CONF_BALANCE_RANDOM_TWO:
	case CONF_BALANCE_SOURCE_HASH:
	case CONF_BALANCE_MAGLEV:
	case CONF_BALANCE_HEADER_HASH:
	case CONF_BALANCE_LEAST_TIME:
		break;
	}
	return &balance_round_robin;
}
