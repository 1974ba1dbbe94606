// SPDX-License-Identifier: MIT
// Each guard twice: this repository passes it, and a small tree with a planted fault does not.
#include "tests/meta/guards.hpp"

#include <unistd.h>

#include "tests/support/catch.hpp"

namespace fs = std::filesystem;
using guards::Complaints;

namespace {

const std::string head = "// SPDX-License-Identifier: MIT\n#pragma once\n\n";

/// A tree in the temporary directory that passes every guard until something is planted.
struct Tree {
  fs::path root = fs::temp_directory_path() / ("gradus_guards_" + std::to_string(::getpid()));

  Tree() {
    plant("include/gradus/core/shape.hpp", head + "#include <vector>\n");
    plant("include/gradus/cpu/map.hpp", head + "#include <gradus/core/shape.hpp>\n");
    plant("include/gradus/tape/tape.hpp", head + "#include <gradus/cpu/map.hpp>\n");
    plant("include/gradus/ops/exp.hpp", head + "#include <gradus/tape/tape.hpp>\n");
    plant("include/gradus/ops/ops.hpp", head + "#include <gradus/ops/exp.hpp>\n");
    plant("include/gradus/gradus.hpp", head + "#include <gradus/ops/ops.hpp>\n");
    plant("tests/ops/exp.cpp", "");
    plant("examples/one.cpp", "int main() {}\n");
    plant("README.md", "# It\n\n<!-- example: examples/one.cpp -->\n```cpp\nint main() {}\n```\n");
    fs::copy_file(fs::path(GRADUS_SOURCE_DIR) / ".clang-format", root / ".clang-format");
  }
  ~Tree() { fs::remove_all(root); }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  void plant(const fs::path& file, const std::string& text) const {
    fs::create_directories((root / file).parent_path());
    std::ofstream(root / file, std::ios::binary) << text;
  }
};

void check_passes(const Complaints& complaints) {
  for (const auto& complaint : complaints) FAIL_CHECK(complaint);
  SUCCEED();
}
void check_complains(const Complaints& complaints, const std::string& part) {
  std::string all;
  for (const auto& complaint : complaints) all += complaint + "\n";
  CHECK_THAT(all, ContainsSubstring(part));
}

const fs::path repository = GRADUS_SOURCE_DIR;
const std::string formatter = GRADUS_CLANG_FORMAT;

}  // namespace

TEST_CASE("includes obey the layers", "[layers]") {
  const Tree tree;
  check_passes(guards::layers(tree.root));
  SECTION("this repository") { check_passes(guards::layers(repository)); }
  SECTION("upward") {
    tree.plant("include/gradus/core/shape.hpp", head + "#include <gradus/tape/tape.hpp>\n");
    check_complains(guards::layers(tree.root),
                    "gradus/core/shape.hpp includes <gradus/tape/tape.hpp>; core/ may not include tape/");
    check_complains(guards::layers(tree.root), "gradus/core/shape.hpp includes itself through");
  }
  SECTION("a circle within a layer") {
    tree.plant("include/gradus/core/shape.hpp", head + "#include <gradus/core/view.hpp>\n");
    tree.plant("include/gradus/core/view.hpp", head + "#include <gradus/core/shape.hpp>\n");
    check_complains(guards::layers(tree.root),
                    "gradus/core/view.hpp includes itself through gradus/core/shape.hpp");
  }
  SECTION("the umbrella from within") {
    tree.plant("include/gradus/ops/exp.hpp", head + "#include <gradus/gradus.hpp>\n");
    check_complains(guards::layers(tree.root), "ops/ may not include the umbrella headers");
  }
  SECTION("cuda below cuda.hpp") {
    tree.plant("include/gradus/cuda/map.hpp", head);
    tree.plant("include/gradus/gradus.hpp", head + "#include <gradus/cuda/map.hpp>\n");
    check_complains(guards::layers(tree.root), "only gradus/cuda.hpp may include cuda/");
    tree.plant("include/gradus/gradus.hpp", head);
    tree.plant("include/gradus/ops/exp.hpp", head + "#include <gradus/cuda/map.hpp>\n");
    check_complains(guards::layers(tree.root), "ops/ may not include cuda/");
  }
  SECTION("DLPack's header for everybody") {
    tree.plant("include/gradus/dlpack.hpp", head + "#include <gradus/core/shape.hpp>\n");
    check_passes(guards::layers(tree.root));
    tree.plant("include/gradus/gradus.hpp", head + "#include <gradus/dlpack.hpp>\n");
    check_complains(guards::layers(tree.root),
                    "gradus/gradus.hpp includes <gradus/dlpack.hpp>; only programs may");
  }
  SECTION("cuda below the contract") {
    tree.plant("include/gradus/cuda.hpp",
               head + "#include <gradus/cuda/map.hpp>\n#include <gradus/gradus.hpp>\n");
    tree.plant("include/gradus/kernels/table.hpp", head + "#include <gradus/core/shape.hpp>\n");
    tree.plant("include/gradus/cuda/driver.hpp", head + "#include <gradus/core/shape.hpp>\n");
    const std::string good =
        head + "#include <gradus/cuda/driver.hpp>\n#include <gradus/kernels/table.hpp>\n";
    tree.plant("include/gradus/cuda/map.hpp", good);
    check_passes(guards::layers(tree.root));
    for (const std::string above : {"cpu/map", "tape/tape", "ops/ops"}) {
      tree.plant("include/gradus/cuda/map.hpp", good + "#include <gradus/" + above + ".hpp>\n");
      check_complains(guards::layers(tree.root),
                      "includes <gradus/" + above + ".hpp>; cuda/ may not include");
    }
  }
  SECTION("a folder that is no layer") {
    tree.plant("include/gradus/util/all.hpp", head);
    check_complains(guards::layers(tree.root), "util/ is no layer");
  }
  SECTION("a file that is not there") {
    tree.plant("include/gradus/cpu/map.hpp", head + "#include <gradus/core/shapes.hpp>\n");
    check_complains(guards::layers(tree.root), "<gradus/core/shapes.hpp>, which is no file");
  }
}

TEST_CASE("headers begin, include and define as agreed", "[style]") {
  check_passes(guards::style(repository));
  const Tree tree;
  check_passes(guards::style(tree.root));
  const auto expect = [&](const std::string& text, const std::string& part) {
    tree.plant("include/gradus/core/shape.hpp", text);
    check_complains(guards::style(tree.root), "gradus/core/shape.hpp: " + part);
  };
  expect("#pragma once\n", "line 1 must be // SPDX");
  expect(head + "// SPDX-License-Identifier: MIT\n", "more than one SPDX");
  expect("// SPDX-License-Identifier: MIT\n", "needs one line #pragma once");
  expect(head + "#include <iostream>\n", "includes <iostream>");
  expect(head + "#include \"view.hpp\"\n", "includes \"view.hpp\"; write <gradus/...>");
  expect(head + "#include <vector>\n#include <gradus/fwd.hpp>\n",
         "includes are not sorted: <gradus/fwd.hpp>");
  expect(head + "#define MAX(a, b) a\n", "macro MAX leaks");
  expect(head + "#define SHAPE_H\n# define X\n#undef SHAPE_H\n", "macro X leaks");
  const std::string kernel = "constexpr char text[] = R\"(\n#define TILE 16\n)\";\n";
  expect(head + kernel + "#define X\n" + kernel, "macro X leaks");
  tree.plant("include/gradus/core/shape.hpp",
             head + kernel + "#define GRADUS_X 1\n#define Y 2\n#undef Y\n" + kernel);
  check_passes(guards::style(tree.root));
}

TEST_CASE("lists are complete", "[lists]") {
  check_passes(guards::lists(repository));
  const Tree tree;
  check_passes(guards::lists(tree.root));
  tree.plant("include/gradus/ops/log.hpp", head);
  check_complains(guards::lists(tree.root), "gradus/ops/ops.hpp does not include <gradus/ops/log.hpp>");
  check_complains(guards::lists(tree.root), "gradus/ops/log.hpp has no test tests/ops/log.cpp");
  tree.plant("include/gradus/kernels/table.hpp", head);
  CHECK(guards::lists(tree.root).size() == 2);  // it is no kernel: no more complaints than these two
  tree.plant("include/gradus/kernels/sort.hpp", head);
  check_complains(guards::lists(tree.root), "gradus/kernels/sort.hpp has no counterpart in cpu/");
  tree.plant("include/gradus/cuda/driver.hpp", head);
  check_complains(guards::lists(tree.root), "gradus/kernels/sort.hpp has no counterpart in cuda/");
}

TEST_CASE("what the CPU can do, every device can", "[devices]") {
  check_passes(guards::devices(repository));
  const Tree tree;
  check_passes(guards::devices(tree.root));
  const std::string file = "gradus/kernels/sort.hpp", own = "  if (y.is_cpu()) return cpu::sort(y);\n",
                    table = "struct Table {\n  virtual void sort(Target y) = 0;\n};\n",
                    cuda = "inline void sort(Gpu& gpu, Target y) {}\n";
  const auto plant = [&](const std::string& body, const std::string& entries, const std::string& kernel) {
    tree.plant("include/" + file, head + "template <class T> void sort(Sink<T> y) {\n" + own + body + "}\n");
    tree.plant("include/gradus/kernels/table.hpp", head + entries);
    tree.plant("include/gradus/cuda/sort.hpp", head + kernel);
    return guards::devices(tree.root);
  };
  for (const std::string call : {"on->sort(on.to);\n", "table(y.device).sort(y);\n"})
    check_passes(plant(call, table, cuda));
  const std::string call = "  on->sort(on.to);\n";
  check_complains(plant(call, "", cuda), file + ": sort has no entry in kernels/table.hpp");
  check_complains(plant("", table, cuda), file + ": sort does not call the table");
  check_complains(plant(call, table, ""), file + ": sort is not in cuda/sort.hpp: it is for the CPU only");
  check_complains(plant(call, table, "// sort(Gpu& gpu)\n"), "sort is not in cuda/sort.hpp");
  fs::remove(tree.root / "include" / file);
  check_complains(guards::devices(tree.root), "kernels/table.hpp: sort is no kernel of the contract");

  plant(call, table, cuda);
  for (const std::string cpu : {"cpu::sort(y)", "gradus::cpu::sort<float, 2>(y)"}) {
    tree.plant("include/gradus/ops/exp.hpp", head + "inline void exp() { " + cpu + "; }\n");
    check_complains(guards::devices(tree.root), "gradus/ops/exp.hpp: calls cpu::sort, which no other device");
  }
  tree.plant("include/gradus/ops/exp.hpp",
             head + "float a[cpu::most_states];\nvoid (*f)() = &cpu::rows<2>;\n");
  check_passes(guards::devices(tree.root));
  tree.plant("tests/ops/exp.cpp", "expect_op(exp, {.on_devices = false});\n");
  check_complains(guards::devices(tree.root), "tests/ops/exp.cpp leaves devices out");
}

TEST_CASE("code in the README is an example", "[readme]") {
  check_passes(guards::readme(repository));
  const Tree tree;
  check_passes(guards::readme(tree.root));
  const std::string marker = "<!-- example: examples/one.cpp -->\n",
                    part = "<!-- part of: examples/one.cpp -->\n";
  const auto expect = [&](const std::string& text, const std::string& what) {
    tree.plant("README.md", text);
    check_complains(guards::readme(tree.root), what);
  };
  expect(marker + "```cpp\nint main() { }\n```\n", "README.md:4: the block differs from examples/one.cpp");
  expect(marker + "```cpp\n```\n", "the block differs");
  expect(part + "```cpp\nint x;\n```\n", "the block differs");
  expect("```cpp\nint main() {}\n```\n", "a cpp block without");
  expect(marker + "text\n```cpp\nint main() {}\n```\n", "a cpp block without");
  expect("<!-- example: examples/two.cpp -->\n```cpp\nint main() {}\n```\n",
         "examples/two.cpp is no example and no test");
  tree.plant("include/gradus/one.hpp", head);
  expect("<!-- part of: include/gradus/one.hpp -->\n```cpp\n#pragma once\n```\n",
         "include/gradus/one.hpp is no example and no test");
  tree.plant("tests/consumers/one.cpp", "int x;\n");
  tree.plant("README.md", "<!-- part of: tests/consumers/one.cpp -->\n```cpp\nint x;\n```\n");
  check_passes(guards::readme(tree.root));
  expect(marker + "```cpp\nint main() {}\n", "not closed");
  tree.plant("examples/one.cpp", "#include <a>\n\nint main() {}\n");
  tree.plant("README.md", part + "\n```cpp\nint main() {}\n```\n");
  check_passes(guards::readme(tree.root));
}

TEST_CASE("the tape is small", "[tape]") {
  check_passes(guards::tape_size(repository, formatter));
  const Tree tree;
  check_passes(guards::tape_size(tree.root, formatter));
  check_complains(guards::tape_size(tree.root, "", 2), "tape/ has 3 non-blank lines, 2 allowed");
  tree.plant("include/gradus/tape/apply.hpp", head + "// " + std::string(120, 'x') + "\n");
  check_complains(guards::tape_size(tree.root, formatter), "a line of 123 columns");
  if (!formatter.empty()) {  // crowding lines together does not help
    tree.plant("include/gradus/tape/apply.hpp",
               head + "inline int f(int x){if(x){x=1;}else{x=2;}for(;;){x++;break;}return x;}\n");
    CHECK(guards::tape_size(tree.root, "", 7).empty());
    check_complains(guards::tape_size(tree.root, formatter, 7), "non-blank lines, 7 allowed");
  }
}
