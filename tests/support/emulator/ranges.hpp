// SPDX-License-Identifier: MIT
// Copies and matrix products touch device memory by ranges: the same checks as a kernel's accesses.
#pragma once

#include <cstdint>
#include <string>

#include "tests/support/emulator/findings.hpp"
#include "tests/support/emulator/heap.hpp"
#include "tests/support/emulator/settings.hpp"
#include "tests/support/emulator/shadow.hpp"
#include "tests/support/emulator/watch.hpp"

namespace gradus::test::emulator {

/// The allocation that all n bytes lie in; nullptr, and a finding, where they are not to be used.
inline Allocation* allocation_of(const std::string& who, const void* p, std::size_t n, int device) {
  const auto* const begin = static_cast<const char*>(p);
  Allocation* const a = heap().contains(p) ? heap().near(p) : nullptr;
  std::string wrong;
  if (!a)
    wrong = "what is not device memory";
  else if (begin + n > a->end())
    wrong = gradus::detail::message("device memory out of bounds: bytes ", begin - a->begin, " to ",
                                    begin - a->begin + static_cast<std::ptrdiff_t>(n), " of ", a->size);
  else
    wrong = use(*a, device);
  if (!wrong.empty()) found(who, ": uses ", wrong);
  return wrong.empty() ? a : nullptr;
}

/// f(cell, which of its four bytes) over a range.
template <class F> void each_cell(const void* p, std::size_t n, const F& f) {
  Cell* cell = heap().cell(p);
  std::size_t skip = reinterpret_cast<std::uintptr_t>(p) % 4;
  for (; n > 0; skip = 0, ++cell) {
    const std::size_t bytes = n < 4 - skip ? n : 4 - skip;
    f(*cell, ((1u << bytes) - 1) << skip);
    n -= bytes;
  }
}

enum class Unwritten { is_wrong, is_fine };

/// Judges and remembers that the operation that runs reads or writes n bytes. False: it must not.
inline bool touch_range(const std::string& who, const void* p, std::size_t n, emulator_kind kind, int device,
                        Unwritten unwritten = Unwritten::is_wrong) {
  Allocation* const a = allocation_of(who, p, n, device);
  if (!a) return false;
  if (!settings().checks) return heap().trust_all(), true;
  const Actor actor{{history().id(), 0, 0, 0, 0}, nullptr, nullptr};
  const bool trusted = heap().trusted(*a) || unwritten == Unwritten::is_fine;
  Problem worst = Problem::none;
  Access other;
  each_cell(p, n, [&](Cell& cell, unsigned bytes) {
    if (const Problem problem = touch(cell, bytes, kind, actor, trusted, other); problem != Problem::none)
      worst = problem;
  });
  const char* const verb = kind == emulator_reads ? ": reads" : ": writes";
  if (worst == Problem::uninitialised) found(who, verb, " uninitialised device memory");
  if (worst == Problem::race_with_read || worst == Problem::race_with_write)
    found(who, verb, " memory that ", history().name(other.operation()),
          worst == Problem::race_with_write ? " wrote" : " read",
          " on another stream, with no event between");
  return true;
}

/// What a copy within the device hands on is as uninitialised as what it reads.
inline void copy_known(const void* to, const void* from, std::size_t n) {
  if (!settings().checks) return;
  const auto where = [](const void* p, std::size_t i) { return reinterpret_cast<std::uintptr_t>(p) + i; };
  for (std::size_t i = 0; i < n; ++i) {
    const auto source = reinterpret_cast<const char*>(where(from, i)),
               target = reinterpret_cast<const char*>(where(to, i));
    const bool known = heap().cell(source)->write.known() >> (where(from, i) % 4) & 1;
    Access& write = heap().cell(target)->write;
    const unsigned bit = 1u << (where(to, i) % 4);
    write.set_known(known ? write.known() | bit : write.known() & ~bit);
  }
}

}  // namespace gradus::test::emulator
