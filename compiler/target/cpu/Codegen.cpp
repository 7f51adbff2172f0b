// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/target/cpu/Codegen.h"

#include "compiler/conversion/Conversion.h"
#include "compiler/conversion/Versions.h"
#include "compiler/target/cpu/SplitModule.h"
#include "compiler/target/cpu/WeightsSection.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "runtime/include/vae/vae_abi.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/IPO/AlwaysInliner.h"
#include "llvm/Transforms/IPO/GlobalDCE.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/GVN.h"
#include "llvm/Transforms/Scalar/LICM.h"
#include "llvm/Transforms/Scalar/LoopPassManager.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"

using namespace llvm;
using namespace vae;

static Expected<std::unique_ptr<TargetMachine>>
createMachine(const Cpu &cpu, unsigned optLevel,
              const TargetOptions &options = TargetOptions()) {
  std::string error;
  Triple triple(cpu.triple);
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return createStringError("no code generator for " + cpu.triple + ": " +
                             error);
  auto level = optLevel == 0   ? CodeGenOptLevel::Less
               : optLevel == 1 ? CodeGenOptLevel::Default
                               : CodeGenOptLevel::Aggressive;
  return std::unique_ptr<TargetMachine>(
      target->createTargetMachine(triple, cpu.name, cpu.features, options,
                                  Reloc::PIC_, std::nullopt, level));
}

namespace {
/// Runs passes on a module, with the analyses that they need.
class PassRunner {
public:
  explicit PassRunner(TargetMachine *machine = nullptr) : builder(machine) {
    builder.registerModuleAnalyses(modules);
    builder.registerCGSCCAnalyses(graph);
    builder.registerFunctionAnalyses(functions);
    builder.registerLoopAnalyses(loops);
    builder.crossRegisterProxies(loops, functions, graph, modules);
  }
  void run(ModulePassManager &passes, Module &module) {
    passes.run(module, modules);
  }

private:
  PassBuilder builder;
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager graph;
  ModuleAnalysisManager modules;
};
} // namespace

/// Brings kernels into their tasks; what is left calls nothing but tasks.
static void inlineKernels(Module &module) {
  ModulePassManager passes;
  passes.addPass(AlwaysInlinerPass());
  passes.addPass(GlobalDCEPass());
  PassRunner().run(passes, module);
}

/// Kernels come out of the conversion in the form that they are to have: tiled,
/// vectorized, unrolled. LLVM's standard pipelines would spend most of the
/// compile time on looking for more of that; what is left to do is to clean up
/// and to move what does not change out of loops.
static void optimize(Module &module, TargetMachine &machine) {
  InstCombineOptions combine;
  combine.setVerifyFixpoint(false);
  FunctionPassManager clean;
  clean.addPass(EarlyCSEPass());
  clean.addPass(SimplifyCFGPass());
  clean.addPass(InstCombinePass(combine));
  clean.addPass(createFunctionToLoopPassAdaptor(LICMPass(LICMOptions()),
                                                /*UseMemorySSA=*/true));
  clean.addPass(GVNPass());
  clean.addPass(InstCombinePass(combine));
  clean.addPass(SimplifyCFGPass());
  ModulePassManager passes;
  passes.addPass(createModuleToFunctionPassAdaptor(std::move(clean)));
  PassRunner(&machine).run(passes, module);
}

/// Optimizes a module and compiles it.
static Error compileModule(Module &module, const Cpu &cpu, unsigned optLevel,
                           bool assembly, raw_pwrite_stream &out) {
  // Sections come as text, which assembly repeats as it is.
  TargetOptions options;
  options.DisableIntegratedAS = assembly;
  auto machine = createMachine(cpu, optLevel, options);
  if (!machine)
    return machine.takeError();
  optimize(module, **machine);
  legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, out, nullptr,
                                      assembly ? CodeGenFileType::AssemblyFile
                                               : CodeGenFileType::ObjectFile))
    return createStringError("no object files for " + cpu.triple);
  passes.run(module);
  return Error::success();
}

/// Collects what LLVM reports. Without a handler it prints errors and ends the
/// process.
static void collectMessages(LLVMContext &context, std::string &messages) {
  context.setDiagnosticHandlerCallBack(
      [](const DiagnosticInfo *info, void *text) {
        if (info->getSeverity() != DS_Error)
          return;
        raw_string_ostream out(*static_cast<std::string *>(text));
        DiagnosticPrinterRawOStream printer(out);
        info->print(printer);
        out << "\n";
      },
      &messages);
}

/// What LLVM reported, or the failure that the caller saw.
static Error takeErrors(std::string &messages, Error failure) {
  if (messages.empty())
    return failure;
  consumeError(std::move(failure));
  Error error = createStringError(StringRef(messages).trim());
  messages.clear();
  return error;
}

/// The CPU of every function that belongs to one of several versions.
static StringMap<const Cpu *> findCpus(mlir::ModuleOp source,
                                       ArrayRef<Cpu> versions) {
  StringMap<const Cpu *> cpus;
  for (auto function : source.getOps<mlir::LLVM::LLVMFuncOp>())
    for (const Cpu &cpu : versions)
      if (getVersionName(function) == cpu.name)
        cpus[function.getName()] = &cpu;
  return cpus;
}

/// Everything that no other library may see becomes internal. Functions are for
/// the CPU of their version; what is of none is for the least demanding one.
static void setAttributes(Module &module, ArrayRef<Cpu> versions,
                          const StringMap<const Cpu *> &cpus) {
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    auto found = cpus.find(function.getName());
    const Cpu &cpu = found == cpus.end() ? versions.front() : *found->second;
    if (function.getName() != VAE_MODEL_QUERY_SYMBOL)
      function.setLinkage(GlobalValue::InternalLinkage);
    // A kernel has one caller, its task; those that count items are short.
    if (function.hasLocalLinkage() && !function.hasAddressTaken())
      function.addFnAttr(Attribute::AlwaysInline);
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

/// The note that repeats the table as text: bytes that the assembler adds.
static std::string getNoteSection(StringRef note) {
  std::string text;
  raw_string_ostream out(text);
  StringRef owner = VAE_NOTE_OWNER;
  out << ".section .note.vae,\"a\",%note\n.balign 4\n.long " << owner.size() + 1
      << "\n.long " << note.size() << "\n.long " << VAE_NOTE_TYPE
      << "\n.asciz \"" << owner << "\"\n.balign 4\n.ascii \"";
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
  return text;
}

static std::string getWeightsSection(StringRef weightsFile) {
  std::string text;
  raw_string_ostream out(text);
  out << ".section " << kWeightsSection << ",\"a\",%progbits\n.balign "
      << kWeightsAlignment << "\n.hidden " << kWeightsSymbol << "\n.globl "
      << kWeightsSymbol << "\n"
      << kWeightsSymbol << ":\n.incbin \"";
  printEscapedString(weightsFile, out);
  out << "\"\n.text\n";
  return text;
}

CodeGenerator::CodeGenerator(const Cpu &cpu, unsigned optLevel)
    : cpu(cpu), optLevel(optLevel) {
  collectMessages(context, messages);
}

Error CodeGenerator::translate(mlir::ModuleOp source) {
  mlir::registerBuiltinDialectTranslation(*source.getContext());
  mlir::registerLLVMDialectTranslation(*source.getContext());
  module = mlir::translateModuleToLLVMIR(source, context, "model");
  if (!module)
    return takeErrors(messages,
                      createStringError("translation to LLVM IR failed"));
  auto machine = createMachine(cpu, optLevel);
  if (!machine)
    return machine.takeError();
  module->setTargetTriple(Triple(cpu.triple));
  module->setDataLayout((*machine)->createDataLayout());
  if (GlobalVariable *weights = module->getNamedGlobal(kWeightsSymbol)) {
    weights->setVisibility(GlobalValue::HiddenVisibility);
    weights->setAlignment(Align(kWeightsAlignment));
  }
  std::vector<Cpu> versions = getVersions(source, cpu);
  if (Error error = addModelTable(source, versions, *module))
    return error;
  setAttributes(*module, versions, findCpus(source, versions));
  auto note = getModelNote(source, versions);
  if (!note)
    return note.takeError();
  module->appendModuleInlineAsm(getNoteSection(*note));
  inlineKernels(*module);
  return takeErrors(messages, Error::success());
}

Error CodeGenerator::emitAssembly(StringRef weightsFile,
                                  raw_pwrite_stream &out) {
  module->appendModuleInlineAsm(getWeightsSection(weightsFile));
  Error error = compileModule(*module, cpu, optLevel, /*assembly=*/true, out);
  return takeErrors(messages, std::move(error));
}

/// Compiles a part of the module in a context of its own. A crash in a thread
/// is an error too where crash recovery is enabled.
static Error compilePart(StringRef bitcode, const Cpu &cpu, unsigned optLevel,
                         CodeGenerator::Object &object) {
  LLVMContext context;
  std::string messages;
  collectMessages(context, messages);
  Error result = Error::success();
  bool finished = CrashRecoveryContext().RunSafely([&] {
    auto part = parseBitcodeFile(MemoryBufferRef(bitcode, "model"), context);
    raw_svector_ostream out(object);
    Error error = part ? compileModule(**part, cpu, optLevel,
                                       /*assembly=*/false, out)
                       : part.takeError();
    result = joinErrors(std::move(result), std::move(error));
  });
  if (!finished)
    result = joinErrors(std::move(result),
                        createStringError("the code generator crashed"));
  return takeErrors(messages, std::move(result));
}

Error CodeGenerator::emitObjects(std::vector<Object> &objects) {
  std::vector<std::string> parts = splitModule(std::move(module));
  objects.assign(parts.size(), Object());
  std::vector<std::string> errors(parts.size());
  parallelFor(parts.size(), [&](size_t i) {
    if (Error error = compilePart(parts[i], cpu, optLevel, objects[i]))
      errors[i] = toString(std::move(error));
  });
  for (const std::string &error : errors)
    if (!error.empty())
      return createStringError(error);
  return takeErrors(messages, Error::success());
}
