// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include <gradus/data/csv.hpp>

#include "tests/io/temporary.hpp"
#include "tests/support/catch.hpp"

using namespace gradus;
using data::parse_csv;
using data::Table;

namespace {

using Rows = std::vector<std::vector<std::string>>;
Rows rows(const Table& t) {
  Rows all;
  for (Index i = 0; i < t.rows(); ++i) {
    all.emplace_back();
    for (Index k = 0; k < t.columns(); ++k) all.back().push_back(t.text(i, k));
  }
  return all;
}
using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("csv: a header is found, or not") {
  CHECK(parse_csv("a,b\n1,2\n").names == Names{"a", "b"});
  CHECK(rows(parse_csv("a,b\n1,2\n")) == Rows{{"1", "2"}});
  CHECK(parse_csv("1,b\n1,2\n").names == Names{"column 0", "column 1"});
  CHECK(parse_csv("1,b\n1,2\n").rows() == 2);
  CHECK(parse_csv("a,b\nc,d\n", {.header = false}).rows() == 2);
  CHECK(parse_csv("1,2\n3,4\n", {.header = true}).names == Names{"1", "2"});
  CHECK(parse_csv(",x\n0,5\n").names == Names{"", "x"});  // as pandas writes its index
  CHECK(parse_csv("nan,inf\n0,5\n").names == Names{"nan", "inf"});
}

TEST_CASE("csv: line ends, blank lines and a byte-order mark") {
  const Rows expected{{"1", "2"}, {"3", "4"}};
  for (const char* text : {"a,b\n1,2\n3,4\n", "a,b\n1,2\n3,4", "a,b\r\n1,2\r\n3,4\r\n", "a,b\r1,2\r3,4\r",
                           "a,b\n1,2\r\n3,4\r", "\n\na,b\n\n1,2\n  \n3,4\n\n",
                           "\xef\xbb\xbf"
                           "a,b\n1,2\n3,4"}) {
    const Table t = parse_csv(text);
    CHECK(t.names == Names{"a", "b"});
    CHECK(rows(t) == expected);
  }
}

TEST_CASE("csv: quotes hold separators, line ends and quotes") {
  CHECK(rows(parse_csv("1,\"a,b\"\n2,\"say \"\"hi\"\"\"\n3,\"two\nlines\"\n4,\"\"\n")) ==
        Rows{{"1", "a,b"}, {"2", "say \"hi\""}, {"3", "two\nlines"}, {"4", ""}});
  CHECK(rows(parse_csv("1 , \"a\" \n 2, b c\t\n")) == Rows{{"1", "a"}, {"2", "b c"}});
  CHECK(rows(parse_csv("1,5\" disk\n2,x\n")) == Rows{{"1", "5\" disk"}, {"2", "x"}});
  CHECK(rows(parse_csv("\"\"\n\"1\"\n", {.header = false})) == Rows{{""}, {"1"}});  // quoted, so not blank
}

TEST_CASE("csv: the separator is found") {
  const Rows expected{{"1", "2"}, {"3", "4"}};
  CHECK(rows(parse_csv("1,2\n3,4\n")) == expected);
  CHECK(rows(parse_csv("1;2\n3;4\n")) == expected);
  CHECK(rows(parse_csv("1\t2\n3\t4\n")) == expected);
  CHECK(rows(parse_csv("1|2\n3|4\n", {.separator = '|'})) == expected);
  CHECK(rows(parse_csv("a;b\n1,5;2,5\n3,5;4,5\n")) ==
        Rows{{"1,5", "2,5"}, {"3,5", "4,5"}});  // decimal commas
  CHECK(rows(parse_csv("\"a;b\",1\n\"c\",2\n")) == Rows{{"a;b", "1"}, {"c", "2"}});
  CHECK(rows(parse_csv("1\n2\n")) == Rows{{"1"}, {"2"}});
  CHECK(parse_csv("1\t\t2\n", {}).columns() == 3);
}

TEST_CASE("csv: numbers know no locale and say where they are not") {
  const Table t =
      parse_csv("a,b\n 1.5 ,-2e3\n+7,.5\n\"8\",n/a\n9,nan\n3,1e400\n1,\n1,0x10\n1,1 2\n", {}, "iris.csv");
  CHECK(t.number(0, 0) == 1.5);
  CHECK(t.number(0, 1) == -2000);
  CHECK(t.number(1, 0) == 7);
  CHECK(t.number(1, 1) == 0.5);
  CHECK(t.number(2, 0) == 8);
  CHECK_THROWS_AS(t.number(2, 1), FileError);
  CHECK_THROWS_WITH(t.number(2, 1), "csv: iris.csv:4:2: expected a number, saw \"n/a\"");
  CHECK_THROWS_WITH(t.number(3, 1), "csv: iris.csv:5:2: expected a number, saw \"nan\"");
  CHECK_THROWS_WITH(t.number(4, 1), "csv: iris.csv:6:2: expected a number, saw \"1e400\"");
  CHECK_THROWS_WITH(t.number(5, 1), "csv: iris.csv:7:2: expected a number, saw \"\"");
  CHECK_THROWS_WITH(t.number(6, 1), "csv: iris.csv:8:2: expected a number, saw \"0x10\"");
  CHECK_THROWS_WITH(t.number(7, 1), "csv: iris.csv:9:2: expected a number, saw \"1 2\"");
  CHECK_THROWS_AS(t.number(8, 0), IndexError);
  CHECK(std::isnan(parse_csv("1,nan\n", {.non_finite = true}).number(0, 1)));
  // lines are those of the file, also after blank ones, quoted line ends and CR
  CHECK_THROWS_WITH(parse_csv("1,\"x\ny\"\r\n\r2,z\n").number(1, 1),
                    "csv: text:4:2: expected a number, saw \"z\"");
  CHECK_THROWS_WITH(parse_csv("1,\"x\ny\"\n").number(0, 1), "csv: text:1:2: expected a number, saw \"x y\"");
}

TEST_CASE("csv: what is no table is refused in words") {
  const auto error = [](const std::string& text) -> std::string {
    try {
      parse_csv(text, {}, "f.csv");
    } catch (const FileError& e) { return e.what(); }
    return "accepted";
  };
  CHECK(error("") == "csv: f.csv: the file is empty");
  CHECK(error("\n \r\n") == "csv: f.csv: the file has only blank lines");
  CHECK(error("1,2\n\n3\n") == "csv: f.csv:3: expected 2 fields as in the first row, saw 1");
  CHECK(error("1,2\n3,4,5\n") == "csv: f.csv:2: expected 2 fields as in the first row, saw 3");
  CHECK(error("1,2\n3,\"4\n5,6\n") == "csv: f.csv:2: the quote that begins here has no end");
  CHECK(error("1,2\n3,\"4\"5\n") ==
        "csv: f.csv:2: expected a separator or the end of the line after a closing quote, saw '5'");
  CHECK(error(std::string("1,2\n3,\0\n", 8)) == "csv: f.csv:2: saw a zero byte; the file should be text");
  CHECK(error("\xff\xfe"
              "1") == "csv: f.csv: the file is in UTF-16; it should be in UTF-8");
}

TEST_CASE("csv: files that cannot be read are errors in words") {
  const gradus_test::TemporaryFolder folder;
  const std::string none = folder.path("none.csv"), here = folder.path("");
  CHECK_THROWS_AS(data::read_csv(none), FileError);
  CHECK_THROWS_WITH(data::read_csv(none), "csv: " + none + ": cannot be opened: No such file or directory");
  CHECK_THROWS_WITH(data::read_csv(here), ContainsSubstring("csv: " + here + ": cannot be "));
  const std::string path = folder.write("a.csv", "1,2\n3,x\n");
  CHECK(data::read_csv(path).rows() == 2);
  CHECK_THROWS_WITH(data::read_csv(path).number(1, 1), "csv: " + path + ":2:2: expected a number, saw \"x\"");
}
