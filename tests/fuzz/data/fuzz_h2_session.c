/*
 * Whole sessions of a client's HTTP/2 connection: any frames in any order, requests to servers of
 * both kinds among them, servers that answer, stop, end and reset, a client that reads slowly, time
 * that goes by. Input: steps of an operation, an argument, a length and so many bytes.
 * What must hold at each step and at the end is the stage's (stage.h).
 */
#include <nghttp2/nghttp2.h>
#include <stdint.h>

#include "tests/fuzz/data/stage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 64

enum step {
	STEP_BYTES,
	STEP_FRAME, /* argument: type, and flags and stream by the first two bytes */
	STEP_REQUEST,
	STEP_LAST_REQUEST, /* with END_STREAM */
	STEP_DATA,
	STEP_ANSWER,
	STEP_SERVER_BYTES,
	STEP_SERVER_END,
	STEP_SERVER_RESET,
	STEP_READS,
	STEP_WAIT,
	STEP_DRAIN,
	STEP_END,
	STEPS
};

static void answer(unsigned kind)
{
#define ANSWER(text) {text, sizeof text - 1}
	static const struct {
		const char *bytes;
		size_t len;
	} answers[] = {
		ANSWER("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
		ANSWER("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"),
		ANSWER("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 70000\r\n\r\nabc"),
		ANSWER("HTTP/1.1 100 Continue\r\n\r\n"),
		ANSWER("HTTP/1.1 204 No Content\r\n\r\n"),
		ANSWER("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
		       "upgrade\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\nabc"),
		ANSWER("\0\0\0\4\0\0\0\0\0" "\0\0\1\1\4\0\0\0\1\x88" "\0\0\2\0\1\0\0\0\1ok"),
		ANSWER("\0\0\0\4\0\0\0\0\0" "\0\0\1\1\5\0\0\0\1\x88"),
	};
	struct line *server = line_dialled(kind >> 4);
	size_t at = (kind & 15) % (sizeof answers / sizeof *answers);

	if (server)
		line_send(server, answers[at].bytes, answers[at].len);
}

static void step(struct line *client, unsigned op, uint8_t argument, const uint8_t *bytes, size_t len)
{
	struct line *server = line_dialled(argument);

	switch ((enum step)(op % STEPS)) {
	case STEP_BYTES:
		line_send(client, bytes, len);
		break;
	case STEP_FRAME:
		if (len >= 2)
			stage_frame(client, argument % 10, bytes[0], bytes[1], bytes + 2, len - 2);
		break;
	case STEP_REQUEST:
	case STEP_LAST_REQUEST:
		stage_request(client, (argument & 15) * 2 + 1, argument >> 4,
			op % STEPS == STEP_LAST_REQUEST);
		break;
	case STEP_DATA:
		stage_frame(client, NGHTTP2_DATA, argument >> 7, (argument & 15) * 2 + 1, bytes, len);
		break;
	case STEP_ANSWER:
		answer(argument);
		break;
	case STEP_SERVER_BYTES:
		server = line_dialled(argument & 3);
		if (server)
			line_send(server, bytes, len);
		break;
	case STEP_SERVER_END:
		if (server)
			line_end(server);
		break;
	case STEP_SERVER_RESET:
		if (server)
			line_reset(server);
		break;
	case STEP_READS:
		line_room(client, argument < 255 ? (size_t)argument * argument : SIZE_MAX);
		break;
	case STEP_WAIT:
		stage_wait(argument * (argument < 128 ? 10 : 1000));
		break;
	case STEP_DRAIN:
		stage_drain();
		break;
	case STEP_END:
		line_end(client);
		break;
	case STEPS:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct line *client = stage_begin();

	for (unsigned steps = 0; size >= 3 && steps < STEPS_MAX; steps++) {
		size_t len = data[2] < size - 3 ? data[2] : size - 3;

		step(client, data[0], data[1], data + 3, len);
		stage_run();
		data += 3 + len;
		size -= 3 + len;
	}
	stage_end(client);
	return 0;
}
