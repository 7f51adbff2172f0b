// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The weights of a model: named tensors in mapped files, and the constants
// made of them. Shared by all importers.
#ifndef COMPILER_IMPORT_WEIGHTS_H
#define COMPILER_IMPORT_WEIGHTS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace vae {

/// No tensor has more elements, no dimension is larger: enough for any model,
/// and products and sums of sizes stay far from overflow.
inline constexpr int64_t kMaxElements = int64_t(1) << 40;
inline constexpr int64_t kMaxDim = (int64_t(1) << 31) - 1;

/// "[64, 128]".
std::string formatShape(llvm::ArrayRef<int64_t> shape);

/// A tensor in a file. `data` lies in `file`, which the tensor keeps alive.
struct WeightTensor {
  std::string name;
  std::string fileName;
  /// As safetensors spells it: F32, F16, BF16, I64, ...
  std::string dtype;
  llvm::SmallVector<int64_t, 4> shape;
  llvm::ArrayRef<char> data;
  std::shared_ptr<llvm::MemoryBuffer> file;
};

/// How a constant is made of a tensor: its axes permuted (empty: as they are),
/// then read as `shape`, which has as many elements.
struct WeightView {
  llvm::SmallVector<int64_t, 4> permutation;
  llvm::SmallVector<int64_t, 4> shape;
};

/// Calls `visit` with the place in a tensor of each element of its view with
/// permuted axes (empty: as they are), in the view's order.
template <typename VisitTy>
void visitPermuted(llvm::ArrayRef<int64_t> shape,
                   llvm::ArrayRef<int64_t> permutation, VisitTy visit) {
  size_t rank = shape.size();
  llvm::SmallVector<int64_t, 4> strides(rank, 1), dims, steps, index(rank, 0);
  int64_t count = rank ? shape[0] : 1;
  for (size_t axis = rank; axis-- > 1;) {
    strides[axis - 1] = strides[axis] * shape[axis];
    count *= shape[axis];
  }
  for (size_t axis = 0; axis < rank; ++axis) {
    size_t from = permutation.empty() ? axis : permutation[axis];
    dims.push_back(shape[from]);
    steps.push_back(strides[from]);
  }
  int64_t offset = 0;
  for (int64_t i = 0; i < count; ++i) {
    visit(offset);
    for (size_t axis = rank; axis-- > 0;) {
      offset += steps[axis];
      if (++index[axis] < dims[axis])
        break;
      offset -= steps[axis] * dims[axis];
      index[axis] = 0;
    }
  }
}

/// All tensors of a model. Errors are texts without a position; whoever knows
/// the position adds it.
class WeightStore {
public:
  /// Accept NaN and infinity.
  bool allowNonfinite = false;

  /// Maps a *.safetensors file, or the shards named by a
  /// *.safetensors.index.json file. Only headers are read.
  llvm::Error addFile(llvm::StringRef path);

  /// Adds a tensor of another kind of file.
  llvm::Error addTensor(WeightTensor tensor);

  /// The tensor of that name; null if there is none.
  const WeightTensor *find(llvm::StringRef name) const;

  /// "; did you mean 'x'?" with the most similar name, or nothing.
  std::string suggest(llvm::StringRef name) const;

  /// The value of a tensor with one element, which the importer makes part of
  /// the model itself.
  llvm::Expected<float> readScalar(llvm::StringRef name);

  /// Paths of the files.
  const std::vector<std::string> &getPaths() const { return paths; }
  /// Says that tensors were added of a file of another kind.
  void addPath(llvm::StringRef path) { paths.push_back(path.str()); }

  /// The tensors that constants were made of, in the order of first use.
  const std::vector<const WeightTensor *> &getUsed() const { return used; }
  /// How a constant was made of a tensor of that shape.
  struct Use {
    llvm::SmallVector<int64_t, 4> shape;
    WeightView view;
  };
  /// By the tensor's name, each use once.
  using Views = std::map<std::string, std::vector<Use>>;
  const Views &getViews() const { return views; }
  /// Names of the others, sorted.
  std::vector<std::string> getUnused() const;

  /// "not in 'a', 'b'", for messages about a tensor that is missing.
  std::string describeFiles() const;

  /// A constant of f32. It aliases the mapped file if that holds exactly these
  /// values, otherwise it is a converted copy. Asking twice gives the same
  /// attribute. Fails for other element types and for NaN and infinity.
  llvm::Expected<mlir::ElementsAttr> getConstant(const WeightTensor &tensor,
                                                 const WeightView &view,
                                                 mlir::MLIRContext *context);

private:
  llvm::Error addSafetensors(llvm::StringRef path);
  llvm::Error addIndex(llvm::StringRef path);
  llvm::Error checkFinite(const WeightTensor &tensor);

  llvm::StringMap<std::unique_ptr<WeightTensor>> tensors;
  std::vector<std::string> paths;
  std::map<std::pair<const WeightTensor *, std::string>, mlir::ElementsAttr>
      constants;
  Views views;
  llvm::DenseSet<const WeightTensor *> finite;
  llvm::DenseSet<const llvm::MemoryBuffer *> files; // that the context knows
  std::vector<const WeightTensor *> used;
  llvm::DenseSet<const WeightTensor *> scalars; // that were read
};

/// The tensors of a safetensors file; every claim of its header is checked.
llvm::Expected<std::vector<WeightTensor>> readSafetensors(llvm::StringRef path);
/// The same for bytes in memory, of a file that messages call `path`.
llvm::Expected<std::vector<WeightTensor>>
readSafetensors(llvm::StringRef path, std::unique_ptr<llvm::MemoryBuffer> file);

/// Writes the tensors, whose names differ, as a safetensors file.
void writeSafetensors(llvm::ArrayRef<const WeightTensor *> tensors,
                      llvm::raw_ostream &out);

} // namespace vae

#endif // COMPILER_IMPORT_WEIGHTS_H
