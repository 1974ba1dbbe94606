// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gradus/io/json.hpp>

#include "tests/support/catch.hpp"

using gradus::FileError;
using gradus::ValueError;
using gradus::io::Json;
using gradus::io::JsonReader;

TEST_CASE("a json value is built, written and read") {
  Json report;
  report["model"] = "moons";
  report["history"]["loss"] = std::vector{0.5, 0.25};
  report["epochs"] = 100;
  report["ok"] = true;
  report["nothing"] = Json();
  report["rows"].push_back(Json::object());

  CHECK(
      report.str() ==
      R"({"model":"moons","history":{"loss":[0.5,0.25]},"epochs":100,"ok":true,"nothing":null,"rows":[{}]})");
  CHECK(report.str(2) ==
        "{\n  \"model\": \"moons\",\n  \"history\": {\n    \"loss\": [0.5, 0.25]\n  },\n  \"epochs\": 100,\n"
        "  \"ok\": true,\n  \"nothing\": null,\n  \"rows\": [\n    {}\n  ]\n}");
  CHECK(Json::parse(report.str()) == report);
  CHECK(Json::parse(report.str(2)) == report);

  CHECK(report.at("history").at("loss").at(1).number() == 0.25);
  CHECK(report.at("epochs").integer() == 100);
  CHECK(report.at("epochs").number() == 100.0);
  CHECK(report.at("ok").boolean());
  CHECK(report.at("nothing").is_null());
  CHECK(report.find("absent") == nullptr);
  CHECK(report.keys().front() == "model");
}

TEST_CASE("json numbers come back exactly") {
  for (const double x : {0.1, 1.0 / 3, 1e-308, 5e-324, 1.7976931348623157e308, -0.0, 123456789012345680.0}) {
    const double y = Json::parse(Json(x).str()).number();
    CHECK(y == x);
    CHECK(std::signbit(y) == std::signbit(x));
  }
  for (const std::int64_t n :
       {std::int64_t{0}, std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()})
    CHECK(Json::parse(Json(n).str()).integer() == n);
  CHECK(Json(std::uint64_t{1} << 63).str() == "9223372036854775808");
  for (const std::uint64_t n : {std::uint64_t(0), std::uint64_t(139), std::uint64_t(1) << 63})
    CHECK(Json::parse(Json(n).str()) == Json(n));
  CHECK(Json(std::nan("")).str() == "null");
  CHECK(Json(-std::numeric_limits<double>::infinity()).str() == "null");
  CHECK(Json::parse("9223372036854775808").number() == 9223372036854775808.0);
}

TEST_CASE("json strings are escaped, and what is not UTF-8 does not stop a report") {
  CHECK(Json("a\"b\\c\n\t\x01é€😀").str() == "\"a\\\"b\\\\c\\n\\t\\u0001é€😀\"");
  CHECK(Json("caf\xe9").str() == "\"caf\xef\xbf\xbd\"");
  CHECK(Json::parse(R"("\u0041\u00e9\u20ac\ud83d\ude00\/\b\f\r")").string() == "Aé€😀/\b\f\r");
  CHECK(Json::parse(R"("\u0000")").string() == std::string(1, '\0'));
  CHECK(Json(std::string(1, '\0')).str() == "\"\\u0000\"");
}

TEST_CASE("json that is wrong is refused with the byte") {
  const auto error = [](const std::string& text) -> std::string {
    try {
      Json::parse(text);
    } catch (const FileError& e) { return e.what(); }
    return "accepted";
  };
  CHECK(error("") == "json: byte 0: expected a value, saw the end");
  CHECK(error("{\"a\":1,}") == "json: byte 7: expected a string, saw '}'");
  CHECK(error("{\"a\" 1}") == "json: byte 5: expected ':', saw '1'");
  CHECK(error("{a:1}") == "json: byte 1: expected a string, saw 'a'");
  CHECK(error("[1,]") == "json: byte 3: expected a value, saw ']'");
  CHECK(error("[1 2]") == "json: byte 3: expected ',' or ']', saw '2'");
  CHECK(error("[01]") == "json: byte 2: expected ',' or ']', saw '1'");
  CHECK(error("[1.]") == "json: byte 3: expected a digit, saw ']'");
  CHECK(error("[-]") == "json: byte 2: expected a digit, saw ']'");
  CHECK(error("[1e+]") == "json: byte 4: expected a digit, saw ']'");
  CHECK(error("+1") == "json: byte 0: expected a value, saw '+'");
  CHECK(error("NaN") == "json: byte 0: expected a value, saw 'N'");
  CHECK(error("nul") == "json: byte 0: expected a value, saw 'n'");
  CHECK(error("1 x") == "json: byte 2: expected the end, saw 'x'");
  CHECK(error("\"abc") == "json: byte 4: expected '\"', saw the end");
  CHECK(error("\"\\x\"") == "json: byte 2: expected an escape, saw 'x'");
  CHECK(error("\"\\u12G4\"") == "json: byte 3: expected four hexadecimal digits, saw '1'");
  CHECK(error("\"\\ud800x\"") == "json: byte 7: expected the other half of a surrogate pair, saw 'x'");
  CHECK(error("\"\n\"") == "json: byte 1: expected an escape for a control character, saw byte value 10");
  CHECK(error("\"\xff\"") == "json: byte 1: expected UTF-8, saw byte value 255");
  CHECK(error("\"\xed\xa0\x80\"") == "json: byte 1: expected UTF-8, saw byte value 237");
  CHECK(error("\"\xc0\xaf\"") == "json: byte 1: expected UTF-8, saw byte value 192");
  CHECK(error("1e400") == "json: byte 5: expected a number that a double can hold, saw the end");
  CHECK(error(std::string(129, '[')) == "json: byte 129: expected at most 128 levels, saw the end");
  CHECK(error(std::string(1000000, '[')).find("expected at most 128 levels") != std::string::npos);
  CHECK(error(std::string(128, '[') + std::string(128, ']')) == "accepted");
  CHECK(error(std::string("\0", 1)) == "json: byte 0: expected a value, saw byte value 0");
}

TEST_CASE("a json value of another kind is an error in words") {
  const Json list = std::vector{1, 2};
  CHECK_THROWS_AS(list.at("a"), ValueError);
  CHECK_THROWS_WITH(list.at("a"), "json: the value is a list; expected an object");
  CHECK_THROWS_WITH(list.at(2), "json: element 2 of a list of 2");
  CHECK_THROWS_WITH(Json::object().at("a"), "json: the object has no key \"a\"");
  CHECK_THROWS_WITH(Json("x").number(), "json: the value is a string; expected a number");
  CHECK_THROWS_WITH(Json(0.5).integer(), "json: the value is a number; expected an integer");
  Json number = 1;
  CHECK_THROWS_WITH(number["a"] = 1, "json: the value is an integer; expected an object");
}

TEST_CASE("the json reader hands out values as they are asked for") {
  JsonReader json(R"( {"skip": [{"a": "}"}, 1.5, null], "n": 12} )", "settings");
  std::int64_t n = 0;
  json.object([&](const std::string& key) {
    if (key == "n")
      n = json.count();
    else
      json.skip();
  });
  json.end();
  CHECK(n == 12);

  JsonReader negative("-1", "settings");
  CHECK_THROWS_WITH(negative.count(),
                    "settings: byte 0: expected a whole number from 0 to 9223372036854775807, saw '-'");
  JsonReader real("1.0");
  CHECK_THROWS_AS(real.count(), FileError);
}
