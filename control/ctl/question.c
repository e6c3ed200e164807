/* See question.h. */
#include "control/ctl/question.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

static void on_interrupt(int number)
{
	(void)number; /* it ends the wait: that is all */
}

/* A line that says yes; Ctrl-C is let in only while it waits. */
static bool is_yes(const sigset_t *waiting)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	char answer[256]; /* the rest of a longer line is dropped before the next question */

	if (ppoll(&input, 1, NULL, waiting) == 1 && read(STDIN_FILENO, answer, sizeof answer) > 0)
		return answer[0] == 'y' || answer[0] == 'Y';
	fprintf(stderr, "\n");
	return false;
}

bool question_ask(const char *format, ...)
{
	struct sigaction interrupt = {.sa_handler = on_interrupt}, before;
	sigset_t blocked, outside;
	va_list ap;
	bool is_agreed;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigprocmask(SIG_BLOCK, &blocked, &outside);
	sigaction(SIGINT, &interrupt, &before);
	tcflush(STDIN_FILENO, TCIFLUSH);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, " [y/N] ");
	is_agreed = is_yes(&outside);
	sigaction(SIGINT, &before, NULL);
	sigprocmask(SIG_SETMASK, &outside, NULL);
	return is_agreed;
}
