// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Typed access to the keys of a JSON object, with errors that name the place.
#ifndef COMPILER_IMPORT_NATIVE_FIELDS_H
#define COMPILER_IMPORT_NATIVE_FIELDS_H

#include "compiler/import/Json.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Location.h"

#include <initializer_list>
#include <optional>

namespace vae {

/// The files that are read: makes locations and errors of positions.
class Source {
public:
  Source(mlir::MLIRContext *context, llvm::ArrayRef<std::string> paths) {
    for (const std::string &path : paths)
      files.push_back(mlir::StringAttr::get(context, path));
  }

  mlir::MLIRContext *getContext() const { return files.front().getContext(); }
  mlir::FileLineColLoc getLoc(JsonPosition position) const {
    return mlir::FileLineColLoc::get(files[position.file], position.line,
                                     position.column);
  }
  mlir::InFlightDiagnostic error(JsonPosition position) const {
    return mlir::emitError(getLoc(position));
  }
  mlir::InFlightDiagnostic warning(JsonPosition position) const {
    return mlir::emitWarning(getLoc(position));
  }

private:
  llvm::SmallVector<mlir::StringAttr, 2> files;
};

/// An object of the model. The first thing that is wrong is reported, all
/// getters return their default from then on, and `ok` is false.
class Fields {
public:
  /// `subject` begins each message: "layer 'dec2'". `known` are the keys that
  /// the object may have, separated by spaces.
  Fields(const Source &source, const JsonValue &object, llvm::Twine subject,
         llvm::StringRef known);

  bool ok() const { return good; }
  /// After an error that was reported elsewhere.
  void setFailed() { good = false; }
  JsonPosition getPosition() const { return object.position; }
  llvm::StringRef getSubject() const { return subject; }
  bool has(llvm::StringRef key) const { return object.find(key); }

  /// Starts the report of an error, "<subject>: ", and remembers it.
  mlir::InFlightDiagnostic fail(JsonPosition position,
                                llvm::StringRef separator = ": ");
  mlir::InFlightDiagnostic fail(const JsonValue *value) {
    return fail(value ? value->position : object.position);
  }

  /// The value of a key; null if absent.
  const JsonValue *get(llvm::StringRef key) const { return object.find(key); }
  /// The value of a key that must be there; null after an error.
  const JsonValue *require(llvm::StringRef key);

  std::string getString(llvm::StringRef key);
  /// One of some words; the first is the default unless the key is required.
  std::string getChoice(llvm::StringRef key,
                        std::initializer_list<llvm::StringRef> choices,
                        bool required = false);
  bool getBool(llvm::StringRef key, bool missing);
  double getNumber(llvm::StringRef key, double missing);
  int64_t getInt(llvm::StringRef key, int64_t min, int64_t max);
  int64_t getInt(llvm::StringRef key, int64_t min, int64_t max,
                 int64_t missing);
  /// An integer (for both) or [height, width].
  llvm::SmallVector<int64_t, 4> getPair(llvm::StringRef key, int64_t min,
                                        int64_t max);
  llvm::SmallVector<int64_t, 4> getPair(llvm::StringRef key, int64_t min,
                                        int64_t max, int64_t missing);
  /// An integer, [height, width], or [top, left, bottom, right].
  llvm::SmallVector<int64_t, 4> getBorder(llvm::StringRef key, int64_t missing);
  /// An integer (for all) or [frames, height, width].
  llvm::SmallVector<int64_t, 4> getTriple(llvm::StringRef key, int64_t min,
                                          int64_t max);
  llvm::SmallVector<int64_t, 4> getTriple(llvm::StringRef key, int64_t min,
                                          int64_t max, int64_t missing);
  /// An integer, [frames, height, width], or [front, top, left, back, bottom,
  /// right].
  llvm::SmallVector<int64_t, 6> getVideoBorder(llvm::StringRef key,
                                               int64_t missing);
  /// An array of integers, not empty.
  llvm::SmallVector<int64_t, 4> getInts(llvm::StringRef key, int64_t min,
                                        int64_t max);
  /// [low, high] with low < high; none if absent.
  std::optional<std::pair<double, double>> getRange(llvm::StringRef key);
  /// A number, or an array of numbers, one a channel.
  std::vector<double> getNumbers(llvm::StringRef key, double missing);

  /// The value as an integer in a range.
  int64_t asInt(llvm::StringRef key, const JsonValue &value, int64_t min,
                int64_t max);
  /// The value as a finite number.
  double asNumber(llvm::StringRef key, const JsonValue &value);
  std::string asString(llvm::StringRef key, const JsonValue &value);

  /// Reports "expected ..., found ...".
  void mismatch(llvm::StringRef key, const JsonValue &value,
                const llvm::Twine &expected);

private:
  const Source &source;
  const JsonValue &object;
  std::string subject;
  bool good = true;
};

/// Words separated by spaces.
std::vector<llvm::StringRef> splitWords(llvm::StringRef words);

} // namespace vae

#endif // COMPILER_IMPORT_NATIVE_FIELDS_H
