/* See patience.h. */
#include "data/pool/patience.h"

int64_t patience_idle_ms(const struct patience *p, int64_t idle_ms, int64_t now_ms)
{
	int64_t safe_ms = p->ends_after_ms * 3 / 4;

	return safe_ms > 0 && now_ms < p->ends_until_ms && safe_ms < idle_ms ? safe_ms : idle_ms;
}

/* Half: one that was borne for long may have been so by a server that was late that time. */
bool patience_is_sure(const struct patience *p, int64_t age_ms)
{
	return age_ms <= PATIENCE_LEAST_MS || age_ms <= p->borne_ms / 2;
}

void patience_ended(struct patience *p, int64_t age_ms, int64_t now_ms)
{
	int64_t less_ms = age_ms < p->ended_age_ms ? age_ms : p->ended_age_ms;
	int64_t apart_ms = age_ms + p->ended_age_ms - 2 * less_ms;

	if (less_ms >= PATIENCE_LEARN_MS && apart_ms <= less_ms / 4) {
		p->ends_after_ms = less_ms;
		p->ends_until_ms = now_ms + PATIENCE_BELIEF_MS;
	}
	p->ended_age_ms = age_ms;
	if (age_ms < p->borne_ms)
		p->borne_ms = age_ms;
}

void patience_bore(struct patience *p, int64_t age_ms)
{
	if (age_ms > p->borne_ms)
		p->borne_ms = age_ms;
}
