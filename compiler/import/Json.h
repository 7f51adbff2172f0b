// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// JSON as a tree that remembers where each value stands.
#ifndef COMPILER_IMPORT_JSON_H
#define COMPILER_IMPORT_JSON_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace vae {

/// A place in a text; both count from one, columns in bytes. A tree that was
/// made of several texts says which: an index that whoever made it gives out.
struct JsonPosition {
  unsigned line = 1, column = 1;
  unsigned file = 0;
};

/// A value with its position. Numbers without fraction and exponent that fit
/// into 64 bits are `Integer` (and have `number` as well).
struct JsonValue {
  enum class Kind { Null, Boolean, Integer, Number, String, Array, Object };
  struct Member;

  Kind kind = Kind::Null;
  bool boolean = false;
  JsonPosition position;
  int64_t integer = 0;
  double number = 0;
  /// The string, or the number as it is written.
  std::string text;
  std::vector<JsonValue> items;
  std::vector<Member> members;

  bool isNull() const { return kind == Kind::Null; }
  bool isString() const { return kind == Kind::String; }
  bool isInteger() const { return kind == Kind::Integer; }
  bool isNumber() const { return isInteger() || kind == Kind::Number; }
  bool isArray() const { return kind == Kind::Array; }
  bool isObject() const { return kind == Kind::Object; }

  /// Values that stand for what is at `position` of another text.
  static JsonValue makeString(llvm::StringRef text, JsonPosition position);
  static JsonValue makeInteger(int64_t value, JsonPosition position);
  static JsonValue makeNumber(double value, JsonPosition position);
  static JsonValue makeBoolean(bool value, JsonPosition position);
  static JsonValue makeNull(JsonPosition position);
  static JsonValue makeArray(JsonPosition position);
  static JsonValue makeObject(JsonPosition position);

  /// Adds a member to an object, which must not have that key.
  JsonValue &set(llvm::StringRef key, JsonValue value);

  /// The value of a key of an object; null if there is none.
  const JsonValue *find(llvm::StringRef key) const;
  JsonValue *find(llvm::StringRef key) {
    return const_cast<JsonValue *>(std::as_const(*this).find(key));
  }
  /// How an error message names the value: "the string 'a'", "3", "an array".
  std::string describe() const;
};

/// A key with its position and its value.
struct JsonValue::Member {
  std::string key;
  JsonPosition position;
  JsonValue value;
};

/// Why a text is no JSON, and where.
struct JsonError {
  JsonPosition position;
  std::string message;
};

/// Maps the file of a text, which is never larger than 64 MiB. The error is a
/// reason, "No such file or directory".
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
readText(llvm::StringRef path);

/// Reads a text. Duplicate keys and nesting deeper than 64 are errors.
std::optional<JsonError> parseJson(llvm::StringRef text, JsonValue &root);

/// Writes a value as text that parseJson reads as the same value. What fits
/// stands on one line.
void printJson(const JsonValue &value, llvm::raw_ostream &out);

/// "; did you mean 'x'?" with the nearest candidate, or nothing if none is
/// near.
std::string suggestName(llvm::StringRef name,
                        const std::vector<llvm::StringRef> &candidates);

} // namespace vae

#endif // COMPILER_IMPORT_JSON_H
