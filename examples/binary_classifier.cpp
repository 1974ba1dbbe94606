// A program for any table with two classes: reads a CSV file (or makes two moons), splits, standardises,
// trains, and reports how well the model does on rows that it has never seen.
//
//   binary_classifier                                       two moons
//   binary_classifier data.csv --label diagnosis            any CSV file, with a header or without
//   binary_classifier data.csv --hidden 32 --save model.safetensors --json report.json
//
// --help lists all options. Exit codes: 0, and 2 for any error, which is one line on stderr.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#if __has_include(<cublasLt.h>)
#include <gradus/cuda.hpp>  // with the toolkit's headers: --device cuda
#else
#include <gradus/gradus.hpp>
#endif

using namespace gradus;
using io::Json;

namespace {

struct Settings {
  std::string file, label = "-1", activation = "relu", optimizer = "adam", device = "auto", save, json;
  std::vector<Index> hidden = {16, 16};
  double learning_rate = 0;  // 0: the optimizer's own, see below
  double test_fraction = 0.2, validation_fraction = 0.2;
  int epochs = 100, threads = 0;
  Index batch_size = 32;
  std::uint64_t seed = 7;
  Precision precision = Precision::strict;
  bool quiet = false, about = false;
};

/// A number that is at least `least`, or above it, and below `limit`.
CLI::Validator number(int least, bool itself = true, double limit = HUGE_VAL) {
  return CLI::Validator(
      [=](const std::string& text) {
        char* end = nullptr;
        const double x = std::strtod(text.c_str(), &end);
        if (end != text.c_str() && *end == 0 && (itself ? x >= least : x > least) && x < limit)
          return std::string();
        return "\"" + text + "\" should be a number " + (itself ? "of at least " : "above ") +
               std::to_string(least) + (limit < HUGE_VAL ? " and below " + std::to_string(int(limit)) : "");
      },
      "");
}

void add_options(CLI::App& app, Settings& s) {
  app.add_option("data", s.file, "CSV file; without it: two moons")->type_name("FILE");
  app.add_option("--label", s.label, "name or place (0 first, -1 last) of the label's column")
      ->default_str("last")
      ->type_name("NAME|INDEX");
  app.add_option("--hidden", s.hidden, "sizes of the hidden layers; 0: none")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(number(0))
      ->default_str("16,16")
      ->type_name("N,N,...");
  app.add_option("--activation", s.activation)
      ->check(CLI::IsMember({"relu", "sigmoid", "tanh"}))
      ->capture_default_str();
  app.add_option("--optimizer", s.optimizer)->check(CLI::IsMember({"adam", "sgd"}))->capture_default_str();
  app.add_option("--learning-rate", s.learning_rate)
      ->check(number(0, false))
      ->default_str("0.01 for adam, 0.1 for sgd");
  app.add_option("--epochs", s.epochs)->check(number(1))->capture_default_str();
  app.add_option("--batch-size", s.batch_size)->check(number(1))->capture_default_str();
  app.add_option("--test-fraction", s.test_fraction, "of all rows, for the report alone")
      ->check(number(0, false, 1))
      ->capture_default_str();
  app.add_option("--validation-fraction", s.validation_fraction,
                 "of the other rows, watched while training; 0: none")
      ->check(number(0, true, 1))
      ->capture_default_str();
  app.add_option("--seed", s.seed, "of the split, the initial weights and the shuffling")
      ->check(number(0))
      ->capture_default_str();
  app.add_option("--device", s.device, "auto, cpu, cuda, or cuda:1 and so on")->capture_default_str();
  app.add_option("--precision", s.precision, "of products on a GPU: strict, tf32 or bf16")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Precision>{
          {"strict", Precision::strict}, {"tf32", Precision::tf32}, {"bf16", Precision::bf16}}))
      ->default_str("strict");
  app.add_option("--threads", s.threads, "0: as many as there are processors")
      ->check(number(0))
      ->capture_default_str();
  app.add_option("--save", s.save, "write the model here (safetensors, PyTorch's names)")->type_name("FILE");
  app.add_option("--json", s.json, "write the report and the history here")->type_name("FILE");
  app.add_flag("--quiet", s.quiet, "nothing but the report");
  app.add_flag("--about", s.about, "say what this program was built with, and end");
}

// ---- figures
// -------------------------------------------------------------------------------------------------------

double ratio(double a, double b) { return b > 0 ? a / b : 0; }

/// What a model says of rows whose truth is known. Class 1 is the positive one.
struct Report {
  Index true_positive = 0, false_positive = 0, false_negative = 0, true_negative = 0;
  double auc = 0;

  Report(std::span<const float> probability, std::span<const float> truth) {
    for (std::size_t i = 0; i < truth.size(); ++i) {
      const bool says = probability[i] > 0.5f, is = truth[i] > 0.5f;
      ++(is ? says ? true_positive : false_negative : says ? false_positive : true_negative);
    }
    auc = roc_auc(probability, truth);
  }

  double rows() const { return double(true_positive + false_positive + false_negative + true_negative); }
  double accuracy() const { return ratio(double(true_positive + true_negative), rows()); }
  double precision() const { return ratio(double(true_positive), double(true_positive + false_positive)); }
  double recall() const { return ratio(double(true_positive), double(true_positive + false_negative)); }
  double f1() const { return ratio(2 * precision() * recall(), precision() + recall()); }

  /// The probability that a positive row scores above a negative one, ties counting half: by the sum of the
  /// positive rows' ranks, where equal scores share the mean of their ranks (Mann, Whitney, 1947). NaN where
  /// a class is missing.
  static double roc_auc(std::span<const float> score, std::span<const float> truth) {
    std::vector<std::size_t> order(score.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return score[a] < score[b]; });
    double positives = 0, ranks = 0;
    for (std::size_t first = 0, last; first < order.size(); first = last) {
      double tied_positives = 0;
      for (last = first; last < order.size() && score[order[last]] == score[order[first]]; ++last)
        tied_positives += truth[order[last]] > 0.5f ? 1 : 0;
      positives += tied_positives;
      ranks += tied_positives * double(first + 1 + last) / 2;  // ranks count from 1
    }
    const double negatives = double(score.size()) - positives;
    if (positives == 0 || negatives == 0) return std::numeric_limits<double>::quiet_NaN();
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives);
  }
};

/// A word cut to at most n characters of UTF-8, and filled with blanks to n.
std::string cell(const std::string& word, std::size_t n, bool fill = true) {
  std::string s;
  for (const char c : word) {
    const bool begins = (c & 0xc0) != 0x80;
    if (begins && n == 0) break;
    n -= begins ? 1 : 0;
    s += c;
  }
  return fill ? s.append(n, ' ') : s;
}

void print(const Report& r, const std::vector<std::string>& classes, const History& h) {
  std::printf("test: %.0f rows that the model has not seen\n", r.rows());
  std::printf(
      "  accuracy   %.4f\n  precision  %.4f\n  recall     %.4f\n  F1         %.4f\n  ROC AUC    %.4f\n",
      r.accuracy(), r.precision(), r.recall(), r.f1(), r.auc);
  const std::string no = cell(classes[0], 14), yes = cell(classes[1], 14);
  std::printf("\n                         says %s  says %s\n", no.c_str(),
              cell(classes[1], 14, false).c_str());
  std::printf("  it is %s  %12ld  %17ld\n", no.c_str(), long(r.true_negative), long(r.false_positive));
  std::printf("  it is %s  %12ld  %17ld\n", yes.c_str(), long(r.false_negative), long(r.true_positive));
  std::printf("\n%.3f s for %ld steps of training: %.0f steps per second\n", h.seconds, long(h.steps),
              double(h.steps) / h.seconds);
}

/// The plane of two features: where the model says class 1 there are dots. Test rows are o (class 0) and x
/// (class 1), or ! where the model is wrong.
void draw_boundary(const nn::Module<float>& model, const data::Standardize& scaler,
                   const data::Dataset<float>& test, std::span<const float> probability) {
  constexpr Index rows = 24, columns = 72;
  const Array<float>& points = test.inputs[0];
  float least[2], most[2];
  for (const int k : {0, 1}) {
    least[k] = most[k] = points(0, k);
    for (Index i = 0; i < test.size(); ++i)
      least[k] = std::min(least[k], points(i, k)), most[k] = std::max(most[k], points(i, k));
    const float margin = std::max(0.05f * (most[k] - least[k]), 1e-6f * std::max(1.f, std::abs(most[k])));
    least[k] -= margin, most[k] += margin;
  }
  auto grid = Array<float>::uninitialized({rows * columns, 2});
  for (Index r = 0; r < rows; ++r)
    for (Index c = 0; c < columns; ++c) {
      grid.ref(r * columns + c, 0) = least[0] + (most[0] - least[0]) * (float(c) + 0.5f) / float(columns);
      grid.ref(r * columns + c, 1) = most[1] - (most[1] - least[1]) * (float(r) + 0.5f) / float(rows);
    }
  const Array<float> says = predict(model, scaler.transform(grid));
  std::string picture;
  for (const float p : says.values()) picture += p > 0.5f ? '.' : ' ';
  for (Index i = 0; i < test.size(); ++i) {
    const auto place = [&](int k, Index n) {
      return std::clamp(Index(float(n) * (points(i, k) - least[k]) / (most[k] - least[k])), Index(0), n - 1);
    };
    const bool is = test.targets(i, 0) > 0.5f, right = is == (probability[std::size_t(i)] > 0.5f);
    char& at = picture[std::size_t((rows - 1 - place(1, rows)) * columns + place(0, columns))];
    if (at != '!') at = right ? is ? 'x' : 'o' : '!';
  }
  std::printf(
      "\n%s upwards, %s to the right; dots: the model says \"%s\"; x: and so it is; o: it is \"%s\"; !: a "
      "mistake\n",
      test.feature_names[1].c_str(), test.feature_names[0].c_str(), test.class_names[1].c_str(),
      test.class_names[0].c_str());
  for (Index r = 0; r < rows; ++r)
    std::printf("  |%s|\n", picture.substr(std::size_t(r * columns), columns).c_str());
}

// ---- files
// ---------------------------------------------------------------------------------------------------------

Json json_of(const Settings& s, const data::Dataset<float>& all, Index training, Index validation,
             const Report& r, double loss, const History& h) {
  Json j;
  j["gradus"] = GRADUS_VERSION;
  j["data"]["source"] = s.file.empty() ? "two moons" : s.file;
  j["data"]["features"] = all.feature_names;
  j["data"]["classes"] = all.class_names;
  j["data"]["training_rows"] = training;
  j["data"]["validation_rows"] = validation;
  j["data"]["test_rows"] = Index(r.rows());
  j["settings"]["hidden"] = s.hidden;
  j["settings"]["activation"] = s.activation;
  j["settings"]["optimizer"] = s.optimizer;
  j["settings"]["learning_rate"] = s.learning_rate;
  j["settings"]["epochs"] = s.epochs;
  j["settings"]["batch_size"] = s.batch_size;
  j["settings"]["seed"] = s.seed;
  j["settings"]["threads"] = threads();
  j["device"] = h.device;
  j["test"]["loss"] = loss;
  j["test"]["accuracy"] = r.accuracy();
  j["test"]["precision"] = r.precision();
  j["test"]["recall"] = r.recall();
  j["test"]["f1"] = r.f1();
  j["test"]["roc_auc"] = r.auc;
  j["test"]["confusion"]["true_positive"] = r.true_positive;
  j["test"]["confusion"]["false_positive"] = r.false_positive;
  j["test"]["confusion"]["false_negative"] = r.false_negative;
  j["test"]["confusion"]["true_negative"] = r.true_negative;
  j["seconds"] = h.seconds;
  j["steps"] = h.steps;
  j["steps_per_second"] = double(h.steps) / h.seconds;
  for (const auto& series : h.series) j["history"][series.name] = series.values;
  return j;
}

void write_text(const std::string& path, const std::string& text) {
  io::OutputFile out(path, "json");
  out.write(text.data(), text.size());
  out.commit();
}

// ---- the program
// ---------------------------------------------------------------------------------------------------

data::Dataset<float> read_data(const Settings& s) {
  if (!s.file.empty()) return data::read_csv(s.file).dataset<float>({.label = s.label});
  auto moons = data::two_moons(2000, {.noise = 0.15, .seed = s.seed});
  moons.feature_names = {"x", "y"};
  moons.class_names = {"upper moon", "lower moon"};
  return moons;
}

nn::Sequential<float> make_model(Index inputs, const Settings& s) {
  nn::Sequential<float> model;
  for (const Index size : s.hidden) {
    model.add(nn::Dense{inputs, size});
    if (s.activation == "relu") model.add(nn::Relu{});
    if (s.activation == "sigmoid") model.add(nn::Sigmoid{});
    if (s.activation == "tanh") model.add(nn::Tanh{});
    inputs = size;
  }
  model.add(nn::Dense{inputs, 1}).add(nn::Sigmoid{});
  model.initialize(s.seed);
  return model;
}

void run(const Settings& s) {
  const auto device = Device::choose(s.device);
  const auto all = read_data(s);
  auto [train, test] = all.stratified_split(1 - s.test_fraction, s.seed);
  data::Dataset<float> validation;
  if (s.validation_fraction > 0)
    std::tie(train, validation) = train.stratified_split(1 - s.validation_fraction, s.seed + 1);
  if (!s.quiet) {
    std::printf("%s: %ld rows of %zu features; \"%s\" is 0, \"%s\" is 1\n",
                s.file.empty() ? "two moons" : s.file.c_str(), long(all.size()), all.feature_names.size(),
                all.class_names[0].c_str(), all.class_names[1].c_str());
    std::printf("%ld rows to learn from, %ld to watch, %ld for the test\n", long(train.size()),
                long(validation.size()), long(test.size()));
    std::printf("device: %s%s%s\n\n", device.reason.c_str(), device.device.is_cpu() ? "" : "; products in ",
                device.device.is_cpu() ? "" : name(s.precision));
  }

  const auto scaler = data::Standardize::fit(train.inputs[0]);
  const auto standardised = [&](data::Dataset<float> d) {
    d.inputs[0] = scaler.transform(d.inputs[0]);
    return d;
  };
  auto model = make_model(Index(all.feature_names.size()), s);
  if (!s.quiet) std::printf("%s\n", nn::summary(model).c_str());

  FitOptions<float> options{.loss = "binary_cross_entropy",
                            .epochs = s.epochs,
                            .batch_size = s.batch_size,
                            .metrics = {"accuracy"},
                            .device = s.device,
                            .precision = s.precision,
                            .seed = s.seed,
                            .verbose = s.quiet ? Verbose::silent : Verbose::automatic};
  if (s.optimizer == "adam")
    options.optimizer = optim::Adam{.learning_rate = s.learning_rate};
  else
    options.optimizer = optim::Sgd{.learning_rate = s.learning_rate};
  if (validation.size() > 0) options.validation = standardised(validation);
  const History history = fit(model, standardised(train), options);

  if (!s.quiet) std::printf("\n");
  const auto unseen = standardised(test);
  const double loss = evaluate(model, unseen, {.loss = options.loss})["loss"][0];
  const Array<float> probability = predict(model, unseen.inputs[0]);
  const Report report(probability.values(), test.targets.values());
  print(report, all.class_names, history);
  if (!s.quiet && all.feature_names.size() == 2) draw_boundary(model, scaler, test, probability.values());

  if (!s.save.empty()) {
    auto metadata = scaler.metadata();  // who loads the model can prepare its inputs, and name its outputs
    metadata["features"] = Json(all.feature_names).str();
    metadata["classes"] = Json(all.class_names).str();
    metadata["hidden"] = Json(s.hidden).str();
    metadata["activation"] = s.activation;
    io::save(model, s.save, metadata);
  }
  if (!s.json.empty())
    write_text(s.json, json_of(s, all, train.size(), validation.size(), report, loss, history).str(2) + "\n");
}

}  // namespace

int main(int argc, char** argv) {
  Settings s;
  CLI::App app("Trains a classifier on a table with two classes.", "binary_classifier");
  add_options(app, s);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help
    std::fprintf(
        stderr,
        "binary_classifier: %s\nusage: binary_classifier [options] [data.csv]   (--help lists them)\n",
        e.what());
    return 2;
  }
  if (s.learning_rate == 0) s.learning_rate = s.optimizer == "adam" ? 0.01 : 0.1;
  std::erase(s.hidden, 0);
  try {
    set_threads(s.threads);
    if (s.about)
      std::fputs(about().c_str(), stdout);
    else
      run(s);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "binary_classifier: %s\n", e.what());
    return 2;
  }
}
