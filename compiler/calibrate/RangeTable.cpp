// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/calibrate/RangeTable.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace vae;
using llvm::StringRef;

static constexpr uint64_t kFormat = 1;
static constexpr size_t kHashDigits = 64;

bool TensorRanges::operator==(const TensorRanges &other) const {
  return name == other.name && count == other.count &&
         nonfinite == other.nonfinite && ranges == other.ranges &&
         channels == other.channels;
}

bool RangeTable::operator==(const RangeTable &other) const {
  return model == other.model && hash == other.hash && data == other.data &&
         samples == other.samples && seed == other.seed &&
         tensors == other.tensors;
}

const TensorRanges *RangeTable::find(StringRef name) const {
  for (const TensorRanges &tensor : tensors)
    if (name == tensor.name)
      return &tensor;
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

/// In quotes, in which \\, \" and \XX (two hexadecimal digits) stand for
/// characters.
static void printText(StringRef text, llvm::raw_ostream &out) {
  out << '"';
  llvm::printEscapedString(text, out);
  out << '"';
}

static void printRanges(const Ranges &ranges, llvm::raw_ostream &out) {
  for (const Range &range : ranges.of)
    out << llvm::format(" %.9g %.9g", range.low, range.high);
  out << "\n";
}

void vae::printRangeTable(const RangeTable &table, llvm::raw_ostream &out) {
  out << "# Ranges of activations, written by vaec calibrate.\n"
      << "format " << kFormat << "\nmodel ";
  printText(table.model, out);
  out << "\nhash " << table.hash << "\ndata ";
  printText(table.data, out);
  out << "\nsamples " << table.samples << "\nseed " << table.seed
      << "\ntensors " << table.tensors.size()
      << "\n# tensor NAME COUNT NONFINITE CHANNELS, or channel INDEX; then low "
         "and high of:";
  for (const char *name : kRangeMethodNames)
    out << " " << name;
  out << "\n";
  for (const TensorRanges &tensor : table.tensors) {
    out << "tensor ";
    printText(tensor.name, out);
    out << " " << tensor.count << " " << tensor.nonfinite << " "
        << tensor.channels.size();
    printRanges(tensor.ranges, out);
    for (size_t c = 0; c < tensor.channels.size(); ++c) {
      out << "channel " << c;
      printRanges(tensor.channels[c], out);
    }
  }
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {
class Parser {
public:
  Parser(StringRef text, StringRef file) : text(text), file(file) {}
  llvm::Expected<RangeTable> parse();

private:
  /// The first error is kept.
  bool fail(const llvm::Twine &message);
  /// Goes to the next line, which begins with `keyword`.
  bool enter(StringRef keyword);
  /// The next word of the line, which is not its last.
  bool getWord(StringRef &word, StringRef what);
  bool getNumber(uint64_t &number, StringRef what);
  bool getText(std::string &result, StringRef what);
  bool getRanges(Ranges &ranges);
  /// Nothing may be left of the line.
  bool leave();

  bool parseHead(RangeTable &table, uint64_t &numTensors);
  bool parseTensor(TensorRanges &tensor);

  StringRef text, file, line;
  unsigned lineNumber = 0;
  std::string error;
};
} // namespace

bool Parser::fail(const llvm::Twine &message) {
  if (error.empty())
    error = (file + ":" + llvm::Twine(lineNumber) + ": error: " + message +
             "; write the table again with vaec calibrate")
                .str();
  return false;
}

bool Parser::enter(StringRef keyword) {
  do {
    if (text.empty()) {
      ++lineNumber;
      return fail("expected a line '" + keyword +
                  " ...', found the end of the file");
    }
    std::tie(line, text) = text.split('\n');
    ++lineNumber;
    line = line.trim();
  } while (line.empty() || line.starts_with("#"));
  StringRef found;
  std::tie(found, line) = line.split(' ');
  if (found != keyword)
    return fail("expected a line '" + keyword + " ...', found '" +
                found.take_front(40) + "'");
  return true;
}

bool Parser::getWord(StringRef &word, StringRef what) {
  line = line.ltrim();
  if (line.empty())
    return fail("expected " + what + ", found the end of the line");
  std::tie(word, line) = line.split(' ');
  return true;
}

bool Parser::getNumber(uint64_t &number, StringRef what) {
  StringRef word;
  if (!getWord(word, what))
    return false;
  if (word.getAsInteger(10, number))
    return fail("expected " + what + ", found '" + word + "'");
  return true;
}

bool Parser::getText(std::string &result, StringRef what) {
  line = line.ltrim();
  if (!line.consume_front("\""))
    return fail("expected " + what + " in quotes");
  for (;;) {
    size_t at = line.find_first_of("\"\\");
    if (at == StringRef::npos)
      return fail("expected the closing quote of " + what);
    result += line.take_front(at);
    bool end = line[at] == '"';
    line = line.drop_front(at + 1);
    if (end)
      return true;
    if (line.consume_front("\\")) {
      result += '\\';
    } else if (line.size() >= 2 && llvm::isHexDigit(line[0]) &&
               llvm::isHexDigit(line[1])) {
      result += static_cast<char>(llvm::hexFromNibbles(line[0], line[1]));
      line = line.drop_front(2);
    } else {
      return fail("expected two hexadecimal digits behind '\\' in " + what);
    }
  }
}

bool Parser::getRanges(Ranges &ranges) {
  for (size_t i = 0; i < kNumRangeMethods; ++i) {
    Range &range = ranges.of[i];
    std::string what = (llvm::Twine("the range ") + kRangeMethodNames[i]).str();
    for (float *end : {&range.low, &range.high}) {
      StringRef word;
      if (!getWord(word, what))
        return false;
      // A double of 9 digits gives the float that was printed.
      double value = 0;
      if (word.getAsDouble(value) || !std::isfinite(static_cast<float>(value)))
        return fail("expected " + what + ", found '" + word + "'");
      *end = static_cast<float>(value);
    }
    if (range.low > range.high)
      return fail("expected " + what + " with the lower end first");
  }
  return leave();
}

bool Parser::leave() {
  line = line.trim();
  return line.empty() || fail("expected the end of the line, found '" +
                              line.take_front(40) + "'");
}

bool Parser::parseHead(RangeTable &table, uint64_t &numTensors) {
  uint64_t format = 0;
  if (!enter("format") || !getNumber(format, "the version of the format"))
    return false;
  if (format != kFormat)
    return fail("expected format " + llvm::Twine(kFormat) +
                ", which is all that this vaec reads, found " +
                llvm::Twine(format));
  StringRef hash;
  if (!leave() || !enter("model") ||
      !getText(table.model, "the model's name") || !leave() || !enter("hash") ||
      !getWord(hash, "the model's hash"))
    return false;
  if (hash.size() != kHashDigits || !llvm::all_of(hash, llvm::isHexDigit))
    return fail("expected the model's hash, " + llvm::Twine(kHashDigits) +
                " hexadecimal digits");
  table.hash = hash.str();
  return leave() && enter("data") && getText(table.data, "the data") &&
         leave() && enter("samples") &&
         getNumber(table.samples, "the number of samples") && leave() &&
         enter("seed") && getNumber(table.seed, "the seed") && leave() &&
         enter("tensors") && getNumber(numTensors, "the number of tensors") &&
         leave();
}

bool Parser::parseTensor(TensorRanges &tensor) {
  uint64_t numChannels = 0;
  if (!enter("tensor") || !getText(tensor.name, "the tensor's name") ||
      !getNumber(tensor.count, "the count of numbers") ||
      !getNumber(tensor.nonfinite,
                 "the count of numbers that are not finite") ||
      !getNumber(numChannels, "the number of channels") ||
      !getRanges(tensor.ranges))
    return false;
  for (uint64_t c = 0; c < numChannels; ++c) {
    uint64_t index = 0;
    Ranges ranges;
    if (!enter("channel") || !getNumber(index, "the channel's number"))
      return false;
    if (index != c)
      return fail("expected channel " + llvm::Twine(c) + ", found " +
                  llvm::Twine(index));
    if (!getRanges(ranges))
      return false;
    tensor.channels.push_back(ranges);
  }
  return true;
}

llvm::Expected<RangeTable> Parser::parse() {
  RangeTable table;
  uint64_t numTensors = 0;
  bool ok = parseHead(table, numTensors);
  llvm::StringSet<> names;
  for (uint64_t i = 0; ok && i < numTensors; ++i) {
    TensorRanges tensor;
    ok = parseTensor(tensor);
    if (ok && !names.insert(tensor.name).second)
      ok = fail("expected each tensor once, found '" + tensor.name + "' again");
    table.tensors.push_back(std::move(tensor));
  }
  while (ok && !text.empty()) {
    std::tie(line, text) = text.split('\n');
    ++lineNumber;
    line = line.trim();
    ok = line.starts_with("#") || leave();
  }
  if (!ok)
    return llvm::createStringError(
        std::make_error_code(std::errc::invalid_argument), error);
  return table;
}

llvm::Expected<RangeTable> vae::parseRangeTable(StringRef text,
                                                StringRef file) {
  return Parser(text, file).parse();
}

llvm::Error vae::checkRangeTable(const RangeTable &table, StringRef file,
                                 StringRef model, StringRef hash,
                                 StringRef remedy) {
  if (table.hash == hash)
    return llvm::Error::success();
  std::string reason = table.model == model
                           ? "whose layers or weights have changed"
                           : ("while the model is '" + model + "'").str();
  return llvm::createStringError(
      std::make_error_code(std::errc::invalid_argument),
      llvm::Twine(file) + ": error: the ranges are of another model, '" +
          table.model + "', " + reason + "; " + remedy);
}
