// SPDX-License-Identifier: MIT
#include <string>
#include <utility>
#include <vector>

#include <gradus/io/checkpoint.hpp>

#include "tests/io/temporary.hpp"
#include "tests/support/catch.hpp"

using namespace gradus;
using gradus_test::TemporaryFolder;

namespace {

template <class T> struct FakeModel {
  std::vector<std::pair<std::string, Array<T>>> parameters;

  struct Named {
    std::string name;
    Array<T>* array;
    Array<T> value() const { return *array; }
    void set_value(Array<T> v) { *array = std::move(v); }
  };
  std::vector<Named> named_parameters() const {
    std::vector<Named> all;
    for (const auto& [name, array] : parameters) all.push_back({name, const_cast<Array<T>*>(&array)});
    return all;
  }
};

}  // namespace

TEST_CASE("a model's parameters come back from its file") {
  const TemporaryFolder folder;
  const std::string path = folder.path("model.safetensors");
  const FakeModel<float> saved{{{"0.weight", {{1, 2}, {3, 4}, {5, 6}}}, {"0.bias", {7, 8, 9}}}};
  io::save(saved, path, {{"epoch", "12"}});
  FakeModel<float> model{{{"0.weight", Array<float>(Shape{3, 2})}, {"0.bias", Array<float>(Shape{3})}}};
  CHECK(io::load(model, path) == io::Metadata{{"epoch", "12"}});
  CHECK(model.parameters == saved.parameters);
  CHECK(io::read_safetensors(path).entries[0].name == "0.weight");
}

TEST_CASE("a file that does not fit the model changes nothing and says all that differs") {
  const TemporaryFolder folder;
  const std::string path = folder.path("m");
  io::save(FakeModel<float>{{{"0.weight", {{1, 2}}}, {"0.bias", {1}}, {"4.bias", {1}}, {"5.bias", {1}}}},
           path);

  FakeModel<float> model{{{"0.bias", {3}}, {"0.weight", {{5}, {6}}}, {"2.weight", {7}}, {"2.bias", {8}}}};
  const auto before = model.parameters;
  CHECK_THROWS_AS(io::load(model, path), FileError);
  CHECK_THROWS_WITH(io::load(model, path),
                    "load: " + path +
                        " does not fit the model; missing in the file: \"2.weight\", \"2.bias\"; "
                        "unexpected in the file: \"4.bias\", \"5.bias\"; "
                        "\"0.weight\" is F32 [1, 2] in the file, F32 [2, 1] in the model");
  CHECK(model.parameters == before);

  FakeModel<double> wider{{{"0.weight", {{1, 2}}}, {"0.bias", {1}}, {"4.bias", {1}}, {"5.bias", {9}}}};
  CHECK_THROWS_WITH(io::load(wider, path),
                    ContainsSubstring("\"5.bias\" is F32 [1] in the file, F64 [1] in the model"));
  CHECK(wider.parameters[3].second.item() == 9);
}
