// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/target/cpu/Codegen.h"

#include "compiler/conversion/Conversion.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "runtime/include/vae/vae_abi.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"

using namespace llvm;
using namespace vae;

static Expected<std::unique_ptr<TargetMachine>>
createMachine(const Cpu &cpu, unsigned optLevel) {
  std::string error;
  Triple triple(cpu.triple);
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return createStringError("no code generator for " + cpu.triple + ": " +
                             error);
  auto level = optLevel == 0   ? CodeGenOptLevel::Less
               : optLevel == 1 ? CodeGenOptLevel::Default
                               : CodeGenOptLevel::Aggressive;
  return std::unique_ptr<TargetMachine>(target->createTargetMachine(
      triple, cpu.name, cpu.features, TargetOptions(), Reloc::PIC_,
      std::nullopt, level));
}

static void optimize(Module &module, TargetMachine &machine,
                     unsigned optLevel) {
  PassBuilder builder(&machine);
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager graph;
  ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graph, modules);
  auto level = optLevel == 0   ? OptimizationLevel::O1
               : optLevel == 1 ? OptimizationLevel::O2
                               : OptimizationLevel::O3;
  builder.buildPerModuleDefaultPipeline(level).run(module, modules);
}

/// Everything that no other library may see becomes internal.
static void setAttributes(Module &module, const Cpu &cpu) {
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    if (function.getName() != VAE_MODEL_QUERY_SYMBOL)
      function.setLinkage(GlobalValue::InternalLinkage);
    function.addFnAttr("target-cpu", cpu.name);
    function.addFnAttr("target-features", cpu.features);
    // No calls of memcpy, memset or libm from loops that look like them: the
    // library needs no other.
    function.addFnAttr("no-builtins");
    function.addFnAttr(Attribute::NoUnwind);
    if (cpu.kernels.vectorWidth == 16)
      function.addFnAttr("prefer-vector-width", "512");
  }
}

/// Weights and note: bytes that the assembler takes from elsewhere.
static void addSections(Module &module, StringRef weightsFile, StringRef note) {
  std::string text;
  raw_string_ostream out(text);
  out << ".section .rodata.vae_weights,\"a\",%progbits\n.balign 4096\n"
      << ".hidden " << kWeightsSymbol << "\n.globl " << kWeightsSymbol << "\n"
      << kWeightsSymbol << ":\n.incbin \"";
  printEscapedString(weightsFile, out);
  StringRef owner = VAE_NOTE_OWNER;
  out << "\"\n.section .note.vae,\"a\",%note\n.balign 4\n.long "
      << owner.size() + 1 << "\n.long " << note.size() << "\n.long "
      << VAE_NOTE_TYPE << "\n.asciz \"" << owner << "\"\n.balign 4\n.ascii \"";
  // The assembler knows \" and \\ and three-digit octal.
  for (unsigned char c : note) {
    if (c == '"' || c == '\\')
      out << '\\' << c;
    else if (c < 0x20 || c >= 0x7f)
      out << formatv("\\{0}{1}{2}", c >> 6, (c >> 3) & 7, c & 7);
    else
      out << c;
  }
  out << "\"\n.balign 4\n.text\n";
  module.appendModuleInlineAsm(text);
}

Expected<std::unique_ptr<Module>>
vae::translateToLLVM(mlir::ModuleOp source, const Cpu &cpu, unsigned optLevel,
                     StringRef weightsFile, LLVMContext &context) {
  mlir::registerBuiltinDialectTranslation(*source.getContext());
  mlir::registerLLVMDialectTranslation(*source.getContext());
  std::unique_ptr<Module> module =
      mlir::translateModuleToLLVMIR(source, context, "model");
  if (!module)
    return createStringError("translation to LLVM IR failed");
  auto machine = createMachine(cpu, optLevel);
  if (!machine)
    return machine.takeError();
  module->setTargetTriple(Triple(cpu.triple));
  module->setDataLayout((*machine)->createDataLayout());
  if (GlobalVariable *weights = module->getNamedGlobal(kWeightsSymbol)) {
    weights->setVisibility(GlobalValue::HiddenVisibility);
    weights->setAlignment(Align(4096));
  }
  if (Error error = addModelTable(source, cpu, *module))
    return error;
  setAttributes(*module, cpu);
  auto note = getModelNote(source, cpu);
  if (!note)
    return note.takeError();
  optimize(*module, **machine, optLevel);
  addSections(*module, weightsFile, *note);
  return module;
}

Error vae::writeWeights(mlir::ModuleOp module, StringRef path) {
  std::error_code code;
  raw_fd_ostream out(path, code);
  if (code)
    return createFileError(path, code);
  uint64_t written = 0;
  for (mlir::Attribute entry :
       module->getAttrOfType<mlir::ArrayAttr>(kWeightsAttr)) {
    auto weight = cast<mlir::DictionaryAttr>(entry);
    uint64_t offset = weight.getAs<mlir::IntegerAttr>("offset").getInt();
    out.write_zeros(offset - written);
    auto value = weight.getAs<mlir::ElementsAttr>("value");
    std::vector<float> storage;
    ArrayRef<float> values = getFloats(value, storage);
    out.write(reinterpret_cast<const char *>(values.data()),
              values.size() * sizeof(float));
    written = offset + values.size() * sizeof(float);
  }
  out.write_zeros(written ? 64 : 1); // never empty
  out.close();
  if (out.has_error()) {
    std::error_code error = out.error();
    out.clear_error();
    return createFileError(path, error);
  }
  return Error::success();
}

Error vae::emitMachineCode(Module &module, const Cpu &cpu, bool assembly,
                           raw_pwrite_stream &out) {
  auto machine = createMachine(cpu, 2);
  if (!machine)
    return machine.takeError();
  legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, out, nullptr,
                                      assembly ? CodeGenFileType::AssemblyFile
                                               : CodeGenFileType::ObjectFile))
    return createStringError("no object files for " + cpu.triple);
  passes.run(module);
  return Error::success();
}
