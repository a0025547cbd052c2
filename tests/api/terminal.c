/* See terminal.h. */
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void need_terminals(void) {
  const int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0) {
    char *reason = text_of("no terminal can be made: %s", strerrorname_np(errno));
    printf("SKIP: %s\n", reason);
    fflush(stdout);
    free(reason);
    skip();
  }
  close(master);
}

char *terminal_config(const char *script, const char *more) {
  char *members = text_of(",\"terminal\":true%s", more);
  char *config = shell_config(script, members);
  free(members);
  return config;
}

reaper_container *must_create_terminal(const struct scene *scene, const char *id, const char *config, int32_t *master) {
  reaper_create_options options = options_of(scene, config);
  *master = -1;
  options.console = master;
  reaper_container *container = must_create_with(scene, id, &options);
  REQUIRE(*master >= 0);
  return container;
}

/* One piece into `text`; false at the end (EIO: no slave is open, pty(7)). */
static int read_piece(int master, char *text, size_t size, size_t *used) {
  struct pollfd wanted = {master, POLLIN, 0};
  REQUIRE(poll(&wanted, 1, LIMIT_MS) == 1);
  REQUIRE(*used < size - 1);
  const ssize_t got = read(master, text + *used, size - 1 - *used);
  if (got < 0) REQUIRE(errno == EIO);
  if (got <= 0) return 0;
  *used += (size_t)got;
  text[*used] = '\0';
  return 1;
}

enum { most_text = 65536 };

char *read_until(int master, const char *part) {
  char *text = calloc(1, most_text);
  REQUIRE(text != NULL);
  for (size_t used = 0; strstr(text, part) == NULL;) {
    if (read_piece(master, text, most_text, &used)) continue;
    dprintf(2, "the terminal ended without \"%s\": %s\n", part, text);
    REQUIRE(!"the terminal says what is expected");
  }
  return text;
}

char *read_to_end(int master) {
  char *text = calloc(1, most_text);
  REQUIRE(text != NULL);
  size_t used = 0;
  while (read_piece(master, text, most_text, &used)) continue;
  return text;
}

int listen_at(const char *path, int backlog) {
  const char *name = strrchr(path, '/') + 1;
  char *directory = text_of("%.*s", (int)(name - path), path);
  const int place = open(directory, O_PATH | O_CLOEXEC);
  free(directory);
  REQUIRE(place >= 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  REQUIRE(snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", place, name) <
          (int)sizeof address.sun_path);
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(listener >= 0);
  REQUIRE(bind(listener, (const struct sockaddr *)&address, sizeof address) == 0);
  REQUIRE(listen(listener, backlog) == 0);
  close(place);
  return listener;
}

int take_descriptor(int listener, char **text) {
  const int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  REQUIRE(connection >= 0);
  char data[4096] = "";
  struct iovec part = {data, sizeof data - 1};
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(4 * sizeof(int))];
  } control;
  struct msghdr message;
  memset(&message, 0, sizeof message);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof control;
  const ssize_t got = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
  REQUIRE(got > 0);
  const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  REQUIRE(header != NULL);
  REQUIRE(header->cmsg_type == SCM_RIGHTS);
  REQUIRE(header->cmsg_len == CMSG_LEN(sizeof(int)));
  int master;
  memcpy(&master, CMSG_DATA(header), sizeof master);
  REQUIRE(recv(connection, data + got, 1, 0) == 0); /* one message, then the end of file */
  close(connection);
  *text = text_of("%s", data);
  return master;
}
