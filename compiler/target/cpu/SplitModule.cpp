// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/target/cpu/SplitModule.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/Support/Threading.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Transforms/Utils/Cloning.h"

#include <atomic>
#include <thread>

using namespace llvm;
using namespace vae;

/// Instructions that are worth a part of their own: some 20 ms of work, many
/// times what a part costs by itself.
static constexpr size_t kMinPartSize = 1500;
static constexpr size_t kMaxParts = 32;

/// Functions that may move: internal ones, which only have their address taken
/// once kernels are inlined (KernelToLLVM.cpp calls them tasks).
static bool isMovable(const Function &function) {
  return !function.isDeclaration() && function.hasLocalLinkage();
}

static std::string writeBitcode(const Module &module) {
  std::string bitcode;
  raw_string_ostream out(bitcode);
  WriteBitcodeToFile(module, out);
  return bitcode;
}

std::vector<std::string> vae::splitModule(std::unique_ptr<Module> module) {
  std::vector<std::pair<size_t, Function *>> functions; // with their size
  size_t total = 0, fixed = 0;
  for (Function &function : *module) {
    size_t size = function.getInstructionCount();
    total += size;
    if (isMovable(function))
      functions.push_back({size, &function});
    else
      fixed += size;
  }
  size_t count = std::clamp<size_t>(total / kMinPartSize, 1, kMaxParts);
  if (count == 1)
    return {writeBitcode(*module)};

  // The largest first, each to the part with the least; ties go by order.
  sort(functions, [](auto &a, auto &b) {
    return a.first != b.first ? a.first > b.first
                              : a.second->getName() < b.second->getName();
  });
  std::vector<size_t> load(count);
  load[0] = fixed;
  DenseMap<const GlobalValue *, size_t> partOf;
  for (auto [size, function] : functions) {
    size_t part = min_element(load) - load.begin();
    load[part] += size + 1;
    partOf[function] = part;
    function->setLinkage(GlobalValue::ExternalLinkage);
    function->setVisibility(GlobalValue::HiddenVisibility);
    function->setDSOLocal(true);
  }
  std::vector<std::string> parts;
  for (size_t part = 0; part < count; ++part) {
    ValueToValueMapTy map;
    auto clone = CloneModule(*module, map, [&](const GlobalValue *value) {
      if (isa<Function>(value))
        return partOf.lookup(value) == part; // 0 for those that do not move
      return value->hasLocalLinkage() || part == 0;
    });
    if (part)
      clone->setModuleInlineAsm("");
    parts.push_back(writeBitcode(*clone));
  }
  return parts;
}

void vae::parallelFor(size_t count, function_ref<void(size_t)> body) {
  std::atomic<size_t> next{0};
  auto work = [&] {
    for (size_t i; (i = next++) < count;)
      body(i);
  };
  size_t threads =
      std::min<size_t>(count, hardware_concurrency().compute_thread_count());
  std::vector<std::thread> helpers;
  for (size_t i = 1; i < threads; ++i)
    helpers.emplace_back(work);
  work();
  for (std::thread &helper : helpers)
    helper.join();
}
