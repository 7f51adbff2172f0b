// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/target/cpu/Codegen.h"
#include "compiler/target/cpu/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace vae {
#define GEN_PASS_DEF_EMITMACHINECODEPASS
#include "compiler/target/cpu/Passes.h.inc"
} // namespace vae

using namespace vae;

namespace {
struct EmitMachineCodePass
    : vae::impl::EmitMachineCodePassBase<EmitMachineCodePass> {
  using Base::Base;
  void runOnOperation() override {
    if (llvm::Error error = emit()) {
      getOperation().emitError() << llvm::toString(std::move(error));
      signalPassFailure();
    }
  }

private:
  llvm::Error emit() {
    auto machine = features.empty() ? resolveCpu(cpu, triple)
                                    : describeCpu(triple, cpu, features);
    if (!machine)
      return machine.takeError();
    CodeGenerator generator(*machine, optLevel);
    std::vector<CodeGenerator::Object> objects;
    if (llvm::Error error = generator.translate(getOperation()))
      return error;
    return generator.emitObjects(objects);
  }
};
} // namespace

std::unique_ptr<mlir::Pass> vae::createEmitMachineCodePass(const Cpu &cpu,
                                                           unsigned optLevel) {
  EmitMachineCodePassOptions options;
  options.triple = cpu.triple;
  options.cpu = cpu.name;
  options.features = cpu.features;
  options.optLevel = optLevel;
  return createEmitMachineCodePass(options);
}
