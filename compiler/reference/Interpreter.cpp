// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks functions, checks what the operations rely on and calls the evaluator
// of each.
#include "compiler/reference/Interpreter.h"

#include "compiler/reference/Evaluate.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/IR/VaeQuant.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/Threading.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace vae;
using namespace vae::reference;
using llvm::Error;
using llvm::Expected;

/// The largest tensor that the interpreter allocates.
static constexpr int64_t kMaxElements = int64_t(1) << 31;

//===----------------------------------------------------------------------===//
// Errors and shapes
//===----------------------------------------------------------------------===//

static Error makeError(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

/// "file:line:column: " of the innermost position, if there is one.
static std::string getPlace(Location loc) {
  std::string place;
  loc->walk([&](Location part) {
    auto file = dyn_cast<FileLineColLoc>(part);
    if (!file)
      return WalkResult::advance();
    llvm::raw_string_ostream(place)
        << file.getFilename().getValue() << ":" << file.getLine() << ":"
        << file.getColumn() << ": ";
    return WalkResult::interrupt();
  });
  return place;
}

Error reference::makeError(Operation *op, const llvm::Twine &message) {
  StringRef layer = getLayerName(op->getLoc());
  std::string name = layer.empty() ? "" : (" of layer '" + layer + "'").str();
  return ::makeError(getPlace(op->getLoc()) + "'" +
                     op->getName().getStringRef() + "'" + name + ": " +
                     message);
}

int64_t reference::countElements(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

static std::string format(ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << "[";
  llvm::interleaveComma(shape, stream);
  stream << "]";
  return text;
}

Error reference::checkShape(Operation *op, const Tensor *tensor, StringRef what,
                            ArrayRef<int64_t> shape) {
  if (!tensor || shape == ArrayRef<int64_t>(tensor->shape))
    return Error::success();
  return reference::makeError(op, what + " must be " + format(shape) +
                                      ", found " + format(tensor->shape));
}

/// Checks that a shape is one that a tensor can have, before it is allocated.
static Error checkSize(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t size : shape) {
    if (size < 1)
      return ::makeError("every dimension of a tensor must be known and "
                         "positive, found " +
                         format(shape));
    if (size > kMaxElements / count)
      return ::makeError(format(shape) + " is too large: a tensor may have " +
                         llvm::Twine(kMaxElements) + " elements");
    count *= size;
  }
  return Error::success();
}

/// Checks that values of a type can be the tensor.
static Error checkType(Type type, ArrayRef<int64_t> shape) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  std::string text;
  llvm::raw_string_ostream(text) << type;
  if (!tensor || !(tensor.getElementType().isF32() ||
                   tensor.getElementType().isF16() || getQuantizedType(tensor)))
    return ::makeError("expected an f32, f16 or quantized tensor, found " +
                       text);
  bool matches = tensor.getRank() == static_cast<int64_t>(shape.size());
  for (auto [declared, actual] : llvm::zip(tensor.getShape(), shape))
    matches &= ShapedType::isDynamic(declared) || declared == actual;
  if (!matches)
    return ::makeError("expected " + text + ", found " + format(shape));
  return checkSize(shape);
}

/// Rounds numbers that lie in memory as f16.
static void roundToF16(Tensor &tensor) {
  for (float &value : tensor.data)
    value = getFloatOfF16(vae::roundToF16(value));
}
static void storeAs(Type type, Tensor &tensor) {
  if (cast<RankedTensorType>(type).getElementType().isF16())
    roundToF16(tensor);
}

namespace {

/// Gathers what this thread reports to the context as errors.
class ErrorCollector {
public:
  explicit ErrorCollector(MLIRContext *context)
      : handler(context,
                [this, thread = llvm::get_threadid()](
                    Diagnostic &diagnostic) -> LogicalResult {
                  if (llvm::get_threadid() != thread)
                    return failure();
                  if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
                    text +=
                        getPlace(diagnostic.getLocation()) + diagnostic.str();
                  return success();
                }) {}

  Error take() { return ::makeError(text); }

private:
  std::string text;
  ScopedDiagnosticHandler handler;
};

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

class Interpreter {
public:
  Interpreter(ObserverFn observer, EvaluateFn evaluate)
      : observer(observer), evaluate(evaluate) {}

  Expected<std::vector<Tensor>> run(func::FuncOp function,
                                    std::vector<Tensor> inputs);

private:
  using Frame = llvm::DenseMap<Value, Tensor>;

  Error check(func::FuncOp function, ArrayRef<Tensor> inputs);
  Expected<std::vector<Tensor>> execute(Operation *op, const Frame &frame);
  Expected<std::vector<Tensor>> call(func::CallOp op,
                                     ArrayRef<const Tensor *> operands);

  ObserverFn observer;
  EvaluateFn evaluate;
  /// Functions that verify.
  llvm::DenseSet<Operation *> verified;
  /// Functions that are being executed.
  llvm::DenseSet<Operation *> active;
};

} // namespace

Error Interpreter::check(func::FuncOp function, ArrayRef<Tensor> inputs) {
  std::string name = ("function '" + function.getSymName() + "'").str();
  if (!verified.count(function)) {
    ErrorCollector errors(function.getContext());
    if (failed(verify(function)))
      return errors.take();
    verified.insert(function);
  }
  if (!llvm::hasSingleElement(function.getBody()))
    return ::makeError(name + " must have one block");
  if (inputs.size() != function.getNumArguments())
    return ::makeError(name + " takes " +
                       llvm::Twine(function.getNumArguments()) +
                       " inputs, found " + llvm::Twine(inputs.size()));
  for (auto [index, input] : llvm::enumerate(inputs)) {
    std::string what = "input " + std::to_string(index) + " of " + name + ": ";
    if (Error error =
            checkType(function.getArgument(index).getType(), input.shape))
      return ::makeError(what + toString(std::move(error)));
    if (countElements(input.shape) != static_cast<int64_t>(input.data.size()))
      return ::makeError(what + format(input.shape) + " does not describe " +
                         llvm::Twine(input.data.size()) + " elements");
  }
  return Error::success();
}

Expected<std::vector<Tensor>> Interpreter::run(func::FuncOp function,
                                               std::vector<Tensor> inputs) {
  if (Error error = check(function, inputs))
    return error;
  if (!active.insert(function).second)
    return ::makeError("function '" + function.getSymName() +
                       "' calls itself, which the interpreter does not allow");
  Frame frame;
  for (auto [argument, input] : llvm::zip(function.getArguments(), inputs)) {
    storeAs(argument.getType(), input);
    frame[argument] = std::move(input);
  }
  for (Operation &op : function.getBody().front().without_terminator()) {
    auto results = execute(&op, frame);
    if (!results)
      return results.takeError();
    for (auto [index, result] : llvm::enumerate(*results)) {
      if (Error error = checkType(op.getResult(index).getType(), result.shape))
        return reference::makeError(&op, "result " + llvm::Twine(index) + ": " +
                                             toString(std::move(error)));
      storeAs(op.getResult(index).getType(), result);
      if (observer)
        observer(&op, index, result);
      frame[op.getResult(index)] = std::move(result);
    }
  }
  active.erase(function);
  auto terminator =
      dyn_cast<func::ReturnOp>(function.getBody().front().getTerminator());
  if (!terminator)
    return reference::makeError(function.getBody().front().getTerminator(),
                                "a function must end with func.return");
  std::vector<Tensor> results;
  for (Value value : terminator.getOperands())
    results.push_back(frame.lookup(value));
  return results;
}

Expected<std::vector<Tensor>>
Interpreter::call(func::CallOp op, ArrayRef<const Tensor *> operands) {
  auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      op, op.getCalleeAttr());
  if (!callee)
    return reference::makeError(op, "no function '" + op.getCallee() + "'");
  std::vector<Tensor> inputs;
  for (const Tensor *operand : operands)
    inputs.push_back(*operand);
  auto results = run(callee, std::move(inputs));
  if (results && results->size() != op.getNumResults())
    return reference::makeError(op, "'" + op.getCallee() +
                                        "' gives another number of results");
  return results;
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

static Expected<std::vector<Tensor>> readConstant(ConstantOp op) {
  auto type = cast<RankedTensorType>(op.getType());
  if (Error error = checkType(type, type.getShape()))
    return reference::makeError(op, toString(std::move(error)));
  std::vector<float> storage;
  ArrayRef<float> values = getFloats(op.getValue(), storage);
  if (static_cast<int64_t>(values.size()) != type.getNumElements())
    return reference::makeError(op, "the weight has no data");
  std::vector<Tensor> results(1);
  results[0].shape.assign(type.getShape().begin(), type.getShape().end());
  results[0].data.assign(values.begin(), values.end());
  return results;
}

/// Results with the shapes that the operation infers from its operands.
static Expected<std::vector<Tensor>>
allocateResults(Operation *op, ArrayRef<const Tensor *> operands) {
  auto shaped = dyn_cast<SymbolicShapeOpInterface>(op);
  if (!shaped)
    return reference::makeError(op, "the interpreter does not know this "
                                    "operation");
  SmallVector<Dims> in, out;
  for (const Tensor *operand : operands) {
    Dims &dims = in.emplace_back();
    for (int64_t size : operand->shape)
      dims.push_back(getAffineConstantExpr(size, op->getContext()));
  }
  ErrorCollector errors(op->getContext());
  if (failed(shaped.inferSymbolicDims(in, out)))
    return errors.take();
  if (out.size() != op->getNumResults())
    return reference::makeError(op, "must have " + llvm::Twine(out.size()) +
                                        " results");
  std::vector<Tensor> results(out.size());
  for (auto [result, dims] : llvm::zip(results, out)) {
    for (AffineExpr dim : dims)
      result.shape.push_back(getStaticDim(dim));
    if (Error error = checkSize(result.shape))
      return reference::makeError(op, toString(std::move(error)));
    result.data.resize(countElements(result.shape));
  }
  return results;
}

static Error dispatch(Operation *op, const Operands &in, Results out) {
  return llvm::TypeSwitch<Operation *, Error>(op)
      .Case<DenseOp, Conv2dOp, ConvTranspose2dOp, BatchNormOp, GroupNormOp,
            LayerNormOp, ChannelAffineOp, ActivationOp, PreluOp, AddOp, SubOp,
            MulOp, SoftmaxOp, DropoutOp, UpsampleOp, Pool2dOp, GlobalPoolOp,
            ConcatOp, SplitOp, SliceOp, CropOp, PadOp, ReshapeOp, TransposeOp,
            ConvertLayoutOp, ReparameterizeOp, KlOp, LogLikelihoodOp, RmsNormOp,
            AttentionOp, LinearAttentionOp, NearestCodebookOp, EmbeddingOp,
            GluOp, ResizeOp, PixelShuffleOp, PixelUnshuffleOp, RepeatChannelsOp,
            MeanChannelsOp, Conv3dOp, FramesToBatchOp, BatchToFramesOp,
            ChannelsToFramesOp, FramesToChannelsOp>(
          [&](auto known) { return evaluate(known, in, out); })
      .Default([](Operation *unknown) {
        return reference::makeError(
            unknown, "the interpreter does not know this operation");
      });
}

Expected<std::vector<Tensor>>
reference::interpretOperation(Operation *op, ArrayRef<const Tensor *> operands,
                              EvaluateFn evaluate) {
  if (auto constant = dyn_cast<ConstantOp>(op))
    return readConstant(constant);
  SmallVector<const Tensor *> tensors(operands);
  Tensor weight;
  if (hasF16Weights(op) || isWeightOnlyLayer(op)) {
    const Tensor *&stored =
        tensors[cast<PrunableOpInterface>(op).getWeightIndex()];
    weight = *stored;
    if (isWeightOnlyLayer(op))
      weight.data =
          dequantizeWeight(weight.data, weight.shape, getWeightType(op));
    else
      ::roundToF16(weight);
    stored = &weight;
  }
  auto results = allocateResults(op, tensors);
  if (!results || (evaluate && evaluate(op, tensors, *results)))
    return results;
  if (Error error = dispatch(op, Operands(op, tensors), *results))
    return error;
  return results;
}

Expected<std::vector<Tensor>> Interpreter::execute(Operation *op,
                                                   const Frame &frame) {
  SmallVector<const Tensor *> tensors;
  for (Value operand : op->getOperands())
    tensors.push_back(&frame.find(operand)->second);
  if (auto callOp = dyn_cast<func::CallOp>(op))
    return call(callOp, tensors);
  return interpretOperation(op, tensors, evaluate);
}

Expected<std::vector<Tensor>> reference::interpret(func::FuncOp function,
                                                   ArrayRef<Tensor> inputs,
                                                   ObserverFn observer,
                                                   EvaluateFn evaluate) {
  if (!function)
    return ::makeError("no function");
  return Interpreter(observer, evaluate)
      .run(function, std::vector<Tensor>(inputs.begin(), inputs.end()));
}
