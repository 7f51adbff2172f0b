// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/pipeline/Ranges.h"

#include "compiler/calibrate/ModelHash.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/MemoryBuffer.h"

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

FailureOr<RangeTable> vae::readRanges(const CompileOptions &options,
                                      ModuleOp imported, StringRef model) {
  MLIRContext *context = imported.getContext();
  std::string hash = hashModel(imported);
  if (options.rangeTable) {
    if (llvm::Error error =
            checkRangeTable(*options.rangeTable, "ranges", model, hash))
      return report(std::move(error), "ranges", context);
    return *options.rangeTable;
  }
  Location place = FileLineColLoc::get(context, options.ranges, 0, 0);
  auto file = llvm::MemoryBuffer::getFile(options.ranges, /*IsText=*/true);
  if (!file)
    return emitError(place) << "cannot be read: " << file.getError().message()
                            << "; vaec calibrate writes a table of ranges";
  auto table = parseRangeTable((*file)->getBuffer(), options.ranges);
  if (!table)
    return report(table.takeError(), options.ranges, context);
  if (llvm::Error error = checkRangeTable(*table, options.ranges, model, hash))
    return report(std::move(error), options.ranges, context);
  return std::move(*table);
}
