/*
 * The native command host: a small process without threads that starts commands for the agents of a run and tells them
 * how these ended. Node copies its own memory to start a process, which takes milliseconds in a large run; this one lends
 * its memory to the child until that has become another program (vfork).
 *
 * `command-host SOCKET` listens at SOCKET, in a folder that is only for this user. It ends when its standard input is
 * closed, which happens too when the run's process dies, or when it is sent what is no request: then it ends all that it
 * has started (SIGTERM, and SIGKILL after the grace), and removes SOCKET and its folder. A host that dies takes nothing
 * with it: its agents notice, and end what they find by its mark.
 *
 * Requests and answers are frames: the length of the rest in 4 bytes, least significant first, then fields that each end
 * with a NUL, so that nothing is quoted. workers/processes/host-protocol.ts has the other end, workers/command-host.ts
 * the same host for Node.
 *
 *   env VARIABLE...                      what commands of this connection inherit, each NAME=value
 *   run ID GRACE LOG INODE FOLDER COUNT ARGUMENT{COUNT} VARIABLE...
 *                                        GRACE in milliseconds; variables are added, and a NAME alone is taken away
 *   refused ID WHERE ERRNO               nothing was started; WHERE is log, folder, start or program
 *   started ID PID                       it leads a session and a process group; not sent for what ends within a moment
 *   ended ID PID CODE SIGNAL LEFT SIZE TIME MEMORY
 *                                        CODE is -1 after a SIGNAL, SIZE that of the log in bytes; LEFT is what it may
 *                                        have left: group, elsewhere (in other groups) or nothing; TIME of processors in
 *                                        microseconds is that of all it has waited for, MEMORY in kilobytes that of the
 *                                        largest; a host of Node leaves these two out
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
#include <sys/resource.h>
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
  /* What ends sooner is told once instead of twice. */
  MOMENT_MS = 10,
  /* Beyond the grace of a command whose agent is gone: the run ends it, and this is for what it could not find. */
  ORPHAN_MS = 10000,
  /* How often it is looked whether the groups are gone that are being ended. */
  LOOK_MS = 50,
};

struct bytes { char *at; size_t used, room; };

/* The connection of one agent. */
struct client {
  int socket; /* -1 once it is closed; it is released in the next turn */
  struct bytes in, out;
  char *inherited, **base; /* the last `env` frame, and its variables with a NULL behind them */
  struct client *next;
};

/* A command that runs. Times are in milliseconds; 0 for never. */
struct child {
  pid_t pid;
  uint64_t id;
  struct client *client; /* NULL when its agent is gone */
  int log;
  uint64_t start; /* how many processes had been started with it */
  int64_t grace, tell_at, kill_at;
  bool has_ended; /* others of its group are still being ended */
};

static struct client *clients;
static struct child *children;
static size_t child_count, child_room;
static uint64_t starts;
static bool is_ending;
static int null_device, load_average;

/* Without memory it ends as by any death. */
static void *checked(void *memory) {
  if (memory == NULL) _exit(3);
  return memory;
}

static void append(struct bytes *to, const void *from, size_t length) {
  if (to->room - to->used < length) {
    to->room = (to->used + length) * 2;
    to->at = checked(realloc(to->at, to->room));
  }
  memcpy(to->at + to->used, from, length);
  to->used += length;
}

static void drop(struct bytes *from, size_t length) {
  from->used -= length;
  if (from->used > 0) memmove(from->at, from->at + length, from->used);
}

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void end_all(void) {
  if (is_ending) return;
  is_ending = true;
  for (size_t i = 0; i < child_count; i++) {
    kill(-children[i].pid, SIGTERM);
    children[i].kill_at = now() + children[i].grace;
  }
}

static void close_client(struct client *client) {
  close(client->socket);
  client->socket = -1;
  for (size_t i = 0; i < child_count; i++) {
    struct child *child = &children[i];
    if (child->client != client) continue;
    child->client = NULL;
    if (child->kill_at == 0) child->kill_at = now() + child->grace + ORPHAN_MS;
  }
}

/* Sends what the socket takes now. */
static void flush(struct client *client) {
  while (client->socket >= 0 && client->out.used > 0) {
    ssize_t sent = send(client->socket, client->out.at, client->out.used, MSG_NOSIGNAL);
    if (sent >= 0) drop(&client->out, (size_t)sent);
    else if (errno == EAGAIN) return;
    else if (errno != EINTR) close_client(client);
  }
}

/* Answers with the words of the format, each of which becomes a field. */
__attribute__((format(printf, 2, 3))) static void answer(struct client *client, const char *format, ...) {
  char frame[4 + 160] = {0};
  va_list values;
  if (client == NULL) return;
  va_start(values, format);
  int length = vsnprintf(frame + 4, sizeof frame - 4, format, values) + 1;
  va_end(values);
  for (int i = 4; i < 4 + length; i++)
    if (frame[i] == ' ') frame[i] = '\0';
  frame[0] = (char)length;
  append(&client->out, frame, 4 + (size_t)length);
  flush(client);
}

/* What a `run` frame asks for; everything points into the frame. */
struct request {
  uint64_t id, grace, inode;
  const char *log, *folder;
  char **arguments, **variables;
};

/* Why nothing was started. A child writes it too: it has this memory until it is another program. */
static volatile int failure;
static const char *volatile failed_at;

/* In the child: becomes the program. Only calls that are safe after vfork. */
__attribute__((noreturn)) static void become(const struct request *request, int log) {
  struct sigaction plain = {.sa_handler = SIG_DFL};
  sigset_t none;
  setsid();
  for (int signal = 1; signal <= SIGRTMAX; signal++) sigaction(signal, &plain, NULL);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (dup2(null_device, 0) >= 0 && dup2(log, 1) >= 0 && dup2(log, 2) >= 0) {
    failed_at = "folder";
    if (chdir(request->folder) == 0) {
      failed_at = "program";
      execvp(request->arguments[0], request->arguments);
    }
  }
  failure = errno;
  _exit(127);
}

/* Returns the pid; -1 with `failure` where nothing was started. */
static pid_t start(const struct request *request, char **variables, int log) {
  char **own = environ;
  sigset_t all, before;
  failed_at = "start";
  failure = 0;
  /* No handler of this process may run in the child. */
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &before);
  environ = variables; /* The program is searched for in the PATH that it will have. */
  pid_t pid = vfork();
  if (pid == 0) become(request, log);
  if (pid < 0) failure = errno;
  else starts++;
  environ = own;
  sigprocmask(SIG_SETMASK, &before, NULL);
  if (failure == 0) return pid;
  if (pid > 0) waitpid(pid, NULL, 0);
  return -1;
}

/* Opens the log if it is still the file that the agent has made; -1 with `failure` where it is not. */
static int open_log(const struct request *request) {
  struct stat found;
  failed_at = "log";
  int log = open(request->log, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  failure = errno;
  if (log < 0) return -1;
  if (fstat(log, &found) == 0 && S_ISREG(found.st_mode) && found.st_nlink < 2 && found.st_ino == request->inode)
    return log;
  failure = ENOENT;
  close(log);
  return -1;
}

static bool is_named(const char *variable, char **names) {
  for (; *names != NULL; names++) {
    size_t length = strcspn(*names, "=");
    if (strncmp(variable, *names, length) == 0 && variable[length] == '=') return true;
  }
  return false;
}

/* What is inherited and not named by the request, then what the request adds. The list is the caller's. */
static char **variables_of(const struct request *request, char **base) {
  size_t count = 1, used = 0;
  for (char **each = base; each != NULL && *each != NULL; each++) count++;
  for (char **each = request->variables; *each != NULL; each++) count++;
  char **all = checked(calloc(count, sizeof *all));
  for (char **each = base; each != NULL && *each != NULL; each++)
    if (!is_named(*each, request->variables)) all[used++] = *each;
  for (char **each = request->variables; *each != NULL; each++)
    if (strchr(*each, '=') != NULL) all[used++] = *each;
  return all;
}

static void run(struct client *client, const struct request *request) {
  int log = open_log(request);
  pid_t pid = -1;
  if (log >= 0) {
    char **variables = variables_of(request, client->base);
    pid = start(request, variables, log);
    free(variables);
    if (pid < 0) close(log);
  }
  if (pid < 0) {
    answer(client, "refused %" PRIu64 " %s %d", request->id, failed_at, failure);
    return;
  }
  if (child_count == child_room) {
    child_room = child_room * 2 + 16;
    children = checked(realloc(children, child_room * sizeof *children));
  }
  children[child_count++] = (struct child){.pid = pid, .id = request->id, .client = client, .log = log, .start = starts,
                                           .grace = (int64_t)request->grace, .tell_at = now() + MOMENT_MS};
}

static bool number(const char *text, uint64_t *value) {
  char *end;
  errno = 0;
  *value = strtoull(text, &end, 10);
  return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0';
}

/* Carries out a `run` frame. The list has room for a NULL behind its last field. Returns false for what is none. */
static bool handle_run(struct client *client, char **fields, size_t count) {
  struct request request;
  uint64_t arguments;
  if (count < 8 || strcmp(fields[0], "run") != 0 || !number(fields[1], &request.id)) return false;
  if (!number(fields[2], &request.grace) || !number(fields[4], &request.inode)) return false;
  if (!number(fields[6], &arguments) || arguments < 1 || arguments > count - 7) return false;
  request.log = fields[3];
  request.folder = fields[5];
  /* The arguments move to the place of their number, so that a NULL fits behind them. */
  request.arguments = memmove(fields + 6, fields + 7, arguments * sizeof *fields);
  fields[6 + arguments] = NULL;
  request.variables = fields + 7 + arguments;
  run(client, &request);
  return true;
}

/* Carries out one frame. Returns false for what is none. */
static bool handle(struct client *client, const char *frame, size_t length) {
  if (length == 0 || frame[length - 1] != '\0') return false;
  char *text = memcpy(checked(malloc(length)), frame, length);
  size_t count = 0;
  for (size_t i = 0; i < length; i++) count += text[i] == '\0';
  char **fields = checked(calloc(count + 1, sizeof *fields));
  for (size_t i = 0, at = 0; i < count; at += strlen(text + at) + 1) fields[i++] = text + at;
  if (strcmp(text, "env") == 0) {
    free(client->inherited);
    free(client->base);
    client->inherited = text;
    client->base = memmove(fields, fields + 1, count * sizeof *fields);
    return true;
  }
  bool is_right = handle_run(client, fields, count);
  free(fields);
  free(text);
  return is_right;
}

static void read_from(struct client *client) {
  char chunk[64 << 10];
  ssize_t length = recv(client->socket, chunk, sizeof chunk, 0);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (length <= 0) {
    close_client(client);
    return;
  }
  append(&client->in, chunk, (size_t)length);
  size_t taken = 0;
  while (client->in.used - taken >= 4) {
    const unsigned char *head = (unsigned char *)client->in.at + taken;
    size_t size = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
    if (size <= MAX_FRAME && client->in.used - taken - 4 < size) break;
    if (size > MAX_FRAME || !handle(client, client->in.at + taken + 4, size)) {
      end_all();
      return;
    }
    taken += 4 + size;
  }
  drop(&client->in, taken);
}

static void forget(struct child *child) { *child = children[--child_count]; }

/* Whether no process or thread of the system has been started since this one but by this host. */
static bool is_alone(const struct child *child) {
  char text[128];
  ssize_t length = pread(load_average, text, sizeof text - 1, 0);
  if (length <= 0) return false;
  text[length] = '\0';
  const char *last = strrchr(text, ' '); /* The pid that was assigned last. */
  return last != NULL && strtoll(last, NULL, 10) - child->pid == (int64_t)(starts - child->start);
}

static int64_t microseconds(struct timeval time) { return (int64_t)time.tv_sec * 1000000 + time.tv_usec; }

static void tell_end(struct child *child, int status, const struct rusage *used) {
  struct stat found = {.st_size = 0};
  int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  bool lives = kill(-child->pid, 0) == 0 || errno == EPERM;
  fstat(child->log, &found);
  close(child->log);
  const char *left = lives ? "group" : is_alone(child) ? "nothing" : "elsewhere";
  answer(child->client, "ended %" PRIu64 " %d %d %d %s %jd %" PRId64 " %ld", child->id, (int)child->pid, code, signal,
         left, (intmax_t)found.st_size, microseconds(used->ru_utime) + microseconds(used->ru_stime), used->ru_maxrss);
  child->has_ended = true;
  /* The number of a group that lives is not assigned again. */
  if (!is_ending || !lives) forget(child);
}

static void reap(void) {
  int status;
  struct rusage used;
  for (pid_t pid; (pid = wait4(-1, &status, WNOHANG, &used)) > 0;) {
    size_t i = 0;
    while (i < child_count && (children[i].pid != pid || children[i].has_ended)) i++;
    if (i < child_count) tell_end(&children[i], status, &used);
  }
}

/* Tells and kills what is due. Returns how many milliseconds the next has time; -1 for none. */
static int do_what_is_due(void) {
  int64_t at = now(), next = -1;
  for (size_t i = child_count; i-- > 0;) {
    struct child *child = &children[i];
    if (child->tell_at != 0 && child->tell_at <= at) {
      child->tell_at = 0;
      answer(child->client, "started %" PRIu64 " %d", child->id, (int)child->pid);
    }
    bool is_due = child->kill_at != 0 && child->kill_at <= at;
    if (is_due) {
      kill(-child->pid, SIGKILL);
      child->kill_at = 0;
    }
    if (is_ending && (is_due || (child->has_ended && kill(-child->pid, 0) != 0))) {
      forget(child);
      continue;
    }
    const int64_t times[] = {child->tell_at, child->kill_at, child->has_ended ? at + LOOK_MS : 0};
    for (size_t j = 0; j < sizeof times / sizeof *times; j++)
      if (times[j] != 0 && (next < 0 || times[j] - at < next)) next = times[j] - at;
  }
  return next > INT32_MAX ? INT32_MAX : (int)next;
}

/* Accepts an agent. Without descriptors for another, it starts its commands itself. */
static void accept_client(int *listener) {
  int socket = accept4(*listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (socket >= 0) {
    struct client *client = checked(calloc(1, sizeof *client));
    *client = (struct client){.socket = socket, .next = clients};
    clients = client;
  } else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
    close(*listener);
    *listener = -1;
  }
}

/* Releases the clients that are closed. Returns how many are left. */
static size_t sweep(void) {
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

static int listen_at(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path || strchr(path, '/') == NULL) return -1;
  strcpy(address.sun_path, path);
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0) return -1;
  return listen(listener, 128) == 0 ? listener : -1;
}

/* Waits for requests, ends of children and the end of the run, until all is over. */
static void serve(int listener, int ends) {
  enum { INPUT, ENDS, LISTENER, FIRST_CLIENT };
  struct pollfd *polled = NULL;
  for (int wait = -1; !is_ending || child_count > 0; wait = do_what_is_due()) {
    size_t count = FIRST_CLIENT + sweep(), i = FIRST_CLIENT;
    polled = checked(realloc(polled, count * sizeof *polled));
    polled[INPUT] = (struct pollfd){.fd = is_ending ? -1 : STDIN_FILENO, .events = POLLIN};
    polled[ENDS] = (struct pollfd){.fd = ends, .events = POLLIN};
    polled[LISTENER] = (struct pollfd){.fd = is_ending ? -1 : listener, .events = POLLIN};
    for (struct client *each = clients; each != NULL; each = each->next)
      polled[i++] = (struct pollfd){.fd = is_ending ? -1 : each->socket,
                                    .events = (short)(POLLIN | (each->out.used > 0 ? POLLOUT : 0))};
    if (poll(polled, count, wait) < 0) continue;
    if (polled[ENDS].revents != 0) {
      struct signalfd_siginfo told;
      while (read(ends, &told, sizeof told) > 0) {}
      reap();
    }
    i = FIRST_CLIENT;
    for (struct client *each = clients; each != NULL; each = each->next) {
      short what = polled[i++].revents;
      if ((what & POLLOUT) != 0) flush(each);
      if ((what & ~POLLOUT) != 0 && each->socket >= 0 && !is_ending) read_from(each);
    }
    char ignored[64];
    if (polled[INPUT].revents != 0 && read(STDIN_FILENO, ignored, sizeof ignored) <= 0) end_all();
    if (polled[LISTENER].revents != 0) accept_client(&listener);
  }
  for (struct client *each = clients; each != NULL; each = each->next) close_client(each);
  sweep();
  free(polled);
  free(children);
}

int main(int count, char **arguments) {
  sigset_t child;
  if (count != 2) return 2;
#ifdef SYS_close_range
  syscall(SYS_close_range, 3U, ~0U, 0U); /* What it may have inherited is not for its children. */
#endif
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, NULL);
  null_device = open("/dev/null", O_RDWR | O_CLOEXEC);
  load_average = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
  int ends = signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC);
  int listener = listen_at(arguments[1]);
  if (null_device < 0 || ends < 0 || listener < 0) return 1;
  serve(listener, ends);
  unlink(arguments[1]);
  *strrchr(arguments[1], '/') = '\0';
  rmdir(arguments[1]);
  return 0;
}
