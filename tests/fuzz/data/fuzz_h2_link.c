/*
 * Whole sessions of our HTTP/2 connections to servers: a client asks, and the servers send any
 * frames in any order, answers among them, end and reset. Input: steps of an operation, an
 * argument, a length and so many bytes. What must hold at each step and at the end is the
 * stage's (stage.h).
 */
#include <nghttp2/nghttp2.h>
#include <stdint.h>

#include "tests/fuzz/data/stage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 64

enum step {
	STEP_GET,
	STEP_POST,
	STEP_WEBSOCKET,
	STEP_CLIENT_DATA,
	STEP_CLIENT_RESET,
	STEP_SETTINGS,
	STEP_BYTES,
	STEP_FRAME, /* argument: type, and flags and stream by the first two bytes */
	STEP_HEAD,
	STEP_DATA,
	STEP_END,
	STEP_RESET,
	STEP_TAKES,
	STEP_WAIT,
	STEPS
};

#define STREAM(argument) (((argument)&15u) * 2 + 1)

static void client_step(struct line *client, enum step op, uint8_t argument, const uint8_t *bytes,
	size_t len)
{
	switch ((unsigned)op) {
	case STEP_GET:
		stage_request(client, STREAM(argument), 2, true);
		break;
	case STEP_POST:
		stage_request(client, STREAM(argument), 3, false);
		break;
	case STEP_WEBSOCKET:
		stage_request(client, STREAM(argument), 8, false);
		break;
	case STEP_CLIENT_DATA:
		stage_frame(client, NGHTTP2_DATA, argument >> 7, STREAM(argument), bytes, len);
		break;
	case STEP_CLIENT_RESET:
		stage_frame(client, NGHTTP2_RST_STREAM, 0, STREAM(argument), "\0\0\0\10", 4);
		break;
	}
}

static void server_step(struct line *server, enum step op, uint8_t argument, const uint8_t *bytes,
	size_t len)
{
	switch ((unsigned)op) {
	case STEP_SETTINGS:
		stage_frame(server, NGHTTP2_SETTINGS, 0, 0, bytes, argument & 1 ? len / 6 * 6 : 0);
		break;
	case STEP_BYTES:
		line_send(server, bytes, len);
		break;
	case STEP_FRAME:
		if (len >= 2)
			stage_frame(server, argument % 10, bytes[0], bytes[1], bytes + 2, len - 2);
		break;
	case STEP_HEAD: /* 200, 204, 404 … by the static table, then what else there is */
		stage_frame(server, NGHTTP2_HEADERS, 4 | argument >> 7, STREAM(argument),
			(uint8_t[]){(uint8_t)(0x88 + (argument >> 4 & 7))}, 1);
		break;
	case STEP_DATA:
		stage_frame(server, NGHTTP2_DATA, argument >> 7, STREAM(argument), bytes, len);
		break;
	case STEP_END:
		line_end(server);
		break;
	case STEP_RESET:
		line_reset(server);
		break;
	case STEP_TAKES:
		line_room(server, argument < 255 ? (size_t)argument * argument : SIZE_MAX);
		break;
	}
}

static void step(struct line *client, enum step op, uint8_t argument, const uint8_t *bytes, size_t len)
{
	struct line *server = line_dialled(op == STEP_END || op == STEP_RESET ? argument & 3 : 0);

	if (op == STEP_WAIT)
		stage_wait(argument * (argument < 128 ? 10 : 1000));
	else if (op <= STEP_CLIENT_RESET)
		client_step(client, op, argument, bytes, len);
	else if (server)
		server_step(server, op, argument, bytes, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct line *client = stage_begin();

	for (unsigned steps = 0; size >= 3 && steps < STEPS_MAX; steps++) {
		size_t len = data[2] < size - 3 ? data[2] : size - 3;

		step(client, (enum step)(data[0] % STEPS), data[1], data + 3, len);
		stage_run();
		data += 3 + len;
		size -= 3 + len;
	}
	stage_end(client);
	return 0;
}
