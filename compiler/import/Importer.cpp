// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/Importer.h"

#include "compiler/import/diffusers/DiffusersImporter.h"
#include "compiler/import/keras/Archive.h"
#include "compiler/import/keras/KerasImporter.h"
#include "compiler/import/native/NativeImporter.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/FileSystem.h"

using namespace llvm;
using namespace mlir;
using namespace vae;

static LogicalResult fail(StringRef path, MLIRContext &context,
                          const Twine &message) {
  return emitError(FileLineColLoc::get(&context, path, 1, 1)) << message;
}

static LogicalResult readKerasDocument(StringRef path, const ModelFiles &files,
                                       MLIRContext &context,
                                       ModelDocument &document) {
  document = ModelDocument();
  auto problem = keras::readKeras(path, files, document);
  if (!problem)
    return success();
  return emitError(FileLineColLoc::get(
             &context, document.files[problem->position.file],
             problem->position.line, problem->position.column))
         << problem->message;
}

LogicalResult vae::readModelDocument(StringRef path, const ModelFiles &files,
                                     MLIRContext &context,
                                     ModelDocument &document) {
  if (files.hasParts())
    return readKerasDocument(path, files, context, document);
  if (sys::fs::is_directory(path))
    return readDiffusersFolder(path, context, document);
  if (auto start = MemoryBuffer::getFileSlice(path, 8, 0)) {
    StringRef magic = (*start)->getBuffer();
    if (keras::isZip(magic) || keras::isHdf5(magic))
      return readKerasDocument(path, files, context, document);
  }
  if (failed(readNativeDocument(path, context, document)))
    return failure();
  if (document.root.find("class_name") && !document.root.find("format_version"))
    return readKerasDocument(path, files, context, document);
  if (!files.weights.empty() || !files.latent.empty())
    return fail(path, context,
                Twine(files.weights.empty() ? "--latent" : "--weights") +
                    " is for models of Keras; the native format says it in "
                    "the file");
  return success();
}
