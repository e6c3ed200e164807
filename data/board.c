/*
 * The board's layout and the few operations on it that more than one process
 * takes part in. Pure: works on mapped memory that others may write meanwhile.
 */
#include "data/board.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "data/client_counts.h"

#define BOARD_PAGE 4096u

static size_t round_page(size_t n)
{
	return (n + BOARD_PAGE - 1) / BOARD_PAGE * BOARD_PAGE;
}

static size_t columns_offset(void)
{
	return round_page(sizeof(struct board_head));
}

static size_t objects_offset(uint32_t columns)
{
	return columns_offset() + round_page(columns * sizeof(struct board_column));
}

static size_t clients_offset(uint32_t columns, uint32_t objects)
{
	return objects_offset(columns) + round_page(objects * sizeof(struct board_object));
}

static size_t shares_offset(uint32_t columns, uint32_t objects)
{
	return clients_offset(columns, objects) + BOARD_CLIENTS * sizeof(uint64_t);
}

static size_t limits_offset(uint32_t columns, uint32_t objects)
{
	return shares_offset(columns, objects) + (size_t)columns * BOARD_CLIENTS * sizeof(uint32_t);
}

static size_t cells_offset(uint32_t columns, uint32_t objects)
{
	return limits_offset(columns, objects) + LIMIT_TABLE_CELLS * sizeof(struct limit_cell);
}

static size_t sticks_offset(uint32_t columns, uint32_t objects)
{
	return cells_offset(columns, objects) +
	       round_page((size_t)columns * objects * sizeof(struct board_cells));
}

/* Eight places an object: a power of two. */
static uint32_t sticks_of(uint32_t objects)
{
	uint32_t sticks = 64;

	while (sticks < objects * 8)
		sticks *= 2;
	return sticks;
}

size_t board_size(uint32_t columns, uint32_t objects)
{
	assert(columns > 0 && columns <= BOARD_COLUMNS_MAX);
	assert(objects > 0 && objects <= BOARD_OBJECTS_MAX);
	return sticks_offset(columns, objects) +
	       round_page(sticks_of(objects) * sizeof(struct board_stick));
}

void board_make(void *memory, uint32_t columns, uint32_t objects)
{
	struct board_head *h = memory;

	h->size = board_size(columns, objects);
	h->columns = columns;
	h->objects = objects;
	h->column_size = sizeof(struct board_column);
	h->object_size = sizeof(struct board_object);
	h->cells_size = sizeof(struct board_cells);
	h->sticks = sticks_of(objects);
	h->magic = BOARD_MAGIC;
}

static bool head_fits(const struct board_head *h, size_t size)
{
	return h->magic == BOARD_MAGIC && h->size == size && h->columns > 0 &&
	       h->columns <= BOARD_COLUMNS_MAX && h->objects > 0 &&
	       h->objects <= BOARD_OBJECTS_MAX && h->column_size == sizeof(struct board_column) &&
	       h->object_size == sizeof(struct board_object) &&
	       h->cells_size == sizeof(struct board_cells) &&
	       board_size(h->columns, h->objects) == size;
}

int board_view(void *memory, size_t size, struct board *ret)
{
	struct board_head *h = memory;
	char *base = memory;

	if (size < sizeof *h || !head_fits(h, size))
		return -EPROTO;
	ret->head = h;
	ret->columns = (void *)(base + columns_offset());
	ret->objects = (void *)(base + objects_offset(h->columns));
	ret->clients = (void *)(base + clients_offset(h->columns, h->objects));
	ret->client_shares = (void *)(base + shares_offset(h->columns, h->objects));
	ret->limits = (void *)(base + limits_offset(h->columns, h->objects));
	ret->cells = (void *)(base + cells_offset(h->columns, h->objects));
	ret->sticks = (void *)(base + sticks_offset(h->columns, h->objects));
	return 0;
}

struct board_cells *board_cells_of(const struct board *b, uint32_t column, uint32_t object)
{
	assert(column < b->head->columns && object < b->head->objects);
	return &b->cells[(size_t)column * b->head->objects + object];
}

static uint32_t columns_in_use(const struct board *b)
{
	uint32_t used = atomic_load(&b->head->columns_used);

	return used < b->head->columns ? used : b->head->columns;
}

void board_use_column(struct board *b, uint32_t column)
{
	uint32_t used = atomic_load(&b->head->columns_used);

	while (used <= column &&
		!atomic_compare_exchange_weak(&b->head->columns_used, &used, column + 1))
		;
}

uint64_t board_sum(const struct board *b, uint32_t object, unsigned cell)
{
	uint32_t columns = columns_in_use(b);
	uint64_t sum = 0;

	assert(cell < BOARD_CELLS);
	for (uint32_t c = 0; c < columns; c++)
		sum += board_read(board_cells_of(b, c, object), cell);
	return sum;
}

void board_total(const struct board *b, uint32_t object, struct board_cells *ret)
{
	uint32_t columns = columns_in_use(b);

	memset(ret, 0, sizeof *ret);
	for (uint32_t c = 0; c < columns; c++) {
		const struct board_cells *cells = board_cells_of(b, c, object);

		for (unsigned i = 0; i < BOARD_CELLS; i++)
			board_add(ret, i, board_read(cells, i));
		for (unsigned i = 0; i < BOARD_HISTOGRAMS; i++)
			histogram_join(&ret->histograms[i], &cells->histograms[i]);
	}
}

void board_forget(struct board *b, uint32_t object)
{
	uint32_t columns = columns_in_use(b);

	for (uint32_t c = 0; c < columns; c++)
		memset(board_cells_of(b, c, object), 0, sizeof(struct board_cells));
}

static bool count_up(_Atomic uint64_t *count, uint64_t limit)
{
	uint64_t now = atomic_load_explicit(count, memory_order_relaxed);

	if (limit == 0) {
		atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
		return true;
	}
	do {
		if (now >= limit)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		count, &now, now + 1, memory_order_relaxed, memory_order_relaxed));
	return true;
}

bool board_use(struct board_object *o, uint64_t limit)
{
	return count_up(&o->uses, limit);
}

bool board_circuit_enter(
	struct board_object *pool, struct board_cells *cells, enum board_circuit k, uint64_t limit)
{
	if (!count_up(&pool->circuits[k], limit)) {
		board_add(cells, BOARD_POOL_REFUSED_REQUESTS + (unsigned)k, 1);
		return false;
	}
	board_add(cells, BOARD_POOL_REQUESTS + (unsigned)k, 1);
	return true;
}

void board_circuit_leave(struct board_object *pool, struct board_cells *cells, enum board_circuit k)
{
	uint64_t before = atomic_fetch_sub_explicit(&pool->circuits[k], 1, memory_order_relaxed);

	assert(before > 0);
	board_sub(cells, BOARD_POOL_REQUESTS + (unsigned)k, 1);
}

void board_unuse(struct board_object *o)
{
	uint64_t before = atomic_fetch_sub_explicit(&o->uses, 1, memory_order_relaxed);

	assert(before > 0);
}

static void changed(struct board *b, struct board_object *pool)
{
	atomic_fetch_add_explicit(&pool->word, 1, memory_order_release);
	atomic_fetch_add_explicit(&b->head->changes, 1, memory_order_release);
}

bool board_say(
	struct board *b, struct board_object *pool, struct board_object *server, uint64_t word)
{
	if (atomic_load_explicit(&server->word, memory_order_relaxed) == word)
		return false;
	atomic_store_explicit(&server->word, word, memory_order_release);
	changed(b, pool);
	return true;
}

bool board_say_address(struct board *b, struct board_object *pool, struct board_object *server,
	const struct addr *address)
{
	uint32_t version = atomic_load_explicit(&server->address_version, memory_order_relaxed);
	struct addr before;

	if (!address) {
		if (version == 0)
			return false;
		atomic_store_explicit(&server->address_version, 0, memory_order_release);
		changed(b, pool);
		return true;
	}
	if (board_address(server, &before) && addr_is_equal(&before, address))
		return false;
	version |= 1; /* also where a predecessor died while writing */
	atomic_store_explicit(&server->address_version, version, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	server->address = *address;
	atomic_store_explicit(&server->address_version, version + 1, memory_order_release);
	changed(b, pool);
	return true;
}

bool board_address(const struct board_object *server, struct addr *ret)
{
	uint32_t version = atomic_load_explicit(&server->address_version, memory_order_acquire);
	struct addr a;

	if (version == 0 || version & 1)
		return false;
	a = server->address;
	atomic_thread_fence(memory_order_acquire);
	if (atomic_load_explicit(&server->address_version, memory_order_relaxed) != version)
		return false; /* just being changed: the caller tries again later, as with none */
	*ret = a;
	return true;
}

static void clear_gauge(_Atomic uint64_t *count, struct board_cells *cells, unsigned gauge)
{
	uint64_t held = board_read(cells, gauge);

	if (held > 0)
		atomic_fetch_sub_explicit(count, held, memory_order_relaxed);
	atomic_store_explicit(&cells->v[gauge], 0, memory_order_relaxed);
}

void board_clear_column(struct board *b, uint32_t column)
{
	uint32_t used = atomic_load(&b->head->objects_used);

	if (column >= columns_in_use(b))
		return;
	for (uint32_t i = 0; i < used; i++) {
		struct board_object *o = &b->objects[i];
		struct board_cells *cells = board_cells_of(b, column, i);

		if (atomic_load(&o->kind) == BOARD_LISTENER)
			clear_gauge(&o->uses, cells, BOARD_LISTENER_CONNECTIONS);
		for (unsigned k = 0; atomic_load(&o->kind) == BOARD_POOL && k < BOARD_CIRCUITS; k++)
			clear_gauge(&o->circuits[k], cells, BOARD_POOL_REQUESTS + k);
		if (atomic_load(&o->kind) == BOARD_POOL)
			atomic_store_explicit(
				&cells->v[BOARD_POOL_WAITING], 0, memory_order_relaxed);
		if (atomic_load(&o->kind) == BOARD_SERVER) {
			clear_gauge(&o->uses, cells, BOARD_SERVER_CONNECTIONS);
			atomic_store_explicit(
				&cells->v[BOARD_SERVER_IDLE], 0, memory_order_relaxed);
		}
	}
	client_counts_clear(b, column);
	memset(&b->columns[column], 0, sizeof b->columns[column]);
}
