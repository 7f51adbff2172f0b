// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How attention is cut into work items and register tiles.
#ifndef COMPILER_CONVERSION_KERNELS_ATTENTIONITEMS_H
#define COMPILER_CONVERSION_KERNELS_ATTENTIONITEMS_H

#include "compiler/conversion/kernels/Kernels.h"

namespace vae {

/// Register tiles of queries in a work item. They use a block of keys and of
/// values after each other, while it is in the cache.
inline constexpr int64_t kTilesPerItem = 8;

/// The register tile of both products: always the chosen one, whose vectors
/// make whole blocks of packed keys.
Tile getAttentionTile(KernelTarget target);

/// Queries of a head that are one work item.
struct AttentionItems {
  using Value = mlir::Value;

  AttentionItems(Emitter &e, const Attention &shape, Tile tile,
                 mlir::ValueRange sizes)
      : e(e), shape(shape), tile(tile), numQueries(sizes[1]),
        numKeys(sizes[2]) {}

  int64_t most() const { return kTilesPerItem * tile.positions; }
  int64_t queryStride() const { return shape.heads * shape.width; }
  int64_t valueStride() const { return shape.heads * shape.valueWidth; }

  /// Where an item's queries, values and results begin.
  void locate(Value item);
  /// The item's queries in whole register tiles, then halves for the rest.
  void
  overTiles(llvm::function_ref<void(Value first, int64_t count)> body) const;

  Emitter &e;
  const Attention &shape;
  const Tile tile;
  const Value numQueries, numKeys; // of an example
  // Of the item.
  Value head; // of all examples' heads
  Value firstQuery, lastQuery, queries, values, results;
};

} // namespace vae

#endif // COMPILER_CONVERSION_KERNELS_ATTENTIONITEMS_H
