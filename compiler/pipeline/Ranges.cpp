// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/pipeline/Ranges.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SHA256.h"

using namespace mlir;
using namespace vae;

/// An error that begins with "FILE:LINE: error: " or "FILE: error: ", as one of
/// the context's.
static LogicalResult report(llvm::Error error, StringRef file,
                            MLIRContext *context) {
  std::string text = toString(std::move(error));
  StringRef message = text;
  unsigned line = 0;
  if (message.consume_front(file)) {
    message.consume_front(":");
    message.consumeInteger(10, line);
    message.consume_front(":");
    message = message.ltrim();
    message.consume_front("error: ");
  }
  return emitError(FileLineColLoc::get(context, file, line, line ? 1 : 0))
         << message;
}

/// Whether the table is of what the recipe makes of the model.
static llvm::Error check(const RangeTable &table, StringRef file,
                         const Recipe &recipe) {
  std::string hash = hashChangedModel(recipe);
  if (hash == recipe.hash)
    return checkRangeTable(table, file, recipe.model, hash);
  constexpr llvm::StringLiteral remedy =
      "write ranges of what is left of the model with vaec calibrate MODEL "
      "--apply-recipe=RECIPE, where RECIPE is what --recipe writes, or leave "
      "--ranges out";
  if (table.hash != recipe.hash)
    return checkRangeTable(table, file, recipe.model, hash, remedy);
  return llvm::createStringError(
      std::make_error_code(std::errc::invalid_argument),
      file +
          ": error: the ranges are those of the model before its layers "
          "are changed; " +
          remedy);
}

FailureOr<RangeTable> vae::readRanges(const CompileOptions &options,
                                      const Recipe &recipe,
                                      MLIRContext *context) {
  if (options.rangeTable) {
    if (llvm::Error error = check(*options.rangeTable, "ranges", recipe))
      return report(std::move(error), "ranges", context);
    return *options.rangeTable;
  }
  Location place = FileLineColLoc::get(context, options.ranges, 0, 0);
  auto file = llvm::MemoryBuffer::getFile(options.ranges, /*IsText=*/true);
  if (!file)
    return emitError(place) << "cannot be read: " << file.getError().message()
                            << "; vaec calibrate writes a table of ranges";
  StringRef text = (*file)->getBuffer();
  auto table = parseRangeTable(text, options.ranges);
  if (!table)
    return report(table.takeError(), options.ranges, context);
  if (llvm::Error error = check(*table, options.ranges, recipe))
    return report(std::move(error), options.ranges, context);
  table->fileHash = llvm::toHex(
      llvm::SHA256::hash(llvm::ArrayRef(text.bytes_begin(), text.size())),
      /*LowerCase=*/true);
  return std::move(*table);
}
