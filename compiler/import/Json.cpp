// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/Json.h"

#include "llvm/ADT/StringSet.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

using namespace llvm;
using namespace vae;

namespace {

constexpr size_t kMaxDepth = 64;

/// Follows the parser through the text. The parser has accepted everything up
/// to the event it reports, so finding the token again needs no checks.
class Cursor {
public:
  explicit Cursor(StringRef text) : text(text) {
    if (text.starts_with("\xEF\xBB\xBF"))
      offset = lineStart = 3;
  }

  /// Moves to the next token and returns its position.
  JsonPosition next() {
    while (offset < text.size() &&
           StringRef(" \t\r\n,:").contains(text[offset]))
      step();
    return position();
  }

  void skip() { step(); }

  void skipString() {
    step();
    while (offset < text.size() && text[offset] != '"') {
      if (text[offset] == '\\')
        step();
      step();
    }
    step();
  }

  StringRef skipScalar() {
    size_t begin = offset;
    while (offset < text.size() &&
           !StringRef(" \t\r\n,:]}").contains(text[offset]))
      step();
    return text.slice(begin, offset);
  }

  /// Moves forward to a byte.
  JsonPosition moveTo(size_t target) {
    while (offset < std::min(target, text.size()))
      step();
    return position();
  }

private:
  JsonPosition position() const {
    return {line, static_cast<unsigned>(offset - lineStart + 1), 0};
  }
  void step() {
    if (offset < text.size() && text[offset] == '\n') {
      ++line;
      lineStart = offset + 1;
    }
    ++offset;
  }

  StringRef text;
  size_t offset = 0, lineStart = 0;
  unsigned line = 1;
};

/// The part of the parser's message that helps: without its codes and position,
/// and without the text that was read, which may hold any bytes.
static std::string cleanMessage(StringRef what) {
  StringRef rest = what.split("] ").second;
  if (rest.empty())
    rest = what;
  if (StringRef detail = rest.split("column ").second; !detail.empty())
    rest = detail.split(": ").second;
  std::string text = rest.split("; last read:").first.str();
  // Between the members of an object, a comma would have done as well.
  for (StringRef end : {"expected '}'", "expected ']'"})
    if (StringRef(text).ends_with(end))
      text = text.substr(0, text.size() - 3) + "',' or " +
             text.substr(text.size() - 3);
  return text;
}

/// Receives the parser's events and grows the tree.
class TreeBuilder : public nlohmann::json_sax<nlohmann::json> {
public:
  TreeBuilder(StringRef text, JsonValue &root) : cursor(text), root(root) {}

  std::optional<JsonError> error;

  bool null() override {
    scalar(JsonValue::Kind::Null);
    return true;
  }
  bool boolean(bool value) override {
    scalar(JsonValue::Kind::Boolean).boolean = value;
    return true;
  }
  bool number_integer(number_integer_t value) override {
    JsonValue &node = scalar(JsonValue::Kind::Integer);
    node.integer = value;
    node.number = static_cast<double>(value);
    return true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (value <= static_cast<uint64_t>(INT64_MAX))
      return number_integer(static_cast<int64_t>(value));
    return number_float(static_cast<double>(value), "");
  }
  bool number_float(number_float_t value, const string_t &) override {
    scalar(JsonValue::Kind::Number).number = value;
    return true;
  }
  bool string(string_t &value) override {
    JsonValue &node = add(JsonValue::Kind::String);
    cursor.skipString();
    node.text = std::move(value);
    return true;
  }
  bool binary(binary_t &) override { return false; }
  bool start_object(std::size_t) override {
    return open(JsonValue::Kind::Object);
  }
  bool start_array(std::size_t) override {
    return open(JsonValue::Kind::Array);
  }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t &value) override {
    JsonPosition position = cursor.next();
    cursor.skipString();
    if (!keys.back().insert(value).second) {
      error = JsonError{position,
                        "duplicate key '" + value + "'; remove one of the two"};
      return false;
    }
    JsonValue::Member member;
    member.key = std::move(value);
    member.position = position;
    stack.back()->members.push_back(std::move(member));
    return true;
  }

  bool parse_error(std::size_t position, const std::string &,
                   const nlohmann::json::exception &exception) override {
    StringRef what = exception.what();
    bool truncated = what.contains("unexpected end of input") ||
                     what.contains("missing closing quote");
    // The parser says where a token ends; one that is out of place is found by
    // where it begins.
    bool misplaced = !truncated && what.contains(" - unexpected ");
    error = JsonError{misplaced ? cursor.next()
                                : cursor.moveTo(position ? position - 1 : 0),
                      (truncated ? "malformed JSON, the file ends too early: "
                                 : "malformed JSON: ") +
                          cleanMessage(what)};
    return false;
  }

private:
  JsonValue &add(JsonValue::Kind kind) {
    JsonValue *node = &root;
    if (!stack.empty()) {
      JsonValue &parent = *stack.back();
      if (parent.isObject())
        node = &parent.members.back().value;
      else
        node = &parent.items.emplace_back();
    }
    node->kind = kind;
    node->position = cursor.next();
    return *node;
  }

  JsonValue &scalar(JsonValue::Kind kind) {
    JsonValue &node = add(kind);
    node.text = cursor.skipScalar().str();
    return node;
  }

  bool open(JsonValue::Kind kind) {
    JsonValue &node = add(kind);
    cursor.skip();
    if (stack.size() >= kMaxDepth) {
      error =
          JsonError{node.position, "more than " + std::to_string(kMaxDepth) +
                                       " nested values"};
      return false;
    }
    stack.push_back(&node);
    keys.emplace_back();
    return true;
  }

  bool close() {
    cursor.next();
    cursor.skip();
    stack.pop_back();
    keys.pop_back();
    return true;
  }

  Cursor cursor;
  JsonValue &root;
  std::vector<JsonValue *> stack;
  std::vector<StringSet<>> keys;
};

} // namespace

const JsonValue *JsonValue::find(StringRef key) const {
  for (const Member &member : members)
    if (member.key == key)
      return &member.value;
  return nullptr;
}

std::string JsonValue::describe() const {
  switch (kind) {
  case Kind::Null:
    return "null";
  case Kind::Boolean:
    return boolean ? "true" : "false";
  case Kind::Integer:
  case Kind::Number:
    return text;
  case Kind::String:
    return "the string '" + text + "'";
  case Kind::Array:
    return "an array of " + std::to_string(items.size());
  case Kind::Object:
    return "an object";
  }
  return "";
}

std::optional<JsonError> vae::parseJson(StringRef text, JsonValue &root) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    return JsonError{{}, "the text is UTF-16; save it as UTF-8"};
  TreeBuilder builder(text, root);
  bool ok = nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  if (!ok && !builder.error)
    builder.error = JsonError{{}, "malformed JSON"};
  return builder.error;
}

std::string vae::suggestName(StringRef name,
                             const std::vector<StringRef> &candidates) {
  // Two swapped letters are two replacements.
  unsigned limit =
      name.size() < 4 ? 1 : std::clamp<size_t>(name.size() / 3, 2, 4);
  unsigned best = limit + 1;
  StringRef nearest;
  for (StringRef candidate : candidates) {
    unsigned distance = name.edit_distance(candidate, true, limit);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  if (nearest.empty())
    return "";
  return "; did you mean '" + nearest.str() + "'?";
}
