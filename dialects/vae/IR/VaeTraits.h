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
/// Constraints (G1) and (G2) of the dialect.
llvm::LogicalResult checkDims(llvm::ArrayRef<Dims> tensors, DiagnosticFn error);
/// Constraint (G3): the declared results can have the inferred shapes.
llvm::LogicalResult checkResults(mlir::Operation *op,
                                 llvm::ArrayRef<Dims> inferred);
/// Constraint (G4): which tensors may be quantized.
llvm::LogicalResult checkQuantized(mlir::Operation *op);
/// Brings dimensions into one form, so that equal ones look equal: sums of
/// multiples of the dynamic dimensions and of quotients.
void simplifyDims(llvm::MutableArrayRef<Dims> tensors);
/// The largest stride, dilation, padding, scale or number of parts.
inline constexpr int64_t kMaxNumber = int64_t(1) << 20;
/// A dimension in a message: a number, or "?" if unknown.
std::string formatDim(int64_t size);
} // namespace detail

/// Gives an op inferReturnTypes, inferSymbolicDims and the verification of its
/// shapes from its `static LogicalResult inferDims(Adaptor, ArrayRef<Dims>,
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
    auto error = [&] {
      return mlir::emitError(loc)
             << "'" << ConcreteOp::getOperationName() << "' op ";
    };
    for (mlir::Value operand : operands)
      if (!llvm::isa<mlir::RankedTensorType>(operand.getType()))
        return error() << "takes ranked tensors";
    llvm::SmallVector<Dims> results;
    if (failed(inferChecked(adaptor, detail::getOperandDims(operands), results,
                            error)))
      return llvm::failure();
    auto type = llvm::cast<mlir::RankedTensorType>(operands.front().getType());
    for (const Dims &result : results)
      types.push_back(getTensorType(result, type.getElementType()));
    return llvm::success();
  }

  static llvm::LogicalResult verifyTrait(mlir::Operation *op) {
    auto concrete = llvm::cast<ConcreteOp>(op);
    llvm::SmallVector<Dims> results;
    if (failed(inferChecked(typename ConcreteOp::Adaptor(concrete),
                            detail::getOperandDims(op->getOperands()), results,
                            [&] { return op->emitOpError(); })))
      return llvm::failure();
    if (failed(detail::checkResults(op, results)))
      return llvm::failure();
    return detail::checkQuantized(op);
  }

  llvm::LogicalResult inferSymbolicDims(llvm::ArrayRef<Dims> operands,
                                        llvm::SmallVectorImpl<Dims> &results) {
    auto op = llvm::cast<ConcreteOp>(this->getOperation());
    return inferChecked(typename ConcreteOp::Adaptor(op), operands, results,
                        [&] { return op.emitOpError(); });
  }

private:
  // The op, and so its Adaptor, is incomplete here: hence the template.
  template <typename AdaptorTy>
  static llvm::LogicalResult
  inferChecked(AdaptorTy adaptor, llvm::ArrayRef<Dims> operands,
               llvm::SmallVectorImpl<Dims> &results, DiagnosticFn error) {
    // Only variadic ops can come here without operands.
    if (operands.empty())
      return error() << "(C1) needs an operand";
    if (failed(detail::checkDims(operands, error)) ||
        failed(ConcreteOp::inferDims(adaptor, operands, results, error)))
      return llvm::failure();
    detail::simplifyDims(results);
    return detail::checkDims(results, error);
  }
};

} // namespace vae

#endif // DIALECTS_VAE_IR_VAETRAITS_H
