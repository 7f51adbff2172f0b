// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shape inference and operation counts.
#include "dialects/vae/IR/Vae.h"

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

RankedTensorType vae::getTensorType(ArrayRef<AffineExpr> dims, Type elementType,
                                    Attribute encoding) {
  SmallVector<int64_t> shape;
  for (AffineExpr dim : dims)
    shape.push_back(getStaticDim(dim));
  return RankedTensorType::get(shape, elementType, encoding);
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

bool vae::detail::areCompatible(TypeRange inferred, TypeRange actual) {
  if (inferred.size() != actual.size())
    return false;
  for (auto [left, right] : llvm::zip(inferred, actual)) {
    auto a = dyn_cast<RankedTensorType>(left);
    auto b = dyn_cast<RankedTensorType>(right);
    if (!a || !b || a.getElementType() != b.getElementType() ||
        failed(verifyCompatibleShape(a.getShape(), b.getShape())))
      return false;
  }
  return true;
}

/// More elements than any memory holds; sizes below it, times the largest
/// attribute, stay within 64 bits.
static constexpr int64_t kMaxElements = int64_t(1) << 40;

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

namespace {

using vae::detail::formatDim;
using vae::detail::kMaxNumber;

std::string formatDim(AffineExpr dim) { return formatDim(getStaticDim(dim)); }

std::string formatShape(const Dims &dims) {
  std::string text = "[";
  for (auto [axis, dim] : llvm::enumerate(dims))
    text += (axis ? ", " : "") + formatDim(dim);
  return text + "]";
}

bool isStatic(const Dims &dims) {
  return llvm::all_of(
      dims, [](AffineExpr dim) { return isa<AffineConstantExpr>(dim); });
}

/// Positive when known; unknown dimensions pass.
bool isPositive(AffineExpr dim) {
  int64_t size = getStaticDim(dim);
  return ShapedType::isDynamic(size) || size > 0;
}

bool mayBeEqual(AffineExpr a, AffineExpr b) {
  int64_t x = getStaticDim(a), y = getStaticDim(b);
  return ShapedType::isDynamic(x) || ShapedType::isDynamic(y) || x == y;
}

/// The static one of two equal dimensions, if either is.
AffineExpr merge(AffineExpr a, AffineExpr b) {
  return ShapedType::isDynamic(getStaticDim(a)) ? b : a;
}

LogicalResult inferSame(ArrayRef<Dims> in, SmallVectorImpl<Dims> &out,
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

/// Length of a window's output: floor((size + pad - extent) / stride) + 1.
AffineExpr windowDim(AffineExpr size, int64_t pad, int64_t extent,
                     int64_t stride) {
  return (size + (pad - extent)).floorDiv(stride) + 1;
}

AffineExpr zero(ArrayRef<Dims> dims) {
  return getAffineConstantExpr(0, dims[0][0].getContext());
}

AffineExpr elements(const Dims &dims) {
  return getNumElements(dims, dims[0].getContext());
}

/// `count` numbers from `minimum` to kMaxNumber.
bool areNumbers(ArrayRef<int64_t> values, size_t count, int64_t minimum) {
  return values.size() == count && llvm::all_of(values, [&](int64_t value) {
           return value >= minimum && value <= kMaxNumber;
         });
}

bool isPair(ArrayRef<int64_t> values, int64_t minimum) {
  return areNumbers(values, 2, minimum);
}

bool isBorder(ArrayRef<int64_t> values) { return areNumbers(values, 4, 0); }

} // namespace

//===----------------------------------------------------------------------===//
// Layers with weights
//===----------------------------------------------------------------------===//

LogicalResult DenseOp::inferDims(Adaptor, ArrayRef<Dims> in,
                                 SmallVectorImpl<Dims> &out,
                                 DiagnosticFn error) {
  if (in[0].size() < 2)
    return error() << "(C1) x must have rank >= 2, found rank " << in[0].size();
  if (in[1].size() != 2 || !isStatic(in[1]) ||
      !mayBeEqual(in[1][1], in[0].back()))
    return error() << "(C2) weight must be static [units, "
                   << formatDim(in[0].back()) << "], found "
                   << formatShape(in[1]);
  Dims dims = in[0];
  dims.back() = in[1][0];
  out.push_back(dims);
  return success();
}

LogicalResult Conv2dOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                  SmallVectorImpl<Dims> &out,
                                  DiagnosticFn error) {
  if (in[0].size() != 4)
    return error() << "(C1) x must be [N, C, H, W], found rank "
                   << in[0].size();
  int64_t groups = op.getGroups();
  int64_t channels = getStaticDim(in[0][1]);
  if (in[1].size() != 4 || !isStatic(in[1]) || groups < 1 ||
      ShapedType::isDynamic(channels) || channels % groups ||
      getStaticDim(in[1][0]) % groups ||
      getStaticDim(in[1][1]) != channels / groups)
    return error() << "(C2) weight must be static [O, C/groups, KH, KW] with "
                      "C = "
                   << formatDim(channels) << " and groups = " << groups
                   << " dividing C and O, found " << formatShape(in[1]);
  auto strides = op.getStrides(), dilations = op.getDilations(),
       padding = op.getPadding();
  if (!isPair(strides, 1) || !isPair(dilations, 1) || !isBorder(padding))
    return error() << "(C5) strides and dilations must be two positive "
                      "numbers, padding four numbers >= 0, at most "
                   << kMaxNumber;
  Dims dims = {in[0][0], in[1][0]};
  for (int axis : {0, 1}) {
    int64_t extent = dilations[axis] * (getStaticDim(in[1][2 + axis]) - 1) + 1;
    dims.push_back(windowDim(in[0][2 + axis], padding[axis] + padding[axis + 2],
                             extent, strides[axis]));
    if (!isPositive(dims.back()))
      return error() << "(C6) the kernel covers " << extent
                     << " elements, the padded input has "
                     << getStaticDim(in[0][2 + axis]) + padding[axis] +
                            padding[axis + 2]
                     << " on axis " << 2 + axis;
  }
  out.push_back(dims);
  return success();
}

LogicalResult ConvTranspose2dOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                           SmallVectorImpl<Dims> &out,
                                           DiagnosticFn error) {
  if (in[0].size() != 4)
    return error() << "(C1) x must be [N, C, H, W], found rank "
                   << in[0].size();
  int64_t groups = op.getGroups();
  int64_t channels = getStaticDim(in[0][1]);
  if (in[1].size() != 4 || !isStatic(in[1]) || groups < 1 ||
      ShapedType::isDynamic(channels) || channels % groups ||
      getStaticDim(in[1][0]) != channels)
    return error() << "(C2) weight must be static [C, O/groups, KH, KW] with "
                      "C = "
                   << formatDim(channels) << " and groups = " << groups
                   << " dividing C, found " << formatShape(in[1]);
  auto strides = op.getStrides(), dilations = op.getDilations(),
       padding = op.getPadding(), extra = op.getOutputPadding();
  if (!isPair(strides, 1) || !isPair(dilations, 1) || !isBorder(padding) ||
      !isPair(extra, 0))
    return error() << "(C5) strides and dilations must be two positive "
                      "numbers, padding four and output_padding two numbers "
                      ">= 0, at most "
                   << kMaxNumber;
  Dims dims = {in[0][0], in[1][1] * groups};
  for (int axis : {0, 1}) {
    int64_t extent = dilations[axis] * (getStaticDim(in[1][2 + axis]) - 1) + 1;
    dims.push_back((in[0][2 + axis] - 1) * strides[axis] +
                   (extent + extra[axis] - padding[axis] - padding[axis + 2]));
    if (!isPositive(dims.back()))
      return error() << "(C6) nothing is left of axis " << 2 + axis
                     << " after the padding is cut off";
  }
  out.push_back(dims);
  return success();
}

AffineExpr DenseOp::getFlops(ArrayRef<Dims> in, ArrayRef<Dims> out) {
  return elements(out[0]) * in[1][1] * 2;
}
AffineExpr Conv2dOp::getFlops(ArrayRef<Dims> in, ArrayRef<Dims> out) {
  return elements(out[0]) * in[1][1] * in[1][2] * in[1][3] * 2;
}

/// Along one axis of a transposed convolution: the taps that reach an output,
/// summed over the outputs; as with a convolution, also those on zeros around
/// the input. Outputs stride * q + residue - padding share their taps.
static AffineExpr countTaps(AffineExpr out, int64_t kernel, int64_t stride,
                            int64_t dilation, int64_t padding) {
  AffineExpr sum = getAffineConstantExpr(0, out.getContext());
  for (int64_t residue = 0; residue < stride; ++residue) {
    int64_t taps = 0;
    for (int64_t tap = 0; tap < kernel; ++tap)
      taps += tap * dilation % stride == residue;
    int64_t first =
        std::max<int64_t>(0, llvm::divideCeilSigned(padding - residue, stride));
    AffineExpr last = (out + (padding - residue - 1)).floorDiv(stride);
    sum = sum + (last + (1 - first)) * taps;
  }
  return sum;
}

AffineExpr ConvTranspose2dOp::getFlops(ArrayRef<Dims> in, ArrayRef<Dims> out) {
  AffineExpr product = in[0][0] * in[0][1] * in[1][1] * 2;
  for (int axis : {0, 1})
    product =
        product * countTaps(out[0][2 + axis], getStaticDim(in[1][2 + axis]),
                            getStrides()[axis], getDilations()[axis],
                            getPadding()[axis]);
  return product;
}

//===----------------------------------------------------------------------===//
// Ops that keep their shape
//===----------------------------------------------------------------------===//

#define VAE_SAME_SHAPE(OP, COUNT, FLOPS)                                       \
  LogicalResult OP::inferDims(Adaptor, ArrayRef<Dims> in,                      \
                              SmallVectorImpl<Dims> &out,                      \
                              DiagnosticFn error) {                            \
    return inferSame(in, out, error, COUNT);                                   \
  }                                                                            \
  AffineExpr OP::getFlops(ArrayRef<Dims>, ArrayRef<Dims> out) {                \
    return elements(out[0]) * (FLOPS);                                         \
  }
VAE_SAME_SHAPE(BatchNormOp, 1, 2)
VAE_SAME_SHAPE(GroupNormOp, 1, 5)
VAE_SAME_SHAPE(LayerNormOp, 1, 5)
VAE_SAME_SHAPE(ChannelAffineOp, 1, 2)
VAE_SAME_SHAPE(ActivationOp, 1, 1)
VAE_SAME_SHAPE(PreluOp, 1, 1)
VAE_SAME_SHAPE(AddOp, 2, 1)
VAE_SAME_SHAPE(SubOp, 2, 1)
VAE_SAME_SHAPE(MulOp, 2, 1)
VAE_SAME_SHAPE(SoftmaxOp, 1, 4)
VAE_SAME_SHAPE(DropoutOp, 1, 0)
VAE_SAME_SHAPE(ConvertLayoutOp, 1, 0)
VAE_SAME_SHAPE(ReparameterizeOp, 3, 3)
#undef VAE_SAME_SHAPE

//===----------------------------------------------------------------------===//
// Resampling
//===----------------------------------------------------------------------===//

LogicalResult UpsampleOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                    SmallVectorImpl<Dims> &out,
                                    DiagnosticFn error) {
  if (in[0].size() != 4)
    return error() << "(C1) x must be [N, C, H, W], found rank "
                   << in[0].size();
  if (!isPair(op.getScale(), 1))
    return error() << "(C2) scale must be two positive numbers, at most "
                   << kMaxNumber;
  out.push_back({in[0][0], in[0][1], in[0][2] * op.getScale()[0],
                 in[0][3] * op.getScale()[1]});
  return success();
}
AffineExpr UpsampleOp::getFlops(ArrayRef<Dims> in, ArrayRef<Dims> out) {
  return getMode() == ResizeMode::Nearest ? zero(in) : elements(out[0]) * 7;
}

LogicalResult Pool2dOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                  SmallVectorImpl<Dims> &out,
                                  DiagnosticFn error) {
  if (in[0].size() != 4)
    return error() << "(C1) x must be [N, C, H, W], found rank "
                   << in[0].size();
  auto kernel = op.getKernel(), strides = op.getStrides(),
       padding = op.getPadding();
  if (!isPair(kernel, 1) || !isPair(strides, 1) || !isBorder(padding))
    return error() << "(C2) kernel and strides must be two positive numbers, "
                      "padding four numbers >= 0, at most "
                   << kMaxNumber;
  Dims dims = {in[0][0], in[0][1]};
  for (int axis : {0, 1}) {
    if (padding[axis] >= kernel[axis] || padding[axis + 2] >= kernel[axis])
      return error() << "(C3) padding must be less than the kernel";
    dims.push_back(windowDim(in[0][2 + axis], padding[axis] + padding[axis + 2],
                             kernel[axis], strides[axis]));
    if (!isPositive(dims.back()))
      return error() << "(C4) the kernel does not fit into axis " << 2 + axis;
  }
  out.push_back(dims);
  return success();
}
AffineExpr Pool2dOp::getFlops(ArrayRef<Dims>, ArrayRef<Dims> out) {
  return elements(out[0]) * (getKernel()[0] * getKernel()[1]);
}

LogicalResult GlobalPoolOp::inferDims(Adaptor, ArrayRef<Dims> in,
                                      SmallVectorImpl<Dims> &out,
                                      DiagnosticFn error) {
  if (in[0].size() != 4)
    return error() << "(C1) x must be [N, C, H, W], found rank "
                   << in[0].size();
  out.push_back({in[0][0], in[0][1]});
  return success();
}
AffineExpr GlobalPoolOp::getFlops(ArrayRef<Dims> in, ArrayRef<Dims>) {
  return elements(in[0]);
}

//===----------------------------------------------------------------------===//
// Data movement
//===----------------------------------------------------------------------===//

#define VAE_NO_FLOPS(OP)                                                       \
  AffineExpr OP::getFlops(ArrayRef<Dims> in, ArrayRef<Dims>) {                 \
    return zero(in);                                                           \
  }
VAE_NO_FLOPS(ConcatOp)
VAE_NO_FLOPS(SplitOp)
VAE_NO_FLOPS(SliceOp)
VAE_NO_FLOPS(CropOp)
VAE_NO_FLOPS(PadOp)
VAE_NO_FLOPS(ReshapeOp)
VAE_NO_FLOPS(TransposeOp)
#undef VAE_NO_FLOPS

static bool isInnerAxis(int64_t axis, const Dims &dims) {
  return axis >= 1 && axis < static_cast<int64_t>(dims.size());
}

LogicalResult ConcatOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                  SmallVectorImpl<Dims> &out,
                                  DiagnosticFn error) {
  int64_t axis = op.getAxis();
  if (!isInnerAxis(axis, in[0]))
    return error() << "(C2) axis " << axis << " is not in 1.."
                   << in[0].size() - 1;
  Dims dims = in[0];
  for (const Dims &other : in.drop_front()) {
    if (other.size() != dims.size())
      return error() << "(C3) operands must have the same rank";
    for (int64_t i = 0, e = dims.size(); i < e; ++i) {
      if (i == axis)
        dims[i] = dims[i] + other[i];
      else if (!mayBeEqual(dims[i], other[i]))
        return error() << "(C3) operands differ on axis " << i << ": "
                       << formatDim(dims[i]) << " and " << formatDim(other[i]);
      else
        dims[i] = merge(dims[i], other[i]);
    }
  }
  out.push_back(dims);
  return success();
}

LogicalResult SplitOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                 SmallVectorImpl<Dims> &out,
                                 DiagnosticFn error) {
  int64_t axis = op.getAxis(), sections = op.getSections();
  if (!isInnerAxis(axis, in[0]))
    return error() << "(C1) axis " << axis << " is not in 1.."
                   << in[0].size() - 1;
  int64_t size = getStaticDim(in[0][axis]);
  if (sections < 1 || sections > kMaxNumber || ShapedType::isDynamic(size) ||
      size % sections)
    return error() << "(C2) " << sections << " sections do not divide "
                   << formatDim(size);
  Dims dims = in[0];
  dims[axis] = getAffineConstantExpr(size / sections, in[0][0].getContext());
  out.append(sections, dims);
  return success();
}

LogicalResult SliceOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                 SmallVectorImpl<Dims> &out,
                                 DiagnosticFn error) {
  int64_t axis = op.getAxis(), begin = op.getBegin(), size = op.getSize(),
          stride = op.getStride();
  if (!isInnerAxis(axis, in[0]))
    return error() << "(C1) axis " << axis << " is not in 1.."
                   << in[0].size() - 1;
  if (begin < 0 || size < 1 || stride < 1)
    return error() << "(C2) begin must be >= 0, size and stride positive";
  int64_t dim = getStaticDim(in[0][axis]);
  if (ShapedType::isDynamic(dim) || begin >= dim ||
      size - 1 > (dim - 1 - begin) / stride)
    return error() << "(C3) " << size << " elements from " << begin
                   << " with stride " << stride << " exceed the axis of "
                   << formatDim(dim);
  Dims dims = in[0];
  dims[axis] = getAffineConstantExpr(size, in[0][0].getContext());
  out.push_back(dims);
  return success();
}

LogicalResult CropOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                SmallVectorImpl<Dims> &out,
                                DiagnosticFn error) {
  if (in[0].size() != 4)
    return error() << "(C1) x must be [N, C, H, W], found rank "
                   << in[0].size();
  auto border = op.getBorder();
  if (!isBorder(border))
    return error() << "(C2) border must be four numbers >= 0, at most "
                   << kMaxNumber;
  Dims dims = {in[0][0], in[0][1], in[0][2] - (border[0] + border[2]),
               in[0][3] - (border[1] + border[3])};
  if (!isPositive(dims[2]) || !isPositive(dims[3]))
    return error() << "(C3) nothing is left of the image";
  out.push_back(dims);
  return success();
}

LogicalResult PadOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                               SmallVectorImpl<Dims> &out, DiagnosticFn error) {
  if (in[0].size() != 4)
    return error() << "(C1) x must be [N, C, H, W], found rank "
                   << in[0].size();
  auto padding = op.getPadding();
  if (!isBorder(padding))
    return error() << "(C2) padding must be four numbers >= 0, at most "
                   << kMaxNumber;
  out.push_back({in[0][0], in[0][1], in[0][2] + (padding[0] + padding[2]),
                 in[0][3] + (padding[1] + padding[3])});
  return success();
}

LogicalResult ReshapeOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                   SmallVectorImpl<Dims> &out,
                                   DiagnosticFn error) {
  MLIRContext *context = in[0][0].getContext();
  AffineExpr total =
      getNumElements(ArrayRef<AffineExpr>(in[0]).drop_front(), context);
  Dims dims = {in[0][0]};
  int64_t known = 1, unknownAxis = -1;
  for (auto [axis, size] : llvm::enumerate(op.getShape())) {
    if (size == -1 && unknownAxis < 0)
      unknownAxis = axis + 1;
    else if (size < 1)
      return error() << "(C1) shape takes positive numbers and at most one -1";
    else if (size > kMaxElements / known)
      return error() << "(G2) a tensor must have at most " << kMaxElements
                     << " elements";
    else
      known *= size;
    dims.push_back(getAffineConstantExpr(size, context));
  }
  int64_t count = getStaticDim(total);
  if (!ShapedType::isDynamic(count) &&
      (unknownAxis < 0 ? count != known : count % known != 0))
    return error() << "(C2) an example has " << count
                   << " elements, the new shape " << known
                   << (unknownAxis < 0 ? "" : " times a whole number");
  if (unknownAxis >= 0)
    dims[unknownAxis] = total.floorDiv(known);
  out.push_back(dims);
  return success();
}

LogicalResult TransposeOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                     SmallVectorImpl<Dims> &out,
                                     DiagnosticFn error) {
  auto permutation = op.getPermutation();
  SmallVector<bool> seen(in[0].size(), false);
  Dims dims;
  for (int64_t axis : permutation) {
    if (axis < 0 || axis >= static_cast<int64_t>(seen.size()) || seen[axis])
      return error() << "(C1) permutation must permute 0.." << seen.size() - 1;
    seen[axis] = true;
    dims.push_back(in[0][axis]);
  }
  if (dims.size() != seen.size())
    return error() << "(C1) permutation must permute 0.." << seen.size() - 1;
  if (permutation.front() != 0)
    return error() << "(C2) axis 0, the batch, must stay where it is";
  out.push_back(dims);
  return success();
}

//===----------------------------------------------------------------------===//
// What makes it a VAE
//===----------------------------------------------------------------------===//

LogicalResult KlOp::inferDims(Adaptor, ArrayRef<Dims> in,
                              SmallVectorImpl<Dims> &out, DiagnosticFn error) {
  SmallVector<Dims> same;
  if (failed(inferSame(in, same, error, 2)))
    return failure();
  out.push_back({in[0][0]});
  return success();
}
AffineExpr KlOp::getFlops(ArrayRef<Dims> in, ArrayRef<Dims>) {
  return elements(in[0]) * 6;
}

LogicalResult LogLikelihoodOp::inferDims(Adaptor, ArrayRef<Dims> in,
                                         SmallVectorImpl<Dims> &out,
                                         DiagnosticFn error) {
  SmallVector<Dims> same;
  if (failed(inferSame(in, same, error, in.size())))
    return failure();
  out.push_back({in[0][0]});
  return success();
}
AffineExpr LogLikelihoodOp::getFlops(ArrayRef<Dims> in, ArrayRef<Dims>) {
  return elements(in[0]) * 6;
}
