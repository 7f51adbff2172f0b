// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tune/TuningTable.h"

#include "compiler/conversion/CostModel.h"
#include "compiler/conversion/LayerShape.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Location.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"

#include <cmath>

using namespace mlir;
using namespace vae;

static constexpr StringLiteral kMagic = "vaec-tuning";

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

void TunedLayer::choose() {
  std::optional<double> least;
  for (const auto &[algorithm, time] : times)
    if (!least || isWorth(algorithm, time, *least)) {
      choice = algorithm;
      least = time;
    }
}

const TunedLayer *TuningTable::find(StringRef shape) const {
  auto found = places.find(shape);
  return found == places.end() ? nullptr : &layers[found->second];
}

bool TuningTable::add(TunedLayer layer) {
  if (!places.try_emplace(layer.shape, layers.size()).second)
    return false;
  layers.push_back(std::move(layer));
  return true;
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

static std::string listColumns() {
  std::string text;
  for (StringRef column : getShapeColumns())
    text += (column + " ").str();
  return text;
}

namespace {
/// A word of a line, and the column at which it begins.
struct Word {
  StringRef text;
  unsigned column;
};

class Parser {
public:
  Parser(StringRef path, MLIRContext &context) : path(path), context(context) {}

  FailureOr<TuningTable> parse(StringRef text);

private:
  InFlightDiagnostic error(unsigned column) {
    return emitError(FileLineColLoc::get(&context, path, line, column));
  }
  InFlightDiagnostic error(const Word &word) { return error(word.column); }
  LogicalResult parseMagic(ArrayRef<Word> words);
  LogicalResult parseHead(ArrayRef<Word> words, StringRef rest);
  LogicalResult parseLayer(ArrayRef<Word> words);
  LogicalResult parseShape(ArrayRef<Word> words, std::string &shape);
  LogicalResult parseSizeColumn(const Word &word, StringRef name);
  FailureOr<Algorithm> parseAlgorithm(const Word &word, StringRef name);
  LogicalResult parseTime(const Word &word, TunedLayer &layer);

  StringRef path;
  MLIRContext &context;
  TuningTable table;
  unsigned line = 0;
};
} // namespace

static SmallVector<Word> split(StringRef line) {
  SmallVector<Word> words;
  size_t at = 0;
  while ((at = line.find_first_not_of(" \t\r", at)) != StringRef::npos) {
    size_t end = std::min(line.find_first_of(" \t\r", at), line.size());
    words.push_back({line.slice(at, end), static_cast<unsigned>(at) + 1});
    at = end;
  }
  return words;
}

LogicalResult Parser::parseMagic(ArrayRef<Word> words) {
  if (words[0].text != kMagic || words.size() != 2)
    return error(words[0]) << "expected '" << kMagic << " "
                           << TuningTable::kVersion
                           << "', the first line of a tuning table; vaec "
                              "--tune=FILE writes one";
  int64_t version = 0;
  if (words[1].text.getAsInteger(10, version) ||
      version != TuningTable::kVersion)
    return error(words[1]) << "expected version " << TuningTable::kVersion
                           << " of the format, found '" << words[1].text
                           << "'; measure again with vaec --tune=FILE";
  return success();
}

LogicalResult Parser::parseHead(ArrayRef<Word> words, StringRef rest) {
  std::string *field = llvm::StringSwitch<std::string *>(words[0].text)
                           .Case("compiler", &table.compiler)
                           .Case("cpu", &table.cpu)
                           .Case("features", &table.features)
                           .Case("precision", &table.precision)
                           .Default(nullptr);
  if (!field)
    return error(words[0])
           << "unknown word '" << words[0].text
           << "'; lines begin with compiler, cpu, features, precision, conv2d "
              "or conv_transpose2d, or with # for a comment";
  if (words.size() < 2)
    return error(words[0]) << "expected a value after '" << words[0].text
                           << "'; give one, or remove the line";
  if (!field->empty())
    return error(words[0]) << "there is a line of '" << words[0].text
                           << "' already; remove one of them";
  *field = rest.trim().str();
  return success();
}

LogicalResult Parser::parseSizeColumn(const Word &word, StringRef name) {
  size_t count = llvm::is_contained({"strides", "dilations"}, name) ? 2 : 4;
  auto sizes = parseSizes(word.text);
  if (sizes && sizes->size() == count)
    return success();
  return error(word) << "expected " << name << " as "
                     << (count == 2 ? "two numbers, 1x1"
                                    : "four numbers, 1x64x32x32")
                     << "; found '" << word.text << "'";
}

LogicalResult Parser::parseShape(ArrayRef<Word> words, std::string &shape) {
  ArrayRef<StringLiteral> names = getShapeColumns();
  for (auto [index, name] : llvm::enumerate(names)) {
    const Word &word = words[index];
    int64_t groups = 0;
    if (name == "groups") {
      if (word.text.getAsInteger(10, groups) || groups < 1)
        return error(word) << "expected a number of groups from 1; found '"
                           << word.text << "'";
    } else if (index > 0 && failed(parseSizeColumn(word, name))) {
      return failure();
    }
    shape += (index ? ":" : "") + word.text.str();
  }
  return success();
}

FailureOr<Algorithm> Parser::parseAlgorithm(const Word &word, StringRef name) {
  if (auto algorithm = Algorithm::parse(name))
    return *algorithm;
  return error(word) << "unknown algorithm '" << name << "'; choose one of "
                     << listAlgorithms();
}

LogicalResult Parser::parseTime(const Word &word, TunedLayer &layer) {
  auto [name, text] = word.text.split('=');
  auto algorithm = parseAlgorithm(word, name);
  if (failed(algorithm))
    return failure();
  double time = 0;
  if (text.getAsDouble(time) || !(time > 0) || !std::isfinite(time))
    return error(word) << "expected milliseconds above 0, as " << name
                       << "=1.25; found '" << word.text << "'";
  layer.times.push_back({*algorithm, time});
  return success();
}

LogicalResult Parser::parseLayer(ArrayRef<Word> words) {
  size_t columns = getShapeColumns().size();
  if (words.size() <= columns)
    return error(words.back())
           << "expected " << listColumns() << "choice, found " << words.size()
           << " columns; measure again with vaec --tune=FILE, "
           << "or add what is missing";
  TunedLayer layer;
  if (failed(parseShape(words.take_front(columns), layer.shape)))
    return failure();
  auto choice = parseAlgorithm(words[columns], words[columns].text);
  if (failed(choice))
    return failure();
  layer.choice = *choice;
  for (const Word &word : words.drop_front(columns + 1))
    if (failed(parseTime(word, layer)))
      return failure();
  if (!table.add(std::move(layer)))
    return error(words[0])
           << "there is a line of this shape already; remove one of them";
  return success();
}

FailureOr<TuningTable> Parser::parse(StringRef text) {
  bool any = false;
  while (!text.empty()) {
    StringRef content;
    std::tie(content, text) = text.split('\n');
    ++line;
    SmallVector<Word> words = split(content.split('#').first);
    if (words.empty())
      continue;
    LogicalResult parsed = success();
    if (!any)
      parsed = parseMagic(words);
    else if (llvm::is_contained({"conv2d", "conv_transpose2d"}, words[0].text))
      parsed = parseLayer(words);
    else
      parsed =
          parseHead(words, content.split('#').first.drop_front(
                               words[0].column - 1 + words[0].text.size()));
    if (failed(parsed))
      return failure();
    any = true;
  }
  if (any)
    return std::move(table);
  line = std::max(line, 1U);
  return error(1) << "the file is empty; a tuning table begins with '" << kMagic
                  << " " << TuningTable::kVersion << "'";
}

FailureOr<TuningTable> TuningTable::parse(StringRef text, StringRef path,
                                          MLIRContext &context) {
  return Parser(path, context).parse(text);
}

void TuningTable::print(raw_ostream &out) const {
  out << "# Convolutions as measured on this machine; vaec --tuned=FILE reads "
         "it.\n"
      << kMagic << " " << kVersion << "\n";
  for (auto [name, value] :
       {std::pair("compiler", &compiler), std::pair("cpu", &cpu),
        std::pair("features", &features), std::pair("precision", &precision)})
    if (!value->empty())
      out << name << " " << *value << "\n";
  std::vector<std::vector<std::string>> rows(1);
  rows[0].push_back("# operation");
  for (StringRef name : getShapeColumns().drop_front())
    rows[0].push_back(name.str());
  rows[0].push_back("choice");
  rows[0].push_back("milliseconds on one thread");
  for (const TunedLayer &layer : layers) {
    std::vector<std::string> &row = rows.emplace_back();
    SmallVector<StringRef> columns;
    StringRef(layer.shape).split(columns, ':');
    for (StringRef column : columns)
      row.push_back(column.str());
    row.push_back(layer.choice.str());
    std::string times;
    llvm::raw_string_ostream stream(times);
    for (const auto &[algorithm, time] : layer.times)
      stream << (times.empty() ? "" : " ") << algorithm.str() << "="
             << llvm::format("%.4g", time);
    row.push_back(times);
  }
  std::vector<size_t> widths(rows[0].size());
  for (const auto &row : rows)
    for (auto [index, cell] : llvm::enumerate(row))
      widths[index] = std::max(widths[index], cell.size());
  for (const auto &row : rows) {
    std::string text;
    for (auto [index, cell] : llvm::enumerate(row))
      text += cell + std::string(widths[index] - cell.size() + 2, ' ');
    out << StringRef(text).rtrim() << "\n";
  }
}
