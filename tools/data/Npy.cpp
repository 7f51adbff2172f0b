// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/data/Npy.h"

#include "tools/data/Error.h"

#include <cstring>

using namespace vaedata;

static constexpr std::string_view kMagic("\x93NUMPY", 6);
/// NumPy's own limit.
static constexpr size_t kMaxRank = 64;

bool vaedata::isNpy(std::string_view bytes) {
  return bytes.substr(0, kMagic.size()) == kMagic;
}

namespace {

/// Reads the header: a Python dictionary of three entries.
class HeaderParser {
public:
  HeaderParser(std::string_view text, const std::string &source)
      : text(text), source(source) {}

  void parse();

  std::string descr;
  bool fortran = false;
  Shape shape;

private:
  [[noreturn]] void bad(const std::string &expected) const {
    fail(source, ": damaged .npy header: expected ", expected, " at character ",
         position, "; save the array again");
  }
  void skipSpace() {
    while (position < text.size() &&
           (text[position] == ' ' || text[position] == '\n' ||
            text[position] == '\t' || text[position] == '\r'))
      ++position;
  }
  bool take(char c) {
    skipSpace();
    if (position >= text.size() || text[position] != c)
      return false;
    ++position;
    return true;
  }
  void expect(char c) {
    if (!take(c))
      bad(concat("'", c, "'"));
  }
  bool takeWord(std::string_view word) {
    skipSpace();
    if (text.substr(position, word.size()) != word)
      return false;
    position += word.size();
    return true;
  }
  std::string parseString();
  int64_t parseSize();
  void parseShape();
  void parseDescr();

  std::string_view text;
  size_t position = 0;
  const std::string &source;
};

} // namespace

std::string HeaderParser::parseString() {
  skipSpace();
  char quote = position < text.size() ? text[position] : '\0';
  if (quote != '\'' && quote != '"')
    bad("a string");
  size_t end = text.find(quote, position + 1);
  if (end == std::string_view::npos)
    bad("a string that ends");
  std::string value(text.substr(position + 1, end - position - 1));
  position = end + 1;
  return value;
}

int64_t HeaderParser::parseSize() {
  skipSpace();
  size_t start = position;
  int64_t value = 0;
  for (;
       position < text.size() && text[position] >= '0' && text[position] <= '9';
       ++position) {
    if (value > (INT64_MAX - 9) / 10)
      bad("a size below 2^63");
    value = 10 * value + (text[position] - '0');
  }
  if (position == start)
    bad("a size");
  // Python 2 wrote long integers as 3L.
  if (position < text.size() && text[position] == 'L')
    ++position;
  return value;
}

void HeaderParser::parseShape() {
  expect('(');
  while (!take(')')) {
    if (shape.size() == kMaxRank)
      bad("at most 64 dimensions");
    shape.push_back(parseSize());
    if (!take(',')) {
      expect(')');
      break;
    }
  }
}

void HeaderParser::parseDescr() {
  if (take('['))
    fail(source, ": expected an array of numbers, found a structured array; "
                 "save one of its fields");
  descr = parseString();
}

void HeaderParser::parse() {
  bool seen[3] = {false, false, false};
  expect('{');
  while (!take('}')) {
    std::string key = parseString();
    int which = key == "descr"           ? 0
                : key == "fortran_order" ? 1
                : key == "shape"         ? 2
                                         : -1;
    if (which < 0 || seen[which])
      bad("the keys 'descr', 'fortran_order' and 'shape', each once,");
    seen[which] = true;
    expect(':');
    if (which == 0)
      parseDescr();
    else if (which == 2)
      parseShape();
    else if (takeWord("True"))
      fortran = true;
    else if (!takeWord("False"))
      bad("True or False");
    if (!take(',')) {
      expect('}');
      break;
    }
  }
  if (!seen[0] || !seen[1] || !seen[2])
    bad("the keys 'descr', 'fortran_order' and 'shape'");
}

static ElementType parseType(const std::string &descr,
                             const std::string &source) {
  static constexpr char remedy[] =
      "; convert it, for example with .astype('float32')";
  char order = descr.empty() ? '\0' : descr[0];
  std::string code = descr;
  if (order == '<' || order == '>' || order == '|' || order == '=')
    code = descr.substr(1);
  ElementType type;
  type.bigEndian = order == '>';
  const char *found = nullptr;
  switch (code.empty() ? '\0' : code[0]) {
  case 'f':
    type.kind = ElementType::Float;
    break;
  case 'i':
    type.kind = ElementType::Signed;
    break;
  case 'u':
    type.kind = ElementType::Unsigned;
    break;
  case 'b':
    type.kind = ElementType::Bool;
    break;
  case 'c':
    found = "complex numbers";
    break;
  case 'O':
    found = "Python objects";
    break;
  case 'S':
  case 'a':
  case 'U':
    found = "strings";
    break;
  case 'M':
  case 'm':
    found = "dates or times";
    break;
  default:
    found = "elements of a type that is no number";
  }
  if (!found) {
    std::string size = code.substr(1);
    type.size = size.size() == 1 ? static_cast<unsigned>(size[0] - '0') : 0;
    bool known = type.kind == ElementType::Bool ? type.size == 1
                 : type.kind == ElementType::Float
                     ? type.size == 2 || type.size == 4 || type.size == 8
                     : type.size == 1 || type.size == 2 || type.size == 4 ||
                           type.size == 8;
    if (!known)
      found = "numbers of a size that is not supported";
  }
  if (found)
    fail(source,
         ": expected f2, f4, f8, integers of 1 to 8 bytes or booleans, found ",
         found, " (dtype '", descr, "')", remedy);
  return type;
}

Array vaedata::parseNpy(std::string_view bytes, const std::string &source) {
  if (!isNpy(bytes))
    fail(source, ": expected an .npy file, found other data; save it with "
                 "numpy.save");
  auto byteAt = [&](size_t i) {
    return static_cast<size_t>(static_cast<unsigned char>(bytes[i]));
  };
  auto truncated = [&](size_t wanted) {
    fail(source, ": truncated .npy file: expected a header of ", wanted,
         " bytes, found ", bytes.size(),
         " bytes in all; save or copy it again");
  };
  if (bytes.size() < 10)
    truncated(10);
  size_t version = byteAt(6);
  if (version < 1 || version > 3)
    fail(source, ": expected .npy version 1, 2 or 3, found ", version,
         "; save it with numpy.save");
  size_t start = version == 1 ? 10 : 12;
  if (bytes.size() < start)
    truncated(start);
  size_t length = byteAt(8) | byteAt(9) << 8;
  if (version > 1)
    length |= byteAt(10) << 16 | byteAt(11) << 24;
  if (bytes.size() - start < length)
    truncated(start + length);

  HeaderParser header(bytes.substr(start, length), source);
  header.parse();
  Array array;
  array.source = source;
  array.type = parseType(header.descr, source);
  array.shape = header.shape;
  std::string_view data = bytes.substr(start + length);
  auto count = countElements(array.shape);
  if (!count || static_cast<uint64_t>(*count) > UINT64_MAX / array.type.size)
    fail(source, ": expected a shape that fits in memory, found ",
         formatShape(array.shape), "; save the array again");
  uint64_t wanted = static_cast<uint64_t>(*count) * array.type.size;
  if (data.size() != wanted)
    fail(source, data.size() < wanted ? ": truncated" : ": damaged",
         " .npy file: expected ", wanted, " bytes of data for shape ",
         formatShape(array.shape), " of ", formatType(array.type), ", found ",
         data.size(), "; save or copy it again");
  if (header.fortran)
    array.shape.assign(header.shape.rbegin(), header.shape.rend());
  decodeElements(array.type, data, array.values);
  if (header.fortran && array.shape.size() > 1) {
    std::vector<size_t> order(array.shape.size());
    for (size_t d = 0; d < order.size(); ++d)
      order[d] = order.size() - 1 - d;
    permute(array, order);
  }
  return array;
}

std::string vaedata::formatNpy(const Shape &shape,
                               const std::vector<float> &values) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  for (size_t d = 0; d < shape.size(); ++d)
    header += (d ? ", " : "") + std::to_string(shape[d]);
  header += shape.size() == 1 ? ",), }" : "), }";
  // The data begins at a multiple of 64 bytes, the header ends with a newline.
  while ((10 + header.size() + 1) % 64 != 0)
    header += ' ';
  header += '\n';
  std::string bytes(kMagic);
  bytes += '\1';
  bytes += '\0';
  bytes += static_cast<char>(header.size() & 255);
  bytes += static_cast<char>(header.size() >> 8);
  bytes += header;
  size_t start = bytes.size();
  bytes.resize(start + 4 * values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    uint32_t bits;
    std::memcpy(&bits, &values[i], 4);
    for (unsigned b = 0; b < 4; ++b)
      bytes[start + 4 * i + b] = static_cast<char>(bits >> (8 * b));
  }
  return bytes;
}
