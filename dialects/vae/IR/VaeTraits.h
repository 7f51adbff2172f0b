// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Traits of the vae dialect. Included by Vae.h only.
#ifndef DIALECTS_VAE_IR_VAETRAITS_H
#define DIALECTS_VAE_IR_VAETRAITS_H

namespace vae {
namespace detail {
/// Shapes of all operands, each dynamic dimension a symbol of its own.
llvm::SmallVector<Dims> getOperandDims(mlir::ValueRange operands);
/// Whether two lists of tensor types can describe the same values.
bool areCompatible(mlir::TypeRange inferred, mlir::TypeRange actual);
} // namespace detail

/// Gives an op inferReturnTypes and inferSymbolicDims
/// from its `static LogicalResult inferDims(Adaptor, ArrayRef<Dims>,
/// SmallVectorImpl<Dims> &, DiagnosticFn)`.
template <typename ConcreteOp>
class InfersDims : public mlir::OpTrait::TraitBase<ConcreteOp, InfersDims> {
public:
  static llvm::LogicalResult
  inferReturnTypes(mlir::MLIRContext *context,
                   std::optional<mlir::Location> location,
                   mlir::ValueRange operands, mlir::DictionaryAttr attributes,
                   mlir::OpaqueProperties properties, mlir::RegionRange regions,
                   llvm::SmallVectorImpl<mlir::Type> &types) {
    typename ConcreteOp::Adaptor adaptor(operands, attributes, properties,
                                         regions);
    mlir::Location loc = location.value_or(mlir::UnknownLoc::get(context));
    llvm::SmallVector<Dims> results;
    auto error = [&] {
      return mlir::emitError(loc)
             << "'" << ConcreteOp::getOperationName() << "' op ";
    };
    if (operands.empty())
      return error() << "needs an operand";
    for (mlir::Value operand : operands)
      if (!llvm::isa<mlir::RankedTensorType>(operand.getType()))
        return error() << "takes ranked tensors";
    auto dims = detail::getOperandDims(operands);
    if (failed(ConcreteOp::inferDims(adaptor, dims, results, error)))
      return llvm::failure();
    auto type =
        llvm::cast<mlir::RankedTensorType>(operands.front().getType());
    for (const Dims &result : results)
      types.push_back(getTensorType(result, type.getElementType()));
    return llvm::success();
  }

  llvm::LogicalResult inferSymbolicDims(llvm::ArrayRef<Dims> operands,
                                        llvm::SmallVectorImpl<Dims> &results) {
    auto op = llvm::cast<ConcreteOp>(this->getOperation());
    return ConcreteOp::inferDims(typename ConcreteOp::Adaptor(op), operands,
                                 results,
                                 [&] { return op.emitOpError(); });
  }
};

} // namespace vae

#endif // DIALECTS_VAE_IR_VAETRAITS_H
