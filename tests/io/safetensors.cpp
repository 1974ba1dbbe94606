// SPDX-License-Identifier: MIT
#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <gradus/io/safetensors.hpp>

#include "tests/io/temporary.hpp"
#include "tests/support/catch.hpp"

using namespace gradus;
using gradus_test::TemporaryFolder;
using io::read_safetensors;
using io::write_safetensors;

namespace {

std::string bytes_of(const std::string& header, const std::string& data = "") {
  std::string s;
  for (std::size_t i = 0; i < 8; ++i) s += static_cast<char>(header.size() >> 8 * i & 255);
  return s + header + data;
}

/// The error without the path, or "accepted".
std::string verdict(const std::string& bytes) {
  const TemporaryFolder folder;
  const std::string path = folder.write("f", bytes);
  try {
    read_safetensors(path);
  } catch (const FileError& e) {
    const std::string text = e.what();
    return text.substr(text.find(path) + path.size() + 2);
  }
  return "accepted";
}
std::string verdict(const std::string& header, std::size_t data) {
  return verdict(bytes_of(header, std::string(data, 'x')));
}

}  // namespace

TEST_CASE("arrays of every type come back from a safetensors file bit for bit") {
  const TemporaryFolder folder;
  const std::string path = folder.path("f");
  const Array<float> f{{1.5f, -0.0f, 1e-45f}, {std::nanf("7"), INFINITY, 3.f}};
  const Array<double> d{0.1, 1e-310};
  const Array<std::int8_t> i8{-128, 127, 3};
  const Array<std::uint64_t> u64{0, ~std::uint64_t{0}};
  const Array<std::int32_t> scalar = Array<std::int32_t>{42}.reshape({});
  const Array<bool> b{true, false, true};
  const Array<float> none(Shape{0, 3});
  const std::vector entries{io::entry("b", b),      io::entry("f", f),   io::entry("i8", i8),
                            io::entry("d", d),      io::entry("u", u64), io::entry("scalar", scalar),
                            io::entry("none", none)};
  write_safetensors(path, entries, {{"format", "pt"}, {"quote\"d", "é\n"}});
  CHECK(folder.files() == 1);

  const io::File file = read_safetensors(path);
  REQUIRE(file.entries.size() == 7);
  CHECK(file.entries[0].name == "b");  // the header keeps the order
  CHECK(file.metadata == io::Metadata{{"format", "pt"}, {"quote\"d", "é\n"}});
  const auto back = file.get<float>("f");
  CHECK(back.shape() == f.shape());
  CHECK(std::memcmp(back.data(), f.data(), f.bytes()) == 0);
  CHECK(file.get<double>("d") == d);
  CHECK(file.get<std::int8_t>("i8") == i8);
  CHECK(file.get<std::uint64_t>("u") == u64);
  CHECK(file.get<std::int32_t>("scalar") == scalar);
  CHECK(file.get<bool>("b") == b);
  CHECK(file.get<float>("none").shape() == Shape{0, 3});
  CHECK(file.find("absent") == nullptr);

  CHECK_THROWS_AS(file.get<float>("d"), FileError);
  CHECK_THROWS_WITH(file.get<float>("d"), "safetensors: " + path + ": \"d\" is F64; asked for is F32");
  CHECK_THROWS_WITH(file.get<float>("absent"), "safetensors: " + path + ": there is no \"absent\"");
}

TEST_CASE("a safetensors file is laid out as others expect it") {
  const TemporaryFolder folder;
  const Array<std::uint8_t> u{7, 8, 9};
  const Array<float> f{1.f};
  write_safetensors(folder.path("f"), std::vector{io::entry("u", u), io::entry("f", f)}, {{"k", "v"}});
  // the wider type lies first, so that each is aligned; the header's length is a multiple of 8
  std::string header = R"({"__metadata__":{"k":"v"},"u":{"dtype":"U8","shape":[3],"data_offsets":[4,7]},)"
                       R"("f":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  CHECK(folder.read("f") == bytes_of(header, std::string("\0\0\x80\x3f\7\10\11", 7)));

  write_safetensors(folder.path("f"), {});
  CHECK(folder.read("f") == bytes_of("{}      "));
  CHECK(read_safetensors(folder.path("f")).entries.empty());
}

TEST_CASE("what no safetensors file can hold is not written") {
  const TemporaryFolder folder;
  const std::string path = folder.write("f", "old");
  const auto one = io::entry("a", Array<float>{1.f});
  const auto with = [&](auto change) {
    auto e = one;
    change(e);
    return std::vector{e};
  };
  CHECK_THROWS_AS(write_safetensors(path, std::vector{one, one}), ValueError);
  CHECK_THROWS_WITH(write_safetensors(path, std::vector{one, one}),
                    "safetensors: " + path + ": \"a\" is the name of two entries");
  CHECK_THROWS_WITH(write_safetensors(path, with([](auto& e) { e.name = "__metadata__"; })),
                    ContainsSubstring("is the name of the metadata"));
  CHECK_THROWS_WITH(write_safetensors(path, with([](auto& e) { e.name = "\xff"; })),
                    ContainsSubstring("is not UTF-8"));
  CHECK_THROWS_WITH(write_safetensors(path, with([](auto& e) { e.dtype = "F31"; })),
                    ContainsSubstring("has a dtype that is not of the format"));
  CHECK_THROWS_WITH(write_safetensors(path, with([](auto& e) { e.shape = {2}; })),
                    ContainsSubstring("has more or fewer bytes than its shape takes"));
  CHECK(folder.read("f") == "old");
  CHECK(folder.files() == 1);
}

TEST_CASE("a safetensors file that is wrong is refused in words") {
  const auto entry = [](const std::string& shape, const std::string& offsets,
                        const std::string& dtype = "F32") {
    return R"({"w":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
  };
  CHECK(verdict(entry("[2,2]", "[0,16]"), 16) == "accepted");
  CHECK(verdict(entry("[2,2]", "[0,16]") + "   ", 16) == "accepted");
  CHECK(verdict(entry("[]", "[0,4]"), 4) == "accepted");
  CHECK(verdict(entry("[3]", "[0,6]", "BF16"), 6) == "accepted");
  CHECK(verdict("{}", 0) == "accepted");

  CHECK(verdict("abc") == "has 3 bytes; the length of the header alone takes 8");
  CHECK(verdict(std::string("\xe8\3\0\0\0\0\0\0{}", 10)) ==
        "the header would take 1000 bytes; the file has 10");
  CHECK(verdict(std::string(8, '\xff')) ==
        "the header would take 18446744073709551615 bytes; at most 100000000 are possible");
  CHECK(verdict("[]", 0) == "header: byte 0: expected an object, saw '['");
  CHECK(verdict("{", 0) == "header: byte 1: expected a string, saw the end");
  CHECK(verdict("{}x", 0) == "header: byte 2: expected the end, saw 'x'");
  CHECK(verdict(R"({"w":{"dtype":"F32","shape":[1]}})", 4) ==
        "header: byte 32: \"w\" should have a dtype, a shape and data_offsets");
  CHECK(verdict(R"({"w":{"dtype":"F32","dtype":"F32"}})", 4) ==
        "header: byte 28: \"w\" has one of its keys twice");
  CHECK(verdict(entry("[1]", "[0,4]", "f32"), 4) ==
        "header: byte 19: \"w\" is \"f32\", which is not a dtype of the format");
  CHECK(verdict(entry("[-1]", "[0,4]"), 4) ==
        "header: byte 29: expected a whole number from 0 to 9223372036854775807, saw '-'");
  CHECK(verdict(entry("[1]", "[0]"), 4) == "header: byte 50: \"w\" should have two data_offsets, not 1");
  CHECK(verdict(entry("[1]", "[0,4,8]"), 4) ==
        "header: byte 53: \"w\" should have two data_offsets, not more");
  CHECK(verdict(R"({"__metadata__":{"a":1}})", 0) == "header: byte 21: expected a string, saw '1'");
  CHECK(verdict(R"({"__metadata__":{},"__metadata__":{}})", 0) ==
        "header: byte 34: \"__metadata__\" is there twice");

  CHECK(verdict(entry("[2]", "[0,4]"), 4) == "\"w\": bytes 0 to 4, but F32 [2] takes 8");
  CHECK(verdict(entry("[4294967296,4294967296]", "[0,0]"), 0) ==
        "\"w\": bytes 0 to 0, but F32 [4294967296, 4294967296] takes more than any file holds");
  CHECK(verdict(entry("[2]", "[0,8]"), 4) == "\"w\": bytes 0 to 8 reach beyond the file's 4");
  CHECK(verdict(entry("[1]", "[4,8]"), 8) == "\"w\": bytes 4 to 8 should begin at byte 0");
  CHECK(verdict(entry("[1]", "[0,4]"), 5) == "entries end at byte 4 of 5; none should be left over");
  CHECK(verdict(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                R"("a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                2) == "two entries are named \"a\"");
  CHECK(verdict(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
                3) == "\"b\": bytes 1 to 3 should begin at byte 2");
}

TEST_CASE("every truncation of a safetensors file is refused") {
  const TemporaryFolder folder;
  write_safetensors(folder.path("f"), std::vector{io::entry("w", Array<float>{{1, 2}, {3, 4}}),
                                                  io::entry("b", Array<float>{1})});
  const std::string whole = folder.read("f");
  CHECK(verdict(whole) == "accepted");
  for (std::size_t n = 0; n < whole.size(); ++n) CHECK(verdict(whole.substr(0, n)) != "accepted");
}

TEST_CASE("a bool that is neither 0 nor 1, and too many axes, are refused where they are asked for") {
  const TemporaryFolder folder;
  const auto path =
      folder.write("f", bytes_of(R"({"b":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]},)"
                                 R"("r":{"dtype":"U8","shape":[1,1,1,1,1,1,1],"data_offsets":[1,2]}})",
                                 "\2x"));
  const io::File file = read_safetensors(path);
  CHECK_THROWS_WITH(file.get<bool>("b"), ContainsSubstring("\"b\" is BOOL, but holds more than 0 and 1"));
  CHECK_THROWS_WITH(file.get<std::uint8_t>("r"),
                    ContainsSubstring("\"r\" has 7 axes; an array has at most 6"));
}
