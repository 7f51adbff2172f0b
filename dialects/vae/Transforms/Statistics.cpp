// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/Transforms/Statistics.h"

#include "dialects/vae/IR/Vae.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;

void vae::countEvent(const Pass &pass, Pass::Statistic &statistic,
                     StringRef name, Operation *op) {
  ++statistic;
  auto function = dyn_cast<FunctionOpInterface>(op);
  if (!function)
    function = op->getParentOfType<FunctionOpInterface>();
  auto event = remark::passed(
      op->getLoc(), remark::RemarkOpts::name(name)
                        .category(pass.getArgument())
                        .function(function ? function.getName() : ""));
  if (StringRef layer = getLayerName(op->getLoc()); event && !layer.empty())
    event << remark::metric("layer", layer);
}
