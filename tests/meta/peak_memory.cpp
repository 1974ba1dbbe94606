// SPDX-License-Identifier: MIT
// peak_memory LIMIT_MB COMMAND...: runs the command and fails if it, or the largest process that it started,
// took more memory than the limit.
#include <cstdio>
#include <cstdlib>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 3) return std::fputs("usage: peak_memory LIMIT_MB COMMAND...\n", stderr), 2;
  const pid_t child = fork();
  if (child == 0) {
    execvp(argv[2], argv + 2);
    std::perror(argv[2]);
    _exit(127);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0)
    return std::fputs("the command failed\n", stderr), 1;
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const long peak = usage.ru_maxrss / 1024, limit = std::atol(argv[1]);  // ru_maxrss is in KiB
  std::printf("peak memory: %ld MB, limit %ld MB\n", peak, limit);
  return peak > limit;
}
