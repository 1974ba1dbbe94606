// SPDX-License-Identifier: MIT
// ONNX's own operator tests as tests of gradus: the cases in a file, the operators that a test gives for them, and the
// table that says of every case of ONNX's what runs it or why nothing does (tests/data_files/README.md).
#pragma once

#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gradus/io/json.hpp>
#include <gradus/io/safetensors.hpp>
#include <gradus/tape/tensor.hpp>

#include "tests/support/devices.hpp"

namespace gradus::test::onnx {

using Complaints = std::vector<std::string>;
using detail::message;

/// How far a value may be from ONNX's; ONNX itself asks for 1e-3 and 1e-7. Its values are float32 computed by NumPy, so
/// both sides have a few roundings of 6e-8.
constexpr double relative = 1e-6, absolute = 1e-7;

/// Any type of number as double, on the CPU.
template <class U> Array<double> wide(const Array<U>& a) { return a.to(Device()).template to<double>(); }

/// One case, to be run with numbers of type T on a device: inputs and attributes are asked for, results handed in.
template <class T> class Call {
 public:
  Call(const io::File& file, const std::string& name, Device device)
      : file_(file), name_(name), device_(device), text_(file.metadata.at(name)) {
    io::JsonReader json(text_, name);
    json.object([&](const std::string& key) {
      if (key == "op")
        op_ = json.string();
      else
        json.object([&](std::string&& a) { read(json, attributes_[std::move(a)]); });
    });
  }
  const std::string& op() const { return op_; }
  Device device() const { return device_; }

  /// Input k, and how many there are.
  bool has(int k) const { return file_.find(key("input_", k)); }
  bool is_whole(int k) const { return file_.find(key("input_", k))->dtype[0] == 'I'; }
  int inputs() const {
    int n = 0;
    while (has(n)) ++n;
    return n;
  }
  Tensor<T> x(int k) const { return array<T>(k); }
  template <class U> Array<U> array(int k) const { return file_.get<U>(key("input_", k)).to(device_); }
  std::vector<Tensor<T>> all() const {
    std::vector<Tensor<T>> x;
    for (int k = 0; k < inputs(); ++k) x.push_back(this->x(k));
    return x;
  }
  /// Whole numbers that say where or how many, whatever their type; none: no such input.
  std::vector<Index> indices(int k) const {
    std::vector<Index> result;
    if (has(k))
      for (const double i : any(key("input_", k)).values()) result.push_back(static_cast<Index>(i));
    return result;
  }
  Array<std::int32_t> labels(int k) const {
    return any(key("input_", k)).template to<std::int32_t>().to(device_);
  }
  T number(int k) const { return static_cast<T>(any(key("input_", k)).item()); }

  /// An attribute, or its default. Each must be asked for: one that is not is a failure.
  double attribute(const std::string& name, double otherwise) {
    const auto a = take(name);
    return a.numbers.empty() ? otherwise : a.numbers[0];
  }
  std::vector<Index> attributes(const std::string& name) {
    std::vector<Index> result;
    for (const double i : take(name).numbers) result.push_back(static_cast<Index>(i));
    return result;
  }
  std::string word(const std::string& name, const std::string& otherwise) {
    const auto a = take(name);
    return a.word.empty() ? otherwise : a.word;
  }
  bool keepdims() { return attribute("keepdims", 1) != 0; }
  /// For an attribute that means nothing to what is run.
  void ignore(const std::string& name) { take(name); }

  Index outputs() const {
    Index n = 0;
    while (file_.find(key("output_", n))) ++n;
    return n;
  }
  Shape shape_of_output(Index k) const { return Shape(file_.find(key("output_", k))->shape); }

  /// For ONNX's values that are themselves less exact: the test says why beside it.
  void allow(double more) { allowed_ += more; }

  /// `y` are the outputs; `text` says how they were computed, as the table does.
  template <class... Y> std::string is(const std::string& text, const Y&... y) {
    Index k = 0;
    (compare(k++, y.array()), ...);
    require(k == outputs(), message("has ", outputs(), " outputs; compared were ", k));
    return text;
  }
  std::string is(const std::string& text, const std::vector<Tensor<T>>& y) {
    for (std::size_t k = 0; k < y.size(); ++k) compare(Index(k), y[k].array());
    require(Index(y.size()) == outputs(), message("has ", outputs(), " outputs; compared were ", y.size()));
    return text;
  }
  /// What is wrong, after the operator has run.
  Complaints complaints() {
    for (const auto& [name, value] : attributes_) complain("attribute " + name + " was not looked at");
    return complaints_;
  }

 private:
  struct Attribute {
    std::vector<double> numbers;
    std::string word;
  };
  static void read(io::JsonReader& json, Attribute& to) {
    const auto number = [&] { to.numbers.push_back(std::stod(std::string(json.number()))); };
    if (json.peek() == '"')
      to.word = json.string();
    else if (json.peek() == '[')
      json.list(number);
    else
      number();
  }
  Attribute take(const std::string& name) {
    const auto node = attributes_.extract(name);
    return node ? node.mapped() : Attribute();
  }

  std::string key(const char* what, Index k) const { return name_ + "/" + what + std::to_string(k); }
  /// A tensor of any type as double: the integers of these cases are small.
  Array<double> any(const std::string& key) const {
    const io::Entry* const e = file_.find(key);
    detail::require<ValueError>(e, key, " is not there");
    return e->dtype == "F32"   ? wide(file_.get<float>(key))
           : e->dtype == "F64" ? file_.get<double>(key)
           : e->dtype == "I32" ? wide(file_.get<std::int32_t>(key))
           : e->dtype == "I64" ? wide(file_.get<std::int64_t>(key))
                               : wide(file_.get<bool>(key));
  }
  /// The result's kind must be the output's: real numbers, whole ones, or bool.
  template <class U> static bool is_kind(const std::string& dtype) {
    return std::is_same_v<U, bool> ? dtype == "BOOL"
           : std::is_integral_v<U> ? dtype[0] == 'I'
                                   : dtype[0] == 'F';
  }
  template <class U> void compare(Index k, const Array<U>& result) {
    const std::string name = key("output_", k);
    const Array<double> y = wide(result), expected = any(name);
    const std::string& dtype = file_.find(name)->dtype;
    require(is_kind<U>(dtype),
            message("output ", k, " is ", dtype, ", the result is ", gradus::name(dtype_of<U>())));
    if (y.shape() != expected.shape())
      return complain(message("output ", k, " has shape ", y.shape(), ", not ", expected.shape()));
    for (Index i = 0; i < y.size(); ++i) {
      const double a = y.data()[i], b = expected.data()[i];
      const bool near = std::isfinite(b) && std::abs(a - b) <= allowed_ + relative * std::abs(b);
      if (near || a == b || (a != a && b != b)) continue;
      return complain(message("output ", k, " is ", a, " at ", i, ", not ", b));
    }
  }
  void complain(const std::string& what) {
    complaints_.push_back(name_ + " on " + device_.name() + ": " + what);
  }
  void require(bool holds, const std::string& what) {
    if (!holds) complain(what);
  }

  const io::File& file_;
  std::string name_;
  Device device_;
  std::string text_, op_;
  std::map<std::string, Attribute> attributes_;
  double allowed_ = absolute;
  Complaints complaints_;
};

/// ONNX's operators in words of gradus: each runs a case and returns the text of the table.
template <class T> using Operators = std::map<std::string, std::function<std::string(Call<T>&)>>;

/// What ran: the text of each case, and what was wrong.
struct Outcome {
  std::map<std::string, std::string> ran;
  Complaints complaints;
};

template <class T>
void run(const Operators<T>& operators, const io::File& file, const std::string& name, Outcome& to) {
  for (const Device device : devices()) {
    Call<T> call(file, name, device);
    const auto found = operators.find(call.op());
    if (found == operators.end()) return to.complaints.push_back(name + ": nothing runs " + call.op());
    const auto complain = [&](const std::string& what) {
      to.complaints.push_back(name + " on " + device.name() + what);
    };
    try {
      to.ran[name] = found->second(call);
      for (const auto& c : call.complaints()) to.complaints.push_back(c);
    } catch (const std::exception& e) { complain(std::string(" threw: ") + e.what()); }
    for (const auto& found_there : device_findings()) complain(": " + found_there);
  }
}

/// Every case of the file that has tensors, on every device that runs here; in double where the case holds doubles.
inline Outcome run(const Operators<float>& single, const Operators<double>& twice, const io::File& file) {
  Outcome outcome;
  std::map<std::string, bool> is_double;
  for (const auto& e : file.entries) is_double[e.name.substr(0, e.name.find('/'))] |= e.dtype == "F64";
  for (const auto& [name, wide] : is_double)
    if (!file.metadata.count(name))
      outcome.complaints.push_back(name + ": the file does not say which operator it is of");
    else if (wide)
      run(twice, file, name, outcome);
    else
      run(single, file, name, outcome);
  return outcome;
}

/// A row of the table: | case | runs as | why not yet |, of which one is empty.
struct Row {
  std::string name, runs, why_not;
};
inline std::vector<Row> read_table(const std::string& text) {
  std::vector<Row> rows;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> cells;
    for (std::size_t at = line.find('|'), next; at != line.npos; at = next) {
      next = line.find('|', at + 1);
      if (next == line.npos) break;
      std::string cell = line.substr(at + 1, next - at - 1);
      cell.erase(0, cell.find_first_not_of(' '));
      cell.erase(cell.find_last_not_of(' ') + 1);
      cells.push_back(cell);
    }
    if (cells.size() == 3 && cells[0] != "case" && cells[0][0] != '-')
      rows.push_back({cells[0], cells[1], cells[2]});
  }
  return rows;
}

/// Where the table and what ran disagree. `all`: ONNX's cases by name, those that do not run as well.
inline Complaints disagreements(const std::vector<Row>& table, const io::Metadata& all,
                                const Outcome& outcome) {
  Complaints wrong;
  std::set<std::string> seen;
  for (const auto& [name, runs, why_not] : table) {
    const auto say = [&, &n = name](const std::string& what) { wrong.push_back(n + ": " + what); };
    const auto ran = outcome.ran.find(name);
    if (!seen.insert(name).second) say("two rows");
    if (!all.count(name)) say("a row, but no case of that name");
    if (runs.empty() == why_not.empty())
      say("its row must say what runs it or why nothing does, one of the two");
    if (ran == outcome.ran.end() && !runs.empty()) say("its row says " + runs + ", but it did not run");
    if (ran != outcome.ran.end() && runs != ran->second)
      say("its row says " + (runs.empty() ? why_not : runs) + ", but it runs as " + ran->second);
  }
  for (const auto& [name, text] : all)
    if (!seen.count(name)) wrong.push_back(name + ": no row");
  return wrong;
}

}  // namespace gradus::test::onnx
