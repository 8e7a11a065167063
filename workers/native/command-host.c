/*
 * The native command host: a small process without threads that starts commands for the agents of a run and tells
 * them how these ended. Node copies its own memory to start a process, which takes milliseconds in a large run; this
 * one lends its memory to the child until that has become another program (vfork).
 *
 * `command-host SOCKET` listens at SOCKET, whose folder is only for this user. It ends when its standard input is
 * closed, which happens too when the run's process dies: then it ends everything that it started, and removes SOCKET
 * and its folder.
 *
 * Requests and answers are frames: the length of the rest in 4 bytes, least significant first, then fields that each
 * end with a NUL. Nothing is quoted. workers/processes/host-protocol.ts has the other end, and workers/command-host.ts
 * the same host for Node. A request that breaks the protocol ends the host, as the end of the run does.
 *
 *   env   VARIABLE...                           what commands of this connection inherit, each NAME=value
 *   run   ID GRACE LOG INODE FOLDER COUNT ARGUMENT{COUNT} VARIABLE...
 *                                               variables are added; one without `=` is taken away
 *   started ID PID                              it leads a session and a process group of its own
 *   refused ID WHERE ERRNO                      nothing was started; WHERE is log, folder, start or program
 *   ended ID CODE SIGNAL LIVES SIZE             CODE is -1 after a signal, LIVES 1 if others of its group may be alive,
 *                                               SIZE that of the log in bytes
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_FRAME = 64 << 20,
	READ_BYTES = 64 << 10,
	/* Beyond the grace of a command whose agent is gone: the run ends it, and this is for what it could not find. */
	ORPHAN_MS = 10000,
	/* How often it is looked whether the groups are gone that are being ended. */
	LOOK_MS = 50,
};

struct bytes {
	char *at;
	size_t used, room;
};

/* The connection of one agent. */
struct client {
	int socket; /* -1 once it is closed */
	struct bytes in, out;
	char *inherited; /* the last `env` frame */
	char **base;	 /* the variables in it, and NULL */
	struct client *next;
};

/* A command that runs. */
struct child {
	pid_t pid;
	uint64_t id;
	struct client *client; /* NULL: its agent is gone */
	int log;
	int64_t grace;	 /* milliseconds */
	int64_t kill_at; /* 0: never */
	bool has_ended;	 /* the rest of its group is being ended */
};

static struct client *clients;
static struct child *children;
static size_t child_count, child_room;
static bool is_ending;
static int null_device;

static void *checked(void *memory)
{
	if (memory == NULL) _exit(3); /* As after any death, agents start their commands themselves. */
	return memory;
}

static void append(struct bytes *to, const void *from, size_t length)
{
	if (to->room - to->used < length) {
		to->room = (to->used + length) * 2;
		to->at = checked(realloc(to->at, to->room));
	}
	memcpy(to->at + to->used, from, length);
	to->used += length;
}

static void drop(struct bytes *from, size_t length)
{
	from->used -= length;
	memmove(from->at, from->at + length, from->used);
}

static int64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* The run is gone, or can't be understood. */
static void end_all(void)
{
	if (is_ending) return;
	is_ending = true;
	for (size_t i = 0; i < child_count; i++) {
		kill(-children[i].pid, SIGTERM);
		children[i].kill_at = now() + children[i].grace;
	}
}

/* Its memory is released when the loop has come to its end (`sweep`). */
static void close_client(struct client *client)
{
	if (client->socket < 0) return;
	close(client->socket);
	client->socket = -1;
	for (size_t i = 0; i < child_count; i++) {
		if (children[i].client != client) continue;
		children[i].client = NULL;
		if (children[i].kill_at == 0) children[i].kill_at = now() + children[i].grace + ORPHAN_MS;
	}
}

/* Sends what the socket takes; the rest when it can take more. */
static void flush(struct client *client)
{
	while (client->socket >= 0 && client->out.used > 0) {
		ssize_t sent = send(client->socket, client->out.at, client->out.used, MSG_NOSIGNAL);
		if (sent >= 0) drop(&client->out, (size_t)sent);
		else if (errno == EAGAIN) return;
		else if (errno != EINTR) close_client(client);
	}
}

/* Answers with the fields of the format, each of which ends with a NUL. */
__attribute__((format(printf, 2, 3))) static void answer(struct client *client, const char *format, ...)
{
	char text[160];
	va_list values;
	va_start(values, format);
	int length = vsnprintf(text, sizeof text, format, values);
	va_end(values);
	unsigned char head[4] = {(unsigned char)length, 0, 0, 0};
	append(&client->out, head, sizeof head);
	append(&client->out, text, (size_t)length);
	flush(client);
}

/* What a `run` frame asks for; everything points into the frame. */
struct request {
	uint64_t id, inode, grace;
	const char *log, *folder;
	char **arguments, **variables;
};

/* Written by a child, which has this process's memory until it is another program. */
static volatile int failure;
static const char *volatile failed_where;

/* In the child: becomes the program, or says why not. Only calls that are safe after vfork. */
__attribute__((noreturn)) static void become(const struct request *request, int log)
{
	struct sigaction plain = {.sa_handler = SIG_DFL};
	sigset_t none;
	setsid();
	for (int signal = 1; signal <= SIGRTMAX; signal++) sigaction(signal, &plain, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	failed_where = "start";
	if (dup2(null_device, 0) >= 0 && dup2(log, 1) >= 0 && dup2(log, 2) >= 0) {
		failed_where = "folder";
		if (chdir(request->folder) == 0) {
			failed_where = "program";
			execvp(request->arguments[0], request->arguments);
		}
	}
	failure = errno;
	_exit(127);
}

/* Returns the pid, or -1 with `failure` and `failed_where`. */
static pid_t start(const struct request *request, char **variables, int log)
{
	sigset_t all, before;
	char **own = environ;
	failure = 0;
	failed_where = "start";
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	environ = variables; /* The program is searched for in the PATH that it will have. */
	pid_t pid = vfork();
	if (pid == 0) become(request, log);
	if (pid < 0) failure = errno;
	environ = own;
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (failure == 0) return pid;
	if (pid > 0) waitpid(pid, NULL, 0);
	return -1;
}

/* Opens the log that the agent has made, if it is still the one at this path; -1 with `failure` where it is not. */
static int open_log(const struct request *request)
{
	struct stat found;
	int log = open(request->log, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	failure = errno;
	failed_where = "log";
	if (log < 0) return -1;
	if (fstat(log, &found) == 0 && S_ISREG(found.st_mode) && found.st_nlink < 2 && found.st_ino == request->inode)
		return log;
	failure = ENOENT;
	close(log);
	return -1;
}

static bool has_name(const char *variable, const char *name, size_t length)
{
	return strncmp(variable, name, length) == 0 && variable[length] == '=';
}

/* What is inherited, without what the request names, then what it adds. The list is to be freed, not the texts. */
static char **variables_of(const struct request *request, char **base)
{
	size_t count = 1, used = 0;
	for (char **each = base; each != NULL && *each != NULL; each++) count++;
	for (char **each = request->variables; *each != NULL; each++) count++;
	char **all = checked(calloc(count, sizeof *all));
	for (char **each = base; each != NULL && *each != NULL; each++) {
		bool is_named = false;
		for (char **own = request->variables; *own != NULL && !is_named; own++)
			is_named = has_name(*each, *own, strcspn(*own, "="));
		if (!is_named) all[used++] = *each;
	}
	for (char **own = request->variables; *own != NULL; own++)
		if (strchr(*own, '=') != NULL) all[used++] = *own;
	return all;
}

static void run(struct client *client, const struct request *request)
{
	pid_t pid = -1;
	int log = open_log(request);
	if (log >= 0) {
		char **variables = variables_of(request, client->base);
		pid = start(request, variables, log);
		free(variables);
	}
	if (pid < 0) {
		if (log >= 0) close(log);
		answer(client, "refused%c%" PRIu64 "%c%s%c%d%c", 0, request->id, 0, failed_where, 0, failure, 0);
		return;
	}
	if (child_count == child_room) {
		child_room = child_room * 2 + 16;
		children = checked(realloc(children, child_room * sizeof *children));
	}
	children[child_count++] = (struct child){
		.pid = pid, .id = request->id, .client = client, .log = log, .grace = (int64_t)request->grace};
	answer(client, "started%c%" PRIu64 "%c%d%c", 0, request->id, 0, (int)pid, 0);
}

static bool number(const char *text, uint64_t *value)
{
	char *end;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0';
}

/* Carries out a request. Returns false for what is none; the frame is kept where `*keeps` becomes true. */
static bool handle(struct client *client, char **fields, size_t count, bool *keeps)
{
	struct request request;
	uint64_t arguments;
	if (strcmp(fields[0], "env") == 0) {
		free(client->base);
		client->base = checked(calloc(count, sizeof *fields));
		memcpy(client->base, fields + 1, (count - 1) * sizeof *fields);
		*keeps = true;
		return true;
	}
	if (count < 8 || strcmp(fields[0], "run") != 0) return false;
	if (!number(fields[1], &request.id) || !number(fields[2], &request.grace) || !number(fields[4], &request.inode))
		return false;
	if (!number(fields[6], &arguments) || arguments < 1 || arguments > count - 7) return false;
	request.log = fields[3];
	request.folder = fields[5];
	/* The arguments move one place to the front, so that a NULL fits behind them. */
	memmove(fields + 6, fields + 7, arguments * sizeof *fields);
	fields[6 + arguments] = NULL;
	request.arguments = fields + 6;
	request.variables = fields + 7 + arguments;
	run(client, &request);
	return true;
}

/* Carries out one frame of that many bytes. Returns false for one that is malformed. */
static bool take_frame(struct client *client, const char *frame, size_t length)
{
	if (length == 0 || frame[length - 1] != '\0') return false;
	char *text = checked(malloc(length));
	memcpy(text, frame, length);
	size_t count = 0;
	for (size_t i = 0; i < length; i++) count += text[i] == '\0';
	char **fields = checked(calloc(count + 1, sizeof *fields));
	char *at = text;
	for (size_t i = 0; i < count; i++, at += strlen(at) + 1) fields[i] = at;
	bool keeps = false;
	bool is_right = handle(client, fields, count, &keeps);
	free(fields);
	if (keeps) {
		free(client->inherited);
		client->inherited = text;
	} else free(text);
	return is_right;
}

static void read_from(struct client *client)
{
	char chunk[READ_BYTES];
	ssize_t length = recv(client->socket, chunk, sizeof chunk, 0);
	if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
	if (length <= 0) {
		close_client(client);
		return;
	}
	append(&client->in, chunk, (size_t)length);
	size_t taken = 0;
	while (!is_ending && client->in.used - taken >= 4) {
		const unsigned char *head = (unsigned char *)client->in.at + taken;
		size_t size = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
		if (size <= MAX_FRAME && client->in.used - taken - 4 < size) break;
		if (size > MAX_FRAME || !take_frame(client, client->in.at + taken + 4, size)) end_all();
		taken += 4 + size;
	}
	if (!is_ending) drop(&client->in, taken);
}

static void forget(size_t index)
{
	children[index] = children[--child_count];
}

static void child_ended(size_t index, int status)
{
	struct child *child = &children[index];
	struct stat found = {.st_size = 0};
	bool lives = kill(-child->pid, 0) == 0 || errno == EPERM;
	fstat(child->log, &found);
	close(child->log);
	if (child->client != NULL)
		answer(child->client, "ended%c%" PRIu64 "%c%d%c%d%c%d%c%jd%c", 0, child->id, 0,
		       WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0, WIFSIGNALED(status) ? WTERMSIG(status) : 0, 0, lives, 0,
		       (intmax_t)found.st_size, 0);
	child->has_ended = true;
	/* A group that lives keeps its number, so that no other one gets it. */
	if (!is_ending || !lives) forget(index);
}

static void reap(void)
{
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
		for (size_t i = 0; i < child_count; i++)
			if (children[i].pid == pid && !children[i].has_ended) {
				child_ended(i, status);
				break;
			}
}

/* Kills what is due, and returns how long the next is not, in milliseconds; -1 for none. */
static int kill_due(void)
{
	int64_t at = now(), wait = -1;
	for (size_t i = child_count; i-- > 0;) {
		struct child *child = &children[i];
		if (child->has_ended && kill(-child->pid, 0) != 0) {
			forget(i);
			continue;
		}
		if (child->kill_at == 0) continue;
		if (child->kill_at <= at) {
			kill(-child->pid, SIGKILL);
			child->kill_at = 0;
			if (is_ending) forget(i);
			continue;
		}
		int64_t left = child->has_ended ? LOOK_MS : child->kill_at - at;
		if (wait < 0 || left < wait) wait = left;
	}
	return wait > 60000 ? 60000 : (int)wait;
}

/* Accepts an agent. Without descriptors for more, the others start their commands themselves. */
static void accept_client(int *listener)
{
	int socket = accept4(*listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (socket < 0) {
		if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return;
		close(*listener);
		*listener = -1;
		return;
	}
	struct client *client = checked(calloc(1, sizeof *client));
	*client = (struct client){.socket = socket, .next = clients};
	clients = client;
}

/* Releases the clients that are closed, and returns how many are left. */
static size_t sweep(void)
{
	size_t count = 0;
	for (struct client **at = &clients; *at != NULL;) {
		struct client *client = *at;
		if (client->socket >= 0) {
			at = &client->next;
			count++;
			continue;
		}
		*at = client->next;
		free(client->in.at);
		free(client->out.at);
		free(client->inherited);
		free(client->base);
		free(client);
	}
	return count;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address.sun_path) return -1;
	strcpy(address.sun_path, path);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0) return -1;
	return listen(listener, 128) == 0 ? listener : -1;
}

/* Waits for requests, for the ends of children and of the run, until all is over. */
static void serve(int listener, int ends)
{
	struct pollfd *polled = NULL;
	for (int wait = -1; !is_ending || child_count > 0; wait = kill_due()) {
		size_t count = sweep() + 3, used = 3;
		polled = checked(realloc(polled, count * sizeof *polled));
		polled[0] = (struct pollfd){.fd = is_ending ? -1 : STDIN_FILENO, .events = POLLIN};
		polled[1] = (struct pollfd){.fd = ends, .events = POLLIN};
		polled[2] = (struct pollfd){.fd = is_ending ? -1 : listener, .events = POLLIN};
		for (struct client *each = clients; each != NULL; each = each->next) {
			short events = (short)((is_ending ? 0 : POLLIN) | (each->out.used > 0 ? POLLOUT : 0));
			polled[used++] = (struct pollfd){.fd = each->socket, .events = events};
		}
		if (poll(polled, count, wait) < 0) continue;
		if (polled[1].revents != 0) {
			struct signalfd_siginfo told;
			while (read(ends, &told, sizeof told) > 0) {}
			reap();
		}
		used = 3;
		for (struct client *each = clients; each != NULL; each = each->next, used++) {
			if (polled[used].revents & POLLOUT) flush(each);
			if (!is_ending && each->socket >= 0 && (polled[used].revents & ~POLLOUT)) read_from(each);
			else if (polled[used].revents & (POLLERR | POLLHUP | POLLNVAL)) close_client(each);
		}
		char ignored[64];
		if (polled[0].revents != 0 && read(STDIN_FILENO, ignored, sizeof ignored) <= 0) end_all();
		if (polled[2].revents != 0) accept_client(&listener);
	}
	while (clients != NULL) {
		close_client(clients);
		sweep();
	}
	free(polled);
	free(children);
}

int main(int count, char **arguments)
{
	sigset_t child;
	if (count != 2) return 2;
	/* What it may have inherited is not for its children. */
	syscall(SYS_close_range, 3U, ~0U, 0U);
	null_device = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	int ends = signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC);
	int listener = listen_at(arguments[1]);
	if (null_device < 0 || ends < 0 || listener < 0) return 1;
	serve(listener, ends);
	unlink(arguments[1]);
	char *slash = strrchr(arguments[1], '/');
	if (slash != NULL) *slash = '\0';
	rmdir(arguments[1]);
	return 0;
}
