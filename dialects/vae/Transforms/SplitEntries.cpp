// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/IR/VaeQuant.h"
#include "dialects/vae/Transforms/Dims.h"
#include "dialects/vae/Transforms/Halos.h"
#include "dialects/vae/Transforms/Passes.h"
#include "dialects/vae/Transforms/Statistics.h"
#include "mlir/IR/IRMapping.h"

namespace vae {
#define GEN_PASS_DEF_SPLITENTRIESPASS
#include "dialects/vae/Transforms/Passes.h.inc"
} // namespace vae

using namespace mlir;
using namespace vae;

namespace {

/// A point of an entry point at which one tensor is all that later operations
/// read.
struct Point {
  Value value;
  Operation *after; // the last operation before it
  double size = 0;  // elements, for an image of one unit
  bool operator<(const Point &other) const {
    return after->isBeforeInBlock(other.after);
  }
};

/// Cuts one entry point.
class Splitter {
public:
  Splitter(func::FuncOp function, int64_t mostPoints)
      : function(function), block(function.front()), mostPoints(mostPoints),
        finder(function), last(function) {}

  /// The functions from each point to each later one, but the whole. Fails if
  /// the shapes of an operation cannot be inferred.
  LogicalResult run(SmallVectorImpl<func::FuncOp> &segments);

private:
  LogicalResult inferDims();
  SmallVector<Point> findPoints();
  SmallVector<Point> choosePoints();
  func::FuncOp makeSegment(const Point *begin, const Point *end,
                           ArrayRef<int64_t> place);

  func::FuncOp function;
  Block &block;
  int64_t mostPoints;
  HaloFinder finder;
  func::FuncOp last; // segment
  DenseMap<Value, Dims> dims;
};

} // namespace

LogicalResult Splitter::inferDims() {
  for (BlockArgument argument : block.getArguments())
    dims[argument] = getArgumentDims(function, argument.getArgNumber());
  for (Operation &op : block.without_terminator()) {
    if (failed(vae::inferDims(op, dims)))
      return failure();
  }
  return success();
}

/// Elements of a tensor whose axes follow two symbols or one, per unit of each;
/// 0 for others.
static double getSize(const Dims &dims, const Reach &reach) {
  double size = 1;
  bool any = false;
  for (auto [dim, axis] : llvm::zip(dims, reach)) {
    any |= axis.symbol != 0;
    if (axis.symbol)
      size *= static_cast<double>(axis.up) / static_cast<double>(axis.down);
    else if (int64_t fixed = getStaticDim(dim); !ShapedType::isDynamic(fixed))
      size *= static_cast<double>(fixed);
  }
  return any && isLinear(dims) ? size : 0;
}

/// All of them, in the order of execution.
SmallVector<Point> Splitter::findPoints() {
  SmallVector<Point> points;
  DenseMap<Operation *, SmallVector<Value>> dying;
  auto watch = [&](Value value) {
    Operation *last = nullptr;
    for (Operation *user : value.getUsers())
      if (!last || last->isBeforeInBlock(user))
        last = user;
    if (last)
      dying[last].push_back(value);
    return last != nullptr;
  };
  llvm::SmallPtrSet<Value, 8> live;
  for (BlockArgument argument : block.getArguments())
    if (watch(argument))
      live.insert(argument);
  for (Operation &op : block.without_terminator()) {
    if (isa<ConstantOp>(op))
      continue;
    for (Value result : op.getResults())
      if (watch(result))
        live.insert(result);
    for (Value value : dying.lookup(&op))
      live.erase(value);
    if (live.size() != 1)
      continue;
    Value value = *live.begin();
    // What is returned is no place to go on from.
    if (llvm::is_contained(block.getTerminator()->getOperands(), value))
      continue;
    double size = getSize(dims.lookup(value), finder.getReach(value));
    // Programs pass floats from one to the other.
    if (size > 0 && !getQuantizedType(value))
      points.push_back({value, &op, size});
  }
  return points;
}

/// Where the resolution changes, on the smaller side; of too many the smallest.
SmallVector<Point> Splitter::choosePoints() {
  auto rate = [&](const Point &point) {
    double rate = 1;
    for (const AxisReach &axis : finder.getReach(point.value))
      rate *= static_cast<double>(axis.up) / static_cast<double>(axis.down);
    return rate;
  };
  SmallVector<Point> points = findPoints(), chosen;
  for (size_t i = 0; i + 1 < points.size(); ++i) {
    if (rate(points[i]) == rate(points[i + 1]))
      continue;
    const Point &point =
        points[i + 1].size < points[i].size ? points[i + 1] : points[i];
    if (chosen.empty() || chosen.back().after != point.after)
      chosen.push_back(point);
  }
  llvm::sort(chosen, [](const Point &a, const Point &b) {
    return a.size != b.size ? a.size < b.size : a < b;
  });
  if (static_cast<int64_t>(chosen.size()) > mostPoints)
    chosen.truncate(mostPoints);
  llvm::sort(chosen);
  return chosen;
}

func::FuncOp Splitter::makeSegment(const Point *begin, const Point *end,
                                   ArrayRef<int64_t> place) {
  OpBuilder builder(function);
  MLIRContext *context = function.getContext();
  auto describe = [&](Value value) {
    auto type = cast<RankedTensorType>(value.getType());
    return builder.getDictionaryAttr(
        {builder.getNamedAttr(kNameAttr, builder.getStringAttr("part")),
         builder.getNamedAttr(kRoleAttr, builder.getStringAttr("layer")),
         builder.getNamedAttr(
             kLayoutAttr,
             builder.getStringAttr(getLogicalLayout(type.getRank()))),
         builder.getNamedAttr(kDimsAttr, AffineMapAttr::get(AffineMap::get(
                                             0, finder.getHalos().size(),
                                             dims.lookup(value), context)))});
  };
  SmallVector<Value> inputs, outputs;
  SmallVector<Attribute> inputAttrs, outputAttrs;
  if (begin) {
    inputs.push_back(begin->value);
    inputAttrs.push_back(describe(begin->value));
  } else {
    for (BlockArgument argument : block.getArguments()) {
      inputs.push_back(argument);
      inputAttrs.push_back(function.getArgAttrDict(argument.getArgNumber()));
    }
  }
  Operation *terminator = block.getTerminator();
  if (end) {
    outputs.push_back(end->value);
    outputAttrs.push_back(describe(end->value));
  } else {
    for (auto [i, value] : llvm::enumerate(terminator->getOperands())) {
      outputs.push_back(value);
      outputAttrs.push_back(function.getResultAttrDict(i));
    }
  }
  auto attrOrEmpty = [&](Attribute &attr) {
    if (!attr)
      attr = builder.getDictionaryAttr({});
  };
  llvm::for_each(inputAttrs, attrOrEmpty);
  llvm::for_each(outputAttrs, attrOrEmpty);

  builder.setInsertionPointAfter(last);
  std::string name =
      (function.getName() + "." + Twine(place[0]) + "." + Twine(place[1]))
          .str();
  auto segment = func::FuncOp::create(
      builder, function.getLoc(), name,
      builder.getFunctionType(ValueRange(inputs).getTypes(),
                              ValueRange(outputs).getTypes()));
  segment.setArgAttrsAttr(builder.getArrayAttr(inputAttrs));
  segment.setResAttrsAttr(builder.getArrayAttr(outputAttrs));
  segment->setAttr(kEntryAttr, builder.getUnitAttr());
  segment->setAttr(
      kSegmentAttr,
      builder.getDictionaryAttr(
          {builder.getNamedAttr("entry", function.getSymNameAttr()),
           builder.getNamedAttr("place",
                                builder.getDenseI64ArrayAttr(place))}));
  last = segment;
  Block *body = segment.addEntryBlock();
  builder.setInsertionPointToStart(body);
  IRMapping mapping;
  mapping.map(inputs, body->getArguments());
  for (Operation &op : block.without_terminator()) {
    bool earlier = begin && !begin->after->isBeforeInBlock(&op);
    bool later = end && end->after->isBeforeInBlock(&op);
    // Weights wherever they stand; what nothing reads goes again.
    if (isa<ConstantOp>(op) || (!earlier && !later))
      builder.clone(op, mapping);
  }
  SmallVector<Value> results;
  for (Value value : outputs)
    results.push_back(mapping.lookup(value));
  func::ReturnOp::create(builder, function.getLoc(), results);
  for (Operation &op : llvm::make_early_inc_range(*body))
    if (isa<ConstantOp>(op) && op.use_empty())
      op.erase();
  return segment;
}

LogicalResult Splitter::run(SmallVectorImpl<func::FuncOp> &segments) {
  if (!finder.follow() || finder.run())
    return success();
  if (failed(inferDims()))
    return failure();
  SmallVector<Point> points = choosePoints();
  int64_t count = static_cast<int64_t>(points.size()) + 2;
  if (count < 3)
    return success();
  for (int64_t begin = 0; begin < count; ++begin)
    for (int64_t end = begin + 1; end < count; ++end)
      if (begin > 0 || end + 1 < count)
        segments.push_back(makeSegment(
            begin > 0 ? &points[begin - 1] : nullptr,
            end + 1 < count ? &points[end - 1] : nullptr, {begin, end, count}));
  return success();
}

namespace {

struct SplitEntriesPass : vae::impl::SplitEntriesPassBase<SplitEntriesPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<func::FuncOp> entries;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function->hasAttr(kEntryAttr) && !function.isDeclaration())
        entries.push_back(function);
    for (func::FuncOp entry : entries) {
      SmallVector<func::FuncOp> segments;
      if (failed(Splitter(entry, mostPoints).run(segments)))
        return signalPassFailure();
      for (func::FuncOp segment : segments)
        countEvent(*this, numSegments, "segments", segment);
    }
  }
};

} // namespace
