// SPDX-License-Identifier: MIT
#include <cstdint>
#include <string>
#include <vector>

#include <gradus/data/csv.hpp>
#include <gradus/data/table.hpp>

#include "tests/support/catch.hpp"

using namespace gradus;
using data::Label;
using data::parse_csv;
using data::Table;
using Names = std::vector<std::string>;

TEST_CASE("a table becomes a dataset with two classes") {
  const auto d = parse_csv("x,y,class\n1,2,yes\n3,4,no\n5,6,yes\n").dataset();
  CHECK(d.inputs[0] == Array<float>{{1, 2}, {3, 4}, {5, 6}});
  CHECK(d.targets == Array<float>{{1}, {0}, {1}});
  CHECK(d.class_names == Names{"no", "yes"});
  CHECK(d.feature_names == Names{"x", "y"});

  const auto targets = [](const std::string& text) { return parse_csv(text).dataset<double>().targets; };
  CHECK(targets("5,0\n5,1\n") == Array<double>{{0}, {1}});
  CHECK(targets("5,1\n5,-1\n") == Array<double>{{1}, {0}});
  CHECK(targets("5,+1\n5,-1\n5,1.0\n") == Array<double>{{1}, {0}, {1}});  // numbers are compared as numbers
  CHECK(targets("5,10\n5,9\n") == Array<double>{{1}, {0}});
  CHECK(targets("5,true\n5,false\n") == Array<double>{{1}, {0}});
  CHECK(targets("5,M\n5,B\n") == Array<double>{{1}, {0}});
}

TEST_CASE("a table's label column is chosen by name or place") {
  const Table t = parse_csv("a,b,4\n0,1,1\n1,2,0\n", {.header = true});
  CHECK(t.dataset({.label = "a"}).feature_names == Names{"b", "4"});
  CHECK(t.dataset({.label = 0}).feature_names == Names{"b", "4"});
  CHECK(t.dataset({.label = -2}).feature_names == Names{"a", "4"});
  CHECK(t.dataset({.label = "1"}).feature_names == Names{"a", "4"});
  CHECK(t.dataset({.label = "4"}).feature_names == Names{"a", "b"});  // a name goes before a place
  CHECK(t.dataset({.ignore = {"a"}}).feature_names == Names{"b"});

  CHECK_THROWS_AS(t.dataset({.label = "c"}), ValueError);
  CHECK_THROWS_WITH(t.dataset({.label = "c"}),
                    "csv: text: there is no column \"c\"; there are 3: \"a\", \"b\", \"4\"");
  CHECK_THROWS_WITH(t.dataset({.label = 3}), ContainsSubstring("there is no column \"3\""));
  CHECK_THROWS_WITH(t.dataset({.ignore = {0, 1}}),
                    "csv: text: there is no column left for features beside \"4\"");
  CHECK_THROWS_WITH(parse_csv("a,a\n1,2\n").column("a"),
                    "csv: text: 2 columns are named \"a\"; take one by its place");
}

TEST_CASE("a binary label of other than two classes names what was seen") {
  CHECK_THROWS_AS(parse_csv("x,species\n1,a\n2,b\n3,c\n").dataset(), ValueError);
  CHECK_THROWS_WITH(parse_csv("x,species\n1,virginica\n2,setosa\n3,versicolor\n", {}, "iris.csv").dataset(),
                    "csv: iris.csv: a binary label has two classes, but column \"species\" has 3: "
                    "\"setosa\", \"versicolor\", \"virginica\"");
  CHECK_THROWS_WITH(parse_csv("1,7\n2,7\n").dataset(),
                    "csv: text: a binary label has two classes, but column \"column 1\" has 1: \"7\"");
  CHECK_THROWS_WITH(parse_csv("1,1\n1,2\n1,3\n1,4\n1,5\n1,6\n1,7\n").dataset(),
                    ContainsSubstring("has 7: \"1\", \"2\", \"3\", \"4\", \"5\" and 2 more"));
}

TEST_CASE("a table becomes a dataset with many classes, or numbers to predict") {
  const Table t = parse_csv("1,10\n2,9\n3,2\n4,10.0\n");
  const auto classes = t.dataset({.kind = Label::classes});
  CHECK(classes.labels == Array<std::int32_t>{2, 1, 0, 2});
  CHECK(classes.class_names == Names{"2", "9", "10"});
  const auto numbers = t.dataset<double>({.kind = Label::regression});
  CHECK(numbers.targets == Array<double>{{10}, {9}, {2}, {10}});
  CHECK(numbers.class_names.empty());
}

TEST_CASE("a field that is not what it should be is named by file, line and field") {
  const auto t = parse_csv("x,y,class\n1,2,a\n1,?,b\n", {}, "f.csv");
  CHECK_THROWS_AS(t.dataset(), FileError);
  CHECK_THROWS_WITH(t.dataset(), "csv: f.csv:3:2: expected a number, saw \"?\"");
  CHECK_THROWS_WITH(parse_csv("1,a\n1,\n").dataset(), "csv: text:2:2: expected a label, saw \"\"");
  CHECK_THROWS_WITH(parse_csv("x,y\n").dataset(), "csv: text: there is no row below the header");
  CHECK_THROWS_WITH(parse_csv("1e39,0\n1,1\n").dataset(),
                    "csv: text:1:1: expected a number of at most 3.40282347e+38, saw \"1e39\"");
  CHECK_THROWS_WITH(parse_csv(std::string(50, 'a') + ",1\n").number(0, 0),
                    "csv: text:1:1: expected a number, saw \"" + std::string(40, 'a') + "…\"");
  CHECK(parse_csv("1e39,0\n1,1\n").dataset<double>().inputs[0](0, 0) == 1e39);
}
