// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What docs/model.schema.json and docs/model-format.md say of the model format,
// in the form in which tests compare it with Format.def.
#ifndef TEST_IMPORT_FORMATFACTS_H
#define TEST_IMPORT_FORMATFACTS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/JSON.h"

#include <map>
#include <string>
#include <vector>

namespace vae::test {

using Words = std::vector<std::string>;

/// The words of a list separated by spaces, sorted.
Words sortedWords(llvm::StringRef list);

/// docs/model.schema.json. Members are empty if the file cannot be read.
class Schema {
public:
  Schema();

  /// A definition; null if there is none.
  const llvm::json::Object *find(llvm::StringRef definition) const;
  /// The definition of a type of layer, and of the parameters of an elementwise
  /// function given as "activation"; null if there is none.
  const llvm::json::Object *findLayer(llvm::StringRef type) const;
  const llvm::json::Object *findActivation(llvm::StringRef type) const;
  /// The schema behind a "$ref", or itself.
  const llvm::json::Object *resolve(const llvm::json::Object *schema) const;
  /// The schema of a property; null if there is none.
  const llvm::json::Object *getProperty(const llvm::json::Object &schema,
                                        llvm::StringRef key) const;
  /// Default of a property, of its own or behind its "$ref"; null if none.
  const llvm::json::Value *getDefault(const llvm::json::Object &schema,
                                      llvm::StringRef key) const;

private:
  /// The schema behind a "$ref"; null if there is no "$ref".
  const llvm::json::Object *follow(const llvm::json::Object &schema) const;
  const llvm::json::Object *findBranch(llvm::StringRef definition,
                                       llvm::StringRef type) const;
  llvm::json::Value root;
};

/// Keys of an object's properties, sorted.
Words getProperties(const llvm::json::Object &schema);
/// The strings of an array; empty for null.
Words getStrings(const llvm::json::Array *array);

struct Table {
  Words header;
  std::vector<Words> rows;
};

/// docs/model-format.md: its tables by the heading above them. A heading that
/// is one `word` has the word as its name.
struct Document {
  Document();
  std::map<std::string, std::vector<Table>> sections;
  /// Names that are one `word`, in order.
  Words words;
  /// The table of a section whose first column has this title; null if none.
  const Table *find(llvm::StringRef section, llvm::StringRef title) const;
};

/// The first `word` of a text; the text if it has none.
std::string getCode(llvm::StringRef text);

} // namespace vae::test

#endif // TEST_IMPORT_FORMATFACTS_H
