// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/kernels/AttentionItems.h"

using namespace mlir;
using namespace vae;

void AttentionItems::locate(Value item) {
  Value blocks = e.ceilDiv(numQueries, most());
  head = e.div(item, blocks);
  Value block = e.sub(item, e.mul(head, blocks));
  Value example = e.div(head, shape.heads);
  Value inExample = e.rem(head, shape.heads);
  firstQuery = e.mul(block, most());
  lastQuery = e.min(e.add(firstQuery, most()), numQueries);
  queries = e.add(e.mul(e.mul(example, numQueries), queryStride()),
                  e.mul(inExample, shape.width));
  results = e.add(e.mul(e.mul(example, numQueries), valueStride()),
                  e.mul(inExample, shape.valueWidth));
  values = e.add(e.mul(e.mul(example, numKeys), valueStride()),
                 e.mul(inExample, shape.valueWidth));
}

void AttentionItems::overTiles(
    function_ref<void(Value first, int64_t count)> body) const {
  SmallVector<int64_t> sizes = {tile.positions};
  for (int64_t size : {8, 4, 2, 1})
    if (size < tile.positions)
      sizes.push_back(size);
  Value first = firstQuery;
  for (int64_t size : sizes) {
    Value whole = e.mul(e.div(e.sub(lastQuery, first), size), size);
    Value end = e.add(first, whole);
    e.loop(first, end, size, [&](Value query) { body(query, size); });
    first = end;
  }
}

Tile vae::getAttentionTile(KernelTarget target) {
  target.tile.reset();
  Contraction product;
  product.flat = true;
  product.inputs = product.outputs = kKeyBlock;
  return chooseTile(target, product);
}

int64_t vae::getAttentionQueries(const KernelTarget &target) {
  return kTilesPerItem * getAttentionTile(target).positions;
}
