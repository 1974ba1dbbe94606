// SPDX-License-Identifier: MIT
// What a kernel compiled for the CPU and the emulator say to each other. One text, compiled here and put
// before every kernel (prelude.hpp), so that the two sides cannot drift apart.
#pragma once

#define GRADUS_EMULATOR_ON_BOTH_SIDES(...) \
  __VA_ARGS__                              \
  inline constexpr const char* seam_text = #__VA_ARGS__;

namespace gradus::test::emulator {

// clang-format off
GRADUS_EMULATOR_ON_BOTH_SIDES(

struct emulator_index { unsigned x, y, z; };

/* Filled by the emulator before it runs or resumes a thread. */
struct emulator_seam {
  emulator_index thread, block, block_dim, grid_dim;
  void* dynamic_shared;
  int (*barrier)(int vote, int line);          /* how many threads voted */
  unsigned long long (*exchange)(unsigned mask, unsigned long long value, unsigned source, unsigned* ballot,
                                 int line);
  void (*access)(const void* address, unsigned long bytes, int kind, const void* site);  /* emulator_kind */
  void (*complain)(const char* what, long long number, const char* file, unsigned line, int misaligned);
  void (*fence)();
  void (*trap)(int line);                      /* does not return */
};

/* The last two are atomics'. */
enum emulator_kind { emulator_reads, emulator_writes, emulator_updates, emulator_replaces };

struct emulator_kernel {
  void (*run)(void** arguments);
  unsigned count;
  const unsigned* sizes;
  const unsigned* alignments;
  unsigned bound;                              /* of __launch_bounds__, 0: none */
};

struct emulator_module {
  unsigned long version;                       /* of the prelude that it was compiled with */
  emulator_seam* seam;
  char* shared_begin;
  char* shared_end;
  char* image_begin;
  char* image_end;
  int checked;
};

)
// clang-format on

}  // namespace gradus::test::emulator
