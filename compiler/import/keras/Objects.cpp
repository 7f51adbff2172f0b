// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the objects of a Keras file have in common.
#include "compiler/import/keras/Graph.h"

#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace vae;
using namespace vae::keras;

const JsonValue *keras::getConfig(const JsonValue &object) {
  return object.find("config");
}

static StringRef getText(const JsonValue *value) {
  return value && value->isString() ? StringRef(value->text) : StringRef();
}

StringRef keras::getClassName(const JsonValue &object) {
  return getText(object.find("class_name"));
}

StringRef keras::getName(const JsonValue &object) {
  if (StringRef name = getText(object.find("name")); !name.empty())
    return name;
  const JsonValue *config = getConfig(object);
  return config ? getText(config->find("name")) : StringRef();
}

const JsonValue *keras::getLayers(const JsonValue &object) {
  const JsonValue *config = getConfig(object);
  // Old files have the layers themselves as config of a Sequential.
  if (config && config->isArray() && getClassName(object) == "Sequential")
    return config;
  const JsonValue *layers = config ? config->find("layers") : nullptr;
  return layers && layers->isArray() ? layers : nullptr;
}

bool keras::isModel(const JsonValue &object) {
  return getLayers(object) && getClassName(object) != "InputLayer";
}

std::string keras::toSnakeCase(StringRef name) {
  std::string word;
  for (char c : name)
    if (isAlnum(c) || c == '_')
      word += c;
  // A capital followed by small letters begins a word, then a small letter
  // followed by a capital ends one.
  std::string first;
  for (size_t i = 0; i < word.size(); ++i) {
    if (i && isUpper(word[i]) && i + 1 < word.size() && isLower(word[i + 1]))
      first += '_';
    first += word[i];
  }
  std::string result;
  for (size_t i = 0; i < first.size(); ++i) {
    if (i && isUpper(first[i]) && isLower(first[i - 1]))
      result += '_';
    result += toLower(first[i]);
  }
  return result;
}
