// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/native/Fields.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

#include <cmath>

using namespace llvm;
using namespace mlir;
using namespace vae;

std::vector<StringRef> vae::splitWords(StringRef words) {
  SmallVector<StringRef> parts;
  words.split(parts, ' ', -1, /*KeepEmpty=*/false);
  return {parts.begin(), parts.end()};
}

Fields::Fields(const Source &source, const JsonValue &object, Twine subject,
               StringRef known)
    : source(source), object(object), subject(subject.str()) {
  if (!object.isObject()) {
    fail(&object) << "expected an object, found " << object.describe();
    return;
  }
  auto words = splitWords(known);
  for (const JsonValue::Member &member : object.members) {
    if (is_contained(words, member.key))
      continue;
    std::string remedy = suggestName(member.key, words);
    if (remedy.empty())
      remedy = "; known keys: " + join(words, ", ");
    fail(member.position) << "unknown key '" << member.key << "'" << remedy;
    return;
  }
}

InFlightDiagnostic Fields::fail(JsonPosition position, StringRef separator) {
  if (!good)
    return {};
  good = false;
  InFlightDiagnostic diagnostic = source.error(position);
  if (!subject.empty())
    diagnostic << subject << separator;
  return diagnostic;
}

void Fields::mismatch(StringRef key, const JsonValue &value,
                      const Twine &expected) {
  fail(&value) << "'" << key << "': expected " << expected << ", found "
               << value.describe();
}

const JsonValue *Fields::require(StringRef key) {
  const JsonValue *value = object.find(key);
  if (!value)
    fail(object.position) << "key '" << key << "' is missing";
  return value;
}

std::string Fields::asString(StringRef key, const JsonValue &value) {
  if (value.isString() && !value.text.empty())
    return value.text;
  mismatch(key, value, "a string that is not empty");
  return "";
}

std::string Fields::getString(StringRef key) {
  const JsonValue *value = require(key);
  return value ? asString(key, *value) : "";
}

std::string Fields::getChoice(StringRef key,
                              std::initializer_list<StringRef> choices,
                              bool required) {
  const JsonValue *value = required ? require(key) : get(key);
  if (!value)
    return choices.begin()->str();
  if (value->isString() && is_contained(choices, StringRef(value->text)))
    return value->text;
  std::string list;
  for (StringRef choice : choices)
    list += (list.empty() ? "'" : ", '") + choice.str() + "'";
  mismatch(key, *value, choices.size() > 1 ? "one of " + list : list);
  return choices.begin()->str();
}

bool Fields::getBool(StringRef key, bool missing) {
  const JsonValue *value = get(key);
  if (!value)
    return missing;
  if (value->kind != JsonValue::Kind::Boolean)
    mismatch(key, *value, "true or false");
  return value->boolean;
}

double Fields::asNumber(StringRef key, const JsonValue &value) {
  if (value.isNumber() && std::isfinite(value.number) &&
      std::isfinite(static_cast<float>(value.number)))
    return value.number;
  mismatch(key, value, "a number that fits into 32 bits");
  return 1;
}

double Fields::getNumber(StringRef key, double missing) {
  const JsonValue *value = get(key);
  return value ? asNumber(key, *value) : missing;
}

int64_t Fields::asInt(StringRef key, const JsonValue &value, int64_t min,
                      int64_t max) {
  if (value.isInteger() && value.integer >= min && value.integer <= max)
    return value.integer;
  mismatch(key, value,
           "a whole number from " + Twine(min) + " to " + Twine(max));
  return min;
}

int64_t Fields::getInt(StringRef key, int64_t min, int64_t max) {
  const JsonValue *value = require(key);
  return value ? asInt(key, *value, min, max) : min;
}

int64_t Fields::getInt(StringRef key, int64_t min, int64_t max,
                       int64_t missing) {
  return has(key) ? getInt(key, min, max) : missing;
}

SmallVector<int64_t, 4> Fields::getPair(StringRef key, int64_t min,
                                        int64_t max) {
  const JsonValue *value = require(key);
  if (!value)
    return {min, min};
  if (value->isArray() && value->items.size() == 2)
    return {asInt(key, value->items[0], min, max),
            asInt(key, value->items[1], min, max)};
  if (!value->isInteger()) {
    mismatch(key, *value, "a whole number or [height, width]");
    return {min, min};
  }
  int64_t both = asInt(key, *value, min, max);
  return {both, both};
}

SmallVector<int64_t, 4> Fields::getPair(StringRef key, int64_t min, int64_t max,
                                        int64_t missing) {
  if (has(key))
    return getPair(key, min, max);
  return {missing, missing};
}

static constexpr int64_t kMaxBorder = 65535;

SmallVector<int64_t, 4> Fields::getBorder(StringRef key, int64_t missing) {
  const JsonValue *value = get(key);
  if (!value)
    return {missing, missing, missing, missing};
  if (value->isInteger()) {
    int64_t all = asInt(key, *value, 0, kMaxBorder);
    return {all, all, all, all};
  }
  size_t count = value->isArray() ? value->items.size() : 0;
  if (count != 2 && count != 4) {
    mismatch(key, *value,
             "a whole number, [height, width] or [top, left, bottom, right]");
    return {0, 0, 0, 0};
  }
  SmallVector<int64_t, 4> border;
  for (size_t i = 0; i < 4; ++i)
    border.push_back(asInt(key, value->items[i % count], 0, kMaxBorder));
  return border;
}

SmallVector<int64_t, 4> Fields::getTriple(StringRef key, int64_t min,
                                          int64_t max) {
  const JsonValue *value = require(key);
  if (!value)
    return {min, min, min};
  if (value->isArray() && value->items.size() == 3)
    return {asInt(key, value->items[0], min, max),
            asInt(key, value->items[1], min, max),
            asInt(key, value->items[2], min, max)};
  if (!value->isInteger()) {
    mismatch(key, *value, "a whole number or [frames, height, width]");
    return {min, min, min};
  }
  return SmallVector<int64_t, 4>(3, asInt(key, *value, min, max));
}

SmallVector<int64_t, 4> Fields::getTriple(StringRef key, int64_t min,
                                          int64_t max, int64_t missing) {
  return has(key) ? getTriple(key, min, max)
                  : SmallVector<int64_t, 4>(3, missing);
}

SmallVector<int64_t, 6> Fields::getVideoBorder(StringRef key, int64_t missing) {
  const JsonValue *value = get(key);
  if (!value)
    return SmallVector<int64_t, 6>(6, missing);
  if (value->isInteger())
    return SmallVector<int64_t, 6>(6, asInt(key, *value, 0, kMaxBorder));
  size_t count = value->isArray() ? value->items.size() : 0;
  if (count != 3 && count != 6) {
    mismatch(key, *value,
             "a whole number, [frames, height, width] or [front, top, left, "
             "back, bottom, right]");
    return SmallVector<int64_t, 6>(6, 0);
  }
  SmallVector<int64_t, 6> border;
  for (size_t i = 0; i < 6; ++i)
    border.push_back(asInt(key, value->items[i % count], 0, kMaxBorder));
  return border;
}

SmallVector<int64_t, 4> Fields::getInts(StringRef key, int64_t min,
                                        int64_t max) {
  SmallVector<int64_t, 4> numbers;
  const JsonValue *value = require(key);
  if (!value)
    return {min};
  if (!value->isArray() || value->items.empty() || value->items.size() > 8) {
    mismatch(key, *value, "an array of 1 to 8 whole numbers");
    return {min};
  }
  for (const JsonValue &item : value->items)
    numbers.push_back(asInt(key, item, min, max));
  return numbers;
}

std::optional<std::pair<double, double>> Fields::getRange(StringRef key) {
  const JsonValue *value = get(key);
  if (!value)
    return std::nullopt;
  if (!value->isArray() || value->items.size() != 2) {
    mismatch(key, *value, "[low, high]");
    return std::nullopt;
  }
  double low = asNumber(key, value->items[0]);
  double high = asNumber(key, value->items[1]);
  if (!(low < high))
    mismatch(key, *value, "[low, high] with low < high");
  return std::pair(low, high);
}

std::vector<double> Fields::getNumbers(StringRef key, double missing) {
  const JsonValue *value = get(key);
  if (!value)
    return {missing};
  if (!value->isArray())
    return {asNumber(key, *value)};
  std::vector<double> numbers;
  for (const JsonValue &item : value->items)
    numbers.push_back(asNumber(key, item));
  if (numbers.empty())
    mismatch(key, *value, "a number or an array with one a channel");
  return numbers;
}
