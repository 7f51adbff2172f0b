// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/pipeline/WriteLibrary.h"

#include "compiler/target/cpu/FillSection.h"
#include "compiler/target/cpu/WeightsSection.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace vae;

Expected<TemporaryFile> vae::linkCode(ArrayRef<CodeGenerator::Object> objects,
                                      const LinkRequest &request,
                                      StringRef output, bool removeOnSignal) {
  std::vector<TemporaryFile> files;
  std::vector<std::string> paths;
  uint64_t bytes = 1 << 18; // of the linked file, at most
  auto add = [&](function_ref<void(raw_ostream &)> body) -> Error {
    auto file = TemporaryFile::create(output, removeOnSignal);
    if (!file)
      return file.takeError();
    paths.push_back(file->getPath().str());
    files.push_back(std::move(*file));
    return files.back().write([&](raw_pwrite_stream &out) {
      body(out);
      bytes += out.tell();
      return Error::success();
    });
  };
  for (const CodeGenerator::Object &object : objects)
    if (Error error = add(
            [&](raw_ostream &out) { out.write(object.data(), object.size()); }))
      return error;
  if (Error error = add([&](raw_ostream &out) {
        writeWeightsPlaceholder(request.weightBytes, request.cpu, out);
      }))
    return error;
  auto linked = TemporaryFile::create(output, removeOnSignal);
  if (!linked)
    return linked.takeError();
  // The linker would end the process on a full disk.
  if (Error error = linked->checkSpace(bytes))
    return error;
  if (Error error = linkObjects(paths, linked->getPath(), request.kind))
    return error;
  return linked;
}

Error vae::writeLinked(const TemporaryFile &linked, mlir::ModuleOp module,
                       StringRef output, bool removeOnSignal) {
  auto code = MemoryBuffer::getFile(linked.getPath(), /*IsText=*/false,
                                    /*RequiresNullTerminator=*/false);
  if (!code)
    return createStringError(code.getError(), "cannot be read again: " +
                                                  code.getError().message());
  return writeFile(output, removeOnSignal, [&](raw_pwrite_stream &out) {
    return fillSection(
        (*code)->getBuffer(), kWeightsSection,
        [&](raw_ostream &weights) { vae::writeWeights(module, weights); }, out);
  });
}
