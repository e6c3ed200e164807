/* See daemon.h. The order of things at start, and what each signal does; the pieces are options,
 * folders and succession. */
#include "common/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "common/folders.h"
#include "common/lastgood.h"
#include "common/log.h"
#include "common/now.h"
#include "common/options.h"
#include "common/reload.h"
#include "common/succession.h"

#define DAEMON_CHECK_MS 10000 /* how long a successor's --check may take */
#define DAEMON_LOCK_NAME "daemon-lock"
#define DAEMON_FOLDER_EVERY_MS 1000
#define DAEMON_FOLDER_SETTLES 2
#define DAEMON_FOLDER_LOG_BURST 3 /* lines, then at a limited rate */

enum { DAEMON_TERM, DAEMON_INT, DAEMON_HUP, DAEMON_USR1, DAEMON_USR2, DAEMON_SIGNALS };

static const int daemon_signals[DAEMON_SIGNALS] = {
	[DAEMON_TERM] = SIGTERM,
	[DAEMON_INT] = SIGINT,
	[DAEMON_HUP] = SIGHUP,
	[DAEMON_USR1] = SIGUSR1,
	[DAEMON_USR2] = SIGUSR2,
};

struct daemon {
	const struct daemon_spec *spec;
	void *user;
	struct options options;
	struct nodefile *nodefile;
	uv_loop_t loop;
	uv_signal_t signals[DAEMON_SIGNALS];
	struct succession inherited; /* from the image before us */
	struct succession bequest;   /* for the image after us */
	int lock_fd;
	int status;
	bool is_ready, is_leaving, is_checking, is_replacement;
	uv_timer_t watchdog;
	int turns; /* of the loop until the exec, while signals are blocked */
	uv_work_t first_work;
	uv_process_t successor; /* its --check; alive while is_checking */
	uv_timer_t successor_timer;
	uv_timer_t folder_timer;
	struct log_limit folder_limit;
	int folder_settles; /* turns of the timer until what lies in the new run_dir is opened */
};

uv_loop_t *daemon_loop(struct daemon *d)
{
	return &d->loop;
}

const struct nodefile *daemon_nodefile(const struct daemon *d)
{
	return d->nodefile;
}

const json_t *daemon_inherited(const struct daemon *d)
{
	return d->inherited.state;
}

int daemon_keep_fd(struct daemon *d, const char *name, int fd)
{
	return succession_keep(&d->bequest, name, fd);
}

int daemon_take_fd(struct daemon *d, const char *name)
{
	return succession_take(&d->inherited, name);
}

void daemon_ready(struct daemon *d, const char *status)
{
	sd_notifyf(0, "%sSTATUS=%s", d->is_ready ? "" : "READY=1\n", status);
	if (!d->is_ready && d->is_replacement)
		reload_tell(d->lock_fd, NULL);
	d->is_ready = true;
}

void daemon_exit(struct daemon *d, int status)
{
	d->status = status;
	uv_stop(&d->loop);
}

/* Blocked from before execve until handlers are set: the default action of HUP in that window is
 * death. */
static void daemon_mask_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	for (int i = 0; i < DAEMON_SIGNALS; i++)
		sigaddset(&set, daemon_signals[i]);
	sigaddset(&set, SIGCHLD);
	pthread_sigmask(how, &set, NULL);
}

static void daemon_leave(struct daemon *d)
{
	if (d->is_leaving || !d->spec->leave) {
		if (d->is_leaving && d->spec->abandon)
			d->spec->abandon(d, d->user);
		daemon_exit(d, 0);
		return;
	}
	d->is_leaving = true;
	sd_notify(0, "STOPPING=1");
	log_info("leaving why=\"asked to\"");
	d->spec->leave(d, d->user);
}

static void daemon_step_out(struct daemon *d)
{
	if (d->spec->step_out)
		d->spec->step_out(d, d->user);
	log_info("stepping out: the successor takes over");
	_exit(0);
}

static void daemon_say_not_replaced(struct daemon *d, const char *why)
{
	log_error("not replaced: %s; the program that runs goes on", why);
	sd_notifyf(0, "READY=1\nSTATUS=Not replaced: %s", why);
	reload_tell(d->lock_fd, why);
}

/* Comes back only when the exec failed. */
static int daemon_exec(struct daemon *d)
{
	char *argv[] = {d->options.program, (char *)"--config", d->options.config, NULL};
	int memfd, rc = succession_keep(&d->bequest, DAEMON_LOCK_NAME, d->lock_fd);

	if (!rc)
		rc = succession_send(&d->bequest, &memfd);
	if (rc)
		return rc;
	execv(d->options.program, argv);
	rc = -errno;
	succession_withdraw(&d->bequest, memfd);
	return rc;
}

static void daemon_replace(struct daemon *d)
{
	char why[512];
	int rc;

	d->turns = 0;
	log_info("replacing program=%s", d->options.program);
	if (d->spec->hand_over)
		d->bequest.state = d->spec->hand_over(d, d->user);
	rc = daemon_exec(d);
	daemon_mask_signals(SIG_UNBLOCK);
	succession_fini(&d->bequest);
	snprintf(why, sizeof why, "%s: %s", d->options.program, strerror(-rc));
	daemon_say_not_replaced(d, why);
}

/*
 * Signals are blocked by now and wait for the successor; but one that libuv's
 * handler took just before lies in its pipe, and must be heard before the exec.
 */
static void daemon_on_turn(uv_timer_t *timer)
{
	struct daemon *d = timer->data;

	if (d->is_leaving)
		daemon_mask_signals(SIG_UNBLOCK);
	else if (--d->turns)
		uv_timer_start(timer, daemon_on_turn, 1, 0);
	else
		daemon_replace(d);
}

static void daemon_on_check_closed(uv_handle_t *handle)
{
	struct daemon *d = handle->data;

	d->is_checking = false;
}

static void daemon_on_check_exit(uv_process_t *process, int64_t status, int term_signal)
{
	struct daemon *d = process->data;
	char why[512];

	uv_timer_stop(&d->successor_timer);
	uv_close((uv_handle_t *)process, daemon_on_check_closed);
	if (d->is_leaving)
		return;
	if (!status && !term_signal) {
		daemon_mask_signals(SIG_BLOCK);
		d->turns = 2;
		uv_timer_start(&d->successor_timer, daemon_on_turn, 0, 0);
		return;
	}
	snprintf(why, sizeof why, "%s --check failed with %s %d", d->options.program,
		term_signal ? "signal" : "status", term_signal ? term_signal : (int)status);
	daemon_say_not_replaced(d, why);
}

static void daemon_on_check_late(uv_timer_t *timer)
{
	struct daemon *d = timer->data;

	uv_process_kill(&d->successor, SIGKILL);
}

static void daemon_check_successor(struct daemon *d)
{
	char *argv[] = {
		d->options.program, (char *)"--config", d->options.config, (char *)"--check", NULL};
	uv_stdio_container_t stdio[3] = {
		{.flags = UV_IGNORE},
		{.flags = UV_IGNORE},
		{.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
	};
	uv_process_options_t options = {
		.file = d->options.program,
		.args = argv,
		.stdio = stdio,
		.stdio_count = 3,
		.exit_cb = daemon_on_check_exit,
	};
	int rc;

	if (d->is_checking || d->is_leaving || d->turns)
		return;
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)(uv_hrtime() / 1000));
	d->is_checking = true;
	d->successor.data = d->successor_timer.data = d;
	rc = uv_spawn(&d->loop, &d->successor, &options);
	if (!rc) {
		uv_timer_start(&d->successor_timer, daemon_on_check_late, DAEMON_CHECK_MS, 0);
		return;
	}
	uv_close((uv_handle_t *)&d->successor, daemon_on_check_closed);
	daemon_say_not_replaced(d, uv_strerror(rc));
}

static void daemon_on_signal(uv_signal_t *handle, int number)
{
	struct daemon *d = handle->data;

	switch (number) {
	case SIGTERM:
	case SIGINT:
		daemon_leave(d);
		break;
	case SIGHUP:
		daemon_check_successor(d);
		break;
	case SIGUSR1:
		if (d->spec->reopen)
			d->spec->reopen(d, d->user);
		break;
	case SIGUSR2:
		daemon_step_out(d);
		break;
	}
}

static void daemon_on_watchdog(uv_timer_t *timer)
{
	(void)timer;
	sd_notify(0, "WATCHDOG=1");
}

/* Where systemd asks for it (WatchdogSec=): a loop that stands still is a dead daemon. */
static void daemon_start_watchdog(struct daemon *d)
{
	uint64_t limit_us;

	uv_timer_init(&d->loop, &d->watchdog);
	if (sd_watchdog_enabled(0, &limit_us) > 0)
		uv_timer_start(&d->watchdog, daemon_on_watchdog, 0, limit_us / 4000 + 1);
}

/* 0, or a negative errno that has been logged. The lock we have is given back for the new one. */
static int daemon_lock_folder(struct daemon *d)
{
	const char *run_dir = d->nodefile->run_dir;
	pid_t holder = 0;
	int fd, rc = folders_lock(run_dir, d->spec->name, &holder, &fd);

	if (rc == -EBUSY)
		log_error("another ballast-%s (pid %d) runs in %s: stop it, or give this one a "
			  "run_dir of its own",
			d->spec->name, (int)holder, run_dir);
	else if (rc)
		log_error("cannot lock %s/%s.lock: %s", run_dir, d->spec->name, strerror(-rc));
	if (rc)
		return rc;
	if (d->lock_fd >= 0)
		close(d->lock_fd);
	d->lock_fd = fd;
	return 0;
}

/* Somebody removed run_dir: 0 when it is there again. */
static int daemon_renew_folder(struct daemon *d)
{
	const char *which;
	unsigned long held;
	int rc = folders_make(d->nodefile, &which);

	if (!rc)
		return daemon_lock_folder(d);
	if (log_limit_take(&d->folder_limit, DAEMON_FOLDER_LOG_BURST, mono_now(), &held))
		log_error("%s was removed and cannot be made anew: %s; traffic goes on, nobody can "
			  "reach this daemon: make it, for the user that it runs as",
			which, strerror(-rc));
	sd_notifyf(0, "STATUS=%s was removed and cannot be made anew: %s", which, strerror(-rc));
	return rc;
}

/*
 * The sockets and files in a run_dir that is new are opened as ever by a program that starts: by
 * the successor, which we have in place as soon as the workers' sockets had time to come back.
 */
static void daemon_on_folder_timer(uv_timer_t *timer)
{
	struct daemon *d = timer->data;
	const char *run_dir = d->nodefile->run_dir;

	if (d->is_leaving)
		return;
	if (folders_is_locked(run_dir, d->spec->name, d->lock_fd)) {
		if (d->folder_settles && --d->folder_settles == 0)
			daemon_check_successor(d);
		return;
	}
	if (daemon_renew_folder(d))
		return;
	log_warn("%s was removed: made anew, and what lies in it is opened anew", run_dir);
	d->folder_settles = DAEMON_FOLDER_SETTLES;
}

static void daemon_on_first_work(uv_work_t *work)
{
	(void)work;
}

static int daemon_open_loop(struct daemon *d)
{
	int rc = uv_loop_init(&d->loop);

	if (rc)
		return rc;
	uv_timer_init(&d->loop, &d->successor_timer);
	daemon_start_watchdog(d);
	uv_timer_init(&d->loop, &d->folder_timer);
	d->folder_timer.data = d;
	uv_timer_start(&d->folder_timer, daemon_on_folder_timer, DAEMON_FOLDER_EVERY_MS,
		DAEMON_FOLDER_EVERY_MS);
	for (int i = 0; i < DAEMON_SIGNALS && !rc; i++) {
		uv_signal_init(&d->loop, &d->signals[i]);
		d->signals[i].data = d;
		rc = uv_signal_start(&d->signals[i], daemon_on_signal, daemon_signals[i]);
	}
	signal(SIGPIPE, SIG_IGN);
	/* libuv's threads are made now, with our signals blocked: none of them shall take one. */
	uv_queue_work(&d->loop, &d->first_work, daemon_on_first_work, NULL);
	daemon_mask_signals(SIG_UNBLOCK);
	return rc;
}

/* What the user has left open is the kernel's to close: the process ends. */
static void daemon_close_loop(struct daemon *d)
{
	for (int i = 0; i < DAEMON_SIGNALS; i++)
		uv_close((uv_handle_t *)&d->signals[i], NULL);
	uv_close((uv_handle_t *)&d->successor_timer, NULL);
	uv_close((uv_handle_t *)&d->watchdog, NULL);
	uv_close((uv_handle_t *)&d->folder_timer, NULL);
	uv_run(&d->loop, UV_RUN_NOWAIT);
	uv_loop_close(&d->loop);
}

static void daemon_print_problems(
	const struct daemon *d, const char *path, struct conf_problems *problems)
{
	for (size_t i = 0; i < problems->count; i++)
		fprintf(stderr, "ballast-%s: %s: %s%s%s\n", d->spec->name, path,
			problems->items[i].where, *problems->items[i].where ? " " : "",
			problems->items[i].what);
	if (problems->dropped)
		fprintf(stderr, "ballast-%s: %s: and %zu more\n", d->spec->name, path,
			problems->dropped);
	conf_problems_fini(problems);
}

static int daemon_load_nodefile(struct daemon *d)
{
	struct conf_problems problems = {0};
	int rc = nodefile_load(d->options.config, &problems, &d->nodefile);

	if (rc && !problems.count)
		fprintf(stderr, "ballast-%s: %s: %s; name the node file with --config\n",
			d->spec->name, d->options.config, strerror(-rc));
	daemon_print_problems(d, d->options.config, &problems);
	return rc;
}

/* Exit status of --check: what a start with these files would stumble over. */
static int daemon_check(struct daemon *d)
{
	const char *state_dir = d->nodefile->state_dir;
	struct conf_problems problems = {0};
	struct conf *conf = NULL;
	int rc = lastgood_load(state_dir, d->spec->name, &problems, &conf);

	if (rc && rc != -ENOENT && !problems.count)
		fprintf(stderr, "ballast-%s: %s/%s.snapshot: %s\n", d->spec->name, state_dir,
			d->spec->name, strerror(-rc));
	daemon_print_problems(d, state_dir, &problems);
	if (rc == -ENOENT)
		rc = 0;
	if (!rc && d->spec->check)
		rc = d->spec->check(d, conf, d->user);
	conf_unref(conf);
	if (rc)
		return DAEMON_EXIT_CONFIG;
	printf("ballast-%s: %s is good\n", d->spec->name, d->options.config);
	return 0;
}

static int daemon_claim_folders(struct daemon *d)
{
	const char *which;
	int rc = folders_make(d->nodefile, &which);

	if (rc) {
		log_error("cannot make %s: %s", which, strerror(-rc));
		return rc;
	}
	d->lock_fd = succession_take(&d->inherited, DAEMON_LOCK_NAME);
	d->is_replacement = d->lock_fd >= 0;
	return d->is_replacement ? 0 : daemon_lock_folder(d);
}

/* Everything between the node file and the loop: 0, or a negative errno that has been logged. */
static int daemon_start(struct daemon *d)
{
	int rc;

	log_init(d->spec->name, d->nodefile->log_level);
	if (succession_receive(&d->inherited) == -EINVAL)
		log_warn("what the program before this one left cannot be read: starting afresh");
	rc = daemon_claim_folders(d);
	if (rc)
		return rc;
	rc = daemon_open_loop(d);
	if (rc) {
		log_error("cannot open the event loop: %s", strerror(-rc));
		return rc;
	}
	log_info("starting version=%s pid=%d node=%s run_dir=%s", BALLAST_VERSION, (int)getpid(),
		d->nodefile->node, d->nodefile->run_dir);
	return d->spec->start(d, d->user);
}

static int daemon_run(struct daemon *d)
{
	if (daemon_start(d))
		return 1;
	succession_close_rest(&d->inherited);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	daemon_close_loop(d);
	close(d->lock_fd);
	log_info("left status=%d", d->status);
	/* nng's threads live on: exit handlers and destructors would take the ground from under
	 * them. */
	fflush(NULL);
	_exit(d->status);
}

int daemon_main(const struct daemon_spec *spec, int argc, char **argv, void *user)
{
	struct daemon d = {.spec = spec, .user = user, .lock_fd = -1};
	int status = 0;

	daemon_mask_signals(SIG_BLOCK);
	switch (options_read(spec->name, spec->help, argc, argv, &d.options)) {
	case OPTIONS_SHOWN:
		break;
	case OPTIONS_WRONG:
		status = 2;
		break;
	case OPTIONS_CHECK:
		status = daemon_load_nodefile(&d) ? DAEMON_EXIT_CONFIG : daemon_check(&d);
		break;
	case OPTIONS_RELOAD:
		status = daemon_load_nodefile(&d) ? DAEMON_EXIT_CONFIG
						  : reload_run(d.nodefile->run_dir, spec->name);
		break;
	case OPTIONS_RUN:
		status = daemon_load_nodefile(&d) ? DAEMON_EXIT_CONFIG : daemon_run(&d);
		break;
	}
	nodefile_free(d.nodefile);
	options_fini(&d.options);
	succession_fini(&d.inherited);
	return status;
}
