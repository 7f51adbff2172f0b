// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tiles of AMX: eight registers of 16 rows of 64 bytes. They are named by
// number, so that none is ever spilled.
#include "compiler/conversion/kernels/Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace vae;

static void call(Emitter &e, const Twine &name, ValueRange operands) {
  LLVM::CallIntrinsicOp::create(
      e.b, e.loc, e.b.getStringAttr("llvm.x86." + name), operands);
}

/// The number of a tile, which is part of an instruction.
static Value getNumber(Emitter &e, int64_t tile) {
  return LLVM::ConstantOp::create(e.b, e.loc, e.b.getI8Type(), tile);
}

static Value toI64(Emitter &e, Value index) {
  return arith::IndexCastOp::create(e.b, e.loc, e.b.getI64Type(), index);
}

Value Emitter::address(Value buffer, Value at) {
  Type element = cast<MemRefType>(buffer.getType()).getElementType();
  int64_t bytes = element.getIntOrFloatBitWidth() / 8;
  Value first = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, buffer);
  return LLVM::IntToPtrOp::create(b, loc,
                                  LLVM::LLVMPointerType::get(b.getContext()),
                                  toI64(*this, add(first, mul(at, bytes))));
}

void Emitter::configureTiles(Value table) {
  // Palette 1; then bytes of a row (u16) and rows (u8) of each tile.
  constexpr size_t kRowBytes = 16, kRows = 48;
  std::array<int8_t, kAmxBytes> bytes = {1};
  for (size_t tile = 0; tile < kAmxTiles; ++tile) {
    bytes[kRowBytes + 2 * tile] = kAmxBytes;
    bytes[kRows + tile] = kAmxRows;
  }
  auto type = VectorType::get({kAmxBytes}, b.getI8Type());
  Value value = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(type, ArrayRef<int8_t>(bytes)));
  auto words = VectorType::get({kAmxBytes / 4}, b.getI32Type());
  vector::StoreOp::create(
      b, loc, vector::BitCastOp::create(b, loc, words, value), table, index(0));
  call(*this, "ldtilecfg", address(table, index(0)));
}

void Emitter::releaseTiles() { call(*this, "tilerelease", {}); }

void Emitter::zeroTile(int64_t tile) {
  call(*this, "tilezero", getNumber(*this, tile));
}

void Emitter::loadTile(int64_t tile, const TileRows &rows) {
  call(*this, "tileloadd64",
       {getNumber(*this, tile), rows.address, toI64(*this, rows.bytes)});
}

void Emitter::storeTile(int64_t tile, const TileRows &rows) {
  call(*this, "tilestored64",
       {getNumber(*this, tile), rows.address, toI64(*this, rows.bytes)});
}

void Emitter::addTileDots(int64_t sums, int64_t a, int64_t b, bool bytes) {
  call(*this, bytes ? "tdpbusd" : "tdpbf16ps",
       {getNumber(*this, sums), getNumber(*this, a), getNumber(*this, b)});
}
