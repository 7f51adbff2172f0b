// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which tiles are chosen for which machine.
#include "compiler/conversion/kernels/Kernels.h"

#include "gtest/gtest.h"

using namespace vae;

namespace {

constexpr int64_t kWidths[] = {4, 8, 16};

Contraction makeConv(int64_t inputs, int64_t outputs, int64_t kernel = 3) {
  Contraction shape;
  shape.inputs = inputs;
  shape.outputs = outputs;
  shape.window[0] = shape.window[1] = kernel;
  return shape;
}

Contraction makeDense(int64_t inputs, int64_t outputs) {
  Contraction shape = makeConv(inputs, outputs, 1);
  shape.flat = true;
  return shape;
}

void expectTile(Tile tile, int64_t positions, int64_t vectors) {
  EXPECT_EQ(tile.positions, positions);
  EXPECT_EQ(tile.vectors, vectors);
}

TEST(Tiling, FillsTheRegisters) {
  Contraction wide = makeConv(64, 64);
  expectTile(chooseTile(KernelTarget::withWidth(8), wide), 6, 2);
  expectTile(chooseTile(KernelTarget::withWidth(16), wide), 6, 4);
  expectTile(chooseTile(KernelTarget::withWidth(4), wide), 6, 4);
  // Fewer channels leave room for more positions.
  expectTile(chooseTile(KernelTarget::withWidth(8), makeConv(64, 8)), 12, 1);
  expectTile(chooseTile(KernelTarget::withWidth(16), makeConv(64, 17)), 8, 2);
}

TEST(Tiling, NeverExceedsTheRegisters) {
  for (int64_t width : kWidths)
    for (int64_t registers : {16, 32})
      for (int64_t outputs = 1; outputs < 100; ++outputs) {
        KernelTarget target = KernelTarget::withWidth(width);
        target.vectorRegisters = registers;
        Contraction shape = makeConv(5, outputs);
        Tile tile = chooseTile(target, shape);
        if (shape.dotProducts())
          EXPECT_LE(tile.positions * outputs + outputs + 1, registers);
        else
          EXPECT_LE(getRegisters(tile), registers);
        EXPECT_GE(tile.positions, 1);
        // Several tiles of channels begin at whole blocks.
        if (vectorsFor(target, outputs) > tile.vectors)
          EXPECT_EQ(tile.vectors * width % kChannelBlock, 0);
      }
}

TEST(Tiling, WeightsOfBf16TakeTwoRegisters) {
  Contraction shape = makeDense(64, 400);
  shape.precision = Precision::BF16;
  expectTile(chooseTile(KernelTarget::withWidth(8), shape), 5, 2);
  KernelTarget target = KernelTarget::withWidth(16);
  expectTile(chooseTile(target, shape), 5, 4);
  target.bf16Dot = true; // as they are
  expectTile(chooseTile(target, shape), 6, 4);
}

TEST(Tiling, BandsOfChannelsShareRoundedInputs) {
  KernelTarget target = KernelTarget::withWidth(16);
  target.bf16Dot = true;
  Contraction shape = makeDense(784, 400);
  EXPECT_FALSE(sharesRounded(target, shape));
  shape.precision = Precision::BF16;
  EXPECT_TRUE(sharesRounded(target, shape));
  Tile tile = chooseTile(target, shape);
  // Of 7 tiles of 98 KiB, 5 would fit half of the cache: 4 and 3 do.
  EXPECT_EQ(chooseChannelTiles(target, shape, tile), 4);
  EXPECT_EQ(chooseChannelTiles(target, shape, chooseRowTile(target, shape)), 1);
}

TEST(Tiling, DotProductsHaveOneSumPerOutput) {
  KernelTarget target;
  for (auto [outputs, positions] :
       {std::pair(1, 8), std::pair(2, 6), std::pair(3, 4)}) {
    ASSERT_TRUE(makeConv(64, outputs).dotProducts());
    EXPECT_EQ(chooseTile(target, makeConv(64, outputs)).positions, positions);
  }
}

TEST(Tiling, ASinglePositionHasManyChannels) {
  KernelTarget target;
  EXPECT_EQ(chooseRowTile(target, makeDense(64, 400)).vectors, 8);
  EXPECT_EQ(chooseRowTile(target, makeDense(64, 20)).vectors, 4);
  EXPECT_EQ(
      chooseRowTile(KernelTarget::withWidth(16), makeDense(64, 400)).vectors,
      4);
  EXPECT_EQ(
      chooseRowTile(KernelTarget::withWidth(4), makeDense(64, 400)).vectors, 8);
  EXPECT_TRUE(hasRowTile(target, makeDense(64, 400)));
  EXPECT_TRUE(hasRowTile(target, makeDense(64, 16)));
  EXPECT_FALSE(hasRowTile(target, makeConv(64, 400)));
}

TEST(Tiling, FollowsTheCaches) {
  KernelTarget target;
  EXPECT_EQ(getMostPixelsOfSmallImage(target), 512);
  EXPECT_EQ(getFlatItemElements(target), 1024);
  target.l1Bytes *= 2;
  target.l2Bytes *= 2;
  EXPECT_EQ(getMostPixelsOfSmallImage(target), 1024);
  EXPECT_EQ(getFlatItemElements(target), 2048);
}

TEST(Tiling, TheUsersTileIsTaken) {
  KernelTarget target;
  target.tile = Tile{/*vectors=*/3, /*positions=*/2};
  expectTile(chooseTile(target, makeConv(64, 64)), 2, 3);
  expectTile(chooseTile(target, makeConv(64, 8)), 2, 1);
  expectTile(chooseTile(target, makeConv(64, 1)), 2, 1);
  target.tile = Tile{1, 12};
  expectTile(chooseTile(target, makeConv(64, 3)), 4, 1); // all that fit
}

std::string getMessage(const KernelTarget &target) {
  return llvm::toString(checkTile(target));
}

TEST(Tiling, RefusesTilesThatDoNotFit) {
  KernelTarget target;
  EXPECT_EQ(getMessage(target), "");
  target.tile = Tile{2, 6};
  EXPECT_EQ(getMessage(target), "");
  target.tile = Tile{2, 7};
  EXPECT_EQ(getMessage(target),
            "a tile of 7x2 takes 18 vector registers (14 sums, 2 weights, 2 "
            "inputs), the target has 16; the largest that fit are 13x1, 6x2, "
            "3x3, 2x4");
  target.vectorRegisters = 32;
  EXPECT_EQ(getMessage(target), "");
  target.tile = Tile{0, 7};
  EXPECT_EQ(getMessage(target),
            "a tile of 7x0 is empty; both numbers must be at least 1");
}

void expectPanels(const WinogradPanels &panels, int64_t width, int64_t wide,
                  bool narrow) {
  EXPECT_EQ(panels.width, width);
  EXPECT_EQ(panels.wide, wide);
  EXPECT_EQ(panels.narrow, narrow);
}

TEST(Tiling, EndsWinogradsOutputsWithABlock) {
  auto panels = [](int64_t vectorWidth, int64_t outputs) {
    return WinogradPanels::of(KernelTarget::withWidth(vectorWidth), outputs);
  };
  expectPanels(panels(16, 16), 16, 1, false);
  expectPanels(panels(16, 17), 32, 1, false);
  expectPanels(panels(16, 32), 32, 1, false);
  expectPanels(panels(16, 33), 32, 1, true);
  expectPanels(panels(16, 48), 32, 1, true);
  expectPanels(panels(16, 49), 32, 2, false);
  expectPanels(panels(8, 33), 16, 3, false);
  EXPECT_EQ(panels(16, 33).blocks(), 3);
  EXPECT_EQ(panels(16, 49).blocks(), 4);
}

} // namespace
