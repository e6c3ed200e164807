/* See screen.h. */
#include "control/ctl/screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "common/buf.h"

#define ENTER "\033[?1049h\033[?25l" /* the alternate screen, without a cursor */
#define LEAVE "\033[?25h\033[?1049l"
#define HOME "\033[H"
#define PLAIN "\033[0m"
#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"
#define DRAWING_MAX (1u << 20) /* bytes of one drawing */
#define ESCAPE_MS 25           /* within which a key's sequence is complete */

/* Signal handlers reach nothing else. */
static volatile sig_atomic_t is_ended;
static struct termios before;
static bool is_open;

static void on_end(int number)
{
	(void)number;
	is_ended = 1;
}

static void on_size(int number)
{
	(void)number; /* it interrupts poll(): that is all it is for */
}

static void write_all(const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, text, len);

		if (n < 0 && errno != EINTR && errno != EAGAIN) {
			is_ended = 1;
			return;
		}
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
}

static void set_handler(int number, void (*handler)(int number))
{
	struct sigaction action = {.sa_handler = handler};

	sigaction(number, &action, NULL);
}

int screen_open(void)
{
	struct termios raw;

	if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &before) < 0)
		return -ENOTTY;
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	raw.c_cc[VSUSP] = _POSIX_VDISABLE;
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
		return -errno;
	is_open = true;
	is_ended = 0;
	set_handler(SIGINT, on_end);
	set_handler(SIGTERM, on_end);
	set_handler(SIGHUP, on_end);
	set_handler(SIGWINCH, on_size);
	write_all(ENTER, strlen(ENTER));
	return 0;
}

void screen_close(void)
{
	if (!is_open)
		return;
	is_open = false;
	write_all(LEAVE, strlen(LEAVE));
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

void screen_size(size_t *ret_lines, size_t *ret_columns)
{
	struct winsize size = {0};

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	*ret_lines = size.ws_row ? size.ws_row : 24;
	*ret_columns = size.ws_col ? size.ws_col : 80;
}

/* As many bytes of a line as fit into so many columns; escape sequences take none. */
static size_t fitting(const char *line, size_t len, size_t columns)
{
	size_t at = 0;

	while (at < len) {
		size_t next = at + 1;

		if (line[at] == '\033') {
			while (next < len && line[next - 1] != 'm')
				next++;
		} else {
			if (columns-- == 0)
				return at;
			while (next < len && ((unsigned char)line[next] & 0xc0) == 0x80)
				next++;
		}
		at = next;
	}
	return at;
}

/* Line by line over what was there: nothing flickers. The last line has no newline, which would
 * scroll. */
void screen_draw(const char *text, size_t len)
{
	size_t lines, columns, drawn = 0;
	struct buf b;

	screen_size(&lines, &columns);
	buf_init(&b, DRAWING_MAX);
	buf_add_text(&b, HOME);
	while (len > 0 && drawn < lines) {
		const char *newline = memchr(text, '\n', len);
		size_t line = newline ? (size_t)(newline - text) : len;

		buf_add_text(&b, drawn++ ? "\r\n" : "");
		buf_add(&b, text, fitting(text, line, columns));
		buf_add_text(&b, PLAIN CLEAR_LINE);
		line += newline != NULL;
		text += line;
		len -= line;
	}
	if (drawn < lines)
		buf_add_text(&b, CLEAR_BELOW);
	write_all(buf_text(&b), b.len);
	buf_fini(&b);
}

/* The rest of "ESC [ A", "ESC [ 5 ~", …: what key it is. */
static int read_sequence(void)
{
	static const struct {
		const char *sequence;
		int key;
	} keys[] = {{"[A", SCREEN_UP}, {"OA", SCREEN_UP}, {"[B", SCREEN_DOWN}, {"OB", SCREEN_DOWN},
		{"[5~", SCREEN_PAGE_UP}, {"[6~", SCREEN_PAGE_DOWN}, {"[H", SCREEN_HOME},
		{"[1~", SCREEN_HOME}};
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	char text[8] = "";
	ssize_t n;

	if (poll(&input, 1, ESCAPE_MS) <= 0)
		return SCREEN_OTHER; /* the key Escape itself */
	n = read(STDIN_FILENO, text, sizeof text - 1);
	for (size_t i = 0; n > 0 && i < sizeof keys / sizeof *keys; i++)
		if (strncmp(text, keys[i].sequence, strlen(keys[i].sequence)) == 0)
			return keys[i].key;
	return SCREEN_OTHER;
}

int screen_key(int timeout_ms)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	unsigned char c;
	ssize_t n;

	if (is_ended)
		return SCREEN_END;
	if (poll(&input, 1, timeout_ms) <= 0)
		return is_ended ? SCREEN_END : SCREEN_NOTHING;
	n = read(STDIN_FILENO, &c, 1);
	if (n <= 0)
		return n == 0 || (errno != EINTR && errno != EAGAIN) ? SCREEN_END : SCREEN_NOTHING;
	return c == '\033' ? read_sequence() : c;
}
