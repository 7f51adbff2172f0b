// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What shape inference works with, and the constraints of all operations.
#include "dialects/vae/IR/VaeShape.h"
#include "dialects/vae/IR/VaeQuant.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace vae;

int64_t vae::getStaticDim(AffineExpr expr) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue();
  return ShapedType::kDynamic;
}

Dims vae::getDims(RankedTensorType type, unsigned &nextSymbol) {
  Dims dims;
  for (auto [axis, size] : llvm::enumerate(type.getShape())) {
    if (!ShapedType::isDynamic(size))
      dims.push_back(getAffineConstantExpr(size, type.getContext()));
    else if (axis == 0)
      dims.push_back(getAffineSymbolExpr(0, type.getContext()));
    else
      dims.push_back(getAffineSymbolExpr(nextSymbol++, type.getContext()));
  }
  return dims;
}

Dims vae::getArgumentDims(FunctionOpInterface function, unsigned index) {
  if (auto map = function.getArgAttrOfType<AffineMapAttr>(index, kDimsAttr))
    return Dims(map.getValue().getResults());
  unsigned next = 1;
  return getDims(cast<RankedTensorType>(function.getArgument(index).getType()),
                 next);
}

RankedTensorType vae::getTensorType(ArrayRef<AffineExpr> dims, Type elementType,
                                    Attribute encoding) {
  SmallVector<int64_t> shape;
  for (AffineExpr dim : dims)
    shape.push_back(getStaticDim(dim));
  return RankedTensorType::get(shape, elementType, encoding);
}

bool vae::isLinear(ArrayRef<AffineExpr> dims) {
  return llvm::all_of(dims, [](AffineExpr dim) {
    bool linear = true;
    unsigned symbols = 0;
    dim.walk([&](AffineExpr part) {
      auto binary = dyn_cast<AffineBinaryOpExpr>(part);
      linear &= !binary || binary.getKind() == AffineExprKind::Add ||
                (binary.getKind() == AffineExprKind::Mul &&
                 isa<AffineConstantExpr>(binary.getRHS()));
      symbols += isa<AffineSymbolExpr>(part);
    });
    return linear && symbols <= 1;
  });
}

AffineExpr vae::getNumElements(ArrayRef<AffineExpr> dims,
                               MLIRContext *context) {
  AffineExpr product = getAffineConstantExpr(1, context);
  for (AffineExpr dim : dims)
    product = product * dim;
  return product;
}

SmallVector<Dims> vae::detail::getOperandDims(ValueRange operands) {
  SmallVector<Dims> dims;
  unsigned nextSymbol = 1;
  for (Value operand : operands)
    dims.push_back(
        getDims(cast<RankedTensorType>(operand.getType()), nextSymbol));
  return dims;
}

/// f32 may lie in memory as f16, or be quantized.
static bool haveCompatibleNumbers(RankedTensorType a, RankedTensorType b) {
  auto isFloat = [](Type type) {
    return type.isF32() || type.isF16() || getQuantizedType(type);
  };
  Type x = a.getElementType(), y = b.getElementType();
  return x == y || (isFloat(x) && isFloat(y));
}

bool vae::detail::areCompatible(TypeRange inferred, TypeRange actual) {
  if (inferred.size() != actual.size())
    return false;
  for (auto [left, right] : llvm::zip(inferred, actual)) {
    auto a = dyn_cast<RankedTensorType>(left);
    auto b = dyn_cast<RankedTensorType>(right);
    if (!a || !b || !haveCompatibleNumbers(a, b) ||
        failed(verifyCompatibleShape(a.getShape(), b.getShape())))
      return false;
  }
  return true;
}

std::string vae::detail::formatDim(int64_t size) {
  return ShapedType::isDynamic(size) ? "?" : std::to_string(size);
}

LogicalResult vae::detail::checkDims(ArrayRef<Dims> tensors,
                                     DiagnosticFn error) {
  for (const Dims &dims : tensors) {
    if (dims.empty())
      return error() << "(G1) tensors must have an axis, found rank 0";
    int64_t count = 1;
    for (AffineExpr dim : dims) {
      int64_t size = getStaticDim(dim);
      if (ShapedType::isDynamic(size))
        continue;
      if (size < 1)
        return error() << "(G2) dimensions must be positive, found " << size;
      if (size > kMaxElements / count)
        return error() << "(G2) a tensor must have at most " << kMaxElements
                       << " elements";
      count *= size;
    }
  }
  return success();
}

void vae::detail::simplifyDims(MutableArrayRef<Dims> tensors) {
  for (Dims &dims : tensors)
    for (AffineExpr &dim : dims) {
      if (isa<AffineConstantExpr, AffineSymbolExpr>(dim))
        continue;
      unsigned symbols = 0;
      dim.walk([&](AffineExpr part) {
        if (auto symbol = dyn_cast<AffineSymbolExpr>(part))
          symbols = std::max(symbols, symbol.getPosition() + 1);
      });
      dim = simplifyAffineExpr(dim, /*numDims=*/0, symbols);
    }
}

LogicalResult vae::detail::checkResults(Operation *op,
                                        ArrayRef<Dims> inferred) {
  if (inferred.size() != op->getNumResults())
    return op->emitOpError() << "(G3) must have " << inferred.size()
                             << " results, found " << op->getNumResults();
  auto element = cast<RankedTensorType>(op->getOperand(0).getType());
  for (auto [index, dims] : llvm::enumerate(inferred)) {
    Type expected = getTensorType(dims, element.getElementType());
    Type found = op->getResult(index).getType();
    if (!areCompatible(expected, found))
      return op->emitOpError() << "(G3) result " << index << " must be "
                               << expected << ", found " << found;
  }
  return success();
}

std::string vae::detail::formatDim(AffineExpr dim) {
  return formatDim(getStaticDim(dim));
}

std::string vae::detail::formatShape(const Dims &dims) {
  std::string text = "[";
  for (auto [axis, dim] : llvm::enumerate(dims))
    text += (axis ? ", " : "") + formatDim(dim);
  return text + "]";
}

bool vae::detail::isStatic(const Dims &dims) {
  return llvm::all_of(
      dims, [](AffineExpr dim) { return isa<AffineConstantExpr>(dim); });
}

bool vae::detail::isPositive(AffineExpr dim) {
  int64_t size = getStaticDim(dim);
  return ShapedType::isDynamic(size) || size > 0;
}

bool vae::detail::mayBeEqual(AffineExpr a, AffineExpr b) {
  int64_t x = getStaticDim(a), y = getStaticDim(b);
  return ShapedType::isDynamic(x) || ShapedType::isDynamic(y) || x == y;
}

AffineExpr vae::detail::merge(AffineExpr a, AffineExpr b) {
  return ShapedType::isDynamic(getStaticDim(a)) ? b : a;
}

LogicalResult vae::detail::inferSame(ArrayRef<Dims> in,
                                     SmallVectorImpl<Dims> &out,
                                     DiagnosticFn error, unsigned count) {
  Dims dims = in[0];
  for (const Dims &other : in.take_front(count)) {
    if (other.size() != dims.size())
      return error() << "(C1) operands must have the same shape";
    for (auto [axis, dim] : llvm::enumerate(other)) {
      if (!mayBeEqual(dims[axis], dim))
        return error() << "(C1) operands must have the same shape: "
                       << formatDim(dims[axis]) << " and " << formatDim(dim)
                       << " on axis " << axis;
      dims[axis] = isa<AffineConstantExpr>(dims[axis]) ? dims[axis] : dim;
    }
  }
  // Prefer the first operand's own expressions where all are dynamic.
  for (auto [axis, dim] : llvm::enumerate(in[0]))
    dims[axis] = merge(dims[axis], dim);
  out.push_back(dims);
  return success();
}

AffineExpr vae::detail::windowDim(AffineExpr size, int64_t pad, int64_t extent,
                                  int64_t stride) {
  return (size + (pad - extent)).floorDiv(stride) + 1;
}

AffineExpr vae::detail::zero(ArrayRef<Dims> dims) {
  return getAffineConstantExpr(0, dims[0][0].getContext());
}

AffineExpr vae::detail::elements(const Dims &dims) {
  return getNumElements(dims, dims[0].getContext());
}

bool vae::detail::areNumbers(ArrayRef<int64_t> values, size_t count,
                             int64_t minimum) {
  return values.size() == count && llvm::all_of(values, [&](int64_t value) {
           return value >= minimum && value <= kMaxNumber;
         });
}

bool vae::detail::isPair(ArrayRef<int64_t> values, int64_t minimum) {
  return areNumbers(values, 2, minimum);
}

bool vae::detail::isBorder(ArrayRef<int64_t> values) {
  return areNumbers(values, 4, 0);
}

bool vae::detail::isFactor(int64_t value) {
  return value >= 1 && value <= kMaxNumber;
}

LogicalResult vae::detail::requireVideo(const Dims &x, DiagnosticFn error) {
  if (x.size() == 5)
    return success();
  return error() << "(C1) x must be [N, C, T, H, W], found rank " << x.size();
}

LogicalResult vae::detail::requireImage(const Dims &x, DiagnosticFn error) {
  if (x.size() == 4)
    return success();
  return error() << "(C1) x must be [N, C, H, W], found rank " << x.size();
}
