// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/import/FormatFacts.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;
using namespace vae;
using namespace vae::test;

static std::string readFile(const char *path) {
  auto buffer = MemoryBuffer::getFile(path);
  return buffer ? (*buffer)->getBuffer().str() : std::string();
}

Words test::sortedWords(StringRef list) {
  SmallVector<StringRef> parts;
  list.split(parts, ' ', -1, /*KeepEmpty=*/false);
  Words words(parts.begin(), parts.end());
  sort(words);
  return words;
}

//===----------------------------------------------------------------------===//
// The schema
//===----------------------------------------------------------------------===//

Schema::Schema() : root(nullptr) {
  auto parsed =
      json::parse(readFile(VAEC_SOURCE_DIR "/docs/model.schema.json"));
  if (parsed)
    root = std::move(*parsed);
  else
    consumeError(parsed.takeError());
}

const json::Object *Schema::find(StringRef definition) const {
  const json::Object *object = root.getAsObject();
  object = object ? object->getObject("$defs") : nullptr;
  return object ? object->getObject(definition) : nullptr;
}

const json::Object *Schema::follow(const json::Object &schema) const {
  auto reference = schema.getString("$ref");
  if (!reference || !reference->consume_front("#/$defs/"))
    return nullptr;
  return find(*reference);
}

const json::Object *Schema::resolve(const json::Object *schema) const {
  while (schema) {
    const json::Object *next = follow(*schema);
    if (!next)
      break;
    schema = next;
  }
  return schema;
}

/// The "then" of the branch of "allOf" whose "if" wants the type.
const json::Object *Schema::findBranch(StringRef definition,
                                       StringRef type) const {
  const json::Object *schema = find(definition);
  const json::Array *branches = schema ? schema->getArray("allOf") : nullptr;
  if (!branches)
    return nullptr;
  for (const json::Value &branch : *branches) {
    const json::Object *object = branch.getAsObject();
    const json::Object *wanted = object ? object->getObject("if") : nullptr;
    wanted = wanted ? wanted->getObject("properties") : nullptr;
    wanted = wanted ? wanted->getObject("type") : nullptr;
    if (wanted && (wanted->getString("const") == type ||
                   is_contained(getStrings(wanted->getArray("enum")), type)))
      return object->getObject("then");
  }
  return nullptr;
}

const json::Object *Schema::findLayer(StringRef type) const {
  return resolve(findBranch("layer", type));
}

const json::Object *Schema::findActivation(StringRef type) const {
  return findBranch("activation_object", type);
}

const json::Object *Schema::getProperty(const json::Object &schema,
                                        StringRef key) const {
  const json::Object *properties = schema.getObject("properties");
  return properties ? properties->getObject(key) : nullptr;
}

const json::Value *Schema::getDefault(const json::Object &schema,
                                      StringRef key) const {
  const json::Object *property = getProperty(schema, key);
  while (property && !property->get("default"))
    property = follow(*property);
  return property ? property->get("default") : nullptr;
}

Words test::getProperties(const json::Object &schema) {
  Words keys;
  if (const json::Object *properties = schema.getObject("properties"))
    for (const auto &entry : *properties)
      keys.push_back(entry.first.str());
  sort(keys);
  return keys;
}

Words test::getStrings(const json::Array *array) {
  Words strings;
  if (array)
    for (const json::Value &value : *array)
      strings.push_back(value.getAsString().value_or("").str());
  return strings;
}

//===----------------------------------------------------------------------===//
// The document
//===----------------------------------------------------------------------===//

std::string test::getCode(StringRef text) {
  auto [before, rest] = text.split('`');
  return rest.contains('`') ? rest.split('`').first.str() : text.trim().str();
}

/// Cells of a row "| a | b |"; "\|" is a character.
static Words splitRow(StringRef line) {
  Words cells;
  std::string cell;
  line = line.trim().drop_front().rtrim();
  line.consume_back("|");
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '|' && i && line[i - 1] == '\\') {
      cell.back() = '|';
    } else if (line[i] == '|') {
      cells.push_back(StringRef(cell).trim().str());
      cell.clear();
    } else {
      cell += line[i];
    }
  }
  cells.push_back(StringRef(cell).trim().str());
  return cells;
}

Document::Document() {
  std::string text = readFile(VAEC_SOURCE_DIR "/docs/model-format.md");
  SmallVector<StringRef> lines;
  StringRef(text).split(lines, '\n');
  std::string section;
  bool code = false, inTable = false;
  for (StringRef line : lines) {
    if (line.starts_with("```"))
      code = !code;
    bool row = !code && line.starts_with("|");
    if (!code && line.starts_with("#")) {
      StringRef title = line.ltrim('#').trim();
      bool word = title.starts_with("`") && title.ends_with("`");
      section = word ? title.trim('`').str() : title.str();
      if (word)
        words.push_back(section);
      sections[section];
    } else if (row && !inTable) {
      sections[section].push_back({splitRow(line), {}});
    } else if (row && !line.starts_with("|---")) {
      sections[section].back().rows.push_back(splitRow(line));
    }
    inTable = row;
  }
}

const Table *Document::find(StringRef section, StringRef title) const {
  auto found = sections.find(section.str());
  if (found == sections.end())
    return nullptr;
  for (const Table &table : found->second)
    if (!table.header.empty() && table.header.front() == title)
      return &table;
  return nullptr;
}
