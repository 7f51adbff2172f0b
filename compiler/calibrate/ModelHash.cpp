// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/calibrate/ModelHash.h"

#include "dialects/vae/IR/Vae.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace vae;

namespace {
class Hasher {
public:
  void add(func::FuncOp function) {
    numbers.clear();
    add(function.getName());
    for (BlockArgument argument : function.getArguments())
      number(argument);
    function.getBody().walk([&](Operation *op) { add(op); });
  }

  std::string finish() { return llvm::toHex(sha.final(), /*LowerCase=*/true); }

private:
  void add(Operation *op) {
    add(op->getName().getStringRef());
    add(getLayerName(op->getLoc()));
    for (Value operand : op->getOperands())
      add(numbers.lookup(operand));
    for (NamedAttribute attribute : op->getAttrs()) {
      add(attribute.getName().getValue());
      add(attribute.getValue());
    }
    for (Value result : op->getResults())
      number(result);
  }

  void add(Attribute attribute) {
    if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute))
      if (AsmResourceBlob *blob = resource.getRawHandle().getBlob()) {
        addText(resource.getType());
        ArrayRef<char> data = blob->getData();
        return add(StringRef(data.data(), data.size()));
      }
    addText(attribute);
  }

  template <typename T> void addText(T printed) {
    std::string text;
    llvm::raw_string_ostream out(text);
    printed.print(out);
    add(text);
  }

  void number(Value value) { numbers.insert({value, numbers.size()}); }

  /// With its length, so that texts in a row are not another row.
  void add(StringRef text) {
    add(uint64_t(text.size()));
    sha.update(text);
  }

  void add(uint64_t number) {
    std::array<uint8_t, 8> bytes;
    for (unsigned i = 0; i < 8; ++i)
      bytes[i] = static_cast<uint8_t>(number >> (8 * i));
    sha.update(bytes);
  }

  llvm::SHA256 sha;
  DenseMap<Value, uint64_t> numbers;
};
} // namespace

std::string vae::hashModel(ModuleOp imported) {
  Hasher hasher;
  for (auto function : imported.getOps<func::FuncOp>())
    hasher.add(function);
  return hasher.finish();
}
