// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// JSON values made by hand, and as text; files of texts.
#include "compiler/import/Json.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <charconv>
#include <cmath>

using namespace llvm;
using namespace vae;

/// A text this large is a mistake: weights that were written into it.
static constexpr uint64_t kMaxText = 64 << 20;

Expected<std::unique_ptr<MemoryBuffer>> vae::readText(StringRef path) {
  uint64_t size = 0;
  if (std::error_code error = sys::fs::file_size(path, size))
    return createStringError(error, error.message());
  if (size > kMaxText)
    return createStringError("it has " + Twine(size) +
                             " bytes, more than 64 MiB; weights belong into a "
                             "file of their own");
  auto buffer = MemoryBuffer::getFile(path);
  if (!buffer)
    return createStringError(buffer.getError(), buffer.getError().message());
  return std::move(*buffer);
}

static JsonValue make(JsonValue::Kind kind, JsonPosition position) {
  JsonValue value;
  value.kind = kind;
  value.position = position;
  return value;
}

JsonValue JsonValue::makeString(StringRef text, JsonPosition position) {
  JsonValue value = make(Kind::String, position);
  value.text = text.str();
  return value;
}

JsonValue JsonValue::makeInteger(int64_t integer, JsonPosition position) {
  JsonValue value = make(Kind::Integer, position);
  value.integer = integer;
  value.number = static_cast<double>(integer);
  value.text = std::to_string(integer);
  return value;
}

JsonValue JsonValue::makeNumber(double number, JsonPosition position) {
  if (number == std::floor(number) && std::fabs(number) < 1e15)
    return makeInteger(static_cast<int64_t>(number), position);
  JsonValue value = make(Kind::Number, position);
  value.number = number;
  // The shortest text that is the same number. JSON has no other: what is not
  // finite must be an error before.
  char text[32];
  auto end = std::to_chars(std::begin(text), std::end(text), number).ptr;
  value.text.assign(text, end);
  return value;
}

JsonValue JsonValue::makeBoolean(bool boolean, JsonPosition position) {
  JsonValue value = make(Kind::Boolean, position);
  value.boolean = boolean;
  return value;
}

JsonValue JsonValue::makeNull(JsonPosition position) {
  return make(Kind::Null, position);
}
JsonValue JsonValue::makeArray(JsonPosition position) {
  return make(Kind::Array, position);
}
JsonValue JsonValue::makeObject(JsonPosition position) {
  return make(Kind::Object, position);
}

JsonValue &JsonValue::set(StringRef key, JsonValue value) {
  members.push_back({key.str(), value.position, std::move(value)});
  return members.back().value;
}

namespace {
class Printer {
public:
  explicit Printer(raw_ostream &out) : out(out) {}

  void print(const JsonValue &value, unsigned indent) {
    std::string line;
    raw_string_ostream text(line);
    if (printLine(value, text) && indent + line.size() <= kWidth) {
      out << line;
      return;
    }
    bool array = value.isArray();
    out << (array ? "[" : "{");
    StringRef separator = "\n";
    auto next = [&] {
      out << separator;
      out.indent(indent + 2);
      separator = ",\n";
    };
    for (const JsonValue &item : value.items) {
      next();
      print(item, indent + 2);
    }
    for (const JsonValue::Member &member : value.members) {
      next();
      printString(member.key, out);
      out << ": ";
      print(member.value, indent + 2);
    }
    out << "\n";
    out.indent(indent) << (array ? "]" : "}");
  }

private:
  static constexpr size_t kWidth = 100;

  static void printString(StringRef text, raw_ostream &to) {
    to << '"';
    for (char c : text) {
      if (c == '"' || c == '\\')
        to << '\\' << c;
      else if (static_cast<unsigned char>(c) < 0x20)
        to << "\\u" << utohexstr(c, true, 4);
      else
        to << c;
    }
    to << '"';
  }

  /// The value on one line. False, with some of it written, if it does not
  /// belong on one.
  bool printLine(const JsonValue &value, raw_string_ostream &to) {
    switch (value.kind) {
    case JsonValue::Kind::Null:
      to << "null";
      return true;
    case JsonValue::Kind::Boolean:
      to << (value.boolean ? "true" : "false");
      return true;
    case JsonValue::Kind::Integer:
      to << value.integer;
      return true;
    case JsonValue::Kind::Number:
      to << value.text;
      return true;
    case JsonValue::Kind::String:
      printString(value.text, to);
      return true;
    case JsonValue::Kind::Array:
      to << "[";
      for (auto [i, item] : enumerate(value.items)) {
        to << (i ? ", " : "");
        if (to.str().size() > kWidth || !printLine(item, to))
          return false;
      }
      to << "]";
      return true;
    case JsonValue::Kind::Object:
      to << "{";
      for (auto [i, member] : enumerate(value.members)) {
        to << (i ? ", " : "");
        printString(member.key, to);
        to << ": ";
        if (to.str().size() > kWidth || !printLine(member.value, to))
          return false;
      }
      to << "}";
      return true;
    }
    return true;
  }

  raw_ostream &out;
};
} // namespace

void vae::printJson(const JsonValue &value, raw_ostream &out) {
  Printer(out).print(value, 0);
  out << "\n";
}
