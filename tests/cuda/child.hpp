// SPDX-License-Identifier: MIT
// A process of its own for what cannot be undone in one: a GPU is opened once, and lost for ever.
#pragma once

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include <gradus/core/parallel.hpp>

namespace gradus::test {

/// The string that f returns in a child of this process; or what it threw, or died of. No CHECK in there.
template <class F> std::string in_child(const F& f) {
  set_threads(1);  // the others would not be there in the child
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    for (const int s : {SIGSEGV, SIGABRT, SIGFPE, SIGILL}) std::signal(s, SIG_DFL);  // Catch2's
    std::string result;
    try {
      result = f();
    } catch (const std::exception& e) { result = std::string("an exception: ") + e.what(); }
    const bool written = ::write(ends[1], result.data(), result.size()) == ssize_t(result.size());
    ::_exit(written ? 0 : 1);
  }
  ::close(ends[1]);
  std::string result;
  char part[4096];
  for (ssize_t n = 1; n > 0;)
    if ((n = ::read(ends[0], part, sizeof part)) > 0) result.append(part, std::size_t(n));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  set_threads(0);
  if (WIFSIGNALED(status)) return std::string("the process died: ") + ::strsignal(WTERMSIG(status));
  return WEXITSTATUS(status) == 0 ? result : "the process ended with " + std::to_string(WEXITSTATUS(status));
}

}  // namespace gradus::test
